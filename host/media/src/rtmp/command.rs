//! What a publisher asks for, and the answers rml_rtmp has no words for.

use std::collections::HashMap;

use bytes::Bytes;
use rml_rtmp::rml_amf0::{self, Amf0Value};

use super::{Error, amf};

/// Longest app, tcUrl or publish name, in bytes: they may carry a signed query.
const MAX_TEXT: usize = 4096;

/// A command of the peer, with what we use of it.
#[derive(Debug, PartialEq)]
pub(super) enum Command {
    Connect {
        transaction: f64,
        app: String,
        tc_url: Option<String>,
    },
    CreateStream {
        transaction: f64,
    },
    Publish {
        transaction: f64,
        name: String,
    },
    Play {
        name: String,
    },
    /// `deleteStream`, `closeStream` and `FCUnpublish`.
    Close,
    /// Nothing that needs an answer: `releaseStream`, `FCPublish`, `_checkbw`, …
    Other,
}

/// What `onMetaData` says of the stream, as far as anyone reads it. Encoders get it wrong often: for display only.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// Pixels.
    pub width: Option<u32>,
    /// Pixels.
    pub height: Option<u32>,
    /// Frames per second.
    pub frame_rate: Option<f64>,
    /// The encoder's name for itself; at most 128 characters, no control characters.
    pub encoder: Option<String>,
}

// === impl Command ===

impl Command {
    /// Reads a command message's values (after AMF3 unwrapping).
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] when a command that matters cannot be read; others are [`Command::Other`].
    pub(super) fn read(payload: &[u8]) -> Result<Self, Error> {
        let Ok(values) = amf::read(payload) else {
            return Err(Error::Malformed("a command that is no AMF0"));
        };
        let mut values = values.into_iter();
        let (Some(Amf0Value::Utf8String(command)), Some(Amf0Value::Number(transaction))) =
            (values.next(), values.next())
        else {
            return Err(Error::Malformed("a command without name and transaction"));
        };
        let object = values.next();
        let argument = values.next();
        Ok(match command.as_str() {
            "connect" => {
                let Some(Amf0Value::Object(mut properties)) = object else {
                    return Err(Error::Malformed("connect without its object"));
                };
                Self::Connect {
                    transaction,
                    app: text(properties.remove("app"))?.unwrap_or_default(),
                    tc_url: text(properties.remove("tcUrl"))?,
                }
            }
            "createStream" => Self::CreateStream { transaction },
            "publish" => Self::Publish {
                transaction,
                name: text(argument)?.unwrap_or_default(),
            },
            "play" | "play2" => Self::Play {
                name: text(argument)?.unwrap_or_default(),
            },
            "deleteStream" | "closeStream" | "FCUnpublish" => Self::Close,
            _ => Self::Other,
        })
    }
}

// === impl Metadata ===

impl Metadata {
    /// Reads a data message; `None` when it is not `onMetaData` or cannot be read.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let mut values = amf::read(payload).ok()?.into_iter().peekable();
        values.next_if(|value| is(value, "@setDataFrame"));
        values.next_if(|value| is(value, "onMetaData"))?;
        let Some(Amf0Value::Object(mut properties)) = values.next() else {
            return None;
        };
        let mut number = |name: &str| match properties.remove(name) {
            Some(Amf0Value::Number(value)) if value.is_finite() && value > 0.0 => Some(value),
            _ => None,
        };
        Some(Self {
            width: number("width").map(|value| value as u32),
            height: number("height").map(|value| value as u32),
            frame_rate: number("framerate"),
            encoder: match properties.remove("encoder") {
                Some(Amf0Value::Utf8String(name)) => {
                    Some(name.chars().filter(|c| !c.is_control()).take(128).collect())
                }
                _ => None,
            },
        })
    }
}

/// `connect` as rml_rtmp is to see it: the app, and no wish for AMF3.
pub(super) fn connect(transaction: f64, app: &str) -> Result<Bytes, Error> {
    let properties = HashMap::from([("app".to_owned(), string(app))]);
    encode(&[
        string("connect"),
        Amf0Value::Number(transaction),
        Amf0Value::Object(properties),
    ])
}

/// `createStream` as rml_rtmp is to see it.
pub(super) fn create_stream(transaction: f64) -> Result<Bytes, Error> {
    encode(&[
        string("createStream"),
        Amf0Value::Number(transaction),
        Amf0Value::Null,
    ])
}

/// `publish` as rml_rtmp is to see it: with the mode, which some encoders leave out.
pub(super) fn publish(transaction: f64, name: &str) -> Result<Bytes, Error> {
    encode(&[
        string("publish"),
        Amf0Value::Number(transaction),
        Amf0Value::Null,
        string(name),
        string("live"),
    ])
}

/// An `onStatus` command of level "error": what publishers show their users, unlike the `_error` that rml_rtmp sends.
pub(super) fn refusal(code: &str, description: &str) -> Result<Bytes, Error> {
    let status = [
        ("level", "error"),
        ("code", code),
        ("description", description),
    ];
    encode(&[
        string("onStatus"),
        Amf0Value::Number(0.0),
        Amf0Value::Null,
        Amf0Value::Object(
            status
                .map(|(name, value)| (name.to_owned(), string(value)))
                .into(),
        ),
    ])
}

fn encode(values: &[Amf0Value]) -> Result<Bytes, Error> {
    match rml_amf0::serialize(&values.to_vec()) {
        Ok(bytes) => Ok(bytes.into()),
        Err(_) => Err(Error::Malformed("a text over 64 kB")),
    }
}

fn string(text: &str) -> Amf0Value {
    Amf0Value::Utf8String(text.to_owned())
}

fn is(value: &Amf0Value, name: &str) -> bool {
    matches!(value, Amf0Value::Utf8String(text) if text == name)
}

fn text(value: Option<Amf0Value>) -> Result<Option<String>, Error> {
    match value {
        Some(Amf0Value::Utf8String(text)) if text.len() > MAX_TEXT => Err(Error::Malformed(
            "an app, tcUrl or stream name over 4096 bytes",
        )),
        Some(Amf0Value::Utf8String(text)) => Ok(Some(text)),
        _ => Ok(None),
    }
}

//! The server side of one RTMP connection, for publishers.
//!
//! # Contract
//!
//! [`Session::input`] takes the bytes of the socket, cut anywhere, and answers [`Event`]s in order; the caller writes
//! every [`Event::Send`] to the socket. A publisher gets through the handshake and `connect` by itself;
//! [`Event::Publish`] then asks the caller, who answers with [`Session::accept`] or [`Session::reject`]. Media may
//! follow in the same answer, before the caller has decided: encoders that do not wait lose nothing. A caller that
//! decides slowly should not read the socket meanwhile.
//!
//! One connection publishes once; after [`Event::Finished`] another publish is refused. Playing is refused.
//!
//! Timeouts (handshake, silence, slow reader) are the caller's.
//!
//! # What rml_rtmp does, and what not
//!
//! rml_rtmp 0.8 brings the handshake and the server's part of the command dialogue. What a peer sends never reaches
//! it: it keeps one payload for all chunk streams (interleaved audio and video panic it or come out mixed), panics on a
//! command of fewer than three values and on a short `@setDataFrame`, and recurses as deep as AMF is nested. So
//! chunks are put together in `chunk`, commands read with bounds in `amf`, and the three commands that rml_rtmp has to
//! know (`connect`, `createStream`, `publish`) are written anew for it with its own serialiser. Control messages and
//! media are handled here: a media message would otherwise be chopped and put together a second time, three copies of
//! every byte for nothing.
//!
//! Messages of our own (acknowledgements, pings, refusals) carry full headers, so they never disturb the header
//! compression of what rml_rtmp writes: our commands go out on chunk stream 3, which it does not use, and on 2, which
//! it does, its only message after the greeting has a full header too.
//!
//! # Bounds
//!
//! [`Config::max_message`] for video once the peer has asked to publish, 64 kB for everything else, 32 chunk streams, 16
//! streams created, one wish to play. A connection holds little more than one unfinished message: about 128 kB until it
//! asks to publish. Answers are never longer than a few times what asked for them.

mod amf;
mod chunk;
mod command;
mod session;

use bytes::Bytes;

pub use command::Metadata;
pub use session::Session;

/// The settings of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Largest video message, in bytes. A 4K key frame at a high bit rate is about 1 MB.
    pub max_message: usize,
}

/// What happened on the connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Bytes to write to the socket.
    Send(Bytes),
    /// The peer asks to publish. Comes at most once at a time.
    Publish(Publish),
    /// One FLV video tag body.
    Video {
        /// Milliseconds modulo 2^32, from a start of the encoder's choosing.
        timestamp: u32,
        /// Never empty.
        data: Bytes,
    },
    /// One FLV audio tag body.
    Audio {
        /// Milliseconds modulo 2^32, on the same clock as video.
        timestamp: u32,
        /// Never empty.
        data: Bytes,
    },
    /// What the encoder says of its stream.
    Metadata(Metadata),
    /// The publisher ended the stream; the connection may stay open.
    Finished,
    /// The peer asked to play, and was refused.
    PlayRefused {
        /// What it wanted to play.
        name: String,
    },
}

/// A wish to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// For [`Session::accept`] and [`Session::reject`].
    pub request: u32,
    /// The application: the first part of the path, often `live`.
    pub app: String,
    /// The publish name, with its query.
    pub stream: String,
    /// The URL the publisher connected to, as it says.
    pub tc_url: Option<String>,
}

/// Why a connection cannot go on. The caller closes it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The peer does not speak RTMP 3 (RTMPE and RTMPS-without-TLS included).
    #[error("the RTMP handshake failed: {0}")]
    Handshake(String),
    /// A message is longer than its kind may be.
    #[error("a message of type {kind} has {length} bytes; at most {max} are taken")]
    TooLong {
        /// RTMP message type ID.
        kind: u8,
        /// Its announced length in bytes.
        length: usize,
        /// The most that is taken.
        max: usize,
    },
    /// Bytes that are no RTMP.
    #[error("malformed RTMP: {0}")]
    Malformed(&'static str),
    /// A command out of order: publishing before connecting, connecting twice.
    #[error("unexpected RTMP command: {0}")]
    Unexpected(&'static str),
    /// rml_rtmp refused to go on.
    #[error("the RTMP session failed: {0}")]
    Session(String),
    /// The caller answered a request that is not open.
    #[error("no publish request {0} is open")]
    NoRequest(u32),
}

// === impl Config ===

impl Default for Config {
    /// Messages up to 8 MB.
    fn default() -> Self {
        Self {
            max_message: 8 << 20,
        }
    }
}

// === impl Publish ===

impl Publish {
    /// The path the publisher means, for [`StreamPath::parse`](crate::name::StreamPath::parse): the app and the publish
    /// name, without empty parts; a query stays at the end.
    #[must_use]
    pub fn path(&self) -> String {
        let (stream, query) = match self.stream.split_once('?') {
            Some((stream, query)) => (stream, Some(query)),
            None => (self.stream.as_str(), None),
        };
        // Some encoders put the query behind the app instead.
        let (app, query) = match self.app.split_once('?') {
            Some((app, of_app)) => (app, query.or(Some(of_app))),
            None => (self.app.as_str(), query),
        };
        let parts = app.split('/').chain(stream.split('/'));
        let mut path = String::new();
        for part in parts.filter(|part| !part.is_empty()) {
            path.push('/');
            path.push_str(part);
        }
        if path.is_empty() {
            path.push('/');
        }
        if let Some(query) = query {
            path.push('?');
            path.push_str(query);
        }
        path
    }

    /// The whole ingest URL, as an auth webhook is told it: scheme and host of [`Publish::tc_url`], then the path.
    #[must_use]
    pub fn url(&self) -> String {
        let origin = self.tc_url.as_deref().and_then(|url| {
            let host = url.find("://")? + 3;
            let end = url[host..]
                .find(['/', '?'])
                .map_or(url.len(), |at| host + at);
            (end > host).then(|| &url[..end])
        });
        format!("{}{}", origin.unwrap_or("rtmp://localhost"), self.path())
    }
}

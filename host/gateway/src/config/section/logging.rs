//! What is logged, and how.

use std::fmt;

use serde::Serialize;
use tracing_subscriber::EnvFilter;

use crate::config::decoder::Decoder;
use crate::config::nearest::nearest;
use crate::config::setting::{Group, Initial, Setting, Shape};

/// The log, on standard error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logging {
    /// Which events.
    pub filter: LogFilter,
    /// In which form.
    pub format: LogFormat,
}

/// A filter that tracing takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(String);

/// How an event is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// One JSON object a line.
    Json,
}

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

pub(in crate::config) const GROUP: Group = Group {
    heading: "Logging",
    settings: &[
        Setting {
            key: "log",
            shape: Shape::One,
            value: "LEVEL",
            default: Initial::Value("info"),
            summary: "What is logged: off, error, warn, info, debug or trace.",
            detail: "Also by part, such as info,pointsman_dispatch=debug.",
        },
        Setting {
            key: "log-format",
            shape: Shape::One,
            value: "text|json",
            default: Initial::Value("text"),
            summary: "How: lines for people, or one JSON object a line.",
            detail: "Use json where a collector reads the log.",
        },
    ],
};

// === impl Logging ===

impl Logging {
    pub(in crate::config) fn decode(decoder: &mut Decoder<'_>) -> Self {
        Self {
            filter: decoder.one("log", LogFilter::parse),
            format: decoder.one("log-format", LogFormat::parse),
        }
    }
}

// === impl LogFilter ===

impl LogFilter {
    /// The filter for a subscriber.
    #[must_use]
    pub fn filter(&self) -> EnvFilter {
        EnvFilter::new(&self.0)
    }

    fn parse(text: &str) -> Result<Self, String> {
        // tracing takes any bare word as the name of a part, so that a misspelt level would silence the log.
        for directive in text.split(',').map(str::trim) {
            let level = directive.to_ascii_lowercase();
            let part = directive.contains(['=', ':', '[', '_']);
            if !part && !LEVELS.contains(&level.as_str()) {
                let near = nearest(&level, LEVELS).unwrap_or("info");
                return Err(format!(
                    "`{directive}` is not a level; did you mean {near}?"
                ));
            }
        }
        EnvFilter::try_new(text).map_err(|error| format!("`{text}`: {error}"))?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl LogFormat ===

impl LogFormat {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("`{text}` is neither text nor json")),
        }
    }
}

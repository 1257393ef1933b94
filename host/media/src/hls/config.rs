//! What is fixed when a stream begins.

use std::time::Duration;

use super::uri;
use super::{FrameRate, Size};

/// The name under which the publisher's own segments are listed (go-livepeer's).
pub const SOURCE: &str = "source";

/// The settings of one stream's playlists.
#[derive(Clone, Debug)]
pub struct Config {
    /// The stream's name: one path component, any characters.
    pub name: String,
    /// Renditions in the order in which the master lists them. Empty: source only.
    pub renditions: Vec<RenditionSpec>,
    /// Segments listed in a media playlist; at least 3. More are listed while they make less than three target
    /// durations, which RFC 8216 §6.2.2 forbids to fall below.
    pub window: usize,
    /// Segments kept in memory per playlist, the listed ones among them; above `window`. Twice the window lets a player
    /// that has just read a playlist fetch all of it.
    pub keep: usize,
    /// Bytes that all these segments may have together, source and renditions, and those that wait for their turn among them: beyond it
    /// the oldest leave the playlists early, down to the last one. It is there for segments larger than anybody counted on; a window
    /// that it cuts short breaks the three target durations above.
    pub bytes: usize,
    /// The longest segment to expect: the segmenter's target, or the publisher's first `Content-Duration`. Rounded
    /// up to whole seconds for the playlists.
    pub target_duration: Duration,
    /// How long a number that was not announced holds its successors back.
    pub reorder: Duration,
    /// Announced segments that may wait for their turn; the oldest becomes a gap when there are more.
    pub in_flight: usize,
}

/// A rendition as it was ordered. Until one is seen it is taken for H.264.
#[derive(Clone, Debug)]
pub struct RenditionSpec {
    /// The profile's name: one path component, any characters, not `source`.
    pub name: String,
    /// Ordered width in pixels. The real one goes into the master when it is known in time.
    pub width: u32,
    /// Ordered height in pixels.
    pub height: u32,
    /// Target of the video encoder in bits a second.
    pub bitrate: u64,
    /// Frames a second; None keeps the source's timing.
    pub fps: Option<FrameRate>,
}

/// A configuration that no playlist can be made of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not usable as a path component.
    #[error(
        "the name {0:?} cannot be a path component: use 1 to 255 bytes, and neither `.` nor `..`"
    )]
    Name(String),
    /// Two renditions with one URI.
    #[error(
        "two renditions are named {0:?}: give each its own name (`source` is the publisher's own)"
    )]
    Duplicate(String),
    /// Fewer than three segments.
    #[error("a window of {0} segments is too short: players need at least 3")]
    Window(usize),
    /// Listed segments would not be fetchable.
    #[error(
        "keeping {keep} segments is too few for a window of {window}: keep more than are listed"
    )]
    Keep {
        /// As configured.
        keep: usize,
        /// As configured.
        window: usize,
    },
}

/// Percent-encoded names.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// The stream's.
    pub(super) stream: String,
    /// Of the source, then of the renditions in configured order.
    pub(super) playlists: Vec<String>,
}

// === impl Config ===

impl Config {
    /// go-livepeer's window (6 listed, 12 kept), a reorder allowance of one target duration, 32 in flight, 256 MiB.
    #[must_use]
    pub fn new(name: String, renditions: Vec<RenditionSpec>, target_duration: Duration) -> Self {
        Self {
            name,
            renditions,
            window: 6,
            keep: 12,
            bytes: 256 << 20,
            target_duration,
            reorder: target_duration,
            in_flight: 32,
        }
    }

    pub(super) fn checked(&self) -> Result<Names, ConfigError> {
        if self.window < 3 {
            return Err(ConfigError::Window(self.window));
        }
        if self.keep <= self.window {
            return Err(ConfigError::Keep {
                keep: self.keep,
                window: self.window,
            });
        }
        let encode =
            |name: &str| uri::component(name).map_err(|_| ConfigError::Name(name.to_owned()));
        let mut playlists = vec![SOURCE.to_owned()];
        for rendition in &self.renditions {
            let encoded = encode(&rendition.name)?;
            if playlists.contains(&encoded) {
                return Err(ConfigError::Duplicate(rendition.name.clone()));
            }
            playlists.push(encoded);
        }
        Ok(Names {
            stream: encode(&self.name)?,
            playlists,
        })
    }
}

// === impl RenditionSpec ===

impl RenditionSpec {
    /// The ordered size.
    #[must_use]
    pub fn size(&self) -> Size {
        Size {
            width: self.width,
            height: self.height,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendition(name: &str) -> RenditionSpec {
        RenditionSpec {
            name: name.to_owned(),
            width: 426,
            height: 240,
            bitrate: 600_000,
            fps: None,
        }
    }

    fn config(names: &[&str]) -> Config {
        let renditions = names.iter().copied().map(rendition).collect();
        Config::new("tiny".to_owned(), renditions, Duration::from_secs(2))
    }

    #[test]
    fn names_are_encoded_once_in_listed_order() {
        let names = config(&["a b", "c"]).checked().expect("a good config");
        assert_eq!(names.playlists, ["source", "a%20b", "c"]);
    }

    #[test]
    fn names_that_would_share_or_leave_a_path_are_refused() {
        for (names, error) in [
            (vec!["a", "a"], ConfigError::Duplicate("a".to_owned())),
            (vec!["source"], ConfigError::Duplicate("source".to_owned())),
            (vec![".."], ConfigError::Name("..".to_owned())),
        ] {
            assert_eq!(config(&names).checked().err(), Some(error));
        }
        let nameless = Config::new(String::new(), vec![], Duration::from_secs(2));
        assert_eq!(
            nameless.checked().err(),
            Some(ConfigError::Name(String::new()))
        );
    }

    #[test]
    fn a_window_that_cannot_be_served_is_refused() {
        let short = Config {
            window: 2,
            ..config(&[])
        };
        assert_eq!(short.checked().err(), Some(ConfigError::Window(2)));
        let tight = Config {
            keep: 6,
            ..config(&[])
        };
        let error = ConfigError::Keep { keep: 6, window: 6 };
        assert_eq!(tight.checked().err(), Some(error));
    }
}

//! Why a connection is closed from here, in words for people and in classes for counters.

use pointsman_media::name::NameError;
use pointsman_media::{flv, rtmp, segmenter};
use pointsman_wire::capabilities::PixelFormatError;

use super::{MAX_SILENCE, MAX_WITHOUT_SEGMENT, PUBLISH_WITHIN, WRITE_WITHIN};
use crate::ingest::webhook::Denied;
use crate::streams::OpenError;

/// Why a connection was closed from here.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Rtmp(#[from] rtmp::Error),
    #[error("{0}")]
    Media(#[from] flv::Error),
    #[error("{0}")]
    Segmenter(#[from] segmenter::Error),
    #[error("it did not publish within {} s", PUBLISH_WITHIN.as_secs())]
    NotPublished,
    #[error("it did not read what it was sent within {} s", WRITE_WITHIN.as_secs())]
    SlowReader,
    #[error("nothing came for {} s", MAX_SILENCE.as_secs())]
    Silent,
    #[error(
        "no segment came of it for {} s: its clock stands still or jumps, or it sends no pictures",
        MAX_WITHOUT_SEGMENT.as_secs()
    )]
    NoSegment,
    #[error("publishing refused: {0}")]
    Refused(#[from] Refusal),
    #[error("another connection took the stream over")]
    TakenOver,
}

/// Why a publisher was not let in. It is told so in these words.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("{0}")]
    Name(#[from] NameError),
    #[error("{0}")]
    Webhook(#[from] Denied),
    #[error("the stream key is missing or wrong: publish to NAME/KEY")]
    Key,
    #[error("{0}")]
    Renditions(#[from] PixelFormatError),
    // One answer whether the key is right or not: two would tell who guesses keys.
    #[error(
        "a stream of this name is live already: publish under another name. Who has its stream key can continue it once its \
         publisher has gone or been silent for {} s", silence.as_secs_f32()
    )]
    Taken { silence: std::time::Duration },
    #[error(
        "a stream of this name is live already, and it is pushed over HTTP: publish under another name, or wait until a minute \
         has passed without a push"
    )]
    Pushed,
    #[error("{0}")]
    Open(OpenError),
}

// === impl Error ===

impl Error {
    /// The `reason` of `pointsman_rtmp_closed_total`.
    pub(super) fn class(&self) -> &'static str {
        match self {
            Self::Io(_) => "io",
            Self::Rtmp(error) => match error {
                rtmp::Error::Handshake(_) => "handshake",
                rtmp::Error::TooLong { .. } => "too-long",
                rtmp::Error::Malformed(_) | rtmp::Error::Unexpected(_) => "malformed",
                rtmp::Error::Session(_) | rtmp::Error::NoRequest(_) => "session",
            },
            Self::Media(_) => "codec",
            Self::Segmenter(segmenter::Error::NoKeyFrame { .. }) => "no-key-frame",
            Self::Segmenter(segmenter::Error::TooLarge { .. }) => "segment-too-large",
            Self::NotPublished => "not-published",
            Self::SlowReader => "slow-reader",
            Self::Silent => "silent",
            Self::NoSegment => "no-segment",
            Self::Refused(refusal) => refusal.class(),
            Self::TakenOver => "taken-over",
        }
    }
}

// === impl Refusal ===

impl Refusal {
    fn class(&self) -> &'static str {
        match self {
            Self::Name(_) => "refused-name",
            Self::Webhook(_) => "refused-webhook",
            Self::Key => "refused-key",
            Self::Renditions(_) => "refused-renditions",
            Self::Taken { .. } | Self::Pushed | Self::Open(OpenError::Taken) => "refused-taken",
            Self::Open(OpenError::TooMany(_)) => "refused-full",
            Self::Open(_) => "refused",
        }
    }
}

//! What is recorded of decisions.

use std::time::Duration;

use bytesize::ByteSize;
use pointsman_recording::Share;

use crate::config::decoder::Decoder;
use crate::config::setting::{Group, Initial, Setting, Shape};
use crate::config::value::{duration, size};

/// Recordings of decisions, in the data directory's `decisions`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recording {
    /// Which streams; `None`: nothing is recorded.
    pub share: Option<Share>,
    /// Most bytes of all recordings.
    pub bytes: usize,
    /// How old they may get.
    pub age: Duration,
}

const HOUR: Duration = Duration::from_secs(3600);

pub(in crate::config) const GROUP: Group = Group {
    heading: "Recording",
    settings: &[
        Setting {
            key: "record",
            shape: Shape::One,
            value: "on|off|PERCENT",
            default: Initial::Value("on"),
            summary: "Record decisions for `policy replay` and `explain`, in decisions/ of the data directory.",
            detail: "A share such as 10% records so many streams, each whole. Recordings hold facts about orchestrators, prices and \
                     outcomes, no media and no secrets.",
        },
        Setting {
            key: "record-bytes",
            shape: Shape::One,
            value: "SIZE",
            default: Initial::Value("512MiB"),
            summary: "Most disk that recordings take; the oldest go first.",
            detail: "1MiB to 1TiB. A decision takes about 2 bytes for each orchestrator.",
        },
        Setting {
            key: "record-age",
            shape: Shape::One,
            value: "TIME",
            default: Initial::Value("7days"),
            summary: "How long recordings are kept.",
            detail: "1h to 365days.",
        },
    ],
};

// === impl Recording ===

impl Recording {
    pub(in crate::config) fn decode(decoder: &mut Decoder<'_>) -> Self {
        Self {
            share: decoder.one("record", share),
            bytes: decoder.one(
                "record-bytes",
                size::between(ByteSize::mib(1), ByteSize::tib(1)),
            ),
            age: decoder.one("record-age", duration::between(HOUR, 365 * 24 * HOUR)),
        }
    }
}

fn share(text: &str) -> Result<Option<Share>, String> {
    let percent = |text: &str| -> Option<Share> {
        let percent: f64 = text.strip_suffix('%')?.trim_end().parse().ok()?;
        Share::new(percent / 100.0)
    };
    match text {
        "on" => Ok(Some(Share::ALL)),
        "off" => Ok(None),
        text => match percent(text) {
            Some(share) if share.get() > 0.0 => Ok(Some(share)),
            Some(_) => Ok(None),
            None => Err(format!("`{text}` is not on, off or a share such as 10%")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_percentage() {
        assert_eq!(share("on"), Ok(Some(Share::ALL)));
        assert_eq!(share("100%"), Ok(Some(Share::ALL)));
        assert_eq!(share("off"), Ok(None));
        assert_eq!(share("0%"), Ok(None));
        assert_eq!(share("12.5%"), Ok(Share::new(0.125)));
        for text in ["", "10", "-1%", "101%", "true", "nan%"] {
            assert_eq!(
                share(text),
                Err(format!("`{text}` is not on, off or a share such as 10%"))
            );
        }
    }
}

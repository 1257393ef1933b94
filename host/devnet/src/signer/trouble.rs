//! How a signer fails.

use serde::{Deserialize, Deserializer};

/// One call's failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The status that is answered; `None`: no answer ever comes.
    pub status: Option<u16>,
    /// How often; `None`: until it is healed.
    pub times: Option<u32>,
}

/// What to change; `None` leaves it, `Some(None)` heals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignerChange {
    /// `/sign-orchestrator-info`.
    #[serde(deserialize_with = "present")]
    pub identity: Option<Option<Trouble>>,
    /// `/generate-live-payment`.
    #[serde(deserialize_with = "present")]
    pub payment: Option<Option<Trouble>>,
    /// `/sign-segment`.
    #[serde(deserialize_with = "present")]
    pub segment: Option<Option<Trouble>>,
}

/// What holds now.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    pub(super) identity: Option<Trouble>,
    pub(super) payment: Option<Trouble>,
    pub(super) segment: Option<Trouble>,
}

// === impl Trouble ===

impl Trouble {
    /// Silence until it is healed.
    pub const HANG: Self = Self {
        status: None,
        times: None,
    };

    /// This status until it is healed.
    #[must_use]
    pub const fn status(status: u16) -> Self {
        Self {
            status: Some(status),
            times: None,
        }
    }

    /// So many times and no more.
    #[must_use]
    pub const fn times(self, times: u32) -> Self {
        Self {
            status: self.status,
            times: Some(times),
        }
    }

    /// Reads `hang`, `500` or `480x2`.
    fn read(text: &str) -> Option<Self> {
        let (what, times) = match text.split_once('x') {
            Some((what, times)) => (what, Some(times.parse().ok()?)),
            None => (text, None),
        };
        let status = match what {
            "hang" => None,
            status => Some(status.parse().ok().filter(|s| (400..600).contains(s))?),
        };
        Some(Self { status, times })
    }

    /// Whether this call fails; counts it.
    pub(super) fn strike(slot: &mut Option<Self>) -> Option<Self> {
        let trouble = (*slot)?;
        match trouble.times {
            None => Some(trouble),
            Some(0) => {
                *slot = None;
                None
            }
            Some(times) => {
                *slot = Some(trouble.times(times - 1));
                Some(trouble)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Trouble {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text).ok_or_else(|| {
            serde::de::Error::custom(format!("{text:?} is neither hang, nor a status, nor 480x2"))
        })
    }
}

// === impl SignerChange ===

impl SignerChange {
    /// Payments fail.
    #[must_use]
    pub fn payment(trouble: Trouble) -> Self {
        Self {
            payment: Some(Some(trouble)),
            ..Self::default()
        }
    }

    /// Everything fails.
    #[must_use]
    pub fn all(trouble: Trouble) -> Self {
        let trouble = Some(Some(trouble));
        Self {
            identity: trouble,
            payment: trouble,
            segment: trouble,
        }
    }

    /// Nothing fails any more.
    #[must_use]
    pub fn heal() -> Self {
        Self {
            identity: Some(None),
            payment: Some(None),
            segment: Some(None),
        }
    }
}

// === impl Troubles ===

impl Troubles {
    pub(super) fn set(&mut self, change: SignerChange) {
        let take = |slot: &mut Option<Trouble>, to: Option<Option<Trouble>>| {
            if let Some(to) = to {
                *slot = to;
            }
        };
        take(&mut self.identity, change.identity);
        take(&mut self.payment, change.payment);
        take(&mut self.segment, change.segment);
    }
}

impl From<SignerChange> for Troubles {
    fn from(change: SignerChange) -> Self {
        let mut troubles = Self::default();
        troubles.set(change);
        troubles
    }
}

/// A key that is there, `null` included.
fn present<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<Trouble>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_read_and_counted() {
        let change: SignerChange =
            serde_json::from_str(r#"{"payment": "480x2", "segment": "hang"}"#).expect("a change");
        assert_eq!(change.identity, None);
        let mut troubles = Troubles::from(change);
        let strike = |slot: &mut Option<Trouble>| Trouble::strike(slot).map(|t| t.status);
        assert_eq!(strike(&mut troubles.payment), Some(Some(480)));
        assert_eq!(strike(&mut troubles.payment), Some(Some(480)));
        assert_eq!(strike(&mut troubles.payment), None);
        assert_eq!(strike(&mut troubles.segment), Some(None));
        let healed = serde_json::from_str(r#"{"segment": null}"#).expect("a change");
        troubles.set(healed);
        assert_eq!(strike(&mut troubles.segment), None);
        for wrong in [
            r#"{"payment": "200"}"#,
            r#"{"payment": "x"}"#,
            r#"{"pay": "500"}"#,
        ] {
            assert!(
                serde_json::from_str::<SignerChange>(wrong).is_err(),
                "{wrong}"
            );
        }
    }
}

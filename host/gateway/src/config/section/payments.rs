//! The most that may be paid.

use std::num::NonZeroU64;

use pointsman_payments::ledger::Caps;
use pointsman_payments::params::Limits;

use crate::config::decoder::Decoder;
use crate::config::setting::{Group, Initial, Setting, Shape};
use crate::config::value::{number, wei};

/// Limits of tickets, payments and spend. They hold whatever a policy chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payments {
    /// What tickets may be worth.
    pub limits: Limits,
    /// What may be spent.
    pub caps: Caps,
}

const KEYS: [&str; 6] = [
    "max-ticket-ev",
    "max-total-ev",
    "deposit-multiplier",
    "max-spend-per-stream",
    "max-spend-per-key-and-day",
    "max-spend-per-day",
];

pub(in crate::config) const GROUP: Group = Group {
    heading: "Payments",
    settings: &[
        Setting {
            key: "max-ticket-ev",
            shape: Shape::One,
            value: "WEI",
            default: Initial::Value("3000000000000"),
            summary: "Most that one ticket may be worth: its face value times its chance to win.",
            detail: "In wei, or with eth behind the number. Orchestrators that ask for more are left out.",
        },
        Setting {
            key: "max-total-ev",
            shape: Shape::One,
            value: "WEI",
            default: Initial::Value("20000000000000"),
            summary: "Most that the tickets of one payment may be worth together.",
            detail: "Raise it for long segments with many renditions.",
        },
        Setting {
            key: "deposit-multiplier",
            shape: Shape::One,
            value: "N",
            default: Initial::Value("1"),
            summary: "A ticket's face value may be at most the deposit divided by this.",
            detail: "2 lets at least two winners be paid in full from the deposit.",
        },
        Setting {
            key: "max-spend-per-stream",
            shape: Shape::One,
            value: "WEI",
            default: Initial::Unset("no limit"),
            summary: "Most that one stream may spend.",
            detail: "In wei, or with eth behind the number, such as 0.01eth. Then its segments are refused; other streams go on.",
        },
        Setting {
            key: "max-spend-per-key-and-day",
            shape: Shape::One,
            value: "WEI",
            default: Initial::Unset("no limit"),
            summary: "Most that one API key may spend in a day (UTC).",
            detail: "It binds once jobs carry keys; streams carry none yet.",
        },
        Setting {
            key: "max-spend-per-day",
            shape: Shape::One,
            value: "WEI",
            default: Initial::Unset("no limit"),
            summary: "Most that may be spent in a day (UTC), all streams together.",
            detail: "What tickets are worth counts, not what winners cost: over time both are the same.",
        },
    ],
};

// === impl Payments ===

impl Payments {
    pub(in crate::config) fn decode(decoder: &mut Decoder<'_>, pays: bool) -> Self {
        for key in KEYS {
            if !pays && decoder.is_given(key) {
                let message = "no tickets are sent off-chain, so this limit would limit nothing: leave it out, or give a --network";
                decoder.refuse(&[key], message);
            }
        }
        let limits = Limits {
            max_ticket_value: decoder.one("max-ticket-ev", wei::ratio),
            max_payment_value: decoder.one("max-total-ev", wei::ratio),
            deposit_multiplier: NonZeroU64::new(
                decoder.one("deposit-multiplier", number::within(1..=1_000_000)),
            )
            .unwrap_or(NonZeroU64::MIN),
        };
        let caps = Caps {
            ticket: wei::ceil(&limits.max_ticket_value),
            payment: wei::ceil(&limits.max_payment_value),
            job: decoder.optional("max-spend-per-stream", wei::whole),
            key_day: decoder.optional("max-spend-per-key-and-day", wei::whole),
            day: decoder.optional("max-spend-per-day", wei::whole),
        };
        if limits.max_ticket_value > limits.max_payment_value {
            let message =
                "max-ticket-ev is above max-total-ev: no payment could hold one such ticket";
            decoder.refuse(&["max-ticket-ev", "max-total-ev"], message);
        }
        Self { limits, caps }
    }
}

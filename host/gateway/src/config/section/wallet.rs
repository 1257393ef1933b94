//! What the gateway's own transactions may cost, and what it fills up by itself.

use std::time::Duration;

use pointsman_chain::Fees;
use pointsman_payments::U256;

use crate::config::decoder::Decoder;
use crate::config::setting::{Group, Initial, Setting, Shape};
use crate::config::value::{duration, number, wei};

/// The wallet's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wallet {
    /// What transactions may cost.
    pub fees: Fees,
    /// What is filled up; `None`: nothing.
    pub top_up: Option<TopUp>,
}

/// What is filled up. All in wei.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopUp {
    /// A deposit under this is filled up.
    pub below: U256,
    /// To this; not under `below`.
    pub to: U256,
    /// A reserve under this is filled up to it; `None`: it is left alone.
    pub reserve: Option<U256>,
    /// Most that is moved in a day (UTC).
    pub per_day: U256,
}

const BELOW: &str = "auto-top-up-below";
const TO: &str = "auto-top-up-to";
const RESERVE: &str = "auto-top-up-reserve";
const PER_DAY: &str = "auto-top-up-per-day";

const KEYS: [&str; 8] = [
    "max-gas-price",
    "gas-limit",
    "transaction-timeout",
    "max-transaction-replacements",
    BELOW,
    TO,
    RESERVE,
    PER_DAY,
];

pub(in crate::config) const GROUP: Group = Group {
    heading: "Wallet",
    settings: &[
        Setting {
            key: "max-gas-price",
            shape: Shape::One,
            value: "WEI",
            default: Initial::Unset("what the chain asks"),
            summary: "Most that a transaction pays for one gas.",
            detail: "In wei, or with gwei behind the number; 0 is no limit. While gas costs more, nothing is sent.",
        },
        Setting {
            key: "gas-limit",
            shape: Shape::One,
            value: "N",
            default: Initial::Value("0"),
            summary: "Most gas that a transaction may use; 0: a fifth more than the node reckons.",
            detail: "A transaction that is reckoned to need more is not sent.",
        },
        Setting {
            key: "transaction-timeout",
            shape: Shape::One,
            value: "TIME",
            default: Initial::Value("5m"),
            summary: "A transaction that is in no block for so long is replaced by a dearer one.",
            detail: "1s to 1h. The dearer one pays a ninth more and has the same nonce, so that only one of them counts.",
        },
        Setting {
            key: "max-transaction-replacements",
            shape: Shape::One,
            value: "N",
            default: Initial::Value("1"),
            summary: "How often a stuck transaction is replaced.",
            detail: "0 to 20. Then its fate is left open and said.",
        },
        Setting {
            key: BELOW,
            shape: Shape::One,
            value: "WEI",
            default: Initial::Unset("never"),
            summary: "Fill the deposit up by itself when it is below this.",
            detail: "In wei, or with eth behind the number. Needs the next setting and the day's cap. Money that is being unlocked is left alone.",
        },
        Setting {
            key: TO,
            shape: Shape::One,
            value: "WEI",
            default: Initial::Unset("none"),
            summary: "Up to where the deposit is filled.",
            detail: "A good deal above the line, so that gas is not paid for trifles.",
        },
        Setting {
            key: RESERVE,
            shape: Shape::One,
            value: "WEI",
            default: Initial::Unset("left alone"),
            summary: "Fill the reserve up to this as well, whenever it is lower.",
            detail: "Orchestrators claim of it what the deposit lacks. `pointsman wallet status` says what too small a reserve costs.",
        },
        Setting {
            key: PER_DAY,
            shape: Shape::One,
            value: "WEI",
            default: Initial::Unset("none"),
            summary: "Most that is filled up in a day (UTC), deposit and reserve together.",
            detail: "Holds over restarts. Gas comes on top.",
        },
    ],
};

// === impl Wallet ===

impl Wallet {
    pub(in crate::config) fn decode(
        decoder: &mut Decoder<'_>,
        on_chain: bool,
        remote: bool,
    ) -> Self {
        for key in KEYS {
            if (!on_chain || remote) && decoder.is_given(key) {
                let message = match remote {
                    true => "the wallet is the remote signer's: leave it out",
                    false => "there is no wallet off-chain: leave it out, or give a --network",
                };
                decoder.refuse(&[key], message);
            }
        }
        let seconds = |seconds| Duration::from_secs(seconds);
        let gas: u64 = decoder.one("gas-limit", number::within(0..=1_000_000_000));
        let fees = Fees {
            cap: decoder
                .optional("max-gas-price", wei::per_gas)
                .filter(|&cap| cap > 0),
            gas: Some(gas).filter(|&gas| gas > 0),
            patience: decoder.one(
                "transaction-timeout",
                duration::between(seconds(1), seconds(3600)),
            ),
            replacements: decoder.one("max-transaction-replacements", number::within(0..=20)),
            ..Fees::default()
        };
        Self {
            fees,
            top_up: TopUp::decode(decoder),
        }
    }
}

// === impl TopUp ===

impl TopUp {
    fn decode(decoder: &mut Decoder<'_>) -> Option<Self> {
        let below = decoder.optional(BELOW, wei::whole);
        let to = decoder.optional(TO, wei::whole);
        let reserve = decoder.optional(RESERVE, wei::whole);
        let per_day = decoder.optional(PER_DAY, wei::whole);
        let given = |decoder: &Decoder<'_>, key| decoder.is_given(key);
        let all = [BELOW, TO, PER_DAY];
        let some: Vec<&str> = [BELOW, TO, RESERVE, PER_DAY]
            .into_iter()
            .filter(|key| given(decoder, key))
            .collect();
        if some.is_empty() {
            return None;
        }
        let missing: Vec<String> = all
            .into_iter()
            .filter(|key| !given(decoder, key))
            .map(|key| format!("--{key}"))
            .collect();
        if !missing.is_empty() {
            let message = format!("needs {} as well", missing.join(" and "));
            decoder.refuse(&some, message);
            return None;
        }
        let (below, to, per_day) = (below?, to?, per_day?);
        if to < below {
            decoder.refuse(
                &[TO, BELOW],
                format!("{TO} is under {BELOW}: nothing would be filled up"),
            );
        }
        Some(Self {
            below,
            to,
            reserve,
            per_day,
        })
    }
}

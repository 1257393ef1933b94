//! The profile: which orchestrators a devnet has, and how each behaves.
//!
//! ```toml
//! host = "127.0.0.1"           # host part of the service URIs, and what is bound
//! control = "127.0.0.1:7935"   # the control route; loopback only; port 0 takes any
//! seed = 7                     # of failures that happen by chance
//! ffmpeg = "ffmpeg"            # the transcoder
//!
//! [[orchestrator]]
//! name = "fast"                # default orchestrator-1, -2, …
//! port = 8936                  # 0, the default, takes any
//! tls = true                   # false: http://, with HTTP/2 by prior knowledge
//! mode = "transcode"           # or "passthrough"
//! price = 1200                 # wei per pixel, or "7/3"; not sent when absent, as a real one off-chain
//! latency-ms = 40
//! capacity = 10                # sessions
//! processes = 2                # ffmpeg at once; default one a core
//! verify-hash = true           # false only for benchmarks
//! session-idle-s = 70
//! token-life-s = 1800
//! failure = "hang-after-headers"
//! score = 1.0                  # these three are only listed in the discovery webhook
//! region = "fra"
//! labels = { tier = "gold" }
//! ```
//!
//! `[chain]` and `[orchestrator.payments]` put orchestrators on a chain ([`Payments`]); `[signer]` has a [remote signer](crate::signer) there.
//!
//! Reading is strict: an unknown key, a wrong type or a value out of range is an error that names the key.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use pointsman_wire::limits::{SESSION_IDLE, TOKEN_LIFE};
use serde::Deserialize;

use crate::failure::Rules;
use crate::payments::{ChainProfile, Payments};
use crate::price::Price;
use crate::signer::SignerProfile;

/// A devnet to start.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Profile {
    /// Loopback address that is bound and named in the service URIs.
    pub host: IpAddr,
    /// Where the control route listens; loopback, port 0 for any.
    pub control: SocketAddr,
    /// Seed of everything that happens by chance.
    pub seed: u64,
    /// The ffmpeg program, a path or a name to look up.
    pub ffmpeg: PathBuf,
    /// The chain that orchestrators with `payments` are on.
    pub chain: Option<ChainProfile>,
    /// The remote signer beside them, if any.
    pub signer: Option<SignerProfile>,
    /// At least one.
    #[serde(rename = "orchestrator")]
    pub orchestrators: Vec<OrchestratorProfile>,
}

/// One orchestrator of a [`Profile`].
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct OrchestratorProfile {
    /// Unique within the profile: letters, digits, `-`, `_` and `.`. Empty: `orchestrator-` and its place.
    pub name: String,
    /// Port of gRPC and HTTP; 0 for any.
    pub port: u16,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// What it does with segments.
    pub mode: Mode,
    /// What it asks. A real orchestrator that is off-chain names no price.
    pub price: Option<Price>,
    /// How much later than possible it answers: GetOrchestrator, a segment's result (its 200 comes at once), a rendition.
    #[serde(rename = "latency-ms", deserialize_with = "milliseconds")]
    pub latency: Duration,
    /// Sessions at once; one more is `OrchestratorCapped`.
    pub capacity: usize,
    /// Most ffmpeg processes at once, over all sessions.
    pub processes: NonZeroUsize,
    /// Whether the body is checked against the hash. `false` lies to gateways; it is for benchmarks.
    pub verify_hash: bool,
    /// Unused for longer, a session ends.
    #[serde(rename = "session-idle-s", deserialize_with = "seconds")]
    pub session_idle: Duration,
    /// For how long an auth token holds.
    #[serde(rename = "token-life-s", deserialize_with = "seconds")]
    pub token_life: Duration,
    /// How it fails.
    pub failure: Rules,
    /// Listed in the webhook. go-livepeer trusts from 1.0 on.
    pub score: f64,
    /// Listed in the webhook.
    pub region: Option<String>,
    /// Listed in the webhook.
    pub labels: BTreeMap<String, String>,
    /// What it asks and does on the chain; `None`: it is off-chain.
    pub payments: Option<Payments>,
}

/// What an orchestrator does with segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Transcodes with ffmpeg.
    #[default]
    Transcode,
    /// Gives the input back as every rendition, at once: for tests of everything but media.
    Passthrough,
}

/// A profile that cannot be used. Each message names the key.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// No such key, type or value; the parser's message quotes the line.
    #[error("the profile is not valid: {0}")]
    Toml(#[from] toml::de::Error),
    /// Nothing to start.
    #[error("the profile has no [[orchestrator]]: add one")]
    Empty,
    /// A name that cannot be part of the control route.
    #[error(
        "orchestrator {place}: name = {name:?} may hold only letters, digits, '-', '_' and '.', at most 64"
    )]
    Name {
        /// Place in the profile, from 1.
        place: usize,
        /// The name.
        name: String,
    },
    /// Two of one name.
    #[error("orchestrator {place}: name = {name:?} is taken by an earlier one")]
    Duplicate {
        /// Place in the profile, from 1.
        place: usize,
        /// The name.
        name: String,
    },
    /// A listener that others could reach.
    #[error("{key} = \"{address}\" is not a loopback address: devnet serves this machine only")]
    NotLoopback {
        /// `host`, `control` or `signer.listen`.
        key: &'static str,
        /// The address.
        address: IpAddr,
    },
    /// Paid, and nowhere to be paid.
    #[error(
        "orchestrator {place} has payments, and the profile no [chain]: add `rpc` and `controller`"
    )]
    NoChain {
        /// Place in the profile, from 1.
        place: usize,
    },
    /// A signer without a chain to pay on.
    #[error("the profile has a [signer] and no [chain]: add `rpc` and `controller`")]
    SignerWithoutChain,
    /// No number from 0 on.
    #[error("orchestrator {place}: score = {score} is not a number from 0 on")]
    Score {
        /// Place in the profile, from 1.
        place: usize,
        /// The score.
        score: f64,
    },
}

// === impl Profile ===

impl Profile {
    /// A profile of orchestrators without further wishes.
    #[must_use]
    pub fn orchestrators(count: NonZeroUsize) -> Self {
        Self {
            orchestrators: vec![OrchestratorProfile::default(); count.get()],
            ..Self::default()
        }
    }

    /// The same with passthrough orchestrators: no ffmpeg is needed.
    #[must_use]
    pub fn passthrough(count: NonZeroUsize) -> Self {
        let mut profile = Self::orchestrators(count);
        for orchestrator in &mut profile.orchestrators {
            orchestrator.mode = Mode::Passthrough;
        }
        profile
    }

    /// Reads a TOML profile.
    ///
    /// # Errors
    ///
    /// The first mistake, naming its key.
    pub fn from_toml(text: &str) -> Result<Self, ProfileError> {
        toml::from_str::<Self>(text)?.checked()
    }

    /// Fills names in and refuses what types cannot.
    ///
    /// # Errors
    ///
    /// The first mistake, naming its key.
    pub(crate) fn checked(mut self) -> Result<Self, ProfileError> {
        let signer = self.signer.as_ref();
        let signer = signer.map(|signer| ("signer.listen", signer.listen.ip()));
        let own = [("host", self.host), ("control", self.control.ip())];
        for (key, address) in own.into_iter().chain(signer) {
            if !address.is_loopback() {
                return Err(ProfileError::NotLoopback { key, address });
            }
        }
        if self.orchestrators.is_empty() {
            return Err(ProfileError::Empty);
        }
        if signer.is_some() && self.chain.is_none() {
            return Err(ProfileError::SignerWithoutChain);
        }
        let mut taken = BTreeSet::new();
        for (orchestrator, place) in self.orchestrators.iter_mut().zip(1..) {
            if orchestrator.name.is_empty() {
                orchestrator.name = format!("orchestrator-{place}");
            }
            let name = orchestrator.name.clone();
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            if name.len() > 64 || !name.chars().all(plain) {
                return Err(ProfileError::Name { place, name });
            }
            if !taken.insert(name.clone()) {
                return Err(ProfileError::Duplicate { place, name });
            }
            let score = orchestrator.score;
            if !score.is_finite() || score < 0.0 {
                return Err(ProfileError::Score { place, score });
            }
            if orchestrator.payments.is_some() && self.chain.is_none() {
                return Err(ProfileError::NoChain { place });
            }
        }
        Ok(self)
    }
}

impl Default for Profile {
    fn default() -> Self {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self {
            host: loopback,
            control: SocketAddr::new(loopback, 0),
            seed: 1,
            ffmpeg: PathBuf::from("ffmpeg"),
            chain: None,
            signer: None,
            orchestrators: Vec::new(),
        }
    }
}

// === impl OrchestratorProfile ===

impl Default for OrchestratorProfile {
    fn default() -> Self {
        Self {
            name: String::new(),
            port: 0,
            tls: true,
            mode: Mode::default(),
            price: None,
            latency: Duration::ZERO,
            capacity: 10,
            processes: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            verify_hash: true,
            session_idle: SESSION_IDLE,
            token_life: TOKEN_LIFE,
            failure: Rules::default(),
            score: 1.0,
            region: None,
            labels: BTreeMap::new(),
            payments: None,
        }
    }
}

fn milliseconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u32::deserialize(deserializer).map(|ms| Duration::from_millis(u64::from(ms)))
}

fn seconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u32::deserialize(deserializer).map(|s| Duration::from_secs(u64::from(s)))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::failure::{Kind, Rule};

    /// The example in a module's documentation.
    pub(crate) fn documented(source: &str) -> String {
        let lines = source
            .lines()
            .filter_map(|line| line.strip_prefix("//!"))
            .skip_while(|line| *line != " ```toml")
            .skip(1)
            .take_while(|line| *line != " ```");
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_whole_format_is_read() {
        let profile = Profile::from_toml(&documented(include_str!("profile.rs")))
            .expect("the documented profile");
        let fast = &profile.orchestrators[0];
        assert_eq!(fast.name, "fast");
        assert_eq!(fast.price, Some(Price::per_pixel(1200)));
        assert_eq!(fast.latency, Duration::from_millis(40));
        assert_eq!(
            fast.failure,
            Rules::from(Rule::always(Kind::HangAfterHeaders))
        );
        assert_eq!(fast.labels["tier"], "gold");
        assert_eq!(profile.control.port(), 7935);
    }

    #[test]
    fn what_is_left_out_is_as_a_real_one() {
        let profile = Profile::from_toml("[[orchestrator]]\n[[orchestrator]]").expect("valid");
        let [one, two] = &profile.orchestrators[..] else {
            panic!("two orchestrators")
        };
        assert_eq!((one.name.as_str(), one.capacity), ("orchestrator-1", 10));
        assert_eq!((two.name.as_str(), two.price), ("orchestrator-2", None));
        assert!(two.tls && two.verify_hash && two.mode == Mode::Transcode);
    }

    #[test]
    fn mistakes_name_their_key() {
        for (text, names) in [
            ("", "[[orchestrator]]"),
            ("[[orchestrator]]\nlatncy-ms = 1", "latncy-ms"),
            ("[[orchestrator]]\nlatency-ms = -1", "latency-ms"),
            ("[[orchestrator]]\nprice = \"1/0\"", "price"),
            ("[[orchestrator]]\nfailure = \"boom\"", "boom"),
            ("[[orchestrator]]\nprocesses = 0", "processes"),
            ("[[orchestrator]]\nmode = \"fast\"", "mode"),
            ("[[orchestrator]]\nname = \"a/b\"", "a/b"),
            (
                "[[orchestrator]]\nname = \"orchestrator-2\"\n[[orchestrator]]",
                "orchestrator 2",
            ),
            ("[[orchestrator]]\nscore = nan", "score"),
            ("host = \"0.0.0.0\"\n[[orchestrator]]", "host"),
            ("control = \"10.0.0.1:1\"\n[[orchestrator]]", "control"),
            ("sead = 1\n[[orchestrator]]", "sead"),
        ] {
            let error = Profile::from_toml(text).expect_err(text).to_string();
            assert!(error.contains(names), "{text}: {error}");
        }
    }
}

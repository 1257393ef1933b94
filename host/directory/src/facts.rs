//! What an orchestrator says of itself, judged.
//!
//! An answer to GetOrchestrator is a stranger's word. What cannot be used is kept with its reason, for the operator to
//! read; nothing in it is an error of ours. The facts remember the answer they came from, less its secrets, so that
//! they can be saved and judged again.

use std::sync::Arc;

use pointsman_facts::Price;
use pointsman_wire::amount::{U256, from_bytes};
use pointsman_wire::net::{
    AuthToken, Capabilities, GpuComputeInfo, HardwareInformation, OrchestratorInfo, PriceInfo,
    TicketParams, os_info,
};
use pointsman_wire::sign::Address;
use pointsman_wire::uri::ServiceUri;
use prost::Message;

use crate::admission::Claim;

/// Largest answer kept, in bytes, less secrets and all hardware but the largest card. Real ones are under 10 kB; with thousands of orchestrators
/// known, the 4 MiB that gRPC allows are too much to give to each.
const MAX_BYTES: usize = 64 * 1024;

/// Longest text of a stranger repeated in a reason, in characters.
const MAX_SHOWN: usize = 200;

/// Owners of one URI that a reason names.
const MAX_OWNERS: usize = 3;

/// What one orchestrator says of itself.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Where segments go. It may differ from the address that was asked; both are used, each for its own.
    pub transcoder: Option<ServiceUri>,
    /// Its price for transcoding, wei per pixel.
    pub price: Option<Price>,
    /// Why there is no price though it sent one.
    pub price_fault: Option<&'static str>,
    /// The key that signs its results; zeros off-chain.
    pub address: [u8; 20],
    /// The account it wants to be paid to.
    pub recipient: Option<Address>,
    /// What its tickets are.
    pub ticket: Option<Ticket>,
    /// What it can do.
    pub capabilities: Option<Capabilities>,
    /// Its software version as `major * 1000000 + minor * 1000 + patch`.
    pub version: Option<u64>,
    /// Memory of its largest graphics card, bytes.
    pub gpu_memory: Option<u64>,
    /// Why no job of any kind can go there.
    pub unusable: Option<Unusable>,
    encoded: Arc<[u8]>,
}

/// What a ticket by an orchestrator's terms is, as floats: nothing is paid by them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ticket {
    /// What a winner pays, wei.
    pub face_value: f64,
    /// From 0 to 1.
    pub win_prob: f64,
}

/// Why no job can go to an orchestrator that answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It only names others.
    #[error("takes no work: its answer names no transcoder")]
    NoTranscoder,
    /// The address it names is none.
    #[error("names a transcoder that cannot be reached: {0}")]
    Transcoder(String),
    /// It wants segments in S3 or Google storage of its own.
    #[error("wants uploads to its own storage")]
    Storage,
    /// Without a token no session can be opened.
    #[error("sent no auth token")]
    NoToken,
    /// It asks to be paid to somebody else than the registry says.
    #[error("{}", another(*.found, .owners))]
    Recipient {
        /// The account it names, if any.
        found: Option<Address>,
        /// Who has registered it.
        owners: Vec<Address>,
    },
    /// Its work could be read on the way.
    #[error("wants work in cleartext, though it is registered with https")]
    Cleartext,
    /// The operator bars its account.
    #[error("its account {0} is on the blocklist")]
    Blocked(Address),
    /// What it asks to be paid by is refused.
    #[error("cannot be paid: {0}")]
    Unpayable(String),
    /// Nobody needs so much to say what he can do.
    #[error("answers with {bytes} bytes, more than the {MAX_BYTES} that are kept")]
    TooLong {
        /// Length of the answer.
        bytes: usize,
    },
}

// === impl Facts ===

impl Facts {
    /// Judges an answer. `before` are the facts known so far: an answer to a question with capabilities leaves the list
    /// of prices and the hardware out, and then what is known of them stays.
    #[must_use]
    pub fn of(info: &OrchestratorInfo, before: Option<&Self>) -> Self {
        let mut kept = without_secrets(info);
        if let Some(before) = before
            && kept.capabilities_prices.is_empty()
        {
            let known = before.kept();
            kept.capabilities_prices = known.capabilities_prices;
            if kept.hardware.is_empty() {
                kept.hardware = known.hardware;
            }
        }
        let bytes = kept.encoded_len();
        if bytes > MAX_BYTES {
            kept = OrchestratorInfo::default();
        }
        let mut facts = Self::judged(&kept);
        if bytes > MAX_BYTES {
            facts.unusable = Some(Unusable::TooLong { bytes });
        }
        facts
    }

    /// The same, unusable because it cannot be paid; another reason to be so stays.
    #[must_use]
    pub(crate) fn unpayable(mut self, why: Option<String>) -> Self {
        let why = why.map(|why| Unusable::Unpayable(why.chars().take(MAX_SHOWN).collect()));
        self.unusable = self.unusable.or(why);
        self
    }

    /// The accounts that it names.
    pub(crate) fn claim(&self) -> Claim {
        Claim {
            signer: self.address.into(),
            recipient: self.recipient,
            cleartext: self.transcoder.as_ref().is_some_and(|uri| !uri.is_tls()),
        }
    }

    /// The facts that [`Facts::encoded`] came from, unless the bytes are foreign.
    pub(crate) fn decode(encoded: &[u8]) -> Option<Self> {
        let kept = OrchestratorInfo::decode(encoded).ok()?;
        (encoded.len() <= MAX_BYTES).then(|| Self::judged(&kept))
    }

    /// The answer, less what is secret or not used.
    pub(crate) fn encoded(&self) -> &Arc<[u8]> {
        &self.encoded
    }

    /// Its prices by capability and model, as it sent them.
    #[must_use]
    pub fn prices(&self) -> Vec<PriceInfo> {
        self.kept().capabilities_prices
    }

    /// The answer, less what is secret or not used.
    pub(crate) fn kept(&self) -> OrchestratorInfo {
        OrchestratorInfo::decode(&*self.encoded).unwrap_or_default()
    }

    fn judged(info: &OrchestratorInfo) -> Self {
        let (price, price_fault) = price(info.price_info.as_ref());
        let transcoder = transcoder(&info.transcoder);
        let unusable = match &transcoder {
            Err(reason) => Some(reason.clone()),
            Ok(_) if wants_uploads(info) => Some(Unusable::Storage),
            Ok(_) if info.auth_token.is_none() => Some(Unusable::NoToken),
            Ok(_) => None,
        };
        Self {
            transcoder: transcoder.ok(),
            price,
            price_fault,
            address: info.address.as_slice().try_into().unwrap_or_default(),
            recipient: Claim::of(info).recipient,
            ticket: info.ticket_params.as_ref().and_then(ticket),
            version: info.capabilities.as_ref().and_then(version),
            gpu_memory: cards(&info.hardware).map(memory).max().flatten(),
            capabilities: info.capabilities.clone(),
            unusable,
            encoded: info.encode_to_vec().into(),
        }
    }
}

impl PartialEq for Facts {
    /// Equal answers make equal facts; maps are ordered, so equal answers encode alike.
    fn eq(&self, other: &Self) -> bool {
        self.encoded == other.encoded && self.unusable == other.unusable
    }
}

/// Whether the answer is small enough to be kept whole.
pub(crate) fn is_modest(info: &OrchestratorInfo) -> bool {
    info.encoded_len() <= MAX_BYTES
}

fn without_secrets(info: &OrchestratorInfo) -> OrchestratorInfo {
    let storage = info.storage.iter().take(1).map(|storage| {
        let mut storage = storage.clone();
        storage.s3info = None;
        storage
    });
    OrchestratorInfo {
        transcoder: info.transcoder.clone(),
        price_info: info.price_info.clone(),
        address: info.address.clone(),
        capabilities: info.capabilities.clone(),
        auth_token: info.auth_token.as_ref().map(|_| AuthToken::default()),
        storage: storage.collect(),
        capabilities_prices: info.capabilities_prices.clone(),
        hardware: largest_card(&info.hardware).into_iter().collect(),
        // What is new with every answer stays out.
        ticket_params: info.ticket_params.as_ref().map(|params| TicketParams {
            recipient: params.recipient.clone(),
            face_value: params.face_value.clone(),
            win_prob: params.win_prob.clone(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn cards(hardware: &[HardwareInformation]) -> impl Iterator<Item = &GpuComputeInfo> {
    hardware.iter().flat_map(|of| of.gpu_info.values())
}

/// Bytes; nothing and less than nothing is what is not known.
fn memory(card: &GpuComputeInfo) -> Option<u64> {
    u64::try_from(card.memory_total)
        .ok()
        .filter(|&bytes| bytes > 0)
}

/// A list with nothing but the memory of the largest card: whole ones name every card once for each model.
fn largest_card(hardware: &[HardwareInformation]) -> Option<HardwareInformation> {
    let bytes = cards(hardware).filter_map(memory).max()?;
    let card = GpuComputeInfo {
        memory_total: bytes.try_into().unwrap_or(i64::MAX),
        ..Default::default()
    };
    Some(HardwareInformation {
        gpu_info: [(String::new(), card)].into(),
        ..Default::default()
    })
}

fn transcoder(text: &str) -> Result<ServiceUri, Unusable> {
    if text.is_empty() {
        return Err(Unusable::NoTranscoder);
    }
    ServiceUri::from_webhook(text).map_err(|error| {
        let shown = error.to_string().chars().take(MAX_SHOWN).collect();
        Unusable::Transcoder(shown)
    })
}

fn ticket(params: &TicketParams) -> Option<Ticket> {
    let number = |bytes: &[u8]| from_bytes(bytes).ok().map(f64::from);
    Some(Ticket {
        face_value: number(&params.face_value)?,
        win_prob: number(&params.win_prob)? / f64::from(U256::MAX),
    })
}

fn another(found: Option<Address>, owners: &[Address]) -> String {
    let owners: Vec<String> = owners
        .iter()
        .take(MAX_OWNERS)
        .map(ToString::to_string)
        .collect();
    let owners = owners.join(" or ");
    match found {
        Some(found) => format!("asks to be paid to {found}, but the registry has it from {owners}"),
        None => format!("names nobody to be paid, though the registry has it from {owners}"),
    }
}

/// Only the first storage counts, as in go-livepeer.
fn wants_uploads(info: &OrchestratorInfo) -> bool {
    info.storage.first().is_some_and(|storage| {
        matches!(
            storage.storage_type(),
            os_info::StorageType::S3 | os_info::StorageType::Google
        )
    })
}

fn price(info: Option<&PriceInfo>) -> (Option<Price>, Option<&'static str>) {
    let Some(info) = info else {
        return (None, None);
    };
    let fraction = (
        u64::try_from(info.price_per_unit),
        u64::try_from(info.pixels_per_unit),
    );
    match fraction {
        (Ok(_), Ok(0)) => (None, Some("pixels per unit is 0")),
        (Ok(num), Ok(den)) => (Price::new(num, den), None),
        _ => (None, Some("its price is negative")),
    }
}

fn version(capabilities: &Capabilities) -> Option<u64> {
    version_count(&capabilities.version)
}

/// A semantic version as one number; see the column `version`.
pub(crate) fn version_count(text: &str) -> Option<u64> {
    let version = semver::Version::parse(text.trim().trim_start_matches('v')).ok()?;
    Some(
        version
            .major
            .saturating_mul(1_000_000)
            .saturating_add(version.minor.saturating_mul(1000))
            .saturating_add(version.patch),
    )
}

#[cfg(test)]
mod tests {
    use pointsman_wire::net::OsInfo;

    use super::*;

    fn info() -> OrchestratorInfo {
        OrchestratorInfo {
            transcoder: "https://Work.example:8935/".into(),
            price_info: Some(PriceInfo {
                price_per_unit: 7,
                pixels_per_unit: 2,
                ..Default::default()
            }),
            capabilities: Some(Capabilities {
                version: "0.9.1-dirty".into(),
                ..Default::default()
            }),
            auth_token: Some(AuthToken {
                token: b"secret".to_vec(),
                session_id: "deadbeef".into(),
                expiration: 1,
            }),
            ..Default::default()
        }
    }

    fn storage(kind: os_info::StorageType) -> OsInfo {
        OsInfo {
            storage_type: kind.into(),
            ..Default::default()
        }
    }

    #[test]
    fn a_plain_answer_is_usable() {
        let facts = Facts::of(&info(), None);
        assert_eq!(facts.unusable, None);
        let transcoder = facts.transcoder.as_ref().expect("an address");
        assert_eq!(transcoder.as_str(), "https://work.example:8935");
        assert_eq!(facts.price, Price::new(7, 2));
        assert_eq!((facts.version, facts.address), (Some(9001), [0; 20]));
    }

    #[test]
    fn whoever_wants_uploads_names_no_address_or_gives_no_token_is_unusable() {
        let mut s3 = info();
        s3.storage = vec![storage(os_info::StorageType::S3)];
        assert_eq!(Facts::of(&s3, None).unusable, Some(Unusable::Storage));
        s3.storage.insert(0, storage(os_info::StorageType::Direct));
        assert_eq!(Facts::of(&s3, None).unusable, None, "the first counts");

        let mut silent = info();
        silent.transcoder.clear();
        assert_eq!(
            Facts::of(&silent, None).unusable,
            Some(Unusable::NoTranscoder)
        );
        silent.transcoder = format!("ftp://{}", "x".repeat(900));
        let unusable = Facts::of(&silent, None).unusable.expect("no service URI");
        assert!(unusable.to_string().len() < 300, "{unusable}");

        let mut closed = info();
        closed.auth_token = None;
        assert_eq!(Facts::of(&closed, None).unusable, Some(Unusable::NoToken));
    }

    #[test]
    fn a_price_that_is_none_is_unknown_and_says_why() {
        for (num, den, fault) in [
            (1, 0, "pixels per unit is 0"),
            (-1, 1, "its price is negative"),
            (1, -1, "its price is negative"),
        ] {
            let mut odd = info();
            odd.price_info = Some(PriceInfo {
                price_per_unit: num,
                pixels_per_unit: den,
                ..Default::default()
            });
            let facts = Facts::of(&odd, None);
            assert_eq!((facts.price, facts.price_fault), (None, Some(fault)));
            assert_eq!(facts.unusable, None, "a price is the policy's concern");
        }
    }

    #[test]
    fn what_is_kept_holds_no_secret_and_judges_the_same() {
        let mut rich = info();
        rich.storage = vec![OsInfo {
            s3info: Some(pointsman_wire::net::S3osInfo {
                policy: "secret".into(),
                ..Default::default()
            }),
            ..storage(os_info::StorageType::S3)
        }];
        let facts = Facts::of(&rich, None);
        let kept = facts.encoded();
        assert!(!kept.windows(6).any(|bytes| bytes == b"secret"));
        assert_eq!(Facts::decode(kept), Some(facts));
        assert_eq!(Facts::decode(&[0xFF; 9]), None);
    }

    #[test]
    fn an_answer_without_a_price_list_keeps_the_known_one() {
        let mut listed = info();
        listed.capabilities_prices = vec![PriceInfo::default()];
        let before = Facts::of(&listed, None);
        assert_eq!(Facts::of(&info(), Some(&before)).prices().len(), 1);
    }

    #[test]
    fn of_its_hardware_the_largest_cards_memory_is_kept() {
        let cards = |bytes: &[i64]| HardwareInformation {
            pipeline: "live-video-to-video".into(),
            gpu_info: bytes
                .iter()
                .map(|&bytes| {
                    let card = GpuComputeInfo {
                        name: "x".repeat(MAX_BYTES),
                        memory_total: bytes,
                        ..Default::default()
                    };
                    (bytes.to_string(), card)
                })
                .collect(),
            ..Default::default()
        };
        let mut listed = info();
        listed.hardware = vec![cards(&[8, -1]), cards(&[24, 0])];
        let facts = Facts::of(&listed, None);
        assert_eq!(facts.gpu_memory, Some(24));
        assert_eq!(facts.unusable, None, "their names are not kept");
        assert_eq!(Facts::decode(facts.encoded()), Some(facts.clone()));
        let later = Facts::of(&info(), Some(&facts));
        assert_eq!(later.gpu_memory, Some(24), "a job's answer lists none");
        let mut without = info();
        without.capabilities_prices = vec![PriceInfo::default()];
        assert_eq!(Facts::of(&without, Some(&facts)).gpu_memory, None);
        listed.hardware = vec![cards(&[-1, 0])];
        assert_eq!(Facts::of(&listed, None).gpu_memory, None);
    }

    #[test]
    fn an_endless_answer_is_not_kept() {
        let mut endless = info();
        endless.capabilities_prices = vec![PriceInfo::default(); MAX_BYTES];
        let facts = Facts::of(&endless, None);
        assert!(matches!(facts.unusable, Some(Unusable::TooLong { .. })));
        assert!(facts.encoded().is_empty() && !is_modest(&endless));
    }
}

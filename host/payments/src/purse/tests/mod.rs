mod paying;
mod recorded;
mod refusing;

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use num_traits::Zero as _;
use pointsman_wire::net::{AuthToken, PriceInfo, TranscodeResult};
use pointsman_wire::payment::Received;
use pointsman_wire::profile::presets;
use pointsman_wire::rejection::Rejection;
use pointsman_wire::sign::{B256, PrivateKeySigner};
use pointsman_wire::ticket::{Expiration, win_prob};
use prost::Message as _;
use tempfile::TempDir;

use super::*;
use crate::fee;
use crate::ledger::{Amount, Cap, Caps, Options};
use crate::signer::Key as Keystore;
use crate::verdict::Verdict;

const VALUE: u64 = 8_000_000_000;
const L1_BLOCK: u64 = 1000;
/// Of the default offer's token, in unix seconds.
const EXPIRES: i64 = 10_000;

struct Fixture {
    purse: Purse,
    ledger: Ledger,
    _folder: TempDir,
}

fn standing() -> Standing {
    Standing {
        l1_block: L1_BLOCK,
        round: Expiration {
            round: 12,
            block_hash: B256::repeat_byte(5),
        },
        funds: Some(Funds {
            deposit: U256::from(10_u64.pow(18)),
            reserve: U256::from(10_u64.pow(18)),
            withdraw_round: 0,
        }),
    }
}

fn fixture_of(key: PrivateKeySigner, caps: Caps) -> Fixture {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options {
        caps,
        ..Options::default()
    };
    let ledger = Ledger::open(folder.path().join("ledger.db"), options).expect("a ledger");
    let signer = Arc::new(Keystore::new(key));
    let purse = Purse::new(signer, ledger.clone(), Limits::default()).expect("a purse");
    purse.observe(standing());
    Fixture {
        purse,
        ledger,
        _folder: folder,
    }
}

fn fixture() -> Fixture {
    let key = PrivateKeySigner::from_bytes(&B256::repeat_byte(1)).expect("a key");
    fixture_of(key, Caps::default())
}

fn params() -> Params {
    let face_value = U256::from(2 * VALUE);
    Params {
        recipient: Address::repeat_byte(2),
        face_value,
        win_prob: win_prob(U256::from(VALUE), face_value),
        recipient_rand_hash: B256::repeat_byte(3),
        seed: U256::from(4),
        expiration_block: L1_BLOCK + 40,
        expiration: None,
    }
}

/// One wei a unit.
fn info(params: &Params) -> OrchestratorInfo {
    OrchestratorInfo {
        ticket_params: Some(params.message()),
        price_info: Some(PriceInfo {
            price_per_unit: 1000,
            pixels_per_unit: 1000,
            ..PriceInfo::default()
        }),
        auth_token: Some(AuthToken {
            token: vec![6; 32],
            session_id: "cafe0001".to_owned(),
            expiration: EXPIRES,
        }),
        ..OrchestratorInfo::default()
    }
}

fn wei(wei: u64) -> Ratio {
    Ratio::from_integer(wei.into())
}

fn charge<'a>(offer: &'a Offer, fee: &'a Fee) -> Charge<'a> {
    Charge {
        offer,
        balance: offer.session(),
        recipient: None,
        fee,
        first_price: None,
        ceiling: None,
        job: "job",
        key: Some("key"),
        workload: "transcode",
    }
}

impl Fixture {
    fn offer(&self, params: &Params) -> Offer {
        self.purse.offer(&info(params)).expect("an offer")
    }

    fn fee(&self, units: u64) -> Fee {
        Fee::of(units, self.offer(&params()).price())
    }

    async fn pay(&self, units: u64) -> Result<Paid, PayError> {
        let (offer, fee) = (self.offer(&params()), self.fee(units));
        self.purse.pay(&charge(&offer, &fee)).await
    }

    /// What the error says, when nothing may have changed.
    async fn refused(&self, params: &Params, units: u64) -> PayError {
        let (offer, fee) = (self.offer(params), self.fee(units));
        let error = self.purse.pay(&charge(&offer, &fee)).await;
        let error = error.expect_err("not payable");
        self.ledger.flush().await.expect("a disk");
        assert!(self.ledger.totals().all_time.open.is_zero());
        assert!(self.credit().is_zero());
        error
    }

    fn credit(&self) -> Ratio {
        self.purse.credit(params().recipient, "cafe0001")
    }

    async fn spent(&self) -> (Amount, Amount, Amount) {
        self.ledger.flush().await.expect("a disk");
        let sum = self.ledger.totals().all_time;
        assert!(sum.open.is_zero(), "all were settled");
        (sum.accepted, sum.refused, sum.lost)
    }
}

/// Nonces of the tickets in a header, each of which is checked as an orchestrator checks it.
fn nonces(header: &str) -> Vec<u32> {
    let message = payment::decode(header).expect("a payment");
    let received = Received::read(&message).expect("a payment");
    let checked = received.tickets().map(|(ticket, signature)| {
        assert_eq!(ticket.verify(signature), Ok(()));
        ticket.sender_nonce
    });
    checked.collect()
}

//! Tickets signed per second on one core, beside the bare signatures in them.
//!
//! `cargo bench -p pointsman-payments --bench tickets`. A ticket is hashed, signed by RFC 6979, brought into the protocol's form and put
//! into a payment's header; the bare cost is k256's signature of a digest that is there already, by the same key. Rounds of the
//! two alternate, since machines change their speed, and the thread's processor time is measured, since machines have other
//! things to do: compare the ratio between runs.

use std::hint::black_box;
use std::time::Duration;

use alloy::primitives::{Address, B256, U256, keccak256};
use alloy::signers::k256::ecdsa::SigningKey;
use pointsman_payments::signer::{Batch, Key, Signer as _};
use pointsman_wire::net::PriceInfo;
use pointsman_wire::payment;
use pointsman_wire::sign::PrivateKeySigner;
use pointsman_wire::ticket::{Expiration, Params, win_prob};
use rustix::time::{ClockId, clock_gettime};

const ROUNDS: usize = 40;
/// Processor time of one side in a round.
const ROUND: Duration = Duration::from_millis(50);
/// Tickets of a payment.
const SIZES: [u32; 3] = [1, 10, 100];

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime");
    let secret = B256::repeat_byte(1);
    let key = Key::new(PrivateKeySigner::from_bytes(&secret).expect("a key"));
    let bare = SigningKey::from_bytes(&secret.0.into()).expect("a key");
    println!("tickets a payment | tickets/s one core | bare signatures/s | bare / ticket cost");
    for tickets in SIZES {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let paid = rate(tickets, || runtime.block_on(pay(&key, tickets)));
            let signed = rate(1, || sign(&bare, round));
            // The first round warms up.
            if round > 0 {
                ours.push(paid);
                theirs.push(signed);
            }
        }
        let (ours, theirs) = (median(&mut ours), median(&mut theirs));
        println!(
            "{tickets:>17} | {ours:>18.0} | {theirs:>17.0} | {:>18.3}",
            ours / theirs
        );
    }
}

async fn pay(key: &Key, count: u32) {
    let face_value = U256::from(16_000_000_000_u64);
    let batch = Batch {
        params: Params {
            recipient: Address::repeat_byte(2),
            face_value,
            win_prob: win_prob(U256::from(8_000_000_000_u64), face_value),
            recipient_rand_hash: B256::repeat_byte(3),
            seed: U256::MAX,
            expiration_block: 20_000_000,
            expiration: None,
        },
        expiration: Expiration {
            round: 3456,
            block_hash: B256::repeat_byte(4),
        },
        first_nonce: 1,
        count,
    };
    let signed = key.sign_tickets(&batch).await.expect("signatures");
    let price = PriceInfo {
        price_per_unit: 1200,
        pixels_per_unit: 1,
        ..PriceInfo::default()
    };
    let params = batch.params.message();
    let message = payment::with_tickets(key.address(), &params, batch.expiration, signed, &price);
    black_box(payment::encode(Some(&message)));
}

fn sign(key: &SigningKey, round: usize) {
    let digest = keccak256(round.to_be_bytes());
    let signature = key.sign_prehash_recoverable(digest.as_slice());
    black_box(signature.expect("a signature"));
}

/// What is done per second, `each` at a call.
fn rate(each: u32, mut call: impl FnMut()) -> f64 {
    let start = worked();
    let mut done = 0;
    while worked() - start < ROUND {
        call();
        done += each;
    }
    f64::from(done) / (worked() - start).as_secs_f64()
}

/// Processor time of this thread so far.
fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("not below 0")
}

fn median(rates: &mut [f64]) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

//! What a payment waits for the ledger, beside one raw sync of the same disk in the same run.
//!
//! `cargo bench -p pointsman-payments --bench ledger`. "sync" appends 4 KiB to a file and syncs it, which is the least that being on disk
//! costs. "covered" is how payments of a running session leave: written, not waited for. "waiting" is with `cover` 0: each
//! waits for its sync. The rounds of the three alternate, since disks change their speed.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use alloy::primitives::{Address, B256, U256};
use pointsman_payments::Ratio;
use pointsman_payments::ledger::{Draft, End, Ledger, Options};

const ROUNDS: u64 = 10;
/// Syncs or payments, one after the other, in a round.
const EACH: u64 = 100;
/// Payments at the same time, where many are.
const TASKS: u64 = 64;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    // The disk that the build is on: /tmp may be memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let open = |name: &str, cover: u64| {
        let options = Options {
            cover: U256::from(cover),
            ..Options::default()
        };
        Ledger::open(folder.path().join(name), options).expect("a ledger")
    };
    let (covered, waiting) = (open("covered", 1_000_000_000), open("waiting", 0));
    pay(&covered, "session", 0).await;

    let (mut sync, mut ahead, mut behind) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        sync.extend(raw(folder.path()));
        for (ledger, times) in [(&covered, &mut ahead), (&waiting, &mut behind)] {
            for count in 0..EACH {
                times.push(timed(ledger, 1 + round * EACH + count).await);
            }
            // What it syncs behind its payments is not to help the next.
            ledger.flush().await.expect("flushed");
        }
    }
    let base = median(&mut sync);
    println!(
        "one after the other, {} each     median        p99   x sync",
        ROUNDS * EACH
    );
    for (name, times) in [
        ("sync", &mut sync),
        ("covered", &mut ahead),
        ("waiting", &mut behind),
    ] {
        let (middle, high) = (median(times), times[times.len() * 99 / 100]);
        let ratio = middle.as_secs_f64() / base.as_secs_f64();
        println!(
            "{name:<28} {:>10} {:>10} {ratio:>8.2}",
            micros(middle),
            micros(high)
        );
    }

    println!("{TASKS} at a time                  a second   x syncs");
    for (name, ledger) in [("covered", &covered), ("waiting", &waiting)] {
        let rate = many(ledger).await;
        println!("{name:<28} {rate:>10.0} {:>9.1}", rate * base.as_secs_f64());
    }
    covered.close().await.expect("closed");
    waiting.close().await.expect("closed");
}

fn raw(folder: &Path) -> Vec<Duration> {
    let mut file = File::create(folder.join("raw")).expect("a file");
    let once = |_| {
        let start = Instant::now();
        file.write_all(&[7; 4096]).expect("written");
        file.sync_data().expect("synced");
        start.elapsed()
    };
    (0..EACH).map(once).collect()
}

async fn timed(ledger: &Ledger, hash: u64) -> Duration {
    let start = Instant::now();
    let issued = ledger.draft(draft("session", hash)).await.expect("issued");
    let elapsed = start.elapsed();
    ledger.settle(issued.attempt, End::Accepted);
    elapsed
}

async fn pay(ledger: &Ledger, session: &str, hash: u64) {
    let issued = ledger.draft(draft(session, hash)).await.expect("issued");
    ledger.settle(issued.attempt, End::Accepted);
}

/// Payments a second from many sessions.
async fn many(ledger: &Ledger) -> f64 {
    let start = Instant::now();
    let tasks = (0..TASKS).map(|task| {
        let ledger = ledger.clone();
        tokio::spawn(async move {
            let session = task.to_string();
            for count in 0..EACH {
                pay(&ledger, &session, 1 << 32 | task << 16 | count).await;
            }
        })
    });
    for task in futures::future::join_all(tasks).await {
        task.expect("a task");
    }
    ledger.flush().await.expect("flushed");
    (TASKS * EACH) as f64 / start.elapsed().as_secs_f64()
}

/// One ticket with parameters of its own, as orchestrators send them with every answer.
fn draft(session: &str, hash: u64) -> Draft {
    Draft {
        recipient: Address::repeat_byte(1),
        sender: Address::repeat_byte(2),
        rand_hash: B256::from(U256::from(hash)),
        tickets: 1,
        expected_value: Ratio::from_integer(1_000_000.into()),
        face_value: U256::from(1_000_000_000),
        session: session.to_owned(),
        job: session.to_owned(),
        key: None,
        workload: "transcode",
        units: 1,
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn micros(time: Duration) -> String {
    format!("{:.0} µs", time.as_secs_f64() * 1e6)
}

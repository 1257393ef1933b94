//! Scores of a public leaderboard.
//!
//! # Contract
//!
//! The document is that of go-livepeer's `-orchPerfStatsUrl`: accounts, in each regions, in each a `score` from 0 to 1.
//! It is asked for in the background. One region's scores are taken; a new document replaces the last one whole, and an entry
//! that makes no sense costs itself. Through any error the last scores stay, and the service is asked again after one
//! second, then two, four, … up to the interval.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use pointsman_wire::sign::Address;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use url::Url;

use super::MAX_KNOWN;
use super::page::{Page, PageError};
use crate::backoff::Backoff;

/// A leaderboard, and how it is asked.
#[derive(Clone, Debug)]
pub struct Leaderboard {
    /// Its URL; certificates are verified.
    pub url: Url,
    /// Whose scores are taken, as the document spells it.
    pub region: String,
    /// Pause between two good answers.
    pub interval: Duration,
    /// Longest wait for one answer, body included.
    pub timeout: Duration,
}

/// Scores by account, 0 to 1.
pub(crate) type Scores = HashMap<Address, f64>;

/// Why there are no scores.
#[derive(Debug, thiserror::Error)]
enum ScoresError {
    #[error(transparent)]
    Page(#[from] PageError),
    #[error("its answer is no JSON object of orchestrators: {0}")]
    Json(#[from] serde_json::Error),
}

/// What an account has in one region; other fields are ignored.
#[derive(Deserialize)]
struct Stats {
    score: f64,
}

/// Asks until `cancel`. `heard` gets every new set of scores.
pub(crate) async fn run(
    mut page: Page,
    board: Leaderboard,
    mut rng: fastrand::Rng,
    cancel: CancellationToken,
    heard: impl Fn(Scores),
) {
    let mut backoff = Backoff::new(board.interval);
    loop {
        let region = board.region.as_str();
        let asked = page.fetch(|body| Ok::<_, ScoresError>(read(body, region)?));
        let Some(answer) = cancel.run_until_cancelled(asked).await else {
            return;
        };
        let result = if answer.is_ok() { "ok" } else { "error" };
        metrics::counter!("pointsman_directory_scores_total", "result" => result).increment(1);
        let pause = match answer {
            Ok(new) => {
                if let Some((scores, skipped)) = new {
                    info!(
                        url = page.shown(),
                        region,
                        scores = scores.len(),
                        skipped,
                        "new performance scores"
                    );
                    heard(scores);
                }
                backoff.reset();
                board.interval
            }
            Err(error) => {
                let url = page.shown();
                warn!(url, "no performance scores, the last ones stay: {error}");
                backoff.next(&mut rng)
            }
        };
        if cancel.run_until_cancelled(sleep(pause)).await.is_none() {
            return;
        }
    }
}

/// The scores of `region`, and how many entries made no sense.
fn read(body: &[u8], region: &str) -> Result<(Scores, usize), serde_json::Error> {
    let document: BTreeMap<String, Value> = serde_json::from_slice(body)?;
    let (mut scores, mut skipped) = (Scores::new(), 0);
    for (account, regions) in document {
        let Ok(account) = account.parse::<Address>() else {
            skipped += 1;
            continue;
        };
        let Some(stats) = regions.get(region) else {
            continue;
        };
        match Stats::deserialize(stats) {
            Ok(Stats { score }) if (0.0..=1.0).contains(&score) && scores.len() < MAX_KNOWN => {
                scores.insert(account, score);
            }
            _ => skipped += 1,
        }
    }
    Ok((scores, skipped))
}

// === impl Leaderboard ===

impl Leaderboard {
    /// The leaderboard at `url`, asked every 10 minutes, for 10 s at most.
    #[must_use]
    pub fn new(url: Url, region: String) -> Self {
        Self {
            url,
            region,
            interval: Duration::from_secs(10 * 60),
            timeout: Duration::from_secs(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DOCUMENT: &[u8] = br#"{
        "0x1111111111111111111111111111111111111111": {"MDW": {"success_rate": 1, "round_trip_score": 0.83, "score": 0.83}, "FRA": {"score": 0.5}},
        "0x2222222222222222222222222222222222222222": {"FRA": {"score": 1}},
        "0x3333333333333333333333333333333333333333": {"MDW": {"score": 1.5}},
        "0x4444444444444444444444444444444444444444": {"MDW": {"score": "1"}},
        "0x5555555555555555555555555555555555555555": [],
        "somebody": {"MDW": {"score": 1}}
    }"#;

    #[test]
    fn one_regions_scores_are_taken_and_a_bad_entry_costs_itself() {
        let (scores, skipped) = read(DOCUMENT, "MDW").expect("a document");
        assert_eq!(scores, Scores::from([(Address::repeat_byte(0x11), 0.83)]));
        assert_eq!(skipped, 3);
        assert_eq!(read(DOCUMENT, "mdw").expect("a document").0, Scores::new());
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for body in [&b""[..], b"[]", b"null", b"<html>", b"{\"a\":"] {
            assert!(read(body, "MDW").is_err(), "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&body, "MDW");
        }
    }
}

//! Looking after it, while the gateway runs.

use std::time::Duration;

use pointsman_chain::State;
use pointsman_payments::show::Wei;
use tokio_util::sync::CancellationToken;

use super::{TopUps, Topped, lack};
use crate::wallet::{Own, Wallet};

/// After the first failure.
const FIRST: Duration = Duration::from_secs(60);
/// After many.
const LAST: Duration = Duration::from_secs(3600);

/// How long it waits after a failure.
#[derive(Debug)]
struct Patience(Duration);

/// What was said last: each is said once, until something else happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    Capped,
}

/// Fills up whenever something lacks, until `stop`. Ends at once where nothing is to be filled up.
pub async fn keep(wallet: Wallet, stop: CancellationToken) {
    let Ok(own) = wallet.own() else { return };
    let Some(top_ups) = &own.top_ups else { return };
    let looking = look(&wallet, own, top_ups);
    // A transaction that is under way is a task of its own.
    stop.run_until_cancelled(looking).await;
}

async fn look(wallet: &Wallet, own: &Own, top_ups: &TopUps) {
    let mut changes = own.chain.changes();
    let (mut patience, mut said) = (Patience(FIRST), Said::Nothing);
    loop {
        let known = changes.borrow_and_update().clone();
        let lacks = known.is_some_and(|state| lacks(top_ups, &state));
        // The chain's own word is taken for a reason to look, and for no more.
        if lacks && !own.chain.status().restored {
            match wallet.top_up().await {
                Ok(topped) => {
                    tell(top_ups, topped, &mut said);
                    patience = Patience(FIRST);
                }
                Err(error) => {
                    let pause = patience.failed();
                    metrics::counter!("pointsman_wallet_top_ups_total", "result" => "failed")
                        .increment(1);
                    tracing::error!(%error, again_in = ?pause, "deposit and reserve are low and cannot be topped up");
                    tokio::time::sleep(pause).await;
                }
            }
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

// === impl Patience ===

impl Patience {
    /// For how long, this time; twice as long the next.
    fn failed(&mut self) -> Duration {
        let now = self.0;
        self.0 = (now * 2).min(LAST);
        now
    }
}

/// By what is followed of the chain: whether it is worth a question.
fn lacks(top_ups: &TopUps, state: &State) -> bool {
    state.sender.is_some_and(|sender| {
        let (deposit, reserve) = lack(&top_ups.wanted, &sender);
        sender.withdraw_round.is_zero() && !(deposit.is_zero() && reserve.is_zero())
    })
}

fn tell(top_ups: &TopUps, topped: Topped, said: &mut Said) {
    let count = |result: &'static str| {
        metrics::counter!("pointsman_wallet_top_ups_total", "result" => result).increment(1);
    };
    match topped {
        Topped::Nothing => {}
        Topped::Capped if *said == Said::Capped => {}
        Topped::Capped => {
            *said = Said::Capped;
            count("capped");
            tracing::error!(
                per_day = %Wei(top_ups.wanted.per_day),
                "deposit and reserve are low, and the day's cap of top-ups is used up: raise --auto-top-up-per-day, or fund by hand"
            );
        }
        Topped::Up {
            deposit,
            reserve,
            done,
        } => {
            *said = Said::Nothing;
            count("ok");
            tracing::info!(
                deposit = %Wei(deposit), reserve = %Wei(reserve), fee = %Wei(done.fee), hash = %done.hash,
                standing = %top_ups.standing(), "deposit and reserve were topped up"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_come_ever_less_often_and_never_less_than_hourly() {
        let mut patience = Patience(FIRST);
        let minutes: Vec<u64> = (0..9).map(|_| patience.failed().as_secs() / 60).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }
}

//! What was spent lately, as policies are told it: every second, since a job that asked the ledger itself would wait for its lock.

use std::time::Duration;

use pointsman_dispatch::Spending;
use pointsman_facts::job::Spent;
use pointsman_payments::ledger::{Lately, Ledger};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Money;

const EVERY: Duration = Duration::from_secs(1);

// === impl Money ===

impl Money {
    /// Tells `spending` at once. What is returned goes on telling until `stop`.
    pub fn report(
        &self,
        spending: &Spending,
        stop: CancellationToken,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (ledger, spending) = (self.ledger.clone(), spending.clone());
        spending.tell(spent(&ledger));
        async move {
            stop.run_until_cancelled(tell(ledger, spending)).await;
        }
    }
}

async fn tell(ledger: Ledger, spending: Spending) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        spending.tell(spent(&ledger));
    }
}

fn spent(ledger: &Ledger) -> Spent {
    let Lately { hour, day } = ledger.lately();
    Spent {
        hour: f64::from(hour.floor()),
        day: f64::from(day.floor()),
    }
}

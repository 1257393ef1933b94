//! Money as the admin API and the metrics show it. Amounts are texts in wei: JSON numbers lose digits.

use std::collections::BTreeMap;

use pointsman_chain::Chain;
use pointsman_payments::ledger::{Sum, Totals, Unconfirmed};
use pointsman_payments::standing::Standing;
use serde_json::{Value, json};

use super::Money;
use super::signer::Watched;

// === impl Money ===

impl Money {
    /// All there is to say.
    #[must_use]
    pub fn summary(&self) -> Value {
        let standing = *self.told.lock();
        let funds = standing.funds;
        json!({
            "network": self.chain.as_ref().map(|chain| &chain.network().name),
            "address": Some(self.address()).filter(|address| !address.is_zero()).map(|address| address.to_checksum(None)),
            "signer": self.signer.as_ref().map(Watched::summary),
            "chain": self.chain.as_ref().map(|chain| followed(chain, &standing)),
            "price_feed": self.chain.as_ref().and_then(feed),
            "deposit": funds.map(|funds| funds.deposit.to_string()),
            "reserve": funds.map(|funds| funds.reserve.to_string()),
            "withdraw_round": funds.map(|funds| funds.withdraw_round).filter(|&round| round != 0),
            "cannot_pay": self.trouble(),
            "spend": totals(&self.ledger.totals()),
        })
    }

    /// Brings the gauges up to date.
    pub fn gauge(&self) {
        let totals = self.ledger.totals();
        let wei = |text: String| text.parse::<f64>().unwrap_or(f64::NAN);
        let gauge = |name: &'static str, text: String| metrics::gauge!(name).set(wei(text));
        gauge(
            "pointsman_payments_spend_wei",
            totals.all_time.spend().to_string(),
        );
        gauge(
            "pointsman_payments_spend_today_wei",
            totals.today.spend().to_string(),
        );
        let unconfirmed = u32::try_from(totals.unconfirmed.len()).unwrap_or(u32::MAX);
        metrics::gauge!("pointsman_payments_unconfirmed").set(unconfirmed);
        let standing = *self.told.lock();
        if let Some(funds) = standing.funds {
            gauge("pointsman_payments_deposit_wei", funds.deposit.to_string());
            gauge("pointsman_payments_reserve_wei", funds.reserve.to_string());
        }
        if let Some(signer) = &self.signer {
            let answers = signer.remote().trouble().is_none();
            metrics::gauge!("pointsman_signer_up").set(u8::from(answers));
        }
        let able = self.trouble().is_none();
        metrics::gauge!("pointsman_payments_able").set(u8::from(able));
    }
}

// === impl Watched ===

impl Watched {
    fn summary(&self) -> Value {
        json!({
            "url": self.origin(),
            "signs_segments": self.remote().signs_segments(),
            "error": self.remote().trouble().map(|error| error.to_string()),
        })
    }
}

/// `None` where there is no feed.
fn feed(chain: &Chain) -> Option<Value> {
    chain.network().price_feed?;
    let quote = chain.quote();
    Some(json!({
        "currency": quote.as_ref().map(|quote| &quote.currency),
        "wei": quote.as_ref().map(|quote| (quote.wei / quote.per).to_string()),
        "updated": quote.as_ref().map(|quote| quote.updated),
        "error": chain.status().feed_error.map(|error| error.to_string()),
    }))
}

fn followed(chain: &Chain, standing: &Standing) -> Value {
    let status = chain.status();
    let endpoint = |one: &pointsman_chain::rpc::EndpointStatus| {
        json!({
            "url": one.label,
            "requests": one.requests,
            "failures": one.failures,
            "fault": one.fault.as_ref().map(ToString::to_string),
        })
    };
    // No chain has a block or round 0 to pay in: nothing is known.
    let known = |number: u64| Some(number).filter(|&number| number != 0);
    json!({
        "id": chain.state().map(|state| state.chain_id),
        "l1_block": known(standing.l1_block),
        "round": known(standing.round.round),
        "heard_ms_ago": status.heard.map(|heard| heard.as_millis()),
        "restored": status.restored,
        "error": status.error,
        "endpoints": status.endpoints.iter().map(endpoint).collect::<Vec<_>>(),
    })
}

fn totals(totals: &Totals) -> Value {
    let recipients: BTreeMap<_, _> = totals
        .recipients
        .iter()
        .map(|(address, of)| (address.to_checksum(None), sum(of)))
        .collect();
    json!({
        "today": sum(&totals.today),
        "all_time": sum(&totals.all_time),
        "recipients": recipients,
        "unconfirmed": totals.unconfirmed.iter().map(unconfirmed).collect::<Vec<_>>(),
    })
}

fn sum(sum: &Sum) -> Value {
    json!({
        "wei": sum.spend().to_string(),
        "accepted": sum.accepted.to_string(),
        "refused": sum.refused.to_string(),
        "lost": sum.lost.to_string(),
        "open": sum.open.to_string(),
        "unconfirmed": sum.unconfirmed.to_string(),
        "payments": sum.payments,
        "tickets": sum.tickets,
        "units": sum.units,
    })
}

fn unconfirmed(one: &Unconfirmed) -> Value {
    json!({
        "attempt": one.attempt.to_string(),
        "at_ms": one.at_ms,
        "recipient": one.recipient.to_checksum(None),
        "session": one.session,
        "job": one.job,
        "tickets": one.tickets,
        "wei": one.value.to_string(),
    })
}

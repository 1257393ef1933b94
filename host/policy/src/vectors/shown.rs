//! Answers as the JSON of the vectors' format.

use serde_json::{Value, json};

use super::Answer;
use crate::wit::{
    Bargain, Exclusion, Patience, Price, Recovery, Refusal, Remedy, Routing, Verdict,
};

/// The one NaN of the format.
const NAN: u64 = 0x7ff8_0000_0000_0000;

// === impl Answer ===

impl Answer {
    /// The answer as a vector has it. Two answers are the same when this is.
    #[must_use]
    pub fn shown(&self) -> Value {
        match self {
            Self::Judge(answer) => verdict(answer),
            Self::OnFailure(answer) => remedy(answer),
            Self::OnSlow(answer) => match *answer {
                Patience::Abstain => json!("abstain"),
                Patience::Wait(ms) => json!({ "wait": ms }),
                Patience::Hedge(row) => json!({ "hedge": row }),
                Patience::Abandon => json!("abandon"),
            },
            Self::OnPriceChange(answer) => match answer {
                Bargain::Abstain => json!("abstain"),
                Bargain::Accept => json!("accept"),
                Bargain::Renegotiate => json!("renegotiate"),
                Bargain::Next(row) => json!({ "next": row }),
                Bargain::Stop(stop) => json!({ "stop": refusal(stop) }),
            },
            Self::Route(answer) => routing(answer),
        }
    }
}

fn routing(routing: &Routing) -> Value {
    let price = |price: Price| json!({ "num": price.num, "den": price.den });
    match routing {
        Routing::Abstain => json!("abstain"),
        Routing::Change(change) => json!({ "change": {
            "capability": change.capability,
            "only": change.only,
            "ignore": change.ignore,
            "max-price": change.max_price.map(price),
            "timeout-ms": change.timeout_ms,
            "labels": change.labels,
        } }),
        Routing::Reject(rejected) => json!({ "reject": refusal(rejected) }),
    }
}

fn verdict(verdict: &Verdict) -> Value {
    match verdict {
        Verdict::Abstain => json!("abstain"),
        Verdict::Exclude(excluded) => json!({ "exclude": exclusions(excluded) }),
        Verdict::Score(scoring) => {
            let scores: Vec<_> = scoring.scores.iter().map(|score| bits(*score)).collect();
            json!({ "score": { "excluded": exclusions(&scoring.excluded), "scores": scores } })
        }
        Verdict::Order(ranking) => {
            json!({ "order": { "excluded": exclusions(&ranking.excluded), "order": ranking.order } })
        }
        Verdict::Hedge(ms) => json!({ "hedge": ms }),
        Verdict::Reject(rejected) => json!({ "reject": refusal(rejected) }),
    }
}

fn remedy(remedy: &Remedy) -> Value {
    let recovery = match &remedy.recovery {
        Recovery::Abstain => json!("abstain"),
        Recovery::RetrySame(ms) => json!({ "retry-same": ms }),
        Recovery::Next(row) => json!({ "next": row }),
        Recovery::Rerank => json!("rerank"),
        Recovery::Stop(stop) => json!({ "stop": refusal(stop) }),
    };
    json!({ "rest-ms": remedy.rest_ms, "recovery": recovery })
}

fn exclusions(excluded: &[Exclusion]) -> Value {
    let one =
        |one: &Exclusion| json!({ "row": one.row, "reason": one.reason, "value": bits(one.value) });
    excluded.iter().map(one).collect()
}

fn refusal(refusal: &Refusal) -> Value {
    json!({ "status": refusal.status, "reason": refusal.reason, "message": refusal.message })
}

fn bits(value: f64) -> String {
    let bits = if value.is_nan() { NAN } else { value.to_bits() };
    format!("{bits:016x}")
}

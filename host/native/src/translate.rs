//! The contract's types from one generator's to the other's: questions to the sdk's, answers to the host's.

use pointsman_policy::bundle::{Setting, Value};
use pointsman_policy::wit;
use pointsman_sdk as sdk;
use sdk::bindings::about::exports::pointsman::policy::policy::Plan;
use sdk::failover as rescue;

// === questions ===

pub(crate) fn setting(setting: &Setting) -> sdk::Setting {
    let value = match &setting.value {
        Value::Bool(value) => sdk::Value::Bool(*value),
        Value::Integer(value) => sdk::Value::Integer(*value),
        Value::Number(value) => sdk::Value::Number(*value),
        Value::Text(text, symbol) => sdk::Value::Text((text.clone(), symbol.0)),
        Value::Texts(texts) => {
            let texts = texts.iter().map(|(text, symbol)| (text.clone(), symbol.0));
            sdk::Value::Texts(texts.collect())
        }
        Value::Numbers(values) => sdk::Value::Numbers(values.clone()),
    };
    sdk::Setting {
        key: setting.key.clone(),
        value,
    }
}

pub(crate) fn job(job: &wit::Job<'_>) -> sdk::Job {
    let fact = |fact: &wit::Fact| match *fact {
        wit::Fact::Unknown => sdk::Fact::Unknown,
        wit::Fact::Number(value) => sdk::Fact::Number(value),
        wit::Fact::Count(value) => sdk::Fact::Count(value),
        wit::Fact::Mark(value) => sdk::Fact::Mark(value),
        wit::Fact::Symbol(value) => sdk::Fact::Symbol(value),
    };
    sdk::Job {
        now_ms: job.now_ms,
        seed: job.seed,
        workload: job.workload,
        capability: job.capability,
        model: job.model,
        affinity: job.affinity,
        deadline_ms: job.deadline_ms,
        units: job.units,
        facts: job.facts.iter().map(fact).collect(),
    }
}

pub(crate) fn table(table: &wit::Table<'_>) -> sdk::Table {
    let column = |column: &wit::Column<'_>| match *column {
        wit::Column::Numbers(values) => sdk::Column::Numbers(values.to_vec()),
        wit::Column::Counts(values) => sdk::Column::Counts(values.to_vec()),
        wit::Column::Marks(values) => sdk::Column::Marks(values.to_vec()),
        wit::Column::Symbols(values) => sdk::Column::Symbols(values.to_vec()),
    };
    sdk::Table {
        rows: table.rows,
        columns: table.columns.iter().map(column).collect(),
    }
}

pub(crate) fn attempts(attempts: &[wit::Attempt]) -> Vec<rescue::Attempt> {
    let attempt = |attempt: &wit::Attempt| rescue::Attempt {
        candidate: attempt.candidate,
        row: attempt.row,
        started_ms: attempt.started_ms,
        elapsed_ms: attempt.elapsed_ms,
        running: attempt.running,
        failure: attempt.failure.map(failure),
    };
    attempts.iter().map(attempt).collect()
}

fn failure(failure: wit::Failure) -> rescue::Failure {
    let blame = match failure.blame {
        wit::Blame::Orchestrator => rescue::Blame::Orchestrator,
        wit::Blame::Input => rescue::Blame::Input,
        wit::Blame::Gateway => rescue::Blame::Gateway,
        wit::Blame::Payment => rescue::Blame::Payment,
        wit::Blame::Network => rescue::Blame::Network,
    };
    rescue::Failure {
        blame,
        kind: failure.kind,
        retry_safe: failure.retry_safe,
        http_status: failure.http_status,
        retry_after_ms: failure.retry_after_ms,
    }
}

pub(crate) fn price(price: wit::Price) -> sdk::Price {
    sdk::Price {
        num: price.num,
        den: price.den,
    }
}

pub(crate) fn request(request: &wit::Request<'_>) -> sdk::byoc::Request {
    let label = |&(key, value): &(&str, &str)| (key.to_owned(), value.to_owned());
    sdk::byoc::Request {
        capability: request.capability.to_owned(),
        path: request.path.to_owned(),
        parameters: request.parameters.to_owned(),
        labels: request.labels.iter().map(label).collect(),
    }
}

// === answers ===

pub(crate) fn problem(problem: sdk::Problem) -> wit::Problem {
    wit::Problem {
        key: problem.key,
        message: problem.message,
    }
}

pub(crate) fn plan(plan: Plan) -> wit::Plan {
    let causes = plan.causes.into_iter().map(|cause| wit::Cause {
        text: cause.text,
        column: cause.column,
    });
    wit::Plan {
        causes: causes.collect(),
        columns: plan.columns,
        facts: plan.facts,
    }
}

pub(crate) fn verdict(verdict: sdk::Verdict) -> wit::Verdict {
    match verdict {
        sdk::Verdict::Abstain => wit::Verdict::Abstain,
        sdk::Verdict::Exclude(excluded) => wit::Verdict::Exclude(exclusions(excluded)),
        sdk::Verdict::Score(scoring) => wit::Verdict::Score(wit::Scoring {
            excluded: exclusions(scoring.excluded),
            scores: scoring.scores,
        }),
        sdk::Verdict::Order(ranking) => wit::Verdict::Order(wit::Ranking {
            excluded: exclusions(ranking.excluded),
            order: ranking.order,
        }),
        sdk::Verdict::Hedge(ms) => wit::Verdict::Hedge(ms),
        sdk::Verdict::Reject(refused) => wit::Verdict::Reject(refusal(refused)),
    }
}

pub(crate) fn routing(routing: sdk::byoc::Routing) -> wit::Routing {
    let price = |price: sdk::Price| wit::Price {
        num: price.num,
        den: price.den,
    };
    match routing {
        sdk::byoc::Routing::Abstain => wit::Routing::Abstain,
        sdk::byoc::Routing::Change(change) => wit::Routing::Change(wit::Change {
            capability: change.capability,
            only: change.only,
            ignore: change.ignore,
            max_price: change.max_price.map(price),
            timeout_ms: change.timeout_ms,
            labels: change.labels,
        }),
        sdk::byoc::Routing::Reject(refused) => wit::Routing::Reject(refusal(refused)),
    }
}

pub(crate) fn remedy(remedy: rescue::Remedy) -> wit::Remedy {
    wit::Remedy {
        rest_ms: remedy.rest_ms,
        recovery: match remedy.recovery {
            rescue::Recovery::Abstain => wit::Recovery::Abstain,
            rescue::Recovery::RetrySame(ms) => wit::Recovery::RetrySame(ms),
            rescue::Recovery::Next(row) => wit::Recovery::Next(row),
            rescue::Recovery::Rerank => wit::Recovery::Rerank,
            rescue::Recovery::Stop(refused) => wit::Recovery::Stop(refusal(refused)),
        },
    }
}

pub(crate) fn patience(patience: rescue::Patience) -> wit::Patience {
    match patience {
        rescue::Patience::Abstain => wit::Patience::Abstain,
        rescue::Patience::Wait(ms) => wit::Patience::Wait(ms),
        rescue::Patience::Hedge(row) => wit::Patience::Hedge(row),
        rescue::Patience::Abandon => wit::Patience::Abandon,
    }
}

pub(crate) fn bargain(bargain: rescue::Bargain) -> wit::Bargain {
    match bargain {
        rescue::Bargain::Abstain => wit::Bargain::Abstain,
        rescue::Bargain::Accept => wit::Bargain::Accept,
        rescue::Bargain::Renegotiate => wit::Bargain::Renegotiate,
        rescue::Bargain::Next(row) => wit::Bargain::Next(row),
        rescue::Bargain::Stop(refused) => wit::Bargain::Stop(refusal(refused)),
    }
}

fn exclusions(excluded: Vec<sdk::Exclusion>) -> Vec<wit::Exclusion> {
    let exclusion = |exclusion: sdk::Exclusion| wit::Exclusion {
        row: exclusion.row,
        reason: exclusion.reason,
        value: exclusion.value,
    };
    excluded.into_iter().map(exclusion).collect()
}

fn refusal(refusal: sdk::Refusal) -> wit::Refusal {
    wit::Refusal {
        status: refusal.status,
        reason: refusal.reason,
        message: refusal.message,
    }
}

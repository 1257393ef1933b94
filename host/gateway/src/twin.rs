//! The native twin: the default policies linked into this program, in the host's words.
//!
//! Host and sdk have the contract's types from the same WIT, each by its own generator; this module is where one becomes the other,
//! field by field. Columns are copied on the way, as they are for a component.

use pointsman_default_bundle as default_bundle;
use pointsman_policy::bundle::{Setting, Value};
use pointsman_policy::{Hook, NativeBundle, NativeStage, wit};
use pointsman_sdk as sdk;
use sdk::failover as rescue;

/// The default bundle's policies, natively.
#[derive(Clone, Copy, Debug)]
pub struct Twin;

/// One of them, configured.
struct Stage(Box<dyn sdk::native::Stage>);

// === impl Twin ===

impl NativeBundle for Twin {
    fn stage(
        &self,
        component: &str,
        hook: Hook,
        settings: &[Setting],
    ) -> Option<Result<Box<dyn NativeStage>, Vec<wit::Problem>>> {
        let settings = settings.iter().map(setting).collect();
        let configured = default_bundle::stage(component, hook.name(), settings)?;
        Some(match configured {
            Ok(stage) => Ok(Box::new(Stage(stage))),
            Err(problems) => Err(problems.into_iter().map(problem).collect()),
        })
    }
}

// === impl Stage ===

impl NativeStage for Stage {
    fn plan(&self) -> wit::Plan {
        let plan = self.0.plan();
        wit::Plan {
            columns: plan.columns,
            facts: plan.facts,
            causes: plan
                .causes
                .into_iter()
                .map(|cause| wit::Cause {
                    text: cause.text,
                    column: cause.column,
                })
                .collect(),
        }
    }

    fn judge(&self, asked: &wit::Job<'_>, candidates: &wit::Table<'_>) -> wit::Verdict {
        match self.0.judge(&job(asked), table(candidates)) {
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

    fn on_failure(
        &self,
        asked: &wit::Job<'_>,
        attempts: &[wit::Attempt],
        remaining: &wit::Table<'_>,
    ) -> wit::Remedy {
        let remedy = self
            .0
            .on_failure(&job(asked), &tried(attempts), table(remaining));
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

    fn on_slow(
        &self,
        asked: &wit::Job<'_>,
        attempts: &[wit::Attempt],
        remaining: &wit::Table<'_>,
    ) -> wit::Patience {
        match self
            .0
            .on_slow(&job(asked), &tried(attempts), table(remaining))
        {
            rescue::Patience::Abstain => wit::Patience::Abstain,
            rescue::Patience::Wait(ms) => wit::Patience::Wait(ms),
            rescue::Patience::Hedge(row) => wit::Patience::Hedge(row),
            rescue::Patience::Abandon => wit::Patience::Abandon,
        }
    }

    fn on_price_change(
        &self,
        asked: &wit::Job<'_>,
        before: wit::Price,
        after: wit::Price,
        remaining: &wit::Table<'_>,
    ) -> wit::Bargain {
        match self
            .0
            .on_price_change(&job(asked), price(before), price(after), table(remaining))
        {
            rescue::Bargain::Abstain => wit::Bargain::Abstain,
            rescue::Bargain::Accept => wit::Bargain::Accept,
            rescue::Bargain::Renegotiate => wit::Bargain::Renegotiate,
            rescue::Bargain::Next(row) => wit::Bargain::Next(row),
            rescue::Bargain::Stop(refused) => wit::Bargain::Stop(refusal(refused)),
        }
    }
}

fn setting(setting: &Setting) -> sdk::Setting {
    let text = |(text, symbol): &(String, pointsman_facts::Symbol)| (text.clone(), symbol.0);
    sdk::Setting {
        key: setting.key.clone(),
        value: match &setting.value {
            Value::Bool(value) => sdk::Value::Bool(*value),
            Value::Integer(value) => sdk::Value::Integer(*value),
            Value::Number(value) => sdk::Value::Number(*value),
            Value::Text(value, symbol) => sdk::Value::Text((value.clone(), symbol.0)),
            Value::Texts(values) => sdk::Value::Texts(values.iter().map(text).collect()),
            Value::Numbers(values) => sdk::Value::Numbers(values.clone()),
        },
    }
}

fn problem(problem: sdk::Problem) -> wit::Problem {
    wit::Problem {
        key: problem.key,
        message: problem.message,
    }
}

fn job(job: &wit::Job<'_>) -> sdk::Job {
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

fn fact(fact: &wit::Fact) -> sdk::Fact {
    match *fact {
        wit::Fact::Unknown => sdk::Fact::Unknown,
        wit::Fact::Number(value) => sdk::Fact::Number(value),
        wit::Fact::Count(value) => sdk::Fact::Count(value),
        wit::Fact::Mark(value) => sdk::Fact::Mark(value),
        wit::Fact::Symbol(value) => sdk::Fact::Symbol(value),
    }
}

fn table(table: &wit::Table<'_>) -> sdk::Table {
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

fn price(price: wit::Price) -> sdk::Price {
    sdk::Price {
        num: price.num,
        den: price.den,
    }
}

fn tried(attempts: &[wit::Attempt]) -> Vec<rescue::Attempt> {
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
    rescue::Failure {
        blame: match failure.blame {
            wit::Blame::Orchestrator => rescue::Blame::Orchestrator,
            wit::Blame::Input => rescue::Blame::Input,
            wit::Blame::Gateway => rescue::Blame::Gateway,
            wit::Blame::Payment => rescue::Blame::Payment,
            wit::Blame::Network => rescue::Blame::Network,
        },
        kind: failure.kind,
        retry_safe: failure.retry_safe,
        http_status: failure.http_status,
        retry_after_ms: failure.retry_after_ms,
    }
}

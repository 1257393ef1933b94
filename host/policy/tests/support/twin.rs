//! The embedded bundle and its native twins, put together as the gateway does it.

use pointsman_default_bundle as embedded;
use pointsman_policy::bundle::{MAX_COMPONENT, Setting, Value};
use pointsman_policy::wit::{
    Attempt, Bargain, Blame, Cause, Column, Exclusion, Fact, Job, Patience, Plan, Price, Problem,
    Ranking, Recovery, Refusal, Remedy, Scoring, Table, Verdict,
};
use pointsman_policy::{Bundle, Hook, NativeBundle, NativeStage};
use pointsman_sdk::{failover as theirs, native::Stage};

/// The embedded bundle.
pub(crate) fn default_bundle() -> Bundle {
    let files = embedded::bundle().iter();
    let files = files.map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()));
    Bundle::from_files(files, MAX_COMPONENT).expect("the embedded bundle is whole")
}

/// The native twins of the embedded bundle.
pub(crate) struct Twins;

struct Twin(Box<dyn Stage>);

impl NativeBundle for Twins {
    fn stage(
        &self,
        component: &str,
        hook: Hook,
        settings: &[Setting],
    ) -> Option<Result<Box<dyn NativeStage>, Vec<Problem>>> {
        let settings = settings.iter().map(setting).collect();
        let stage = embedded::stage(component, hook.name(), settings)?;
        Some(match stage {
            Ok(stage) => Ok(Box::new(Twin(stage))),
            Err(problems) => Err(problems.into_iter().map(problem).collect()),
        })
    }
}

impl NativeStage for Twin {
    fn plan(&self) -> Plan {
        let plan = self.0.plan();
        Plan {
            columns: plan.columns,
            facts: plan.facts,
            causes: plan
                .causes
                .into_iter()
                .map(|cause| Cause {
                    text: cause.text,
                    column: cause.column,
                })
                .collect(),
        }
    }

    fn judge(&self, asked: &Job<'_>, candidates: &Table<'_>) -> Verdict {
        use pointsman_sdk::Verdict as Theirs;
        match self.0.judge(&job(asked), table(candidates)) {
            Theirs::Abstain => Verdict::Abstain,
            Theirs::Exclude(rows) => Verdict::Exclude(excluded(rows)),
            Theirs::Score(scoring) => Verdict::Score(Scoring {
                excluded: excluded(scoring.excluded),
                scores: scoring.scores,
            }),
            Theirs::Order(ranking) => Verdict::Order(Ranking {
                excluded: excluded(ranking.excluded),
                order: ranking.order,
            }),
            Theirs::Hedge(ms) => Verdict::Hedge(ms),
            Theirs::Reject(refused) => Verdict::Reject(refusal(refused)),
        }
    }

    fn on_failure(&self, asked: &Job<'_>, tried: &[Attempt], remaining: &Table<'_>) -> Remedy {
        let remedy = self
            .0
            .on_failure(&job(asked), &attempts(tried), table(remaining));
        Remedy {
            rest_ms: remedy.rest_ms,
            recovery: match remedy.recovery {
                theirs::Recovery::Abstain => Recovery::Abstain,
                theirs::Recovery::RetrySame(ms) => Recovery::RetrySame(ms),
                theirs::Recovery::Next(row) => Recovery::Next(row),
                theirs::Recovery::Rerank => Recovery::Rerank,
                theirs::Recovery::Stop(refused) => Recovery::Stop(refusal(refused)),
            },
        }
    }

    fn on_slow(&self, asked: &Job<'_>, tried: &[Attempt], remaining: &Table<'_>) -> Patience {
        match self
            .0
            .on_slow(&job(asked), &attempts(tried), table(remaining))
        {
            theirs::Patience::Abstain => Patience::Abstain,
            theirs::Patience::Wait(ms) => Patience::Wait(ms),
            theirs::Patience::Hedge(row) => Patience::Hedge(row),
            theirs::Patience::Abandon => Patience::Abandon,
        }
    }

    fn on_price_change(
        &self,
        asked: &Job<'_>,
        before: Price,
        after: Price,
        remaining: &Table<'_>,
    ) -> Bargain {
        let price = |price: Price| pointsman_sdk::Price {
            num: price.num,
            den: price.den,
        };
        let remaining = table(remaining);
        match self
            .0
            .on_price_change(&job(asked), price(before), price(after), remaining)
        {
            theirs::Bargain::Abstain => Bargain::Abstain,
            theirs::Bargain::Accept => Bargain::Accept,
            theirs::Bargain::Renegotiate => Bargain::Renegotiate,
            theirs::Bargain::Next(row) => Bargain::Next(row),
            theirs::Bargain::Stop(refused) => Bargain::Stop(refusal(refused)),
        }
    }
}

fn setting(setting: &Setting) -> pointsman_sdk::Setting {
    use pointsman_sdk::Value as Theirs;
    let value = match &setting.value {
        Value::Bool(value) => Theirs::Bool(*value),
        Value::Integer(value) => Theirs::Integer(*value),
        Value::Number(value) => Theirs::Number(*value),
        Value::Text(text, symbol) => Theirs::Text((text.clone(), symbol.0)),
        Value::Texts(texts) => {
            let texts = texts.iter().map(|(text, symbol)| (text.clone(), symbol.0));
            Theirs::Texts(texts.collect())
        }
        Value::Numbers(values) => Theirs::Numbers(values.clone()),
    };
    pointsman_sdk::Setting {
        key: setting.key.clone(),
        value,
    }
}

fn problem(problem: pointsman_sdk::Problem) -> Problem {
    Problem {
        key: problem.key,
        message: problem.message,
    }
}

fn job(job: &Job<'_>) -> pointsman_sdk::Job {
    use pointsman_sdk::Fact as Theirs;
    let facts = job.facts.iter().map(|fact| match *fact {
        Fact::Unknown => Theirs::Unknown,
        Fact::Number(value) => Theirs::Number(value),
        Fact::Count(value) => Theirs::Count(value),
        Fact::Mark(value) => Theirs::Mark(value),
        Fact::Symbol(symbol) => Theirs::Symbol(symbol),
    });
    pointsman_sdk::Job {
        now_ms: job.now_ms,
        seed: job.seed,
        workload: job.workload,
        capability: job.capability,
        model: job.model,
        affinity: job.affinity,
        deadline_ms: job.deadline_ms,
        units: job.units,
        facts: facts.collect(),
    }
}

fn table(table: &Table<'_>) -> pointsman_sdk::Table {
    use pointsman_sdk::Column as Theirs;
    let columns = table.columns.iter().map(|column| match *column {
        Column::Numbers(values) => Theirs::Numbers(values.to_vec()),
        Column::Counts(values) => Theirs::Counts(values.to_vec()),
        Column::Marks(values) => Theirs::Marks(values.to_vec()),
        Column::Symbols(values) => Theirs::Symbols(values.to_vec()),
    });
    pointsman_sdk::Table {
        rows: table.rows,
        columns: columns.collect(),
    }
}

fn excluded(rows: Vec<pointsman_sdk::Exclusion>) -> Vec<Exclusion> {
    rows.into_iter()
        .map(|exclusion| Exclusion {
            row: exclusion.row,
            reason: exclusion.reason,
            value: exclusion.value,
        })
        .collect()
}

fn refusal(refusal: pointsman_sdk::Refusal) -> Refusal {
    Refusal {
        status: refusal.status,
        reason: refusal.reason,
        message: refusal.message,
    }
}

fn attempts(attempts: &[Attempt]) -> Vec<theirs::Attempt> {
    attempts
        .iter()
        .map(|attempt| theirs::Attempt {
            candidate: attempt.candidate,
            row: attempt.row,
            started_ms: attempt.started_ms,
            elapsed_ms: attempt.elapsed_ms,
            running: attempt.running,
            failure: attempt.failure.as_ref().map(|failure| theirs::Failure {
                blame: match failure.blame {
                    Blame::Orchestrator => theirs::Blame::Orchestrator,
                    Blame::Input => theirs::Blame::Input,
                    Blame::Gateway => theirs::Blame::Gateway,
                    Blame::Payment => theirs::Blame::Payment,
                    Blame::Network => theirs::Blame::Network,
                },
                kind: failure.kind,
                retry_safe: failure.retry_safe,
                http_status: failure.http_status,
                retry_after_ms: failure.retry_after_ms,
            }),
        })
        .collect()
}

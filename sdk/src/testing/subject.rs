//! A policy that is asked by tests.

use super::json::Json;
use super::vectors::{self, Vector};
use super::{Job, Table, shown};
use crate::byoc::{Request, Routing};
use crate::component::{About, Configured, describe};
use crate::failover::{Attempt, Bargain, Patience, Remedy};
use crate::{Byoc, Exclusion, Failover, Policy, Price, Refusal, Selection, Setting, Verdict};

/// A configured policy that can be asked.
#[derive(Debug)]
pub struct Subject<P> {
    configured: Configured<P>,
    policy: String,
    hook: &'static str,
    settings: Vec<Setting>,
    job: Job,
}

/// A verdict in a form that tests can compare.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// As the host gets it.
    pub verdict: Verdict,
    /// The rows that are left, best first: by order or score, else as they came. Empty after a refusal.
    pub order: Vec<u32>,
    /// The rows excluded, each with the text of its cause.
    pub excluded: Vec<(u32, String)>,
}

// === impl Subject ===

impl<P: Policy + About> Subject<P> {
    pub(super) fn new(hook: &'static str, settings: Vec<Setting>) -> Self {
        match Configured::new(settings.clone()) {
            Ok(configured) => Self {
                configured,
                policy: describe::<P>().name,
                hook,
                settings,
                job: Job::new(),
            },
            Err(problems) => panic!("{}", shown(problems).join("; ")),
        }
    }
}

impl<P: Policy> Subject<P> {
    /// Asks about this job from now on.
    #[must_use]
    pub fn job(mut self, job: Job) -> Self {
        self.job = job;
        self
    }

    /// The names of the columns it asks for.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        self.configured
            .plan()
            .columns
            .iter()
            .map(|(name, _)| name.as_str())
            .collect()
    }

    /// Writes down that `question` got `answer`, if somebody wants to know.
    fn record(&self, function: &'static str, question: Option<String>, answer: &dyn Json) {
        let Some(question) = question else { return };
        vectors::write(&Vector {
            policy: &self.policy,
            hook: self.hook,
            function,
            settings: &self.settings,
            plan: &self.configured.plan().to_wit(),
            question: &question,
            answer,
        });
    }

    /// A refusal as the host would take it.
    fn check(&self, refusal: &Refusal) {
        assert!(
            (400..=599).contains(&refusal.status),
            "a refusal with status {}",
            refusal.status
        );
        let causes = self.configured.plan().causes.len();
        assert!(
            usize::from(refusal.reason) < causes,
            "a refusal for a cause that is not in the plan"
        );
    }

    fn cause(&self, excluded: &Exclusion) -> (u32, String) {
        let cause = &self.configured.plan().causes[excluded.reason as usize];
        (excluded.row, cause.text.clone())
    }
}

impl<P: Selection> Subject<P> {
    /// Asks the selection hook.
    ///
    /// # Panics
    ///
    /// When the verdict is one that the host would refuse: a bad row, a cause that was not declared, a score outside [0, 1].
    #[track_caller]
    pub fn judge(&self, table: &Table) -> Outcome {
        let plan = self.configured.plan();
        let rows = table.len();
        let (job, candidates) = (self.job.laid_out(plan), table.laid_out(plan));
        let question = vectors::question(&[("job", &job), ("candidates", &candidates)]);
        let verdict = self.configured.judge(&job, candidates);
        let excluded: &[Exclusion] = match &verdict {
            Verdict::Exclude(excluded) => excluded,
            Verdict::Score(scoring) => &scoring.excluded,
            Verdict::Order(ranking) => &ranking.excluded,
            Verdict::Abstain | Verdict::Hedge(_) | Verdict::Reject(_) => &[],
        };
        assert!(
            excluded.iter().all(|excluded| excluded.row < rows),
            "an excluded row is none of {rows}"
        );
        if let Verdict::Reject(refusal) = &verdict {
            self.check(refusal);
        }
        let mut order: Vec<u32> = match &verdict {
            Verdict::Order(ranking) => ranking.order.clone(),
            Verdict::Reject(_) => Vec::new(),
            _ => (0..rows).collect(),
        };
        order.retain(|row| excluded.iter().all(|excluded| excluded.row != *row));
        if let Verdict::Score(scoring) = &verdict {
            assert!(
                scoring.scores.len() == rows as usize,
                "{} scores for {rows} rows",
                scoring.scores.len()
            );
            let score = |row: &u32| scoring.scores[*row as usize];
            assert!(
                order.iter().all(|row| (0.0..=1.0).contains(&score(row))),
                "a score outside [0, 1]"
            );
            order.sort_by(|a, b| score(b).total_cmp(&score(a)));
        }
        let mut seen = vec![false; rows as usize];
        for &row in &order {
            assert!(
                !core::mem::replace(&mut seen[row as usize], true),
                "row {row} is there twice"
            );
        }
        let excluded = excluded
            .iter()
            .map(|excluded| self.cause(excluded))
            .collect();
        self.record("judge", question, &verdict);
        Outcome {
            order,
            excluded,
            verdict,
        }
    }
}

impl<P: Byoc> Subject<P> {
    /// Asks the byoc hook.
    ///
    /// # Panics
    ///
    /// When the policy refuses with a cause that was not declared, or a status outside 400 to 599.
    #[track_caller]
    pub fn route(&self, request: &Request) -> Routing {
        let plan = self.configured.plan();
        let job = self.job.laid_out(plan);
        let question = vectors::question(&[("job", &job), ("request", request)]);
        let routing = self.configured.route(&job, request);
        if let Routing::Reject(refusal) = &routing {
            self.check(refusal);
        }
        self.record("route", question, &routing);
        routing
    }
}

impl<P: Failover> Subject<P> {
    /// Asks the failover hook after a failure.
    #[track_caller]
    pub fn on_failure(&self, attempts: &[Attempt], remaining: &Table) -> Remedy {
        self.rescue(
            "on-failure",
            attempts,
            remaining,
            |policy, job, remaining| policy.on_failure(job, attempts, remaining),
        )
    }

    /// Asks the failover hook about a slow attempt.
    #[track_caller]
    pub fn on_slow(&self, attempts: &[Attempt], remaining: &Table) -> Patience {
        self.rescue("on-slow", attempts, remaining, |policy, job, remaining| {
            policy.on_slow(job, attempts, remaining)
        })
    }

    /// Asks the failover hook about a price that changed.
    #[track_caller]
    pub fn on_price_change(&self, before: Price, after: Price, remaining: &Table) -> Bargain {
        let plan = self.configured.plan();
        let (job, remaining) = (self.job.laid_out(plan), remaining.laid_out(plan));
        let question = vectors::question(&[
            ("job", &job),
            ("before", &before),
            ("after", &after),
            ("remaining", &remaining),
        ]);
        let bargain = self
            .configured
            .on_price_change(&job, before, after, remaining);
        self.record("on-price-change", question, &bargain);
        bargain
    }

    #[track_caller]
    fn rescue<A: Json>(
        &self,
        function: &'static str,
        attempts: &[Attempt],
        remaining: &Table,
        ask: impl FnOnce(&Configured<P>, &crate::Job, crate::Table) -> A,
    ) -> A {
        let plan = self.configured.plan();
        let (job, remaining) = (self.job.laid_out(plan), remaining.laid_out(plan));
        let question = vectors::question(&[
            ("job", &job),
            ("attempts", &attempts),
            ("remaining", &remaining),
        ]);
        let answer = ask(&self.configured, &job, remaining);
        self.record(function, question, &answer);
        answer
    }
}

//! After a failure the next best, and whoever failed rests; a slow attempt is doubled once.
#![deny(unsafe_code)]

use pointsman_sdk::failover::{failed_last, untried};
use pointsman_sdk::prelude::*;

/// What `configure` asks for, and what it read from the settings.
#[derive(Debug)]
pub struct {{type}} {
    rest_ms: u32,
    input: Cause,
}

impl Policy for {{type}} {
    // Once in every instance: read the settings of bundle.toml, declare causes, ask for columns by name.
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        Self {
            rest_ms: settings.count("rest-ms", 10_000, 0..=600_000),
            input: plan.cause("the input is at fault"),
        }
    }
}

impl Failover for {{type}} {
    // An attempt failed, and none is running. `remaining` is in the order of the selection: row 0 is the next best.
    fn on_failure(&self, _: &Job, attempts: &[Attempt], remaining: &Candidates) -> Remedy {
        let blame = failed_last(attempts).map(|(_, failure)| failure.blame);
        let recovery = match blame {
            // Nobody will do better with it.
            Some(Blame::Input) => Recovery::Stop(self.input.refuse(422, "the input cannot be processed")),
            // Who abstains leaves it to the next stage, and at last to the host.
            _ => untried(attempts, remaining).map_or(Recovery::Abstain, Recovery::Next),
        };
        let faulty = blame == Some(Blame::Orchestrator);
        Remedy { rest_ms: if faulty { self.rest_ms } else { 0 }, recovery }
    }

    // An attempt is late. The host keeps the budget, whatever is answered.
    fn on_slow(&self, _: &Job, attempts: &[Attempt], remaining: &Candidates) -> Patience {
        let running = attempts.iter().filter(|attempt| attempt.running).count();
        match untried(attempts, remaining) {
            Some(row) if running == 1 => Patience::Hedge(row),
            _ => Patience::Abstain,
        }
    }
}

export!({{type}}: Failover, settings = "settings.schema.json");

#[cfg(test)]
mod tests {
    use pointsman_sdk::testing::{self, Table};

    use super::*;

    fn attempt(row: u32, blame: Option<Blame>) -> Attempt {
        let failure = blame.map(|blame| Failure {
            blame,
            kind: pointsman_sdk::kind::SERVER_ERROR,
            retry_safe: true,
            http_status: 500,
            retry_after_ms: 0,
        });
        Attempt { candidate: 1, row: Some(row), started_ms: 0, elapsed_ms: 700, running: failure.is_none(), failure }
    }

    #[test]
    fn who_fails_rests_and_the_next_is_asked() {
        let policy = testing::failover::<{{type}}>([]);
        let remedy = policy.on_failure(&[attempt(0, Some(Blame::Orchestrator))], &Table::of(3));
        assert_eq!((remedy.rest_ms, remedy.recovery), (10_000, Recovery::Next(1)));
    }

    #[test]
    fn poor_input_ends_the_job() {
        let policy = testing::failover::<{{type}}>([]);
        let remedy = policy.on_failure(&[attempt(0, Some(Blame::Input))], &Table::of(3));
        assert_eq!(remedy.rest_ms, 0);
        assert!(matches!(remedy.recovery, Recovery::Stop(_)));
    }

    #[test]
    fn a_slow_attempt_is_doubled_once() {
        let policy = testing::failover::<{{type}}>([]);
        let (first, second) = (attempt(0, None), attempt(1, None));
        assert_eq!(policy.on_slow(&[first], &Table::of(3)), Patience::Hedge(1));
        assert_eq!(policy.on_slow(&[first, second], &Table::of(3)), Patience::Abstain);
    }
}

//! Exported policies in a native program: any number, each with the hooks it has.

use pointsman_sdk::{Problem, Setting};

mod first {
    use pointsman_sdk::prelude::*;

    /// A selection with a setting.
    #[derive(Debug)]
    pub(crate) struct First(f64);

    impl Policy for First {
        fn configure(settings: &mut Settings, _: &mut Plan) -> Self {
            Self(settings.number("score", 0.5, 0.0..=1.0))
        }
    }

    impl Selection for First {
        fn judge(&self, _: &Job, candidates: &Candidates) -> Verdict {
            candidates.score(|_| self.0)
        }
    }

    export!(First);
}

mod second {
    use pointsman_sdk::prelude::*;

    policy! { pub(crate) struct Second { no: Cause = "no" } }

    impl Byoc for Second {
        fn route(&self, _: &Job, request: &Request) -> Routing {
            match request.capability.as_str() {
                "closed" => self.no.refuse(403, "closed").into(),
                _ => Change::new().capability("open").into(),
            }
        }
    }

    impl Failover for Second {
        fn on_failure(&self, _: &Job, _: &[Attempt], _: &Candidates) -> Remedy {
            Remedy {
                rest_ms: 1,
                recovery: Recovery::Rerank,
            }
        }
    }

    export!(Second: Byoc + Failover);
}

fn job() -> pointsman_sdk::Job {
    pointsman_sdk::Job {
        now_ms: 0,
        seed: 1,
        workload: 0,
        capability: 0,
        model: 0,
        affinity: 0,
        deadline_ms: 1,
        units: 0,
        facts: Vec::new(),
    }
}

#[test]
fn two_policies_in_one_program_keep_apart() {
    let hooks = |exported: pointsman_sdk::native::Exported| exported.hooks().collect::<Vec<_>>();
    assert_eq!(hooks(first::pointsman_native()), ["selection"]);
    assert_eq!(hooks(second::pointsman_native()), ["byoc", "failover"]);
    assert!(
        first::pointsman_native()
            .stage("byoc", Vec::new())
            .is_none()
    );
}

#[test]
fn a_stage_answers_the_hook_it_was_made_for_and_abstains_on_others() {
    let stage = second::pointsman_native()
        .stage("byoc", Vec::new())
        .expect("it has that hook")
        .expect("it has no settings");
    let request = pointsman_sdk::testing::request("closed");
    let pointsman_sdk::byoc::Routing::Reject(refusal) = stage.route(&job(), &request) else {
        panic!("it is closed")
    };
    assert_eq!(refusal.status, 403);
    let none = pointsman_sdk::Table {
        rows: 0,
        columns: Vec::new(),
    };
    let remedy = stage.on_failure(&job(), &[], none);
    assert_eq!(
        (remedy.rest_ms, remedy.recovery),
        (0, pointsman_sdk::failover::Recovery::Abstain)
    );
}

#[test]
fn settings_that_are_wrong_are_problems() {
    let wrong = Setting {
        key: "score".to_owned(),
        value: 2.into(),
    };
    let made = first::pointsman_native()
        .stage("selection", vec![wrong])
        .expect("it has that hook");
    let Err(problems) = made else {
        panic!("2 is no score")
    };
    let expected = Problem {
        key: "score".to_owned(),
        message: "must be a number from 0 to 1".to_owned(),
    };
    assert_eq!(problems, [expected]);
}

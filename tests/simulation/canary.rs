//! A canary's outcomes, counted over real dispatch: a job that is ranked a second time is one of them.

use std::sync::Arc;

use pointsman_dispatch::Settings;
use pointsman_dispatch::budget::Limits;
use pointsman_facts::FailureKind;
use pointsman_policy::bundle::{Digest, MAX_COMPONENT, Setting};
use pointsman_policy::wit::{Attempt, Job, Plan, Problem, Recovery, Remedy, Table};
use pointsman_policy::{Bundle, Config, Hook, Host, NativeBundle, NativeStage, Share, Side};

use crate::fails;
use crate::world::World;

/// No opinion of who gets a job, and another ranking after every failure.
struct Reranks;

impl NativeStage for Reranks {
    fn plan(&self) -> Plan {
        Plan {
            columns: Vec::new(),
            facts: Vec::new(),
            causes: Vec::new(),
        }
    }

    fn on_failure(&self, _: &Job<'_>, _: &[Attempt], _: &Table<'_>) -> Remedy {
        Remedy {
            rest_ms: 0,
            recovery: Recovery::Rerank,
        }
    }
}

impl NativeBundle for Reranks {
    fn stage(
        &self,
        _: &str,
        _: Hook,
        _: &[Setting],
    ) -> Option<Result<Box<dyn NativeStage>, Vec<Problem>>> {
        Some(Ok(Box::new(Self)))
    }
}

/// A gateway of "a" and "b", both shuffled, that ranks again after a failure, all under a canary.
async fn world() -> World {
    let component = b"\0asm".to_vec();
    let stage = format!(
        "component = \"reranks.wasm\"\nsha256 = \"{}\"\n",
        Digest::of(&component)
    );
    let manifest = format!(
        "name = \"reranks\"\nversion = \"1\"\non-failure = \"reject\"\n[[selection]]\n{stage}[[failover]]\n{stage}"
    );
    let files = [
        ("reranks.wasm".to_owned(), component),
        ("bundle.toml".to_owned(), manifest.into_bytes()),
    ];
    let bundle = Bundle::from_files(files, MAX_COMPONENT).expect("a whole bundle");
    let host = Host::new(Config::default(), Some(Arc::new(Reranks))).expect("an engine");
    let load = || host.load_native(&bundle).expect("natively");
    host.activate(load(), "active");
    host.canary(load(), Share::ALL, "canary").expect("a trial");
    // As many retries as there are failures.
    let settings = Settings {
        retries: Limits {
            percent: 100,
            floor_per_second: 1000,
        },
        ..Settings::default()
    };
    World::under(host, &["a", "b"], settings).await
}

fn counted(world: &World) -> Side {
    let trials = world.dispatcher.policy().trials();
    let canary = trials.canary.expect("it goes on");
    assert_eq!((canary.active.ok, canary.active.failed), (0, 0));
    canary.canary
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_ranked_a_second_time_is_one_good_outcome() {
    const JOBS: u64 = 60;
    let world = world().await;
    world.set("a", [fails(FailureKind::Reset)]);
    let mut reranked = 0;
    for sequence in 0..JOBS {
        let served = world.segment(sequence).await.expect("b is well");
        reranked += u64::from(served.attempts > 1);
    }
    assert!(reranked > 0, "who is first is drawn anew for each job");
    let decided = world.dispatcher.policy().decisions().latest(1000).len();
    assert_eq!(decided as u64, JOBS + reranked);
    let side = counted(&world);
    assert_eq!((side.ok, side.failed), (JOBS, 0));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_under_both_rankings_is_one_failure() {
    const JOBS: u64 = 5;
    let world = world().await;
    for name in ["a", "b"] {
        world.set(name, [fails(FailureKind::Reset)]);
    }
    for sequence in 0..JOBS {
        let stopped = world.segment(sequence).await.expect_err("both fail");
        assert_eq!(stopped.attempts, 2);
    }
    let decided = world.dispatcher.policy().decisions().latest(1000).len();
    assert_eq!(decided as u64, 2 * JOBS);
    let side = counted(&world);
    assert_eq!((side.ok, side.failed), (0, JOBS));
}

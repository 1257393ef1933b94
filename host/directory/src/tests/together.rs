//! Many threads at once.

use std::sync::Arc;
use std::time::Duration;

use pointsman_facts::{Blame, Candidates, Column, Failure, FailureKind, Symbol, Values, Workload};
use pointsman_wire::net::Capabilities;

use super::fake::{Fakes, directory, id};
use crate::directory::Directory;
use crate::history::Outcome;
use crate::view::Query;

const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

fn work(directory: &Directory, worker: usize) {
    let failure = Failure::new(Blame::Orchestrator, FailureKind::ServerError, "500");
    let mut last = 0;
    for round in 0..300 {
        let view = directory.candidates(&Query {
            workload: Workload::Transcode,
            model: Symbol::UNKNOWN,
            required: Arc::new(Capabilities::default()),
            incumbent: None,
            hints: Arc::default(),
        });
        assert!(view.snapshot() >= last, "numbers only rise");
        last = view.snapshot();
        let Values::Numbers(rates) = view.values(&Column::SuccessRate) else {
            panic!("success-rate is a column of numbers");
        };
        assert!(
            rates
                .iter()
                .all(|rate| rate.is_nan() || (0.0..=1.0).contains(rate))
        );
        let name = NAMES[(worker + round) % NAMES.len()];
        let running = directory.begin(id(name), Workload::Transcode, Symbol::UNKNOWN);
        let elapsed = Duration::from_millis(1 + round as u64 % 9);
        match round % 10 {
            0 => drop(running),
            1 => running.finish(Outcome::Failure {
                failure: &failure,
                elapsed,
            }),
            _ => running.finish(Outcome::Success {
                elapsed,
                duration: None,
            }),
        }
        if round % 50 == 0 {
            let _ = directory.rest(id(name), Duration::from_secs(1));
            directory.publish();
            assert_eq!(directory.list().len(), NAMES.len());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn deciding_recording_publishing_and_resting_do_not_disturb_each_other() {
    let fakes = Fakes::answering(&NAMES);
    let directory = directory(&fakes, &NAMES).await;
    directory.settled(Duration::from_secs(30)).await;
    let worker = |i| {
        let directory = directory.clone();
        tokio::task::spawn_blocking(move || work(&directory, i))
    };
    let workers: Vec<_> = (0..8).map(worker).collect();
    for worker in workers {
        worker.await.expect("a worker that does not panic");
    }
    let list = directory.list();
    assert!(list.iter().all(|summary| summary.in_flight == 0));
    assert!(list.iter().all(|summary| summary.history[0].samples == 64));
    assert!(
        list.iter().filter(|summary| summary.rest_ms > 0).count() <= 2,
        "30 % of 8"
    );
}

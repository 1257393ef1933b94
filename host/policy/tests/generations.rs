//! Activation, rollback, and that a swap under load loses no decision.

mod support;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use pointsman_policy::{Host, State};
use support::scripted::{Scripted, order};
use support::{Made, Rows, activate, config, host, job};

fn states(host: &Host) -> Vec<(u64, State)> {
    let listed = host.generations();
    listed
        .iter()
        .map(|info| (info.number, info.state))
        .collect()
}

#[test]
fn activation_and_rollback_are_listed() {
    let host = host(
        &Made::new("reject")
            .select("abstain", "")
            .version("1")
            .bundle(),
    );
    assert!(host.rollback().is_err(), "there is nothing before");
    activate(
        &host,
        &Made::new("reject")
            .select("hedge", "")
            .version("2")
            .bundle(),
    );
    assert_eq!(states(&host), [(2, State::Active), (1, State::Previous)]);
    let listed = &host.generations()[0];
    assert_eq!(
        (listed.version.as_str(), listed.origin.as_str()),
        ("2", "test")
    );
    assert!(listed.activated_ms > 0);

    assert_eq!(host.rollback(), Ok(1));
    assert_eq!(states(&host), [(2, State::Retired), (1, State::Active)]);
    assert_eq!(host.active().version(), "1");
    assert_eq!(
        activate(&host, &Made::new("reject").select("hedge", "").bundle()),
        3
    );
    assert_eq!(host.rollback(), Ok(1));
    assert!(host.rollback().is_err());
}

#[test]
fn only_so_many_generations_are_kept() {
    let host = host(&Made::new("reject").select("abstain", "").bundle());
    let keep = config().keep.get();
    for _ in 0..keep + 2 {
        activate(&host, &Made::new("reject").select("abstain", "").bundle());
    }
    let kept = states(&host);
    let kept = kept.iter().filter(|(_, state)| *state != State::Retired);
    assert_eq!(kept.count(), keep + 1);
    for _ in 0..keep {
        host.rollback().expect("kept");
    }
    assert!(host.rollback().is_err());
    let rows = Rows::slower(2);
    assert_eq!(
        host.select(job(1), &rows).order().len(),
        2,
        "an old one still answers"
    );
}

#[test]
fn a_job_in_flight_keeps_its_generation() {
    let first = Made::new("reject")
        .select("abstain", "")
        .rescue("failover-next", "");
    let host = host(&first.bundle());
    let rows = Rows::slower(3);
    let selection = host.select(job(1), &rows);
    activate(&host, &Made::new("reject").select("abstain", "").bundle());
    host.rollback().expect("there is one before");
    activate(&host, &Made::new("reject").select("abstain", "").bundle());
    let remaining = pointsman_policy::Remaining {
        candidates: &rows,
        rows: &[0, 1],
    };
    let answer = selection.generation.on_slow(&job(1), &[], remaining);
    assert_eq!(answer.stage.as_deref(), Some("failover-next"));
}

#[test]
fn a_load_that_fails_changes_nothing() {
    let host = host(&Made::new("reject").select("abstain", "").bundle());
    let bad = Made::new("reject").select("configure-traps", "").bundle();
    assert!(host.load(&bad).is_err());
    assert_eq!(states(&host), [(1, State::Active)]);
}

/// Two bundles that choose differently take turns while two threads decide: every decision is an answer, and the answer is the one of
/// the generation that it names. Each generation gets to decide before the next swap, however the threads are scheduled.
#[test]
fn swaps_under_load_lose_no_decision() {
    const SWAPS: u64 = 300;
    let host = host(&Made::new("reject").select("score-latency", "").bundle());
    let rows = Rows::slower(6);
    let (done, decided) = (AtomicBool::new(false), AtomicU64::new(0));
    let latest = AtomicU64::new(0);
    let slowest_first = [5, 4, 3, 2, 1, 0];
    let seen = thread::scope(|scope| {
        let deciding: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = BTreeSet::new();
                    while !done.load(Ordering::Relaxed) {
                        let n = decided.fetch_add(1, Ordering::Relaxed);
                        let selection = host.select(job(n), &rows);
                        let decision = &selection.decision;
                        assert_eq!(decision.fault, None);
                        assert_eq!(selection.refusal(), None);
                        assert_eq!(decision.generation, selection.generation.number());
                        let name = selection.generation.version();
                        let ranked = decision.order() == slowest_first;
                        assert!(ranked || name == "filter", "the ranking one ranks");
                        assert_eq!(decision.score(0).is_some(), name == "1");
                        seen.insert(decision.generation);
                        latest.store(decision.generation, Ordering::Relaxed);
                    }
                    seen
                })
            })
            .collect();
        for swap in 0..SWAPS {
            let made = Made::new("reject");
            let bundle = if swap % 2 == 0 {
                made.version("filter").select("exclude-slow", "").bundle()
            } else {
                made.select("score-latency", "").bundle()
            };
            if swap % 5 == 4 {
                host.rollback().expect("there is one before");
            } else {
                activate(&host, &bundle);
            }
            while latest.load(Ordering::Relaxed) != host.active().number()
                && !deciding.iter().any(|thread| thread.is_finished())
            {
                thread::yield_now();
            }
        }
        done.store(true, Ordering::Relaxed);
        let seen = deciding
            .into_iter()
            .map(|thread| thread.join().expect("no assertion failed"));
        seen.flatten().collect::<BTreeSet<u64>>()
    });
    let activated = SWAPS * 4 / 5;
    assert!(
        seen.len() as u64 >= activated,
        "{} of {activated} generations decided",
        seen.len()
    );
    let counted = decided.load(Ordering::Relaxed);
    let last = host.decisions().latest(1);
    assert_eq!(last[0].id, counted, "every decision was recorded once");
}

#[test]
fn the_choice_after_a_swap_is_the_new_ones() {
    let script = Scripted::default()
        .stage("up", &["latency-ms/p50"], &[], |_, table| {
            order(0..table.rows)
        })
        .stage("down", &["latency-ms/p50"], &[], |_, table| {
            order((0..table.rows).rev())
        });
    let host = script.host(Made::new("reject").native("up", ""));
    let rows = Rows::slower(4);
    let up = host.select(job(1), &rows).order().to_vec();
    let loaded = host
        .load_native(&Made::new("reject").native("down", "").bundle())
        .expect("natively");
    host.activate(loaded, "test");
    let mut down = host.select(job(1), &rows).order().to_vec();
    down.reverse();
    assert_eq!(down, up);
}

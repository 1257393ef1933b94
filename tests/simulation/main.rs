//! Routing in virtual time: hours of traffic in seconds, through the real decisions, failover, hedges and budgets.

mod bargains;
mod canary;
mod recording;
mod world;

use std::time::Duration;

use pointsman_dispatch::budget::Limits;
use pointsman_dispatch::{Settings, StopReason};
use pointsman_facts::{Blame, Failure, FailureKind};
use tokio::time::{Instant, sleep};
use world::{Does, SEGMENT, World, uri};

const ALL: [&str; 3] = ["a", "b", "c"];

fn fails(kind: FailureKind) -> Does {
    Does::Fail(
        Duration::from_millis(50),
        Failure::new(Blame::Orchestrator, kind, "made up"),
    )
}

/// The name behind a URI.
fn name(served: &str) -> &'static str {
    ALL.into_iter()
        .find(|name| uri(name).as_str() == served)
        .expect("one of ours")
}

/// Makes whoever serves the stream do something else.
async fn break_incumbent(world: &World, does: impl IntoIterator<Item = Does>) -> &'static str {
    let served = world.segment(0).await.expect("all are well");
    let incumbent = name(&served.output);
    world.set(incumbent, does);
    incumbent
}

#[tokio::test(start_paused = true)]
async fn a_stream_stays_where_it_is_while_that_is_good() {
    let world = World::of(&ALL).await;
    let first = world.segment(0).await.expect("served").output;
    for sequence in 1..30 {
        assert_eq!(world.segment(sequence).await.expect("served").output, first);
        sleep(SEGMENT).await;
    }
    assert_eq!(
        world.sessions(name(&first)),
        1,
        "one session for the whole stream"
    );
}

#[tokio::test(start_paused = true)]
async fn a_hanging_orchestrator_is_hedged_within_the_segment_and_then_left_alone() {
    let world = World::of(&ALL).await;
    let hangs = break_incumbent(&world, [Does::Hang]).await;
    let started = Instant::now();
    let served = world.segment(1).await.expect("hedged");
    assert!(started.elapsed() < SEGMENT, "{:?}", started.elapsed());
    assert_eq!(served.attempts, 2);
    assert_ne!(name(&served.output), hangs);
    let asked = world.segments(hangs);
    for sequence in 2..20 {
        sleep(SEGMENT).await;
        let served = world.segment(sequence).await.expect("served");
        assert_eq!(served.attempts, 1, "the stream stays with who answered");
    }
    assert_eq!(world.segments(hangs), asked);
}

/// Times around half of a segment, a tenth more or less.
fn about_half(seed: u64) -> Vec<Does> {
    let mut random = seed;
    let mut next = move || {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % 200
    };
    (0..600)
        .map(|_| Does::Answer(SEGMENT / 2 + Duration::from_millis(next()) - SEGMENT / 20))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_fleet_that_always_takes_half_a_segment_is_not_doubled() {
    const JOBS: u32 = 300;
    let alike = || vec![Does::Answer(SEGMENT / 2)];
    let slower = || vec![Does::Answer(SEGMENT * 7 / 10)];
    // Where answers differ, one in twenty is slower than the 95th percentile, and a few more are while it rests on few of them.
    let fleets: [(&str, [Vec<Does>; 3], u32); 3] = [
        ("alike", [alike(), alike(), alike()], 0),
        ("slower", [slower(), slower(), slower()], 0),
        (
            "about",
            [about_half(1), about_half(2), about_half(3)],
            JOBS / 10,
        ),
    ];
    for (fleet, does, most) in fleets {
        let world = World::of(&ALL).await;
        let run = async |jobs: u32| {
            for sequence in 0..jobs {
                let asked = Instant::now();
                world.segment(sequence.into()).await.expect("one is well");
                sleep(SEGMENT.saturating_sub(asked.elapsed())).await;
            }
        };
        // What each takes is known: it had the stream for a while, with nobody else to turn to.
        for (name, does) in ALL.iter().zip(&does) {
            for other in ALL {
                world.set(other, [fails(FailureKind::Capped)]);
            }
            world.set(name, does.clone());
            run(20).await;
        }
        for (name, does) in ALL.iter().zip(does) {
            world.set(name, does);
        }
        let sent = || ALL.iter().map(|name| world.segments(name)).sum::<u32>();
        let before = sent();
        run(JOBS).await;
        let copies = sent() - before - JOBS;
        assert!(copies <= most, "{fleet}: {copies} copies of {JOBS} jobs");
    }
}

#[tokio::test(start_paused = true)]
async fn where_all_take_half_a_segment_a_hang_is_answered_within_it() {
    let world = World::of(&ALL).await;
    for name in ALL {
        world.set(name, [Does::Answer(SEGMENT / 2)]);
    }
    for sequence in 1..50 {
        world.segment(sequence).await.expect("all are well");
        sleep(SEGMENT / 2).await;
    }
    let hangs = break_incumbent(&world, [Does::Hang]).await;
    let started = Instant::now();
    let served = world.segment(50).await.expect("hedged");
    assert!(started.elapsed() <= SEGMENT, "{:?}", started.elapsed());
    assert_ne!(name(&served.output), hangs);
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_fails_is_replaced_while_the_first_still_hangs() {
    for second in [fails(FailureKind::Capped), fails(FailureKind::Reset)] {
        let world = World::of(&ALL).await;
        let hangs = break_incumbent(&world, [Does::Hang]).await;
        let others: Vec<_> = ALL.into_iter().filter(|&name| name != hangs).collect();
        for name in &others {
            // Whoever is asked first fails, once.
            world.set(
                name,
                [second.clone(), Does::Answer(Duration::from_millis(300))],
            );
        }
        let started = Instant::now();
        world.set(others[1], [Does::Answer(Duration::from_millis(300))]);
        let served = world.segment(1).await.expect("the third one");
        assert!(started.elapsed() < SEGMENT, "{:?}", started.elapsed());
        assert_ne!(name(&served.output), hangs);
    }
}

#[tokio::test(start_paused = true)]
async fn two_that_hang_still_leave_time_for_a_third() {
    let world = World::of(&ALL).await;
    for name in ["a", "b"] {
        world.set(name, [Does::Hang]);
    }
    for sequence in 0..10 {
        let served = world.segment(sequence).await.expect("c answers");
        assert_eq!(name(&served.output), "c");
        sleep(SEGMENT).await;
    }
}

#[tokio::test(start_paused = true)]
async fn bad_input_ends_the_job_though_a_copy_still_runs() {
    let world = World::of(&ALL).await;
    let failure = Failure::new(Blame::Input, FailureKind::BadInput, "No keyframes in input");
    let says_no = break_incumbent(&world, [Does::Fail(Duration::from_secs(1), failure)]).await;
    for name in ALL.into_iter().filter(|&name| name != says_no) {
        world.set(name, [Does::Hang]);
    }
    let started = Instant::now();
    let stopped = world.segment(1).await.expect_err("bad media");
    assert_eq!(stopped.reason, StopReason::Input);
    assert!(
        started.elapsed() <= Duration::from_millis(1001),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_fault_moves_the_stream_and_lets_the_orchestrator_rest() {
    for kind in [
        FailureKind::Reset,
        FailureKind::ServerError,
        FailureKind::Garbage,
        FailureKind::BadRendition,
    ] {
        let world = World::of(&ALL).await;
        let broken = break_incumbent(&world, [fails(kind)]).await;
        let started = Instant::now();
        let served = world.segment(1).await.expect("another one");
        assert!(started.elapsed() < SEGMENT);
        assert_ne!(name(&served.output), broken);
        let summary = world.dispatcher.directory().list();
        let resting: Vec<_> = summary
            .iter()
            .filter(|one| one.rest_ms > 0)
            .map(|one| one.uri.clone())
            .collect();
        assert_eq!(resting, [uri(broken)], "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn full_is_no_fault_and_does_not_use_up_attempts() {
    let names = ["a", "b", "c"];
    let world = World::of(&names).await;
    for busy in ["a", "b"] {
        world.set(busy, [fails(FailureKind::Capped)]);
    }
    let served = world.segment(0).await.expect("c has room");
    assert_eq!(name(&served.output), "c");
    for one in world.dispatcher.directory().list() {
        assert_eq!(one.rest_ms, 0, "{} does not rest for being full", one.uri);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_token_is_renewed_and_the_segment_sent_again_to_the_same() {
    let world = World::of(&ALL).await;
    let restarted = break_incumbent(
        &world,
        [
            fails(FailureKind::Token),
            Does::Answer(Duration::from_millis(300)),
        ],
    )
    .await;
    let served = world.segment(1).await.expect("the same again");
    assert_eq!(name(&served.output), restarted);
    assert_eq!(world.sessions(restarted), 2);
}

#[tokio::test(start_paused = true)]
async fn bad_input_burns_one_orchestrator_and_no_more() {
    let world = World::of(&ALL).await;
    let failure = Failure::new(Blame::Input, FailureKind::BadInput, "No keyframes in input");
    for name in ALL {
        world.set(
            name,
            [Does::Fail(Duration::from_millis(50), failure.clone())],
        );
    }
    let stopped = world.segment(0).await.expect_err("nobody can");
    assert_eq!(stopped.reason, StopReason::Input);
    assert_eq!(stopped.attempts, 1);
    assert_eq!(ALL.iter().map(|name| world.segments(name)).sum::<u32>(), 1);
}

#[tokio::test(start_paused = true)]
async fn when_all_hang_the_job_ends_at_its_hard_deadline() {
    let world = World::of(&ALL).await;
    for name in ALL {
        world.set(name, [Does::Hang]);
    }
    let started = Instant::now();
    let stopped = world.segment(0).await.expect_err("nobody answers");
    assert_eq!(stopped.reason, StopReason::Deadline);
    assert_eq!(started.elapsed(), SEGMENT * 3);
}

#[tokio::test(start_paused = true)]
async fn an_outage_does_not_multiply_the_load() {
    let limits = Limits {
        percent: 20,
        floor_per_second: 1,
    };
    let settings = Settings {
        retries: limits,
        hedges: limits,
        ..Settings::default()
    };
    let world = World::with(&ALL, settings).await;
    for name in ALL {
        world.set(name, [fails(FailureKind::ServerError)]);
    }
    const JOBS: u32 = 500;
    for sequence in 0..JOBS {
        world
            .segment(sequence.into())
            .await
            .expect_err("all are down");
    }
    let sent: u32 = ALL.iter().map(|name| world.segments(name)).sum();
    // Each job takes at least 50 ms, so the floor of one a second adds at most one in twenty.
    assert!(
        sent <= JOBS + JOBS * 20 / 100 + JOBS / 10,
        "{sent} attempts for {JOBS} jobs"
    );
}

#[tokio::test(start_paused = true)]
async fn an_hour_with_orchestrators_that_come_and_go_loses_nothing() {
    let world = World::of(&ALL).await;
    let well = || Does::Answer(Duration::from_millis(300));
    let started = Instant::now();
    let mut lost = Vec::new();
    for sequence in 0..1800u64 {
        let sick = ALL[(sequence / 60 % 3) as usize];
        for name in ALL {
            let does = match (name == sick, sequence / 60 % 4) {
                (false, _) => well(),
                (true, 0) => Does::Hang,
                (true, 1) => fails(FailureKind::Reset),
                (true, 2) => fails(FailureKind::Capped),
                (true, _) => Does::Answer(SEGMENT * 2),
            };
            world.set(name, [does]);
        }
        let asked = Instant::now();
        match world.segment(sequence).await {
            Ok(_) if asked.elapsed() <= SEGMENT => {}
            Ok(_) => lost.push((sequence, "late".to_owned())),
            Err(stopped) => lost.push((sequence, stopped.to_string())),
        }
        sleep(SEGMENT.saturating_sub(asked.elapsed())).await;
    }
    assert_eq!(lost, []);
    assert!(started.elapsed() >= Duration::from_secs(3600));
}

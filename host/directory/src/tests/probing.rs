use std::time::Duration;

use pointsman_facts::{Blame, Failure, FailureKind, Symbol, Workload};
use pointsman_wire::net::OrchestratorInfo;
use tokio::time::{Instant, sleep};

use super::fake::{Does, Fakes, answers, directory, id, offer, start, uri};
use crate::directory::Settings;
use crate::history::Outcome;
use crate::source::Announced;
use crate::standing::Reach;
use crate::terms::Terms;

const SECOND: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(60);

fn reach(directory: &crate::Directory, name: &str) -> Reach {
    let list = directory.list();
    let found = list.into_iter().find(|summary| summary.uri == uri(name));
    found.expect("a known orchestrator").reach
}

#[tokio::test(start_paused = true)]
async fn the_first_round_goes_out_at_once() {
    let fakes = Fakes::answering(&["a", "b"]);
    let begun = Instant::now();
    let directory = directory(&fakes, &["a", "b", "dead"]).await;
    let settled = directory.settled(LONG).await;
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert!(settled.is_settled(), "{settled:?}");
    assert_eq!((settled.known, settled.usable), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn rounds_are_spread_by_jitter() {
    let fakes = Fakes::answering(&["a", "b"]);
    let _directory = directory(&fakes, &["a", "b"]).await;
    sleep(30 * LONG).await;
    let (a, b) = (fakes.gaps("a"), fakes.gaps("b"));
    assert!(a.len() >= 50, "{}", a.len());
    assert!(a.iter().all(|gap| (24.0..=36.1).contains(gap)), "{a:?}");
    assert!(a.iter().any(|gap| *gap < 28.0) && a.iter().any(|gap| *gap > 32.0));
    assert_ne!(a[..5], b[..5], "each has its own");
}

#[tokio::test(start_paused = true)]
async fn a_dead_host_is_asked_ever_less_and_at_once_normally_when_it_is_back() {
    let fakes = Fakes::answering(&["a"]);
    let directory = directory(&fakes, &["a", "dead"]).await;
    sleep(60 * LONG).await;
    let gaps = fakes.gaps("dead");
    for (gap, expected) in gaps.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]) {
        assert!((gap / expected - 1.0).abs() < 0.21, "{gaps:?}");
    }
    let cap = 240.0..=361.0;
    assert!(gaps[9..].iter().all(|gap| cap.contains(gap)), "{gaps:?}");
    assert_eq!(reach(&directory, "dead"), Reach::Silent);

    fakes.set("dead", answers(offer("dead", 1)));
    sleep(7 * LONG).await;
    assert_eq!(reach(&directory, "dead"), Reach::Answers);
    let last = *fakes.gaps("dead").last().expect("asked again");
    assert!(last < 37.0, "the usual interval again: {last}");
}

#[tokio::test(start_paused = true)]
async fn while_nobody_is_usable_everyone_is_asked_every_few_seconds() {
    let fakes = Fakes::answering(&[]);
    let directory = directory(&fakes, &["dead"]).await;
    sleep(10 * LONG).await;
    let gaps = fakes.gaps("dead");
    assert!(gaps.iter().all(|gap| *gap < 6.1), "{gaps:?}");
    fakes.set("dead", answers(offer("dead", 1)));
    sleep(7 * SECOND).await;
    assert_eq!(reach(&directory, "dead"), Reach::Answers);
}

#[tokio::test(start_paused = true)]
async fn when_the_last_usable_one_goes_the_sleeping_are_woken() {
    let fakes = Fakes::answering(&["a"]);
    let directory = directory(&fakes, &["a", "dead"]).await;
    sleep(60 * LONG).await;
    fakes.set("dead", answers(offer("dead", 1)));
    fakes.set("a", Does::Refuses);
    sleep(40 * SECOND).await;
    assert_eq!(reach(&directory, "a"), Reach::Silent);
    assert_eq!(
        reach(&directory, "dead"),
        Reach::Answers,
        "not minutes later"
    );
}

#[tokio::test(start_paused = true)]
async fn a_host_that_hangs_holds_up_nobody() {
    let fakes = Fakes::answering(&["a"]);
    fakes.set("hangs", Does::Hangs);
    let begun = Instant::now();
    let directory = directory(&fakes, &["a", "hangs"]).await;
    let early = directory.settled(SECOND).await;
    assert_eq!((early.usable, early.waiting), (1, 1));
    assert!(directory.settled(LONG).await.is_settled());
    assert_eq!(begun.elapsed(), 3 * SECOND, "the probe's time-out");
    sleep(10 * SECOND).await;
    assert_eq!(reach(&directory, "hangs"), Reach::Silent);
}

#[tokio::test(start_paused = true)]
async fn only_so_many_questions_run_at_a_time() {
    let names: Vec<String> = (0..100).map(|i| format!("o{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let fakes = Fakes::answering(&names);
    fakes.take(SECOND);
    let begun = Instant::now();
    let directory = directory(&fakes, &names).await;
    assert_eq!(directory.settled(LONG).await.usable, 100);
    assert_eq!(fakes.running().1, 32);
    assert_eq!(begun.elapsed(), 4 * SECOND, "four rounds of 32 at most");
}

#[tokio::test(start_paused = true)]
async fn a_removed_orchestrator_is_asked_no_more_not_even_to_the_end() {
    let fakes = Fakes::answering(&[]);
    fakes.set("gone", Does::Hangs);
    let directory = directory(&fakes, &[]).await;
    let announced = Announced {
        uri: uri("gone"),
        trust: None,
        region: None,
        labels: Default::default(),
    };
    directory.core.heard(Some(vec![announced]));
    sleep(SECOND).await;
    assert_eq!(fakes.running().0, 1);
    directory.core.heard(Some(Vec::new()));
    sleep(SECOND).await;
    assert_eq!(fakes.running().0, 0, "the question was taken back");
    assert!(directory.list().is_empty() && directory.snapshot().is_empty());
    sleep(LONG).await;
    assert_eq!(fakes.asked("gone").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn shutting_down_or_dropping_the_last_copy_ends_every_question() {
    let fakes = Fakes::answering(&[]);
    fakes.set("hangs", Does::Hangs);
    let first = directory(&fakes, &["hangs"]).await;
    sleep(SECOND).await;
    assert_eq!(fakes.running().0, 1);
    first.shutdown().await;
    assert_eq!(fakes.running().0, 0);

    let second = directory(&fakes, &["hangs"]).await;
    let copy = second.clone();
    drop(second);
    sleep(SECOND).await;
    assert_eq!(fakes.running().0, 1, "a copy is left");
    drop(copy);
    sleep(SECOND).await;
    assert_eq!(fakes.running().0, 0);
}

#[tokio::test(start_paused = true)]
async fn a_fault_in_a_job_has_the_host_looked_at_now() {
    let fakes = Fakes::answering(&["a", "b"]);
    let directory = directory(&fakes, &["a", "b"]).await;
    directory.settled(LONG).await;
    sleep(5 * SECOND).await;
    fakes.set("a", Does::Refuses);
    let running = directory.begin(id("a"), Workload::Transcode, Symbol::UNKNOWN);
    let failure = Failure::new(Blame::Network, FailureKind::Reset, "gone");
    running.finish(Outcome::Failure {
        failure: &failure,
        elapsed: SECOND,
    });
    sleep(3 * SECOND).await;
    assert_eq!(
        reach(&directory, "a"),
        Reach::Silent,
        "seconds after the fault"
    );
    assert_eq!(fakes.asked("b").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_an_offer_for_one_session_and_the_next_probe_brings_another() {
    let fakes = Fakes::answering(&["a"]);
    let directory = directory(&fakes, &["a"]).await;
    directory.settled(LONG).await;
    assert_eq!(directory.take_offer(id("a")), Some(offer("a", 1)));
    assert_eq!(directory.take_offer(id("a")), None);
    assert_eq!(directory.take_offer(id("unknown")), None);
    sleep(40 * SECOND).await;
    assert!(directory.take_offer(id("a")).is_some());
}

#[tokio::test(start_paused = true)]
async fn the_offer_of_a_host_that_stopped_answering_is_void() {
    let fakes = Fakes::answering(&["a"]);
    let directory = directory(&fakes, &["a"]).await;
    directory.settled(LONG).await;
    fakes.set("a", Does::Refuses);
    sleep(40 * SECOND).await;
    assert_eq!(directory.take_offer(id("a")), None);
}

#[tokio::test(start_paused = true)]
async fn a_full_orchestrator_keeps_its_facts_and_its_pace() {
    let fakes = Fakes::answering(&["a"]);
    let directory = directory(&fakes, &["a"]).await;
    directory.settled(LONG).await;
    fakes.set("a", Does::IsFull);
    sleep(10 * LONG).await;
    assert_eq!(reach(&directory, "a"), Reach::Answers);
    assert!(fakes.gaps("a").iter().all(|gap| *gap > 23.0), "not hurried");
}

#[tokio::test(start_paused = true)]
async fn whoever_cannot_be_paid_is_not_usable_until_its_terms_are_others() {
    let fakes = Fakes::answering(&["a"]);
    fakes.set("dear", answers(offer("dear", 7)));
    let dear = |info: &OrchestratorInfo| {
        info.price_info
            .as_ref()
            .is_some_and(|price| price.price_per_unit > 5)
    };
    let settings = Settings {
        terms: Some(Terms::new(move |info| {
            dear(info).then(|| "it asks for 7".to_owned())
        })),
        ..Settings::default()
    };
    let directory = start(&fakes, &["a", "dear"], settings).await;
    assert_eq!(directory.settled(LONG).await.usable, 1);
    let said = || {
        let list = directory.list();
        let found = list.into_iter().find(|summary| summary.uri == uri("dear"));
        found.expect("a known orchestrator").unusable
    };
    assert_eq!(said().as_deref(), Some("cannot be paid: it asks for 7"));
    assert_eq!(directory.take_offer(id("dear")), None);
    fakes.set("dear", answers(offer("dear", 1)));
    sleep(LONG).await;
    assert_eq!(said(), None);
}

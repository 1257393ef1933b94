//! Streams are recorded whole or not at all.

#[path = "support/town.rs"]
#[allow(dead_code, reason = "only jobs are needed here")]
mod town;

use pointsman_recording::Share;
use town::job;

#[test]
fn a_stream_is_recorded_whole_or_not_at_all() {
    let share = Share::new(0.25).expect("a share");
    let mut job = job("cam/0", 1);
    let mut recorded = 0;
    for affinity in 1..=10_000 {
        job.affinity = affinity;
        let first = share.includes(&job);
        recorded += u32::from(first);
        for seed in 0..3 {
            job.seed = seed;
            assert_eq!(share.includes(&job), first);
        }
    }
    assert!((2_300..2_700).contains(&recorded), "{recorded}");
}

#[test]
fn jobs_without_affinity_are_drawn_one_by_one() {
    let share = Share::new(0.5).expect("a share");
    let mut job = job("request", 1);
    job.affinity = 0;
    let recorded = (0..1000).filter(|&seed| {
        job.seed = seed;
        share.includes(&job)
    });
    let recorded = recorded.count();
    assert!((400..600).contains(&recorded), "{recorded}");
}

#[test]
fn all_is_all_and_none_is_none() {
    let none = Share::new(0.0).expect("a share");
    for seed in 0..100 {
        let job = job("cam/0", seed);
        assert!(Share::ALL.includes(&job) && !none.includes(&job));
    }
    assert_eq!(Share::new(1.1), None);
    assert_eq!(Share::new(f64::NAN), None);
}

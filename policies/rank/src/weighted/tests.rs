use pointsman_sdk::testing::{self, Job, Table};
use pointsman_sdk::{Fact, Value, Verdict, symbol};

use crate::Rank;

fn policy<const N: usize>(settings: [(&'static str, Value); N]) -> testing::Subject<Rank> {
    testing::selection::<Rank>(settings).job(Job::new().count("segment-ms", 2000))
}

/// Rows that have answered well, in so many ms.
fn good(latencies: &[f64]) -> Table {
    Table::new()
        .numbers("latency-ms/p50", latencies.iter().copied())
        .numbers("latency-score", latencies.iter().map(|ms| ms / 2000.0))
        .numbers("success-rate", latencies.iter().map(|_| 1.0))
        .counts("samples", latencies.iter().map(|_| 100))
        .counts("in-flight", latencies.iter().map(|_| 0))
        .counts("rest-ms", latencies.iter().map(|_| 0))
        .marks("incumbent", latencies.iter().map(|_| false))
}

#[test]
fn the_faster_and_the_more_reliable_come_first() {
    assert_eq!(
        policy([]).judge(&good(&[900.0, 100.0, 400.0])).order,
        [1, 2, 0]
    );
    let table = good(&[100.0, 100.0, 100.0]).numbers("success-rate", [0.7, 1.0, 0.4]);
    assert_eq!(policy([]).judge(&table).order, [1, 0, 2]);
}

#[test]
fn near_equals_keep_the_shuffled_order() {
    assert_eq!(
        policy([]).judge(&good(&[112.0, 100.0, 105.0])).order,
        [0, 1, 2]
    );
    let strict = policy([("step", 0.0001.into())]);
    assert_eq!(strict.judge(&good(&[112.0, 100.0, 105.0])).order, [1, 2, 0]);
}

#[test]
fn a_newcomer_is_behind_the_good_and_before_the_poor() {
    let table = good(&[100.0, 0.0, 1800.0])
        .numbers("latency-ms/p50", [Some(100.0), None, Some(1800.0)])
        .numbers("success-rate", [Some(1.0), None, Some(0.6)])
        .counts("samples", [100, 0, 100]);
    assert_eq!(policy([]).judge(&table).order, [0, 1, 2]);
    let loaded = table.counts("in-flight", [6, 0, 0]);
    assert_eq!(
        policy([]).judge(&loaded).order[0],
        1,
        "it gets work once the good one is loaded"
    );
}

#[test]
fn one_failure_is_no_verdict() {
    let table = good(&[100.0, 100.0])
        .numbers("success-rate", [0.0, 0.3])
        .counts("samples", [1, 100]);
    assert_eq!(policy([]).judge(&table).order, [0, 1]);
}

#[test]
fn load_spreads_streams_over_equals() {
    let mut in_flight = [0_u64; 4];
    for _ in 0..40 {
        let table = good(&[100.0; 4]).counts("in-flight", in_flight);
        in_flight[policy([]).judge(&table).order[0] as usize] += 1;
    }
    assert_eq!(in_flight, [10; 4]);
}

#[test]
fn the_incumbent_stays_unless_another_is_clearly_better() {
    let first = |mine: f64, other: f64| {
        let table = good(&[other, mine]).marks("incumbent", [false, true]);
        policy([]).judge(&table).order[0]
    };
    assert_eq!(first(300.0, 100.0), 1, "a little slower is no reason");
    assert_eq!(first(1900.0, 50.0), 0, "a second is");
}

#[test]
fn an_incumbent_in_poor_standing_is_not_kept() {
    let table = || good(&[300.0, 100.0]).marks("incumbent", [true, false]);
    assert_eq!(policy([]).judge(&table()).order[0], 0);
    let poor: [(&str, Table); 3] = [
        ("rests", table().counts("rest-ms", [500, 0])),
        ("fails", table().numbers("success-rate", [0.4, 1.0])),
        (
            "is too slow for live video",
            table().numbers("latency-score", [1.2, 0.05]),
        ),
    ];
    for (why, table) in poor {
        assert_eq!(policy([]).judge(&table).order[0], 1, "{why}");
    }
}

#[test]
fn stake_counts_by_its_share_of_the_largest() {
    let table = good(&[100.0; 3]).numbers("stake", [Some(10.0), None, Some(1000.0)]);
    assert_eq!(
        policy([]).judge(&table).order,
        [0, 1, 2],
        "by default it counts for nothing"
    );
    assert_eq!(
        policy([("stake", 1.0.into())]).judge(&table).order,
        [2, 0, 1]
    );
}

#[test]
fn latency_is_worth_what_it_takes_of_the_segment() {
    let margin = |segment_ms| {
        let job = Job::new().count("segment-ms", segment_ms);
        let outcome = policy([("step", 0.0001.into())])
            .job(job)
            .judge(&good(&[100.0, 600.0]));
        let Verdict::Score(scoring) = outcome.verdict else {
            panic!("it scores")
        };
        scoring.scores[0] - scoring.scores[1]
    };
    assert!(margin(500) > 2.0 * margin(4000));
}

#[test]
fn what_weighs_nothing_is_not_asked_for() {
    let none = policy([
        ("latency", 0.into()),
        ("history", 0.into()),
        ("load", 0.into()),
        ("hints", false.into()),
    ]);
    assert_eq!(
        none.columns(),
        ["incumbent", "rest-ms", "success-rate", "latency-score"]
    );
    assert_eq!(none.judge(&good(&[5.0, 1.0])).order, [0, 1]);
}

#[test]
fn scores_stay_within_bounds_at_the_ends_of_every_setting() {
    let extremes = [f64::NAN, f64::INFINITY, 0.0, 1e300, 5e-324];
    let table = good(&extremes)
        .numbers("stake", extremes)
        .counts("in-flight", [0, u64::MAX, 1, 0, 0])
        .marks("incumbent", [false, false, true, false, false]);
    for step in [0.0001, 0.03, 0.7, 1.0] {
        for margin in [0.0, 0.37, 1.0] {
            let settings = [
                ("step", step.into()),
                ("keep-margin", margin.into()),
                ("stake", 1.0.into()),
            ];
            // The harness refuses a score outside [0, 1].
            assert_eq!(policy(settings).judge(&table).order.len(), 5);
        }
    }
}

#[test]
fn an_application_gets_its_list_first_and_the_rest_by_score() {
    let table = good(&[900.0, 100.0, 400.0]).counts("hint/place", [0, 1, 1]);
    assert_eq!(policy([]).judge(&table).order, [0, 1, 2]);
    let deaf = policy([("hints", false.into())]);
    assert_eq!(deaf.judge(&table).order, [1, 2, 0]);
}

#[test]
fn an_application_may_sort_by_price_latency_or_throughput() {
    let sorted = |by: &str, table: &Table| {
        let by = Fact::Symbol(symbol(by));
        let job = Job::new().count("segment-ms", 2000).fact("hint/sort", by);
        let policy = testing::selection::<Rank>([]).job(job);
        policy.judge(table).order
    };
    let priced = good(&[100.0, 900.0, 400.0]).counts("hint/place", [2, 1, 0]);
    assert_eq!(sorted("price", &priced), [2, 1, 0]);
    let poor = good(&[100.0, 400.0]).numbers("success-rate", [0.2, 1.0]);
    assert_eq!(policy([]).judge(&poor).order, [1, 0]);
    assert_eq!(sorted("latency", &poor), [0, 1]);
    let busy = good(&[100.0, 700.0]).counts("in-flight", [1, 0]);
    assert_eq!(policy([]).judge(&busy).order, [0, 1]);
    assert_eq!(sorted("throughput", &busy), [1, 0]);
}

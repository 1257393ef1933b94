//! The vectors are those of go-livepeer's own selection tests.

use pointsman_sdk::testing::{self, Job, Table};
use pointsman_sdk::{Rng, Value};

use crate::Rank;

const DRAWS: u32 = 40_000;

/// Three sigma of a share over `DRAWS` is at most 0.0075.
const NEAR: f64 = 0.0075;

fn policy(settings: &[(&'static str, f64)]) -> testing::Subject<Rank> {
    let weights = settings
        .iter()
        .map(|&(key, value)| (key, Value::Number(value)));
    testing::selection::<Rank>(
        [("model", testing::text("probability"))]
            .into_iter()
            .chain(weights),
    )
}

fn weights(price: f64, stake: f64, random: f64) -> [(&'static str, f64); 3] {
    [
        ("probability.price", price),
        ("probability.stake", stake),
        ("probability.random", random),
    ]
}

fn table(stakes: [f64; 3], prices: [f64; 3]) -> Table {
    Table::new()
        .numbers("stake", stakes)
        .numbers("price", prices)
}

/// How often each order comes, as a share of all draws.
fn share(settings: &[(&'static str, f64)], table: &Table, of: impl Fn(&[u32]) -> bool) -> f64 {
    let mut seeds = Rng::new(7);
    let mut policy = policy(settings);
    let mut hits = 0;
    for _ in 0..DRAWS {
        policy = policy.job(Job::new().seed(seeds.next()));
        hits += u32::from(of(&policy.judge(table).order));
    }
    f64::from(hits) / f64::from(DRAWS)
}

#[test]
fn the_first_is_drawn_as_go_livepeer_draws() {
    let third = 1.0 / 3.0;
    type Case = ([f64; 3], [f64; 3], [f64; 3], [f64; 3]);
    let cases: &[Case] = &[
        (
            [0.7, 0.3, 0.0],
            [100.0, 100_000.0, 300.0],
            [400.0, 700.0, 1000.0],
            [0.665_530, 0.331_925, 0.002_545],
        ),
        (
            [0.0, 0.0, 1.0],
            [100.0, 100_000.0, 300.0],
            [400.0, 700.0, 1000.0],
            [third; 3],
        ),
        (
            [1.0, 0.0, 0.0],
            [100.0, 100_000.0, 300.0],
            [1.0, 1.0, 1e8],
            [0.5, 0.5, 0.0],
        ),
        (
            [0.0, 1.0, 0.0],
            [100.0, 100.0, 800.0],
            [1.0, 1.0, 1.0],
            [0.1, 0.1, 0.8],
        ),
        // A sum of zero is drawn evenly.
        ([0.0, 1.0, 0.0], [0.0; 3], [1.0, 1.0, 1.0], [third; 3]),
        ([1.0, 0.0, 0.0], [1.0; 3], [1e6, 2e6, 3e6], [third; 3]),
    ];
    for (index, (given, stakes, prices, expected)) in cases.iter().enumerate() {
        let settings = weights(given[0], given[1], given[2]);
        for row in 0..3 {
            let share = share(&settings, &table(*stakes, *prices), |order| order[0] == row);
            let expected = expected[row as usize];
            assert!(
                (share - expected).abs() < NEAR,
                "case {index}, row {row}: {share} for {expected}"
            );
        }
    }
}

#[test]
fn those_left_are_drawn_by_the_same_rule_with_new_sums() {
    // Once the heavy one is gone the other two share what is left one to three.
    let settings = weights(0.0, 0.9, 0.1);
    let table = table([1000.0, 10.0, 30.0], [1.0; 3]);
    let heavy_first = share(&settings, &table, |order| order[0] == 0);
    let then_lighter = share(&settings, &table, |order| order == [0, 1, 2]);
    let expected = 0.9 * 10.0 / 40.0 + 0.1 / 2.0;
    assert!(
        (then_lighter / heavy_first - expected).abs() < 2.0 * NEAR,
        "{then_lighter} of {heavy_first}"
    );
}

#[test]
fn every_candidate_has_a_place_whatever_the_weights() {
    let stakes = (0..100).map(|row| {
        if row % 3 == 0 {
            None
        } else {
            Some(f64::from(row))
        }
    });
    let table = Table::new()
        .numbers("stake", stakes)
        .numbers("price", (0..100).map(|_| None));
    let mut order = policy(&weights(0.3, 0.6, 0.1)).judge(&table).order;
    order.sort_unstable();
    assert_eq!(order, (0..100).collect::<Vec<u32>>());
    assert_eq!(policy(&[]).judge(&Table::of(0)).order, []);
}

#[test]
fn the_same_seed_gives_the_same_order_and_another_one_another() {
    let table = Table::new().numbers("stake", (0..50).map(f64::from));
    let order = |seed| policy(&[]).job(Job::new().seed(seed)).judge(&table).order;
    assert_eq!(order(5), order(5));
    assert_ne!(order(5), order(6));
}

#[test]
fn a_minimum_performance_excludes_unless_nobody_has_it() {
    let scores = [Some(0.6), Some(0.8), Some(0.9), None];
    let left = |min: f64| {
        let table = Table::new().numbers("score/perf", scores);
        let mut order = policy(&[("probability.min-perf-score", min)])
            .judge(&table)
            .order;
        order.sort_unstable();
        order
    };
    assert_eq!(left(0.7), [1, 2]);
    assert_eq!(left(0.99), [0, 1, 2, 3]);
    assert_eq!(left(0.0), [0, 1, 2, 3]);
}

#[test]
fn a_good_incumbent_comes_first_and_a_resting_one_does_not() {
    let table = |rest| {
        Table::new()
            .numbers("stake", [1e9, 1.0, 1e9])
            .marks("incumbent", [false, true, false])
            .counts("rest-ms", [0, rest, 0])
    };
    assert_eq!(policy(&[]).judge(&table(0)).order[0], 1);
    let settings = weights(0.0, 1.0, 0.0);
    assert_ne!(policy(&settings).judge(&table(500)).order[0], 1);
}

#[test]
fn weights_that_do_not_sum_to_one_are_refused() {
    let problems = testing::problems::<Rank>([("probability.price", 0.5.into())]);
    assert_eq!(
        problems,
        ["probability: price, stake and random must sum to 1"]
    );
}

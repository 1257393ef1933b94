//! The first six cases are those of go-livepeer's own selection tests.

use pointsman_sdk::testing::{self, Job, Subject, Table};
use pointsman_sdk::{Rng, Value};

use super::*;

const DRAWS: u32 = 40_000;

/// Three sigma of a share over `DRAWS` is at most 0.0075.
const NEAR: f64 = 0.0075;

fn policy(settings: &[(&'static str, f64)]) -> Subject<Probability> {
    let settings = settings
        .iter()
        .map(|&(key, value)| (key, Value::Number(value)));
    testing::selection::<Probability>(settings)
}

fn weights(price: f64, stake: f64, random: f64) -> [(&'static str, f64); 3] {
    [("price", price), ("stake", stake), ("random", random)]
}

/// Draws `DRAWS` orders of the rows, which are shuffled before each, as a host does.
fn draw<const N: usize>(
    settings: &[(&'static str, f64)],
    (stakes, prices): ([f64; N], [f64; N]),
    mut seen: impl FnMut(&[u32]),
) {
    let mut seeds = Rng::new(7);
    let mut policy = policy(settings);
    let mut rows: Vec<u32> = (0..).take(N).collect();
    for _ in 0..DRAWS {
        for last in (1..N).rev() {
            rows.swap(last, seeds.below(last as u32 + 1) as usize);
        }
        let shuffled = |values: [f64; N]| {
            let values = rows.iter().map(move |&row| values[row as usize]);
            values.collect::<Vec<_>>()
        };
        let table = Table::new()
            .numbers("stake", shuffled(stakes))
            .numbers("price", shuffled(prices));
        policy = policy.job(Job::new().seed(seeds.next()));
        let order = policy.judge(&table).order;
        let order: Vec<u32> = order.into_iter().map(|row| rows[row as usize]).collect();
        seen(&order);
    }
}

fn share(hits: u32) -> f64 {
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
        ([0.0, 1.0, 0.0], [0.0; 3], [1.0, 1.0, 1.0], [third; 3]),
        ([1.0, 0.0, 0.0], [1.0; 3], [1e6, 2e6, 3e6], [third; 3]),
        // No stakes, and all of the price term on the first: the sum passes any draw at the second at the latest, so the first wins
        // when it comes first, and else where the draw is above 0.7 and it comes second: 1/3 + 1/3 * 0.3.
        (
            [0.3, 0.7, 0.0],
            [0.0; 3],
            [0.0, 1e6, 1e6],
            [0.433_333, 0.283_333, 0.283_333],
        ),
    ];
    for (index, (given, stakes, prices, expected)) in cases.iter().enumerate() {
        let settings = weights(given[0], given[1], given[2]);
        let mut firsts = [0; 3];
        draw(&settings, (*stakes, *prices), |order| {
            firsts[order[0] as usize] += 1;
        });
        for (row, (first, expected)) in firsts.into_iter().zip(expected).enumerate() {
            let share = share(first);
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
    let table = ([1000.0, 10.0, 30.0], [1.0; 3]);
    let (mut heavy_first, mut then_lighter) = (0, 0);
    draw(&settings, table, |order| {
        heavy_first += u32::from(order[0] == 0);
        then_lighter += u32::from(order == [0, 1, 2]);
    });
    let expected = 0.9 * 10.0 / 40.0 + 0.1 / 2.0;
    assert!(
        (share(then_lighter) / share(heavy_first) - expected).abs() < 2.0 * NEAR,
        "{then_lighter} of {heavy_first}"
    );
}

#[test]
fn every_candidate_has_a_place_whatever_the_weights() {
    let stakes = (0..100).map(|row| (row % 3 != 0).then_some(f64::from(row)));
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
        let mut order = policy(&[("min-perf-score", min)]).judge(&table).order;
        order.sort_unstable();
        order
    };
    assert_eq!(left(0.7), [1, 2]);
    assert_eq!(left(0.99), [0, 1, 2, 3]);
    assert_eq!(left(0.0), [0, 1, 2, 3]);
}

#[test]
fn an_incumbent_that_keeps_up_comes_first() {
    let table = |rest, score| {
        Table::new()
            .numbers("stake", [1e9, 1.0, 1e9])
            .marks("incumbent", [false, true, false])
            .counts("rest-ms", [0, rest, 0])
            .numbers("latency-score", [None, Some(score), None])
    };
    let settings = weights(0.0, 1.0, 0.0);
    let first = |rest, score| policy(&settings).judge(&table(rest, score)).order[0];
    assert_eq!(first(0, 1.0), 1);
    assert_ne!(first(500, 0.5), 1);
    assert_ne!(first(0, 1.01), 1);
}

#[test]
fn weights_that_do_not_sum_to_one_are_refused() {
    let problems = testing::problems::<Probability>([("price", 0.5.into())]);
    assert_eq!(problems, ["price: price, stake and random must sum to 1"]);
}

//! Draws follow their weights, with seeds that are always the same.

use crate::plan::{Kind, Plan};
use crate::{Candidates, Column, Numbers, Rng, Row, Table, Verdict};

const DRAWS: u32 = 20_000;

fn candidates(values: &[f64]) -> (Candidates, Numbers) {
    let mut plan = Plan::default();
    let handle = plan.numbers("price");
    assert_eq!(plan.columns[0].1, Kind::Numbers);
    let table = Table {
        rows: values.len() as u32,
        columns: vec![Column::Numbers(values.to_vec())],
    };
    (Candidates::new(table, &plan), handle)
}

fn order(verdict: Verdict) -> Vec<u32> {
    let Verdict::Order(ranking) = verdict else {
        panic!("a draw orders")
    };
    let mut rows = ranking.order.clone();
    rows.sort_unstable();
    rows.dedup();
    assert_eq!(rows.len(), ranking.order.len(), "no row twice");
    ranking.order
}

/// How often each row came first, as shares, and how often row 0 came before row 1.
fn shares(rows: usize, draw: impl Fn(Rng) -> Verdict) -> (Vec<f64>, f64) {
    let (mut first, mut before) = (vec![0_u32; rows], 0_u32);
    for seed in 0..DRAWS {
        let order = order(draw(Rng::new(u64::from(seed) << 7)));
        assert_eq!(order.len(), rows);
        first[order[0] as usize] += 1;
        let place = |row: u32| order.iter().position(|&other| other == row);
        before += u32::from(place(0) < place(1));
    }
    let share = |count: u32| f64::from(count) / f64::from(DRAWS);
    (first.into_iter().map(share).collect(), share(before))
}

fn near(share: f64, expected: f64) -> bool {
    // Five standard deviations of a share of so many draws.
    (share - expected).abs() < 5.0 * 0.5 / f64::from(DRAWS).sqrt()
}

#[test]
fn every_place_of_a_weighted_order_goes_by_the_weights() {
    let weights = [1.0, 3.0, 0.5, 3.5];
    let (candidates, weight) = candidates(&weights);
    let value = |row: Row<'_>| row.or(weight, 0.0);
    let (first, before) = shares(4, |rng| candidates.weighted_by(rng, value));
    for (share, weight) in first.iter().zip(weights) {
        assert!(near(*share, weight / 8.0), "{first:?}");
    }
    // Whatever else is there: of two, by their weights.
    assert!(near(before, 0.25), "{before}");
}

#[test]
fn what_has_no_weight_is_last_in_the_order_it_came() {
    let (candidates, weight) = candidates(&[f64::NAN, 1.0, -2.0, f64::INFINITY, 0.0, f64::MAX]);
    for seed in 0..100 {
        let weight = |row: Row<'_>| row.get(weight).unwrap_or(f64::NAN);
        let order = order(candidates.weighted_by(Rng::new(seed), weight));
        assert_eq!(order[2..], [1, 0, 2, 4], "{order:?}");
    }
}

#[test]
fn softmax_goes_by_differences_and_temperature() {
    let (candidates, score) = candidates(&[-1000.0, -999.0]);
    let value = |row: Row<'_>| row.or(score, 0.0);
    for (temperature, odds) in [(1.0, 1.0_f64), (0.5, 2.0), (10.0, 0.1)] {
        let (first, _) = shares(2, |rng| candidates.softmax(rng, temperature, value));
        let expected = 1.0 / (1.0 + odds.exp());
        assert!(near(first[0], expected), "{temperature}: {first:?}");
    }
}

#[test]
fn softmax_at_zero_takes_the_best_and_keeps_the_order_of_equals() {
    let scores = [1.0, f64::NAN, 2.0, 1.0, f64::NEG_INFINITY, f64::INFINITY];
    let (candidates, score) = candidates(&scores);
    let value = |row: Row<'_>| row.get(score).unwrap_or(f64::NAN);
    for temperature in [0.0, -1.0, f64::NAN] {
        let order = order(candidates.softmax(Rng::new(9), temperature, value));
        assert_eq!(order, [5, 2, 0, 3, 4, 1], "{temperature}");
    }
}

#[test]
fn softmax_draws_between_two_that_are_infinitely_good() {
    let (candidates, score) = candidates(&[f64::INFINITY, f64::INFINITY, 1.0]);
    let value = |row: Row<'_>| row.or(score, 0.0);
    let (first, _) = shares(3, |rng| candidates.softmax(rng, 1.0, value));
    assert!(near(first[0], 0.5) && first[2] <= 0.0, "{first:?}");
}

#[test]
fn softmax_far_below_the_best_goes_by_the_score() {
    let (candidates, score) = candidates(&[-2000.0, 0.0, -1000.0, f64::NAN, 0.0]);
    let mut swapped = 0;
    for seed in 0..100 {
        let value = |row: Row<'_>| row.get(score).unwrap_or(f64::NAN);
        let order = order(candidates.softmax(Rng::new(seed), 1.0, value));
        assert_eq!(order[2..], [2, 0, 3], "{order:?}");
        swapped += u32::from(order[0] == 4);
    }
    assert!((20..80).contains(&swapped), "{swapped}");
}

#[test]
fn the_same_seed_gives_the_same_order_and_what_is_out_stays_out() {
    let mut plan = Plan::default();
    let cause = plan.cause("odd");
    let table = Table {
        rows: 5,
        columns: Vec::new(),
    };
    let candidates = Candidates::new(table, &plan);
    let draw = |seed: u64| {
        let even = candidates.keep(|row| row.index() % 2 == 0, cause);
        even.weighted_by(Rng::new(seed), |_| 1.0)
    };
    let Verdict::Order(ranking) = draw(3) else {
        panic!("a draw orders")
    };
    assert_eq!(
        ranking
            .excluded
            .iter()
            .map(|out| out.row)
            .collect::<Vec<_>>(),
        [1, 3]
    );
    assert_eq!(order(draw(3)), ranking.order);
    assert!((0..20).any(|seed| order(draw(seed)) != ranking.order));
}

#[test]
fn nobody_can_be_ordered_too() {
    let (candidates, _) = candidates(&[]);
    assert!(order(candidates.weighted_by(Rng::new(1), |_| 1.0)).is_empty());
    assert!(order(candidates.softmax(Rng::new(1), 1.0, |_| 1.0)).is_empty());
}

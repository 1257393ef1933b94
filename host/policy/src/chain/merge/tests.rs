//! The merge against a model that is slow and obvious, over verdicts good and bad.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::wit::{Ranking, Scoring};

const CAUSES: usize = 3;

/// One stage's verdict and rules, as drawn.
#[derive(Clone, Debug)]
struct Drawn {
    verdict: Verdict,
    on_empty: OnEmpty,
    weight: f64,
}

/// What the model knows: sets and maps by row, no positions.
#[derive(Debug, Default)]
struct Model {
    /// The rows that are left, in order.
    rows: Vec<u32>,
    sums: BTreeMap<u32, f64>,
    scored: bool,
    ordered: bool,
    hedge: Hedge,
    excluded: BTreeMap<u32, (u16, u16)>,
    relaxed: Vec<u16>,
}

#[derive(Debug, PartialEq)]
enum Told {
    Going,
    Empty,
    Refused,
    Fault(FaultKind),
}

impl Model {
    fn new(rows: &[u32]) -> Self {
        Self {
            rows: rows.to_vec(),
            sums: rows.iter().map(|&row| (row, 0.0)).collect(),
            ..Self::default()
        }
    }

    fn exclusions(&self, list: &[Exclusion]) -> Result<BTreeMap<u32, u16>, FaultKind> {
        if list.len() > self.rows.len() {
            return Err(FaultKind::WrongLength);
        }
        let mut out = BTreeMap::new();
        for exclusion in list {
            let row = self.rows.get(exclusion.row as usize);
            let row = row.ok_or(FaultKind::BadIndex)?;
            if out.contains_key(row) {
                return Err(FaultKind::DuplicateRow);
            }
            if usize::from(exclusion.reason) >= CAUSES {
                return Err(FaultKind::BadIndex);
            }
            out.insert(*row, exclusion.reason);
        }
        Ok(out)
    }

    fn drop_rows(&mut self, stage: u16, out: &BTreeMap<u32, u16>, on_empty: OnEmpty) -> Told {
        let left: Vec<u32> = self
            .rows
            .iter()
            .copied()
            .filter(|row| !out.contains_key(row))
            .collect();
        if left.is_empty() {
            return self.emptied(stage, out, on_empty);
        }
        self.note(stage, out);
        self.rows = left;
        Told::Going
    }

    fn emptied(&mut self, stage: u16, out: &BTreeMap<u32, u16>, on_empty: OnEmpty) -> Told {
        if on_empty == OnEmpty::Skip {
            self.relaxed.push(stage);
            return Told::Going;
        }
        self.note(stage, out);
        Told::Empty
    }

    fn note(&mut self, stage: u16, out: &BTreeMap<u32, u16>) {
        let noted = out.iter().map(|(&row, &reason)| (row, (stage, reason)));
        self.excluded.extend(noted);
    }

    fn apply(&mut self, stage: u16, drawn: &Drawn) -> Result<Told, FaultKind> {
        match &drawn.verdict {
            Verdict::Abstain => Ok(Told::Going),
            Verdict::Hedge(ms) => {
                self.hedge = Hedge::from_ms(*ms);
                Ok(Told::Going)
            }
            Verdict::Reject(refusal) if usize::from(refusal.reason) >= CAUSES => {
                Err(FaultKind::BadIndex)
            }
            Verdict::Reject(_) => Ok(Told::Refused),
            Verdict::Exclude(list) => {
                let out = self.exclusions(list)?;
                Ok(self.drop_rows(stage, &out, drawn.on_empty))
            }
            Verdict::Score(scoring) => {
                let out = self.exclusions(&scoring.excluded)?;
                if scoring.scores.len() != self.rows.len() {
                    return Err(FaultKind::WrongLength);
                }
                for (row, score) in self.rows.clone().iter().zip(&scoring.scores) {
                    if out.contains_key(row) {
                        continue;
                    }
                    if score.is_nan() {
                        return Err(FaultKind::NanScore);
                    }
                    if *score < 0.0 || *score > 1.0 {
                        return Err(FaultKind::ScoreRange);
                    }
                    if !self.ordered {
                        *self.sums.get_mut(row).expect("a row") += drawn.weight * score;
                    }
                }
                self.scored |= !self.ordered && out.len() < self.rows.len();
                Ok(self.drop_rows(stage, &out, drawn.on_empty))
            }
            Verdict::Order(ranking) => {
                let mut out = self.exclusions(&ranking.excluded)?;
                if ranking.order.len() > self.rows.len() {
                    return Err(FaultKind::WrongLength);
                }
                let mut listed = Vec::new();
                for &place in &ranking.order {
                    let row = self.rows.get(place as usize);
                    let row = *row.ok_or(FaultKind::BadIndex)?;
                    if listed.contains(&row) {
                        return Err(FaultKind::DuplicateRow);
                    }
                    listed.push(row);
                }
                let order: Vec<u32> = listed
                    .iter()
                    .copied()
                    .filter(|row| !out.contains_key(row))
                    .collect();
                if order.is_empty() {
                    return Ok(self.emptied(stage, &out, drawn.on_empty));
                }
                for row in &self.rows {
                    if !listed.contains(row) {
                        out.entry(*row).or_insert(UNLISTED);
                    }
                }
                self.note(stage, &out);
                self.rows = order;
                self.ordered = true;
                Ok(Told::Going)
            }
        }
    }

    fn settle(&mut self) {
        if !self.ordered && self.scored {
            let sums = &self.sums;
            self.rows.sort_by(|a, b| sums[b].total_cmp(&sums[a]));
        }
    }
}

fn exclusion() -> impl Strategy<Value = Exclusion> {
    (0..9u32, 0..4u16).prop_map(|(row, reason)| Exclusion {
        row,
        reason,
        value: f64::NAN,
    })
}

/// Mostly distinct rows and good reasons, so that most verdicts are accepted.
fn exclusions() -> impl Strategy<Value = Vec<Exclusion>> {
    let good = proptest::collection::btree_set(0..6u32, 0..5).prop_map(|rows| {
        rows.into_iter()
            .map(|row| Exclusion {
                row,
                reason: 1,
                value: 1.0,
            })
            .collect()
    });
    prop_oneof![8 => good, 1 => proptest::collection::vec(exclusion(), 0..5)]
}

fn scores() -> impl Strategy<Value = Vec<f64>> {
    let score = prop_oneof![
        20 => (0..5u8).prop_map(|fifth| f64::from(fifth) / 4.0),
        1 => prop_oneof![Just(f64::NAN), Just(-0.5), Just(1.5), Just(-0.0)],
    ];
    // The right length is put in by `fit`; sometimes it is left wrong.
    proptest::collection::vec(score, 0..9)
}

fn order() -> impl Strategy<Value = Vec<u32>> {
    let all = Just((0..8u32).collect::<Vec<_>>()).prop_shuffle();
    let some = (all, 0..9usize).prop_map(|(mut rows, count)| {
        rows.truncate(count);
        rows
    });
    prop_oneof![6 => some, 1 => proptest::collection::vec(0..9u32, 0..6)]
}

fn verdict() -> impl Strategy<Value = Verdict> {
    let refusal = (0..4u16, 0..700u16).prop_map(|(reason, status)| {
        Verdict::Reject(Refusal {
            status,
            reason,
            message: "no\nmore".to_owned(),
        })
    });
    prop_oneof![
        1 => Just(Verdict::Abstain),
        1 => (0..3u32).prop_map(Verdict::Hedge),
        1 => refusal,
        4 => exclusions().prop_map(Verdict::Exclude),
        4 => (exclusions(), scores())
            .prop_map(|(excluded, scores)| Verdict::Score(Scoring { excluded, scores })),
        4 => (exclusions(), order())
            .prop_map(|(excluded, order)| Verdict::Order(Ranking { excluded, order })),
    ]
}

fn drawn() -> impl Strategy<Value = (Drawn, bool)> {
    let on_empty = prop_oneof![Just(OnEmpty::Fail), Just(OnEmpty::Skip)];
    (verdict(), on_empty, 0..3u8, proptest::bool::weighted(0.9)).prop_map(
        |(verdict, on_empty, weight, fit)| {
            let drawn = Drawn {
                verdict,
                on_empty,
                weight: weight.into(),
            };
            (drawn, fit)
        },
    )
}

/// Makes a drawn verdict fit `count` rows, as a policy would that looks at its table.
fn fit(drawn: &mut Drawn, count: usize) {
    let known = |row: u32| (row as usize) < count;
    match &mut drawn.verdict {
        Verdict::Exclude(excluded) => excluded.retain(|exclusion| known(exclusion.row)),
        Verdict::Score(scoring) => {
            scoring.excluded.retain(|exclusion| known(exclusion.row));
            scoring.scores.resize(count, 0.25);
        }
        Verdict::Order(ranking) => {
            ranking.excluded.retain(|exclusion| known(exclusion.row));
            ranking.order.retain(|&row| known(row));
        }
        Verdict::Abstain | Verdict::Hedge(_) | Verdict::Reject(_) => {}
    }
}

fn told(step: Result<Step, Cause>) -> Told {
    match step {
        Ok(Step::Same | Step::Changed) => Told::Going,
        Ok(Step::Empty) => Told::Empty,
        Ok(Step::Refused(_)) => Told::Refused,
        Err(cause) => Told::Fault(cause.kind),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_merge_agrees_with_the_model(
        rows in (1..8u32).prop_flat_map(|count| Just((10..10 + count).collect::<Vec<_>>()).prop_shuffle()),
        stages in proptest::collection::vec(drawn(), 1..6),
    ) {
        let mut merge = Merge::new(rows.clone());
        let mut model = Model::new(&rows);
        for (stage, (mut drawn, fits)) in stages.into_iter().enumerate() {
            if fits {
                fit(&mut drawn, merge.rows.len());
            }
            let stage = u16::try_from(stage).expect("a few");
            let rules = Rules { stage, weight: drawn.weight, on_empty: drawn.on_empty, causes: CAUSES };
            let expected = model.apply(stage, &drawn).unwrap_or_else(Told::Fault);
            let got = told(merge.apply(&rules, drawn.verdict, |_, _| 0));
            prop_assert_eq!(&got, &expected);
            if matches!(got, Told::Fault(_) | Told::Refused) {
                return Ok(());
            }
            let sums: Vec<f64> = model.rows.iter().map(|row| model.sums[row]).collect();
            if got == Told::Going {
                prop_assert_eq!(&merge.rows, &model.rows);
                prop_assert_eq!(&merge.sums, &sums);
            }
            let excluded: BTreeMap<u32, (u16, u16)> = merge
                .excluded
                .iter()
                .map(|excluded| (excluded.row, (excluded.stage, excluded.reason)))
                .collect();
            prop_assert_eq!(excluded.len(), merge.excluded.len(), "nobody is excluded twice");
            prop_assert_eq!(&excluded, &model.excluded);
            if got == Told::Empty {
                return Ok(());
            }
        }
        merge.settle(&mut Sorting::default());
        model.settle();
        prop_assert_eq!(&merge.rows, &model.rows);
        prop_assert_eq!(merge.hedge, model.hedge);
        prop_assert_eq!(&merge.relaxed, &model.relaxed);
        let everyone: BTreeSet<u32> = merge.rows.iter().copied()
            .chain(merge.excluded.iter().map(|excluded| excluded.row))
            .collect();
        prop_assert_eq!(everyone.len(), rows.len(), "everybody is ordered or excluded");
    }

    #[test]
    fn sums_sort_as_floats_do(sums in proptest::collection::vec(0.0..=1e6f64, 1..50)) {
        let rows: Vec<u32> = (0..u32::try_from(sums.len()).expect("few")).collect();
        let mut merge = Merge::new(rows);
        merge.sums.clone_from(&sums);
        merge.scored = true;
        merge.settle(&mut Sorting::default());
        prop_assert!(merge.sums.windows(2).all(|pair| pair[0] >= pair[1]));
        for (row, sum) in merge.rows.iter().zip(&merge.sums) {
            prop_assert_eq!(*sum, sums[*row as usize], "a sum stays with its row");
        }
    }
}

#[test]
fn a_refusal_is_made_fit_for_the_application() {
    let refusal = Refusal {
        status: 200,
        reason: 0,
        message: format!("no\r\n{}", "x".repeat(2000)),
    };
    let refusal = checked(refusal, 1).expect("a known reason");
    assert_eq!(refusal.status, 503);
    assert_eq!(refusal.message.len(), Limits::MAX_STRING);
    assert!(refusal.message.starts_with("no  x"));
}

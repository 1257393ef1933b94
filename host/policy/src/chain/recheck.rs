//! What the host keeps to itself: a policy can order and exclude, never include what must not be.

use pointsman_facts::values::{NO, UNKNOWN_COUNT};
use pointsman_facts::{Job, Price, Values};

use super::gather::Base;
use super::merge::Merge;

/// Why the host dropped a candidate that the policy had let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DropReason {
    /// It cannot do the job.
    Unfit,
    /// Its price is above the hard ceiling.
    AboveCeiling,
    /// Its price is unknown, and an unknown price does not pass under a ceiling here.
    Unpriced,
    /// The application named the only ones that may get the job, and it is none of them.
    NotOnly,
    /// The application barred it.
    Ignored,
}

/// A candidate that the host dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HostDrop {
    pub(crate) row: u32,
    pub(crate) reason: DropReason,
}

/// Where the columns stand that the host itself needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needed {
    pub(crate) fit: usize,
    pub(crate) price_num: usize,
    pub(crate) price_den: usize,
}

// === impl DropReason ===

impl DropReason {
    /// The name in decisions and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unfit => "unfit",
            Self::AboveCeiling => "above-ceiling",
            Self::Unpriced => "unpriced",
            Self::NotOnly => "not-only",
            Self::Ignored => "ignored",
        }
    }
}

/// Drops from `merge` what breaks an invariant of the host.
pub(crate) fn recheck(
    merge: &mut Merge,
    base: &mut Base<'_>,
    needed: Needed,
    job: &Job,
    unpriced_passes: bool,
) -> Vec<HostDrop> {
    let mut drops = Vec::new();
    if let Values::Marks(fit) = base.values(needed.fit) {
        drop_rows(merge, &mut drops, |row| {
            (fit[row] == NO).then_some(DropReason::Unfit)
        });
    }
    let hints = &job.hints;
    if hints.only.is_some() || !hints.ignore.is_empty() {
        drop_rows(merge, &mut drops, |row| {
            let id = base.id(row);
            let barred = hints.ignore.contains(&id).then_some(DropReason::Ignored);
            barred.or_else(|| (hints.allows(id) == Some(false)).then_some(DropReason::NotOnly))
        });
    }
    // The operator may let policies pass his ceiling, never the application's.
    let ceiling = if job.price_is_hard {
        job.max_price
    } else {
        hints.max_price
    };
    let Some(ceiling) = ceiling else {
        return drops;
    };
    let num = base.values(needed.price_num).clone();
    if let (Values::Counts(num), Values::Counts(den)) = (num, base.values(needed.price_den)) {
        drop_rows(merge, &mut drops, |row| match exact(num[row], den[row]) {
            Some(price) => (price > ceiling).then_some(DropReason::AboveCeiling),
            None => (!unpriced_passes).then_some(DropReason::Unpriced),
        });
    }
    drops
}

fn exact(num: u64, den: u64) -> Option<Price> {
    if num == UNKNOWN_COUNT || den == UNKNOWN_COUNT {
        return None;
    }
    Price::new(num, den)
}

fn drop_rows(
    merge: &mut Merge,
    drops: &mut Vec<HostDrop>,
    why: impl Fn(usize) -> Option<DropReason>,
) {
    let before = drops.len();
    let breaks = merge
        .rows
        .iter()
        .filter_map(|&row| why(row as usize).map(|reason| HostDrop { row, reason }));
    drops.extend(breaks);
    if drops.len() == before {
        return;
    }
    let kept = |row: u32| why(row as usize).is_none();
    let sums = merge.rows.iter().zip(&merge.sums);
    merge.sums = sums
        .filter(|(row, _)| kept(**row))
        .map(|(_, sum)| *sum)
        .collect();
    merge.rows.retain(|&row| kept(row));
}

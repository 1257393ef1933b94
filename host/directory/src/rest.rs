//! Rests: how long an orchestrator is left alone after a fault.
//!
//! # Contract
//!
//! A policy asks for a rest, the directory grants it or not. A rest lasts five minutes at most and runs off by itself. Rests
//! never take out the last usable orchestrator, nor more than 30 % of the usable ones (but always one): what is asked beyond
//! is refused and counted. When the usable ones grow fewer, the rests that would end first end at once, until the rule
//! holds again. Who cannot be used anyway rests as long as it likes: it takes nobody out.

use std::sync::Arc;
use std::time::Duration;

use pointsman_facts::Symbol;

use crate::orchestrator::Orchestrator;
use crate::table::Table;

/// Longest rest.
const LONGEST: Duration = Duration::from_secs(5 * 60);

/// Share of the usable orchestrators that may rest at a time, in percent.
const SHARE: usize = 30;

/// What became of a rest that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// It rests for this long, or longer where it rested already.
    Granted(Duration),
    /// It was the last, or too many rest already.
    Refused,
    /// No such orchestrator is known.
    Unknown,
}

/// How many of `usable` orchestrators may rest.
fn allowed(usable: usize) -> usize {
    (usable * SHARE / 100).max(1).min(usable.saturating_sub(1))
}

// === impl Table ===

impl Table {
    /// Lets `id` rest, within the rules.
    pub(crate) fn rest(&mut self, id: Symbol, rest: Duration, now_ms: u64) -> Rest {
        let Some(entry) = self.get(id) else {
            return Rest::Unknown;
        };
        let rest = rest.min(LONGEST);
        let orchestrator = Arc::clone(&entry.orchestrator);
        let takes_one_out = entry.standing.is_usable() && orchestrator.rest_ms(now_ms) == 0;
        if takes_one_out && self.resting(now_ms).len() >= allowed(self.usable()) {
            return Rest::Refused;
        }
        let ms = u64::try_from(rest.as_millis()).unwrap_or(u64::MAX);
        let until_ms = now_ms.saturating_add(ms).max(orchestrator.rest_until_ms());
        orchestrator.set_rest_until_ms(until_ms);
        self.touch(id);
        Rest::Granted(rest)
    }

    /// Ends rests until no more than allowed are left.
    pub(crate) fn trim_rests(&mut self, now_ms: u64) {
        let mut resting = self.resting(now_ms);
        let excess = resting.len().saturating_sub(allowed(self.usable()));
        resting.sort_by_key(|orchestrator| (orchestrator.rest_until_ms(), orchestrator.id));
        for orchestrator in resting.iter().take(excess) {
            orchestrator.set_rest_until_ms(0);
            self.touch(orchestrator.id);
        }
    }

    /// The usable ones that rest.
    fn resting(&self, now_ms: u64) -> Vec<Arc<Orchestrator>> {
        self.entries()
            .filter(|entry| entry.standing.is_usable())
            .map(|entry| &entry.orchestrator)
            .filter(|orchestrator| orchestrator.rest_ms(now_ms) > 0)
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use pointsman_facts::{Blame, Failure, FailureKind};
    use pointsman_wire::net::{AuthToken, OrchestratorInfo};
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::source::{Sources, identity, merge};

    const MINUTE: Duration = Duration::from_secs(60);

    fn id(i: usize) -> Symbol {
        identity(&uri(i))
    }

    fn uri(i: usize) -> pointsman_wire::uri::ServiceUri {
        format!("https://o{i}").parse().expect("a service URI")
    }

    fn known(table: &mut Table, count: usize) {
        let sources = Sources {
            list: (0..count).map(uri).collect(),
            ..Sources::default()
        };
        table.replace(
            merge(&sources, &[], &Default::default()),
            0,
            &CancellationToken::new(),
        );
    }

    fn table(count: usize) -> Table {
        let mut table = Table::default();
        known(&mut table, count);
        let info = OrchestratorInfo {
            transcoder: "https://work".into(),
            auth_token: Some(AuthToken::default()),
            ..Default::default()
        };
        (0..count).for_each(|i| _ = table.observed(id(i), &info, 0));
        table
    }

    fn resting(table: &Table, count: usize) -> usize {
        let rests = |i: &usize| {
            let entry = table.get(id(*i));
            entry.is_some_and(|entry| entry.orchestrator.rest_ms(0) > 0)
        };
        (0..count).filter(rests).count()
    }

    #[test]
    fn the_last_one_never_rests() {
        let mut table = table(1);
        assert_eq!(table.rest(id(0), MINUTE, 0), Rest::Refused);
        assert_eq!(resting(&table, 1), 0);
    }

    #[test]
    fn one_of_a_few_and_three_in_ten_may_rest() {
        for (count, expected) in [(2, 1), (3, 1), (6, 1), (7, 2), (10, 3), (100, 30)] {
            let mut table = table(count);
            let answers: Vec<_> = (0..count).map(|i| table.rest(id(i), MINUTE, 0)).collect();
            let granted = |rest: &&Rest| **rest == Rest::Granted(MINUTE);
            assert_eq!(answers.iter().filter(granted).count(), expected, "{count}");
            assert_eq!(resting(&table, count), expected, "{count}");
        }
    }

    #[test]
    fn a_rest_is_cut_at_five_minutes_runs_off_and_is_never_shortened() {
        let mut table = table(4);
        assert_eq!(table.rest(id(0), 60 * MINUTE, 0), Rest::Granted(LONGEST));
        let orchestrator = Arc::clone(&table.get(id(0)).expect("known").orchestrator);
        assert_eq!(orchestrator.rest_ms(100_000), 200_000);
        assert_eq!(table.rest(id(0), MINUTE, 100_000), Rest::Granted(MINUTE));
        assert_eq!(orchestrator.rest_ms(100_000), 200_000);
        assert_eq!(orchestrator.rest_ms(300_000), 0);
        assert_eq!(table.rest(id(1), MINUTE, 300_000), Rest::Granted(MINUTE));
    }

    #[test]
    fn rests_end_when_the_others_leave() {
        let mut table = table(10);
        for (i, minutes) in [(0, 3), (1, 1), (2, 2)] {
            table.rest(id(i), minutes * MINUTE, 0);
        }
        assert_eq!(resting(&table, 10), 3);
        known(&mut table, 5);
        assert_eq!(resting(&table, 5), 1, "of five");
        assert!(
            table.get(id(0)).expect("known").orchestrator.rest_ms(0) > 0,
            "the longest"
        );
        known(&mut table, 1);
        assert_eq!(resting(&table, 1), 0, "the last");
    }

    #[test]
    fn rests_end_when_the_others_fall_silent() {
        let mut table = table(2);
        table.rest(id(0), MINUTE, 0);
        let lost = Failure::new(Blame::Network, FailureKind::Connect, "refused");
        (0..2).for_each(|_| _ = table.probed(id(1), Err(&lost), 0));
        assert_eq!(resting(&table, 2), 0);
        assert_eq!(
            table.rest(id(1), MINUTE, 0),
            Rest::Granted(MINUTE),
            "it takes nobody out"
        );
    }

    #[test]
    fn an_unknown_one_is_no_error() {
        assert_eq!(table(1).rest(id(7), MINUTE, 0), Rest::Unknown);
    }
}

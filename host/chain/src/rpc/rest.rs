//! How long an endpoint that failed is left alone.

use tokio::time::Instant;

use super::{Fault, Limits};

/// One endpoint's health.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// Failures since the last answer.
    failures: u32,
    /// Answers that were not believed since the last that was. Answering does not end these.
    doubts: u32,
    until: Option<Instant>,
    last: Option<Fault>,
    /// It will not be asked again.
    barred: bool,
}

// === impl Rest ===

impl Rest {
    /// It answered.
    pub(super) fn recovered(&mut self) {
        *self = Self {
            barred: self.barred,
            doubts: self.doubts,
            ..Self::default()
        };
    }

    /// What it answered was believed.
    pub(super) fn trusted(&mut self) {
        self.doubts = 0;
    }

    /// It failed. The rest doubles with each failure in a row; a random half is taken off, so that many gateways do not come back at once. What
    /// a node asks for itself is never shortened, up to the longest rest.
    pub(super) fn failed(&mut self, fault: Fault, limits: &Limits, now: Instant) {
        self.barred |= matches!(fault, Fault::WrongChain { .. });
        let count = match fault {
            Fault::Head(_) => &mut self.doubts,
            _ => &mut self.failures,
        };
        *count = count.saturating_add(1);
        let doublings = (*count - 1).min(16);
        let whole = limits
            .rest
            .saturating_mul(1 << doublings)
            .min(limits.rest_most);
        let mut rest = whole.mul_f64(0.5 + fastrand::f64() / 2.0);
        if let Fault::Throttled(Some(after)) = fault {
            rest = rest.max(after.min(limits.rest_most));
        }
        self.until = Some(now + rest);
        self.last = Some(fault);
    }

    /// When it may be asked: `None` is never.
    pub(super) fn ready_at(&self, now: Instant) -> Option<Instant> {
        (!self.barred).then(|| self.until.map_or(now, |until| until.max(now)))
    }

    pub(super) fn last(&self) -> Option<&Fault> {
        self.last.as_ref()
    }

    pub(super) fn is_barred(&self) -> bool {
        self.barred
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn rest_after(failures: u32, fault: &Fault) -> Duration {
        let (mut rest, now) = (Rest::default(), Instant::now());
        (0..failures).for_each(|_| rest.failed(fault.clone(), &Limits::default(), now));
        rest.ready_at(now).unwrap() - now
    }

    #[test]
    fn the_rest_doubles_within_its_bounds() {
        let limits = Limits::default();
        for failures in 1..40 {
            let whole = limits.rest.saturating_mul(1 << (failures - 1).min(16));
            let whole = whole.min(limits.rest_most);
            let rest = rest_after(failures, &Fault::Status(503));
            assert!(rest >= whole / 2 && rest <= whole, "{failures}: {rest:?}");
        }
    }

    #[test]
    fn what_a_node_asks_for_is_kept_up_to_the_longest_rest() {
        let asks = |seconds| Fault::Throttled(Some(Duration::from_secs(seconds)));
        assert_eq!(rest_after(1, &asks(7)), Duration::from_secs(7));
        assert_eq!(rest_after(1, &asks(86_400)), Limits::default().rest_most);
    }

    #[test]
    fn answering_does_not_make_a_liar_honest() {
        let (mut rest, now, limits) = (Rest::default(), Instant::now(), Limits::default());
        for _ in 0..10 {
            rest.recovered();
            rest.failed(Fault::Head(String::new()), &limits, now);
        }
        assert!(rest.ready_at(now).unwrap() - now >= limits.rest_most / 2);
        rest.trusted();
        rest.failed(Fault::Head(String::new()), &limits, now);
        assert!(rest.ready_at(now).unwrap() - now <= limits.rest);
    }

    #[test]
    fn another_chain_is_for_good_and_an_answer_ends_a_rest() {
        let (mut rest, now) = (Rest::default(), Instant::now());
        rest.failed(Fault::Status(500), &Limits::default(), now);
        rest.recovered();
        assert_eq!(rest.ready_at(now), Some(now));
        rest.failed(
            Fault::WrongChain {
                got: 1,
                want: 42161,
            },
            &Limits::default(),
            now,
        );
        rest.recovered();
        assert_eq!(rest.ready_at(now), None);
    }
}

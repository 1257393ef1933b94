//! The failures in force, and whose turn it is.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::{Kind, Method, Rule, When};

/// The rules of one orchestrator. Drawing costs one atomic load while there are none.
#[derive(Debug)]
pub(crate) struct Plan {
    armed: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    rules: Vec<Rule>,
    random: fastrand::Rng,
}

// === impl Plan ===

impl Plan {
    /// The same seed and requests give the same failures.
    pub(crate) fn new(rules: Vec<Rule>, seed: u64) -> Self {
        Self {
            armed: AtomicBool::new(!rules.is_empty()),
            state: Mutex::new(State {
                rules,
                random: fastrand::Rng::with_seed(seed),
            }),
        }
    }

    /// Replaces the rules; the random sequence goes on.
    pub(crate) fn set(&self, rules: Vec<Rule>) {
        let mut state = self.state.lock();
        self.armed.store(!rules.is_empty(), Ordering::Release);
        state.rules = rules;
    }

    /// The rules as they stand now, with what is left of each count.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        self.state.lock().rules.clone()
    }

    /// Whether no connection may even be made.
    pub(crate) fn closes_the_port(&self) -> bool {
        self.armed.load(Ordering::Acquire)
            && self.state.lock().rules.iter().any(Rule::closes_the_port)
    }

    /// Whether to reset a connection that was just accepted. Rules limited to some methods wait for the request.
    pub(crate) fn refuses_connection(&self) -> bool {
        if !self.armed.load(Ordering::Acquire) {
            return false;
        }
        self.state
            .lock()
            .draw(|rule| rule.kind == Kind::Refuse && rule.on == super::ALL)
            .is_some()
    }

    /// How this request fails, if it does.
    pub(crate) fn draw(&self, method: Method) -> Option<Kind> {
        if !self.armed.load(Ordering::Acquire) {
            return None;
        }
        self.state.lock().draw(|rule| {
            // A rule that refuses connections has had its draw when this one was accepted.
            let spent =
                rule.kind == Kind::Refuse && rule.on == super::ALL && !rule.closes_the_port();
            rule.on.contains(&method) && rule.kind.applies_to().contains(&method) && !spent
        })
    }
}

// === impl State ===

impl State {
    fn draw(&mut self, applies: impl Fn(&Rule) -> bool) -> Option<Kind> {
        let random = &mut self.random;
        let rule = self
            .rules
            .iter_mut()
            .filter(|rule| applies(rule))
            .find(|rule| match rule.when {
                When::Always => true,
                When::Probability(share) => random.f64() < share,
                When::Next(left) => left > 0,
            })?;
        if let When::Next(left) = &mut rule.when {
            *left -= 1;
        }
        Some(rule.kind.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_applies_decides() {
        let rules = vec![
            Rule::next(Kind::Busy, 2),
            Rule::always(Kind::Capped).on(Method::Segment),
        ];
        let plan = Plan::new(rules, 1);
        assert_eq!(plan.draw(Method::Segment), Some(Kind::Busy));
        assert_eq!(plan.draw(Method::GetOrchestrator), None);
        assert_eq!(plan.draw(Method::Segment), Some(Kind::Busy));
        assert_eq!(plan.draw(Method::Segment), Some(Kind::Capped));
        plan.set(Vec::new());
        assert_eq!(plan.draw(Method::Segment), None);
    }

    #[test]
    fn the_seed_decides_the_luck() {
        let draws = |seed| -> Vec<bool> {
            let plan = Plan::new(vec![Rule::probability(Kind::Busy, 0.3)], seed);
            (0..1000)
                .map(|_| plan.draw(Method::Segment).is_some())
                .collect()
        };
        assert_eq!(draws(7), draws(7));
        assert_ne!(draws(7), draws(8));
        let hits = draws(7).into_iter().filter(|hit| *hit).count();
        assert!((200..400).contains(&hits), "{hits} of 1000 at 0.3");
    }

    #[test]
    fn refusing_everything_closes_the_port_and_a_count_does_not() {
        let plan = Plan::new(vec![Rule::always(Kind::Refuse)], 1);
        assert!(plan.closes_the_port() && plan.refuses_connection());
        assert_eq!(plan.draw(Method::Download), Some(Kind::Refuse));

        plan.set(vec![Rule::next(Kind::Refuse, 1)]);
        assert!(!plan.closes_the_port());
        assert!(plan.refuses_connection() && !plan.refuses_connection());

        plan.set(vec![Rule::always(Kind::Refuse).on(Method::Segment)]);
        assert!(!plan.refuses_connection());
        assert_eq!(plan.draw(Method::Segment), Some(Kind::Refuse));
    }

    #[test]
    fn a_request_that_cannot_fail_this_way_is_unharmed() {
        let plan = Plan::new(vec![Rule::always(Kind::Busy).on(Method::Download)], 1);
        assert_eq!(plan.draw(Method::Download), None);
    }
}

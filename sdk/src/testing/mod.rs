//! Tables by hand, for tests of policies.
//!
//! ```
//! use pointsman_sdk::prelude::*;
//! use pointsman_sdk::testing::{self, Table};
//!
//! policy! { struct Cheapest { price: Numbers = "price" } }
//! export!(Cheapest);
//!
//! impl Selection for Cheapest {
//!     fn judge(&self, _: &Job, candidates: &Candidates) -> Verdict {
//!         candidates.order_by(|row| row.get(self.price))
//!     }
//! }
//!
//! let policy = testing::selection::<Cheapest>([]);
//! let outcome = policy.judge(&Table::new().numbers("price", [Some(3.0), None, Some(1.0)]));
//! assert_eq!(outcome.order, [2, 0, 1]);
//! ```
//!
//! With `POINTSMAN_VECTORS=DIR` in the environment every question is written down with its answer, for the component to be
//! asked the same. The format is in the sdk's README.

mod job;
mod json;
mod subject;
mod table;
mod vectors;

pub use job::Job;
pub use subject::{Outcome, Subject};
pub use table::Table;

use crate::byoc::Request;
use crate::component::{About, Configured};
use crate::{Byoc, Failover, Policy, Problem, Selection, Setting, Value, symbol};

/// `P` with the selection hook.
///
/// # Panics
///
/// When the settings are wrong; the message has the problems.
#[must_use]
pub fn selection<P: Selection + About>(
    settings: impl IntoIterator<Item = (&'static str, Value)>,
) -> Subject<P> {
    Subject::new("selection", given(settings))
}

/// `P` with the byoc hook.
///
/// # Panics
///
/// When the settings are wrong; the message has the problems.
#[must_use]
pub fn byoc<P: Byoc + About>(
    settings: impl IntoIterator<Item = (&'static str, Value)>,
) -> Subject<P> {
    Subject::new("byoc", given(settings))
}

/// `P` with the failover hook.
///
/// # Panics
///
/// When the settings are wrong; the message has the problems.
#[must_use]
pub fn failover<P: Failover + About>(
    settings: impl IntoIterator<Item = (&'static str, Value)>,
) -> Subject<P> {
    Subject::new("failover", given(settings))
}

/// The problems that `P` has with these settings, as `key: message`.
#[must_use]
pub fn problems<P: Policy>(
    settings: impl IntoIterator<Item = (&'static str, Value)>,
) -> Vec<String> {
    shown(
        Configured::<P>::new(given(settings))
            .err()
            .unwrap_or_default(),
    )
}

/// A call of `capability`: the path `/`, no parameters, no labels. Its fields are there to be set.
#[must_use]
pub fn request(capability: &str) -> Request {
    Request {
        capability: capability.to_owned(),
        path: "/".to_owned(),
        parameters: "{}".to_owned(),
        labels: Vec::new(),
    }
}

/// A setting that is a string.
#[must_use]
pub fn text(text: &str) -> Value {
    Value::Text((text.to_owned(), symbol(text)))
}

/// A setting that is a list of strings.
#[must_use]
pub fn texts(texts: &[&str]) -> Value {
    Value::Texts(
        texts
            .iter()
            .map(|text| ((*text).to_owned(), symbol(text)))
            .collect(),
    )
}

fn given(settings: impl IntoIterator<Item = (&'static str, Value)>) -> Vec<Setting> {
    settings
        .into_iter()
        .map(|(key, value)| Setting {
            key: key.to_owned(),
            value,
        })
        .collect()
}

fn shown(problems: Vec<Problem>) -> Vec<String> {
    problems
        .into_iter()
        .map(|Problem { key, message }| format!("{key}: {message}"))
        .collect()
}

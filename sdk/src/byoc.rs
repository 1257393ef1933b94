//! The byoc hook.
//!
//! A rule for calls of custom containers: who pays less waits less and reaches only some orchestrators.
//!
//! ```
//! use pointsman_sdk::prelude::*;
//!
//! policy! { struct Tiers { closed: Cause = "not sold to this tier" } }
//!
//! impl Byoc for Tiers {
//!     fn route(&self, _: &Job, request: &Request) -> Routing {
//!         match request.label("tier") {
//!             Some("gold") => Routing::Abstain,
//!             Some("free") if request.capability == "video" => self.closed.refuse(403, "upgrade for video").into(),
//!             _ => Change::new().only(["https://slow.example:8935"]).timeout_ms(10_000).into(),
//!         }
//!     }
//! }
//!
//! export!(Tiers: Byoc);
//! ```

pub use crate::bindings::byoc::{Change, Request, Routing};
use crate::{Job, Policy, Price, Refusal};

/// What a call of a custom container may ask for: one stage of those that a bundle lists, asked before candidates are looked up.
///
/// A stage can only tighten, and what one tightened no later one widens: the host puts the changes together, and
/// drops what would widen. How: `wit/README.md`.
pub trait Byoc: Policy {
    /// Routes one call, or one stream. `request` is as the stages before left it.
    fn route(&self, job: &Job, request: &Request) -> Routing;
}

// === impl Request ===

impl Request {
    /// The label `key`, in lower case, if there is one.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        let found = self.labels.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| value.as_str())
    }
}

// === impl Change ===

impl Change {
    /// Changes nothing, until told to.
    #[must_use]
    pub fn new() -> Self {
        Self {
            capability: None,
            only: Vec::new(),
            ignore: Vec::new(),
            max_price: None,
            timeout_ms: None,
            labels: Vec::new(),
        }
    }

    /// Uses this capability, whichever was asked for. No later stage can name another.
    #[must_use]
    pub fn capability(mut self, name: &str) -> Self {
        self.capability = Some(name.to_owned());
        self
    }

    /// Lets only these orchestrators have it, by service URI, address or id; together with those named before. None at all is no opinion:
    /// to refuse, answer [`Routing::Reject`].
    #[must_use]
    pub fn only<S: Into<String>>(mut self, orchestrators: impl IntoIterator<Item = S>) -> Self {
        self.only.extend(orchestrators.into_iter().map(S::into));
        self
    }

    /// Lets none of these orchestrators have it, by service URI, address or id; nor those named before.
    #[must_use]
    pub fn ignore<S: Into<String>>(mut self, orchestrators: impl IntoIterator<Item = S>) -> Self {
        self.ignore.extend(orchestrators.into_iter().map(S::into));
        self
    }

    /// Pays at most this, wei per second of compute.
    #[must_use]
    pub fn max_price(mut self, price: Price) -> Self {
        self.max_price = Some(price);
        self
    }

    /// Gives it at most so long, ms.
    #[must_use]
    pub fn timeout_ms(mut self, ms: u32) -> Self {
        self.timeout_ms = Some(ms);
        self
    }

    /// Adds a label, for later stages and for selection (the job fact `label/<key>`).
    #[must_use]
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.labels.push((key.to_owned(), value.to_owned()));
        self
    }
}

impl Default for Change {
    fn default() -> Self {
        Self::new()
    }
}

// === impl Routing ===

impl From<Change> for Routing {
    fn from(change: Change) -> Self {
        Self::Change(change)
    }
}

impl From<Refusal> for Routing {
    fn from(refusal: Refusal) -> Self {
        Self::Reject(refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_holds_what_was_said_and_nothing_else() {
        let price = Price::new(3, 2).expect("a denominator above zero");
        let change = Change::new()
            .only(["https://a.example"])
            .only([String::from("https://b.example")])
            .max_price(price)
            .label("tier", "free");
        let expected = Change {
            only: vec!["https://a.example".into(), "https://b.example".into()],
            max_price: Some(price),
            labels: vec![("tier".into(), "free".into())],
            ..Change::default()
        };
        assert_eq!(Routing::from(change), Routing::Change(expected));
    }

    #[test]
    fn a_label_is_found_by_its_key() {
        let request = Request {
            capability: "video".into(),
            path: "/".into(),
            parameters: "{}".into(),
            labels: vec![("tier".into(), "gold".into())],
        };
        assert_eq!(request.label("tier"), Some("gold"));
        assert_eq!(request.label("team"), None);
    }
}

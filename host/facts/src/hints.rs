//! What the application itself wants of a job.
//!
//! # Contract
//!
//! A hint is a wish and can only tighten: what the operator closed stays closed. [`only`](Hints::only), [`ignore`](Hints::ignore) and
//! [`max_price`](Hints::max_price) bind the host too, which checks them again after the policies, as it does with fit. The others are
//! for policies to honour or not.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Price, Symbol};

/// Wishes about one job. Orchestrators stand by the symbols of their [names](crate::Name), in a [`Job`](crate::Job) by their identities
/// alone, see [`Column::Id`](crate::Column::Id).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hints {
    /// Who should get it, best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<Symbol>,
    /// The only ones that may get it. Empty: nobody may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<Vec<Symbol>>,
    /// Those that must not get it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<Symbol>,
    /// The most that the application pays, wei per unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_price: Option<Price>,
    /// What to prefer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<Sort>,
    /// The application's key of a stream or conversation: the same key, the same [`Job::affinity`](crate::Job::affinity).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Symbol>,
    /// Labels, keys in lower case. In a [`Job`](crate::Job) they stand in [`Job::labels`](crate::Job::labels) and here are none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// Hints as people read them, orchestrators by their ids of 16 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// As [`Hints::order`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<String>,
    /// As [`Hints::only`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<Vec<String>>,
    /// As [`Hints::ignore`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// As [`Hints::max_price`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_price: Option<Price>,
    /// As [`Hints::sort`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<Sort>,
    /// As [`Hints::labels`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// What the application would rather have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    /// The cheapest.
    Price,
    /// The quickest answer.
    Latency,
    /// The most work in a time.
    Throughput,
}

// === impl Hints ===

impl Hints {
    /// For people. The affinity key is left out: as a job's affinity it is shown anyway.
    #[must_use]
    pub fn shown(&self) -> Shown {
        let ids = |list: &[Symbol]| list.iter().map(Symbol::to_string).collect();
        Shown {
            order: ids(&self.order),
            only: self.only.as_deref().map(ids),
            ignore: ids(&self.ignore),
            max_price: self.max_price,
            sort: self.sort,
            labels: self.labels.clone(),
        }
    }

    /// Whether nothing is wished.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// These hints; of what they do not say, and of labels by key, what `other` says.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        let list = |ours: Vec<Symbol>, theirs: &Vec<Symbol>| match ours.is_empty() {
            true => theirs.clone(),
            false => ours,
        };
        let mut labels = other.labels.clone();
        labels.extend(self.labels);
        Self {
            order: list(self.order, &other.order),
            only: self.only.or_else(|| other.only.clone()),
            ignore: list(self.ignore, &other.ignore),
            max_price: self.max_price.or(other.max_price),
            sort: self.sort.or(other.sort),
            affinity: self.affinity.or(other.affinity),
            labels,
        }
    }

    /// Whether `id` is on the list of the only ones; `None` without such a list.
    #[must_use]
    pub fn allows(&self, id: Symbol) -> Option<bool> {
        self.only.as_ref().map(|only| only.contains(&id))
    }

    /// The lower of the application's price and `ceiling`.
    #[must_use]
    pub fn tighten(&self, ceiling: Option<Price>) -> Option<Price> {
        match (self.max_price, ceiling) {
            (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
            (ours, theirs) => ours.or(theirs),
        }
    }
}

// === impl Shown ===

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |word: &str, ids: &[String]| format!("{word} {}", ids.join(", "));
        let some = |ids: &Vec<String>| !ids.is_empty();
        let order = Some(&self.order).filter(|ids| some(ids));
        let ignore = Some(&self.ignore).filter(|ids| some(ids));
        let labels = self.labels.iter();
        let parts = [
            order.map(|ids| list("order", ids)),
            self.only.as_ref().map(|ids| list("only", ids)),
            ignore.map(|ids| list("ignore", ids)),
            self.max_price
                .map(|price| format!("max price {}/{}", price.num, price.den)),
            self.sort.map(|sort| format!("sort {}", sort.name())),
        ];
        let parts = parts.into_iter().flatten();
        let labels = labels.map(|(key, value)| format!("label {key}={value}"));
        let all: Vec<String> = parts.chain(labels).collect();
        f.write_str(&all.join("; "))
    }
}

// === impl Sort ===

impl Sort {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Price, Self::Latency, Self::Throughput];

    /// The name in hints.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::Latency => "latency",
            Self::Throughput => "throughput",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(num: u64) -> Option<Price> {
        Price::new(num, 1)
    }

    #[test]
    fn a_price_is_lowered_and_never_raised() {
        let hints = |max_price| Hints {
            max_price,
            ..Hints::default()
        };
        assert_eq!(hints(price(5)).tighten(price(9)), price(5));
        assert_eq!(hints(price(9)).tighten(price(5)), price(5));
        assert_eq!(hints(None).tighten(price(5)), price(5));
        assert_eq!(hints(price(9)).tighten(None), price(9));
    }

    #[test]
    fn people_read_ids_and_no_numbers() {
        let hints = Hints {
            only: Some(vec![Symbol(0xab)]),
            ignore: vec![Symbol(1), Symbol(2)],
            max_price: Price::new(3, 2),
            sort: Some(Sort::Price),
            labels: [("tier".to_owned(), "gold".to_owned())].into(),
            ..Hints::default()
        };
        assert_eq!(
            hints.shown().to_string(),
            "only 00000000000000ab; ignore 0000000000000001, 0000000000000002; max price 3/2; sort price; label tier=gold"
        );
    }

    #[test]
    fn one_source_wins_field_by_field_and_label_by_label() {
        let (a, b) = (Symbol::of("a"), Symbol::of("b"));
        let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let first = Hints {
            only: Some(vec![a]),
            labels: [label("tier", "gold")].into(),
            ..Hints::default()
        };
        let second = Hints {
            only: Some(vec![b]),
            ignore: vec![b],
            labels: [label("tier", "tin"), label("team", "x")].into(),
            ..Hints::default()
        };
        let merged = first.or(&second);
        assert_eq!(merged.only, Some(vec![a]));
        assert_eq!(merged.ignore, [b]);
        assert_eq!(
            merged.labels,
            [label("tier", "gold"), label("team", "x")].into()
        );
    }
}

//! What the operator wrote for a stage.

use core::ops::RangeInclusive;

use crate::bindings::policy as wit;
use crate::text::joined;
use crate::{Price, Problem, Setting, Symbol, Value};

/// The settings of one stage, read once in `configure`.
///
/// Each is read with its default. What is wrong with one (another type, out of range, a word that is no choice), and every
/// setting that was never read, becomes a [`Problem`]: the bundle is refused with a message that says what to write. So read
/// all of them, also those that other settings make idle.
#[derive(Debug)]
pub struct Settings {
    given: Vec<Setting>,
    known: Vec<Known>,
    problems: Vec<Problem>,
}

/// A setting that a policy reads; what its schema must say.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// Dotted for nested tables.
    pub key: &'static str,
    /// The value when it is not set. A component does without.
    #[cfg(not(target_arch = "wasm32"))]
    pub default: Value,
}

/// A string and its symbol, for comparing with columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// As written.
    pub text: String,
    /// As columns have it.
    pub symbol: Symbol,
}

// === impl Settings ===

impl Settings {
    pub(crate) fn new(given: Vec<Setting>) -> Self {
        Self {
            given,
            known: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Yes or no.
    pub fn flag(&mut self, key: &'static str, default: bool) -> bool {
        self.know(key, || Value::Bool(default));
        match self.value(key) {
            None => default,
            Some(Value::Bool(value)) => *value,
            Some(_) => {
                self.must_be(key, "true or false");
                default
            }
        }
    }

    /// A number within `range`.
    pub fn number(&mut self, key: &'static str, default: f64, range: RangeInclusive<f64>) -> f64 {
        self.know(key, || Value::Number(default));
        let given = match self.value(key) {
            None => return default,
            Some(Value::Number(value)) => *value,
            // As TOML writes a whole number.
            Some(Value::Integer(value)) => *value as f64,
            Some(_) => f64::NAN,
        };
        if range.contains(&given) {
            return given;
        }
        let (least, most) = (decimal(*range.start()), decimal(*range.end()));
        self.must_be(key, &joined(&["a number from ", &least, " to ", &most]));
        default
    }

    /// A whole number within `range`: milliseconds, counts.
    pub fn count(&mut self, key: &'static str, default: u32, range: RangeInclusive<u32>) -> u32 {
        self.know(key, || Value::Integer(default.into()));
        let given = match self.value(key) {
            None => return default,
            Some(Value::Integer(value)) => u32::try_from(*value).ok(),
            Some(_) => None,
        };
        if let Some(given) = given.filter(|given| range.contains(given)) {
            return given;
        }
        let (least, most) = (range.start().to_string(), range.end().to_string());
        self.must_be(
            key,
            &joined(&["a whole number from ", &least, " to ", &most]),
        );
        default
    }

    /// An exact price, wei per unit: a whole number, or a fraction as `"7/3"`; `None` when it is not set.
    pub fn price(&mut self, key: &'static str) -> Option<Price> {
        self.know(key, || text(""));
        let given = match self.value(key)? {
            Value::Integer(wei) => u64::try_from(*wei).ok().and_then(|wei| Price::new(wei, 1)),
            Value::Text((fraction, _)) => fraction_of(fraction),
            _ => None,
        };
        if given.is_none() {
            self.must_be(
                key,
                "wei per unit: a whole number, or a fraction as \"7/3\"",
            );
        }
        given
    }

    /// One of `choices`: its place among them. The first is the default.
    pub fn choice(&mut self, key: &'static str, choices: &[&str]) -> usize {
        self.know(key, || text(choices.first().copied().unwrap_or_default()));
        let given = match self.value(key) {
            None => return 0,
            Some(Value::Text((value, _))) => choices.iter().position(|choice| choice == value),
            Some(_) => None,
        };
        given.unwrap_or_else(|| {
            self.must_be(key, &joined(&["one of: ", &choices.join(", ")]));
            0
        })
    }

    /// A string; `None` when it is not set.
    pub fn text(&mut self, key: &'static str) -> Option<Text> {
        self.know(key, || text(""));
        match self.value(key) {
            None => None,
            Some(Value::Text(pair)) => Some(pair.clone().into()),
            Some(_) => {
                self.must_be(key, "a string");
                None
            }
        }
    }

    /// A list of strings, empty when it is not set.
    pub fn texts(&mut self, key: &'static str) -> Vec<Text> {
        self.know(key, || Value::Texts(Vec::new()));
        match self.value(key) {
            None => Vec::new(),
            Some(Value::Texts(pairs)) => pairs.iter().cloned().map(Text::from).collect(),
            Some(Value::Numbers(none)) if none.is_empty() => Vec::new(),
            Some(_) => {
                self.must_be(key, "a list of strings");
                Vec::new()
            }
        }
    }

    /// A list of numbers, empty when it is not set.
    pub fn numbers(&mut self, key: &'static str) -> Vec<f64> {
        self.know(key, || Value::Numbers(Vec::new()));
        match self.value(key) {
            None => Vec::new(),
            Some(Value::Numbers(values)) => values.clone(),
            Some(Value::Texts(none)) if none.is_empty() => Vec::new(),
            Some(_) => {
                self.must_be(key, "a list of numbers");
                Vec::new()
            }
        }
    }

    /// Says that a setting, or several together, cannot be: the bundle will not load.
    pub fn problem(&mut self, key: &str, message: &str) {
        self.problems.push(Problem {
            key: key.to_owned(),
            message: message.to_owned(),
        });
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.given
            .iter()
            .find(|setting| setting.key == key)
            .map(|setting| &setting.value)
    }

    #[cfg_attr(
        target_arch = "wasm32",
        expect(unused_variables, reason = "only schemas want defaults")
    )]
    fn know(&mut self, key: &'static str, default: impl FnOnce() -> Value) {
        if self.known.iter().all(|known| known.key != key) {
            self.known.push(Known {
                key,
                #[cfg(not(target_arch = "wasm32"))]
                default: default(),
            });
        }
    }

    fn must_be(&mut self, key: &str, what: &str) {
        self.problem(key, &joined(&["must be ", what]));
    }

    /// What is wrong, settings that nobody read included; or what is known.
    pub(crate) fn finish(mut self) -> Result<Vec<Known>, Vec<Problem>> {
        for setting in &self.given {
            if self.known.iter().all(|known| known.key != setting.key) {
                let mut message = "no such setting; there is:".to_owned();
                for known in &self.known {
                    message.push(' ');
                    message.push_str(known.key);
                }
                self.problems.push(Problem {
                    key: setting.key.clone(),
                    message,
                });
            }
        }
        if self.problems.is_empty() {
            Ok(self.known)
        } else {
            Err(self.problems)
        }
    }
}

/// `"7/3"` or `"7"`.
fn fraction_of(text: &str) -> Option<Price> {
    let (num, den) = text.split_once('/').unwrap_or((text, "1"));
    Price::new(num.trim().parse().ok()?, den.trim().parse().ok()?)
}

fn text(text: &str) -> Value {
    // Only a default for people and schemas: nothing compares its symbol.
    Value::Text((text.to_owned(), 0))
}

/// At most three decimals.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast saturates, and the value is only shown"
)]
fn decimal(value: f64) -> String {
    let thousandths = (value * 1000.0 + if value < 0.0 { -0.5 } else { 0.5 }) as i64;
    let sign = if thousandths < 0 { "-" } else { "" };
    let whole = (thousandths.unsigned_abs() / 1000).to_string();
    // One before it, so that zeros in front stay.
    let rest = (thousandths.unsigned_abs() % 1000 + 1000).to_string();
    let rest = rest.get(1..).unwrap_or_default().trim_end_matches('0');
    joined(&[sign, &whole, if rest.is_empty() { "" } else { "." }, rest])
}

// === impl Text ===

impl From<(String, Symbol)> for Text {
    fn from((text, symbol): (String, Symbol)) -> Self {
        Self { text, symbol }
    }
}

macro_rules! value {
    ($($from:ty => $case:ident),+) => {
        $(impl From<$from> for wit::Value {
            fn from(value: $from) -> Self {
                Self::$case(value.into())
            }
        })+
    };
}

value!(bool => Bool, i64 => Integer, i32 => Integer, u32 => Integer, f64 => Number, Vec<f64> => Numbers);

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(given: &[(&str, Value)]) -> Settings {
        Settings::new(
            given
                .iter()
                .map(|(key, value)| Setting {
                    key: (*key).to_owned(),
                    value: value.clone(),
                })
                .collect(),
        )
    }

    fn problems(settings: Settings) -> Vec<String> {
        let problems = settings.finish().expect_err("something is wrong");
        problems
            .into_iter()
            .map(|problem| format!("{}: {}", problem.key, problem.message))
            .collect()
    }

    #[test]
    fn what_is_not_set_has_its_default_and_an_integer_is_a_number() {
        let mut settings = settings(&[("weight", 1.into())]);
        assert!((settings.number("weight", 0.5, 0.0..=1.0) - 1.0).abs() < f64::EPSILON);
        assert_eq!(settings.count("rest-ms", 7, 0..=10), 7);
        assert_eq!(settings.choice("model", &["weighted", "probability"]), 0);
        assert_eq!(settings.finish().expect("nothing is wrong").len(), 3);
    }

    #[test]
    fn a_price_is_exact_or_refused() {
        let mut settings = settings(&[
            ("whole", 12.into()),
            ("fraction", text("7/3")),
            ("large", text("18446744073709551615 / 2")),
        ]);
        assert_eq!(settings.price("whole"), Price::new(12, 1));
        assert_eq!(settings.price("fraction"), Price::new(7, 3));
        assert_eq!(settings.price("large"), Price::new(u64::MAX, 2));
        assert_eq!(settings.price("unset"), None);
        assert!(settings.finish().is_ok());

        for wrong in [(-1).into(), 0.5.into(), text("1/0"), text("1.5"), text("")] {
            let mut settings = super::tests::settings(&[("most", wrong)]);
            assert_eq!(settings.price("most"), None);
            assert_eq!(
                problems(settings),
                ["most: must be wei per unit: a whole number, or a fraction as \"7/3\""]
            );
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_write() {
        let mut settings = settings(&[
            ("weight", (-0.25).into()),
            ("rest-ms", true.into()),
            ("modle", 1.into()),
        ]);
        settings.number("weight", 0.5, -0.005..=1.5);
        settings.count("rest-ms", 7, 0..=10);
        settings.choice("model", &["weighted", "probability"]);
        assert_eq!(
            problems(settings),
            [
                "weight: must be a number from -0.005 to 1.5",
                "rest-ms: must be a whole number from 0 to 10",
                "modle: no such setting; there is: weight rest-ms model",
            ]
        );
    }

    #[test]
    fn a_word_that_is_no_choice_gets_the_choices() {
        let mut settings = settings(&[("model", text("random"))]);
        assert_eq!(settings.choice("model", &["weighted", "probability"]), 0);
        assert_eq!(
            problems(settings),
            ["model: must be one of: weighted, probability"]
        );
    }
}

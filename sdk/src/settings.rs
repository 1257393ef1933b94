//! What the operator wrote for a stage.

use core::ops::RangeInclusive;

use crate::bindings::policy as wit;
use crate::{Problem, Setting, Symbol, Value};

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
    pub key: String,
    /// The value when it is not set.
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
    pub fn flag(&mut self, key: &str, default: bool) -> bool {
        match self.read(key, Value::Bool(default)) {
            None => default,
            Some(Value::Bool(value)) => value,
            Some(other) => self.wrong(key, "must be true or false", &other, default),
        }
    }

    /// A number within `range`.
    pub fn number(&mut self, key: &str, default: f64, range: RangeInclusive<f64>) -> f64 {
        let value = match self.read(key, Value::Number(default)) {
            None => return default,
            Some(value) => value,
        };
        match number(&value) {
            Some(number) if range.contains(&number) => number,
            _ => {
                let must = format!(
                    "must be a number from {} to {}",
                    decimal(*range.start()),
                    decimal(*range.end())
                );
                self.wrong(key, &must, &value, default)
            }
        }
    }

    /// A whole number within `range`: milliseconds, counts.
    pub fn count(&mut self, key: &str, default: u32, range: RangeInclusive<u32>) -> u32 {
        match self.read(key, Value::Integer(default.into())) {
            None => default,
            Some(Value::Integer(value))
                if u32::try_from(value).is_ok_and(|value| range.contains(&value)) =>
            {
                u32::try_from(value).unwrap_or(default)
            }
            Some(other) => {
                let must = format!(
                    "must be a whole number from {} to {}",
                    range.start(),
                    range.end()
                );
                self.wrong(key, &must, &other, default)
            }
        }
    }

    /// One of `choices`: its place among them. The first is the default.
    pub fn choice(&mut self, key: &str, choices: &[&str]) -> usize {
        let default = choices.first().copied().unwrap_or_default();
        match self.read(key, text(default)) {
            None => 0,
            Some(Value::Text((value, _))) if choices.contains(&value.as_str()) => choices
                .iter()
                .position(|choice| *choice == value)
                .unwrap_or(0),
            Some(other) => {
                let must = format!("must be one of: {}", choices.join(", "));
                self.wrong(key, &must, &other, 0)
            }
        }
    }

    /// A string; `None` when it is not set.
    pub fn text(&mut self, key: &str) -> Option<Text> {
        match self.read(key, text("")) {
            None => None,
            Some(Value::Text(pair)) => Some(pair.into()),
            Some(other) => self.wrong(key, "must be a string", &other, None),
        }
    }

    /// A list of strings, empty when it is not set.
    pub fn texts(&mut self, key: &str) -> Vec<Text> {
        match self.read(key, Value::Texts(Vec::new())) {
            None => Vec::new(),
            Some(Value::Texts(pairs)) => pairs.into_iter().map(Text::from).collect(),
            Some(Value::Numbers(none)) if none.is_empty() => Vec::new(),
            Some(other) => self.wrong(key, "must be a list of strings", &other, Vec::new()),
        }
    }

    /// A list of numbers, empty when it is not set.
    pub fn numbers(&mut self, key: &str) -> Vec<f64> {
        match self.read(key, Value::Numbers(Vec::new())) {
            None => Vec::new(),
            Some(Value::Numbers(values)) => values,
            Some(Value::Texts(none)) if none.is_empty() => Vec::new(),
            Some(other) => self.wrong(key, "must be a list of numbers", &other, Vec::new()),
        }
    }

    /// Says that a setting, or several together, cannot be: the bundle will not load.
    pub fn problem(&mut self, key: &str, message: &str) {
        self.problems.push(Problem {
            key: key.to_owned(),
            message: message.to_owned(),
        });
    }

    fn read(&mut self, key: &str, default: Value) -> Option<Value> {
        if !self.known.iter().any(|known| known.key == key) {
            self.known.push(Known {
                key: key.to_owned(),
                default,
            });
        }
        self.given
            .iter()
            .find(|setting| setting.key == key)
            .map(|setting| setting.value.clone())
    }

    fn wrong<T>(&mut self, key: &str, must: &str, value: &Value, default: T) -> T {
        let message = format!("{must}, not {}", shown(value));
        self.problem(key, &message);
        default
    }

    /// What is wrong, settings that nobody read included; or what is known.
    pub(crate) fn finish(mut self) -> Result<Vec<Known>, Vec<Problem>> {
        let keys: Vec<&str> = self.known.iter().map(|known| known.key.as_str()).collect();
        let knows = if keys.is_empty() {
            "none".to_owned()
        } else {
            keys.join(", ")
        };
        for setting in &self.given {
            if !keys.contains(&setting.key.as_str()) {
                let message = format!("no such setting; there is: {knows}");
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

fn text(text: &str) -> Value {
    // Only a default for people and schemas: nothing compares its symbol.
    Value::Text((text.to_owned(), 0))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "settings are small; an integer is a number as TOML writes it"
)]
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Integer(integer) => Some(*integer as f64),
        _ => None,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Number(value) => decimal(*value),
        Value::Text((value, _)) => format!("\"{value}\""),
        Value::Texts(_) | Value::Numbers(_) => "a list".to_owned(),
    }
}

/// At most three decimals. The standard library's printing of floats alone would be a third of a small policy.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast saturates, and the value is only shown"
)]
fn decimal(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let thousandths = (value * 1000.0 + if value < 0.0 { -0.5 } else { 0.5 }) as i64;
    let sign = if thousandths < 0 { "-" } else { "" };
    let (whole, rest) = (
        thousandths.unsigned_abs() / 1000,
        thousandths.unsigned_abs() % 1000,
    );
    if rest == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{rest:03}")
        .trim_end_matches('0')
        .to_owned()
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
    fn what_is_wrong_is_said_with_what_to_write() {
        let mut settings = settings(&[
            ("weight", (-0.25).into()),
            ("rest-ms", true.into()),
            ("modle", 1.into()),
        ]);
        settings.number("weight", 0.5, 0.0..=1.5);
        settings.count("rest-ms", 7, 0..=10);
        settings.choice("model", &["weighted", "probability"]);
        assert_eq!(
            problems(settings),
            [
                "weight: must be a number from 0 to 1.5, not -0.25",
                "rest-ms: must be a whole number from 0 to 10, not true",
                "modle: no such setting; there is: weight, rest-ms, model",
            ]
        );
    }

    #[test]
    fn a_word_that_is_no_choice_gets_the_choices() {
        let mut settings = settings(&[("model", text("random"))]);
        assert_eq!(settings.choice("model", &["weighted", "probability"]), 0);
        assert_eq!(
            problems(settings),
            ["model: must be one of: weighted, probability, not \"random\""]
        );
    }
}

//! Reads a TOML table key by key and notices what nobody asked for.
//!
//! Not serde's derive: its error stops at the first mistake and lists every key, where an operator wants all mistakes
//! and the one key that was meant.

use std::cell::RefCell;
use std::fmt;

use pointsman_facts::column::nearest;

/// One thing that is wrong with a bundle's manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where: `selection[1].on-empty`.
    pub key: String,
    /// What is wrong, and what to write instead.
    pub message: String,
}

/// A table of the manifest, being read.
pub(super) struct Section<'a> {
    path: String,
    table: &'a toml::Table,
    asked: Vec<&'static str>,
    mistakes: &'a RefCell<Vec<Mistake>>,
}

// === impl Mistake ===

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.message)
    }
}

// === impl Section ===

impl<'a> Section<'a> {
    pub(super) fn new(
        path: String,
        table: &'a toml::Table,
        mistakes: &'a RefCell<Vec<Mistake>>,
    ) -> Self {
        Self {
            path,
            table,
            asked: Vec::new(),
            mistakes,
        }
    }

    pub(super) fn mistake(&self, key: &str, message: impl Into<String>) {
        self.mistakes.borrow_mut().push(Mistake {
            key: self.name(key),
            message: message.into(),
        });
    }

    fn name(&self, key: &str) -> String {
        match (self.path.is_empty(), key.is_empty()) {
            (true, _) => key.to_owned(),
            (false, true) => self.path.clone(),
            (false, false) => format!("{}.{key}", self.path),
        }
    }

    fn get(&mut self, key: &'static str) -> Option<&'a toml::Value> {
        self.asked.push(key);
        self.table.get(key)
    }

    fn typed<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        read: impl FnOnce(&'a toml::Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(key)?;
        let read = read(value);
        if read.is_none() {
            self.mistake(
                key,
                format!("is a {}, should be {wanted}", value.type_str()),
            );
        }
        read
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<&'a str> {
        self.typed(key, "a string", toml::Value::as_str)
    }

    pub(super) fn required_text(&mut self, key: &'static str) -> Option<&'a str> {
        if !self.table.contains_key(key) {
            self.asked.push(key);
            self.mistake(key, "is missing");
            return None;
        }
        self.text(key)
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        self.typed(key, "true or false", toml::Value::as_bool)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a number written without a fraction is small"
    )]
    pub(super) fn number(&mut self, key: &'static str) -> Option<f64> {
        self.typed(key, "a number", |value| {
            value
                .as_float()
                .or_else(|| value.as_integer().map(|whole| whole as f64))
        })
    }

    /// A whole number above zero that fits in `T`.
    pub(super) fn positive<T: TryFrom<u64>>(&mut self, key: &'static str) -> Option<T> {
        let value = self.typed(key, "a whole number", toml::Value::as_integer)?;
        let fits = u64::try_from(value)
            .ok()
            .filter(|&value| value > 0)
            .and_then(|value| T::try_from(value).ok());
        if fits.is_none() {
            self.mistake(key, "is not a number from 1 up, or too large");
        }
        fits
    }

    /// One of `choices` by name.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&'static str, T)],
    ) -> Option<T> {
        let text = self.text(key)?;
        let found = choices.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            self.mistake(
                key,
                format!("is \"{text}\", should be one of {}", names.join(", ")),
            );
        }
        found.map(|&(_, value)| value)
    }

    pub(super) fn table(&mut self, key: &'static str) -> Option<&'a toml::Table> {
        self.typed(key, "a table", toml::Value::as_table)
    }

    pub(super) fn section(&mut self, key: &'static str) -> Option<Section<'a>> {
        let table = self.table(key)?;
        Some(Section::new(self.name(key), table, self.mistakes))
    }

    /// The tables of an array of tables; none where there is no such key.
    pub(super) fn sections(&mut self, key: &'static str) -> Vec<Section<'a>> {
        let wanted = format!("tables: write [[{key}]]");
        let tables = self.typed(key, &wanted, |value| {
            let items = value.as_array()?;
            items
                .iter()
                .map(toml::Value::as_table)
                .collect::<Option<Vec<_>>>()
        });
        tables
            .unwrap_or_default()
            .into_iter()
            .enumerate()
            .map(|(n, table)| {
                Section::new(format!("{}[{n}]", self.name(key)), table, self.mistakes)
            })
            .collect()
    }

    /// Ends the reading: every key that was not asked for is a mistake.
    pub(super) fn finish(self) {
        for key in self.table.keys() {
            if self.asked.contains(&key.as_str()) {
                continue;
            }
            let meant = nearest(key, self.asked.iter().copied());
            let message = match meant {
                Some(meant) => format!("is no key here; did you mean \"{meant}\"?"),
                None => format!("is no key here; there are {}", self.asked.join(", ")),
            };
            self.mistake(key, message);
        }
    }
}

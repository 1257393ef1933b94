//! From texts to types: every section reads its settings through one [`Decoder`].
//!
//! A wrong value does not end the reading. It is noted, the default stands in, and the next setting is read, so that one
//! start names everything that is wrong. The stand-ins are never used: with a problem noted there are no settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::setting::{self, Initial, Setting};
use super::source::{Given, Problem, Source};

/// Values by setting; the layer that wins has already won.
pub(super) type Values = BTreeMap<&'static str, Given>;

/// Reads values and collects what is wrong with them.
#[derive(Debug)]
pub(super) struct Decoder<'a> {
    values: &'a Values,
    home: Option<&'a Path>,
    /// What stops the start.
    pub(super) problems: Vec<Problem>,
    /// What the operator should know all the same.
    pub(super) notices: Vec<String>,
}

// === impl Decoder ===

impl<'a> Decoder<'a> {
    /// `home` is what `~/` stands for.
    pub(super) fn new(values: &'a Values, home: Option<&'a Path>) -> Self {
        Self {
            values,
            home,
            problems: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// A setting that always has a value.
    pub(super) fn one<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> T {
        self.given(key, &parse).unwrap_or_else(|| {
            let text = setting(key).default.text();
            parse(text).expect("the table's own default parses; a test decodes them all")
        })
    }

    /// A setting that may have none. An empty text is none.
    pub(super) fn optional<T>(
        &mut self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.given(key, parse)
    }

    /// A list; empty when it is unset or an empty text.
    pub(super) fn many<T>(
        &mut self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let texts = match (self.values.get(key), setting(key).default) {
            (Some(given), _) => items(&given.values),
            (None, Initial::Value(text)) => items(&[text.to_owned()]),
            (None, Initial::Unset(_)) => Vec::new(),
        };
        let mut list = Vec::with_capacity(texts.len());
        for text in texts {
            let parsed = match text.as_str() {
                "" => Err("an entry is empty: remove the extra comma".to_owned()),
                text => parse(text),
            };
            match parsed {
                Ok(item) => list.push(item),
                Err(message) => self.refuse(&[key], message),
            }
        }
        list
    }

    /// A file or folder.
    pub(super) fn path(&mut self, key: &str) -> Option<PathBuf> {
        let (base, home) = (self.source(key).base(), self.home);
        let expand = |text: &str| match text.strip_prefix("~/") {
            Some(rest) => home.map(|home| home.join(rest)).ok_or_else(|| {
                "`~` has no meaning because HOME is not set: write the path out".to_owned()
            }),
            None => Ok(base.join(text)),
        };
        if self.values.contains_key(key) {
            return self.given(key, expand);
        }
        let Initial::Value(text) = setting(key).default else {
            return None;
        };
        let path = expand(text);
        path.map_err(|_| {
            let message = format!("{key} is {text}, but HOME is not set: give --{key}");
            self.problems.push(Problem::new(Source::Default, message));
        })
        .ok()
    }

    /// Whether somebody set it to something.
    pub(super) fn is_given(&self, key: &str) -> bool {
        let values = self.values.get(key).map(|given| given.values.as_slice());
        values.is_some_and(|values| values.iter().any(|value| !value.trim().is_empty()))
    }

    /// Where a setting's value comes from.
    pub(super) fn source(&self, key: &str) -> Source {
        self.values
            .get(key)
            .map_or(Source::Default, |given| given.source.clone())
    }

    /// Notes a problem with settings, at the first of them that somebody set.
    pub(super) fn refuse(&mut self, keys: &[&str], message: impl Into<String>) {
        let mut sources = keys.iter().filter_map(|key| self.values.get(key));
        let source = sources
            .next()
            .map_or(Source::Default, |given| given.source.clone());
        self.problems.push(Problem::new(source, message));
    }

    fn given<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let given = self.values.get(key)?;
        let text = match given.values.as_slice() {
            [text] => text.trim(),
            _ => {
                self.refuse(&[key], "takes one value");
                return None;
            }
        };
        if text.is_empty() {
            return None;
        }
        match parse(text) {
            Ok(value) => Some(value),
            Err(message) => {
                self.refuse(&[key], message);
                None
            }
        }
    }
}

/// A list's entries: each value may itself be a list with commas. Nothing but space is no entry.
fn items(values: &[String]) -> Vec<String> {
    values
        .iter()
        .filter(|value| !value.trim().is_empty())
        .flat_map(|value| value.split(','))
        .map(|item| item.trim().to_owned())
        .collect()
}

fn setting(key: &str) -> &'static Setting {
    setting::find(key).expect("sections read only settings of the table")
}

/// `true` or `false`, in the spellings that go-livepeer takes.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "1" => Ok(true),
        "false" | "f" | "0" => Ok(false),
        _ => Err(format!("`{text}` is neither true nor false")),
    }
}

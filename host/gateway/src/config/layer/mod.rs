//! The layers a setting may come from, each read into the same shape: texts by key, with their place.
//!
//! A flag wins over the environment, the environment over the file, the file over the default. A later layer replaces a
//! setting whole: a list is not joined with the list below it. Names are checked in every layer, also where another
//! layer wins: a misspelt variable is a mistake whatever the flags say.

pub(super) mod environment;
pub(super) mod file;
pub(super) mod flags;
mod labels;
pub(super) mod wallet;

use super::decoder::Values;
use super::golivepeer::Effect;
use super::source::{Given, Problem, Source};

/// What one layer says.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) values: Values,
    pub(super) notices: Vec<String>,
    pub(super) problems: Vec<Problem>,
}

// === impl Layer ===

impl Layer {
    fn refuse(&mut self, source: Source, message: impl Into<String>) {
        self.problems.push(Problem::new(source, message));
    }

    /// Sets a setting once; a second place of this layer must say the same.
    fn set(&mut self, key: &'static str, values: Vec<String>, source: Source) {
        match self.values.get(key) {
            Some(given) if given.values != values => {
                let message = format!("contradicts {}: keep one of them", given.source);
                self.refuse(source, message);
            }
            Some(_) => {}
            None => {
                self.values.insert(key, Given { values, source });
            }
        }
    }

    fn apply(&mut self, effect: Effect, source: Source) {
        match effect {
            Effect::Set(key, value) => self.set(key, vec![value], source),
            Effect::Warn(message) => self.notices.push(format!("{source} {message}")),
            Effect::Stop(message) => self.refuse(source, message),
            Effect::Nothing => {}
        }
    }
}

/// Joins layers; the later one wins. Notices and problems of all are kept, in order.
pub(super) fn merge(layers: impl IntoIterator<Item = Layer>) -> Layer {
    let mut merged = Layer::default();
    for layer in layers {
        merged.values.extend(layer.values);
        merged.notices.extend(layer.notices);
        merged.problems.extend(layer.problems);
    }
    merged
}

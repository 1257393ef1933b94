//! go-livepeer's own names for settings, so that a gateway's start script can be tried with another program in front.
//!
//! One table ([`NAMES`]) says what becomes of each name: it acts, it warns that it has no effect, or it stops the start.
//! What stops is money: a limit or a key that is silently ignored costs somebody something. The table serves all three
//! places where the names occur: flags (`-orchAddr`), variables (`LP_ORCHADDR`) and files (`orchAddr …`).

mod file;
mod names;

use super::decoder::switch;

pub(super) use file::translate;
pub use names::NAMES;

/// One of go-livepeer's flags.
#[derive(Debug)]
pub struct Name {
    /// Without dashes, in its own case.
    pub name: &'static str,
    /// Whether it takes its value only after `=`, the bare flag meaning `true`.
    pub kind: Kind,
    /// What becomes of it.
    pub fate: Fate,
}

/// How go-livepeer reads a flag's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `-name`, `-name=true`, `-name=false`.
    Bool,
    /// `-name value`, `-name=value`.
    Value,
}

/// What becomes of a flag here.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    /// It acts as the setting of this key.
    Supported(&'static str),
    /// It acts as the setting of this key, its value read differently.
    Translated(&'static str, fn(&str) -> String),
    /// Only this value is served, and it is what holds anyway; another one stops the start, for this reason.
    Only(&'static str, &'static str),
    /// It warns: it has no effect, for this reason.
    Ignored(&'static str),
    /// It stops the start, for this reason.
    Money(&'static str),
}

/// What a flag with a value does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Sets our setting.
    Set(&'static str, String),
    /// Changes nothing, and the operator should know.
    Warn(String),
    /// Stops the start.
    Stop(String),
    /// Changes nothing, and nothing was asked for.
    Nothing,
}

/// The name as a flag or in a file: exact, as Go reads it.
pub(super) fn find(name: &str) -> Option<&'static Name> {
    NAMES.iter().find(|row| row.name == name)
}

/// The name of an `LP_` variable, which has no case left.
pub(super) fn find_variable(variable: &str) -> Option<&'static Name> {
    let name = variable.strip_prefix("LP_")?;
    NAMES.iter().find(|row| row.name.to_uppercase() == name)
}

// === impl Name ===

impl Name {
    /// What it does with this value.
    pub(super) fn effect(&self, value: &str) -> Effect {
        let value = match (self.kind, switch(value.trim())) {
            (Kind::Bool, Ok(true)) => "true",
            (Kind::Bool, Ok(false)) => "false",
            _ => value.trim(),
        };
        match self.fate {
            Fate::Supported(key) => Effect::Set(key, value.to_owned()),
            Fate::Translated(key, translate) => Effect::Set(key, translate(value)),
            _ if value.is_empty() => Effect::Nothing,
            Fate::Only(only, _) if value == only => Effect::Nothing,
            Fate::Only(_, why) => Effect::Stop(why.to_owned()),
            Fate::Ignored(why) => Effect::Warn(format!("has no effect: {why}")),
            Fate::Money(_) if value == "false" => Effect::Nothing,
            Fate::Money(why) => Effect::Stop(why.to_owned()),
        }
    }

    /// The setting it stands for, if it acts.
    pub(super) fn key(&self) -> Option<&'static str> {
        match self.fate {
            Fate::Supported(key) | Fate::Translated(key, _) => Some(key),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;

//! The table of settings: one row each, from which flags, environment names, TOML keys, defaults and help are made.
//!
//! A default stands here once, as the text an operator would write; the decoder parses it like any other value, so the
//! help cannot promise another default than the one that holds.

use super::section;

/// One setting of `pointsman run`.
#[derive(Debug)]
pub struct Setting {
    /// Its name: the flag without dashes and the TOML key.
    pub key: &'static str,
    /// How many values it takes.
    pub shape: Shape,
    /// What help calls the value.
    pub value: &'static str,
    /// What holds when nobody sets it.
    pub default: Initial,
    /// One sentence, ending in a full stop.
    pub summary: &'static str,
    /// Forms, units, and when to change it.
    pub detail: &'static str,
}

/// How many values a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One.
    One,
    /// Any number, separated by commas, or the flag repeated, or a TOML list.
    List,
    /// `true` or `false`; the bare flag means `true`.
    Switch,
}

/// What holds when nobody sets a setting.
#[derive(Clone, Copy, Debug)]
pub enum Initial {
    /// This value, written as an operator would.
    Value(&'static str),
    /// No value; the words say what that means.
    Unset(&'static str),
}

/// Settings of one heading of the help.
#[derive(Debug)]
pub struct Group {
    /// The heading.
    pub heading: &'static str,
    /// In the order of the help.
    pub settings: &'static [Setting],
}

/// The whole table, in the order of the help.
pub const GROUPS: &[Group] = &[
    section::listeners::GROUP,
    section::orchestrators::GROUP,
    section::prices::GROUP,
    section::chain::GROUP,
    section::signer::GROUP,
    section::payments::GROUP,
    section::wallet::GROUP,
    section::streams::GROUP,
    section::policy::GROUP,
    section::recording::GROUP,
    section::access::GROUP,
    section::data::GROUP,
    section::logging::GROUP,
];

/// Every setting.
pub fn all() -> impl Iterator<Item = &'static Setting> {
    GROUPS.iter().flat_map(|group| group.settings)
}

/// The setting of that name.
#[must_use]
pub fn find(key: &str) -> Option<&'static Setting> {
    all().find(|setting| setting.key == key)
}

// === impl Setting ===

impl Setting {
    /// The environment variable: `POINTSMAN_` and the key in capitals.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("POINTSMAN_{}", self.key.replace('-', "_").to_uppercase())
    }
}

// === impl Initial ===

impl Initial {
    /// What help prints.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Value(text) | Self::Unset(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_stands_for_two_settings() {
        let mut keys: Vec<_> = all().map(|setting| setting.key).collect();
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count);
    }

    #[test]
    fn every_setting_says_what_it_is_and_when_to_use_it() {
        for Setting {
            key,
            summary,
            detail,
            ..
        } in all()
        {
            assert!(summary.ends_with('.'), "{key}: {summary}");
            assert!(detail.ends_with('.'), "{key}: {detail}");
            assert!(!summary.contains("[default"), "{key}: help adds it");
        }
    }
}

//! Flags: ours, and go-livepeer's rewritten to ours before clap sees them.
//!
//! Every word of the command line is looked up here, because clap would take `-orchAddr` for a bundle of short flags,
//! and because an unknown name should be answered from both tables. What is left for clap is the shape: missing values,
//! repeated flags, help.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::iter::Peekable;
use std::vec::IntoIter;

use clap::{Arg, ArgAction, ArgMatches, FromArgMatches};

use super::Layer;
use crate::config::golivepeer::{self, Effect, Kind, NAMES, Name};
use crate::config::nearest::nearest;
use crate::config::setting::{self, Group, Initial, Setting, Shape};
use crate::config::source::{Given, Source};

/// The flags of `pointsman run` as clap hands them over.
#[derive(Clone, Debug, Default)]
pub struct Flags(BTreeMap<&'static str, Vec<String>>);

/// A command line that clap understands, and what was found on the way.
#[derive(Debug, Default)]
pub(crate) struct Rewritten {
    /// Arguments for clap.
    pub(crate) arguments: Vec<OsString>,
    /// How each setting was spelled.
    spelled: BTreeMap<&'static str, String>,
    layer: Layer,
}

/// Rewrites what follows `pointsman run`.
pub(crate) fn rewrite(words: Vec<OsString>) -> Rewritten {
    let mut out = Rewritten::default();
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        let Ok(word) = word.into_string() else {
            let source = Source::Flag("an argument".to_owned());
            out.layer.refuse(source, "is not UTF-8");
            continue;
        };
        out.word(&word, &mut words);
    }
    out
}

/// Whether a word is a flag of `run`, in either spelling.
pub(crate) fn is_setting(word: &str) -> bool {
    let name = word
        .trim_start_matches('-')
        .split('=')
        .next()
        .unwrap_or_default();
    word.starts_with('-') && (setting::find(name).is_some() || golivepeer::find(name).is_some())
}

// === impl Rewritten ===

impl Rewritten {
    /// The layer, once clap has read the arguments.
    pub(in crate::config) fn into_layer(self, flags: Flags) -> Layer {
        let Self {
            spelled, mut layer, ..
        } = self;
        for (key, values) in flags.0 {
            let spelled = spelled.get(key).cloned();
            let source = Source::Flag(spelled.unwrap_or_else(|| format!("--{key}")));
            layer.values.insert(key, Given { values, source });
        }
        layer
    }

    /// What is wrong with the names.
    pub(crate) fn problems(&self) -> &[crate::config::source::Problem] {
        &self.layer.problems
    }

    fn word(&mut self, word: &str, rest: &mut Peekable<IntoIter<OsString>>) {
        let dashes = word.len() - word.trim_start_matches('-').len();
        let (name, value) = match word[dashes..].split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (&word[dashes..], None),
        };
        let flag = &word[..dashes + name.len()];
        let source = || Source::Flag(flag.to_owned());
        if dashes == 0 {
            let message =
                "is neither a flag nor the value of one; true and false follow a flag behind `=`";
            return self
                .layer
                .refuse(Source::Flag(format!("`{word}`")), message);
        }
        if matches!(
            flag,
            "-h" | "--help" | "-help" | "-V" | "--version" | "-version"
        ) {
            let long = if name.len() > 1 { "--" } else { "-" };
            return self.arguments.push(format!("{long}{name}").into());
        }
        if dashes == 2
            && let Some(setting) = setting::find(name)
        {
            let value = value.or_else(|| match setting.shape {
                Shape::Switch => None,
                Shape::One | Shape::List => next_value(rest),
            });
            return self.set(setting.key, value, flag);
        }
        if let Some(row) = (dashes <= 2).then(|| golivepeer::find(name)).flatten() {
            let value = value.or_else(|| match row.kind {
                Kind::Bool => Some("true".to_owned()),
                Kind::Value => next_value(rest),
            });
            return self.theirs(row, value, flag);
        }
        self.layer.refuse(source(), unknown(name));
    }

    fn theirs(&mut self, row: &Name, value: Option<String>, flag: &str) {
        if let (None, Some(key)) = (&value, row.key()) {
            return self.set(key, None, flag);
        }
        match row.effect(&value.unwrap_or_default()) {
            Effect::Set(key, value) => self.set(key, Some(value), flag),
            effect => self.layer.apply(effect, Source::Flag(flag.to_owned())),
        }
    }

    fn set(&mut self, key: &'static str, value: Option<String>, flag: &str) {
        self.spelled.insert(key, flag.to_owned());
        self.arguments.push(match value {
            Some(value) => format!("--{key}={value}").into(),
            None => format!("--{key}").into(),
        });
    }
}

/// The next word, unless it is a flag: no value starts with a dash. Without a value clap says what is missing.
fn next_value(rest: &mut Peekable<IntoIter<OsString>>) -> Option<String> {
    let next = rest.next_if(|word| {
        word.to_str()
            .is_some_and(|word| word == "-" || !word.starts_with('-') || is_number(word))
    })?;
    next.into_string().ok()
}

fn is_number(word: &str) -> bool {
    word.parse::<f64>().is_ok()
}

fn unknown(name: &str) -> String {
    if let Some(near) = nearest(name, setting::all().map(|setting| setting.key)) {
        return format!("no setting has this name; did you mean --{near}?");
    }
    match nearest(name, NAMES.iter().map(|row| row.name)) {
        Some(near) => format!("no setting has this name; did you mean go-livepeer's -{near}?"),
        None => "no setting has this name; `pointsman run --help` lists them all".to_owned(),
    }
}

// === impl Flags ===

impl clap::Args for Flags {
    fn augment_args(command: clap::Command) -> clap::Command {
        let groups = setting::GROUPS.iter();
        command.args(groups.flat_map(|group| group.settings.iter().map(|row| argument(group, row))))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for Setting { key, .. } in setting::all() {
            if let Some(values) = matches.get_many::<String>(key) {
                self.0.insert(key, values.cloned().collect());
            }
        }
        Ok(())
    }
}

fn argument(group: &Group, setting: &Setting) -> Arg {
    let Setting {
        key,
        shape,
        value,
        default,
        summary,
        detail,
    } = *setting;
    let default = match default {
        Initial::Value(text) | Initial::Unset(text) => format!("[default: {text}]"),
    };
    let argument = Arg::new(key)
        .long(key)
        .value_name(value)
        .help(format!("{summary} {default}"))
        .long_help(format!("{summary} {detail}\n{default}"))
        .help_heading(group.heading);
    match shape {
        Shape::One => argument.action(ArgAction::Set),
        Shape::List => argument.action(ArgAction::Append),
        Shape::Switch => argument
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true"),
    }
}

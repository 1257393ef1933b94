//! `policy test --conformance`: does a component, from whatever toolchain, keep the contract?
//!
//! # What is asked
//!
//! Who it is; what each of its hooks asks for, twice; hooks it has not and settings nobody has; and of each hook several dozen questions:
//! no candidates, one, a thousand; nothing known; the ends of every kind of value; and random tables. Every answer must pass the
//! checks that a gateway makes, within the default limits, so nothing may fault.
//!
//! Every question is put four times: to one warm instance in order, to another in reverse order, to one in an order that is
//! shuffled, and to a fresh instance each. All four answers must be the same to the bit: a policy is pure, and this is
//! how a counter, a cache that leaks, or memory that was never set is found.

mod questions;

use std::fmt;

use pointsman_policy::bundle::{Setting, Value};
use pointsman_policy::vectors::{Answer, Question, Rig, Subject};
use pointsman_policy::{Fault, Hook, Limits, LoadError};
use serde::Serialize;

use crate::Error;
use crate::inspect::{edge, hooks};
use crate::synthetic::Random;

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Conformance {
    /// Whether it keeps the contract.
    pub ok: bool,
    /// The component's file.
    pub component: String,
    /// Every check.
    pub checks: Vec<Check>,
}

/// One thing that must hold.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// In words.
    pub name: String,
    /// Whether it does.
    pub ok: bool,
    /// What was found instead, or what was asked.
    pub detail: String,
}

/// Every hook of this host.
const HOOKS: [Hook; 3] = [Hook::Selection, Hook::Byoc, Hook::Failover];

/// Puts the suite to the component `bytes`, whose file is called `name`, with `settings`.
///
/// # Errors
///
/// When it is no policy for this host, or refuses the settings.
pub fn conformance(name: &str, bytes: &[u8], settings: &[Setting]) -> Result<Conformance, Error> {
    let rig = Rig::new()?;
    let (_, exports) = edge(bytes);
    let known = hooks(&exports);
    let mut has = HOOKS
        .into_iter()
        .filter(|hook| known.iter().any(|known| known == hook.name()))
        .peekable();
    if has.peek().is_none() {
        // The host's own words say best what is wrong with it.
        rig.subject(name, bytes, Hook::Selection, settings, Limits::default())?;
        return Err(Error::NoHook {
            component: name.to_owned(),
            exports: format!("it exports {}", exports.join(", ")),
        });
    }
    let mut checks = Vec::new();
    for hook in has {
        let subject = rig.subject(name, bytes, hook, settings, Limits::default())?;
        checks.push(described(&subject));
        checks.push(unknown_setting(&rig, name, bytes, hook));
        let questions = questions::about(&subject);
        for (what, questions) in &questions {
            checks.push(answers(hook, what, &subject, questions));
        }
        let all: Vec<&Question> = questions
            .iter()
            .flat_map(|(_, questions)| questions)
            .collect();
        checks.push(pure(hook, &subject, &all));
    }
    Ok(Conformance {
        ok: checks.iter().all(|check| check.ok),
        component: name.to_owned(),
        checks,
    })
}

// === impl Check ===

impl Check {
    fn new(name: impl Into<String>, result: Result<String, String>) -> Self {
        let ok = result.is_ok();
        Self {
            name: name.into(),
            ok,
            detail: result.unwrap_or_else(|wrong| wrong),
        }
    }
}

fn described(subject: &Subject) -> Check {
    let said = subject.fresh().and_then(|mut asked| asked.describe());
    let result = said.map_err(|fault| fault.to_string()).and_then(|said| {
        if said.name.is_empty() || said.summary.is_empty() {
            return Err("the name or the summary is empty".to_owned());
        }
        let numbers: Vec<&str> = said.version.splitn(3, '.').collect();
        let number = |text: &&str| text.starts_with(|digit: char| digit.is_ascii_digit());
        if numbers.len() != 3 || !numbers.iter().all(number) {
            return Err(format!(
                "the version \"{}\" is not like 1.2.3",
                said.version
            ));
        }
        match serde_json::from_str::<serde_json::Value>(&said.settings_schema) {
            Ok(schema) if schema.is_object() => Ok(format!("{} {}", said.name, said.version)),
            Ok(_) => Err("settings-schema is no JSON object".to_owned()),
            Err(error) => Err(format!("settings-schema is not JSON: {error}")),
        }
    });
    Check::new(format!("{}: it says who it is", subject.hook()), result)
}

fn unknown_setting(rig: &Rig, name: &str, bytes: &[u8], hook: Hook) -> Check {
    let setting = Setting {
        key: "no-such-setting-as-this".to_owned(),
        value: Value::Bool(true),
    };
    let result = match rig.subject(name, bytes, hook, &[setting], Limits::default()) {
        Err(LoadError::Settings { .. }) => Ok("refused".to_owned()),
        Err(error) => Err(error.to_string()),
        Ok(_) => Err(
            "it takes no-such-setting-as-this = true: an operator's typing error would go unseen"
                .to_owned(),
        ),
    };
    Check::new(
        format!("{hook}: it refuses settings that it does not know"),
        result,
    )
}

fn answers(hook: Hook, what: &str, subject: &Subject, questions: &[Question]) -> Check {
    let mut most = 0_u64;
    let mut ask = |question: &Question| -> Result<(), Fault> {
        let answered = subject.fresh()?.ask(question)?;
        most = most.max(answered.fuel);
        Ok(())
    };
    let result = questions.iter().try_for_each(&mut ask);
    let count = questions.len();
    Check::new(
        format!("{hook}: {what}"),
        result
            .map(|()| format!("{count} questions, at most {most} fuel"))
            .map_err(|fault| fault.to_string()),
    )
}

/// The same answers, whatever was asked before.
fn pure(hook: Hook, subject: &Subject, questions: &[&Question]) -> Check {
    let forth: Vec<usize> = (0..questions.len()).collect();
    let back: Vec<usize> = forth.iter().rev().copied().collect();
    let mut mixed = forth.clone();
    let mut random = Random::new(1);
    for place in (1..mixed.len()).rev() {
        let other = random.below(place as u64 + 1);
        mixed.swap(place, usize::try_from(other).unwrap_or(0));
    }
    let result = fresh(subject, questions).and_then(|wanted| {
        for (order, how) in [(&forth, "in order"), (&back, "in reverse"), (&mixed, "shuffled")] {
            let mut asked = subject.fresh().map_err(|fault| fault.to_string())?;
            for &place in order {
                let answered = asked.ask(questions[place]).map_err(|fault| fault.to_string())?;
                if answered.answer != wanted[place] {
                    return Err(format!(
                        "asked {how} after others, question {} is answered {}, a fresh instance says {}",
                        place + 1,
                        answered.answer.shown(),
                        wanted[place].shown()
                    ));
                }
            }
        }
        Ok(format!("{} questions, fresh and warm in three orders", wanted.len()))
    });
    Check::new(
        format!("{hook}: its answers depend on the question alone"),
        result,
    )
}

fn fresh(subject: &Subject, questions: &[&Question]) -> Result<Vec<Answer>, String> {
    questions
        .iter()
        .map(|question| {
            let answered = subject.fresh().and_then(|mut asked| asked.ask(question));
            answered
                .map(|answered| answered.answer)
                .map_err(|fault| fault.to_string())
        })
        .collect()
}

// === impl Conformance ===

impl fmt::Display for Conformance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            let ok = if check.ok { "ok    " } else { "NOT OK" };
            writeln!(f, "{ok}  {}  ({})", check.name, check.detail)?;
        }
        let kept = if self.ok { "keeps" } else { "does not keep" };
        write!(f, "{} {kept} the contract", self.component)
    }
}

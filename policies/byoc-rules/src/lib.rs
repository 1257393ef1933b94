//! One rule for calls of custom containers: which it is about, and what it tightens.
//!
//! # Contract
//!
//! A stage is one rule, and the stages of a bundle are the list. The rule applies when all its conditions hold: the capability is one of
//! `capabilities`, the path one of `paths`, and every one of `when-labels` is there. A `*` at the end of a pattern stands for anything; a
//! condition that is not set holds. Then the call is refused, or changed by everything else that is set. Since stages only tighten, rules
//! that apply together add up, and their order matters only for `use` and for labels, where the first wins.
//!
//! # Why one rule a stage
//!
//! The bundle then has the rules as plain typed settings, which are checked one by one when it is loaded, and the record of a call
//! says which stage did what. A list in one stage would need a language of its own.
#![deny(unsafe_code)]

mod read;

use pointsman_sdk::byoc::{Change, Request, Routing};
use pointsman_sdk::prelude::*;

/// One rule.
#[derive(Debug)]
pub struct ByocRules {
    when: When,
    then: Then,
}

/// Which calls it is about.
#[derive(Debug)]
struct When {
    capabilities: Vec<String>,
    paths: Vec<String>,
    labels: Vec<Wanted>,
}

/// A label that must be there.
#[derive(Debug)]
struct Wanted {
    key: String,
    /// None: any.
    value: Option<String>,
}

/// What becomes of them.
#[derive(Debug)]
enum Then {
    Refuse {
        cause: Cause,
        status: u16,
        message: String,
    },
    Change(Change),
}

// === impl ByocRules ===

impl Policy for ByocRules {
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        Self {
            when: When::read(settings),
            then: Then::read(settings, plan),
        }
    }
}

impl Byoc for ByocRules {
    fn route(&self, _: &Job, request: &Request) -> Routing {
        if !self.when.holds(request) {
            return Routing::Abstain;
        }
        match &self.then {
            Then::Change(change) => change.clone().into(),
            Then::Refuse {
                cause,
                status,
                message,
            } => cause.refuse(*status, message).into(),
        }
    }
}

// === impl When ===

impl When {
    fn holds(&self, request: &Request) -> bool {
        let path = request.path.split('?').next().unwrap_or_default();
        let any = |patterns: &[String], text: &str| {
            patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern, text))
        };
        any(&self.capabilities, &request.capability)
            && any(&self.paths, path)
            && self.labels.iter().all(|wanted| wanted.is_in(request))
    }
}

impl Wanted {
    fn is_in(&self, request: &Request) -> bool {
        request.label(&self.key).is_some_and(|value| {
            let wanted = self.value.as_deref();
            wanted.is_none_or(|wanted| matches(wanted, value))
        })
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(head) => text.starts_with(head),
        None => text == pattern,
    }
}

export!(ByocRules: Byoc, settings = "settings.schema.json");

#[cfg(test)]
mod tests;

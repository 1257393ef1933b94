//! Whether an orchestrator can do a job.

use std::collections::BTreeMap;

use semver::Version;

use super::{Set, legacy, name};
use crate::net::Capabilities;
use crate::net::capabilities::CapabilityConstraints;
use crate::net::capabilities::capability_constraints::ModelConstraint;

/// Why an orchestrator cannot do a job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incompatible {
    /// It sent no capabilities, so it is older than sessions by token.
    #[error("sends no capabilities")]
    NoCapabilities,
    /// Its version is too low, or none.
    #[error("version {found:?} is below the required {minimum}")]
    Version {
        /// Required.
        minimum: String,
        /// Its own.
        found: String,
    },
    /// It takes only jobs that have these.
    #[error("takes only jobs with {}", names(.0))]
    Mandatory(Vec<u32>),
    /// It lacks these.
    #[error("lacks {}", names(.0))]
    Lacks(Vec<u32>),
    /// Its or the job's set is longer than the other's, with nothing in it that matters.
    #[error("its capability set has {found} words, the job's {asked}")]
    Shape {
        /// Words of the job's set.
        asked: usize,
        /// Words of its own.
        found: usize,
    },
    /// It does not have this model.
    #[error("does not have model {model:?} of {}", names(&[*.capability]))]
    Model {
        /// Number of the capability.
        capability: u32,
        /// Model id.
        model: String,
    },
    /// It has this model, but not loaded.
    #[error("has model {model:?} of {} only cold", names(&[*.capability]))]
    Cold {
        /// Number of the capability.
        capability: u32,
        /// Model id.
        model: String,
    },
    /// It runs this model by too old a runner.
    #[error("runs model {model:?} with runner {found:?}, below the required {minimum}")]
    Runner {
        /// Model id.
        model: String,
        /// Required.
        minimum: String,
        /// Its own.
        found: String,
    },
}

/// Tests what an orchestrator advertises against a job, as the orchestrator itself will.
///
/// # Errors
///
/// The first reason against it.
pub fn compatible(
    job: &Capabilities,
    orchestrator: Option<&Capabilities>,
) -> Result<(), Incompatible> {
    let asked = Set::from_words(&job.bitstring);
    let Some(orchestrator) = orchestrator else {
        return match missing(&asked, &legacy()) {
            missing if missing.is_empty() => Ok(()),
            _ => Err(Incompatible::NoCapabilities),
        };
    };
    let minimum = min_version(job);
    if !meets_minimum(minimum, &orchestrator.version) {
        return Err(Incompatible::Version {
            minimum: minimum.to_owned(),
            found: clip(&orchestrator.version),
        });
    }
    let mandatory = Set::from_words(&orchestrator.mandatories);
    fits(&mandatory, &asked).map_err(|missing| match missing.is_empty() {
        true => Incompatible::Shape {
            asked: asked.words().len(),
            found: mandatory.words().len(),
        },
        false => Incompatible::Mandatory(missing),
    })?;
    check_models(job, orchestrator)?;
    let found = Set::from_words(&orchestrator.bitstring);
    fits(&asked, &found).map_err(|missing| match missing.is_empty() {
        true => Incompatible::Shape {
            asked: asked.words().len(),
            found: found.words().len(),
        },
        false => Incompatible::Lacks(missing),
    })
}

/// Whether `found` is at least `minimum`, pre-releases counting as their release. Any version meets a minimum that is
/// empty or no version; nothing that is no version meets a real one.
#[must_use]
pub fn meets_minimum(minimum: &str, found: &str) -> bool {
    let Some(minimum) = release(minimum) else {
        return true;
    };
    release(found).is_some_and(|found| found >= minimum)
}

fn release(text: &str) -> Option<(u64, u64, u64)> {
    let text = text.trim().trim_start_matches('v');
    let version = Version::parse(text).ok()?;
    Some((version.major, version.minor, version.patch))
}

fn min_version(job: &Capabilities) -> &str {
    job.constraints.as_ref().map_or("", |c| &c.min_version)
}

fn check_models(job: &Capabilities, orchestrator: &Capabilities) -> Result<(), Incompatible> {
    let empty = BTreeMap::new();
    let wanted = constraints(job).unwrap_or(&empty);
    let offered = constraints(orchestrator).unwrap_or(&empty);
    for (&capability, wanted) in wanted {
        // Without an entry of its own it is bound to no model.
        let Some(offered) = offered.get(&capability) else {
            continue;
        };
        for (model, wanted) in &wanted.models {
            let Some(offered) = offered.models.get(model) else {
                return Err(Incompatible::Model {
                    capability,
                    model: clip(model),
                });
            };
            check_model(capability, model, wanted, offered)?;
        }
    }
    Ok(())
}

fn check_model(
    capability: u32,
    model: &str,
    wanted: &ModelConstraint,
    offered: &ModelConstraint,
) -> Result<(), Incompatible> {
    if wanted.warm && !offered.warm {
        return Err(Incompatible::Cold {
            capability,
            model: clip(model),
        });
    }
    if !meets_minimum(&wanted.runner_version, &offered.runner_version) {
        return Err(Incompatible::Runner {
            model: clip(model),
            minimum: wanted.runner_version.clone(),
            found: clip(&offered.runner_version),
        });
    }
    Ok(())
}

fn constraints(capabilities: &Capabilities) -> Option<&BTreeMap<u32, CapabilityConstraints>> {
    capabilities.constraints.as_ref().map(|c| &c.per_capability)
}

/// Whether `inner` is within `outer`, words counted; otherwise what is missing.
fn fits(inner: &Set, outer: &Set) -> Result<(), Vec<u32>> {
    let missing = missing(inner, outer);
    if missing.is_empty() && inner.words().len() <= outer.words().len() {
        return Ok(());
    }
    Err(missing)
}

fn missing(inner: &Set, outer: &Set) -> Vec<u32> {
    inner.iter().filter(|&n| !outer.contains(n)).collect()
}

fn names(numbers: &[u32]) -> String {
    let names: Vec<_> = numbers
        .iter()
        .map(|&n| name(n).map_or_else(|| format!("capability {n}"), str::to_owned))
        .collect();
    names.join(", ")
}

/// A stranger's text in an error.
fn clip(text: &str) -> String {
    text.chars().take(80).collect()
}

//! The bundle that the gateway carries in itself, twice: as components and as native code.
//!
//! # Contract
//!
//! [`bundle`] is the folder that an operator could have activated: `policies/` built by this crate's build script, manifest with
//! digests included. [`stage`] is the same policies compiled into this program, to be asked when a component of the embedded
//! bundle fails, and to measure what the components cost. Both come from one source, so the same question gets the same answer;
//! a test asks both.
//!
//! This crate is a leaf: what a bundle or a stage means to the host is said where the gateway puts the two together.
#![forbid(unsafe_code)]

use pointsman_policy_capability::Capability;
use pointsman_policy_failover::Standard;
use pointsman_policy_price_ceiling::PriceCeiling;
use pointsman_policy_rank::Rank;
use pointsman_sdk::native::{self, Stage};
use pointsman_sdk::{Problem, Setting};

/// A file of the bundle: its name, without folders, and its content.
pub type File = (&'static str, &'static [u8]);

/// What [`stage`] gives: a configured stage, or what is wrong with its settings.
pub type Configured = Result<Box<dyn Stage>, Vec<Problem>>;

/// Every file of the bundle: the components, and last `bundle.toml`, which has their digests.
#[must_use]
pub fn bundle() -> &'static [File] {
    include!(concat!(env!("OUT_DIR"), "/files.rs"))
}

/// The native twin of one stage: the policy behind `component`, with or without its ".wasm", and the hook "selection" or "failover".
/// `None` when there is no such component, or it does not have that hook.
#[must_use]
pub fn stage(component: &str, hook: &str, settings: Vec<Setting>) -> Option<Configured> {
    let name = component.strip_suffix(".wasm").unwrap_or(component);
    Some(match (name, hook) {
        ("capability", "selection") => native::selection::<Capability>(settings),
        ("price-ceiling", "selection") => native::selection::<PriceCeiling>(settings),
        ("rank", "selection") => native::selection::<Rank>(settings),
        ("failover", "failover") => native::failover::<Standard>(settings),
        _ => return None,
    })
}

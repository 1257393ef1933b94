//! The policies that the gateway carries in itself, twice: as components and as native code.
//!
//! # Contract
//!
//! [`library`] is every policy of `policies/`, as components, built by this crate's build script; a bundle's source names one with
//! `builtin`. [`bundle`] is the few of them that a gateway runs until told otherwise: the folder that an operator could have activated,
//! manifest with digests included. [`stage`] is all of them compiled into this program, to be asked when a component of the embedded
//! bundle fails, and to measure what the components cost. Both come from one source, so the same question gets the same answer;
//! a test asks both.
//!
//! This crate is a leaf: what a bundle or a stage means to the host is said where the gateway puts the two together.
#![forbid(unsafe_code)]

use pointsman_sdk::Setting;
use pointsman_sdk::native::{Configured, Exported};

/// A file: its name, without folders, and its content.
pub type File = (&'static str, &'static [u8]);

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// Every file of the default bundle: the components, and last `bundle.toml`, which has their digests.
#[must_use]
pub fn bundle() -> &'static [File] {
    BUNDLE
}

/// Every policy as a component: its name and ".wasm", by name.
#[must_use]
pub fn library() -> &'static [File] {
    LIBRARY
}

/// Every policy as native code, in the order of [`library`].
#[must_use]
pub fn natives() -> &'static [fn() -> Exported] {
    NATIVES
}

/// The native twin of one stage: the policy behind `component`, with or without its ".wasm", and the hook "selection", "byoc" or
/// "failover". `None` when there is no such component, or it does not have that hook.
#[must_use]
pub fn stage(component: &str, hook: &str, settings: Vec<Setting>) -> Option<Configured> {
    let name = component.strip_suffix(".wasm").unwrap_or(component);
    let place = LIBRARY
        .iter()
        .position(|(file, _)| file.strip_suffix(".wasm") == Some(name))?;
    NATIVES.get(place)?().stage(hook, settings)
}

//! The settings by heading: each file has the rows of its heading, the type they become, and the way from one to the
//! other.

pub(super) mod access;
pub(super) mod chain;
pub(super) mod data;
pub(super) mod listeners;
pub(super) mod logging;
pub(super) mod orchestrators;
pub(super) mod payments;
pub(super) mod policy;
pub(super) mod prices;
pub(super) mod recording;
pub(super) mod signer;
pub(super) mod streams;
pub(super) mod wallet;

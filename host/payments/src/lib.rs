//! What is paid, to whom, and the proof of it.
//!
//! # Contract
//!
//! A [`purse`] turns an orchestrator's offer and a fee into the payment that goes with a job, and a receipt that says
//! afterwards how it went. Between the two it has drawn credit down, checked prices, parameters and limits, and asked the
//! ledger, which is on disk before a ticket exists. Nothing here knows HTTP handlers, media or the chain: what the chain says
//! comes in as a [`Standing`](standing::Standing), what orchestrators say as messages of `wire`.
//!
//! Everything that is paid is whole wei or an exact [`Ratio`]; no float decides anything.
//!
//! | module | owns |
//! |---|---|
//! | [`purse`] | the way of a payment |
//! | [`balance`] | credit with orchestrators |
//! | [`fee`] | what jobs cost |
//! | [`price`] | prices and ceilings |
//! | [`params`], [`standing`] | whether tickets may be made, and why not |
//! | [`signer`], [`remote`] | who signs |
//! | [`ledger`] | what was spent, durably |
//! | [`verdict`] | what to do about errors and refusals |
//! | [`show`] | amounts in words |

#![forbid(unsafe_code)]

pub mod balance;
pub mod fee;
pub mod ledger;
pub mod params;
pub mod price;
pub mod purse;
pub mod remote;
pub mod show;
pub mod signer;
pub mod standing;
pub mod verdict;

pub use pointsman_wire::amount::{Ratio, U256};

//! The bytes between a gateway and an orchestrator of the Livepeer network.
//!
//! # Contract
//!
//! Everything here turns bytes into types that cannot be wrong, or types into exactly the bytes that go-livepeer 0.9
//! writes. Nothing here opens a connection, reads a clock, holds a configuration or decides what to do about an answer.
//! Decoders take hostile bytes: they do not panic, and they allocate in proportion to what they were given.
//!
//! | module | bytes |
//! |---|---|
//! | [`net`] | messages and gRPC service, as generated |
//! | [`uri`] | address of an orchestrator |
//! | [`profile`] | renditions: presets, JSON, message |
//! | [`capabilities`] | what a job needs and an orchestrator has |
//! | [`sign`] | digests and signatures |
//! | [`segment`], [`payment`], [`token`] | the headers of a segment |
//! | [`ticket`] | tickets and the parameters they are made by |
//! | [`amount`] | wei, whole and in fractions |
//! | [`result`], [`rejection`], [`refusal`] | what comes back |
//! | [`limits`] | the protocol's numbers, and caps |
//!
//! Both sides are here, the orchestrator's too: the orchestrators of the development network read and refuse with it.

#![forbid(unsafe_code)]

pub mod amount;
pub mod capabilities;
pub mod limits;
pub mod net;
pub mod payment;
pub mod profile;
pub mod refusal;
pub mod rejection;
pub mod result;
pub mod segment;
pub mod sign;
pub mod ticket;
pub mod token;
pub mod uri;

pub use uri::ServiceUri;

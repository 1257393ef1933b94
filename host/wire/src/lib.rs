//! wire
#![forbid(unsafe_code)]
pub mod net;

//! JSON-RPC to several endpoints as if they were one.
//!
//! # Contract
//!
//! [`Rpc::batch`] answers every call or says why no endpoint would. Endpoints are used in the order they were given; one that fails rests, longer
//! each time, and the next is asked at once. Only when all rest does a caller wait, never past [`Limits::overall`]. What a node
//! *refuses* (a revert, an unknown method) is an answer and not a failure: it comes back as [`Refusal`].
//!
//! Each endpoint proves its chain id with the first thing it is asked. An answer is never read past [`Limits::answer`] bytes. No error, log or
//! `Debug` shows more of an endpoint than scheme, host and port, since the rest of such URLs is usually the API key.
//!
//! # Why this is not alloy's provider
//!
//! Its HTTP transport reads answers of any length and puts whole URLs into its errors; its fallback layer asks all endpoints at once,
//! which doubles the bill, and does not know `Retry-After`. Each promise above would have to be forced onto it from outside. Types, ABI, signing and
//! transactions are alloy's.

mod endpoint;
mod envelope;
mod fault;
mod http;
mod pool;
mod rest;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;

pub use endpoint::{Endpoint, EndpointError};
pub use envelope::{Answer, Call};
pub use fault::{Fault, Refusal, RefusalKind, RpcError};
pub use http::Http;
pub use pool::{Answered, EndpointStatus, Rpc};

/// Carries one JSON-RPC body to one endpoint and the answer's body back. The pool times it out.
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// One HTTP exchange, or what stands in for one. `most` is the longest answer that is read, bytes.
    ///
    /// # Errors
    ///
    /// Any [`Fault`]; a body is returned whatever it holds.
    fn post(&self, body: Bytes, most: usize) -> BoxFuture<'_, Result<Bytes, Fault>>;
}

/// How patient the pool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest wait for one HTTP exchange.
    pub timeout: Duration,
    /// Longest time from which on nothing new is tried for a batch.
    pub overall: Duration,
    /// Most HTTP exchanges that may fail for one batch.
    pub attempts: u32,
    /// Longest answer, bytes.
    pub answer: usize,
    /// Calls in one HTTP exchange. An endpoint that refuses so many is asked for half from then on.
    pub batch: usize,
    /// How long an endpoint rests after its first failure. Doubles with each further one; a random half of it is taken off.
    pub rest: Duration,
    /// Longest rest, also where `Retry-After` asks for more.
    pub rest_most: Duration,
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            overall: Duration::from_secs(30),
            attempts: 6,
            answer: 8 << 20,
            batch: 200,
            rest: Duration::from_millis(500),
            rest_most: Duration::from_secs(60),
        }
    }
}

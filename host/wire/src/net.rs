//! The messages and the gRPC service of `proto/net.proto`, as prost and tonic generate them.
//!
//! They are what is on the wire and may hold anything; the other modules turn them into types that cannot be wrong.
//! Maps are ordered, so encoding is deterministic. Go's is not: it shuffles the entries of a map, so an offer that is
//! decoded and encoded again has its `capacities` in another order.

#![allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::needless_pass_by_value,
    clippy::semicolon_if_nothing_returned,
    clippy::uninlined_format_args,
    clippy::unwrap_used,
    reason = "generated code"
)]

tonic::include_proto!("net");

//! The kinds of job. Each says how to try it once on one orchestrator and how to judge what comes back; everything between
//! (which orchestrator, how often, how long) is [`pointsman_dispatch`]'s.
//!
//! A new workload is one module here and one route in the gateway. Workloads do not know each other.
#![forbid(unsafe_code)]

pub mod transcode;

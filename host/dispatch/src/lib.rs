//! Job → decision → session → attempts → outcome: the only place that routes, retries, hedges and fails over.
//!
//! # Contract
//!
//! A workload describes one job ([`Request`]) and how to try it on one orchestrator ([`Exchange`]). [`Dispatcher::exchange`] asks
//! the policy for an order, works down it, and answers with the first good result, or with the reason why there is none
//! before the hard deadline. It knows no media format and no message text: whose fault a failure is, and whether trying
//! again is safe, arrive with the [`Failure`](pointsman_facts::Failure).
//!
//! What a policy may not do is decided here and nowhere else: nothing is sent past the hard deadline, no retry that is
//! not safe, nothing above the [`budget`], no second rerank. A refused answer becomes the next candidate if that is allowed, else the end, and is counted.
//!
//! An attempt whose orchestrator asks more than was agreed is not sent: the policy is asked first, and what it accepts holds for the session.
//! Accepting a price above the hard ceiling is refused.
//!
//! A job that is ranked again has two decisions, each with its own attempts, and both are recorded. It is one outcome all the same: of a canary's trial too.
//!
//! # Two shapes
//!
//! An *exchange* is one request with a deadline and a commit point, the moment at which the application has seen the first
//! byte: attempts and hedges happen before it. Segments, AI requests and BYOC calls are exchanges.
//!
//! A *lease* is attached, kept healthy, metered and detached: real-time streams. None exists yet. Its events (health, a top-up due,
//! a price change) will be asked of the same policies and paid from the same budgets, with sessions held by the same
//! [`Sessions`]; nothing in an exchange assumes that a session serves one job only.
//!
//! # Metrics
//!
//! | name | kind | labels |
//! |---|---|---|
//! | `pointsman_retries_total` | counter | `workload` |
//! | `pointsman_hedges_total` | counter | `workload` |
//! | `pointsman_failover_refused_total` | counter | `asked`: `retry-same`, `next`, `rerank`, `hedge`, `rest` |
//! | `pointsman_price_changes_total` | counter | `answer` |
//!
//! # Time
//!
//! Only tokio's clock is read, and the wall clock only through the directory's offset from it, so a test can run hours of
//! traffic in paused time.
#![forbid(unsafe_code)]

pub mod budget;
pub mod deadline;
pub mod exchange;
mod hedge;
mod run;
pub mod session;
pub mod spending;

pub use budget::Budgets;
pub use deadline::Deadlines;
pub use exchange::{Allowance, Asked, Delivered, Exchange, Request, StopReason, Stopped};
pub use run::{Dispatcher, Settings};
pub use session::Sessions;
pub use spending::Spending;

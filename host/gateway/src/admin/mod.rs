//! The admin listener: health, metrics, what the gateway knows, and policies to swap.
//!
//! # Contract
//!
//! Loopback by default. Reads need the token off loopback only; state changes are POST and always need it, since a loopback page that
//! swaps code is a target for every page a browser on this machine opens. For the same reason a request whose `Host` is neither loopback nor
//! configured is refused, and so is one from a foreign `Origin`. `livepeer_cli`, which sends no token, can be let write on loopback
//! ([`golivepeer`]). Errors are `{"error":{"code","message"}}`.

mod bundle;
mod error;
mod explain;
mod golivepeer;
mod guard;
mod read;
mod token;
mod trial;
mod wallet;
mod write;

use std::sync::Arc;

use anyhow::Result;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::{Router, middleware};
use metrics_exporter_prometheus::PrometheusHandle;
use pointsman_directory::Directory;
use pointsman_payments::price::MaxPrices;
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::gateway::Addresses;
use crate::ingest::renditions::Renditions;
use crate::money::Money;
use crate::policies::{MAX_UPLOAD, Policies};
use crate::streams::Streams;

pub use bundle::SIGNATURE;
pub use error::ApiError;
pub use golivepeer::Verbosity;
use guard::Guard;
pub use token::read_token;

/// What the admin API shows and changes.
#[derive(Clone, Debug)]
pub struct AdminState {
    /// The settings in force.
    pub settings: Arc<Settings>,
    /// Where the gateway listens.
    pub addresses: Addresses,
    /// Orchestrators.
    pub directory: Directory,
    /// Policies.
    pub policies: Arc<Policies>,
    /// Streams.
    pub streams: Arc<Streams>,
    /// What pays; `None` off-chain.
    pub money: Option<Money>,
    /// The most that it pays.
    pub prices: MaxPrices,
    /// What streams get that ask for nothing.
    pub profiles: Renditions,
    /// Metrics.
    pub metrics: PrometheusHandle,
    /// Cancelled when the gateway takes nothing new.
    pub draining: CancellationToken,
}

/// The admin API, its token known.
#[derive(Debug)]
pub struct Admin {
    guard: Arc<Guard>,
}

// === impl Admin ===

impl Admin {
    /// Reads the token, or makes one at the first start.
    ///
    /// # Errors
    ///
    /// When the data directory or the token file cannot be used.
    pub fn prepare(settings: &Settings) -> Result<Self> {
        let token = token::ensure(&settings.access.admin_token, &settings.data.dir)?;
        Ok(Self {
            guard: Arc::new(Guard::new(token, settings)),
        })
    }

    /// The routes.
    pub fn router(self, state: AdminState) -> Router {
        Router::new()
            .route("/healthz", get(|| async {}))
            .route("/readyz", get(read::ready))
            .route("/metrics", get(read::metrics))
            .route("/api/v1/status", get(read::status))
            .route("/api/v1/orchestrators", get(read::orchestrators))
            .route("/api/v1/registry", get(read::registry))
            .route("/api/v1/streams", get(read::streams))
            .route("/api/v1/payments", get(read::payments))
            .route("/api/v1/wallet", get(wallet::status))
            .route("/api/v1/wallet/fund", post(wallet::fund))
            .route("/api/v1/wallet/unlock", post(wallet::unlock))
            .route("/api/v1/wallet/cancel-unlock", post(wallet::cancel_unlock))
            .route("/api/v1/wallet/withdraw", post(wallet::withdraw))
            .route("/api/v1/policy", get(read::policy))
            .route("/api/v1/decisions", get(read::decisions))
            .route("/api/v1/decisions/{*job}", get(explain::explain))
            .route("/api/v1/policy/activate", post(write::activate))
            .route("/api/v1/policy/rollback", post(write::rollback))
            .route("/api/v1/policy/shadow", post(trial::shadow))
            .route("/api/v1/policy/canary", post(trial::canary))
            .route("/api/v1/policy/promote", post(trial::promote))
            .route("/api/v1/policy/stop", post(trial::stop))
            .route("/api/v1/policy/log", get(trial::log))
            .merge(golivepeer::router())
            .merge(crate::demo::router(&state.addresses))
            .fallback(|| async {
                ApiError::not_found("no such route; the API is under /api/v1, the page at /")
            })
            .method_not_allowed_fallback(|| async { ApiError::method() })
            .layer(DefaultBodyLimit::max(MAX_UPLOAD))
            .layer(middleware::from_fn_with_state(self.guard, guard::check))
            .with_state(state)
    }
}

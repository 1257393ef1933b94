//! Metrics in Prometheus' text format.

use anyhow::{Context, Result};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;

/// Buckets for what takes milliseconds to seconds.
const SECONDS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0,
];
/// Buckets for decisions, which take microseconds.
const DECISIONS: [f64; 10] = [2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 1e-2];

/// Makes this process count, once; later calls answer the same handle.
///
/// # Errors
///
/// When something else counts already.
pub(crate) fn install() -> Result<PrometheusHandle> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets(&SECONDS)
        .and_then(|builder| {
            builder.set_buckets_for_metric(
                Matcher::Full("pointsman_policy_decision_seconds".to_owned()),
                &DECISIONS,
            )
        })
        .context("histogram buckets")?
        .install_recorder()
        .context("cannot count metrics in this process")?;
    Ok(HANDLE.get_or_init(|| handle).clone())
}

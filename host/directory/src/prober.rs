//! Asking every known orchestrator what it offers, again and again, so that no job has to.
//!
//! # Contract
//!
//! Each orchestrator has a prober of its own from the moment it is known until it is removed or the directory stops; a
//! question under way is dropped then. The first question goes out at once, the next after the interval, a fifth shorter or
//! longer. After a failure the pause is one second, two, four, … up to a cap of minutes, or of seconds while no
//! orchestrator at all is usable: then somebody is waiting. So many questions run at a time and no more.
//!
//! The question names no capabilities: the answer then holds the base price and the whole list of prices. Its token opens a
//! session like any other, so the answer is also an *offer* for the next job that needs one.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use pointsman_facts::{Blame, Failure, FailureKind};
use pointsman_transport::Answer;
use pointsman_wire::net::OrchestratorRequest;
use pointsman_wire::uri::ServiceUri;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::backoff::{self, jittered};
use crate::core::Core;
use crate::orchestrator::Orchestrator;

/// Longest pause while no orchestrator is usable.
const HURRY: Duration = Duration::from_secs(5);

/// Shortest time between two probes of one orchestrator, whoever asks for them.
const AT_LEAST: Duration = Duration::from_secs(1);

/// How orchestrators are probed.
#[derive(Clone, Debug)]
pub struct Probing {
    /// Pause between two good answers.
    pub interval: Duration,
    /// Longest wait for one answer, connecting included.
    pub timeout: Duration,
    /// Most probes at a time.
    pub concurrency: usize,
    /// Longest pause after failures.
    pub longest_pause: Duration,
    /// What is sent: the gateway's address and its signature, no capabilities.
    pub request: OrchestratorRequest,
}

/// A question under way.
pub type Asking<'a> = Pin<Box<dyn Future<Output = Result<Answer, Failure>> + Send + 'a>>;

/// How orchestrators are reached. A simulator puts its own in place of the network.
pub trait Ask: Send + Sync + 'static {
    /// Sends GetOrchestrator to `uri`. Dropping the future takes the question back.
    fn ask<'a>(
        &'a self,
        uri: &'a ServiceUri,
        request: &'a OrchestratorRequest,
        timeout: Duration,
    ) -> Asking<'a>;
}

/// Probes `orchestrator` until `cancel`.
pub(crate) async fn run(
    core: Arc<Core>,
    orchestrator: Arc<Orchestrator>,
    cancel: CancellationToken,
) {
    let mut rng = fastrand::Rng::with_seed(core.seed ^ orchestrator.id.0);
    while let Some(result) = cancel
        .run_until_cancelled(probe(&core, &orchestrator.uri))
        .await
    {
        let failed = result.as_ref().is_err_and(Failure::is_fault);
        let failures = core.probed(&orchestrator, result);
        let probed = Instant::now();
        let pause = match failed {
            false => core.probing.interval,
            true if core.is_idle() => backoff::after(failures, HURRY),
            true => backoff::after(failures, core.probing.longest_pause),
        };
        let pause = sleep(jittered(pause, &mut rng));
        let next = async {
            tokio::select! {
                () = pause => {}
                () = orchestrator.poked() => sleep_until(probed + AT_LEAST).await,
            }
        };
        if cancel.run_until_cancelled(next).await.is_none() {
            return;
        }
    }
}

async fn probe(core: &Core, uri: &ServiceUri) -> Result<Answer, Failure> {
    let _permit = core
        .permits
        .acquire()
        .await
        .expect("the semaphore is never closed");
    let Probing {
        request,
        timeout: limit,
        ..
    } = &core.probing;
    let started = Instant::now();
    let asked = timeout(*limit, core.ask.ask(uri, request, *limit)).await;
    let result = asked.unwrap_or_else(|_| {
        let detail = format!(
            "no answer to GetOrchestrator within {} ms",
            limit.as_millis()
        );
        Err(Failure::new(
            Blame::Network,
            FailureKind::HeaderTimeout,
            detail,
        ))
    });
    let label = match &result {
        Ok(_) => "ok",
        Err(failure) => failure.kind.name(),
    };
    metrics::counter!("pointsman_directory_probes_total", "result" => label).increment(1);
    metrics::histogram!("pointsman_directory_probe_seconds")
        .record(started.elapsed().as_secs_f64());
    result
}

// === impl Probing ===

impl Default for Probing {
    /// Every 30 s for 3 s, 32 at a time, off-chain: the address is zero and nothing is signed.
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(3),
            concurrency: 32,
            longest_pause: Duration::from_secs(5 * 60),
            request: OrchestratorRequest {
                address: vec![0; 20],
                ..Default::default()
            },
        }
    }
}

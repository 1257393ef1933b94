//! The remote signer that pays for the gateway: asked who it is at the start, and for as long as it takes.
//!
//! # Contract
//!
//! A signer that is away does not keep the gateway from starting, and one that comes is used at once. Until then orchestrators are asked
//! without a signature: those that are off-chain answer, the others do not.

use std::time::Duration;

use anyhow::{Context, Result};
use pointsman_directory::{Ask, Asking};
use pointsman_payments::purse::Purse;
use pointsman_payments::remote::{Remote, RemoteError};
use pointsman_payments::signer::Signer as _;
use pointsman_transport::Connections;
use pointsman_wire::net::OrchestratorRequest;
use pointsman_wire::sign::Address;
use pointsman_wire::uri::ServiceUri;
use tokio::time::{Instant, sleep, timeout};

use crate::config;

/// A signer that is asked until it has answered.
#[derive(Clone, Debug)]
pub struct Watched {
    remote: Remote,
    origin: String,
}

/// Asks orchestrators in the name of whoever pays, as far as that is known.
#[derive(Debug)]
pub(super) struct Signed {
    connections: Connections,
    purse: Purse,
}

/// How long the start waits for the signer.
const READY: Duration = Duration::from_secs(5);
/// Between two questions to one that is away, at first.
const PAUSE: Duration = Duration::from_millis(500);
/// The same, at most.
const LONGEST: Duration = Duration::from_secs(15);

/// Makes a client, and waits a little for the signer.
///
/// # Errors
///
/// When the settings make no client, or the signer's signature is not its own.
pub(super) async fn open(wanted: &config::Signer) -> Result<Watched> {
    let origin = wanted.settings.origin();
    let remote = Remote::new(&wanted.settings)
        .with_context(|| format!("the remote signer at {origin} cannot be asked"))?;
    let watched = Watched { remote, origin };
    match timeout(READY, watched.remote.introduce()).await {
        Ok(Ok(address)) => watched.welcome(address),
        Ok(Err(error @ RemoteError::Malformed(_))) => {
            let Watched { origin, .. } = watched;
            return Err(error).with_context(|| format!("the remote signer at {origin}"));
        }
        answer => {
            let why = answer.map_or_else(
                |_| "it has not answered yet".to_owned(),
                |error| {
                    error
                        .err()
                        .map(|error| error.to_string())
                        .unwrap_or_default()
                },
            );
            tracing::warn!(
                signer = watched.origin,
                why,
                "the gateway starts without its remote signer: nothing is paid until it answers"
            );
            tokio::spawn(watched.clone().ask_on());
        }
    }
    Ok(watched)
}

// === impl Watched ===

impl Watched {
    /// Scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The client.
    #[must_use]
    pub fn remote(&self) -> &Remote {
        &self.remote
    }

    /// Who it is, once it has said so.
    #[must_use]
    pub fn address(&self) -> Option<Address> {
        Some(self.remote.address()).filter(|address| !address.is_zero())
    }

    fn welcome(&self, address: Address) {
        tracing::info!(signer = self.origin, %address, "the remote signer pays");
        if self.remote.signs_segments() == Some(false) {
            tracing::warn!(signer = self.origin, "{}", RemoteError::Segments);
        }
    }

    async fn ask_on(self) {
        let mut pause = PAUSE;
        let mut said = Instant::now();
        loop {
            sleep(pause).await;
            match self.remote.introduce().await {
                Ok(address) => return self.welcome(address),
                Err(error) if said.elapsed() > LONGEST * 4 => {
                    tracing::warn!(signer = self.origin, %error, "the remote signer is still away");
                    said = Instant::now();
                }
                Err(_) => {}
            }
            pause = (pause * 2).min(LONGEST);
        }
    }
}

// === impl Signed ===

impl Signed {
    pub(super) fn new(connections: Connections, purse: Purse) -> Self {
        Self { connections, purse }
    }
}

impl Ask for Signed {
    fn ask<'a>(
        &'a self,
        uri: &'a ServiceUri,
        request: &'a OrchestratorRequest,
        timeout: Duration,
    ) -> Asking<'a> {
        Box::pin(async move {
            let (address, sig) = self.purse.identity();
            let mut request = request.clone();
            if !address.is_zero() {
                request.address = address.to_vec();
                request.sig = sig;
            }
            Ask::ask(&self.connections, uri, &request, timeout).await
        })
    }
}

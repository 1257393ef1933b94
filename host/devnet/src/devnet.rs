//! The devnet: its orchestrators and its control route.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::chain::RpcError;
use crate::control;
use crate::node::Node;
use crate::orchestrator::Orchestrator;
use crate::port::Port;
use crate::profile::{Mode, Profile, ProfileError};
use crate::recipient::{Account, View};
use crate::signer::Signer;
use crate::tls::TlsError;

/// Running orchestrators. Dropping it ends them; [`stop`](Self::stop) ends them politely and waits.
#[derive(Debug)]
pub struct Devnet {
    orchestrators: Vec<Orchestrator>,
    signer: Option<Signer>,
    control: SocketAddr,
    controller: JoinHandle<()>,
    root: DropGuard,
}

/// Why a devnet, or one of its orchestrators, does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The profile.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A port that cannot be had.
    #[error("orchestrator {name} cannot listen on {address}: {cause}")]
    Listen {
        /// Which orchestrator.
        name: String,
        /// Where.
        address: SocketAddr,
        /// Why not.
        cause: io::Error,
    },
    /// The control route's port cannot be had.
    #[error("the control route cannot listen on {address}: {cause}")]
    Control {
        /// Where.
        address: SocketAddr,
        /// Why not.
        cause: io::Error,
    },
    /// The chain that orchestrators are to be on.
    #[error("the chain at {rpc}: {cause}")]
    Chain {
        /// Its node.
        rpc: String,
        /// Why not.
        cause: RpcError,
    },
    /// The remote signer's port cannot be had.
    #[error("the remote signer cannot listen on {address}: {cause}")]
    Signer {
        /// Where.
        address: SocketAddr,
        /// Why not.
        cause: io::Error,
    },
    /// No certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// No temporary directory.
    #[error("no temporary directory for segments: {0}")]
    Scratch(io::Error),
    /// No transcoder.
    #[error(
        "{ffmpeg:?} does not run: {cause}; install ffmpeg, name it with `ffmpeg = \"…\"`, or use mode = \"passthrough\""
    )]
    Ffmpeg {
        /// The program.
        ffmpeg: PathBuf,
        /// What happened.
        cause: String,
    },
}

/// Starts a devnet. All its orchestrators are ready when this returns.
///
/// # Errors
///
/// When the profile is wrong, a port is taken, or ffmpeg is wanted and does not run. Nothing is left running then.
pub async fn start(profile: Profile) -> Result<Devnet, Error> {
    let mut profile = profile.checked()?;
    // A transcoder runs in a directory of its own; names without a directory are looked up.
    if profile.ffmpeg.components().count() > 1
        && let Ok(absolute) = std::path::absolute(&profile.ffmpeg)
    {
        profile.ffmpeg = absolute;
    }
    let transcodes = |mode| mode == Mode::Transcode;
    if profile.orchestrators.iter().any(|o| transcodes(o.mode)) {
        check_ffmpeg(&profile.ffmpeg).await?;
    }
    let view = match &profile.chain {
        None => None,
        Some(chain) => Some(Arc::new(View::connect(chain).await.map_err(|cause| {
            let rpc = chain.rpc.clone();
            Error::Chain { rpc, cause }
        })?)),
    };
    let root = CancellationToken::new();
    let guard = root.clone().drop_guard();
    let mut orchestrators = Vec::with_capacity(profile.orchestrators.len());
    for (index, wanted) in (1..).zip(profile.orchestrators) {
        let address = SocketAddr::new(profile.host, wanted.port);
        let port = Port::reserve(address).map_err(|cause| Error::Listen {
            name: wanted.name.clone(),
            address,
            cause,
        })?;
        let account = match (wanted.payments, &view) {
            (Some(payments), Some(view)) => Some(Arc::new(Account::new(payments, view.clone()))),
            _ => None,
        };
        let node = Node::new(
            wanted,
            port,
            account,
            profile.seed.wrapping_mul(0x9e37_79b9).wrapping_add(index),
        );
        let orchestrator = Orchestrator::new(node, profile.ffmpeg.clone(), root.clone());
        orchestrator.start().await?;
        orchestrators.push(orchestrator);
    }
    let signer = match (profile.signer, view) {
        (Some(wanted), Some(view)) => {
            let address = wanted.listen;
            let uris = orchestrators.iter().map(|one| one.uri().to_owned());
            let signer = Signer::start(wanted, view, uris.collect(), root.clone()).await;
            Some(signer.map_err(|cause| Error::Signer { address, cause })?)
        }
        _ => None,
    };
    let failed = |cause| Error::Control {
        address: profile.control,
        cause,
    };
    let listener = TcpListener::bind(profile.control).await.map_err(failed)?;
    let control = listener.local_addr().map_err(failed)?;
    let controller = tokio::spawn(control::serve(
        listener,
        orchestrators.clone(),
        signer.clone(),
        root,
    ));
    Ok(Devnet {
        orchestrators,
        signer,
        control,
        controller,
        root: guard,
    })
}

async fn check_ffmpeg(ffmpeg: &Path) -> Result<(), Error> {
    let failed = |cause: String| Error::Ffmpeg {
        ffmpeg: ffmpeg.to_owned(),
        cause,
    };
    let status = Command::new(ffmpeg)
        .arg("-version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await
        .map_err(|cause| failed(cause.to_string()))?;
    match status.success() {
        true => Ok(()),
        false => Err(failed(status.to_string())),
    }
}

// === impl Devnet ===

impl Devnet {
    /// The orchestrators, in the order of the profile.
    #[must_use]
    pub fn orchestrators(&self) -> &[Orchestrator] {
        &self.orchestrators
    }

    /// The orchestrator of this name.
    #[must_use]
    pub fn orchestrator(&self, name: &str) -> Option<&Orchestrator> {
        control::find(&self.orchestrators, name)
    }

    /// The service URIs, in the order of the profile.
    #[must_use]
    pub fn uris(&self) -> Vec<String> {
        let uris = self.orchestrators.iter().map(Orchestrator::uri);
        uris.map(str::to_owned).collect()
    }

    /// The remote signer, if the profile has one.
    #[must_use]
    pub fn signer(&self) -> Option<&Signer> {
        self.signer.as_ref()
    }

    /// Where the control route listens.
    #[must_use]
    pub fn control(&self) -> SocketAddr {
        self.control
    }

    /// The URL of the discovery webhook that lists the orchestrators.
    #[must_use]
    pub fn webhook(&self) -> String {
        format!("http://{}/webhook", self.control)
    }

    /// Ends everything: requests that run have a few seconds to end. Returns when nothing is left.
    pub async fn stop(self) {
        let stopping: Vec<_> = self
            .orchestrators
            .iter()
            .cloned()
            .map(|orchestrator| tokio::spawn(async move { orchestrator.stop().await }))
            .collect();
        for stopping in stopping {
            if let Err(cause) = stopping.await {
                tracing::error!(%cause, "an orchestrator did not stop in order");
            }
        }
        drop(self.root);
        if let Err(cause) = self.controller.await {
            tracing::error!(%cause, "the control route did not stop in order");
        }
    }
}

//! Which bundle is active, and how it comes to be: at start, when the operator's folder changes, by upload, by rollback.
//!
//! # Contract
//!
//! Every bundle that becomes active is kept in the data directory first ([`store`]), so that a restart and a rollback find it whatever
//! happened to where it came from. A bundle that fails its checks changes nothing. After a restart the later of the last activation and a
//! changed folder wins: a folder that is as it was when the operator activated something else does not undo that.
//!
//! # Why the folder is polled
//!
//! A change counts when `bundle.toml` is another file, which lists the digests and is written last. One small file read twice a second costs
//! nothing, and works on network file systems and bind mounts, where notifications get lost.

mod archive;
mod store;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use pointsman_policy::bundle::{Digest, MAX_COMPONENT};
use pointsman_policy::{Bundle, Config, GenerationInfo, Host};
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::twin::Twin;
use store::{Last, Store};

pub use archive::pack;

/// Largest upload, in bytes.
pub const MAX_UPLOAD: usize = 64 << 20;

/// How often the folder is looked at.
const POLL: Duration = Duration::from_millis(500);

/// The policies of one gateway.
#[derive(Debug)]
pub struct Policies {
    host: Host,
    store: Arc<Store>,
    folder: Option<PathBuf>,
    /// One change at a time.
    changing: tokio::sync::Mutex<()>,
}

// === impl Policies ===

impl Policies {
    /// Makes the right bundle active.
    ///
    /// # Errors
    ///
    /// When there is no bundle that passes its checks.
    pub async fn start(settings: &Settings) -> Result<Arc<Self>> {
        let store = Arc::new(Store::open(&settings.data.dir.join("policy"))?);
        let host = blocking(|| {
            Host::new(Config::default(), Some(Arc::new(Twin))).map_err(anyhow::Error::from)
        })
        .await?;
        let policies = Arc::new(Self {
            host,
            store,
            folder: settings.policy.bundle.clone(),
            changing: tokio::sync::Mutex::default(),
        });
        policies.first().await?;
        Ok(policies)
    }

    /// Who decides.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    async fn first(&self) -> Result<()> {
        let last = self.store.last();
        let folder = self.folder.as_deref().and_then(manifest_digest);
        let changed =
            folder.is_some() && last.as_ref().and_then(|last| last.folder.clone()) != folder;
        if !changed && let Some(last) = last {
            match self.resume(&last).await {
                Ok(()) => return Ok(()),
                Err(error) => tracing::warn!(
                    error = format!("{error:#}"),
                    "the last active bundle cannot be used again"
                ),
            }
        }
        match &self.folder {
            Some(path) => {
                let read = path.clone();
                let bundle = blocking(move || read_folder(&read)).await?;
                let origin = format!("folder {}", path.display());
                self.change(bundle, origin, folder).await?;
            }
            None => {
                let files = pointsman_default_bundle::bundle().iter();
                let files = files.map(|&(name, bytes)| (name.to_owned(), bytes.to_vec()));
                let bundle =
                    Bundle::from_files(files, MAX_COMPONENT).context("the embedded bundle")?;
                self.activate(bundle, "embedded".to_owned()).await?;
            }
        }
        Ok(())
    }

    async fn resume(&self, last: &Last) -> Result<()> {
        let folder = self.store.folder(&last.digest);
        let bundle = blocking(move || read_folder(&folder)).await?;
        self.activate(bundle, last.origin.clone()).await?;
        Ok(())
    }

    /// Checks, keeps and activates `bundle`.
    async fn change(
        &self,
        bundle: Bundle,
        origin: String,
        folder: Option<String>,
    ) -> Result<GenerationInfo> {
        let _one = self.changing.lock().await;
        let digest = bundle.digest().to_string();
        let (store, kept) = (self.store.clone(), bundle.clone());
        let generation = self.activate(bundle, origin.clone()).await?;
        let folder = folder.or_else(|| self.folder.as_deref().and_then(manifest_digest));
        let saved = blocking(move || {
            store.keep(&kept)?;
            store.remember(&Last {
                digest,
                origin,
                folder,
            })
        });
        if let Err(error) = saved.await {
            tracing::error!(
                error = format!("{error:#}"),
                "the active bundle will not survive a restart"
            );
        }
        Ok(generation)
    }

    async fn activate(&self, bundle: Bundle, origin: String) -> Result<GenerationInfo> {
        let host = self.host.clone();
        let number = blocking(move || {
            let loaded = host.load(&bundle)?;
            Ok(host.activate(loaded, origin))
        })
        .await?;
        let info = self.info(number)?;
        tracing::info!(
            generation = info.number,
            name = info.name,
            version = info.version,
            origin = info.origin,
            "policy active"
        );
        Ok(info)
    }

    /// Activates an uploaded bundle: a tar of its files.
    ///
    /// # Errors
    ///
    /// What is wrong with it; nothing has changed then.
    pub async fn upload(&self, tar: Bytes) -> Result<GenerationInfo> {
        let bundle =
            blocking(move || Ok(Bundle::from_files(archive::unpack(&tar)?, MAX_COMPONENT)?))
                .await?;
        self.change(bundle, "upload".to_owned(), None).await
    }

    /// Makes the generation before the active one active again.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub async fn rollback(&self) -> Result<GenerationInfo> {
        let _one = self.changing.lock().await;
        let info = self.info(self.host.rollback()?)?;
        tracing::info!(
            generation = info.number,
            name = info.name,
            "policy rolled back"
        );
        let (store, folder) = (
            self.store.clone(),
            self.folder.as_deref().and_then(manifest_digest),
        );
        let last = Last {
            digest: info.digest.to_string(),
            origin: info.origin.clone(),
            folder,
        };
        blocking(move || store.remember(&last)).await?;
        Ok(info)
    }

    fn info(&self, number: u64) -> Result<GenerationInfo> {
        let mut generations = self.host.generations().into_iter();
        generations
            .find(|generation| generation.number == number)
            .ok_or_else(|| anyhow!("generation {number} was retired at once"))
    }

    /// Follows the operator's folder until `stop`.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let Some(folder) = self.folder.clone() else {
            return;
        };
        let mut seen = manifest_digest(&folder);
        let mut tick = tokio::time::interval(POLL);
        while stop.run_until_cancelled(tick.tick()).await.is_some() {
            let now = manifest_digest(&folder);
            if now.is_none() || now == seen {
                continue;
            }
            seen = now;
            let read = folder.clone();
            let changed = match blocking(move || read_folder(&read)).await {
                Ok(bundle) => {
                    self.change(bundle, format!("folder {}", folder.display()), seen.clone())
                        .await
                }
                Err(error) => Err(error),
            };
            if let Err(error) = changed {
                tracing::error!(folder = %folder.display(), error = format!("{error:#}"), "the changed bundle is not used; the active one stays");
            }
        }
    }
}

fn read_folder(path: &Path) -> Result<Bundle> {
    Bundle::from_dir(path, MAX_COMPONENT)
        .with_context(|| format!("the bundle in {}", path.display()))
}

/// The digest of a folder's manifest, which is that of its bundle; `None` while it cannot be read.
fn manifest_digest(folder: &Path) -> Option<String> {
    std::fs::read(folder.join(pointsman_bundler::MANIFEST))
        .ok()
        .map(|text| Digest::of(&text).to_string())
}

/// Compiling takes tens of milliseconds: not on the threads that serve.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| anyhow!("interrupted: {error}"))?
}

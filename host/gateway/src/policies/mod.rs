//! Which bundle is active, and how it comes to be: at start, when the operator's folder changes, by upload, by rollback.
//!
//! # Contract
//!
//! Every bundle that becomes active is kept in the data directory first ([`store`]), so that a restart and a rollback find it whatever
//! happened to where it came from. A bundle that fails its checks changes nothing. After a restart the later of the last activation and a
//! changed folder wins: a folder that is as it was when the operator activated something else does not undo that, and one that fails its
//! checks does not stop a gateway that has a last good bundle. The generation before the active one comes back with it, for rollbacks and
//! faults; one that was quarantined does not.
//!
//! # Why the folder is polled
//!
//! A change counts when `bundle.toml` is another file, which lists the digests and is written last. One small file read twice a second costs
//! nothing, and works on network file systems and bind mounts, where notifications get lost.

pub mod journal;
mod source;
mod store;
mod trial;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use pointsman_default_bundle as default_bundle;
use pointsman_fetch::{Compression, Limits, Reference, pack_folder};
use pointsman_native::Native;
use pointsman_policy::bundle::{Digest, MAX_COMPONENT};
use pointsman_policy::{Bundle, Config, GenerationInfo, Host, State};
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use source::Source;
use store::{Kept, Last, Store};

/// Largest upload, in bytes: what a bundle in one file may have.
pub const MAX_UPLOAD: usize = Limits::DEFAULT.archive;

/// Where the bundle inside this program comes from.
const EMBEDDED: &str = "embedded";

/// Folder of compiled policies in the data directory: this program's own, never fetched.
const COMPILED: &str = "policy/compiled";

/// How often the folder is looked at.
const POLL: Duration = Duration::from_millis(500);

/// A bundle on its way to a gateway.
#[derive(Clone, Debug)]
pub enum Sent {
    /// A tar of its files, compressed with zstd or not.
    Archive {
        /// The file.
        bytes: Bytes,
        /// What its `.minisig` holds.
        signature: Option<String>,
    },
    /// To be fetched by the gateway, under its own rules.
    Reference(Reference),
}

/// The policies of one gateway.
#[derive(Debug)]
pub struct Policies {
    host: Host,
    store: Arc<Store>,
    source: Source,
    /// One change at a time. Holds which bundle a restart would make active, where this process has written it down.
    changing: tokio::sync::Mutex<Option<Digest>>,
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
        let cache = settings.data.dir.join(COMPILED);
        let host = blocking(move || {
            let twin = Arc::new(Native::new(default_bundle::stage));
            let config = Config {
                cache: Some(cache),
                ..Config::default()
            };
            Host::new(config, Some(twin)).map_err(anyhow::Error::from)
        })
        .await?;
        let policies = Arc::new(Self {
            host,
            store,
            source: Source::new(&settings.policy)?,
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
        let last = match self.store.last() {
            Err(error) if self.source.reference().is_none() => return Err(self.lost(error)),
            Err(error) => {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "what was active last is not known"
                );
                None
            }
            Ok(last) => last,
        };
        let folder = self.source.held();
        let changed =
            folder.is_some() && last.as_ref().and_then(|last| last.folder.clone()) != folder;
        let mut resumed = false;
        let mut lost = None;
        if let Some(last) = last {
            // What a rollback or a fault goes back to, which is the last active one itself where the folder goes on top.
            if !changed && let Some(before) = &last.before {
                // Why it could not is in the log.
                self.resume(before).await.ok();
            }
            let active = self.resume(&last.active).await;
            resumed = active.is_ok();
            lost = active.err().filter(|_| last.active.origin != EMBEDDED);
            *self.changing.lock().await = resumed.then(|| self.host.active().digest());
        }
        if resumed && !changed {
            return Ok(());
        }
        let Some(reference) = self.source.reference() else {
            if let Some(error) = lost {
                return Err(self.lost(error));
            }
            self.activate(embedded()?, EMBEDDED.to_owned()).await?;
            return Ok(());
        };
        match self.read_and_change(reference, folder).await {
            Err(error) if resumed => tracing::error!(
                %reference, error = format!("{error:#}"),
                "the bundle is not used; the last active one stays"
            ),
            done => return done.map(drop),
        }
        Ok(())
    }

    /// An operator's policy may have closed a gate, which the embedded bundle would open: that takes an operator's word.
    fn lost(&self, error: anyhow::Error) -> anyhow::Error {
        error.context(format!(
            "the bundle that was active last cannot be used again, and the embedded one does not take its place unasked: give a \
             bundle with --policy, or remove {} to go on with the embedded one",
            self.store.active().display()
        ))
    }

    /// Makes a bundle active that was before the restart.
    async fn resume(&self, kept: &Kept) -> Result<()> {
        let resumed = async {
            let folder = self.store.folder(&kept.digest);
            // The program may have come with another one since.
            let bundle = match kept.origin.as_str() {
                EMBEDDED => embedded()?,
                _ => blocking(move || read_folder(&folder)).await?,
            };
            self.activate(bundle, kept.origin.clone()).await?;
            Ok(())
        };
        let resumed: Result<()> = resumed.await;
        resumed
            .inspect_err(|error| {
                tracing::warn!(
                    error = format!("{error:#}"),
                    origin = kept.origin,
                    "a bundle that was active cannot be used again"
                );
            })
            .with_context(|| format!("the one from {}", kept.origin))
    }

    async fn read_and_change(
        &self,
        reference: &Reference,
        digest: Option<String>,
    ) -> Result<GenerationInfo> {
        let bundle = self.source.fetch(reference).await?;
        self.change(bundle, origin(reference), digest).await
    }

    /// Checks, keeps and activates `bundle`.
    async fn change(
        &self,
        bundle: Bundle,
        origin: String,
        folder: Option<String>,
    ) -> Result<GenerationInfo> {
        let mut remembered = self.changing.lock().await;
        let generation = self.activate(bundle, origin).await?;
        self.remember(&mut remembered, folder).await;
        Ok(generation)
    }

    /// Checks `bundle`, keeps it, and makes it active.
    async fn activate(&self, bundle: Bundle, origin: String) -> Result<GenerationInfo> {
        let (host, store) = (self.host.clone(), self.store.clone());
        let number = blocking(move || {
            let loaded = host.load(&bundle)?;
            if origin != EMBEDDED
                && let Err(error) = store.keep(&bundle)
            {
                tracing::error!(
                    error = format!("{error:#}"),
                    "the bundle will not survive a restart"
                );
            }
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

    /// Writes down for a restart what is active and what was before it.
    async fn remember(&self, remembered: &mut Option<Digest>, folder: Option<String>) {
        let active = self.host.active();
        let generations = self.host.generations();
        let before = generations.iter().find(|generation| {
            generation.state == State::Previous && generation.number < active.number()
        });
        let last = Last {
            active: Kept::of(&active.info()),
            before: before.map(Kept::of),
            folder: folder.or_else(|| self.source.held()),
        };
        let store = self.store.clone();
        match blocking(move || store.remember(&last)).await {
            Ok(()) => *remembered = Some(active.digest()),
            Err(error) => tracing::error!(
                error = format!("{error:#}"),
                "the active bundle will not survive a restart"
            ),
        }
    }

    /// Activates a bundle that is sent or named.
    ///
    /// # Errors
    ///
    /// What is wrong with it; nothing has changed then.
    pub async fn send(&self, sent: Sent) -> Result<GenerationInfo> {
        let (bundle, origin) = self.receive(sent).await?;
        self.change(bundle, origin, None).await
    }

    /// The bundle, and where it comes from.
    async fn receive(&self, sent: Sent) -> Result<(Bundle, String)> {
        Ok(match sent {
            Sent::Archive { bytes, signature } => {
                let bundle = self.source.uploaded(bytes, signature).await?;
                (bundle, "upload".to_owned())
            }
            Sent::Reference(reference) => {
                let bundle = self.source.fetch(&reference).await?;
                (bundle, origin(&reference))
            }
        })
    }

    /// Makes the generation before the active one active again.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub async fn rollback(&self) -> Result<GenerationInfo> {
        let mut remembered = self.changing.lock().await;
        let info = self.info(self.host.rollback()?)?;
        tracing::info!(
            generation = info.number,
            name = info.name,
            "policy rolled back"
        );
        self.remember(&mut remembered, None).await;
        Ok(info)
    }

    fn info(&self, number: u64) -> Result<GenerationInfo> {
        let mut generations = self.host.generations().into_iter();
        generations
            .find(|generation| generation.number == number)
            .ok_or_else(|| anyhow!("generation {number} was retired at once"))
    }

    /// Follows the operator's folder, and quarantines, until `stop`.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        // Only a folder changes under its name; a file is read once, at start.
        let watched = self
            .source
            .folder()
            .map(|path| Reference::Path(path.to_owned()));
        let mut seen = self.source.held();
        let mut tick = tokio::time::interval(POLL);
        while stop.run_until_cancelled(tick.tick()).await.is_some() {
            let now = watched.as_ref().and_then(|_| self.source.held());
            if let Some(folder) = &watched
                && now.is_some()
                && now != seen
            {
                seen = now;
                if let Err(error) = self.read_and_change(folder, seen.clone()).await {
                    tracing::error!(%folder, error = format!("{error:#}"), "the changed bundle is not used; the active one stays");
                }
            }
            self.follow_quarantine(seen.clone()).await;
        }
        self.follow_quarantine(seen).await;
    }

    /// A bundle that was taken out for its faults must not come back with the next start.
    async fn follow_quarantine(&self, folder: Option<String>) {
        let mut remembered = self.changing.lock().await;
        if remembered.is_some_and(|digest| digest != self.host.active().digest()) {
            self.remember(&mut remembered, folder).await;
        }
    }
}

/// The bundle in `folder` as an upload. Not compressed: it goes no further than to a gateway nearby.
///
/// # Errors
///
/// When it cannot be read.
pub fn pack(folder: &Path) -> Result<Vec<u8>> {
    Ok(pack_folder(folder, Compression::None, &Limits::DEFAULT)?)
}

fn embedded() -> Result<Bundle> {
    let files = pointsman_default_bundle::bundle().iter();
    let files = files.map(|&(name, bytes)| (name.to_owned(), bytes.to_vec()));
    Bundle::from_files(files, MAX_COMPONENT).context("the embedded bundle")
}

fn read_folder(path: &Path) -> Result<Bundle> {
    Bundle::from_dir(path, MAX_COMPONENT)
        .with_context(|| format!("the bundle in {}", path.display()))
}

/// Where a bundle comes from, in words.
fn origin(reference: &Reference) -> String {
    match reference {
        Reference::Path(path) if path.is_dir() => format!("folder {reference}"),
        Reference::Path(_) => format!("file {reference}"),
        Reference::Https { .. } | Reference::Oci { .. } => reference.to_string(),
    }
}

/// Compiling takes tens of milliseconds: not on the threads that serve.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| anyhow!("interrupted: {error}"))?
}

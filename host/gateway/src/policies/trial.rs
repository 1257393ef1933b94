//! Bundles on trial beside the active one: `shadow`, `canary`, `promote`, `stop`.
//!
//! A trial ends with the process: after a restart the active bundle decides alone, and who wants the trial to go on begins it again. A
//! trial that came back by itself would come back without the outcomes that it was judged by.

use anyhow::Result;
use pointsman_policy::{Bundle, GenerationInfo, Host, Loaded, Share, TrialError};

use super::{Policies, Sent, blocking};

/// How a trial begins: [`Host::shadow`] or [`Host::canary`].
type Begin = fn(&Host, Loaded, Share, String) -> Result<u64, TrialError>;

// === impl Policies ===

impl Policies {
    /// Asks a bundle about `share` of the traffic beside the active one, without hearing it.
    ///
    /// # Errors
    ///
    /// What is wrong with the bundle.
    pub async fn shadow(&self, sent: Sent, share: Share) -> Result<GenerationInfo> {
        self.try_out(sent, share, |host, loaded, share, origin| {
            host.shadow(loaded, share, origin)
        })
        .await
    }

    /// Lets a bundle decide for `share` of the streams.
    ///
    /// # Errors
    ///
    /// What is wrong with the bundle.
    pub async fn canary(&self, sent: Sent, share: Share) -> Result<GenerationInfo> {
        self.try_out(sent, share, |host, loaded, share, origin| {
            host.canary(loaded, share, origin)
        })
        .await
    }

    async fn try_out(&self, sent: Sent, share: Share, begin: Begin) -> Result<GenerationInfo> {
        let (bundle, origin) = self.receive(sent).await?;
        let _one = self.changing.lock().await;
        let host = self.host.clone();
        let store = self.store.clone();
        let number = blocking(move || {
            let loaded = host.load(&bundle)?;
            // A promotion must survive a restart.
            keep(&store, &bundle);
            Ok(begin(&host, loaded, share, origin)?)
        })
        .await?;
        let info = self.info(number)?;
        tracing::info!(
            generation = info.number,
            name = info.name,
            state = ?info.state,
            share = share.get(),
            "a trial began"
        );
        Ok(info)
    }

    /// Makes the canary the active bundle.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub async fn promote(&self) -> Result<GenerationInfo> {
        let mut remembered = self.changing.lock().await;
        let info = self.info(self.host.promote()?)?;
        tracing::info!(
            generation = info.number,
            name = info.name,
            "the canary is active"
        );
        self.remember(&mut remembered, None).await;
        Ok(info)
    }

    /// Ends the shadow and the canary, and says how many there were.
    pub async fn stop(&self) -> usize {
        let _one = self.changing.lock().await;
        self.host.stop()
    }
}

fn keep(store: &super::Store, bundle: &Bundle) {
    if let Err(error) = store.keep(bundle) {
        tracing::error!(
            error = format!("{error:#}"),
            "the bundle will not survive a restart, should it be promoted"
        );
    }
}

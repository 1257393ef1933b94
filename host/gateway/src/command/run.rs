//! `pointsman run`.

use anyhow::Result;

use super::Interrupts;
use crate::config::Settings;
use crate::gateway::Gateway;
use crate::logging;

pub(super) async fn run(settings: Settings) -> Result<()> {
    logging::install(&settings.logging);
    for notice in &settings.notices {
        tracing::warn!("{notice}");
    }
    for setting in settings.describe() {
        tracing::info!(key = setting.key, value = setting.value, from = %setting.source, "setting");
    }
    // Before anything is said: who has read that it runs may interrupt it.
    let mut interrupts = Interrupts::listen()?;
    let gateway = tokio::select! {
        gateway = Gateway::start(settings) => gateway?,
        () = interrupts.next() => return Ok(()),
    };
    println!("{}", gateway.banner().await);
    interrupts.next().await;
    eprintln!("draining: no new streams; interrupt again to stop at once");
    tokio::select! {
        () = gateway.drain() => {}
        () = interrupts.next() => {}
    }
    gateway.stop().await;
    Ok(())
}

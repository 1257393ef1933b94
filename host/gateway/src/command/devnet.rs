//! `pointsman devnet`.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result, ensure};
use pointsman_devnet::{Mode, Profile};

use super::Interrupts;
use crate::cli::Devnet;
use crate::logging;

pub(super) async fn run(wanted: Devnet) -> Result<()> {
    logging::warnings();
    // Before anything is said: who has read that it runs may interrupt it.
    let mut interrupts = Interrupts::listen()?;
    let devnet = tokio::select! {
        devnet = pointsman_devnet::start(profile(&wanted)?) => devnet?,
        () = interrupts.next() => return Ok(()),
    };
    println!("pointsman devnet {}", env!("CARGO_PKG_VERSION"));
    for orchestrator in devnet.orchestrators() {
        let price = orchestrator
            .profile()
            .price
            .map_or("none".to_owned(), |price| format!("{price} wei a pixel"));
        println!(
            "  {:<16} {}  price {price}",
            orchestrator.name(),
            orchestrator.uri()
        );
    }
    println!(
        "  control          http://{}/orchestrators",
        devnet.control()
    );
    println!("  webhook          {}", devnet.webhook());
    let mut hint = format!("pointsman run --orch-addr {}", devnet.uris().join(","));
    if let Some(signer) = devnet.signer() {
        println!("  signer           {}  {}", signer.url(), signer.address());
        let _ = write!(hint, " --remote-signer-url {}", signer.url());
    }
    println!("use them with: {hint}");
    interrupts.next().await;
    devnet.stop().await;
    Ok(())
}

fn profile(wanted: &Devnet) -> Result<Profile> {
    let mut profile = match &wanted.profile {
        Some(path) => {
            let text = fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            Profile::from_toml(&text).with_context(|| path.display().to_string())?
        }
        None => Profile::orchestrators(wanted.orchestrators.into()),
    };
    ensure!(
        !profile.orchestrators.is_empty(),
        "the profile has no [[orchestrator]]"
    );
    profile.control = wanted.control;
    for (place, orchestrator) in (0u16..).zip(&mut profile.orchestrators) {
        if wanted.base_port != 0 && orchestrator.port == 0 {
            orchestrator.port = wanted.base_port.saturating_add(place);
        }
        if wanted.passthrough {
            orchestrator.mode = Mode::Passthrough;
        }
    }
    Ok(profile)
}

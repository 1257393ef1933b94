//! The orchestrators of the demo: the faster, the dearer, so that two policies choose differently.

use std::time::Duration;

use anyhow::{Context, Result};
use pointsman_devnet::{Orchestrator, OrchestratorProfile, Price, Profile};

use crate::config::{Labels, Settings};

/// Name, region, wei per pixel, ms added to every answer.
const CAST: [(&str, &str, &str, u64); 3] = [
    ("swift", "fra", "1200", 20),
    ("steady", "nyc", "700", 150),
    ("thrifty", "sin", "300", 320),
];

pub(super) fn profile() -> Result<Profile> {
    let mut profile = Profile::default();
    profile.control.set_port(0);
    profile.orchestrators.clear();
    for (name, region, price, latency) in CAST {
        profile.orchestrators.push(OrchestratorProfile {
            name: name.to_owned(),
            region: Some(region.to_owned()),
            price: Some(price.parse::<Price>().context("a price of the demo")?),
            latency: Duration::from_millis(latency),
            ..OrchestratorProfile::default()
        });
    }
    Ok(profile)
}

/// The operator's table of labels, which is where the page finds names.
pub(super) fn label(settings: &mut Settings, orchestrators: &[Orchestrator]) {
    for uri in settings.orchestrators.addresses.clone() {
        let Some(orchestrator) = orchestrators
            .iter()
            .find(|orchestrator| orchestrator.uri() == uri.to_string())
        else {
            continue;
        };
        let labels = Labels {
            region: orchestrator.profile().region.clone(),
            labels: [("name".to_owned(), orchestrator.name().to_owned())].into(),
        };
        settings.orchestrators.labels.insert(uri, labels);
    }
}

/// One in a line: `swift  1200 wei a pixel, 20 ms away`.
pub(super) fn introduce(orchestrator: &Orchestrator) -> String {
    let status = orchestrator.status();
    let price = status.price.map_or("no price".to_owned(), |price| {
        format!("{price} wei a pixel")
    });
    format!(
        "{:<8} {price}, answers {} ms later than it could",
        status.name, status.latency_ms
    )
}

//! Where orchestrators come from: from the settings to the directory.

use std::sync::Arc;

use anyhow::{Context, Result};
use pointsman_directory::{
    Ask, Clock, Directory, Entry, Leaderboard, Settled, Sources, Webhook as Discovery,
};
use pointsman_transport::Connections;

use crate::config::Settings;
use crate::money::Money;

/// Who there is, as the operator wants it.
///
/// # Errors
///
/// When the directory cannot start.
pub(crate) async fn directory(
    settings: &Settings,
    connections: &Connections,
    money: Option<&Money>,
) -> Result<Directory> {
    let known = &settings.orchestrators;
    let table = known.labels.iter().map(|(uri, labels)| Entry {
        uri: uri.clone(),
        region: labels.region.clone(),
        labels: labels.labels.clone(),
        only_describes: true,
    });
    let mut wanted = pointsman_directory::Settings {
        sources: Sources {
            list: known.addresses.clone(),
            webhook: webhook(settings)?,
            table: table.collect(),
            registry: known.registry,
            blocklist: known.blocklist.clone(),
        },
        database: Some(settings.data.dir.join("directory.sqlite3")),
        clock: Clock::system(),
        terms: money.map(Money::terms),
        leaderboard: known
            .leaderboard
            .clone()
            .map(|(url, region)| Leaderboard::new(url, region)),
        least_perf: known.least_perf,
        ..pointsman_directory::Settings::default()
    };
    wanted.probing.interval = known.probe_interval;
    let ask: Arc<dyn Ask> = match money {
        Some(money) => money.asking(connections.clone()),
        None => Arc::new(connections.clone()),
    };
    let directory = Directory::start(wanted, ask)
        .await
        .context("the directory of orchestrators cannot start")?;
    if known.registry.is_some_and(|terms| !terms.allow_private) {
        // Before the first of them is known.
        connections.only_public(directory.vouching());
    }
    Ok(directory)
}

/// The service that is asked for orchestrators: the webhook, or a remote signer where there is one and no other source.
fn webhook(settings: &Settings) -> Result<Option<Discovery>> {
    let known = &settings.orchestrators;
    let others = !known.addresses.is_empty() || known.registry.is_some();
    match (&known.webhook, &settings.signer) {
        (Some(webhook), _) => Ok(Some(Discovery::new(webhook.clone()))),
        (None, Some(signer)) if signer.discovers || !others => {
            let (url, headers) = signer
                .settings
                .discovery()
                .context("the remote signer cannot be asked for orchestrators")?;
            Ok(Some(Discovery {
                headers,
                ..Discovery::new(url)
            }))
        }
        _ => Ok(None),
    }
}

/// The network whose registered orchestrators are taken, if so.
pub(crate) fn network(settings: &Settings) -> Option<String> {
    settings.orchestrators.registry?;
    Some(settings.chain.as_ref()?.network.name.clone())
}

/// What the start-up block says.
pub(crate) fn found(settled: Settled, network: Option<&str>, directory: &Directory) -> String {
    let Settled {
        known,
        usable,
        waiting,
        ..
    } = settled;
    let answering = match known {
        0 if network.is_some() => "none known".to_owned(),
        0 => {
            return "none known: give --orch-addr or --orch-webhook-url, or try `pointsman devnet`"
                .to_owned();
        }
        _ if waiting > 0 => format!("{usable} of {known} usable, {waiting} have not answered yet"),
        _ => format!("{usable} of {known} usable"),
    };
    let Some(network) = network else {
        return answering;
    };
    let Some(all) = directory.registered() else {
        return format!("{answering}; the registry of {network} has not been read yet");
    };
    let taken = all.iter().filter(|one| one.refused.is_none()).count();
    match all.len() {
        all if all == taken => format!("{answering}; {all} registered on {network}"),
        all => format!(
            "{answering}; {taken} of {all} registered on {network} are taken: /api/v1/registry says why"
        ),
    }
}

#[cfg(test)]
mod tests {
    use pointsman_directory::{FromRegistry, Member, Registry, Told, Which};
    use pointsman_wire::sign::Address;

    use super::*;

    fn member(number: u8, uri: &str) -> Member {
        Member {
            address: Address::repeat_byte(number),
            active: true,
            activation_round: 0,
            stake: 1.0,
            reward_cut: 0.0,
            fee_share: 0.0,
            entries: vec![(Which::Service, Told::Text(uri.to_owned()))],
        }
    }

    #[tokio::test]
    async fn the_start_up_block_says_how_many_were_found_and_where() {
        let settings = pointsman_directory::Settings {
            sources: Sources {
                registry: Some(FromRegistry::default()),
                ..Sources::default()
            },
            ..pointsman_directory::Settings::default()
        };
        let directory = Directory::start(settings, Arc::new(Connections::default())).await;
        let directory = directory.expect("a directory");
        let of = |known, usable| Settled {
            known,
            usable,
            waiting: 0,
            webhook: true,
        };
        let said = |settled, network| found(settled, network, &directory);
        assert!(said(of(0, 0), None).starts_with("none known: give --orch-addr"));
        assert_eq!(
            said(of(0, 0), Some("devnet")),
            "none known; the registry of devnet has not been read yet"
        );
        let mut members = vec![member(1, "https://127.0.0.1:1")];
        directory.register(Registry {
            round: 1,
            members: members.clone(),
        });
        assert_eq!(
            said(of(0, 0), Some("devnet")),
            "none known; 0 of 1 registered on devnet are taken: /api/v1/registry says why"
        );
        members[0] = member(1, "https://orch.invalid");
        directory.register(Registry { round: 1, members });
        assert_eq!(
            said(of(1, 1), Some("devnet")),
            "1 of 1 usable; 1 registered on devnet"
        );
    }
}

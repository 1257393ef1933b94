//! What was spent: a running gateway knows, otherwise its ledger does.

use std::path::Path;
use std::time::Duration;

use pointsman_payments::ledger::{Ledger, Options};
use pointsman_wire::sign::Address;
use serde_json::Value;

use crate::admin::read_token;
use crate::config::{Settings, admin_url};
use crate::wallet::Spend;

/// A gateway on the same machine answers at once.
const PATIENCE: Duration = Duration::from_secs(3);

/// The spend of `address`, where it is known.
pub(super) async fn find(settings: &Settings, address: Address) -> Option<Spend> {
    if let Some(spend) = ask(settings, address).await {
        return Some(spend);
    }
    let path = settings.data.dir.join("ledger.sqlite3");
    let looking = tokio::task::spawn_blocking(move || look(&path));
    looking.await.ok().flatten()
}

/// Asks the gateway that has these settings.
async fn ask(settings: &Settings, address: Address) -> Option<Spend> {
    let url = admin_url(&settings.listeners.cli.to_string()).ok()?;
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE);
    let mut request = client.build().ok()?.get(url.join("/api/v1/payments").ok()?);
    if let Ok(token) = read_token(settings.access.admin_token.path()) {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await.ok()?.error_for_status().ok()?;
    let answer: Value = answer.json().await.ok()?;
    let ours = answer["address"].as_str()?.parse() == Ok(address);
    let spend = &answer["spend"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Some(Spend {
        today: text(&spend["today"]["wei"])?,
        all_time: text(&spend["all_time"]["wei"])?,
        unconfirmed: text(&spend["all_time"]["unconfirmed"])?,
        unconfirmed_payments: spend["unconfirmed"].as_array()?.len(),
    })
    .filter(|_| ours)
}

/// Looks at a copy: opening the ledger itself would keep a gateway from starting.
fn look(path: &Path) -> Option<Spend> {
    let folder = tempfile::tempdir().ok()?;
    let copy = folder.path().join("ledger.sqlite3");
    std::fs::copy(path, &copy).ok()?;
    let beside = |path: &Path| {
        let mut name = path.as_os_str().to_owned();
        name.push("-wal");
        std::path::PathBuf::from(name)
    };
    // A ledger that was closed has none.
    let _ = std::fs::copy(beside(path), beside(&copy));
    let ledger = Ledger::open(&copy, Options::default()).ok()?;
    Some(ledger.totals().into())
}

//! `pointsman policy log`.

use std::io::Write;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::Result;
use reqwest::Method;
use serde_json::Value;

use super::call;
use crate::cli::Log;

/// How often the gateway is asked for more.
const POLL: Duration = Duration::from_secs(1);

pub(super) async fn run(wanted: &Log) -> Result<()> {
    let mut after = 0;
    loop {
        let path = format!("policy/log?limit=1024&after={after}");
        let answer = call(&wanted.admin, Method::GET, &path, Vec::new()).await?;
        let mut out = std::io::stdout().lock();
        for entry in answer["entries"].as_array().into_iter().flatten() {
            after = entry["number"].as_u64().unwrap_or(after);
            let line = match wanted.json {
                true => entry.to_string(),
                false => shown(entry),
            };
            // A reader that is gone, such as head, has seen enough.
            if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
                return Ok(());
            }
        }
        drop(out);
        if !wanted.follow {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
}

fn shown(entry: &Value) -> String {
    let text = |key: &str| entry[key].as_str().unwrap_or_default();
    let ms = entry["at_ms"].as_u64().unwrap_or_default();
    let at = humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(ms));
    let fields = entry["fields"].as_object().into_iter().flatten();
    let fields: String = fields
        .map(|(key, value)| format!("  {key}={value}"))
        .collect();
    format!("{}  {:5}  {}{fields}", at, text("level"), text("message"))
}

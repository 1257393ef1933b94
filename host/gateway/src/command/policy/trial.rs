//! `pointsman policy shadow | canary | promote | stop`.

use anyhow::Result;
use reqwest::Method;
use serde_json::Value;

use super::{call, line, send};
use crate::cli::{Admin, Trial};

/// Begins a trial; `kind` is `shadow` or `canary`.
pub(super) async fn begin(kind: &str, wanted: &Trial) -> Result<()> {
    let share = [("share", wanted.share.get().to_string())];
    let path = format!("policy/{kind}");
    let answer = send::send(&wanted.admin, &path, &wanted.bundle, &share).await?;
    println!("{kind}: {}", line(&answer[kind]));
    println!(
        "`pointsman policy list` says how it compares; it ends with `policy stop`, and with the gateway"
    );
    Ok(())
}

pub(super) async fn promote(admin: &Admin) -> Result<()> {
    let answer = call(admin, Method::POST, "policy/promote", Vec::new()).await?;
    super::say_active(&answer)
}

pub(super) async fn stop(admin: &Admin) -> Result<()> {
    let answer = call(admin, Method::POST, "policy/stop", Vec::new()).await?;
    println!("ended: {}", answer["ended"]);
    Ok(())
}

/// How the trials stand, a line each.
pub(super) fn lines(trials: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let shadow = &trials["shadow"];
    if !shadow.is_null() {
        lines.push(format!(
            "shadow {}  {} compared, {} the same first choice, rank correlation {}, price {}, expected latency {}, {} faults",
            shadow["generation"],
            shadow["compared"],
            percent(&shadow["agreement"]),
            shown(&shadow["rank_correlation"], |value| format!("{value:.2}")),
            shown(&shadow["price_change"], |value| format!("{:+.1} %", value * 100.0)),
            shown(&shadow["latency_change_ms"], |value| format!("{value:+.0} ms")),
            shadow["faults"],
        ));
    }
    let canary = &trials["canary"];
    if !canary.is_null() {
        let side = |side: &Value| {
            let rate = percent(&side["failure_rate"]);
            format!(
                "{} done and {} failed ({rate} of the last)",
                side["ok"], side["failed"]
            )
        };
        lines.push(format!(
            "canary {}  {}; the others {}; {} faults",
            canary["generation"],
            side(&canary["canary"]),
            side(&canary["active"]),
            canary["faults"],
        ));
    }
    let ended = trials["ended"].as_array().into_iter().flatten();
    lines.extend(ended.map(|trial| {
        let text = |key: &str| trial[key].as_str().unwrap_or_default();
        let line = format!(
            "ended: {} {}  {}  {}",
            text("kind"),
            trial["generation"],
            text("reason"),
            text("detail")
        );
        line.trim_end().to_owned()
    }));
    lines
}

fn percent(value: &Value) -> String {
    shown(value, |value| format!("{:.1} %", value * 100.0))
}

fn shown(value: &Value, format: impl Fn(f64) -> String) -> String {
    value
        .as_f64()
        .map_or_else(|| "not known yet".to_owned(), format)
}

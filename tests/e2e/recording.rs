//! Decisions on disk: recorded by a gateway that runs, replayed and explained when it has gone.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use crate::harness::Stage;
use crate::harness::bundle;

const SEGMENTS: u64 = 50;

/// What the program prints, and whether it did well.
async fn pointsman(arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pointsman"));
    command.args(arguments).stdin(Stdio::null());
    let output = command.output().await.expect("the binary");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (output.status.success(), text)
}

async fn replayed(bundle: Option<&Path>, recordings: &str) -> Value {
    let mut arguments = vec!["policy", "replay", "--json"];
    if let Some(bundle) = bundle {
        arguments.extend(["--bundle", bundle.to_str().expect("text")]);
    }
    let (well, said) = pointsman(&[&arguments[..], &[recordings]].concat()).await;
    assert!(well, "{said}");
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

#[tokio::test]
async fn recorded_traffic_is_the_same_again_and_another_bundle_shows_what_it_would_change() {
    let stage = Stage::held_by_dear(&[]).await;
    for sequence in 1..SEGMENTS {
        stage.gateway.push("cam", sequence).await.assert_whole();
    }
    let (dear, cheap) = (stage.uri("dear"), stage.uri("cheap"));
    let data = stage.gateway.data().to_owned();
    let _kept = stage.gateway.stop().await;
    let recordings = data.join("decisions");
    let recordings = recordings.to_str().expect("text");

    let same = replayed(None, recordings).await;
    assert_eq!(same["decisions"], SEGMENTS);
    assert_eq!(same["identical"], SEGMENTS, "{same}");
    assert_eq!(same["recorded"][0]["same"], true);
    assert_eq!(same["workloads"][0]["same_first"], SEGMENTS);

    let other = bundle::cheapest();
    let changed = replayed(Some(&other), recordings).await;
    assert_eq!(changed["decisions"], SEGMENTS);
    let work = &changed["workloads"][0];
    let first = |uri: &str| {
        let all = work["orchestrators"].as_array().expect("a list");
        let one = all.iter().find(|one| one["address"] == uri);
        one.map_or([0, 0], |one| {
            [0, 1].map(|side| one["first"][side].as_u64().expect("a count"))
        })
    };
    assert!(
        first(&dear)[0] >= SEGMENTS - 1,
        "who did well kept it: {changed}"
    );
    assert_eq!(first(&cheap)[1], SEGMENTS, "{changed}");
    assert_eq!(work["price"]["median"][1], "1/1");
    let text = pointsman(&[
        "policy",
        "replay",
        "--bundle",
        other.to_str().expect("text"),
        recordings,
    ])
    .await
    .1;
    assert!(
        text.contains("50 decisions") && text.contains("recorded under default"),
        "{text}"
    );

    let (well, why) = pointsman(&["explain", "cam/7", "--from", recordings]).await;
    assert!(well, "{why}");
    assert!(
        why.contains(&format!("cam/7 (transcode) goes to {dear}")),
        "{why}"
    );
    assert!(
        why.contains("incumbent") && why.contains("500/1 wei"),
        "{why}"
    );
    assert!(why.contains(&format!("attempt 1 to {dear} at +")), "{why}");
    let (well, why) = pointsman(&["explain", "cam/99", "--from", recordings]).await;
    assert!(!well && why.contains("no decision about cam/99"), "{why}");
}

#[tokio::test]
async fn a_running_gateway_explains_its_last_decisions_and_records_nothing_when_it_is_off() {
    let stage = Stage::held_by_dear(&["--record", "off"]).await;
    let gateway = &stage.gateway;
    let (status, text) = gateway.admin("/api/v1/decisions/cam/0").await;
    assert_eq!(status, 200, "{text}");
    let answer: Value = serde_json::from_str(&text).expect("JSON");
    let decision = &answer["decisions"][0];
    assert_eq!(decision["job"], "cam/0");
    assert_eq!(decision["policy"]["name"], "default");
    assert_eq!(
        decision["attempts"].as_array().map(Vec::is_empty),
        Some(false)
    );
    let number = decision["decision"].to_string();
    let (_, same) = gateway.admin(&format!("/api/v1/decisions/{number}")).await;
    assert_eq!(serde_json::from_str::<Value>(&same).expect("JSON"), answer);
    let (status, text) = gateway.admin("/api/v1/decisions/cam/99").await;
    assert!(status == 404 && text.contains("cam/99"), "{status} {text}");

    let data = gateway.data().to_str().expect("text").to_owned();
    let at = ["--addr", &gateway.admin, "--data-dir", &data];
    let (well, why) = pointsman(&[&["explain", "cam/0"][..], &at].concat()).await;
    let dear = stage.uri("dear");
    assert!(well && why.contains("cam/0 (transcode) goes to"), "{why}");
    assert!(why.contains(&format!("to {dear} at +")), "{why}");
    let (well, json) = pointsman(&[&["explain", "cam/0", "--json"][..], &at].concat()).await;
    assert!(well, "{json}");
    assert_eq!(serde_json::from_str::<Value>(&json).expect("JSON"), answer);
    assert!(!gateway.data().join("decisions").exists());
}

//! A canary whose policies are well and whose jobs fail: it is taken back by itself, and only its own share ever saw it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use pointsman_devnet::Change;
use pointsman_devnet::failure::{Kind, Method, Rule};
use serde_json::Value;

use crate::harness::{NO_HEDGES, Stage};

/// Streams that are tried at most. One in two is the canary's, which is judged after thirty.
const STREAMS: usize = 400;

/// A bundle that lets one orchestrator have everything.
fn only(folder: &Path, name: &str, uri: &str) -> String {
    let source = folder.join(name);
    std::fs::create_dir(&source).expect("a folder");
    let manifest = format!(
        "name = \"{name}\"\nversion = \"1\"\non-failure = \"reject\"\n[[selection]]\nbuiltin = \"allow-block\"\nrequired = true\nsettings = {{ allow = [\"{uri}\"] }}\n"
    );
    std::fs::write(source.join("bundle.toml"), manifest).expect("written");
    let built = Command::new(env!("CARGO_BIN_EXE_pointsman"))
        .current_dir(&source)
        .args(["policy", "build"])
        .output()
        .expect("the binary");
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let bundle = source.join("dist");
    bundle.to_str().expect("text").to_owned()
}

async fn trials(stage: &Stage) -> Value {
    let (_, text) = stage.gateway.admin("/api/v1/policy").await;
    let mut whole: Value = serde_json::from_str(&text).expect("JSON");
    whole["trials"].take()
}

#[tokio::test]
async fn a_canary_whose_jobs_fail_is_rolled_back_and_the_others_never_notice() {
    let most = STREAMS.to_string();
    let flags = [&NO_HEDGES[..], &["--max-sessions", &most]].concat();
    let stage = Stage::passthrough(2, &flags).await;
    let gateway = &stage.gateway;
    let [sound, broken] = stage.devnet.orchestrators() else {
        panic!("two orchestrators");
    };
    for orchestrator in [sound, broken] {
        orchestrator.set(Change {
            capacity: Some(STREAMS),
            ..Change::default()
        });
    }
    broken.set(Change::rule(
        Rule::always(Kind::GarbageResult).on(Method::Segment),
    ));
    let folder = tempfile::tempdir().expect("a folder");
    let bundle = only(folder.path(), "sound", sound.uri());
    let (well, said) = gateway.policy(&["activate", &bundle]).await;
    assert!(well, "{said}");
    let bundle = only(folder.path(), "broken", broken.uri());
    let (well, said) = gateway.policy(&["canary", &bundle, "--share", "50%"]).await;
    assert!(well, "{said}");

    let mut statuses: BTreeMap<(u64, u16), u64> = BTreeMap::new();
    let mut ended = Value::Null;
    for stream in 0..STREAMS {
        let name = format!("cam-{stream}");
        let status = gateway.push(&name, 0).await.status;
        let decision = gateway.decision(&format!("{name}/0")).await;
        let generation = decision["generation"].as_u64().expect("a number");
        *statuses.entry((generation, status)).or_default() += 1;
        assert_eq!(decision["fault"], Value::Null, "{decision}");
        ended = trials(&stage).await["ended"][0].clone();
        if !ended.is_null() {
            break;
        }
    }
    assert_eq!(ended["reason"], "worse", "{ended} after {statuses:?}");
    assert_eq!(ended["canary"]["faults"], 0, "{ended}");
    assert!(
        ended["canary"]["canary"]["failed"].as_u64() >= Some(30),
        "{ended}"
    );
    assert_eq!(ended["canary"]["active"]["failed"], 0, "{ended}");
    // Generation 2 is the active one, 3 the canary.
    let all = |generation: u64| {
        let mut of = statuses.keys().filter(move |(it, _)| *it == generation);
        of.all(|(_, status)| (*status == 200) == (generation == 2))
    };
    assert!(all(2) && all(3), "{statuses:?}");

    assert_eq!(gateway.active().await, ("sound".to_owned(), 2));
    let (well, log) = gateway.policy(&["log"]).await;
    assert!(well && log.contains("failed"), "{log}");
    for stream in 0..10 {
        gateway
            .push(&format!("cam-{stream}"), 1)
            .await
            .assert_whole();
    }
}

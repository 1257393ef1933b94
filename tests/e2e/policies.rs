//! Policies come, decide, fail and go while streams run.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::harness::bundle::{self, Bundle};
use crate::harness::{Gateway, Stage, eventually};

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

#[tokio::test]
async fn a_new_bundle_decides_from_the_next_segment_and_a_rollback_undoes_it() {
    let stage = Stage::held_by_dear(&[]).await;
    let gateway = &stage.gateway;
    assert_eq!(stage.served(1).await, "dear", "who did well keeps it");
    let (well, said) = gateway
        .policy(&["activate", text(&bundle::cheapest())])
        .await;
    assert!(well && said.contains("prefer-cheapest"), "{said}");
    assert_eq!(stage.served(2).await, "cheap");
    for (job, generation) in [("cam/1", 1), ("cam/2", 2)] {
        assert_eq!(gateway.decision(job).await["generation"], generation);
    }
    let (well, list) = gateway.policy(&["list"]).await;
    assert!(well, "{list}");
    let lines: Vec<_> = list.lines().collect();
    assert!(
        lines[0].contains("prefer-cheapest") && lines[0].contains("active"),
        "{list}"
    );
    assert!(
        lines[1].contains("default") && lines[1].contains("previous"),
        "{list}"
    );

    let (well, said) = gateway.policy(&["rollback"]).await;
    assert!(well && said.contains("default"), "{said}");
    gateway.push("cam", 3).await.assert_whole();
    assert_eq!(gateway.decision("cam/3").await["generation"], 1);
    let (well, said) = gateway.policy(&["rollback"]).await;
    assert!(!well && said.contains("no generation before"), "{said}");
    assert_eq!(gateway.rollback().await.0, 422);
}

#[tokio::test]
async fn curl_activates_a_tar_with_the_token_and_not_without() {
    let stage = Stage::held_by_dear(&[]).await;
    let gateway = &stage.gateway;
    let url = format!("{}/api/v1/policy/activate", gateway.admin);
    for (token, status) in [("", "401"), ("wrong", "401"), (&gateway.token(), "200")] {
        let mut shell = Command::new("sh");
        shell.args(["-c", "tar -C \"$0\" -cf - . | curl -sS -o /dev/null -w '%{http_code}' --data-binary @- -H \"Authorization: Bearer $2\" \"$1\""]);
        shell.arg(bundle::cheapest()).args([&url, token]);
        let output = shell
            .stderr(Stdio::inherit())
            .output()
            .await
            .expect("a shell");
        assert_eq!(String::from_utf8_lossy(&output.stdout), status);
    }
    assert_eq!(gateway.active().await, ("prefer-cheapest".to_owned(), 2));
}

#[tokio::test]
async fn a_bundle_that_fails_its_checks_says_what_to_mend_and_changes_nothing() {
    let stage = Stage::held_by_dear(&[]).await;
    let gateway = &stage.gateway;
    let good = Bundle::of("exclude-slow");
    let digest = good
        .manifest
        .rsplit('"')
        .nth(1)
        .expect("a digest")
        .to_owned();
    let mut missing = good.clone();
    missing.files.clear();
    let other = "0".repeat(64);
    for (bundle, mends) in [
        (
            Bundle::with("text", b"not wasm at all".to_vec()),
            "stage.wasm",
        ),
        (
            Bundle::with("core", bundle::core_module("exclude-slow")),
            "pointsman policy build",
        ),
        (
            Bundle::with("version", bundle::component("wrong-version")),
            "pointsman:policy",
        ),
        (
            Bundle::with("export", bundle::component("missing-export")),
            "selection",
        ),
        (
            Bundle::with("wasi", bundle::component("wasi-import")),
            "wasi",
        ),
        (
            Bundle::with("types", bundle::component("wrong-types")),
            "stage.wasm",
        ),
        (Bundle::of("unknown-column"), "column"),
        (Bundle::of("configure-refuses"), "settings"),
        (Bundle::of("configure-traps"), "configured"),
        (Bundle::of("configure-loops"), "configured"),
        (
            good.clone().saying(&digest, &other),
            "build the bundle again",
        ),
        (good.clone().saying("on-failure", "on-failur"), "on-failure"),
        (
            good.clone().saying("\"previous\"", "\"default\""),
            "native twin",
        ),
        (
            good.clone().saying("stage.wasm", "../stage.wasm"),
            "own folder",
        ),
        (
            good.clone().saying("version = \"1\"", "version ="),
            "bundle.toml",
        ),
        (missing, "stage.wasm, which is not in the bundle"),
    ] {
        assert_refused(gateway.upload(bundle.tar()).await, mends);
    }
    assert_refused(gateway.upload("no tar").await, "tar -C DIR");
    assert_refused(gateway.upload("").await, "empty");
    assert_eq!(gateway.active().await, ("default".to_owned(), 1));
    assert_eq!(stage.served(1).await, "dear");
    assert_eq!(gateway.generations().await.len(), 1);

    let (status, answer) = gateway.upload(good.tar()).await;
    assert_eq!((status, &answer["active"]["number"]), (200, &json!(2)));
}

#[track_caller]
fn assert_refused((status, answer): (u16, Value), mends: &str) {
    let error = &answer["error"];
    assert_eq!(
        (status, error["code"].as_str()),
        (422, Some("bundle")),
        "{answer}"
    );
    let message = error["message"].as_str().expect("a message");
    assert!(message.contains(mends), "{mends:?} is not in {message:?}");
}

#[tokio::test]
async fn a_replaced_folder_is_taken_over_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    Bundle::of("exclude-slow").write(folder.path());
    let stage = Stage::held_by_dear(&["--policy", text(folder.path())]).await;
    let gateway = &stage.gateway;
    assert_eq!(gateway.active().await, ("exclude-slow".to_owned(), 1));

    let cheapest = Bundle::read(&bundle::cheapest());
    let broken = cheapest.clone().saying("prefer-cheapest.wasm", "none.wasm");
    broken.write(folder.path());
    eventually("the log tells", async || {
        gateway.log().contains("the changed bundle is not used")
    })
    .await;
    assert_eq!(gateway.active().await, ("exclude-slow".to_owned(), 1));
    stage.served(1).await;

    cheapest.write(folder.path());
    eventually("the folder's bundle is active", async || {
        gateway.active().await == ("prefer-cheapest".to_owned(), 2)
    })
    .await;
    assert_eq!(stage.served(2).await, "cheap");
}

#[tokio::test]
async fn faulty_policies_are_fallen_back_from_and_then_taken_out() {
    for (name, fault) in [
        // Fuel, or time where the machine is busy.
        ("endless-loop", "out-of-"),
        ("memory-bomb", "memory"),
        ("trap", "trap"),
        ("nan-score", "nan-score"),
        ("out-of-range-row", "bad-index"),
    ] {
        let stage = Stage::held_by_dear(&[]).await;
        let gateway = &stage.gateway;
        assert_eq!(
            gateway.upload(Bundle::of(name).tar()).await.0,
            200,
            "{name}"
        );
        let mut sequence = 1;
        eventually("it is quarantined", async || {
            gateway.push("cam", sequence).await.assert_whole();
            let decision = gateway.decision(&format!("cam/{sequence}")).await;
            if decision["generation"] == 2 {
                let kind = decision["fault"]["kind"].as_str().unwrap_or_default();
                assert!(kind.starts_with(fault), "{name}: {decision}");
                assert_eq!(
                    decision["fallback"],
                    json!({"to": "previous", "generation": 1}),
                    "{name}"
                );
            } else {
                assert_eq!(decision["fault"], Value::Null, "{name}");
            }
            sequence += 1;
            gateway.active().await.1 == 1
        })
        .await;
        let generations = gateway.generations().await;
        assert_eq!(generations[0]["state"], "quarantined", "{name}");
        assert!(generations[0]["last_fault"].is_object(), "{name}");
        // What was taken out does not come back by a restart.
        let gateway = stage.gateway.restart().await;
        assert_eq!(gateway.active().await, ("default".to_owned(), 1), "{name}");
    }
}

#[tokio::test]
async fn what_was_active_is_active_again_after_a_restart_with_what_was_before_it() {
    let stage = Stage::held_by_dear(&[]).await;
    let tar = Bundle::read(&bundle::cheapest()).tar();
    assert_eq!(stage.gateway.upload(tar).await.0, 200);
    let gateway = stage.gateway.restart().await;
    assert_eq!(name(&gateway).await, "prefer-cheapest");
    let (status, answer) = gateway.rollback().await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(name(&gateway).await, "default");
    let gateway = gateway.restart().await;
    assert_eq!(name(&gateway).await, "default", "the rollback counts");
}

#[tokio::test]
async fn after_a_restart_the_later_of_folder_and_activation_wins() {
    let folder = tempfile::tempdir().expect("a folder");
    Bundle::of("exclude-slow").write(folder.path());
    let stage = Stage::held_by_dear(&["--policy", text(folder.path())]).await;
    let uploaded = Bundle::of("score-latency");
    assert_eq!(stage.gateway.upload(uploaded.tar()).await.0, 200);
    let gateway = stage.gateway.restart().await;
    assert_eq!(
        name(&gateway).await,
        "score-latency",
        "the folder is as it was"
    );

    let stopped = gateway.stop().await;
    Bundle::of("exclude-slow")
        .saying("version = \"1\"", "version = \"2\"")
        .write(folder.path());
    let gateway = stopped.start(&[]).await;
    assert_eq!(name(&gateway).await, "exclude-slow", "the folder is later");
    let (status, answer) = gateway.rollback().await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(name(&gateway).await, "score-latency");
}

#[tokio::test]
async fn a_broken_folder_stops_the_first_start_and_no_later_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let broken = Bundle::with("text", b"not wasm".to_vec());
    broken.write(folder.path());
    let data = tempfile::tempdir().expect("a folder");
    let said = refuses_to_start(data.path(), &["--policy", text(folder.path())]).await;
    assert!(said.contains("stage.wasm"), "{said}");

    let stage = Stage::held_by_dear(&[]).await;
    let tar = Bundle::of("exclude-slow").tar();
    assert_eq!(stage.gateway.upload(tar).await.0, 200);
    let stopped = stage.gateway.stop().await;
    let gateway = stopped.start(&["--policy", text(folder.path())]).await;
    assert_eq!(name(&gateway).await, "exclude-slow");
    assert!(gateway.log().contains("the last active one stays"));
}

#[tokio::test]
async fn a_lost_bundle_is_not_replaced_by_the_embedded_one_unasked() {
    let stage = Stage::held_by_dear(&[]).await;
    let tar = Bundle::read(&bundle::cheapest()).tar();
    assert_eq!(stage.gateway.upload(tar).await.0, 200);
    let stopped = stage.gateway.stop().await;
    let policy = stopped.data().join("policy");
    let last = std::fs::read(policy.join("active.json")).expect("what was active");
    let digest: Value = serde_json::from_slice(&last).expect("JSON");
    let digest = digest["active"]["digest"].as_str().expect("a digest");
    let manifest = policy.join("bundles").join(digest).join("bundle.toml");
    let whole = std::fs::read(&manifest).expect("it is kept");
    let ways_out = ["--policy", text(&policy.join("active.json"))].map(str::to_owned);
    let assert_helps = |said: &str| {
        let named = ways_out.iter().all(|way| said.contains(way));
        assert!(named, "both ways out are named: {said}");
    };

    std::fs::write(&manifest, &whole[..whole.len() / 2]).expect("torn");
    assert_helps(&refuses_to_start(stopped.data(), &[]).await);
    std::fs::remove_file(&manifest).expect("lost");
    assert_helps(&refuses_to_start(stopped.data(), &[]).await);
    std::fs::write(&manifest, &whole).expect("mended");
    std::fs::write(policy.join("active.json"), "{").expect("torn");
    assert_helps(&refuses_to_start(stopped.data(), &[]).await);

    // What the message says to do, in turn.
    let folder = text(manifest.parent().expect("a folder")).to_owned();
    let gateway = stopped.start(&["--policy", &folder]).await;
    assert_eq!(name(&gateway).await, "prefer-cheapest");
    let stopped = gateway.stop().await.without("--policy");
    std::fs::remove_file(&manifest).expect("lost again");
    assert_helps(&refuses_to_start(stopped.data(), &[]).await);
    std::fs::remove_file(policy.join("active.json")).expect("as told");
    let gateway = stopped.start(&[]).await;
    assert_eq!(name(&gateway).await, "default");
}

/// What the program says when it ends instead of starting.
async fn refuses_to_start(data: &Path, flags: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pointsman"));
    command
        .env_clear()
        .args(["run", "--http-addr", "127.0.0.1:0"]);
    command.args(["--cli-addr", "127.0.0.1:0", "--rtmp-addr", "off"]);
    command.args(["--data-dir", text(data)]).args(flags);
    let output = command
        .kill_on_drop(true)
        .output()
        .await
        .expect("the binary");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{said}");
    said
}

async fn name(gateway: &Gateway) -> String {
    gateway.active().await.0
}

//! Golden vectors from the author's tests to the gateway: what a policy answered when it was recorded, it must answer where it decides.

use std::path::Path;

use serde_json::Value;

use crate::author::{edit, json, made, pointsman, ran, text};
use crate::harness::Stage;

/// A policy that keeps streams where they are, and the same that does not.
const STAYS: (&str, &str) = ("!stays(row), ", "");

fn build(source: &Path) {
    ran(pointsman(source, &["policy", "build"]));
}

async fn activate(stage: &Stage, source: &Path) -> (bool, String) {
    let bundle = source.join("dist");
    let bundle = bundle.to_str().expect("text");
    stage.gateway.policy(&["activate", bundle]).await
}

#[tokio::test]
async fn what_was_recorded_goes_along_and_a_policy_that_answers_otherwise_is_refused() {
    let source = made("recorded", "rank");
    let lib = source.path().join("src/lib.rs");
    let run = |words: &[&str]| pointsman(source.path(), words);
    let tested = json(run(&["policy", "test", "--record", "--json"]));
    assert_eq!(tested["ok"], true, "{tested}");
    let asked = tested["questions"].as_u64().expect("a number");
    let kept = std::fs::read_to_string(source.path().join("vectors.jsonl")).expect("recorded");
    assert_eq!(kept.lines().count() as u64, asked, "each once");

    build(source.path());
    let checked = json(run(&["policy", "check", "--json", "dist"]));
    assert_eq!(checked["ok"], true, "{checked}");
    assert_eq!(checked["vectors_alike"], asked, "{checked}");
    let stage = Stage::passthrough(1, &[]).await;
    let (well, said) = activate(&stage, source.path()).await;
    assert!(well && said.contains("recorded"), "{said}");
    assert_eq!(stage.gateway.active().await, ("recorded".to_owned(), 2));

    // Another policy under the old vectors: the bundle is whole, and answers otherwise.
    edit(&lib, STAYS.0, STAYS.1);
    edit(&lib, "let stays", "let _stays");
    build(source.path());
    let refused = run(&["policy", "check", "--json", "dist"]);
    let told = fails(refused);
    let error = told["error"].as_str().expect("words");
    assert!(error.contains("vectors"), "{told}");
    let (well, said) = activate(&stage, source.path()).await;
    assert!(!well && said.contains("vectors"), "{said}");
    assert_eq!(stage.gateway.active().await, ("recorded".to_owned(), 2));
    stage.gateway.push("cam", 0).await.assert_whole();

    // Its own tests do not pass, so nothing is recorded.
    let told = fails(run(&["policy", "test", "--record", "--json"]));
    assert_eq!(told["recorded"], Value::Null, "{told}");
    let still = std::fs::read_to_string(source.path().join("vectors.jsonl")).expect("recorded");
    assert_eq!(still, kept);

    // The author means it: the test says so, and so do the vectors then.
    edit(
        &lib,
        "(order(incumbent.clone()), [0, 1, 2])",
        "(order(incumbent.clone()), [1, 2, 0])",
    );
    let tested = json(run(&["policy", "test", "--record", "--json"]));
    assert_eq!(tested["ok"], true, "{tested}");
    build(source.path());
    let (well, said) = activate(&stage, source.path()).await;
    assert!(well, "{said}");
    assert_eq!(stage.gateway.active().await, ("recorded".to_owned(), 3));
}

/// Runs what must fail; what it says as JSON.
fn fails(mut command: std::process::Command) -> Value {
    let output = command.output().expect("the binary");
    assert!(!output.status.success(), "{command:?}: {}", text(&output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn a_policy_is_at_home_inside_somebody_elses_workspace() {
    let workspace = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = workspace.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    };
    write(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n\n[workspace.lints.rust]\nunsafe_code = \"forbid\"\n",
    );
    write(
        "crates/neighbour/Cargo.toml",
        "[package]\nname = \"neighbour\"\nedition = \"2024\"\n",
    );
    write("crates/neighbour/src/lib.rs", "");
    let crates = workspace.path().join("crates");
    let words = ["policy", "new", "guest", "--template", "filter"];
    let said = ran(pointsman(&crates, &words));
    let advice = "exclude = [\"crates/guest\"]";
    assert!(said.contains(advice), "{said}");
    let policy = crates.join("guest");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("authors");
    std::fs::create_dir_all(&target).expect("a folder");
    std::os::unix::fs::symlink(&target, policy.join("target")).expect("linked");
    let tested = json(pointsman(&policy, &["policy", "test", "--json"]));
    assert_eq!(tested["ok"], true, "{tested}");
    build(&policy);
    let checked = json(pointsman(&policy, &["policy", "check", "--json", "dist"]));
    assert_eq!(checked["ok"], true, "{checked}");
    assert!(
        !workspace.path().join("target").exists(),
        "nothing is left in the workspace around"
    );

    // Its owner follows the advice, and both are whole.
    let owner = || {
        let mut cargo = std::process::Command::new("cargo");
        cargo.current_dir(workspace.path()).args([
            "metadata",
            "--offline",
            "--format-version",
            "1",
        ]);
        cargo
    };
    edit(
        &workspace.path().join("Cargo.toml"),
        "members = [\"crates/*\"]",
        &format!("members = [\"crates/*\"]\n{advice}"),
    );
    let whole: Value = serde_json::from_str(&ran(owner())).expect("JSON");
    let members = whole["workspace_members"].as_array().expect("a list");
    assert_eq!(members.len(), 1, "{members:?}");
    build(&policy);
}

#[test]
fn the_name_of_a_policy_that_the_gateway_comes_with_is_refused_before_anything_is_made() {
    let empty = tempfile::tempdir().expect("a folder");
    let words = ["policy", "new", "rank", "--template", "rank"];
    let output = pointsman(empty.path(), &words)
        .output()
        .expect("the binary");
    assert!(!output.status.success());
    let said = text(&output);
    assert!(
        said.contains("builtin = \"rank\"") && said.contains("my-rank"),
        "{said}"
    );
    let made = std::fs::read_dir(empty.path()).expect("a folder").count();
    assert_eq!(made, 0);
}

//! From an empty folder to a policy of one's own that routes live segments; and what is said when something on the way is missing.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Instant;

use serde_json::Value;

use crate::harness::Stage;

/// `pointsman` in that folder.
pub(crate) fn pointsman(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pointsman"));
    command.current_dir(folder).args(words);
    command
}

pub(crate) fn text(output: &Output) -> String {
    let both = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    both.concat()
}

pub(crate) fn ran(mut command: Command) -> String {
    let output = command.output().expect("the binary");
    assert!(output.status.success(), "{command:?}: {}", text(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn json(command: Command) -> Value {
    serde_json::from_str(&ran(command)).expect("JSON")
}

/// A source called `name` in a folder of its own, made from a template. All of them are compiled in one place, since what they are
/// built from is the same; cargo tells them apart by their names.
pub(crate) fn made(name: &str, template: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let words = ["policy", "new", name, "--template", template, "--dir", "."];
    ran(pointsman(folder.path(), &words));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("authors");
    std::fs::create_dir_all(&target).expect("a folder");
    std::os::unix::fs::symlink(&target, folder.path().join("target")).expect("linked");
    folder
}

/// Makes a program. Another process writes it: while a file is open for writing here, a child that another test starts at that moment has it
/// open too, and nobody can run it ("text file busy").
fn executable(path: &Path, text: &str) {
    let mut shell = Command::new("sh");
    shell.args(["-c", "printf '%s' \"$1\" > \"$0\" && chmod 755 \"$0\""]);
    let made = shell.arg(path).arg(text).status().expect("a shell");
    assert!(made.success());
}

/// Replaces `from`, which must be there, in a file.
pub(crate) fn edit(file: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(file).expect("a file");
    assert!(text.contains(from), "{from:?} is not in {text}");
    std::fs::write(file, text.replace(from, to)).expect("written");
}

#[tokio::test]
async fn five_commands_lead_from_nothing_to_live_segments() {
    let stage = Stage::held_by_dear(&[]).await;
    let empty = tempfile::tempdir().expect("a folder");
    let started = Instant::now();
    let folder = empty.path().join("mine");
    ran(pointsman(
        empty.path(),
        &["policy", "new", "mine", "--template", "rank"],
    ));
    // A stream stays nowhere: the cheapest at every segment.
    edit(&folder.join("src/lib.rs"), "!stays(row), ", "");
    edit(&folder.join("src/lib.rs"), "let stays", "let _stays");
    ran(pointsman(&folder, &["policy", "build"]));
    let folder = folder.join("dist");
    let (well, said) = stage
        .gateway
        .policy(&["activate", folder.to_str().expect("text")])
        .await;
    assert!(well && said.contains("mine 0.1.0"), "{said}");
    stage.gateway.push("cam", 1).await.assert_whole();
    println!(
        "from an empty folder to a live segment: {:.1} s of this machine",
        started.elapsed().as_secs_f64()
    );
    let decision = stage.gateway.decision("cam/1").await;
    assert_eq!(decision["generation"], 2, "{decision}");
    assert_eq!(stage.winner("cam/1").await.name(), "cheap");
}

#[test]
fn every_template_builds_passes_its_tests_and_is_taken() {
    let sources: Vec<_> = ["filter", "score", "rank", "failover", "byoc"]
        .into_iter()
        .map(|template| (template, made(&format!("mine-{template}"), template)))
        .collect();
    for (template, source) in &sources {
        let run = |words: &[&str]| pointsman(source.path(), words);
        let tested = json(run(&["policy", "test", "--json"]));
        assert_eq!(tested["ok"], true, "{template}: {tested}");
        assert!(
            tested["questions"].as_u64() > Some(0),
            "{template}: {tested}"
        );
        assert_eq!(tested["questions"], tested["alike"], "{template}: {tested}");
        let built = json(run(&[
            "policy",
            "build",
            "--json",
            "--pack",
            "bundle.tar.zst",
        ]));
        let files = built["files"].as_array().expect("files");
        let (name, component) = (format!("mine-{template}"), format!("mine-{template}.wasm"));
        let own = files.iter().find(|file| file["file"] == *component);
        let size = own.and_then(|file| file["size_bytes"].as_u64());
        let size = size.expect("the policy's component");
        assert!(template != &"filter" || size < 40_000, "{size} bytes");
        for bundle in [".", "dist", "bundle.tar.zst"] {
            let checked = json(run(&["policy", "check", "--json", bundle]));
            assert_eq!(checked["ok"], true, "{template}: {checked}");
            assert_eq!(checked["name"], *name);
        }
        // With a thousand candidates too.
        let component = format!("dist/{component}");
        let words = ["policy", "test", "--json", "--conformance", &component];
        let kept = json(run(&words));
        assert_eq!(kept["ok"], true, "{template}: {kept}");
    }
    let (_, score) = &sources[1];
    let words = ["policy", "bench", "--json", "--candidates", "10"];
    let measured = json(pointsman(score.path(), &words));
    for key in ["p50_us", "p99_us", "native_p50_us", "fuel", "memory_bytes"] {
        assert!(measured[key].as_f64() > Some(0.0), "{key}: {measured}");
    }
}

#[test]
fn without_a_bundle_at_hand_it_is_about_the_gateways_own() {
    let empty = tempfile::tempdir().expect("a folder");
    for verb in ["check", "inspect"] {
        let told = json(pointsman(empty.path(), &["policy", verb, "--json"]));
        assert_eq!(told["name"], "default", "{told}");
    }
    let words = ["policy", "check", "--json", "nowhere"];
    let output = pointsman(empty.path(), &words)
        .output()
        .expect("the binary");
    assert!(!output.status.success());
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told["ok"], false);
    let error = told["error"].as_str().expect("words");
    assert!(error.contains("pointsman policy new"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_had_enough_ends_it_without_a_word() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut inspect = pointsman(Path::new("."), &["policy", "inspect"]);
    let output = inspect.stdout(writer).output().expect("the binary");
    assert_eq!(output.status.code(), Some(141));
    assert_eq!(text(&output), "");
}

#[test]
fn a_missing_target_or_cargo_is_said_with_the_line_that_brings_it() {
    let source = made("targetless", "score");
    let rustc = source.path().join("rustc");
    // All of a compiler but the target's library.
    let script = "#!/bin/sh\ncase \"$*\" in *target-libdir*) echo /nonexistent/lib; exit 0;; esac\nexec rustc \"$@\"\n";
    executable(&rustc, script);
    let (build, test) = (["policy", "build"], ["policy", "test"]);
    let nowhere = Path::new("/nonexistent/cargo");
    for (words, variable, value, advice) in [
        (
            build,
            "RUSTC",
            &*rustc,
            "rustup target add wasm32-unknown-unknown",
        ),
        (build, "CARGO", nowhere, "https://rustup.rs"),
        (test, "CARGO", nowhere, "https://rustup.rs"),
    ] {
        let mut command = pointsman(source.path(), &words);
        let output = command.env(variable, value).output().expect("the binary");
        assert!(!output.status.success(), "{words:?} {variable}");
        assert!(
            text(&output).contains(advice),
            "{words:?} {variable}: {}",
            text(&output)
        );
    }
}

#[test]
fn a_column_that_was_not_asked_for_is_named_in_the_panics_words() {
    let source = made("unasked", "score");
    let lib = source.path().join("src/lib.rs");
    // Asked of a plan that is thrown away: the host never hands it over.
    edit(
        &lib,
        "plan.numbers(\"latency-ms/p50\")",
        "Plan::default().numbers(\"latency-ms/p50\")",
    );
    edit(
        &lib,
        "plan.numbers(\"price/effective\")",
        "Plan::default().numbers(\"price/effective\")",
    );
    ran(pointsman(source.path(), &["policy", "build"]));
    let words = ["policy", "test", "--conformance", "dist/unasked.wasm"];
    let output = pointsman(source.path(), &words)
        .output()
        .expect("the binary");
    assert!(!output.status.success());
    let words = "it reads a column that it did not ask for";
    assert!(text(&output).contains(words), "{}", text(&output));
}

//! What `examples/` holds does what its READMEs say: it passes its own tests natively and compiled, keeps to the contract, and routes live
//! segments.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::Stage;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");

/// Set where the tools for the examples in other languages must be there: then their absence fails.
const REQUIRED: &str = "POINTSMAN_CLANG_REQUIRED";

/// Runs a command to its end, which must be good, and gives what it printed.
fn ran(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    let said = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{command:?}: {}", said.concat());
    said.concat()
}

fn policy(words: &[&str]) -> Command {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("policies");
    let mut command = Command::new(env!("CARGO_BIN_EXE_pointsman"));
    command
        .arg("policy")
        .args(words)
        .env("CARGO_TARGET_DIR", target);
    command
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

/// Builds the source in `folder` into `out`, holds its component against the contract, and routes segments with it.
async fn lives(folder: &Path, out: &Path, name: &str) {
    let built = ["build", "--offline", text(folder), "--out", text(out)];
    ran(&mut policy(&built));
    let component = out.join(format!("{name}.wasm"));
    ran(&mut policy(&["test", "--conformance", text(&component)]));

    let stage = Stage::passthrough(3, &[]).await;
    stage.gateway.push("before", 0).await.assert_whole();
    let (well, said) = stage.gateway.policy(&["activate", text(out)]).await;
    assert!(well && said.contains(name), "{said}");
    for sequence in 1..4 {
        stage.gateway.push("before", sequence).await.assert_whole();
    }
    assert_eq!(stage.gateway.active().await, (name.to_owned(), 2));
    let stream = stage.gateway.stream().await;
    assert_eq!((stream.transcoded, stream.failed, stream.gaps), (4, 0, 0));
}

fn example(name: &str) -> PathBuf {
    Path::new(EXAMPLES).join(name)
}

#[tokio::test]
async fn off_peak_has_two_hooks_and_settings() {
    let folder = example("off-peak");
    ran(&mut policy(&["test", "--offline", text(&folder)]));
    let out = tempfile::tempdir().expect("a folder");
    lives(&folder, out.path(), "off-peak").await;
}

#[tokio::test]
async fn prefer_cheapest_is_one_stage() {
    let folder = example("prefer-cheapest");
    ran(&mut policy(&["test", "--offline", text(&folder)]));
    let out = tempfile::tempdir().expect("a folder");
    lives(&folder, out.path(), "prefer-cheapest").await;
}

#[tokio::test]
async fn spread_is_written_in_c() {
    let clang = Command::new("clang").arg("--version").output();
    let linker = Command::new("wasm-ld").arg("--version").output();
    if clang.is_err() || linker.is_err() {
        assert!(
            std::env::var_os(REQUIRED).is_none(),
            "clang and wasm-ld are missing: make setup-clang"
        );
        eprintln!("clang or wasm-ld is not installed: the example in C is left to make test-all");
        return;
    }
    // The core module is written beside the source: in a copy.
    let source = tempfile::tempdir().expect("a folder");
    for file in ["Makefile", "bundle.toml", "policy.h", "spread.c"] {
        let from = example("spread-in-c").join(file);
        std::fs::copy(from, source.path().join(file)).expect("copied");
    }
    ran(Command::new("make").arg("-C").arg(source.path()));
    lives(source.path(), &source.path().join("dist"), "spread").await;
}

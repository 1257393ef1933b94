//! A policy that makes a budget last is told what the ledger knows.

use std::process::Command;

use crate::harness::till::Setup;
use crate::harness::{NO_HEDGES, eventually};

const BUNDLE: &str = r#"
name = "thrifty"
version = "1"
on-failure = "reject"

[[selection]]
builtin = "spend-budget"
settings = { per-hour = 1, spent = "reject" }
"#;

#[tokio::test]
async fn a_budget_that_is_spent_refuses_the_next_segment() {
    let till = Setup::certain(1).start(1, &NO_HEDGES).await;
    let gateway = &till.stage.gateway;
    let source = tempfile::tempdir().expect("a folder");
    std::fs::write(source.path().join("bundle.toml"), BUNDLE).expect("written");
    let built = Command::new(env!("CARGO_BIN_EXE_pointsman"))
        .current_dir(&source)
        .args(["policy", "build"])
        .output()
        .expect("the binary");
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{said}");
    let bundle = source.path().join("dist");
    let (well, said) = gateway
        .policy(&["activate", bundle.to_str().expect("text")])
        .await;
    assert!(well, "{said}");

    // One wei an hour: the first segment is let through, since nothing was spent before.
    gateway.push("thrifty", 0).await.assert_whole();
    let mut sequence = 0;
    eventually("the policy knows of the first one", async || {
        sequence += 1;
        let answer = gateway.push("thrifty", sequence).await;
        assert!([200, 429].contains(&answer.status), "{}", answer.text());
        answer.status == 429
    })
    .await;
    let decision = gateway.decision(&format!("thrifty/{sequence}")).await;
    assert_eq!(decision["refusal"]["cause"], "the budget is spent");
    assert_eq!(decision["refusal"]["stage"], "spend-budget");
}

//! The committed artifacts are what their sources compile to.

use std::path::Path;
use std::process::Command;

#[test]
fn the_contracts_compile_to_the_committed_artifacts_byte_for_byte() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/chain"));
    assert!(
        folder.join("node_modules/solc").is_dir(),
        "the Solidity compiler is not in tests/chain/node_modules: run `make setup-chain`"
    );
    let output = Command::new("node")
        .args(["compile.mjs", "--check"])
        .current_dir(folder)
        .output()
        .expect("node runs: `make setup-chain` installs it");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

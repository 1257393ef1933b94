//! Builds `policies/` to components and lists them for embedding.
//!
//! Cargo is waiting while this runs and holds its target folder locked, so the cargo started here works in a folder of its own.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pointsman_bundler::{BuildError, Built, MANIFEST, Options};

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for input in [
        "policies",
        "sdk",
        "wit",
        "Cargo.lock",
        "Cargo.toml",
        "rust-toolchain.toml",
    ] {
        println!("cargo::rerun-if-changed={}", root.join(input).display());
    }
    println!("cargo::rerun-if-env-changed=CARGO_NET_OFFLINE");
    match build(&root.join("policies")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot build the default bundle: {error}");
            ExitCode::FAILURE
        }
    }
}

fn build(source: &Path) -> Result<(), BuildError> {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it for build scripts"));
    let options = Options {
        target_dir: Some(out.join("target")),
        locked: true,
        ..Options::default()
    };
    let built = pointsman_bundler::build(source, &out.join("bundle"), &options)?;
    let list = out.join("files.rs");
    std::fs::write(&list, listed(&built)).map_err(|source| BuildError::Io {
        doing: "write",
        path: list,
        source,
    })
}

/// The files as a slice of (name, content).
fn listed(built: &Built) -> String {
    let names = built
        .components
        .iter()
        .map(|component| component.file.as_str());
    let mut text = String::from("&[\n");
    for name in names.chain([MANIFEST]) {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "({name:?}, include_bytes!(concat!(env!(\"OUT_DIR\"), \"/bundle/{name}\"))),"
        );
    }
    text + "]\n"
}

//! Builds every policy of `policies/` to a component, and the default bundle from some of them, and lists both for embedding.
//!
//! Cargo is waiting while this runs and holds its target folder locked, so the cargo started here works in a folder of its own.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pointsman_bundler::{BuildError, Built, MANIFEST, Options};

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    match build(&root) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot build the policies: {error}");
            ExitCode::FAILURE
        }
    }
}

fn build(root: &Path) -> Result<(), BuildError> {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it for build scripts"));
    let policies = root.join("policies");
    let names = crates(&policies)?;
    watch(root, &names);
    let options = Options {
        target_dir: Some(out.join("target")),
        locked: true,
        ..Options::default()
    };

    let source = out.join("source");
    std::fs::create_dir_all(&source).map_err(failed("create", &source))?;
    write(&source.join(MANIFEST), &every(&policies, &names))?;
    pointsman_bundler::build(&source, &out.join("library"), &options)?;

    let bundle = pointsman_bundler::build(&policies, &out.join("bundle"), &options)?;
    write(&out.join("files.rs"), &listed(&names, &bundle))
}

/// The folders of the policies, by name.
fn crates(policies: &Path) -> Result<Vec<String>, BuildError> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(policies).map_err(failed("read", policies))? {
        let entry = entry.map_err(failed("read", policies))?;
        if entry.path().join("Cargo.toml").is_file() {
            names.extend(entry.file_name().into_string());
        }
    }
    names.sort();
    Ok(names)
}

/// What a component is made from. A new policy is not watched for: it comes with a dependency of this crate.
fn watch(root: &Path, names: &[String]) {
    let changed = |path: PathBuf| println!("cargo::rerun-if-changed={}", path.display());
    for input in [
        "sdk/src",
        "sdk/Cargo.toml",
        "wit",
        "Cargo.lock",
        "Cargo.toml",
        "rust-toolchain.toml",
        "policies/bundle.toml",
    ] {
        changed(root.join(input));
    }
    for name in names {
        for input in ["src", "Cargo.toml", "settings.schema.json"] {
            changed(root.join("policies").join(name).join(input));
        }
    }
    println!("cargo::rerun-if-env-changed=CARGO_NET_OFFLINE");
}

/// The source of a bundle that has every policy. What hook a stage is listed under does not matter to who only builds it.
fn every(policies: &Path, names: &[String]) -> String {
    let mut text = String::new();
    for name in names {
        let folder = policies.join(name);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "[[selection]]\ncomponent = \"{name}.wasm\"\ncrate = {folder:?}"
        );
    }
    text
}

/// The tables that the library includes.
fn listed(names: &[String], bundle: &Built) -> String {
    let place = |file: &str| names.iter().position(|name| file == format!("{name}.wasm"));
    let mut text = String::from("static LIBRARY: &[File] = &[\n");
    for name in names {
        let _ = writeln!(
            text,
            "(\"{name}.wasm\", include_bytes!(concat!(env!(\"OUT_DIR\"), \"/library/{name}.wasm\"))),"
        );
    }
    text += "];\n\nstatic BUNDLE: &[File] = &[\n";
    for file in bundle
        .components
        .iter()
        .map(|component| component.file.as_str())
    {
        let place = place(file).expect("the default bundle is made of policies");
        let _ = writeln!(text, "({file:?}, LIBRARY[{place}].1),");
    }
    let _ = writeln!(
        text,
        "({MANIFEST:?}, include_bytes!(concat!(env!(\"OUT_DIR\"), \"/bundle/{MANIFEST}\"))),\n];\n"
    );
    text += "static NATIVES: &[fn() -> Exported] = &[\n";
    for name in names {
        let name = name.replace('-', "_");
        let _ = writeln!(text, "pointsman_policy_{name}::pointsman_native,");
    }
    text + "];\n"
}

fn write(path: &Path, text: &str) -> Result<(), BuildError> {
    std::fs::write(path, text).map_err(failed("write", path))
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> BuildError + use<> {
    let path = path.to_owned();
    move |cause| BuildError::Io { doing, path, cause }
}

//! Compiling one crate to a core module.
//!
//! # The same source, the same bytes
//!
//! Where a source lies is nothing that its module knows. Folders would get in by two ways. Panics name files: so every folder of this
//! machine is cut off, that of the workspace by [`flags`] and each crate's own by the [`WRAPPER`]. And cargo tells the compiler who a
//! crate is by hashing where it lies and which machine compiles; names of functions, their order and the ids of types follow from that.
//! So the wrapper says its name and version instead. What is left is the compiler itself: a digest is that of one version of it, and
//! `Cargo.lock` pins the rest.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use toml::Value;

use crate::{BuildError, Options};

const TARGET: &str = "wasm32-unknown-unknown";

/// The name of the profile; it is made on the command line.
const PROFILE: &str = "policy";

/// Speed first: decisions are made thousands of times, components loaded now and then. No symbols: they are half of the
/// size, and a panic's message names file and line.
const PROFILE_SETTINGS: &[&str] = &[
    "inherits=\"release\"",
    "opt-level=3",
    "lto=\"fat\"",
    "codegen-units=1",
    "panic=\"abort\"",
    "strip=\"symbols\"",
    "debug=false",
    "debug-assertions=false",
    "overflow-checks=false",
    "incremental=false",
];

/// The default of 1 MiB would be cleared for every fresh instance.
const STACK: &str = "-Clink-arg=-zstack-size=65536";

/// Stands between cargo and the compiler. A crate is who its name and version say it is, in panics too; its files keep the names that cargo
/// gives them, so that nothing is taken for something else. Of several prefixes that fit, the compiler takes the last.
const WRAPPER: &str = r#"#!/bin/sh
compiler=$1
shift
test -n "$CARGO_PKG_NAME" || exec "$compiler" "$@"
crate=$CARGO_PKG_NAME-$CARGO_PKG_VERSION
for word do
  shift
  case $word in metadata=*) word=metadata=$crate ;; esac
  set -- "$@" "$word"
done
exec "$compiler" "$@" "--remap-path-prefix=$CARGO_MANIFEST_DIR=$crate"
"#;

/// Variables meant for the program around: they would put its flags, wrappers and targets into the policy.
const KEEP_AWAY: &[&str] = &[
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_RUSTC_WRAPPER",
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_TARGET_DIR",
    "CARGO_INCREMENTAL",
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

/// Compiles the crate in the folder `package`.
pub(crate) fn compile(package: &Path, options: &Options) -> Result<Vec<u8>, BuildError> {
    let package = package
        .canonicalize()
        .map_err(BuildError::io("find", package))?;
    let manifest = package.join("Cargo.toml");
    let metadata = metadata(&package, &manifest, options)?;
    let library = library(&metadata, &package, &manifest)?;
    require_target(&package)?;

    let target_dir = options
        .target_dir
        .as_ref()
        .unwrap_or(&metadata.target_directory);
    let module = target_dir
        .join(TARGET)
        .join(PROFILE)
        .join(format!("{}.wasm", library.replace('-', "_")));
    let _alone = alone(target_dir)?;
    let mut command = cargo(&package, options);
    command.args(["build", "--lib", "--target", TARGET]);
    for_speed(&mut command);
    command
        .arg("--manifest-path")
        .arg(&manifest)
        .arg("--target-dir")
        .arg(target_dir);
    command.args([
        "--config",
        &format!(
            "target.{TARGET}.rustflags={}",
            flags(&metadata.workspace_root, &package)
        ),
    ]);
    if are_told_apart_by_name(&metadata.workspace_root)
        && let Some(wrapper) = wrapper(target_dir)?
    {
        command.env("RUSTC_WRAPPER", wrapper);
    }
    if options.locked {
        command.arg("--locked");
    }
    run(command, &package, &options.cargo)?;
    std::fs::read(&module).map_err(BuildError::io("read", &module))
}

/// Waits until no other build of policies works in the folder: cargo gives its own lock back before the module is read, and another
/// build may replace it at that moment.
fn alone(target_dir: &Path) -> Result<File, BuildError> {
    std::fs::create_dir_all(target_dir).map_err(BuildError::io("create", target_dir))?;
    let path = target_dir.join(".policy-build");
    let file = File::create(&path).map_err(BuildError::io("create", &path))?;
    file.lock().map_err(BuildError::io("lock", &path))?;
    Ok(file)
}

/// Puts the [`WRAPPER`] where cargo finds it. Cargo asks who the compiler is whenever the file changes: it stays as it is where it can.
#[cfg(unix)]
fn wrapper(target_dir: &Path) -> Result<Option<PathBuf>, BuildError> {
    use std::os::unix::fs::PermissionsExt;

    let path = std::path::absolute(target_dir.join(".policy-rustc"))
        .map_err(BuildError::io("find", target_dir))?;
    let is_there = std::fs::read_to_string(&path).is_ok_and(|text| text == WRAPPER);
    if !is_there {
        std::fs::write(&path, WRAPPER).map_err(BuildError::io("write", &path))?;
        let all = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&path, all).map_err(BuildError::io("make executable", &path))?;
    }
    Ok(Some(path))
}

/// There is no shell to run it: digests are those of this machine.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as where there is a shell")]
fn wrapper(_: &Path) -> Result<Option<PathBuf>, BuildError> {
    Ok(None)
}

/// Whether no two crates have name and version in common, as one and its fork may.
fn are_told_apart_by_name(workspace: &Path) -> bool {
    let lock = std::fs::read_to_string(workspace.join("Cargo.lock")).unwrap_or_default();
    let lock: toml::Table = lock.parse().unwrap_or_default();
    let packages = lock.get("package").and_then(Value::as_array);
    let mut seen = BTreeSet::new();
    packages.into_iter().flatten().all(|package| {
        let text = |key| package.get(key).and_then(Value::as_str);
        seen.insert((text("name"), text("version")))
    })
}

/// Flags of the compiler, as TOML.
fn flags(workspace: &Path, package: &Path) -> Value {
    let cut = |path: &Path, short: &str| format!("--remap-path-prefix={}={short}", path.display());
    let mut flags = vec![STACK.to_owned(), cut(workspace, "")];
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    if let Some(home) = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo"))) {
        flags.push(cut(&home, "cargo"));
    }
    if let Some((source, name)) = standard_library(package) {
        flags.push(cut(&source, &name));
    }
    Value::Array(flags.into_iter().map(Value::String).collect())
}

/// Where the source of the standard library lies when it is installed, and what the compiler calls it when it is not.
fn standard_library(package: &Path) -> Option<(PathBuf, String)> {
    let ask = |words: &[&str]| {
        let answer = rustc(package).args(words).output().ok()?;
        String::from_utf8(answer.stdout).ok()
    };
    let root = ask(&["--print", "sysroot"])?;
    let version = ask(&["-vV"])?;
    let commit = version
        .lines()
        .find_map(|line| line.strip_prefix("commit-hash: "))?;
    let source = Path::new(root.trim()).join("lib/rustlib/src/rust");
    Some((source, format!("/rustc/{commit}")))
}

fn metadata(package: &Path, manifest: &Path, options: &Options) -> Result<Metadata, BuildError> {
    let mut command = cargo(package, options);
    command
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--manifest-path",
        ])
        .arg(manifest);
    let answer = run(command, package, &options.cargo)?;
    serde_json::from_slice(&answer).map_err(|error| BuildError::Cargo {
        package: package.to_owned(),
        stderr: format!("cargo metadata: {error}"),
    })
}

/// The name of the crate's library, which must be one that links as a whole.
fn library<'a>(
    metadata: &'a Metadata,
    package: &Path,
    manifest: &Path,
) -> Result<&'a str, BuildError> {
    let targets = metadata
        .packages
        .iter()
        .filter(|known| known.manifest_path == manifest)
        .flat_map(|known| &known.targets);
    let mut whole = targets.filter(|target| target.crate_types.iter().any(|kind| kind == "cdylib"));
    let library = whole.next().ok_or_else(|| BuildError::NotCdylib {
        package: package.to_owned(),
    })?;
    Ok(&library.name)
}

/// Looks for the target's standard library where the compiler would: cargo's own words for its absence are no help.
fn require_target(package: &Path) -> Result<(), BuildError> {
    let mut command = rustc(package);
    command.args(["--print", "target-libdir", "--target", TARGET]);
    let answer = command.output().map_err(|cause| BuildError::NoCargo {
        program: command.get_program().into(),
        cause,
    })?;
    let folder = String::from_utf8_lossy(&answer.stdout);
    if answer.status.success() && Path::new(folder.trim()).is_dir() {
        Ok(())
    } else {
        Err(BuildError::NoTarget)
    }
}

/// The compiler that cargo would take in the folder `package`.
fn rustc(package: &Path) -> Command {
    let program = std::env::var_os("RUSTC").map_or_else(|| "rustc".into(), PathBuf::from);
    let mut command = Command::new(program);
    command.current_dir(package);
    command
}

/// Makes `command`, a cargo that builds or runs something, compile as policies are compiled.
pub fn for_speed(command: &mut Command) {
    command.args(["--profile", PROFILE]);
    for setting in PROFILE_SETTINGS {
        command.args(["--config", &format!("profile.{PROFILE}.{setting}")]);
    }
}

/// Makes `command`, a cargo that tests the crate in the folder `package`, take over what was compiled for its component: all that runs while
/// compiling, which is nine tenths of the work. The crate itself is compiled quickly, and with every check on.
pub fn for_tests(command: &mut Command, package: &Path) {
    for_speed(command);
    let mut set = |setting: &str| {
        command.args(["--config", &format!("profile.{PROFILE}.{setting}")]);
    };
    set("opt-level=0");
    let manifest = std::fs::read_to_string(package.join("Cargo.toml")).unwrap_or_default();
    let manifest: toml::Table = manifest.parse().unwrap_or_default();
    let name = manifest.get("package").and_then(|table| table.get("name"));
    if let Some(name) = name.and_then(Value::as_str) {
        // Not for all crates: what runs while compiling would be another one then.
        set(&format!("package.{name}.debug-assertions=true"));
        set(&format!("package.{name}.overflow-checks=true"));
    }
}

/// A cargo that works in the folder `package`, without what the environment of another build would put into it.
#[must_use]
pub fn cargo(package: &Path, options: &Options) -> Command {
    let mut command = Command::new(&options.cargo);
    // A toolchain file beside the crate counts.
    command.current_dir(package);
    for variable in KEEP_AWAY {
        command.env_remove(variable);
    }
    if options.offline {
        command.arg("--offline");
    }
    command
}

fn run(mut command: Command, package: &Path, program: &Path) -> Result<Vec<u8>, BuildError> {
    let output = command.output().map_err(|cause| BuildError::NoCargo {
        program: program.to_owned(),
        cause,
    })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr)
        .trim_end()
        .to_owned();
    Err(BuildError::Cargo {
        package: package.to_owned(),
        stderr,
    })
}

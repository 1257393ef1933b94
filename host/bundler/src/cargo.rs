//! Compiling one crate to a core module.

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
            flags(&metadata.workspace_root)
        ),
    ]);
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

/// Flags of the compiler, as TOML. Paths of this machine go into panic messages, and so into digests, unless they are cut off.
fn flags(workspace: &Path) -> Value {
    let cut = |path: &Path, short: &str| format!("--remap-path-prefix={}={short}", path.display());
    let mut flags = vec![STACK.to_owned(), cut(workspace, "")];
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    if let Some(home) = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo"))) {
        flags.push(cut(&home, "cargo"));
    }
    Value::Array(flags.into_iter().map(Value::String).collect())
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
    let program = std::env::var_os("RUSTC").map_or_else(|| "rustc".into(), PathBuf::from);
    let mut command = Command::new(&program);
    command
        .current_dir(package)
        .args(["--print", "target-libdir", "--target", TARGET]);
    let answer = command
        .output()
        .map_err(|cause| BuildError::NoCargo { program, cause })?;
    let folder = String::from_utf8_lossy(&answer.stdout);
    if answer.status.success() && Path::new(folder.trim()).is_dir() {
        Ok(())
    } else {
        Err(BuildError::NoTarget)
    }
}

/// Makes `command`, a cargo that builds or runs something, compile as policies are compiled.
pub fn for_speed(command: &mut Command) {
    command.args(["--profile", PROFILE]);
    for setting in PROFILE_SETTINGS {
        command.args(["--config", &format!("profile.{PROFILE}.{setting}")]);
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

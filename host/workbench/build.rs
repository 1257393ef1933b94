//! Embeds what a new policy needs beside it: the sdk, made to stand alone, the WIT, and the versions of what they are built from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for input in ["sdk", "wit", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", root.join(input).display());
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it for build scripts"));

    let manifest = out.join("sdk.toml");
    fs::write(&manifest, alone(&root)).expect("OUT_DIR can be written to");
    let mut kit = BTreeMap::from([("sdk/Cargo.toml".to_owned(), manifest)]);
    for folder in ["sdk/src", "wit"] {
        files(&root, Path::new(folder), &mut kit);
    }
    kit.insert("sdk/README.md".to_owned(), root.join("sdk/README.md"));

    let mut text = String::from("&[\n");
    for (name, path) in &kit {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "({name:?}, include_str!({path:?})),");
    }
    fs::write(out.join("kit.rs"), text + "]\n").expect("OUT_DIR can be written to");
    fs::write(out.join("lock.rs"), lock(&root)).expect("OUT_DIR can be written to");
}

fn read(path: &Path) -> Table {
    let text = fs::read_to_string(path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file below `folder`, by its path from `root`.
fn files(root: &Path, folder: &Path, kit: &mut BTreeMap<String, PathBuf>) {
    let entries = fs::read_dir(root.join(folder)).expect("a folder of the repository");
    for entry in entries {
        let entry = entry.expect("a readable folder");
        let path = folder.join(entry.file_name());
        if entry.path().is_dir() {
            files(root, &path, kit);
        } else {
            let name = path.to_str().expect("plain names").to_owned();
            kit.insert(name, entry.path().canonicalize().expect("it is there"));
        }
    }
}

/// The sdk's manifest with what it inherits from the workspace written out, and without what only its own tests use.
fn alone(root: &Path) -> String {
    let workspace = &read(&root.join("Cargo.toml"))["workspace"];
    let mut sdk = read(&root.join("sdk/Cargo.toml"));
    let inherits = |value: &Value| {
        value
            .get("workspace")
            .and_then(Value::as_bool)
            .unwrap_or(false)
    };
    for (key, value) in sdk["package"].as_table_mut().expect("a package") {
        if inherits(value) {
            *value = workspace["package"][key].clone();
        }
    }
    for (key, value) in sdk["dependencies"].as_table_mut().expect("dependencies") {
        if inherits(value) {
            let mut whole = match &workspace["dependencies"][key] {
                Value::Table(whole) => whole.clone(),
                version => Table::from_iter([("version".to_owned(), version.clone())]),
            };
            for (key, own) in value.as_table().expect("it inherits") {
                if key != "workspace" {
                    whole.insert(key.clone(), own.clone());
                }
            }
            *value = Value::Table(whole);
        }
    }
    for unused in ["lints", "dev-dependencies", "bench", "test"] {
        sdk.remove(unused);
    }
    sdk.to_string()
}

/// The entries of `Cargo.lock` that the sdk needs, by name, so that a policy is built from what the gateway was built from.
fn lock(root: &Path) -> String {
    let lock = read(&root.join("Cargo.lock"));
    let all: Vec<&Table> = lock["package"]
        .as_array()
        .expect("packages")
        .iter()
        .filter_map(Value::as_table)
        .collect();
    let text = |package: &Table, key: &str| {
        package
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    // As cargo writes a dependency: "name", or "name version" where there are several.
    let find = |wanted: &str| {
        let (name, version) = wanted.split_once(' ').unwrap_or((wanted, ""));
        all.iter().position(|package| {
            text(package, "name") == name
                && (version.is_empty() || text(package, "version") == version)
        })
    };
    let dependencies = |place: usize| -> Vec<String> {
        let list = all[place].get("dependencies").and_then(Value::as_array);
        let list = list.into_iter().flatten().filter_map(Value::as_str);
        list.map(str::to_owned).collect()
    };
    let (mut needed, mut next) = (
        BTreeSet::new(),
        vec![find("pointsman-sdk").expect("the sdk is a member")],
    );
    while let Some(place) = next.pop() {
        if needed.insert(place) {
            let found = dependencies(place);
            next.extend(
                found
                    .iter()
                    .map(|wanted| find(wanted).expect("a whole lock file")),
            );
        }
    }
    let alone = |name: &str| {
        needed
            .iter()
            .filter(|place| text(all[**place], "name") == name)
            .count()
            == 1
    };
    let mut entries = String::from("&[\n");
    for &place in &needed {
        let package = all[place];
        let name = text(package, "name");
        let mut entry = format!("[[package]]\nname = \"{name}\"\n");
        for key in ["version", "source", "checksum"] {
            if let Some(value) = package.get(key).and_then(Value::as_str) {
                // Writing to a String cannot fail.
                let _ = writeln!(entry, "{key} = \"{value}\"");
            }
        }
        let found = dependencies(place);
        if !found.is_empty() {
            entry.push_str("dependencies = [\n");
            for wanted in found {
                let bare = wanted.split(' ').next().unwrap_or(&wanted);
                let shown = if alone(bare) { bare } else { &wanted };
                let _ = writeln!(entry, " \"{shown}\",");
            }
            entry.push_str("]\n");
        }
        let _ = writeln!(entries, "({name:?}, {entry:?}),");
    }
    entries + "]\n"
}

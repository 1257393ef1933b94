//! What the gateway gives the workbench, and folders to work in.

#![allow(dead_code, reason = "each test file uses what it needs")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pointsman_default_bundle as default_bundle;
use pointsman_native::Native;
use pointsman_policy::Bundle;
use pointsman_policy::bundle::{Digest, MAX_COMPONENT};
use pointsman_workbench::Gateway;

/// As the binary puts it together.
pub(crate) fn gateway() -> Gateway {
    let files = default_bundle::bundle().iter();
    let files = files.map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()));
    Gateway {
        bundle: Bundle::from_files(files, MAX_COMPONENT).expect("a whole bundle"),
        library: default_bundle::library(),
        twins: Arc::new(Native::new(default_bundle::stage)),
    }
}

/// A built bundle of one selection stage.
pub(crate) fn folder(name: &str, component: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = format!(
        "name = \"made\"\nversion = \"1\"\non-failure = \"previous\"\n[[selection]]\ncomponent = \"{name}.wasm\"\nsha256 = \"{}\"\n",
        Digest::of(component)
    );
    write(folder.path(), "bundle.toml", manifest.as_bytes());
    write(folder.path(), &format!("{name}.wasm"), component);
    folder
}

/// Writes a file.
pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(folder.join(name), bytes).expect("written");
}

/// The component text of that name among the broken guests.
pub(crate) fn component(name: &str) -> Vec<u8> {
    wat::parse_file(guests().join(format!("components/{name}.wat"))).expect("component text")
}

/// The guest of that name as a component with the selection hook.
pub(crate) fn guest(name: &str) -> Vec<u8> {
    let text = std::fs::read_to_string(guests().join(format!("{name}.wat")));
    assemble(&text.expect("a guest"))
}

/// A policy that is not pure.
pub(crate) fn counter() -> Vec<u8> {
    assemble(include_str!("../counter.wat"))
}

/// A guest's text as a component with the selection hook.
fn assemble(text: &str) -> Vec<u8> {
    use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
    let part = |name: &str| guests().join(format!("include/{name}.wat"));
    let text: String = text
        .lines()
        .map(|line| match line.trim().strip_prefix(";; include ") {
            Some(name) => std::fs::read_to_string(part(name)).expect("a part of guests"),
            None => format!("{line}\n"),
        })
        .collect();
    let mut module = wat::parse_str(text).expect("a core module");
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_dir(root().join("wit")).expect("the contract");
    let world = resolve.select_world(&[package], Some("selector"));
    let world = world.expect("a world of the contract");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)
        .expect("the world is embedded");
    let mut encoder = ComponentEncoder::default();
    let encoded = encoder.module(&module).and_then(ComponentEncoder::encode);
    encoded.expect("a component")
}

fn guests() -> PathBuf {
    root().join("tests/guests")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

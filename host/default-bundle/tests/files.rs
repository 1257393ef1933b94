//! What is embedded: names, digests, interfaces, sizes.

use pointsman_default_bundle::bundle;
use sha2::{Digest, Sha256};
use toml::Table;
use wit_component::DecodedWasm;

/// Bytes. The host refuses more than 2 MiB; this is what keeps a fresh instance cheap.
const MOST: usize = 70_000;

/// Bytes of a policy that only filters.
const MOST_OF_A_FILTER: usize = 40_000;

fn components() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    bundle()
        .iter()
        .copied()
        .filter(|(name, _)| name.ends_with(".wasm"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_manifest_is_last_and_has_the_digest_of_every_component() {
    let (name, manifest) = bundle().last().expect("there are files");
    assert_eq!(*name, "bundle.toml");
    let manifest: Table =
        toml::from_str(std::str::from_utf8(manifest).expect("it is text")).expect("it is TOML");
    assert_eq!(manifest["on-failure"].as_str(), Some("default"));
    let mut listed = Vec::new();
    for hook in ["selection", "failover"] {
        for stage in manifest[hook].as_array().expect("a list of stages") {
            let file = stage["component"].as_str().expect("a file name");
            let (_, bytes) = components()
                .find(|(name, _)| *name == file)
                .expect("the file is there");
            assert_eq!(
                stage["sha256"].as_str(),
                Some(hex(&Sha256::digest(bytes)).as_str()),
                "{file}"
            );
            assert!(stage.get("crate").is_none(), "a bundle names no sources");
            listed.push(file);
        }
    }
    assert_eq!(
        listed,
        [
            "capability.wasm",
            "price-ceiling.wasm",
            "rank.wasm",
            "failover.wasm"
        ]
    );
    assert_eq!(components().count(), listed.len());
}

#[test]
fn a_component_imports_the_log_and_exports_one_hook_of_this_version() {
    for (name, bytes) in components() {
        let DecodedWasm::Component(resolve, world) = wit_component::decode(bytes).expect(name)
        else {
            panic!("{name} is no component");
        };
        let world = &resolve.worlds[world];
        let names = |keys: Vec<_>| {
            keys.into_iter()
                .map(|key| resolve.name_world_key(key))
                .collect::<Vec<_>>()
        };
        let mut imports = names(world.imports.keys().collect());
        imports.sort();
        // The types are no function: nothing can be called through them.
        assert_eq!(
            imports,
            ["pointsman:policy/log@0.1.0", "pointsman:policy/types@0.1.0"],
            "{name}"
        );
        let hook = if name == "failover.wasm" {
            "failover"
        } else {
            "selection"
        };
        let mut exports = names(world.exports.keys().collect());
        exports.sort();
        let mut expected = vec![
            "pointsman:policy/policy@0.1.0".to_owned(),
            format!("pointsman:policy/{hook}@0.1.0"),
        ];
        expected.sort();
        assert_eq!(exports, expected, "{name}");
    }
}

#[test]
fn components_are_small_and_name_no_path_of_this_machine() {
    for (name, bytes) in components() {
        assert!(bytes.len() <= MOST, "{name} has {} bytes", bytes.len());
        if name == "capability.wasm" {
            assert!(
                bytes.len() <= MOST_OF_A_FILTER,
                "{name} has {} bytes",
                bytes.len()
            );
        }
        let text = String::from_utf8_lossy(bytes);
        for home in [env!("CARGO_MANIFEST_DIR"), "/.cargo/", "/home/", "/root/"] {
            assert!(!text.contains(home), "{name} has {home}");
        }
    }
}

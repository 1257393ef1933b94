//! What is embedded: names, digests, interfaces, sizes.

use pointsman_default_bundle::{bundle, library, natives};
use sha2::{Digest, Sha256};
use toml::Table;
use wit_component::DecodedWasm;

/// The most bytes that each policy may have as a component. The host refuses more than 2 MiB; small ones are what keeps a fresh
/// instance cheap. Some room is left for what a newer compiler makes of the same source.
const MOST: &[(&str, usize)] = &[
    ("allow-block", 50_000),
    ("byoc-rules", 60_000),
    ("capability", 48_000),
    ("failover-hedging", 60_000),
    ("failover-standard", 50_000),
    ("go-livepeer-probability", 56_000),
    ("least-busy", 60_000),
    ("lowest-latency", 60_000),
    ("lowest-price", 60_000),
    // A JSON reader, and what the standard library needs to read floats exactly.
    ("naap-plan", 112_000),
    ("power-of-two", 50_000),
    ("price-ceiling", 46_000),
    // A score, and the order that an application may ask for.
    ("rank", 60_000),
    ("region", 64_000),
    ("spend-budget", 58_000),
    ("sticky", 56_000),
];

fn components() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    let components = bundle().iter().copied();
    components.filter(|(name, _)| name.ends_with(".wasm"))
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
            "failover-standard.wasm"
        ]
    );
    assert_eq!(components().count(), listed.len());
}

#[test]
fn the_library_has_every_policy_twice_and_by_name() {
    let files: Vec<&str> = library().iter().map(|(file, _)| *file).collect();
    assert!(files.is_sorted());
    let twins: Vec<String> = natives()
        .iter()
        .map(|native| native().describe().name + ".wasm")
        .collect();
    assert_eq!(files, twins);
    for (file, bytes) in components() {
        assert!(library().contains(&(file, bytes)), "{file} is another");
    }
}

#[test]
fn a_component_imports_the_log_and_exports_its_hooks_of_this_version() {
    for ((name, bytes), native) in library().iter().zip(natives()) {
        let DecodedWasm::Component(resolve, world) = wit_component::decode(bytes).expect(name)
        else {
            panic!("{name} is no component");
        };
        let world = &resolve.worlds[world];
        let names = |keys: Vec<_>| {
            let mut names = keys
                .into_iter()
                .map(|key| resolve.name_world_key(key))
                .collect::<Vec<_>>();
            names.sort();
            names
        };
        // The types are no function: nothing can be called through them.
        assert_eq!(
            names(world.imports.keys().collect()),
            ["pointsman:policy/log@0.1.0", "pointsman:policy/types@0.1.0"],
            "{name}"
        );
        let mut expected: Vec<String> = native()
            .hooks()
            .chain(["policy"])
            .map(|interface| format!("pointsman:policy/{interface}@0.1.0"))
            .collect();
        expected.sort();
        assert_eq!(names(world.exports.keys().collect()), expected, "{name}");
    }
}

#[test]
fn components_are_small_and_name_no_path_of_this_machine() {
    for (file, bytes) in library() {
        let stated = MOST
            .iter()
            .find(|(policy, _)| file.strip_suffix(".wasm") == Some(policy));
        let (_, most) = stated.unwrap_or_else(|| panic!("no size is stated for {file}"));
        assert!(bytes.len() <= *most, "{file} has {} bytes", bytes.len());
        let text = String::from_utf8_lossy(bytes);
        for home in [env!("CARGO_MANIFEST_DIR"), "/.cargo/", "/home/", "/root/"] {
            assert!(!text.contains(home), "{file} has {home}");
        }
    }
}

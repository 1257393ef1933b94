//! The examples for operators, each parsed here.

use std::path::{Path, PathBuf};

use super::HOME;
use crate::config::layer::file;
use crate::config::{Disk, Settings, Source, decode, setting};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/config")
}

/// What a file sets, whether or not the files it names are on this machine.
fn read(path: &Path) -> Settings {
    let (layer, labels) = file::read(path, &Source::Flag("--config".to_owned()));
    decode(layer, labels, Some(Path::new(HOME)), Disk::Trust)
        .unwrap_or_else(|problems| panic!("{}: {problems:?}", path.display()))
}

#[test]
fn every_example_is_right_and_sets_something() {
    let mut count = 0;
    for entry in std::fs::read_dir(folder()).expect("the folder of examples") {
        let path = entry.expect("its entries").path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            count += 1;
            let settings = read(&path);
            let reference = path.ends_with("reference.toml");
            assert_eq!(
                settings.describe().is_empty(),
                reference,
                "{}",
                path.display()
            );
        }
    }
    assert!(count >= 4, "{count} examples");
}

#[test]
fn the_reference_has_every_setting_at_its_default() {
    let text = std::fs::read_to_string(folder().join("reference.toml")).expect("the reference");
    for setting in setting::all().filter(|setting| setting.key != "config") {
        let line = format!("#{} = ", setting.key);
        let lines = text.lines().filter(|text| text.starts_with(&line));
        assert_eq!(lines.count(), 1, "{line}");
    }
    // The examples of how to pay need a network to pay on.
    let network = "network = \"offchain\"";
    assert!(text.contains(network));
    let opened: String = text
        .replace(network, "network = \"arbitrum-one-mainnet\"")
        .lines()
        // Who has a signer has no keystore.
        .filter(|line| !line.starts_with("#remote-"))
        .filter(|line| line.starts_with('#') && !line.starts_with("# "))
        .map(|line| format!("{}\n", &line[1..]))
        .collect();
    let (_folder, path) = super::file("opened.toml", &opened);
    let settings = read(&path);
    for setting in setting::all().filter(|setting| setting.key != "network") {
        let described = settings
            .describe()
            .iter()
            .find(|row| row.key == setting.key);
        if let (setting::Initial::Value(default), Some(row)) = (setting.default, described) {
            panic!("{} is {default} by default, not {}", setting.key, row.value);
        }
    }
}

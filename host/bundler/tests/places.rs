//! Where a source lies is nothing that its component knows: whoever builds it again gets the same bytes.

use std::fs;
use std::path::Path;

use pointsman_bundler::{Options, build};
use toml::{Table, Value};

/// Panics with a location in its own source, in the sdk's and in the standard library's.
const POLICY: &str = r#"
use pointsman_sdk::prelude::*;

policy! { struct Placed { price: Numbers = "price" } }

impl Selection for Placed {
    fn judge(&self, job: &Job, candidates: &Candidates) -> Verdict {
        let prices: Vec<f64> = candidates.iter().map(|row| row.get(self.price).expect("priced")).collect();
        let wanted = (job.seed as usize).checked_sub(7).unwrap();
        let one = prices[wanted];
        candidates.score(|row| row.or(self.price, one) / one)
    }
}

export!(Placed: Selection);
"#;

fn repository() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("readable");
        let to = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).expect("copied")),
        }
    }
}

/// The policy in `policy`, and the sdk in a workspace of its own beside it.
fn place(folder: &Path) {
    let root = repository();
    for part in ["sdk", "wit"] {
        copy(&root.join(part), &folder.join("kit").join(part));
    }
    let read = |name: &str| fs::read_to_string(root.join(name)).expect("the repository has it");
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("written");
    let mut workspace: Table = read("Cargo.toml").parse().expect("TOML");
    workspace.retain(|key, _| key == "workspace");
    let parts = workspace["workspace"].as_table_mut().expect("a workspace");
    parts.insert("members".to_owned(), Value::from(vec!["sdk"]));
    parts.retain(|key, _| !["exclude", "default-members"].contains(&key));
    write("kit/Cargo.toml", &workspace.to_string());

    fs::create_dir_all(folder.join("policy/src")).expect("a folder");
    let renamed = |name: &str| {
        let text = read(&format!("examples/prefer-cheapest/{name}"));
        text.replace("prefer-cheapest", "placed")
            .replace("../../sdk", "../kit/sdk")
    };
    write("policy/Cargo.toml", &renamed("Cargo.toml"));
    write("policy/Cargo.lock", &renamed("Cargo.lock"));
    write("policy/src/lib.rs", POLICY);
    write(
        "policy/bundle.toml",
        "[[selection]]\ncomponent = \"placed.wasm\"\ncrate = \".\"\n",
    );
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

#[test]
fn two_places_make_the_same_bytes_and_neither_is_in_them() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("places");
    let made = ["near", "a/way/off"].map(|place_name| {
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path().canonicalize().expect("it is there");
        let home = home.join(place_name);
        fs::create_dir_all(&home).expect("a folder");
        place(&home);
        let out = home.join("dist");
        let options = Options {
            target_dir: Some(target.clone()),
            locked: true,
            ..Options::default()
        };
        let built = build(&home.join("policy"), &out, &options);
        let built = built.unwrap_or_else(|error| panic!("{error}"));
        let bytes = fs::read(out.join("placed.wasm")).expect("it is there");
        assert!(
            holds(&bytes, "pointsman-sdk-"),
            "a panic of the sdk names its file"
        );
        let cargo = std::env::var_os("CARGO_HOME").map(std::path::PathBuf::from);
        let cargo = cargo.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
        for place in [Some(folder.path().to_owned()), Some(home), cargo] {
            let place = place.expect("a folder").display().to_string();
            assert!(!holds(&bytes, &place), "{place} is in the component");
        }
        built.components[0].sha256.clone()
    });
    assert_eq!(made[0], made[1]);
}

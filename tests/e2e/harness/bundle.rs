//! Bundles to activate: the example, built as its author would, and guests in WebAssembly text.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use bytes::Bytes;
use pointsman_policy::bundle::Digest;
use serde_json::Value;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::Gateway;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// A bundle in the making.
#[derive(Clone, Debug)]
pub(crate) struct Bundle {
    pub(crate) manifest: String,
    /// Components by file name.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

/// The folder of `examples/prefer-cheapest`, built by `pointsman policy build`, once a run.
pub(crate) fn cheapest() -> PathBuf {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
        let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let out = temporary.join(format!("prefer-cheapest-{}", std::process::id()));
        let built = Command::new(env!("CARGO_BIN_EXE_pointsman"))
            .args(["policy", "build", "--offline", "--out"])
            .arg(&out)
            .arg(Path::new(ROOT).join("examples/prefer-cheapest"))
            .output()
            .expect("the binary");
        let said = [built.stdout, built.stderr].map(|it| String::from_utf8_lossy(&it).into_owned());
        assert!(built.status.success(), "{said:?}");
        assert!(said[0].contains("prefer-cheapest.wasm"), "{said:?}");
        out
    });
    BUILT.clone()
}

/// The guest of that name, before it is made a component.
pub(crate) fn core_module(name: &str) -> Vec<u8> {
    let text: String = text(name)
        .lines()
        .map(|line| match line.trim().strip_prefix(";; include ") {
            Some(part) => text(&format!("include/{part}")),
            None => format!("{line}\n"),
        })
        .collect();
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The guest of that name as a component.
pub(crate) fn guest(name: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve
        .push_dir(Path::new(ROOT).join("wit"))
        .expect("the contract");
    let world = resolve.select_world(&[package], Some("selector"));
    let world = world.expect("a world of the contract");
    let mut module = core_module(name);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)
        .expect("the world is embedded");
    ComponentEncoder::default()
        .module(&module)
        .and_then(|encoder| encoder.encode())
        .unwrap_or_else(|error| panic!("{name}: {error:?}"))
}

/// A guest that is component text.
pub(crate) fn component(name: &str) -> Vec<u8> {
    wat::parse_str(text(&format!("components/{name}"))).expect("component text")
}

fn text(name: &str) -> String {
    let path = Path::new(ROOT).join(format!("tests/guests/{name}.wat"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

// === impl Bundle ===

impl Bundle {
    /// A bundle named after the guest that is its one stage.
    pub(crate) fn of(name: &str) -> Self {
        Self::with(name, guest(name))
    }

    /// A bundle with one stage of any bytes.
    pub(crate) fn with(name: &str, bytes: Vec<u8>) -> Self {
        let mut manifest =
            format!("name = \"{name}\"\nversion = \"1\"\non-failure = \"previous\"\n");
        writeln!(
            manifest,
            "[[selection]]\ncomponent = \"stage.wasm\"\nsha256 = \"{}\"",
            Digest::of(&bytes)
        )
        .expect("written to a string");
        Self {
            manifest,
            files: BTreeMap::from([("stage.wasm".to_owned(), bytes)]),
        }
    }

    /// A bundle in a folder.
    pub(crate) fn read(folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy();
            files.insert(name.into_owned(), std::fs::read(&path).expect("a file"));
        }
        let manifest = files.remove("bundle.toml").expect("a manifest");
        Self {
            manifest: String::from_utf8(manifest).expect("text"),
            files,
        }
    }

    /// The same with another manifest.
    pub(crate) fn saying(mut self, from: &str, to: &str) -> Self {
        assert!(self.manifest.contains(from), "{}", self.manifest);
        self.manifest = self.manifest.replace(from, to);
        self
    }

    /// Puts it into a folder that may be watched: the manifest comes last.
    pub(crate) fn write(&self, folder: &Path) {
        std::fs::create_dir_all(folder).expect("a folder");
        for (name, bytes) in &self.files {
            std::fs::write(folder.join(name), bytes).expect("written");
        }
        let unfinished = folder.join("unfinished");
        std::fs::write(&unfinished, &self.manifest).expect("written");
        std::fs::rename(&unfinished, folder.join("bundle.toml")).expect("replaced");
    }

    /// What is uploaded.
    pub(crate) fn tar(&self) -> Bytes {
        let folder = tempfile::tempdir().expect("a folder");
        self.write(folder.path());
        pointsman::policies::pack(folder.path())
            .expect("packed")
            .into()
    }
}

// === impl Gateway ===

impl Gateway {
    /// Uploads a body as a bundle; answers the status and the JSON.
    pub(crate) async fn upload(&self, body: impl Into<Bytes>) -> (u16, Value) {
        self.change("activate", body.into()).await
    }

    /// Rolls back; answers the status and the JSON.
    pub(crate) async fn rollback(&self) -> (u16, Value) {
        self.change("rollback", Bytes::new()).await
    }

    async fn change(&self, what: &str, body: Bytes) -> (u16, Value) {
        let url = format!("{}/api/v1/policy/{what}", self.admin);
        let request = self.client.post(url).bearer_auth(self.token()).body(body);
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        (status, response.json().await.expect("JSON"))
    }

    /// The generations, newest first.
    pub(crate) async fn generations(&self) -> Vec<Value> {
        let (_, text) = self.admin("/api/v1/policy").await;
        let mut whole: Value = serde_json::from_str(&text).expect("JSON");
        match whole["generations"].take() {
            Value::Array(generations) => generations,
            other => panic!("no list: {other}"),
        }
    }

    /// Name and number of the active bundle.
    pub(crate) async fn active(&self) -> (String, u64) {
        let generations = self.generations().await;
        let active = generations.iter().find(|it| it["state"] == "active");
        let active = active.unwrap_or_else(|| panic!("none is active: {generations:?}"));
        let name = active["name"].as_str().expect("a name").to_owned();
        (name, active["number"].as_u64().expect("a number"))
    }

    /// The latest decision about `job`.
    pub(crate) async fn decision(&self, job: &str) -> Value {
        let path = format!("/api/v1/decisions?limit=1&job={job}");
        let (_, text) = self.admin(&path).await;
        let mut whole: Value = serde_json::from_str(&text).expect("JSON");
        whole["decisions"][0].take()
    }

    /// Runs `pointsman policy …` against this gateway; answers whether it went well and all it said.
    pub(crate) async fn policy(&self, args: &[&str]) -> (bool, String) {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_pointsman"));
        command.env_clear().arg("policy").args(args);
        command.args(["--addr", &self.admin, "--data-dir"]);
        let output = command.arg(self.data()).output().await.expect("the binary");
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }
}

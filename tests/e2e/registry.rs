//! Bundles that are signed, and bundles in a registry, through the program: pushed by its command, fetched by a running gateway.
//!
//! Each test of a registry is made with one in this process, and with a registry program where there is one (see `make test-registry`).

#[allow(dead_code, reason = "the fetcher's own tests use the rest")]
#[path = "../../host/fetch/tests/support/registry.rs"]
mod here;

#[path = "../../host/fetch/tests/support/process.rs"]
mod process;

use std::path::{Path, PathBuf};

use here::Login;
use minisign::KeyPair;
use pointsman_fetch::{Compression, Limits, pack_folder};
use process::Process;
use tempfile::TempDir;

use crate::harness::{Gateway, Stage, bundle};

/// A key of an author's, and a folder for what is signed with it.
struct Author {
    keys: KeyPair,
    folder: TempDir,
}

/// A registry to be tried.
enum Registry {
    Here(here::Registry),
    Process(Process),
}

// === impl Author ===

impl Author {
    fn new() -> Self {
        let keys = KeyPair::generate_unencrypted_keypair().expect("keys");
        let folder = tempfile::tempdir().expect("a folder");
        let public = keys.pk.to_box().expect("a box").to_string();
        std::fs::write(folder.path().join("author.pub"), public).expect("written");
        Self { keys, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The public key's file.
    fn key(&self) -> PathBuf {
        self.path("author.pub")
    }

    /// `prefer-cheapest` in one file.
    fn packed(&self, name: &str) -> PathBuf {
        let bytes = pack_folder(&bundle::cheapest(), Compression::Zstd, &Limits::DEFAULT);
        let file = self.path(name);
        std::fs::write(&file, bytes.expect("a bundle")).expect("written");
        file
    }

    /// Puts a signature beside `file`.
    fn sign(&self, file: &Path) {
        let bytes = std::fs::read(file).expect("a file");
        let signed = minisign::sign(None, &self.keys.sk, &bytes[..], Some("by its author"), None);
        let mut beside = file.as_os_str().to_owned();
        beside.push(".minisig");
        std::fs::write(beside, signed.expect("signed").to_string()).expect("written");
    }
}

// === impl Registry ===

impl Registry {
    /// One of each kind there is.
    async fn each(password: bool) -> Vec<Self> {
        let login = match password {
            true => Login::TokenForPassword,
            false => Login::Nothing,
        };
        let mut all = vec![Self::Here(here::Registry::start(login).await)];
        all.extend(Process::start(password).map(Self::Process));
        all
    }

    fn repository(&self, tag: &str) -> String {
        let address = match self {
            Self::Here(registry) => registry.address,
            Self::Process(process) => process.address,
        };
        format!("oci://{address}/team/eu-first:{tag}")
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

/// `pointsman policy push`: whether it went well, and what it printed; on failure what it said.
async fn push(words: &[&str]) -> (bool, String) {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_pointsman"));
    command.env_clear().args(["policy", "push"]).args(words);
    let output = command.output().await.expect("the binary");
    let well = output.status.success();
    let said = if well { output.stdout } else { output.stderr };
    let said = String::from_utf8(said).expect("text");
    (well, said.trim().to_owned())
}

async fn pushed(words: &[&str]) -> String {
    let (well, said) = push(words).await;
    assert!(well, "{words:?}: {said}");
    said
}

#[tokio::test]
async fn a_signed_file_and_a_signed_folder_are_taken_and_a_changed_one_is_not() {
    let author = Author::new();
    let key = author.key();
    let stage = Stage::passthrough(1, &["--policy-key", text(&key)]).await;
    let gateway = &stage.gateway;

    let file = author.packed("cheapest.tar.zst");
    author.sign(&file);
    let (well, said) = gateway.policy(&["activate", text(&file)]).await;
    assert!(well && said.contains("prefer-cheapest"), "{said}");
    assert_eq!(gateway.active().await, ("prefer-cheapest".to_owned(), 2));

    let folder = author.path("dist");
    bundle::Bundle::read(&bundle::cheapest()).write(&folder);
    author.sign(&folder.join("bundle.toml"));
    let (well, said) = gateway.policy(&["activate", text(&folder)]).await;
    assert!(well, "{said}");
    assert_eq!(gateway.active().await.1, 3);

    // The signature stays, what it was made of does not.
    bundle::Bundle::read(&bundle::cheapest())
        .saying("prefer-cheapest\"\n", "other\"\n")
        .write(&folder);
    let (well, said) = gateway.policy(&["activate", text(&folder)]).await;
    assert!(!well && said.contains("another content"), "{said}");
    let stranger = Author::new();
    let theirs = stranger.packed("cheapest.tar.zst");
    stranger.sign(&theirs);
    let (well, said) = gateway.policy(&["activate", text(&theirs)]).await;
    assert!(!well && said.contains("another key"), "{said}");
    assert_eq!(gateway.active().await.1, 3, "nothing changed since");

    // At start the same rules hold.
    let flags = ["--policy-key", text(&key), "--policy", text(&file)];
    let gateway = Gateway::start(&flags).await;
    assert_eq!(gateway.active().await, ("prefer-cheapest".to_owned(), 1));
}

#[tokio::test]
async fn what_the_command_pushes_a_gateway_activates_and_starts_with() {
    let author = Author::new();
    let file = author.packed("cheapest.tar.zst");
    for registry in Registry::each(false).await {
        let to = registry.repository("1");
        let (well, said) = push(&[text(&file), &to]).await;
        assert!(!well && said.contains("private"), "not asked for: {said}");
        let pinned = pushed(&[text(&file), &to, "--allow-private"]).await;
        assert!(pinned.starts_with(&format!("{to}@sha256:")), "{pinned}");
        let folder = text(&bundle::cheapest()).to_owned();
        let again = pushed(&[&folder, &registry.repository("2"), "--allow-private"]).await;
        assert!(again.contains("@sha256:"), "a folder is packed: {again}");

        let stage = Stage::passthrough(1, &["--policy-allow-private"]).await;
        let gateway = &stage.gateway;
        let (well, said) = gateway.policy(&["activate", &to]).await;
        assert!(
            !well && said.contains("sha256"),
            "a tag pins nothing: {said}"
        );
        let (well, said) = gateway.policy(&["activate", &pinned]).await;
        assert!(well && said.contains("prefer-cheapest"), "{said}");
        stage.gateway.push("cam", 0).await.assert_whole();
        assert_eq!(gateway.decision("cam/0").await["generation"], 2);

        let gateway = Gateway::start(&["--policy-allow-private", "--policy", &pinned]).await;
        assert_eq!(gateway.active().await, ("prefer-cheapest".to_owned(), 1));
    }
}

#[tokio::test]
async fn a_password_is_given_in_a_file_and_shown_nowhere() {
    let author = Author::new();
    let file = author.packed("cheapest.tar.zst");
    let (right, wrong) = (author.path("right"), author.path("wrong"));
    std::fs::write(&right, "user:open sesame\n").expect("written");
    std::fs::write(&wrong, "user:hush\n").expect("written");
    for registry in Registry::each(true).await {
        let to = registry.repository("1");
        let words = [text(&file), &to, "--allow-private", "--credentials-file"];
        let (well, said) = push(&[&words[..], &[text(&wrong)]].concat()).await;
        assert!(!well && said.contains("credentials"), "{said}");
        assert!(!said.contains("hush"), "{said}");
        let pinned = pushed(&[&words[..], &[text(&right)]].concat()).await;

        let flags = [
            "--policy-allow-private",
            "--policy-credentials-file",
            text(&right),
        ];
        let gateway = Gateway::start(&flags).await;
        let (well, said) = gateway.policy(&["activate", &pinned]).await;
        assert!(well && said.contains("prefer-cheapest"), "{said}");
        assert!(!gateway.log().contains("sesame"), "{}", gateway.log());
        let (_, told) = gateway.admin("/api/v1/status").await;
        assert!(!told.contains("sesame"), "{told}");

        let flags = [flags[0], flags[1], text(&wrong)];
        let gateway = Gateway::start(&flags).await;
        let (well, said) = gateway.policy(&["activate", &pinned]).await;
        assert!(!well && !said.contains("hush"), "{said}");
        assert_eq!(gateway.active().await, ("default".to_owned(), 1));
    }
}

#[tokio::test]
async fn a_signature_goes_through_a_registry_with_its_bundle() {
    let author = Author::new();
    let (signed, unsigned) = (
        author.packed("signed.tar.zst"),
        author.packed("unsigned.tar.zst"),
    );
    author.sign(&signed);
    let key = author.key();
    for registry in Registry::each(false).await {
        let to = ["signed", "unsigned"].map(|tag| registry.repository(tag));
        let signed = pushed(&[text(&signed), &to[0], "--allow-private"]).await;
        let unsigned = pushed(&[text(&unsigned), &to[1], "--allow-private"]).await;
        let flags = ["--policy-allow-private", "--policy-key", text(&key)];
        let gateway = Gateway::start(&flags).await;
        let (well, said) = gateway.policy(&["activate", &unsigned]).await;
        assert!(!well && said.contains("no signature"), "{said}");
        let (well, said) = gateway.policy(&["activate", &signed]).await;
        assert!(well, "{said}");
        assert!(gateway.log().contains("by its author"), "{}", gateway.log());
        assert_eq!(gateway.active().await, ("prefer-cheapest".to_owned(), 2));
    }
}

//! Making keys.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Output, Stdio};

use pointsman_chain::keystore::{Keystore, Password};
use tokio::process::Command;

use super::texts;

async fn new(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pointsman"))
        .env_clear()
        .env("POINTSMAN_DATA_DIR", folder)
        .args(["wallet", "new"])
        .args(words)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("the binary")
}

#[tokio::test]
async fn a_new_key_opens_with_its_password_and_is_never_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let password = folder.join("password");
    std::fs::write(&password, "correct horse\n").expect("a file");
    let file = password.display().to_string();
    let made = new(folder, &["--eth-password", &file]).await;
    let (said, heard) = texts(&made);
    assert!(made.status.success(), "{said}");

    let keys = folder.join("keystore");
    let keystore = Keystore::find(&keys, None).expect("a key");
    let address = keystore.address().to_checksum(None);
    assert!(heard.starts_with(&format!("{address}\n")), "{heard}");
    assert!(
        heard.contains("pointsman wallet fund"),
        "the next step: {heard}"
    );
    let key = keystore.open(&Password::new("correct horse".to_owned()));
    let bytes = key.expect("it opens").signer().to_bytes();
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(!heard.to_lowercase().contains(&digits) && !said.to_lowercase().contains(&digits));
    assert!(!heard.contains("correct horse") && !said.contains("correct horse"));
    let mode = std::fs::metadata(keystore.path())
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);

    let refused = new(folder, &["--eth-password", &file]).await;
    let (said, _) = texts(&refused);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        said.contains("no key was made") && said.contains("--another"),
        "{said}"
    );
    let second = new(folder, &["--eth-password", &file, "--another", "--json"]).await;
    let (said, heard) = texts(&second);
    assert!(second.status.success(), "{said}");
    let answer: serde_json::Value = serde_json::from_str(&heard).expect("JSON");
    assert_ne!(answer["address"], address);
    assert_eq!(std::fs::read_dir(&keys).expect("a folder").count(), 2);
    Keystore::find(&keys, Some(keystore.address())).expect("the first is still there");
}

#[tokio::test]
async fn without_a_password_no_key_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let short = folder.join("short");
    std::fs::write(&short, "abc").expect("a file");
    let short = short.display().to_string();
    for (words, said) in [
        (&[][..], "there is no terminal to ask for a password on"),
        (&["--eth-password", &short][..], "fewer than 8 characters"),
    ] {
        let output = new(folder, words).await;
        let (heard, _) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{heard}");
        assert!(heard.contains(said), "{heard}");
    }
    assert!(!folder.join("keystore").exists());
}

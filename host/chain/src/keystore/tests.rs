//! Keystores of go-livepeer and ethers, and what must be refused.

use alloy::primitives::address;
use alloy::signers::SignerSync;
use proptest::prelude::*;

use super::*;

const GOLDEN: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/golden/onchain/keystore"
);
const ORCHESTRATOR: Address = address!("70997970C51812dc3A010C7d01b50e0d17dc79C8");
const SIGNER: Address = address!("90F79bf6EB2c4f870365E785982E1f101E93b906");

fn golden(name: &str) -> PathBuf {
    Path::new(GOLDEN).join(name)
}

fn password() -> Password {
    Password::from_file(&golden("password.txt")).unwrap()
}

#[test]
fn keystores_of_geth_and_of_ethers_open() {
    for (file, address) in [("orchestrator.json", ORCHESTRATOR), ("signer.json", SIGNER)] {
        let keystore = Keystore::find(&golden(file), None).unwrap();
        assert_eq!(keystore.address(), address);
        let key = keystore.open(&password()).unwrap();
        assert_eq!(key.address(), address);
        let signature = key.signer().sign_message_sync(b"hello").unwrap();
        assert_eq!(
            signature.recover_address_from_msg("hello").unwrap(),
            address
        );
    }
}

#[test]
fn a_keystore_of_the_usual_cost_opens() {
    let keystore = Keystore::find(&golden("gateway.json"), None).unwrap();
    let gateway = address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
    assert_eq!(keystore.open(&password()).unwrap().address(), gateway);
}

#[test]
fn pbkdf2_is_known_as_well() {
    // The test vector of the format's definition.
    let text = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2",
        "kdfparams":{"c":262144,"dklen":32,"prf":"hmac-sha256","salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},
        "mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},"version":3}"#;
    let key = v3::decrypt(text, b"testpassword").unwrap();
    let want = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
    assert_eq!(hex::encode(*key), want);
}

#[test]
fn a_wrong_password_is_called_that() {
    let keystore = Keystore::find(&golden("orchestrator.json"), None).unwrap();
    let error = keystore
        .open(&Password::new("wrong".to_owned()))
        .unwrap_err();
    assert!(error.to_string().contains("wrong password"), "{error}");
    assert!(!error.to_string().contains("\"wrong\""));
}

#[test]
fn a_directory_needs_an_address_when_it_has_several() {
    let error = Keystore::find(Path::new(GOLDEN), None).unwrap_err();
    assert!(error.to_string().contains("--eth-acct-addr"), "{error}");
    let found = Keystore::find(Path::new(GOLDEN), Some(SIGNER)).unwrap();
    assert_eq!(found.address(), SIGNER);
    let stranger = Address::repeat_byte(1);
    for path in [PathBuf::from(GOLDEN), golden("signer.json")] {
        let error = Keystore::find(&path, Some(stranger)).unwrap_err();
        assert!(matches!(error, KeystoreError::NoSuch { .. }), "{error}");
        assert!(error.to_string().contains(&SIGNER.to_string()));
    }
}

#[test]
fn nothing_is_made_where_there_is_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let error = Keystore::find(folder.path(), None).unwrap_err();
    assert!(error.to_string().contains("wallet new"), "{error}");
    let missing = folder.path().join("missing");
    let error = Keystore::find(&missing, None).unwrap_err();
    assert!(error.to_string().contains("wallet new"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn neither_key_nor_password_is_shown() {
    let keystore = Keystore::find(&golden("orchestrator.json"), None).unwrap();
    let key = keystore.open(&password()).unwrap();
    assert_eq!(format!("{key:?}"), format!("Key({ORCHESTRATOR})"));
    let secret = hex::encode(key.signer().to_bytes());
    let shown = format!("{:?} {:?} {:?}", key.signer(), key, password());
    assert!(!shown.contains(&secret) && !shown.contains("golden-test-password"));
}

#[test]
fn a_key_that_was_asked_for_opens_with_its_password_and_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keystore");
    let (password, cost) = (
        Password::new("long enough".to_owned()),
        v3::Cost { log_n: 4 },
    );
    let made = Keystore::create_at(&keys, &password, cost).unwrap();
    let found = Keystore::find(&keys, None).unwrap();
    assert_eq!(found, made);
    assert_eq!(found.open(&password).unwrap().address(), made.address());
    assert!(
        found
            .open(&Password::new("long enouhg".to_owned()))
            .is_err()
    );
    let mode = fs::metadata(&made.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let other = Keystore::create_at(&keys, &password, cost).unwrap();
    assert_ne!(other.address(), made.address());
    let short = Keystore::create_at(&keys, &Password::new("short".to_owned()), cost);
    assert!(matches!(short, Err(CreateError::Password)));
    assert_eq!(fs::read_dir(&keys).unwrap().count(), 2);
}

/// The orchestrator's keystore with one text replaced.
fn altered(from: &str, to: &str) -> KeystoreError {
    let text = fs::read_to_string(golden("orchestrator.json")).unwrap();
    assert!(text.contains(from), "{from}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.json");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
    let opened = Keystore::find(&path, None).and_then(|keystore| keystore.open(&password()));
    opened.unwrap_err()
}

#[test]
fn an_altered_file_is_refused_before_it_costs_anything() {
    for (from, to) in [
        ("\"n\": 4096", "\"n\": 1073741824"),
        ("\"p\": 6", "\"p\": 4000000000"),
        ("\"r\": 8", "\"r\": 4000000000"),
    ] {
        let error = altered(from, to);
        assert!(
            matches!(
                error,
                KeystoreError::File {
                    error: V3Error::Cost,
                    ..
                }
            ),
            "{error}"
        );
    }
    for (from, to) in [
        ("\"n\": 4096", "\"n\": 4095"),
        ("\"n\": 4096", "\"n\": 0"),
        ("\"r\": 8", "\"r\": 0"),
        ("\"dklen\": 32", "\"dklen\": 4000000000"),
        ("3210ff1c", "3210ff"),
        ("1478065a", "1478065"),
    ] {
        let error = altered(from, to);
        assert!(
            matches!(
                error,
                KeystoreError::File {
                    error: V3Error::Damaged(_),
                    ..
                }
            ),
            "{from} {error}"
        );
    }
    let error = altered("70997970", "00997970");
    assert!(
        matches!(error, KeystoreError::OtherAddress { .. }),
        "{error}"
    );
    let error = altered("\"version\": 3", "\"version\": 1");
    assert!(
        matches!(
            error,
            KeystoreError::File {
                error: V3Error::Version(1),
                ..
            }
        ),
        "{error}"
    );
    let error = altered("aes-128-ctr", "rot13");
    assert!(error.to_string().contains("rot13"), "{error}");
}

#[test]
fn a_file_of_any_size_is_not_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.json");
    fs::write(&path, vec![b' '; 1 << 20]).unwrap();
    let error = Keystore::find(&path, None).unwrap_err();
    assert!(error.to_string().contains("too large"), "{error}");
    fs::write(&path, " \n").unwrap();
    assert!(matches!(
        Password::from_file(&path),
        Err(KeystoreError::NoPassword(_))
    ));
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,200}") {
        let _ = v3::address(&text);
        let _ = v3::decrypt(&text, b"");
    }
}

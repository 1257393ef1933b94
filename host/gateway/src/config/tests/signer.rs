//! Settings of the remote signer.

use std::time::Duration;

use super::{file, problems, settings};

#[test]
fn both_spellings_name_a_signer() {
    let ours = settings(
        "--remote-signer-url https://signer --remote-signer-headers a:b,c:d --remote-discovery",
        &[],
    );
    let theirs = settings(
        "-remoteSignerUrl https://signer -remoteSignerHeaders a:b,c:d -remoteDiscovery",
        &[],
    );
    assert_eq!(ours.signer, theirs.signer);
    let signer = ours.signer.expect("a signer");
    assert!(signer.discovers);
    assert_eq!(signer.settings.origin(), "https://signer");
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        signer.settings.headers,
        [header("a", "b"), header("c", "d")]
    );
    assert_eq!(signer.settings.payment_timeout, Duration::from_secs(3));
    assert!(settings("", &[]).signer.is_none());
}

#[test]
fn a_signer_needs_no_network_and_no_keystore_and_can_have_a_network() {
    let alone = settings("--remote-signer-url signer:8935 --max-spend-per-day 5", &[]);
    assert!(alone.chain.is_none() && alone.notices.is_empty());
    assert!(alone.payments.caps.day.is_some());
    let both = "--remote-signer-url signer -network arbitrum-one-mainnet -ethUrl https://rpc";
    assert!(settings(both, &[]).chain.is_some());
}

#[test]
fn headers_and_what_is_secret_of_the_address_are_never_shown() {
    let (_folder, path) = file(
        "signer.toml",
        "remote-signer-url = \"https://user:s3cret@signer\"\nremote-signer-headers = [\"Authorization: Bearer s3cret\"]\n",
    );
    let read = settings(&format!("--config {}", path.display()), &[]);
    let signer = read.signer.as_ref().expect("a signer");
    assert_eq!(signer.settings.headers[0].1, "Bearer s3cret");
    let bare = settings("--remote-signer-url user:s3cret@signer", &[]);
    for settings in [read, bare] {
        let shown = format!("{settings:?} {:?}", settings.describe());
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(shown.contains("https://signer"), "{shown}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    for (words, message) in [
        (
            "--remote-signer-headers a:b",
            "--remote-signer-headers: says nothing without a signer: give its --remote-signer-url, or leave this out",
        ),
        (
            "--remote-signer-url signer -network arbitrum-one-mainnet -ethUrl https://rpc --eth-keystore-path k",
            "--eth-keystore-path: the remote signer keeps the key: leave this out, or --remote-signer-url",
        ),
        (
            "--remote-signer-url ftp://signer",
            "--remote-signer-url: the remote signer's settings cannot be used: its address is no http or https URL",
        ),
        (
            "--remote-signer-url signer --remote-signer-headers s3cret",
            "--remote-signer-headers: a header is NAME:VALUE, and one of these has no colon",
        ),
        (
            "--remote-signer-url signer --remote-discovery --orch-webhook-url http://a",
            "--remote-discovery: one service is asked for orchestrators, the signer or orch-webhook-url: leave one of them out",
        ),
        (
            "--remote-signer-url signer --auto-top-up-below 5",
            "--auto-top-up-below: the wallet is the remote signer's: leave it out",
        ),
        (
            "--remote-signer-url signer --remote-signer-timeout 1ms",
            "--remote-signer-timeout: 1ms is not within 100ms to 1m",
        ),
    ] {
        assert_eq!(problems(words, &[])[0], message, "{words}");
    }
    let far = settings("--remote-signer-url http://192.0.2.1 --orch-addr a", &[]);
    assert!(
        far.notices[0].contains("can be read on the way"),
        "{:?}",
        far.notices
    );
}

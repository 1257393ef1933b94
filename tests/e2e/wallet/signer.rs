//! The money of a remote signer: shown, and not touched.

use serde_json::Value;

use super::{Cli, wei};
use crate::harness::hired::{SECRET, Setup};

#[tokio::test]
async fn it_is_shown_as_the_signers_and_left_alone() {
    let setup = Setup {
        follows: true,
        ..Setup::paid(1)
    };
    let hired = setup.start(1, &[]).await;
    let (gateway, signer) = (hired.gateway(), hired.signer());
    let (status, text) = gateway.admin("/api/v1/wallet").await;
    assert_eq!(status, 200, "{text}");
    let shown: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(shown["address"], signer.address().to_string());
    let origin = shown["remote_signer"].as_str().expect("an origin");
    assert!(signer.url().contains(origin), "{origin}");
    assert_eq!(wei(&shown["deposit"]), hired.sender().await.deposit);

    let url = format!("{}/api/v1/wallet/unlock", gateway.admin);
    let refused = gateway.client.post(url).bearer_auth(gateway.token()).send();
    let refused = refused.await.expect("an answer");
    assert_eq!(refused.status(), 422);
    let refused: Value = refused.json().await.expect("JSON");
    assert_eq!(refused["error"]["code"], "remote-signer");

    let mut cli = Cli::on(&hired.chain, gateway.data());
    let at = cli
        .settings
        .iter()
        .position(|it| it == "--eth-keystore-path");
    let url = signer.url().clone();
    let header = format!("Authorization:{SECRET}");
    let theirs = [
        "--remote-signer-url",
        &url,
        "--remote-signer-headers",
        &header,
    ];
    let at = at.expect("it is there");
    cli.settings.splice(at..at + 4, theirs.map(str::to_owned));
    let seen = cli.json("status").await;
    for field in ["address", "deposit", "remote_signer"] {
        assert_eq!(seen[field], shown[field], "{field}");
    }
    let said = cli.refused("withdraw --yes").await;
    assert!(said.contains("the money is the remote signer's"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
}

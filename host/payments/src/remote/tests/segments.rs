//! Segments that the signer signs.

use pointsman_wire::net::AuthToken;
use pointsman_wire::profile::presets;
use pointsman_wire::segment::preimage;
use pointsman_wire::sign::{B256, PrivateKeySigner, sign};
use serde_json::json;

use super::*;

#[tokio::test]
async fn a_segments_signature_is_checked_before_it_is_sent() {
    let key = PrivateKeySigner::from_bytes(&B256::repeat_byte(1)).expect("a key");
    let signer = key.clone();
    let router = Router::new().fallback(async move |uri: Uri, body: Bytes| {
        if uri.path() == "/sign-orchestrator-info" {
            let message = orchestrator_request_message(signer.address());
            let signature = sign(&signer, message.as_bytes()).expect("a signature");
            let address = signer.address().to_string();
            let signature = hex::encode(signature);
            return json!({"address": address, "signature": signature}).to_string();
        }
        let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
        let id = asked["manifestID"].as_str().unwrap_or_default();
        let hash: B256 = asked["hash"]
            .to_string()
            .trim_matches('"')
            .parse()
            .unwrap_or_default();
        // One segment is signed right, every other as if it were that one.
        let preimage = preimage(id.as_bytes(), 7, hash.as_slice(), ["P240p30fps16x9"]);
        let signature = sign(&signer, &preimage).expect("a signature");
        json!({"signature": format!("0x{}", hex::encode(signature))}).to_string()
    });
    let url = serve(router).await;
    let remote = Remote::new(&Settings::new(&url)).expect("a client");
    let profiles = presets("P240p30fps16x9").expect("a preset");
    let (capabilities, token) = (Capabilities::default(), AuthToken::default());
    let order = |sequence| Order {
        manifest_id: "0123abcd",
        sequence,
        hash: B256::repeat_byte(3),
        duration_ms: 2000,
        profiles: &profiles,
        capabilities: &capabilities,
        auth_token: &token,
        slice: None,
        reinit: false,
        perceptual_hash: false,
        storage: None,
    };
    let signed = remote.sign_segment(&order(7)).await;
    assert_eq!(
        signed,
        Err(RemoteError::Unknown),
        "it has not said who it is"
    );
    assert_eq!(remote.introduce().await, Ok(key.address()));
    let signed = remote.sign_segment(&order(7)).await.expect("signed");
    assert_eq!(verify(&order(7).preimage(), &signed, key.address()), Ok(()));
    let other = remote.sign_segment(&order(8)).await;
    assert!(matches!(other, Err(RemoteError::Malformed(_))), "{other:?}");
    let shown = format!("{remote:?}");
    assert_eq!(shown, format!("Remote({})", key.address()));
}

//! What the captures do not show: signatures, sessions, capacity, the window, large bodies, cleartext.

use bytes::Bytes;
use pointsman_wire::net::{AuthToken, OrchestratorRequest, Payment, SegData};
use pointsman_wire::sign::{PrivateKeySigner, sign};
use pointsman_wire::{payment, segment};
use prost::Message as _;

use crate::support::{Client, Reply, job, media, one, order, passthrough, renditions};

#[tokio::test]
async fn a_payment_that_names_a_sender_wants_the_senders_signature() {
    let devnet = passthrough(1).await;
    let client = Client::h2(&devnet.uris()[0]).await.expect("connects");
    let token = client.token().await;
    let [sender, other] =
        [0x46, 0x47].map(|byte| PrivateKeySigner::from_slice(&[byte; 32]).expect("a key"));
    let paid = payment::encode(Some(&Payment {
        sender: sender.address().to_vec(),
        ..Payment::default()
    }));
    let unsigned = order(&token, 0, &media());
    let preimage = segment::decode(&segment::encode(&unsigned))
        .expect("decodes")
        .preimage();
    let signed = |key| SegData {
        sig: sign(key, &preimage).expect("signs").to_vec(),
        ..unsigned.clone()
    };
    for (order, status, text) in [
        (unsigned.clone(), 403, Some("ErrSegSig\n")),
        (signed(&other), 403, Some("ErrSegSig\n")),
        (signed(&sender), 200, None),
    ] {
        let header = segment::encode(&order);
        let request = client.upload(&header, &paid, segment::MEDIA_TYPE, media());
        let reply = client.send(request).await.expect("an answer");
        assert_eq!(reply.status, status);
        match text {
            Some(text) => assert_eq!(reply.text(), text),
            None => assert_eq!(renditions(reply.result()).len(), 2),
        }
    }
}

#[tokio::test]
async fn checks_come_in_order() {
    let devnet = one(|orchestrator| orchestrator.capacity = 0).await;
    let client = Client::h2(&devnet.uris()[0]).await.expect("connects");
    let right = order(&AuthToken::default(), 0, &media());
    let mut capable = right.clone();
    capable.capabilities = Some(pointsman_wire::net::Capabilities {
        bitstring: vec![1 << 37],
        ..job()
    });
    let mut codec = capable.clone();
    codec.full_profiles[0].encoder = 9;
    codec.duration = -1;
    let mut duration = capable.clone();
    duration.duration = -1;
    let paid = "!!";
    // Each is wrong in everything that a later check would see.
    for (order, paid, status, text) in [
        (
            &codec,
            paid,
            402,
            "base64 decode error: illegal base64 data at input byte 0\n",
        ),
        (
            &codec,
            "////",
            402,
            "protobuf unmarshal error: proto:\u{a0}cannot parse invalid wire-format data\n",
        ),
        (&codec, "", 403, "unrecognized video codec\n"),
        (&duration, "", 403, "invalid duration\n"),
        (&capable, "", 403, "incompatible capabilities\n"),
        (&right, "", 403, "invalid auth token\n"),
    ] {
        let request = client.upload(&segment::encode(order), paid, segment::MEDIA_TYPE, media());
        let reply = client.send(request).await.expect("an answer");
        assert_eq!((reply.status, reply.text()), (status, text));
    }
}

#[tokio::test]
async fn sessions_are_capped_where_the_real_one_caps_them() {
    let devnet = one(|orchestrator| orchestrator.capacity = 1).await;
    let orchestrator = &devnet.orchestrators()[0];
    let client = Client::h2(orchestrator.uri()).await.expect("connects");
    // Offers reserve nothing.
    let (first, second) = (client.token().await, client.token().await);
    client.push(&first, 0).await.expect("a result");
    assert_eq!(orchestrator.counters().open_sessions, 1);

    let status = client.get_orchestrator().await.expect_err("full");
    assert_eq!(status.code(), tonic::Code::Unknown);
    assert_eq!(
        status.message(),
        "Invalid orchestrator request: OrchestratorCapped"
    );
    let refused = client
        .segment(&order(&second, 0, &media()), media())
        .await
        .expect("an answer");
    assert_eq!(
        (refused.status, refused.text()),
        (403, "OrchestratorCapped\n")
    );
    client
        .push(&first, 1)
        .await
        .expect("a known session passes");

    let status = client.end(None).await.expect_err("no token");
    assert_eq!(status.message(), "Invalid auth token");
    client.end(Some(first.clone())).await.expect("ours");
    client.end(Some(first)).await.expect("again");
    assert_eq!(orchestrator.counters().open_sessions, 0);
    client.push(&second, 0).await.expect("a result");
    assert_eq!(orchestrator.counters().end_session, 3);
}

#[tokio::test]
async fn twelve_files_of_each_rendition_are_kept_until_the_session_ends() {
    let devnet = passthrough(1).await;
    let client = Client::h2(&devnet.uris()[0]).await.expect("connects");
    let token = client.token().await;
    let mut paths = Vec::new();
    for seq in 0..13 {
        let result = client.push(&token, seq).await.expect("a result");
        let [(path, _), (other, _)] = &renditions(result)[..] else {
            panic!("two renditions")
        };
        paths.push(path.clone());
        let session = &token.session_id;
        assert_eq!(*path, format!("/stream/{session}/P144p30fps16x9/{seq}.ts"));
        assert_eq!(*other, format!("/stream/{session}/P240p30fps16x9/{seq}.ts"));
    }
    let status = async |path: &str| client.get(path).await.expect("an answer").status;
    assert_eq!(status(&paths[0]).await, 404);
    for path in &paths[1..] {
        assert_eq!(status(path).await, 200, "{path}");
    }
    client.end(Some(token)).await.expect("ours");
    assert_eq!(status(&paths[12]).await, 404);
}

#[tokio::test]
async fn tokens_and_sessions_do_not_live_for_ever() {
    let devnet = one(|orchestrator| {
        orchestrator.token_life = std::time::Duration::from_secs(1);
        orchestrator.session_idle = std::time::Duration::from_secs(1);
    })
    .await;
    let client = Client::h2(&devnet.uris()[0]).await.expect("connects");
    // A slow machine may need more than one token for one push.
    let (token, result) = loop {
        let token = client.token().await;
        if let Ok(result) = client.push(&token, 0).await {
            break (token, result);
        }
    };
    let (path, _) = renditions(result).remove(0);
    tokio::time::sleep(std::time::Duration::from_millis(3100)).await;
    let reply = client
        .segment(&order(&token, 1, &media()), media())
        .await
        .expect("an answer");
    assert_eq!((reply.status, reply.text()), (403, "expired auth token\n"));
    assert_eq!(client.get(&path).await.expect("an answer").status, 404);
    assert_eq!(devnet.orchestrators()[0].counters().open_sessions, 0);
    client.end(Some(token)).await.expect("the end asks no age");
}

#[tokio::test]
async fn a_refusal_does_not_wait_for_a_body_that_nobody_wants() {
    let devnet = passthrough(1).await;
    let uri = &devnet.uris()[0];
    // More than either protocol's windows hold.
    let body = Bytes::from(vec![0; 20 << 20]);
    let h2 = Client::h2(uri).await.expect("connects");
    let request = h2.upload("", "", segment::MEDIA_TYPE, body);
    let reply = h2.send(request).await.expect("an answer");
    assert_eq!((reply.status, reply.text()), (403, "missing auth token\n"));
    h2.get_orchestrator().await.expect("the connection lives");

    // Over HTTP/1.1 a small body is read, and the connection stays; of a large one the rest is not.
    let h1 = Client::h1(uri).await.expect("connects");
    for _ in 0..2 {
        let request = h1.upload("", "", segment::MEDIA_TYPE, Bytes::from(vec![0; 100_000]));
        let reply = h1.send(request).await.expect("an answer");
        assert_eq!(reply.status, 403);
        assert_eq!(reply.header("connection"), None);
    }
}

#[tokio::test]
async fn a_body_may_be_the_address_of_the_segment() {
    let devnet = passthrough(2).await;
    let client = Client::h2(&devnet.uris()[0]).await.expect("connects");
    let token = client.token().await;
    // Storage on this machine: the other orchestrator, in cleartext, would do; a listener with one answer is less.
    let storage = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("binds");
    let address = storage.local_addr().expect("bound");
    let stored = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let (mut stream, _) = storage.accept().await.expect("asked");
        let mut asked = [0; 1024];
        let read = stream.read(&mut asked).await.expect("reads");
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
            media().len()
        );
        stream.write_all(head.as_bytes()).await.expect("writes");
        stream.write_all(&media()).await.expect("writes");
        String::from_utf8_lossy(&asked[..read]).into_owned()
    });
    let send = async |uri: String| -> Reply {
        let header = segment::encode(&order(&token, 0, &media()));
        let request = client.upload(&header, "", segment::URI_TYPE, Bytes::from(uri));
        client.send(request).await.expect("an answer")
    };
    let reply = send(format!("http://{address}/bucket/0.ts?a=b")).await;
    assert_eq!(renditions(reply.result()).len(), 2);
    let asked = stored.await.expect("served");
    assert!(
        asked.starts_with("GET /bucket/0.ts?a=b HTTP/1.1\r\n"),
        "{asked}"
    );
    for bad in ["file:///etc/passwd", "https://127.0.0.1:1/", "", "\u{1}"] {
        let reply = send(bad.to_owned()).await;
        assert_eq!((reply.status, reply.text()), (400, "BadRequest\n"), "{bad}");
    }
}

#[tokio::test]
async fn cleartext_speaks_the_same_by_prior_knowledge() {
    let devnet = one(|orchestrator| orchestrator.tls = false).await;
    let uri = devnet.uris().remove(0);
    assert!(uri.starts_with("http://127.0.0.1:"), "{uri}");
    let h2 = Client::h2(&uri).await.expect("connects");
    let token = h2.token().await;
    let h1 = Client::h1(&uri).await.expect("connects");
    let result = h1.push(&token, 7).await.expect("a result");
    assert_eq!(result.seq, 7);
    let (path, _) = renditions(result).remove(0);
    assert_eq!(h1.get(&path).await.expect("an answer").body, media());
}

#[tokio::test]
async fn hashes_are_checked_unless_told_otherwise() {
    for (verify, status) in [(true, 403), (false, 200)] {
        let devnet = one(|orchestrator| orchestrator.verify_hash = verify).await;
        let client = Client::h2(&devnet.uris()[0]).await.expect("connects");
        let token = client.token().await;
        let reply = client.segment(&order(&token, 0, b"other"), media()).await;
        assert_eq!(reply.expect("an answer").status, status);
    }
}

#[tokio::test]
async fn an_offer_has_a_price_only_when_told_and_takes_any_question() {
    let devnet = passthrough(2).await;
    let [free, dear] = devnet.orchestrators() else {
        panic!("two")
    };
    dear.set(pointsman_devnet::Change {
        price: Some(Some("7/3".parse().expect("a price"))),
        ..Default::default()
    });
    let free = Client::h2(free.uri()).await.expect("connects");
    let dear = Client::h2(dear.uri()).await.expect("connects");
    assert_eq!(
        free.get_orchestrator().await.expect("an offer").price_info,
        None
    );
    let price = dear.get_orchestrator().await.expect("an offer").price_info;
    let price = price.expect("a price");
    assert_eq!((price.price_per_unit, price.pixels_per_unit), (7, 3));

    let signed = OrchestratorRequest {
        address: vec![1; 20],
        sig: vec![9; 3],
        ..Default::default()
    };
    let offer = free
        .ask(signed)
        .await
        .expect("off-chain anything is accepted");
    assert!(offer.ticket_params.is_none() && offer.encoded_len() > 0);
}

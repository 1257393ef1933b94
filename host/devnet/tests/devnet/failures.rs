//! Every failure does what it says, and nothing else.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use pointsman_devnet::failure::{Kind, Method, Rule};
use pointsman_devnet::{Change, Devnet, Orchestrator};
use pointsman_wire::net::{AuthToken, OrchestratorRequest, TranscodeResult};
use pointsman_wire::segment;
use prost::Message as _;
use tokio::time::timeout;

use crate::support::{Client, NEVER, error, job, media, order, passthrough, renditions};

/// One orchestrator with a session that has a rendition, over both protocols.
struct Scene {
    devnet: Devnet,
    h2: Client,
    h1: Client,
    token: AuthToken,
    path: String,
}

impl Scene {
    async fn new() -> Self {
        let devnet = passthrough(1).await;
        let uri = devnet.uris().remove(0);
        let h2 = Client::h2(&uri).await.expect("connects");
        let h1 = Client::h1(&uri).await.expect("connects");
        let token = h2.token().await;
        let result = h2.push(&token, 0).await.expect("a result");
        let (path, _) = renditions(result).remove(0);
        Self {
            devnet,
            h2,
            h1,
            token,
            path,
        }
    }

    fn orchestrator(&self) -> &Orchestrator {
        &self.devnet.orchestrators()[0]
    }

    fn fail(&self, kind: Kind) {
        self.orchestrator().set(Change::fail(kind));
    }

    async fn healed(&self) {
        self.orchestrator().set(Change::heal());
        let client = Client::h2(self.orchestrator().uri())
            .await
            .expect("connects");
        let token = client.token().await;
        let result = client.push(&token, 0).await.expect("a result");
        assert_eq!(renditions(result).len(), 2);
    }

    async fn segment(&self, client: &Client) -> Result<Bytes, crate::support::Failure> {
        let order = order(&self.token, 1, &media());
        client
            .segment(&order, media())
            .await
            .map(|reply| reply.body)
    }

    /// Headers of a segment's answer, and its body to come.
    async fn open_segment(&self, client: &Client) -> Incoming {
        let header = segment::encode(&order(&self.token, 1, &media()));
        let request = client.upload(&header, "", segment::MEDIA_TYPE, media());
        let answer = client.open(request).await.expect("headers");
        assert_eq!(answer.status(), 200);
        answer.into_body()
    }

    async fn open_offer(&self) -> Incoming {
        let answer = self
            .h2
            .raw_grpc("GetOrchestrator", question())
            .await
            .expect("headers");
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "application/grpc");
        answer.into_body()
    }
}

fn question() -> Vec<u8> {
    let request = OrchestratorRequest {
        capabilities: Some(job()),
        ..Default::default()
    };
    let message = request.encode_to_vec();
    let mut frame = vec![0];
    frame.extend((message.len() as u32).to_be_bytes());
    frame.extend(message);
    frame
}

#[tokio::test]
async fn refusing_closes_the_port_and_cuts_what_is_open() {
    let scene = Scene::new().await;
    scene.fail(Kind::Refuse);
    assert!(scene.h2.get_orchestrator().await.is_err());
    assert!(scene.segment(&scene.h1).await.is_err());
    assert!(Client::h2(scene.orchestrator().uri()).await.is_err());
    let kind = loop {
        let address = scene.orchestrator().uri().trim_start_matches("https://");
        match tokio::net::TcpStream::connect(address).await {
            // The listener may take a moment to go; until then it resets.
            Ok(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            Err(failure) => break failure.kind(),
        }
    };
    assert_eq!(kind, std::io::ErrorKind::ConnectionRefused);
    assert!(scene.orchestrator().running(), "it is not killed");
    scene.orchestrator().set(Change::heal());
    while Client::h2(scene.orchestrator().uri()).await.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    scene.healed().await;
    let result = Client::h2(scene.orchestrator().uri())
        .await
        .expect("connects");
    result
        .push(&scene.token, 2)
        .await
        .expect("its sessions live on");
}

#[tokio::test]
async fn refusing_now_and_then_resets_single_connections() {
    let scene = Scene::new().await;
    let uri = scene.orchestrator().uri();
    scene
        .orchestrator()
        .set(Change::rule(Rule::next(Kind::Refuse, 2)));
    assert!(Client::h2(uri).await.is_err());
    assert!(Client::h1(uri).await.is_err());
    Client::h2(uri).await.expect("the third connects");
    scene.h2.get_orchestrator().await.expect("open ones live");

    scene
        .orchestrator()
        .set(Change::rule(Rule::always(Kind::Refuse).on(Method::Segment)));
    scene.h2.get_orchestrator().await.expect("another method");
    assert!(scene.segment(&scene.h2).await.is_err());
    assert!(
        scene.h2.get_orchestrator().await.is_err(),
        "the connection is cut"
    );
    scene.healed().await;
}

#[tokio::test]
async fn disconnecting_answers_nothing() {
    let scene = Scene::new().await;
    scene.fail(Kind::Disconnect);
    assert!(scene.segment(&scene.h1).await.is_err());
    assert!(scene.h2.get_orchestrator().await.is_err());
    scene.healed().await;
}

#[tokio::test]
async fn hanging_before_headers_answers_nothing_at_all() {
    let scene = Scene::new().await;
    scene.fail(Kind::HangBeforeHeaders);
    assert!(timeout(NEVER, scene.h2.get_orchestrator()).await.is_err());
    assert!(timeout(NEVER, scene.segment(&scene.h2)).await.is_err());
    assert!(timeout(NEVER, scene.h2.get(&scene.path)).await.is_err());
    assert!(timeout(NEVER, scene.h2.end(None)).await.is_err());
    assert!(timeout(NEVER, scene.segment(&scene.h1)).await.is_err());
    scene.healed().await;
    scene
        .h2
        .get_orchestrator()
        .await
        .expect("the connection lives");
}

#[tokio::test]
async fn hanging_after_headers_sends_headers_alone() {
    let scene = Scene::new().await;
    scene.fail(Kind::HangAfterHeaders);
    for client in [&scene.h2, &scene.h1] {
        let mut body = scene.open_segment(client).await;
        assert!(timeout(NEVER, body.frame()).await.is_err());
    }
    let mut body = scene.open_offer().await;
    assert!(timeout(NEVER, body.frame()).await.is_err());
    assert!(timeout(NEVER, scene.h2.get(&scene.path)).await.is_err());
    scene.healed().await;
}

#[tokio::test]
async fn resetting_breaks_off_in_the_middle() {
    let scene = Scene::new().await;
    scene.fail(Kind::ResetMidBody);
    for client in [&scene.h2, &scene.h1] {
        let mut body = scene.open_segment(client).await;
        let half = body.frame().await.expect("a frame").expect("half of it");
        assert!(!half.into_data().expect("data").is_empty());
        assert!(body.frame().await.expect("no end").is_err());
    }
    assert!(scene.h2.get(&scene.path).await.is_err());
    assert!(scene.h2.get_orchestrator().await.is_err());
    scene.healed().await;
}

#[tokio::test]
async fn a_status_comes_with_its_text() {
    let scene = Scene::new().await;
    scene.fail(Kind::Status {
        status: 503,
        text: "no".to_owned(),
        retry_after: None,
    });
    for client in [&scene.h2, &scene.h1] {
        let order = order(&scene.token, 1, &media());
        let reply = client.segment(&order, media()).await.expect("an answer");
        assert_eq!((reply.status, reply.text()), (503, "no\n"));
    }
    let answer = scene.h2.raw_grpc("GetOrchestrator", question()).await;
    assert_eq!(answer.expect("headers").status(), 503);
    assert!(scene.h2.get_orchestrator().await.is_err());
    assert_eq!(
        scene.h2.get(&scene.path).await.expect("an answer").status,
        503
    );
    scene.healed().await;
}

#[tokio::test]
async fn garbage_is_no_message() {
    let scene = Scene::new().await;
    scene.fail(Kind::GarbageResult);
    let garbage = scene.segment(&scene.h2).await.expect("a body");
    assert!(!garbage.is_empty() && TranscodeResult::decode(garbage).is_err());
    assert!(scene.h2.get_orchestrator().await.is_err());
    assert_eq!(
        scene.h2.get(&scene.path).await.expect("harmless").body,
        media()
    );
    scene.healed().await;
}

#[tokio::test]
async fn renditions_can_be_scrambled_lost_or_unlisted() {
    let scene = Scene::new().await;
    scene.fail(Kind::CorruptRendition);
    let scrambled = scene.h1.get(&scene.path).await.expect("a rendition");
    assert_eq!(
        (scrambled.status, scrambled.body.len()),
        (200, media().len())
    );
    assert!(scrambled.body.iter().zip(&media()).all(|(a, b)| a != b));

    scene.fail(Kind::MissingRendition);
    let missing = scene.h1.get(&scene.path).await.expect("an answer");
    assert_eq!((missing.status, missing.text()), (404, "ErrNotFound\n"));

    scene.fail(Kind::FewerRenditions);
    let result = scene.h2.push(&scene.token, 1).await.expect("a result");
    assert_eq!(renditions(result).len(), 1);
    scene.healed().await;
    assert_eq!(
        scene.h1.get(&scene.path).await.expect("healed").body,
        media()
    );
}

#[tokio::test]
async fn dripping_takes_a_pause_after_every_byte() {
    let scene = Scene::new().await;
    let interval = Duration::from_millis(1);
    scene.fail(Kind::SlowDrip { interval });
    for client in [&scene.h2, &scene.h1] {
        let start = Instant::now();
        let body = scene.segment(client).await.expect("a body");
        assert!(start.elapsed() >= interval * (body.len() as u32 - 1));
        let result = TranscodeResult::decode(body).expect("a whole result");
        assert_eq!(renditions(result).len(), 2);
    }
    scene.h2.get_orchestrator().await.expect("a whole offer");
    scene.fail(Kind::SlowDrip {
        interval: Duration::from_secs(3600),
    });
    assert!(timeout(NEVER, scene.h2.get(&scene.path)).await.is_err());
    scene.healed().await;
}

#[tokio::test]
async fn an_endless_body_goes_on() {
    let scene = Scene::new().await;
    scene.fail(Kind::EndlessBody);
    let download = scene
        .h1
        .open(
            http::Request::get(scene.path.as_str())
                .body(tonic::body::Body::empty())
                .expect("a request"),
        )
        .await
        .expect("headers")
        .into_body();
    for mut body in [
        scene.open_segment(&scene.h2).await,
        scene.open_offer().await,
        download,
    ] {
        let mut read = 0;
        while read < 3 << 20 {
            let frame = body.frame().await.expect("no end").expect("data");
            read += frame.into_data().expect("data").len();
        }
    }
    scene.healed().await;
}

#[tokio::test]
async fn refusals_by_choice_are_those_of_the_real_checks() {
    let scene = Scene::new().await;
    let segment = async || {
        let order = order(&scene.token, 1, &media());
        scene.h2.segment(&order, media()).await.expect("an answer")
    };
    scene.fail(Kind::Busy);
    assert_eq!(error(segment().await.result()), "OrchestratorBusy");
    scene.h2.get_orchestrator().await.expect("not busy there");

    let text = "Unsupported input codec";
    scene.fail(Kind::Error {
        text: text.to_owned(),
    });
    assert_eq!(error(segment().await.result()), text);

    scene.fail(Kind::Capped);
    let reply = segment().await;
    assert_eq!((reply.status, reply.text()), (403, "OrchestratorCapped\n"));
    let status = scene.h2.get_orchestrator().await.expect_err("capped");
    assert_eq!(
        status.message(),
        "Invalid orchestrator request: OrchestratorCapped"
    );

    scene.fail(Kind::ExpiredToken);
    let reply = segment().await;
    assert_eq!((reply.status, reply.text()), (403, "expired auth token\n"));
    let old = scene.h2.token().await;
    scene.orchestrator().set(Change::heal());
    let reply = scene.h2.segment(&order(&old, 1, &media()), media()).await;
    assert_eq!(reply.expect("an answer").text(), "expired auth token\n");
    scene.healed().await;
}

#[tokio::test]
async fn offers_can_lie() {
    let scene = Scene::new().await;
    let offers = async || {
        let offered = scene.h2.get_orchestrator().await.expect("an offer");
        let result = scene.h2.push(&scene.token, 1).await.expect("a result");
        [offered, result.info.expect("an offer")]
    };
    scene.fail(Kind::WantsStorage);
    for offer in offers().await {
        assert_eq!(offer.storage.len(), 1);
        assert_eq!(offer.storage[0].storage_type, 1, "S3");
        assert!(offer.storage[0].s3info.is_some());
    }
    let uri = "https://203.0.113.1:8935";
    scene.fail(Kind::WrongTranscoder {
        uri: uri.to_owned(),
    });
    for offer in offers().await {
        assert_eq!(offer.transcoder, uri);
    }
    scene.fail(Kind::WrongAddress);
    let [one, other] = offers().await.map(|offer| offer.address);
    assert_eq!((one.len(), other.len()), (20, 20));
    assert_ne!(one, other);
    scene.orchestrator().set(Change::heal());
    for offer in offers().await {
        assert_eq!(offer.address, [0; 20]);
        assert_eq!(offer.transcoder, scene.orchestrator().uri());
        assert!(offer.storage.is_empty());
    }
}

#[tokio::test]
async fn counts_and_chances_are_kept_over_the_wire() {
    let scene = Scene::new().await;
    let before = scene.orchestrator().counters();
    let rule = Rule::next(Kind::Busy, 2);
    scene.orchestrator().set(Change::rule(rule));
    let mut busy = 0;
    for seq in 1..=5 {
        let result = scene.h2.push(&scene.token, seq).await.expect("a result");
        use pointsman_wire::net::transcode_result::Result as Outcome;
        busy += u32::from(matches!(result.result, Some(Outcome::Error(_))));
    }
    assert_eq!(busy, 2);
    let after = scene.orchestrator().counters();
    assert_eq!(after.failures - before.failures, 2);
    assert_eq!(after.results_failed - before.results_failed, 2);
    assert_eq!(after.results_ok - before.results_ok, 3);
    assert_eq!(after.segments - before.segments, 5);
    assert_eq!(after.bytes_in - before.bytes_in, 5 * media().len() as u64);
}

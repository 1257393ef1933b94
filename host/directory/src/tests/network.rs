//! Probing over real sockets.

use std::sync::Arc;
use std::time::Duration;

use pointsman_transport::Connections;
use pointsman_wire::net::orchestrator_server::{Orchestrator, OrchestratorServer};
use pointsman_wire::net::{
    EndTranscodingSessionRequest, EndTranscodingSessionResponse, OrchestratorInfo,
    OrchestratorRequest, PingPong,
};
use pointsman_wire::uri::ServiceUri;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use super::fake::{NOW_MS, offer};
use crate::clock::Clock;
use crate::directory::{Directory, Settings};
use crate::prober::Probing;
use crate::source::Sources;
use crate::standing::Reach;
use crate::summary::Summary;

/// Longer than any answer takes.
const LONG: Duration = Duration::from_secs(60);

/// Answers with its offer, or refuses with a text.
struct Server(Result<OrchestratorInfo, &'static str>);

#[tonic::async_trait]
impl Orchestrator for Server {
    async fn get_orchestrator(
        &self,
        request: Request<OrchestratorRequest>,
    ) -> Result<Response<OrchestratorInfo>, Status> {
        let request = request.into_inner();
        if request.address != [0; 20] || request.capabilities.is_some() {
            return Err(Status::unknown("not the question of a probe"));
        }
        self.0.clone().map(Response::new).map_err(Status::unknown)
    }

    async fn end_transcoding_session(
        &self,
        _: Request<EndTranscodingSessionRequest>,
    ) -> Result<Response<EndTranscodingSessionResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn ping(&self, _: Request<PingPong>) -> Result<Response<PingPong>, Status> {
        Err(Status::unimplemented(""))
    }
}

async fn listen() -> (TcpListener, ServiceUri) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let uri = format!("http://{address}").parse().expect("a service URI");
    (listener, uri)
}

async fn serving(answer: Result<OrchestratorInfo, &'static str>) -> ServiceUri {
    let (listener, uri) = listen().await;
    let service = OrchestratorServer::new(Server(answer));
    let router = tonic::transport::Server::builder().add_service(service);
    tokio::spawn(router.serve_with_incoming(TcpListenerStream::new(listener)));
    uri
}

/// Accepts, says `words`, and then nothing.
async fn saying(words: &'static [u8]) -> ServiceUri {
    let (listener, uri) = listen().await;
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.write_all(words).await;
            held.push(socket);
        }
    });
    uri
}

/// A port where nobody listens, and nobody else can meanwhile.
async fn dead() -> (TcpSocket, ServiceUri) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .bind(([127, 0, 0, 1], 0).into())
        .expect("a free port");
    let address = socket.local_addr().expect("an address");
    let uri = format!("http://{address}").parse().expect("a service URI");
    (socket, uri)
}

/// A directory that has asked all of `list` once, for so long.
async fn settled(list: Vec<ServiceUri>, timeout: Duration) -> Directory {
    let settings = Settings {
        sources: Sources {
            list,
            ..Sources::default()
        },
        probing: Probing {
            timeout,
            ..Probing::default()
        },
        clock: Clock::starting_at(NOW_MS),
        ..Settings::default()
    };
    let directory = Directory::start(settings, Arc::new(Connections::default()))
        .await
        .expect("it starts");
    let settled = directory.settled(2 * LONG).await;
    assert!(settled.is_settled(), "{settled:?}");
    directory
}

fn of(directory: &Directory, uri: &ServiceUri) -> Summary {
    let list = directory.list();
    list.into_iter()
        .find(|summary| summary.uri == *uri)
        .expect("a known orchestrator")
}

#[tokio::test]
async fn a_real_server_is_probed_and_every_bad_one_named() {
    let good = serving(Ok(offer("work", 5))).await;
    let full = serving(Err("Invalid orchestrator request: OrchestratorCapped")).await;
    let closed = serving(Err(
        "Invalid orchestrator request: orchestrator req sig check failed",
    ))
    .await;
    let hangs = saying(b"").await;
    let garbage = saying(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nwhat").await;
    let (_reserved, dead) = dead().await;
    let everyone = [&good, &full, &closed, &garbage, &dead];
    let directory = settled(everyone.into_iter().cloned().collect(), LONG).await;

    let summary = of(&directory, &good);
    assert!(summary.usable && summary.probe_ms.is_some() && summary.connect_ms.is_some());
    assert_eq!(summary.price.as_deref(), Some("5/1"));
    let id = crate::source::identity(&good);
    assert_eq!(directory.take_offer(id), Some(offer("work", 5)));
    let impatient = settled(vec![hangs.clone()], Duration::from_millis(200)).await;
    let bad = [&full, &closed, &garbage, &dead].map(|uri| of(&directory, uri));
    for summary in bad.into_iter().chain([of(&impatient, &hangs)]) {
        assert!(!summary.usable && summary.error.is_some(), "{summary:?}");
    }
    assert_eq!(
        of(&directory, &full).reach,
        Reach::Unasked,
        "full is not silent"
    );
    let error = |uri| of(&directory, uri).error.unwrap_or_default();
    assert!(error(&dead).starts_with("connect "), "{}", error(&dead));
    assert!(error(&closed).starts_with("refused "), "{}", error(&closed));
}

#[tokio::test]
async fn an_answer_of_the_real_node_is_judged_usable() {
    let bytes = include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/video/push/01-get-orchestrator.response.bin"
    ));
    let info: OrchestratorInfo = prost::Message::decode(&bytes[5..]).expect("a message");
    let facts = crate::facts::Facts::of(&info, None);
    assert_eq!(facts.unusable, None);
    assert_eq!((facts.version, facts.address), (Some(9001), [0; 20]));
    assert_eq!(
        (facts.price, facts.price_fault),
        (None, None),
        "off-chain there is none"
    );
    let uri = serving(Ok(info)).await;
    let directory = settled(vec![uri.clone()], LONG).await;
    assert!(of(&directory, &uri).usable);
}

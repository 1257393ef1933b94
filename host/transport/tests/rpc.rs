//! gRPC calls against servers in process.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::any;
use pointsman_transport::{Connections, RpcError, Settings};
use pointsman_wire::net::orchestrator_server::{Orchestrator, OrchestratorServer};
use pointsman_wire::net::{
    AuthToken, EndTranscodingSessionRequest, EndTranscodingSessionResponse, OrchestratorInfo,
    OrchestratorRequest, PingPong,
};
use pointsman_wire::rejection::{Origin, Rejection};
use support::{LONG, Server, impatient};
use tokio::io::AsyncWriteExt as _;
use tonic::{Request, Status};

/// What GetOrchestrator does.
#[derive(Clone, Copy)]
enum Behaviour {
    Answer,
    Refuse(&'static str),
    Hang,
    Flood,
}

#[derive(Clone)]
struct Fake {
    behaviour: Behaviour,
    calls: Arc<AtomicUsize>,
}

#[tonic::async_trait]
impl Orchestrator for Fake {
    async fn get_orchestrator(
        &self,
        _: Request<OrchestratorRequest>,
    ) -> Result<tonic::Response<OrchestratorInfo>, Status> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let transcoder = match self.behaviour {
            Behaviour::Answer => "https://orchestrator.example".to_owned(),
            Behaviour::Refuse(text) => return Err(Status::unknown(text)),
            Behaviour::Flood => "x".repeat(5 << 20),
            Behaviour::Hang if call == 0 => std::future::pending().await,
            Behaviour::Hang => "https://orchestrator.example".to_owned(),
        };
        Ok(tonic::Response::new(OrchestratorInfo {
            transcoder,
            ..Default::default()
        }))
    }

    async fn end_transcoding_session(
        &self,
        request: Request<EndTranscodingSessionRequest>,
    ) -> Result<tonic::Response<EndTranscodingSessionResponse>, Status> {
        match request.into_inner().auth_token {
            Some(token) if token.session_id == "deadbeef" => {
                Ok(tonic::Response::new(EndTranscodingSessionResponse {}))
            }
            _ => Err(Status::unknown("Invalid auth token")),
        }
    }

    async fn ping(&self, _: Request<PingPong>) -> Result<tonic::Response<PingPong>, Status> {
        Err(Status::unimplemented(""))
    }
}

fn router(behaviour: Behaviour) -> Router {
    counting(behaviour, Arc::default())
}

fn counting(behaviour: Behaviour, calls: Arc<AtomicUsize>) -> Router {
    let server = OrchestratorServer::new(Fake { behaviour, calls });
    Router::new().route_service("/net.Orchestrator/{method}", server)
}

/// A server whose every answer has these headers and no body.
fn headers_only(headers: &'static [(&'static str, &'static str)]) -> Router {
    Router::new().fallback(any(move || async move {
        let mut response = Response::builder();
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        response.body(Body::empty()).expect("a response")
    }))
}

async fn ask(connections: &Connections, server: &Server) -> Result<Option<Duration>, RpcError> {
    let request = OrchestratorRequest::default();
    let answer = connections
        .get_orchestrator(&server.uri, &request, LONG)
        .await?;
    assert_eq!(answer.info.transcoder, "https://orchestrator.example");
    Ok(answer.connect)
}

async fn fails(server: &Server) -> RpcError {
    let error = ask(&Connections::default(), server).await;
    error.expect_err("an error")
}

#[tokio::test]
async fn the_second_call_finds_the_connection_open() {
    for server in [
        Server::tls(router(Behaviour::Answer)).await,
        Server::plain(router(Behaviour::Answer)).await,
    ] {
        let connections = Connections::default();
        let first = ask(&connections, &server).await.expect("an answer");
        assert!(
            first.is_some_and(|connect| !connect.is_zero()),
            "it dialled"
        );
        assert_eq!(ask(&connections, &server).await, Ok(None));
        assert_eq!(ask(&connections.clone(), &server).await, Ok(None));
    }
}

#[tokio::test]
async fn calls_at_once_share_one_dial() {
    let server = Server::tls(router(Behaviour::Answer)).await;
    let connections = Connections::default();
    let calls = (0..20).map(|_| {
        let (connections, uri) = (connections.clone(), server.uri.clone());
        tokio::spawn(async move {
            let request = OrchestratorRequest::default();
            let answer = connections.get_orchestrator(&uri, &request, LONG).await;
            answer.expect("an answer").connect
        })
    });
    let mut dials = 0;
    for call in calls.collect::<Vec<_>>() {
        dials += usize::from(call.await.expect("no panic").is_some());
    }
    assert_eq!(dials, 1);
}

#[tokio::test]
async fn a_restarted_orchestrator_is_reached_again() {
    let server = Server::tls(router(Behaviour::Answer)).await;
    let connections = Connections::default();
    ask(&connections, &server).await.expect("an answer");

    let port = server.stop().await;
    let server = Server::tls_at(port, router(Behaviour::Answer)).await;
    let connect = ask(&connections, &server).await.expect("an answer");
    assert!(connect.is_some(), "by a new connection");
}

#[tokio::test]
async fn a_dead_orchestrator_is_a_connect_error() {
    let server = Server::tls(router(Behaviour::Answer)).await;
    let connections = Connections::default();
    ask(&connections, &server).await.expect("an answer");
    let uri = server.uri.clone();
    let _port = server.stop().await;
    let request = OrchestratorRequest::default();
    let error = connections.get_orchestrator(&uri, &request, LONG).await;
    assert!(matches!(error, Err(RpcError::Connect(_))), "{error:?}");
}

#[tokio::test]
async fn a_refusal_is_classified_and_keeps_the_connection() {
    let text = "Invalid orchestrator request: OrchestratorCapped";
    let server = Server::tls(router(Behaviour::Refuse(text))).await;
    let connections = Connections::default();
    let refused = RpcError::Rejected(Rejection::Capped);
    assert_eq!(ask(&connections, &server).await, Err(refused.clone()));

    let token = |id: &str| AuthToken {
        session_id: id.to_owned(),
        ..Default::default()
    };
    let uri = &server.uri;
    let ended = connections.end_session(uri, token("deadbeef"), LONG).await;
    assert_eq!(ended, Ok(()));
    let unknown = connections.end_session(uri, token("other"), LONG).await;
    assert_eq!(unknown, Err(Rejection::TokenInvalid.into()));
    assert_eq!(ask(&connections, &server).await, Err(refused));
}

#[tokio::test]
async fn percent_encoding_of_a_refusal_is_undone() {
    let server = Server::tls(router(Behaviour::Refuse("caf\u{e9} 100%\nclosed"))).await;
    let expected = Rejection::Other {
        origin: Origin::Grpc(2),
        text: "caf\u{e9} 100% closed".to_owned(),
    };
    assert_eq!(fails(&server).await, RpcError::Rejected(expected));
}

#[tokio::test]
async fn too_long_an_answer_is_not_read() {
    let server = Server::tls(router(Behaviour::Flood)).await;
    assert_eq!(fails(&server).await, RpcError::TooLarge(4 << 20));
}

#[tokio::test]
async fn a_call_out_of_time_leaves_its_connection_behind() {
    let calls = Arc::new(AtomicUsize::new(0));
    let server = Server::tls(counting(Behaviour::Hang, calls.clone())).await;
    let connections = Connections::default();
    let request = OrchestratorRequest::default();
    let limit = Duration::from_millis(200);
    // On a slow machine dialling alone may take that long.
    while calls.load(Ordering::SeqCst) == 0 {
        let hanging = connections.get_orchestrator(&server.uri, &request, limit);
        assert_eq!(hanging.await.err(), Some(RpcError::Timeout(limit)));
    }
    let connect = ask(&connections, &server).await.expect("an answer");
    assert!(connect.is_some(), "the peer might have been gone");
}

#[tokio::test]
async fn a_dropped_call_harms_no_other() {
    let calls = Arc::new(AtomicUsize::new(0));
    let server = Server::tls(counting(Behaviour::Hang, calls.clone())).await;
    let connections = Connections::default();
    let request = OrchestratorRequest::default();
    let arrived = async {
        while calls.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = arrived => {}
        answer = connections.get_orchestrator(&server.uri, &request, LONG) => {
            panic!("the call hangs: {answer:?}")
        }
    }
    assert_eq!(ask(&connections, &server).await, Ok(None));
}

#[tokio::test]
async fn an_idle_connection_is_not_used_again() {
    let server = Server::tls(router(Behaviour::Answer)).await;
    let idle = Duration::from_millis(100);
    let connections = Connections::new(Settings {
        idle,
        ..Settings::default()
    });
    ask(&connections, &server).await.expect("an answer");
    tokio::time::sleep(idle).await;
    let connect = ask(&connections, &server).await.expect("an answer");
    assert!(connect.is_some());
}

#[tokio::test]
async fn what_is_no_grpc_server_is_garbage() {
    let pages: [&[(&str, &str)]; 4] = [
        &[("content-type", "text/html")],
        &[("content-type", "application/grpc")],
        &[("content-type", "application/grpc"), ("grpc-status", "0")],
        &[("content-type", "application/grpc"), ("grpc-status", "no")],
    ];
    for page in pages {
        let server = Server::tls(headers_only(page)).await;
        let error = fails(&server).await;
        assert!(matches!(error, RpcError::Garbage(_)), "{page:?}: {error:?}");
    }
}

#[tokio::test]
async fn details_that_are_no_base64_panic_nobody() {
    let server = Server::tls(headers_only(&[
        ("content-type", "application/grpc"),
        ("grpc-status", "2"),
        ("grpc-message", "OrchestratorCapped"),
        ("grpc-status-details-bin", "!!!"),
    ]))
    .await;
    assert_eq!(fails(&server).await, RpcError::Rejected(Rejection::Capped));
}

#[tokio::test]
async fn garbage_instead_of_a_handshake_is_no_connection() {
    let server = Server::raw("https", |mut tcp| async move {
        tcp.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await.ok();
        tokio::time::sleep(LONG).await;
    })
    .await;
    let error = fails(&server).await;
    assert!(matches!(error, RpcError::Connect(_)), "{error:?}");
}

#[tokio::test]
async fn garbage_instead_of_http2_is_garbage() {
    let server = Server::raw("http", |mut tcp| async move {
        tcp.write_all(&[0x47; 400]).await.ok();
        tokio::time::sleep(LONG).await;
    })
    .await;
    let error = fails(&server).await;
    assert!(matches!(error, RpcError::Garbage(_)), "{error:?}");
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_given_up() {
    let server = Server::raw("https", |tcp| async move {
        tokio::time::sleep(LONG).await;
        drop(tcp);
    })
    .await;
    let error = ask(&impatient(), &server).await.expect_err("an error");
    let expected = RpcError::Connect("no connection within 200 ms".to_owned());
    assert_eq!(error, expected);
}

#[tokio::test]
async fn a_stolen_certificate_is_refused() {
    let server = Server::impostor().await;
    let error = fails(&server).await;
    assert!(
        matches!(&error, RpcError::Connect(cause) if cause.contains("BadSignature")),
        "{error:?}"
    );
}

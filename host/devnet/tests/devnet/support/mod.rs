//! A raw gateway: hyper and tonic over one connection that verifies nothing, so that tests see what is on the wire.

pub(crate) mod golden;
pub(crate) mod tls;

use std::num::NonZeroUsize;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use pointsman_devnet::{Devnet, OrchestratorProfile, Profile};
use pointsman_wire::capabilities::{Codec, TranscodeJob};
use pointsman_wire::net::orchestrator_client::OrchestratorClient;
use pointsman_wire::net::{
    AuthToken, Capabilities, EndTranscodingSessionRequest, OrchestratorInfo, OrchestratorRequest,
    SegData, TranscodeResult,
};
use pointsman_wire::segment::{self, Order};
use pointsman_wire::{payment, profile, sign};
use prost::Message as _;
use tonic::body::Body;

/// For what must not happen: long enough to be noticed, and never a reason to fail on a slow machine.
pub(crate) const NEVER: Duration = Duration::from_millis(200);

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One connection.
#[derive(Clone)]
pub(crate) enum Client {
    H1(
        std::sync::Arc<tokio::sync::Mutex<http1::SendRequest<Body>>>,
        Uri,
    ),
    H2(http2::SendRequest<Body>, Uri),
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

/// A devnet of passthrough orchestrators.
pub(crate) async fn passthrough(count: usize) -> Devnet {
    let count = NonZeroUsize::new(count).expect("some");
    start(Profile::passthrough(count)).await
}

/// A devnet of one orchestrator, changed.
pub(crate) async fn one(change: impl FnOnce(&mut OrchestratorProfile)) -> Devnet {
    let mut profile = Profile::passthrough(NonZeroUsize::MIN);
    change(&mut profile.orchestrators[0]);
    start(profile).await
}

pub(crate) async fn start(profile: Profile) -> Devnet {
    pointsman_devnet::start(profile).await.expect("a devnet")
}

/// A job as a gateway has it for RTMP, MPEG-TS out.
pub(crate) fn job() -> Capabilities {
    let profiles = profile::presets("P144p30fps16x9,P240p30fps16x9").expect("presets");
    let job = TranscodeJob {
        codec: Codec::H264,
        pixel_format: None,
        profiles: &profiles,
        perceptual_hash: false,
        slicing: false,
        storage: None,
        min_version: "",
    };
    job.capabilities().expect("capabilities")
}

/// The order of a segment, unsigned.
pub(crate) fn order(token: &AuthToken, seq: u64, data: &[u8]) -> SegData {
    let profiles = profile::presets("P144p30fps16x9,P240p30fps16x9").expect("presets");
    let order = Order {
        manifest_id: "test",
        sequence: seq,
        hash: sign::keccak256(data),
        duration_ms: 2000,
        profiles: &profiles,
        capabilities: &job(),
        auth_token: token,
        slice: None,
        reinit: false,
        perceptual_hash: false,
        storage: None,
    };
    order.message(&[]).expect("in range")
}

/// Bytes that pass for a segment where nobody looks.
pub(crate) fn media() -> Bytes {
    Bytes::from(vec![0x47; 1880])
}

// === impl Client ===

impl Client {
    pub(crate) async fn h2(uri: &str) -> Result<Self, Failure> {
        let target: Uri = uri.parse()?;
        let io = tls::connect(&target, &[b"h2"]).await?;
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(io)).await?;
        tokio::spawn(connection);
        Ok(Self::H2(sender, target))
    }

    pub(crate) async fn h1(uri: &str) -> Result<Self, Failure> {
        let target: Uri = uri.parse()?;
        let io = tls::connect(&target, &[b"http/1.1"]).await?;
        let (sender, connection) = http1::handshake(TokioIo::new(io)).await?;
        tokio::spawn(connection);
        let sender = std::sync::Arc::new(tokio::sync::Mutex::new(sender));
        Ok(Self::H1(sender, target))
    }

    fn uri(&self, path: &str) -> Uri {
        let (Self::H1(_, base) | Self::H2(_, base)) = self;
        let mut parts = base.clone().into_parts();
        parts.path_and_query = Some(path.parse().expect("a path"));
        Uri::from_parts(parts).expect("a URI")
    }

    pub(crate) async fn open(&self, request: Request<Body>) -> Result<Response<Incoming>, Failure> {
        let host = self.uri("/").authority().expect("absolute").to_string();
        match self {
            Self::H1(sender, _) => {
                let (mut head, body) = request.into_parts();
                head.headers.insert(http::header::HOST, host.parse()?);
                head.uri = head
                    .uri
                    .path_and_query()
                    .expect("a path")
                    .as_str()
                    .parse()?;
                let mut sender = sender.lock().await;
                Ok(sender.send_request(Request::from_parts(head, body)).await?)
            }
            Self::H2(sender, _) => Ok(sender.clone().send_request(request).await?),
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Result<Reply, Failure> {
        let (head, body) = self.open(request).await?.into_parts();
        Ok(Reply {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body.collect().await?.to_bytes(),
        })
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Reply, Failure> {
        let request = Request::get(self.uri(path)).body(Body::empty())?;
        self.send(request).await
    }

    /// A request for a segment, with headers as given.
    pub(crate) fn upload(
        &self,
        order: &str,
        paid: &str,
        media_type: &str,
        data: Bytes,
    ) -> Request<Body> {
        Request::post(self.uri("/segment"))
            .header(segment::HEADER, order)
            .header(payment::HEADER, paid)
            .header(http::header::CONTENT_TYPE, media_type)
            .body(Body::new(Full::new(data)))
            .expect("a request")
    }

    /// Sends a segment off-chain.
    pub(crate) async fn segment(&self, order: &SegData, data: Bytes) -> Result<Reply, Failure> {
        let order = segment::encode(order);
        self.send(self.upload(&order, "", segment::MEDIA_TYPE, data))
            .await
    }

    /// Sends [`media`] as one segment of a session, and decodes the result.
    pub(crate) async fn push(
        &self,
        token: &AuthToken,
        seq: u64,
    ) -> Result<TranscodeResult, Failure> {
        self.push_media(token, seq, media()).await
    }

    pub(crate) async fn push_media(
        &self,
        token: &AuthToken,
        seq: u64,
        data: Bytes,
    ) -> Result<TranscodeResult, Failure> {
        let reply = self.segment(&order(token, seq, &data), data).await?;
        if reply.status != 200 {
            return Err(format!("{}: {}", reply.status, reply.text()).into());
        }
        Ok(TranscodeResult::decode(reply.body)?)
    }

    pub(crate) async fn get_orchestrator(&self) -> Result<OrchestratorInfo, tonic::Status> {
        self.ask(OrchestratorRequest {
            address: vec![0; 20],
            capabilities: Some(job()),
            ..Default::default()
        })
        .await
    }

    pub(crate) async fn ask(
        &self,
        request: OrchestratorRequest,
    ) -> Result<OrchestratorInfo, tonic::Status> {
        let Self::H2(sender, origin) = self else {
            panic!("gRPC is HTTP/2")
        };
        let mut client = OrchestratorClient::with_origin(calls(sender.clone()), origin.clone());
        Ok(client.get_orchestrator(request).await?.into_inner())
    }

    pub(crate) async fn token(&self) -> AuthToken {
        let info = self.get_orchestrator().await.expect("an offer");
        info.auth_token.expect("a token")
    }

    pub(crate) async fn end(&self, token: Option<AuthToken>) -> Result<(), tonic::Status> {
        let Self::H2(sender, origin) = self else {
            panic!("gRPC is HTTP/2")
        };
        let mut client = OrchestratorClient::with_origin(calls(sender.clone()), origin.clone());
        let request = EndTranscodingSessionRequest { auth_token: token };
        client.end_transcoding_session(request).await?;
        Ok(())
    }

    /// A gRPC request as bytes, and the answer with its frame.
    pub(crate) async fn raw_grpc(
        &self,
        method: &str,
        frame: Vec<u8>,
    ) -> Result<Response<Incoming>, Failure> {
        let request = Request::post(self.uri(&format!("/net.Orchestrator/{method}")))
            .header(http::header::CONTENT_TYPE, "application/grpc")
            .header(http::header::TE, "trailers")
            .body(Body::new(Full::new(Bytes::from(frame))))?;
        self.open(request).await
    }
}

fn calls(
    sender: http2::SendRequest<Body>,
) -> impl tower::Service<
    Request<Body>,
    Response = Response<Incoming>,
    Error = hyper::Error,
    Future = impl Future<Output = Result<Response<Incoming>, hyper::Error>>,
> {
    tower::service_fn(move |request| sender.clone().send_request(request))
}

// === impl Reply ===

impl Reply {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("text"))
    }

    pub(crate) fn result(&self) -> TranscodeResult {
        assert_eq!(self.status, StatusCode::OK.as_u16(), "{:?}", self.body);
        TranscodeResult::decode(self.body.clone()).expect("a result")
    }
}

/// Why a segment has no renditions.
pub(crate) fn error(result: TranscodeResult) -> String {
    use pointsman_wire::net::transcode_result::Result as Outcome;
    match result.result {
        Some(Outcome::Error(text)) => text,
        other => panic!("no error but {other:?}"),
    }
}

/// Paths and pixels of the renditions.
pub(crate) fn renditions(result: TranscodeResult) -> Vec<(String, i64)> {
    use pointsman_wire::net::transcode_result::Result as Outcome;
    let Some(Outcome::Data(data)) = result.result else {
        panic!("no renditions but {:?}", result.result)
    };
    let path = |url: &str| url.parse::<Uri>().expect("a URL").path().to_owned();
    data.segments
        .iter()
        .map(|segment| (path(&segment.url), segment.pixels))
        .collect()
}

//! The bare relay: the least that any gateway must do for a pushed segment, to compare with.
//!
//! For each push it reads the body, sends it to one orchestrator under a header made at the start, fetches the two renditions at once over
//! pooled TLS connections and answers multipart. No hash, no policy, no check of what came back, no failover, no playlist.
//! The orchestrators of the benchmark do not check the hash.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use pointsman_transport::Connections;
use pointsman_wire::capabilities::{Codec, TranscodeJob};
use pointsman_wire::net::OrchestratorRequest;
use pointsman_wire::profile::{Profile, presets};
use pointsman_wire::segment::{self, Order};
use pointsman_wire::sign::{Address, B256};
use pointsman_wire::{ServiceUri, payment, result};
use tokio::net::{TcpListener, TcpStream};

/// First argument that makes this program the relay; the second is the orchestrator's address.
pub(crate) const COMMAND: &str = "relay";
/// What it says before its own address.
pub(crate) const READY: &str = "relay on";

/// The gateway's default renditions.
const PROFILES: &str = "P240p30fps16x9,P360p30fps16x9";
/// How long an orchestrator may take to agree a session.
const PATIENCE: Duration = Duration::from_secs(5);
const BOUNDARY: &str = "00112233445566778899";

type Pool = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// What is the same for every push.
struct Relay {
    pool: Pool,
    orchestrator: ServiceUri,
    upload: Uri,
    payment: HeaderValue,
    profiles: Vec<Profile>,
}

#[tokio::main]
pub(crate) async fn run(arguments: &[String]) -> Result<()> {
    let orchestrator = arguments.first().context("relay ORCHESTRATOR")?;
    let relay = Arc::new(Relay::new(orchestrator)?);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{READY} {}", listener.local_addr()?);
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let relay = relay.clone();
        tokio::spawn(async move {
            if let Err(error) = relay.serve(socket).await {
                eprintln!("relay: {error:#}");
            }
        });
    }
}

// === impl Relay ===

impl Relay {
    fn new(orchestrator: &str) -> Result<Self> {
        let orchestrator = ServiceUri::from_webhook(orchestrator)?;
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let tls =
            HttpsConnectorBuilder::new().with_tls_config(pointsman_transport::tls::client_config());
        Ok(Self {
            pool: Client::builder(TokioExecutor::new())
                .build(tls.https_or_http().enable_http1().wrap_connector(tcp)),
            upload: orchestrator.join("/segment").parse()?,
            orchestrator,
            payment: payment::encode(None).try_into()?,
            profiles: presets(PROFILES)?,
        })
    }

    /// A connection is a stream, with a session of its own: an orchestrator does few segments of one session at once.
    async fn serve(self: Arc<Self>, socket: TcpStream) -> Result<()> {
        let order = self.order().await?;
        let service = service_fn(move |request| {
            let (relay, order) = (self.clone(), order.clone());
            async move { relay.push(request, order).await }
        });
        let connection = hyper::server::conn::http1::Builder::new();
        Ok(connection
            .serve_connection(TokioIo::new(socket), service)
            .await?)
    }

    /// The header of all of a session's segments.
    async fn order(&self) -> Result<HeaderValue> {
        let job = TranscodeJob {
            codec: Codec::H264,
            pixel_format: None,
            profiles: &self.profiles,
            slicing: true,
            perceptual_hash: false,
            storage: None,
            min_version: "",
        };
        let capabilities = job.capabilities()?;
        let question = OrchestratorRequest {
            address: Address::ZERO.to_vec(),
            capabilities: Some(capabilities.clone()),
            ..Default::default()
        };
        let connections = Connections::default();
        let offer = connections.get_orchestrator(&self.orchestrator, &question, PATIENCE);
        let token = offer
            .await?
            .info
            .auth_token
            .context("an offer without a token")?;
        let order = Order {
            manifest_id: "relay",
            sequence: 0,
            hash: B256::ZERO,
            duration_ms: 2000,
            profiles: &self.profiles,
            capabilities: &capabilities,
            auth_token: &token,
            slice: None,
            reinit: false,
            perceptual_hash: false,
            storage: None,
        };
        Ok(segment::encode(&order.message(&[])?).try_into()?)
    }

    async fn push(
        &self,
        request: Request<Incoming>,
        order: HeaderValue,
    ) -> Result<Response<impl hyper::body::Body<Data = Bytes, Error = Infallible> + use<>>> {
        let media = request.into_body().collect().await?.to_bytes();
        let upload = Request::post(self.upload.clone())
            .header(segment::HEADER, order)
            .header(payment::HEADER, self.payment.clone())
            .header(CONTENT_TYPE, segment::MEDIA_TYPE)
            .body(Full::new(media))?;
        let answer = self
            .pool
            .request(upload)
            .await?
            .into_body()
            .collect()
            .await?
            .to_bytes();
        let transcoded = result::decode(&answer, self.profiles.len())?
            .outcome
            .map_err(|refused| anyhow::anyhow!("{refused:?}"))?;
        let fetches = transcoded
            .renditions
            .iter()
            .map(|rendition| self.fetch(rendition.uri.clone()));
        Ok(self.multipart(futures::future::try_join_all(fetches).await?))
    }

    async fn fetch(&self, uri: Uri) -> Result<Bytes> {
        Ok(self
            .pool
            .get(uri)
            .await?
            .into_body()
            .collect()
            .await?
            .to_bytes())
    }

    fn multipart(
        &self,
        renditions: Vec<Bytes>,
    ) -> Response<impl hyper::body::Body<Data = Bytes, Error = Infallible> + use<>> {
        let mut chunks = Vec::new();
        for (profile, media) in self.profiles.iter().zip(renditions) {
            let name = &profile.name;
            let head = format!(
                "--{BOUNDARY}\r\nContent-Length: {}\r\nContent-Type: video/mp2t; name=\"{name}\"\r\nRendition-Name: {name}\r\n\r\n",
                media.len()
            );
            chunks.extend([Bytes::from(head), media, Bytes::from_static(b"\r\n")]);
        }
        chunks.push(Bytes::from(format!("--{BOUNDARY}--\r\n")));
        let length: usize = chunks.iter().map(Bytes::len).sum();
        let frames = chunks.into_iter().map(|chunk| Ok(Frame::data(chunk)));
        let mut response = Response::new(StreamBody::new(futures::stream::iter(frames)));
        let headers = response.headers_mut();
        headers.insert(CONTENT_LENGTH, length.into());
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("multipart/mixed; boundary=00112233445566778899"),
        );
        response
    }
}

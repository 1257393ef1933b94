//! The body of a segment: read in parts, hashed as it comes, or fetched from where it says it lies.

use std::time::Duration;

use bytes::Bytes;
use http::request::Parts as Head;
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri, Version};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Body, Incoming};
use hyper_util::rt::TokioIo;
use pointsman_wire::limits::MAX_SEGMENT_BYTES;
use pointsman_wire::refusal::Refusal;
use pointsman_wire::segment::URI_TYPE;
use pointsman_wire::sign::Keccak256;
use tokio::net::TcpStream;

use crate::answer::Answer;
use crate::body::Parts;

/// For fetching a segment from where its URI says it lies.
const FETCH: Duration = Duration::from_secs(4);
/// Longest URI, in bytes.
const MAX_URI: usize = 2048;
/// What Go's server reads of a body that nobody wants, before it answers over HTTP/1.1.
const DRAINED: usize = 256 * 1024;

/// Reads a segment and checks it against its hash, unless that is `None`.
///
/// # Errors
///
/// Checks 11 to 13: too large, not to be fetched, not what the hash says.
pub(crate) async fn receive(
    headers: &HeaderMap,
    body: Incoming,
    hash: Option<&[u8]>,
) -> Result<Parts, Refusal> {
    let by_uri = headers
        .get(http::header::CONTENT_TYPE)
        .is_some_and(|value| value == URI_TYPE);
    let mut hasher = hash.map(|_| Keccak256::new());
    let data = if by_uri {
        let uri = read(body, None)
            .await
            .ok_or_else(|| Refusal::new(500, "Internal Server Error"))?;
        let bad = || Refusal::new(400, "BadRequest");
        let fetched = tokio::time::timeout(FETCH, fetch(&uri, hasher.as_mut())).await;
        fetched.ok().flatten().ok_or_else(bad)?
    } else {
        read(body, hasher.as_mut())
            .await
            .ok_or_else(|| Refusal::new(500, "Internal Server Error"))?
    };
    let found = hasher.map(Keccak256::finalize);
    match (hash, found) {
        (Some(hash), Some(found)) if found != hash => Err(Refusal::new(403, "Forbidden")),
        _ => Ok(data),
    }
}

/// An answer to an upload that nobody wants. Over HTTP/1.1 what Go's server would read of it is read first: a client that
/// still writes might otherwise lose the answer to a reset. What is left after that closes the connection.
pub(crate) async fn unwanted(head: &Head, mut body: Incoming, mut answer: Answer) -> Answer {
    if head.version >= Version::HTTP_2 {
        return answer;
    }
    if !head.headers.contains_key(http::header::EXPECT) {
        drain(&mut body).await;
    }
    if !body.is_end_stream() {
        let close = HeaderValue::from_static("close");
        answer.headers_mut().insert(http::header::CONNECTION, close);
    }
    answer
}

async fn drain(body: &mut Incoming) {
    let mut drained = 0;
    while drained <= DRAINED
        && let Some(Ok(frame)) = body.frame().await
    {
        drained += frame.data_ref().map_or(0, Bytes::len);
    }
}

/// `None` when it breaks off or is too large.
async fn read(mut body: Incoming, mut hasher: Option<&mut Keccak256>) -> Option<Parts> {
    if body.size_hint().lower() > MAX_SEGMENT_BYTES as u64 {
        return None;
    }
    let (mut parts, mut len) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else {
            continue;
        };
        len += data.len();
        if len > MAX_SEGMENT_BYTES {
            return None;
        }
        if let Some(hasher) = &mut hasher {
            hasher.update(&data);
        }
        parts.push(data);
    }
    Some(parts.into())
}

/// Fetches a segment over plain HTTP, which is what storage on the same machine speaks. `None` when that fails.
async fn fetch(uri: &Parts, hasher: Option<&mut Keccak256>) -> Option<Parts> {
    if uri.len() > MAX_URI {
        return None;
    }
    let uri: Vec<u8> = uri.iter().flatten().copied().collect();
    let uri = Uri::try_from(uri).ok()?;
    if uri.scheme_str() != Some("http") {
        return None;
    }
    let authority = uri.authority()?.clone();
    let address = (authority.host(), authority.port_u16().unwrap_or(80));
    let stream = TcpStream::connect(address).await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .ok()?;
    let request = Request::get(uri.path_and_query().map_or("/", |path| path.as_str()))
        .header(http::header::HOST, authority.as_str())
        .body(Empty::<Bytes>::new())
        .ok()?;
    let download = async {
        let answer = sender.send_request(request).await.ok()?;
        match answer.status() {
            StatusCode::OK => read(answer.into_body(), hasher).await,
            _ => None,
        }
    };
    // The connection ends with the download, not before.
    tokio::pin!(connection);
    tokio::pin!(download);
    tokio::select! {
        biased;
        data = &mut download => data,
        _ = &mut connection => download.await,
    }
}

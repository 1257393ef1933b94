//! One gRPC call on one HTTP/2 connection.
//!
//! # Why not tonic's client
//!
//! A unary call is one frame each way and a status. tonic's client folds three different things into its `Status`: what
//! the server said, what the transport met and what could not be decoded; a caller that must tell a refusal from a broken
//! connection would have to read its texts. And it panics when a server's `grpc-status-details-bin` is not base64, which
//! a hostile orchestrator may send.

use bytes::{BufMut as _, Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TE};
use http::{Method, Request, Response, StatusCode, Uri, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use pointsman_wire::limits::MAX_GRPC_BYTES;
use pointsman_wire::rejection::Rejection;
use prost::Message;

use crate::error::{RpcError, causes, is_garbage};

const GRPC: &str = "application/grpc";
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
/// Compression flag and length before each message.
const PREFIX: usize = 5;

/// Sends `request` to `uri`, whose path names the method, and decodes the answer.
pub(crate) async fn unary<Q: Message, A: Message + Default>(
    mut sender: SendRequest<Full<Bytes>>,
    uri: Uri,
    request: &Q,
    timeout_ms: u128,
) -> Result<A, RpcError> {
    let request = build(uri, request, timeout_ms);
    sender.ready().await.map_err(|error| broken(&error))?;
    let response = sender.send_request(request).await;
    read(response.map_err(|error| broken(&error))?).await
}

fn build<Q: Message>(uri: Uri, message: &Q, timeout_ms: u128) -> Request<Full<Bytes>> {
    let length = message.encoded_len();
    let mut frame = BytesMut::with_capacity(PREFIX + length);
    frame.put_u8(0);
    frame.put_u32(u32::try_from(length).expect("a request is far below 4 GiB"));
    message.encode(&mut frame).expect("the buffer grows");

    let mut request = Request::new(Full::new(frame.freeze()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    *request.version_mut() = Version::HTTP_2;
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(GRPC));
    headers.insert(TE, HeaderValue::from_static("trailers"));
    // Eight digits at most.
    let timeout = format!("{}m", timeout_ms.min(99_999_999));
    let timeout = HeaderValue::try_from(timeout).expect("digits and a letter");
    headers.insert(TIMEOUT, timeout);
    request
}

async fn read<A: Message + Default>(response: Response<Incoming>) -> Result<A, RpcError> {
    let (head, mut body) = response.into_parts();
    if head.status != StatusCode::OK {
        return Err(RpcError::Garbage(format!("HTTP status {}", head.status)));
    }
    let kind = head.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    if !kind.is_some_and(|kind| kind.starts_with(GRPC.as_bytes())) {
        return Err(RpcError::Garbage("another content type".to_owned()));
    }
    // Without a body the status is among the headers.
    let mut verdict = verdict(&head.headers)?;
    let mut data = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken(&error))?;
        match frame.into_data() {
            Ok(more) if data.len() + more.len() > PREFIX + MAX_GRPC_BYTES => {
                return Err(RpcError::TooLarge(MAX_GRPC_BYTES));
            }
            Ok(more) => data.extend_from_slice(&more),
            Err(frame) => {
                let trailers = frame.into_trailers().unwrap_or_default();
                verdict = self::verdict(&trailers)?.or(verdict);
            }
        }
    }
    match verdict {
        Some(()) => decode(&data),
        None => Err(RpcError::Garbage("no grpc-status".to_owned())),
    }
}

/// Nothing where these headers carry no status.
fn verdict(headers: &HeaderMap) -> Result<Option<()>, RpcError> {
    let Some(status) = headers.get(STATUS) else {
        return Ok(None);
    };
    let code = status.to_str().ok().and_then(|code| code.parse().ok());
    match code {
        Some(0) => Ok(Some(())),
        Some(code) => {
            let message = headers.get(MESSAGE).map_or(&b""[..], HeaderValue::as_bytes);
            Err(Rejection::grpc(code, &percent_decode(message)).into())
        }
        None => Err(RpcError::Garbage("grpc-status is no number".to_owned())),
    }
}

fn decode<A: Message + Default>(data: &[u8]) -> Result<A, RpcError> {
    let garbage = |what: &str| RpcError::Garbage(what.to_owned());
    let (prefix, message) = data
        .split_at_checked(PREFIX)
        .ok_or_else(|| garbage("no message"))?;
    let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]);
    if length as usize > MAX_GRPC_BYTES {
        return Err(RpcError::TooLarge(MAX_GRPC_BYTES));
    }
    if prefix[0] != 0 {
        return Err(garbage("compressed without being asked to"));
    }
    if length as usize != message.len() {
        return Err(garbage("not exactly one message"));
    }
    A::decode(message).map_err(|error| garbage(&error.to_string()))
}

/// `grpc-message` is UTF-8 with `%XX` for what a header cannot carry.
fn percent_decode(text: &[u8]) -> String {
    let digit = |byte: Option<&u8>| byte.and_then(|&byte| char::from(byte).to_digit(16));
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match (byte, digit(text.get(at + 1)), digit(text.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                bytes.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn broken(error: &hyper::Error) -> RpcError {
    let cause = causes(error);
    match is_garbage(error) {
        true => RpcError::Garbage(cause),
        false => RpcError::Reset(cause),
    }
}

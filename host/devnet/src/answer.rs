//! Answers as Go's HTTP server gives them.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::BodyExt as _;
use pointsman_wire::refusal::Refusal;

use crate::body::{Act, play};
use crate::failure::Kind;

/// What every request is answered with.
pub(crate) type Answer = Response<tonic::body::Body>;

/// No bytes that a varint can begin with: no protobuf message starts so.
const GARBAGE: &[u8] = &[0xff; 64];
const ENDLESS: &[u8] = &[0; 16 * 1024];
/// For what was sent to leave before the connection or stream is reset.
const FLUSH: Duration = Duration::from_millis(20);
const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

/// Go's `http.Error`: the text and a newline.
pub(crate) fn text(status: u16, text: &str) -> Answer {
    let body = Bytes::from(format!("{text}\n"));
    let mut answer = Response::new(play([Act::Send(body.clone())]));
    *answer.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_LENGTH, body.len().into());
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(
        HeaderName::from_static("x-content-type-options"),
        HeaderValue::from_static("nosniff"),
    );
    answer
}

/// A refusal in the same form.
pub(crate) fn refused(refusal: &Refusal) -> Answer {
    text(refusal.status, &refusal.text)
}

/// A 200 without a length: headers first, then whatever comes.
pub(crate) fn accepted(acts: Vec<Act>) -> Answer {
    Response::new(play(acts))
}

/// How a message is sent under a failure of its body.
pub(crate) fn spoilt(message: Bytes, kind: Option<&Kind>) -> Vec<Act> {
    match kind {
        Some(Kind::HangAfterHeaders) => vec![Act::Hang],
        Some(Kind::ResetMidBody) => vec![
            Act::Send(message.slice(..message.len() / 2)),
            Act::Pause(FLUSH),
            Act::Cut,
        ],
        Some(Kind::GarbageResult) => vec![Act::Send(Bytes::from_static(GARBAGE))],
        Some(Kind::SlowDrip { interval }) => vec![Act::Drip(message, *interval)],
        Some(Kind::EndlessBody) => vec![Act::Endless(Bytes::from_static(ENDLESS))],
        _ => vec![Act::Send(message)],
    }
}

/// The same for a gRPC answer that is complete.
pub(crate) async fn spoilt_grpc(answer: Answer, kind: Option<&Kind>) -> Answer {
    let Some(
        kind @ (Kind::HangAfterHeaders
        | Kind::ResetMidBody
        | Kind::GarbageResult
        | Kind::SlowDrip { .. }
        | Kind::EndlessBody),
    ) = kind
    else {
        return answer;
    };
    let message = match answer.into_body().collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => Bytes::new(),
    };
    let mut acts = match kind {
        // The frame is right, the message in it is not.
        Kind::GarbageResult => {
            let mut frame = vec![0];
            frame.extend((GARBAGE.len() as u32).to_be_bytes());
            frame.extend(GARBAGE);
            vec![Act::Send(frame.into())]
        }
        kind => spoilt(message, Some(kind)),
    };
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    acts.push(Act::Trailers(trailers));
    let mut answer = accepted(acts);
    answer.headers_mut().insert(CONTENT_TYPE, GRPC);
    answer
}

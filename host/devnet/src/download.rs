//! `GET /stream/{session}/{rendition}/{seq}.ts|.mp4`: renditions from memory.

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, CONTENT_LENGTH,
    CONTENT_TYPE,
};
use http::{HeaderValue, Response};
use percent_encoding::percent_decode_str;

use crate::answer::{self, Answer, spoilt};
use crate::body::{Parts, play};
use crate::failure::Kind;
use crate::node::Life;

/// What paths of renditions begin with.
pub(crate) const PREFIX: &str = "/stream/";

/// Answers for a rendition.
pub(crate) async fn answer(life: &Life, path: &str, kind: Option<&Kind>) -> Answer {
    life.node.delay().await;
    let mut answer = match find(life, path).filter(|_| kind != Some(&Kind::MissingRendition)) {
        Some((data, media_type)) => {
            life.node.tally.bytes_out.add(data.len());
            found(&data, media_type, kind)
        }
        None => answer::text(404, "ErrNotFound"),
    };
    let headers = answer.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Content-Length"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=5"));
    answer
}

fn find(life: &Life, path: &str) -> Option<(Parts, &'static str)> {
    let path = percent_decode_str(path.strip_prefix(PREFIX)?)
        .decode_utf8()
        .ok()?;
    let (session, rest) = path.split_once('/')?;
    let (rendition, file) = rest.rsplit_once('/')?;
    // A real orchestrator asks the machine's table of MIME types, where .ts is Qt's.
    let media_type = match file.rsplit_once('.')?.1 {
        "ts" => "text/vnd.trolltech.linguist; charset=utf-8",
        _ => "video/mp4",
    };
    let data = life.sessions.rendition(session, rendition, file)?;
    Some((data, media_type))
}

fn found(data: &Parts, media_type: &'static str, kind: Option<&Kind>) -> Answer {
    let len = data.len();
    let acts = match kind {
        None => data.acts(),
        Some(kind) => {
            let whole: Vec<u8> = data.iter().flatten().copied().collect();
            match kind {
                Kind::CorruptRendition => {
                    let scrambled: Vec<u8> = whole.iter().map(|byte| byte ^ 0x5a).collect();
                    spoilt(scrambled.into(), None)
                }
                kind => spoilt(Bytes::from(whole), Some(kind)),
            }
        }
    };
    let mut answer = Response::new(play(acts));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    // Without a length, since a longer body under a length is no longer HTTP.
    if kind != Some(&Kind::EndlessBody) {
        headers.insert(CONTENT_LENGTH, len.into());
    }
    answer
}

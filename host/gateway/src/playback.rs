//! Playback: go-livepeer's `/stream/` paths.
//!
//! | path | answer |
//! |---|---|
//! | `/stream/{name}.m3u8` | master playlist |
//! | `/stream/{name}/{rendition}.m3u8` | media playlist; `source` is a rendition |
//! | `/stream/{name}/{rendition}/{number}.ts` | segment |
//! | `/stream/current.m3u8` | master of the newest stream, where the operator allows it |
//!
//! Every answer may be read by any page: streams are public to who knows their name.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, CONTENT_TYPE,
};
use http::{HeaderValue, StatusCode};
use pointsman_media::hls::{PLAYLIST_TYPE, container, segment_type};
use pointsman_media::name::StreamName;
use pointsman_media::probe::Container;

use crate::streams::{Live, Streams};

/// What playback serves.
#[derive(Clone, Debug)]
pub struct Playback {
    /// The streams.
    pub streams: Arc<Streams>,
    /// Whether `/stream/current.m3u8` names the newest.
    pub current: bool,
}

/// Playlists change with every segment; a second is what a cache in front may save.
const PLAYLIST_CACHE: &str = "max-age=1";
/// A name that is published again begins again at number 0: go-livepeer's five seconds.
const SEGMENT_CACHE: &str = "max-age=5";

// === impl Playback ===

impl Playback {
    /// The routes.
    pub fn router(self) -> Router {
        Router::new()
            .route("/stream/{*path}", get(answer).options(preflight))
            .with_state(self)
    }

    fn find(&self, path: &str) -> Option<Response> {
        let mut parts = path.split('/');
        let (first, second, third) = (parts.next()?, parts.next(), parts.next());
        if parts.next().is_some() {
            return None;
        }
        match (second, third) {
            (None, _) => playlist(self.stream(first.strip_suffix(".m3u8")?)?.master()?),
            (Some(rendition), None) => playlist(
                self.stream(first)?
                    .playlist(rendition.strip_suffix(".m3u8")?)?,
            ),
            (Some(rendition), Some(file)) => {
                let (number, extension) = file.rsplit_once('.')?;
                // Others are not listed, so under another name it is not there.
                let listed = container(extension).filter(|&it| it == Container::MpegTs)?;
                let bytes = self
                    .stream(first)?
                    .segment(rendition, number.parse().ok()?)?;
                Some(media(bytes, segment_type(listed), SEGMENT_CACHE))
            }
        }
    }

    fn stream(&self, name: &str) -> Option<Arc<Live>> {
        if name == "current" && self.current {
            return self
                .streams
                .list()
                .into_iter()
                .max_by_key(|live| live.started());
        }
        self.streams.get(&name.parse::<StreamName>().ok()?)
    }
}

async fn answer(State(playback): State<Playback>, Path(path): Path<String>) -> Response {
    playback.find(&path).unwrap_or_else(|| {
        let message = "no such stream, rendition or segment; a stream has playlists once its first segment is there\n";
        open((StatusCode::NOT_FOUND, message).into_response())
    })
}

async fn preflight() -> Response {
    let mut response = open(StatusCode::NO_CONTENT.into_response());
    let headers = response.headers_mut();
    headers.insert(
        ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, HEAD, OPTIONS"),
    );
    headers.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("Range, Content-Type"),
    );
    response
}

fn playlist(bytes: Bytes) -> Option<Response> {
    Some(media(bytes, PLAYLIST_TYPE, PLAYLIST_CACHE))
}

fn media(bytes: Bytes, content_type: &'static str, cache: &'static str) -> Response {
    let mut response = open(bytes.into_response());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

fn open(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Content-Length"),
    );
    response
}

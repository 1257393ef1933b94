//! The page: what a gateway plays and decides, live, on the admin listener.
//!
//! # Contract
//!
//! Static files inside the binary. The page polls the admin API, read only, and plays from the playback listener; its content
//! security policy lets it reach nothing else, load nothing from elsewhere and be framed by nobody. It stands behind the same guard as the API.
//!
//! hls.js is embedded when `make setup` has brought it (`build.rs`); without it the page plays where the browser knows HLS itself.

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};

use crate::admin::ApiError;
use crate::gateway::Addresses;

const PAGE: &str = include_str!("../../assets/index.html");

/// Name, type and text of each file under `/assets/`.
const FILES: &[(&str, &str, &str)] = &[
    ("page.css", CSS, include_str!("../../assets/page.css")),
    ("parts.css", CSS, include_str!("../../assets/parts.css")),
    (
        "mark.svg",
        "image/svg+xml",
        include_str!("../../assets/mark.svg"),
    ),
    ("page.js", JS, include_str!("../../assets/page.js")),
    ("dom.js", JS, include_str!("../../assets/dom.js")),
    ("names.js", JS, include_str!("../../assets/names.js")),
    (
        "orchestrators.js",
        JS,
        include_str!("../../assets/orchestrators.js"),
    ),
    (
        "decisions.js",
        JS,
        include_str!("../../assets/decisions.js"),
    ),
    ("events.js", JS, include_str!("../../assets/events.js")),
    ("player.js", JS, include_str!("../../assets/player.js")),
    ("hls.js", JS, HLS),
];

const HLS: &str = include_str!(concat!(env!("OUT_DIR"), "/hls.js"));
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// Whether hls.js is inside this binary.
pub const HAS_HLS: bool = !HLS.is_empty();

/// The page at `/` and its files.
pub fn router<S: Clone + Send + Sync + 'static>(addresses: &Addresses) -> Router<S> {
    let policy = content_policy(addresses);
    Router::new()
        .route(
            "/",
            get(async move || file("text/html; charset=utf-8", PAGE, &policy)),
        )
        .route("/assets/{name}", get(asset))
}

async fn asset(Path(name): Path<String>) -> Response {
    match FILES.iter().find(|(known, ..)| *known == name) {
        Some((_, kind, text)) => file(kind, text, "default-src 'none'"),
        None => ApiError::not_found("the page has no such file").into_response(),
    }
}

/// What the page may do: its own files, the admin API, and playback on the ports it is served from.
fn content_policy(addresses: &Addresses) -> String {
    let mut playback = String::new();
    for address in &addresses.http {
        // Behind 0.0.0.0 the host is whatever name the visitor used.
        let host = if address.ip().is_unspecified() {
            format!("*:{}", address.port())
        } else {
            address.to_string()
        };
        playback.push_str(" http://");
        playback.push_str(&host);
    }
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'{playback}; \
         media-src blob:{playback}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

fn file(kind: &str, text: &'static str, policy: &str) -> Response {
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, policy),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    (StatusCode::OK, headers, text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_the_page_names_is_embedded() {
        let named = FILES
            .iter()
            .map(|(_, _, text)| *text)
            .chain([PAGE])
            .filter(|text| text.len() < 50_000);
        for text in named {
            for (before, after) in [("/assets/", '"'), ("from \"./", '"')] {
                for rest in text.split(before).skip(1) {
                    let name = rest.split(after).next().unwrap_or_default();
                    assert!(FILES.iter().any(|(known, ..)| *known == name), "{name}");
                }
            }
        }
    }

    #[test]
    fn the_page_reaches_playback_and_nothing_else() {
        let addresses = Addresses {
            http: vec![
                "127.0.0.1:9935".parse().unwrap(),
                "0.0.0.0:8935".parse().unwrap(),
            ],
            rtmp: None,
            admin: "127.0.0.1:5935".parse().unwrap(),
        };
        let policy = content_policy(&addresses);
        let playback = "http://127.0.0.1:9935 http://*:8935";
        assert!(
            policy.contains(&format!("connect-src 'self' {playback};")),
            "{policy}"
        );
        assert!(
            policy.contains(&format!("media-src blob: {playback};")),
            "{policy}"
        );
        assert!(
            policy.starts_with("default-src 'none';") && !policy.contains("unsafe"),
            "{policy}"
        );
    }
}

//! What players get, and when.

use http::Method;
use http::header::{
    ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_LENGTH,
    CONTENT_TYPE,
};
use reqwest::Response;

use crate::harness::{Gateway, Stage, eventually, media};

async fn ask(gateway: &Gateway, method: Method, path: &str) -> Response {
    let url = format!("{}/stream/{path}", gateway.http);
    let request = gateway.client.request(method, url);
    request.send().await.expect("an answer")
}

fn header<'r>(response: &'r Response, name: &http::HeaderName) -> &'r str {
    let value = response.headers().get(name);
    value.map_or("", |value| value.to_str().expect("text"))
}

const PATHS: [(&str, &str); 4] = [
    ("cam.m3u8", "application/vnd.apple.mpegurl"),
    ("cam/source.m3u8", "application/vnd.apple.mpegurl"),
    ("cam/P240p30fps16x9.m3u8", "application/vnd.apple.mpegurl"),
    ("cam/P240p30fps16x9/0.ts", "video/mp2t"),
];

#[tokio::test]
async fn nothing_is_there_before_the_first_segment_and_everything_after_it() {
    let stage = Stage::passthrough(1, &[]).await;
    let gateway = &stage.gateway;
    for (path, _) in PATHS {
        let response = ask(gateway, Method::GET, path).await;
        assert_eq!(response.status(), 404, "{path}");
        assert_eq!(header(&response, &ACCESS_CONTROL_ALLOW_ORIGIN), "*");
    }
    gateway.push("cam", 0).await.assert_whole();
    for (path, kind) in PATHS {
        let response = ask(gateway, Method::GET, path).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(header(&response, &CONTENT_TYPE), kind, "{path}");
        assert_eq!(header(&response, &ACCESS_CONTROL_ALLOW_ORIGIN), "*");
        assert!(header(&response, &CACHE_CONTROL).contains("max-age"));
        let body = response.bytes().await.expect("a body");

        let head = ask(gateway, Method::HEAD, path).await;
        assert_eq!(head.status(), 200, "{path}");
        assert_eq!(header(&head, &CONTENT_TYPE), kind, "{path}");
        assert_eq!(header(&head, &CONTENT_LENGTH), body.len().to_string());
        assert_eq!(head.bytes().await.expect("no body"), "");

        let options = ask(gateway, Method::OPTIONS, path).await;
        assert_eq!(options.status(), 204, "{path}");
        assert!(header(&options, &ACCESS_CONTROL_ALLOW_METHODS).contains("GET"));
        assert_eq!(header(&options, &ACCESS_CONTROL_ALLOW_ORIGIN), "*");
        assert_eq!(ask(gateway, Method::POST, path).await.status(), 405);
    }
    let segment = ask(gateway, Method::GET, "cam/source/0.ts").await;
    assert!(segment.bytes().await.expect("a body") == media::segment());
}

#[tokio::test]
async fn what_does_not_exist_is_404() {
    let stage = Stage::passthrough(1, &[]).await;
    let gateway = &stage.gateway;
    gateway.push("cam", 0).await.assert_whole();
    for path in [
        "other.m3u8",
        "cam",
        "cam/",
        "cam/P720p30fps16x9.m3u8",
        "cam/source",
        "cam/source/1.ts",
        "cam/source/0.mp4",
        "cam/source/0.exe",
        "cam/source/-1.ts",
        "cam/source/99999999999999999999999.ts",
        "cam/source/0.ts/more",
        "%2e%2e/%2e%2e/etc/passwd",
        "current.m3u8",
    ] {
        let status = ask(gateway, Method::GET, path).await.status();
        assert_eq!(status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_window_slides_and_what_left_it_is_kept_for_a_while() {
    let flags = ["--playlist-window", "3", "--playlist-keep", "5"];
    let stage = Stage::passthrough(1, &flags).await;
    let gateway = &stage.gateway;
    for sequence in 0..8 {
        gateway.push("cam", sequence).await.assert_whole();
    }
    for rendition in ["source", "P240p30fps16x9"] {
        let playlist = gateway.playlist("cam", rendition).await.expect("there");
        assert_eq!(playlist.sequence, 5, "{}", playlist.text);
        let uris: Vec<_> = playlist.segments.iter().map(|it| it.uri.clone()).collect();
        let listed = [5, 6, 7].map(|number| format!("{rendition}/{number}.ts"));
        assert_eq!(uris, listed);
        for (number, status) in [(2, 404), (3, 200), (7, 200)] {
            let path = format!("cam/{rendition}/{number}.ts");
            assert_eq!(ask(gateway, Method::GET, &path).await.status(), status);
        }
    }
}

#[tokio::test]
async fn the_newest_stream_plays_as_current_where_that_is_allowed() {
    let stage = Stage::passthrough(1, &["--current-manifest"]).await;
    let gateway = &stage.gateway;
    assert_eq!(gateway.play("current.m3u8").await.0, 404);
    for name in ["old", "new"] {
        gateway.push(name, 0).await.assert_whole();
        eventually("it is current", async || {
            let (status, master) = gateway.play("current.m3u8").await;
            status == 200 && master.contains(&format!("\n{name}/source.m3u8"))
        })
        .await;
    }
}

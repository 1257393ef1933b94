//! The discovery webhook over real sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_stream::StreamExt;
use url::Url;

use super::fake::{Fakes, uri};
use crate::directory::{Directory, Settings, Settled};
use crate::prober::Ask;
use crate::source::{PageError, Poller, Sources, Webhook, WebhookError};

/// How the webhook answers now.
#[derive(Clone, Debug)]
enum Says {
    Body(&'static str),
    Status(u16),
    Hangs,
    /// 8 MiB of nothing, without saying beforehand how much.
    TooMuch,
    /// The same, said beforehand.
    TooMuchAnnounced,
    Redirects(&'static str),
}

#[derive(Debug)]
struct Hook {
    says: Mutex<Says>,
    asked: AtomicUsize,
    url: Url,
}

async fn answer(State(hook): State<Arc<Hook>>) -> Response {
    let says = hook.says.lock().clone();
    hook.asked.fetch_add(1, Ordering::SeqCst);
    match says {
        Says::Body(body) => body.into_response(),
        Says::Status(status) => {
            let status = axum::http::StatusCode::from_u16(status).expect("a status");
            (status, "[]").into_response()
        }
        Says::Hangs => std::future::pending().await,
        Says::TooMuch => {
            let chunk = || Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 65_536]));
            let chunks = tokio_stream::iter(std::iter::repeat_with(chunk));
            Body::from_stream(chunks.take(128)).into_response()
        }
        Says::TooMuchAnnounced => vec![b' '; 8 << 20].into_response(),
        Says::Redirects(target) => Redirect::temporary(target).into_response(),
    }
}

impl Hook {
    async fn serving(says: Says) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let hook = Arc::new(Self {
            says: Mutex::new(says),
            asked: AtomicUsize::new(0),
            url: format!("http://{address}/discover").parse().expect("a URL"),
        });
        let moved = || async { r#"[{"address":"https://moved:8935"}]"# };
        let router = Router::new()
            .route("/discover", get(answer))
            .route("/moved", get(moved))
            .with_state(Arc::clone(&hook));
        tokio::spawn(async move { axum::serve(listener, router).await });
        hook
    }

    /// Waits until it is asked a third time from now: by then the directory has taken in an answer that began after now.
    async fn asked_again(&self) {
        let before = self.asked.load(Ordering::SeqCst);
        while self.asked.load(Ordering::SeqCst) < before + 3 {
            sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn directory(hook: &Hook, timeout: Duration) -> Directory {
    let settings = Settings {
        sources: Sources {
            list: vec![uri("listed")],
            webhook: Some(Webhook {
                interval: Duration::from_millis(10),
                timeout,
                ..Webhook::new(hook.url.clone())
            }),
            ..Sources::default()
        },
        ..Settings::default()
    };
    let fakes = Fakes::answering(&["listed", "a", "b"]);
    Directory::start(settings, fakes as Arc<dyn Ask>)
        .await
        .expect("it starts")
}

async fn settled(directory: &Directory) -> Settled {
    directory.settled(Duration::from_secs(60)).await
}

fn known(directory: &Directory) -> Vec<String> {
    let list = directory.list();
    list.iter()
        .map(|summary| summary.uri.host().to_owned())
        .collect()
}

/// Waits until exactly these are known.
async fn becomes(directory: &Directory, names: &[&str]) {
    while known(directory) != names {
        sleep(Duration::from_millis(5)).await;
    }
}

const A: &str = r#"[{"address":"https://a:8935","score":1.0,"region":"fra"}]"#;
const A_AND_B: &str =
    r#"[{"address":"https://a:8935"},{"address":"https://b:8935"},{"address":"b"}]"#;
const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_first_list_is_waited_for_and_later_ones_are_followed() {
    let hook = Hook::serving(Says::Body(A)).await;
    let directory = directory(&hook, LONG).await;
    let settled = settled(&directory).await;
    assert!(settled.is_settled() && settled.usable == 2, "{settled:?}");
    assert_eq!(directory.list()[0].listing.region.as_deref(), Some("fra"));
    *hook.says.lock() = Says::Body(A_AND_B);
    becomes(&directory, &["a", "b", "listed"]).await;
    *hook.says.lock() = Says::Body("[]");
    becomes(&directory, &["listed"]).await;
}

#[tokio::test]
async fn through_every_error_the_last_good_list_stays() {
    let hook = Hook::serving(Says::Body(A)).await;
    let directory = directory(&hook, Duration::from_millis(200)).await;
    // On a slow machine the first question may have been in vain.
    becomes(&directory, &["a", "listed"]).await;
    for says in [
        Says::Status(500),
        Says::Status(404),
        Says::Body("<html>"),
        Says::Body(r#"{"address":"https://b:8935"}"#),
        Says::TooMuch,
        Says::Hangs,
        Says::Redirects("/discover"),
    ] {
        *hook.says.lock() = says.clone();
        hook.asked_again().await;
        assert_eq!(known(&directory), ["a", "listed"], "{says:?}");
    }
    *hook.says.lock() = Says::Body(A_AND_B);
    becomes(&directory, &["a", "b", "listed"]).await;
}

#[tokio::test]
async fn more_than_is_taken_is_not_read_to_its_end() {
    for says in [Says::TooMuch, Says::TooMuchAnnounced] {
        let hook = Hook::serving(says).await;
        let webhook = Webhook {
            timeout: LONG,
            ..Webhook::new(hook.url.clone())
        };
        let fetched = Poller::new(webhook).expect("a client").fetch().await;
        assert!(
            matches!(fetched, Err(WebhookError::Page(PageError::TooLong))),
            "{fetched:?}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_followed() {
    let hook = Hook::serving(Says::Redirects("/moved")).await;
    let directory = directory(&hook, LONG).await;
    settled(&directory).await;
    assert_eq!(known(&directory), ["listed", "moved"]);
}

#[tokio::test]
async fn an_unchanged_body_changes_nothing() {
    let hook = Hook::serving(Says::Body(A)).await;
    let directory = directory(&hook, LONG).await;
    settled(&directory).await;
    let before = directory.snapshot().number();
    hook.asked_again().await;
    assert_eq!(directory.snapshot().number(), before);
}

#[tokio::test]
async fn a_webhook_that_never_answers_does_not_hold_up_the_start() {
    let hook = Hook::serving(Says::Hangs).await;
    let directory = directory(&hook, Duration::from_millis(200)).await;
    let settled = settled(&directory).await;
    assert!(settled.is_settled(), "{settled:?}");
    assert_eq!(known(&directory), ["listed"]);
}

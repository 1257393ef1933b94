//! An application's auth webhook.

use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A webhook that answers by rule and remembers what it was asked.
pub(crate) struct Webhook {
    /// What `--auth-webhook-url` is given.
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<String>>>,
    server: JoinHandle<()>,
}

/// What the webhook answers.
pub(crate) enum Answer {
    /// This status and body.
    Say(u16, String),
    /// Nothing, ever.
    Hang,
}

// === impl Webhook ===

impl Webhook {
    /// Starts one; `rule` sees the body of each question.
    pub(crate) async fn start(
        rule: impl Fn(&str) -> Answer + Clone + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/auth", listener.local_addr().expect("bound"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = asked.clone();
        let answer = move |question: String| {
            let answer = rule(&question);
            heard.lock().push(question);
            async move {
                match answer {
                    Answer::Say(status, body) => {
                        (http::StatusCode::from_u16(status).expect("a status"), body)
                    }
                    Answer::Hang => std::future::pending().await,
                }
            }
        };
        let router = Router::new().route("/auth", post(answer));
        let server =
            tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { url, asked, server }
    }

    /// What it was asked so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().clone()
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.server.abort();
    }
}

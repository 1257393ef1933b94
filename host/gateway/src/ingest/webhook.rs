//! The auth webhook: may this stream be published, and on which terms?

use std::time::Duration;

use serde_json::json;
use url::Url;

use super::terms::{Terms, TermsError};

/// Largest answer that is read, in bytes.
const MAX_ANSWER: usize = 1 << 20;

/// Asks an application's webhook about each new stream. Without a URL everything is allowed.
#[derive(Clone, Debug)]
pub struct Webhook {
    client: reqwest::Client,
    url: Option<Url>,
}

/// Why a stream is not let in.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// The webhook said no.
    #[error("the auth webhook refused the stream with status {0}")]
    Refused(u16),
    /// The webhook could not be asked.
    #[error("the auth webhook did not answer: {0}")]
    Unreachable(&'static str),
    /// Its answer cannot be met.
    #[error("the auth webhook's answer cannot be met: {0}")]
    Terms(#[from] TermsError),
}

// === impl Webhook ===

impl Webhook {
    /// A webhook that gets `timeout` for each answer. go-livepeer's client has no limit: a webhook that hangs there holds every new
    /// stream for ever.
    ///
    /// # Errors
    ///
    /// When no HTTP client can be made.
    pub fn new(url: Option<Url>, timeout: Duration) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::limited(3))
            .build()?;
        Ok(Self { client, url })
    }

    /// Asks about the stream that is published under `published`, the full ingest URL.
    ///
    /// # Errors
    ///
    /// [`Denied`]; a webhook that cannot be asked denies.
    pub async fn ask(&self, published: &str) -> Result<Terms, Denied> {
        let Some(url) = &self.url else {
            return Ok(Terms::default());
        };
        let question = json!({ "url": published });
        let mut response = self
            .client
            .post(url.clone())
            .json(&question)
            .send()
            .await
            .map_err(|error| unreachable(&error))?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(Denied::Refused(status));
        }
        let mut answer = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| unreachable(&error))?
        {
            if answer.len() + chunk.len() > MAX_ANSWER {
                return Err(Denied::Unreachable("its answer is over 1 MiB"));
            }
            answer.extend_from_slice(&chunk);
        }
        Ok(Terms::from_webhook(&answer)?)
    }
}

/// The kind of error only: the URL in the client's own message may carry a secret.
fn unreachable(error: &reqwest::Error) -> Denied {
    Denied::Unreachable(if error.is_timeout() {
        "it took too long"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the exchange broke off"
    })
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::post;
    use tokio::net::TcpListener;

    use super::*;

    async fn webhook(router: Router, timeout: Duration) -> Webhook {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/auth", listener.local_addr().expect("bound"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        crate::tls::install();
        Webhook::new(Some(url.parse().expect("a URL")), timeout).expect("a client")
    }

    #[tokio::test]
    async fn the_question_is_the_ingest_url_and_the_answer_the_terms() {
        let answer = |body: String| async move {
            assert_eq!(body, r#"{"url":"rtmp://h/live/a?token=1"}"#);
            r#"{"manifestID":"renamed"}"#
        };
        let webhook = webhook(
            Router::new().route("/auth", post(answer)),
            Duration::from_secs(20),
        )
        .await;
        let terms = webhook
            .ask("rtmp://h/live/a?token=1")
            .await
            .expect("allowed");
        assert_eq!(terms.name.expect("named").as_str(), "renamed");
    }

    #[tokio::test]
    async fn anything_but_200_denies_and_so_does_silence() {
        let refuse = Router::new().route("/auth", post(|| async { http::StatusCode::NO_CONTENT }));
        let denied = webhook(refuse, Duration::from_secs(20))
            .await
            .ask("rtmp://h/a")
            .await;
        assert!(matches!(denied, Err(Denied::Refused(204))), "{denied:?}");

        let hang = Router::new().route("/auth", post(std::future::pending::<()>));
        let denied = webhook(hang, Duration::from_millis(50))
            .await
            .ask("rtmp://h/a")
            .await;
        assert!(matches!(denied, Err(Denied::Unreachable(_))), "{denied:?}");
    }
}

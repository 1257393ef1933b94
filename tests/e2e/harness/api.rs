//! What the admin API says.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Gateway, eventually};

/// A decision, as far as tests look.
#[derive(Debug, Deserialize)]
pub(crate) struct Decision {
    pub(crate) job: String,
    pub(crate) excluded: Vec<Value>,
    pub(crate) fault: Option<Value>,
    attempts: Vec<Attempt>,
}

#[derive(Debug, Deserialize)]
struct Attempt {
    candidate: String,
    started_ms: u64,
    hedge: bool,
    failure: Option<Failure>,
}

#[derive(Debug, Deserialize)]
struct Failure {
    blame: String,
    kind: String,
}

/// An orchestrator, as far as tests look.
#[derive(Debug, Deserialize)]
pub(crate) struct Known {
    pub(crate) id: String,
    pub(crate) uri: String,
    pub(crate) usable: bool,
    pub(crate) unusable: Option<String>,
    pub(crate) rest_ms: u64,
    pub(crate) price: Option<String>,
}

/// A stream, as far as tests look.
#[derive(Debug, Deserialize)]
pub(crate) struct StreamSummary {
    pub(crate) name: String,
    pub(crate) renditions: Vec<String>,
    pub(crate) segments: u64,
    pub(crate) transcoded: u64,
    pub(crate) failed: u64,
    pub(crate) listed: u64,
    pub(crate) gaps: u64,
}

/// An attempt: on whom, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tried {
    pub(crate) uri: String,
    pub(crate) hedge: bool,
    /// `ok`, or blame and kind: `network/reset`.
    pub(crate) outcome: String,
}

// === impl Gateway ===

impl Gateway {
    /// Text under a path of the admin API, with its status.
    pub(crate) async fn admin(&self, path: &str) -> (u16, String) {
        let response = self
            .client
            .get(format!("{}{path}", self.admin))
            .send()
            .await
            .expect("an answer");
        (
            response.status().as_u16(),
            response.text().await.expect("text"),
        )
    }

    async fn list<T: DeserializeOwned>(&self, path: &str, key: &str) -> Vec<T> {
        let (status, text) = self.admin(path).await;
        assert_eq!(status, 200, "{path}: {text}");
        let mut whole: Value = serde_json::from_str(&text).expect("JSON");
        serde_json::from_value(whole[key].take()).expect("as documented")
    }

    /// The decisions about `job`, a stream or one of its segments; newest first.
    pub(crate) async fn decisions(&self, job: &str) -> Vec<Decision> {
        self.list(
            &format!("/api/v1/decisions?limit=1000&job={job}"),
            "decisions",
        )
        .await
    }

    pub(crate) async fn orchestrators(&self) -> Vec<Known> {
        self.list("/api/v1/orchestrators", "orchestrators").await
    }

    pub(crate) async fn streams(&self) -> Vec<StreamSummary> {
        self.list("/api/v1/streams", "streams").await
    }

    /// The one stream there is.
    pub(crate) async fn stream(&self) -> StreamSummary {
        let mut streams = self.streams().await;
        assert_eq!(streams.len(), 1, "{streams:?}");
        streams.remove(0)
    }

    /// Every attempt of the latest decision about `job`, in order. The policy itself must have been well.
    pub(crate) async fn tried(&self, job: &str) -> Vec<Tried> {
        let decision = self
            .decisions(job)
            .await
            .into_iter()
            .next()
            .expect("a decision");
        assert_eq!(decision.fault, None, "{}", decision.job);
        let known = self.orchestrators().await;
        let tried = |attempt: Attempt| Tried {
            uri: known
                .iter()
                .find(|one| one.id == attempt.candidate)
                .expect("known")
                .uri
                .clone(),
            hedge: attempt.hedge,
            outcome: match attempt.failure {
                None => "ok".to_owned(),
                Some(Failure { blame, kind }) => format!("{blame}/{kind}"),
            },
        };
        decision.attempts.into_iter().map(tried).collect()
    }

    /// How long after the first attempt each of [`tried`](Self::tried) was sent, in ms.
    pub(crate) async fn sent_after(&self, job: &str) -> Vec<u64> {
        let decision = self.decisions(job).await.remove(0);
        let first = decision
            .attempts
            .first()
            .map_or(0, |first| first.started_ms);
        let after = |attempt: &Attempt| attempt.started_ms - first;
        decision.attempts.iter().map(after).collect()
    }

    /// Waits until `count` orchestrators are usable.
    pub(crate) async fn usable(&self, count: usize) {
        eventually("all orchestrators answer", async || {
            self.orchestrators()
                .await
                .iter()
                .filter(|one| one.usable)
                .count()
                == count
        })
        .await;
    }

    /// A playlist or segment under `/stream/`, with its status.
    pub(crate) async fn play(&self, path: &str) -> (u16, String) {
        let response = self
            .client
            .get(format!("{}/stream/{path}", self.http))
            .send()
            .await
            .expect("an answer");
        let status = response.status().as_u16();
        let bytes = response.bytes().await.expect("a body");
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }
}

// === impl Tried ===

impl Tried {
    /// An attempt that was no hedge.
    pub(crate) fn new(uri: &str, outcome: &str) -> Self {
        Self {
            uri: uri.to_owned(),
            hedge: false,
            outcome: outcome.to_owned(),
        }
    }
}

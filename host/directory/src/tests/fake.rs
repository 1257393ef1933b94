//! Orchestrators that exist only in memory.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use pointsman_facts::{Blame, Failure, FailureKind, Symbol};
use pointsman_transport::Answer;
use pointsman_wire::capabilities::{advertisement, orchestrator_default};
use pointsman_wire::net::{
    AuthToken, Capabilities, OrchestratorInfo, OrchestratorRequest, PriceInfo,
};
use pointsman_wire::uri::ServiceUri;
use tokio::time::{Instant, sleep};

use crate::clock::Clock;
use crate::directory::{Directory, Settings};
use crate::prober::{Ask, Asking};
use crate::source::{Sources, identity};

/// When every test begins, unix ms.
pub(super) const NOW_MS: u64 = 1_700_000_000_000;

/// What an orchestrator does when it is asked.
#[derive(Clone, Debug)]
pub(super) enum Does {
    Answers(Box<OrchestratorInfo>),
    Refuses,
    IsFull,
    Hangs,
}

/// Everyone, by URI; those not named refuse.
#[derive(Debug, Default)]
pub(super) struct Fakes(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    does: HashMap<ServiceUri, Does>,
    takes: Duration,
    asked: Vec<(ServiceUri, Instant)>,
    running: usize,
    most_running: usize,
}

/// Counts a question as under way until dropped.
struct UnderWay<'a>(&'a Fakes);

pub(super) fn answers(info: OrchestratorInfo) -> Does {
    Does::Answers(Box::new(info))
}

pub(super) fn uri(name: &str) -> ServiceUri {
    format!("https://{name}:8935")
        .parse()
        .expect("a service URI")
}

pub(super) fn id(name: &str) -> Symbol {
    identity(&uri(name))
}

pub(super) fn capabilities() -> Capabilities {
    advertisement(&orchestrator_default(), "0.9.1")
}

/// A plain offer at `price` wei per pixel.
pub(super) fn offer(name: &str, price: i64) -> OrchestratorInfo {
    OrchestratorInfo {
        transcoder: uri(name).as_str().to_owned(),
        price_info: Some(PriceInfo {
            price_per_unit: price,
            pixels_per_unit: 1,
            ..Default::default()
        }),
        capabilities: Some(capabilities()),
        auth_token: Some(AuthToken {
            token: b"token".to_vec(),
            session_id: "deadbeef".into(),
            expiration: (NOW_MS / 1000 + 1800).cast_signed(),
        }),
        ..Default::default()
    }
}

/// A directory in memory that knows `names`.
pub(super) async fn directory(fakes: &Arc<Fakes>, names: &[&str]) -> Directory {
    start(fakes, names, Settings::default()).await
}

/// A directory that starts at [`NOW_MS`] and knows `names`.
pub(super) async fn start(fakes: &Arc<Fakes>, names: &[&str], settings: Settings) -> Directory {
    let settings = Settings {
        sources: Sources {
            list: names.iter().map(|name| uri(name)).collect(),
            ..settings.sources
        },
        clock: Clock::starting_at(NOW_MS),
        seed: 7,
        ..settings
    };
    Directory::start(settings, Arc::clone(fakes) as Arc<dyn Ask>)
        .await
        .expect("it starts")
}

// === impl Fakes ===

impl Fakes {
    /// Those named answer with a plain offer.
    pub(super) fn answering(names: &[&str]) -> Arc<Self> {
        let fakes = Arc::new(Self::default());
        for name in names {
            fakes.set(name, answers(offer(name, 1)));
        }
        fakes
    }

    pub(super) fn set(&self, name: &str, does: Does) {
        self.0.lock().does.insert(uri(name), does);
    }

    /// Every answer takes so long.
    pub(super) fn take(&self, time: Duration) {
        self.0.lock().takes = time;
    }

    /// When `name` was asked.
    pub(super) fn asked(&self, name: &str) -> Vec<Instant> {
        let uri = uri(name);
        let state = self.0.lock();
        let of = state.asked.iter().filter(|(asked, _)| *asked == uri);
        of.map(|&(_, at)| at).collect()
    }

    /// The pauses between the questions to `name`, in seconds.
    pub(super) fn gaps(&self, name: &str) -> Vec<f64> {
        let asked = self.asked(name);
        let gap = |pair: &[Instant]| (pair[1] - pair[0]).as_secs_f64();
        asked.windows(2).map(gap).collect()
    }

    /// Questions under way now, and the most there ever were.
    pub(super) fn running(&self) -> (usize, usize) {
        let state = self.0.lock();
        (state.running, state.most_running)
    }

    async fn answer(&self, uri: &ServiceUri) -> Result<Answer, Failure> {
        let (does, takes) = {
            let mut state = self.0.lock();
            state.asked.push((uri.clone(), Instant::now()));
            state.running += 1;
            state.most_running = state.most_running.max(state.running);
            (state.does.get(uri).cloned(), state.takes)
        };
        let _under_way = UnderWay(self);
        sleep(takes).await;
        match does.unwrap_or(Does::Refuses) {
            Does::Answers(info) => Ok(Answer {
                info: *info,
                connect: None,
                rpc: takes,
            }),
            Does::Refuses => Err(Failure::new(
                Blame::Network,
                FailureKind::Connect,
                "connection refused",
            )),
            Does::IsFull => Err(Failure::new(
                Blame::Orchestrator,
                FailureKind::Capped,
                "OrchestratorCapped",
            )),
            Does::Hangs => std::future::pending().await,
        }
    }
}

impl Ask for Fakes {
    fn ask<'a>(
        &'a self,
        uri: &'a ServiceUri,
        request: &'a OrchestratorRequest,
        _: Duration,
    ) -> Asking<'a> {
        assert_eq!(
            request.capabilities, None,
            "the question is about everything"
        );
        Box::pin(self.answer(uri))
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.0.lock().running -= 1;
    }
}

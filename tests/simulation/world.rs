//! A gateway's insides in paused time: the real directory, the real default bundle and the real dispatch; only the orchestrators are made up.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use pointsman_directory::{Ask, Asking, Clock, Directory, Orchestrator, Sources};
use pointsman_dispatch::{
    Allowance, Deadlines, Delivered, Dispatcher, Exchange, Request, Sessions, Settings, Stopped,
};
use pointsman_facts::{Failure, Symbol, Workload};
use pointsman_native::Native;
use pointsman_policy::bundle::MAX_COMPONENT;
use pointsman_policy::{Bundle, Config, Host, Limits};
use pointsman_transport::Answer;
use pointsman_wire::ServiceUri;
use pointsman_wire::capabilities::{advertisement, orchestrator_default};
use pointsman_wire::net::{AuthToken, Capabilities, OrchestratorInfo, OrchestratorRequest};
use tokio::time::sleep;

/// What an orchestrator does with a segment.
#[derive(Clone, Debug)]
pub(crate) enum Does {
    /// Answers well after so long.
    Answer(Duration),
    /// Fails after so long.
    Fail(Duration, Failure),
    /// Never says anything.
    Hang,
}

/// Everything between a job and made-up orchestrators.
pub(crate) struct World {
    pub(crate) dispatcher: Dispatcher,
    pub(crate) sessions: Sessions<Session>,
    network: Arc<Network>,
}

/// Made-up orchestrators: what each does next, and what it was asked.
#[derive(Default)]
pub(crate) struct Network(Mutex<State>);

#[derive(Default)]
struct State {
    does: HashMap<String, Vec<Does>>,
    segments: HashMap<String, u32>,
    sessions: HashMap<String, u32>,
}

pub(crate) struct Session(String);

/// Length of every segment.
pub(crate) const SEGMENT: Duration = Duration::from_secs(2);

// === impl World ===

impl World {
    /// A gateway that knows `names`, each of which answers after 300 ms.
    pub(crate) async fn of(names: &[&str]) -> Self {
        Self::with(names, Settings::default()).await
    }

    pub(crate) async fn with(names: &[&str], settings: Settings) -> Self {
        Self::under(policy(), names, settings).await
    }

    /// The same under other policies.
    pub(crate) async fn under(policy: Host, names: &[&str], settings: Settings) -> Self {
        let network = Arc::new(Network::default());
        let directory = pointsman_directory::Settings {
            sources: Sources {
                list: names.iter().map(|name| uri(name)).collect(),
                ..Sources::default()
            },
            clock: Clock::starting_at(1_700_000_000_000),
            seed: 1,
            ..pointsman_directory::Settings::default()
        };
        let directory = Directory::start(directory, network.clone())
            .await
            .expect("a directory");
        directory.settled(Duration::from_secs(1)).await;
        directory.publish();
        Self {
            dispatcher: Dispatcher::new(directory, policy, settings),
            sessions: Sessions::new(),
            network,
        }
    }

    /// From now on `name` does this, the last one for ever.
    pub(crate) fn set(&self, name: &str, does: impl IntoIterator<Item = Does>) {
        let mut does: Vec<_> = does.into_iter().collect();
        does.reverse();
        self.network
            .0
            .lock()
            .does
            .insert(uri(name).to_string(), does);
    }

    /// Segments that reached `name`.
    pub(crate) fn segments(&self, name: &str) -> u32 {
        *self
            .network
            .0
            .lock()
            .segments
            .entry(uri(name).to_string())
            .or_default()
    }

    /// Sessions that `name` was asked for.
    pub(crate) fn sessions(&self, name: &str) -> u32 {
        *self
            .network
            .0
            .lock()
            .sessions
            .entry(uri(name).to_string())
            .or_default()
    }

    /// One segment of the stream.
    pub(crate) async fn segment(&self, sequence: u64) -> Result<Delivered<String>, Stopped> {
        let request = Request {
            id: format!("stream/{sequence}"),
            workload: Workload::Transcode,
            capability: Symbol::of("transcode"),
            model: Symbol::UNKNOWN,
            affinity: 1,
            required: Arc::new(Capabilities::default()),
            segment: Some(SEGMENT),
            sequence: Some(sequence),
            units: 0,
            deadlines: Deadlines::live(SEGMENT),
            max_price: None,
            hints: Arc::default(),
        };
        self.dispatcher
            .exchange(&request, &self.sessions, &*self.network)
            .await
    }
}

/// The URI that belongs to a name.
pub(crate) fn uri(name: &str) -> ServiceUri {
    ServiceUri::from_static(&format!("{name}.test")).expect("a URI")
}

fn policy() -> Host {
    let twin = Arc::new(Native::new(pointsman_default_bundle::stage));
    // Time stands still for everything but the policies' clock, and a busy machine's must not decide.
    let limits = Limits {
        ticks: NonZeroU32::new(100_000).expect("above zero"),
        ..Limits::default()
    };
    let config = Config {
        limits,
        ..Config::default()
    };
    let host = Host::new(config, Some(twin)).expect("an engine");
    let files = pointsman_default_bundle::bundle()
        .iter()
        .map(|&(name, bytes)| (name.to_owned(), bytes.to_vec()));
    let bundle = Bundle::from_files(files, MAX_COMPONENT).expect("the default bundle");
    host.activate(host.load(&bundle).expect("it loads"), "embedded");
    host
}

// === impl Network ===

impl Ask for Network {
    fn ask<'a>(
        &'a self,
        uri: &'a ServiceUri,
        _: &'a OrchestratorRequest,
        _: Duration,
    ) -> Asking<'a> {
        Box::pin(async move {
            Ok(Answer {
                info: OrchestratorInfo {
                    transcoder: uri.to_string(),
                    capabilities: Some(advertisement(&orchestrator_default(), "0.9.1")),
                    auth_token: Some(AuthToken {
                        token: vec![1],
                        session_id: "1".to_owned(),
                        expiration: 2_000_000_000,
                    }),
                    ..OrchestratorInfo::default()
                },
                connect: None,
                rpc: Duration::ZERO,
            })
        })
    }
}

impl Exchange for Network {
    type Session = Session;
    type Output = String;

    async fn open(&self, orchestrator: &Arc<Orchestrator>) -> Result<Session, Failure> {
        let name = orchestrator.uri.to_string();
        *self.0.lock().sessions.entry(name.clone()).or_default() += 1;
        Ok(Session(name))
    }

    fn expired(&self, _: &Session) -> bool {
        false
    }

    async fn attempt(&self, session: &Session, _: Allowance) -> Result<String, Failure> {
        let does = {
            let mut state = self.0.lock();
            *state.segments.entry(session.0.clone()).or_default() += 1;
            let left = state.does.entry(session.0.clone()).or_default();
            let next = if left.len() > 1 {
                left.pop()
            } else {
                left.last().cloned()
            };
            next.unwrap_or(Does::Answer(Duration::from_millis(300)))
        };
        match does {
            Does::Answer(after) => {
                sleep(after).await;
                Ok(session.0.clone())
            }
            Does::Fail(after, failure) => {
                sleep(after).await;
                Err(failure)
            }
            Does::Hang => std::future::pending().await,
        }
    }
}

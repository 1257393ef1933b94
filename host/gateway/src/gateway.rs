//! The running gateway: everything wired together, from settings to listeners.

use std::fmt::Write as _;
use std::future::IntoFuture;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Body;
use axum::routing::{any, get};
use axum::serve::ListenerExt;
use pointsman_directory::Directory;
use pointsman_dispatch::Dispatcher;
use pointsman_media::segmenter;
use pointsman_payments::purse::Purse;
use pointsman_recording::Recorder;
use pointsman_transport::Connections;
use pointsman_workloads::transcode::Transcoder;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::admin::{Admin, AdminState};
use crate::config::Settings;
use crate::ingest::push::Push;
use crate::ingest::renditions::Renditions;
use crate::ingest::rtmp::{self, Rtmp};
use crate::ingest::webhook::Webhook;
use crate::money::Money;
use crate::playback::Playback;
use crate::policies::Policies;
use crate::sources;
use crate::streams::{self, PlaylistSettings, Streams};

/// A gateway that listens.
#[derive(Debug)]
pub struct Gateway {
    addresses: Addresses,
    directory: Directory,
    /// The network whose registered orchestrators are taken, if so.
    registry: Option<String>,
    policies: Arc<Policies>,
    streams: Arc<Streams>,
    money: Option<Money>,
    recorder: Option<Arc<Recorder>>,
    tasks: JoinSet<()>,
    stops: Stops,
}

/// Where it listens.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Addresses {
    /// Push and playback.
    pub http: Vec<SocketAddr>,
    /// RTMP, where it is on.
    pub rtmp: Option<SocketAddr>,
    /// Admin API.
    pub admin: SocketAddr,
}

#[derive(Clone, Debug, Default)]
struct Stops {
    /// Nothing new comes in.
    drain: CancellationToken,
    /// Everything ends.
    stop: CancellationToken,
}

/// How long the start waits for orchestrators to answer: what has not by then is found later.
const SETTLE: Duration = Duration::from_secs(3);
/// A pushed stream without a segment for longer is over.
const PUSH_IDLE: Duration = Duration::from_secs(60);
/// How often idle streams are looked for.
const SWEEP: Duration = Duration::from_secs(5);

// === impl Gateway ===

impl Gateway {
    /// Starts everything. When this returns, the addresses answer.
    ///
    /// # Errors
    ///
    /// What cannot be had: a port, the data directory, the policy bundle, the key and the ledger where something is to be paid.
    pub async fn start(settings: Settings) -> Result<Self> {
        crate::tls::install();
        let admin = Admin::prepare(&settings)?;
        let metrics = crate::metrics::install()?;
        let listeners = Listeners::bind(&settings).await?;
        let connections = Connections::default();
        let money = Money::open(&settings).await?;
        let purse = match &money {
            Some(money) => money.purse().clone(),
            None => Purse::off_chain(),
        };
        let directory = sources::directory(&settings, &connections, money.as_ref()).await?;
        let policies = Policies::start(&settings).await?;
        let recorder = crate::recording::start(&settings)?;
        if let Some(recorder) = &recorder {
            policies.host().observe(recorder.clone());
        }
        let dispatcher = Arc::new(Dispatcher::new(
            directory.clone(),
            policies.host().clone(),
            dispatch(&settings),
        ));
        let spending = dispatcher.spending().clone();
        let prices = crate::money::max_prices(settings.prices.ceilings.clone(), money.as_ref());
        let transcoder = Arc::new(Transcoder::new(
            dispatcher,
            connections,
            prices.clone(),
            purse,
        ));
        let streams = Streams::new(transcoder, limits(&settings)?);
        let webhook = Webhook::new(
            settings.access.auth_webhook.clone(),
            settings.access.auth_webhook_timeout,
        )
        .context("no HTTP client for the auth webhook")?;
        let mut gateway = Self {
            addresses: listeners.addresses()?,
            directory: directory.clone(),
            registry: sources::network(&settings),
            policies: policies.clone(),
            streams: streams.clone(),
            money: money.clone(),
            recorder,
            tasks: JoinSet::new(),
            stops: Stops::default(),
        };
        let profiles = Renditions::new(settings.streams.profiles.clone());
        let state = AdminState {
            settings: Arc::new(settings.clone()),
            addresses: gateway.addresses.clone(),
            directory,
            policies: policies.clone(),
            streams: streams.clone(),
            money: money.clone(),
            prices,
            profiles: profiles.clone(),
            metrics,
            draining: gateway.stops.drain.clone(),
        };
        gateway.serve(
            listeners,
            &settings,
            &profiles,
            webhook,
            admin.router(state),
        );
        gateway
            .tasks
            .spawn(policies.watch(gateway.stops.stop.clone()));
        gateway
            .tasks
            .spawn(sweep(streams, gateway.stops.stop.clone()));
        let stop = gateway.stops.stop.clone();
        if let Some(money) = &money {
            gateway.tasks.spawn(money.report(&spending, stop.clone()));
        }
        if let Some(enlisting) = money.and_then(|money| money.enlist(&gateway.directory, stop)) {
            gateway.tasks.spawn(enlisting);
        }
        if let Some(wallet) = gateway.money.as_ref().map(Money::wallet) {
            let (wallet, stop) = (wallet.clone(), gateway.stops.stop.clone());
            gateway
                .tasks
                .spawn(crate::wallet::top_up::keep(wallet, stop));
        }
        Ok(gateway)
    }

    fn serve(
        &mut self,
        listeners: Listeners,
        settings: &Settings,
        profiles: &Renditions,
        webhook: Webhook,
        admin: Router,
    ) {
        let public = public(&self.streams, settings, profiles, webhook.clone());
        for listener in listeners.http {
            self.serve_http(listener, public.clone());
        }
        self.serve_http(listeners.admin, admin);
        if let Some(listener) = listeners.rtmp {
            let drain = self.stops.drain.clone();
            let rtmp = Rtmp::new(
                self.streams.clone(),
                webhook,
                publishers(settings, profiles),
                drain,
            );
            self.tasks
                .spawn(rtmp.serve(listener, self.stops.stop.clone()));
        }
    }

    fn serve_http(&mut self, listener: TcpListener, router: Router) {
        let stop = self.stops.stop.clone();
        let listener = listener.tap_io(|socket| {
            // A segment's answer is written at once or not at all.
            let _ = socket.set_nodelay(true);
        });
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
        self.tasks.spawn(async move {
            if let Err(error) = served.into_future().await {
                tracing::error!(%error, "an HTTP listener ended");
            }
        });
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// What pays; `None` off-chain.
    #[must_use]
    pub fn money(&self) -> Option<&Money> {
        self.money.as_ref()
    }

    /// Waits a little for orchestrators to answer, and says in one block what there is.
    pub async fn banner(&self) -> String {
        let settled = self.directory.settled(SETTLE).await;
        let Addresses { http, rtmp, admin } = &self.addresses;
        let mut block = format!("pointsman {}\n", env!("CARGO_PKG_VERSION"));
        for address in http {
            let _ = writeln!(
                block,
                "  http           http://{address}  (push /live/NAME/0.ts, play /stream/NAME.m3u8)"
            );
        }
        if let Some(address) = rtmp {
            let _ = writeln!(block, "  rtmp           rtmp://{address}/live/NAME");
        }
        let _ = writeln!(block, "  admin          http://{admin}");
        let found = sources::found(settled, self.registry.as_deref(), &self.directory);
        let _ = writeln!(block, "  orchestrators  {found}");
        if let Some(money) = &self.money {
            let _ = writeln!(block, "  payments       {}", money.line());
        }
        let active = self.policies.host().active();
        let _ = write!(
            block,
            "  policy         {} {} (generation {})",
            active.name(),
            active.version(),
            active.number()
        );
        block
    }

    /// Takes nothing new and waits until the streams that are live have ended.
    pub async fn drain(&self) {
        self.stops.drain.cancel();
        self.streams.drain().await;
    }

    /// Ends everything that is left, and saves.
    pub async fn stop(mut self) {
        self.stops.drain.cancel();
        self.streams.close_all().await;
        self.stops.stop.cancel();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        // Players hold connections open for as long as they like.
        let _ = tokio::time::timeout(Duration::from_secs(3), all).await;
        self.directory.shutdown().await;
        if let Some(recorder) = self.recorder.take() {
            // It writes what waits.
            let _ = tokio::task::spawn_blocking(move || recorder.close()).await;
        }
        if let Some(money) = self.money.take() {
            money.close().await;
        }
    }
}

/// Push and playback on one port, as go-livepeer has them.
fn public(
    streams: &Arc<Streams>,
    settings: &Settings,
    profiles: &Renditions,
    webhook: Webhook,
) -> Router {
    let playback = Playback {
        streams: streams.clone(),
        current: settings.streams.current_manifest,
    };
    let router = playback.router().route("/healthz", get(|| async {}));
    if !settings.listeners.http_ingest {
        return router;
    }
    let push = Arc::new(Push::new(
        streams.clone(),
        webhook,
        profiles.clone(),
        settings.streams.max_segment_bytes,
    ));
    let answer = move |request: http::Request<Body>| {
        let push = push.clone();
        async move { push.answer(request).await }
    };
    router.route("/live/{*path}", any(answer))
}

fn publishers(settings: &Settings, profiles: &Renditions) -> rtmp::Settings {
    rtmp::Settings {
        default_profiles: profiles.clone(),
        segmenter: segmenter::Config {
            target: settings.streams.segment_duration,
            max_bytes: settings.streams.max_segment_bytes,
            ..segmenter::Config::default()
        },
        grace: settings.streams.reconnect_grace,
        silence: settings.streams.publisher_silence,
        sessions: settings.streams.max_sessions,
        waiting_per_address: settings.streams.rtmp_waiting_per_address,
    }
}

fn dispatch(settings: &Settings) -> pointsman_dispatch::Settings {
    let limits = |work: crate::config::ExtraWork| pointsman_dispatch::budget::Limits {
        percent: work.percent,
        floor_per_second: work.floor_per_second,
    };
    pointsman_dispatch::Settings {
        // Zero sends nothing, which is the streams' business.
        max_attempts: NonZeroU32::new(settings.streams.max_attempts).unwrap_or(NonZeroU32::MIN),
        retries: limits(settings.streams.retries),
        hedges: limits(settings.streams.hedges),
        price_is_hard: !settings.prices.ignore_if_needed,
        ..pointsman_dispatch::Settings::default()
    }
}

fn limits(settings: &Settings) -> Result<streams::Limits> {
    Ok(streams::Limits {
        sessions: settings.streams.max_sessions.try_into()?,
        idle: PUSH_IDLE,
        transcode: settings.streams.max_attempts > 0,
        playlists: PlaylistSettings {
            window: usize::try_from(settings.streams.playlist_window.get())?,
            keep: usize::try_from(settings.streams.playlist_keep.get())?,
            bytes: settings.streams.playlist_bytes,
        },
    })
}

async fn sweep(streams: Arc<Streams>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(SWEEP);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        streams.sweep();
    }
}

/// Sockets that are bound, before anything is served.
struct Listeners {
    http: Vec<TcpListener>,
    rtmp: Option<TcpListener>,
    admin: TcpListener,
}

// === impl Listeners ===

impl Listeners {
    async fn bind(settings: &Settings) -> Result<Self> {
        let mut http = Vec::new();
        for &address in &settings.listeners.http {
            http.push(listen(address, "--http-addr").await?);
        }
        let rtmp = match settings.listeners.rtmp {
            Some(address) => Some(listen(address, "--rtmp-addr").await?),
            None => None,
        };
        Ok(Self {
            http,
            rtmp,
            admin: listen(settings.listeners.cli, "--cli-addr").await?,
        })
    }

    fn addresses(&self) -> Result<Addresses> {
        let http = self
            .http
            .iter()
            .map(TcpListener::local_addr)
            .collect::<Result<_, _>>()?;
        Ok(Addresses {
            http,
            rtmp: self
                .rtmp
                .as_ref()
                .map(TcpListener::local_addr)
                .transpose()?,
            admin: self.admin.local_addr()?,
        })
    }
}

async fn listen(address: SocketAddr, flag: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address} ({flag}): give another address, or stop who has it")
    })
}

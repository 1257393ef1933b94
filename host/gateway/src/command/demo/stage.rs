//! What runs: devnet, gateway, publisher.

use std::ffi::OsString;
use std::fmt::Write as _;

use anyhow::{Context, Result, bail};
use pointsman_devnet::Devnet;
use tempfile::TempDir;

use super::cast;
use super::publisher::{Publisher, STREAM};
use crate::cli::{self, Admin, Command, Demo};
use crate::config::{Settings, TOKEN_FILE, TokenFile};
use crate::gateway::Gateway;

/// Everything that has to be ended.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) publisher: Publisher,
    pub(super) devnet: Devnet,
    pub(super) admin: Admin,
    gateway: Gateway,
    data: TempDir,
}

/// Fewer wei than a short probe interval costs: a demo is watched by the second.
const PROBE_INTERVAL: &str = "2s";

// === impl Stage ===

impl Stage {
    pub(super) async fn set(wanted: &Demo) -> Result<Self> {
        let data = tempfile::tempdir().context("a temporary data directory")?;
        let devnet = pointsman_devnet::start(cast::profile()?).await?;
        let mut settings = settings(wanted, &devnet, &data)?;
        cast::label(&mut settings, devnet.orchestrators());
        let gateway = Gateway::start(settings).await?;
        let addresses = gateway.addresses();
        let rtmp = addresses
            .rtmp
            .context("the demo publishes over RTMP: give --rtmp-addr an address")?;
        let admin = Admin {
            url: format!("http://{}", addresses.admin).parse()?,
            token: TokenFile::Kept(data.path().join(TOKEN_FILE)),
        };
        let publisher = Publisher::start(rtmp)?;
        Ok(Self {
            publisher,
            devnet,
            admin,
            gateway,
            data,
        })
    }

    /// Who plays, and where to watch.
    pub(super) async fn programme(&self) -> String {
        let mut text = self.gateway.banner().await;
        let _ = write!(text, "\n  devnet");
        for orchestrator in self.devnet.orchestrators() {
            let _ = write!(text, "\n    {}", cast::introduce(orchestrator));
        }
        if let Some(http) = self.gateway.addresses().http.first() {
            let _ = write!(
                text,
                "\n  stream         http://{http}/stream/{STREAM}.m3u8"
            );
        }
        let player = if crate::demo::HAS_HLS {
            ""
        } else {
            "  (without hls.js, which `make setup` brings: only browsers that know HLS play)"
        };
        let _ = write!(
            text,
            "\n\nwatch it on {}{player}\nCtrl-C ends it\n",
            self.admin.url
        );
        text
    }

    /// Ends everything, in the order in which it depends on each other.
    pub(super) async fn clear(self) {
        let Self {
            publisher,
            devnet,
            gateway,
            data,
            ..
        } = self;
        publisher.stop().await;
        gateway.stop().await;
        devnet.stop().await;
        if let Err(error) = data.close() {
            tracing::error!(%error, "the temporary data directory stays");
        }
    }
}

/// The settings that an operator would have, decoded by the same rules.
fn settings(wanted: &Demo, devnet: &Devnet, data: &TempDir) -> Result<Settings> {
    let [http, rtmp, admin] = &wanted.addresses;
    let orchestrators = devnet.uris().join(",");
    let words = [
        "pointsman",
        "run",
        "--orch-addr",
        &orchestrators,
        "--probe-interval",
        PROBE_INTERVAL,
    ];
    let words = words.into_iter().chain([
        "--http-addr",
        http,
        "--rtmp-addr",
        rtmp,
        "--cli-addr",
        admin,
    ]);
    let mut words: Vec<OsString> = words.map(OsString::from).collect();
    words.extend(["--data-dir".into(), data.path().into()]);
    match cli::parse(words, []) {
        Ok(Command::Run(settings)) => Ok(*settings),
        Ok(other) => bail!("{other:?} is not a gateway"),
        Err(error) => bail!("{error}"),
    }
}

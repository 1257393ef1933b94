//! The node itself: its streams, its orchestrators, its log.

use std::sync::Arc;

use axum::extract::State;
use pointsman_chain::State as Chained;
use pointsman_wire::sign::Address;

use super::answer::{Json, Object, Text, list, quoted};
use super::form::Form;
use super::{AdminState, Fault};
use crate::logging;

/// glog's verbosity, of which go-livepeer's default is 3. It stands for a level of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verbosity(pub u8);

/// What the log is as long as nobody sets it here.
const DEFAULT: Verbosity = Verbosity(3);

// === impl Verbosity ===

impl Verbosity {
    /// The level, as `--log` takes it.
    #[must_use]
    pub fn level(self) -> &'static str {
        match self.0 {
            0..=3 => "info",
            4..=5 => "debug",
            6.. => "trace",
        }
    }
}

pub(super) async fn status(State(state): State<AdminState>) -> Json {
    let live = state.streams.list();
    let mut manifests = Object::default();
    let mut info = Object::default();
    for stream in &live {
        let (name, summary) = (stream.name().to_string(), stream.summary());
        let variants = summary.renditions().iter().map(|rendition| {
            Object::default()
                .text("URI", &format!("{name}/{rendition}.m3u8"))
                .end()
        });
        let playlist = Object::default()
            .json("Variants", list(variants))
            .text("Args", "")
            .text("CypherVersion", "")
            .end();
        manifests = manifests.json(&name, playlist);
        let (source, transcoded) = summary.bytes();
        let bytes = Object::default()
            .json("SourceBytes", source)
            .json("TranscodedBytes", transcoded)
            .end();
        info = info.json(&name, bytes);
    }
    let pool = state.directory.list();
    let usable = pool.iter().filter(|one| one.usable);
    let pool_infos = pool.iter().filter(|one| one.usable).map(|one| {
        let latency = one.probe_ms.map_or_else(
            || "null".to_owned(),
            |ms| format!("{:.0}", ms * 1_000_000.0),
        );
        Object::default()
            .text("Url", one.uri.as_str())
            .json("Score", 1)
            .json("Latency", latency)
            .end()
    });
    let status = Object::default()
        .json("Manifests", manifests.end())
        .json("InternalManifests", "{}")
        .json("StreamInfo", info.end())
        .json(
            "OrchestratorPool",
            list(usable.map(|one| quoted(one.uri.as_str()))),
        )
        .json("OrchestratorPoolInfos", list(pool_infos))
        .text("Version", concat!("pointsman-", env!("CARGO_PKG_VERSION")))
        .text("GolangRuntimeVersion", "none: pointsman is written in Rust")
        .text("GOArch", go_arch())
        .text("GOOS", std::env::consts::OS)
        .json("RegisteredTranscodersNumber", 0)
        .json("RegisteredTranscoders", "[]")
        .json("LocalTranscoding", false)
        .json("BroadcasterPrices", "{}");
    Json(status.end())
}

/// The newest stream's name.
pub(super) async fn manifest_id(State(state): State<AdminState>) -> Text {
    Text(newest(&state).unwrap_or_default())
}

/// The same, with the rendition that is its source.
pub(super) async fn stream_id(State(state): State<AdminState>) -> Text {
    Text(newest(&state).map_or_else(String::new, |name| format!("{name}/source")))
}

/// go-livepeer lists none, whatever there is.
pub(super) async fn local_streams() -> Json {
    Json("[]".to_owned())
}

pub(super) async fn chain_id(State(state): State<AdminState>) -> Text {
    let chain = known(&state);
    Text(chain.map_or(0, |chain| chain.chain_id).to_string())
}

/// The newest block's number as bytes, the high one first, without leading zeros: not as text.
pub(super) async fn current_block(State(state): State<AdminState>) -> Result<Vec<u8>, Fault> {
    let chain = known(&state);
    let head = chain.map_or(0, |chain| chain.head.number);
    let zeros = head.leading_zeros() as usize / 8;
    Ok(head.to_be_bytes()[zeros..].to_vec())
}

/// Whether it is something other than a gateway.
pub(super) async fn no() -> Text {
    Text("false".to_owned())
}

pub(super) async fn log_level() -> Text {
    let Verbosity(level) = logging::verbosity().unwrap_or(DEFAULT);
    Text(level.to_string())
}

pub(super) async fn set_log_level(form: Form) -> Result<Text, Fault> {
    form.need(&["loglevel"])?;
    let level = form.get("loglevel").parse();
    let level = level.map_err(|_| Fault::request("parameter 'logLevel' not defined"))?;
    match logging::set_verbosity(Verbosity(level)) {
        true => Ok(Text(String::new())),
        false => Err(Fault::internal(
            "this process does not write the log itself",
        )),
    }
}

/// An address as Go's JSON has it: small letters.
pub(super) fn lower(address: Address) -> String {
    format!("{address:?}").to_lowercase()
}

fn known(state: &AdminState) -> Option<Arc<Chained>> {
    state.money.as_ref()?.chain()?.state()
}

fn newest(state: &AdminState) -> Option<String> {
    let live = state.streams.list();
    let newest = live.iter().max_by_key(|stream| stream.started());
    newest.map(|stream| stream.name().to_string())
}

fn go_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

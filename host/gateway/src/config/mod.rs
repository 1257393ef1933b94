//! The configuration of `pointsman run`.
//!
//! # Contract
//!
//! [`load`] turns flags, environment and a TOML file into [`Settings`], once, at the edge: whatever comes out is within
//! its range and agrees with the rest, so that nothing behind it parses or checks a setting again. Everything that is
//! wrong is said at once, each with the place where it was set and what to write instead.
//!
//! A flag wins over the environment, the environment over the file, the file over the default.
//!
//! # Why a table and not a struct per layer
//!
//! All layers speak texts by name, and [`setting`] lists the names; one decoder a heading ([`section`]) turns texts
//! into types. So a value is parsed and refused in the same words wherever it comes from, the help states the default
//! that holds, and a new setting is one row and one line.

mod decoder;
mod describe;
mod golivepeer;
mod key;
mod layer;
mod nearest;
mod renditions;
mod section;
pub mod setting;
mod source;
mod value;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use pointsman_wire::uri::ServiceUri;
use url::Url;

use decoder::Decoder;
use layer::{Layer, environment, file};

pub use describe::Described;
pub use golivepeer::{Fate, Kind, NAMES, Name};
pub use key::NewKey;
pub use layer::flags::Flags;
pub use layer::wallet::WalletFlags;
pub use section::access::{Access, TOKEN_FILE, TokenFile};
pub use section::chain::Chain;
pub use section::data::Data;
pub use section::listeners::Listeners;
pub use section::logging::{LogFilter, LogFormat, Logging};
pub use section::orchestrators::{Labels, Orchestrators};
pub use section::payments::Payments;
pub use section::policy::{Policy, policy_credentials};
pub use section::prices::Prices;
pub use section::recording::Recording;
pub use section::signer::Signer;
pub use section::streams::{ExtraWork, Streams};
pub use section::wallet::{TopUp, Wallet};
pub use source::{Problem, Source};
pub use value::price::price;
pub use value::wei::whole as wei;

pub(crate) use key::load_new_key;
pub(crate) use layer::flags::{Rewritten, is_setting, rewrite};
pub(crate) use value::web::url as web_url;

/// Everything that `pointsman run` was told, by heading.
///
/// `Debug` shows URLs whole, and they may hold secrets: for logs and pages there is [`Settings::describe`].
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen.
    pub listeners: Listeners,
    /// Whom to use.
    pub orchestrators: Orchestrators,
    /// At what price.
    pub prices: Prices,
    /// Where they are paid; `None`: off-chain, and nothing is.
    pub chain: Option<Chain>,
    /// Who pays there, and on any chain, in place of a key of our own.
    pub signer: Option<Signer>,
    /// What may be paid.
    pub payments: Payments,
    /// What its transactions may cost.
    pub wallet: Wallet,
    /// How streams are handled.
    pub streams: Streams,
    /// Who decides.
    pub policy: Policy,
    /// What is recorded of decisions.
    pub recording: Recording,
    /// Who may come in.
    pub access: Access,
    /// What is kept on disk.
    pub data: Data,
    /// What is logged.
    pub logging: Logging,
    /// What the operator should be told at start although nothing is wrong; each a sentence without full stop.
    pub notices: Vec<String>,
    described: Vec<Described>,
}

/// Reads and checks all layers, and looks at the files that settings name.
///
/// # Errors
///
/// Everything that is wrong, at least one problem.
pub(crate) fn load(
    flags: Rewritten,
    parsed: Flags,
    variables: &[(OsString, OsString)],
) -> Result<Settings, Vec<Problem>> {
    load_with(flags, parsed, variables, Disk::Check)
}

/// The same for a command beside the gateway: of the files only the keystore's are looked at.
///
/// # Errors
///
/// As [`load`].
pub(crate) fn load_wallet(
    flags: Rewritten,
    parsed: Flags,
    variables: &[(OsString, OsString)],
) -> Result<Settings, Vec<Problem>> {
    load_with(flags, parsed, variables, Disk::Keystore)
}

fn load_with(
    flags: Rewritten,
    parsed: Flags,
    variables: &[(OsString, OsString)],
    disk: Disk,
) -> Result<Settings, Vec<Problem>> {
    let flags = flags.into_layer(parsed);
    let environment = environment::read(variables);
    let (file, labels) = read_file(&[&flags, &environment]);
    let merged = layer::merge([file, environment, flags]);
    decode(merged, labels, home(variables).as_deref(), disk)
}

/// The home directory, from the same variables.
pub(crate) fn home(variables: &[(OsString, OsString)]) -> Option<PathBuf> {
    let (_, home) = variables.iter().find(|(name, _)| name == "HOME")?;
    (!home.is_empty()).then(|| home.into())
}

/// The URL of an admin API that listens there; 0.0.0.0 is reached by loopback.
pub(crate) fn admin_url(address: &str) -> Result<Url, String> {
    let mut address = value::address::listen(5935)(address)?;
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    value::web::url(&format!("http://{address}"))
}

/// Whether the files that settings name are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disk {
    Check,
    Keystore,
    #[cfg(test)]
    Trust,
}

/// The file that the stronger layers name, if any.
fn read_file(layers: &[&Layer]) -> (Layer, BTreeMap<ServiceUri, Labels>) {
    let named = layers.iter().find_map(|layer| layer.values.get("config"));
    let path = named.and_then(|given| given.values.first().map(|path| (path, &given.source)));
    match path {
        Some((path, source)) if !path.is_empty() => file::read(path.as_ref(), source),
        _ => (Layer::default(), BTreeMap::new()),
    }
}

fn decode(
    layer: Layer,
    labels: BTreeMap<ServiceUri, Labels>,
    home: Option<&Path>,
    disk: Disk,
) -> Result<Settings, Vec<Problem>> {
    let described = describe::describe(&layer.values);
    let mut decoder = Decoder::new(&layer.values, home);
    let data = Data::decode(&mut decoder);
    let (on_chain, remote) = (Chain::is_wanted(&mut decoder), Signer::is_wanted(&decoder));
    let pays = on_chain || remote;
    let mut chain = Chain::decode(&mut decoder, &data.dir);
    let prices = Prices::decode(&mut decoder, chain.as_mut(), on_chain);
    let mut settings = Settings {
        listeners: Listeners::decode(&mut decoder),
        orchestrators: Orchestrators::decode(&mut decoder, labels, on_chain),
        prices,
        chain,
        signer: Signer::decode(&mut decoder, on_chain),
        payments: Payments::decode(&mut decoder, pays),
        wallet: Wallet::decode(&mut decoder, on_chain, remote),
        streams: Streams::decode(&mut decoder),
        policy: Policy::decode(&mut decoder),
        recording: Recording::decode(&mut decoder),
        access: Access::decode(&mut decoder, &data.dir),
        data,
        logging: Logging::decode(&mut decoder),
        notices: layer.notices,
        described,
    };
    if matches!(disk, Disk::Check | Disk::Keystore)
        && let Some(chain) = settings.chain.as_ref().filter(|_| !remote)
    {
        chain.check(&mut decoder);
    }
    if disk == Disk::Check {
        settings.policy.check(&mut decoder);
        settings.access.check(&mut decoder, settings.listeners.cli);
        settings.data.check(&mut decoder);
    }
    settings.notices.extend(decoder.notices);
    let problems = [layer.problems, decoder.problems].concat();
    if problems.is_empty() {
        Ok(settings)
    } else {
        Err(problems)
    }
}

#[cfg(test)]
mod tests;

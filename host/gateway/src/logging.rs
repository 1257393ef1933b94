//! Logs: on standard error, for people or for machines.

use std::io::IsTerminal;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

use crate::admin::Verbosity;
use crate::config::{LogFormat, Logging};
use crate::policies::journal::Journal;

/// What changes which events are logged.
static FILTER: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();
/// What was set while the gateway runs; all ones: nothing.
static VERBOSITY: AtomicU8 = AtomicU8::new(u8::MAX);

/// Logs errors, for a command that tells of the rest itself.
pub(crate) fn errors() {
    drop(
        fmt()
            .with_max_level(tracing::Level::ERROR)
            .with_writer(std::io::stderr)
            .with_target(false)
            .try_init(),
    );
}

/// Logs warnings, for commands without settings.
pub(crate) fn warnings() {
    drop(
        fmt()
            .with_max_level(tracing::Level::WARN)
            .with_writer(std::io::stderr)
            .with_target(false)
            .try_init(),
    );
}

/// Starts to log. A second call changes nothing.
pub(crate) fn install(logging: &Logging) {
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let lines = match logging.format {
        LogFormat::Text => lines.with_target(false).boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    let (filter, handle) = reload::Layer::new(logging.filter.filter());
    let installed = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(Journal::layer())
        .try_init();
    // An error means that somebody logs already: a test that starts two gateways.
    if installed.is_ok() {
        let _ = FILTER.set(handle);
    }
}

/// Logs more or less from now on. False where this process does not log.
pub(crate) fn set_verbosity(verbosity: Verbosity) -> bool {
    let Some(handle) = FILTER.get() else {
        return false;
    };
    VERBOSITY.store(verbosity.0.min(u8::MAX - 1), Ordering::Relaxed);
    handle.reload(EnvFilter::new(verbosity.level())).is_ok()
}

/// What was set by that.
pub(crate) fn verbosity() -> Option<Verbosity> {
    let set = VERBOSITY.load(Ordering::Relaxed);
    (set != u8::MAX).then_some(Verbosity(set))
}

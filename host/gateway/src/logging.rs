//! Logs: on standard error, for people or for machines.

use std::io::IsTerminal;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::config::{LogFormat, Logging};
use crate::policies::journal::Journal;

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
    let installed = tracing_subscriber::registry()
        .with(lines.with_filter(logging.filter.filter()))
        .with(Journal::layer())
        .try_init();
    // An error means that somebody logs already: a test that starts two gateways.
    drop(installed);
}

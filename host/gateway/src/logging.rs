//! Logs: on standard error, for people or for machines.

use std::io::IsTerminal;

use tracing_subscriber::fmt;

use crate::config::{LogFormat, Logging};

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
    let builder = fmt()
        .with_env_filter(logging.filter.filter())
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let installed = match logging.format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    // An error means that somebody logs already: a test that starts two gateways.
    drop(installed);
}

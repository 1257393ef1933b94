//! What a policy can reach of the host: memory up to its limit, and the log.

use std::sync::Arc;

use tracing::Level as Tracing;
use wasmtime::ResourceLimiter;
use wasmtime::component::HasSelf;

use super::patience::Looks;
use crate::bindings::pointsman::policy::log;
use crate::fault::plain;
use crate::limits::Limits;

/// The host's side of one instance.
#[derive(Debug)]
pub(super) struct Guest {
    stage: Arc<str>,
    memory: usize,
    lines: u32,
    pub(super) looks: Looks,
}

/// The guest asked for more memory than its limit.
#[derive(Debug, thiserror::Error)]
#[error("it asked for {desired} bytes of memory, its limit is {limit}")]
pub(super) struct OutOfMemory {
    desired: usize,
    limit: usize,
}

/// Messages one call may log; the rest is dropped, since a policy in a loop must not fill the disk.
const LINES: u32 = 16;

// === impl Guest ===

impl Guest {
    pub(super) fn new(stage: Arc<str>, limits: &Limits) -> Self {
        Self {
            stage,
            memory: limits.memory.get(),
            lines: LINES,
            looks: Looks::default(),
        }
    }

    /// A new call begins.
    pub(super) fn renew(&mut self) {
        self.lines = LINES;
        self.looks = Looks::default();
    }

    /// Gives `linker` everything that a policy may import.
    pub(super) fn link(linker: &mut wasmtime::component::Linker<Self>) -> wasmtime::Result<()> {
        log::add_to_linker::<_, HasSelf<Self>>(linker, |guest| guest)
    }
}

impl ResourceLimiter for Guest {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > self.memory {
            // An error and not a refusal: allocators answer a refusal with a bare trap, which says nothing of memory.
            return Err(wasmtime::Error::new(OutOfMemory {
                desired,
                limit: self.memory,
            }));
        }
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(maximum.is_none_or(|most| desired <= most))
    }
}

impl log::Host for Guest {
    fn enabled(&mut self, level: log::Level) -> bool {
        self.lines > 0
            && match level {
                log::Level::Error => tracing::enabled!(target: "policy", Tracing::ERROR),
                log::Level::Warn => tracing::enabled!(target: "policy", Tracing::WARN),
                log::Level::Info => tracing::enabled!(target: "policy", Tracing::INFO),
                log::Level::Debug => tracing::enabled!(target: "policy", Tracing::DEBUG),
                log::Level::Trace => tracing::enabled!(target: "policy", Tracing::TRACE),
            }
    }

    fn write(&mut self, level: log::Level, message: String) {
        if self.lines == 0 {
            return;
        }
        self.lines -= 1;
        let message = plain(message, Limits::MAX_STRING);
        let stage = &*self.stage;
        match level {
            log::Level::Error => tracing::error!(target: "policy", stage, "{message}"),
            log::Level::Warn => tracing::warn!(target: "policy", stage, "{message}"),
            log::Level::Info => tracing::info!(target: "policy", stage, "{message}"),
            log::Level::Debug => tracing::debug!(target: "policy", stage, "{message}"),
            log::Level::Trace => tracing::trace!(target: "policy", stage, "{message}"),
        }
    }
}

//! The thread that advances the epoch.
//!
//! A plain thread and not a task: a policy that spins holds its runtime's worker, and on a small machine that may be the
//! very worker the task needed.

use std::thread;

use wasmtime::{Engine, EngineWeak};

use crate::limits::Limits;

/// Advances the epoch of `engine` every [`Limits::TICK`] until the engine is gone.
pub(super) fn start(engine: &Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    thread::Builder::new()
        .name("policy-epoch".to_owned())
        .spawn(move || tick(&engine))
        .map(drop)
}

fn tick(engine: &EngineWeak) {
    while let Some(engine) = engine.upgrade() {
        engine.increment_epoch();
        drop(engine);
        thread::sleep(Limits::TICK);
    }
}

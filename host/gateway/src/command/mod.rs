//! What each command of the binary does.

mod demo;
mod devnet;
mod explain;
mod policy;
mod replay;
mod run;
mod wallet;

use anyhow::Result;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::Command;

/// Does what the operator asked for.
///
/// # Errors
///
/// Why it could not be done.
pub fn execute(command: Command) -> Result<()> {
    match command {
        Command::Run(settings) => runtime()?.block_on(run::run(*settings)),
        Command::Devnet(devnet) => runtime()?.block_on(devnet::run(devnet)),
        Command::Demo(demo) => runtime()?.block_on(demo::run(demo)),
        Command::Policy(policy) => policy::run(policy, &runtime()?),
        Command::Explain(wanted) => explain::run(&wanted, &runtime()?),
        Command::Wallet(wanted) => runtime()?.block_on(wallet::run(wanted)),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}

/// Ctrl-C and SIGTERM: from [`Interrupts::listen`] on none is missed, also not one that comes between two waits.
struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
}

// === impl Interrupts ===

impl Interrupts {
    fn listen() -> Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// The next of either.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The next Ctrl-C or SIGTERM, where one is enough.
async fn interrupted() {
    match Interrupts::listen() {
        Ok(mut interrupts) => interrupts.next().await,
        Err(_) => std::future::pending().await,
    }
}

//! What each command of the binary does.

mod demo;
mod devnet;
mod policy;
mod run;

use anyhow::Result;

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
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}

/// The next Ctrl-C or SIGTERM.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

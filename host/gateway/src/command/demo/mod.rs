//! `pointsman demo`: everything on one machine, and things that happen to it.
//!
//! # Contract
//!
//! The orchestrators of a devnet that really transcode, a gateway with its page, and ffmpeg publishing a test pattern, in one
//! process with children. Nothing beyond loopback is asked, and nothing is kept: the data directory is a temporary one. However it ends, by Ctrl-C,
//! SIGTERM, its own clock or an error, no process is left: children die with their handles, and should this process be killed outright,
//! ffmpeg ends because its connection does.
//!
//! What happens is what an operator could do: an orchestrator is killed and started by the devnet's own switch, and
//! policies change through the gateway's admin API with its token.

mod cast;
mod paid;
mod publisher;
mod scenes;
mod stage;

use std::future::pending;

use anyhow::Result;
use tokio::time::sleep;

use super::interrupted;
use crate::cli::Demo;
use crate::logging;
use crate::policies::pack;
use scenes::Scenes;
use stage::Stage;

pub(super) async fn run(wanted: Demo) -> Result<()> {
    logging::errors();
    if wanted.paid {
        return tokio::select! {
            outcome = paid::run(&wanted) => outcome,
            () = interrupted() => Ok(()),
        };
    }
    let bundle = scenes::Bundle::read(&wanted.policy, pack)?;
    let interrupt = interrupted();
    tokio::pin!(interrupt);
    let mut stage = tokio::select! {
        stage = Stage::set(&wanted) => stage?,
        () = &mut interrupt => return Ok(()),
    };
    println!("{}", stage.programme().await);
    // The clock runs from here: what is seen lasts as long on a machine that takes its time to start.
    let clock = async {
        match wanted.lasts {
            Some(lasts) => sleep(lasts).await,
            None => pending().await,
        }
    };
    let outcome = {
        let Stage {
            publisher,
            devnet,
            admin,
            ..
        } = &mut stage;
        let scenes = Scenes::new(devnet, admin, &bundle, wanted.pace);
        tokio::select! {
            outcome = scenes.play() => outcome,
            outcome = publisher.ended() => outcome,
            () = &mut interrupt => Ok(()),
            () = clock => Ok(()),
        }
    };
    eprintln!("ending");
    tokio::select! {
        () = stage.clear() => {}
        () = interrupted() => {}
    }
    outcome
}

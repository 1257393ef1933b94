//! The figures: what the gateway costs, beside a bare relay and within one run.
//!
//! # Contract
//!
//! `make bench` builds the release programs and runs this one. Gateway, orchestrators (devnet in passthrough, without their check of the hash)
//! and the [`relay`] are processes of their own on this machine; the client is this process. Every figure is printed with its target.
//! Absolute numbers are those of the machine and of whatever else runs on it: what can be compared between machines is the ratio to the
//! relay, for which rounds of the two alternate. Speed never fails a run; a lost request, a lost second of media or a choice of the wrong
//! bundle does.
//!
//! `cargo bench -p pointsman --bench figures -- push swap` runs some of the parts; `--long` adds RTMP with 1 and with 50 streams.
//! What decisions cost is measured by `cargo bench -p pointsman-policy --bench decision`.

mod chain;
mod client;
mod media;
mod paid;
mod process;
mod program;
mod push;
mod relay;
mod report;
mod rtmp;
mod swap;

use std::process::ExitCode;

use anyhow::Result;

use report::Report;

/// The parts, in their order.
const PARTS: [&str; 5] = ["push", "swap", "paid", "chain", "rtmp"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let done = match arguments.first().map(String::as_str) {
        Some(relay::COMMAND) => relay::run(&arguments[1..]),
        _ => figures(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn figures(arguments: &[String]) -> Result<()> {
    let long = arguments.iter().any(|argument| argument == "--long");
    let unknown = |argument: &&String| *argument != "--long" && !PARTS.contains(&argument.as_str());
    if let Some(unknown) = arguments.iter().find(unknown) {
        anyhow::bail!(
            "{unknown} is no part; there are {} and --long",
            PARTS.join(", ")
        );
    }
    let named = |part: &str| arguments.iter().any(|argument| argument == part);
    let all = !PARTS.into_iter().any(named);
    let mut report = Report::default();
    if all || named("push") {
        push::measure(&mut report).await?;
    }
    if all || named("swap") {
        swap::measure(&mut report).await?;
    }
    if all || named("paid") {
        paid::measure(&mut report).await?;
    }
    if all || named("chain") {
        chain::measure(&mut report).await?;
    }
    if all || named("rtmp") {
        rtmp::measure(&mut report, long).await?;
    }
    report.finish()
}

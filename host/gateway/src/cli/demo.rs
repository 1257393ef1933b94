//! `pointsman demo`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// A devnet, a gateway, a test stream and a page to watch them on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demo {
    /// The built bundle that is swapped in.
    pub policy: PathBuf,
    /// Time between two things that happen.
    pub pace: Duration,
    /// Whether the orchestrators are paid, on a chain of their own.
    pub paid: bool,
    /// When it ends by itself.
    pub lasts: Option<Duration>,
    /// The gateway's `--http-addr`, `--rtmp-addr` and `--cli-addr`.
    pub addresses: [String; 3],
}

/// Flags of `demo`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Folder of a built bundle to swap in: `pointsman policy build examples/prefer-cheapest` makes this one
    #[arg(
        long,
        value_name = "DIR",
        default_value = "examples/prefer-cheapest/dist"
    )]
    policy: PathBuf,
    /// Time between two things that happen
    #[arg(long, value_name = "TIME", default_value = "15s", value_parser = pace)]
    pace: Duration,
    /// Instead pay two orchestrators on a chain on this machine, and end by itself with a table of where the money went
    #[arg(long)]
    paid: bool,
    /// End after so many seconds [default: on Ctrl-C]
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// Where the stream is played
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9935")]
    http_addr: String,
    /// Where the test stream is published
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:1935")]
    rtmp_addr: String,
    /// Where the page is
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5935")]
    cli_addr: String,
}

// === impl Arguments ===

impl Arguments {
    pub(super) fn decode(self) -> Demo {
        Demo {
            policy: self.policy,
            pace: self.pace,
            paid: self.paid,
            lasts: self.seconds.map(Duration::from_secs),
            addresses: [self.http_addr, self.rtmp_addr, self.cli_addr],
        }
    }
}

fn pace(text: &str) -> Result<Duration, String> {
    let pace = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if pace < Duration::from_secs(1) {
        return Err("nobody could follow that: give 1s or more".to_owned());
    }
    Ok(pace)
}

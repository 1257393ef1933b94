//! `pointsman run`, whose flags are the table of settings.

use clap::Args;

use crate::config::Flags;

const AFTER: &str = "\
Ways to set:
  A flag wins over the environment, the environment over the file, the file over the default.
  --http-addr is POINTSMAN_HTTP_ADDR in the environment (an empty variable is not set) and
  http-addr = \"…\" in the file of --config; so are all others. Times are written 2s, 500ms or
  1m30s. Lists are separated by commas, or the flag is repeated.

go-livepeer:
  Its own spellings work too: -orchAddr, LP_ORCHADDR. Those that have no meaning here warn; those
  that concern money stop the start. Anything else that is unknown stops it as well, and the
  message names the nearest setting.

Examples:
  pointsman run --orch-addr orch.example:8935
  pointsman run --orch-addr A,B --http-addr :9935 --http-addr :8935 --policy ./eu-first
  pointsman run --config gateway.toml --log debug

The exit code is 0 after an ordinary end, 64 when a setting is wrong, 1 when running failed.";

/// Flags of `run`.
#[derive(Debug, Args)]
#[command(next_line_help = true, after_long_help = AFTER)]
pub(super) struct Run {
    #[command(flatten)]
    pub(super) flags: Flags,
}

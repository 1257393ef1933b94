//! `pointsman policy replay`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use crate::cli::Error;
use crate::cli::explain::recordings;

/// Ask a bundle about recorded decisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Source, built folder or single file; the folder at hand, or else the embedded bundle.
    pub bundle: Option<PathBuf>,
    /// Recordings, and folders of them.
    pub recordings: Vec<PathBuf>,
    /// Do not let cargo use the network.
    pub offline: bool,
    /// As JSON, for scripts.
    pub json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Source folder, built folder, or single file, on this machine (no web or registry address) [default: this folder, or else the bundle that the gateway comes with]
    #[arg(long, value_name = "BUNDLE")]
    bundle: Option<PathBuf>,
    /// Recordings, or folders of them [default: decisions in the data directory]
    #[arg(value_name = "DECISIONS")]
    recordings: Vec<PathBuf>,
    /// The gateway's data directory [default: POINTSMAN_DATA_DIR, or ~/.pointsman]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Use only crates that are on this machine
    #[arg(long)]
    offline: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

// === impl Arguments ===

impl Arguments {
    pub(in crate::cli) fn decode(
        self,
        variables: &[(OsString, OsString)],
    ) -> Result<Replay, Error> {
        Ok(Replay {
            bundle: self.bundle,
            recordings: match self.recordings.is_empty() {
                true => vec![recordings(self.data_dir, variables)?],
                false => self.recordings,
            },
            offline: self.offline,
            json: self.json,
        })
    }
}

//! `pointsman explain`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::Error;
use super::admin::{self, Admin};
use crate::config;
use crate::recording::FOLDER;

/// Say why a job went where it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explain {
    /// The job's name, or the decision's number.
    pub job: String,
    /// Who knows.
    pub from: From,
    /// As JSON, for scripts.
    pub json: bool,
}

/// Who knows about a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// A running gateway, about the last ones.
    Gateway(Admin),
    /// Recordings, and folders of them.
    Recordings(Vec<PathBuf>),
}

#[derive(Debug, Args)]
pub(super) struct ExplainArguments {
    /// The job, such as movie/12 for a segment, or the number of a decision
    #[arg(value_name = "JOB")]
    job: String,
    /// Look in recordings, or folders of them, instead of asking a running gateway
    #[arg(long, value_name = "DIR")]
    from: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    admin: admin::Arguments,
}

// === impl ExplainArguments ===

impl ExplainArguments {
    pub(super) fn decode(self, variables: &[(OsString, OsString)]) -> Result<Explain, Error> {
        Ok(Explain {
            job: self.job,
            from: match self.from.is_empty() {
                true => From::Gateway(self.admin.decode(variables)?),
                false => From::Recordings(self.from),
            },
            json: self.json,
        })
    }
}

/// Where a gateway on this machine records.
pub(super) fn recordings(
    data_dir: Option<PathBuf>,
    variables: &[(OsString, OsString)],
) -> Result<PathBuf, Error> {
    let variable = variables
        .iter()
        .find(|(name, value)| name == "POINTSMAN_DATA_DIR" && !value.is_empty());
    let data = data_dir.or_else(|| variable.map(|(_, value)| value.into()));
    let data = data.or_else(|| config::home(variables).map(|home| home.join(".pointsman")));
    let missing = "HOME is not set: name the recordings, or give --data-dir";
    Ok(data
        .ok_or_else(|| Error::Usage(missing.to_owned()))?
        .join(FOLDER))
}

//! `pointsman policy shadow | canary | promote | stop | log`.

use std::ffi::OsString;

use clap::Args;
use pointsman_fetch::Reference;
use pointsman_policy::Share;

use crate::cli::admin;
use crate::cli::{Admin, Error};

/// Try a bundle beside the active one.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Where the built bundle lies.
    pub bundle: Reference,
    /// How much of the traffic.
    pub share: Share,
    /// The gateway.
    pub admin: Admin,
}

/// Show what policies wrote and what happened to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Go on showing what comes.
    pub follow: bool,
    /// As JSON, an entry a line.
    pub json: bool,
    /// The gateway.
    pub admin: Admin,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TrialArguments {
    /// Built bundle: a folder, a file, https://…#sha256=HEX or oci://…@sha256:HEX
    #[arg(value_name = "REF")]
    bundle: Reference,
    /// Share of the streams, such as 5%
    #[arg(long, value_name = "PERCENT", value_parser = share)]
    share: Share,
    #[command(flatten)]
    admin: admin::Arguments,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct LogArguments {
    /// Go on showing what comes, until interrupted
    #[arg(long, short)]
    follow: bool,
    /// Print JSON, an entry a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    admin: admin::Arguments,
}

// === impl Trial ===

/// A share is never NaN.
impl Eq for Trial {}

// === impl TrialArguments ===

impl TrialArguments {
    pub(super) fn decode(self, variables: &[(OsString, OsString)]) -> Result<Trial, Error> {
        Ok(Trial {
            bundle: self.bundle,
            share: self.share,
            admin: self.admin.decode(variables)?,
        })
    }
}

// === impl LogArguments ===

impl LogArguments {
    pub(super) fn decode(self, variables: &[(OsString, OsString)]) -> Result<Log, Error> {
        Ok(Log {
            follow: self.follow,
            json: self.json,
            admin: self.admin.decode(variables)?,
        })
    }
}

fn share(text: &str) -> Result<Share, String> {
    let percent = text
        .strip_suffix('%')
        .and_then(|text| text.trim_end().parse().ok());
    percent
        .and_then(Share::percent)
        .ok_or_else(|| "write a percentage above 0%, at most 100%".to_owned())
}

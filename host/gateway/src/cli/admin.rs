//! Which gateway a command talks to, and with which token.
//!
//! The same variables that configure `pointsman run` answer for the commands beside it, so that on the gateway's machine
//! `pointsman policy activate DIR` needs no flag.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use url::Url;

use super::Error;
use crate::config::{self, TokenFile};

/// A running gateway's admin API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Base URL; paths such as `/api/v1/policy` are joined to it.
    pub url: Url,
    /// The token. One that is [`TokenFile::Given`] must be there.
    pub token: TokenFile,
}

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The gateway's admin API [default: that of POINTSMAN_CLI_ADDR, or http://127.0.0.1:5935]
    #[arg(long, value_name = "URL", value_parser = url)]
    addr: Option<Url>,
    /// File with the admin token [default: POINTSMAN_ADMIN_TOKEN_FILE, or admin-token in --data-dir]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The gateway's data directory [default: POINTSMAN_DATA_DIR, or ~/.pointsman]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

// === impl Arguments ===

impl Arguments {
    pub(super) fn decode(self, variables: &[(OsString, OsString)]) -> Result<Admin, Error> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(key, _)| key == name);
            found
                .map(|(_, value)| value)
                .filter(|value| !value.is_empty())
        };
        let url = match (self.addr, variable("POINTSMAN_CLI_ADDR")) {
            (Some(url), _) => url,
            (None, Some(address)) => config::admin_url(&address.to_string_lossy())
                .map_err(|message| Error::Usage(format!("POINTSMAN_CLI_ADDR: {message}")))?,
            (None, None) => config::admin_url("127.0.0.1:5935").map_err(Error::Usage)?,
        };
        let given = variable("POINTSMAN_ADMIN_TOKEN_FILE").map(PathBuf::from);
        if let Some(file) = self.token_file.or(given) {
            let token = TokenFile::Given(file);
            return Ok(Admin { url, token });
        }
        let data = self
            .data_dir
            .or_else(|| variable("POINTSMAN_DATA_DIR").map(PathBuf::from));
        let data = match data {
            Some(data) => data,
            None => config::home(variables)
                .map(|home| home.join(".pointsman"))
                .ok_or_else(|| {
                    Error::Usage("HOME is not set: give --token-file or --data-dir".to_owned())
                })?,
        };
        let token = TokenFile::Kept(data.join(config::TOKEN_FILE));
        Ok(Admin { url, token })
    }
}

fn url(text: &str) -> Result<Url, String> {
    if text.contains("://") {
        return config::web_url(text);
    }
    config::admin_url(text)
}

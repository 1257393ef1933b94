//! `pointsman policy push`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use pointsman_fetch::{Repository, Rules};

use crate::cli::Error;
use crate::config::policy_credentials;

/// Bring a bundle to an OCI registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// A bundle in one file, its `.minisig` beside it if it is signed; or a folder, which is packed.
    pub bundle: PathBuf,
    /// Where to.
    pub repository: Repository,
    /// File with `USER:PASSWORD`.
    pub credentials: Option<PathBuf>,
    /// Certificate authorities to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether the registry may be at a private address.
    pub allow_private: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Bundle in one file, as `policy build --pack` makes it; FILE.minisig beside it goes along
    #[arg(value_name = "FILE")]
    bundle: PathBuf,
    /// Where to: oci://HOST[:PORT]/NAME[:TAG]
    #[arg(value_name = "REPOSITORY")]
    repository: Repository,
    /// File with USER:PASSWORD for the registry [default: POINTSMAN_POLICY_CREDENTIALS_FILE]
    #[arg(long, value_name = "FILE")]
    credentials_file: Option<PathBuf>,
    /// PEM file of certificate authorities to trust beside the system's [default: POINTSMAN_POLICY_CA_FILE]
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Let the registry be at a private or loopback address
    #[arg(long)]
    allow_private: bool,
}

// === impl Arguments ===

impl Arguments {
    #[expect(clippy::unnecessary_wraps, reason = "as the other verbs")]
    pub(super) fn decode(self, variables: &[(OsString, OsString)]) -> Result<Push, Error> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(key, _)| key == name);
            let value = found.map(|(_, value)| value);
            value.filter(|value| !value.is_empty()).map(PathBuf::from)
        };
        Ok(Push {
            bundle: self.bundle,
            repository: self.repository,
            credentials: self
                .credentials_file
                .or_else(|| variable("POINTSMAN_POLICY_CREDENTIALS_FILE")),
            ca_file: self
                .ca_file
                .or_else(|| variable("POINTSMAN_POLICY_CA_FILE")),
            allow_private: self.allow_private,
        })
    }
}

// === impl Push ===

impl Push {
    /// On which terms it is sent.
    ///
    /// # Errors
    ///
    /// When the credentials cannot be read.
    pub fn rules(&self) -> anyhow::Result<Rules> {
        let credentials = self.credentials.as_deref().map(policy_credentials);
        Ok(Rules {
            ca_file: self.ca_file.clone(),
            allow_private: self.allow_private,
            loopback_http: self.allow_private,
            credentials: credentials.transpose()?,
            ..Rules::default()
        })
    }
}

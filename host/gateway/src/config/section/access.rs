//! Who may publish, and who may administer.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::{Host, Url};

use crate::config::decoder::{Decoder, switch};
use crate::config::setting::{Group, Initial, Setting, Shape};
use crate::config::value::{duration, host, web};

/// Name of the token's file in the data directory.
pub const TOKEN_FILE: &str = "admin-token";

/// Gates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Asked whether a stream may be published; `None` lets everyone.
    pub auth_webhook: Option<Url>,
    /// How long it may take to answer.
    pub auth_webhook_timeout: Duration,
    /// The token of the admin API.
    pub admin_token: TokenFile,
    /// Whether `livepeer_cli`, which sends no token, may change things. Only where the admin API is on loopback.
    pub livepeer_cli_writes: bool,
    /// Hosts that the admin API answers to besides loopback.
    pub allowed_hosts: Vec<Host>,
}

/// Where the admin token is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenFile {
    /// The operator's: it must be there.
    Given(PathBuf),
    /// In the data directory: made at first start.
    Kept(PathBuf),
}

pub(in crate::config) const GROUP: Group = Group {
    heading: "Access",
    settings: &[
        Setting {
            key: "auth-webhook-url",
            shape: Shape::One,
            value: "URL",
            default: Initial::Unset("none: everyone may publish"),
            summary: "Service that is asked by POST whether a stream may be published, and how.",
            detail: "The requests and answers are go-livepeer's. Set it on any gateway that is open to the world.",
        },
        Setting {
            key: "auth-webhook-timeout",
            shape: Shape::One,
            value: "TIME",
            default: Initial::Value("5s"),
            summary: "How long --auth-webhook-url may take; then the stream is refused.",
            detail: "100ms to 1m.",
        },
        Setting {
            key: "admin-token-file",
            shape: Shape::One,
            value: "FILE",
            default: Initial::Unset("admin-token in --data-dir, made at first start"),
            summary: "File with the token that changes through the admin API need.",
            detail: "Reads need it too when --cli-addr is not loopback. Use it where secrets are mounted as files. If others may \
                     read it, this file is used with a warning; the one in --data-dir stops the start.",
        },
        Setting {
            key: "livepeer-cli-writes",
            shape: Shape::Switch,
            value: "true|false",
            default: Initial::Value("false"),
            summary: "Let livepeer_cli, which sends no token, move money and set prices.",
            detail: "For a --cli-addr on loopback: every program on this machine can then do the same, though no web page can. What it \
                     reads needs no token in any case.",
        },
        Setting {
            key: "allowed-hosts",
            shape: Shape::List,
            value: "HOST",
            default: Initial::Unset("loopback names alone"),
            summary: "Host names under which the admin API may be reached, besides loopback.",
            detail: "Requests for any other host are refused, so that a web page cannot reach the API through a name of its \
                     own. Name the host of a proxy in front of --cli-addr here.",
        },
    ],
};

// === impl Access ===

impl Access {
    pub(in crate::config) fn decode(decoder: &mut Decoder<'_>, data: &Path) -> Self {
        let least = Duration::from_millis(100);
        let admin_token = match decoder.path("admin-token-file") {
            Some(file) => TokenFile::Given(file),
            None => TokenFile::Kept(data.join(TOKEN_FILE)),
        };
        Self {
            auth_webhook: decoder.optional("auth-webhook-url", web::url),
            auth_webhook_timeout: decoder.one(
                "auth-webhook-timeout",
                duration::between(least, Duration::from_secs(60)),
            ),
            admin_token,
            livepeer_cli_writes: decoder.one("livepeer-cli-writes", switch),
            allowed_hosts: decoder.many("allowed-hosts", host::host),
        }
    }

    /// Looks at the disk: a token must be there for an admin API that others can reach.
    pub(in crate::config) fn check(&self, decoder: &mut Decoder<'_>, cli: SocketAddr) {
        let file = self.admin_token.path();
        let shown = file.display();
        if self.livepeer_cli_writes && !cli.ip().is_loopback() {
            let message = format!(
                "cli-addr {cli} is not loopback: whoever reaches it could move money without a token. Use a loopback address, or send \
                 the token"
            );
            decoder.refuse(&["livepeer-cli-writes"], message);
        }
        if self.livepeer_cli_writes {
            let notice = "livepeer-cli-writes: every program on this machine can move the gateway's money and set its prices";
            decoder.notices.push(notice.to_owned());
        }
        match &self.admin_token {
            TokenFile::Given(_) if !has_text(file) => {
                let message = format!("{shown} is missing, empty or not readable");
                decoder.refuse(&["admin-token-file"], message);
            }
            TokenFile::Kept(_) if !cli.ip().is_loopback() && !has_text(file) => {
                let message = format!(
                    "cli-addr {cli} is not loopback, and there is no token: whoever reaches it could change policies. Use \
                     a loopback address, or put a token into {shown} or into a file named by admin-token-file"
                );
                decoder.refuse(&["cli-addr"], message);
            }
            _ => {}
        }
    }
}

// === impl TokenFile ===

impl TokenFile {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Given(path) | Self::Kept(path) => path,
        }
    }
}

fn has_text(file: &Path) -> bool {
    const MAX_TOKEN: u64 = 4096;
    crate::config::renditions::capped(file, MAX_TOKEN).is_ok_and(|text| !text.trim().is_empty())
}

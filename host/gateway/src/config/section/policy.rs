//! Which policies decide.

use std::path::{Path, PathBuf};

use pointsman_fetch::{Credentials, PublicKey, Reference, Rules};

use crate::config::decoder::{Decoder, switch};
use crate::config::renditions::capped;
use crate::config::setting::{Group, Initial, Setting, Shape};

/// The bundle at start, and on which terms any bundle is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Where it lies; a folder is watched for changes. `None` is the bundle inside the program.
    pub bundle: Option<Reference>,
    /// Every bundle must be signed with it.
    pub key: Option<PublicKey>,
    /// File with `USER:PASSWORD` for the registry or web server of a reference.
    pub credentials_file: Option<PathBuf>,
    /// Certificate authorities to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether bundles may come from private addresses.
    pub allow_private: bool,
}

/// What makes a folder a bundle.
const MANIFEST: &str = "bundle.toml";
/// Longest file with a key or credentials, in bytes.
const MAX_SECRET: u64 = 4096;

pub(in crate::config) const GROUP: Group = Group {
    heading: "Policy",
    settings: &[
        Setting {
            key: "policy",
            shape: Shape::One,
            value: "REF",
            default: Initial::Unset("the bundle inside this program"),
            summary: "Policy bundle that chooses orchestrators: a folder, a file, https://…#sha256=HEX or oci://…@sha256:HEX.",
            detail: "A folder has a bundle.toml, as `pointsman policy build` leaves it, and is watched: replacing bundle.toml last \
                     swaps the policy in without losing a segment. Anything else is read once, at start.",
        },
        Setting {
            key: "policy-key",
            shape: Shape::One,
            value: "KEY|FILE",
            default: Initial::Unset("none: signatures are not looked at"),
            summary: "Minisign public key with which every bundle must be signed.",
            detail: "The key itself, which begins with RW, or the file minisign.pub. It holds for --policy and for whatever is activated \
                     later; what was active before it was set stays until then.",
        },
        Setting {
            key: "policy-credentials-file",
            shape: Shape::One,
            value: "FILE",
            default: Initial::Unset("none: bundles are fetched without"),
            summary: "File with USER:PASSWORD for the registry or web server that bundles are fetched from.",
            detail: "They go to the host of the reference and the token service it names, along no redirect.",
        },
        Setting {
            key: "policy-ca-file",
            shape: Shape::One,
            value: "FILE",
            default: Initial::Unset("the system's authorities alone"),
            summary: "PEM file of certificate authorities to trust beside the system's when bundles are fetched.",
            detail: "For a company's own registry.",
        },
        Setting {
            key: "policy-allow-private",
            shape: Shape::Switch,
            value: "BOOL",
            default: Initial::Value("false"),
            summary: "Let bundles be fetched from private and loopback addresses.",
            detail: "For a registry in one's own network; one on this machine may then be spoken to without TLS. Without it no reference \
                     can make the gateway call into the network it stands in.",
        },
    ],
};

// === impl Policy ===

impl Policy {
    pub(in crate::config) fn decode(decoder: &mut Decoder<'_>) -> Self {
        Self {
            bundle: reference(decoder),
            key: key(decoder),
            credentials_file: decoder.path("policy-credentials-file"),
            ca_file: decoder.path("policy-ca-file"),
            allow_private: decoder.one("policy-allow-private", switch),
        }
    }

    /// On which terms bundles are fetched.
    ///
    /// # Errors
    ///
    /// When the credentials cannot be read.
    pub fn rules(&self) -> anyhow::Result<Rules> {
        let credentials = self.credentials_file.as_deref().map(policy_credentials);
        Ok(Rules {
            key: self.key.clone(),
            ca_file: self.ca_file.clone(),
            allow_private: self.allow_private,
            loopback_http: self.allow_private,
            credentials: credentials.transpose()?,
            ..Rules::default()
        })
    }

    /// Looks at the disk.
    pub(in crate::config) fn check(&self, decoder: &mut Decoder<'_>) {
        if let Some(Err(error)) = self.credentials_file.as_deref().map(policy_credentials) {
            decoder.refuse(&["policy-credentials-file"], error.to_string());
        }
        if let Some(file) = self.ca_file.as_ref().filter(|file| !file.is_file()) {
            let message = format!("there is no file {}", file.display());
            decoder.refuse(&["policy-ca-file"], message);
        }
        let Some(Reference::Path(path)) = &self.bundle else {
            return;
        };
        let shown = path.display();
        if !path.exists() {
            decoder.refuse(&["policy"], format!("there is no folder or file {shown}"));
        } else if path.is_dir() && !path.join(MANIFEST).is_file() {
            let message = format!(
                "{shown} has no {MANIFEST}: name the folder that `pointsman policy build` wrote"
            );
            decoder.refuse(&["policy"], message);
        }
    }
}

fn reference(decoder: &mut Decoder<'_>) -> Option<Reference> {
    let text = decoder.optional("policy", |text| Ok(text.to_owned()))?;
    if !text.contains("://") {
        return decoder.path("policy").map(Reference::Path);
    }
    text.parse()
        .map_err(|error| decoder.refuse(&["policy"], format!("{error}")))
        .ok()
}

fn key(decoder: &mut Decoder<'_>) -> Option<PublicKey> {
    let text = decoder.optional("policy-key", |text| Ok(text.to_owned()))?;
    if let Ok(key) = text.parse() {
        return Some(key);
    }
    let file = decoder.path("policy-key")?;
    let parse = |text: &str| text.parse::<PublicKey>().map_err(|error| error.to_string());
    let text = capped(&file, MAX_SECRET).map_err(|error| error.to_string());
    text.and_then(|text| parse(&text))
        .map_err(|problem| {
            decoder.refuse(&["policy-key"], format!("{}: {problem}", file.display()));
        })
        .ok()
}

/// The credentials in `file`.
///
/// # Errors
///
/// When it cannot be read, or holds none.
pub fn policy_credentials(file: &Path) -> anyhow::Result<Credentials> {
    let shown = file.display();
    let text = capped(file, MAX_SECRET).map_err(|error| anyhow::anyhow!("{shown}: {error}"))?;
    credentials(&text).map_err(|problem| anyhow::anyhow!("{shown}: {problem}"))
}

/// `USER:PASSWORD`, on one line.
fn credentials(text: &str) -> Result<Credentials, String> {
    let (user, password) = text
        .trim()
        .split_once(':')
        .ok_or("it does not hold USER:PASSWORD")?;
    Ok(Credentials {
        user: user.to_owned(),
        password: password.to_owned(),
    })
}

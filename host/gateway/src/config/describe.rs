//! What was set, where, and to what: for the start-up log and the status page.

use serde::Serialize;

use super::Settings;
use super::decoder::Values;
use super::setting::{self, Initial};
use super::source::Source;
use super::value::web::redacted;

/// A setting that differs from its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Described {
    /// Its name.
    pub key: &'static str,
    /// As written, lists joined by commas; URLs cut down to scheme, host and port, since the rest may be secret.
    pub value: String,
    /// `flag`, `environment` or `file`.
    pub from: &'static str,
    /// The place: `--http-addr`, `POINTSMAN_HTTP_ADDR`, `gateway.toml:3: http-addr`.
    pub source: Source,
}

// === impl Settings ===

impl Settings {
    /// The settings that differ from their defaults, in the order of the help.
    #[must_use]
    pub fn describe(&self) -> &[Described] {
        &self.described
    }
}

pub(super) fn describe(values: &Values) -> Vec<Described> {
    let described = setting::all().filter_map(|setting| {
        let given = values.get(setting.key)?;
        let value = given.values.join(",");
        let default = match setting.default {
            Initial::Value(text) => text,
            Initial::Unset(_) => "",
        };
        (value != default).then(|| Described {
            key: setting.key,
            // It may be a password that was written where a file belongs.
            value: match setting.key {
                "eth-password" | "remote-signer-headers" => "…".to_owned(),
                "remote-signer-url" if !value.contains("://") => {
                    redacted(&format!("https://{value}"))
                }
                _ => redacted(&value),
            },
            from: given.source.kind(),
            source: given.source.clone(),
        })
    });
    described.collect()
}

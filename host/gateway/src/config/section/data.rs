//! What is kept on disk.

use std::path::PathBuf;

use crate::config::decoder::Decoder;
use crate::config::setting::{Group, Initial, Setting, Shape};

/// Places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// History, bundles and the admin token; made when it is not there.
    pub dir: PathBuf,
}

pub(in crate::config) const GROUP: Group = Group {
    heading: "Data",
    settings: &[
        Setting {
            key: "data-dir",
            shape: Shape::One,
            value: "DIR",
            default: Initial::Value("~/.pointsman"),
            summary: "Folder for the history of orchestrators, policy bundles and the admin token.",
            detail: "Made at first start. Mount a volume there to keep it over containers; two gateways cannot share one.",
        },
        Setting {
            key: "config",
            shape: Shape::One,
            value: "FILE",
            default: Initial::Unset("none"),
            summary: "TOML file with settings.",
            detail: "Its keys are the flags of this page without dashes in front; relative paths in it start at the file. \
                     Flags and environment win over it. The table [orchestrators.\"URI\"] labels orchestrators for \
                     policies.",
        },
    ],
};

// === impl Data ===

impl Data {
    pub(in crate::config) fn decode(decoder: &mut Decoder<'_>) -> Self {
        Self {
            dir: decoder.path("data-dir").unwrap_or_default(),
        }
    }

    /// Looks at the disk.
    pub(in crate::config) fn check(&self, decoder: &mut Decoder<'_>) {
        if self.dir.exists() && !self.dir.is_dir() {
            let message = format!("{} is not a folder", self.dir.display());
            decoder.refuse(&["data-dir"], message);
        }
    }
}

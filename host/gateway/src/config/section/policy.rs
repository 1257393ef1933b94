//! Which policies decide.

use std::path::PathBuf;

use crate::config::decoder::Decoder;
use crate::config::setting::{Group, Initial, Setting, Shape};

/// The bundle at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Folder with a `bundle.toml`, watched for changes; `None` is the bundle inside the program.
    pub bundle: Option<PathBuf>,
}

/// What makes a folder a bundle.
const MANIFEST: &str = "bundle.toml";

pub(in crate::config) const GROUP: Group = Group {
    heading: "Policy",
    settings: &[Setting {
        key: "policy",
        shape: Shape::One,
        value: "DIR",
        default: Initial::Unset("the bundle inside this program"),
        summary: "Folder of the policy bundle that chooses orchestrators.",
        detail: "It has a bundle.toml, as `pointsman policy build` leaves it, and is watched: replacing bundle.toml last \
                 swaps the policy in without losing a segment.",
    }],
};

// === impl Policy ===

impl Policy {
    pub(in crate::config) fn decode(decoder: &mut Decoder<'_>) -> Self {
        Self {
            bundle: decoder.path("policy"),
        }
    }

    /// Looks at the disk.
    pub(in crate::config) fn check(&self, decoder: &mut Decoder<'_>) {
        let Some(folder) = &self.bundle else {
            return;
        };
        let shown = folder.display();
        if !folder.is_dir() {
            decoder.refuse(&["policy"], format!("there is no folder {shown}"));
        } else if !folder.join(MANIFEST).is_file() {
            let message = format!(
                "{shown} has no {MANIFEST}: name the folder that `pointsman policy build` wrote"
            );
            decoder.refuse(&["policy"], message);
        }
    }
}

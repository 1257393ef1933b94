//! Where a setting's value came from, and what is wrong with it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// Where a value came from. Its text names the place as an operator would look for it: `--http-addr`,
/// `POINTSMAN_HTTP_ADDR`, `gateway.toml:3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The table of settings.
    Default,
    /// A line of the TOML file.
    File {
        /// The file, as it was named.
        path: Arc<Path>,
        /// 1 is the first.
        line: usize,
        /// The key on that line; empty for the line itself.
        key: String,
    },
    /// An environment variable.
    Environment(String),
    /// A flag, as it was spelled.
    Flag(String),
}

/// A setting that stops the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it was set.
    pub source: Source,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// The values of one setting in one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Given {
    /// As written; one, or several of a list.
    pub values: Vec<String>,
    /// Where.
    pub source: Source,
}

// === impl Source ===

impl Source {
    /// The kind of place: `default`, `file`, `environment` or `flag`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File { .. } => "file",
            Self::Environment(_) => "environment",
            Self::Flag(_) => "flag",
        }
    }

    /// Where relative paths start: at the file that names them, otherwise at the working directory.
    pub(super) fn base(&self) -> PathBuf {
        match self {
            Self::File { path, .. } => path.parent().map(Path::to_owned).unwrap_or_default(),
            _ => PathBuf::new(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line, key } if key.is_empty() => {
                write!(f, "{}:{line}", path.display())
            }
            Self::File { path, line, key } => write!(f, "{}:{line}: {key}", path.display()),
            Self::Environment(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

// === impl Problem ===

impl Problem {
    pub(crate) fn new(source: Source, message: impl Into<String>) -> Self {
        Self {
            source,
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.source, self.message)
    }
}

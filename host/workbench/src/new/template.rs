//! What a policy can begin as.

use std::fmt;
use std::str::FromStr;

use super::Name;

/// What a policy can begin as: one for each thing that a policy can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Template {
    /// Leaves out candidates.
    Filter,
    /// Says how good each is.
    Score,
    /// Puts them in order.
    Rank,
    /// Says what happens when an attempt fails, is slow, or costs more.
    Failover,
    /// Tightens calls of custom containers.
    Byoc,
}

/// Files of one template: where they go, with `{{name}}` and `{{type}}` in them.
type Files = &'static [(&'static str, &'static str)];

/// What every template has.
const COMMON: Files = &[
    ("Cargo.toml", include_str!("../../templates/Cargo.toml")),
    (".gitignore", include_str!("../../templates/gitignore")),
    ("README.md", include_str!("../../templates/README.md")),
];

macro_rules! files {
    ($folder:literal) => {
        &[
            (
                "src/lib.rs",
                include_str!(concat!("../../templates/", $folder, "/lib.rs")),
            ),
            (
                "bundle.toml",
                include_str!(concat!("../../templates/", $folder, "/bundle.toml")),
            ),
            (
                "settings.schema.json",
                include_str!(concat!(
                    "../../templates/",
                    $folder,
                    "/settings.schema.json"
                )),
            ),
        ]
    };
}

// === impl Template ===

impl Template {
    /// Every one.
    pub const ALL: [Self; 5] = [
        Self::Filter,
        Self::Score,
        Self::Rank,
        Self::Failover,
        Self::Byoc,
    ];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Score => "score",
            Self::Rank => "rank",
            Self::Failover => "failover",
            Self::Byoc => "byoc",
        }
    }

    fn own(self) -> Files {
        match self {
            Self::Filter => files!("filter"),
            Self::Score => files!("score"),
            Self::Rank => files!("rank"),
            Self::Failover => files!("failover"),
            Self::Byoc => files!("byoc"),
        }
    }

    /// Every file of a policy called `name`, but for the kit and the lock file.
    pub(super) fn files(self, name: &Name) -> Vec<(&'static str, String)> {
        let filled = |text: &str| {
            text.replace("{{name}}", name.as_str())
                .replace("{{type}}", &name.type_name())
                .replace("{{template}}", self.name())
        };
        let files = self.own().iter().chain(COMMON);
        files.map(|(file, text)| (*file, filled(text))).collect()
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|template| template.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no template \"{text}\"; there are: {names}")
        })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

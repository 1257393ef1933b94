//! `bundle.toml`, decoded into types that cannot be wrong.

use std::cell::RefCell;
use std::fmt;
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};

use super::section::{Mistake, Section};
use super::settings::{Setting, flatten};
use crate::limits::Tighter;

/// What a bundle says of itself and of its stages.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// Its name: lower-case letters, digits, `-`, `_` and `.`; safe as a file name.
    pub name: String,
    /// Its version, for people.
    pub version: String,
    /// What happens to a job when a stage is faulty.
    pub on_failure: OnFailure,
    /// The selection chain, in order; never empty.
    pub selection: Vec<StageSpec>,
    /// The byoc chain, in order.
    pub byoc: Vec<StageSpec>,
    /// The failover chain, in order.
    pub failover: Vec<StageSpec>,
    /// What the bundle asks to be held to.
    pub limits: Tighter,
    /// Questions that its components must answer as recorded.
    pub vectors: Option<VectorsSpec>,
}

/// The file of golden vectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VectorsSpec {
    /// Its name, with `.jsonl`.
    pub file: String,
    /// SHA-256 of it.
    pub sha256: Digest,
}

/// One stage.
#[derive(Clone, Debug, PartialEq)]
pub struct StageSpec {
    /// File name of the component, with `.wasm`.
    pub component: String,
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// A fault here refuses the job, whatever [`Manifest::on_failure`] says.
    pub required: bool,
    /// What happens when the stage excludes everybody. Selection only.
    pub on_empty: OnEmpty,
    /// What its scores are multiplied with: finite, from 0 up. Selection only.
    pub weight: f64,
    /// What it is configured with.
    pub settings: Vec<Setting>,
}

/// What a fault does to the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The native twins of the same stages decide.
    Default,
    /// The last good generation decides; where there is none, the job is refused.
    Previous,
    /// The job is refused.
    Reject,
}

/// What happens when a stage excludes every candidate that was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnEmpty {
    /// The job is refused.
    Fail,
    /// What the stage excluded comes back.
    Skip,
}

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

/// The manifest cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It is no TOML.
    #[error("bundle.toml is not TOML: {0}")]
    Syntax(String),
    /// It is TOML with mistakes in it: all of them.
    #[error("bundle.toml: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Mistakes(Vec<Mistake>),
}

/// Most stages of a chain.
const MAX_STAGES: usize = 16;
/// Longest name and version, bytes.
const MAX_NAME: usize = 64;

// === impl Manifest ===

impl Manifest {
    /// Reads `text`.
    ///
    /// # Errors
    ///
    /// [`ManifestError`] with every mistake found, each naming its key.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let table: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| ManifestError::Syntax(error.to_string()))?;
        let mistakes = RefCell::default();
        let manifest = read(Section::new(String::new(), &table, &mistakes));
        let mistakes = mistakes.into_inner();
        match manifest {
            Some(manifest) if mistakes.is_empty() => Ok(manifest),
            _ => Err(ManifestError::Mistakes(mistakes)),
        }
    }

    /// Every stage of every chain.
    pub fn stages(&self) -> impl Iterator<Item = &StageSpec> {
        let chains = [&self.selection, &self.byoc, &self.failover];
        chains.into_iter().flatten()
    }
}

/// `None` only beside a mistake.
fn read(mut root: Section<'_>) -> Option<Manifest> {
    let name = root.required_text("name");
    if name.is_some_and(|name| !is_name(name)) {
        root.mistake(
            "name",
            format!(
                "has 1 to {MAX_NAME} of a-z, 0-9, -, _ and ., and begins with a letter or digit"
            ),
        );
    }
    let version = root.required_text("version");
    if version.is_some_and(|version| !is_version(version)) {
        root.mistake("version", "is no version, such as 1.2.0");
    }
    let on_failure = root.choice(
        "on-failure",
        &[
            ("default", OnFailure::Default),
            ("previous", OnFailure::Previous),
            ("reject", OnFailure::Reject),
        ],
    );
    let selection = stages(&mut root, "selection", true);
    let byoc = stages(&mut root, "byoc", false);
    let failover = stages(&mut root, "failover", false);
    if selection.is_empty() {
        root.mistake("selection", "a bundle has at least one [[selection]] stage");
    }
    let limits = root.section("limits").map(limits).unwrap_or_default();
    let vectors = root.section("vectors").and_then(vectors);
    root.finish();
    Some(Manifest {
        name: name?.to_owned(),
        version: version?.to_owned(),
        on_failure: on_failure.unwrap_or(OnFailure::Previous),
        selection,
        byoc,
        failover,
        limits,
        vectors,
    })
}

/// `None` only beside a mistake.
fn vectors(mut section: Section<'_>) -> Option<VectorsSpec> {
    let file = section.required_text("file");
    if file.is_some_and(|file| !is_file(file, ".jsonl")) {
        section.mistake(
            "file",
            "is a file name in the bundle's own folder, ending in .jsonl",
        );
    }
    let sha256 = digest(&mut section);
    section.finish();
    Some(VectorsSpec {
        file: file?.to_owned(),
        sha256: sha256?,
    })
}

fn digest(section: &mut Section<'_>) -> Option<Digest> {
    let text = section.required_text("sha256")?;
    let digest = Digest::parse(text);
    if digest.is_none() {
        section.mistake("sha256", "has 64 hexadecimal digits");
    }
    digest
}

fn stages(root: &mut Section<'_>, key: &'static str, selects: bool) -> Vec<StageSpec> {
    let sections = root.sections(key);
    if sections.len() > MAX_STAGES {
        root.mistake(key, format!("a chain has at most {MAX_STAGES} stages"));
        return Vec::new();
    }
    sections
        .into_iter()
        .filter_map(|section| stage(section, selects))
        .collect()
}

/// `None` only beside a mistake.
fn stage(mut section: Section<'_>, selects: bool) -> Option<StageSpec> {
    let component = section.required_text("component");
    if component.is_some_and(|component| !is_component(component)) {
        section.mistake(
            "component",
            "is a file name in the bundle's own folder, ending in .wasm",
        );
    }
    let sha256 = digest(&mut section);
    let required = section.flag("required").unwrap_or(false);
    let (mut on_empty, mut weight) = (OnEmpty::Fail, 1.0);
    if selects {
        let choices = [("fail", OnEmpty::Fail), ("skip", OnEmpty::Skip)];
        on_empty = section.choice("on-empty", &choices).unwrap_or(on_empty);
        weight = section.number("weight").unwrap_or(weight);
        if !(0.0..=1e6).contains(&weight) {
            section.mistake("weight", "is a number from 0 to a million");
        }
    }
    let settings = match section.table("settings").map(flatten).transpose() {
        Ok(settings) => settings.unwrap_or_default(),
        Err((key, message)) => {
            section.mistake(&format!("settings.{key}"), message);
            Vec::new()
        }
    };
    section.finish();
    Some(StageSpec {
        component: component?.to_owned(),
        sha256: sha256?,
        required,
        on_empty,
        weight,
        settings,
    })
}

fn limits(mut section: Section<'_>) -> Tighter {
    let limits = Tighter {
        fuel_base: section.positive("fuel-base").and_then(NonZeroU64::new),
        fuel_row: section.positive("fuel-row"),
        memory_kib: section.positive("memory-kib").and_then(NonZeroUsize::new),
        time_ms: section.positive("time-ms").and_then(NonZeroU32::new),
    };
    section.finish();
    limits
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= MAX_NAME
        && name.bytes().next().is_some_and(plain)
        && name
            .bytes()
            .all(|byte| plain(byte) || b"-_.".contains(&byte))
}

fn is_version(version: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte);
    (1..=MAX_NAME).contains(&version.len()) && version.bytes().all(plain)
}

/// Whether `name` is a component's file name: one plain name, so that no path leads out of the bundle.
pub(super) fn is_component(name: &str) -> bool {
    is_file(name, ".wasm")
}

fn is_file(name: &str, ending: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    name.strip_suffix(ending).is_some_and(|stem| {
        !stem.is_empty()
            && stem.len() <= MAX_NAME
            && !stem.starts_with('.')
            && stem.bytes().all(plain)
    })
}

// === impl StageSpec ===

impl StageSpec {
    /// The component's name: its file name without `.wasm`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.component
            .strip_suffix(".wasm")
            .unwrap_or(&self.component)
    }
}

// === impl Digest ===

impl Digest {
    /// The SHA-256 of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests;

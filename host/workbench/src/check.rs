//! `policy check`: would a gateway take this bundle?

use std::fmt;
use std::sync::Arc;

use pointsman_policy::vectors::{Component, Outcome, Rig, Vectors};
use pointsman_policy::{Config, Host, Limits, LoadError};
use serde::Serialize;

use crate::Error;
use crate::inspect::{Inspected, inspect};
use crate::open::{Gateway, Opened, parts};

/// What was found of a bundle that loads.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// Whether a gateway would take it.
    pub ok: bool,
    /// What it is.
    #[serde(flatten)]
    pub about: Inspected,
    /// Golden vectors that were answered as recorded.
    pub vectors_alike: usize,
    /// Those that were not: what is wrong.
    pub problems: Vec<String>,
}

/// Loads `opened` as a gateway would, and asks it its golden vectors.
///
/// # Errors
///
/// What to mend.
pub fn check(opened: &Opened, gateway: &Gateway) -> Result<Checked, Error> {
    let host = Host::new(Config::default(), Some(Arc::clone(&gateway.twins)))?;
    host.load(&opened.bundle)?;
    let vectors = Vectors::parse(opened.vectors.as_deref().unwrap_or_default())?;
    let outcome = put(&vectors, opened)?;
    let strangers = outcome.strangers.iter().map(|(policy, count)| {
        format!("{count} golden vectors are about {policy}, which is not in the bundle")
    });
    let misses = outcome
        .misses
        .iter()
        .map(|miss| format!("golden vectors: {miss}"));
    let problems: Vec<String> = misses.chain(strangers).collect();
    Ok(Checked {
        ok: problems.is_empty(),
        about: inspect(opened)?,
        vectors_alike: outcome.alike,
        problems,
    })
}

/// Puts `vectors` to the components of a bundle.
pub(crate) fn put(vectors: &Vectors, opened: &Opened) -> Result<Outcome, Error> {
    if vectors.is_empty() {
        return Ok(Outcome::default());
    }
    let manifest = opened.bundle.manifest();
    let limits = Limits::default()
        .tighten(&manifest.limits)
        .map_err(LoadError::from)?;
    let parts = parts(&opened.bundle);
    let components: Vec<Component<'_>> = parts
        .iter()
        .map(|part| Component {
            file: &part.spec.component,
            bytes: part.bytes,
            hook: part.hook,
            settings: &part.spec.settings,
        })
        .collect();
    Ok(vectors.put(&Rig::new()?, &components, limits)?)
}

// === impl Checked ===

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = &self.about;
        writeln!(f, "{} {}  ({})", about.name, about.version, about.origin)?;
        for stage in &about.stages {
            writeln!(
                f,
                "  {:<9}  {:<20} {:>6} bytes  {}",
                stage.hook, stage.policy, stage.size_bytes, stage.summary
            )?;
        }
        for problem in &self.problems {
            writeln!(f, "  wrong: {problem}")?;
        }
        let golden = match about.vectors {
            0 => String::new(),
            count => format!(
                "; {} of {count} golden vectors answered as recorded",
                self.vectors_alike
            ),
        };
        match self.ok {
            true => write!(f, "ok: a gateway takes it{golden}"),
            false => write!(f, "not ok{golden}"),
        }
    }
}

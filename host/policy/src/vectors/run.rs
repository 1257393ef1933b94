//! Vectors put to the components they are about.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{Rig, Subject, Vector};
use crate::bundle::{Bundle, Digest, Setting};
use crate::engine::Engine;
use crate::fault::{Fault, Hook};
use crate::limits::Limits;
use crate::load::LoadError;

/// Most bytes of vectors in a bundle.
pub const MAX_VECTORS: usize = 16 << 20;
/// Most vectors in a bundle.
const MAX_COUNT: usize = 10_000;

/// A file of vectors.
#[derive(Clone, Debug, Default)]
pub struct Vectors(Vec<Vector>);

/// The file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VectorError {
    /// It is too large.
    #[error(
        "the vectors have more than {MAX_VECTORS} bytes or {MAX_COUNT} lines; keep the telling ones"
    )]
    TooMany,
    /// A line is wrong.
    #[error("line {line} of the vectors: {reason}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

/// What came of asking.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Questions answered as recorded.
    pub alike: usize,
    /// Questions that no component here is the one to ask, by the policy they name.
    pub strangers: BTreeMap<String, usize>,
    /// Questions answered otherwise.
    pub misses: Vec<Miss>,
}

/// A question that was answered otherwise.
#[derive(Debug)]
pub struct Miss {
    /// Counted from 1, among all that were asked.
    pub number: usize,
    /// Who was asked.
    pub policy: String,
    /// What happened.
    pub why: Why,
}

/// How an answer differs.
#[derive(Debug)]
pub enum Why {
    /// It cannot be configured as it was.
    Load(Box<LoadError>),
    /// It asks for something else.
    Plan {
        /// As recorded.
        wanted: Vec<String>,
        /// As the component says.
        found: Vec<String>,
    },
    /// Asking it is a fault.
    Fault(Fault),
    /// It answers something else.
    Answer {
        /// As recorded.
        wanted: serde_json::Value,
        /// As the component says.
        found: serde_json::Value,
    },
}

/// A component by its file name, for asking.
#[derive(Clone, Copy, Debug)]
pub struct Component<'a> {
    /// File name.
    pub file: &'a str,
    /// What it is.
    pub bytes: &'a [u8],
    /// A hook that it has.
    pub hook: Hook,
    /// Settings that it takes there.
    pub settings: &'a [Setting],
}

// === impl Vectors ===

impl Vectors {
    /// Reads a file: a vector a line, empty lines aside.
    ///
    /// # Errors
    ///
    /// [`VectorError`], naming the line.
    pub fn parse(text: &str) -> Result<Self, VectorError> {
        if text.len() > MAX_VECTORS {
            return Err(VectorError::TooMany);
        }
        let lines = (1..)
            .zip(text.lines())
            .filter(|(_, line)| !line.trim().is_empty());
        let mut vectors = Vec::new();
        for (line, text) in lines {
            if vectors.len() == MAX_COUNT {
                return Err(VectorError::TooMany);
            }
            let vector =
                Vector::parse(text).map_err(|reason| VectorError::Line { line, reason })?;
            vectors.push(vector);
        }
        Ok(Self(vectors))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Asks each of `components` what is recorded of it.
    ///
    /// # Errors
    ///
    /// When a component cannot be used with its own settings.
    pub fn put(
        &self,
        rig: &Rig,
        components: &[Component<'_>],
        limits: Limits,
    ) -> Result<Outcome, LoadError> {
        let mut names: BTreeMap<String, Component<'_>> = BTreeMap::new();
        for component in components {
            let Component {
                file,
                bytes,
                hook,
                settings,
            } = *component;
            let subject = rig.subject(file, bytes, hook, settings, limits)?;
            let said = subject.fresh().and_then(|mut asked| asked.describe());
            let said = said.map_err(|fault| LoadError::Faulty {
                component: file.to_owned(),
                kind: fault.kind,
                detail: fault.detail,
            })?;
            names.insert(said.name, *component);
        }
        let mut outcome = Outcome::default();
        let mut subjects: Vec<(&Vector, Result<Subject, ()>)> = Vec::new();
        for (number, vector) in (1..).zip(&self.0) {
            let Some(component) = names.get(&vector.policy) else {
                *outcome.strangers.entry(vector.policy.clone()).or_default() += 1;
                continue;
            };
            let known = subjects.iter().position(|(first, _)| first.same(vector));
            let place = known.unwrap_or_else(|| {
                let made = rig.subject(
                    component.file,
                    component.bytes,
                    vector.question.hook(),
                    &vector.settings,
                    limits,
                );
                let made = made.map_err(|error| {
                    outcome
                        .misses
                        .push(Miss::new(number, vector, Why::Load(Box::new(error))));
                });
                subjects.push((vector, made));
                subjects.len() - 1
            });
            // What cannot be configured was told once.
            if let (_, Ok(subject)) = &subjects[place] {
                match ask(subject, vector) {
                    Ok(()) => outcome.alike += 1,
                    Err(why) => outcome.misses.push(Miss::new(number, vector, why)),
                }
            }
        }
        Ok(outcome)
    }
}

/// Asks one question of a fresh instance.
fn ask(subject: &Subject, vector: &Vector) -> Result<(), Why> {
    let (wanted, found) = (&vector.plan, subject.plan());
    if wanted != found {
        let told = |plan: &crate::wit::Plan| {
            let causes = plan.causes.iter().map(|cause| cause.text.clone());
            let names = plan.columns.iter().chain(&plan.facts).cloned();
            names.chain(causes).collect()
        };
        return Err(Why::Plan {
            wanted: told(wanted),
            found: told(found),
        });
    }
    let mut asked = subject.fresh().map_err(Why::Fault)?;
    let found = asked.ask(&vector.question).map_err(Why::Fault)?;
    let found = found.answer.shown();
    if found == vector.answer {
        return Ok(());
    }
    Err(Why::Answer {
        wanted: vector.answer.clone(),
        found,
    })
}

// === impl Vector ===

impl Vector {
    /// Whether one subject can be asked both.
    fn same(&self, other: &Self) -> bool {
        self.policy == other.policy
            && self.question.hook() == other.question.hook()
            && self.settings == other.settings
    }
}

/// Puts a bundle's own vectors to its own components. The first that is answered otherwise refuses the bundle.
pub(crate) fn golden(
    bundle: &Bundle,
    limits: Limits,
    engine: Arc<Engine>,
    compiled: BTreeMap<Digest, wasmtime::component::Component>,
) -> Result<(), LoadError> {
    let Some(text) = bundle.vectors() else {
        return Ok(());
    };
    let refused = |reason: String| LoadError::Vectors { reason };
    let vectors = Vectors::parse(text).map_err(|error| refused(error.to_string()))?;
    let manifest = bundle.manifest();
    let chains = [
        (Hook::Selection, &manifest.selection),
        (Hook::Byoc, &manifest.byoc),
        (Hook::Failover, &manifest.failover),
    ];
    let components: Vec<Component<'_>> = chains
        .into_iter()
        .flat_map(|(hook, stages)| stages.iter().map(move |stage| (hook, stage)))
        .map(|(hook, stage)| Component {
            file: &stage.component,
            bytes: bundle.component(stage),
            hook,
            settings: &stage.settings,
        })
        .collect();
    let rig = Rig::over(engine, compiled);
    let outcome = vectors.put(&rig, &components, limits)?;
    match outcome.misses.first() {
        Some(miss) => Err(refused(miss.to_string())),
        None => Ok(()),
    }
}

// === impl Outcome ===

impl Outcome {
    /// Whether every question that was asked was answered as recorded.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.misses.is_empty()
    }
}

// === impl Miss ===

impl Miss {
    fn new(number: usize, vector: &Vector, why: Why) -> Self {
        Self {
            number,
            policy: vector.policy.clone(),
            why,
        }
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "question {} to {}: ", self.number, self.policy)?;
        match &self.why {
            Why::Load(error) => write!(f, "{error}"),
            Why::Plan { wanted, found } => {
                write!(f, "it asks for {found:?}, recorded is {wanted:?}")
            }
            Why::Fault(fault) => write!(f, "{fault}"),
            Why::Answer { wanted, found } => {
                write!(f, "the component answers {found}, recorded is {wanted}")
            }
        }
    }
}

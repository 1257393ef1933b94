//! From a bundle to chains that can be asked: check, compile, configure, resolve. All of it off the hot path.

use std::collections::BTreeMap;
use std::sync::Arc;

use pointsman_facts::Column;
use wasmtime::component::Component;

use crate::bundle::{Bundle, Digest, Manifest, OnFailure, StageSpec};
use crate::chain::{Chain, Runner, Stage};
use crate::component::{self, ComponentError};
use crate::engine::{Engine, Instance, Pool, Refused, Template};
use crate::fault::{Cause, FaultKind, Hook, plain};
use crate::limits::{Limits, TooLoose};
use crate::native::{NativeBundle, NativeStage};
use crate::plan::{PlanError, Resolved};
use crate::vectors::golden;
use crate::wit::{self, Problem};

/// A bundle that passed every check, to be activated.
pub struct Loaded {
    pub(crate) manifest: Manifest,
    pub(crate) digest: Digest,
    pub(crate) chain: Chain,
    /// The native twins, where faults fall back to them.
    pub(crate) native: Option<Chain>,
    pub(crate) about: Vec<About>,
}

/// What the policy of a stage says of itself.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct About {
    /// Name of the stage in decisions.
    pub stage: Arc<str>,
    /// What it is asked.
    pub hook: Hook,
    /// The policy's own name; empty natively, like the rest.
    pub name: String,
    /// Its version.
    pub version: String,
    /// One sentence.
    pub summary: String,
    /// JSON Schema of its settings.
    pub settings_schema: String,
}

/// A bundle cannot be used. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A component is no policy for this host.
    #[error("{component}: {cause}")]
    Component {
        /// Its file name.
        component: String,
        /// Why.
        cause: ComponentError,
    },
    /// A component does not compile, or its types are not the contract's.
    #[error("{component} does not compile or fit this host: {message}")]
    Compile {
        /// Its file name.
        component: String,
        /// What the compiler says.
        message: String,
    },
    /// A policy was faulty while it was configured.
    #[error("{component} failed while it was configured: {kind}: {detail}")]
    Faulty {
        /// Its file name.
        component: String,
        /// What happened.
        kind: FaultKind,
        /// What is known about it.
        detail: String,
    },
    /// A policy does not take its settings.
    #[error("{component} refuses its settings: {}", told(problems))]
    Settings {
        /// Its file name.
        component: String,
        /// What it says, at most 16.
        problems: Vec<Problem>,
    },
    /// A policy asks for what this host does not have.
    #[error("{component}: {cause}")]
    Plan {
        /// Its file name.
        component: String,
        /// What.
        cause: PlanError,
    },
    /// Two instances with the same settings gave different plans.
    #[error(
        "{component} is not pure: two fresh instances with the same settings gave different plans"
    )]
    Impure {
        /// Its file name.
        component: String,
    },
    /// A component does not answer as the bundle's golden vectors say.
    #[error("the bundle's golden vectors: {reason}")]
    Vectors {
        /// The first difference.
        reason: String,
    },
    /// The bundle asks for looser limits.
    #[error(transparent)]
    Limits(#[from] TooLoose),
    /// The bundle falls back to native twins, and there is none for a component.
    #[error(
        "{component} has no native twin here: on-failure = \"default\" is for the components that the gateway comes with; write \"previous\" or \"reject\""
    )]
    NoTwin {
        /// Its file name.
        component: String,
    },
}

/// What a chain is made of: for each stage of the manifest, who answers.
struct Builder<'a> {
    bundle: &'a Bundle,
    columns: Vec<Column>,
    about: Vec<About>,
}

/// Longest description kept, bytes: it comes from the policy.
const MAX_ABOUT: usize = 16 << 10;
/// Problems with settings kept.
const MAX_PROBLEMS: usize = 16;

fn told(problems: &[Problem]) -> String {
    let one = |problem: &Problem| match problem.key.as_str() {
        "" => problem.message.clone(),
        key => format!("{key}: {}", problem.message),
    };
    problems.iter().map(one).collect::<Vec<_>>().join("; ")
}

// === impl Loaded ===

impl Loaded {
    /// The bundle's manifest.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What identifies the bundle.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What the policies say of themselves, by stage.
    #[must_use]
    pub fn about(&self) -> &[About] {
        &self.about
    }

    /// Loads `bundle` as components; the native twins too, where faults fall back to them.
    pub(crate) fn wasm(
        bundle: &Bundle,
        engine: &Arc<Engine>,
        limits: &Limits,
        twins: Option<&dyn NativeBundle>,
    ) -> Result<Self, LoadError> {
        let limits = limits.tighten(&bundle.manifest().limits)?;
        for (hook, spec) in stages(bundle.manifest()) {
            component::check(bundle.component(spec), hook).map_err(|cause| {
                LoadError::Component {
                    component: spec.component.clone(),
                    cause,
                }
            })?;
        }
        let native = match bundle.manifest().on_failure {
            OnFailure::Default => Some(Self::native(bundle, twins)?.chain),
            OnFailure::Previous | OnFailure::Reject => None,
        };
        let mut compiled: BTreeMap<&str, Component> = BTreeMap::new();
        let mut builder = Builder::new(bundle);
        let chain = builder.chain(|spec, name, hook| {
            let component = match compiled.get(spec.component.as_str()) {
                Some(component) => component.clone(),
                None => engine
                    .compile(bundle.component(spec))
                    .map_err(|error| compile_error(spec, &error))?,
            };
            compiled.insert(&spec.component, component.clone());
            configured(engine, &component, spec, name, hook, limits)
        })?;
        let known = bundle.manifest().stages();
        let known =
            known.filter_map(|spec| Some((spec.sha256, compiled.get(&*spec.component)?.clone())));
        golden(bundle, limits, Arc::clone(engine), known.collect())?;
        Ok(builder.finish(chain, native))
    }

    /// Loads `bundle` natively: the same stages and settings, no components.
    pub(crate) fn native(
        bundle: &Bundle,
        twins: Option<&dyn NativeBundle>,
    ) -> Result<Self, LoadError> {
        let mut builder = Builder::new(bundle);
        let chain = builder.chain(|spec, name, hook| {
            let stage = twin(twins, spec, hook)?;
            let about = About {
                stage: Arc::clone(name),
                hook,
                name: String::new(),
                version: String::new(),
                summary: String::new(),
                settings_schema: String::new(),
            };
            Ok((stage.plan(), Runner::Native(stage), about))
        })?;
        Ok(builder.finish(chain, None))
    }
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaded")
            .field("manifest", &self.manifest)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

// === impl Builder ===

impl<'a> Builder<'a> {
    fn new(bundle: &'a Bundle) -> Self {
        Self {
            bundle,
            columns: Vec::new(),
            about: Vec::new(),
        }
    }

    fn chain(
        &mut self,
        mut make: impl FnMut(
            &'a StageSpec,
            &Arc<str>,
            Hook,
        ) -> Result<(wit::Plan, Runner, About), LoadError>,
    ) -> Result<Chain, LoadError> {
        let (mut selection, mut byoc, mut failover) = (Vec::new(), Vec::new(), Vec::new());
        for (hook, spec) in stages(self.bundle.manifest()) {
            let chain = match hook {
                Hook::Selection => &mut selection,
                Hook::Byoc => &mut byoc,
                Hook::Failover => &mut failover,
            };
            let name = name(spec, chain);
            let (plan, runner, about) = make(spec, &name, hook)?;
            let plan =
                Resolved::new(&plan, &mut self.columns).map_err(|cause| LoadError::Plan {
                    component: spec.component.clone(),
                    cause,
                })?;
            self.about.push(about);
            chain.push(Stage {
                name,
                hook,
                required: spec.required,
                on_empty: spec.on_empty,
                weight: spec.weight,
                plan,
                runner,
            });
        }
        let columns = std::mem::take(&mut self.columns);
        Ok(Chain::new(selection, byoc, failover, columns))
    }

    fn finish(self, chain: Chain, native: Option<Chain>) -> Loaded {
        Loaded {
            manifest: self.bundle.manifest().clone(),
            digest: self.bundle.digest(),
            chain,
            native,
            about: self.about,
        }
    }
}

fn stages(manifest: &Manifest) -> impl Iterator<Item = (Hook, &StageSpec)> {
    let selection = manifest
        .selection
        .iter()
        .map(|spec| (Hook::Selection, spec));
    let byoc = manifest.byoc.iter().map(|spec| (Hook::Byoc, spec));
    let failover = manifest.failover.iter().map(|spec| (Hook::Failover, spec));
    selection.chain(byoc).chain(failover)
}

/// The name of a stage: its component's, numbered from the second of the same component on.
fn name(spec: &StageSpec, before: &[Stage]) -> Arc<str> {
    let taken = |name: &str| before.iter().any(|stage| *stage.name == *name);
    let numbered = (2..).map(|number| format!("{}#{number}", spec.name()));
    std::iter::once(spec.name().to_owned())
        .chain(numbered)
        .find(|name| !taken(name))
        .expect("numbers do not end")
        .into()
}

fn twin(
    twins: Option<&dyn NativeBundle>,
    spec: &StageSpec,
    hook: Hook,
) -> Result<Box<dyn NativeStage>, LoadError> {
    let stage = twins.and_then(|twins| twins.stage(spec.name(), hook, &spec.settings));
    let Some(stage) = stage else {
        return Err(LoadError::NoTwin {
            component: spec.component.clone(),
        });
    };
    stage.map_err(|problems| settings_error(spec, problems))
}

/// Makes two instances of a stage, holds their plans against each other, and keeps both warm.
fn configured(
    engine: &Engine,
    component: &Component,
    spec: &StageSpec,
    name: &Arc<str>,
    hook: Hook,
    limits: Limits,
) -> Result<(wit::Plan, Runner, About), LoadError> {
    let settings = spec.settings.clone();
    let template = Template::new(engine, component, Arc::clone(name), hook, settings, limits)
        .map_err(|error| compile_error(spec, &error))?;
    let make = || {
        template.instantiate().map_err(|refused| match refused {
            Refused::Fault(cause) => faulty(spec, cause),
            Refused::Settings(problems) => settings_error(spec, problems),
        })
    };
    let (mut first, plan) = make()?;
    let (second, again) = make()?;
    if plan != again {
        return Err(LoadError::Impure {
            component: spec.component.clone(),
        });
    }
    let about = described(&mut first, spec, name, hook)?;
    let pool = Pool::new(template, plan.clone(), vec![first, second]);
    Ok((plan, Runner::Wasm(Box::new(pool)), about))
}

fn described(
    instance: &mut Instance,
    spec: &StageSpec,
    name: &Arc<str>,
    hook: Hook,
) -> Result<About, LoadError> {
    let said = instance.describe().map_err(|cause| faulty(spec, cause))?;
    Ok(About {
        stage: Arc::clone(name),
        hook,
        name: plain(said.name, Limits::MAX_STRING),
        version: plain(said.version, Limits::MAX_STRING),
        summary: plain(said.summary, Limits::MAX_STRING),
        settings_schema: plain(said.settings_schema, MAX_ABOUT),
    })
}

fn compile_error(spec: &StageSpec, error: &wasmtime::Error) -> LoadError {
    LoadError::Compile {
        component: spec.component.clone(),
        message: format!("{error:#}"),
    }
}

fn faulty(spec: &StageSpec, cause: Cause) -> LoadError {
    LoadError::Faulty {
        component: spec.component.clone(),
        kind: cause.kind,
        detail: cause.detail,
    }
}

fn settings_error(spec: &StageSpec, mut problems: Vec<Problem>) -> LoadError {
    problems.truncate(MAX_PROBLEMS);
    for problem in &mut problems {
        problem.key = plain(std::mem::take(&mut problem.key), Limits::MAX_STRING);
        problem.message = plain(std::mem::take(&mut problem.message), Limits::MAX_STRING);
    }
    LoadError::Settings {
        component: spec.component.clone(),
        problems,
    }
}

//! One component, asked on its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use wasmtime::component::Component;

use super::{Answer, Question, What};
use crate::bundle::{Digest, OnEmpty, Setting};
use crate::chain::byoc::acceptable;
use crate::chain::merge::{Merge, Rules, bad_row, checked};
use crate::component;
use crate::engine::{Allocation, Engine, EngineError, Instance, Refused, Template};
use crate::fault::{Cause, Fault, FaultKind, Hook, plain};
use crate::limits::Limits;
use crate::load::LoadError;
use crate::plan::Resolved;
use crate::wit::{self, Bargain, Patience, Plan, Recovery, Table};

/// Where components are tried, without a host.
pub struct Rig {
    engine: Arc<Engine>,
    /// What was compiled already: one component is often asked with several settings.
    compiled: Mutex<BTreeMap<Digest, Component>>,
}

/// A component with its hook and settings.
pub struct Subject {
    template: Template,
    stage: Arc<str>,
    hook: Hook,
    plan: Plan,
}

/// One instance of a subject.
pub struct Asked<'a> {
    subject: &'a Subject,
    instance: Instance,
}

/// An answer that passed its checks.
#[derive(Clone, Debug)]
pub struct Answered {
    /// It.
    pub answer: Answer,
    /// What it took. One unit is about one instruction.
    pub fuel: u64,
}

// === impl Rig ===

impl Rig {
    /// An engine of its own, on demand: instances here come and go one at a time.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when it cannot start.
    pub fn new() -> Result<Self, EngineError> {
        let engine = Engine::new(Allocation::OnDemand, None)?;
        Ok(Self::over(Arc::new(engine), BTreeMap::new()))
    }

    /// On a host's engine, with what that compiled already.
    pub(crate) fn over(engine: Arc<Engine>, compiled: BTreeMap<Digest, Component>) -> Self {
        Self {
            engine,
            compiled: Mutex::new(compiled),
        }
    }

    /// Checks, compiles and configures `component`, whose file is called `name`, as a stage of `hook`.
    ///
    /// # Errors
    ///
    /// The same as for a stage of a bundle.
    pub fn subject(
        &self,
        name: &str,
        bytes: &[u8],
        hook: Hook,
        settings: &[Setting],
        limits: Limits,
    ) -> Result<Subject, LoadError> {
        let component = || name.to_owned();
        component::check(bytes, hook).map_err(|cause| LoadError::Component {
            component: component(),
            cause,
        })?;
        let compile = |error: wasmtime::Error| LoadError::Compile {
            component: component(),
            message: format!("{error:#}"),
        };
        let compiled = self.compile(bytes).map_err(compile)?;
        let stage: Arc<str> = name.strip_suffix(".wasm").unwrap_or(name).into();
        let template = Template::new(
            &self.engine,
            &compiled,
            Arc::clone(&stage),
            hook,
            settings.to_vec(),
            limits,
        )
        .map_err(compile)?;
        let make = || {
            template.instantiate().map_err(|refused| match refused {
                Refused::Fault(Cause { kind, detail }) => LoadError::Faulty {
                    component: component(),
                    kind,
                    detail,
                },
                Refused::Settings(problems) => LoadError::Settings {
                    component: component(),
                    problems,
                },
            })
        };
        let ((_, plan), (_, again)) = (make()?, make()?);
        if plan != again {
            return Err(LoadError::Impure {
                component: component(),
            });
        }
        Resolved::new(&plan, &mut Vec::new()).map_err(|cause| LoadError::Plan {
            component: component(),
            cause,
        })?;
        Ok(Subject {
            template,
            stage,
            hook,
            plan,
        })
    }

    fn compile(&self, bytes: &[u8]) -> wasmtime::Result<Component> {
        let digest = Digest::of(bytes);
        let mut compiled = self.compiled.lock();
        if let Some(component) = compiled.get(&digest) {
            return Ok(component.clone());
        }
        let component = self.engine.compile(bytes)?;
        compiled.insert(digest, component.clone());
        Ok(component)
    }
}

impl std::fmt::Debug for Rig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rig").finish_non_exhaustive()
    }
}

// === impl Subject ===

impl Subject {
    /// What it asks for, and its causes.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What it is asked.
    #[must_use]
    pub fn hook(&self) -> Hook {
        self.hook
    }

    /// A fresh, configured instance.
    ///
    /// # Errors
    ///
    /// A fault that the first ones did not have.
    pub fn fresh(&self) -> Result<Asked<'_>, Fault> {
        let refused = |refused| match refused {
            Refused::Fault(cause) => self.fault(cause),
            Refused::Settings(_) => self.fault(Cause::new(
                FaultKind::ConfigureFailed,
                "it refuses settings that it took before",
            )),
        };
        let (instance, plan) = self.template.instantiate().map_err(refused)?;
        if plan != self.plan {
            return Err(self.fault(Cause::new(
                FaultKind::PlanChanged,
                "a fresh instance came up with another plan than the first one",
            )));
        }
        Ok(Asked {
            subject: self,
            instance,
        })
    }

    fn fault(&self, cause: Cause) -> Fault {
        Fault {
            kind: cause.kind,
            stage: Arc::clone(&self.stage),
            hook: self.hook,
            detail: cause.detail,
        }
    }
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subject")
            .field("stage", &self.stage)
            .field("hook", &self.hook)
            .finish_non_exhaustive()
    }
}

// === impl Asked ===

impl Asked<'_> {
    /// Who the policy says it is.
    ///
    /// # Errors
    ///
    /// The fault.
    pub fn describe(&mut self) -> Result<wit::Description, Fault> {
        let said = self.instance.describe();
        let said = said.map_err(|cause| self.subject.fault(cause))?;
        Ok(wit::Description {
            name: plain(said.name, Limits::MAX_STRING),
            version: plain(said.version, Limits::MAX_STRING),
            summary: plain(said.summary, Limits::MAX_STRING),
            ..said
        })
    }

    /// Puts `question` to the instance and checks the answer.
    ///
    /// # Errors
    ///
    /// The fault that it would be in a chain. After one the instance is of no use.
    pub fn ask(&mut self, question: &Question) -> Result<Answered, Fault> {
        let (columns, rows) = (question.table().lower(), question.table().rows);
        let answer = self.put(question, rows, &columns);
        let answer = answer.and_then(|answer| {
            accept(&answer, rows, self.subject.plan.causes.len())?;
            Ok(answer)
        });
        let answer = answer.map_err(|cause| self.subject.fault(cause))?;
        let fuel = self.instance.fuel_used(rows as usize);
        Ok(Answered { answer, fuel })
    }

    fn put(
        &mut self,
        question: &Question,
        rows: u32,
        columns: &[wit::Column<'_>],
    ) -> Result<Answer, Cause> {
        let (job, table) = (question.job.lower(), Table { rows, columns });
        let instance = &mut self.instance;
        Ok(match &question.what {
            What::Judge(_) => Answer::Judge(instance.judge(job, table)?),
            What::OnFailure(attempts, _) => {
                Answer::OnFailure(instance.on_failure(job, attempts, table)?)
            }
            What::OnSlow(attempts, _) => Answer::OnSlow(instance.on_slow(job, attempts, table)?),
            What::OnPriceChange(before, after, _) => {
                Answer::OnPriceChange(instance.on_price_change(job, (*before, *after), table)?)
            }
            What::Route(request) => {
                Answer::Route(request.lower(|request| instance.route(job, request))?)
            }
        })
    }
}

impl std::fmt::Debug for Asked<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asked")
            .field("subject", self.subject)
            .finish_non_exhaustive()
    }
}

/// The checks that the chain makes.
fn accept(answer: &Answer, rows: u32, causes: usize) -> Result<(), Cause> {
    let row = |row: u32| {
        if row < rows {
            Ok(())
        } else {
            Err(bad_row(row, rows as usize))
        }
    };
    let refusal = |refusal: &wit::Refusal| checked(refusal.clone(), causes).map(drop);
    match answer {
        Answer::Judge(verdict) => {
            let rules = Rules {
                stage: 0,
                weight: 1.0,
                on_empty: OnEmpty::Fail,
                causes,
            };
            let mut merge = Merge::new((0..rows).collect());
            merge.apply(&rules, verdict.clone(), |_, _| 0).map(drop)
        }
        Answer::OnFailure(remedy) => match &remedy.recovery {
            Recovery::Next(next) => row(*next),
            Recovery::Stop(stop) => refusal(stop),
            Recovery::Abstain | Recovery::RetrySame(_) | Recovery::Rerank => Ok(()),
        },
        Answer::OnSlow(patience) => match patience {
            Patience::Hedge(second) => row(*second),
            Patience::Abstain | Patience::Wait(_) | Patience::Abandon => Ok(()),
        },
        Answer::OnPriceChange(bargain) => match bargain {
            Bargain::Next(next) => row(*next),
            Bargain::Stop(stop) => refusal(stop),
            Bargain::Abstain | Bargain::Accept | Bargain::Renegotiate => Ok(()),
        },
        Answer::Route(routing) => acceptable(routing, causes),
    }
}

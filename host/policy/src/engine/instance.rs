//! One instance of a policy, configured, and the template it is made from.

use std::sync::Arc;

use wasmtime::component::{Component, InstancePre};
use wasmtime::{PoolConcurrencyLimitError, Store, Trap};

use super::Engine;
use super::guest::{Guest, OutOfMemory};
use super::patience;
use crate::bindings::exports::pointsman::policy::{byoc, failover, policy, selection};
use crate::bundle::{Setting, Value};
use crate::fault::{Cause, FaultKind, Hook};
use crate::limits::Limits;
use crate::wit::{
    Attempt, Bargain, Description, Job, Patience, Plan, Price, Problem, Remedy, Request, Routing,
    Table, Verdict,
};

/// What instances of one stage are made from.
pub(crate) struct Template {
    stage: Arc<str>,
    hook: Hook,
    settings: Vec<Setting>,
    limits: Limits,
    pre: InstancePre<Guest>,
    policy: policy::GuestIndices,
    indices: Indices,
}

enum Indices {
    Selection(selection::GuestIndices),
    Byoc(byoc::GuestIndices),
    Failover(failover::GuestIndices),
}

/// A policy that is ready to be asked.
pub(crate) struct Instance {
    store: Store<Guest>,
    limits: Limits,
    policy: policy::Guest,
    exports: Exports,
    calls: u32,
}

enum Exports {
    Selection(selection::Guest),
    Byoc(byoc::Guest),
    Failover(failover::Guest),
}

/// Why there is no instance.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The policy did something wrong.
    Fault(Cause),
    /// It does not take these settings.
    Settings(Vec<Problem>),
}

// === impl Template ===

impl Template {
    /// Links `component` as one stage.
    ///
    /// # Errors
    ///
    /// What wasmtime says when the component's names or imports do not fit.
    pub(crate) fn new(
        engine: &Engine,
        component: &Component,
        stage: Arc<str>,
        hook: Hook,
        settings: Vec<Setting>,
        limits: Limits,
    ) -> wasmtime::Result<Self> {
        let pre = engine.linker.instantiate_pre(component)?;
        let policy = policy::GuestIndices::new(&pre)?;
        let indices = match hook {
            Hook::Selection => Indices::Selection(selection::GuestIndices::new(&pre)?),
            Hook::Byoc => Indices::Byoc(byoc::GuestIndices::new(&pre)?),
            Hook::Failover => Indices::Failover(failover::GuestIndices::new(&pre)?),
        };
        Ok(Self {
            stage,
            hook,
            settings,
            limits,
            pre,
            policy,
            indices,
        })
    }

    /// Makes an instance and configures it: tens of microseconds.
    pub(crate) fn instantiate(&self) -> Result<(Instance, Plan), Refused> {
        let mut instance = self
            .start()
            .map_err(|error| Refused::Fault(classify(&error)))?;
        let plan = instance.configure(self.hook, &self.settings)?;
        Ok((instance, plan))
    }

    fn start(&self) -> wasmtime::Result<Instance> {
        let guest = Guest::new(Arc::clone(&self.stage), &self.limits);
        let mut store = Store::new(self.pre.engine(), guest);
        store.limiter(|guest| guest);
        store.set_hostcall_fuel(Limits::answer_bytes(0));
        patience::watch(&mut store, self.limits.ticks.get());
        self.limits
            .grant(&mut store, self.limits.fuel_configure.get())?;
        let instance = self.pre.instantiate(&mut store)?;
        let policy = self.policy.load(&mut store, &instance)?;
        let exports = match &self.indices {
            Indices::Selection(indices) => Exports::Selection(indices.load(&mut store, &instance)?),
            Indices::Byoc(indices) => Exports::Byoc(indices.load(&mut store, &instance)?),
            Indices::Failover(indices) => Exports::Failover(indices.load(&mut store, &instance)?),
        };
        Ok(Instance {
            store,
            limits: self.limits,
            policy,
            exports,
            calls: 0,
        })
    }
}

impl Limits {
    fn grant(&self, store: &mut Store<Guest>, fuel: u64) -> wasmtime::Result<()> {
        store.set_fuel(fuel)?;
        store.set_epoch_deadline(self.ticks.get().into());
        Ok(())
    }
}

// === impl Instance ===

impl Instance {
    /// How often it has been asked its hook.
    pub(crate) fn calls(&self) -> u32 {
        self.calls
    }

    /// Fuel the last call used.
    pub(crate) fn fuel_used(&self, rows: usize) -> u64 {
        let left = self.store.get_fuel().unwrap_or(0);
        self.limits.fuel(rows).saturating_sub(left)
    }

    fn configure(&mut self, hook: Hook, settings: &[Setting]) -> Result<Plan, Refused> {
        let texts: Vec<Vec<(&str, u64)>> = settings.iter().map(texts).collect();
        let settings: Vec<_> = settings.iter().zip(&texts).map(lower).collect();
        self.policy
            .call_configure(&mut self.store, hook.name(), &settings)
            .map_err(|error| Refused::Fault(classify(&error)))?
            .map_err(Refused::Settings)
    }

    pub(crate) fn describe(&mut self) -> Result<Description, Cause> {
        self.policy
            .call_describe(&mut self.store)
            .map_err(|error| classify(&error))
    }

    fn begin(&mut self, rows: usize) -> wasmtime::Result<()> {
        self.calls += 1;
        self.store.data_mut().renew();
        self.store.set_hostcall_fuel(Limits::answer_bytes(rows));
        self.limits.grant(&mut self.store, self.limits.fuel(rows))
    }

    fn ask<T>(
        &mut self,
        rows: u32,
        call: impl FnOnce(&Exports, &mut Store<Guest>) -> Option<wasmtime::Result<T>>,
    ) -> Result<T, Cause> {
        self.begin(rows as usize)
            .and_then(|()| {
                call(&self.exports, &mut self.store).unwrap_or_else(|| {
                    Err(wasmtime::Error::msg(
                        "asked a hook that it was not made for",
                    ))
                })
            })
            .map_err(|error| classify(&error))
    }

    pub(crate) fn judge(&mut self, job: Job<'_>, candidates: Table<'_>) -> Result<Verdict, Cause> {
        self.ask(candidates.rows, |exports, store| match exports {
            Exports::Selection(guest) => Some(guest.call_judge(store, job, candidates)),
            Exports::Byoc(_) | Exports::Failover(_) => None,
        })
    }

    pub(crate) fn route(&mut self, job: Job<'_>, request: Request<'_>) -> Result<Routing, Cause> {
        self.ask(0, |exports, store| match exports {
            Exports::Byoc(guest) => Some(guest.call_route(store, job, request)),
            Exports::Selection(_) | Exports::Failover(_) => None,
        })
    }

    fn rescue<T>(
        &mut self,
        rows: u32,
        call: impl FnOnce(&failover::Guest, &mut Store<Guest>) -> wasmtime::Result<T>,
    ) -> Result<T, Cause> {
        self.ask(rows, |exports, store| match exports {
            Exports::Failover(guest) => Some(call(guest, store)),
            Exports::Selection(_) | Exports::Byoc(_) => None,
        })
    }

    pub(crate) fn on_failure(
        &mut self,
        job: Job<'_>,
        attempts: &[Attempt],
        remaining: Table<'_>,
    ) -> Result<Remedy, Cause> {
        self.rescue(remaining.rows, |guest, store| {
            guest.call_on_failure(store, job, attempts, remaining)
        })
    }

    pub(crate) fn on_slow(
        &mut self,
        job: Job<'_>,
        attempts: &[Attempt],
        remaining: Table<'_>,
    ) -> Result<Patience, Cause> {
        self.rescue(remaining.rows, |guest, store| {
            guest.call_on_slow(store, job, attempts, remaining)
        })
    }

    pub(crate) fn on_price_change(
        &mut self,
        job: Job<'_>,
        (before, after): (Price, Price),
        remaining: Table<'_>,
    ) -> Result<Bargain, Cause> {
        self.rescue(remaining.rows, |guest, store| {
            guest.call_on_price_change(store, job, before, after, remaining)
        })
    }
}

fn texts(setting: &Setting) -> Vec<(&str, u64)> {
    match &setting.value {
        Value::Texts(texts) => texts
            .iter()
            .map(|(text, symbol)| (text.as_str(), symbol.0))
            .collect(),
        _ => Vec::new(),
    }
}

fn lower<'a>((setting, texts): (&'a Setting, &'a Vec<(&'a str, u64)>)) -> policy::Setting<'a> {
    let value = match &setting.value {
        Value::Bool(value) => policy::Value::Bool(*value),
        Value::Integer(value) => policy::Value::Integer(*value),
        Value::Number(value) => policy::Value::Number(*value),
        Value::Text(text, symbol) => policy::Value::Text((text, symbol.0)),
        Value::Texts(_) => policy::Value::Texts(texts),
        Value::Numbers(values) => policy::Value::Numbers(values),
    };
    policy::Setting {
        key: &setting.key,
        value,
    }
}

/// Which fault an error of wasmtime is: by type where it has one.
fn classify(error: &wasmtime::Error) -> Cause {
    if let Some(memory) = error.downcast_ref::<OutOfMemory>() {
        return Cause::new(FaultKind::Memory, memory.to_string());
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        let kind = match trap {
            Trap::OutOfFuel => FaultKind::OutOfFuel,
            Trap::Interrupt => FaultKind::OutOfTime,
            _ => FaultKind::Trap,
        };
        return Cause::new(kind, trap.to_string());
    }
    let text = format!("{error:#}");
    let kind = if error.is::<PoolConcurrencyLimitError>() {
        FaultKind::NoInstance
    } else if text.contains("fuel allocated for hostcalls has been exhausted") {
        // wasmtime keeps this error's type to itself.
        FaultKind::TooLarge
    } else {
        FaultKind::Malformed
    };
    Cause::new(kind, text)
}

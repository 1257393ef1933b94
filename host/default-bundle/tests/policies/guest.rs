//! The embedded components in wasmtime, with the limits that a host sets: just enough of one to ask a question.

use pointsman_sdk::byoc::Request;
use pointsman_sdk::failover::{Attempt, Blame};
use pointsman_sdk::{Column, Fact, Job, Price, Setting, Table, Value};
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, Store};

/// Bindings of the host's side.
pub(crate) mod host {
    wasmtime::component::bindgen!({ world: "selector", path: "../../wit", additional_derives: [PartialEq] });
}

/// The router's, with the types of the first.
pub(crate) mod route {
    wasmtime::component::bindgen!({
        world: "router",
        path: "../../wit",
        additional_derives: [PartialEq],
        with: {
            "pointsman:policy/types": super::host::pointsman::policy::types,
            "pointsman:policy/log": super::host::pointsman::policy::log,
        },
    });
}

/// The rescuer's, with the types of the first.
pub(crate) mod rescue {
    wasmtime::component::bindgen!({
        world: "rescuer",
        path: "../../wit",
        additional_derives: [PartialEq],
        with: {
            "pointsman:policy/types": super::host::pointsman::policy::types,
            "pointsman:policy/log": super::host::pointsman::policy::log,
        },
    });
}

use host::pointsman::policy::{log, types};
use rescue::exports::pointsman::policy::failover as rescued;
use route::exports::pointsman::policy::byoc as routed;

/// Messages that a component wrote.
#[derive(Default)]
pub(crate) struct Log(pub(crate) Vec<String>);

impl log::Host for Log {
    fn enabled(&mut self, level: log::Level) -> bool {
        matches!(level, log::Level::Error | log::Level::Warn)
    }

    fn write(&mut self, _: log::Level, message: String) {
        self.0.push(message);
    }
}

impl types::Host for Log {}

/// Fuel of one call over so many rows.
pub(crate) fn fuel(rows: u32) -> u64 {
    200_000 + 3_000 * u64::from(rows)
}

/// An instance of the policy `component` before it is configured.
pub(crate) fn instantiate<T>(
    component: &str,
    make: impl FnOnce(&mut Store<Log>, &Component, &Linker<Log>) -> T,
) -> (Store<Log>, T) {
    let mut config = Config::new();
    config.consume_fuel(true).epoch_interruption(true);
    let engine = Engine::new(&config).expect("an engine");
    let (_, bytes) = pointsman_default_bundle::library()
        .iter()
        .find(|(file, _)| file.strip_suffix(".wasm") == Some(component))
        .expect("it is embedded");
    let component = Component::new(&engine, bytes).expect("a component");
    let mut linker = Linker::new(&engine);
    log::add_to_linker::<_, wasmtime::component::HasSelf<_>>(&mut linker, |log: &mut Log| log)
        .expect("one log");
    let mut store = Store::new(&engine, Log::default());
    store.set_epoch_deadline(u64::MAX / 2);
    store.set_fuel(fuel(1000)).expect("fuel is on");
    let made = make(&mut store, &component, &linker);
    (store, made)
}

/// A selector, configured.
pub(crate) fn selector(component: &str, settings: &[Setting]) -> (Store<Log>, host::Selector) {
    let (mut store, selector) = instantiate(component, |store, component, linker| {
        host::Selector::instantiate(store, component, linker).expect("it imports the log only")
    });
    let settings = settings.iter().map(setting).collect::<Vec<_>>();
    let plan =
        selector
            .pointsman_policy_policy()
            .call_configure(&mut store, "selection", &settings);
    plan.expect("no trap").expect("settings are right");
    (store, selector)
}

/// A rescuer, configured.
pub(crate) fn rescuer(component: &str, settings: &[Setting]) -> (Store<Log>, rescue::Rescuer) {
    let (mut store, rescuer) = instantiate(component, |store, component, linker| {
        rescue::Rescuer::instantiate(store, component, linker).expect("it imports the log only")
    });
    let settings = settings.iter().map(rescuers).collect::<Vec<_>>();
    let plan = rescuer
        .pointsman_policy_policy()
        .call_configure(&mut store, "failover", &settings);
    plan.expect("no trap").expect("settings are right");
    (store, rescuer)
}

/// A router, configured.
pub(crate) fn router(component: &str, settings: &[Setting]) -> (Store<Log>, route::Router) {
    let (mut store, router) = instantiate(component, |store, component, linker| {
        route::Router::instantiate(store, component, linker).expect("it imports the log only")
    });
    let settings = settings.iter().map(routers).collect::<Vec<_>>();
    let plan = router
        .pointsman_policy_policy()
        .call_configure(&mut store, "byoc", &settings);
    plan.expect("no trap").expect("settings are right");
    (store, router)
}

macro_rules! settings {
    ($name:ident, $($asked:ident)::+) => {
        /// The setting as this side of that world has it.
        pub(crate) fn $name(setting: &Setting) -> $($asked)::+::Setting {
            use $($asked)::+ as asked;
            let value = match &setting.value {
                Value::Bool(value) => asked::Value::Bool(*value),
                Value::Integer(value) => asked::Value::Integer(*value),
                Value::Number(value) => asked::Value::Number(*value),
                Value::Text(value) => asked::Value::Text(value.clone()),
                Value::Texts(value) => asked::Value::Texts(value.clone()),
                Value::Numbers(value) => asked::Value::Numbers(value.clone()),
            };
            asked::Setting {
                key: setting.key.clone(),
                value,
            }
        }
    };
}

settings!(setting, host::exports::pointsman::policy::policy);
settings!(routers, route::exports::pointsman::policy::policy);
settings!(rescuers, rescue::exports::pointsman::policy::policy);

/// The job as this side has it.
pub(crate) fn job(job: &Job) -> types::Job {
    let fact = |fact: &Fact| match *fact {
        Fact::Unknown => types::Fact::Unknown,
        Fact::Number(value) => types::Fact::Number(value),
        Fact::Count(value) => types::Fact::Count(value),
        Fact::Mark(value) => types::Fact::Mark(value),
        Fact::Symbol(value) => types::Fact::Symbol(value),
    };
    types::Job {
        now_ms: job.now_ms,
        seed: job.seed,
        workload: job.workload,
        capability: job.capability,
        model: job.model,
        affinity: job.affinity,
        deadline_ms: job.deadline_ms,
        units: job.units,
        facts: job.facts.iter().map(fact).collect(),
    }
}

/// The table as this side has it.
pub(crate) fn table(table: &Table) -> types::Table {
    let column = |column: &Column| match column {
        Column::Numbers(values) => types::Column::Numbers(values.clone()),
        Column::Counts(values) => types::Column::Counts(values.clone()),
        Column::Marks(values) => types::Column::Marks(values.clone()),
        Column::Symbols(values) => types::Column::Symbols(values.clone()),
    };
    types::Table {
        rows: table.rows,
        columns: table.columns.iter().map(column).collect(),
    }
}

/// The price as this side has it.
pub(crate) fn price(price: Price) -> types::Price {
    types::Price {
        num: price.num,
        den: price.den,
    }
}

/// The request as this side has it.
pub(crate) fn request(request: &Request) -> routed::Request {
    routed::Request {
        capability: request.capability.clone(),
        path: request.path.clone(),
        parameters: request.parameters.clone(),
        labels: request.labels.clone(),
    }
}

/// The attempt as this side has it.
pub(crate) fn attempt(attempt: &Attempt) -> rescued::Attempt {
    let blame = |blame| match blame {
        Blame::Orchestrator => rescued::Blame::Orchestrator,
        Blame::Input => rescued::Blame::Input,
        Blame::Gateway => rescued::Blame::Gateway,
        Blame::Payment => rescued::Blame::Payment,
        Blame::Network => rescued::Blame::Network,
    };
    rescued::Attempt {
        candidate: attempt.candidate,
        row: attempt.row,
        started_ms: attempt.started_ms,
        elapsed_ms: attempt.elapsed_ms,
        running: attempt.running,
        failure: attempt.failure.map(|failure| rescued::Failure {
            blame: blame(failure.blame),
            kind: failure.kind,
            retry_safe: failure.retry_safe,
            http_status: failure.http_status,
            retry_after_ms: failure.retry_after_ms,
        }),
    }
}

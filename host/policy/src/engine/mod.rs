//! wasmtime, narrowed to what a policy needs.
//!
//! # Decisions
//!
//! - **Fuel and epochs, both.** Fuel decides deterministically; the epoch catches what fuel does not count. Together they
//!   cost about a third of a call that computes, and next to nothing of one that does not.
//! - **No concurrency support, no async calls.** A decision takes microseconds and is called inline on the worker thread;
//!   a fiber or a hop to another thread costs more than the decision.
//! - **NaNs are not canonicalised.** It triples the cost of `ln` and `exp`; what it would hide (the bits inside a NaN) reaches no
//!   answer, since a NaN score is a fault and a NaN value is "none". Relaxed SIMD, which does differ between
//!   machines, is off.
//! - **The pooling allocator**, since a fresh instance is then half the price, with at most 64 KiB of each slot kept
//!   resident: more would be cleared by hand at every instantiation. It reserves 4 GiB of address space a slot so that
//!   memory accesses need no bounds checks; where that much cannot be reserved (containers with an address limit), the engine
//!   allocates on demand and says so once.
//! - **Compiling is one at a time** and never on the hot path: [`Engine::compile`] holds a lock, and the functions of that one component are compiled
//!   by at most as many threads as there are cores. A component of the largest size allowed bounds what a compilation can cost. What was compiled
//!   is kept in a private cache, see `cache`.

mod cache;
mod guest;
mod instance;
mod patience;
mod pool;
mod ticker;

use std::path::Path;

use parking_lot::Mutex;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

pub(crate) use instance::{Instance, Refused, Template};
pub(crate) use pool::Pool;

use crate::bundle::Digest;
use crate::limits::Limits;
use cache::Cache;
use guest::Guest;

/// How instances get their memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Allocation {
    /// From slots reserved at start, where the address space allows it; on demand elsewhere.
    #[default]
    Pooled,
    /// Mapped anew for every instance: slower to make, nothing reserved.
    OnDemand,
}

/// The engine could not be started.
#[derive(Debug, thiserror::Error)]
#[error("the policy engine cannot start: {0}")]
pub struct EngineError(String);

// === impl EngineError ===

impl EngineError {
    /// What the system says.
    pub(crate) fn of(error: &std::io::Error) -> Self {
        Self(error.to_string())
    }
}

/// Compiles and links policies.
pub(crate) struct Engine {
    engine: wasmtime::Engine,
    linker: Linker<Guest>,
    compiling: Mutex<()>,
    cache: Option<Cache>,
}

/// Instances that can live at once, for each core. Every call holds one, and every stage of every kept generation keeps a few warm.
const SLOTS_PER_CORE: usize = 64;

// === impl Engine ===

impl Engine {
    /// Starts an engine and its ticker, which stops with it.
    pub(crate) fn new(
        allocation: Allocation,
        cache: Option<(&Path, u64)>,
    ) -> Result<Self, EngineError> {
        let failed = |error: wasmtime::Error| EngineError(format!("{error:#}"));
        let engine = match allocation {
            Allocation::OnDemand => wasmtime::Engine::new(&config()),
            Allocation::Pooled => {
                let mut pooled = config();
                pooled.allocation_strategy(InstanceAllocationStrategy::Pooling(slots()));
                wasmtime::Engine::new(&pooled).or_else(|error| {
                    tracing::warn!(
                        "policies are allocated on demand, no slots can be reserved: {error:#}"
                    );
                    wasmtime::Engine::new(&config())
                })
            }
        }
        .map_err(failed)?;
        let mut linker = Linker::new(&engine);
        Guest::link(&mut linker).map_err(failed)?;
        ticker::start(&engine).map_err(|error| EngineError::of(&error))?;
        let cache = cache.and_then(|(folder, most)| {
            let opened = Cache::open(folder, most, &engine);
            let told = |error: &std::io::Error| {
                tracing::warn!(folder = %folder.display(), "compiled policies are not kept: {error}");
            };
            opened.inspect_err(told).ok()
        });
        Ok(Self {
            engine,
            linker,
            compiling: Mutex::new(()),
            cache,
        })
    }

    /// Compiles a component: tens of milliseconds; or takes it from the cache, in less than one.
    pub(crate) fn compile(&self, bytes: &[u8]) -> wasmtime::Result<Component> {
        let _one_at_a_time = self.compiling.lock();
        let Some(cache) = &self.cache else {
            return Component::from_binary(&self.engine, bytes);
        };
        let digest = Digest::of(bytes);
        if let Some(component) = cache.load(&self.engine, digest) {
            return Ok(component);
        }
        let component = Component::from_binary(&self.engine, bytes)?;
        cache.store(digest, &component);
        Ok(component)
    }
}

fn config() -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .epoch_interruption(true)
        .concurrency_support(false)
        .cranelift_opt_level(OptLevel::Speed)
        .max_wasm_stack(256 << 10)
        .wasm_backtrace_max_frames(None)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_multi_memory(false);
    config
}

/// Every knob bounds something: how many live at once, how large each may be, and how much stays resident between two.
fn slots() -> PoolingAllocationConfig {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let slots = u32::try_from((cores * SLOTS_PER_CORE).clamp(128, 1024)).expect("at most 1024");
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_memories(slots)
        // One for the policy and up to three small ones that the encoder puts around it.
        .total_core_instances(slots * 4)
        .total_tables(slots * 2)
        .max_core_instances_per_component(8)
        .max_memories_per_component(1)
        .max_tables_per_component(4)
        .max_component_instance_size(256 << 10)
        .max_core_instance_size(64 << 10)
        .table_elements(8_192)
        .max_memory_size(Limits::MAX_MEMORY)
        .max_unused_warm_slots(16)
        .linear_memory_keep_resident(64 << 10)
        .table_keep_resident(64 << 10);
    pool
}

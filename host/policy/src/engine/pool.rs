//! Warm instances of one stage.
//!
//! # Contract
//!
//! [`Pool::checkout`] always gives an instance: a warm one, or a fresh one when all are out, so that the pool never makes
//! a decision wait. A [`Lease`] goes back only by [`Lease::keep`]; dropped without it (a trap, an answer that fails its
//! checks), the instance is gone, since nothing is known of its state. The next decision that finds no warm one makes its
//! replacement.
//!
//! # Why stacks with a lock each
//!
//! One lock before all instances makes two threads as fast as one. Here each thread has a stack of its own and
//! takes its lock without contention; only when that is empty does it look into the others, and never waits there. A stack and
//! not a queue: the instance used last has its memory in the cache.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::{Instance, Refused, Template};
use crate::fault::{Cause, FaultKind};
use crate::wit::Plan;

/// The warm instances of one stage.
pub(crate) struct Pool {
    template: Template,
    plan: Plan,
    shards: Box<[Shard]>,
}

/// A stack, in a cache line of its own.
#[repr(align(64))]
struct Shard(Mutex<Vec<Instance>>);

/// An instance, lent for one call.
pub(crate) struct Lease<'a> {
    pool: &'a Pool,
    instance: Instance,
}

/// Instances a stack keeps.
const DEPTH: usize = 2;
/// Calls after which an instance is replaced: a policy that loses a little memory each call never meets its limit.
const RETIRE: u32 = 50_000;

// === impl Pool ===

impl Pool {
    /// A pool with `warm` in it already; every later instance must come up with the same `plan`.
    pub(crate) fn new(template: Template, plan: Plan, warm: Vec<Instance>) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let count = cores.next_power_of_two() * 2;
        let mut shards: Vec<Vec<Instance>> = (0..count).map(|_| Vec::new()).collect();
        for (n, instance) in warm.into_iter().enumerate() {
            shards[n % count].push(instance);
        }
        Self {
            template,
            plan,
            shards: shards.into_iter().map(Mutex::new).map(Shard).collect(),
        }
    }

    /// A warm instance, or a fresh one.
    pub(crate) fn checkout(&self) -> Result<Lease<'_>, Cause> {
        let instance = self.warm().map_or_else(|| self.fresh(), Ok)?;
        Ok(Lease {
            pool: self,
            instance,
        })
    }

    /// An instance that was never asked.
    pub(crate) fn checkout_fresh(&self) -> Result<Lease<'_>, Cause> {
        let instance = self.fresh()?;
        Ok(Lease {
            pool: self,
            instance,
        })
    }

    fn nearest_first(&self) -> impl Iterator<Item = &Mutex<Vec<Instance>>> {
        let home = home() % self.shards.len();
        let (before, after) = self.shards.split_at(home);
        after.iter().chain(before).map(|shard| &shard.0)
    }

    fn warm(&self) -> Option<Instance> {
        self.nearest_first()
            .find_map(|shard| shard.try_lock().and_then(|mut stack| stack.pop()))
    }

    fn fresh(&self) -> Result<Instance, Cause> {
        let (instance, plan) = self
            .template
            .instantiate()
            .map_err(|refused| match refused {
                Refused::Fault(cause) => cause,
                Refused::Settings(problems) => {
                    let first = problems.first().map_or("", |problem| &problem.message);
                    Cause::new(FaultKind::ConfigureFailed, first)
                }
            })?;
        if plan != self.plan {
            return Err(Cause::new(
                FaultKind::PlanChanged,
                "a fresh instance came up with another plan than the first one",
            ));
        }
        Ok(instance)
    }

    fn put_back(&self, instance: Instance) {
        for shard in self.nearest_first() {
            if let Some(mut stack) = shard.try_lock()
                && stack.len() < DEPTH
            {
                stack.push(instance);
                return;
            }
        }
    }

    /// Lets go of every warm instance, of a generation that is not asked any more.
    pub(crate) fn cool(&self) {
        for shard in &self.shards {
            let cooled = std::mem::take(&mut *shard.0.lock());
            drop(cooled);
        }
    }
}

// === impl Lease ===

impl Lease<'_> {
    /// The call went well: the instance serves again.
    pub(crate) fn keep(self) {
        if self.instance.calls() < RETIRE {
            self.pool.put_back(self.instance);
        }
    }
}

impl std::ops::Deref for Lease<'_> {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.instance
    }
}

impl std::ops::DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut Instance {
        &mut self.instance
    }
}

/// This thread's number, given when it first asks.
fn home() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static HOME: Cell<usize> = Cell::new(NEXT.fetch_add(1, Ordering::Relaxed));
    }
    HOME.get()
}

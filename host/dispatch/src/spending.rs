//! What the gateway spent lately, as policies are told it.
//!
//! Whoever keeps the money tells, now and then; a job only reads. Nobody told: unknown.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pointsman_facts::job::Spent;

/// Clones are one and the same.
#[derive(Clone, Debug)]
pub struct Spending(Arc<[AtomicU64; 2]>);

// === impl Spending ===

impl Spending {
    /// From now on it is this.
    pub fn tell(&self, spent: Spent) {
        let [hour, day] = &*self.0;
        hour.store(spent.hour.to_bits(), Ordering::Relaxed);
        day.store(spent.day.to_bits(), Ordering::Relaxed);
    }

    pub(crate) fn spent(&self) -> Option<Spent> {
        let [hour, day] = [0, 1].map(|place: usize| {
            let bits = self.0[place].load(Ordering::Relaxed);
            f64::from_bits(bits)
        });
        (!hour.is_nan() && !day.is_nan()).then_some(Spent { hour, day })
    }
}

impl Default for Spending {
    fn default() -> Self {
        let unknown = || AtomicU64::new(f64::NAN.to_bits());
        Self(Arc::new([unknown(), unknown()]))
    }
}

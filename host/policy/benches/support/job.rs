//! What benchmarks decide about.

use std::collections::BTreeMap;

use pointsman_facts::{Hints, Job, Price, Symbol, Workload};

/// A live segment, routed by `seed`.
pub(crate) fn job(seed: u64) -> Job {
    Job {
        id: "stream/1".to_owned(),
        now_ms: 1_700_000_000_000,
        seed,
        workload: Workload::Transcode,
        capability: Symbol::of("transcode"),
        model: Symbol::UNKNOWN,
        affinity: 7,
        deadline_ms: 6000,
        soft_ms: 2000,
        units: 0,
        segment_ms: Some(2000),
        sequence: Some(1),
        max_price: Price::new(1100, 1),
        price_is_hard: true,
        retries_left: 3,
        hedges_left: 1,
        spent: None,
        labels: BTreeMap::new(),
        hints: Hints::default(),
    }
}

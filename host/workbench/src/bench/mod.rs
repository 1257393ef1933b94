//! `policy bench`: microseconds, fuel and memory, against the published budget.
//!
//! # What is measured
//!
//! In all: whole decisions of the policy host over a synthetic fleet, with everything that a gateway pays: shuffle, columns, stages with
//! their limits on, the host's own checks, the record. A stage: that component alone, asked over all rows, so that stages can be compared;
//! in the chain it sees the survivors only. Natively: the same policies without a component. Memory is the least with which an
//! instance can be configured and asked, to the page of 64 KiB; in all it is the sum over the stages.
//!
//! Machines change their speed from second to second: compare figures of one run.

mod native;
mod stage;

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pointsman_facts::{Column, Job};
use pointsman_policy::vectors::Rig;
use pointsman_policy::{Bundle, Config, Host, Limits, LoadError};
use serde::Serialize;

use crate::Error;
use crate::open::{Gateway, Opened, Origin, parts};
use crate::synthetic::{self, Fleet};
use stage::Timed;

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// The bundle.
    pub name: String,
    /// Rows of a decision.
    pub candidates: u32,
    /// Half of the decisions took no longer, µs.
    pub p50_us: f64,
    /// All but one in a hundred took no longer, µs.
    pub p99_us: f64,
    /// The same natively: of whole decisions where the gateway has every stage natively, else the sum of the stages. None where a
    /// stage is not to be had natively.
    pub native_p50_us: Option<f64>,
    /// `p50_us` divided by `native_p50_us`.
    pub ratio: Option<f64>,
    /// Fuel of one decision. One unit is about one instruction.
    pub fuel: u64,
    /// Memory of one instance of each stage, together.
    pub memory_bytes: usize,
    /// The published budget.
    pub budget: Budget,
    /// Stage by stage, each alone over all rows.
    pub stages: Vec<StageMeasured>,
}

/// One stage, measured.
#[derive(Clone, Debug, Serialize)]
pub struct StageMeasured {
    /// Its component, without `.wasm`.
    pub stage: String,
    /// What it is asked.
    pub hook: &'static str,
    /// As in [`Measured`].
    pub p50_us: f64,
    /// As in [`Measured`].
    pub p99_us: f64,
    /// As in [`Measured`].
    pub native_p50_us: Option<f64>,
    /// Of one question.
    pub fuel: u64,
    /// The most that one question may use.
    pub fuel_limit: u64,
    /// Of one instance.
    pub memory_bytes: usize,
    /// The most that one may have.
    pub memory_limit: usize,
}

/// What a decision may cost.
#[derive(Clone, Debug, Serialize)]
pub struct Budget {
    /// Of the default chain, µs: what this project promises of its own.
    pub p50_us: f64,
    /// Whether this bundle keeps it.
    pub met: bool,
}

/// Rows and µs: what is published.
const PUBLISHED: [(u32, f64); 3] = [(10, 4.0), (100, 9.0), (1000, 60.0)];

/// Time to warm up, and then to measure.
const WARM: Duration = Duration::from_millis(50);
/// As said.
const TIME: Duration = Duration::from_millis(400);
/// Fewest samples, however slow they are.
const FEWEST: usize = 30;
/// Most samples that are kept.
const MOST: usize = 200_000;

/// Measures `opened` over `candidates` rows.
///
/// # Errors
///
/// When it does not load, faults, or cannot be compiled natively.
pub fn bench(
    opened: &Opened,
    gateway: &Gateway,
    candidates: NonZeroU32,
    offline: bool,
) -> Result<Measured, Error> {
    let bundle = &opened.bundle;
    let rows = candidates.get();
    let rig = Rig::new()?;
    let limits = Limits::default()
        .tighten(&bundle.manifest().limits)
        .map_err(LoadError::from)?;
    let parts = parts(bundle);
    let subjects = parts
        .iter()
        .map(|part| {
            let spec = part.spec;
            rig.subject(
                &spec.component,
                part.bytes,
                part.hook,
                &spec.settings,
                limits,
            )
        })
        .collect::<Result<Vec<_>, _>>()?;
    let wanted: Vec<Column> = subjects
        .iter()
        .flat_map(|subject| &subject.plan().columns)
        .filter_map(|name| synthetic::column(name))
        .collect();
    let fleet = Fleet::new(rows as usize, &wanted, 7);

    let mut natives = native::Crates::new(&opened.origin, offline);
    let mut stages = Vec::new();
    for (part, subject) in parts.iter().zip(&subjects) {
        let question = stage::question(subject, &fleet, rows);
        let Timed { times, fuel } = stage::component(subject, &question)?;
        let native = match stage::twin(part, gateway, &question) {
            Some(times) => Some(times),
            None => natives.time(part, &question)?,
        };
        stages.push(StageMeasured {
            stage: part.spec.name().to_owned(),
            hook: part.hook.name(),
            p50_us: quantile(&times, 0.5),
            p99_us: quantile(&times, 0.99),
            native_p50_us: native,
            fuel,
            fuel_limit: limits.fuel_base.get() + limits.fuel_row * u64::from(rows),
            memory_bytes: stage::memory(&rig, part, limits, &question)?,
            memory_limit: limits.memory.get(),
        });
    }
    let whole = decisions(bundle, gateway, &fleet, false)?;
    let selecting = || stages.iter().filter(|stage| stage.hook == "selection");
    let native = match opened.origin {
        // The same host with the same twins: like with like.
        Origin::Gateway => Some(quantile(
            &decisions(bundle, gateway, &fleet, true)?.times,
            0.5,
        )),
        _ => selecting().map(|stage| stage.native_p50_us).sum(),
    };
    let p50_us = quantile(&whole.times, 0.5);
    let published = budget(rows);
    Ok(Measured {
        name: bundle.manifest().name.clone(),
        candidates: rows,
        p50_us,
        p99_us: quantile(&whole.times, 0.99),
        native_p50_us: native,
        ratio: native.map(|native| p50_us / native),
        fuel: whole.fuel,
        memory_bytes: stages.iter().map(|stage| stage.memory_bytes).sum(),
        budget: Budget {
            p50_us: published,
            met: p50_us <= published,
        },
        stages,
    })
}

/// The budget over `rows`: that of the next larger published number, beyond the last in proportion.
fn budget(rows: u32) -> f64 {
    let published = PUBLISHED.iter().find(|(most, _)| rows <= *most);
    let (most, us) = PUBLISHED[PUBLISHED.len() - 1];
    published.map_or_else(|| us * f64::from(rows) / f64::from(most), |(_, us)| *us)
}

/// Whole decisions, each with a seed of its own.
fn decisions(
    bundle: &Bundle,
    gateway: &Gateway,
    fleet: &Fleet,
    native: bool,
) -> Result<Timed, Error> {
    let host = Host::new(Config::default(), Some(Arc::clone(&gateway.twins)))?;
    let loaded = match native {
        true => host.load_native(bundle)?,
        false => host.load(bundle)?,
    };
    host.activate(loaded, "bench");
    let mut job = synthetic::job(0);
    let decide = |job: &mut Job| {
        job.seed += 1;
        host.select(job.clone(), fleet)
    };
    let first = decide(&mut job);
    if let Some(fault) = &first.decision.fault {
        return Err(fault.clone().into());
    }
    let fuel = first.decision.fuel;
    let times = timed(|| drop(std::hint::black_box(decide(&mut job))));
    Ok(Timed { times, fuel })
}

/// How long each of many calls takes, µs, least first.
fn timed(mut call: impl FnMut()) -> Vec<f64> {
    let began = Instant::now();
    while began.elapsed() < WARM {
        call();
    }
    let (mut times, began) = (Vec::new(), Instant::now());
    while times.len() < MOST && (began.elapsed() < TIME || times.len() < FEWEST) {
        let started = Instant::now();
        call();
        times.push(started.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    times
}

/// Of times that are sorted and not empty.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a place among some thousands"
)]
fn quantile(times: &[f64], share: f64) -> f64 {
    times[((times.len() - 1) as f64 * share) as usize]
}

// === impl Measured ===

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let native = |native: Option<f64>| {
            native.map_or_else(|| "-".to_owned(), |native| format!("{native:.2}"))
        };
        writeln!(f, "{} over {} candidates", self.name, self.candidates)?;
        writeln!(
            f,
            "{:<24} {:<9} {:>9} {:>9} {:>10} {:>9} {:>13} {:>11}",
            "stage, alone",
            "hook",
            "p50 µs",
            "p99 µs",
            "native µs",
            "fuel",
            "of the limit",
            "memory KiB"
        )?;
        for stage in &self.stages {
            #[expect(clippy::cast_precision_loss, reason = "a share for people")]
            let share = 100.0 * stage.fuel as f64 / stage.fuel_limit as f64;
            writeln!(
                f,
                "{:<24} {:<9} {:>9.2} {:>9.2} {:>10} {:>9} {:>11.1} % {:>11}",
                stage.stage,
                stage.hook,
                stage.p50_us,
                stage.p99_us,
                native(stage.native_p50_us),
                stage.fuel,
                share,
                stage.memory_bytes >> 10
            )?;
        }
        writeln!(
            f,
            "{:<24} {:<9} {:>9.2} {:>9.2} {:>10} {:>9} {:>13} {:>11}",
            "a whole decision",
            "",
            self.p50_us,
            self.p99_us,
            native(self.native_p50_us),
            self.fuel,
            "",
            self.memory_bytes >> 10
        )?;
        let verdict = if self.budget.met { "met" } else { "missed" };
        write!(
            f,
            "budget of the default chain at this size: p50 {} µs, {verdict}",
            self.budget.p50_us
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_that_of_the_next_published_size() {
        for (rows, us) in [(1, 4.0), (10, 4.0), (11, 9.0), (1000, 60.0), (5000, 300.0)] {
            assert!((budget(rows) - us).abs() < 1e-9, "{rows}");
        }
    }
}

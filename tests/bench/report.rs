//! The table of figures, and what is broken.

use anyhow::{Result, bail};

/// What was measured so far. Each line is printed as it comes.
#[derive(Debug, Default)]
pub(crate) struct Report {
    broken: Vec<String>,
}

// === impl Report ===

impl Report {
    pub(crate) fn part(&self, title: &str) {
        println!("\n{title}");
    }

    /// One figure. `target` is a number in the same unit, and whether more is better.
    pub(crate) fn figure(&self, what: &str, value: f64, unit: &str, target: Target) {
        let verdict = match target {
            Target::None => String::new(),
            Target::Below(most) => format!("under {most}: {}", met(value < most)),
            Target::Above(least) => format!("over {least}: {}", met(value > least)),
        };
        println!("  {what:<58} {value:>9.3} {unit:<6} {verdict}");
    }

    /// Something that must hold on any machine.
    pub(crate) fn must(&mut self, holds: bool, what: impl Into<String>) {
        let what = what.into();
        println!("  {:<58} {}", what, if holds { "yes" } else { "BROKEN" });
        if !holds {
            self.broken.push(what);
        }
    }

    pub(crate) fn finish(self) -> Result<()> {
        match self.broken.is_empty() {
            true => Ok(()),
            false => bail!("broken: {}", self.broken.join("; ")),
        }
    }
}

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// It is there for the reader.
    None,
    Below(f64),
    Above(f64),
}

fn met(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}

/// The value below which `share` of `values` are. Sorts them.
pub(crate) fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share) as usize]
}

pub(crate) fn median(values: &[f64]) -> f64 {
    quantile(&mut values.to_vec(), 0.5)
}

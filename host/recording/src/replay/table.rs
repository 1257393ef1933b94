//! A report for people to read.

use std::fmt;

use super::report::{Bundled, Report, WorkloadReport};
use crate::text::{self, percent};

/// Orchestrators and causes listed at most.
const LISTED: usize = 20;

/// Lines of three columns: what, before, after; and how much that is.
struct Lines<'a, 'f> {
    to: &'a mut fmt::Formatter<'f>,
    width: usize,
}

// === impl Report ===

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} decisions", self.decisions)?;
        if let (Some(from), Some(to)) = (self.from_ms, self.to_ms) {
            write!(f, " ({} to {})", text::time(from), text::time(to))?;
        }
        writeln!(f, " replayed through {}", Named(&self.bundle))?;
        for under in &self.recorded {
            write!(
                f,
                "  recorded under {}: {}",
                Named(&under.bundle),
                under.decisions
            )?;
            let changed = under.decisions - under.identical;
            match (under.same, changed) {
                (true, 0) => writeln!(f, ", the same bundle: every one the same to the last bit")?,
                (true, _) => writeln!(f, ", the same bundle: {changed} CHANGED")?,
                (false, _) => writeln!(f, ", {changed} changed")?,
            }
        }
        for workload in &self.workloads {
            write!(f, "\n{workload}")?;
        }
        for remark in &self.remarks {
            writeln!(f, "\nnote: {}: {}", remark.file.display(), remark.message)?;
        }
        Ok(())
    }
}

struct Named<'a>(&'a Bundled);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Bundled {
            name,
            version,
            digest,
        } = self.0;
        write!(
            f,
            "{name} {version} ({})",
            digest.get(..12).unwrap_or(digest)
        )
    }
}

impl fmt::Display for WorkloadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.workload.name();
        let same = percent(self.same_first, self.decisions);
        writeln!(
            f,
            "{name}: {} decisions, the same first choice in {same}",
            self.decisions
        )?;
        let named =
            |one: &super::Orchestrator| one.address.clone().unwrap_or_else(|| one.id.clone());
        let orchestrators = self.orchestrators.iter().take(LISTED);
        let names = orchestrators.clone().map(|one| named(one).len() + 2);
        let causes = self
            .excluded
            .iter()
            .map(|one| one.stage.len() + one.cause.len() + 4);
        let width = names.chain(causes).chain([26]).max().unwrap_or(26).min(72);
        let mut lines = Lines { to: f, width };
        lines.put("", ["before".to_owned(), "after".to_owned()], "")?;
        if self.price.known != [0, 0] {
            let median = self
                .price
                .median
                .clone()
                .map(|price| price.unwrap_or_else(|| "-".into()));
            lines.put("price, median (wei)", median, "")?;
            lines.numbers("price, mean (wei)", self.price.mean, 1.0, 2)?;
        }
        lines.numbers("answers, median (ms)", self.latency_ms.mean, 1.0, 1)?;
        lines.numbers("failures (%)", self.failure_rate.mean, 100.0, 2)?;
        if self.faults != [0, 0] {
            lines.counts("faults of policies", self.faults)?;
        }
        lines.title("first choice")?;
        let firsts = [0, 1].map(|side| self.orchestrators.iter().map(|one| one.first[side]).sum());
        for one in orchestrators {
            let share = [0, 1].map(|side: usize| percent(one.first[side], firsts[side]));
            lines.put(&format!("  {}", named(one)), share, "")?;
        }
        lines.more(self.orchestrators.len())?;
        if !self.excluded.is_empty() {
            lines.title("candidates taken out")?;
            for one in self.excluded.iter().take(LISTED) {
                lines.counts(&format!("  {}: {}", one.stage, one.cause), one.candidates)?;
            }
            lines.more(self.excluded.len())?;
        }
        if !self.refused.is_empty() {
            lines.title("jobs refused")?;
            for one in self.refused.iter().take(LISTED) {
                lines.counts(&format!("  {}", one.cause), one.jobs)?;
            }
            lines.more(self.refused.len())?;
        }
        Ok(())
    }
}

// === impl Lines ===

impl Lines<'_, '_> {
    fn put(&mut self, what: &str, [before, after]: [String; 2], change: &str) -> fmt::Result {
        let width = self.width;
        let line = format!("  {what:width$} {before:>14} {after:>14}  {change}");
        writeln!(self.to, "{}", line.trim_end())
    }

    fn title(&mut self, what: &str) -> fmt::Result {
        writeln!(self.to, "  {what}")
    }

    fn more(&mut self, of: usize) -> fmt::Result {
        if of > LISTED {
            writeln!(self.to, "    and {} more: --json has all", of - LISTED)?;
        }
        Ok(())
    }

    fn counts(&mut self, what: &str, counts: [u64; 2]) -> fmt::Result {
        self.put(what, counts.map(|count| count.to_string()), "")
    }

    fn numbers(
        &mut self,
        what: &str,
        means: [Option<f64>; 2],
        times: f64,
        digits: usize,
    ) -> fmt::Result {
        if means == [None, None] {
            return Ok(());
        }
        let shown = means.map(|mean| match mean {
            Some(mean) => format!("{:.digits$}", mean * times),
            None => "-".to_owned(),
        });
        let change = match means {
            [Some(before), Some(after)] if before > 0.0 => {
                format!("{:+.1} %", (after / before - 1.0) * 100.0)
            }
            _ => String::new(),
        };
        self.put(what, shown, &change)
    }
}

//! An explanation as text.

use std::fmt::{self, Write as _};

use pointsman_policy::{Fallback, Hedge};

use super::{Explanation, Out, Ranked, Tried, Who};
use crate::text::{number, shown, time};

/// Candidates listed at most, of each sort.
const LISTED: usize = 20;

// === impl Who ===

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.address.as_deref().unwrap_or(&self.id))
    }
}

impl Who {
    fn width(&self) -> usize {
        self.address.as_ref().unwrap_or(&self.id).len()
    }
}

// === impl Explanation ===

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { decision, job, .. } = self;
        let kind = self.workload.name();
        match (&self.refusal, self.ranked.first()) {
            (Some(refusal), _) => {
                writeln!(
                    f,
                    "decision {decision}: {job} ({kind}) was refused: {}",
                    refusal.message
                )?;
            }
            (None, Some(first)) => {
                writeln!(
                    f,
                    "decision {decision}: {job} ({kind}) goes to {}",
                    first.who
                )?;
            }
            (None, None) => writeln!(f, "decision {decision}: {job} ({kind}) goes to nobody")?,
        }
        write!(f, "  --> {}", time(self.at_ms))?;
        if let Some(policy) = &self.policy {
            let number = policy.generation;
            write!(
                f,
                ", by {} {} (generation {number})",
                policy.name, policy.version
            )?;
        }
        writeln!(
            f,
            ", in {:.1} us, {} fuel, snapshot {}",
            self.took_us, self.fuel, self.snapshot
        )?;
        writeln!(f, "     |")?;
        write!(
            f,
            "     | {} candidates: {} ranked",
            self.candidates,
            self.ranked.len()
        )?;
        write!(f, ", {} excluded", self.excluded.len())?;
        match self.dropped.len() {
            0 => writeln!(f)?,
            dropped => writeln!(f, ", {dropped} dropped by the host")?,
        }
        if let Some(hints) = &self.hints {
            writeln!(f, "     | the application's hints: {hints}")?;
        }
        let width = self.width();
        self.ranked(f, width)?;
        self.excluded(f, width)?;
        self.notes(f)?;
        self.happened(f)
    }
}

impl Explanation {
    fn width(&self) -> usize {
        let ranked = self.ranked.iter().take(LISTED).map(|one| &one.who);
        let excluded = self.excluded.iter().take(LISTED).map(|one| &one.who);
        let dropped = self.dropped.iter().take(LISTED).map(|one| &one.who);
        let all = ranked.chain(excluded).chain(dropped);
        all.map(Who::width).max().unwrap_or(0).min(64)
    }

    fn ranked(&self, f: &mut fmt::Formatter<'_>, width: usize) -> fmt::Result {
        if self.ranked.is_empty() {
            return Ok(());
        }
        writeln!(f, "     |")?;
        for (place, Ranked { who, score, known }) in self.ranked.iter().take(LISTED).enumerate() {
            let mut line = format!("{:>4} | {who:width$}", place + 1);
            if let Some(score) = score {
                let _ = write!(line, "  score {score:.4}");
            }
            if let Some(known) = known {
                let _ = write!(line, "  {}", known.line());
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        more(f, self.ranked.len())
    }

    fn excluded(&self, f: &mut fmt::Formatter<'_>, width: usize) -> fmt::Result {
        if self.excluded.is_empty() && self.dropped.is_empty() {
            return Ok(());
        }
        writeln!(f, "     |")?;
        for out in self.excluded.iter().take(LISTED) {
            writeln!(f, "   x | {:width$}  {}", out.who, out.line())?;
        }
        more(f, self.excluded.len())?;
        for dropped in self.dropped.iter().take(LISTED) {
            let why = match dropped.reason.as_str() {
                "unfit" => "cannot do the job, though the policy let it through",
                "above-ceiling" => "its price is above the hard ceiling",
                "unpriced" => "quotes no price, and there is a hard ceiling",
                other => other,
            };
            writeln!(f, "   ! | {:width$}  the host: {why}", dropped.who)?;
        }
        more(f, self.dropped.len())
    }

    fn notes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "     |")?;
        for stage in &self.skipped {
            writeln!(
                f,
                "     = note: {stage} would have excluded everybody and was skipped"
            )?;
        }
        if let Some(refusal) = &self.refusal {
            let by = refusal.stage.as_deref().unwrap_or("the host");
            let cause = &refusal.cause;
            writeln!(
                f,
                "     = refused by {by} ({cause}), HTTP status {}",
                refusal.status
            )?;
        }
        if let Some(fault) = &self.fault {
            writeln!(
                f,
                "     = fault: {} {}: {}",
                fault.stage, fault.kind, fault.detail
            )?;
        }
        match self.fallback {
            Some(Fallback::Native) => writeln!(f, "     = the native twin answered in its place")?,
            Some(Fallback::Previous(number)) => {
                writeln!(f, "     = generation {number} answered in its place")?;
            }
            Some(Fallback::Reject) => writeln!(f, "     = nobody may answer in its place")?,
            None => {}
        }
        match self.hedge {
            Hedge::AfterMs(ms) => {
                writeln!(f, "     = a slow first attempt is doubled after {ms} ms")
            }
            Hedge::Never => writeln!(f, "     = a slow first attempt is not doubled"),
            Hedge::Adaptive => Ok(()),
        }
    }

    fn happened(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.attempts.is_empty() && self.refusal.is_none() {
            return writeln!(
                f,
                "     = no attempt has ended yet, or the application left"
            );
        }
        for (number, tried) in self.attempts.iter().enumerate() {
            let Tried {
                who, elapsed_ms, ..
            } = tried;
            let after = tried.started_ms.saturating_sub(self.at_ms);
            let copy = if tried.hedge {
                ", a copy beside a slow one"
            } else {
                ""
            };
            write!(
                f,
                "     = attempt {} to {who} at +{after} ms{copy}: ",
                number + 1
            )?;
            match &tried.failure {
                None => writeln!(f, "good after {elapsed_ms:.0} ms")?,
                Some(failure) => writeln!(f, "ended after {elapsed_ms:.0} ms: {failure}")?,
            }
        }
        Ok(())
    }
}

fn more(f: &mut fmt::Formatter<'_>, of: usize) -> fmt::Result {
    match of.checked_sub(LISTED) {
        None | Some(0) => Ok(()),
        Some(more) => writeln!(f, "     | … and {more} more: --json has all"),
    }
}

// === impl Out ===

impl Out {
    /// Who said so, why, and by which values.
    fn line(&self) -> String {
        let mut line = match self.cause.as_str() {
            "unlisted" => format!("{} left it out of its order", self.stage),
            cause => format!("{}: {cause}", self.stage),
        };
        let mut values = Vec::new();
        if let Some(column) = &self.column {
            values.push(format!("{column} is {}", shown(self.shown)));
        }
        values.extend(self.value.map(|value| format!("value {}", number(value))));
        if !values.is_empty() {
            let _ = write!(line, " ({})", values.join(", "));
        }
        line
    }
}

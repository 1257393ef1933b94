//! A bundle's chains, ready to be asked: selection, byoc and failover.
//!
//! # Contract
//!
//! [`Chain::select`] asks each stage in turn with the survivors so far and merges what it says; the first fault
//! ends the whole chain, and falling back is the caller's. After the last stage the host checks its own invariants. Nothing here
//! waits, locks globally or reads a clock; two runs over the same job and candidates give the same outcome.

pub(crate) mod byoc;
pub(crate) mod derived;
pub(crate) mod failover;
pub(crate) mod gather;
pub(crate) mod merge;
pub(crate) mod recheck;
pub(crate) mod shuffle;
mod stage;

use std::sync::Arc;
use std::time::Duration;

use pointsman_facts::{Candidates, Column, Job};

pub(crate) use stage::{Runner, Stage};

use crate::decision::Legend;
use crate::fault::{Fault, Hook};
use crate::plan::{self, place};
use crate::purity;
use crate::wit;
use gather::{Base, Scratch, View, bits};
use merge::{Excluded, Merge, Step};
use recheck::{HostDrop, Needed, recheck};
use shuffle::shuffled;

/// When a slow first attempt may be doubled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hedge {
    /// When the host thinks it is late.
    #[default]
    Adaptive,
    /// After so many ms.
    AfterMs(u32),
    /// Never.
    Never,
}

/// No orchestrator gets the job.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Refusal {
    /// HTTP status for the application, 400 to 599.
    pub status: u16,
    /// Why, in the words of whoever refused: one of a stage's causes, or the host's.
    pub cause: String,
    /// For the application.
    pub message: String,
    /// The stage that refused; `None` is the host.
    pub stage: Option<Arc<str>>,
    #[serde(skip)]
    nobody: Option<Nobody>,
}

/// Why no orchestrator is left for a job that nothing was said against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nobody {
    /// None is known.
    NoCandidates,
    /// A stage excluded the last ones.
    AllExcluded,
    /// What the stages left is unfit or above the hard ceiling.
    HostInvariants,
}

/// The chains of a bundle.
pub(crate) struct Chain {
    selection: Vec<Stage>,
    byoc: Vec<Stage>,
    failover: Vec<Stage>,
    /// Every column that any stage or the host asks of the candidates.
    columns: Vec<Column>,
    needed: Needed,
    pub(crate) legend: Arc<Legend>,
}

/// What a selection came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Rows of the candidates, best first; empty when refused.
    pub(crate) order: Vec<u32>,
    /// The sums of the scores of `order`; empty when nobody scored.
    pub(crate) scores: Vec<f64>,
    pub(crate) excluded: Vec<Excluded>,
    pub(crate) relaxed: Vec<u16>,
    pub(crate) drops: Vec<HostDrop>,
    pub(crate) hedge: Hedge,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) fuel: u64,
}

/// How a chain is asked.
#[derive(Debug, Default)]
pub(crate) struct Manner {
    /// Through instances that were never asked before.
    fresh: bool,
    /// What each stage made of it, where that is wanted.
    pub(crate) marks: Option<Vec<u64>>,
}

/// A stage was faulty.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) fault: Fault,
    /// The stage is one that the job may not do without.
    pub(crate) required: bool,
}

// === impl Hedge ===

impl Hedge {
    pub(crate) fn from_ms(ms: u32) -> Self {
        match ms {
            0 => Self::Adaptive,
            u32::MAX => Self::Never,
            ms => Self::AfterMs(ms),
        }
    }

    /// The delay, if the policy gave one.
    #[must_use]
    pub fn delay(self) -> Option<Duration> {
        match self {
            Self::AfterMs(ms) => Some(Duration::from_millis(ms.into())),
            Self::Adaptive | Self::Never => None,
        }
    }
}

// === impl Manner ===

impl Manner {
    /// The usual way, with marks if they are wanted.
    pub(crate) fn warm(marked: bool) -> Self {
        Self {
            fresh: false,
            marks: marked.then(Vec::new),
        }
    }

    /// Again, to compare marks.
    pub(crate) fn fresh() -> Self {
        Self {
            fresh: true,
            marks: Some(Vec::new()),
        }
    }
}

// === impl Refusal ===

impl Refusal {
    /// The host's own refusal.
    pub(crate) fn host(cause: &str, message: impl Into<String>) -> Self {
        Self {
            status: 503,
            cause: cause.to_owned(),
            message: message.into(),
            stage: None,
            nobody: None,
        }
    }

    /// The host's own refusal because no orchestrator is left.
    fn nobody(why: Nobody, message: impl Into<String>) -> Self {
        Self {
            nobody: Some(why),
            ..Self::host(why.cause(), message)
        }
    }

    /// Whether there is nobody to do the job, which may change by the next one; otherwise the job itself was refused. A policy's own
    /// refusal never says so, whatever its cause is called.
    #[must_use]
    pub fn leaves_nobody(&self) -> bool {
        self.nobody.is_some()
    }

    /// Whether no orchestrator is known at all, which is no policy's doing.
    pub(crate) fn knows_nobody(&self) -> bool {
        self.nobody == Some(Nobody::NoCandidates)
    }

    /// The refusal of `stage`, already checked.
    fn of(stage: &Stage, refusal: wit::Refusal) -> Self {
        let cause = stage.plan.causes.get(usize::from(refusal.reason));
        Self {
            status: refusal.status,
            cause: cause.map_or_else(String::new, |cause| cause.text.clone()),
            message: refusal.message,
            stage: Some(Arc::clone(&stage.name)),
            nobody: None,
        }
    }
}

// === impl Nobody ===

impl Nobody {
    /// The cause in decisions and metrics.
    const fn cause(self) -> &'static str {
        match self {
            Self::NoCandidates => "no-candidates",
            Self::AllExcluded => "all-excluded",
            Self::HostInvariants => "host-invariants",
        }
    }
}

// === impl Chain ===

impl Chain {
    /// Chains of `selection`, `byoc` and `failover`, whose plans were resolved against `columns`.
    pub(crate) fn new(
        selection: Vec<Stage>,
        byoc: Vec<Stage>,
        failover: Vec<Stage>,
        mut columns: Vec<Column>,
    ) -> Self {
        let needed = Needed {
            fit: place(Column::Fit, &mut columns),
            price_num: place(Column::PriceNum, &mut columns),
            price_den: place(Column::PriceDen, &mut columns),
        };
        let legend = Arc::new(Legend::new(&selection, &columns));
        Self {
            selection,
            byoc,
            failover,
            columns,
            needed,
            legend,
        }
    }

    /// Orders the candidates for `job`.
    pub(crate) fn select(
        &self,
        job: &Job,
        candidates: &dyn Candidates,
        unpriced_passes: bool,
        manner: &mut Manner,
    ) -> Result<Outcome, Failed> {
        let rows = u32::try_from(candidates.rows()).unwrap_or(u32::MAX);
        if rows == 0 {
            let message = "no orchestrator is known";
            return Ok(Outcome::refused(Refusal::nobody(
                Nobody::NoCandidates,
                message,
            )));
        }
        let mut base = Base::new(candidates, &self.columns, &job.hints);
        let mut merge = Merge::new(shuffled(rows, job.seed));
        let mut fuel = 0;
        let ended = Scratch::with(|scratch| {
            scratch.renew();
            let ended = self.stages(job, &mut base, &mut merge, scratch, (&mut fuel, manner));
            if matches!(ended, Ok(None)) {
                merge.settle(&mut scratch.sorting);
            }
            ended
        });
        let refusal = match ended {
            Ok(refusal) => refusal,
            Err((place, fault)) => {
                return Err(Failed {
                    fault,
                    required: self.selection[place].required,
                });
            }
        };
        if let Some(refusal) = refusal {
            return Ok(Outcome {
                excluded: merge.excluded,
                relaxed: merge.relaxed,
                fuel,
                ..Outcome::refused(refusal)
            });
        }
        let drops = recheck(&mut merge, &mut base, self.needed, job, unpriced_passes);
        let refusal = merge.rows.is_empty().then(|| {
            let message = "every orchestrator that the policy chose is unfit, too expensive or barred by the application";
            Refusal::nobody(Nobody::HostInvariants, message)
        });
        Ok(Outcome {
            order: merge.rows,
            scores: if merge.scored { merge.sums } else { Vec::new() },
            excluded: merge.excluded,
            relaxed: merge.relaxed,
            drops,
            hedge: merge.hedge,
            refusal,
            fuel,
        })
    }

    /// Asks every stage. The refusal that ended the chain, if one did; or the place of the faulty stage.
    fn stages(
        &self,
        job: &Job,
        base: &mut Base<'_>,
        merge: &mut Merge,
        scratch: &mut Scratch,
        (fuel, manner): (&mut u64, &mut Manner),
    ) -> Result<Option<Refusal>, (usize, Fault)> {
        for (place, stage) in self.selection.iter().enumerate() {
            let asked = (place, manner.fresh);
            let step = judge(stage, asked, job, base, merge, scratch, fuel);
            let step = step.map_err(|fault| (place, fault))?;
            if let Some(marks) = &mut manner.marks {
                marks.push(purity::mark(merge, &step));
            }
            match step {
                Step::Same => {}
                Step::Changed => scratch.renew(),
                Step::Empty => {
                    let message = format!(
                        "no orchestrator is left: \"{}\" excluded the last ones",
                        stage.name
                    );
                    return Ok(Some(Refusal {
                        stage: Some(Arc::clone(&stage.name)),
                        ..Refusal::nobody(Nobody::AllExcluded, message)
                    }));
                }
                Step::Refused(refusal) => return Ok(Some(Refusal::of(stage, refusal))),
            }
        }
        Ok(None)
    }

    /// The name of the stage of `hook` at `place`.
    pub(crate) fn stage(&self, hook: Hook, place: usize) -> Arc<str> {
        let stages = match hook {
            Hook::Selection => &self.selection,
            Hook::Byoc => &self.byoc,
            Hook::Failover => &self.failover,
        };
        let stage = stages.get(place);
        stage.map_or_else(|| "".into(), |stage| Arc::clone(&stage.name))
    }

    /// Whether calls of custom containers are anybody's business.
    pub(crate) fn has_byoc(&self) -> bool {
        !self.byoc.is_empty()
    }

    /// Lets go of warm instances.
    pub(crate) fn cool(&self) {
        self.selection
            .iter()
            .chain(&self.byoc)
            .chain(&self.failover)
            .for_each(Stage::cool);
    }
}

/// Asks one stage and merges its verdict.
fn judge(
    stage: &Stage,
    (place, fresh): (usize, bool),
    job: &Job,
    base: &mut Base<'_>,
    merge: &mut Merge,
    scratch: &mut Scratch,
    fuel: &mut u64,
) -> Result<Step, Fault> {
    let rows = merge.rows.len();
    let view = View {
        rows: &merge.rows,
        sums: Some(&merge.sums),
        ordered: merge.ordered,
    };
    scratch.fill(&stage.plan, base, view);
    let columns = scratch.columns(&stage.plan, rows);
    let facts = stage.plan.facts(job);
    let question = Question::new(job, &facts, &columns, rows);
    let rules = stage.rules(u16::try_from(place).expect("a chain has a few stages"));
    let shown = |reason: u16, position| {
        let column = stage.plan.causes[usize::from(reason)].column;
        column.map_or(0, |column| bits(&columns[column], position))
    };
    let answered = stage.ask(
        rows,
        fresh,
        |instance| instance.judge(question.job(), question.table()),
        |native| native.judge(&question.job(), &question.table()),
        |verdict| merge.apply(&rules, verdict, shown),
    )?;
    *fuel += answered.fuel;
    Ok(answered.answer)
}

/// What every hook is given.
struct Question<'a> {
    job: &'a Job,
    facts: &'a [wit::Fact],
    columns: &'a [wit::Column<'a>],
    rows: u32,
}

impl<'a> Question<'a> {
    fn new(
        job: &'a Job,
        facts: &'a [wit::Fact],
        columns: &'a [wit::Column<'a>],
        rows: usize,
    ) -> Self {
        Self {
            job,
            facts,
            columns,
            rows: u32::try_from(rows).expect("rows are counted in 32 bits"),
        }
    }

    fn job(&self) -> wit::Job<'a> {
        plan::job(self.job, self.facts)
    }

    fn table(&self) -> wit::Table<'a> {
        wit::Table {
            rows: self.rows,
            columns: self.columns,
        }
    }
}

impl Outcome {
    /// Nobody is chosen.
    pub(crate) fn refused(refusal: Refusal) -> Self {
        Self {
            order: Vec::new(),
            scores: Vec::new(),
            excluded: Vec::new(),
            relaxed: Vec::new(),
            drops: Vec::new(),
            hedge: Hedge::Adaptive,
            refusal: Some(refusal),
            fuel: 0,
        }
    }
}

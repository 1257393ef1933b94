//! The byoc chain: stages tighten a request in turn, before candidates are looked up.
//!
//! # Contract
//!
//! Every stage sees the request as the ones before left it. What it changes is put together so that nothing ever gets wider: names to choose from are
//! intersected, names left out are joined, price and time only fall, and what was settled stays settled. A change that would widen is dropped and
//! noted, and the rest of the answer counts. A stage that answers what no right answer can be is faulty, and falling back is the caller's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pointsman_facts::{Job, Name, Names, Price, Symbol};

use super::merge::checked;
use super::{Chain, Failed, Manner, Nobody, Refusal, Stage};
use crate::fault::{Cause, FaultKind, plain};
use crate::limits::Limits;
use crate::plan;
use crate::purity;
use crate::wit;

/// What an application asks of a custom container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// Name of the capability, as orchestrators register it.
    pub capability: String,
    /// What the container is asked, with its query; `/` when there is nothing.
    pub path: String,
    /// What the application says of the job: JSON text, an object.
    pub parameters: String,
    /// The orchestrators that the application chose from; empty: any.
    pub only: Vec<Name>,
    /// Those that it does not want.
    pub ignore: Vec<Name>,
}

/// A request as the stages left it.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// The job with its capability, ceiling, time and labels; a ceiling that a stage lowered binds the host too.
    pub job: Job,
    /// Name of the capability.
    pub capability: String,
    /// Lists of orchestrators; every list must name the one that gets the job. None: any may.
    pub only: Vec<Vec<Name>>,
    /// Orchestrators that do not get it.
    pub ignore: BTreeSet<Name>,
    /// A stage named the capability.
    settled: bool,
    /// Labels that stages set.
    labelled: BTreeSet<String>,
}

/// What one stage said, in short.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Step {
    /// The stage.
    pub stage: Arc<str>,
    /// What it tightened.
    pub tightened: Vec<Tightening>,
    /// What it asked for and did not get.
    pub dropped: Vec<Widening>,
}

/// Something that a stage tightened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tightening {
    /// It named the capability.
    Capability,
    /// It named those that may get the job.
    Only,
    /// It named some that may not.
    Ignore,
    /// It lowered the price.
    MaxPrice,
    /// It shortened the time.
    Timeout,
    /// It set labels.
    Labels,
}

/// Why a part of an answer was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Widening {
    /// A stage before settled the capability.
    CapabilitySettled,
    /// The price is above the one that stands.
    PriceAbove,
    /// The time is longer than what is left.
    TimeoutLonger,
    /// A stage before set that label.
    LabelSet,
    /// A capability or label without a name, or an orchestrator by what is none.
    Nameless,
    /// There are 128 labels already.
    TooManyLabels,
}

/// What asking the chain came to.
#[derive(Debug)]
pub(crate) struct RouteOutcome {
    pub(crate) terms: Terms,
    pub(crate) steps: Vec<Step>,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) fuel: u64,
}

/// Longest list in an answer.
const MAX_LIST: usize = 64;
/// Most labels of one job.
pub(crate) const MAX_LABELS: usize = 128;

// === impl Widening ===

impl Widening {
    /// The name in records and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CapabilitySettled => "capability-settled",
            Self::PriceAbove => "price-above",
            Self::TimeoutLonger => "timeout-longer",
            Self::LabelSet => "label-set",
            Self::Nameless => "nameless",
            Self::TooManyLabels => "too-many-labels",
        }
    }
}

// === impl RouteOutcome ===

impl RouteOutcome {
    /// Nobody gets the job.
    pub(crate) fn refused(terms: Terms, refusal: Refusal) -> Self {
        Self {
            terms,
            steps: Vec::new(),
            refusal: Some(refusal),
            fuel: 0,
        }
    }
}

// === impl Terms ===

impl Terms {
    /// What the application asks for, before any stage.
    pub(crate) fn new(job: &Job, request: &Call) -> Self {
        let only = &request.only;
        Self {
            job: job.clone(),
            capability: request.capability.clone(),
            only: Vec::from_iter((!only.is_empty()).then(|| only.clone())),
            ignore: request.ignore.iter().copied().collect(),
            settled: false,
            labelled: BTreeSet::new(),
        }
    }

    /// Whether the orchestrator of these names may get the job.
    #[must_use]
    pub fn admits(&self, names: Names) -> bool {
        let is = |name: &Name| names.has(name.symbol());
        self.only.iter().all(|list| list.iter().any(is)) && !self.ignore.iter().any(is)
    }

    /// Takes in what a stage changes.
    fn tighten(&mut self, change: wit::Change) -> Result<Said, Cause> {
        bounded(&change)?;
        let mut said = Said::default();
        if let Some(name) = change.capability {
            self.name(plain(name, Limits::MAX_STRING), &mut said);
        }
        if !change.only.is_empty() {
            said.tightened.push(Tightening::Only);
            let list = named(&change.only, &mut said);
            said.nobody = !self.narrow(list);
        }
        if !change.ignore.is_empty() {
            said.tightened.push(Tightening::Ignore);
            let list = named(&change.ignore, &mut said);
            self.ignore.extend(list);
        }
        if let Some(price) = change.max_price {
            let price = Price::new(price.num, price.den).ok_or_else(|| {
                Cause::new(FaultKind::BadPrice, "a price with a denominator of 0")
            })?;
            self.cheapen(price, &mut said);
        }
        if let Some(ms) = change.timeout_ms {
            self.shorten(ms.max(1), &mut said);
        }
        self.label(change.labels, &mut said);
        Ok(said)
    }

    fn name(&mut self, name: String, said: &mut Said) {
        if name.is_empty() {
            said.dropped.push(Widening::Nameless);
        } else if self.settled && name != self.capability {
            said.dropped.push(Widening::CapabilitySettled);
        } else {
            said.tightened.push(Tightening::Capability);
            self.job.capability = Symbol::of(&name);
            self.capability = name;
            self.settled = true;
        }
    }

    /// Keeps only who is on `list` too; `false` when that is nobody. A list of addresses and one of identities may mean the same orchestrators, so
    /// those stand beside each other for who knows them all.
    fn narrow(&mut self, list: Vec<Name>) -> bool {
        if list.is_empty() {
            self.only.push(list);
            return false;
        }
        let form = |list: &[Name]| {
            let addresses = list.iter().filter(|name| name.is_address()).count();
            (addresses == 0 || addresses == list.len()).then_some(addresses == 0)
        };
        let same = self
            .only
            .iter_mut()
            .find(|known| form(known).is_some() && form(known) == form(&list));
        let Some(known) = same else {
            self.only.push(list);
            return true;
        };
        known.retain(|name| list.contains(name));
        !known.is_empty()
    }

    fn cheapen(&mut self, price: Price, said: &mut Said) {
        if self.job.max_price.is_some_and(|known| price > known) {
            said.dropped.push(Widening::PriceAbove);
            return;
        }
        said.tightened.push(Tightening::MaxPrice);
        self.job.max_price = Some(price);
        self.job.price_is_hard = true;
    }

    fn shorten(&mut self, ms: u32, said: &mut Said) {
        if ms > self.job.deadline_ms {
            said.dropped.push(Widening::TimeoutLonger);
            return;
        }
        said.tightened.push(Tightening::Timeout);
        self.job.deadline_ms = ms;
        self.job.soft_ms = self.job.soft_ms.min(ms);
    }

    fn label(&mut self, labels: Vec<(String, String)>, said: &mut Said) {
        let earlier = self.labelled.clone();
        for (key, value) in labels {
            let key = plain(key.to_lowercase(), Limits::MAX_STRING);
            let value = plain(value, Limits::MAX_STRING);
            let known = self.job.labels.get(&key);
            if key.is_empty() {
                said.dropped.push(Widening::Nameless);
            } else if earlier.contains(&key) {
                if known != Some(&value) {
                    said.dropped.push(Widening::LabelSet);
                }
            } else if known.is_none() && self.job.labels.len() >= MAX_LABELS {
                said.dropped.push(Widening::TooManyLabels);
            } else {
                if !said.tightened.contains(&Tightening::Labels) {
                    said.tightened.push(Tightening::Labels);
                }
                self.labelled.insert(key.clone());
                self.job.labels.insert(key, value);
            }
        }
        said.dropped.sort_by_key(|drop| drop.name());
        said.dropped.dedup();
    }
}

/// What came of one answer.
#[derive(Debug, Default)]
struct Said {
    tightened: Vec<Tightening>,
    dropped: Vec<Widening>,
    nobody: bool,
    refusal: Option<wit::Refusal>,
}

/// Refuses lists and strings that no right answer has.
fn bounded(change: &wit::Change) -> Result<(), Cause> {
    let lists = [change.only.len(), change.ignore.len(), change.labels.len()];
    if let Some(found) = lists.into_iter().find(|&found| found > MAX_LIST) {
        let detail = format!("a list of {found} entries, the most is {MAX_LIST}");
        return Err(Cause::new(FaultKind::TooLarge, detail));
    }
    let pairs = change.labels.iter().flat_map(|(key, value)| [key, value]);
    let names = change.only.iter().chain(&change.ignore);
    let mut strings = names.chain(change.capability.iter()).chain(pairs);
    if strings.any(|text| text.len() > Limits::MAX_STRING) {
        let detail = format!("a string of more than {} bytes", Limits::MAX_STRING);
        return Err(Cause::new(FaultKind::TooLarge, detail));
    }
    Ok(())
}

/// The orchestrators that `texts` name. One that names nobody cannot be meant: it is left out, and that is said.
fn named(texts: &[String], said: &mut Said) -> Vec<Name> {
    let names: Vec<Name> = texts.iter().filter_map(|text| text.parse().ok()).collect();
    if names.len() < texts.len() {
        said.dropped.push(Widening::Nameless);
    }
    names
}

// === impl Chain ===

impl Chain {
    /// Asks every byoc stage about `request`, until one refuses.
    pub(crate) fn route(
        &self,
        job: &Job,
        request: &Call,
        manner: &mut Manner,
    ) -> Result<RouteOutcome, Failed> {
        let mut outcome = RouteOutcome {
            terms: Terms::new(job, request),
            steps: Vec::with_capacity(self.byoc.len()),
            refusal: None,
            fuel: 0,
        };
        for stage in &self.byoc {
            let (said, fuel) = ask(stage, manner.fresh, request, &mut outcome.terms)?;
            if let Some(marks) = &mut manner.marks {
                marks.push(purity::mark_of(&(&outcome.terms, &said)));
            }
            outcome.fuel += fuel;
            outcome.steps.push(Step {
                stage: Arc::clone(&stage.name),
                tightened: said.tightened,
                dropped: said.dropped,
            });
            outcome.refusal = match said.refusal {
                Some(refusal) => Some(Refusal::of(stage, refusal)),
                None if said.nobody => {
                    let message = format!(
                        "no orchestrator is left: none that \"{}\" lets have the job was left by those before",
                        stage.name
                    );
                    Some(Refusal {
                        stage: Some(Arc::clone(&stage.name)),
                        ..Refusal::nobody(Nobody::AllExcluded, message)
                    })
                }
                None => continue,
            };
            break;
        }
        Ok(outcome)
    }
}

fn ask(
    stage: &Stage,
    fresh: bool,
    request: &Call,
    terms: &mut Terms,
) -> Result<(Said, u64), Failed> {
    let before = terms.clone();
    let facts = stage.plan.facts(&before.job);
    let labels: BTreeMap<_, _> = before.job.labels.iter().collect();
    let labels: Vec<(&str, &str)> = labels
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    let asked = || wit::Request {
        capability: &before.capability,
        path: &request.path,
        parameters: &request.parameters,
        labels: &labels,
    };
    let answered = stage.ask(
        0,
        fresh,
        |instance| instance.route(plan::job(&before.job, &facts), asked()),
        |native| native.route(&plan::job(&before.job, &facts), &asked()),
        |routing| match routing {
            wit::Routing::Abstain => Ok(Said::default()),
            wit::Routing::Change(change) => terms.tighten(change),
            wit::Routing::Reject(refusal) => Ok(Said {
                refusal: Some(checked(refusal, stage.plan.causes.len())?),
                ..Said::default()
            }),
        },
    );
    answered
        .map(|answered| (answered.answer, answered.fuel))
        .map_err(|fault| Failed {
            fault,
            required: stage.required,
        })
}

/// Whether `routing` is one that a stage with so many `causes` may give.
pub(crate) fn acceptable(routing: &wit::Routing, causes: usize) -> Result<(), Cause> {
    match routing {
        wit::Routing::Abstain => Ok(()),
        wit::Routing::Change(change) => {
            bounded(change)?;
            match change.max_price {
                Some(price) if price.den == 0 => Err(Cause::new(
                    FaultKind::BadPrice,
                    "a price with a denominator of 0",
                )),
                _ => Ok(()),
            }
        }
        wit::Routing::Reject(refusal) => checked(refusal.clone(), causes).map(drop),
    }
}

//! One stage on its own.

use std::hint::black_box;
use std::num::NonZeroUsize;

use pointsman_policy::bundle::Digest;
use pointsman_policy::vectors::{Question, Request, Rig, Subject, Table, What};
use pointsman_policy::wit::{Attempt, Blame, Failure};
use pointsman_policy::{Hook, Limits};

use super::{quantile, timed};
use crate::Error;
use crate::open::{Gateway, Part};
use crate::synthetic::{self, Fleet};

/// Times of many questions, and the fuel of one.
pub(super) struct Timed {
    /// µs, least first.
    pub(super) times: Vec<f64>,
    pub(super) fuel: u64,
}

/// A page of WebAssembly memory.
const PAGE: usize = 64 << 10;

/// What a stage is asked: about the whole fleet; after a failure of its first.
pub(super) fn question(subject: &Subject, fleet: &Fleet, rows: u32) -> Question {
    let plan = subject.plan();
    let columns = plan.columns.iter().map(|name| fleet.column(name));
    let table = Table {
        rows,
        columns: columns.collect(),
    };
    let failed = Attempt {
        candidate: 1,
        row: Some(0),
        started_ms: 0,
        elapsed_ms: 700,
        running: false,
        failure: Some(Failure {
            blame: Blame::Orchestrator,
            kind: 5,
            retry_safe: true,
            http_status: 500,
            retry_after_ms: 0,
        }),
    };
    let what = match subject.hook() {
        Hook::Selection => What::Judge(table),
        Hook::Byoc => What::Route(Request {
            capability: "image".to_owned(),
            path: "/v1/generate?fast=1".to_owned(),
            parameters: "{\"steps\":30}".to_owned(),
            labels: vec![("tier".to_owned(), "free".to_owned())],
        }),
        Hook::Failover => What::OnFailure(vec![failed], table),
    };
    Question {
        job: synthetic::asked(&synthetic::job(1), &plan.facts),
        what,
    }
}

/// As a component.
pub(super) fn component(subject: &Subject, question: &Question) -> Result<Timed, Error> {
    let mut asked = subject.fresh()?;
    let fuel = asked.ask(question)?.fuel;
    let mut fault = None;
    let times = timed(|| match asked.ask(black_box(question)) {
        Ok(answered) => drop(black_box(answered)),
        Err(found) => fault = Some(found),
    });
    match fault {
        Some(fault) => Err(fault.into()),
        None => Ok(Timed { times, fuel }),
    }
}

/// Natively, where the gateway has the very same policy: µs.
pub(super) fn twin(part: &Part<'_>, gateway: &Gateway, question: &Question) -> Option<f64> {
    let mut library = gateway.library.iter();
    let (file, _) = library.find(|(_, bytes)| Digest::of(bytes) == part.spec.sha256)?;
    let name = file.strip_suffix(".wasm").unwrap_or(file);
    let twin = gateway
        .twins
        .stage(name, part.hook, &part.spec.settings)?
        .ok()?;
    let times = timed(|| drop(black_box(question.put_to(&*twin))));
    Some(quantile(&times, 0.5))
}

/// The least memory with which it can be configured and asked.
pub(super) fn memory(
    rig: &Rig,
    part: &Part<'_>,
    limits: Limits,
    question: &Question,
) -> Result<usize, Error> {
    let works = |pages: usize| {
        let memory = NonZeroUsize::new(pages * PAGE).unwrap_or(NonZeroUsize::MIN);
        let spec = part.spec;
        let limits = Limits { memory, ..limits };
        let subject = rig.subject(
            &spec.component,
            part.bytes,
            part.hook,
            &spec.settings,
            limits,
        );
        let asked = subject
            .as_ref()
            .ok()
            .and_then(|subject| subject.fresh().ok());
        asked.is_some_and(|mut asked| asked.ask(question).is_ok())
    };
    let (mut too_few, mut enough) = (0, limits.memory.get() / PAGE);
    while enough - too_few > 1 {
        let middle = too_few.midpoint(enough);
        if works(middle) {
            enough = middle;
        } else {
            too_few = middle;
        }
    }
    Ok(enough * PAGE)
}

//! What the writer knows in memory, and decides by. No I/O: the file is asked by its owner, the engine.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::accounts::{Accounts, within};
use super::attempt::{AttemptId, Draft, Issued, Line, Row, State};
use super::covers::{Covers, Place};
use super::nonces::Nonces;
use super::{Amount, Cap, Caps, LedgerError};

/// After this long without a payment a job's spend is looked up in the file again.
const JOB_IDLE_MS: u64 = 10 * 60 * 1000;

/// An attempt that nobody settles for this long is lost: its caller is gone.
const OVERDUE_MS: u64 = 3600 * 1000;

/// An attempt that is let through.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) row: Row,
    pub(super) place: Place,
}

/// An attempt under way.
#[derive(Debug)]
struct Open {
    line: Line,
    job: Arc<str>,
}

/// The state that drafts are decided on.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) accounts: Arc<Mutex<Accounts>>,
    pub(super) nonces: Nonces,
    pub(super) covers: Covers,
    pub(super) caps: Caps,
    jobs: HashMap<Arc<str>, (Amount, u64)>,
    open: HashMap<AttemptId, Open>,
    last_id: AttemptId,
}

// === impl Book ===

impl Book {
    pub(super) fn new(
        accounts: Accounts,
        nonces: Nonces,
        covers: Covers,
        caps: Caps,
        last_id: AttemptId,
    ) -> Self {
        Self {
            accounts: Arc::new(Mutex::new(accounts)),
            nonces,
            covers,
            caps,
            jobs: HashMap::new(),
            open: HashMap::new(),
            last_id,
        }
    }

    /// Whether a job's spend must be looked up before [`admit`](Self::admit).
    pub(super) fn lacks_job(&self, job: &str) -> bool {
        self.caps.job.is_some() && !self.jobs.contains_key(job)
    }

    /// What the file says that a job has spent.
    pub(super) fn learn_job(&mut self, job: &str, spent: Amount, now_ms: u64) {
        self.jobs.insert(job.into(), (spent, now_ms));
    }

    /// Lets a payment through, to be written by `commit`, and enters it as open; or says why not and changes nothing. Its hash and, with
    /// a cap per job, its job must be known.
    pub(super) fn admit(
        &mut self,
        draft: Draft,
        commit: u64,
        now_ms: u64,
    ) -> Result<Entry, LedgerError> {
        let (ticket_value, value) = draft.check()?;
        let caps = self.caps;
        within(Cap::Ticket, caps.ticket, Amount::ZERO, ticket_value)?;
        within(Cap::Payment, caps.payment, Amount::ZERO, value)?;
        let spent = self.jobs.get(draft.job.as_str());
        let spent = spent.map(|(spent, _)| *spent).unwrap_or_default();
        within(Cap::Job, caps.job, spent, value)?;
        let line = Line {
            at_ms: now_ms,
            recipient: draft.recipient,
            key: draft
                .key
                .as_deref()
                .filter(|key| !key.is_empty())
                .map(Into::into),
            tickets: draft.tickets,
            units: draft.units,
            value,
        };
        let mut accounts = self.accounts.lock();
        accounts.admit(&caps, &line)?;
        self.nonces.admit(draft.rand_hash, draft.tickets)?;

        accounts.enter(&line, State::Open);
        drop(accounts);
        self.last_id = self.last_id.next();
        let job: Arc<str> = draft.job.as_str().into();
        if caps.job.is_some() {
            let spent = spent.saturating_add(value);
            self.jobs.insert(Arc::clone(&job), (spent, now_ms));
        }
        let first_nonce = self.nonces.take(draft.rand_hash, draft.tickets, now_ms);
        let place = self.covers.place(&draft, value, commit, now_ms);
        let open = Open {
            line: line.clone(),
            job,
        };
        self.open.insert(self.last_id, open);
        let row = Row {
            id: self.last_id,
            first_nonce,
            ticket_value,
            line,
            draft,
        };
        Ok(Entry { row, place })
    }

    /// An attempt has ended. `false` when it is not open: it ended before.
    pub(super) fn end(&mut self, attempt: AttemptId, state: State) -> bool {
        let Some(open) = self.open.remove(&attempt) else {
            return false;
        };
        self.accounts.lock().end(&open.line, state);
        if state == State::Unsent
            && let Some((spent, _)) = self.jobs.get_mut(&open.job)
        {
            *spent = spent.saturating_sub(open.line.value);
        }
        true
    }

    /// Attempts that nobody settles.
    pub(super) fn overdue(&self, now_ms: u64) -> Vec<AttemptId> {
        let overdue = |open: &Open| now_ms.saturating_sub(open.line.at_ms) >= OVERDUE_MS;
        let all = self.open.iter().filter(|(_, open)| overdue(open));
        all.map(|(id, _)| *id).collect()
    }

    /// Forgets what rests and can be looked up again.
    pub(super) fn rest(&mut self, now_ms: u64) {
        self.nonces.rest(now_ms);
        self.jobs
            .retain(|_, (_, at)| now_ms.saturating_sub(*at) < JOB_IDLE_MS);
    }
}

// === impl Entry ===

impl Entry {
    pub(super) fn issued(&self) -> Issued {
        Issued {
            attempt: self.row.id,
            first_nonce: self.row.first_nonce,
            count: self.row.draft.tickets,
        }
    }
}

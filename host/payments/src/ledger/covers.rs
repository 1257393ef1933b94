//! Covers: what a session may pay before it is on disk.
//!
//! # Contract
//!
//! A payment is *covered*, and leaves as soon as its row is written, when the session's payments that are not yet synced,
//! itself among them, are worth no more than the cover that **is** synced. So whatever a power loss takes away of a session is
//! worth no more than the cover that it leaves. The first payment of a session is not covered: it waits for the disk, together with
//! the cover for those after it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use alloy::primitives::Address;

use super::{Amount, Draft};

/// A session without payments for this long gives its cover back.
const IDLE_MS: u64 = 60 * 1000;

/// A balance at an orchestrator.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Session {
    recipient: Address,
    sender: Address,
    name: String,
}

#[derive(Debug)]
struct Cover {
    id: i64,
    /// On disk.
    synced: Amount,
    /// Written, or about to be, with this commit.
    asked: Option<(u64, Amount)>,
    /// Payments that are not on disk yet.
    unsynced: Amount,
    used_ms: u64,
}

/// What [`Covers::place`] decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The payment may leave when it is written; otherwise when it is synced.
    pub(super) covered: bool,
    /// A cover to write with it: its number and amount.
    pub(super) write: Option<(i64, Amount)>,
}

/// The covers of all sessions.
#[derive(Debug)]
pub(super) struct Covers {
    limit: Amount,
    sessions: HashMap<Arc<Session>, Cover>,
    /// By commit, oldest first.
    unsynced: VecDeque<(u64, Arc<Session>, Amount)>,
    last_id: i64,
}

// === impl Covers ===

impl Covers {
    /// None yet; none will be above `limit`.
    pub(super) fn new(limit: Amount) -> Self {
        Self {
            limit,
            sessions: HashMap::new(),
            unsynced: VecDeque::new(),
            last_id: 0,
        }
    }

    /// Enters a payment of `value` that will be written by `commit`.
    pub(super) fn place(
        &mut self,
        draft: &Draft,
        value: Amount,
        commit: u64,
        now_ms: u64,
    ) -> Place {
        if self.limit.is_zero() {
            let (covered, write) = (false, None);
            return Place { covered, write };
        }
        let session = Arc::new(Session {
            recipient: draft.recipient,
            sender: draft.sender,
            name: draft.session.clone(),
        });
        let last_id = &mut self.last_id;
        let cover = self
            .sessions
            .entry(Arc::clone(&session))
            .or_insert_with(|| {
                *last_id += 1;
                Cover {
                    id: *last_id,
                    synced: Amount::ZERO,
                    asked: None,
                    unsynced: Amount::ZERO,
                    used_ms: now_ms,
                }
            });
        cover.used_ms = now_ms;
        cover.unsynced = cover.unsynced.saturating_add(value);
        self.unsynced.push_back((commit, session, value));
        let covered = cover.unsynced <= cover.synced;
        let write = match covered {
            true => None,
            false => cover.ask(self.limit, commit),
        };
        Place { covered, write }
    }

    /// Everything up to `commit` is on disk.
    pub(super) fn synced(&mut self, commit: u64) {
        while let Some((_, session, value)) = self.unsynced.pop_front_if(|(at, ..)| *at <= commit) {
            if let Some(cover) = self.sessions.get_mut(&session) {
                cover.unsynced = cover.unsynced.saturating_sub(value);
                if let Some((_, amount)) = cover.asked.take_if(|(at, _)| *at <= commit) {
                    cover.synced = amount;
                }
            }
        }
    }

    /// `commit`, the latest, was not written: neither its payments nor its covers.
    pub(super) fn failed(&mut self, commit: u64) {
        while let Some((_, session, value)) = self.unsynced.pop_back_if(|(at, ..)| *at == commit) {
            if let Some(cover) = self.sessions.get_mut(&session) {
                cover.unsynced = cover.unsynced.saturating_sub(value);
                cover.asked.take_if(|(at, _)| *at == commit);
            }
        }
    }

    /// Drops the covers of idle sessions and says which rows can go.
    pub(super) fn rest(&mut self, now_ms: u64) -> Vec<i64> {
        let idle = |cover: &Cover| {
            cover.unsynced.is_zero()
                && cover.asked.is_none()
                && now_ms.saturating_sub(cover.used_ms) >= IDLE_MS
        };
        let dropped = self.sessions.extract_if(|_, cover| idle(cover));
        dropped.map(|(_, cover)| cover.id).collect()
    }
}

// === impl Cover ===

impl Cover {
    /// A cover for twice what is under way, when that helps and is not asked for already.
    fn ask(&mut self, limit: Amount, commit: u64) -> Option<(i64, Amount)> {
        let known = self.asked.map_or(self.synced, |(_, amount)| amount);
        if known >= self.unsynced || limit < self.unsynced {
            return None;
        }
        let twice = self.unsynced.saturating_add(self.unsynced).min(limit);
        // Of two that are asked for before a sync, the later commit counts: it holds the larger.
        self.asked = Some((commit, twice));
        Some((self.id, twice))
    }
}

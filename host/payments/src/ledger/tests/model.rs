//! A ledger's life as its surroundings know it, and copies of its files taken in the middle of it.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use super::super::engine::Point;
use super::super::file::beside;
use super::*;

/// An attempt that was written in this life.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) issued: Issued,
    pub(super) draft: Draft,
    pub(super) value: Amount,
    /// The commit that has its row.
    pub(super) written: u64,
    /// How it ended, and the commit that says so.
    pub(super) ended: Option<(End, u64)>,
    /// When its tickets left.
    pub(super) left: Option<u64>,
    /// What its caller will say.
    pub(super) end: End,
}

/// What had left before this life.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    pub(super) nonces: HashSet<(B256, u32)>,
    pub(super) paid: BTreeMap<Address, Amount>,
}

/// The files, and what was known, at one moment.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    pub(super) file: Vec<u8>,
    pub(super) log: Vec<u8>,
    /// Commits that were complete.
    pub(super) written: u64,
    /// Commits that were on disk, and how much of the log.
    pub(super) synced: (u64, usize),
    /// The moment.
    pub(super) at: u64,
    pub(super) place: String,
}

/// Counts commits and takes cuts, from inside the engine and beside it.
pub(super) struct Watch {
    path: PathBuf,
    rng: fastrand::Rng,
    written: u64,
    synced: (u64, usize),
    now: u64,
    cuts: Vec<Cut>,
}

/// What a life has brought about so far.
pub(super) struct Story {
    pub(super) time: Time,
    /// The totals that it began with.
    pub(super) before: Totals,
    pub(super) known: Vec<Known>,
}

/// One life, from opening to the last cut.
pub(super) struct Life {
    engine: Engine,
    pub(super) story: Story,
    watch: Arc<Mutex<Watch>>,
    rng: fastrand::Rng,
    fresh: u64,
    /// A sync that is under way: what it will have brought to the disk.
    syncing: Option<(u64, usize)>,
}

// === impl Cut ===

impl Cut {
    /// Puts the files where a ledger can be opened.
    pub(super) fn restore(&self, path: &Path, log: &[u8]) {
        fs::write(path, &self.file).expect("a copy");
        fs::write(beside(path, "-wal"), log).expect("a copy");
    }

    /// What a lost machine may leave of the log: all that was synced, and anything of the rest.
    pub(super) fn torn(&self, rng: &mut fastrand::Rng) -> Vec<u8> {
        let mut log = self.log.clone();
        if rng.bool() {
            log.truncate(rng.usize(self.synced.1..=log.len()));
            return log;
        }
        // Sectors reach the disk in any order.
        for at in (self.synced.1..log.len()).step_by(512) {
            if rng.u8(..4) == 0 {
                let end = (at + 512).min(log.len());
                log[at..end].fill(rng.u8(..));
            }
        }
        log
    }
}

// === impl Watch ===

impl Watch {
    fn reached(&mut self, point: Point) {
        match point {
            Point::Committed | Point::Kept => self.written += 1,
            Point::Checkpointed => self.synced = (self.written, 0),
            Point::Decided | Point::Stated | Point::Finished => {}
        }
        if self.rng.u8(..3) == 0 || point == Point::Finished {
            self.cut(&format!("{point:?}"));
        }
    }

    fn cut(&mut self, place: &str) {
        let read = |path: &Path| fs::read(path).expect("a file to copy");
        self.now += 1;
        self.cuts.push(Cut {
            file: read(&self.path),
            log: read(&beside(&self.path, "-wal")),
            written: self.written,
            synced: self.synced,
            at: self.now,
            place: place.to_owned(),
        });
    }

    fn log_length(&self) -> usize {
        let log = fs::metadata(beside(&self.path, "-wal")).expect("a log");
        usize::try_from(log.len()).expect("a short log")
    }
}

// === impl Life ===

impl Life {
    pub(super) fn begin(path: &Path, options: Options, time: &Time, seed: u64) -> Self {
        let mut engine = engine(path, options);
        let before = totals(&engine, time);
        let mut watch = Watch {
            path: path.to_owned(),
            rng: fastrand::Rng::with_seed(seed ^ 0x5eed),
            written: 0,
            synced: (0, 0),
            now: 0,
            cuts: Vec::new(),
        };
        // Opening syncs.
        watch.synced.1 = watch.log_length();
        let watch = Arc::new(Mutex::new(watch));
        let probed = Arc::clone(&watch);
        engine.probe = Some(Box::new(move |point| probed.lock().reached(point)));
        let story = Story {
            time: time.clone(),
            before,
            known: Vec::new(),
        };
        Self {
            engine,
            story,
            watch,
            rng: fastrand::Rng::with_seed(seed),
            fresh: seed << 32,
            syncing: None,
        }
    }

    /// The cuts since the last time.
    pub(super) fn cuts(&self) -> Vec<Cut> {
        std::mem::take(&mut self.watch.lock().cuts)
    }

    /// Ends: by closing, with the cuts of that, or by dying.
    pub(super) fn finish(self, close: bool) -> (Story, Vec<Cut>) {
        match close {
            true => self.engine.close().expect("closed"),
            false => drop(self.engine),
        }
        let cuts = std::mem::take(&mut self.watch.lock().cuts);
        (self.story, cuts)
    }

    /// Something happens.
    pub(super) fn step(&mut self) {
        match self.rng.u8(..16) {
            0..=5 => self.pay(),
            6..=9 => self.settle(),
            10 | 11 => self.begin_sync(),
            12 | 13 => self.end_sync(),
            14 => {
                self.story.time.pass(self.rng.u64(..100_000));
                self.engine.tidy();
            }
            _ => match self.rng.u8(..4) {
                0 => self.checkpoint(),
                1 => drop(self.engine.prune().expect("room")),
                _ => drop(self.engine.fold().expect("room")),
            },
        }
        let mut watch = self.watch.lock();
        watch.now += 1;
        if self.rng.u8(..4) == 0 {
            watch.cut("beside");
        }
    }

    fn pay(&mut self) {
        let drafts: Vec<Draft> = (0..self.rng.u8(1..4)).map(|_| self.draft()).collect();
        let placed = self.engine.batch(drafts.clone());
        let mut watch = self.watch.lock();
        for (draft, placed) in drafts.into_iter().zip(placed) {
            let placed = match placed {
                Ok(placed) => placed,
                Err(LedgerError::NoncesSpent { .. }) => continue,
                Err(error) => panic!("{error}"),
            };
            let end = match self.rng.u8(..8) {
                0 => End::Unsent,
                1 => End::Refused,
                2 => End::Lost,
                _ => End::Accepted,
            };
            watch.now += 1;
            let value = Amount::from_ratio(&draft.expected_value);
            self.story.known.push(Known {
                issued: placed.issued,
                value: value
                    .and_then(|one| one.times(draft.tickets))
                    .expect("small"),
                draft,
                written: watch.written,
                ended: None,
                left: (placed.covered && end != End::Unsent).then_some(watch.now),
                end,
            });
        }
    }

    /// A draft of one of three sessions, with a hash that was used before or a new one.
    fn draft(&mut self) -> Draft {
        let session = self.rng.u8(..3);
        let hash = match self.rng.u8(..3) {
            0 => {
                self.fresh += 1;
                B256::from(U256::from(self.fresh))
            }
            _ => B256::repeat_byte(session * 2 + self.rng.u8(..2)),
        };
        Draft {
            recipient: Address::repeat_byte(session % 2),
            rand_hash: hash,
            expected_value: Ratio::new(BigInt::from(self.rng.u64(..60)), BigInt::from(3)),
            session: format!("session {session}"),
            key: (session == 0).then(|| "key".to_owned()),
            ..super::draft(self.rng.u32(1..6), 0)
        }
    }

    /// One or two attempts end: any that its caller has been told of.
    fn settle(&mut self) {
        let mut ended = Vec::new();
        for _ in 0..self.rng.u8(1..3) {
            let told = |known: &Known| known.left.is_some() || known.end == End::Unsent;
            let open: Vec<usize> = (0..self.story.known.len())
                .filter(|&at| self.story.known[at].ended.is_none() && told(&self.story.known[at]))
                .collect();
            if open.is_empty() {
                continue;
            }
            let at = open[self.rng.usize(..open.len())];
            let known = &mut self.story.known[at];
            self.engine.end(known.issued.attempt, known.end);
            known.ended = Some((known.end, u64::MAX));
            ended.push(at);
        }
        self.engine.batch(Vec::new());
        let written = self.watch.lock().written;
        for at in ended {
            self.story.known[at].ended = Some((self.story.known[at].end, written));
        }
    }

    /// Empties the log, and cuts in the middle of that: the log is synced and still there, of the file any pages are new.
    fn checkpoint(&mut self) {
        let path = self.watch.lock().path.clone();
        let read = |path: &Path| fs::read(path).expect("a file to copy");
        let (mut file, log) = (read(&path), read(&beside(&path, "-wal")));
        self.engine.checkpoint().expect("room");
        let after = read(&path);
        file.resize(after.len().max(file.len()), 0);
        for (old, new) in file.chunks_mut(4096).zip(after.chunks(4096)) {
            if self.rng.bool() {
                old.copy_from_slice(new);
            }
        }
        let mut watch = self.watch.lock();
        watch.now += 1;
        let cut = Cut {
            file,
            synced: (watch.written, log.len()),
            log,
            written: watch.written,
            at: watch.now,
            place: "in a checkpoint".to_owned(),
        };
        watch.cuts.push(cut);
    }

    fn begin_sync(&mut self) {
        let watch = self.watch.lock();
        self.syncing
            .get_or_insert((watch.written, watch.log_length()));
    }

    /// Whoever waited for the sync sends now.
    fn end_sync(&mut self) {
        let Some(synced) = self.syncing.take() else {
            return;
        };
        let mut watch = self.watch.lock();
        // A checkpoint since then has done more.
        if synced.0 > watch.synced.0 {
            watch.synced = synced;
        }
        self.engine.synced(synced.0);
        for known in &mut self.story.known {
            let waits = known.left.is_none() && known.end != End::Unsent;
            if waits && known.written <= synced.0 {
                watch.now += 1;
                known.left = Some(watch.now);
            }
        }
    }
}

//! Ten thousand cuts: whenever the process dies or power is lost, what is found afterwards fits what had left.
//!
//! Each world is a chain of lives of one ledger. In each life payments are drafted, sent, settled, synced, added up and checkpointed in
//! a seeded order; at about every third point within and between those the two files are copied. Each copy is opened, as after the
//! death of the process or as after a loss of power with a torn log, and held against the model. The last copy of a life is
//! what the next begins with.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;

use super::super::Unconfirmed;
use super::model::{Cut, Known, Life, Past, Story};
use super::*;

/// Cuts in all.
const CUTS: usize = 10_000;
const WORLDS: usize = 40;
const STEPS: usize = 30;

/// A world's judge.
struct Trial {
    /// Where copies are opened.
    copy: PathBuf,
    rng: fastrand::Rng,
    /// Of earlier lives.
    past: Past,
    /// Where it is, for messages.
    about: String,
}

#[test]
fn whenever_it_is_cut_nothing_is_lost_and_nothing_repeats() {
    let next = AtomicUsize::new(0);
    let cuts = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads.min(8) {
            scope.spawn(|| {
                loop {
                    let world = next.fetch_add(1, Ordering::SeqCst);
                    if world >= WORLDS {
                        break;
                    }
                    cuts.fetch_add(live(world as u64), Ordering::SeqCst);
                }
            });
        }
    });
    assert!(cuts.into_inner() >= CUTS);
}

/// A chain of lives, until its share of cuts is done.
fn live(world: u64) -> usize {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger");
    let time = Time::new();
    let cover = U256::from([0, 150, 1_000_000][world as usize % 3]);
    let options = |boot: u64| Options {
        cover,
        boot: Some(boot.to_string()),
        ..time.options()
    };
    let mut trial = Trial {
        copy: folder.path().join("copy"),
        rng: fastrand::Rng::with_seed(world),
        past: Past::default(),
        about: String::new(),
    };
    let (mut done, mut boot, mut life) = (0, 0, 0);
    while done < CUTS.div_ceil(WORLDS) {
        life += 1;
        let mut living = Life::begin(&path, options(boot), &time, world << 16 | life);
        let mut all = Vec::new();
        for step in 0..STEPS {
            living.step();
            for cut in living.cuts() {
                trial.about = format!("world {world}, life {life}, step {step}, {}", cut.place);
                trial.of(&cut, &living.story, &options, boot);
                all.push(cut);
            }
        }
        let (story, closing) = living.finish(trial.rng.bool());
        for cut in closing {
            trial.about = format!("world {world}, life {life}, closing, {}", cut.place);
            trial.of(&cut, &story, &options, boot);
            all.push(cut);
        }
        done += all.len();
        let last = all.pop().expect("a life has cuts");
        if trial.rng.bool() {
            last.restore(&path, &last.log);
        } else {
            last.restore(&path, &last.torn(&mut trial.rng));
            boot += 1;
        }
        remember(&mut trial.past, &story.known, &last);
    }
    done
}

// === impl Trial ===

impl Trial {
    /// Opens the files of a cut as after one of the two kinds of crash.
    fn of(&mut self, cut: &Cut, story: &Story, options: &impl Fn(u64) -> Options, boot: u64) {
        if self.rng.bool() {
            cut.restore(&self.copy, &cut.log);
            self.died(cut, story, options(boot));
        } else {
            cut.restore(&self.copy, &cut.torn(&mut self.rng));
            self.lost(cut, story, options(boot + 1));
        }
    }

    /// The process died: the files are as they were, and what is open is exactly what had not ended in them.
    fn died(&mut self, cut: &Cut, story: &Story, options: Options) {
        let about = &self.about;
        let mut engine = engine(&self.copy, options);
        let found = totals(&engine, &story.time);
        let names =
            |list: &[Unconfirmed]| list.iter().map(|one| one.attempt).collect::<BTreeSet<_>>();
        let mut expected = names(&story.before.unconfirmed);
        expected.extend(open(&story.known, cut));
        assert_eq!(names(&found.unconfirmed), expected, "{about}: the list");

        let unsent =
            |known: &Known| matches!(known.ended, Some((End::Unsent, at)) if at <= cut.written);
        let written = story
            .known
            .iter()
            .filter(|known| known.written <= cut.written);
        let spent = written
            .filter(|known| !unsent(known))
            .fold(story.before.all_time.spend(), |sum, known| {
                sum.saturating_add(known.value)
            });
        assert_eq!(found.all_time.spend(), spent, "{about}: the spend");
        for known in left(&story.known, cut) {
            assert!(
                known.written <= cut.written,
                "{about}: left before it was written"
            );
        }
        self.check(&mut engine, &found, cut, story);
    }

    /// Power was lost: what was synced is there, of the rest a beginning, and covers stand for what is missing.
    fn lost(&mut self, cut: &Cut, story: &Story, options: Options) {
        let about = &self.about;
        let mut engine = engine(&self.copy, options);
        let found = totals(&engine, &story.time);
        let rows = engine.attempts();
        let there = |known: &&Known| rows.contains(&known.issued.attempt);
        let end = story
            .known
            .iter()
            .filter(there)
            .map(|known| known.written)
            .max();
        let end = end.unwrap_or(0).max(cut.synced.0);
        for known in &story.known {
            assert_eq!(
                there(&known),
                known.written <= end,
                "{about}: not a beginning of what was written"
            );
        }

        let news = found
            .unconfirmed
            .iter()
            .filter(|one| !story.before.unconfirmed.contains(one));
        let (rows, covers): (Vec<_>, Vec<_>) = news.partition(|one| one.tickets > 0);
        for known in story.known.iter().filter(there) {
            let ended = known.ended.is_some_and(|(_, at)| at <= cut.synced.0);
            let listed = rows.iter().any(|one| one.attempt == known.issued.attempt);
            assert!(!(ended && listed), "{about}: what ended is listed");
        }
        for session in ["session 0", "session 1", "session 2"] {
            let missing = left(&story.known, cut)
                .filter(|known| known.draft.session == session && !there(known))
                .fold(Amount::ZERO, |sum, known| sum.saturating_add(known.value));
            let cover = covers
                .iter()
                .filter(|one| one.session == session)
                .fold(Amount::ZERO, |sum, one| sum.saturating_add(one.value));
            assert!(
                missing <= cover,
                "{about}: {missing} of {session} are missing, {cover} is covered"
            );
        }
        self.check(&mut engine, &found, cut, story);
    }

    /// What holds whatever happened.
    fn check(&mut self, engine: &mut Engine, found: &Totals, cut: &Cut, story: &Story) {
        let about = &self.about;
        let mut past = self.past.clone();
        remember(&mut past, &story.known, cut);
        let mut total = Amount::ZERO;
        for (recipient, paid) in &past.paid {
            let spent = found
                .recipients
                .get(recipient)
                .map(Sum::spend)
                .unwrap_or_default();
            assert!(
                spent >= *paid,
                "{about}: {recipient} has {paid}, {spent} are in the ledger"
            );
            total = total.saturating_add(*paid);
        }
        assert!(found.all_time.spend() >= total, "{about}: the total");
        assert_eq!(
            found.all_time.open,
            Amount::ZERO,
            "{about}: open in a new run"
        );
        let listed = found.unconfirmed.iter();
        let listed = listed.fold(Amount::ZERO, |sum, one| sum.saturating_add(one.value));
        assert_eq!(
            found.all_time.unconfirmed, listed,
            "{about}: the list's sum"
        );

        let mut hashes: Vec<B256> = story
            .known
            .iter()
            .map(|known| known.draft.rand_hash)
            .collect();
        self.rng.shuffle(&mut hashes);
        for hash in hashes.into_iter().take(2) {
            let again = Draft {
                rand_hash: hash,
                ..draft(2, 0)
            };
            match one(engine, again) {
                Err(LedgerError::NoncesSpent { .. }) => {}
                Err(error) => panic!("{about}: {error}"),
                Ok(issued) => {
                    for nonce in issued.first_nonce..issued.first_nonce + issued.count {
                        let repeated = past.nonces.contains(&(hash, nonce));
                        assert!(!repeated, "{about}: nonce {nonce} of {hash} again");
                    }
                }
            }
        }
    }
}

/// Attempts that left before a cut.
fn left<'a>(known: &'a [Known], cut: &Cut) -> impl Iterator<Item = &'a Known> {
    let at = cut.at;
    known
        .iter()
        .filter(move |known| known.left.is_some_and(|left| left < at))
}

/// Attempts whose row is in the files of a cut and whose end is not.
fn open(known: &[Known], cut: &Cut) -> impl Iterator<Item = AttemptId> {
    let written = cut.written;
    let open = known.iter().filter(move |known| {
        known.written <= written && known.ended.is_none_or(|(_, at)| at > written)
    });
    open.map(|known| known.issued.attempt)
}

/// What left before the cut has left for ever.
fn remember(past: &mut Past, known: &[Known], cut: &Cut) {
    for known in left(known, cut) {
        let Issued {
            first_nonce, count, ..
        } = known.issued;
        let nonces = (first_nonce..first_nonce + count).map(|nonce| (known.draft.rand_hash, nonce));
        past.nonces.extend(nonces);
        let paid = past.paid.entry(known.draft.recipient).or_default();
        *paid = paid.saturating_add(known.value);
    }
}

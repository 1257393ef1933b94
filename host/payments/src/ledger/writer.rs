//! The thread that owns the file: takes what has queued up, decides and writes it as one commit, answers.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::attempt::{AttemptId, Draft, End, Issued};
use super::engine::{Engine, Placed};
use super::syncer::{Syncer, Waiter};
use super::{Caps, LedgerError};

/// Most commands in one commit.
const BATCH: usize = 256;

/// How often what rests is forgotten, and old attempts are removed.
const TIDY: Duration = Duration::from_secs(10);

/// What the handles ask.
pub(super) enum Command {
    /// Enter a payment.
    Draft(Box<Draft>, Reply),
    /// An attempt has ended.
    End(AttemptId, End),
    /// Say when everything before this is on disk.
    Flush(oneshot::Sender<Result<(), LedgerError>>),
    /// New caps.
    Caps(Caps),
    /// End, and say how it went.
    Close(oneshot::Sender<Result<(), LedgerError>>),
}

/// The way back to the one who drafts.
pub(super) struct Reply {
    to: oneshot::Sender<Result<Delivery, LedgerError>>,
    commands: Sender<Command>,
}

/// An attempt on its way to a caller that may have gone: nobody learns of it then, so nothing leaves.
#[derive(Debug)]
pub(super) struct Delivery {
    issued: Option<Issued>,
    commands: Sender<Command>,
}

/// The thread's own state.
struct Writer {
    engine: Engine,
    syncer: Syncer,
    /// The last commit that the syncer was asked for.
    asked: u64,
    tidied: Instant,
    /// The last tidying left something to remove.
    more: bool,
}

/// Starts the two threads.
pub(super) fn start(engine: Engine, commands: Receiver<Command>) -> Result<(), LedgerError> {
    let thread = |error: std::io::Error| LedgerError::Disk(format!("no thread for it: {error}"));
    let writer = Writer {
        syncer: Syncer::start(engine.log()?).map_err(thread)?,
        engine,
        asked: 0,
        tidied: Instant::now(),
        more: true,
    };
    let spawned = thread::Builder::new()
        .name("ledger".to_owned())
        .spawn(move || writer.run(&commands));
    spawned.map(drop).map_err(thread)
}

// === impl Writer ===

impl Writer {
    fn run(mut self, commands: &Receiver<Command>) {
        let closing = loop {
            let mut queue = Vec::new();
            let wait = match self.more {
                true => Duration::ZERO,
                false => TIDY,
            };
            match commands.recv_timeout(wait) {
                Ok(first) => {
                    queue.push(first);
                    queue.extend(commands.try_iter().take(BATCH - 1));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break None,
            }
            let idle = queue.len() < 2;
            if let Some(closing) = self.serve(queue) {
                break Some(closing);
            }
            self.upkeep(idle);
        };
        let closed = self.engine.close();
        if let Err(error) = &closed {
            tracing::error!(
                "the ledger was not closed properly, and nothing of it is lost: {error}"
            );
        }
        if let Some(closing) = closing {
            // Whoever closes may not wait for it.
            let _ = closing.send(closed);
        }
    }

    fn serve(&mut self, queue: Vec<Command>) -> Option<oneshot::Sender<Result<(), LedgerError>>> {
        self.engine.synced(self.syncer.commit());
        if let Some(why) = self.syncer.broken() {
            self.engine.broke(why.to_owned());
        }
        let (mut drafts, mut replies) = (Vec::new(), Vec::new());
        let (mut flushes, mut closing) = (Vec::new(), None);
        for command in queue {
            match command {
                Command::Draft(draft, reply) => {
                    drafts.push(*draft);
                    replies.push(reply);
                }
                Command::End(attempt, end) => self.engine.end(attempt, end),
                Command::Flush(reply) => flushes.push(reply),
                Command::Caps(caps) => self.engine.book.caps = caps,
                Command::Close(reply) => closing = Some(reply),
            }
        }
        let placed = self.engine.batch(drafts);
        let mut waiters: Vec<Waiter> = Vec::new();
        for (reply, placed) in replies.into_iter().zip(placed) {
            match placed {
                Ok(Placed { issued, covered }) if covered => reply.send(Ok(issued)),
                Ok(Placed { issued, .. }) => waiters.push(Box::new(move |synced| {
                    reply.send(synced.map(|()| issued));
                })),
                Err(error) => reply.send(Err(error)),
            }
        }
        for reply in flushes {
            let owes = self.engine.owes();
            waiters.push(Box::new(move |synced| {
                let owed = LedgerError::Disk("ends of payments are not written yet".to_owned());
                // A caller that does not wait is none of ours.
                let _ = reply.send(synced.and(if owes { Err(owed) } else { Ok(()) }));
            }));
        }
        self.ask(waiters);
        closing
    }

    /// Has everything written so far brought to the disk.
    fn ask(&mut self, waiters: Vec<Waiter>) {
        let written = self.engine.written();
        if written > self.asked || !waiters.is_empty() {
            self.asked = written;
            self.syncer.ask(written, waiters);
        }
    }

    fn upkeep(&mut self, idle: bool) {
        let kept = self.engine.keep(idle).and_then(|more| {
            if self.more || self.tidied.elapsed() >= TIDY {
                self.tidied = Instant::now();
                self.engine.tidy();
                self.more = self.engine.prune()?;
            }
            Ok(more)
        });
        match kept {
            Ok(more) => self.more |= more && idle,
            Err(error) => {
                self.more = false;
                tracing::warn!("the ledger is not tidied: {error}");
            }
        }
        self.ask(Vec::new());
    }
}

// === impl Reply ===

impl Reply {
    pub(super) fn new(
        commands: Sender<Command>,
    ) -> (Self, oneshot::Receiver<Result<Delivery, LedgerError>>) {
        let (to, from) = oneshot::channel();
        (Self { to, commands }, from)
    }

    fn send(self, result: Result<Issued, LedgerError>) {
        let commands = self.commands;
        let result = result.map(|issued| Delivery {
            issued: Some(issued),
            commands,
        });
        // Not taken, it comes back as unsent when it is dropped.
        drop(self.to.send(result));
    }
}

// === impl Delivery ===

impl Delivery {
    pub(super) fn take(mut self) -> Option<Issued> {
        self.issued.take()
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let Some(issued) = self.issued.take() {
            // A ledger that is closed lists it as unconfirmed.
            let _ = self
                .commands
                .send(Command::End(issued.attempt, End::Unsent));
        }
    }
}

//! Work that no job waits for: one thread and a bounded queue before it.
//!
//! What does not fit in the queue is dropped and counted by whoever offered it: on a busy machine checks and comparisons become rarer, and jobs do not
//! become slower. The thread ends with the host.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Something to do.
type Task = Box<dyn FnOnce() + Send>;

/// The queue.
pub(crate) struct Background(SyncSender<Task>);

/// Tasks that can wait. Each holds the candidates of a decision.
const QUEUE: usize = 256;

// === impl Background ===

impl Background {
    /// Starts the thread.
    pub(crate) fn start() -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(QUEUE);
        thread::Builder::new()
            .name("policy-aside".to_owned())
            .spawn(move || run(&receiver))?;
        Ok(Self(sender))
    }

    /// Queues `task`, unless the queue is full: `false`.
    pub(crate) fn offer(&self, task: impl FnOnce() + Send + 'static) -> bool {
        self.0.try_send(Box::new(task)).is_ok()
    }
}

fn run(tasks: &Receiver<Task>) {
    while let Ok(task) = tasks.recv() {
        if catch_unwind(AssertUnwindSafe(task)).is_err() {
            tracing::error!("a check in the background panicked");
        }
    }
}

//! When a call has had its time.
//!
//! The epoch is wall clock, and a wall clock also runs while the system lets somebody else run: on a busy machine a call of
//! 10 µs can be 50 ms old. So the end of the deadline is only a reason to look. From then on the time of the thread counts, which only runs with
//! the guest, and a call that uses up another deadline of that is trapped. Reading it costs a system call, which no call in time pays.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use wasmtime::{Store, Trap, UpdateDeadline};

use super::guest::Guest;
use crate::limits::Limits;

/// Looks at which a call ends however little it ran: the system is starving it, and somebody waits for its answer.
const MOST_LOOKS: u32 = 40;

/// What was seen when a call's deadline passed.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// The thread's time at the first look.
    first: Option<Duration>,
    count: u32,
}

/// Makes the end of `store`'s deadline, of `ticks` each time, a look at how long its guest really ran.
pub(super) fn watch(store: &mut Store<Guest>, ticks: u32) {
    let deadline = Limits::TICK * ticks;
    store.epoch_deadline_callback(move |mut context| {
        let looks = &mut context.data_mut().looks;
        let now = thread_time();
        let first = *looks.first.get_or_insert(now);
        looks.count += 1;
        if now.saturating_sub(first) * 2 >= deadline || looks.count > MOST_LOOKS {
            return Err(Trap::Interrupt.into());
        }
        Ok(UpdateDeadline::Continue(ticks.into()))
    });
}

/// How long this thread has run.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

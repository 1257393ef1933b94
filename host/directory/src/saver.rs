//! Keeping the database up to date, off the hot path.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::warn;

use crate::core::Core;
use crate::history::KEPT_MS;
use crate::store::{Rows, Store, StoreError};

/// Pause between two saves.
const EVERY: Duration = Duration::from_secs(5);

/// Pause between two sweeps of what is too old.
const SWEEP: Duration = Duration::from_secs(60 * 60);

/// Saves what changed until the directory stops, and once more then.
pub(crate) async fn run(core: Arc<Core>, mut store: Option<Store>) {
    let mut swept = Instant::now();
    loop {
        let stopped = core.stop.run_until_cancelled(sleep(EVERY)).await.is_none();
        if swept.elapsed() >= SWEEP {
            swept = Instant::now();
            store = sweep(&core, store).await;
        }
        store = save(&core, store).await;
        if stopped {
            return;
        }
    }
}

async fn save(core: &Core, store: Option<Store>) -> Option<Store> {
    let now_ms = core.clock.unix_ms();
    let rows = Rows {
        orchestrators: core.table.lock().take_unsaved(now_ms),
        records: core.history.lock().take_unsaved(),
    };
    if rows.is_empty() {
        return store;
    }
    let (store, rows) = blocking(store, rows, |store, rows| store.save(rows)).await;
    if let Some(rows) = rows {
        let mut table = core.table.lock();
        for row in &rows.orchestrators {
            table.touch(crate::source::identity(&row.uri));
        }
        drop(table);
        core.history.lock().save_again(&rows.records);
    }
    store
}

async fn sweep(core: &Core, store: Option<Store>) -> Option<Store> {
    let now_ms = core.clock.unix_ms();
    let before_ms = now_ms.saturating_sub(KEPT_MS);
    core.table.lock().sweep(before_ms);
    core.history.lock().sweep(now_ms);
    let purge = move |store: &mut Store, (): &()| store.purge(before_ms);
    blocking(store, (), purge).await.0
}

/// Runs `work` where it may block. Hands `input` back when it failed: it has to be done again.
async fn blocking<T: Send + 'static>(
    store: Option<Store>,
    input: T,
    work: impl FnOnce(&mut Store, &T) -> Result<(), StoreError> + Send + 'static,
) -> (Option<Store>, Option<T>) {
    let Some(mut store) = store else {
        return (None, None);
    };
    let done = tokio::task::spawn_blocking(move || {
        let result = work(&mut store, &input);
        (store, input, result)
    });
    match done.await {
        Ok((store, _, Ok(()))) => (Some(store), None),
        Ok((store, input, Err(error))) => {
            warn!("{error}; tried again soon");
            (Some(store), Some(input))
        }
        Err(error) => {
            warn!("saving the directory ended early, nothing more is saved: {error}");
            (None, None)
        }
    }
}

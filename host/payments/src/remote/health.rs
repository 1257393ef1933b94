//! Whether the signer is worth waiting for now.
//!
//! A signer that fails or hangs would cost each segment its whole limit. So after a failure calls are refused at once for a second,
//! then two, four, up to [`LONGEST`]; after each pause one call finds out, and the others go on being refused until it has.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::RemoteError;

/// Pause after the first failure.
const FIRST: Duration = Duration::from_secs(1);
/// Longest pause.
const LONGEST: Duration = Duration::from_secs(8);

/// What is known of the signer.
#[derive(Debug, Default)]
pub(super) struct Health(Mutex<Option<Away>>);

/// It failed.
#[derive(Debug)]
struct Away {
    why: String,
    until: Instant,
    pause: Duration,
    trying: bool,
}

/// One call under way.
#[derive(Debug)]
pub(super) struct Call<'h> {
    health: &'h Health,
    began: Instant,
    patience: Duration,
    noted: bool,
}

// === impl Health ===

impl Health {
    /// Lets a call through, which may take `patience`.
    pub(super) fn admit(&self, patience: Duration) -> Result<Call<'_>, RemoteError> {
        if let Some(away) = &mut *self.0.lock() {
            if away.trying || Instant::now() < away.until {
                return Err(RemoteError::Failed(away.why.clone()));
            }
            away.trying = true;
        }
        Ok(Call {
            health: self,
            began: Instant::now(),
            patience,
            noted: false,
        })
    }

    /// Why it is not asked now, if so.
    pub(super) fn trouble(&self) -> Option<String> {
        self.0.lock().as_ref().map(|away| away.why.clone())
    }

    fn failed(&self, why: String) {
        let mut state = self.0.lock();
        let pause = state
            .as_ref()
            .map_or(FIRST, |away| away.pause.saturating_mul(2).min(LONGEST));
        *state = Some(Away {
            why,
            until: Instant::now() + pause,
            pause,
            trying: false,
        });
    }
}

// === impl Call ===

impl Call<'_> {
    /// Notes how it went: any answer but that of a failing signer is a good one.
    pub(super) fn note<T>(mut self, result: &Result<T, RemoteError>) {
        self.noted = true;
        match result {
            Err(RemoteError::Failed(why)) => self.health.failed(why.clone()),
            _ => *self.health.0.lock() = None,
        }
    }
}

impl Drop for Call<'_> {
    /// Given up by whoever asked. Half of its time without an answer is a failure; less says nothing.
    fn drop(&mut self) {
        if self.noted {
            return;
        }
        if self.began.elapsed() * 2 >= self.patience {
            self.health.failed("it did not answer in time".to_owned());
        } else if let Some(away) = &mut *self.health.0.lock() {
            away.trying = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(2);

    fn fail(health: &Health) {
        let call = health.admit(PATIENCE).expect("it is asked");
        call.note::<()>(&Err(RemoteError::Failed("no connection".to_owned())));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_not_waited_for_again_until_one_call_has_found_out() {
        let health = Health::default();
        fail(&health);
        let refused = health.admit(PATIENCE).expect_err("it has just failed");
        assert_eq!(refused, RemoteError::Failed("no connection".to_owned()));
        tokio::time::advance(FIRST).await;
        let call = health.admit(PATIENCE).expect("one finds out");
        assert!(health.admit(PATIENCE).is_err(), "and no other");
        call.note(&Ok(()));
        assert_eq!(health.trouble(), None);
        drop(health.admit(PATIENCE).expect("all again"));
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_to_their_longest() {
        let health = Health::default();
        for seconds in [1, 2, 4, 8, 8] {
            fail(&health);
            tokio::time::advance(Duration::from_secs(seconds) - Duration::from_millis(1)).await;
            assert!(health.admit(PATIENCE).is_err(), "{seconds}");
            tokio::time::advance(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_was_given_up_counts_when_it_had_time() {
        let health = Health::default();
        drop(health.admit(PATIENCE).expect("asked"));
        assert_eq!(health.trouble(), None);
        let call = health.admit(PATIENCE).expect("asked");
        tokio::time::advance(PATIENCE / 2).await;
        drop(call);
        assert!(health.trouble().is_some());
        tokio::time::advance(FIRST).await;
        drop(health.admit(PATIENCE).expect("asked"));
        drop(health.admit(PATIENCE).expect("another may find out"));
    }
}

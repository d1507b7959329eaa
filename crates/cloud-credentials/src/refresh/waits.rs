//! Waiting for the refresh of another process.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use vouchsafe_core::call::{Backoff, Jitter};
use vouchsafe_core::deadline;
use vouchsafe_core::store::Watch;

use super::{FIRST_WAIT, LONGEST_WAIT, held_for_too_long, lost_again};
use crate::Result;

/// The waits between looks at a record or a lease, within a limit.
pub(super) struct Waits {
    until: Instant,
    backoff: Backoff,
}

impl Waits {
    pub(super) fn new(limit: Duration) -> Self {
        Self {
            until: deadline::after(Instant::now(), limit),
            backoff: Backoff::new(FIRST_WAIT, LONGEST_WAIT, Jitter::random()).at_least_half(),
        }
    }

    /// Waits for a moment, or for a hint that the record has changed. Fails once the limit is over.
    pub(super) async fn wait(&mut self, hints: Option<&mut Watch>) -> Result<()> {
        let now = Instant::now();
        if now >= self.until {
            return Err(held_for_too_long());
        }
        let next = deadline::after(now, self.backoff.next_wait()).min(self.until);
        match hints {
            // It is looked at after a hint and after the wait alike.
            Some(hints) => drop(timeout_at(next, hints.changed()).await),
            None => sleep_until(next).await,
        }
        Ok(())
    }

    /// Waits for a holder that lost its lease and may be about to save. Fails once the limit is over, so that leases
    /// that end before their time are no reason to wait for ever.
    pub(super) async fn defer(&self, time: Duration) -> Result<()> {
        if Instant::now() >= self.until {
            return Err(lost_again());
        }
        sleep(time).await;
        Ok(())
    }
}

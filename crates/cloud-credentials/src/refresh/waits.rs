//! Waiting for the refresh of another process.

use std::mem;
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
    has_deferred: bool,
}

impl Waits {
    pub(super) fn new(limit: Duration) -> Self {
        Self {
            until: deadline::after(Instant::now(), limit),
            backoff: Backoff::new(FIRST_WAIT, LONGEST_WAIT, Jitter::random()).at_least_half(),
            has_deferred: false,
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

    /// Waits for the last holder of a lease, which may be about to save. Fails if the limit is over and this is
    /// not the first such wait: leases that keep ending early would otherwise make it wait for ever. The first
    /// is for a lease that may have taken all of the limit to lapse.
    pub(super) async fn defer(&mut self, time: Duration) -> Result<()> {
        let is_first = !mem::replace(&mut self.has_deferred, true);
        if !is_first && Instant::now() >= self.until {
            return Err(lost_again());
        }
        sleep(time).await;
        Ok(())
    }
}

//! Saving tokens later that could not be saved when they were issued, and the lease meanwhile.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use vouchsafe_core::call::{Backoff, Jitter};
use vouchsafe_core::deadline;
use vouchsafe_core::store::Acquired;
use vouchsafe_core::sync::lock;

use super::machine::{Outcome, Refresh, Unsaved};
use super::{Coordinator, FIRST_WAIT, Held, LONGEST_WAIT, Run, Shared, limited};
use crate::{Error, Record, Result};

impl Coordinator {
    /// Returns whether the tokens that are not saved yet have a new refresh token.
    pub(crate) fn has_unsaved_refresh_token(&self) -> bool {
        let unsaved = lock(&self.shared.unsaved);
        unsaved
            .as_ref()
            .is_some_and(|(unsaved, _)| unsaved.is_rotated())
    }

    /// Saves the tokens that are not saved yet, for as long as a refresh waits for others.
    pub(crate) async fn flush(&self) -> Result<()> {
        let patience = deadline::after(Instant::now(), self.shared.times.patience);
        let mut waits = Backoff::new(FIRST_WAIT, LONGEST_WAIT, Jitter::random()).at_least_half();
        loop {
            let turn = self.turn().await;
            let saved = self.shared.save_kept().await;
            drop(turn);
            match saved {
                Err(error) if error.is_retryable() && Instant::now() < patience => {
                    sleep(waits.next_wait()).await;
                }
                done => return done,
            }
        }
    }
}

impl Shared {
    pub(super) async fn keep_saving(self: Arc<Self>) {
        let mut waits = Backoff::new(FIRST_SAVE, LONGEST_SAVE, Jitter::random()).at_least_half();
        while lock(&self.unsaved).is_some() {
            let mut wait = waits.next_wait();
            if lock(&self.held).is_some() {
                // Others wait. It is renewed before each attempt.
                wait = wait.min(self.times.lease / 6);
            }
            sleep(wait).await;
            // What failed was reported, and is tried again.
            let _turn = self.turn.lock().await;
            let _ = self.save_kept().await;
        }
    }

    /// Saves the tokens that were kept, unless the record belongs to another login by now. The caller
    /// has the turn.
    async fn save_kept(&self) -> Result<()> {
        let Some((unsaved, wanted)) = lock(&self.unsaved).clone() else {
            return Ok(());
        };
        let is_leased = self.keep_others_waiting(&unsaved).await;
        let (machine, step) = Refresh::of_unsaved(unsaved, is_leased);
        match Run::new(self, &wanted, None).perform(machine, step).await {
            Outcome::Failed(error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Renews the lease while new refresh tokens are not saved, or takes it again if it was lost.
    /// Returns whether this process has it.
    async fn keep_others_waiting(&self, unsaved: &Unsaved<Record>) -> bool {
        if lock(&self.failing).is_for_good() {
            self.release().await;
            return false;
        }
        // The store may be away for a while, so it may be lost only for that.
        let _ = self.renew().await;
        if lock(&self.held).is_some() || !unsaved.is_rotated() {
            return lock(&self.held).is_some();
        }
        // Whoever has it gets these tokens, or is refused: it is not waited for.
        let until = self.until(self.times.lease);
        let acquired = limited(self.leases.acquire(&self.key, self.times.lease)).await;
        let Ok(Acquired::Lease(lease)) = acquired else {
            return false;
        };
        *lock(&self.held) = Some(Held { lease, until });
        true
    }

    /// Renews the lease of this process for its full time, and drops it if it was lost. If the
    /// future is dropped, the lease stays where it was.
    pub(super) async fn renew(&self) -> Result<()> {
        let mut taken = Taken {
            held: lock(&self.held).take(),
            place: &self.held,
        };
        let Some(held) = &mut taken.held else {
            return Ok(());
        };
        let until = self.until(self.times.lease);
        let renewed = limited(self.leases.renew(&mut held.lease, self.times.lease)).await;
        match renewed {
            Ok(true) => held.until = until,
            Ok(false) => taken.held = None,
            Err(_) => {}
        }
        renewed.map(drop)
    }

    /// Releases the lease that this process holds, if any.
    pub(super) async fn release(&self) {
        let held = lock(&self.held).take();
        if let Some(held) = held {
            // It ends by itself.
            let _ = limited(self.leases.release(held.lease)).await;
        }
    }
}

/// The lease while it is renewed. Puts it back when dropped.
struct Taken<'a> {
    held: Option<Held>,
    place: &'a Mutex<Option<Held>>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            *lock(self.place) = Some(held);
        }
    }
}

/// Failures to save tokens, one after the other.
#[derive(Debug, Default)]
pub(super) struct Failing {
    /// When one was reported last, and how long none is reported after that.
    reported: Option<(Instant, Duration)>,
    /// Since when they have been of a kind that does not pass by itself.
    lasting: Option<Instant>,
}

impl Failing {
    /// Adds one, and returns whether to report it.
    pub(super) fn add(&mut self, error: &Error) -> bool {
        let now = Instant::now();
        self.lasting = match error.is_retryable() {
            true => None,
            false => self.lasting.or(Some(now)),
        };
        let quiet = match self.reported {
            Some((at, quiet)) if now.duration_since(at) < quiet => return false,
            Some((_, quiet)) => LONGEST_SAVE.min(quiet * 2),
            None => FIRST_SAVE,
        };
        self.reported = Some((now, quiet));
        true
    }

    /// Returns whether others have waited long enough for a save that will hardly succeed.
    fn is_for_good(&self) -> bool {
        self.lasting
            .is_some_and(|since| since.elapsed() >= LONGEST_HOLD)
    }
}

const FIRST_SAVE: Duration = Duration::from_secs(1);
const LONGEST_SAVE: Duration = Duration::from_secs(32);
/// How long the lease is kept while saving fails in a way that does not pass by itself, such as a
/// full disk or a damaged record. Others cannot refresh during that time.
const LONGEST_HOLD: Duration = Duration::from_secs(300);

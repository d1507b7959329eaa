//! Work on the record of a profile while nothing refreshes it.

use tokio::sync::MutexGuard;
use tokio::time::{Instant, sleep};
use vouchsafe_core::call::{Backoff, Jitter};
use vouchsafe_core::deadline;
use vouchsafe_core::store::{Acquired, Key};
use vouchsafe_core::sync::lock;

use super::place::lease_key;
use super::{Coordinator, DEFERRED, FIRST_WAIT, Held, LONGEST_WAIT, Shared, held_for_too_long};
use crate::{Record, Result};

/// The exclusive right to the records of a profile: the lease, and the turn of this process if it
/// refreshes them itself. If it is dropped, the lease ends by itself, or with the next refresh of this
/// process.
pub(crate) struct Exclusive<'a> {
    shared: &'a Shared,
    own: Option<MutexGuard<'a, ()>>,
    held: Option<Held>,
}

impl Coordinator {
    /// Waits until nothing refreshes a record or others of its profile, and keeps it so.
    pub(crate) async fn exclusive(&self, key: &Key) -> Result<Exclusive<'_>> {
        let shared = &*self.shared;
        let lease = lease_key(key);
        let own = match lease == lease_key(&shared.key) {
            true => Some(self.turn().await),
            false => None,
        };
        if own.is_some() {
            // It may have lapsed.
            let _ = shared.renew().await;
        }
        let kept = own.as_ref().and_then(|_| lock(&shared.held).take());
        let held = match kept {
            Some(kept) => kept,
            None => shared.take(&lease).await?,
        };
        Ok(Exclusive {
            shared,
            own,
            held: Some(held),
        })
    }
}

impl Exclusive<'_> {
    /// Returns whether this process has tokens that belong in this record and are not saved yet.
    pub(crate) fn has_unsaved_of(&self, there: &Record) -> bool {
        self.own.is_some() && self.shared.unsaved_of(Some(there)).is_some()
    }

    fn is_needed(&self) -> bool {
        self.own.is_some() && self.shared.needs_lease()
    }

    /// Forgets the tokens of a record that are not saved yet.
    pub(crate) fn forget(&self, record: &Key) {
        if self.own.is_some() {
            self.shared.forget(record);
        }
    }

    /// Renews the lease for its full time. Returns `false` if it was lost.
    pub(crate) async fn renew(&mut self) -> Result<bool> {
        let Shared { leases, times, .. } = self.shared;
        let Some(held) = &mut self.held else {
            return Ok(false);
        };
        self.shared
            .of_leases(leases.renew(&mut held.lease, times.lease))
            .await
    }

    /// Releases the lease, unless tokens that are not saved yet need it.
    pub(crate) async fn release(mut self) {
        if self.is_needed() {
            return;
        }
        if let Some(held) = self.held.take() {
            // As it was taken: a holder before this one may still have tokens to save.
            self.shared.end(held.lease).await;
        }
    }
}

impl Drop for Exclusive<'_> {
    fn drop(&mut self) {
        // Whoever saves the tokens keeps it, and the next refresh of this process need not wait for its end.
        if self.own.is_some()
            && let Some(held) = self.held.take()
        {
            *lock(&self.shared.held) = Some(held);
        }
    }
}

impl Shared {
    async fn take(&self, key: &Key) -> Result<Held> {
        let Self { leases, times, .. } = self;
        let patience = deadline::after(Instant::now(), times.patience);
        let mut waits = Backoff::new(FIRST_WAIT, LONGEST_WAIT, Jitter::random()).at_least_half();
        loop {
            let until = self.until(times.lease);
            match self.of_leases(leases.acquire(key, times.lease)).await? {
                Acquired::Lease(lease) => {
                    if lease.is_after_lapse() {
                        // Its last holder may be about to save tokens.
                        sleep(times.lease / DEFERRED).await;
                    }
                    return Ok(Held { lease, until });
                }
                Acquired::Held { .. } if Instant::now() >= patience => {
                    return Err(held_for_too_long());
                }
                Acquired::Held { .. } => sleep(waits.next_wait()).await,
            }
        }
    }
}

//! Work on the record of a profile while nothing refreshes it.

use std::time::Duration;

use tokio::sync::MutexGuard;
use tokio::time::sleep;
use vouchsafe_core::store::{Acquired, Key};
use vouchsafe_core::sync::lock;

use super::place::lease_key;
use super::run::SAVE_AT_ONCE;
use super::waits::Waits;
use super::{Coordinator, DEFERRED, Held, Shared, Until};
use crate::{Record, Result};

/// The exclusive right to the records of a profile: the lease, and the turn of this process if it
/// refreshes them itself. If it is dropped, the lease ends by itself, or with the next refresh of this
/// process.
pub(crate) struct Exclusive<'a> {
    shared: &'a Shared,
    own: Option<MutexGuard<'a, ()>>,
    held: Option<Held>,
}

/// What came first while the right to a record was waited for.
pub(crate) enum Turn<'a> {
    /// The record, as it was read with the right to it.
    Ours(Exclusive<'a>, Option<Record>),
    /// The record as others have made it.
    Found(Record),
}

impl Coordinator {
    /// Waits until nothing refreshes a record or others of its profile, and keeps it so.
    pub(crate) async fn exclusive(&self, key: &Key) -> Result<Exclusive<'_>> {
        self.exclusive_within(self.shared.times.patience, key).await
    }

    /// The same, if others refresh it for no longer than a moment: until then, this process refreshes
    /// nothing either.
    pub(crate) async fn exclusive_soon(&self, key: &Key) -> Result<Exclusive<'_>> {
        self.exclusive_within(SAVE_AT_ONCE, key).await
    }

    async fn exclusive_within(&self, patience: Duration, key: &Key) -> Result<Exclusive<'_>> {
        let lease = lease_key(key);
        let mut exclusive = self.begin(&lease).await;
        let mut waits = Waits::new(patience);
        while !exclusive.take(&lease).await? {
            waits.wait(None).await?;
        }
        Ok(exclusive)
    }

    /// The same for the own record, unless it is as wanted by then. That is looked at before the lease is
    /// asked for, after each wait, and once more with the lease.
    pub(crate) async fn exclusive_unless(
        &self,
        is_wanted: impl Fn(&Record) -> bool + Send + Sync,
    ) -> Result<Turn<'_>> {
        let (shared, key) = (&*self.shared, self.key());
        let lease = lease_key(key);
        let mut exclusive = self.begin(&lease).await;
        let mut waits = Waits::new(shared.times.patience);
        let mut hints = None;
        loop {
            let read = self.load(key).await;
            let record = match read {
                Ok(read) => read.map(|(record, _)| record),
                Err(error) => {
                    exclusive.release().await;
                    return Err(error);
                }
            };
            if let Some(record) = record.clone().filter(&is_wanted) {
                exclusive.release().await;
                return Ok(Turn::Found(record));
            }
            if exclusive.held.is_some() {
                return Ok(Turn::Ours(exclusive, record));
            }
            if !exclusive.take(&lease).await? {
                waits.wait(hints.as_mut()).await?;
                // Before the record is read that is waited for.
                hints = hints.or_else(|| shared.store.watch(key));
            }
        }
    }

    /// Waits for the turn of this process, if it is needed, and takes the lease that it kept.
    async fn begin(&self, lease: &Key) -> Exclusive<'_> {
        let shared = &*self.shared;
        let own = match *lease == lease_key(&shared.key) {
            true => Some(self.turn().await),
            false => None,
        };
        if own.is_some() {
            // It may have lapsed.
            let _ = shared.renew().await;
        }
        let held = own.as_ref().and_then(|_| lock(&shared.held).take());
        Exclusive { shared, own, held }
    }
}

impl Exclusive<'_> {
    /// Takes the lease, if it is free or was kept, and returns whether this process has it.
    async fn take(&mut self, key: &Key) -> Result<bool> {
        if self.held.is_some() {
            return Ok(true);
        }
        let Shared { leases, times, .. } = self.shared;
        let until = self.shared.until(times.lease);
        let acquired = leases.acquire(key, times.lease);
        let Acquired::Lease(lease) = self.shared.of_leases(acquired).await? else {
            return Ok(false);
        };
        if lease.is_after_lapse() {
            // Its last holder may be about to save tokens.
            sleep(times.lease / DEFERRED).await;
        }
        self.held = Some(Held { lease, until });
        Ok(true)
    }

    /// Makes sure that the lease lasts for a token request, and returns the end of that. `None` if it was
    /// lost.
    pub(crate) async fn keep_for_request(&mut self) -> Result<Option<Until>> {
        let time = self.shared.times.request;
        let until = self.shared.until(time);
        let lasts = |held: &Held| until.is_before(&held.until);
        if self.held.as_ref().is_some_and(lasts) {
            return Ok(Some(until));
        }
        let renewed = self.shared.until(self.shared.times.lease);
        if !self.renew().await? {
            self.held = None;
            return Ok(None);
        }
        if let Some(held) = &mut self.held {
            held.until = renewed.clone();
        }
        Ok(Some(self.shared.until(time).or_before(&renewed)))
    }

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

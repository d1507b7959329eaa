//! Saving tokens later that could not be saved when they were issued, and the lease meanwhile.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};
use vouchsafe_core::call::{Backoff, Jitter};
use vouchsafe_core::store::{Acquired, Lease};
use vouchsafe_core::sync::lock;
use vouchsafe_core::{BoxFuture, ErrorKind as Kind, deadline};

use super::failing::{FIRST_SAVE, LONGEST_HOLD, LONGEST_SAVE};
use super::machine::{Outcome, Refresh};
use super::place::lease_key;
use super::run::Run;
use super::{Coordinator, DEFERRED, FIRST_WAIT, Held, Kept, LONGEST_WAIT, Shared};
use crate::{ErrorKind, Result};

impl Coordinator {
    /// Saves the tokens that are not saved yet, for as long as a refresh waits for others.
    pub(crate) async fn flush(&self) -> Result<()> {
        let save = || async {
            let _turn = self.turn().await;
            self.shared.save_all_kept().await
        };
        self.patiently(save).await
    }

    /// Tries again after failures that may pass, for as long as a refresh waits for others.
    pub(crate) async fn patiently<F: Future<Output = Result<()>>>(
        &self,
        save: impl Fn() -> F,
    ) -> Result<()> {
        let patience = deadline::after(Instant::now(), self.shared.times.patience);
        let mut waits = Backoff::new(FIRST_WAIT, LONGEST_WAIT, Jitter::random()).at_least_half();
        loop {
            match save().await {
                Err(error) if error.is_retryable() && Instant::now() < patience => {
                    sleep(waits.next_wait()).await;
                }
                done => return done,
            }
        }
    }
}

/// An attempt to save a login, made again and again.
pub(crate) type Attempt = dyn Fn() -> BoxFuture<'static, Result<()>> + Send + Sync;

/// A login that could not be saved.
#[derive(Clone)]
pub(super) struct Late(Arc<Attempt>);

impl fmt::Debug for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Late")
    }
}

impl Coordinator {
    /// Tries to save a login, in the place of one that was given before, until that succeeds or the record
    /// has another one.
    pub(crate) fn keep_saving_login(&self, attempt: Arc<Attempt>) {
        *lock(&self.shared.late) = Some(Late(attempt));
        self.ensure_saving();
    }

    /// Makes sure that what is not saved yet will be: the runtime on which it was tried may have ended.
    pub(super) fn ensure_saving(&self) {
        if self.shared.wait_to_save(Duration::ZERO).is_some() {
            self.saver.ensure();
        }
    }
}

impl Shared {
    pub(super) async fn keep_saving(self: Arc<Self>) {
        let mut waits = Backoff::new(FIRST_SAVE, LONGEST_SAVE, Jitter::random()).at_least_half();
        let mut tried = Instant::now();
        while let Some(wait) = self.wait_to_save(waits.next_wait()) {
            // After an attempt that took as long, there is the next one: the store may have come back in
            // the meantime, and its waiters do not wait for long.
            sleep_until(deadline::after(tried, wait)).await;
            self.save_login().await;
            let _turn = self.turn.lock().await;
            tried = Instant::now();
            // What failed was reported, and is tried again.
            let _ = self.save_all_kept().await;
        }
    }

    /// Tries once to save the login that could not be saved.
    async fn save_login(&self) {
        let Some(late) = lock(&self.late).clone() else {
            return;
        };
        // What failed was reported. A conflict that may pass, such as a lost lease, is not another login.
        let is_over = match late.0().await {
            Err(error) => error.kind() == ErrorKind::Core(Kind::Conflict) && !error.is_retryable(),
            Ok(()) => true,
        };
        if is_over {
            // Unless another login has failed meanwhile.
            lock(&self.late).take_if(|now| Arc::ptr_eq(&now.0, &late.0));
        }
    }

    /// Returns how long to wait before tokens are saved, at most `longest`. `None` if all are saved,
    /// or they have been displaced for long: then they are saved by the next refresh that finds the
    /// record as it was.
    pub(super) fn wait_to_save(&self, longest: Duration) -> Option<Duration> {
        let all = lock(&self.unsaved);
        let is_past = |since: Instant| since.elapsed() >= LONGEST_HOLD;
        let is_tried = |kept: &&Kept| !kept.displaced.is_some_and(is_past);
        let wait = |kept: &Kept| match kept.needs_lease() {
            true => longest.min(self.times.lease / (2 * DEFERRED)),
            false => longest,
        };
        let login = lock(&self.late).as_ref().map(|_| longest);
        all.values().filter(is_tried).map(wait).chain(login).min()
    }

    /// Saves the tokens that were kept, unless the record belongs to another login by now. The caller
    /// has the turn. Returns the first error.
    async fn save_all_kept(&self) -> Result<()> {
        let all: Vec<Kept> = lock(&self.unsaved).values().cloned().collect();
        let mut saved = Ok(());
        for kept in all {
            saved = saved.and(self.save(kept).await);
        }
        saved
    }

    async fn save(&self, kept: Kept) -> Result<()> {
        let is_leased = self.keep_others_waiting(&kept).await;
        let (machine, step) = Refresh::of_unsaved(kept.unsaved, is_leased);
        let mut run = Run::new(self, &kept.wanted, None);
        match run.perform(machine, step).await {
            Outcome::Failed(error) => {
                // A record that cannot be read may be the reason, too.
                run.report_unsaved(&error);
                Err(error)
            }
            _ => Ok(()),
        }
    }

    /// Renews the lease while new refresh tokens are not saved, or takes it again if it was lost.
    /// Returns whether this process has it.
    async fn keep_others_waiting(&self, kept: &Kept) -> bool {
        if kept.failing.is_for_good() {
            self.release().await;
            return lock(&self.held).is_some();
        }
        // The store may be away for a while, so it may be lost only for that.
        let _ = self.renew().await;
        if lock(&self.held).is_some() || !kept.needs_lease() {
            return lock(&self.held).is_some();
        }
        // Whoever has it gets these tokens, or is refused: it is not waited for.
        let until = self.until(self.times.lease);
        let acquired = self
            .of_leases(self.leases.acquire(&lease_key(&self.key), self.times.lease))
            .await;
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
        let renewed = self
            .of_leases(self.leases.renew(&mut held.lease, self.times.lease))
            .await;
        match renewed {
            Ok(true) => held.until = until,
            Ok(false) => taken.held = None,
            Err(_) => {}
        }
        renewed.map(drop)
    }

    /// Releases the lease that this process holds, if any, unless tokens that are not saved yet need
    /// it.
    pub(super) async fn release(&self) {
        if let Some(held) = self.unneeded() {
            self.end(held.lease.after_lapse(false)).await;
        }
    }

    /// The same, but if it had lapsed when it was taken, whoever takes it next learns that, too.
    pub(super) async fn give_back(&self) {
        if let Some(held) = self.unneeded() {
            self.end(held.lease).await;
        }
    }

    fn unneeded(&self) -> Option<Held> {
        let is_needed = self.needs_lease();
        lock(&self.held).take_if(|_| !is_needed)
    }

    /// Returns whether others must not refresh before tokens of this process are saved.
    pub(super) fn needs_lease(&self) -> bool {
        lock(&self.unsaved).values().any(Kept::needs_lease)
    }

    pub(super) async fn end(&self, lease: Lease) {
        // It ends by itself.
        let _ = self.of_leases(self.leases.release(lease)).await;
    }
}

impl Kept {
    /// Returns whether others must not refresh before these tokens are saved.
    fn needs_lease(&self) -> bool {
        self.unsaved.keeps_others_waiting() && !self.failing.is_for_good()
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

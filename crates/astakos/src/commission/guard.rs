//! A commission that was issued and is not resolved yet.

use std::fmt;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::busy::Busy;
use super::journal::Outcome;
use super::resolver::{Undo, gone};
use super::{CommissionId, Committed, Issuer};
use crate::{CommissionAction, Result, Serial};

/// A commission that was issued and is neither accepted nor rejected.
///
/// Dropping it, also during a panic, rejects the commission in the background, so a failure
/// releases the quota. It keeps its [`Issuer`] alive. If it is the last owner, no background
/// work remains, and [`Issuer::reconcile`] of the next issuer rejects the commission.
#[must_use = "dropping the guard rejects the commission"]
pub struct CommissionGuard {
    issuer: Issuer,
    serial: Serial,
    id: CommissionId,
    /// Taken when the commission is handed over.
    busy: Option<Busy>,
    /// Whether the journal may contain the decision to accept it.
    is_decided: bool,
    runtime: Handle,
}

impl CommissionGuard {
    pub(super) fn new(issuer: Issuer, serial: Serial, busy: Busy, runtime: Handle) -> Self {
        Self {
            issuer,
            serial,
            id: busy.id(),
            busy: Some(busy),
            is_decided: false,
            runtime,
        }
    }

    /// Returns the commission's number.
    #[must_use]
    pub fn serial(&self) -> Serial {
        self.serial
    }

    /// Returns the id in the commission's name.
    #[must_use]
    pub fn id(&self) -> CommissionId {
        self.id
    }

    /// Accepts the commission.
    ///
    /// The decision is recorded first. From then on it is carried out even if this future is
    /// dropped or something fails. Dropping the future earlier rejects the commission, which the
    /// journal records before the server is called. If the process ends in between, the journal
    /// decides.
    ///
    /// # Errors
    ///
    /// Of kind [`Core`](crate::ErrorKind::Core)`(Store)` if the journal failed: the commission is
    /// rejected in the background, as if this future had been dropped.
    /// [`ErrorKind::Connection`](crate::ErrorKind::Connection) if there was no answer in time: the
    /// commission will be accepted, in the background or by [`Issuer::reconcile`].
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if another client resolved it.
    pub async fn commit(mut self) -> Result<Committed> {
        let committing = Outcome::Committing(self.serial);
        self.is_decided = true;
        self.issuer.journal().outcome(self.id, committing).await?;
        match self.hand_over(CommissionAction::Accept) {
            Some(reply) => self.wait(reply).await,
            None => Err(gone()),
        }
    }

    /// Rejects the commission, and waits until that is done.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Connection`](crate::ErrorKind::Connection) if there was no answer in time: the
    /// commission will be rejected, in the background or by [`Issuer::reconcile`].
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if another client resolved it.
    pub async fn reject(mut self) -> Result<Committed> {
        match self.hand_over(CommissionAction::Reject) {
            Some(reply) => self.wait(reply).await,
            None => Err(gone()),
        }
    }

    fn hand_over(
        &mut self,
        action: CommissionAction,
    ) -> Option<oneshot::Receiver<Result<Committed>>> {
        let busy = self.busy.take()?;
        let resolver = self.issuer.resolver();
        // The runtime that it was issued in may be gone.
        let runtime = Handle::try_current();
        let runtime = runtime.as_ref().unwrap_or(&self.runtime);
        let undo = self.is_decided && action == CommissionAction::Reject;
        let undo = undo.then_some(Undo);
        Some(resolver.submit(self.serial, action, Some(busy), undo, runtime))
    }

    async fn wait(&self, reply: oneshot::Receiver<Result<Committed>>) -> Result<Committed> {
        self.issuer.settled(reply).await
    }
}

impl Drop for CommissionGuard {
    fn drop(&mut self) {
        // The reply is not awaited.
        drop(self.hand_over(CommissionAction::Reject));
    }
}

impl fmt::Debug for CommissionGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommissionGuard")
            .field("serial", &self.serial)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

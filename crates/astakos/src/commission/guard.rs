//! A commission in hand.

use std::fmt;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout_at;
use vouchsafe_core::{Error as CoreError, ErrorKind as CoreKind, Sent, TimeoutScope};

use super::busy::Busy;
use super::journal::Outcome;
use super::pace::until;
use super::resolver::Undo;
use super::{CommissionId, Committed, Issuer};
use crate::{CommissionAction, Result, Serial};

/// A commission that was issued and is neither accepted nor rejected.
///
/// Dropping it rejects the commission in the background, by a panic too: a failure on the way
/// gives the quota back. It keeps its [`Issuer`] alive; if it is the last to do so, nothing runs
/// in the background any more and [`Issuer::reconcile`] of the next one rejects it.
#[must_use = "dropping the guard rejects the commission"]
pub struct CommissionGuard {
    issuer: Issuer,
    serial: Serial,
    id: CommissionId,
    /// Taken when the commission is handed over.
    busy: Option<Busy>,
    /// Whether the journal may say that it is to be accepted.
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
    /// The decision is written down first; from then on it stands, whatever fails, also if this
    /// future is dropped. Until then, dropping it rejects, and the journal records that before
    /// the server is called. If the process ends before that, what the journal holds decides.
    ///
    /// # Errors
    ///
    /// Of kind [`Core`](crate::ErrorKind::Core)`(Store)` if the journal failed: the commission is
    /// rejected in the background, as if this future was dropped. [`ErrorKind::Connection`](crate::ErrorKind::Connection) if no answer came in
    /// time: the commission will be accepted, in the background or by [`Issuer::reconcile`].
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if it was resolved by another client.
    pub async fn commit(mut self) -> Result<Committed> {
        let committing = Outcome::Committing(self.serial);
        self.is_decided = true;
        self.issuer.journal().outcome(self.id, committing).await?;
        match self.hand_over(CommissionAction::Accept) {
            Some(reply) => self.wait(reply).await,
            None => Err(gone()),
        }
    }

    /// Rejects the commission, and waits for it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Connection`](crate::ErrorKind::Connection) if no answer came in time: the
    /// commission will be rejected, in the background or by [`Issuer::reconcile`].
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if it was resolved by another client.
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
        wait(reply, &self.issuer).await
    }
}

/// Waits for a reply as long as the issuer is patient.
pub(super) async fn wait(
    reply: oneshot::Receiver<Result<Committed>>,
    issuer: &Issuer,
) -> Result<Committed> {
    issuer.resume();
    let patience = issuer.patience();
    match timeout_at(until(patience), issuer.resolver().wait(reply)).await {
        Ok(Ok(Ok(result))) => result,
        Ok(Ok(Err(_))) => Err(gone()),
        Ok(Err(ended)) => Err(unresolved(&ended.to_string())),
        Err(_) => Err(CoreError::new(
            CoreKind::Timeout(TimeoutScope::Call),
            format!("not resolved within {patience:?}; it goes on in the background"),
        )
        .with_sent(Sent::Maybe)
        .into()),
    }
}

fn gone() -> crate::Error {
    unresolved("the runtime ended before the commission was resolved")
}

fn unresolved(why: &str) -> crate::Error {
    CoreError::new(CoreKind::Transport, format!("{why}; reconcile does it"))
        .with_sent(Sent::Maybe)
        .into()
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

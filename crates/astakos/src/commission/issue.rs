//! Issuing one commission, again and again until it is known whether it was issued.

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout_at};
use vouchsafe_core::{Sent, TimeoutScope};

use super::busy::Busy;
use super::journal::Intent;
use super::pace::until;
use super::resolver::close;
use super::{CommissionGuard, CommissionId, Issuer};
use crate::{CommissionRequest, Error, Result, Serial};

impl Issuer {
    /// Issues a commission, even if answers are lost.
    ///
    /// An id is put into its name. If an answer is lost, the issuer searches the pending
    /// commissions for the id. If it is found, that commission is adopted; otherwise it is issued
    /// again under the same id, and a duplicate that arrives late is rejected in the background.
    /// Dropping the future rejects whatever may have been issued.
    ///
    /// # Errors
    ///
    /// Those of [`Client::issue`](crate::Client::issue).
    /// [`ErrorKind::BadValue`](crate::ErrorKind::BadValue) if the request asks for immediate acceptance: after a lost answer it could not be found; commit the
    /// guard instead. Of kind [`Core`](crate::ErrorKind::Core)`(Store)` if the journal failed:
    /// nothing was sent. After any error nothing stays reserved, at the latest after
    /// [`reconcile`](Self::reconcile).
    pub async fn issue(&self, request: &CommissionRequest) -> Result<CommissionGuard> {
        if request.auto_accept == Some(true) {
            return Err(Error::bad_value(
                "a commission that is accepted at once cannot be found after a lost answer; issue \
                 it pending and commit the guard",
            ));
        }
        let runtime = Handle::try_current()
            .map_err(|_| Error::bad_value("commissions are issued within a tokio runtime"))?;
        let id = CommissionId::random()?;
        let name = id.name(request.name.as_deref().unwrap_or_default(), &self.0.owner);
        let request = request.clone().name(name.clone());
        let mut attempt = Attempt {
            issuer: self,
            busy: Some(self.0.in_hand.take(id)),
            is_lost: false,
            runtime,
        };
        self.0.journal.intent(&Intent { id, name }).await?;
        // Boxed: it holds several calls, and is part of the callers' futures.
        match Box::pin(attempt.run(&request, id)).await {
            Ok(serial) => Ok(attempt.guard(id, serial)),
            Err(error) if attempt.is_lost => Err(error),
            Err(error) => {
                // Certainly not issued, so there is nothing to search for.
                attempt.busy = None;
                close(&*self.0.journal, id).await;
                Err(error)
            }
        }
    }
}

/// A commission that is being issued. If this is dropped, the commission is searched for and
/// rejected.
struct Attempt<'i> {
    issuer: &'i Issuer,
    busy: Option<Busy>,
    /// Whether an answer was lost, so that the commission may exist.
    is_lost: bool,
    runtime: Handle,
}

impl Attempt<'_> {
    async fn run(&mut self, request: &CommissionRequest, id: CommissionId) -> Result<Serial> {
        let inner = &*self.issuer.0;
        // Attempts are counted here, where the meaning of a lost answer is known.
        let client = inner.client.without_repeats();
        let deadline = until(inner.patience);
        let mut backoff = inner.backoff.clone();
        let mut known_lost = false;
        // The error of the last attempt.
        let mut failure: Option<Error> = None;
        loop {
            let mut turn = None;
            if let Some(error) = failure.take() {
                // Not earlier than the server asked.
                let asked = error.retry_after().unwrap_or_default();
                let pause = backoff.next_wait().max(asked);
                if until(pause) >= deadline {
                    return Err(error);
                }
                sleep(pause).await;
                let mut looked = false;
                if known_lost {
                    match in_time(deadline, self.find(id)).await {
                        Ok(Some(serial)) => return Ok(serial),
                        Ok(None) => looked = true,
                        Err(cause) if cause.is_retryable() => {
                            failure = Some(cause);
                            continue;
                        }
                        Err(cause) => return Err(cause),
                    }
                }
                turn = match timeout_at(deadline, inner.gate.pass()).await {
                    Ok(turn) => turn,
                    Err(_) => return Err(error),
                };
                // Waiting for the turn took a while, and the lost request may have arrived.
                if looked
                    && turn.is_some()
                    && let Some(serial) = in_time(deadline, self.find(id)).await.ok().flatten()
                {
                    return Ok(serial);
                }
            }
            // From here on the request may be sent, so dropping this must search for the
            // commission.
            self.is_lost = true;
            match in_time(deadline, client.issue(request)).await {
                Ok(serial) => {
                    inner.gate.succeeded();
                    self.is_lost = known_lost;
                    return Ok(serial);
                }
                Err(error) => {
                    let is_open = may_have_been_done(&error);
                    known_lost |= is_open;
                    self.is_lost = known_lost;
                    if !error.is_retryable() && !is_open {
                        // The server works, but refuses. The reason may be the commission itself:
                        // an earlier attempt that arrived late has used up the room.
                        inner.gate.succeeded();
                        let found = match known_lost {
                            true => in_time(deadline, self.find(id)).await?,
                            false => None,
                        };
                        return found.ok_or(error);
                    }
                    inner.gate.failed(turn.as_ref(), error.retry_after());
                    failure = Some(error);
                }
            }
        }
    }

    /// Searches for the commission. If late answers have led to several, the first is kept and the
    /// watch rejects the others.
    async fn find(&self, id: CommissionId) -> Result<Option<Serial>> {
        let pending = self.issuer.0.search.pending().await?;
        let of_this = pending.iter().find(|(_, of)| *of == id);
        Ok(of_this.map(|(serial, _)| *serial))
    }

    fn guard(mut self, id: CommissionId, serial: Serial) -> CommissionGuard {
        if self.is_lost {
            let watch = &self.issuer.0.watch;
            watch.duplicates(id, serial, &self.runtime);
        }
        let busy = self
            .busy
            .take()
            .unwrap_or_else(|| self.issuer.0.in_hand.take(id));
        let runtime = self.runtime.clone();
        CommissionGuard::new(self.issuer.clone(), serial, busy, runtime)
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if let Some(busy) = self.busy.take().filter(|_| self.is_lost) {
            self.issuer.0.watch.orphan(busy, &self.runtime);
        }
    }
}

/// Waits no longer than the issuer's time limit. A request that was started may have arrived.
async fn in_time<T>(deadline: Instant, work: impl Future<Output = Result<T>>) -> Result<T> {
    timeout_at(deadline, work).await.unwrap_or_else(|_| {
        let kind = vouchsafe_core::ErrorKind::Timeout(TimeoutScope::Call);
        let late = vouchsafe_core::Error::new(kind, "not issued within the issuer's time limit");
        Err(late.with_retryable(true).with_sent(Sent::Maybe).into())
    })
}

/// Returns whether the server may have issued the commission nevertheless.
fn may_have_been_done(error: &Error) -> bool {
    let is_open = match error.status().map(|status| status.as_u16()) {
        // No answer, an unreadable one, or one that a gateway may send by itself, even after it has
        // forwarded the request.
        None | Some(200..300 | 408 | 425 | 429 | 500..) => true,
        Some(_) => false,
    };
    is_open && error.core().sent() == Sent::Maybe
}

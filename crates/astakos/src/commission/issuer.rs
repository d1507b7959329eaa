//! Issues commissions so that a lost answer does no harm.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use vouchsafe_core::call::Backoff;
use vouchsafe_core::{Sent, TimeoutScope};

use super::busy::{Busy, InHand};
use super::id::check_owner;
use super::journal::{Intent, Journal, MemoryJournal};
use super::pace::{Gate, Pace, until};
use super::resolver::{Resolver, Settings, close};
use super::search::Search;
use super::watch::Watch;
use super::{CommissionGuard, CommissionId, Committed};
use crate::{Client, CommissionAction, CommissionRequest, Error, Result, Serial};

/// Issues commissions that are neither charged twice nor forgotten; see the
/// [module](crate::commission).
///
/// Cheap to clone; clones share everything. Background work ends with the last clone and the last
/// guard; call [`flush`](Self::flush) before.
#[derive(Clone, Debug)]
pub struct Issuer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: Client,
    owner: Arc<str>,
    journal: Arc<dyn Journal>,
    patience: Duration,
    backoff: Backoff,
    in_hand: InHand,
    gate: Gate,
    search: Arc<Search>,
    resolver: Resolver,
    watch: Watch,
    reconciling: tokio::sync::Mutex<()>,
}

/// The open work of an [`Issuer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Open {
    /// Commissions that are being issued, held by a guard, or being resolved.
    pub in_hand: usize,
    /// Commissions that wait to be accepted or rejected, including ones that are not counted above.
    pub resolving: usize,
    /// Commissions that could not be resolved and are left to [`Issuer::reconcile`]: the server
    /// refused for a permanent reason, such as an expired token, or could not be reached for a long
    /// time.
    pub left: usize,
    /// Commissions that were issued or adopted after an answer was lost. A lost request may still
    /// arrive and issue another one; for 20 seconds the issuer looks for these and rejects them.
    pub watched: usize,
}

impl Issuer {
    /// Creates a builder for an issuer over a client with a service's token.
    ///
    /// `owner` is part of the names of commissions, so that an issuer recognises its own: 1 to 64
    /// letters, digits, `-`, `_` and `.`. Two issuers of one service must not have the same owner
    /// at the same time, and an issuer must keep its owner across restarts.
    pub fn builder(client: Client, owner: impl Into<String>) -> IssuerBuilder {
        IssuerBuilder {
            client,
            owner: owner.into(),
            journal: None,
            patience: Duration::from_secs(30),
            window: Duration::from_millis(2),
            max_batch: 500,
            first_wait: Duration::from_millis(100),
            longest_wait: Duration::from_secs(10),
        }
    }

    /// Issues a commission, even if answers are lost.
    ///
    /// An id is put into its name. If an answer is lost, the issuer searches the pending
    /// commissions for the id. If it is found, that commission is adopted; otherwise it is issued
    /// again under the same id, and a duplicate that arrives late is rejected in the background.
    /// Dropping the future rejects whatever may have been issued.
    ///
    /// # Errors
    ///
    /// Those of [`Client::issue`]. [`ErrorKind::BadValue`](crate::ErrorKind::BadValue) if the
    /// request asks for immediate acceptance: after a lost answer it could not be found; commit the
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

    /// Accepts any commission of the service, together with others.
    ///
    /// # Errors
    ///
    /// Those of [`CommissionGuard::commit`], but nothing is recorded in the journal.
    pub async fn accept(&self, serial: Serial) -> Result<Committed> {
        self.resolve(serial, CommissionAction::Accept).await
    }

    /// Rejects any commission of the service, together with others.
    ///
    /// # Errors
    ///
    /// Those of [`CommissionGuard::reject`], but nothing is recorded in the journal.
    pub async fn reject(&self, serial: Serial) -> Result<Committed> {
        self.resolve(serial, CommissionAction::Reject).await
    }

    async fn resolve(&self, serial: Serial, action: CommissionAction) -> Result<Committed> {
        let runtime = Handle::try_current()
            .map_err(|_| Error::bad_value("commissions are resolved within a tokio runtime"))?;
        let reply = self.0.resolver.submit(serial, action, None, None, &runtime);
        self.settled(reply).await
    }

    /// Waits for the reply to a job for as long as the issuer's time limit allows.
    pub(super) async fn settled(
        &self,
        reply: oneshot::Receiver<Result<Committed>>,
    ) -> Result<Committed> {
        self.resume();
        self.0.resolver.settled(reply, self.0.patience).await
    }

    /// Returns the open work.
    #[must_use]
    pub fn open(&self) -> Open {
        let (in_hand, left) = self.0.in_hand.counts();
        Open {
            in_hand,
            resolving: self.0.resolver.count(),
            left,
            watched: self.0.watch.count_of_duplicates(),
        }
    }

    /// Waits until every commission that was handed over is resolved, for at most `limit`, and
    /// returns what is still open. Meant for the end of a program; commissions with a guard are not
    /// affected.
    ///
    /// After a cancelled issue this takes about twenty seconds, the time for which the issuer looks
    /// for what may have been issued. It does not wait for late duplicates of resolved commissions:
    /// [`Open::watched`] counts the commissions that may still have one. The next
    /// [`reconcile`](Self::reconcile) rejects those that arrive after the program has ended.
    pub async fn flush(&self, limit: Duration) -> Open {
        self.resume();
        let done = async {
            self.0.watch.no_orphans().await;
            self.0.resolver.drained().await;
        };
        // The result says what is still open.
        let _ = timeout(limit, done).await;
        self.open()
    }

    /// Continues background work in this runtime, if the previous one is gone.
    pub(super) fn resume(&self) {
        if let Ok(runtime) = Handle::try_current() {
            self.0.resolver.resume(&runtime);
            self.0.watch.resume(&runtime);
        }
    }

    pub(super) fn client(&self) -> &Client {
        &self.0.client
    }

    pub(super) fn journal(&self) -> &dyn Journal {
        &*self.0.journal
    }

    pub(super) fn resolver(&self) -> &Resolver {
        &self.0.resolver
    }

    pub(super) fn search(&self) -> &Search {
        &self.0.search
    }

    pub(super) fn in_hand(&self) -> &InHand {
        &self.0.in_hand
    }

    pub(super) async fn turn_to_reconcile(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.reconciling.lock().await
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

/// Builds an [`Issuer`].
#[derive(Clone, Debug)]
#[must_use]
pub struct IssuerBuilder {
    client: Client,
    owner: String,
    journal: Option<Arc<dyn Journal>>,
    patience: Duration,
    window: Duration,
    max_batch: usize,
    first_wait: Duration,
    longest_wait: Duration,
}

impl IssuerBuilder {
    /// Sets the journal. Default: a [`MemoryJournal`], which does not survive the process.
    pub fn journal(mut self, journal: Arc<dyn Journal>) -> Self {
        self.journal = Some(journal);
        self
    }

    /// Sets how long issuing, committing and rejecting try before they return an error. Default: 30
    /// seconds. Decisions are carried out in the background afterwards.
    pub fn patience(mut self, limit: Duration) -> Self {
        self.patience = limit;
        self
    }

    /// Sets how long accepts and rejects are collected before they are sent. Default: 2
    /// milliseconds.
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Sets the maximum number of commissions that one call resolves. Default: 500.
    pub fn max_batch(mut self, count: usize) -> Self {
        self.max_batch = count.max(1);
        self
    }

    /// Sets the waits between attempts: the first, and the maximum after doubling. Default: 100
    /// milliseconds and 10 seconds. A random part, up to half, is subtracted from each.
    pub fn waits(mut self, first: Duration, longest: Duration) -> Self {
        self.first_wait = first;
        self.longest_wait = longest.max(first);
        self
    }

    /// Builds the issuer. Does no I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadValue`](crate::ErrorKind::BadValue) if the owner is not valid in a name.
    pub fn build(self) -> Result<Issuer> {
        check_owner(&self.owner)?;
        let owner: Arc<str> = self.owner.into();
        let journal = self
            .journal
            .unwrap_or_else(|| Arc::new(MemoryJournal::new()));
        let jitter = self.client.core().jitter();
        let backoff = Backoff::new(self.first_wait, self.longest_wait, jitter).at_least_half();
        let pace = || Pace::new(self.first_wait, backoff.clone());
        let search = Arc::new(Search::new(&self.client, Arc::clone(&owner), pace()));
        let gate = Gate::new(pace());
        let settings = Settings {
            window: self.window,
            max_batch: self.max_batch,
            backoff: backoff.clone(),
        };
        Ok(Issuer(Arc::new(Inner {
            resolver: Resolver::new(
                &self.client,
                Arc::clone(&journal),
                Arc::clone(&search),
                settings,
            ),
            watch: Watch::new(&self.client, Arc::clone(&journal), Arc::clone(&search)),
            client: self.client,
            owner,
            journal,
            patience: self.patience,
            backoff,
            in_hand: InHand::default(),
            gate,
            search,
            reconciling: tokio::sync::Mutex::new(()),
        })))
    }
}

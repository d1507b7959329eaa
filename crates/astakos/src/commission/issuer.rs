//! Issuing commissions so that a lost answer does no harm.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use vouchsafe_core::{Sent, TimeoutScope};

use super::busy::{Busy, InHand};
use super::guard::wait;
use super::id::check_owner;
use super::journal::{Intent, Journal, MemoryJournal};
use super::pace::{Gate, Pace};
use super::resolver::{Resolver, Settings, close, until};
use super::search::Search;
use super::watch::Watch;
use super::{CommissionGuard, CommissionId, Committed};
use crate::{Client, CommissionAction, CommissionRequest, Error, Result, Serial};

/// Issues commissions that are neither charged twice nor forgotten; see the
/// [module](crate::commission).
///
/// Cheap to clone; clones share everything. What runs in the background ends with the last clone
/// and the last guard; call [`flush`](Self::flush) before.
#[derive(Clone, Debug)]
pub struct Issuer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: Client,
    owner: Arc<str>,
    journal: Arc<dyn Journal>,
    patience: Duration,
    first_wait: Duration,
    longest_wait: Duration,
    in_hand: InHand,
    gate: Gate,
    search: Arc<Search>,
    resolver: Resolver,
    watch: Watch,
    reconciling: tokio::sync::Mutex<()>,
}

/// How much an [`Issuer`] has in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Open {
    /// Commissions that are being issued, held by a guard, or being resolved.
    pub in_hand: usize,
    /// Of these and others, those that wait to be accepted or rejected.
    pub resolving: usize,
    /// Commissions that could not be resolved, and that [`Issuer::reconcile`] will: the server
    /// refused for a reason that does not pass, such as a token that has ended, or could not be
    /// asked for long.
    pub left: usize,
    /// Commissions that were issued or adopted after an answer was lost. A lost request may still
    /// arrive and issue another one; for 20 seconds the issuer looks for such and rejects them.
    pub watched: usize,
}

impl Issuer {
    /// Starts an issuer over a client with a service's token.
    ///
    /// `owner` is written into the names of commissions, so that an issuer knows its own: 1 to 64
    /// letters, digits, `-`, `_` and `.`. No two issuers of one service may have the same at the
    /// same time, and one that is started again must have the same as before.
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

    /// Issues a commission, whatever answers are lost.
    ///
    /// An id is put into its name. If an answer is lost, the pending commissions are searched for
    /// the id: if it is there it is adopted, else it is issued again under the same id, and one
    /// that turns up late is rejected in the background. Dropping the future rejects what may
    /// have been issued.
    ///
    /// # Errors
    ///
    /// As [`Client::issue`]. [`ErrorKind::BadValue`](crate::ErrorKind::BadValue) if the request
    /// is to be accepted at once: after a lost answer nobody could find it; commit the guard
    /// instead. Of kind [`Core`](crate::ErrorKind::Core)`(Store)` if the journal failed: nothing
    /// was sent. After any error nothing stays reserved, at the latest after
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
        // Boxed: it holds several calls, and callers hold it.
        match Box::pin(attempt.run(&request, id)).await {
            Ok(serial) => Ok(attempt.guard(id, serial)),
            Err(error) if attempt.is_lost => Err(error),
            Err(error) => {
                // Surely not issued: there is nothing to look for.
                attempt.busy = None;
                close(&*self.0.journal, id).await;
                Err(error)
            }
        }
    }

    /// Accepts any commission of the service together with others.
    ///
    /// # Errors
    ///
    /// As [`CommissionGuard::commit`], but that nothing is written down.
    pub async fn accept(&self, serial: Serial) -> Result<Committed> {
        self.resolve(serial, CommissionAction::Accept).await
    }

    /// Rejects any commission of the service together with others.
    ///
    /// # Errors
    ///
    /// As [`CommissionGuard::reject`], but that nothing is written down.
    pub async fn reject(&self, serial: Serial) -> Result<Committed> {
        self.resolve(serial, CommissionAction::Reject).await
    }

    async fn resolve(&self, serial: Serial, action: CommissionAction) -> Result<Committed> {
        let runtime = Handle::try_current()
            .map_err(|_| Error::bad_value("commissions are resolved within a tokio runtime"))?;
        let reply = self.0.resolver.submit(serial, action, None, None, &runtime);
        wait(reply, self).await
    }

    /// Returns how much is in hand.
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

    /// Waits until every commission that was handed over is resolved, for the given time at most,
    /// and returns what is still open. For the end of a program; guards that are still held stay.
    ///
    /// After an issue that was given up this takes some twenty seconds: for so long the issuer
    /// looks for what may have been issued. It does not wait for late duplicates of commissions
    /// that were resolved: [`Open::watched`] says of how many one may still turn up. The next
    /// [`reconcile`](Self::reconcile) rejects those that come after the program has ended.
    pub async fn flush(&self, limit: Duration) -> Open {
        self.resume();
        let done = async {
            self.0.watch.no_orphans().await;
            self.0.resolver.drained().await;
        };
        // What is still open then is told.
        let _ = timeout(limit, done).await;
        self.open()
    }

    /// Lets what runs in the background go on in this runtime, if the one before is gone.
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

    pub(super) fn patience(&self) -> Duration {
        self.0.patience
    }

    pub(super) async fn turn_to_reconcile(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.reconciling.lock().await
    }
}

/// A commission that is being issued; if this is dropped in between, it is looked for and
/// rejected.
struct Attempt<'i> {
    issuer: &'i Issuer,
    busy: Option<Busy>,
    /// Whether an answer was lost, so that it may exist.
    is_lost: bool,
    runtime: Handle,
}

impl Attempt<'_> {
    async fn run(&mut self, request: &CommissionRequest, id: CommissionId) -> Result<Serial> {
        let inner = &*self.issuer.0;
        // Tries are counted here, where it is known what a lost answer means.
        let client = inner.client.without_repeats();
        let deadline = until(inner.patience);
        let mut wait = inner.first_wait;
        let mut known_lost = false;
        // Of the last try.
        let mut failure: Option<Error> = None;
        loop {
            let mut turn = None;
            if let Some(error) = failure.take() {
                // Not earlier than the server asks.
                let asked = error.retry_after().unwrap_or_default();
                let pause = wait.mul_f64(0.5 + 0.5 * fastrand::f64()).max(asked);
                if until(pause) >= deadline {
                    return Err(error);
                }
                sleep(pause).await;
                wait = (wait * 2).min(inner.longest_wait);
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
                // It took a while to get the turn, and the lost request may have arrived.
                if looked
                    && turn.is_some()
                    && let Some(serial) = in_time(deadline, self.find(id)).await.ok().flatten()
                {
                    return Ok(serial);
                }
            }
            // From the moment the request may leave, dropping this must look for it.
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
                        // The server works, and refuses. It may refuse the commission because of
                        // itself: an earlier try that came late has taken the room.
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

    /// Looks for the commission. Of several, which late answers can bring about, the first is
    /// kept; the others are rejected by the watch.
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

/// Waits no longer than the issuer is patient. What was begun may have arrived.
async fn in_time<T>(deadline: Instant, work: impl Future<Output = Result<T>>) -> Result<T> {
    timeout_at(deadline, work).await.unwrap_or_else(|_| {
        let kind = vouchsafe_core::ErrorKind::Timeout(TimeoutScope::Call);
        let late = vouchsafe_core::Error::new(kind, "not issued within the issuer's patience");
        Err(late.with_retryable(true).with_sent(Sent::Maybe).into())
    })
}

/// Whether the server may have issued the commission all the same.
fn may_have_been_done(error: &Error) -> bool {
    let is_open = match error.status().map(|status| status.as_u16()) {
        // No answer, one that cannot be read, or one that a gateway gives by itself, also after
        // it has passed the request on.
        None | Some(200..300 | 408 | 425 | 429 | 500..) => true,
        Some(_) => false,
    };
    is_open && error.core().sent() == Sent::Maybe
}

/// Sets up an [`Issuer`].
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
    /// Sets where is written down what is about to happen. Default: a [`MemoryJournal`], which
    /// does not survive the process.
    pub fn journal(mut self, journal: Arc<dyn Journal>) -> Self {
        self.journal = Some(journal);
        self
    }

    /// Sets how long issuing, committing and rejecting try before they return an error. Default:
    /// 30 seconds. What was decided goes on in the background.
    pub fn patience(mut self, limit: Duration) -> Self {
        self.patience = limit;
        self
    }

    /// Sets how long accepts and rejects are gathered before they are sent. Default: 2
    /// milliseconds.
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Sets how many commissions one call resolves at most. Default: 500.
    pub fn max_batch(mut self, count: usize) -> Self {
        self.max_batch = count.max(1);
        self
    }

    /// Sets the waits between tries: the first, and the longest that doubling leads to. Default:
    /// 100 milliseconds and 10 seconds. Up to half of each is left out at random.
    pub fn waits(mut self, first: Duration, longest: Duration) -> Self {
        self.first_wait = first;
        self.longest_wait = longest.max(first);
        self
    }

    /// Builds the issuer. Does no I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadValue`](crate::ErrorKind::BadValue) if the owner does not fit into a name.
    pub fn build(self) -> Result<Issuer> {
        check_owner(&self.owner)?;
        let owner: Arc<str> = self.owner.into();
        let journal = self
            .journal
            .unwrap_or_else(|| Arc::new(MemoryJournal::new()));
        let pace = || Pace::new(self.first_wait, self.longest_wait);
        let search = Arc::new(Search::new(&self.client, Arc::clone(&owner), pace()));
        let gate = Gate::new(pace());
        let settings = Settings {
            window: self.window,
            max_batch: self.max_batch,
            first_wait: self.first_wait,
            longest_wait: self.longest_wait,
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
            first_wait: self.first_wait,
            longest_wait: self.longest_wait,
            in_hand: InHand::default(),
            gate,
            search,
            reconciling: tokio::sync::Mutex::new(()),
        })))
    }
}

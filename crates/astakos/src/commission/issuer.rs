//! Issues commissions so that a lost answer does no harm.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;
use vouchsafe_core::call::Backoff;

use super::Committed;
use super::busy::InHand;
use super::id::check_owner;
use super::journal::{Journal, MemoryJournal};
use super::pace::{Gate, Pace};
use super::resolver::{Resolver, Settings};
use super::search::Search;
use super::watch::Watch;
use crate::{Client, CommissionAction, Error, Result, Serial};

/// Issues commissions that are neither charged twice nor forgotten; see the
/// [module](crate::commission).
///
/// Cheap to clone; clones share everything. Background work ends with the last clone and the last
/// guard; call [`flush`](Self::flush) before.
#[derive(Clone, Debug)]
pub struct Issuer(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) client: Client,
    pub(super) owner: Arc<str>,
    pub(super) journal: Arc<dyn Journal>,
    pub(super) patience: Duration,
    pub(super) backoff: Backoff,
    pub(super) in_hand: InHand,
    pub(super) gate: Gate,
    pub(super) search: Arc<Search>,
    pub(super) resolver: Resolver,
    pub(super) watch: Watch,
    pub(super) reconciling: tokio::sync::Mutex<()>,
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

    /// Accepts any commission of the service, together with others.
    ///
    /// # Errors
    ///
    /// Those of [`CommissionGuard::commit`](super::CommissionGuard::commit), but nothing is recorded in the journal.
    pub async fn accept(&self, serial: Serial) -> Result<Committed> {
        self.resolve(serial, CommissionAction::Accept).await
    }

    /// Rejects any commission of the service, together with others.
    ///
    /// # Errors
    ///
    /// Those of [`CommissionGuard::reject`](super::CommissionGuard::reject), but nothing is recorded in the journal.
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

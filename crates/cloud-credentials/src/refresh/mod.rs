//! One refresh for a whole fleet: many tasks in many processes on many machines that find a token
//! dead make one token request.
//!
//! [`machine`] makes the decisions, and this file carries them out. `credentials` lets the callers
//! of one process share a refresh.

mod exclusive;
mod machine;
#[cfg(test)]
mod model;
mod saving;
mod until;
mod wanted;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tokio::sync::MutexGuard;
use tokio::time::{Instant, sleep, timeout};
use vouchsafe_core::auth::oauth::ErrorCode;
use vouchsafe_core::call::{Backoff, Jitter};
use vouchsafe_core::store::{
    Acquired, Expect, Key, Lease, Leases, Loaded, Store, Swapped, Version,
};
use vouchsafe_core::sync::lock;
use vouchsafe_core::task::Keeper;
use vouchsafe_core::{BoxFuture, Clock, Error as Core, ErrorKind as Kind, Secret, Sent, deadline};

pub(crate) use self::exclusive::Exclusive;
pub(crate) use self::machine::Stale;
use self::machine::{Event, Outcome, Refresh, Seen, Step, Unsaved};
use self::saving::Failing;
pub(crate) use self::until::Until;
pub(crate) use self::wanted::{Given, Wanted};
use crate::error::HeldByAnother;
use crate::record::digest;
use crate::{Error, Events, Record, Result};

/// Asks a token endpoint for the tokens of these credentials, and sends nothing after the moment.
/// The error of a request of which nothing was sent says so.
pub(crate) trait Ask: Send + Sync {
    fn ask<'a>(
        &'a self,
        credentials: &'a Record,
        until: &'a Until,
    ) -> BoxFuture<'a, Result<Issued>>;
}

/// The tokens that a token endpoint issued.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) access_token: Secret,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) expires_at: Option<SystemTime>,
}

/// The result of a refresh.
#[derive(Clone, Debug)]
pub(crate) struct Refreshed {
    /// The credentials as they are now.
    pub(crate) record: Record,
    /// Whether the record in the store has this access token.
    pub(crate) is_in_store: bool,
}

/// Why a refresh got no token.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    NothingToRefresh,
    Error(Error),
}

/// Refreshes the record of one profile.
pub(crate) struct Coordinator {
    shared: Arc<Shared>,
    /// Saves the tokens that a refresh could not save.
    saver: Keeper,
}

#[derive(Debug)]
struct Shared {
    store: Arc<dyn Store>,
    leases: Arc<dyn Leases>,
    key: Key,
    clock: Arc<dyn Clock>,
    times: Times,
    events: Option<Arc<dyn Events>>,
    /// One refresh at a time, since each takes over the tokens that the last one could not save.
    turn: tokio::sync::Mutex<()>,
    /// The tokens that were granted but are not saved yet, and what they were requested for.
    unsaved: Mutex<Option<(Unsaved<Record>, Wanted)>>,
    /// The lease of this process. It is kept after a refresh whose tokens are not saved yet.
    held: Mutex<Option<Held>>,
    /// The failures to save since tokens were last saved.
    failing: Mutex<Failing>,
    /// The digest of a refused refresh token, in case the store could not be updated.
    refused: Mutex<Option<String>>,
}

/// Time limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    /// How long a lease lasts.
    pub(crate) lease: Duration,
    /// How long a token request may take; less than a lease lasts.
    pub(crate) request: Duration,
    /// How long to wait for the refresh of another process.
    pub(crate) patience: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            request: Duration::from_secs(20),
            patience: Duration::from_secs(45),
        }
    }
}

/// One refresh, and what it has found so far.
struct Run<'a> {
    shared: &'a Shared,
    wanted: &'a Wanted,
    ask: Option<&'a dyn Ask>,
    /// The record in the store, as last seen.
    there: Option<Record>,
    /// The credentials that the last decision was based on.
    view: Record,
    granted: Option<Record>,
}

/// A lease, and its end.
#[derive(Debug)]
struct Held {
    lease: Lease,
    until: Until,
}

type Happened = Event<Record, Version, Error>;

impl Coordinator {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        leases: Arc<dyn Leases>,
        key: Key,
        clock: Arc<dyn Clock>,
        times: Times,
        events: Option<Arc<dyn Events>>,
    ) -> Self {
        let shared = Arc::new(Shared {
            store,
            leases,
            key,
            clock,
            times,
            events,
            turn: tokio::sync::Mutex::default(),
            unsaved: Mutex::default(),
            held: Mutex::default(),
            failing: Mutex::default(),
            refused: Mutex::default(),
        });
        let of_saver = Arc::clone(&shared);
        let saver = Keeper::new("saving tokens", move || Arc::clone(&of_saver).keep_saving());
        Self { shared, saver }
    }

    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.shared.store
    }

    pub(crate) fn key(&self) -> &Key {
        &self.shared.key
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.shared.clock.now()
    }

    /// Reads the record.
    pub(crate) async fn load(&self) -> Result<Option<(Record, Version)>> {
        self.shared.load().await
    }

    /// Refreshes, or finds that another process has done it.
    pub(crate) async fn refresh(
        &self,
        wanted: Wanted,
        ask: &dyn Ask,
    ) -> Result<Refreshed, Failure> {
        let turn = self.turn().await;
        let refreshed = self.shared.refresh(wanted, ask).await;
        drop(turn);
        if lock(&self.shared.unsaved).is_some() {
            self.saver.ensure();
        }
        refreshed
    }

    /// Waits until nothing in this process refreshes the record or saves tokens.
    async fn turn(&self) -> MutexGuard<'_, ()> {
        if self.saver.is_running() {
            // The saver may have it, on a runtime that is not driven any more. It is taken from there.
            if let Ok(turn) = self.saver.wait(self.shared.turn.lock()).await {
                return turn;
            }
        }
        self.shared.turn.lock().await
    }

    /// Returns the credentials that are not saved yet, if they belong in this record.
    pub(crate) fn unsaved_of(&self, there: Option<&Record>) -> Option<Record> {
        self.shared.unsaved_of(there)
    }

    /// Drops a revoked token from those that are not saved yet; an access token with its refresh
    /// token.
    pub(crate) async fn drop_unsaved(&self, revoked: &Secret) {
        let _turn = self.turn().await;
        let is_revoked = |token: &Option<Secret>| token.as_ref() == Some(revoked);
        let dropped = {
            let mut kept = lock(&self.shared.unsaved);
            if let Some((unsaved, _)) = &mut *kept
                && is_revoked(&unsaved.record.access_token)
            {
                unsaved.record.access_token = None;
                unsaved.record.expires_at = None;
            }
            kept.take_if(|(unsaved, _)| is_revoked(&unsaved.record.refresh_token))
        };
        if dropped.is_some() {
            self.shared.release().await;
        }
    }

    /// Forgets unsaved tokens and refusals, after a login.
    pub(crate) async fn forget(&self) {
        // Not before a refresh in progress has ended, which would keep its own.
        let _turn = self.turn().await;
        self.shared.forget();
        self.shared.release().await;
    }
}

impl fmt::Debug for Coordinator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Coordinator").field(&self.shared).finish()
    }
}

impl Shared {
    async fn refresh(&self, mut wanted: Wanted, ask: &dyn Ask) -> Result<Refreshed, Failure> {
        let unsaved = lock(&self.unsaved).clone().map(|(mut unsaved, _)| {
            unsaved.is_fresh = wanted.is_fresh(&unsaved.record, self.clock.now());
            unsaved
        });
        if let Some(unsaved) = &unsaved {
            wanted.take_back(unsaved);
        }
        let kept = unsaved.as_ref().map(|unsaved| unsaved.record.clone());
        let is_leased = lock(&self.held).is_some();
        let (machine, step) = Refresh::new(wanted.stale.clone(), unsaved, is_leased);
        let mut run = Run::new(self, &wanted, Some(ask));
        let token = match run.perform(machine, step).await {
            Outcome::Adopted(token) | Outcome::Refreshed(token) => Some(token),
            Outcome::NothingToRefresh => return Err(Failure::NothingToRefresh),
            Outcome::Reauthorize(Some(error)) | Outcome::Failed(error) => {
                return Err(Failure::Error(error));
            }
            Outcome::Reauthorize(None) => return Err(Failure::Error(refused_earlier().into())),
        };
        let has_token = |record: &Record| record.access_token == token;
        let is_in_store = run.there.as_ref().is_some_and(has_token);
        let known = [run.granted, kept, Some(run.view)].into_iter().flatten();
        Ok(Refreshed {
            record: known.into_iter().find(has_token).unwrap_or_default(),
            is_in_store,
        })
    }

    /// Returns the credentials that are not saved yet, if they belong in this record.
    fn unsaved_of(&self, there: Option<&Record>) -> Option<Record> {
        let unsaved = lock(&self.unsaved);
        let (unsaved, _) = unsaved.as_ref()?;
        let token = there.and_then(|there| there.refresh_token.as_ref());
        let is_of = token.is_some_and(|token| unsaved.replaced.contains(token));
        is_of.then(|| unsaved.record.clone())
    }

    fn forget(&self) {
        *lock(&self.unsaved) = None;
        *lock(&self.failing) = Failing::default();
        *lock(&self.refused) = None;
    }

    async fn load(&self) -> Result<Option<(Record, Version)>> {
        read(limited(self.store.load(&self.key)).await?)
    }

    fn until(&self, lasts: Duration) -> Until {
        Until::after(lasts, &self.clock)
    }
}

impl<'a> Run<'a> {
    fn new(shared: &'a Shared, wanted: &'a Wanted, ask: Option<&'a dyn Ask>) -> Self {
        Self {
            shared,
            wanted,
            ask,
            there: None,
            view: Record::default(),
            granted: None,
        }
    }

    async fn perform(
        &mut self,
        mut machine: Refresh<Record, Version, Error>,
        mut step: Step<Record, Version>,
    ) -> Outcome<Secret, Error> {
        let shared = self.shared;
        let patience = deadline::after(Instant::now(), shared.times.patience);
        let mut waits = Backoff::new(FIRST_WAIT, LONGEST_WAIT, Jitter::random()).at_least_half();
        let mut hints = shared.store.watch(&shared.key);
        loop {
            let event = match step {
                Step::Load => self.load().await.map(Event::Loaded),
                Step::Acquire => self.acquire().await,
                Step::Wait if Instant::now() >= patience => Err(held_for_too_long()),
                Step::Wait => {
                    let wait = waits.next_wait();
                    match &mut hints {
                        // The record is read after a hint and after the wait alike.
                        Some(hints) => drop(timeout(wait, hints.changed()).await),
                        None => sleep(wait).await,
                    }
                    Ok(Event::Waited)
                }
                Step::Request(credentials) => self.request(credentials).await,
                Step::Save(record, expect) => self.save(record, expect).await,
                Step::Release => {
                    shared.release().await;
                    Ok(Event::Released)
                }
                Step::Finish => break,
            };
            step = machine.next(event.unwrap_or_else(Event::Failed));
            // Immediately, so that it survives whatever ends this refresh.
            let unsaved = machine.unsaved().cloned();
            *lock(&shared.unsaved) = unsaved.map(|unsaved| (unsaved, self.wanted.clone()));
        }
        machine.finish().unwrap_or(Outcome::NothingToRefresh)
    }

    async fn load(&mut self) -> Result<Seen<Record, Version>> {
        let read = self.shared.load().await?;
        Ok(self.see(read))
    }

    fn see(&mut self, read: Option<(Record, Version)>) -> Seen<Record, Version> {
        let (there, version) = read.unzip();
        let mut view = self.wanted.view(there.as_ref());
        self.there = there;
        let refused = lock(&self.shared.refused).clone();
        if refused.is_some() && view.refresh_token.as_ref().map(digest) == refused {
            view.dead = refused;
        }
        self.view = view.clone();
        Seen {
            is_fresh: self.wanted.is_fresh(&view, self.shared.clock.now()),
            record: view,
            version,
        }
    }

    async fn acquire(&mut self) -> Result<Happened> {
        let Shared {
            leases, key, times, ..
        } = self.shared;
        // Read before the lease is taken, so that it never seems to last longer than it does.
        let until = self.shared.until(times.lease);
        match limited(leases.acquire(key, times.lease)).await? {
            Acquired::Lease(lease) => {
                *lock(&self.shared.held) = Some(Held { lease, until });
                Ok(Event::Leased)
            }
            Acquired::Held { .. } => Ok(Event::Held),
        }
    }

    /// Makes sure that the lease outlasts a request, and returns the end of that. `None` if the
    /// lease was lost.
    async fn keep_lease(&mut self) -> Result<Option<Until>> {
        let shared = self.shared;
        let until = shared.until(shared.times.request);
        let lasts = |held: &Held| until.is_before(&held.until);
        if lock(&shared.held).as_ref().is_some_and(lasts) {
            return Ok(Some(until));
        }
        shared.renew().await?;
        let until = shared.until(shared.times.request);
        let held = lock(&shared.held);
        Ok(held.as_ref().map(|held| until.or_before(&held.until)))
    }

    async fn request(&mut self, credentials: Record) -> Result<Happened> {
        let Some(ask) = self.ask else {
            return Err(Core::new(Kind::Store, "a save does not request tokens").into());
        };
        let mut was_late = false;
        let answer = loop {
            let Some(until) = self.keep_lease().await? else {
                return Ok(Event::LeaseLost);
            };
            let answer = ask.ask(&credentials, &until).await;
            let is_unsent = answer.as_ref().is_err_and(|error| error.sent() == Sent::No);
            // The process was suspended before it sent anything, and the lease may be another's.
            if !(is_unsent && until.is_long_over()) || was_late {
                break answer;
            }
            was_late = true;
        };
        match answer {
            Ok(issued) => {
                let mut granted = credentials;
                granted.access_token = Some(issued.access_token);
                granted.expires_at = issued.expires_at;
                granted.refresh_token = issued.refresh_token.or(granted.refresh_token);
                granted.dead = None;
                self.granted = Some(granted.clone());
                let now = self.shared.clock.now();
                let is_fresh = self.wanted.is_fresh(&granted, now);
                Ok(Event::Granted(granted, is_fresh))
            }
            Err(error) if error.is_reauthorization_needed() => {
                if let Some(events) = &self.shared.events {
                    events.reauthorization_needed(self.shared.key.profile(), &error);
                }
                Ok(Event::Refused(error))
            }
            Err(error) => Err(error),
        }
    }

    async fn save(&mut self, record: Record, expect: Option<Version>) -> Result<Happened> {
        let shared = self.shared;
        let refused = record.dead.clone().filter(|_| record.is_dead());
        let of_another = |there: &Record| there.refresh_token != record.refresh_token;
        if refused.is_some() && self.there.as_ref().is_none_or(of_another) {
            // The record belongs to another login, which this refusal does not concern.
            *lock(&shared.refused) = refused;
            return Ok(Event::Saved);
        }
        // A store that was restarted, or a connection that broke, is back in a moment. Until the
        // tokens are saved, they end with this process.
        let begun = Instant::now();
        let mut waits = Backoff::new(FIRST_WAIT, LONGEST_WAIT, Jitter::random()).at_least_half();
        let saved = loop {
            let saved = self.swap(record.clone(), expect.clone()).await;
            let may_help = saved.as_ref().is_err_and(Error::is_retryable);
            if !may_help || begun.elapsed() >= SAVE_AT_ONCE {
                break saved;
            }
            sleep(waits.next_wait()).await;
        };
        let (profile, events) = (shared.key.profile(), &shared.events);
        match (&saved, refused) {
            (Err(_), Some(refused)) => *lock(&shared.refused) = Some(refused),
            (Err(error), None) if lock(&shared.failing).add(error) => {
                tracing::warn!(
                    profile,
                    %error,
                    "refreshed tokens were not saved; this process keeps them and tries again"
                );
                if let Some(events) = events {
                    events.unsaved(profile, error);
                }
            }
            (Ok(Event::Saved), None) => {
                *lock(&shared.failing) = Failing::default();
                if let Some(events) = events {
                    events.saved(profile);
                }
            }
            _ => {}
        }
        saved
    }

    async fn swap(&mut self, record: Record, expect: Option<Version>) -> Result<Happened> {
        let Shared { store, key, .. } = self.shared;
        let record = self.wanted.stored(record, self.there.as_ref());
        let expect = expect.map_or(Expect::Absent, Expect::Version);
        let value = record.write()?;
        match limited(store.compare_and_swap(key, &expect, &value)).await? {
            Swapped::Done(_) => {
                self.there = Some(record);
                Ok(Event::Saved)
            }
            Swapped::Conflict(there) => Ok(Event::Conflict(self.see(read(there)?))),
        }
    }
}

/// The error for a refresh token that was refused earlier.
fn refused_earlier() -> Core {
    let what = "the refresh token was refused earlier and is not sent again; log in again";
    Core::new(Kind::Credential, what)
        .with_operation("oauth.requestToken")
        .with_code(ErrorCode::InvalidGrant.as_str())
}

fn held_for_too_long() -> Error {
    let what = "another process did not finish refreshing the token in time";
    let error = Core::new(Kind::Store, what).with_source(HeldByAnother);
    error.with_retryable(true).into()
}

fn read(loaded: Option<Loaded>) -> Result<Option<(Record, Version)>> {
    let read = |loaded: Loaded| Ok((Record::read(&loaded.value)?, loaded.version));
    loaded.map(read).transpose()
}

/// Bounds the time of an operation of a store.
pub(crate) async fn limited<T>(work: impl Future<Output = vouchsafe_core::Result<T>>) -> Result<T> {
    let Ok(done) = timeout(STORE_TIME, work).await else {
        let what = format!("the store of credentials gave no answer within {STORE_TIME:?}");
        return Err(Core::new(Kind::Store, what).with_retryable(true).into());
    };
    Ok(done?)
}

/// Longer than stores wait for other writers.
const STORE_TIME: Duration = Duration::from_secs(15);
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// How long callers wait for tokens to be saved that were not saved at once.
const SAVE_AT_ONCE: Duration = Duration::from_secs(1);

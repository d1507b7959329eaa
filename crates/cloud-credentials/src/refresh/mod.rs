//! One refresh for a whole fleet: many tasks in many processes on many machines that find a token
//! dead make one token request.
//!
//! [`machine`] makes the decisions, and [`run`] carries them out. `credentials` lets the callers
//! of one process share a refresh, and [`failures`] what a server answered instead of a token.
//! [`exclusive`] is for what else is done once: writing a record, and redeeming a developer token.

mod exclusive;
mod failing;
mod failures;
mod machine;
mod place;
mod replaced;
mod run;
mod saving;
mod until;
mod waits;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tokio::sync::MutexGuard;
use tokio::time::{Instant, timeout};
use vouchsafe_core::auth::oauth::ErrorCode;
use vouchsafe_core::store::{Key, Lease, Leases, Loaded, Store, Version};
use vouchsafe_core::sync::lock;
use vouchsafe_core::task::Keeper;
use vouchsafe_core::{BoxFuture, Clock, Error as Core, ErrorKind as Kind, Secret};

pub(crate) use self::exclusive::{Exclusive, Turn};
pub(crate) use self::failing::Failing;
use self::failures::Failures;
pub(crate) use self::failures::LONGEST_ASKED;
pub(crate) use self::machine::Stale;
use self::machine::{Outcome, Refresh, Unsaved};
use self::place::At;
pub(crate) use self::place::own_key;
use self::replaced::Replaced;
use self::run::Run;
use self::saving::Late;
pub(crate) use self::until::Until;
pub(crate) use self::wanted::{Given, Login, Wanted, is_newer};
use crate::error::HeldByAnother;
use crate::{Error, Events, Record, Result};

/// Asks a token endpoint for the tokens of these credentials, and sends nothing after the moment.
/// The error of a request of which nothing was sent says so.
pub(crate) trait Ask: Send + Sync {
    /// Returns what distinguishes the token endpoint from others, and how it is asked.
    fn server(&self) -> &str;

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
    pub(crate) scope: Option<String>,
}

/// The result of a refresh.
#[derive(Clone, Debug)]
pub(crate) struct Refreshed {
    /// The credentials as they are now.
    pub(crate) record: Record,
    /// Whether the record in the store has this access token.
    pub(crate) is_in_store: bool,
    /// The scope of the access token, if it was issued to this process and the server stated it.
    pub(crate) scope: Option<String>,
}

/// Why a refresh got no token.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    NothingToRefresh,
    Error(Error),
}

/// Refreshes the records of one profile.
pub(crate) struct Coordinator {
    shared: Arc<Shared>,
    /// Saves the tokens that could not be saved when they were issued.
    saver: Keeper,
}

#[derive(Debug)]
struct Shared {
    store: Arc<dyn Store>,
    leases: Arc<dyn Leases>,
    /// The record of the profile.
    key: Key,
    clock: Arc<dyn Clock>,
    times: Times,
    events: Option<Arc<dyn Events>>,
    /// One refresh at a time, since each takes over the tokens that the last one could not save.
    turn: tokio::sync::Mutex<()>,
    /// The tokens that are not saved yet, by the lineage of the credentials that were given.
    unsaved: Mutex<BTreeMap<Option<String>, Kept>>,
    /// Saves a login that could not be saved.
    late: Mutex<Option<Late>>,
    /// The refresh tokens that were replaced in this process.
    replaced: Mutex<Replaced>,
    /// The lease of this process. It is kept after a refresh whose tokens are not saved yet.
    held: Mutex<Option<Held>>,
    /// The refusals that the store does not keep, by the lineage that begins with the client and the
    /// refresh token that it sent.
    refused: Mutex<BTreeSet<String>>,
    /// Those of all that use the record in this process.
    failures: Arc<Failures>,
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

/// Tokens that were granted but are not saved yet.
#[derive(Clone, Debug)]
struct Kept {
    unsaved: Unsaved<Record>,
    /// What they were requested for.
    wanted: Wanted,
    /// The record when they were requested.
    at: Option<At>,
    /// Since when the record has been that of another login, or gone.
    displaced: Option<Instant>,
    /// The failures to save them.
    failing: Failing,
}

/// A lease, and its end.
#[derive(Debug)]
struct Held {
    lease: Lease,
    until: Until,
}

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
            failures: Failures::of(&store, &key),
            store,
            leases,
            key,
            clock,
            times,
            events,
            turn: tokio::sync::Mutex::default(),
            unsaved: Mutex::default(),
            late: Mutex::default(),
            replaced: Mutex::default(),
            held: Mutex::default(),
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

    /// Returns the time up to ten milliseconds late, which is cheaper to read.
    pub(crate) fn coarse(&self) -> SystemTime {
        self.shared.clock.coarse()
    }

    /// Waits for a call of the store, for as long as that may take.
    pub(crate) async fn of_store<T>(
        &self,
        work: impl Future<Output = vouchsafe_core::Result<T>>,
    ) -> Result<T> {
        self.shared.of_store(work).await
    }

    /// Reads a record.
    pub(crate) async fn load(&self, key: &Key) -> Result<Option<(Record, Version)>> {
        self.shared.load(key).await
    }

    /// Reads the own record of credentials with a lineage.
    pub(crate) async fn load_own(
        &self,
        given: &Given,
        lineage: &str,
    ) -> Result<Option<(Record, Version)>> {
        let there = self.load(self.key()).await?;
        let login = there.map(|(record, _)| given.login_of(&record));
        self.shared.load_own(lineage, login).await
    }

    /// Returns the newest tokens that descend from credentials that were given, as far as the records and
    /// this process know.
    pub(crate) async fn newest_of(&self, given: &Given) -> Result<Record> {
        let found = self.shared.find(Some(given)).await?;
        let there = found.record.as_ref();
        Ok(self.unsaved_of(there).unwrap_or_else(|| given.view(there)))
    }

    /// Warns of issued tokens that are not saved, and notifies the program.
    pub(crate) fn report_unsaved(&self, error: &Error) {
        self.shared.report_unsaved(&self.shared.key, error);
    }

    /// Notifies the program that tokens are saved.
    pub(crate) fn report_saved(&self) {
        self.shared.report_saved(&self.shared.key);
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
        self.ensure_saving();
        refreshed
    }

    /// Returns whether tokens that are not saved yet have a new refresh token.
    pub(crate) fn has_unsaved_refresh_token(&self) -> bool {
        let unsaved = lock(&self.shared.unsaved);
        unsaved.values().any(|kept| kept.unsaved.is_rotated())
    }

    /// Waits until nothing in this process refreshes a record or saves tokens.
    async fn turn(&self) -> MutexGuard<'_, ()> {
        if self.saver.is_running() {
            // The saver may have it, on a runtime that is not driven any more. It is taken from there.
            if let Ok(turn) = self.saver.wait(self.shared.turn.lock()).await {
                return turn;
            }
        }
        self.shared.turn.lock().await
    }

    /// Returns whether one of two refresh tokens is the other, or took its place in this process.
    pub(crate) fn is_same_login(&self, one: &Secret, other: &Secret) -> bool {
        lock(&self.shared.replaced).is_same_login(one, other)
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
        lock(&self.shared.unsaved).retain(|_, kept| {
            let record = &mut kept.unsaved.record;
            if is_revoked(&record.access_token) {
                record.access_token = None;
                record.expires_at = None;
            }
            !is_revoked(&record.refresh_token)
        });
        self.shared.release().await;
    }

    /// Forgets unsaved tokens of the record and refusals, after a login.
    pub(crate) async fn forget(&self) {
        // Not before a refresh in progress has ended, which would keep its own.
        let _turn = self.turn().await;
        self.shared.forget(&self.shared.key);
        self.shared.release().await;
    }
}

impl fmt::Debug for Coordinator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Coordinator").field(&self.shared).finish()
    }
}

/// The target of the warning that a person has to log in, so that a program that shows the error anyway can leave
/// the warning out.
const REFUSED: &str = "vouchsafe_cloud_credentials::refresh::refused";

impl Shared {
    fn report_unsaved(&self, key: &Key, error: &Error) {
        let profile = key.profile();
        tracing::warn!(profile, %error, "tokens were issued but not saved; this process keeps them");
        if let Some(events) = &self.events {
            events.unsaved(profile, error);
        }
    }

    fn report_saved(&self, key: &Key) {
        if let Some(events) = &self.events {
            events.saved(key.profile());
        }
    }

    async fn refresh(&self, mut wanted: Wanted, ask: &dyn Ask) -> Result<Refreshed, Failure> {
        self.take_over(&wanted).await;
        let kept = lock(&self.unsaved).get(&wanted.lineage()).cloned();
        let unsaved = kept.map(|kept| {
            let mut unsaved = kept.unsaved;
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
        let outcome = run.perform(machine, step).await;
        let token = match outcome {
            Outcome::Adopted(token) | Outcome::Refreshed(token) => Some(token),
            Outcome::NothingToRefresh => return Err(Failure::NothingToRefresh),
            Outcome::Reauthorize(Some(error)) | Outcome::Failed(error) => {
                if error.is_reauthorization_needed() {
                    let profile = self.key.profile();
                    tracing::warn!(target: REFUSED, profile, %error, "the refresh token is refused; log in again");
                }
                return Err(Failure::Error(error));
            }
            Outcome::Reauthorize(None) => return Err(Failure::Error(refused_earlier().into())),
        };
        let has_token = |record: &Record| record.access_token == token;
        let is_in_store = run.there.as_ref().is_some_and(has_token);
        let is_granted = run.granted.as_ref().is_some_and(has_token);
        let scope = run.scope.filter(|_| is_granted);
        let known = [run.granted, kept, Some(run.view)].into_iter().flatten();
        Ok(Refreshed {
            record: known.into_iter().find(has_token).unwrap_or_default(),
            is_in_store,
            scope,
        })
    }

    /// Takes over unsaved tokens that replaced the refresh token of these credentials when it was given
    /// in another way, since it is spent.
    async fn take_over(&self, wanted: &Wanted) {
        let lineage = wanted.lineage();
        let is_known = {
            let all = lock(&self.unsaved);
            all.is_empty() || all.contains_key(&lineage)
        };
        if is_known {
            return;
        }
        let token = match wanted.given.as_ref().and_then(Given::newest) {
            Some(token) => Some(token.clone()),
            // If it cannot be read, nothing is requested.
            None => match self.load(&self.key).await {
                Ok(Some((there, _))) => there.refresh_token,
                _ => None,
            },
        };
        let Some(token) = token else { return };
        let mut all = lock(&self.unsaved);
        let replaces = |kept: &Kept| kept.unsaved.replaced.contains(&token);
        let found = all.iter().find(|(_, kept)| replaces(kept));
        let Some(other) = found.map(|(other, _)| other.clone()) else {
            return;
        };
        if let Some(kept) = all.remove(&other) {
            let wanted = wanted.clone();
            all.insert(lineage, Kept { wanted, ..kept });
        }
    }

    /// Returns the credentials that are not saved yet, if they belong in this record.
    fn unsaved_of(&self, there: Option<&Record>) -> Option<Record> {
        let token = there.and_then(|there| there.refresh_token.as_ref())?;
        let all = lock(&self.unsaved);
        let mut all = all.values().map(|kept| &kept.unsaved);
        let unsaved = all.find(|unsaved| unsaved.replaced.contains(token))?;
        Some(unsaved.record.clone())
    }

    /// Forgets the unsaved tokens of a record, and refusals.
    fn forget(&self, record: &Key) {
        lock(&self.unsaved).retain(|lineage, _| match lineage {
            Some(lineage) => own_key(&self.key, lineage) != *record,
            None => self.key != *record,
        });
        lock(&self.refused).clear();
    }

    async fn of_store<T>(
        &self,
        work: impl Future<Output = vouchsafe_core::Result<T>>,
    ) -> Result<T> {
        limited(self.store.capabilities().limit, work).await
    }

    async fn of_leases<T>(
        &self,
        work: impl Future<Output = vouchsafe_core::Result<T>>,
    ) -> Result<T> {
        limited(self.leases.limit(), work).await
    }

    fn until(&self, lasts: Duration) -> Until {
        Until::after(lasts, &self.clock)
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

fn lost_again() -> Error {
    let what = "every lease was lost before it expired, so no token was requested; check whether the store \
                removes records, or the clock of another machine is ahead";
    Core::new(Kind::Store, what).with_retryable(true).into()
}

fn read(loaded: Option<Loaded>) -> Result<Option<(Record, Version)>> {
    let read = |loaded: Loaded| Ok((Record::read(&loaded.value)?, loaded.version));
    loaded.map(read).transpose()
}

/// Bounds the time of a call whose own limit may be missing or not kept.
async fn limited<T>(
    limit: Duration,
    work: impl Future<Output = vouchsafe_core::Result<T>>,
) -> Result<T> {
    let Ok(done) = timeout(limit.saturating_add(LATE), work).await else {
        let what = format!("the store of credentials gave no answer within {limit:?}");
        return Err(Core::new(Kind::Store, what).with_retryable(true).into());
    };
    Ok(done?)
}

/// How much longer a call may take than its limit, so that the error is that of the store, which knows
/// more.
const LATE: Duration = Duration::from_secs(1);
/// The part of a lease's time that is left when tokens are saved, and for which whoever takes a lease
/// that has lapsed waits for tokens of its last holder: by default as long as a call to a store takes
/// at most. Tokens that wait to be saved are tried twice as often.
const DEFERRED: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests;

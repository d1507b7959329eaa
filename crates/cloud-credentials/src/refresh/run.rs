//! Carries out the steps of one refresh.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use vouchsafe_core::call::{Backoff, Jitter};
use vouchsafe_core::store::{Acquired, Key, Swapped};
use vouchsafe_core::sync::lock;
use vouchsafe_core::{Error as Core, ErrorKind as Kind, Secret, Sent};

use super::machine::{Event, Outcome, Refresh, Seen, Step, Unsaved};
use super::place::{At, Found, Place, lease_key};
use super::waits::Waits;
use super::wanted::Wanted;
use super::{Ask, DEFERRED, FIRST_WAIT, Held, Kept, LONGEST_WAIT, Shared, Until, read};
use crate::record::digest;
use crate::{Error, Record, Result};

/// One refresh, and what it has found so far.
pub(super) struct Run<'a> {
    shared: &'a Shared,
    wanted: &'a Wanted,
    ask: Option<&'a dyn Ask>,
    /// The record in the store, as last seen.
    pub(super) there: Option<Record>,
    /// The credentials that the last decision was based on.
    pub(super) view: Record,
    pub(super) granted: Option<Record>,
    /// The scope of what was granted, if the server stated it.
    pub(super) scope: Option<String>,
    /// The place of the record that was seen last.
    place: Place,
    at: Option<At>,
    /// The record when tokens were requested.
    requested: Option<At>,
}

type Happened = Event<Record, At, Error>;

impl<'a> Run<'a> {
    pub(super) fn new(shared: &'a Shared, wanted: &'a Wanted, ask: Option<&'a dyn Ask>) -> Self {
        Self {
            shared,
            wanted,
            ask,
            there: None,
            view: Record::default(),
            granted: None,
            scope: None,
            place: Place::Profile,
            at: None,
            requested: None,
        }
    }

    pub(super) async fn perform(
        &mut self,
        mut machine: Refresh<Record, At, Error>,
        mut step: Step<Record, At>,
    ) -> Outcome<Secret, Error> {
        let shared = self.shared;
        let mut waits = Waits::new(shared.times.patience);
        let mut hints = None;
        loop {
            let event = match step {
                Step::Load => self.load().await.map(Event::Loaded),
                Step::Acquire => {
                    // Before the record is read that is waited for.
                    hints = hints.or_else(|| shared.store.watch(&self.key()));
                    self.acquire().await
                }
                Step::Wait => waits.wait(hints.as_mut()).await.map(|()| Event::Waited),
                Step::Defer => {
                    let time = shared.times.lease / DEFERRED;
                    waits.defer(time).await.map(|()| Event::Waited)
                }
                Step::Request(credentials) => self.request(credentials).await,
                Step::Save(record, expect) => self.save(record, expect).await,
                Step::Release => {
                    shared.release().await;
                    Ok(Event::Released)
                }
                Step::GiveBack => {
                    shared.give_back().await;
                    Ok(Event::Released)
                }
                Step::Finish => break,
            };
            step = machine.next(event.unwrap_or_else(Event::Failed));
            // Immediately, so that it survives whatever ends this refresh.
            self.keep(machine.unsaved());
        }
        machine.finish().unwrap_or(Outcome::NothingToRefresh)
    }

    fn keep(&self, unsaved: Option<&Unsaved<Record>>) {
        let lineage = self.wanted.lineage();
        let was_displaced = {
            let mut all = lock(&self.shared.unsaved);
            let before = all.remove(&lineage);
            let displaced = before.as_ref().and_then(|kept| kept.displaced);
            if let Some(unsaved) = unsaved {
                let at = match &self.granted {
                    Some(_) => self.requested.clone(),
                    None => before.as_ref().and_then(|kept| kept.at.clone()),
                };
                let kept = Kept {
                    unsaved: unsaved.clone(),
                    wanted: self.wanted.clone(),
                    at,
                    displaced: (unsaved.is_displaced)
                        .then(|| displaced.unwrap_or_else(Instant::now)),
                    failing: before.map(|kept| kept.failing).unwrap_or_default(),
                };
                all.insert(lineage, kept);
            }
            displaced.is_some()
        };
        if !was_displaced && unsaved.is_some_and(|unsaved| unsaved.is_displaced) {
            let what = "the record has another login by now, or was removed";
            let error: Error = Core::new(Kind::Conflict, what).into();
            self.shared.report_unsaved(&self.key(), &error);
        }
    }

    /// Returns the name of the record that was seen last.
    fn key(&self) -> Key {
        let given = self.wanted.given.as_ref();
        self.shared.key_at(self.place, given)
    }

    async fn load(&mut self) -> Result<Seen<Record, At>> {
        let found = self.shared.find(self.wanted.given.as_ref()).await?;
        Ok(self.see(found))
    }

    fn see(&mut self, found: Found) -> Seen<Record, At> {
        let at = found.at();
        self.place = found.place;
        self.at.clone_from(&at);
        self.there = found.record;
        let mut view = self.wanted.view(self.there.as_ref());
        if let Some(replaced) = self.replaced_of_own() {
            view.refresh_token = Some(replaced);
        }
        let first = view.first();
        if first.is_some_and(|first| lock(&self.shared.refused).contains(&first)) {
            view.dead = view.refresh_token.as_ref().map(digest);
        }
        self.view = view.clone();
        Seen {
            is_fresh: self.wanted.is_fresh(&view, self.shared.clock.now()),
            record: view,
            is_removed: self.is_removed(at.as_ref()),
            version: at,
        }
    }

    /// Returns whether the record for which the unsaved tokens were requested is gone.
    fn is_removed(&self, at: Option<&At>) -> bool {
        let all = lock(&self.shared.unsaved);
        let kept = all.get(&self.wanted.lineage());
        kept.is_some_and(|kept| At::is_gone(kept.at.as_ref(), at))
    }

    /// Returns the refresh token that an own record is taken to have that was not made yet, so that
    /// unsaved tokens are saved there.
    fn replaced_of_own(&self) -> Option<Secret> {
        let there = self.there.as_ref();
        if self.place != Place::Own || there.is_some_and(|there| there.refresh_token.is_some()) {
            return None;
        }
        let all = lock(&self.shared.unsaved);
        let kept = all.get(&self.wanted.lineage())?;
        kept.unsaved.replaced.first().cloned()
    }

    async fn acquire(&mut self) -> Result<Happened> {
        if self.ask.is_some() {
            self.fail_as_others(&self.view)?;
        }
        let Shared {
            leases, key, times, ..
        } = self.shared;
        // Read before the lease is taken, so that it never seems to last longer than it does.
        let until = self.shared.until(times.lease);
        match self
            .shared
            .of_leases(leases.acquire(&lease_key(key), times.lease))
            .await?
        {
            Acquired::Lease(lease) => {
                let is_after_lapse = lease.is_after_lapse();
                *lock(&self.shared.held) = Some(Held { lease, until });
                Ok(Event::Leased { is_after_lapse })
            }
            Acquired::Held { .. } => Ok(Event::Held),
        }
    }

    /// Makes sure that the lease lasts for a while longer, and returns the end of that. `None` if the
    /// lease was lost.
    async fn keep_lease(&self, time: Duration) -> Result<Option<Until>> {
        let shared = self.shared;
        let until = shared.until(time);
        let lasts = |held: &Held| until.is_before(&held.until);
        if lock(&shared.held).as_ref().is_some_and(lasts) {
            return Ok(Some(until));
        }
        shared.renew().await?;
        let until = shared.until(time);
        let held = lock(&shared.held);
        Ok(held.as_ref().map(|held| until.or_before(&held.until)))
    }

    async fn request(&mut self, credentials: Record) -> Result<Happened> {
        let Some(ask) = self.ask else {
            return Err(Core::new(Kind::Store, "a save does not request tokens").into());
        };
        self.fail_as_others(&credentials)?;
        let mut was_late = false;
        let answer = loop {
            let Some(until) = self.keep_lease(self.shared.times.request).await? else {
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
                self.requested.clone_from(&self.at);
                let mut granted = credentials;
                granted.access_token = Some(issued.access_token);
                granted.expires_at = issued.expires_at;
                if let Some(token) = issued.refresh_token {
                    let replaced = granted.refresh_token.replace(token);
                    if let (Some(before), Some(after)) = (&replaced, &granted.refresh_token) {
                        lock(&self.shared.replaced).add(before, after);
                    }
                }
                granted.dead = None;
                self.granted = Some(granted.clone());
                self.scope = issued.scope;
                let now = self.shared.clock.now();
                let is_fresh = self.wanted.is_fresh(&granted, now);
                Ok(Event::Granted(granted, is_fresh))
            }
            Err(error) if error.is_reauthorization_needed() => {
                if let Some(events) = &self.shared.events {
                    events.reauthorization_needed(self.key().profile(), &error);
                }
                if self.is_of_another_client(&credentials) {
                    self.remember_refusal(&credentials);
                    return Err(error);
                }
                Ok(Event::Refused(error))
            }
            Err(error) => {
                let failures = &self.shared.failures;
                failures.add(ask.server(), &credentials, &error);
                Err(error)
            }
        }
    }

    /// Fails if others in this process have just been refused the same.
    fn fail_as_others(&self, credentials: &Record) -> Result<()> {
        let failures = &self.shared.failures;
        let server = self.ask.map(|ask| ask.server()).unwrap_or_default();
        match failures.recent(server, credentials) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    async fn save(&mut self, record: Record, expect: Option<At>) -> Result<Happened> {
        let shared = self.shared;
        let is_mark = record.is_dead();
        if is_mark && !self.keeps_mark() {
            self.remember_refusal(&record);
            if self.there.is_none() {
                // For a refusal alone, the profile gets no record.
                return Ok(Event::Saved);
            }
        }
        // A store that was restarted, or a connection that broke, is back in a moment. Until the
        // tokens are saved, they end with this process.
        let begun = Instant::now();
        let mut waits = Backoff::new(FIRST_WAIT, LONGEST_WAIT, Jitter::random()).at_least_half();
        let saved = loop {
            // A store that is slow to write must not cost the lease. Where it is lost, the expected
            // version still protects what others wrote.
            let _ = self.keep_lease(shared.times.lease / DEFERRED).await;
            let saved = self.swap(record.clone(), expect.clone()).await;
            let may_help = saved.as_ref().is_err_and(Error::is_retryable);
            if !may_help || begun.elapsed() >= SAVE_AT_ONCE {
                break saved;
            }
            sleep(waits.next_wait()).await;
        };
        match &saved {
            Err(_) if is_mark => self.remember_refusal(&record),
            Err(error) => self.report_unsaved(error),
            Ok(Event::Saved) if !is_mark => shared.report_saved(&self.key()),
            _ => {}
        }
        saved
    }

    /// Notes that the tokens were not saved, and reports it if it is time to.
    pub(super) fn report_unsaved(&self, error: &Error) {
        let is_to_report = {
            let mut all = lock(&self.shared.unsaved);
            let kept = all.get_mut(&self.wanted.lineage());
            kept.is_some_and(|kept| kept.failing.add(error))
        };
        if is_to_report {
            self.shared.report_unsaved(&self.key(), error);
        }
    }

    /// Returns whether the record has this login alone, so that a mark stays there.
    fn keeps_mark(&self) -> bool {
        let has_login = |there: &Record| there.refresh_token.is_some();
        self.place == Place::Own || self.there.as_ref().is_some_and(has_login)
    }

    /// Returns whether these are sent as another client than that of the record. A server refuses a
    /// refresh token of another client just as one that was revoked (RFC 6749, 5.2), so a refusal says
    /// nothing of the token that is there or not saved yet.
    fn is_of_another_client(&self, credentials: &Record) -> bool {
        let there = self.there.as_ref();
        self.place == Place::Profile
            && there.is_some_and(|there| there.client_id != credentials.client_id)
    }

    fn remember_refusal(&self, refused: &Record) {
        lock(&self.shared.refused).extend(refused.first());
    }

    async fn swap(&mut self, record: Record, expect: Option<At>) -> Result<Happened> {
        let (place, expect) = At::of(expect);
        let key = self.shared.key_at(place, self.wanted.given.as_ref());
        let record = self.wanted.stored(record, self.there.as_ref());
        let value = record.write()?;
        let swap = self.shared.store.compare_and_swap(&key, &expect, &value);
        Ok(match self.shared.of_store(swap).await? {
            Swapped::Done(_) => {
                self.there = Some(record);
                Event::Saved
            }
            Swapped::Conflict(there) if self.wanted.lineage().is_none() => {
                Event::Conflict(self.see(Found::new(Place::Profile, read(there)?)))
            }
            // It may have another login by now.
            Swapped::Conflict(_) => Event::Conflict(self.load().await?),
        })
    }
}

/// How long callers wait for tokens to be saved that were not saved at once.
pub(super) const SAVE_AT_ONCE: Duration = Duration::from_secs(1);

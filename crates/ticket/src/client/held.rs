//! The data that the checks of a client read and its worker replaces. Reading takes no lock.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::time::Instant;
use vouchsafe_core::Clock;
use vouchsafe_core::sync::lock;
use vouchsafe_core::timestamp::{from_unix_seconds, unix_seconds};

use super::keys::{Keys, Wanted};
use crate::client::protocol::{Health, LastError, Mode, Seconds, StatusCode, Tickets};
use crate::engine::ids::TvmId;
use crate::engine::roles::Roles;
use crate::error::Result;

#[derive(Debug)]
pub(crate) struct Held {
    clock: Arc<dyn Clock>,
    pub(crate) checks: Checks,
    /// Replaced when the configuration of a daemon changes.
    pub(crate) facts: ArcSwap<Facts>,
    /// `None` if no tickets are fetched, or not yet.
    pub(crate) tickets: ArcSwapOption<Tickets>,
    pub(crate) keys: ArcSwapOption<Keys>,
    pub(crate) roles: ArcSwapOption<Roles>,
    pub(crate) updated: Updated,
    /// In seconds.
    pub(crate) roles_warn_after: AtomicI64,
    last_error: Mutex<LastError>,
}

/// Checks in addition to keys.
#[derive(Clone, Debug)]
pub(crate) struct Checks {
    pub(crate) source: bool,
    pub(crate) default_uid: bool,
    pub(crate) destination: bool,
    /// How many checked tickets are remembered; `None` for the default.
    pub(crate) cache: Option<usize>,
}

impl Default for Checks {
    fn default() -> Self {
        Self {
            source: true,
            default_uid: true,
            destination: true,
            cache: None,
        }
    }
}

/// The configuration of a client.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Zero for none.
    pub(crate) own_id: TvmId,
    pub(crate) fetches_tickets: bool,
    pub(crate) checks_tickets: bool,
    /// The role system.
    pub(crate) slug: Option<String>,
    pub(crate) destinations: Destinations,
}

/// The source of the destinations.
#[derive(Debug)]
pub(crate) enum Destinations {
    /// The caller, at start and later.
    Asked { incomplete_is_error: bool },
    /// The daemon, by their local names.
    Configured(BTreeMap<String, TvmId>),
}

/// When each part was fetched.
#[derive(Debug)]
pub(crate) struct Updated {
    pub(crate) tickets: Moment,
    pub(crate) keys: Moment,
    pub(crate) roles: Moment,
    pub(crate) config: Moment,
}

/// A time in seconds since the epoch, or never.
///
/// Its age is measured by two clocks, and the larger age counts: tokio's clock stops while the
/// machine is suspended, and the wall clock may be set back.
#[derive(Debug)]
pub(crate) struct Moment {
    at: AtomicI64,
    /// The same time in seconds since `origin`.
    since_origin: AtomicI64,
    origin: Instant,
}

impl Moment {
    fn never() -> Self {
        Self {
            at: AtomicI64::new(NEVER),
            since_origin: AtomicI64::new(0),
            origin: Instant::now(),
        }
    }

    /// Returns the recorded time.
    pub(crate) fn get(&self) -> Option<Seconds> {
        Some(self.at.load(Ordering::Acquire)).filter(|&at| at != NEVER)
    }

    /// Returns the time, moved back by as much as the wall clock was since the time was recorded.
    pub(crate) fn as_of(&self, now: Seconds) -> Option<Seconds> {
        let at = self.get()?;
        let age = self
            .passed()
            .saturating_sub(self.since_origin.load(Ordering::Relaxed));
        Some(at.min(now.saturating_sub(age)))
    }

    /// Records a time that is now or in the past by the wall clock.
    pub(crate) fn set(&self, at: Seconds, now: Seconds) {
        let age = now.saturating_sub(at);
        let since_origin = self.passed().saturating_sub(age);
        // A concurrent reader gets the old time unchanged.
        self.since_origin.store(since_origin, Ordering::Relaxed);
        self.at.store(at, Ordering::Release);
    }

    /// Returns whether a refresh is due, this many seconds after the last one.
    pub(crate) fn is_due(&self, now: Seconds, after: Seconds) -> bool {
        let is_old = |at: Seconds| now.saturating_sub(at) > after;
        // A time in the future was recorded under a wrong clock: nothing would be due until then.
        let is_to_come = |at: Seconds| at.saturating_sub(now) > SKEW;
        self.as_of(now).is_none_or(is_old) || self.get().is_some_and(is_to_come)
    }

    fn passed(&self) -> Seconds {
        Seconds::try_from(self.origin.elapsed().as_secs()).unwrap_or(Seconds::MAX)
    }
}

const NEVER: i64 = i64::MIN;

/// How far the clocks of a daemon, or of processes that share a folder, may differ.
const SKEW: Seconds = 60;

impl Held {
    pub(crate) fn new(clock: Arc<dyn Clock>, checks: Checks, facts: Facts) -> Self {
        Self {
            clock,
            checks,
            facts: ArcSwap::from_pointee(facts),
            tickets: ArcSwapOption::empty(),
            keys: ArcSwapOption::empty(),
            roles: ArcSwapOption::empty(),
            updated: Updated {
                tickets: Moment::never(),
                keys: Moment::never(),
                roles: Moment::never(),
                config: Moment::never(),
            },
            roles_warn_after: AtomicI64::new(20 * 60),
            last_error: Mutex::default(),
        }
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    pub(crate) fn now(&self) -> Seconds {
        unix_seconds(self.clock.now())
    }

    pub(crate) fn last_error(&self) -> MutexGuard<'_, LastError> {
        lock(&self.last_error)
    }

    /// Replaces the contexts, unless the new ones would be equal: the old ones remember checked
    /// tickets.
    pub(crate) fn store_keys(&self, text: &str, wanted: Wanted, born: Seconds) -> Result<()> {
        let held = self.keys.load();
        if !held.as_ref().is_some_and(|keys| keys.are_of(text, &wanted)) {
            self.keys.store(Some(Arc::new(Keys::new(text, wanted)?)));
        }
        self.updated.keys.set(born, self.now());
        Ok(())
    }

    pub(crate) fn status_code(&self) -> StatusCode {
        let now = self.now();
        self.health(now).status(now)
    }

    fn health(&self, now: Seconds) -> Health {
        let facts = self.facts.load();
        let tickets = self.tickets.load();
        let tickets = tickets.as_ref();
        let mut set = tickets.map(|tickets| tickets.health());
        let (mode, wanted) = match &facts.destinations {
            Destinations::Asked {
                incomplete_is_error,
            } => {
                let mode = Mode::TvmApi {
                    incomplete_is_error: *incomplete_is_error,
                };
                (mode, tickets.map_or(0, |tickets| tickets.wanted().len()))
            }
            Destinations::Configured(names) => {
                if let (Some(set), Some(tickets)) = (&mut set, tickets) {
                    // Two names of one destination count twice on both sides.
                    let has_ticket = |id: &&TvmId| tickets.by_id().contains_key(*id);
                    set.count = names.values().filter(has_ticket).count();
                }
                let config_updated = self.updated.config.as_of(now);
                (Mode::Tool { config_updated }, names.len())
            }
        };
        Health {
            mode,
            wanted_tickets: facts.fetches_tickets.then_some(wanted),
            tickets: set,
            tickets_updated: self.updated.tickets.as_of(now),
            wants_keys: facts.checks_tickets,
            keys_updated: self.updated.keys.as_of(now),
            roles_warn_after: facts
                .slug
                .as_ref()
                .map(|_| self.roles_warn_after.load(Ordering::Relaxed)),
            roles_updated: self.updated.roles.as_of(now),
        }
    }
}

pub(crate) fn system_time(seconds: Seconds) -> SystemTime {
    from_unix_seconds(seconds.max(0)).unwrap_or(UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_moment_ages_by_the_clock_that_went_further() {
        let hour = Duration::from_secs(3600);
        let moment = Moment::never();
        assert_eq!(moment.as_of(10_000), None);
        moment.set(9_900, 10_000);
        assert_eq!(moment.as_of(10_000), Some(9_900));
        // The machine was suspended for an hour: tokio's clock stopped.
        assert_eq!(moment.as_of(13_600), Some(9_900));
        // An hour passes while the wall clock is set back to where it was: the age is 3,700 s.
        tokio::time::advance(hour).await;
        assert_eq!(moment.as_of(10_000), Some(6_300));
        assert_eq!(moment.as_of(13_600), Some(9_900));
        assert_eq!(moment.get(), Some(9_900));
        // Recorded again, it is new under the clock that was set back.
        moment.set(10_000, 10_000);
        assert_eq!(moment.as_of(10_000), Some(10_000));
        // A time that was recorded as in the future stays in the future.
        moment.set(20_000, 10_000);
        assert_eq!(moment.as_of(10_000), Some(20_000));
    }
}

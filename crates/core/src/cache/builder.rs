//! Configuration of a cache.

use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::AtomicIsize;
use std::time::Duration;

use tokio::time::Instant;

use super::flight::Flights;
use super::store::{Policy, Store};
use super::watched::Watched;
use super::{Cache, Judges, Shared, State};
use crate::observe::Observer;
use crate::sync::ManyReaders;
use crate::{Clock, SystemClock};

/// Builds a [`Cache`].
#[must_use]
pub struct CacheBuilder<K, V, E = crate::Error> {
    policy: Policy,
    judges: Judges<E>,
    clock: Arc<dyn Clock>,
    seed: Option<u64>,
    observer: Option<(&'static str, Arc<dyn Observer>)>,
    may_fetch_again: bool,
    holds: PhantomData<fn() -> (K, V)>,
}

impl<K, V, E> CacheBuilder<K, V, E>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    E: Clone + Send + Sync + 'static,
{
    pub(super) fn new() -> Self {
        Self {
            policy: Policy {
                capacity: 1000,
                ttl: Duration::from_secs(5 * 60),
                error_ttl: Duration::from_secs(1),
                refresh_ahead: 0.2,
                stale_if_error: Duration::ZERO,
                min_interval: Duration::from_secs(1),
            },
            judges: Judges {
                error_ttl_by: None,
                definite: None,
            },
            clock: Arc::new(SystemClock::new()),
            seed: None,
            observer: None,
            may_fetch_again: false,
            holds: PhantomData,
        }
    }

    /// Sets the wall clock. A lifetime ends as soon as either this clock or tokio's says so,
    /// because tokio's clock stands still while the machine is suspended. Setting the wall clock
    /// back never extends a lifetime. A hit reads its [`coarse`](Clock::coarse) time. Default: the
    /// machine's clock.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets how many values are kept, and how many errors; zero keeps nothing. Default: 1000.
    pub fn capacity(mut self, entries: usize) -> Self {
        self.policy.capacity = entries;
        self
    }

    /// Sets the lifetime of values that do not specify one. Zero keeps nothing, even if a value
    /// specifies a lifetime. Default: five minutes.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.policy.ttl = ttl;
        self
    }

    /// Sets how long an error is kept, minus up to a random quarter; zero keeps no errors. Default:
    /// one second.
    pub fn error_ttl(mut self, ttl: Duration) -> Self {
        self.policy.error_ttl = ttl;
        self
    }

    /// Sets exactly how long particular errors are kept, such as a definite "no" for longer, or a
    /// throttled fetch for as long as the server asked. `None` means
    /// [`error_ttl`](Self::error_ttl).
    pub fn error_ttl_by(mut self, ttl: fn(&E) -> Option<Duration>) -> Self {
        self.judges.error_ttl_by = Some(ttl);
        self
    }

    /// Sets which errors count as answers rather than failures, such as the refusal of a
    /// credential. They remove the old value at once, and no stale value replaces them. Default: no
    /// error.
    pub fn definite(mut self, definite: fn(&E) -> bool) -> Self {
        self.judges.definite = Some(definite);
        self
    }

    /// Sets the share at the end of a lifetime in which a caller starts a refresh. Each value uses
    /// a random part of that share. Zero disables refreshing ahead. Default: 0.2.
    pub fn refresh_ahead(mut self, share: f64) -> Self {
        self.policy.refresh_ahead = if share.is_nan() {
            0.0
        } else {
            share.clamp(0.0, 1.0)
        };
        self
    }

    /// Sets for how long after its expiry an old value is returned when a fetch fails. Default:
    /// zero.
    pub fn stale_if_error(mut self, time: Duration) -> Self {
        self.policy.stale_if_error = time;
        self
    }

    /// Sets the minimum time between a fetch and the next refresh, even if the value is already
    /// due: the server may have returned the same value again. Default: one second.
    pub fn min_interval(mut self, wait: Duration) -> Self {
        self.policy.min_interval = wait;
        self
    }

    /// Sets whether a caller that waits for another one's fetch starts its own if nothing drives that one's
    /// runtime for about two seconds, as when its thread is blocked. If the first one goes on later, both
    /// have been made, and its result is only for its own waiters. So this is for fetches that may be made
    /// twice, such as reads, and not for what must not be doubled, such as a refresh of tokens. Waiting then
    /// panics in a tokio runtime without timers. Default: false, so that such a caller waits.
    pub fn fetch_again(mut self, fetch_again: bool) -> Self {
        self.may_fetch_again = fetch_again;
        self
    }

    /// Makes random choices repeatable, for tests.
    pub fn jitter_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Sets an observer, which is notified of each look-up and of the number of entries, under
    /// the name of this cache.
    pub fn observer(mut self, name: &'static str, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some((name, observer));
        self
    }

    /// Builds the cache. Does not need a runtime.
    #[must_use]
    pub fn build(self) -> Cache<K, V, E> {
        let random = self
            .seed
            .map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        let max_flights = self.policy.capacity.max(MIN_FLIGHTS);
        let state = State {
            store: Store::new(self.policy, random),
            flights: Flights::new(max_flights),
            changes: 0,
        };
        Cache {
            shared: Arc::new(Shared {
                state: ManyReaders::new(state),
                judges: self.judges,
                made_at: Instant::now(),
                clock: self.clock,
                may_fetch_again: self.may_fetch_again,
                watched: self.observer.map(|(name, observer)| Watched {
                    name,
                    observer,
                    entries: AtomicIsize::new(0),
                }),
            }),
        }
    }
}

impl<K, V, E> fmt::Debug for CacheBuilder<K, V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheBuilder")
            .field("capacity", &self.policy.capacity)
            .field("ttl", &self.policy.ttl)
            .field("error_ttl", &self.policy.error_ttl)
            .field("refresh_ahead", &self.policy.refresh_ahead)
            .field("stale_if_error", &self.policy.stale_if_error)
            .field("min_interval", &self.policy.min_interval)
            .finish_non_exhaustive()
    }
}

/// Even a small cache shares the fetches of many keys.
const MIN_FLIGHTS: usize = 1024;

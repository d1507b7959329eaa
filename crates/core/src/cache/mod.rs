//! A single-flight cache: values that live for a while, fetched once no matter how many callers
//! ask.
//!
//! - **One fetch for each key.** A caller that misses while a fetch is in progress waits for that
//!   fetch. The fetch runs in its own task, so a caller that gives up does not stop it. It
//!   continues on that caller's runtime: if that is dropped, the next waiting caller starts a fetch
//!   of its own. While nothing drives it, all waiting callers wait, unless the cache
//!   [fetches again](CacheBuilder::fetch_again) then. Dropping the last clone of the cache ends all
//!   fetches.
//! - **Errors** are shared by all waiting callers and kept for a moment, so that callers do not
//!   query a failing service one after the other.
//! - **Refresh ahead.** Shortly before a value expires, a caller gets it at once and starts a
//!   fetch. Nothing runs while the cache is not used: there is no permanent task and no timer.
//! - **Bounds.** At capacity, expired values are removed first, then the least recently used. That
//!   order is exact in a cache of up to 64 entries and approximate in a larger one, where keeping
//!   it exact would need a write lock for every hit. Errors are kept separately, with the same
//!   bound. Fetches beyond the bound run unshared, inside the caller.
//! - **Time** is measured by tokio's clock, which tests can pause, and by the wall clock. Tokio's
//!   clock stands still while the machine is suspended, and the wall clock can be set back, so a
//!   lifetime ends as soon as either clock says so. It starts when the value is stored, and hits do
//!   not extend it.
//! - **Panics** of foreign code at the end of a fetch propagate to the caller that supplied the
//!   fetch; all other waiting callers continue with their own.
//!
//! A hit takes a lock that it shares with other hits, which do not slow it down, for some dozens of
//! nanoseconds, and does not allocate. No lock is held across an await or while foreign code runs, except for `Clone` of the
//! values and errors found, and `Hash`, `Eq` and `Clone` of keys.

mod builder;
mod digest;
mod flight;
mod lifetime;
#[cfg(test)]
mod model;
mod store;
mod watched;

use std::fmt;
use std::hash::Hash;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use tokio::runtime::Handle;
use tokio::time::Instant;
use tracing::Instrument as _;

pub use self::builder::CacheBuilder;
pub use self::digest::Digest;
use self::flight::{Flight, Flights, Landing, Outcome};
use self::store::{Failed, Found, Moment, Now, Store};
use self::watched::Watched;
use crate::Clock;
use crate::observe::{CacheEvent, CacheOutcome};
use crate::sync::ManyReaders;
use crate::task::Task;

/// A bounded cache of values that expire, with one fetch for each key at a time.
///
/// Cheap to clone; clones share everything. Values should be cheap to clone, such as an `Arc`. Keys
/// must not hold secrets; use the [`Digest`] of a secret instead.
///
/// ```
/// # async fn example() -> vouchsafe_core::Result<()> {
/// use vouchsafe_core::cache::{Cache, Fetched};
///
/// let cache: Cache<String, u32> = Cache::builder().capacity(100).build();
/// let fetch = || async { Ok(Fetched::new(42)) };
/// assert_eq!(cache.get_or_fetch(&"answer".to_owned(), fetch).await?, 42);
/// assert_eq!(cache.get(&"answer".to_owned()), Some(42));
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example()).unwrap();
/// ```
pub struct Cache<K, V, E = crate::Error> {
    shared: Arc<Shared<K, V, E>>,
}

impl<K, V, E> Cache<K, V, E>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    E: Clone + Send + Sync + 'static,
{
    /// Creates a builder with the defaults that its setters document.
    pub fn builder() -> CacheBuilder<K, V, E> {
        CacheBuilder::new()
    }

    /// Returns the value of a key if it is present and has not expired.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<V> {
        let now = self.shared.about_now();
        let value = self.shared.read().store.fresh(key, now);
        if value.is_some() {
            self.shared.tell(CacheOutcome::Hit);
        }
        value
    }

    /// Returns the value of a key, or fetches it.
    ///
    /// The closure is called only if this call starts a fetch: on a miss while no fetch is in
    /// progress, or if the value is due for a refresh. Dropping the returned future does not stop
    /// the fetch, so a fetch needs a limit of its own: all callers wait for one that never ends. A fetch
    /// that holds a clone of the cache keeps the cache alive.
    ///
    /// # Errors
    ///
    /// The error of the fetch, whether it ran for this caller or, a moment ago, for another one.
    ///
    /// # Panics
    ///
    /// If this caller's fetch panics, or if its runtime is shut down while this future is polled
    /// elsewhere. Other callers that wait for the same fetch continue with their own.
    pub fn get_or_fetch<F, Fut>(&self, key: &K, fetch: F) -> impl Future<Output = Result<V, E>>
    where
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Result<Fetched<V>, E>> + Send + 'static,
    {
        let shared = &self.shared;
        // No `async fn`, which would move its arguments even for a hit. Most look-ups end there, and
        // they do so in parallel.
        async move {
            match shared.hit(key) {
                Some(value) => Ok(value),
                None => self.miss(key, fetch).await,
            }
        }
    }

    async fn miss<F, Fut>(&self, key: &K, fetch: F) -> Result<V, E>
    where
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Result<Fetched<V>, E>> + Send + 'static,
    {
        loop {
            match self.shared.look(key) {
                Look::Value(value) => return Ok(value),
                Look::Error(error) => return Err(error),
                Look::Refresh(value, landing) => {
                    self.launch(landing, fetch);
                    return Ok(value);
                }
                Look::Join(flight) => match self.shared.join(key, &flight).await {
                    // There is no outcome: look again, and perhaps start the next fetch.
                    None | Some(Outcome::Vanished(_)) => {}
                    Some(outcome) => return self.shared.answer(outcome),
                },
                Look::Miss(landing) => {
                    let flight = self.launch(landing, fetch);
                    return self.shared.answer(flight.outcome().await);
                }
                Look::Alone(changes) => {
                    // Boxed, so that waiting for another caller's fetch does not carry its size.
                    let result = Box::pin(fetch()).await;
                    return self
                        .shared
                        .answer(&self.shared.settle_alone(key, changes, result));
                }
            }
        }
    }

    /// Stores a value. A fetch in progress for the same key does not replace it.
    pub fn insert(&self, key: K, fetched: Fetched<V>) {
        let now = self.shared.now();
        self.shared.change(|state| {
            state.changes += 1;
            state.flights.detach(&key);
            state.store.put(key, fetched, now);
        });
    }

    /// Removes the value of a key, and its error if one is kept. A fetch in progress does not store
    /// its result. Returns whether there was a value.
    pub fn forget(&self, key: &K) -> bool {
        self.shared.change(|state| {
            state.changes += 1;
            state.flights.detach(key);
            state.store.remove(key)
        })
    }

    /// Removes the value of a key if it is of the given generation, and returns whether it was. A
    /// newer value stays, and a fetch in progress continues and stores its result.
    pub fn forget_generation(&self, key: &K, generation: u64) -> bool {
        self.shared
            .change(|state| state.store.remove_generation(key, generation))
    }

    /// Removes all values and errors. Fetches in progress still answer their waiters, but do not
    /// store their results.
    pub fn clear(&self) {
        let old = self.shared.change(|state| {
            state.changes += 1;
            state.flights.detach_all();
            state.store.clear()
        });
        drop(old);
    }

    /// Returns the number of values held, including expired values that have not been removed yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.read().store.len()
    }

    /// Returns whether the cache holds no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Starts the task of a flight. If the closure panics, dropping the landing notifies the
    /// callers that have joined.
    fn launch<F, Fut>(&self, landing: Landing<K, V, E>, fetch: F) -> Arc<Flight<V, E>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Fetched<V>, E>> + Send + 'static,
    {
        let flight = Arc::clone(landing.flight());
        // What is fetched is part of what its caller does.
        let task = Task::spawn(landing.run(Box::pin(fetch())).in_current_span());
        let ended = self.shared.lock().flights.tie(&flight, task);
        drop(ended);
        flight
    }
}

impl<K, V, E> Clone for Cache<K, V, E> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<K, V, E> fmt::Debug for Cache<K, V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither keys nor values are shown, since they may be confidential.
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}

/// A fetched value and its lifetime.
#[derive(Clone)]
#[must_use]
pub struct Fetched<V> {
    value: V,
    ttl: Option<Duration>,
    generation: u64,
}

impl<V> Fetched<V> {
    /// Creates a value of generation 0 with the cache's default lifetime.
    pub fn new(value: V) -> Self {
        Self {
            value,
            ttl: None,
            generation: 0,
        }
    }

    /// Sets the lifetime. With zero, the value goes to the waiting callers and is not kept.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Sets the lifetime from an absolute expiry, relative to the server's own time: the `Date` of
    /// the answer, if it has one. Clocks that differ then do no harm. The lifetime is limited to
    /// one day.
    pub fn expires_at(self, expiry: SystemTime, server_now: SystemTime) -> Self {
        let lifetime = expiry.duration_since(server_now).unwrap_or_default();
        self.ttl(lifetime.min(LONGEST_ASKED))
    }

    /// Sets the lifetime that the headers of an answer give it (RFC 9111): that of `Cache-Control`, or else
    /// of `Expires`, less `Age`, and limited to one day. One that cannot be read is zero. Without them the
    /// default stays.
    pub fn lifetime_of(self, headers: &HeaderMap) -> Self {
        match lifetime::of(headers) {
            Some(lifetime) => self.ttl(lifetime.min(LONGEST_ASKED)),
            None => self,
        }
    }

    /// Sets the generation, by which [`Cache::forget_generation`] distinguishes a value from its
    /// replacement.
    pub fn generation(mut self, generation: u64) -> Self {
        self.generation = generation;
        self
    }
}

/// The longest lifetime that a server can set.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 60 * 60);

impl<V> From<V> for Fetched<V> {
    fn from(value: V) -> Self {
        Self::new(value)
    }
}

impl<V> fmt::Debug for Fetched<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetched")
            .field("ttl", &self.ttl)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// State shared by the clones of a cache and its flights.
struct Shared<K, V, E> {
    state: ManyReaders<State<K, V, E>>,
    judges: Judges<E>,
    made_at: Instant,
    clock: Arc<dyn Clock>,
    watched: Option<Watched>,
    may_fetch_again: bool,
}

/// The user's functions that classify errors.
struct Judges<E> {
    error_ttl_by: Option<fn(&E) -> Option<Duration>>,
    definite: Option<fn(&E) -> bool>,
}

/// The result of a fetch, after all foreign code that must run before it is stored.
enum Brought<V, E> {
    /// The second value is for the waiters.
    Value(Fetched<V>, V),
    Error(Failed<E>),
}

struct State<K, V, E> {
    store: Store<K, V, E>,
    flights: Flights<K, V, E>,
    /// Counts the changes that prevent the result of an earlier fetch from being stored.
    changes: u64,
}

/// What a caller of [`Cache::get_or_fetch`] must do.
enum Look<K: Clone + Eq + Hash, V: Clone, E: Clone> {
    Value(V),
    Error(E),
    /// Use the value, and launch the flight.
    Refresh(V, Landing<K, V, E>),
    /// Wait for the flight.
    Join(Arc<Flight<V, E>>),
    /// Launch the flight, and wait for it.
    Miss(Landing<K, V, E>),
    /// Fetch without a flight, because there are too many or there is no runtime.
    Alone(u64),
}

impl<K: Clone + Eq + Hash, V: Clone, E: Clone> Shared<K, V, E> {
    /// Returns the value of a key if it is fresh and no refresh is due.
    #[inline]
    fn hit(&self, key: &K) -> Option<V> {
        let now = self.about_now();
        let value = self.read().store.hit(key, now)?;
        self.tell(CacheOutcome::Hit);
        Some(value)
    }

    fn look(self: &Arc<Self>, key: &K) -> Look<K, V, E> {
        let now = self.now();
        let mut state = self.lock();
        let found = state.store.find(key, now);
        let (look, outcome) = match found {
            Found::Fresh(value) => (Look::Value(value), CacheOutcome::Hit),
            Found::Stale(value) => (Look::Value(value), CacheOutcome::Stale),
            Found::Error(error) => (Look::Error(error), CacheOutcome::Error),
            // The time was read before the lock was taken. By then the value may have expired for
            // another caller, which has begun a fetch.
            Found::Due(value) if state.flights.of(key).is_none() && state.may_begin() => {
                state.store.refreshing(key);
                let landing = state.begin(self, key);
                (Look::Refresh(value, landing), CacheOutcome::Refresh)
            }
            Found::Due(value) => (Look::Value(value), CacheOutcome::Hit),
            Found::Nothing => match state.flights.of(key) {
                Some(flight) => (Look::Join(flight), CacheOutcome::Joined),
                None if state.may_begin() => {
                    (Look::Miss(state.begin(self, key)), CacheOutcome::Miss)
                }
                None => (Look::Alone(state.changes), CacheOutcome::Miss),
            },
        };
        drop(state);
        self.tell(outcome);
        look
    }

    /// Waits for the flight of another caller. Returns `None` if it was set aside, since nothing drives it.
    async fn join<'a>(&self, key: &K, flight: &'a Flight<V, E>) -> Option<&'a Outcome<V, E>>
    where
        K: Send + Sync,
        V: Send + Sync,
        E: Send + Sync,
    {
        // Without a runtime there are no timers.
        if !self.may_fetch_again || Handle::try_current().is_err() {
            return Some(flight.outcome().await);
        }
        let outcome = flight.outcome_unless_silent().await;
        if outcome.is_none() && self.lock().flights.set_aside(key, flight) {
            tracing::debug!(
                "a value is fetched again, since nothing drives the runtime of its fetch"
            );
        }
        outcome
    }

    /// Ends a flight: removes it, and stores its result if it is still the current flight of its
    /// key.
    fn land(&self, key: &K, flight: &Flight<V, E>, result: Result<Fetched<V>, E>) -> Outcome<V, E> {
        let now = self.now();
        let brought = self.judge(result);
        let (outcome, task) = self.change(|state| {
            let (current, task) = state.flights.strike(key, flight);
            (state.settle(key, current, brought, now), task)
        });
        drop(task);
        outcome
    }

    /// Removes a flight that ended without a result.
    fn vanish(&self, key: &K, flight: &Flight<V, E>) {
        let now = self.now();
        let task = self.change(|state| {
            let (current, task) = state.flights.strike(key, flight);
            if current {
                state.store.not_refreshed(key, now);
            }
            task
        });
        drop(task);
    }

    fn settle_alone(&self, key: &K, changes: u64, result: Result<Fetched<V>, E>) -> Outcome<V, E> {
        let now = self.now();
        let brought = self.judge(result);
        self.change(|state| {
            let current = state.changes == changes;
            state.settle(key, current, brought, now)
        })
    }

    /// Runs all foreign code for the result of a fetch while nothing is locked.
    fn judge(&self, result: Result<Fetched<V>, E>) -> Brought<V, E> {
        match result {
            Ok(fetched) => {
                let value = fetched.value.clone();
                Brought::Value(fetched, value)
            }
            Err(error) => Brought::Error(Failed {
                kept: error.clone(),
                ttl: self.judges.error_ttl_by.and_then(|by| by(&error)),
                is_definite: self
                    .judges
                    .definite
                    .is_some_and(|definite| definite(&error)),
                error,
            }),
        }
    }

    fn answer(&self, outcome: &Outcome<V, E>) -> Result<V, E> {
        match outcome {
            Outcome::Value(value) => Ok(value.clone()),
            Outcome::Stale(value) => {
                self.tell(CacheOutcome::Stale);
                Ok(value.clone())
            }
            Outcome::Error(error) => {
                self.tell(CacheOutcome::Error);
                Err(error.clone())
            }
            Outcome::Vanished(why) => why.resume(),
        }
    }

    /// Changes the state, and drops removed entries after the lock is released.
    fn change<T>(&self, change: impl FnOnce(&mut State<K, V, E>) -> T) -> T {
        let mut state = self.lock();
        let before = state.store.entries();
        let returned = change(&mut state);
        let garbage = state.store.take_garbage();
        let after = state.store.entries();
        drop(state);
        drop(garbage);
        if before != after
            && let Some(watched) = &self.watched
        {
            watched.changed(after as isize - before as isize);
        }
        returned
    }

    fn read(&self) -> impl Deref<Target = State<K, V, E>> {
        self.state.read()
    }

    fn lock(&self) -> impl DerefMut<Target = State<K, V, E>> {
        self.state.write()
    }

    fn now(&self) -> Now {
        Now {
            run: self.age(),
            wall: self.clock.now(),
        }
    }

    /// Returns the time for a hit, whose wall clock may be late: it only matters after the machine
    /// was suspended or the clock was set.
    #[inline]
    fn about_now(&self) -> Now {
        Now {
            run: self.age(),
            wall: self.clock.coarse(),
        }
    }

    #[inline]
    fn age(&self) -> Moment {
        Moment::since_beginning(Instant::now().saturating_duration_since(self.made_at))
    }

    fn tell(&self, outcome: CacheOutcome) {
        if let Some(watched) = &self.watched {
            let event = CacheEvent::new(watched.name, outcome);
            watched.observer.cache(&event);
        }
    }
}

impl<K: Clone + Eq + Hash, V: Clone, E: Clone> State<K, V, E> {
    /// Returns whether there is room for a flight, and a runtime to run it.
    fn may_begin(&self) -> bool {
        self.flights.have_room() && Handle::try_current().is_ok()
    }

    /// Registers a new flight for a key without one. From here on, the returned `Landing` must end
    /// it.
    fn begin(&mut self, shared: &Arc<Shared<K, V, E>>, key: &K) -> Landing<K, V, E> {
        let own = key.clone();
        Landing::new(shared, own, self.flights.begin(key))
    }

    fn settle(
        &mut self,
        key: &K,
        current: bool,
        brought: Brought<V, E>,
        now: Now,
    ) -> Outcome<V, E> {
        match brought {
            Brought::Value(fetched, value) => {
                if current {
                    self.store.put(key.clone(), fetched, now);
                }
                Outcome::Value(value)
            }
            Brought::Error(Failed { error, .. }) if !current => Outcome::Error(error),
            Brought::Error(failed) => {
                let Failed {
                    error,
                    kept,
                    ttl,
                    is_definite,
                } = failed;
                match self.store.fail(key, kept, ttl, is_definite, now) {
                    Some(old) => Outcome::Stale(old),
                    None => Outcome::Error(error),
                }
            }
        }
    }
}

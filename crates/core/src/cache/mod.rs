//! The single-flight cache: values that live for a while, fetched once however many ask.
//!
//! - **One fetch for each key.** Whoever misses while a fetch is under way waits for that one. It
//!   runs in a task of its own: a caller that gives up does not stop it. It ends with the cache:
//!   dropping the last clone ends all fetches.
//! - **Errors** are shared by all who waited and kept for a moment, so that a service that is down
//!   is not asked in turn by everyone.
//! - **Refresh ahead.** Shortly before a value expires, a caller gets it at once and starts a
//!   fetch. Nothing runs while nobody asks: there is no permanent task and no timer.
//! - **Bounds.** At capacity, expired values go first, then the least recently used: exactly in
//!   a cache of up to 64, nearly in a larger one, where keeping the exact order would make every
//!   hit wait for its turn to write. Errors are kept apart and bounded likewise.
//!   Fetches beyond the bound run unshared, inside the caller.
//! - **Time** is tokio's, which tests can pause, and the wall clock's: tokio's stands still while
//!   the machine is suspended, the wall clock can be set back, so the first of both to say so ends
//!   a lifetime. It counts from storing, and a hit does not prolong it.
//! - **Panics** of foreign code, whichever runs while a fetch ends, reach the caller whose fetch it
//!   was; all who wait with it go on with their own.
//!
//! A hit shares one lock with other hits, for some dozens of nanoseconds, and allocates nothing.
//! No lock is held across an await or while foreign code runs, except for `Clone` of values and
//! errors that are found, and `Hash`, `Eq` and `Clone` of keys.

mod builder;
mod digest;
mod flight;
#[cfg(test)]
mod model;
mod store;

use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

pub use self::builder::CacheBuilder;
use self::builder::Policy;
pub use self::digest::Digest;
use self::flight::{Flight, Flights, Landing, Outcome};
use self::store::{Failed, Found, Moment, Now, Store};
use crate::Clock;
use crate::observe::{CacheEvent, CacheOutcome, Observer};
use crate::task::Task;

/// A bounded cache of values that expire, with one fetch for each key at a time.
///
/// Cheap to clone; clones share everything. Let values be cheap to clone, such as an `Arc`, and
/// keys hold no secret: the [`Digest`] of one instead.
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
    /// Starts a cache with the defaults that each setter names.
    pub fn builder() -> CacheBuilder<K, V, E> {
        CacheBuilder::new()
    }

    /// Returns the value of a key, if it is there and has not expired.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<V> {
        let now = self.shared.now();
        let value = self.shared.read().store.fresh(key, now);
        if value.is_some() {
            self.shared.tell(CacheOutcome::Hit);
        }
        value
    }

    /// Returns the value of a key, or fetches it.
    ///
    /// The closure is called only for a fetch that starts here: on a miss that finds no fetch
    /// under way, or if the value is due for a refresh. Dropping the returned future does not
    /// stop the fetch. A fetch that holds a clone of the cache keeps it alive.
    ///
    /// # Errors
    ///
    /// What the fetch returned, to this caller or a moment ago to another one.
    ///
    /// # Panics
    ///
    /// If this caller's fetch panics, or if its runtime is shut down while this future is polled
    /// elsewhere. Other callers that wait for the same fetch take over with theirs.
    pub async fn get_or_fetch<F, Fut>(&self, key: &K, fetch: F) -> Result<V, E>
    where
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Result<Fetched<V>, E>> + Send + 'static,
    {
        // By far the most look-ups end here, side by side.
        if let Some(value) = self.shared.hit(key) {
            return Ok(value);
        }
        loop {
            match self.shared.look(key) {
                Look::Value(value) => return Ok(value),
                Look::Error(error) => return Err(error),
                Look::Refresh(value, landing) => {
                    self.launch(landing, fetch);
                    return Ok(value);
                }
                Look::Join(flight) => match flight.outcome().await {
                    // Nobody knows the answer: look again, and perhaps be the one who fetches.
                    Outcome::Vanished(_) => {}
                    outcome => return self.shared.answer(outcome),
                },
                Look::Miss(landing) => {
                    let flight = self.launch(landing, fetch);
                    return self.shared.answer(flight.outcome().await);
                }
                Look::Alone(changes) => {
                    // Boxed, so that waiting for others' fetches does not carry its size.
                    let result = Box::pin(fetch()).await;
                    return self
                        .shared
                        .answer(&self.shared.settle_alone(key, changes, result));
                }
            }
        }
    }

    /// Keeps a value. A fetch under way for the same key does not replace it.
    pub fn insert(&self, key: K, fetched: Fetched<V>) {
        let now = self.shared.now();
        self.shared.change(|state| {
            state.changes += 1;
            state.flights.detach(&key);
            state.store.put(key, fetched, now);
        });
    }

    /// Removes the value of a key, and the error if one is remembered; a fetch under way does
    /// not store its result. Returns whether there was a value.
    pub fn forget(&self, key: &K) -> bool {
        self.shared.change(|state| {
            state.changes += 1;
            state.flights.detach(key);
            state.store.remove(key)
        })
    }

    /// Removes the value of a key if it is of the given generation, and returns whether it was.
    /// A newer value stays, and a fetch under way goes on to bring one.
    pub fn forget_generation(&self, key: &K, generation: u64) -> bool {
        self.shared
            .change(|state| state.store.remove_generation(key, generation))
    }

    /// Removes all values and errors. A fetch that began before answers those who wait for it,
    /// and does not store its result.
    pub fn clear(&self) {
        let old = self.shared.change(|state| {
            state.changes += 1;
            state.flights.detach_all();
            state.store.clear()
        });
        drop(old);
    }

    /// Returns how many values are held, those included that expired and were not yet removed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.read().store.len()
    }

    /// Returns whether no value is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Starts the task of a flight. If the closure panics, dropping the landing tells those who
    /// have joined.
    fn launch<F, Fut>(&self, landing: Landing<K, V, E>, fetch: F) -> Arc<Flight<V, E>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Fetched<V>, E>> + Send + 'static,
    {
        let flight = Arc::clone(landing.flight());
        let task = Task::spawn(landing.run(Box::pin(fetch())));
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
        // Neither keys nor values: they may be what nobody should read.
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}

/// A value as a fetch brings it, and for how long it holds.
#[derive(Clone)]
#[must_use]
pub struct Fetched<V> {
    value: V,
    ttl: Option<Duration>,
    generation: u64,
}

impl<V> Fetched<V> {
    /// Makes one that lives as long as the cache says, of generation 0.
    pub fn new(value: V) -> Self {
        Self {
            value,
            ttl: None,
            generation: 0,
        }
    }

    /// Sets how long the value lives; zero hands it to those who wait and does not keep it.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Sets the lifetime by an absolute expiry, seen from the server's own time: the `Date` of
    /// the answer if it has one. Clocks that differ do no harm then. A server can set a day at most.
    pub fn expires_at(self, expiry: SystemTime, server_now: SystemTime) -> Self {
        let lifetime = expiry.duration_since(server_now).unwrap_or_default();
        self.ttl(lifetime.min(LONGEST_ASKED))
    }

    /// Sets the generation, by which [`Cache::forget_generation`] tells a value from the one that
    /// replaced it.
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

/// What the clones of a cache and its flights share.
struct Shared<K, V, E> {
    state: RwLock<State<K, V, E>>,
    judges: Judges<E>,
    made_at: Instant,
    clock: Arc<dyn Clock>,
    observer: Option<(&'static str, Arc<dyn Observer>)>,
}

/// What foreign code says of an error.
struct Judges<E> {
    error_ttl_by: Option<fn(&E) -> Option<Duration>>,
    definite: Option<fn(&E) -> bool>,
}

/// What a fetch brought, and everything that foreign code has to do with it before it is stored.
enum Brought<V, E> {
    /// The second one is for those who wait.
    Value(Fetched<V>, V),
    Error(Failed<E>),
}

struct State<K, V, E> {
    store: Store<K, V, E>,
    flights: Flights<K, V, E>,
    /// Counts what makes the result of an earlier fetch unfit to be stored.
    changes: u64,
}

/// What a caller of [`Cache::get_or_fetch`] has to do.
enum Look<K: Clone + Eq + Hash, V: Clone, E: Clone> {
    Value(V),
    Error(E),
    /// Use the value, and launch the flight.
    Refresh(V, Landing<K, V, E>),
    /// Wait for the flight.
    Join(Arc<Flight<V, E>>),
    /// Launch the flight, and wait for it.
    Miss(Landing<K, V, E>),
    /// Fetch without a flight: there are too many, or no runtime to run one.
    Alone(u64),
}

impl<K: Clone + Eq + Hash, V: Clone, E: Clone> Shared<K, V, E> {
    /// Returns the value of a key if nothing is to be done about it.
    fn hit(&self, key: &K) -> Option<V> {
        let now = self.now();
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
            Found::Due(value) if state.may_begin() => {
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

    /// Ends a flight: strikes it out and stores what it brought, if it is still the one for its
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

    /// Strikes out a flight that brought nothing at all.
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

    /// Asks foreign code everything about what a fetch brought, while nothing is locked.
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

    /// Changes the state, and drops what was thrown out after the lock is released.
    fn change<T>(&self, change: impl FnOnce(&mut State<K, V, E>) -> T) -> T {
        let mut state = self.lock();
        let returned = change(&mut state);
        let garbage = state.store.take_garbage();
        drop(state);
        drop(garbage);
        returned
    }

    fn read(&self) -> RwLockReadGuard<'_, State<K, V, E>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> RwLockWriteGuard<'_, State<K, V, E>> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Now {
        let run = Instant::now().saturating_duration_since(self.made_at);
        let wall = self.clock.now().duration_since(UNIX_EPOCH);
        Now {
            run: Moment::since_beginning(run),
            wall: Moment::since_beginning(wall.unwrap_or_default()),
        }
    }

    fn tell(&self, outcome: CacheOutcome) {
        if let Some((name, observer)) = &self.observer {
            observer.cache(&CacheEvent::new(name, outcome));
        }
    }
}

impl<K: Clone + Eq + Hash, V: Clone, E: Clone> State<K, V, E> {
    /// Returns whether there is room for a flight, and a runtime to run it.
    fn may_begin(&self) -> bool {
        self.flights.have_room() && tokio::runtime::Handle::try_current().is_ok()
    }

    /// Enters a new flight for a key that has none. From here on somebody has the duty to end it.
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

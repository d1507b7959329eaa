//! The entries: values until they expire, and errors for a moment. This module has no lock, clock
//! or task. Removed entries are handed back, so that foreign destructors run outside of the lock.

use std::collections::BTreeMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use lru::LruCache;

use super::Fetched;

/// How long entries are kept.
pub(super) struct Policy {
    pub(super) capacity: usize,
    pub(super) ttl: Duration,
    pub(super) error_ttl: Duration,
    pub(super) refresh_ahead: f64,
    pub(super) stale_if_error: Duration,
    pub(super) min_interval: Duration,
}

impl Policy {
    /// Returns whether the capacity or the lifetime is zero, in which case nothing is kept, not
    /// even errors.
    pub(super) fn is_off(&self) -> bool {
        self.capacity == 0 || self.ttl.is_zero()
    }

    /// Returns whether the least recently used entry is always the one that is evicted.
    fn order_is_exact(&self) -> bool {
        self.capacity <= MAX_SPARED
    }
}

/// A bounded store of values and errors by key, ordered by expiry.
pub(super) struct Store<K, V, E> {
    policy: Policy,
    /// In eviction order. A hit does not move its entry, which would need exclusive access; it sets
    /// the entry's stamp, and [`evict`](Self::evict) reads the stamps.
    values: LruCache<K, Entry<V>>,
    /// The same entries by expiry, so that expired ones are found without a search. Costs a clone
    /// of the key and an update for each *store*, and nothing for a hit.
    by_expiry: BTreeMap<(Moment, u32), K>,
    /// Kept apart from the values: a flood of unknown keys must not evict good values.
    errors: LruCache<K, Failure<E>>,
    random: fastrand::Rng,
    next_id: u32,
    garbage: Garbage<V, E>,
}

/// Nanoseconds since a clock's start: half the size of an `Instant`, and compared in one step.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Moment(pub(super) u64);

impl Moment {
    const NEVER: Self = Self(u64::MAX);

    /// Returns the moment this long after the clock's start.
    pub(super) fn since_beginning(time: Duration) -> Self {
        // Wraps after five centuries.
        let whole = time.as_secs().wrapping_mul(1_000_000_000);
        Self(whole.wrapping_add(time.subsec_nanos().into()))
    }

    fn after(self, wait: Duration) -> Self {
        let nanos = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

/// The time on both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    /// Tokio's clock, which stops while the machine is suspended.
    pub(super) run: Moment,
    /// The wall clock, which can be set.
    pub(super) wall: SystemTime,
}

/// An end that is reached when either clock reaches it.
#[derive(Clone, Copy, Debug)]
struct Until {
    run: Moment,
    wall: SystemTime,
}

impl Until {
    fn after(now: Now, wait: Duration) -> Self {
        Self {
            run: now.run.after(wait),
            wall: wall_after(now.wall, wait),
        }
    }

    fn later(self, wait: Duration) -> Self {
        Self {
            run: self.run.after(wait),
            wall: wall_after(self.wall, wait),
        }
    }

    fn is_ahead(self, now: Now) -> bool {
        now.run < self.run && now.wall < self.wall
    }
}

fn wall_after(at: SystemTime, wait: Duration) -> SystemTime {
    // A wait without an end is left to the other clock.
    let century = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    at.checked_add(wait.min(century)).unwrap_or(at)
}

struct Entry<V> {
    value: V,
    expires: Until,
    /// When a caller may start a refresh; `NEVER` while a refresh is in progress.
    refresh: Moment,
    generation: u64,
    /// Distinguishes entries with the same expiry.
    id: u32,
    /// The [`Stamp`] of the last request, or else of the store.
    used: AtomicU64,
}

impl<V: Clone> Entry<V> {
    /// Returns the value, and stamps the entry.
    #[inline]
    fn take(&self, now: Moment, order_is_exact: bool) -> V {
        let (last, hit) = (self.last_used(), Stamp::hit(now));
        // Writing takes the cache line from other cores. So a stamp from the same microsecond is
        // good enough, and that of any request is where only its lowest bit is read.
        let is_stamped = if order_is_exact {
            hit.is_soon_after(last)
        } else {
            last.is_hit()
        };
        if !is_stamped {
            self.used.store(hit.0, Ordering::Relaxed);
        }
        self.value.clone()
    }

    fn last_used(&self) -> Stamp {
        Stamp(self.used.load(Ordering::Relaxed))
    }
}

/// A moment whose lowest bit says whether it was a request: of two events in the same moment, a
/// request counts as later than a store.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
struct Stamp(u64);

impl Stamp {
    fn stored(at: Moment) -> Self {
        Self(at.0 << 1)
    }

    fn hit(at: Moment) -> Self {
        Self(at.0 << 1 | 1)
    }

    fn is_hit(self) -> bool {
        self.0 & 1 == 1
    }

    /// Returns whether this hit comes within a microsecond after another one.
    fn is_soon_after(self, other: Self) -> bool {
        // After a store the lowest bit differs; turned to the top it makes the rest look long.
        self.0.wrapping_sub(other.0).rotate_right(1) <= 1000
    }
}

struct Failure<E> {
    error: E,
    until: Until,
    is_definite: bool,
}

/// An error with its classification by foreign code, made before the store was locked.
pub(super) struct Failed<E> {
    /// The copy for the waiters.
    pub(super) error: E,
    /// The copy that is kept.
    pub(super) kept: E,
    /// How long to keep it, if not for the default time.
    pub(super) ttl: Option<Duration>,
    pub(super) is_definite: bool,
}

/// The result of a look-up.
pub(super) enum Found<V, E> {
    Fresh(V),
    /// Fresh, but due for a refresh.
    Due(V),
    /// Expired, and the last fetch failed a moment ago.
    Stale(V),
    /// The last fetch failed a moment ago.
    Error(E),
    Nothing,
}

/// Entries that were removed.
pub(super) struct Garbage<V, E> {
    values: Vec<V>,
    errors: Vec<E>,
}

impl<V, E> Garbage<V, E> {
    fn new() -> Self {
        Self {
            values: Vec::new(),
            errors: Vec::new(),
        }
    }
}

impl<K: Clone + Eq + Hash, V: Clone, E: Clone> Store<K, V, E> {
    pub(super) fn new(policy: Policy, random: fastrand::Rng) -> Self {
        Self {
            policy,
            values: LruCache::unbounded(),
            by_expiry: BTreeMap::new(),
            errors: LruCache::unbounded(),
            random,
            next_id: 0,
            garbage: Garbage::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Returns how many values and errors are held.
    pub(super) fn entries(&self) -> usize {
        self.values.len() + self.errors.len()
    }

    pub(super) fn fresh(&self, key: &K, now: Now) -> Option<V> {
        let entry = self.values.peek(key)?;
        entry
            .expires
            .is_ahead(now)
            .then(|| entry.take(now.run, self.policy.order_is_exact()))
    }

    /// Returns a value that is fresh and not due.
    #[inline]
    pub(super) fn hit(&self, key: &K, now: Now) -> Option<V> {
        let entry = self.values.peek(key)?;
        (entry.expires.is_ahead(now) && now.run < entry.refresh)
            .then(|| entry.take(now.run, self.policy.order_is_exact()))
    }

    pub(super) fn find(&self, key: &K, now: Now) -> Found<V, E> {
        if let Some(entry) = self.values.peek(key)
            && entry.expires.is_ahead(now)
        {
            let value = entry.take(now.run, self.policy.order_is_exact());
            return if now.run < entry.refresh {
                Found::Fresh(value)
            } else {
                Found::Due(value)
            };
        }
        // Most caches hold no errors; then the key is not even hashed.
        if self.errors.is_empty() {
            return Found::Nothing;
        }
        match self.errors.peek(key) {
            Some(failure) if failure.until.is_ahead(now) => {
                match self.stale(key, now, failure.is_definite) {
                    Some(value) => Found::Stale(value),
                    None => Found::Error(failure.error.clone()),
                }
            }
            _ => Found::Nothing,
        }
    }

    /// Records that a refresh is in progress, so that no other one starts.
    pub(super) fn refreshing(&mut self, key: &K) {
        if let Some(entry) = self.values.peek_mut(key) {
            entry.refresh = Moment::NEVER;
        }
    }

    /// Records that a refresh failed: the value stays, and the next refresh waits a little.
    pub(super) fn not_refreshed(&mut self, key: &K, now: Now) {
        let wait = self.policy.error_ttl.max(self.policy.min_interval);
        if let Some(entry) = self.values.peek_mut(key) {
            entry.refresh = now.run.after(wait);
        }
    }

    /// Stores a value, unless its lifetime or the capacity is zero.
    pub(super) fn put(&mut self, key: K, fetched: Fetched<V>, now: Now) {
        // Cloned before anything changes, because `Clone` may panic.
        let indexed = key.clone();
        self.remove(&key);
        let ttl = fetched.ttl.unwrap_or(self.policy.ttl);
        if self.policy.is_off() || ttl.is_zero() {
            self.garbage.values.push(fetched.value);
            return;
        }
        self.make_room(now.run);
        let expires = Until::after(now, ttl);
        let early = ttl.mul_f64(self.policy.refresh_ahead * self.random.f64());
        let refresh = now.run.after((ttl - early).max(self.policy.min_interval));
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        self.by_expiry.insert((expires.run, id), indexed);
        self.values.put(
            key,
            Entry {
                value: fetched.value,
                expires,
                refresh,
                generation: fetched.generation,
                id,
                used: AtomicU64::new(Stamp::stored(now.run).0),
            },
        );
    }

    /// Records a failed fetch. Returns the old value if it may be used instead of the error.
    pub(super) fn fail(
        &mut self,
        key: &K,
        kept: E,
        ttl: Option<Duration>,
        is_definite: bool,
        now: Now,
    ) -> Option<V> {
        let wait = ttl.unwrap_or_else(|| self.usual_error_ttl());
        if wait.is_zero() || self.policy.is_off() {
            self.garbage.errors.push(kept);
        } else {
            let failure = Failure {
                error: kept,
                until: Until::after(now, wait),
                is_definite,
            };
            if let Some(old) = self.errors.put(key.clone(), failure) {
                self.garbage.errors.push(old.error);
            }
            if self.errors.len() > self.policy.capacity
                && let Some((_, old)) = self.errors.pop_lru()
            {
                self.garbage.errors.push(old.error);
            }
        }
        if is_definite {
            self.remove_value(key);
            return None;
        }
        if let Some(entry) = self.values.peek_mut(key) {
            entry.refresh = now.run.after(wait.max(self.policy.min_interval));
        }
        self.stale(key, now, is_definite)
    }

    /// Removes the value and the error of a key. Returns whether there was a value.
    pub(super) fn remove(&mut self, key: &K) -> bool {
        if let Some(old) = self.errors.pop(key) {
            self.garbage.errors.push(old.error);
        }
        self.remove_value(key)
    }

    pub(super) fn remove_generation(&mut self, key: &K, generation: u64) -> bool {
        let held = self.values.peek(key);
        held.is_some_and(|entry| entry.generation == generation) && self.remove_value(key)
    }

    /// Removes everything and returns it, to be dropped by the caller.
    pub(super) fn clear(&mut self) -> impl Sized + use<K, V, E> {
        self.by_expiry.clear();
        (
            std::mem::replace(&mut self.values, LruCache::unbounded()),
            std::mem::replace(&mut self.errors, LruCache::unbounded()),
        )
    }

    /// Takes the entries removed since the last call, to be dropped by the caller.
    pub(super) fn take_garbage(&mut self) -> Garbage<V, E> {
        std::mem::replace(&mut self.garbage, Garbage::new())
    }

    /// Returns the value that may be used instead of the error.
    fn stale(&self, key: &K, now: Now, is_definite: bool) -> Option<V> {
        let entry = self.values.peek(key)?;
        let usable = entry
            .expires
            .later(self.policy.stale_if_error)
            .is_ahead(now);
        (usable && !is_definite).then(|| entry.value.clone())
    }

    fn usual_error_ttl(&mut self) -> Duration {
        // Callers that failed together must not all retry together.
        let share = 0.75 + 0.25 * self.random.f64();
        self.policy.error_ttl.mul_f64(share)
    }

    /// Makes room for one entry: removes an expired one, else the least recently used. Each insert
    /// also drops up to two unusable entries.
    fn make_room(&mut self, now: Moment) {
        for _ in 0..2 {
            let full = self.values.len() >= self.policy.capacity;
            let Some(((expires, _), key)) = self.by_expiry.first_key_value() else {
                return;
            };
            let useless = expires.after(self.policy.stale_if_error) <= now;
            if useless || (full && *expires <= now) {
                let key = key.clone();
                self.remove_value(&key);
            }
        }
        if self.values.len() >= self.policy.capacity {
            self.evict(now);
        }
    }

    /// Evicts the least recently used entry. A small cache is searched completely. In a large one,
    /// entries are examined in turn: the first that has not been requested since it was last
    /// examined is evicted, and those that have been requested move to the end.
    fn evict(&mut self, now: Moment) {
        if self.policy.order_is_exact() {
            let from_oldest = self.values.iter().rev();
            let least = from_oldest.min_by_key(|(_, entry)| entry.last_used());
            if let Some(key) = least.map(|(key, _)| key.clone()) {
                self.remove_value(&key);
            }
            return;
        }
        for spared in 0..=MAX_SPARED {
            let Some((key, mut entry)) = self.values.pop_lru() else {
                return;
            };
            if spared < MAX_SPARED && entry.last_used().is_hit() {
                *entry.used.get_mut() = Stamp::stored(now).0;
                self.values.put(key, entry);
                continue;
            }
            self.by_expiry.remove(&(entry.expires.run, entry.id));
            self.garbage.values.push(entry.value);
            return;
        }
    }

    fn remove_value(&mut self, key: &K) -> bool {
        let Some(old) = self.values.pop(key) else {
            return false;
        };
        self.by_expiry.remove(&(old.expires.run, old.id));
        self.garbage.values.push(old.value);
        true
    }

    /// Asserts that the expiry index agrees with the entries.
    #[cfg(test)]
    pub(super) fn check(&self) {
        assert_eq!(self.by_expiry.len(), self.values.len());
        for (key, entry) in self.values.iter() {
            let indexed = self.by_expiry.get(&(entry.expires.run, entry.id));
            assert!(indexed.is_some_and(|k| k == key), "an entry out of index");
        }
    }
}

/// How many entries one eviction examines: a large cache whose entries are all in use must not be
/// walked through under its lock.
const MAX_SPARED: usize = 64;

//! A cache in front of a store.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::combined::require_scope;
use super::lease::{StoreLeases, millis, since_1970};
use super::record::{
    Acquired, Capabilities, Expect, Key, Lease, Leases, Loaded, Scope, Store, Swapped, Version,
    Watch,
};
use crate::sync::lock;
use crate::{BoxFuture, Clock, Result, SecretBytes, SystemClock};

/// A store whose records are read from a cache, which is another store: a
/// [`MemoryStore`](super::MemoryStore), or one that several processes share and that may lose
/// records, such as Memcached.
///
/// A record that has been read is returned for a limited time without reading the store, even if
/// another process changes it in the meantime. What was written through this value is returned by the
/// next read. The store is read again
///
/// - after a write that failed or was cancelled;
/// - once the lease on it was taken, renewed, released or found to be held, so that a holder reads
///   the current record, and callers that wait for a holder see its changes;
/// - after a hint, if the store can be [watched](Store::watch).
///
/// Writes go to the store, whose compare-and-swap still protects records: a writer that read an old
/// record from the cache gets a conflict. If the cache fails, reads take longer but succeed.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use vouchsafe_core::SecretBytes;
/// use vouchsafe_core::store::{CacheOver, Expect, Key, MemoryStore, Store, Swapped};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # let on_a_server = Arc::new(MemoryStore::new());
/// let memory = Arc::new(MemoryStore::new());
/// let store = CacheOver::new(memory, on_a_server, Duration::from_secs(60));
/// let key = Key::new("application", "profile");
/// let value = SecretBytes::from(b"a token".to_vec());
/// let written = store.compare_and_swap(&key, &Expect::Absent, &value).await?;
/// assert!(matches!(written, Swapped::Done(_)));
/// assert_eq!(store.load(&key).await?.map(|loaded| loaded.value), Some(value));
/// # Ok::<(), vouchsafe_core::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CacheOver {
    cache: Arc<dyn Store>,
    store: Arc<dyn Store>,
    leases: Arc<dyn Leases>,
    time: Duration,
    clock: Arc<dyn Clock>,
    /// The records that this process has read: a few words each.
    known: Mutex<HashMap<Key, Known>>,
}

/// How current the cache is for a record.
#[derive(Debug, Default)]
struct Known {
    watch: Option<Watch>,
    seen: Seen,
    /// The count of reasons when the cached entry was read from the store.
    settled: Seen,
}

/// The number of reasons to read a record again: own changes and hints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    doubts: u64,
    hints: u64,
}

impl CacheOver {
    /// Caches the records of a store, each for a given time. Leases are the store's
    /// [own](Store::own_leases), or kept in it, unless [`with_leases`](Self::with_leases) names others.
    ///
    /// If the cache is shared by machines, their clocks should agree to within a fraction of the
    /// time; an entry from the future is not used.
    #[must_use]
    pub fn new(cache: Arc<dyn Store>, store: Arc<dyn Store>, time: Duration) -> Self {
        let own = Arc::clone(&store).own_leases();
        Self {
            leases: own.unwrap_or_else(|| Arc::new(StoreLeases::new(Arc::clone(&store)))),
            cache,
            store,
            time,
            clock: Arc::new(SystemClock::new()),
            known: Mutex::default(),
        }
    }

    /// Takes leases elsewhere.
    ///
    /// # Errors
    ///
    /// Of kind [`Config`](crate::ErrorKind::Config) if fewer processes share the leases than the
    /// records.
    pub fn with_leases(mut self, leases: Arc<dyn Leases>) -> Result<Self> {
        require_scope(&*self.store, &*leases)?;
        self.leases = leases;
        Ok(self)
    }

    /// Sets the clock by which entries become too old. Default: that of the system.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Key, Known>> {
        lock(&self.known)
    }

    /// Returns the current count, and whether the cached entry is as new.
    fn look(&self, key: &Key) -> (Seen, bool) {
        let mut all = self.known();
        let known = all.entry(key.clone()).or_insert_with(|| {
            let watch = self.store.watch(key);
            let hints = watch.as_ref().map_or(0, Watch::count);
            let seen = Seen { doubts: 0, hints };
            Known {
                watch,
                seen,
                settled: seen,
            }
        });
        if let Some(watch) = &known.watch {
            known.seen.hints = watch.count();
        }
        (known.seen, known.seen == known.settled)
    }

    /// Records that the cached entry was read at this count.
    fn settle(&self, key: &Key, seen: Seen) {
        if let Some(known) = self.known().get_mut(key) {
            known.settled.doubts = known.settled.doubts.max(seen.doubts);
            known.settled.hints = known.settled.hints.max(seen.hints);
        }
    }

    /// Returns the entry in the cache and how to replace exactly that one.
    async fn cached(&self, key: &Key) -> (Option<Entry>, Option<Expect>) {
        match self.cache.load(key).await {
            Ok(Some(there)) => (Entry::read(&there), Some(Expect::Version(there.version))),
            Ok(None) => (None, Some(Expect::Absent)),
            Err(error) => {
                tracing::debug!(%error, "the cache of a store cannot be read");
                (None, None)
            }
        }
    }

    /// Puts a record into the cache, unless another caller has put one there in the meantime,
    /// which may be newer.
    async fn keep(&self, key: &Key, expect: Option<Expect>, entry: &Entry, seen: Seen) -> bool {
        let Some(expect) = expect else { return false };
        let bytes = entry.bytes();
        let kept = self.cache.compare_and_swap(key, &expect, &bytes).await;
        let is_kept = match kept {
            Ok(Swapped::Done(_)) => true,
            Ok(Swapped::Conflict(_)) => false,
            Err(error) => {
                tracing::debug!(%error, "the cache of a store cannot be written");
                false
            }
        };
        if is_kept {
            self.settle(key, seen);
        }
        is_kept
    }

    async fn read(&self, key: &Key) -> Result<Option<Loaded>> {
        let (seen, is_trusted) = self.look(key);
        let (cached, expect) = self.cached(key).await;
        let at = since_1970(&*self.clock);
        if let Some(entry) = cached.filter(|entry| is_trusted && entry.is_fresh(at, self.time)) {
            return Ok(entry.loaded);
        }
        let loaded = self.store.load(key).await?;
        let entry = Entry { at, loaded };
        self.keep(key, expect, &entry, seen).await;
        Ok(entry.loaded)
    }

    async fn write(&self, key: &Key, expect: &Expect, value: &SecretBytes) -> Result<Swapped> {
        let (seen, _) = self.look(key);
        let doubt = self.doubt(key);
        let (_, cached) = self.cached(key).await;
        let at = since_1970(&*self.clock);
        let swapped = self.store.compare_and_swap(key, expect, value).await?;
        let loaded = match &swapped {
            Swapped::Done(version) => Some(Loaded {
                value: value.clone(),
                version: version.clone(),
            }),
            Swapped::Conflict(there) => there.clone(),
        };
        if self.keep(key, cached, &Entry { at, loaded }, seen).await {
            doubt.forget();
        }
        Ok(swapped)
    }

    /// Returns a guard that makes the next reader read the store, however this call ends.
    fn doubt<'a>(&'a self, key: &'a Key) -> Doubt<'a> {
        Doubt {
            store: self,
            key: Some(key),
        }
    }
}

struct Doubt<'a> {
    store: &'a CacheOver,
    key: Option<&'a Key>,
}

impl Doubt<'_> {
    fn forget(mut self) {
        self.key = None;
    }
}

impl Drop for Doubt<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.store.look(key);
            if let Some(known) = self.store.known().get_mut(key) {
                known.seen.doubts += 1;
            }
        }
    }
}

impl Store for CacheOver {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        Box::pin(async move {
            if key.is_lease() {
                let record = key.record();
                let _doubt = self.doubt(&record);
                return self.store.load(key).await;
            }
            self.read(key).await
        })
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>> {
        Box::pin(async move {
            if key.is_lease() {
                let record = key.record();
                let _doubt = self.doubt(&record);
                return self.store.compare_and_swap(key, expect, value).await;
            }
            self.write(key, expect, value).await
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let record = key.record();
            let _doubt = self.doubt(&record);
            let is_removed = self.store.remove(key, expect).await?;
            // Removed secrets must not stay in the cache.
            if is_removed && let Err(error) = self.cache.remove(key, &Expect::Any).await {
                tracing::debug!(%error, "a record cannot be removed from the cache of its store");
            }
            Ok(is_removed)
        })
    }

    fn list<'a>(&'a self, namespace: &'a str) -> BoxFuture<'a, Result<Option<Vec<String>>>> {
        self.store.list(namespace)
    }

    fn watch(&self, key: &Key) -> Option<Watch> {
        self.store.watch(key)
    }

    fn own_leases(self: Arc<Self>) -> Option<Arc<dyn Leases>> {
        Some(self)
    }

    /// A call asks the cache before and after the store.
    fn capabilities(&self) -> Capabilities {
        let (store, cache) = (self.store.capabilities(), self.cache.capabilities());
        Capabilities {
            limit: cache.limit.saturating_mul(2).saturating_add(store.limit),
            ..store
        }
    }
}

impl Leases for CacheOver {
    fn acquire<'a>(&'a self, key: &'a Key, time: Duration) -> BoxFuture<'a, Result<Acquired>> {
        Box::pin(async move {
            let _doubt = self.doubt(key);
            self.leases.acquire(key, time).await
        })
    }

    fn renew<'a>(&'a self, lease: &'a mut Lease, time: Duration) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let key = lease.key().clone();
            let _doubt = self.doubt(&key);
            self.leases.renew(lease, time).await
        })
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async move {
            let key = lease.key().clone();
            let _doubt = self.doubt(&key);
            self.leases.release(lease).await
        })
    }

    fn scope(&self) -> Scope {
        self.leases.scope()
    }

    fn limit(&self) -> Duration {
        self.leases.limit()
    }
}

impl fmt::Debug for CacheOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheOver")
            .field("cache", &self.cache)
            .field("store", &self.store)
            .field("leases", &self.leases)
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}

/// A cached entry: when it was read, in milliseconds since 1970, and the record.
#[derive(Debug)]
struct Entry {
    at: u64,
    loaded: Option<Loaded>,
}

const ABSENT: u8 = 0;
const PRESENT: u8 = 1;

impl Entry {
    fn is_fresh(&self, now: u64, time: Duration) -> bool {
        self.at <= now && now - self.at < millis(time)
    }

    /// The time, whether there is a record, and of that the length of the version, the version, and
    /// the value.
    fn bytes(&self) -> SecretBytes {
        let mut bytes = Vec::new();
        if let Some(loaded) = &self.loaded {
            let (version, value) = (loaded.version.as_bytes(), loaded.value.expose());
            // A buffer that grows leaves copies behind.
            bytes.reserve_exact(13 + version.len() + value.len());
            bytes.extend_from_slice(&self.at.to_be_bytes());
            bytes.push(PRESENT);
            let length = u32::try_from(version.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(version);
            bytes.extend_from_slice(value);
        } else {
            bytes.extend_from_slice(&self.at.to_be_bytes());
            bytes.push(ABSENT);
        }
        SecretBytes::from(bytes)
    }

    /// Returns `None` for anything but an entry; it is then replaced by one.
    fn read(cached: &Loaded) -> Option<Self> {
        let (at, rest) = cached.value.expose().split_first_chunk()?;
        let at = u64::from_be_bytes(*at);
        let (&kind, rest) = rest.split_first()?;
        if kind != PRESENT {
            return (kind == ABSENT && rest.is_empty()).then_some(Self { at, loaded: None });
        }
        let (length, rest) = rest.split_first_chunk()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (version, value) = rest.split_at_checked(length)?;
        let loaded = Loaded {
            value: SecretBytes::from(value.to_vec()),
            version: Version::new(version),
        };
        let loaded = Some(loaded);
        Some(Self { at, loaded })
    }
}

#[cfg(test)]
#[cfg(feature = "mock")]
mod tests;

//! Stores made of other stores.

use std::sync::Arc;
use std::time::Duration;

use super::record::{
    Acquired, Capabilities, Expect, Key, Lease, Leases, Loaded, Scope, Store, Swapped, Version,
    Watch,
};
use crate::{BoxFuture, Error, ErrorKind, Result, SecretBytes};

/// A store together with leases that are kept elsewhere, such as records in a key service and leases
/// in Redis, or records in a keyring and leases in a folder.
///
/// All users of the records must share the leases:
///
/// ```
/// use std::sync::Arc;
///
/// use vouchsafe_core::store::{FolderStore, MemoryStore, StoreLeases, WithLease};
///
/// # let folder = tempfile::tempdir().unwrap();
/// let of_machine = Arc::new(FolderStore::open(folder.path())?);
/// let of_process = Arc::new(StoreLeases::new(Arc::new(MemoryStore::new())));
/// let narrow = WithLease::new(of_machine.clone(), of_process);
/// assert!(narrow.unwrap_err().is_config());
///
/// let leases = Arc::new(StoreLeases::new(of_machine.clone()));
/// let store = WithLease::new(of_machine, leases)?;
/// # Ok::<(), vouchsafe_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct WithLease {
    store: Arc<dyn Store>,
    leases: Arc<dyn Leases>,
}

impl WithLease {
    /// Combines a store with leases.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if fewer processes share the leases than the records: with leases on
    /// files of one machine, two machines could change a record on a server at the same time.
    pub fn new(store: Arc<dyn Store>, leases: Arc<dyn Leases>) -> Result<Self> {
        require_scope(&*store, &*leases)?;
        Ok(Self { store, leases })
    }
}

/// Refuses leases that not all users of the records share.
pub(super) fn require_scope(store: &dyn Store, leases: &dyn Leases) -> Result<()> {
    let (records, holders) = (store.capabilities().scope, leases.scope());
    if holders >= records {
        return Ok(());
    }
    let what = format!(
        "the records are shared within {}, but the leases only within {}; use leases that all \
         users of the records share",
        in_words(records),
        in_words(holders),
    );
    Err(Error::new(ErrorKind::Config, what))
}

fn in_words(scope: Scope) -> &'static str {
    match scope {
        Scope::Process => "a process",
        Scope::Machine => "a machine",
        Scope::Network => "a network",
    }
}

impl Store for WithLease {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        self.store.load(key)
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>> {
        self.store.compare_and_swap(key, expect, value)
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        self.store.remove(key, expect)
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

    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }
}

impl Leases for WithLease {
    fn acquire<'a>(&'a self, key: &'a Key, time: Duration) -> BoxFuture<'a, Result<Acquired>> {
        self.leases.acquire(key, time)
    }

    fn renew<'a>(&'a self, lease: &'a mut Lease, time: Duration) -> BoxFuture<'a, Result<bool>> {
        self.leases.renew(lease, time)
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<bool>> {
        self.leases.release(lease)
    }

    fn scope(&self) -> Scope {
        self.leases.scope()
    }

    fn limit(&self) -> Duration {
        self.leases.limit()
    }
}

/// A store in front of another that is only read. An example is a mounted secret with the initial
/// credentials of a program, which keeps its changes elsewhere.
///
/// A record of the front hides the one of the origin. Records are written to the front only, with
/// the same guarantee as in one store: a write succeeds only if the record has not changed since it
/// was read, in whichever store that was. Removing a record of the front reveals that of the
/// origin, which itself cannot be removed.
#[derive(Clone, Debug)]
pub struct ReadThrough {
    front: Arc<dyn Store>,
    origin: Arc<dyn Store>,
}

/// The first byte of a version says which store it is of.
const FRONT: u8 = b'f';
const ORIGIN: u8 = b'o';

fn of(store: u8, version: &Version) -> Version {
    let mut bytes = vec![store];
    bytes.extend_from_slice(version.as_bytes());
    Version::new(&bytes)
}

fn loaded_from(store: u8, loaded: Loaded) -> Loaded {
    Loaded {
        version: of(store, &loaded.version),
        value: loaded.value,
    }
}

/// The state that a writer expects of the front.
enum Wanted {
    Front(Expect),
    /// No record, and this state of the origin.
    Origin(Expect),
}

fn wanted(expect: &Expect) -> Wanted {
    match expect {
        Expect::Any => Wanted::Front(Expect::Any),
        Expect::Absent => Wanted::Origin(Expect::Absent),
        Expect::Version(version) => match version.as_bytes().split_first() {
            Some((&ORIGIN, rest)) => Wanted::Origin(Expect::Version(Version::new(rest))),
            Some((_, rest)) => Wanted::Front(Expect::Version(Version::new(rest))),
            None => Wanted::Front(expect.clone()),
        },
    }
}

impl ReadThrough {
    /// Puts `front`, which is read first and written, before `origin`.
    #[must_use]
    pub fn new(front: Arc<dyn Store>, origin: Arc<dyn Store>) -> Self {
        Self { front, origin }
    }

    async fn read(&self, key: &Key) -> Result<Option<Loaded>> {
        if let Some(there) = self.front.load(key).await? {
            return Ok(Some(loaded_from(FRONT, there)));
        }
        let there = self.origin.load(key).await?;
        Ok(there.map(|there| loaded_from(ORIGIN, there)))
    }

    async fn write(&self, key: &Key, expect: &Expect, value: &SecretBytes) -> Result<Swapped> {
        let in_front = match wanted(expect) {
            Wanted::Front(expect) => expect,
            Wanted::Origin(expect) => {
                let there = self.origin.load(key).await?;
                if !expect.is_met_by(there.as_ref().map(|there| &there.version)) {
                    return Ok(Swapped::Conflict(self.read(key).await?));
                }
                Expect::Absent
            }
        };
        Ok(
            match self.front.compare_and_swap(key, &in_front, value).await? {
                Swapped::Done(version) => Swapped::Done(of(FRONT, &version)),
                Swapped::Conflict(Some(there)) => {
                    Swapped::Conflict(Some(loaded_from(FRONT, there)))
                }
                Swapped::Conflict(None) => Swapped::Conflict(self.read(key).await?),
            },
        )
    }
}

impl Store for ReadThrough {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        Box::pin(self.read(key))
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>> {
        Box::pin(self.write(key, expect, value))
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            match wanted(expect) {
                Wanted::Front(expect) => self.front.remove(key, &expect).await,
                Wanted::Origin(_) => Ok(false),
            }
        })
    }

    fn list<'a>(&'a self, namespace: &'a str) -> BoxFuture<'a, Result<Option<Vec<String>>>> {
        Box::pin(async move {
            let front = self.front.list(namespace).await?;
            let origin = self.origin.list(namespace).await?;
            Ok(front.zip(origin).map(|(mut names, more)| {
                names.extend(more);
                names.sort();
                names.dedup();
                names
            }))
        })
    }

    /// Hints at changes of the front.
    fn watch(&self, key: &Key) -> Option<Watch> {
        self.front.watch(key)
    }

    fn own_leases(self: Arc<Self>) -> Option<Arc<dyn Leases>> {
        Arc::clone(&self.front).own_leases()
    }

    fn capabilities(&self) -> Capabilities {
        let (front, origin) = (self.front.capabilities(), self.origin.capabilities());
        Capabilities {
            limit: front.limit.saturating_add(origin.limit),
            ..front
        }
    }
}

#[cfg(test)]
#[cfg(feature = "mock")]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::store::{FolderStore, MemoryStore, StoreLeases};

    fn open_folder(place: &Path) -> Arc<dyn Store> {
        Arc::new(FolderStore::open(place).unwrap())
    }

    fn open(place: &Path) -> Arc<dyn Store> {
        let front = open_folder(&place.join("front"));
        Arc::new(ReadThrough::new(front, open_folder(&place.join("origin"))))
    }

    crate::store_contract!(read_through, super::open);

    fn key() -> Key {
        Key::new("application", "profile")
    }

    fn bytes(text: &str) -> SecretBytes {
        SecretBytes::from(text.as_bytes().to_vec())
    }

    async fn write(store: &dyn Store, expect: &Expect, text: &str) -> bool {
        let swapped = store.compare_and_swap(&key(), expect, &bytes(text)).await;
        matches!(swapped.unwrap(), Swapped::Done(_))
    }

    #[tokio::test]
    async fn what_starts_in_the_origin_goes_on_in_the_front() {
        let (front, origin) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
        let store = ReadThrough::new(front.clone(), origin.clone());
        assert!(write(&*origin, &Expect::Any, "mounted").await);
        let mounted = store.load(&key()).await.unwrap().unwrap();
        assert_eq!(mounted.value, bytes("mounted"));
        assert!(!write(&store, &Expect::Absent, "x").await);
        // Whoever mounts a new secret wins over a writer that saw the old one.
        assert!(write(&*origin, &Expect::Any, "mounted again").await);
        let expect = Expect::Version(mounted.version);
        assert!(!write(&store, &expect, "x").await);
        let mounted = Expect::Version(store.load(&key()).await.unwrap().unwrap().version);
        assert!(write(&store, &mounted, "rotated").await);
        assert!(!write(&store, &mounted, "late").await);
        assert_eq!(
            store.load(&key()).await.unwrap().unwrap().value,
            bytes("rotated")
        );
        assert_eq!(
            origin.load(&key()).await.unwrap().unwrap().value,
            bytes("mounted again")
        );
        assert_eq!(
            store.list("application").await.unwrap().unwrap(),
            ["profile"]
        );
        assert!(!store.remove(&key(), &mounted).await.unwrap());
        assert!(store.remove(&key(), &Expect::Any).await.unwrap());
        assert_eq!(
            store.load(&key()).await.unwrap().unwrap().value,
            bytes("mounted again")
        );
    }

    #[tokio::test]
    async fn hints_are_passed_on_and_the_time_of_all_stores_counts() {
        let new = || -> Arc<dyn Store> { Arc::new(MemoryStore::new()) };
        let (store, leases) = (new(), StoreLeases::new(new()));
        let (limit, limit_of_leases) = (store.capabilities().limit, leases.limit());
        let read_through = ReadThrough::new(Arc::clone(&store), new());
        assert_eq!(limit_of_leases, 2 * limit);
        assert_eq!(read_through.capabilities().limit, 2 * limit);
        let leased = WithLease::new(Arc::clone(&store), Arc::new(leases)).unwrap();
        assert_eq!(leased.capabilities().limit, limit);
        assert_eq!(leased.limit(), limit_of_leases);
        for combined in [&read_through as &dyn Store, &leased] {
            let mut watch = combined.watch(&key()).unwrap();
            assert!(write(&*store, &Expect::Any, "new").await);
            watch.changed().await;
        }
    }

    #[test]
    fn leases_beside_the_records_of_a_store_are_those_of_stores_over_it() {
        let new = || -> Arc<dyn Store> { Arc::new(MemoryStore::new()) };
        assert!(new().own_leases().is_none());
        let leases = Arc::new(StoreLeases::new(new()));
        let leased: Arc<dyn Store> = Arc::new(WithLease::new(new(), leases).unwrap());
        let over: Arc<dyn Store> = Arc::new(ReadThrough::new(leased, new()));
        assert!(Arc::clone(&over).own_leases().is_some());
        #[cfg(feature = "seal")]
        {
            use crate::Secret;
            use crate::store::{Sealed, SealingKey};

            let key = SealingKey::from_passphrase(&Secret::from("words"), "salt");
            assert!(Arc::new(Sealed::new(over, key)).own_leases().is_some());
        }
    }

    #[tokio::test]
    async fn leases_that_not_all_users_of_the_records_share_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let on_machine = open_folder(folder.path());
        let in_process: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let leases = |store: &Arc<dyn Store>| Arc::new(StoreLeases::new(Arc::clone(store)));
        let narrow = WithLease::new(Arc::clone(&on_machine), leases(&in_process));
        let error = narrow.unwrap_err();
        assert!(error.is_config());
        assert!(error.to_string().contains("within a machine"), "{error}");
        let store = WithLease::new(in_process, leases(&on_machine)).unwrap();
        assert_eq!(
            (store.capabilities().scope, store.scope()),
            (Scope::Process, Scope::Machine)
        );
        let held = store
            .acquire(&key(), Duration::from_secs(30))
            .await
            .unwrap();
        assert!(matches!(held, Acquired::Lease(_)));
        assert!(write(&store, &Expect::Absent, "one").await);
        assert!(store.load(&key()).await.unwrap().is_some());
        assert!(on_machine.load(&key()).await.unwrap().is_none());
    }
}

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio::task::{JoinSet, yield_now};

use super::*;
use crate::mock::ManualClock;
use crate::store::{FolderStore, MemoryStore, WithLease};
use crate::{Error, ErrorKind};

const HOUR: Duration = Duration::from_secs(3600);

/// Everything is read from the cache that may be.
fn open(_: &Path) -> Arc<dyn Store> {
    Arc::new(over(Arc::new(MemoryStore::new())))
}

fn over(store: Arc<dyn Store>) -> CacheOver {
    CacheOver::new(Arc::new(MemoryStore::new()), store, HOUR)
}

/// For the tests that read what another process has written without taking the lease, entries end
/// before a process can have started.
const MOMENT: Duration = Duration::from_millis(1);

fn folder(place: &Path, name: &str) -> Arc<dyn Store> {
    Arc::new(FolderStore::open(place.join(name)).unwrap())
}

fn shared(place: &Path) -> CacheOver {
    CacheOver::new(folder(place, "cache"), folder(place, "store"), MOMENT)
}

fn open_shared(place: &Path) -> Arc<dyn Store> {
    Arc::new(shared(place))
}

fn open_leases(place: &Path) -> Arc<dyn Leases> {
    Arc::new(shared(place))
}

crate::store_contract!(in_memory, super::open);
crate::store_contract!(in_a_folder, super::open_shared);
crate::lease_contract!(
    leases,
    super::open_shared,
    super::open_leases;
    crate::store::contract::Time::Process
);

/// A store without hints that counts how often it is read, and can fail.
#[derive(Debug, Default)]
struct Counted {
    records: MemoryStore,
    reads: AtomicUsize,
    fails: AtomicBool,
    /// Set if answers wait for their gate.
    is_slow: AtomicBool,
    may_load: Notify,
    may_swap: Notify,
}

impl Counted {
    fn check(&self) -> Result<()> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Store, "planted").with_retryable(true));
        }
        Ok(())
    }
}

impl Store for Counted {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        Box::pin(async move {
            self.check()?;
            if !key.is_lease() {
                self.reads.fetch_add(1, Ordering::SeqCst);
            }
            let loaded = self.records.load(key).await;
            if self.is_slow.load(Ordering::SeqCst) {
                self.may_load.notified().await;
            }
            loaded
        })
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>> {
        Box::pin(async move {
            let swapped = self.records.compare_and_swap(key, expect, value).await;
            // The answer is lost, not the write.
            self.check()?;
            if self.is_slow.load(Ordering::SeqCst) {
                self.may_swap.notified().await;
            }
            swapped
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            self.check()?;
            self.records.remove(key, expect).await
        })
    }

    fn capabilities(&self) -> Capabilities {
        self.records.capabilities()
    }
}

fn key() -> Key {
    Key::new("application", "profile")
}

async fn write(store: &dyn Store, expect: &Expect, text: &str) -> Result<bool> {
    let value = SecretBytes::from(text.as_bytes().to_vec());
    let swapped = store.compare_and_swap(&key(), expect, &value).await?;
    Ok(matches!(swapped, Swapped::Done(_)))
}

async fn read(store: &dyn Store) -> Option<String> {
    let loaded = store.load(&key()).await.unwrap()?;
    Some(String::from_utf8(loaded.value.expose().to_vec()).unwrap())
}

async fn held(leases: &dyn Leases) -> Lease {
    match leases.acquire(&key(), HOUR).await.unwrap() {
        Acquired::Lease(lease) => lease,
        Acquired::Held { .. } => unreachable!("held by another"),
    }
}

#[tokio::test]
async fn a_record_is_read_once_until_its_time_is_over() {
    let (store, clock) = (
        Arc::new(Counted::default()),
        Arc::new(ManualClock::at_unix(1_000_000)),
    );
    let cached = over(Arc::clone(&store) as _).with_clock(Arc::clone(&clock) as _);
    // What does not exist is remembered, too.
    for _ in 0..3 {
        assert_eq!(read(&cached).await, None);
    }
    assert!(write(&*store, &Expect::Any, "one").await.unwrap());
    assert_eq!(read(&cached).await, None);
    assert_eq!(store.reads.load(Ordering::SeqCst), 1);
    clock.advance(HOUR - Duration::from_millis(1));
    assert_eq!(read(&cached).await, None);
    clock.advance(Duration::from_millis(1));
    for _ in 0..3 {
        assert_eq!(read(&cached).await.as_deref(), Some("one"));
    }
    assert_eq!(store.reads.load(Ordering::SeqCst), 2);
    // An entry from the future is worth nothing.
    clock.set(clock.now() - Duration::from_millis(1));
    assert_eq!(read(&cached).await.as_deref(), Some("one"));
    assert_eq!(store.reads.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_writer_reads_what_it_wrote_and_what_it_lost_to() {
    let store = Arc::new(Counted::default());
    let cached = over(Arc::clone(&store) as _);
    assert!(write(&cached, &Expect::Absent, "one").await.unwrap());
    assert_eq!(read(&cached).await.as_deref(), Some("one"));
    assert!(write(&*store, &Expect::Any, "two").await.unwrap());
    assert_eq!(read(&cached).await.as_deref(), Some("one"));
    assert!(!write(&cached, &Expect::Absent, "three").await.unwrap());
    assert_eq!(read(&cached).await.as_deref(), Some("two"));
    assert_eq!(store.reads.load(Ordering::SeqCst), 0);
    // Written, although the answer is lost.
    store.fails.store(true, Ordering::SeqCst);
    write(&cached, &Expect::Any, "four").await.unwrap_err();
    store.fails.store(false, Ordering::SeqCst);
    assert_eq!(read(&cached).await.as_deref(), Some("four"));
    assert_eq!(store.reads.load(Ordering::SeqCst), 1);
    assert!(cached.remove(&key(), &Expect::Any).await.unwrap());
    assert_eq!(read(&cached).await, None);
    assert!(cached.cache.load(&key()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_caller_that_takes_or_is_refused_a_lease_reads_what_is_there() {
    let store = Arc::new(Counted::default());
    let (one, other) = (over(Arc::clone(&store) as _), over(Arc::clone(&store) as _));
    assert!(write(&*store, &Expect::Any, "one").await.unwrap());
    assert_eq!(read(&one).await.as_deref(), Some("one"));
    assert_eq!(read(&other).await.as_deref(), Some("one"));
    assert!(write(&*store, &Expect::Any, "two").await.unwrap());
    let mut lease = held(&one).await;
    assert_eq!(read(&one).await.as_deref(), Some("two"));
    assert_eq!(read(&other).await.as_deref(), Some("one"));
    assert!(write(&one, &Expect::Any, "three").await.unwrap());
    // It waits for the holder.
    let refused = other.acquire(&key(), HOUR).await.unwrap();
    assert!(matches!(refused, Acquired::Held { .. }));
    assert_eq!(read(&other).await.as_deref(), Some("three"));
    assert!(write(&*store, &Expect::Any, "four").await.unwrap());
    assert!(one.renew(&mut lease, HOUR).await.unwrap());
    assert_eq!(read(&one).await.as_deref(), Some("four"));
    assert!(write(&*store, &Expect::Any, "five").await.unwrap());
    assert!(one.release(lease).await.unwrap());
    assert_eq!(read(&one).await.as_deref(), Some("five"));
}

#[tokio::test]
async fn leases_over_the_cache_make_a_holder_read_again() {
    let store = Arc::new(Counted::default());
    let cached = Arc::new(over(Arc::clone(&store) as _));
    let leases = StoreLeases::new(Arc::clone(&cached) as _);
    assert_eq!(read(&*cached).await, None);
    assert!(write(&*store, &Expect::Any, "one").await.unwrap());
    assert_eq!(read(&*cached).await, None);
    let lease = held(&leases).await;
    assert_eq!(read(&*cached).await.as_deref(), Some("one"));
    assert!(leases.release(lease).await.unwrap());
}

#[tokio::test]
async fn a_slow_reader_hides_no_write() {
    let store = Arc::new(Counted::default());
    let cached = over(Arc::clone(&store) as _);
    assert!(write(&*store, &Expect::Any, "old").await.unwrap());
    store.is_slow.store(true, Ordering::SeqCst);
    let answers = async {
        // Both have looked at the cache. The reader fills it first, with what is old by now.
        store.may_load.notify_one();
        for _ in 0..10 {
            yield_now().await;
        }
        store.may_swap.notify_one();
    };
    let (seen, written, ()) =
        tokio::join!(read(&cached), write(&cached, &Expect::Any, "new"), answers);
    assert_eq!((seen.as_deref(), written.unwrap()), (Some("old"), true));
    store.is_slow.store(false, Ordering::SeqCst);
    assert_eq!(read(&cached).await.as_deref(), Some("new"));
}

#[tokio::test]
async fn a_hint_makes_the_next_reader_ask_the_store() {
    let store = Arc::new(MemoryStore::new());
    let cached = over(Arc::clone(&store) as _);
    assert_eq!(read(&cached).await, None);
    let mut watch = cached.watch(&key()).unwrap();
    for text in ["one", "two"] {
        assert!(write(&*store, &Expect::Any, text).await.unwrap());
        watch.changed().await;
        assert_eq!(read(&cached).await.as_deref(), Some(text));
    }
}

#[tokio::test]
async fn many_with_old_entries_make_one_request() {
    let store = Arc::new(Counted::default());
    assert!(write(&*store, &Expect::Any, "stale").await.unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let cached = Arc::new(over(Arc::clone(&store) as _));
        assert_eq!(read(&*cached).await.as_deref(), Some("stale"));
        for _ in 0..8 {
            let (cached, requests) = (Arc::clone(&cached), Arc::clone(&requests));
            tasks.spawn(async move {
                while read(&*cached).await.unwrap() == "stale" {
                    let acquired = cached.acquire(&key(), HOUR).await.unwrap();
                    let Acquired::Lease(lease) = acquired else {
                        yield_now().await;
                        continue;
                    };
                    if read(&*cached).await.unwrap() == "stale" {
                        requests.fetch_add(1, Ordering::SeqCst);
                        yield_now().await;
                        assert!(write(&*cached, &Expect::Any, "fresh").await.unwrap());
                    }
                    assert!(cached.release(lease).await.unwrap());
                }
            });
        }
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert_eq!(requests.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_cache_that_fails_or_holds_something_else_costs_no_answer() {
    let (cache, store) = (Arc::new(Counted::default()), Arc::new(Counted::default()));
    let cached = CacheOver::new(Arc::clone(&cache) as _, Arc::clone(&store) as _, HOUR);
    cache.fails.store(true, Ordering::SeqCst);
    assert!(write(&cached, &Expect::Absent, "one").await.unwrap());
    assert!(write(&*store, &Expect::Any, "two").await.unwrap());
    assert_eq!(read(&cached).await.as_deref(), Some("two"));
    assert!(cached.remove(&key(), &Expect::Any).await.unwrap());
    cache.fails.store(false, Ordering::SeqCst);
    for text in ["", "planted", "00000000\u{1}\0\0\0\u{9}x", "00000000\u{0}x"] {
        write(&*cache, &Expect::Any, text).await.unwrap();
        assert_eq!(read(&cached).await, None, "{text:?}");
    }
    store.fails.store(true, Ordering::SeqCst);
    let cached = over(Arc::clone(&store) as _);
    assert!(cached.load(&key()).await.unwrap_err().is_retryable());
}

#[test]
fn leases_that_not_all_users_of_the_records_share_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let memory = Arc::new(MemoryStore::new());
    let narrow = Arc::new(StoreLeases::new(Arc::clone(&memory) as _));
    let cached = CacheOver::new(memory, folder(place.path(), "store"), HOUR);
    assert!(cached.with_leases(narrow).unwrap_err().is_config());
}

#[tokio::test]
async fn leases_are_those_of_the_store() {
    let leases = Arc::new(StoreLeases::new(Arc::new(MemoryStore::new())));
    let with_lease = WithLease::new(Arc::new(MemoryStore::new()), leases.clone());
    let cached = Arc::new(over(Arc::new(with_lease.unwrap())));
    let _lease = held(&*leases).await;
    let own = cached.own_leases().unwrap();
    let acquired = own.acquire(&key(), HOUR).await.unwrap();
    assert!(matches!(acquired, Acquired::Held { .. }));
}

#[tokio::test]
async fn after_a_lease_was_taken_the_store_is_read_once() {
    let store = Arc::new(Counted::default());
    let cached = over(Arc::clone(&store) as _);
    assert_eq!(read(&cached).await, None);
    let _lease = held(&cached).await;
    for _ in 0..3 {
        assert_eq!(read(&cached).await, None);
    }
    assert_eq!(store.reads.load(Ordering::SeqCst), 2);
}

#[test]
fn a_call_takes_as_long_as_two_of_the_cache_and_one_of_the_store() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let (limit, leases) = (
        store.capabilities().limit,
        StoreLeases::new(Arc::clone(&store)),
    );
    let cached = over(store);
    assert_eq!(cached.capabilities().limit, 3 * limit);
    assert_eq!(cached.limit(), leases.limit());
}

#[tokio::test]
async fn what_is_shown_holds_no_record() {
    let cached = over(Arc::new(MemoryStore::new()));
    assert!(write(&cached, &Expect::Any, "planted").await.unwrap());
    let shown = format!("{cached:?}");
    assert!(shown.contains("time: 3600s"), "{shown}");
    assert!(!shown.contains("planted"), "{shown}");
}

#[test]
fn bytes_that_are_no_entry_are_not_taken_for_an_absent_record() {
    let at = 7_u64.to_be_bytes();
    let read = |rest: &[u8]| {
        let cached = Loaded {
            value: SecretBytes::from([&at[..], rest].concat()),
            version: Version::new(b"1"),
        };
        Entry::read(&cached).map(|entry| entry.loaded.is_some())
    };
    assert_eq!(read(&[ABSENT]), Some(false));
    assert_eq!(read(&[PRESENT, 0, 0, 0, 0]), Some(true));
    for other in [&[][..], &[ABSENT, 0], &[7], &[PRESENT, 0, 0, 0, 1]] {
        assert_eq!(read(other), None, "{other:?}");
    }
}

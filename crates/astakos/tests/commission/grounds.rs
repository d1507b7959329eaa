//! What journals of tests are kept in.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::runtime::{Builder, Handle, Runtime};
use vouchsafe_astakos::commission::{Journal, MemoryJournal, StoreJournal};
use vouchsafe_core::store::contract::Server;
use vouchsafe_core::store::{Capabilities, Expect, Key, Loaded, Store, Swapped};
use vouchsafe_core::{BoxFuture, Result, SecretBytes};
use vouchsafe_store_etcd::EtcdStore;
use vouchsafe_store_postgres::PostgresStore;
use vouchsafe_store_redis::RedisStore;
use vouchsafe_store_sqlite::SqliteStore;
use vouchsafe_test_servers as servers;

/// Where there is a journal for each run of a test.
pub(super) enum Ground {
    Memory,
    Store(Arc<dyn Store>, AtomicU64),
}

/// The journal of one run, which one process after the other opens.
pub(super) enum Book {
    Memory(Arc<MemoryJournal>),
    Store(Arc<dyn Store>, Key),
}

impl Ground {
    pub(super) fn store(store: Arc<dyn Store>) -> Self {
        Self::Store(store, AtomicU64::new(0))
    }

    pub(super) fn book(&self) -> Book {
        match self {
            Self::Memory => Book::Memory(Arc::default()),
            Self::Store(store, books) => {
                let number = books.fetch_add(1, Ordering::SeqCst);
                let key = Key::new("commissions", format!("worker-{number}"));
                Book::Store(Arc::clone(store), key)
            }
        }
    }
}

impl Book {
    /// Opens the journal as the next process does.
    pub(super) async fn open(&self) -> Arc<dyn Journal> {
        match self {
            Self::Memory(journal) => Arc::clone(journal) as _,
            Self::Store(store, key) => {
                let journal = StoreJournal::open(Arc::clone(store), key.clone()).await;
                Arc::new(journal.unwrap())
            }
        }
    }
}

/// The kinds of stores that outlive a worker.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Sqlite,
    Redis,
    Postgres,
    Etcd,
}

impl Kind {
    /// Finds a kind by how it is shown.
    pub(super) fn named(name: &str) -> Self {
        let known = [Self::Sqlite, Self::Redis, Self::Postgres, Self::Etcd];
        let found = known.into_iter().find(|kind| format!("{kind:?}") == name);
        found.unwrap()
    }

    /// Starts the server of a kind, if it needs one. Returns `None` if the test is skipped.
    pub(super) fn start(self, place: &Path) -> Option<Option<Box<dyn Server>>> {
        Some(match self {
            Self::Sqlite => None,
            Self::Redis => Some(servers::redis(place)?),
            Self::Postgres => Some(servers::postgres(place)?),
            Self::Etcd => Some(servers::etcd(place)?),
        })
    }

    /// Opens the store that was started in a folder.
    pub(super) fn open(self, place: &Path) -> Arc<dyn Store> {
        let at = || format!("127.0.0.1:{}", servers::port(place));
        match self {
            Self::Sqlite => Arc::new(SqliteStore::open(place.join("records")).unwrap()),
            Self::Redis => {
                let url = format!("redis://{}", at());
                Arc::new(RedisStore::builder(url).build().unwrap())
            }
            Self::Postgres => {
                let (port, password) = (servers::port(place), servers::PASSWORD);
                let url = format!(
                    "host=127.0.0.1 port={port} user=vouchsafe dbname=postgres password='{password}'"
                );
                Arc::new(PostgresStore::builder(url).build().unwrap())
            }
            Self::Etcd => {
                let url = format!("http://{}", at());
                Arc::new(EtcdStore::builder(url).build().unwrap())
            }
        }
    }
}

/// Runs a test whose time is not real on a store whose time is.
pub(super) fn on_store<F: Future<Output = ()>>(kind: Kind, test: impl FnOnce(Ground) -> F) {
    let folder = tempfile::tempdir().unwrap();
    let Some(_server) = kind.start(folder.path()) else {
        return;
    };
    let outside = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let store = Outside {
        store: kind.open(folder.path()),
        runtime: outside.handle().clone(),
    };
    paused().block_on(test(Ground::store(Arc::new(store))));
}

/// Runs a test on the journal that is a part of the process.
pub(super) fn in_memory<F: Future<Output = ()>>(test: impl FnOnce(Ground) -> F) {
    paused().block_on(test(Ground::Memory));
}

fn paused() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().unwrap()
}

/// A store whose calls run in another runtime. While one runs, no time passes in this one, and it
/// goes on if the caller gives up.
struct Outside {
    store: Arc<dyn Store>,
    runtime: Handle,
}

impl Outside {
    async fn run<T, F>(&self, call: impl FnOnce(Arc<dyn Store>) -> F + Send + 'static) -> T
    where
        T: Send + 'static,
        F: Future<Output = T>,
    {
        let (store, runtime) = (Arc::clone(&self.store), self.runtime.clone());
        let call = move || runtime.block_on(call(store));
        tokio::task::spawn_blocking(call).await.unwrap()
    }
}

impl Store for Outside {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        let key = key.clone();
        Box::pin(self.run(async move |store: Arc<dyn Store>| store.load(&key).await))
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>> {
        let (key, expect, value) = (key.clone(), expect.clone(), value.clone());
        Box::pin(self.run(async move |store: Arc<dyn Store>| {
            store.compare_and_swap(&key, &expect, &value).await
        }))
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        let (key, expect) = (key.clone(), expect.clone());
        Box::pin(self.run(async move |store: Arc<dyn Store>| store.remove(&key, &expect).await))
    }

    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Outside").field(&self.store).finish()
    }
}

//! The emulator behind a gate, and stores.

use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Notify, Semaphore};
use vouchsafe_cloud_credentials::mock::{Rotation, Seed, Server, TokenFormat};
use vouchsafe_cloud_credentials::{CredentialsBuilder, Events, Secret};
use vouchsafe_core::mock::Fault;
use vouchsafe_core::store::{Capabilities, Expect, Key, Loaded, MemoryStore, Store, Swapped};
use vouchsafe_core::transport::{Request, Response, Transport};
use vouchsafe_core::{BoxFuture, Error, ErrorKind, Result, SecretBytes};

/// A server that knows the client `c` with the secret `s` and the refresh token `rt-0`. One that
/// rotates ends the login if a refresh token is used twice.
#[derive(Clone, Debug)]
pub(crate) struct TokenServer {
    pub(crate) server: Server,
    /// Each request takes one permit.
    gate: Arc<Semaphore>,
    /// Whether answers are at the gate rather than requests.
    is_after: bool,
    /// Notified when one arrives at the gate.
    asked: Arc<Notify>,
}

impl TokenServer {
    pub(crate) fn new(rotates: bool) -> Self {
        let seed = r#"{
            "clients": [{
                "client_id": "c", "client_secret": "s",
                "redirect_uris": ["https://app.example.com/back"]
            }],
            "tokens": [{"client_id": "c", "refresh_token": "rt-0"}]
        }"#;
        let seed = Seed::parse(seed).unwrap().settings(|settings| {
            // Only the answer says when they expire.
            settings.token_format = TokenFormat::Opaque;
            settings.rotation = match rotates {
                true => Rotation::Revokes,
                false => Rotation::Keeps,
            };
        });
        Self::seeded(&seed)
    }

    pub(crate) fn seeded(seed: &Seed) -> Self {
        Self {
            server: Server::from_seed(seed),
            gate: Arc::new(Semaphore::new(10_000)),
            is_after: false,
            asked: Arc::default(),
        }
    }

    /// Returns the same server, behind another gate that is shut.
    pub(crate) fn behind_a_gate(&self) -> Self {
        Self {
            server: self.server.clone(),
            gate: Arc::new(Semaphore::new(0)),
            is_after: false,
            asked: Arc::default(),
        }
    }

    /// Returns the same server, whose answers are behind another gate that is shut.
    pub(crate) fn with_slow_answers(&self) -> Self {
        Self {
            is_after: true,
            ..self.behind_a_gate()
        }
    }

    /// Waits until a request, or an answer, is at the gate.
    pub(crate) async fn asked(&self) {
        self.asked.notified().await;
    }

    /// Makes requests wait until [`open`](Self::open) is called.
    pub(crate) fn shut(self) -> Self {
        self.gate.forget_permits(10_000);
        self
    }

    pub(crate) fn open(&self) {
        self.gate.add_permits(10_000);
    }

    /// Lets the request through that has waited longest.
    pub(crate) fn open_once(&self) {
        self.gate.add_permits(1);
    }

    pub(crate) fn fail_with(&self, status: Option<u16>) {
        self.server.faults().clear();
        if let Some(status) = status {
            let body = json!({"error": "temporarily_unavailable"});
            let fault = Fault::on_any().status(status).json(&body);
            self.server.faults().add(fault);
        }
    }

    /// Returns how many requests there were, answered or not.
    pub(crate) fn requests(&self) -> u64 {
        self.server.journal().len()
    }

    pub(crate) fn refused(&self) -> u64 {
        self.server.counts().refused()
    }

    pub(crate) fn builder(&self) -> CredentialsBuilder {
        let builder = self.server.credentials_builder();
        builder.transport(Arc::new(self.clone()))
    }
}

impl Transport for TokenServer {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        Box::pin(async move {
            let send = |request| async { self.server.host().transport().send(request).await };
            let wait = || async {
                self.asked.notify_one();
                self.gate.acquire().await.unwrap().forget();
            };
            if self.is_after {
                let answer = send(request).await;
                wait().await;
                return answer;
            }
            wait().await;
            send(request).await
        })
    }
}

/// What a program was notified of.
#[derive(Debug, Default)]
pub(crate) struct Told(Mutex<Vec<String>>);

impl Told {
    fn tell(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Events for Told {
    fn unsaved(&self, profile: &str, error: &vouchsafe_cloud_credentials::Error) {
        self.tell(format!("unsaved {profile}: {error}"));
    }

    fn saved(&self, profile: &str) {
        self.tell(format!("saved {profile}"));
    }

    fn reauthorization_needed(&self, profile: &str, error: &vouchsafe_cloud_credentials::Error) {
        let code = error.code().unwrap_or_default();
        self.tell(format!("log in {profile}: {code}"));
    }
}

/// A store that can be made to fail.
#[derive(Debug, Default)]
pub(crate) struct Fragile {
    pub(crate) store: MemoryStore,
    pub(crate) is_full: AtomicBool,
    pub(crate) is_unreadable: AtomicBool,
    /// How many writes fail although trying again helps.
    pub(crate) broken: AtomicUsize,
    /// Whether the reading of a record after the next writing of a lease fails.
    pub(crate) is_unreadable_once_leased: AtomicBool,
    is_unreadable_once: AtomicBool,
    /// Whether no record can be removed.
    pub(crate) keeps_records: AtomicBool,
    /// How many writes of leases are done but not answered.
    pub(crate) unanswered: AtomicUsize,
    /// How many milliseconds writes take, before they are done and again after that.
    pub(crate) slowness: AtomicU64,
    /// How many milliseconds calls take that fail, because the store is away. 0 if it is not.
    pub(crate) is_away: AtomicU64,
    /// How often a record was read.
    pub(crate) readings: AtomicUsize,
    /// Whether writes never end; `stuck` is notified of each.
    pub(crate) is_stuck: AtomicBool,
    pub(crate) stuck: Notify,
}

impl Fragile {
    async fn take_a_moment(&self) {
        let slowness = self.slowness.load(Ordering::Relaxed);
        if slowness > 0 {
            tokio::time::sleep(Duration::from_millis(slowness)).await;
        }
    }

    /// Fails after a while if the store is away.
    async fn be_there(&self) -> Result<()> {
        match self.is_away.load(Ordering::Relaxed) {
            0 => Ok(()),
            takes => {
                tokio::time::sleep(Duration::from_millis(takes)).await;
                Err(gone())
            }
        }
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::Store, "the connection is gone").with_retryable(true)
}

/// Counts down, and returns whether anything was left.
fn is_counted(left: &AtomicUsize) -> bool {
    let one_less = |left: usize| left.checked_sub(1);
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
        .is_ok()
}

impl Store for Fragile {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        if self.is_unreadable.load(Ordering::Relaxed) {
            let error = Error::new(ErrorKind::Store, "the disk is gone");
            return Box::pin(std::future::ready(Err(error)));
        }
        if !key.is_lease() {
            self.readings.fetch_add(1, Ordering::Relaxed);
        }
        Box::pin(async move {
            self.be_there().await?;
            if !key.is_lease() && self.is_unreadable_once.swap(false, Ordering::Relaxed) {
                return Err(gone());
            }
            self.store.load(key).await
        })
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>> {
        Box::pin(async move {
            if self.is_stuck.load(Ordering::Relaxed) {
                self.stuck.notify_one();
                std::future::pending::<()>().await;
            }
            self.be_there().await?;
            self.take_a_moment().await;
            if self.is_full.load(Ordering::Relaxed) && !key.is_lease() {
                return Err(Error::new(ErrorKind::Store, "the disk is full"));
            }
            if !key.is_lease() && is_counted(&self.broken) {
                return Err(gone());
            }
            let swapped = self.store.compare_and_swap(key, expect, value).await;
            if key.is_lease()
                && self
                    .is_unreadable_once_leased
                    .swap(false, Ordering::Relaxed)
            {
                self.is_unreadable_once.store(true, Ordering::Relaxed);
            }
            self.take_a_moment().await;
            if key.is_lease() && is_counted(&self.unanswered) {
                return Err(gone());
            }
            swapped
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        if self.keeps_records.load(Ordering::Relaxed) && !key.is_lease() {
            let error = Error::new(ErrorKind::Store, "the connection is gone");
            return Box::pin(std::future::ready(Err(error)));
        }
        self.store.remove(key, expect)
    }

    fn list<'a>(&'a self, namespace: &'a str) -> BoxFuture<'a, Result<Option<Vec<String>>>> {
        self.store.list(namespace)
    }

    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }
}

/// A store of which one answer arrives late: after [`arrive`](Self::arrive).
#[derive(Debug, Default)]
pub(crate) struct Late {
    pub(crate) store: MemoryStore,
    /// How many readings arrive before the late one, by default none.
    readings: AtomicIsize,
    /// Whether the next writing of a record is late.
    is_writing_late: AtomicBool,
    /// Notified when the late answer is on its way.
    begun: Notify,
    way: Notify,
}

impl Late {
    pub(crate) fn after(readings: isize) -> Self {
        Self {
            readings: AtomicIsize::new(readings),
            ..Self::default()
        }
    }

    pub(crate) fn writing() -> Self {
        Self {
            is_writing_late: AtomicBool::new(true),
            ..Self::after(-1)
        }
    }

    /// Waits until the late answer is on its way.
    pub(crate) async fn begun(&self) {
        self.begun.notified().await;
    }

    pub(crate) fn arrive(&self) {
        self.way.notify_one();
    }

    async fn wait(&self) {
        self.begun.notify_one();
        self.way.notified().await;
    }
}

impl Store for Late {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        Box::pin(async move {
            let loaded = self.store.load(key).await;
            if !key.is_lease() && self.readings.fetch_sub(1, Ordering::Relaxed) == 0 {
                self.wait().await;
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
            if !key.is_lease() && self.is_writing_late.swap(false, Ordering::Relaxed) {
                self.wait().await;
            }
            self.store.compare_and_swap(key, expect, value).await
        })
    }

    fn list<'a>(&'a self, namespace: &'a str) -> BoxFuture<'a, Result<Option<Vec<String>>>> {
        self.store.list(namespace)
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        self.store.remove(key, expect)
    }

    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }
}

/// The key of the default profile.
pub(crate) fn key() -> Key {
    Key::new("profiles", "default")
}

/// Puts a record with a stale access token into a store.
pub(crate) async fn seed(store: &dyn Store, refresh_token: &str) {
    let mut record = looks_good(refresh_token);
    record["expires_at"] = 1.into();
    put(store, &record).await;
}

/// Returns a store of one process.
pub(crate) fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

/// Returns a store of one process, with such a record.
pub(crate) async fn seeded(refresh_token: &str) -> Arc<dyn Store> {
    let store = memory();
    seed(&*store, refresh_token).await;
    store
}

/// Returns a record whose access token does not say that it is stale.
pub(crate) fn looks_good(refresh_token: &str) -> Value {
    json!({
        "access_token": "at-0", "client_id": "c", "client_secret": "s",
        "refresh_token": refresh_token,
    })
}

pub(crate) async fn put(store: &dyn Store, record: &Value) {
    put_at(store, &key(), &record.to_string()).await;
}

pub(crate) async fn put_at(store: &dyn Store, key: &Key, record: &str) {
    let value = SecretBytes::from(record.as_bytes().to_vec());
    let done = store.compare_and_swap(key, &Expect::Any, &value).await;
    assert!(matches!(done.unwrap(), Swapped::Done(_)));
}

/// Returns the record of the default profile.
pub(crate) async fn record(store: &dyn Store) -> Value {
    let loaded = store.load(&key()).await.unwrap().unwrap();
    serde_json::from_slice(loaded.value.expose()).unwrap()
}

/// Returns a token of the record of the default profile.
pub(crate) async fn token(store: &dyn Store, name: &str) -> Secret {
    secret(record(store).await[name].as_str().unwrap())
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::from(text)
}

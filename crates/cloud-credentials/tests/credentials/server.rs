//! A token endpoint in process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::sync::{Notify, Semaphore};
use vouchsafe_cloud_credentials::{Credentials, CredentialsBuilder, Secret};
use vouchsafe_core::store::{Capabilities, Expect, Key, Loaded, MemoryStore, Store, Swapped};
use vouchsafe_core::transport::{Request, Response, Transport};
use vouchsafe_core::{BoxFuture, Error, ErrorKind, Result, SecretBytes};

/// Issues `at-1`, `at-2`, ... and rotates the refresh token `rt-0` to `rt-1`, `rt-2`, ...
#[derive(Clone, Debug)]
pub(crate) struct TokenServer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    rotates: bool,
    /// Each request takes one permit.
    gate: Semaphore,
}

#[derive(Debug)]
struct State {
    issued: u32,
    refresh_token: String,
    bodies: Vec<Value>,
    refused: u32,
    failing: Option<u16>,
}

impl TokenServer {
    pub(crate) fn new(rotates: bool) -> Self {
        Self(Arc::new(Inner {
            state: Mutex::new(State {
                issued: 0,
                refresh_token: "rt-0".to_owned(),
                bodies: Vec::new(),
                refused: 0,
                failing: None,
            }),
            rotates,
            gate: Semaphore::new(10_000),
        }))
    }

    /// Makes requests wait until [`open`](Self::open) is called.
    pub(crate) fn shut(self) -> Self {
        self.0.gate.forget_permits(10_000);
        self
    }

    pub(crate) fn open(&self) {
        self.0.gate.add_permits(10_000);
    }

    pub(crate) fn fail_with(&self, status: Option<u16>) {
        self.0.state.lock().unwrap().failing = status;
    }

    /// Returns the bodies of the requests.
    pub(crate) fn requests(&self) -> Vec<Value> {
        self.0.state.lock().unwrap().bodies.clone()
    }

    pub(crate) fn refused(&self) -> u32 {
        self.0.state.lock().unwrap().refused
    }

    pub(crate) fn builder(&self) -> CredentialsBuilder {
        Credentials::builder()
            .token_url("https://tokens.example.com")
            .transport(Arc::new(self.clone()))
    }

    fn answer(&self, request: &Request) -> Response {
        let mut state = self.0.state.lock().unwrap();
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        state.bodies.push(body.clone());
        let (status, answer) = if let Some(status) = state.failing {
            (status, json!({"error": "temporarily_unavailable"}))
        } else if request.uri.path().ends_with("RevokeToken") {
            (200, json!({"issuccess": "true"}))
        } else if body["grant_type"] == "refresh_token"
            && body["refresh_token"] != state.refresh_token.as_str()
        {
            state.refused += 1;
            (400, json!({"error": "invalid_grant"}))
        } else {
            state.issued += 1;
            let mut answer = json!({
                "access_token": format!("at-{}", state.issued),
                "expires_in": "3600",
            });
            if self.0.rotates {
                state.refresh_token = format!("rt-{}", state.issued);
                answer["refresh_token"] = state.refresh_token.clone().into();
            }
            (200, answer)
        };
        let mut response = Response::new(http::StatusCode::from_u16(status).unwrap());
        response.body = answer.to_string().into();
        response
    }
}

impl Transport for TokenServer {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        Box::pin(async move {
            self.0.gate.acquire().await.unwrap().forget();
            Ok(self.answer(&request))
        })
    }
}

/// A store whose writes of records can be made to fail.
#[derive(Debug, Default)]
pub(crate) struct Fragile {
    pub(crate) store: MemoryStore,
    pub(crate) is_full: AtomicBool,
}

impl Store for Fragile {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        self.store.load(key)
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>> {
        if self.is_full.load(Ordering::Relaxed) && !key.is_lease() {
            let error = Error::new(ErrorKind::Store, "the disk is full");
            return Box::pin(std::future::ready(Err(error)));
        }
        self.store.compare_and_swap(key, expect, value)
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        self.store.remove(key, expect)
    }

    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }
}

/// A store whose first reading arrives late: after [`arrive`](Self::arrive).
#[derive(Debug, Default)]
pub(crate) struct Late {
    pub(crate) store: MemoryStore,
    has_begun: AtomicBool,
    way: Notify,
}

impl Late {
    pub(crate) fn arrive(&self) {
        self.way.notify_one();
    }
}

impl Store for Late {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        Box::pin(async move {
            let loaded = self.store.load(key).await;
            if !self.has_begun.swap(true, Ordering::Relaxed) {
                self.way.notified().await;
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
        self.store.compare_and_swap(key, expect, value)
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

/// Returns a record whose access token does not say that it is stale.
pub(crate) fn looks_good(refresh_token: &str) -> Value {
    json!({
        "access_token": "at-0", "client_id": "c", "client_secret": "s",
        "refresh_token": refresh_token,
    })
}

pub(crate) async fn put(store: &dyn Store, record: &Value) {
    let value = SecretBytes::from(record.to_string().into_bytes());
    let done = store.compare_and_swap(&key(), &Expect::Any, &value).await;
    assert!(matches!(done.unwrap(), Swapped::Done(_)));
}

/// Returns the record of the default profile.
pub(crate) async fn record(store: &dyn Store) -> Value {
    let loaded = store.load(&key()).await.unwrap().unwrap();
    serde_json::from_slice(loaded.value.expose()).unwrap()
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::from(text)
}

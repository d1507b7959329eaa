//! Tokens that are replaced before they expire, although they do not say when they were issued.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::json;
use vouchsafe_cloud_credentials::file::FileStore;
use vouchsafe_cloud_credentials::{Credentials, CredentialsBuilder, Secret};
use vouchsafe_core::mock::ManualClock;
use vouchsafe_core::store::Store;
use vouchsafe_core::transport::{Request, Response, Transport};
use vouchsafe_core::{BoxFuture, Clock as _, Result};

use crate::fleet::{had, same, tasks_of};
use crate::server::{Fragile, memory, put};

/// A server whose tokens live for an hour.
#[derive(Debug)]
struct Issuer {
    clock: Arc<ManualClock>,
    /// Whether the token says when it expires, or else the answer.
    is_claimed: bool,
    issued: AtomicU64,
}

impl Issuer {
    fn new(is_claimed: bool) -> Arc<Self> {
        Arc::new(Self {
            clock: Arc::new(ManualClock::at_unix(1_000_000_000)),
            is_claimed,
            issued: AtomicU64::new(0),
        })
    }

    fn builder(self: &Arc<Self>, store: &Arc<dyn Store>) -> CredentialsBuilder {
        Credentials::builder()
            .transport(Arc::clone(self) as _)
            .clock(Arc::clone(&self.clock) as _)
            .store(Arc::clone(store))
    }

    fn process(self: &Arc<Self>, store: &Arc<dyn Store>) -> Credentials {
        self.builder(store).build().unwrap()
    }

    fn issued(&self) -> u64 {
        self.issued.load(Ordering::Relaxed)
    }

    fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

impl Transport for Issuer {
    fn send(&self, _: Request) -> BoxFuture<'_, Result<Response>> {
        let number = self.issued.fetch_add(1, Ordering::Relaxed) + 1;
        let now = self.clock.now().duration_since(UNIX_EPOCH).unwrap();
        let body = match self.is_claimed {
            true => {
                let claims = json!({"exp": now.as_secs() + HOUR, "jti": number});
                let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
                json!({"access_token": format!("e30.{claims}.c2ln")})
            }
            false => json!({"access_token": format!("at-{number}"), "expires_in": HOUR}),
        };
        let mut response = Response::new(StatusCode::OK);
        response.body = body.to_string().into();
        Box::pin(std::future::ready(Ok(response)))
    }
}

async fn nothing_yet(store: &dyn Store) {
    let record = json!({
        "access_token": null, "client_id": "c", "client_secret": "s", "refresh_token": "rt",
    });
    put(store, &record).await;
}

/// Has some tasks need a token at once, which all get the same.
async fn had_by_all(credentials: &Credentials) -> Secret {
    same(tasks_of(std::slice::from_ref(credentials))).await
}

#[tokio::test]
async fn a_token_that_does_not_say_when_it_was_issued_is_replaced_early_and_once_for_all() {
    for is_claimed in [false, true] {
        let issuer = Issuer::new(is_claimed);
        let fragile = Arc::new(Fragile::default());
        let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
        nothing_yet(&*store).await;
        let [one, two] = [issuer.process(&store), issuer.process(&store)];
        let mut current = had_by_all(&one).await;
        for number in 1..4 {
            assert_eq!(had_by_all(&two).await, current);
            // A tenth is added to the minute at most.
            issuer.advance(HOUR - 67);
            let readings = fragile.readings.load(Ordering::Relaxed);
            for credentials in [&one, &two] {
                assert_eq!(had_by_all(credentials).await, current);
            }
            assert_eq!(fragile.readings.load(Ordering::Relaxed), readings);
            assert_eq!(issuer.issued(), number);
            issuer.advance(7);
            let new = had_by_all(&one).await;
            assert_ne!(new, current);
            current = new;
        }
        assert_eq!(had_by_all(&two).await, current);
        assert_eq!(issuer.issued(), 4);
    }
}

#[tokio::test]
async fn a_process_that_finds_a_token_shortly_before_its_end_uses_it_for_half_of_that() {
    for is_claimed in [false, true] {
        let issuer = Issuer::new(is_claimed);
        let fragile = Arc::new(Fragile::default());
        let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
        nothing_yet(&*store).await;
        let first = had(&issuer.process(&store)).await;
        issuer.advance(HOUR - 40);
        let late = issuer.process(&store);
        assert_eq!(had(&late).await, first);
        issuer.advance(19);
        let readings = fragile.readings.load(Ordering::Relaxed);
        assert_eq!(had_by_all(&late).await, first);
        assert_eq!(fragile.readings.load(Ordering::Relaxed), readings);
        issuer.advance(1);
        assert_ne!(had_by_all(&late).await, first);
        assert_eq!(issuer.issued(), 2);
    }
}

fn file(folder: &Path) -> Arc<dyn Store> {
    Arc::new(FileStore::new(folder.join("credentials.json")))
}

#[tokio::test]
async fn the_process_that_got_a_token_knows_when_it_ends_although_the_file_does_not_say() {
    let folder = tempfile::tempdir().unwrap();
    let store = file(folder.path());
    nothing_yet(&*store).await;
    let issuer = Issuer::new(false);
    let [one, other] = [issuer.process(&store), issuer.process(&store)];
    let first = had_by_all(&one).await;
    assert_eq!(had_by_all(&other).await, first);
    // It reads the file again, which has not changed.
    one.remove_profile("another").await.unwrap();
    assert_eq!(had_by_all(&one).await, first);
    issuer.advance(HOUR - 60);
    let second = had_by_all(&one).await;
    assert_ne!(second, first);
    issuer.advance(HOUR);
    // Only a refusal tells the other one.
    assert_eq!(had_by_all(&other).await, first);
    assert_eq!(other.refresh_stale(&first).await.unwrap(), second);
    assert_eq!(issuer.issued(), 2);
}

#[tokio::test]
async fn a_login_knows_when_its_token_ends_although_the_file_does_not_say() {
    let folder = tempfile::tempdir().unwrap();
    let store = file(folder.path());
    nothing_yet(&*store).await;
    let issuer = Issuer::new(false);
    let credentials = issuer.process(&store);
    let exchange = credentials.exchange("code").client_id("c");
    let answer = exchange.client_secret("s").send().await.unwrap();
    assert_eq!(had_by_all(&credentials).await, answer.access_token);
    credentials.set_refresh_token(Some(Secret::from("rt")));
    issuer.advance(HOUR - 60);
    assert_ne!(had_by_all(&credentials).await, answer.access_token);
    assert_eq!(issuer.issued(), 2);
}

#[tokio::test]
async fn the_guard_is_lengthened_by_up_to_a_tenth_which_differs_from_object_to_object() {
    const GUARD: u64 = 300;
    let issuer = Issuer::new(true);
    let mut all = Vec::new();
    for _ in 0..8 {
        let store = memory();
        nothing_yet(&*store).await;
        let builder = issuer.builder(&store).guard(Duration::from_secs(GUARD));
        let credentials = builder.build().unwrap();
        all.push((had(&credentials).await, credentials));
    }
    let mut early = BTreeSet::new();
    let longest = GUARD + GUARD / 10;
    issuer.advance(HOUR - longest - 1);
    for left in (GUARD..=longest + 1).rev() {
        let mut kept = Vec::new();
        for (token, credentials) in all {
            match had(&credentials).await == token {
                true => kept.push((token, credentials)),
                false => drop(early.insert(left)),
            }
        }
        all = kept;
        issuer.advance(1);
    }
    assert!(all.is_empty(), "{} were not replaced in time", all.len());
    assert!(!early.contains(&(longest + 1)), "{early:?}");
    // Of eight, two differ but in one of billions of runs.
    assert!(early.len() > 1, "{early:?}");
}

const HOUR: u64 = 3600;

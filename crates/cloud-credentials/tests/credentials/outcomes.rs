//! What an operator or a program learns from what went wrong.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderValue, StatusCode};
use vouchsafe_cloud_credentials::file::FileStore;
use vouchsafe_cloud_credentials::mock::Seed;
use vouchsafe_cloud_credentials::{Credentials, Error, ErrorKind};
use vouchsafe_core::store::{
    CacheOver, Capabilities, Expect, Key, Loaded, MemoryStore, Scope, Store, StoreLeases, Swapped,
    WithLease,
};
use vouchsafe_core::transport::{Request, Response, Transport};
use vouchsafe_core::{BoxFuture, Result, SecretBytes};

use crate::fleet::{had, sharing};
use crate::server::{
    Fragile, TokenServer, Told, key, looks_good, memory, put, record, secret, seed, seeded,
};

/// Answers each request alike.
#[derive(Debug)]
struct Always(u16, &'static str);

impl Transport for Always {
    fn send(&self, _: Request) -> BoxFuture<'_, Result<Response>> {
        let mut response = Response::new(StatusCode::from_u16(self.0).unwrap());
        let wait = HeaderValue::from_static("7");
        response.headers.insert("retry-after", wait);
        response.body = self.1.into();
        Box::pin(std::future::ready(Ok(response)))
    }
}

async fn refused(status: u16, body: &'static str) -> Error {
    let credentials = Credentials::builder()
        .client_id("c")
        .client_secret("s")
        .refresh_token("rt")
        .transport(Arc::new(Always(status, body)));
    let refreshed = credentials.build().unwrap().refresh().await;
    refreshed.unwrap_err()
}

#[tokio::test]
async fn a_refusal_says_log_in_again_try_later_or_correct_the_configuration() {
    for (status, body, log_in, later, configure) in [
        (400, r#"{"error": "invalid_grant"}"#, true, false, false),
        (200, r#"{"error": "invalid_grant"}"#, true, false, false),
        (
            400,
            r#"{"error": "temporarily_unavailable"}"#,
            false,
            true,
            false,
        ),
        (429, "slow down", false, true, false),
        (500, "", false, true, false),
        (503, r#"{"error": "invalid_grant"}"#, false, true, false),
        (401, r#"{"error": "invalid_client"}"#, false, false, true),
        (
            400,
            r#"{"error": "unsupported_grant_type"}"#,
            false,
            false,
            true,
        ),
        (200, r#"{"error": "invalid_scope"}"#, false, false, true),
    ] {
        let error = refused(status, body).await;
        let said = (
            error.is_reauthorization_needed(),
            error.is_retryable(),
            error.is_config(),
        );
        assert_eq!(said, (log_in, later, configure), "{status} {body}");
        assert_eq!(error.kind(), ErrorKind::TokenEndpoint, "{status} {body}");
        let wait = (status >= 400).then_some(Duration::from_secs(7));
        assert_eq!(error.retry_after(), wait, "{status} {body}");
    }
}

#[tokio::test]
async fn a_refusal_shows_no_token_that_it_quotes_whatever_its_status() {
    for status in [200, 400] {
        let body = r#"{"error": "what is planted-token", "error_description": "planted-token?"}"#;
        let credentials = Credentials::builder()
            .client_id("c")
            .client_secret("s")
            .refresh_token("planted-token")
            .transport(Arc::new(Always(status, body)));
        let credentials = credentials.build().unwrap();
        for error in [
            credentials.refresh().await.unwrap_err(),
            credentials.revoke_refresh_token().await.unwrap_err(),
        ] {
            let text = format!("{error} {error:?} {:?}", error.code());
            assert!(
                text.contains("what is") && !text.contains("planted"),
                "{text}"
            );
        }
    }
}

#[tokio::test]
async fn a_token_of_another_type_is_not_used_and_the_case_of_bearer_does_not_matter() {
    let error = refused(200, r#"{"access_token": "a", "token_type": "mac"}"#).await;
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
    let body = r#"{"access_token": "a", "token_type": "bEARER"}"#;
    let credentials = Credentials::builder().transport(Arc::new(Always(200, body)));
    let credentials = credentials.client_id("c").client_secret("s");
    let credentials = credentials.refresh_token("rt").build().unwrap();
    assert_eq!(credentials.refresh().await.unwrap().expose(), "a");
}

/// Returns credentials that tell what happens to them, and their store.
async fn watched() -> (Arc<Fragile>, Arc<Told>, Credentials) {
    let server = TokenServer::new(true);
    let fragile = Arc::new(Fragile::default());
    seed(&*fragile, "rt-0").await;
    let told = Arc::new(Told::default());
    let builder = server.builder().store(Arc::clone(&fragile) as _);
    let credentials = builder.events(told.clone()).build().unwrap();
    (fragile, told, credentials)
}

#[tokio::test(start_paused = true)]
async fn events_report_tokens_that_are_not_saved_and_a_login_that_is_needed() {
    let (fragile, told, credentials) = watched().await;
    fragile.is_full.store(true, Ordering::Relaxed);
    credentials.refresh().await.unwrap();
    assert_eq!(told.take(), ["unsaved default: the disk is full"]);
    // Not of every attempt that fails.
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!((10..30).contains(&told.take().len()));
    fragile.is_full.store(false, Ordering::Relaxed);
    // By itself.
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(told.take(), ["saved default"]);
    seed(&*fragile, "of another").await;
    credentials.refresh().await.unwrap_err();
    assert_eq!(told.take(), ["log in default: invalid_grant"]);
}

#[tokio::test(start_paused = true)]
async fn events_report_once_that_another_login_has_overtaken_tokens() {
    let (fragile, told, credentials) = watched().await;
    fragile.is_full.store(true, Ordering::Relaxed);
    credentials.refresh().await.unwrap();
    told.take();
    fragile.is_full.store(false, Ordering::Relaxed);
    seed(&*fragile, "of another").await;
    tokio::time::sleep(Duration::from_secs(200)).await;
    let what = "the record has another login by now, or was removed";
    assert_eq!(told.take(), [format!("unsaved default: {what}")]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_alone_makes_no_record() {
    let server = TokenServer::new(true);
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let builder = server.builder().store(Arc::clone(&store));
    let builder = builder.client_id("c").client_secret("s");
    let credentials = builder.refresh_token("revoked").build().unwrap();
    for _ in 0..3 {
        let error = credentials.refresh().await.unwrap_err();
        assert!(error.is_reauthorization_needed(), "{error}");
    }
    assert_eq!(server.requests(), 1);
    assert!(store.load(&key()).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_refresh_reads_the_record_three_times() {
    let server = TokenServer::new(true);
    let fragile = Arc::new(Fragile::default());
    let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
    seed(&*store, "rt-0").await;
    let credentials = server.builder().store(Arc::clone(&store)).build().unwrap();
    let before = fragile.readings.load(Ordering::Relaxed);
    credentials.refresh().await.unwrap();
    // For what is to be replaced, before the lease is asked for, and with it.
    assert_eq!(fragile.readings.load(Ordering::Relaxed) - before, 3);
}

#[tokio::test(start_paused = true)]
async fn a_redeemed_token_is_used_although_it_cannot_be_saved() {
    let seed = r#"{"clients": [], "developer_tokens": [{"token": "d"}]}"#;
    let server = TokenServer::seeded(&Seed::parse(seed).unwrap());
    let fragile = Arc::new(Fragile::default());
    fragile.is_full.store(true, Ordering::Relaxed);
    let told = Arc::new(Told::default());
    let builder = server.builder().store(fragile).events(told.clone());
    let credentials = builder.developer_token("d").build().unwrap();
    let new = had(&credentials).await;
    assert_eq!(told.take(), ["unsaved default: the disk is full"]);
    assert_eq!(had(&credentials).await, new);
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn leases_that_fewer_processes_share_than_the_store_are_refused() {
    let of_process = || Arc::new(StoreLeases::new(Arc::new(MemoryStore::new())));
    let file = Arc::new(FileStore::new("/nowhere/credentials.json"));
    let builder = Credentials::builder().store(file);
    let error = builder.leases(of_process()).build().unwrap_err();
    assert!(error.is_config(), "{error}");
    assert!(error.to_string().contains("leases"), "{error}");
    let builder = Credentials::builder().leases(of_process());
    builder.build().unwrap();
}

/// A store on a server that forgets, as Memcached does.
#[derive(Debug, Default)]
struct Forgetful(MemoryStore);

impl Store for Forgetful {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        self.0.load(key)
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>> {
        self.0.compare_and_swap(key, expect, value)
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        self.0.remove(key, expect)
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new(Scope::Network);
        capabilities.durable = false;
        capabilities
    }
}

#[tokio::test]
async fn a_server_that_forgets_is_good_for_leases_and_as_a_cache_only() {
    let forgetful = || -> Arc<dyn Store> { Arc::new(Forgetful::default()) };
    let leases = || Arc::new(StoreLeases::new(forgetful()));
    let file = || -> Arc<dyn Store> { Arc::new(FileStore::new("/nowhere/credentials.json")) };
    let build = |store| Credentials::builder().store(store).build();
    let alone = Arc::new(WithLease::new(forgetful(), leases()).unwrap());
    for store in [forgetful(), alone] {
        let error = build(store).unwrap_err();
        assert!(error.is_config(), "{error}");
        assert!(error.to_string().contains("may forget"), "{error}");
    }
    build(Arc::new(WithLease::new(file(), leases()).unwrap())).unwrap();
    let cache = CacheOver::new(forgetful(), file(), Duration::from_secs(60));
    build(Arc::new(cache)).unwrap();
    build(Arc::new(MemoryStore::new())).unwrap();
}

#[tokio::test]
async fn a_lease_that_ends_before_a_request_may_is_refused() {
    let times = |request, lease| {
        let builder = Credentials::builder().request_time(Duration::from_secs(request));
        builder.lease_time(Duration::from_secs(lease)).build()
    };
    let error = times(30, 30).unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains("lease_time"),
        "{error}"
    );
    assert!(times(30, 31).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_request_ends_after_its_time() {
    let server = TokenServer::new(true).shut();
    let builder = server.builder().client_id("c").client_secret("s");
    let builder = builder
        .refresh_token("rt-0")
        .request_time(Duration::from_secs(3));
    let begun = tokio::time::Instant::now();
    let error = builder.build().unwrap().refresh().await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!(begun.elapsed().as_secs(), 3);
}

/// Notes where it was asked.
#[derive(Debug, Default)]
struct Asked(Mutex<Vec<String>>);

impl Transport for Asked {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        self.0.lock().unwrap().push(request.uri.to_string());
        let mut response = Response::new(StatusCode::OK);
        response.body = r#"{"access_token": "a"}"#.into();
        Box::pin(std::future::ready(Ok(response)))
    }
}

#[tokio::test]
async fn a_revocation_says_when_to_try_again_and_changes_nothing_until_then() {
    let store = memory();
    put(&*store, &looks_good("rt-0")).await;
    let builder = Credentials::builder().store(Arc::clone(&store));
    let credentials = builder.transport(Arc::new(Always(503, "busy")));
    let credentials = credentials.build().unwrap();
    for error in [
        credentials.revoke_access_token().await.unwrap_err(),
        credentials.revoke_refresh_token().await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::TokenEndpoint, "{error}");
        assert!(error.is_retryable() && !error.is_reauthorization_needed());
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    }
    assert_eq!(record(&*store).await, looks_good("rt-0"));
}

#[tokio::test]
async fn the_provider_of_developer_tokens_can_be_changed() {
    let asked = Arc::new(Asked::default());
    let builder = Credentials::builder().developer_token("d");
    let credentials = builder.transport(asked.clone()).build().unwrap();
    let set = |url| credentials.set_developer_token_provider(url);
    assert!(set(Some("nowhere")).unwrap_err().is_config());
    set(Some("https://p.example.com:8443/t")).unwrap();
    credentials.refresh().await.unwrap();
    set(None).unwrap();
    credentials.refresh().await.unwrap();
    let usual = "https://app.apiexplorer.rocks/request_token";
    let urls = asked.0.lock().unwrap().clone();
    assert_eq!(urls, ["https://p.example.com:8443/t", usual]);
}

#[tokio::test]
async fn the_scope_of_a_token_is_known_where_it_was_issued() {
    let scopes = "logging-service:read event-service:read";
    let world = r#"{
        "clients": [{"client_id": "c", "client_secret": "s"}],
        "tokens": [{
            "client_id": "c", "refresh_token": "rt-0",
            "scopes": ["logging-service:read", "event-service:read"]
        }]
    }"#;
    let server = TokenServer::seeded(&Seed::parse(world).unwrap());
    let store = seeded("rt-0").await;
    let [one, other] = [sharing(&server, &store), sharing(&server, &store)];
    assert_eq!(one.scope().await.unwrap(), None);
    for _ in 0..2 {
        one.refresh().await.unwrap();
        assert_eq!(one.scope().await.unwrap().unwrap(), scopes);
    }
    assert_eq!(had(&other).await, had(&one).await);
    assert_eq!(other.scope().await.unwrap(), None);
    assert_eq!(one.scope().await.unwrap().unwrap(), scopes);
    // It is not that of another token.
    one.set_access_token(Some(secret("mine")));
    assert_eq!(had(&one).await, secret("mine"));
    assert_eq!(one.scope().await.unwrap(), None);
}

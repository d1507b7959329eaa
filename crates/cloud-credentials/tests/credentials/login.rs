//! Logging in, and revoking what came of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Waker};
use std::time::Duration;

use http::Method;
use http::header::LOCATION;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::sleep;
use vouchsafe_cloud_credentials::{
    Authorization, Credentials, ErrorKind, ExchangeRequest, Pkce, Secret, Source, TokenSource as _,
};
use vouchsafe_core::store::{Store, StoreLeases};
use vouchsafe_core::transport::Request;

use crate::fleet::{had, sharing};
use crate::server::{
    Fragile, TokenServer, key, looks_good, memory, put, record, secret, seed, seeded, token,
};

#[tokio::test]
async fn a_login_is_bound_to_the_program_that_began_it() {
    let server = TokenServer::new(true);
    let builder = server
        .builder()
        .client_id("c d")
        .redirect_uri("https://app.example.com/back");
    let credentials = builder.scopes(["a:read", "b:read"]).build().unwrap();
    let login = credentials.authorize().url().await.unwrap();
    assert!(
        login
            .url
            .contains("?client_id=c+d&redirect_uri=https%3A%2F%2Fapp.example.com%2Fback")
    );
    assert!(login.url.contains("&scope=a%3Aread+b%3Aread&"));
    assert!(login.url.ends_with("&code_challenge_method=S256"));
    let verifier = login.verifier.clone().unwrap();
    assert_eq!(verifier.len(), 43);
    assert!(!login.url.contains(verifier.expose()));
    let other = credentials.authorize().url().await.unwrap();
    assert_ne!(other.state, login.state);
    assert_ne!(other.verifier, login.verifier);
    let plain = credentials
        .authorize()
        .pkce(Pkce::Off)
        .state("s")
        .url()
        .await
        .unwrap();
    assert!(plain.url.ends_with("&state=s") && plain.verifier.is_none());
    // Empty texts count as absent.
    let request = credentials.authorize().pkce(Pkce::Off).client_id("");
    let request = request.redirect_uri("").scopes([""]).region("");
    let empty = request.instance_id("").state("").url().await.unwrap();
    let (same, state) = empty.url.split_once("&state=").unwrap();
    assert!(plain.url.starts_with(same) && state.len() > 20, "{empty:?}");
}

/// Visits the page as the user, and returns the code that comes back.
fn visit(server: &TokenServer, login: &Authorization) -> Secret {
    let request = Request::new(Method::GET, login.url.parse().unwrap());
    let answer = server.server.handle(&request);
    let back = answer.headers[LOCATION].to_str().unwrap();
    login.callback(back).unwrap()
}

#[tokio::test]
async fn a_callback_of_another_login_or_server_is_refused() {
    let server = TokenServer::new(true);
    let credentials = server.builder().client_id("c").build().unwrap();
    let login = credentials.authorize().state("mine").url().await.unwrap();
    let twice = "code=planted&state=mine&state=other";
    let both = "code=planted&code=other&state=mine";
    let bad = [
        "code=planted&state=other",
        "code=planted",
        "",
        "state=mine",
        twice,
        both,
    ];
    for bad in bad {
        let error = login
            .callback(&format!("https://a.example.com/?{bad}"))
            .unwrap_err();
        assert!(!format!("{error} {error:?}").contains("planted"), "{bad}");
    }
    let refused = "error=access_denied&error_description=no&state=mine";
    let error = login.callback(refused).unwrap_err();
    assert!(error.is_forbidden());
    assert_eq!(error.code(), Some("access_denied"));
    let issuer = "https://id.example.com";
    let good = "code=x&state=mine&iss=https%3A%2F%2Fid.example.com#fragment";
    assert_eq!(login.callback_from(issuer, good).unwrap(), secret("x"));
    assert!(login.callback_from(issuer, "code=x&state=mine").is_err());
    assert!(
        login
            .callback_from("https://evil.example.com", good)
            .is_err()
    );
}

#[tokio::test]
async fn an_exchange_is_written_and_the_record_is_what_counts_afterwards() {
    let server = TokenServer::new(true);
    let store = memory();
    let builder = server
        .builder()
        .redirect_uri("https://app.example.com/back");
    let credentials = builder.store(Arc::clone(&store)).build().unwrap();
    let error = credentials.exchange("x").send().await.unwrap_err();
    assert_eq!(error.missing().unwrap().values(), ["client_id"]);
    let login = credentials.authorize().client_id("c").url().await.unwrap();
    let exchange = credentials.exchange(visit(&server, &login)).client_id("c");
    let exchange = exchange.client_secret("s");
    let answer = exchange
        .verifier(login.verifier.unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(token(&*store, "access_token").await, answer.access_token);
    let refresh_token = token(&*store, "refresh_token").await;
    assert_eq!(Some(refresh_token), answer.refresh_token);
    assert_eq!(record(&*store).await["client_id"], "c");
    seed(&*store, "another's").await;
    let values = credentials.values().await.unwrap();
    assert_eq!(values.refresh_token, Some(secret("another's")));
}

/// A server on which a user has logged in, and how to end the login.
pub(crate) struct Begun {
    pub(crate) server: TokenServer,
    pub(crate) code: Secret,
    pub(crate) verifier: Secret,
}

impl Begun {
    pub(crate) async fn new() -> Self {
        Self::at(TokenServer::new(true)).await
    }

    pub(crate) async fn at(server: TokenServer) -> Self {
        let builder = server.builder().redirect_uri(BACK);
        let credentials = builder.client_id("c").build().unwrap();
        let login = credentials.authorize().url().await.unwrap();
        Self {
            code: visit(&server, &login),
            verifier: login.verifier.unwrap(),
            server,
        }
    }

    pub(crate) fn exchange(&self, credentials: &Credentials) -> ExchangeRequest {
        let exchange = credentials.exchange(self.code.clone()).client_id("c");
        let exchange = exchange.client_secret("s").redirect_uri(BACK);
        exchange.verifier(self.verifier.clone())
    }

    pub(crate) fn exchanges(&self) -> u64 {
        self.server.server.counts().of("authorization_code")
    }
}

pub(crate) const BACK: &str = "https://app.example.com/back";

#[tokio::test(start_paused = true)]
async fn a_code_is_not_lost_whenever_its_caller_stops_waiting() {
    for latency in [0, 10] {
        for polls in 0..6 {
            let begun = Begun::new().await;
            let latency = Duration::from_millis(latency);
            begun.server.server.host().set_latency(latency);
            let store = memory();
            let credentials = begun.server.builder().store(Arc::clone(&store));
            let credentials = credentials.build().unwrap();
            let mut sent = Box::pin(begun.exchange(&credentials).send());
            let mut context = Context::from_waker(Waker::noop());
            for _ in 0..polls {
                if sent.as_mut().poll(&mut context).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(sent);
            // It goes on by itself, and whoever comes back finds it.
            let answer = begun.exchange(&credentials).send().await.unwrap();
            let again = begun.exchange(&credentials).send().await.unwrap();
            assert_eq!(answer.refresh_token, again.refresh_token);
            assert_eq!(begun.exchanges(), 1);
            let saved = token(&*store, "refresh_token").await;
            assert_eq!(Some(saved), answer.refresh_token);
            // Another verifier is another exchange, which the server refuses.
            let other = begun.exchange(&credentials).verifier("other");
            let error = other.send().await.unwrap_err();
            assert!(error.is_reauthorization_needed(), "{error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_exchange_is_saved_without_its_caller_and_ends_with_its_credentials() {
    for is_kept in [true, false] {
        let begun = Begun::new().await;
        let gate = begun.server.behind_a_gate();
        let store = memory();
        let credentials = gate.builder().store(Arc::clone(&store)).build().unwrap();
        let mut sent = Box::pin(begun.exchange(&credentials).send());
        let mut context = Context::from_waker(Waker::noop());
        assert!(sent.as_mut().poll(&mut context).is_pending());
        gate.asked().await;
        drop(sent);
        let credentials = is_kept.then_some(credentials);
        gate.open();
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        let saved = store.load(&key()).await.unwrap();
        assert_eq!(saved.is_some(), is_kept);
        assert_eq!(begun.exchanges(), u64::from(is_kept));
        drop(credentials);
    }
}

#[tokio::test(start_paused = true)]
async fn the_token_of_a_login_is_not_written_over_a_newer_one() {
    let begun = Begun::at(TokenServer::new(false)).await;
    let store = memory();
    let builder = begun.server.builder().store(Arc::clone(&store));
    let builder = builder.client_id("c").client_secret("s");
    let credentials = builder.build().unwrap();
    begun.exchange(&credentials).send().await.unwrap();
    sharing(&begun.server, &store).refresh().await.unwrap();
    let newer = record(&*store).await;
    credentials.write().await.unwrap();
    assert_eq!(record(&*store).await, newer);
    // Where there is no record, it is written.
    credentials.remove_profile("default").await.unwrap();
    credentials.write().await.unwrap();
    assert_eq!(
        token(&*store, "access_token").await,
        had(&credentials).await
    );
}

#[tokio::test(start_paused = true)]
async fn a_code_that_was_not_sent_since_the_store_failed_is_sent_when_it_is_back() {
    let begun = Begun::new().await;
    let store = Arc::new(Fragile::default());
    store.is_unreadable.store(true, Ordering::Relaxed);
    let credentials = begun.server.builder().store(store.clone()).build().unwrap();
    let error = begun.exchange(&credentials).send().await.unwrap_err();
    assert!(error.to_string().contains("the disk is gone"), "{error}");
    assert_eq!(begun.exchanges(), 0);
    store.is_unreadable.store(false, Ordering::Relaxed);
    begun.exchange(&credentials).send().await.unwrap();
    assert_eq!(begun.exchanges(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_revoked_token_that_was_not_saved_yet_is_not_saved_later() {
    for is_refresh_token in [true, false] {
        let server = TokenServer::new(true);
        let fragile = Arc::new(Fragile::default());
        let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
        seed(&*store, "rt-0").await;
        let credentials = server.builder().store(Arc::clone(&store)).build().unwrap();
        fragile.is_full.store(true, Ordering::Relaxed);
        credentials.refresh().await.unwrap();
        let unsaved = credentials.values().await.unwrap();
        match is_refresh_token {
            true => credentials.revoke_refresh_token().await.unwrap(),
            false => credentials.revoke_access_token().await.unwrap(),
        }
        let left = credentials.values().await.unwrap();
        assert_ne!(left.access_token, unsaved.access_token);
        let is_left = left.refresh_token == unsaved.refresh_token;
        assert_eq!(is_left, !is_refresh_token);
        fragile.is_full.store(false, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(100)).await;
        let now = record(&*store).await;
        let saved = now["refresh_token"].as_str().map(secret);
        assert_eq!(saved == unsaved.refresh_token, !is_refresh_token);
        let access_token = now["access_token"].as_str().map(secret);
        assert_ne!(access_token, unsaved.access_token);
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_leaves_nothing_unsaved_of_a_refresh_in_progress() {
    let begun = Begun::new().await;
    let slow = begun.server.behind_a_gate();
    let fragile = Arc::new(Fragile::default());
    let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
    seed(&*store, "rt-0").await;
    let credentials = slow.builder().store(Arc::clone(&store)).build().unwrap();
    let refreshing = credentials.clone();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { refreshing.refresh().await.map(drop) });
    slow.asked().await;
    let exchange = begun.exchange(&credentials);
    tasks.spawn(async move { exchange.send().await.map(drop) });
    slow.asked().await;
    // The refresh is still saving when the login succeeds.
    fragile.broken.store(1, Ordering::Relaxed);
    slow.open();
    while let Some(done) = tasks.join_next().await {
        done.unwrap().unwrap();
    }
    credentials.rename_profile("default", "dev").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_login_is_not_taken_for_the_refresh_that_it_waits_for() {
    let begun = Begun::new().await;
    let slow = begun.server.with_slow_answers();
    let fragile = Arc::new(Fragile::default());
    let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
    seed(&*store, "rt-0").await;
    let credentials = slow.builder().store(Arc::clone(&store));
    let credentials = credentials.cache_token(false).build().unwrap();
    let refreshing = credentials.clone();
    let mut refreshed = JoinSet::new();
    refreshed.spawn(async move { refreshing.refresh().await });
    slow.asked().await;
    let exchange = begun.exchange(&credentials);
    let mut exchanged = JoinSet::new();
    exchanged.spawn(async move { exchange.send().await });
    slow.asked().await;
    // The refresh is still saving when the login succeeds.
    fragile.broken.store(1, Ordering::Relaxed);
    slow.open();
    refreshed.join_next().await.unwrap().unwrap().unwrap();
    let answer = exchanged.join_next().await.unwrap().unwrap().unwrap();
    let token = credentials.token().await.unwrap();
    assert_eq!(*token.secret(), answer.access_token);
    // Only the answer says when an opaque token expires.
    assert!(token.expiry().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_login_waits_for_the_refresh_of_another_process() {
    let begun = Begun::new().await;
    let slow = begun.server.with_slow_answers();
    let store = seeded("rt-0").await;
    let other = sharing(&slow, &store);
    let refreshing = other.clone();
    let mut refreshed = JoinSet::new();
    refreshed.spawn(async move { refreshing.refresh().await.map(drop) });
    slow.asked().await;
    let exchange = begun.exchange(&sharing(&begun.server, &store));
    let mut exchanged = JoinSet::new();
    exchanged.spawn(async move { exchange.send().await });
    sleep(Duration::from_secs(1)).await;
    assert_eq!(token(&*store, "refresh_token").await, secret("rt-0"));
    slow.open();
    refreshed.join_next().await.unwrap().unwrap().unwrap();
    let answer = exchanged.join_next().await.unwrap().unwrap().unwrap();
    let now = token(&*store, "refresh_token").await;
    assert_eq!(Some(now), answer.refresh_token);
    assert!(!other.has_unsaved_refresh_token());
}

#[tokio::test(start_paused = true)]
async fn a_login_is_written_although_the_leases_are_away() {
    let begun = Begun::new().await;
    let away = Arc::new(Fragile::default());
    away.is_unreadable.store(true, Ordering::Relaxed);
    let store = memory();
    let builder = begun.server.builder().store(Arc::clone(&store));
    let leases = Arc::new(StoreLeases::new(away));
    let credentials = builder.leases(leases).build().unwrap();
    let answer = begun.exchange(&credentials).send().await.unwrap();
    let now = token(&*store, "refresh_token").await;
    assert_eq!(Some(now), answer.refresh_token);
}

#[tokio::test(start_paused = true)]
async fn a_login_takes_the_place_of_tokens_that_are_not_saved_yet() {
    let begun = Begun::new().await;
    let fragile = Arc::new(Fragile::default());
    let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
    seed(&*store, "rt-0").await;
    let builder = begun.server.builder().store(Arc::clone(&store));
    let credentials = builder.build().unwrap();
    fragile.is_full.store(true, Ordering::Relaxed);
    credentials.refresh().await.unwrap();
    assert!(credentials.has_unsaved_refresh_token());
    fragile.is_full.store(false, Ordering::Relaxed);
    begun.exchange(&credentials).send().await.unwrap();
    assert!(!credentials.has_unsaved_refresh_token());
}

#[tokio::test]
async fn a_login_whose_access_token_is_not_cached_leaves_none_of_an_earlier_login() {
    let begun = Begun::new().await;
    let store = memory();
    put(&*store, &looks_good("rt-0")).await;
    let builder = begun.server.builder().store(Arc::clone(&store));
    let credentials = builder.cache_token(false).build().unwrap();
    let answer = begun.exchange(&credentials).send().await.unwrap();
    let now = record(&*store).await;
    assert_eq!(now["access_token"], json!(null));
    assert_eq!(
        now["refresh_token"].as_str().map(secret),
        answer.refresh_token
    );
    assert_eq!(had(&credentials).await, answer.access_token);
    // Nor does a process that caches them use it.
    let caching = sharing(&begun.server, &store);
    assert_ne!(had(&caching).await, secret("at-0"));
}

#[tokio::test]
async fn a_secret_that_is_not_kept_is_used_for_as_long_as_the_record_has_its_client() {
    let store = memory();
    let mut another = looks_good("rt-9");
    another["client_id"] = "another".into();
    put(&*store, &another).await;
    let server = TokenServer::new(true);
    let builder = server.builder().store(Arc::clone(&store));
    let credentials = builder.persist_client_secret(false).build().unwrap();
    for _ in 0..2 {
        let begun = Begun::at(server.clone()).await;
        begun.exchange(&credentials).send().await.unwrap();
        for _ in 0..2 {
            assert_eq!(record(&*store).await["client_secret"], json!(null));
            assert_eq!(credentials.source().await.unwrap(), Source::Store);
            let new = credentials.refresh().await.unwrap();
            assert_eq!(token(&*store, "access_token").await, new);
        }
    }
    assert_eq!(server.refused(), 0);
    // The record still counts.
    let mut renewed = record(&*store).await;
    renewed["access_token"] = "at-1".into();
    put(&*store, &renewed).await;
    let values = credentials.values().await.unwrap();
    assert_eq!(values.access_token, Some(secret("at-1")));
    another["client_secret"] = json!(null);
    put(&*store, &another).await;
    let error = credentials.refresh().await.unwrap_err();
    assert_eq!(error.missing().unwrap().values(), ["client_secret"]);
}

#[tokio::test]
async fn a_revoked_token_is_dropped_everywhere() {
    let server = TokenServer::new(true);
    let store = seeded("rt-0").await;
    let credentials = server.builder().store(Arc::clone(&store)).build().unwrap();
    credentials.revoke_access_token().await.unwrap();
    let now = record(&*store).await;
    assert_eq!(
        (&now["access_token"], &now["refresh_token"]),
        (&json!(null), &json!("rt-0"))
    );
    let error = credentials.revoke_access_token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PartialCredentials);
    credentials.revoke_refresh_token().await.unwrap();
    assert_eq!(record(&*store).await["refresh_token"], json!(null));
    assert_eq!(server.server.snapshot()["logins"][0]["revoked"], true);

    let given = server
        .builder()
        .client_id("c")
        .client_secret("s")
        .refresh_token("r");
    let given = given.access_token("a").build().unwrap();
    given.revoke_refresh_token().await.unwrap();
    let values = given.values().await.unwrap();
    assert_eq!((values.access_token, values.refresh_token), (None, None));
}

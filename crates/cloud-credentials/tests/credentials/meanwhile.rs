//! What is set, revoked or removed while a token is on its way stays as it is.

use std::sync::Arc;

use http::Method;
use http::header::LOCATION;
use serde_json::json;
use tokio::task::JoinSet;
use vouchsafe_cloud_credentials::mock::Seed;
use vouchsafe_cloud_credentials::{ErrorKind, Secret, TokenSource as _};
use vouchsafe_core::store::Store;
use vouchsafe_core::transport::Request;

use crate::fleet::{had, sharing};
use crate::logins::with_developer_token;
use crate::server::{Late, TokenServer, key, looks_good, memory, put, record, secret, token};

#[tokio::test(start_paused = true)]
async fn a_token_that_is_read_before_it_is_revoked_is_not_used_afterwards() {
    let server = TokenServer::new(true);
    let late = Arc::new(Late::writing());
    put(&late.store, &looks_good("rt-0")).await;
    let store: Arc<dyn Store> = Arc::clone(&late) as _;
    let credentials = sharing(&server, &store);
    let revoking = credentials.clone();
    let mut revoked = JoinSet::new();
    revoked.spawn(async move { revoking.revoke_access_token().await });
    // The server has revoked it, and it is about to be dropped from the record.
    late.begun().await;
    assert_eq!(had(&credentials).await, secret("at-0"));
    late.arrive();
    revoked.join_next().await.unwrap().unwrap().unwrap();
    assert_ne!(had(&credentials).await, secret("at-0"));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_read_late_is_not_used_once_its_profile_is_removed() {
    let server = TokenServer::new(true);
    let late = Arc::new(Late::default());
    put(&late.store, &looks_good("rt-0")).await;
    let store: Arc<dyn Store> = Arc::clone(&late) as _;
    let credentials = sharing(&server, &store);
    let reading = credentials.clone();
    let mut read = JoinSet::new();
    read.spawn(async move { reading.token().await });
    late.begun().await;
    assert!(credentials.remove_profile("default").await.unwrap());
    late.arrive();
    let error = read.join_next().await.unwrap().unwrap().unwrap_err();
    assert!(error.to_string().contains("refresh_token"), "{error}");
    let error = credentials.refresh().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PartialCredentials);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_does_not_replace_a_token_that_is_set_in_the_meantime() {
    let server = TokenServer::new(true);
    let slow = server.behind_a_gate();
    let builder = slow.builder().client_id("c").client_secret("s");
    let credentials = builder.refresh_token("rt-0").build().unwrap();
    let refreshing = credentials.clone();
    let mut refreshed = JoinSet::new();
    refreshed.spawn(async move { refreshing.refresh().await });
    slow.asked().await;
    credentials.set_access_token(Some(secret("mine")));
    slow.open();
    let new = refreshed.join_next().await.unwrap().unwrap().unwrap();
    assert_ne!(new, secret("mine"));
    assert_eq!(had(&credentials).await, secret("mine"));
    // What was issued is used nevertheless.
    assert_eq!(credentials.refresh().await.unwrap(), new);
    assert_ne!(credentials.refresh().await.unwrap(), new);
    assert_eq!((server.requests(), server.refused()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_redeemed_token_does_not_replace_one_that_is_set_in_the_meantime() {
    let seed = r#"{"clients": [], "developer_tokens": [{"token": "d"}]}"#;
    let server = TokenServer::seeded(&Seed::parse(seed).unwrap()).shut();
    let credentials = server.builder().developer_token("d").build().unwrap();
    let refreshing = credentials.clone();
    let mut refreshed = JoinSet::new();
    refreshed.spawn(async move { refreshing.refresh().await });
    server.asked().await;
    credentials.set_access_token(Some(secret("mine")));
    server.open();
    let new = refreshed.join_next().await.unwrap().unwrap().unwrap();
    assert_ne!(new, secret("mine"));
    assert_eq!(had(&credentials).await, secret("mine"));
}

#[tokio::test(start_paused = true)]
async fn a_redeemed_token_is_not_written_over_a_login_that_came_meanwhile() {
    // The last login is without a refresh token.
    for login in [
        looks_good("rt-9"),
        json!({"client_id": "c", "access_token": "at-0"}),
    ] {
        let server = with_developer_token();
        let slow = server.with_slow_answers();
        let store = memory();
        let builder = slow.builder().store(Arc::clone(&store));
        let credentials = builder.developer_token("d").build().unwrap();
        let refreshing = credentials.clone();
        let mut refreshed = JoinSet::new();
        refreshed.spawn(async move { refreshing.refresh().await });
        slow.asked().await;
        put(&*store, &login).await;
        slow.open();
        let new = refreshed.join_next().await.unwrap().unwrap().unwrap();
        assert_eq!(had(&credentials).await, new);
        assert_eq!(record(&*store).await, login);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_set_while_a_redeemed_token_is_written_is_not_written() {
    for readings in 1..6 {
        let server = with_developer_token();
        let late = Arc::new(Late::after(readings));
        let builder = server.builder().store(Arc::clone(&late) as _);
        let credentials = builder.developer_token("d").build().unwrap();
        let refreshing = credentials.clone();
        let mut refreshed = JoinSet::new();
        refreshed.spawn(async move { refreshing.refresh().await });
        late.begun().await;
        credentials.set_access_token(Some(secret("mine")));
        late.arrive();
        let new = refreshed.join_next().await.unwrap().unwrap().unwrap();
        if let Some(loaded) = late.store.load(&key()).await.unwrap() {
            let text = String::from_utf8(loaded.value.expose().to_vec()).unwrap();
            assert!(
                text.contains(new.expose()) && !text.contains("mine"),
                "{text}"
            );
        }
        assert_eq!(had(&credentials).await, secret("mine"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_is_written_as_it_was_issued_and_what_is_set_meanwhile_is_used() {
    const BACK: &str = "https://app.example.com/back";
    let server = TokenServer::new(true);
    let late = Arc::new(Late::after(1));
    let store: Arc<dyn Store> = Arc::clone(&late) as _;
    let builder = server.builder().store(Arc::clone(&store));
    let credentials = builder.redirect_uri(BACK).build().unwrap();
    let login = credentials.authorize().client_id("c").url().await.unwrap();
    let visit = Request::new(Method::GET, login.url.parse().unwrap());
    let back = server.server.handle(&visit).headers[LOCATION].clone();
    let code: Secret = login.callback(back.to_str().unwrap()).unwrap();
    let exchange = credentials.exchange(code).client_id("c").client_secret("s");
    let exchange = exchange.verifier(login.verifier.unwrap());
    let mut exchanged = JoinSet::new();
    exchanged.spawn(exchange.send());
    late.begun().await;
    assert_eq!(server.server.counts().of("authorization_code"), 1);
    credentials.set_access_token(Some(secret("mine")));
    credentials.set_refresh_token(Some(secret("other")));
    late.arrive();
    let answer = exchanged.join_next().await.unwrap().unwrap().unwrap();
    assert_eq!(token(&*store, "access_token").await, answer.access_token);
    assert_eq!(
        record(&*store).await["refresh_token"].as_str(),
        answer.refresh_token.as_ref().map(Secret::expose)
    );
    assert_eq!(had(&credentials).await, secret("mine"));
}

//! What is written over logins that belong to others, or are newer.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;
use vouchsafe_cloud_credentials::{Environment, Secret};
use vouchsafe_core::store::{MemoryStore, Store};

use crate::fleet::{had, sharing};
use crate::logins::{OnlyOne, given, two_logins, with_developer_token};
use crate::server::{
    Fragile, TokenServer, Told, looks_good, memory, put, record, secret, seed, seeded, token,
};

#[tokio::test(start_paused = true)]
async fn another_login_leaves_the_only_copy_of_a_given_one_in_its_own_record() {
    let server = two_logins();
    let store = memory();
    let of_a = given(&server, &store, "rt-a").refresh().await.unwrap();
    assert!(record(&*store).await["lineage"].is_string());
    // A user writes another login into the profile, twice.
    for _ in 0..2 {
        given(&server, &store, "rt-b").write().await.unwrap();
    }
    assert_eq!(token(&*store, "refresh_token").await, secret("rt-b"));
    let a = given(&server, &store, "rt-a");
    assert_eq!(had(&a).await, of_a);
    a.refresh().await.unwrap();
    sharing(&server, &store).refresh().await.unwrap();
    assert_eq!((server.requests(), server.refused()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_given_login_takes_its_newest_tokens_along_into_the_profile() {
    let server = two_logins();
    let store = seeded("rt-a").await;
    let first = given(&server, &store, "rt-b").refresh().await.unwrap();
    // A process that knows only the spent refresh token.
    let b = given(&server, &store, "rt-b");
    b.write().await.unwrap();
    assert_eq!(b.list_profiles().await.unwrap(), ["default"]);
    assert_eq!(token(&*store, "access_token").await, first);
    let second = sharing(&server, &store).refresh().await.unwrap();
    assert_eq!(had(&given(&server, &store, "rt-b")).await, second);
    b.write().await.unwrap();
    assert_eq!(token(&*store, "access_token").await, second);
    b.refresh().await.unwrap();
    assert_eq!((server.requests(), server.refused()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_spent_refresh_token_is_not_written_over_what_replaced_it() {
    let server = two_logins();
    let store = memory();
    let a = given(&server, &store, "rt-a");
    a.refresh().await.unwrap();
    let now = record(&*store).await;
    given(&server, &store, "rt-a").write().await.unwrap();
    assert_eq!(record(&*store).await, now);
    given(&server, &store, "rt-a").refresh().await.unwrap();
    // Nor by the process that obtained a replacement before that one.
    let now = record(&*store).await;
    a.write().await.unwrap();
    assert_eq!(record(&*store).await, now);
    a.refresh().await.unwrap();
    assert_eq!((server.requests(), server.refused()), (2, 0));
}

/// Returns the variables of a client that has a developer token, too.
fn variables() -> Environment {
    Environment::from_fn(|name| match name {
        "PAN_CLIENT_ID" | "PAN_CLIENT_SECRET" | "PAN_REFRESH_TOKEN" => {
            Some(Secret::from(format!("of {name}")))
        }
        "PAN_DEVELOPER_TOKEN" => Some(secret("d")),
        _ => None,
    })
}

#[tokio::test(start_paused = true)]
async fn a_redeemed_token_does_not_bring_variables_into_the_record() {
    let server = with_developer_token();
    let store = memory();
    let redeemed = async || {
        let builder = server.builder().store(Arc::clone(&store));
        let credentials = builder.environment(variables()).build().unwrap();
        credentials.refresh().await.unwrap()
    };
    seed(&*store, "rt-a").await;
    let login = record(&*store).await;
    redeemed().await;
    assert_eq!(record(&*store).await, login);
    // Without a login, the token alone is kept.
    let store = memory();
    let builder = server.builder().store(Arc::clone(&store));
    let credentials = builder.developer_token("d").build().unwrap();
    let new = credentials.refresh().await.unwrap();
    let now = record(&*store).await;
    assert_eq!(now["access_token"], json!(new.expose()));
    assert_eq!(now["client_id"], json!(null));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_saved_late_is_not_written_over_a_newer_one() {
    for (is_given, rotates) in [(false, false), (false, true), (true, false), (true, true)] {
        let server = TokenServer::new(rotates);
        let fragile = Arc::new(Fragile::default());
        let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
        seed(&*store, "rt-0").await;
        let credentials = match is_given {
            true => given(&server, &store, "rt-0"),
            false => sharing(&server, &store),
        };
        fragile.is_full.store(true, Ordering::Relaxed);
        let late = credentials.refresh().await.unwrap();
        fragile.is_full.store(false, Ordering::Relaxed);
        credentials.flush().await.unwrap();
        assert_eq!(token(&*store, "access_token").await, late);
        sharing(&server, &store).refresh().await.unwrap();
        let newer = record(&*store).await;
        credentials.write().await.unwrap();
        assert_eq!(record(&*store).await, newer, "{is_given} {rotates}");
        // Another secret is written, and nothing else.
        credentials.set_client_secret(Some(secret("new")));
        credentials.write().await.unwrap();
        let mut now = record(&*store).await;
        assert_eq!(now["client_secret"].take(), json!("new"));
        assert_eq!(now["access_token"], newer["access_token"]);
        // What the program sets is written, but not beside a refresh token that replaced the given one.
        credentials.set_access_token(Some(secret("mine")));
        credentials.write().await.unwrap();
        let is_written = token(&*store, "access_token").await == secret("mine");
        assert_eq!(is_written, !(is_given && rotates));
        assert_eq!((server.requests(), server.refused()), (2, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_redeemed_token_needs_no_other_record_than_that_of_the_profile() {
    let server = with_developer_token();
    let store: Arc<dyn Store> = Arc::new(OnlyOne(MemoryStore::new()));
    let told = Arc::new(Told::default());
    let builder = server.builder().store(Arc::clone(&store));
    let builder = builder.environment(variables()).events(told.clone());
    let new = builder.build().unwrap().refresh().await.unwrap();
    assert_eq!(token(&*store, "access_token").await, new);
    assert!(told.take().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_redeemed_token_that_cannot_be_saved_is_used_and_reported() {
    for has_variables in [false, true] {
        let server = with_developer_token();
        let store = Arc::new(Fragile::default());
        store.is_full.store(true, Ordering::Relaxed);
        let told = Arc::new(Told::default());
        let builder = server.builder().store(store.clone()).events(told.clone());
        let builder = match has_variables {
            true => builder.environment(variables()),
            false => builder.developer_token("d"),
        };
        let credentials = builder.build().unwrap();
        let new = credentials.refresh().await.unwrap();
        assert_eq!(had(&credentials).await, new);
        let told = told.take();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("unsaved default: "), "{told:?}");
        store.is_full.store(false, Ordering::Relaxed);
        credentials.write().await.unwrap();
        assert_eq!(token(&*store, "access_token").await, new);
        assert_eq!(server.requests(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_given_login_takes_the_token_along_that_another_process_renewed() {
    let server = TokenServer::new(false);
    let store = memory();
    put(&*store, &looks_good("another's")).await;
    let credentials = given(&server, &store, "rt-0");
    credentials.refresh().await.unwrap();
    let newer = given(&server, &store, "rt-0").refresh().await.unwrap();
    credentials.write().await.unwrap();
    assert_eq!(token(&*store, "refresh_token").await, secret("rt-0"));
    assert_eq!(token(&*store, "access_token").await, newer);
}

#[tokio::test(start_paused = true)]
async fn a_new_secret_of_the_client_drops_the_access_token() {
    let server = TokenServer::new(false);
    let store = seeded("rt-0").await;
    let credentials = sharing(&server, &store);
    credentials.refresh().await.unwrap();
    credentials.set_client_secret(Some(secret("new")));
    credentials.write().await.unwrap();
    let now = record(&*store).await;
    assert_eq!(
        (&now["client_secret"], &now["access_token"]),
        (&json!("new"), &json!(null))
    );
}

//! A login that is given to a program, while its profile has another one.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::sleep;
use vouchsafe_cloud_credentials::mock::{Rotation, Seed, TokenFormat};
use vouchsafe_cloud_credentials::{Credentials, CredentialsBuilder, TokenSource as _};
use vouchsafe_core::store::{MemoryStore, Store};

use crate::fleet::{had, sharing};
use crate::server::{TokenServer, Told, put, record, secret, seed, token};

/// A server that knows two logins, which end if a refresh token is used twice.
fn two_logins() -> TokenServer {
    let seed = r#"{
        "clients": [{"client_id": "c", "client_secret": "s"}],
        "tokens": [
            {"client_id": "c", "refresh_token": "rt-a"},
            {"client_id": "c", "refresh_token": "rt-b"}
        ]
    }"#;
    let seed = Seed::parse(seed).unwrap().settings(|settings| {
        settings.token_format = TokenFormat::Opaque;
        settings.rotation = Rotation::Revokes;
    });
    TokenServer::seeded(&seed)
}

fn giving(server: &TokenServer, store: &Arc<dyn Store>, refresh_token: &str) -> CredentialsBuilder {
    let builder = server.builder().store(Arc::clone(store));
    let builder = builder.client_id("c").client_secret("s");
    builder.refresh_token(refresh_token)
}

fn given(server: &TokenServer, store: &Arc<dyn Store>, refresh_token: &str) -> Credentials {
    giving(server, store, refresh_token).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn it_is_refreshed_beside_the_one_of_the_profile_which_stays() {
    let server = two_logins();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    seed(&*store, "rt-a").await;
    let (a, b) = (
        given(&server, &store, "rt-a"),
        given(&server, &store, "rt-b"),
    );
    for _ in 0..2 {
        let of_a = a.refresh().await.unwrap();
        let of_b = b.refresh().await.unwrap();
        assert_ne!(of_a, of_b);
        // Others find what belongs to them.
        assert_eq!(had(&sharing(&server, &store)).await, of_a);
        assert_eq!(had(&given(&server, &store, "rt-a")).await, of_a);
        assert_eq!(had(&given(&server, &store, "rt-b")).await, of_b);
    }
    assert_eq!((server.requests(), server.refused()), (4, 0));
    let names = a.list_profiles().await.unwrap();
    assert_eq!((names.len(), names[0].as_str()), (2, "default"));
    assert!(names[1].starts_with("default~"), "{names:?}");
    sharing(&server, &store).refresh().await.unwrap();
    // What is revoked is dropped there, too.
    b.revoke_access_token().await.unwrap();
    given(&server, &store, "rt-b").token().await.unwrap();
    assert_eq!(server.refused(), 0);
    assert_eq!(server.server.counts().refreshes(), 6);
}

#[tokio::test(start_paused = true)]
async fn it_does_not_overwrite_a_login_that_gets_into_the_record_first() {
    let server = two_logins();
    let slow = server.behind_a_gate();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let (a, b) = (given(&slow, &store, "rt-a"), given(&server, &store, "rt-b"));
    let mut first = JoinSet::new();
    first.spawn(async move { had(&a).await });
    slow.asked().await;
    let mut second = JoinSet::new();
    second.spawn(async move { had(&b).await });
    // It waits for the lease on the record that it expects to use.
    sleep(Duration::from_secs(1)).await;
    assert_eq!(server.requests(), 0);
    slow.open();
    let of_a = first.join_next().await.unwrap().unwrap();
    let of_b = second.join_next().await.unwrap().unwrap();
    assert_eq!((server.requests(), server.refused()), (2, 0));
    assert_eq!(token(&*store, "access_token").await, of_a);
    assert_eq!(had(&given(&server, &store, "rt-b")).await, of_b);
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn its_tokens_are_saved_beside_a_login_that_overtakes_them() {
    overtaken(0).await;
    // A process that starts with the spent refresh token.
    overtaken(1).await;
}

/// Lets a login take the record while tokens are on their way to it, after earlier refreshes.
async fn overtaken(earlier: u64) {
    let server = two_logins();
    let slow = server.with_slow_answers();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    for _ in 0..earlier {
        let refreshed = given(&server, &store, "rt-a").refresh().await;
        refreshed.unwrap();
    }
    let told = Arc::new(Told::default());
    let builder = giving(&slow, &store, "rt-a").events(told.clone());
    let a = builder.build().unwrap();
    let refreshing = a.clone();
    let mut refreshed = JoinSet::new();
    refreshed.spawn(async move { refreshing.refresh().await.unwrap() });
    slow.asked().await;
    let login = json!({"client_id": "c", "client_secret": "s", "refresh_token": "new login"});
    put(&*store, &login).await;
    slow.open();
    let new = refreshed.join_next().await.unwrap().unwrap();
    a.flush().await.unwrap();
    assert!(!a.has_unsaved_refresh_token());
    assert_eq!(record(&*store).await, login);
    let told = told.take();
    assert!(told[0].starts_with("unsaved default: "), "{told:?}");
    assert!(told[1].starts_with("saved default~"), "{told:?}");
    // A process that knows only the spent refresh token.
    assert_eq!(had(&given(&server, &store, "rt-a")).await, new);
    let all = earlier + 1;
    assert_eq!((server.requests(), server.refused()), (all, 0));
}

#[tokio::test(start_paused = true)]
async fn once_it_is_refused_no_process_sends_it_again() {
    let server = two_logins();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    seed(&*store, "rt-a").await;
    let before = record(&*store).await;
    let refuse = async |token: &str| {
        for _ in 0..3 {
            let error = given(&server, &store, token).refresh().await.unwrap_err();
            assert!(error.is_reauthorization_needed(), "{error}");
        }
    };
    refuse("revoked").await;
    assert_eq!((server.requests(), record(&*store).await), (1, before));
    // The same without a login in the record, which the next one uses.
    put(&*store, &json!({"client_id": "c", "note": "keep"})).await;
    refuse("other").await;
    assert_eq!(server.requests(), 2);
    let new = had(&given(&server, &store, "rt-b")).await;
    assert_eq!(token(&*store, "access_token").await, new);
    let now = record(&*store).await;
    assert_eq!((&now["dead"], &now["note"]), (&json!(null), &json!("keep")));
    assert_ne!(token(&*store, "refresh_token").await, secret("rt-b"));
}

//! Programs that use one profile in different ways at the same time: some with what is stored, some
//! with what they were given. No token that replaced another one is lost between them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use vouchsafe_cloud_credentials::Credentials;
use vouchsafe_cloud_credentials::mock::Seed;
use vouchsafe_core::store::{Key, Leases, Store, StoreLeases};

use crate::fleet::{had, sharing};
use crate::logins::{given, two_logins, with_developer_token};
use crate::server::{
    Fragile, Late, TokenServer, key, memory, put, put_at, record, secret, seed, seeded, token,
};

fn fragile() -> (Arc<Fragile>, Arc<dyn Store>) {
    let fragile = Arc::new(Fragile::default());
    (Arc::clone(&fragile), fragile)
}

/// Returns the key of the only own record.
async fn own(store: &dyn Store) -> Key {
    let names = store.list(key().namespace()).await.unwrap().unwrap();
    let own: Vec<_> = names.iter().filter(|name| name.contains('~')).collect();
    assert_eq!(own.len(), 1, "{names:?}");
    Key::new(key().namespace(), own[0].as_str())
}

/// Sets all values of a login.
fn set(credentials: &Credentials, refresh_token: &str) {
    credentials.set_client_id(Some("c".to_owned()));
    credentials.set_client_secret(Some(secret("s")));
    credentials.set_refresh_token(Some(secret(refresh_token)));
}

#[tokio::test(start_paused = true)]
async fn a_login_waits_for_a_refresh_of_the_one_that_it_replaces() {
    let server = two_logins();
    let store = memory();
    given(&server, &store, "rt-a").refresh().await.unwrap();
    let slow = server.with_slow_answers();
    let stored = sharing(&slow, &store);
    let mut refreshing = JoinSet::new();
    refreshing.spawn(async move { stored.refresh().await.unwrap() });
    slow.asked().await;
    let b = given(&server, &store, "rt-b");
    let mut writing = JoinSet::new();
    writing.spawn(async move { b.write().await.unwrap() });
    sleep(Duration::from_secs(1)).await;
    slow.open();
    let of_a = refreshing.join_next().await.unwrap().unwrap();
    writing.join_next().await.unwrap().unwrap();
    assert_eq!(token(&*store, "refresh_token").await, secret("rt-b"));
    let a = given(&server, &store, "rt-a");
    assert_eq!(had(&a).await, of_a);
    a.refresh().await.unwrap();
    assert_eq!((server.requests(), server.refused()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_login_leaves_tokens_that_were_not_saved_to_those_that_were_given_what_they_replaced() {
    let server = two_logins();
    let (fragile, store) = fragile();
    given(&server, &store, "rt-a").refresh().await.unwrap();
    fragile.is_full.store(true, Ordering::Relaxed);
    let stored = sharing(&server, &store);
    let of_a = stored.refresh().await.unwrap();
    fragile.is_full.store(false, Ordering::Relaxed);
    set(&stored, "rt-b");
    stored.write().await.unwrap();
    assert_eq!(token(&*store, "refresh_token").await, secret("rt-b"));
    assert_eq!(had(&given(&server, &store, "rt-a")).await, of_a);
    assert_eq!((server.requests(), server.refused()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn what_was_read_is_not_written_back() {
    let server = two_logins();
    let (fragile, store) = fragile();
    given(&server, &store, "rt-a").refresh().await.unwrap();
    let before = record(&*store).await;
    // Another secret does not make it another login.
    let stored = sharing(&server, &store);
    stored.set_client_secret(Some(secret("new")));
    stored.write().await.unwrap();
    let now = record(&*store).await;
    assert_eq!(now["client_secret"], json!("new"));
    assert_eq!(now["lineage"], before["lineage"]);
    put(&*store, &before).await;
    // Nor do tokens that are not saved yet.
    fragile.is_full.store(true, Ordering::Relaxed);
    let stored = sharing(&server, &store);
    let of_a = stored.refresh().await.unwrap();
    fragile.is_full.store(false, Ordering::Relaxed);
    stored.write().await.unwrap();
    stored.flush().await.unwrap();
    assert_eq!(record(&*store).await["lineage"], before["lineage"]);
    assert_eq!(had(&given(&server, &store, "rt-a")).await, of_a);
    assert_eq!((server.requests(), server.refused()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_redeemed_token_does_not_bring_back_a_refresh_token_that_was_read() {
    // Those before the token is redeemed, and those before it is written.
    for readings in [1, 2, 3] {
        let server = with_developer_token();
        let late = Arc::new(Late::after(readings));
        seed(&late.store, "rt-a").await;
        let store: Arc<dyn Store> = Arc::clone(&late) as _;
        let builder = server.builder().store(Arc::clone(&store));
        let developer = builder.developer_token("d").build().unwrap();
        let mut redeeming = JoinSet::new();
        redeeming.spawn(async move { developer.refresh().await.unwrap() });
        late.begun().await;
        sharing(&server, &store).refresh().await.unwrap();
        let new = token(&*store, "refresh_token").await;
        late.arrive();
        redeeming.join_next().await.unwrap().unwrap();
        assert_eq!(token(&*store, "refresh_token").await, new);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_waits_for_the_first_refresh_of_the_given_login() {
    let server = two_logins();
    let store = seeded("rt-a").await;
    let slow = server.with_slow_answers();
    let b = given(&slow, &store, "rt-b");
    let mut refreshing = JoinSet::new();
    refreshing.spawn(async move { b.refresh().await.unwrap() });
    slow.asked().await;
    let b = given(&server, &store, "rt-b");
    let mut writing = JoinSet::new();
    writing.spawn(async move { b.write().await.unwrap() });
    sleep(Duration::from_secs(1)).await;
    slow.open();
    let of_b = refreshing.join_next().await.unwrap().unwrap();
    writing.join_next().await.unwrap().unwrap();
    assert_eq!(token(&*store, "access_token").await, of_b);
    let stored = sharing(&server, &store);
    assert_eq!(stored.list_profiles().await.unwrap(), ["default"]);
    stored.refresh().await.unwrap();
    assert_eq!((server.requests(), server.refused()), (2, 0));
}

/// Puts a record with the tokens of another time back, as a program does that still had it.
async fn put_back(store: &dyn Store, mut old: Value) {
    old["expires_at"] = 1_700_000_000.into();
    put(store, &old).await;
}

#[tokio::test(start_paused = true)]
async fn a_login_does_not_overwrite_newer_tokens_of_an_own_record() {
    let server = two_logins();
    let store = memory();
    let a = given(&server, &store, "rt-a");
    a.refresh().await.unwrap();
    let old = record(&*store).await;
    given(&server, &store, "rt-b").write().await.unwrap();
    let of_a = a.refresh().await.unwrap();
    put_back(&*store, old).await;
    given(&server, &store, "rt-b").write().await.unwrap();
    let a = given(&server, &store, "rt-a");
    assert_eq!(had(&a).await, of_a);
    a.refresh().await.unwrap();
    assert_eq!((server.requests(), server.refused()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_revoked_access_token_does_not_make_an_older_copy_the_newer_one() {
    let server = two_logins();
    let store = memory();
    given(&server, &store, "rt-a").refresh().await.unwrap();
    let first = record(&*store).await;
    given(&server, &store, "rt-b").write().await.unwrap();
    let copy = own(&*store).await;
    put(&*store, &first).await;
    let a = given(&server, &store, "rt-a");
    put_at(&*store, &copy, "{}").await;
    a.refresh().await.unwrap();
    put_at(&*store, &copy, &first.to_string()).await;
    a.revoke_access_token().await.unwrap();
    let of_a = had(&given(&server, &store, "rt-a")).await;
    assert_eq!(token(&*store, "access_token").await, of_a);
    assert_eq!(server.refused(), 0);
}

#[tokio::test(start_paused = true)]
async fn tokens_of_a_given_login_are_saved_although_the_profile_of_another_was_removed() {
    let server = two_logins();
    let (fragile, store) = fragile();
    seed(&*store, "rt-a").await;
    fragile.is_full.store(true, Ordering::Relaxed);
    let b = given(&server, &store, "rt-b");
    let of_b = b.refresh().await.unwrap();
    fragile.is_full.store(false, Ordering::Relaxed);
    assert!(b.remove_profile("default").await.unwrap());
    b.flush().await.unwrap();
    assert!(!b.has_unsaved_refresh_token());
    assert_eq!(had(&given(&server, &store, "rt-b")).await, of_b);
    assert_eq!((server.requests(), server.refused()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn an_own_record_that_is_removed_is_not_made_again_for_tokens_that_were_not_saved() {
    let server = two_logins();
    let (fragile, store) = fragile();
    seed(&*store, "rt-a").await;
    let b = given(&server, &store, "rt-b");
    b.refresh().await.unwrap();
    let own = own(&*store).await;
    fragile.is_full.store(true, Ordering::Relaxed);
    b.refresh().await.unwrap();
    // By another process, which waits for the lease in vain.
    let other = sharing(&server, &store);
    assert!(other.remove_profile(own.profile()).await.unwrap());
    fragile.is_full.store(false, Ordering::Relaxed);
    b.flush().await.unwrap();
    assert_eq!(other.list_profiles().await.unwrap(), ["default"]);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_is_not_sent_again_because_it_is_given_in_another_way() {
    let server = two_logins();
    let (fragile, store) = fragile();
    seed(&*store, "rt-a").await;
    for is_stored_first in [true, false] {
        fragile.is_full.store(true, Ordering::Relaxed);
        let credentials = sharing(&server, &store);
        let now = token(&*store, "refresh_token").await;
        let now: &str = now.expose();
        if !is_stored_first {
            set(&credentials, now);
        }
        credentials.refresh().await.unwrap();
        match is_stored_first {
            true => set(&credentials, now),
            false => credentials.set_refresh_token(None),
        }
        credentials.refresh().await.unwrap();
        fragile.is_full.store(false, Ordering::Relaxed);
        credentials.flush().await.unwrap();
        assert!(!credentials.has_unsaved_refresh_token());
        assert_eq!(server.refused(), 0);
        sharing(&server, &store).refresh().await.unwrap();
    }
    assert_eq!(server.refused(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_own_record_does_not_keep_the_other_login_from_refreshing_for_ever() {
    let server = two_logins();
    let (fragile, store) = fragile();
    let leases: Arc<dyn Leases> = Arc::new(StoreLeases::new(memory()));
    seed(&*store, "rt-a").await;
    let b = crate::logins::giving(&server, &store, "rt-b");
    let b = b.leases(leases.clone()).build().unwrap();
    b.refresh().await.unwrap();
    let own = own(&*store).await;
    // Saving fails at first in a way that may pass, and then for good.
    fragile.broken.store(usize::MAX, Ordering::Relaxed);
    b.refresh().await.unwrap();
    fragile.broken.store(0, Ordering::Relaxed);
    put_at(&*store, &own, "damaged").await;
    sleep(Duration::from_secs(400)).await;
    let builder = server.builder().store(Arc::clone(&store)).leases(leases);
    builder.build().unwrap().refresh().await.unwrap();
    assert!(b.has_unsaved_refresh_token());
    assert_eq!((server.requests(), server.refused()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn the_secret_of_one_client_is_not_used_for_another_that_gets_into_the_record() {
    let seed_of_server = r#"{
        "clients": [
            {"client_id": "c", "client_secret": "s"}, {"client_id": "d", "client_secret": "t"}
        ],
        "tokens": [
            {"client_id": "c", "refresh_token": "rt-c"}, {"client_id": "d", "refresh_token": "rt-d"}
        ]
    }"#;
    let server = TokenServer::seeded(&Seed::parse(seed_of_server).unwrap());
    let late = Arc::new(Late::default());
    put(
        &late.store,
        &json!({"client_id": "c", "refresh_token": "rt-c"}),
    )
    .await;
    let store: Arc<dyn Store> = Arc::clone(&late) as _;
    let credentials = sharing(&server, &store);
    credentials.set_client_secret(Some(secret("s")));
    let mut refreshing = JoinSet::new();
    refreshing.spawn(async move { credentials.refresh().await });
    late.begun().await;
    let other = json!({"client_id": "d", "client_secret": "t", "refresh_token": "rt-d"});
    put(&late.store, &other).await;
    late.arrive();
    refreshing.join_next().await.unwrap().unwrap().unwrap();
    let now = record(&late.store).await;
    assert_eq!(
        (&now["client_id"], &now["client_secret"]),
        (&json!("d"), &json!("t"))
    );
    assert_eq!(now["dead"], json!(null));
    assert_eq!((server.requests(), server.refused()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_given_up_does_not_hold_up_its_own_process() {
    let server = two_logins();
    let (fragile, store) = fragile();
    seed(&*store, "rt-a").await;
    let leases: Arc<dyn Leases> = Arc::new(StoreLeases::new(memory()));
    let builder = server.builder().store(Arc::clone(&store));
    let credentials = builder.leases(Arc::clone(&leases)).build().unwrap();
    credentials.set_client_secret(Some(secret("s")));
    fragile.is_stuck.store(true, Ordering::Relaxed);
    let write = timeout(Duration::from_secs(1), credentials.write());
    assert!(write.await.is_err());
    fragile.is_stuck.store(false, Ordering::Relaxed);
    let refresh = timeout(Duration::from_secs(1), credentials.refresh());
    refresh.await.unwrap().unwrap();
    // It is released, too.
    let builder = server.builder().store(store).leases(leases);
    let other = builder.build().unwrap();
    let refresh = timeout(Duration::from_secs(1), other.refresh());
    refresh.await.unwrap().unwrap();
}

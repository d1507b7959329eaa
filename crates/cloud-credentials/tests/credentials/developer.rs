//! One request for all who have the same developer token.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;
use vouchsafe_cloud_credentials::file::FileStore;
use vouchsafe_cloud_credentials::mock::Seed;
use vouchsafe_cloud_credentials::{Credentials, CredentialsBuilder, Secret};
use vouchsafe_core::store::{Lease, Store, StoreLeases};

use crate::fleet::{had, same, taken, tasks_of};
use crate::server::{TokenServer, Told, memory, put, secret, token};
use crate::sources::variables;

fn redeeming() -> TokenServer {
    let seed = r#"{"clients": [], "developer_tokens": [{"token": "d"}]}"#;
    TokenServer::seeded(&Seed::parse(seed).unwrap())
}

fn redeemed(server: &TokenServer) -> u64 {
    server.server.counts().of("developer_token")
}

fn builder(server: &TokenServer, store: &Arc<dyn Store>) -> CredentialsBuilder {
    let builder = server.builder().store(Arc::clone(store));
    builder.developer_token("d")
}

fn stale() -> Value {
    json!({"access_token": "at-0", "expires_at": 1})
}

/// Returns a store whose record has a stale access token and nothing to renew it with.
async fn dead() -> Arc<dyn Store> {
    let store = memory();
    put(&*store, &stale()).await;
    store
}

/// The same, while another process has the lease.
async fn dead_and_leased() -> (Arc<dyn Store>, Lease) {
    let store = dead().await;
    let leases = StoreLeases::new(Arc::clone(&store));
    let lease = taken(&leases, Duration::from_secs(600)).await;
    (store, lease)
}

/// Has some tasks of each need a token at once, before the server answers any of them. All get the same.
async fn had_by_all(all: &[Credentials], server: &TokenServer) -> Secret {
    let tasks = tasks_of(all);
    server.open();
    same(tasks).await
}

#[tokio::test(start_paused = true)]
async fn many_tasks_on_many_objects_redeem_it_once() {
    let server = redeeming().shut();
    let store = dead().await;
    let process = |()| builder(&server, &store).build().unwrap();
    let all = [(); 10].map(process);
    let first = had_by_all(&all, &server).await;
    assert_eq!(token(&*store, "access_token").await, first);
    assert_eq!(redeemed(&server), 1);
    // A refused one is replaced once, too, by whoever is first.
    let mut tasks = JoinSet::new();
    for credentials in all {
        let stale = first.clone();
        tasks.spawn(async move { credentials.refresh_stale(&stale).await.unwrap() });
    }
    assert_ne!(same(tasks).await, first);
    assert_eq!(redeemed(&server), 2);
}

#[tokio::test(start_paused = true)]
async fn programs_that_are_given_a_client_share_it_too() {
    let server = redeeming().shut();
    let store = memory();
    let process = |()| {
        let environment = variables(&[("PAN_CLIENT_ID", "c")]);
        let builder = builder(&server, &store).environment(environment);
        builder.build().unwrap()
    };
    let all = [(); 10].map(process);
    let first = had_by_all(&all, &server).await;
    assert_eq!(redeemed(&server), 1);
    // Without a stale one, that of the record is.
    let second = all[0].refresh().await.unwrap();
    assert_ne!(second, first);
    assert_eq!(all[1].refresh().await.unwrap(), second);
    assert_eq!(redeemed(&server), 2);
    let new = process(()).refresh().await.unwrap();
    assert_ne!(new, second);
    assert_eq!(redeemed(&server), 3);
}

#[tokio::test(start_paused = true)]
async fn the_token_of_another_login_is_not_taken_for_a_redeemed_one() {
    let server = redeeming();
    let store = memory();
    let login = json!({"client_id": "other", "refresh_token": "rt", "access_token": "at-0"});
    put(&*store, &login).await;
    let environment = variables(&[("PAN_CLIENT_ID", "c"), ("PAN_REFRESH_TOKEN", "mine")]);
    let builder = builder(&server, &store).environment(environment);
    assert_ne!(had(&builder.build().unwrap()).await, secret("at-0"));
    assert_eq!(redeemed(&server), 1);
    assert_eq!(token(&*store, "access_token").await, secret("at-0"));
}

#[tokio::test(start_paused = true)]
async fn it_is_redeemed_although_another_holds_the_lease_for_too_long() {
    let server = redeeming();
    let (store, _lease) = dead_and_leased().await;
    let told = Arc::new(Told::default());
    let builder = builder(&server, &store).wait_time(Duration::from_secs(2));
    let credentials = builder.events(told.clone()).build().unwrap();
    let begun = Instant::now();
    let new = had(&credentials).await;
    assert_ne!(new, secret("at-0"));
    assert_eq!(begun.elapsed().as_secs(), 2);
    assert_eq!(had(&credentials).await, new);
    assert_eq!((redeemed(&server), told.take().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn it_is_not_waited_for_where_no_token_of_others_is_used() {
    let server = redeeming();
    let (store, _lease) = dead_and_leased().await;
    let credentials = builder(&server, &store).cache_token(false);
    let begun = Instant::now();
    let new = had(&credentials.build().unwrap()).await;
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert_ne!(new, secret("at-0"));
    assert_eq!(redeemed(&server), 1);
}

#[tokio::test]
async fn processes_redeem_it_once_through_the_file_of_credentials() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials.json");
    let server = redeeming().shut();
    put(&FileStore::new(&path), &stale()).await;
    let mut tasks = JoinSet::new();
    for _ in 0..4 {
        // One store each, as one process each has.
        let store: Arc<dyn Store> = Arc::new(FileStore::new(&path));
        let credentials = builder(&server, &store).build().unwrap();
        for _ in 0..10 {
            let credentials = credentials.clone();
            let stale = secret("at-0");
            tasks.spawn(async move { credentials.refresh_stale(&stale).await.unwrap() });
        }
    }
    server.open();
    assert_ne!(same(tasks).await, secret("at-0"));
    assert_eq!(redeemed(&server), 1);
}

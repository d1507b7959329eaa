//! One request for all who have the same developer token.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::Instant;
use vouchsafe_cloud_credentials::file::FileStore;
use vouchsafe_cloud_credentials::mock::Seed;
use vouchsafe_cloud_credentials::{Credentials, CredentialsBuilder, Secret};
use vouchsafe_core::store::{Acquired, Leases as _, MemoryStore, Store, StoreLeases};

use crate::fleet::had;
use crate::server::{TokenServer, Told, key, put, secret, token};
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

async fn dead(store: &dyn Store) {
    put(store, &json!({"access_token": "at-0", "expires_at": 1})).await;
}

/// Has some tasks of each need a token at once, which all get the same.
async fn had_by_all(all: Vec<Credentials>, server: &TokenServer) -> Secret {
    let mut tasks = JoinSet::new();
    for credentials in all {
        for _ in 0..20 {
            let credentials = credentials.clone();
            tasks.spawn(async move { had(&credentials).await });
        }
    }
    server.open();
    let mut tokens = tasks.join_all().await;
    tokens.dedup();
    assert_eq!(tokens.len(), 1);
    tokens.remove(0)
}

#[tokio::test(start_paused = true)]
async fn many_tasks_on_many_objects_redeem_it_once() {
    let server = redeeming().shut();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    dead(&*store).await;
    let process = |_| builder(&server, &store).build().unwrap();
    let all: Vec<_> = (0..10).map(process).collect();
    let first = had_by_all(all.clone(), &server).await;
    assert_eq!(token(&*store, "access_token").await, first);
    assert_eq!(redeemed(&server), 1);
    // A refused one is replaced once, too, by whoever is first.
    let mut tasks = JoinSet::new();
    for credentials in all {
        let stale = first.clone();
        tasks.spawn(async move { credentials.refresh_stale(&stale).await.unwrap() });
    }
    let mut second = tasks.join_all().await;
    second.dedup();
    assert!(second.len() == 1 && second[0] != first);
    assert_eq!(redeemed(&server), 2);
}

#[tokio::test(start_paused = true)]
async fn programs_that_are_given_a_client_share_it_too() {
    let server = redeeming().shut();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let process = |_| {
        let environment = variables(&[("PAN_CLIENT_ID", "c")]);
        let builder = builder(&server, &store).environment(environment);
        builder.build().unwrap()
    };
    let all: Vec<_> = (0..10).map(process).collect();
    let first = had_by_all(all.clone(), &server).await;
    assert_eq!(redeemed(&server), 1);
    // Without a stale one, that of the record is.
    let second = all[0].refresh().await.unwrap();
    assert_ne!(second, first);
    assert_eq!(all[1].refresh().await.unwrap(), second);
    assert_eq!(redeemed(&server), 2);
    let new = process(0).refresh().await.unwrap();
    assert_ne!(new, second);
    assert_eq!(redeemed(&server), 3);
}

#[tokio::test(start_paused = true)]
async fn the_token_of_another_login_is_not_taken_for_a_redeemed_one() {
    let server = redeeming();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
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
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    dead(&*store).await;
    let leases = StoreLeases::new(Arc::clone(&store));
    let taken = leases.acquire(&key(), Duration::from_secs(600)).await;
    assert!(matches!(taken.unwrap(), Acquired::Lease(_)));
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
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    dead(&*store).await;
    let leases = StoreLeases::new(Arc::clone(&store));
    let taken = leases.acquire(&key(), Duration::from_secs(600)).await;
    assert!(matches!(taken.unwrap(), Acquired::Lease(_)));
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
    dead(&FileStore::new(&path)).await;
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
    let mut tokens = tasks.join_all().await;
    tokens.dedup();
    assert_eq!(tokens.len(), 1);
    assert_eq!(redeemed(&server), 1);
}

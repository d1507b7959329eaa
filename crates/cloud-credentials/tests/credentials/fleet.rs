//! One refresh, whatever the number of those who need it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::timeout;
use vouchsafe_cloud_credentials::file::FileStore;
use vouchsafe_cloud_credentials::{Credentials, ErrorKind, Secret, TokenSource as _};
use vouchsafe_core::SecretBytes;
use vouchsafe_core::mock::ManualClock;
use vouchsafe_core::store::{
    Acquired, Expect, Lease, Leases, Store, StoreLeases, Swapped, WithLease,
};

use crate::server::{
    Late, TokenServer, Told, key, looks_good, memory, put, record, secret, seed, seeded, token,
};

pub(crate) fn sharing(server: &TokenServer, store: &Arc<dyn Store>) -> Credentials {
    server.builder().store(Arc::clone(store)).build().unwrap()
}

pub(crate) async fn had(credentials: &Credentials) -> Secret {
    credentials.token().await.unwrap().secret().clone()
}

/// Has some tasks of each process need a token at once.
pub(crate) fn tasks_of(processes: &[Credentials]) -> JoinSet<Secret> {
    let mut tasks = JoinSet::new();
    for credentials in processes {
        for _ in 0..20 {
            let credentials = credentials.clone();
            tasks.spawn(async move { had(&credentials).await });
        }
    }
    tasks
}

/// Returns the token that all tasks get.
pub(crate) async fn same(tasks: JoinSet<Secret>) -> Secret {
    let mut tokens = tasks.join_all().await;
    tokens.dedup();
    assert_eq!(tokens.len(), 1);
    tokens.remove(0)
}

/// Takes the lease that others wait for.
pub(crate) async fn taken(leases: &dyn Leases, time: Duration) -> Lease {
    let lease = match leases.acquire(&key(), time).await.unwrap() {
        Acquired::Lease(lease) => Some(lease),
        Acquired::Held { .. } => None,
    };
    lease.unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_leases_that_come_with_a_store_decide_who_refreshes() {
    let server = TokenServer::new(true);
    let elsewhere = memory();
    let leases = Arc::new(StoreLeases::new(elsewhere));
    let records = seeded("rt-0").await;
    let with_lease = WithLease::new(records, Arc::clone(&leases) as _).unwrap();
    let store: Arc<dyn Store> = Arc::new(with_lease);
    let lease = taken(&*leases, Duration::from_secs(20)).await;
    let credentials = sharing(&server, &store);
    let mut refreshing = JoinSet::new();
    refreshing.spawn(async move { credentials.refresh().await.unwrap() });
    let waited = timeout(Duration::from_secs(5), refreshing.join_next()).await;
    assert!(waited.is_err());
    assert_eq!(server.requests(), 0);
    assert!(leases.release(lease).await.unwrap());
    refreshing.join_next().await.unwrap().unwrap();
    assert_eq!(server.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn many_tasks_on_many_objects_that_share_a_store_make_one_request() {
    for rotates in [false, true] {
        let server = TokenServer::new(rotates).shut();
        let store = seeded("rt-0").await;
        let processes = [(); 10].map(|()| sharing(&server, &store));
        let tasks = tasks_of(&processes);
        server.open();
        let new = same(tasks).await;
        assert_ne!(new, secret("at-0"));
        assert_eq!(token(&*store, "access_token").await, new);
        assert_eq!(server.requests(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_neither_stops_the_refresh_nor_loses_the_token() {
    let server = TokenServer::new(true).shut();
    let store = seeded("rt-0").await;
    let credentials = sharing(&server, &store);
    let other = credentials.clone();
    let mut gone = JoinSet::new();
    gone.spawn(async move { other.refresh().await.map(drop) });
    tokio::task::yield_now().await;
    gone.shutdown().await;
    server.open();
    let new = had(&credentials).await;
    assert_eq!(server.requests(), 1);
    assert_eq!(token(&*store, "access_token").await, new);
    assert_ne!(token(&*store, "refresh_token").await, secret("rt-0"));
}

#[tokio::test(start_paused = true)]
async fn a_process_that_is_suspended_before_its_request_sends_nothing_after_its_lease() {
    let server = TokenServer::new(true);
    let suspended = server.behind_a_gate();
    let store = seeded("rt-0").await;
    let clock = Arc::new(ManualClock::running());
    let process = |server: &TokenServer| {
        let builder = server.builder().store(Arc::clone(&store));
        builder.clock(Arc::clone(&clock) as _).build().unwrap()
    };
    let (holder, other) = (process(&suspended), process(&server));
    let mut waiting = JoinSet::new();
    waiting.spawn(async move { had(&holder).await });
    suspended.asked().await;
    // It has made sure of its lease, and would send its request now.
    clock.advance(Duration::from_secs(31));
    let new = had(&other).await;
    suspended.open();
    assert_eq!(waiting.join_next().await.unwrap().unwrap(), new);
    assert_eq!((server.requests(), server.refused()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn processes_whose_clocks_differ_do_not_take_the_lease_from_each_other_for_ever() {
    let server = TokenServer::new(true);
    let store = seeded("rt-0").await;
    let clocks = [31, 91].map(|ahead| {
        let clock = ManualClock::running();
        clock.advance(Duration::from_secs(ahead));
        Arc::new(clock)
    });
    // A process died with the lease.
    let leases = StoreLeases::with_clock(Arc::clone(&store), Arc::new(ManualClock::running()));
    let _lease = taken(&leases, Duration::from_secs(30)).await;
    let mut waiting = JoinSet::new();
    for clock in clocks {
        let builder = server.builder().store(Arc::clone(&store)).clock(clock);
        // So that the lease has to be renewed before the request.
        let builder = builder.request_time(Duration::from_secs(25));
        let credentials = builder.build().unwrap();
        waiting.spawn(async move { had(&credentials).await });
    }
    let tokens = timeout(Duration::from_secs(600), waiting.join_all()).await;
    let tokens = tokens.unwrap();
    assert_eq!(tokens[0], tokens[1]);
    assert_eq!((server.requests(), server.refused()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_lease_may_last_for_ever() {
    let server = TokenServer::new(true);
    let store = seeded("rt-0").await;
    let builder = server.builder().store(Arc::clone(&store));
    let credentials = builder.lease_time(Duration::MAX).build().unwrap();
    let new = credentials.refresh().await.unwrap();
    assert_eq!(token(&*store, "access_token").await, new);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_cannot_be_followed_by_another_is_damaged() {
    let server = TokenServer::new(true);
    let store = seeded("rt-0").await;
    let last = SecretBytes::from(format!("{} 0 0 0", u64::MAX).into_bytes());
    let lease = key().lease();
    let put = store.compare_and_swap(&lease, &Expect::Any, &last).await;
    assert!(matches!(put.unwrap(), Swapped::Done(_)));
    let error = sharing(&server, &store).refresh().await.unwrap_err();
    assert!(error.to_string().contains("is damaged"), "{error}");
    assert_eq!(server.requests(), 0);
}

#[tokio::test(start_paused = true)]
async fn each_refresh_sends_the_refresh_token_of_the_last_one() {
    let server = TokenServer::new(true);
    let store = seeded("rt-0").await;
    // Each process uses the record, whichever process wrote it.
    let (one, two) = (sharing(&server, &store), sharing(&server, &store));
    let mut tokens = vec![secret("rt-0")];
    for credentials in [&one, &two, &two, &one] {
        let new = credentials.refresh().await.unwrap();
        assert_eq!(token(&*store, "access_token").await, new);
        let next = token(&*store, "refresh_token").await;
        assert!(!tokens.contains(&next));
        tokens.push(next);
    }
    // One that was used twice would have ended the login.
    assert_eq!((server.requests(), server.refused()), (4, 0));
}

#[tokio::test(start_paused = true)]
async fn processes_that_were_given_one_refresh_token_share_what_replaced_it() {
    let server = TokenServer::new(true);
    let store = memory();
    let given = || {
        let builder = server.builder().store(Arc::clone(&store));
        let builder = builder
            .client_id("c")
            .client_secret("s")
            .refresh_token("rt-0");
        builder.build().unwrap()
    };
    let one = given();
    let first = had(&one).await;
    let two = given();
    assert_eq!(had(&two).await, first);
    assert_eq!(server.requests(), 1);
    let second = two.refresh().await.unwrap();
    assert_ne!(second, first);
    assert_eq!(one.refresh_stale(&first).await.unwrap(), second);
    let newest = token(&*store, "refresh_token").await;
    assert_eq!(
        one.values().await.unwrap().refresh_token,
        Some(newest.clone())
    );
    assert_eq!((server.requests(), server.refused()), (2, 0));
    // Another login has nothing to do with it.
    let other = server
        .builder()
        .store(Arc::clone(&store))
        .client_id("c")
        .client_secret("s");
    let other = other.refresh_token("other").build().unwrap();
    let error = other.refresh().await.unwrap_err();
    assert!(error.is_reauthorization_needed());
    assert_eq!(token(&*store, "refresh_token").await, newest);
}

#[tokio::test(start_paused = true)]
async fn a_refused_refresh_token_is_not_sent_again_until_it_changes() {
    let server = TokenServer::new(true);
    let store = seeded("revoked").await;
    for _ in 0..3 {
        let credentials = sharing(&server, &store);
        let error = credentials.refresh().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TokenEndpoint);
        assert!(error.is_reauthorization_needed(), "{error}");
        assert!(!format!("{error} {error:?}").contains("revoked"));
    }
    assert_eq!(server.requests(), 1);
    seed(&*store, "rt-0").await;
    had(&sharing(&server, &store)).await;
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_login_during_a_refresh_is_not_overwritten() {
    let server = TokenServer::new(true).shut();
    let store = seeded("rt-0").await;
    let told = Arc::new(Told::default());
    let builder = server.builder().store(Arc::clone(&store));
    let credentials = builder.events(told.clone()).build().unwrap();
    let mut refreshing = JoinSet::new();
    refreshing.spawn(async move { had(&credentials).await });
    tokio::task::yield_now().await;
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    let login = json!({"client_id": "c", "client_secret": "s", "refresh_token": "new login"});
    put(&*store, &login).await;
    server.open();
    assert_ne!(
        refreshing.join_next().await.unwrap().unwrap(),
        secret("at-0")
    );
    assert_eq!(record(&*store).await["refresh_token"], "new login");
    let told = told.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("unsaved default: "), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_does_not_concern_the_tokens_survives_a_refresh() {
    let server = TokenServer::new(true).shut();
    let store = seeded("rt-0").await;
    let credentials = sharing(&server, &store);
    let mut refreshing = JoinSet::new();
    refreshing.spawn(async move { had(&credentials).await });
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    let mut there = record(&*store).await;
    there["note"] = "keep".into();
    put(&*store, &there).await;
    server.open();
    let new = refreshing.join_next().await.unwrap().unwrap();
    assert_eq!(token(&*store, "access_token").await, new);
    assert_eq!(record(&*store).await["note"], "keep");
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_shared_for_a_moment_and_changes_nothing() {
    let server = TokenServer::new(true);
    let store = seeded("rt-0").await;
    let before = record(&*store).await;
    let credentials = sharing(&server, &store);
    server.fail_with(Some(503));
    for _ in 0..5 {
        let error = credentials.token().await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
    }
    assert_eq!(server.requests(), 1);
    assert_eq!(record(&*store).await, before);
    server.fail_with(None);
    tokio::time::advance(std::time::Duration::from_secs(2)).await;
    let new = had(&credentials).await;
    assert_eq!(token(&*store, "access_token").await, new);
}

#[tokio::test(start_paused = true)]
async fn a_refused_access_token_is_replaced_once_and_a_static_one_stays() {
    let server = TokenServer::new(true);
    let builder = server.builder().client_id("c").client_secret("s");
    let credentials = builder
        .refresh_token("rt-0")
        .access_token("opaque")
        .build()
        .unwrap();
    let first = credentials.token().await.unwrap();
    assert_eq!(first.secret().expose(), "opaque");
    credentials.forget(first.generation());
    let second = credentials.token().await.unwrap();
    assert_ne!(second.secret(), first.secret());
    // A late refusal of the old one.
    credentials.forget(first.generation());
    assert_eq!(
        credentials.token().await.unwrap().generation(),
        second.generation()
    );
    assert_eq!(server.requests(), 1);

    let fixed = server.builder().access_token("opaque").build().unwrap();
    let token = fixed.token().await.unwrap();
    fixed.forget(token.generation());
    let again = fixed.token().await.unwrap();
    assert_eq!(again.generation(), token.generation());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_read_late_does_not_take_the_place_of_a_newer_one() {
    let server = TokenServer::new(true);
    let late = Arc::new(Late::default());
    put(&late.store, &looks_good("rt-0")).await;
    let store: Arc<dyn Store> = Arc::clone(&late) as _;
    let credentials = sharing(&server, &store);
    let slow = credentials.clone();
    let mut reading = JoinSet::new();
    reading.spawn(async move { had(&slow).await });
    tokio::task::yield_now().await;
    let stale = credentials.token().await.unwrap();
    assert_eq!(stale.secret().expose(), "at-0");
    credentials.forget(stale.generation());
    let new = had(&credentials).await;
    assert_ne!(new, secret("at-0"));
    late.arrive();
    assert_eq!(reading.join_next().await.unwrap().unwrap(), new);
    assert_eq!(had(&credentials).await, new);
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn processes_share_a_refresh_through_the_file_of_credentials() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials.json");
    let server = TokenServer::new(true);
    seed(&FileStore::new(&path), "rt-0").await;
    let mut tasks = JoinSet::new();
    for _ in 0..4 {
        // One store each, as one process each has.
        let store: Arc<dyn Store> = Arc::new(FileStore::new(&path));
        let credentials = sharing(&server, &store);
        for _ in 0..10 {
            let credentials = credentials.clone();
            let stale = secret("at-0");
            tasks.spawn(async move { credentials.refresh_stale(&stale).await.unwrap() });
        }
    }
    assert_ne!(same(tasks).await, secret("at-0"));
    assert_eq!(server.requests(), 1);
}

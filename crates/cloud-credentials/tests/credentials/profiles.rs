//! Profiles that are renamed and removed, also while they are refreshed.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;
use vouchsafe_cloud_credentials::{Credentials, ErrorKind, Secret};
use vouchsafe_core::ErrorKind as Kind;
use vouchsafe_core::mock::ManualClock;
use vouchsafe_core::store::{Expect, Key, Store, Swapped};

use crate::fleet::sharing;
use crate::server::{Fragile, Late, TokenServer, key, looks_good, put, seed, seeded, token};

#[tokio::test(start_paused = true)]
async fn a_profile_is_renamed_after_its_refresh_and_not_in_the_middle_of_it() {
    let server = TokenServer::new(true);
    let slow = server.behind_a_gate();
    let store = seeded("rt-0").await;
    let (one, two) = (sharing(&slow, &store), sharing(&server, &store));
    let mut waiting = JoinSet::new();
    waiting.spawn(async move { one.refresh().await });
    slow.asked().await;
    let renaming = two.clone();
    waiting.spawn(async move {
        renaming.rename_profile("default", "dev").await?;
        renaming.values().await.map(|_| Secret::from(""))
    });
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    slow.open();
    while let Some(done) = waiting.join_next().await {
        done.unwrap().unwrap();
    }
    let names = two.list_profiles().await.unwrap();
    assert_eq!(names, ["dev"]);
    let dev = server.builder().store(Arc::clone(&store)).profile("dev");
    let dev = dev.build().unwrap();
    let kept = dev.values().await.unwrap().refresh_token.unwrap();
    assert!(server.server.takes_refresh_token(&kept));
}

#[tokio::test(start_paused = true)]
async fn a_profile_whose_refresh_could_not_be_saved_is_not_renamed() {
    let server = TokenServer::new(true);
    let slow = server.behind_a_gate();
    let fragile = Arc::new(Fragile::default());
    let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
    seed(&*store, "rt-0").await;
    let credentials = sharing(&slow, &store);
    let (refreshing, renaming) = (credentials.clone(), credentials);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { refreshing.refresh().await.map(drop) });
    slow.asked().await;
    fragile.is_full.store(true, Ordering::Relaxed);
    slow.open();
    // It waits for the lease of the refresh.
    let error = renaming.rename_profile("default", "dev").await.unwrap_err();
    assert!(error.to_string().contains("not saved yet"), "{error}");
    tasks.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_profile_is_not_renamed_after_the_lease_on_it_was_lost() {
    let server = TokenServer::new(true);
    let slow = server.behind_a_gate();
    let late = Arc::new(Late::writing());
    put(&late.store, &looks_good("rt-0")).await;
    let store: Arc<dyn Store> = Arc::clone(&late) as _;
    let clock = Arc::new(ManualClock::running());
    let process = |server: &TokenServer| {
        let builder = server.builder().store(Arc::clone(&store));
        builder.clock(Arc::clone(&clock) as _).build().unwrap()
    };
    let (one, two) = (process(&server), process(&slow));
    let mut renaming = JoinSet::new();
    renaming.spawn(async move { one.rename_profile("default", "dev").await });
    late.begun().await;
    clock.advance(Duration::from_secs(31));
    let mut refreshing = JoinSet::new();
    refreshing.spawn(async move { two.refresh().await });
    slow.asked().await;
    late.arrive();
    let error = renaming.join_next().await.unwrap().unwrap().unwrap_err();
    assert!(error.is_retryable(), "{error}");
    slow.open();
    let new = refreshing.join_next().await.unwrap().unwrap().unwrap();
    assert_eq!(token(&*store, "access_token").await, new);
    let names = process(&server).list_profiles().await.unwrap();
    assert_eq!(names, ["default"]);
}

#[tokio::test(start_paused = true)]
async fn a_renaming_that_is_dropped_goes_on() {
    let server = TokenServer::new(true);
    let late = Arc::new(Late::writing());
    put(&late.store, &looks_good("rt-0")).await;
    let store: Arc<dyn Store> = Arc::clone(&late) as _;
    let credentials = sharing(&server, &store);
    let renaming = credentials.clone();
    let mut dropped = JoinSet::new();
    dropped.spawn(async move { renaming.rename_profile("default", "dev").await });
    late.begun().await;
    dropped.shutdown().await;
    late.arrive();
    // It is the same renaming.
    credentials.rename_profile("default", "dev").await.unwrap();
    assert_eq!(credentials.list_profiles().await.unwrap(), ["dev"]);
}

#[tokio::test(start_paused = true)]
async fn a_renaming_that_failed_half_way_is_completed_by_another() {
    for rotates in [false, true] {
        let server = TokenServer::new(rotates);
        let fragile = Arc::new(Fragile::default());
        let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
        seed(&*store, "rt-0").await;
        let credentials = sharing(&server, &store);
        fragile.keeps_records.store(true, Ordering::Relaxed);
        let rename = || credentials.rename_profile("default", "dev");
        rename().await.unwrap_err();
        assert_eq!(
            credentials.list_profiles().await.unwrap(),
            ["default", "dev"]
        );
        fragile.keeps_records.store(false, Ordering::Relaxed);
        if !rotates {
            // The same login, which was used in the meantime.
            credentials.refresh().await.unwrap();
        }
        let newest = token(&*store, "access_token").await;
        rename().await.unwrap();
        assert_eq!(credentials.list_profiles().await.unwrap(), ["dev"]);
        let dev = server.builder().store(Arc::clone(&store)).profile("dev");
        let values = dev.build().unwrap().values().await.unwrap();
        assert_eq!(values.access_token, Some(newest));
    }
}

#[tokio::test(start_paused = true)]
async fn a_renaming_that_comes_too_late_removes_no_profile_that_was_there_before() {
    let server = TokenServer::new(false);
    let late = Arc::new(Late::writing());
    put(&late.store, &looks_good("rt-0")).await;
    let store: Arc<dyn Store> = Arc::clone(&late) as _;
    // The same login under the other name, such as of an earlier renaming.
    let there = late.store.load(&key()).await.unwrap().unwrap().value;
    let dev = Key::new("profiles", "dev");
    let done = late.store.compare_and_swap(&dev, &Expect::Absent, &there);
    assert!(matches!(done.await.unwrap(), Swapped::Done(_)));
    let clock = Arc::new(ManualClock::running());
    let [one, _] = each(&server, &store, &clock);
    let mut renaming = JoinSet::new();
    renaming.spawn(async move { one.rename_profile("default", "dev").await });
    late.begun().await;
    let mut changed = looks_good("rt-0");
    changed["access_token"] = "at-1".into();
    put(&late.store, &changed).await;
    late.arrive();
    let error = renaming.join_next().await.unwrap().unwrap().unwrap_err();
    assert!(error.is_retryable(), "{error}");
    let [credentials, _] = each(&server, &store, &clock);
    let names = credentials.list_profiles().await.unwrap();
    assert_eq!(names, ["default", "dev"]);
}

#[tokio::test(start_paused = true)]
async fn a_profile_does_not_take_the_name_of_another_login_or_its_own() {
    let server = TokenServer::new(true);
    let store = seeded("rt-0").await;
    let other = looks_good("rt-1").to_string().into_bytes().into();
    let dev = Key::new("profiles", "dev");
    let done = store.compare_and_swap(&dev, &Expect::Absent, &other).await;
    assert!(matches!(done.unwrap(), Swapped::Done(_)));
    let credentials = sharing(&server, &store);
    for to in ["dev", "default"] {
        let error = credentials.rename_profile("default", to).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Core(Kind::Conflict), "{error}");
    }
    let error = credentials.rename_profile("none", "x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Core(Kind::NotFound), "{error}");
    let names = credentials.list_profiles().await.unwrap();
    assert_eq!(names, ["default", "dev"]);
}

/// A process that uses the record, and one that was given the same refresh token.
fn each(
    server: &TokenServer,
    store: &Arc<dyn Store>,
    clock: &Arc<ManualClock>,
) -> [Credentials; 2] {
    let builder = || {
        let builder = server.builder().store(Arc::clone(store));
        builder.clock(Arc::clone(clock) as _)
    };
    let given = builder().client_id("c").client_secret("s");
    [builder(), given.refresh_token("rt-0")].map(|builder| builder.build().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_is_removed_during_a_refresh_is_removed_after_it() {
    for which in 0..2 {
        let server = TokenServer::new(true);
        let slow = server.behind_a_gate();
        let store = seeded("rt-0").await;
        let clock = Arc::new(ManualClock::running());
        let refreshing = each(&slow, &store, &clock)[which].clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { refreshing.refresh().await.map(drop) });
        slow.asked().await;
        let removing = sharing(&server, &store);
        tasks.spawn(async move { removing.remove_profile("default").await.map(drop) });
        sleep(Duration::from_secs(1)).await;
        assert!(store.load(&key()).await.unwrap().is_some());
        slow.open();
        while let Some(done) = tasks.join_next().await {
            done.unwrap().unwrap();
        }
        assert_eq!(store.load(&key()).await.unwrap(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_lost_its_lease_does_not_write_a_removed_profile_again() {
    for which in 0..2 {
        let server = TokenServer::new(true);
        let slow = server.with_slow_answers();
        let store = seeded("rt-0").await;
        let clock = Arc::new(ManualClock::running());
        let credentials = each(&slow, &store, &clock)[which].clone();
        let refreshing = credentials.clone();
        let mut refreshed = JoinSet::new();
        refreshed.spawn(async move { refreshing.refresh().await });
        slow.asked().await;
        clock.advance(Duration::from_secs(31));
        let [removing, _] = each(&server, &store, &clock);
        assert!(removing.remove_profile("default").await.unwrap());
        slow.open();
        let new = refreshed.join_next().await.unwrap().unwrap().unwrap();
        // Nor do later attempts to save it.
        sleep(Duration::from_secs(120)).await;
        credentials.flush().await.unwrap();
        assert_eq!(store.load(&key()).await.unwrap(), None, "{which}");
        assert_ne!(new, Secret::from("at-0"));
        if which == 1 {
            // A refresh that begins afterwards has what it was given, and what came of it.
            credentials.refresh().await.unwrap();
            assert!(store.load(&key()).await.unwrap().is_some());
        }
        assert_eq!(server.refused(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_profile_is_removed_with_its_tokens_that_are_not_saved_yet() {
    let server = TokenServer::new(true);
    let fragile = Arc::new(Fragile::default());
    let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
    seed(&*store, "rt-0").await;
    let credentials = sharing(&server, &store);
    fragile.is_full.store(true, Ordering::Relaxed);
    credentials.refresh().await.unwrap();
    assert!(credentials.has_unsaved_refresh_token());
    assert!(credentials.remove_profile("default").await.unwrap());
    assert!(!credentials.has_unsaved_refresh_token());
}

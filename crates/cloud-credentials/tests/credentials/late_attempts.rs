//! When and over what a login is written that could not be saved.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use vouchsafe_cloud_credentials::{Credentials, ErrorKind};
use vouchsafe_core::ErrorKind as Kind;
use vouchsafe_core::store::{Acquired, Expect, Key, Leases as _, Store, StoreLeases};

use crate::fleet::{had, sharing};
use crate::login::Begun;
use crate::server::{
    Fragile, TokenServer, Told, key, looks_good, put, record, secret, seed, token,
};

/// A login that could not be saved since the disk was full.
struct Full {
    begun: Begun,
    fragile: Arc<Fragile>,
    store: Arc<dyn Store>,
    told: Arc<Told>,
    credentials: Credentials,
}

impl Full {
    async fn new(is_given: bool) -> Self {
        let begun = Begun::at(TokenServer::new(true).shut()).await;
        let fragile = Arc::new(Fragile::default());
        let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
        seed(&*store, "rt-0").await;
        fragile.is_full.store(true, Ordering::Relaxed);
        let told = Arc::new(Told::default());
        let mut builder = begun.server.builder().store(Arc::clone(&store));
        if is_given {
            builder = builder.client_id("c").client_secret("s");
            builder = builder.refresh_token("rt-0");
        }
        let credentials = builder.events(told.clone()).build().unwrap();
        Self {
            begun,
            fragile,
            store,
            told,
            credentials,
        }
    }

    async fn log_in(&self) {
        self.begun.server.open();
        let issued = self.begun.exchange(&self.credentials).send().await;
        issued.unwrap_err();
    }

    fn heal(&self) {
        self.fragile.is_full.store(false, Ordering::Relaxed);
        self.fragile.is_unreadable.store(false, Ordering::Relaxed);
    }

    /// Asserts that the record has the login, and that neither tokens nor the program are in doubt.
    async fn assert_saved(&self, case: &str) {
        assert!(!self.credentials.has_unsaved_refresh_token(), "{case}");
        let values = self.credentials.values().await.unwrap();
        let saved = token(&*self.store, "refresh_token").await;
        assert_eq!(Some(saved), values.refresh_token, "{case}");
        self.credentials.flush().await.unwrap();
        let told = self.told.take();
        let other = told.iter().find(|line| line.contains("another login"));
        assert_eq!(other, None, "{case}");
        sharing(&self.begun.server, &self.store)
            .refresh()
            .await
            .unwrap();
        assert_eq!(self.begun.server.refused(), 0, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_takes_the_place_of_what_this_process_made_of_the_one_before_it() {
    for is_given in [false, true] {
        for case in ["refreshed before", "refreshed meanwhile"] {
            for flushes in [false, true] {
                let full = Full::new(is_given).await;
                let old = full.credentials.clone();
                let mut refreshes = JoinSet::new();
                if case == "refreshed before" {
                    full.begun.server.open();
                    old.refresh().await.unwrap();
                } else {
                    refreshes.spawn(async move { old.refresh().await });
                    full.begun.server.asked().await;
                }
                full.log_in().await;
                for refreshed in refreshes.join_all().await {
                    refreshed.unwrap();
                }
                full.heal();
                match flushes {
                    true => full.credentials.flush().await.unwrap(),
                    false => sleep(Duration::from_secs(100)).await,
                }
                full.assert_saved(&format!("{case} {is_given} {flushes}"))
                    .await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_takes_the_place_of_what_was_refreshed_after_it_had_begun() {
    let full = Full::new(false).await;
    full.fragile.is_full.store(false, Ordering::Relaxed);
    let (mut refreshing, mut exchanging) = (JoinSet::new(), JoinSet::new());
    let old = full.credentials.clone();
    refreshing.spawn(async move { old.refresh().await });
    full.begun.server.asked().await;
    exchanging.spawn(full.begun.exchange(&full.credentials).send());
    full.begun.server.asked().await;
    full.begun.server.open_once();
    refreshing.join_next().await.unwrap().unwrap().unwrap();
    full.fragile.is_unreadable.store(true, Ordering::Relaxed);
    full.begun.server.open();
    exchanging.join_next().await.unwrap().unwrap().unwrap_err();
    full.heal();
    sleep(Duration::from_secs(100)).await;
    full.assert_saved("refreshed").await;
}

#[tokio::test(start_paused = true)]
async fn a_second_login_takes_the_place_of_the_first_one_and_of_no_other() {
    for (case, is_given) in [
        ("nothing", false),
        ("nothing", true),
        // As far as this process knows, it was not.
        ("the first was saved", false),
        ("the first was saved", true),
        ("another came", false),
        ("another came", true),
    ] {
        let full = Full::new(is_given).await;
        full.log_in().await;
        let first = full.credentials.values().await.unwrap().refresh_token;
        let second = Begun::at(full.begun.server.clone()).await;
        let _ = full.begun.server.clone().shut();
        // The first one.
        full.begun.server.asked().await;
        let mut exchanging = JoinSet::new();
        exchanging.spawn(second.exchange(&full.credentials).send());
        full.begun.server.asked().await;
        // What is there cannot be read any more.
        full.fragile.is_unreadable.store(true, Ordering::Relaxed);
        full.begun.server.open();
        exchanging.join_next().await.unwrap().unwrap().unwrap_err();
        let later = looks_good("rt-9");
        full.heal();
        match case {
            "another came" => put(&*full.store, &later).await,
            "the first was saved" => {
                put(&*full.store, &looks_good(first.unwrap().expose())).await;
            }
            _ => {}
        }
        sleep(Duration::from_secs(100)).await;
        if case == "another came" {
            assert_eq!(record(&*full.store).await, later);
            let error = full.credentials.flush().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Core(Kind::Conflict), "{error}");
        } else {
            full.assert_saved(case).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_takes_the_place_of_the_one_before_it_although_others_have_refreshed_that() {
    let full = Full::new(true).await;
    full.heal();
    full.begun.server.open();
    let issued = full.begun.exchange(&full.credentials).send().await;
    issued.unwrap();
    full.fragile.is_full.store(true, Ordering::Relaxed);
    let second = Begun::at(full.begun.server.clone()).await;
    second.exchange(&full.credentials).send().await.unwrap_err();
    full.heal();
    // Before the next attempt.
    sharing(&full.begun.server, &full.store)
        .refresh()
        .await
        .unwrap();
    sleep(Duration::from_secs(100)).await;
    full.assert_saved("refreshed").await;
}

#[tokio::test(start_paused = true)]
async fn a_login_is_not_put_over_one_that_nothing_is_known_of() {
    for is_second in [false, true] {
        let full = Full::new(true).await;
        if is_second {
            full.log_in().await;
            full.heal();
            // Before the next attempt.
            full.credentials.write().await.unwrap();
        }
        full.fragile.is_unreadable.store(true, Ordering::Relaxed);
        let begun = Begun::at(full.begun.server.clone()).await;
        full.begun.server.open();
        begun.exchange(&full.credentials).send().await.unwrap_err();
        full.heal();
        put(&*full.store, &looks_good("rt-9")).await;
        sleep(Duration::from_secs(100)).await;
        assert_eq!(token(&*full.store, "refresh_token").await, secret("rt-9"));
        assert!(full.credentials.has_unsaved_refresh_token());
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_to_save_a_login_hold_up_no_refresh_while_others_have_the_lease() {
    let full = Full::new(false).await;
    full.log_in().await;
    full.heal();
    let leases = StoreLeases::new(Arc::clone(&full.store));
    let lease = key().lease();
    let held = leases.acquire(&lease, Duration::from_secs(3600)).await;
    let Acquired::Lease(held) = held.unwrap() else {
        panic!("it is free");
    };
    sleep(Duration::from_secs(300)).await;
    assert!(full.credentials.has_unsaved_refresh_token());
    // What waits for the turn of this process gets it soon.
    for _ in 0..20 {
        full.credentials.set_access_token(Some(secret("mine")));
        let removed = timeout(
            Duration::from_secs(3),
            full.credentials.revoke_access_token(),
        );
        removed.await.unwrap().unwrap();
        sleep(Duration::from_millis(700)).await;
    }
    leases.release(held).await.unwrap();
    sleep(Duration::from_secs(100)).await;
    assert!(!full.credentials.has_unsaved_refresh_token());
}

#[tokio::test(start_paused = true)]
async fn a_profile_whose_login_is_not_saved_is_not_renamed() {
    let full = Full::new(false).await;
    full.log_in().await;
    let rename = async || full.credentials.rename_profile("default", "other").await;
    let error = rename().await.unwrap_err();
    assert!(error.to_string().contains("not saved yet"), "{error}");
    full.heal();
    full.credentials.flush().await.unwrap();
    rename().await.unwrap();
    assert!(full.store.load(&key()).await.unwrap().is_none());
    let other = Key::new(key().namespace(), "other");
    assert!(full.store.remove(&other, &Expect::Any).await.unwrap());
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().unwrap()
}

#[test]
fn a_login_is_saved_although_the_runtime_ended_on_which_it_was_tried() {
    let full = runtime().block_on(async {
        let full = Full::new(false).await;
        full.log_in().await;
        full
    });
    full.heal();
    runtime().block_on(async {
        // It is of the login.
        had(&full.credentials).await;
        full.credentials.refresh().await.unwrap();
        sleep(Duration::from_secs(100)).await;
        full.assert_saved("the runtime ended").await;
    });
}

#[test]
fn an_attempt_on_a_runtime_that_is_not_driven_holds_up_nothing() {
    let first = runtime();
    let full = first.block_on(async {
        let full = Full::new(false).await;
        full.log_in().await;
        full.fragile.is_stuck.store(true, Ordering::Relaxed);
        full.fragile.stuck.notified().await;
        full
    });
    full.fragile.is_stuck.store(false, Ordering::Relaxed);
    full.heal();
    runtime().block_on(async {
        let refreshed = timeout(Duration::from_secs(60), full.credentials.refresh());
        refreshed.await.unwrap().unwrap();
        full.credentials.flush().await.unwrap();
        full.assert_saved("not driven").await;
    });
    drop(first);
}

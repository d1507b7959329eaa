//! Logins that could not be saved, and are written later.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;
use vouchsafe_cloud_credentials::mock::Seed;
use vouchsafe_cloud_credentials::{Environment, ErrorKind, Source};
use vouchsafe_core::ErrorKind as Kind;
use vouchsafe_core::mock::Fault;
use vouchsafe_core::store::{Expect, Store};

use crate::fleet::{had, sharing};
use crate::login::{BACK, Begun};
use crate::server::{
    Fragile, TokenServer, Told, key, looks_good, put, record, secret, seed, token,
};

#[tokio::test(start_paused = true)]
async fn tokens_that_could_not_be_saved_are_not_asked_for_again() {
    let begun = Begun::new().await;
    let store = Arc::new(Fragile::default());
    store.is_full.store(true, Ordering::Relaxed);
    let credentials = begun.server.builder().store(store.clone()).build().unwrap();
    for _ in 0..2 {
        let error = begun.exchange(&credentials).send().await.unwrap_err();
        assert!(error.to_string().contains("the disk is full"), "{error}");
    }
    assert_eq!(begun.exchanges(), 1);
    store.is_full.store(false, Ordering::Relaxed);
    credentials.write().await.unwrap();
    let kept = credentials.values().await.unwrap().refresh_token;
    assert_eq!(Some(token(&*store, "refresh_token").await), kept);
    // What the server refuses may be tried again.
    let begun = Begun::new().await;
    let credentials = begun.server.builder().build().unwrap();
    begun.server.fail_with(Some(503));
    let failed = begun.exchange(&credentials).send().await;
    assert!(failed.unwrap_err().is_retryable());
    begun.server.fail_with(None);
    begun.exchange(&credentials).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_login_without_a_refresh_token_that_is_written_later_leaves_none_of_another() {
    for is_given in [false, true] {
        let begun = Begun::new().await;
        let bare = json!({"access_token": "bare", "token_type": "bearer"});
        let fault = Fault::on_any().status(200).json(&bare);
        begun.server.server.faults().add(fault);
        let fragile = Arc::new(Fragile::default());
        seed(&*fragile, "rt-0").await;
        let mut builder = begun.server.builder().store(fragile.clone());
        if is_given {
            builder = builder.client_id("c").client_secret("s");
        }
        let credentials = builder.build().unwrap();
        fragile.is_full.store(true, Ordering::Relaxed);
        begun.exchange(&credentials).send().await.unwrap_err();
        fragile.is_full.store(false, Ordering::Relaxed);
        for _ in 0..2 {
            credentials.write().await.unwrap();
            let now = record(&*fragile).await;
            assert_eq!(
                (&now["access_token"], &now["refresh_token"]),
                (&json!("bare"), &json!(null))
            );
            assert_eq!(had(&credentials).await, secret("bare"));
        }
        // What a later login had written is another's, unless these credentials have their own.
        put(&*fragile, &looks_good("rt-9")).await;
        let values = credentials.values().await.unwrap();
        assert_eq!(values.refresh_token, (!is_given).then(|| secret("rt-9")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_written_later_is_renewed_by_others_like_any() {
    for meanwhile in ["nothing", "an unsaved refresh", "a refresh", "a login"] {
        let begun = Begun::new().await;
        let fragile = Arc::new(Fragile::default());
        let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
        seed(&*store, "rt-0").await;
        let credentials = sharing(&begun.server, &store);
        fragile.is_full.store(true, Ordering::Relaxed);
        begun.exchange(&credentials).send().await.unwrap_err();
        if meanwhile == "an unsaved refresh" {
            credentials.refresh().await.unwrap();
        }
        fragile.is_full.store(false, Ordering::Relaxed);
        if meanwhile == "a refresh" {
            credentials.refresh().await.unwrap();
        }
        if meanwhile == "a login" {
            let second = Begun::at(begun.server.clone()).await;
            second.exchange(&credentials).send().await.unwrap();
        } else {
            credentials.write().await.unwrap();
        }
        let new = sharing(&begun.server, &store).refresh().await.unwrap();
        assert_eq!(credentials.source().await.unwrap(), Source::Store);
        assert_eq!(had(&credentials).await, new, "{meanwhile}");
        // The refresh token of the login is spent.
        assert_ne!(credentials.refresh().await.unwrap(), new);
        assert_eq!(begun.server.refused(), 0);
    }
}

/// Returns a record of another client than `c`.
fn of_another_client() -> Value {
    let mut record = looks_good("rt-9");
    record["client_id"] = "another".into();
    record["client_secret"] = "planted".into();
    record
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_written_later_leaves_nothing_of_another_client() {
    let public = r#"{"clients": [{
        "client_id": "c", "redirect_uris": ["https://app.example.com/back"]
    }]}"#;
    for (is_cached, is_revoked) in [(true, false), (false, false), (true, true), (false, true)] {
        let server = TokenServer::seeded(&Seed::parse(public).unwrap());
        let begun = Begun::at(server).await;
        let fragile = Arc::new(Fragile::default());
        put(&*fragile, &of_another_client()).await;
        let builder = begun.server.builder().store(fragile.clone());
        let credentials = builder.cache_token(is_cached).build().unwrap();
        fragile.is_full.store(true, Ordering::Relaxed);
        let exchange = credentials.exchange(begun.code.clone()).client_id("c");
        let exchange = exchange.redirect_uri(BACK).verifier(begun.verifier.clone());
        exchange.send().await.unwrap_err();
        let issued = credentials.values().await.unwrap();
        fragile.is_full.store(false, Ordering::Relaxed);
        if is_revoked {
            credentials.revoke_access_token().await.unwrap();
        }
        credentials.write().await.unwrap();
        let now = record(&*fragile).await;
        let access_token = issued.access_token.filter(|_| is_cached && !is_revoked);
        assert_eq!(now["access_token"].as_str().map(secret), access_token);
        assert_eq!(now["client_id"], "c");
        assert_eq!(now["client_secret"], json!(null));
        assert_eq!(
            now["refresh_token"].as_str().map(secret),
            issued.refresh_token
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_set_after_a_login_is_used_when_that_is_written() {
    let begun = Begun::new().await;
    let fragile = Arc::new(Fragile::default());
    let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
    let credentials = sharing(&begun.server, &store);
    fragile.is_full.store(true, Ordering::Relaxed);
    begun.exchange(&credentials).send().await.unwrap_err();
    fragile.is_full.store(false, Ordering::Relaxed);
    credentials.set_access_token(Some(secret("mine")));
    credentials.write().await.unwrap();
    sharing(&begun.server, &store).refresh().await.unwrap();
    assert_eq!(had(&credentials).await, secret("mine"));
    credentials.refresh().await.unwrap();
    assert_eq!(begun.server.refused(), 0);
}

#[tokio::test(start_paused = true)]
async fn after_a_login_was_revoked_its_client_does_not_send_the_refresh_token_before_it() {
    for is_in_store in [true, false] {
        let begun = Begun::new().await;
        let fragile = Arc::new(Fragile::default());
        let mut builder = begun.server.builder().store(fragile.clone());
        if is_in_store {
            put(&*fragile, &of_another_client()).await;
        } else {
            let variables = Environment::from_fn(|name| match name {
                "PAN_CLIENT_ID" => Some(secret("another")),
                "PAN_CLIENT_SECRET" => Some(secret("planted")),
                "PAN_REFRESH_TOKEN" => Some(secret("rt-9")),
                _ => None,
            });
            builder = builder.environment(variables);
        }
        let credentials = builder.build().unwrap();
        let before = credentials.values().await.unwrap();
        fragile.is_full.store(true, Ordering::Relaxed);
        begun.exchange(&credentials).send().await.unwrap_err();
        fragile.is_full.store(false, Ordering::Relaxed);
        credentials.revoke_refresh_token().await.unwrap();
        assert_eq!(credentials.values().await.unwrap(), before);
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_could_not_be_saved_is_counted_and_saved_before_the_program_ends() {
    for (is_given, is_seeded) in [(false, false), (false, true), (true, false), (true, true)] {
        let begun = Begun::new().await;
        let fragile = Arc::new(Fragile::default());
        if is_seeded {
            seed(&*fragile, "rt-0").await;
        }
        let told = Arc::new(Told::default());
        let mut builder = begun.server.builder().store(fragile.clone());
        if is_given {
            builder = builder.client_id("c").client_secret("s");
        }
        let credentials = builder.events(told.clone()).build().unwrap();
        assert!(!credentials.has_unsaved_refresh_token());
        fragile.is_full.store(true, Ordering::Relaxed);
        begun.exchange(&credentials).send().await.unwrap_err();
        assert!(credentials.has_unsaved_refresh_token());
        assert_eq!(told.take(), ["unsaved default: the disk is full"]);
        // It is still there after an attempt that fails, too, which is reported less often.
        let error = credentials.flush().await.unwrap_err();
        assert!(error.to_string().contains("the disk is full"), "{error}");
        assert!(credentials.has_unsaved_refresh_token());
        assert!(told.take().is_empty());
        fragile.is_full.store(false, Ordering::Relaxed);
        // What may pass is tried again.
        fragile.broken.store(3, Ordering::Relaxed);
        let issued = credentials.values().await.unwrap();
        credentials.flush().await.unwrap();
        assert!(!credentials.has_unsaved_refresh_token());
        assert_eq!(told.take().last().unwrap(), "saved default");
        let saved = token(&*fragile, "refresh_token").await;
        assert_eq!(Some(saved), issued.refresh_token);
        let saved = token(&*fragile, "access_token").await;
        assert_eq!(Some(saved), issued.access_token);
        // Once is enough.
        let another = looks_good("rt-9");
        put(&*fragile, &another).await;
        credentials.flush().await.unwrap();
        assert_eq!(record(&*fragile).await, another);
        assert!(told.take().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_whose_place_was_taken_by_what_was_set_is_not_saved() {
    let begun = Begun::new().await;
    let fragile = Arc::new(Fragile::default());
    seed(&*fragile, "rt-0").await;
    let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
    let credentials = sharing(&begun.server, &store);
    fragile.is_full.store(true, Ordering::Relaxed);
    begun.exchange(&credentials).send().await.unwrap_err();
    fragile.is_full.store(false, Ordering::Relaxed);
    credentials.set_refresh_token(Some(secret("mine")));
    assert!(!credentials.has_unsaved_refresh_token());
    credentials.flush().await.unwrap();
    assert_eq!(token(&*store, "refresh_token").await, secret("rt-0"));
    let values = credentials.values().await.unwrap();
    assert_eq!(values.refresh_token, Some(secret("mine")));
}

#[tokio::test(start_paused = true)]
async fn a_login_and_what_replaced_its_refresh_token_are_saved_together() {
    for (is_refresh_saved, is_seeded) in
        [(false, false), (false, true), (true, false), (true, true)]
    {
        let begun = Begun::new().await;
        let fragile = Arc::new(Fragile::default());
        if is_seeded {
            seed(&*fragile, "rt-0").await;
        }
        let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
        let credentials = sharing(&begun.server, &store);
        fragile.is_full.store(true, Ordering::Relaxed);
        begun.exchange(&credentials).send().await.unwrap_err();
        fragile.is_full.store(!is_refresh_saved, Ordering::Relaxed);
        credentials.refresh().await.unwrap();
        assert!(credentials.has_unsaved_refresh_token());
        fragile.is_full.store(false, Ordering::Relaxed);
        let newest = credentials.values().await.unwrap().refresh_token;
        credentials.flush().await.unwrap();
        assert!(!credentials.has_unsaved_refresh_token());
        assert_eq!(Some(token(&*store, "refresh_token").await), newest);
        sharing(&begun.server, &store).refresh().await.unwrap();
        assert_eq!(begun.server.refused(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_could_not_be_saved_is_not_put_over_a_later_one_unless_the_program_says_so() {
    for (is_given, is_removed) in [(false, false), (false, true), (true, false), (true, true)] {
        let begun = Begun::new().await;
        let fragile = Arc::new(Fragile::default());
        seed(&*fragile, "rt-0").await;
        let told = Arc::new(Told::default());
        let mut builder = begun.server.builder().store(fragile.clone());
        if is_given {
            builder = builder.client_id("c").client_secret("s");
        }
        let credentials = builder.events(told.clone()).build().unwrap();
        fragile.is_full.store(true, Ordering::Relaxed);
        begun.exchange(&credentials).send().await.unwrap_err();
        fragile.is_full.store(false, Ordering::Relaxed);
        let issued = credentials.values().await.unwrap().refresh_token;
        let later = looks_good("rt-9");
        match is_removed {
            true => assert!(fragile.remove(&key(), &Expect::Any).await.unwrap()),
            false => put(&*fragile, &later).await,
        }
        for _ in 0..2 {
            let error = credentials.flush().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Core(Kind::Conflict), "{error}");
            assert!(error.to_string().contains("call write"), "{error}");
            match is_removed {
                true => assert!(fragile.load(&key()).await.unwrap().is_none()),
                false => assert_eq!(record(&*fragile).await, later),
            }
            assert!(credentials.has_unsaved_refresh_token());
        }
        credentials.write().await.unwrap();
        assert!(!credentials.has_unsaved_refresh_token());
        assert_eq!(Some(token(&*fragile, "refresh_token").await), issued);
        credentials.flush().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_is_saved_when_the_store_is_back() {
    let begun = Begun::new().await;
    let fragile = Arc::new(Fragile::default());
    seed(&*fragile, "rt-0").await;
    let builder = begun.server.builder().store(fragile.clone());
    let builder = builder.client_id("c").client_secret("s");
    let credentials = builder.build().unwrap();
    fragile.is_unreadable.store(true, Ordering::Relaxed);
    begun.exchange(&credentials).send().await.unwrap_err();
    credentials.flush().await.unwrap_err();
    fragile.is_unreadable.store(false, Ordering::Relaxed);
    credentials.flush().await.unwrap();
    let issued = credentials.values().await.unwrap().refresh_token;
    assert_eq!(Some(token(&*fragile, "refresh_token").await), issued);
}

#[tokio::test(start_paused = true)]
async fn a_login_that_could_not_be_saved_does_not_come_back_once_its_profile_is_removed() {
    let begun = Begun::new().await;
    let fragile = Arc::new(Fragile::default());
    let credentials = begun.server.builder().store(fragile.clone());
    let credentials = credentials.build().unwrap();
    credentials.values().await.unwrap();
    fragile.is_full.store(true, Ordering::Relaxed);
    begun.exchange(&credentials).send().await.unwrap_err();
    assert!(!credentials.remove_profile("default").await.unwrap());
    fragile.is_full.store(false, Ordering::Relaxed);
    assert!(!credentials.has_unsaved_refresh_token());
    credentials.flush().await.unwrap();
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert!(fragile.load(&key()).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_login_that_could_not_be_saved_is_tried_again_by_itself() {
    for (is_unreadable, is_overtaken) in
        [(false, false), (true, false), (false, true), (true, true)]
    {
        let server = TokenServer::new(true);
        let begun = Begun::at(server.shut()).await;
        let fragile = Arc::new(Fragile::default());
        seed(&*fragile, "rt-0").await;
        let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
        let credentials = sharing(&begun.server, &store);
        let fails = |fails| match is_unreadable {
            true => fragile.is_unreadable.store(fails, Ordering::Relaxed),
            false => fragile.is_full.store(fails, Ordering::Relaxed),
        };
        let mut exchanged = JoinSet::new();
        exchanged.spawn(begun.exchange(&credentials).send());
        begun.server.asked().await;
        fails(true);
        begun.server.open();
        let exchanged = exchanged.join_next().await.unwrap();
        exchanged.unwrap().unwrap_err();
        sleep(Duration::from_secs(100)).await;
        assert!(credentials.has_unsaved_refresh_token());
        fails(false);
        if is_overtaken {
            put(&*fragile, &looks_good("rt-9")).await;
        }
        sleep(Duration::from_secs(100)).await;
        assert_eq!(credentials.has_unsaved_refresh_token(), is_overtaken);
        let saved = token(&*store, "refresh_token").await;
        match is_overtaken {
            true => assert_eq!(saved, secret("rt-9")),
            false => assert_eq!(
                Some(saved),
                credentials.values().await.unwrap().refresh_token
            ),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_could_not_be_saved_ends_with_the_last_credentials() {
    let begun = Begun::new().await;
    let fragile = Arc::new(Fragile::default());
    seed(&*fragile, "rt-0").await;
    let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
    let credentials = sharing(&begun.server, &store);
    fragile.is_full.store(true, Ordering::Relaxed);
    begun.exchange(&credentials).send().await.unwrap_err();
    drop(credentials);
    fragile.is_full.store(false, Ordering::Relaxed);
    sleep(Duration::from_secs(100)).await;
    assert_eq!(token(&*store, "refresh_token").await, secret("rt-0"));
    drop(store);
    assert_eq!(Arc::strong_count(&fragile), 1);
}

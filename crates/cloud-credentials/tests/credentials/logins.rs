//! A login that is given to a program, while its profile has another one.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::sleep;
use vouchsafe_cloud_credentials::mock::{Rotation, Seed, TokenFormat};
use vouchsafe_cloud_credentials::{
    ClientAuthentication, Credentials, CredentialsBuilder, TokenSource as _,
};
use vouchsafe_core::mock::Fault;
use vouchsafe_core::store::{Capabilities, Expect, Key, Loaded, MemoryStore, Store, Swapped};
use vouchsafe_core::{BoxFuture, Error, ErrorKind, Result, SecretBytes};

use crate::fleet::{had, sharing};
use crate::server::{Fragile, TokenServer, Told, memory, put, record, secret, seed, seeded, token};

/// A server that knows two logins, which end if a refresh token is used twice.
pub(crate) fn two_logins() -> TokenServer {
    let seed = r#"{
        "clients": [{"client_id": "c", "client_secret": "s"}],
        "tokens": [
            {"client_id": "c", "refresh_token": "rt-a"},
            {"client_id": "c", "refresh_token": "rt-b"}
        ]
    }"#;
    rotating(seed)
}

/// A server that knows a login of the client `c`, and another client.
pub(crate) fn two_clients() -> TokenServer {
    let seed = r#"{
        "clients": [
            {"client_id": "c", "client_secret": "s"}, {"client_id": "d", "client_secret": "t"}
        ],
        "tokens": [{"client_id": "c", "refresh_token": "rt-a"}]
    }"#;
    rotating(seed)
}

/// A server that knows a login and the developer token `d`.
pub(crate) fn with_developer_token() -> TokenServer {
    let seed = r#"{
        "clients": [{"client_id": "c", "client_secret": "s"}],
        "tokens": [{"client_id": "c", "refresh_token": "rt-a"}],
        "developer_tokens": [{"token": "d"}]
    }"#;
    rotating(seed)
}

fn rotating(seed: &str) -> TokenServer {
    let seed = Seed::parse(seed).unwrap().settings(|settings| {
        settings.token_format = TokenFormat::Opaque;
        settings.rotation = Rotation::Revokes;
    });
    TokenServer::seeded(&seed)
}

pub(crate) fn giving(
    server: &TokenServer,
    store: &Arc<dyn Store>,
    refresh_token: &str,
) -> CredentialsBuilder {
    let builder = server.builder().store(Arc::clone(store));
    let builder = builder.client_id("c").client_secret("s");
    builder.refresh_token(refresh_token)
}

pub(crate) fn given(
    server: &TokenServer,
    store: &Arc<dyn Store>,
    refresh_token: &str,
) -> Credentials {
    giving(server, store, refresh_token).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn it_is_refreshed_beside_the_one_of_the_profile_which_stays() {
    let server = two_logins();
    let store = seeded("rt-a").await;
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
    let store = memory();
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
    let store = memory();
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
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("saved default~"), "{told:?}");
    // A process that knows only the spent refresh token.
    assert_eq!(had(&given(&server, &store, "rt-a")).await, new);
    let all = earlier + 1;
    assert_eq!((server.requests(), server.refused()), (all, 0));
}

#[tokio::test(start_paused = true)]
async fn once_it_is_refused_no_process_sends_it_again() {
    let server = two_logins();
    let store = seeded("rt-a").await;
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

#[tokio::test(start_paused = true)]
async fn no_other_login_of_the_profile_is_refreshed_at_the_same_time() {
    let server = two_logins();
    let slow = server.behind_a_gate();
    let store = seeded("rt-a").await;
    let b = given(&slow, &store, "rt-b");
    let mut first = JoinSet::new();
    first.spawn(async move { b.refresh().await.map(drop) });
    slow.asked().await;
    // All records of the profile have one lease, so that each process may choose its record.
    let a = sharing(&server, &store);
    let mut second = JoinSet::new();
    second.spawn(async move { a.refresh().await.map(drop) });
    sleep(Duration::from_secs(1)).await;
    assert_eq!(server.requests(), 0);
    slow.open();
    first.join_next().await.unwrap().unwrap().unwrap();
    second.join_next().await.unwrap().unwrap().unwrap();
    assert_eq!((server.requests(), server.refused()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn its_record_need_not_be_readable_as_long_as_the_profile_has_no_other() {
    let server = two_logins();
    let store: Arc<dyn Store> = Arc::new(OnlyOne(MemoryStore::new()));
    let a = given(&server, &store, "rt-a");
    a.write().await.unwrap();
    for _ in 0..2 {
        given(&server, &store, "rt-a").refresh().await.unwrap();
    }
    let b = given(&server, &store, "rt-b");
    for error in [b.refresh().await.unwrap_err(), b.write().await.unwrap_err()] {
        assert!(error.to_string().contains("not allowed"), "{error}");
    }
    assert_eq!((server.requests(), server.refused()), (2, 0));
    a.refresh().await.unwrap();
    a.revoke_access_token().await.unwrap();
    assert_eq!(record(&*store).await["access_token"], json!(null));
}

/// A store that allows one record and its lease.
#[derive(Debug)]
pub(crate) struct OnlyOne(pub(crate) MemoryStore);

impl OnlyOne {
    fn check(key: &Key) -> Result<()> {
        match key.profile().starts_with("default~") {
            true => Err(Error::new(ErrorKind::Store, "not allowed")),
            false => Ok(()),
        }
    }
}

impl Store for OnlyOne {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        Box::pin(async move {
            Self::check(key)?;
            self.0.load(key).await
        })
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>> {
        Box::pin(async move {
            Self::check(key)?;
            self.0.compare_and_swap(key, expect, value).await
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        self.0.remove(key, expect)
    }

    fn list<'a>(&'a self, namespace: &'a str) -> BoxFuture<'a, Result<Option<Vec<String>>>> {
        self.0.list(namespace)
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_of_several_that_could_not_be_saved_are_all_saved_later() {
    let server = two_logins();
    let fragile = Arc::new(Fragile::default());
    let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
    seed(&*store, "rt-a").await;
    fragile.is_full.store(true, Ordering::Relaxed);
    let credentials = sharing(&server, &store);
    credentials.refresh().await.unwrap();
    credentials.set_client_id(Some("c".to_owned()));
    credentials.set_client_secret(Some(secret("s")));
    credentials.set_refresh_token(Some(secret("rt-b")));
    let of_b = credentials.refresh().await.unwrap();
    // Both wait, so no other process may use what they replaced.
    let mut waiting = JoinSet::new();
    let other = sharing(&server, &store);
    waiting.spawn(async move { other.refresh().await });
    sleep(Duration::from_secs(35)).await;
    assert_eq!(server.requests(), 2);
    fragile.is_full.store(false, Ordering::Relaxed);
    credentials.flush().await.unwrap();
    assert!(!credentials.has_unsaved_refresh_token());
    waiting.join_next().await.unwrap().unwrap().unwrap();
    assert_eq!(had(&given(&server, &store, "rt-b")).await, of_b);
    assert_eq!(server.refused(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_is_set_does_not_make_the_login_of_the_record_another() {
    let server = two_logins();
    let store = memory();
    let wrong = json!({"client_id": "c", "client_secret": "old", "refresh_token": "rt-a"});
    put(&*store, &wrong).await;
    let credentials = sharing(&server, &store);
    credentials.set_client_secret(Some(secret("s")));
    for _ in 0..2 {
        let new = credentials.refresh().await.unwrap();
        let now = record(&*store).await;
        assert_eq!(now["access_token"], json!(new.expose()));
        assert_eq!(
            (&now["lineage"], &now["client_secret"]),
            (&json!(null), &json!("s"))
        );
        // Others renew it, and it is read again.
        let renewed = sharing(&server, &store).refresh().await.unwrap();
        assert_eq!(credentials.refresh_stale(&new).await.unwrap(), renewed);
    }
    assert_eq!(credentials.list_profiles().await.unwrap(), ["default"]);
    assert_eq!((server.requests(), server.refused()), (4, 0));
}

#[tokio::test(start_paused = true)]
async fn it_leaves_the_secret_that_others_use() {
    let server = two_logins();
    let store = seeded("rt-a").await;
    let giving = giving(&server, &store, "rt-a").persist_client_secret(false);
    let credentials = giving.build().unwrap();
    credentials.refresh().await.unwrap();
    assert_eq!(record(&*store).await["client_secret"], json!("s"));
    sharing(&server, &store).refresh().await.unwrap();
    assert_eq!(server.refused(), 0);
    // One that is no longer that of the client.
    let mut old = record(&*store).await;
    old["client_secret"] = json!("old");
    put(&*store, &old).await;
    // The first takes what the other process has renewed.
    credentials.refresh().await.unwrap();
    credentials.refresh().await.unwrap();
    assert_eq!(record(&*store).await["client_secret"], json!(null));

    // A program that has none to give.
    let server = rotating(
        r#"{
            "clients": [{"client_id": "c"}],
            "tokens": [{"client_id": "c", "refresh_token": "rt-a"}]
        }"#,
    );
    seed(&*store, "rt-a").await;
    let builder = server.builder().store(Arc::clone(&store));
    let builder = builder.client_id("c").refresh_token("rt-a");
    let builder = builder.client_authentication(ClientAuthentication::None);
    builder.build().unwrap().refresh().await.unwrap();
    assert_eq!(record(&*store).await["client_secret"], json!("s"));
}

#[tokio::test(start_paused = true)]
async fn of_a_refusal_only_the_mark_is_written() {
    let store = memory();
    for is_set in [true, false] {
        let server = two_logins();
        let refusal = json!({"error": "invalid_grant"});
        let fault = Fault::on_any().status(400).json(&refusal);
        server.server.faults().add(fault);
        seed(&*store, "rt-a").await;
        let mut marked = record(&*store).await;
        let credentials = if is_set {
            let credentials = sharing(&server, &store);
            credentials.set_client_secret(Some(secret("another")));
            credentials
        } else {
            let giving = giving(&server, &store, "rt-a").client_secret("another");
            giving.build().unwrap()
        };
        let error = credentials.refresh().await.unwrap_err();
        assert!(error.is_reauthorization_needed(), "{error}");
        let now = record(&*store).await;
        assert!(now["dead"].is_string());
        marked["dead"] = now["dead"].clone();
        assert_eq!(now, marked);
    }
}

use std::path::Path;

use http::Method;
use vouchsafe_core::auth::Credentials;
use vouchsafe_core::call::{Call, CallOptions, Operation};
use vouchsafe_core::store::contract::check_logins;
use vouchsafe_core::url::Target;

use super::*;

fn at(place: &Path) -> VaultStoreBuilder {
    let port = vouchsafe_test_servers::port(place);
    VaultStore::builder(format!("http://127.0.0.1:{port}"))
        .token(vouchsafe_test_servers::token(place))
        .limit(vouchsafe_core::store::contract::limit())
}

fn open(place: &Path) -> Arc<dyn Store> {
    Arc::new(at(place).build().unwrap())
}

vouchsafe_core::store_contract!(contract, super::open, vouchsafe_test_servers::openbao);

fn key() -> Key {
    Key::new("application", "profile")
}

fn bytes(text: &str) -> SecretBytes {
    SecretBytes::from(text.as_bytes().to_vec())
}

async fn write(store: &VaultStore, expect: Expect, text: &str) -> Swapped {
    store
        .compare_and_swap(&key(), &expect, &bytes(text))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_token_and_a_mount_that_are_wrong_are_named_and_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_server) = vouchsafe_test_servers::openbao(folder.path()) else {
        return;
    };
    let bad = at(folder.path()).token("planted").build().unwrap();
    let elsewhere = at(folder.path()).mount("other").build().unwrap();
    let good = at(folder.path()).build().unwrap();
    check_logins(&good, &[&bad], "permission denied").await;
    let error = elsewhere.load(&key()).await.unwrap_err();
    assert!(error.to_string().contains("no handler"), "{error}");
    assert!(!error.is_retryable(), "{error}");
}

#[tokio::test]
async fn what_was_deleted_by_other_means_is_absent_and_can_be_written_again() {
    static DELETE: Operation =
        Operation::new("test.delete", Method::DELETE, "/v1/{mount}/data/{name}");
    let folder = tempfile::tempdir().unwrap();
    let Some(_server) = vouchsafe_test_servers::openbao(folder.path()) else {
        return;
    };
    let store = at(folder.path()).build().unwrap();
    assert!(matches!(
        write(&store, Expect::Absent, "one").await,
        Swapped::Done(_)
    ));
    let target = Target::encoded(&format!("/v1/secret/data/{}", name(&key()))).unwrap();
    let credentials = Credentials::new(&*store.0.tokens, &store.0.header);
    let (call, options) = (Call::new(&DELETE, target), CallOptions::new());
    let deleted = store
        .0
        .core
        .send(&store.0.url, call, Some(credentials), &options);
    deleted.await.unwrap();
    assert!(store.load(&key()).await.unwrap().is_none());
    assert!(store.list("application").await.unwrap().unwrap().is_empty());
    assert!(!store.remove(&key(), &Expect::Any).await.unwrap());
    assert!(matches!(
        write(&store, Expect::Absent, "two").await,
        Swapped::Done(_)
    ));
    assert_eq!(
        store.load(&key()).await.unwrap().unwrap().value,
        bytes("two")
    );
}

#[test]
fn what_cannot_work_is_refused_when_it_is_built() {
    with_token("http://127.0.0.1")
        .mount("team/kv-2")
        .build()
        .unwrap();
    for bad in ["", "/", "secret/", "a//b", "../sys", "a?b", "a b"] {
        let error = with_token("http://127.0.0.1")
            .mount(bad)
            .build()
            .unwrap_err();
        assert!(error.is_config(), "{bad:?}: {error}");
    }
    let error = VaultStore::builder("http://127.0.0.1").build().unwrap_err();
    assert!(error.to_string().contains("token"), "{error}");
}

fn with_token(url: &str) -> VaultStoreBuilder {
    VaultStore::builder(url).token("planted")
}

vouchsafe_core::reach_contract!(
    with_token,
    "http://vault.example:8200" at "vault.example:8200",
    "http://[::1]:8200"
);

use std::path::Path;

use vouchsafe_core::store::contract::check_logins;
use vouchsafe_core::transport::HttpTransport;

use super::*;

fn at(place: &Path) -> NatsStoreBuilder {
    let port = vouchsafe_test_servers::port(place);
    NatsStore::builder(format!("nats://127.0.0.1:{port}"))
        .limit(vouchsafe_core::store::contract::limit())
}

fn open(place: &Path) -> Arc<dyn Store> {
    Arc::new(at(place).build().unwrap())
}

vouchsafe_core::store_contract!(contract, super::open, vouchsafe_test_servers::nats);

fn key() -> Key {
    Key::new("application", "profile")
}

fn bytes(text: &str) -> SecretBytes {
    SecretBytes::from(text.as_bytes().to_vec())
}

#[tokio::test]
async fn a_password_is_used_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let options = ["--user", "worker", "--pass", "planted-1"].map(str::to_owned);
    let Some(_server) = vouchsafe_test_servers::nats_with(folder.path(), &options) else {
        return;
    };
    let with = |password: &str| at(folder.path()).login("worker", password).build().unwrap();
    let (good, bad) = (with("planted-1"), with("planted-2"));
    let none = at(folder.path()).build().unwrap();
    let garbage = at(folder.path()).credentials("planted").build().unwrap();
    check_logins(&good, &[&bad, &none, &garbage], "").await;
}

#[tokio::test]
async fn a_token_is_used_and_a_bucket_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let options = ["--auth", "planted-1"].map(str::to_owned);
    let Some(_server) = vouchsafe_test_servers::nats_with(folder.path(), &options) else {
        return;
    };
    let builder = || at(folder.path()).token("planted-1");
    let (one, other) = (
        builder().build().unwrap(),
        builder().bucket("other").build().unwrap(),
    );
    let written = one
        .compare_and_swap(&key(), &Expect::Absent, &bytes("one"))
        .await;
    assert!(matches!(written.unwrap(), Swapped::Done(_)));
    assert!(other.load(&key()).await.unwrap().is_none());
    // More servers than there are.
    let many = builder().bucket("many").replicas(3).build().unwrap();
    let error = many.load(&key()).await.unwrap_err();
    assert!(error.to_string().contains("the bucket many"), "{error}");
}

#[tokio::test]
async fn a_name_that_is_too_long_is_refused_before_it_is_sent() {
    let store = NatsStore::builder("nats://127.0.0.1:1").build().unwrap();
    let long = Key::new("n".repeat(1200), "p".repeat(1200));
    for error in [
        store.load(&long).await.unwrap_err(),
        store.remove(&long, &Expect::Any).await.unwrap_err(),
    ] {
        assert!(
            !error.is_retryable() && error.to_string().contains("2,300"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn tls_is_used_and_the_certificate_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let trusted = vouchsafe_test_servers::certificate(folder.path());
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (chain, secret) = (file("server.crt"), file("server.key"));
    let options = ["--tls", "--tlscert", &chain, "--tlskey", &secret].map(str::to_owned);
    let Some(_server) = vouchsafe_test_servers::nats_with(folder.path(), &options) else {
        return;
    };
    let network = || HttpTransport::builder().only_roots();
    let store = |network| at(folder.path()).network(network).build().unwrap();
    let trusting = store(network().add_root_pem(trusted.as_bytes()).unwrap());
    let written = trusting
        .compare_and_swap(&key(), &Expect::Absent, &bytes("one"))
        .await;
    assert!(matches!(written.unwrap(), Swapped::Done(_)));
    let other = vouchsafe_test_servers::certificate(folder.path());
    let strange = store(network().add_root_pem(other.as_bytes()).unwrap());
    strange.load(&key()).await.unwrap_err();
}

#[tokio::test]
async fn other_machines_must_offer_tls() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_server) = vouchsafe_test_servers::nats(folder.path()) else {
        return;
    };
    let port = vouchsafe_test_servers::port(folder.path());
    let store = NatsStore::builder(format!("tls://127.0.0.1:{port}"));
    let error = store.build().unwrap().load(&key()).await.unwrap_err();
    assert!(error.to_string().contains("TLS"), "{error}");
    let is_required = |builder: NatsStoreBuilder| builder.build().unwrap().0.server.require_tls;
    assert!(is_required(NatsStore::builder("nats://nats.example")));
    assert!(!is_required(
        NatsStore::builder("nats://nats.example").allow_plain()
    ));
    assert!(!is_required(NatsStore::builder("nats://[::1]")));
}

#[test]
fn what_cannot_work_is_refused_when_it_is_built() {
    let error = NatsStore::builder("nats://user:planted@127.0.0.1").build();
    let error = error.unwrap_err();
    assert!(
        error.is_config() && !error.to_string().contains("planted"),
        "{error}"
    );
    let bucket = NatsStore::builder("nats://127.0.0.1").bucket("a.b");
    assert!(bucket.build().unwrap_err().is_config());
}

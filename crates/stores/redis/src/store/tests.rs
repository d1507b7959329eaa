use std::path::Path;

use vouchsafe_core::store::Leases;

use super::*;

fn url(place: &Path) -> String {
    format!("redis://127.0.0.1:{}", vouchsafe_test_servers::port(place))
}

fn store(place: &Path) -> RedisStore {
    RedisStore::builder(url(place))
        .limit(vouchsafe_core::store::contract::limit())
        .build()
        .unwrap()
}

fn open(place: &Path) -> Arc<dyn Store> {
    Arc::new(store(place))
}

fn open_leases(place: &Path) -> Arc<dyn Leases> {
    Arc::new(store(place))
}

vouchsafe_core::store_contract!(contract, super::open, vouchsafe_test_servers::redis);
vouchsafe_core::lease_contract!(
    native_leases,
    super::open,
    super::open_leases,
    vouchsafe_test_servers::redis
);

fn key() -> Key {
    Key::new("application", "profile")
}

#[tokio::test]
async fn a_password_is_used_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_server) = vouchsafe_test_servers::redis(folder.path()) else {
        return;
    };
    let plain = store(folder.path());
    let mut command = cmd("CONFIG");
    command.arg("SET").arg("requirepass").arg("planted/1");
    plain.server().ask("set a password", command).await.unwrap();

    let with = |password: &str| {
        let url = url(folder.path()).replace("//", &format!("//:{password}@"));
        RedisStore::builder(url).build().unwrap()
    };
    let good = with("planted%2F1");
    assert!(good.load(&key()).await.unwrap().is_none());
    let bad = with("planted%2F2");
    let error = bad.load(&key()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(!error.is_retryable(), "{error}");
    for shown in [
        format!("{error:?}"),
        format!("{good:?}"),
        format!("{bad:?}"),
    ] {
        assert!(!shown.contains("planted"), "{shown}");
    }
    for bad in [
        "http://:planted@host",
        "redis://:planted@",
        "redis://:planted@127.0.0.1/planted",
    ] {
        let error = RedisStore::builder(bad).build().unwrap_err();
        assert!(error.is_config());
        assert!(!format!("{error:?}").contains("planted"), "{error:?}");
    }
}

#[tokio::test]
async fn what_is_there_in_another_form_is_an_error_that_does_not_show_it() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_server) = vouchsafe_test_servers::redis(folder.path()) else {
        return;
    };
    let store = store(folder.path());
    let mut command = cmd("HSET");
    command.arg(name(&key())).arg("value").arg("planted");
    store.server().ask("plant", command).await.unwrap();
    let error = store.load(&key()).await.unwrap_err();
    assert!(
        !error.is_retryable() && !format!("{error:?}").contains("planted"),
        "{error:?}"
    );
    let mut command = cmd("SET");
    command.arg(name(&Key::new("a", "b"))).arg("planted");
    store.server().ask("plant", command).await.unwrap();
    let error = store.load(&Key::new("a", "b")).await.unwrap_err();
    assert!(error.to_string().contains("wrong kind"), "{error}");
}

#[test]
fn records_are_not_sent_in_the_clear_to_other_machines() {
    let builder = |url: &str| RedisStore::builder(url);
    let error = builder("redis://:planted@redis.example")
        .build()
        .unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains("redis.example:6379"),
        "{error}"
    );
    assert!(!error.to_string().contains("planted"), "{error}");
    builder("redis://redis.example")
        .allow_plain()
        .build()
        .unwrap();
    builder("redis://[::1]").build().unwrap();
}

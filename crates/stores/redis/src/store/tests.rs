use std::path::Path;

use vouchsafe_core::store::Leases;
use vouchsafe_core::store::contract::check_logins;

use super::*;

fn url(place: &Path) -> String {
    format!("redis://127.0.0.1:{}", vouchsafe_test_servers::port(place))
}

fn store(place: &Path) -> RedisStore {
    store_at(url(place))
}

fn store_at(url: String) -> RedisStore {
    RedisStore::builder(url)
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

mod valkey {
    use super::*;

    fn store(place: &Path) -> RedisStore {
        store_at(url(place).replace("redis", "valkey"))
    }

    fn open(place: &Path) -> Arc<dyn Store> {
        Arc::new(store(place))
    }

    fn open_leases(place: &Path) -> Arc<dyn Leases> {
        Arc::new(store(place))
    }

    vouchsafe_core::store_contract!(contract, super::open, vouchsafe_test_servers::valkey);
    vouchsafe_core::lease_contract!(
        native_leases,
        super::open,
        super::open_leases,
        vouchsafe_test_servers::valkey
    );
}

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
    let (good, bad) = (with("planted%2F1"), with("planted%2F2"));
    check_logins(&good, &[&bad], "password").await;
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

vouchsafe_core::reach_contract!(
    RedisStore::builder,
    "redis://:planted@redis.example" at "redis.example:6379",
    "redis://[::1]"
);

use std::path::Path;

use vouchsafe_core::store::Leases;

use super::*;

fn url(place: &Path, password: &str) -> String {
    let port = vouchsafe_test_servers::port(place);
    format!("host=127.0.0.1 port={port} user=vouchsafe dbname=postgres password='{password}'")
}

fn with(place: &Path, password: &str) -> PostgresStore {
    let builder = PostgresStore::builder(url(place, password));
    builder
        .limit(vouchsafe_core::store::contract::limit())
        .build()
        .unwrap()
}

fn store(place: &Path) -> PostgresStore {
    with(place, vouchsafe_test_servers::PASSWORD)
}

fn open(place: &Path) -> Arc<dyn Store> {
    Arc::new(store(place))
}

fn open_leases(place: &Path) -> Arc<dyn Leases> {
    Arc::new(store(place))
}

vouchsafe_core::store_contract!(contract, super::open, vouchsafe_test_servers::postgres);
vouchsafe_core::lease_contract!(
    native_leases,
    super::open,
    super::open_leases,
    vouchsafe_test_servers::postgres
);

#[tokio::test]
async fn a_password_is_used_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_server) = vouchsafe_test_servers::postgres(folder.path()) else {
        return;
    };
    let key = Key::new("application", "profile");
    let good = store(folder.path());
    assert!(good.load(&key).await.unwrap().is_none());
    let bad = with(folder.path(), "mistaken");
    let error = bad.load(&key).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(!error.is_retryable(), "{error}");
    assert!(
        error.to_string().contains("password authentication failed"),
        "{error}"
    );
    let password = vouchsafe_test_servers::PASSWORD;
    for shown in [
        format!("{error:?}"),
        format!("{good:?}"),
        format!("{bad:?}"),
    ] {
        assert!(
            !shown.contains(password) && !shown.contains("mistaken"),
            "{shown}"
        );
    }
}

#[test]
fn records_are_not_sent_in_the_clear_to_other_machines() {
    let builder = |url: &str| PostgresStore::builder(url);
    let plain = "postgres://u:planted@db.example/x?sslmode=disable";
    let error = builder(plain).build().unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains("db.example:5432"),
        "{error}"
    );
    assert!(!error.to_string().contains("planted"), "{error}");
    builder(plain).allow_plain().build().unwrap();
    for bad in [
        "postgres://:planted@a,b",
        "postgres://u:planted@%2Fvar%2Frun",
        "planted",
    ] {
        let error = builder(bad).build().unwrap_err();
        assert!(
            error.is_config() && !format!("{error:?}").contains("planted"),
            "{error:?}"
        );
    }
}

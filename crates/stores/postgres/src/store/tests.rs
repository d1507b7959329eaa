use std::path::Path;
use std::time::Duration;

use vouchsafe_core::store::Leases;
use vouchsafe_core::store::contract::check_logins;

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
    let (good, bad) = (store(folder.path()), with(folder.path(), "planted wrongly"));
    check_logins(&good, &[&bad], "password authentication failed").await;
    assert!(vouchsafe_test_servers::PASSWORD.contains("planted"));
}

#[tokio::test]
async fn a_table_that_lacks_a_column_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_server) = vouchsafe_test_servers::postgres(folder.path()) else {
        return;
    };
    let store = store(folder.path());
    let alter = "ALTER TABLE vouchsafe_leases DROP COLUMN is_after_lapse";
    let altered = store.server().query("alter a table", alter, &[]).await;
    altered.unwrap();
    let key = Key::new("of an older table", "default");
    let error = store.acquire(&key, Duration::from_secs(1)).await;
    let error = error.unwrap_err();
    assert!(!error.is_retryable(), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("\"is_after_lapse\" of relation \"vouchsafe_leases\""),
        "{text}"
    );
}

vouchsafe_core::reach_contract!(
    PostgresStore::builder,
    "postgres://u:planted@db.example/x?sslmode=disable" at "db.example:5432",
    "host=127.0.0.1 user=u"
);

#[test]
fn what_cannot_work_is_refused_when_it_is_built() {
    for bad in [
        "postgres://:planted@a,b",
        "postgres://u:planted@%2Fvar%2Frun",
        "planted",
    ] {
        let error = PostgresStore::builder(bad).build().unwrap_err();
        assert!(
            error.is_config() && !format!("{error:?}").contains("planted"),
            "{error:?}"
        );
    }
}

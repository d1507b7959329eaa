use std::path::Path;
use std::time::Duration;

use vouchsafe_core::store::Leases;
use vouchsafe_core::store::contract::check_logins;

use super::*;
use crate::stand_in::{self, StandIn};

fn store(place: &Path) -> MongoStore {
    let builder = MongoStore::builder(stand_in::url(place));
    builder
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

vouchsafe_core::store_contract!(contract, super::open, crate::stand_in::start);
vouchsafe_core::lease_contract!(
    native_leases,
    super::open,
    super::open_leases,
    crate::stand_in::start
);
vouchsafe_core::reach_contract!(
    MongoStore::builder,
    "mongodb://u:planted@127.0.0.1,db.example/x" at "db.example:27017",
    "mongodb://127.0.0.1,[::1]:27018"
);

fn key() -> Key {
    Key::new("application", "profile")
}

#[tokio::test]
async fn a_login_that_is_refused_is_an_error_that_does_not_show_it() {
    let folder = tempfile::tempdir().unwrap();
    let _server = StandIn::new(folder.path());
    let url = stand_in::url(folder.path()).replace("//", "//worker:planted@");
    let bad = MongoStore::builder(url + "/?authSource=admin")
        .build()
        .unwrap();
    check_logins(&store(folder.path()), &[&bad], "password").await;
}

#[tokio::test]
async fn what_is_there_in_another_form_is_an_error_that_does_not_show_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = StandIn::new(folder.path());
    server.plant(doc! { "_id": name(&key()), "version": "planted", "value": "planted" });
    server.plant(doc! { "_id": "record/application/%FF", "version": 1 });
    let store = store(folder.path());
    let names = store.list("application").await.unwrap().unwrap();
    assert_eq!(names, ["profile"]);
    let damaged = store.load(&key()).await.unwrap_err();
    server.fail(doc! { "ok": 1, "value": { "owner": "planted", "fence": 1.5 } });
    let lease = store.acquire(&key(), Duration::from_secs(1)).await;
    for error in [damaged, lease.unwrap_err()] {
        assert!(!error.is_retryable(), "{error}");
        assert!(error.to_string().contains("remove it"), "{error}");
        assert!(!format!("{error:?}").contains("planted"), "{error:?}");
    }
}

#[tokio::test]
async fn errors_of_the_server_say_whether_to_try_again_and_quote_no_record() {
    let folder = tempfile::tempdir().unwrap();
    let server = StandIn::new(folder.path());
    let store = store(folder.path());
    let value = SecretBytes::from(b"planted".to_vec());
    let failed = |code: i32, text: &str| doc! { "ok": 0, "code": code, "errmsg": text };
    let invalid = doc! { "ok": 1, "n": 0, "writeErrors": [{
        "index": 0, "code": 121, "errmsg": "Document failed validation",
        "errInfo": { "details": { "consideredValue": "planted" } },
    }] };
    for (answer, told, may_recover) in [
        (
            failed(13, "not authorized on vouchsafe"),
            "not authorized",
            false,
        ),
        (failed(10107, "not primary"), "not primary", true),
        (failed(11600, "interrupted at shutdown"), "shutdown", true),
        (invalid, "failed validation (121)", false),
        (doc! { "no": "answer" }, "as MongoDB does", true),
    ] {
        server.fail(answer);
        let written = store
            .compare_and_swap(&key(), &Expect::Absent, &value)
            .await;
        let error = written.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store);
        assert_eq!(error.is_retryable(), may_recover, "{error}");
        assert!(error.to_string().contains(told), "{error}");
        assert!(!format!("{error:?}").contains("planted"), "{error:?}");
    }
}

#[test]
fn what_cannot_work_is_refused_when_it_is_built() {
    for (bad, told) in [
        ("planted", "not valid"),
        ("redis://planted", "not valid"),
        ("mongodb://", "not valid"),
        (
            "mongodb+srv://u:planted@db.example",
            "must name its servers",
        ),
        (
            "mongodb://u:planted@db.example/?tls=true&tlsInsecure=true",
            "checks of TLS",
        ),
    ] {
        let error = MongoStore::builder(bad).build().unwrap_err();
        assert!(error.is_config(), "{error}");
        assert!(error.to_string().contains(told), "{bad}: {error}");
        assert!(!format!("{error:?}").contains("planted"), "{error:?}");
    }
}

#[test]
fn tls_to_another_machine_is_fine() {
    MongoStore::builder("mongodb://db.example/?tls=true")
        .build()
        .unwrap();
}

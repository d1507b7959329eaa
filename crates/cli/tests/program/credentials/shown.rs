//! What commands show of tokens and servers.

use serde_json::Value;
use vouchsafe::cloud_credentials::file::{FileStore, Metadata};
use vouchsafe::core::SecretBytes;
use vouchsafe::core::store::{Expect, Key, Store as _, Swapped};

use super::World;

#[test]
fn a_token_that_does_not_say_when_it_expires_has_the_time_of_its_answer() {
    let world = World::logged_in();
    world.manage("settings", r#"{"token_format": "opaque"}"#);
    let refreshed = world.ask(&["refresh", "--json"]).good();
    assert!(refreshed.json()["expires_at"].is_string(), "{refreshed:?}");
    // The file says it only if another program keeps it there.
    let store = FileStore::new(world.path("store/credentials.json")).metadata(Metadata::Always);
    let key = Key::new(FileStore::NAMESPACE, "default");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.unwrap().block_on(async {
        let there = store.load(&key).await.unwrap().unwrap();
        let mut record: Value = serde_json::from_slice(there.value.expose()).unwrap();
        record["expires_at"] = 4_102_444_800_u64.into();
        let record = SecretBytes::from(record.to_string().into_bytes());
        let done = store.compare_and_swap(&key, &Expect::Any, &record).await;
        assert!(matches!(done, Ok(Swapped::Done(_))), "{done:?}");
    });
    let shown = world.ask(&["get", "--json"]).good();
    assert_eq!(shown.json()["expires_at"], "2100-01-01T00:00:00Z");
    let report = world.ask(&["doctor"]).good();
    assert!(report.out.contains("expires at 2100-01-01"), "{report:?}");
}

#[test]
fn the_doctor_judges_the_server() {
    let world = World::logged_in();
    let report = |arguments: &[&str]| {
        let report = world.ask(&[&["doctor"][..], arguments].concat());
        let line = report.out.lines().find(|line| line.starts_with("server"));
        let line = line.unwrap_or_else(|| panic!("{report:?}"));
        (report.code, line.contains(" ok "), line.to_owned())
    };
    let is_good = |arguments: &[&str]| {
        let (code, is_good, line) = report(arguments);
        assert_eq!(code == 0, is_good, "{line}");
        is_good
    };
    assert!(is_good(&[]));
    assert!(is_good(&["--issuer", world.url()]));
    let wrong = format!("{}/other", world.url());
    let (code, _, line) = report(&["--issuer", &wrong]);
    assert!(code == 1 && line.contains("metadata"), "{line}");
    world.manage("faults", r#"{"status": 503}"#);
    assert!(!is_good(&[]));
    assert!(!is_good(&["--issuer", world.url()]));
}

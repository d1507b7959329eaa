//! The mark that a record gets with a login that a program was given, by which that program finds what
//! others replace it by.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;
use vouchsafe_cloud_credentials::Credentials;
use vouchsafe_cloud_credentials::file::{FileStore, Metadata};
use vouchsafe_core::mock::Fault;
use vouchsafe_core::store::{Key, MemoryStore, Store};

use crate::fleet::{had, sharing};
use crate::login::Begun;
use crate::logins::{OnlyOne, given, giving, two_clients, two_logins};
use crate::server::{
    Fragile, TokenServer, looks_good, memory, put, record, secret, seed, seeded, token,
};

fn marking(path: &Path) -> Arc<dyn Store> {
    Arc::new(FileStore::new(path).metadata(Metadata::Always))
}

/// Logs in, and saves the login at once, or late after a store without room.
async fn log_in(begun: &Begun, store: &Fragile, credentials: &Credentials, is_late: bool) {
    store.is_full.store(is_late, Relaxed);
    let done = begun.exchange(credentials).send().await;
    assert_eq!(done.is_err(), is_late);
    store.is_full.store(false, Relaxed);
    if is_late {
        credentials.write().await.unwrap();
    }
}

#[tokio::test]
async fn a_written_refresh_token_leads_to_what_others_replaced_it_by() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials.json");
    for (store, is_there) in [
        (memory(), false),
        (memory(), true),
        (marking(&path), false),
        (marking(&path), true),
    ] {
        let server = two_logins();
        if is_there {
            seed(&*store, "rt-a").await;
        }
        let a = given(&server, &store, "rt-a");
        a.write().await.unwrap();
        let of_others = sharing(&server, &store).refresh().await.unwrap();
        assert_eq!(had(&given(&server, &store, "rt-a")).await, of_others);
        assert_eq!(server.requests(), 1);
        let new = a.refresh().await.unwrap();
        assert_eq!(had(&sharing(&server, &store)).await, new);
        sharing(&server, &store).refresh().await.unwrap();
        given(&server, &store, "rt-a").refresh().await.unwrap();
        assert_eq!((server.requests(), server.refused()), (4, 0));
        let names = a.list_profiles().await.unwrap();
        assert_eq!(names, ["default"]);
    }
}

#[tokio::test]
async fn a_file_is_that_of_pancloud_unless_the_mark_says_what_it_cannot() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials.json");
    let store: Arc<dyn Store> = Arc::new(FileStore::new(&path));
    let server = two_logins();
    given(&server, &store, "rt-a").write().await.unwrap();
    let text = r#"{
    "profiles": {
        "1": {
            "access_token": null,
            "client_id": "c",
            "client_secret": "s",
            "profile": "default",
            "refresh_token": "rt-a"
        }
    }
}"#;
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    let has_mark = || {
        let text = fs::read_to_string(&path).unwrap();
        text.contains("cloud_credentials")
    };
    sharing(&server, &store).refresh().await.unwrap();
    assert!(!has_mark());
    let b = given(&server, &store, "rt-b");
    b.write().await.unwrap();
    assert!(!has_mark());
    b.refresh().await.unwrap();
    assert!(has_mark());
    sharing(&server, &store).refresh().await.unwrap();
    given(&server, &store, "rt-b").refresh().await.unwrap();
    assert_eq!((server.requests(), server.refused()), (4, 0));
}

#[tokio::test(start_paused = true)]
async fn a_login_of_a_program_that_keeps_it_leads_to_what_others_replaced_it_by() {
    for is_late in [false, true] {
        let begun = Begun::new().await;
        let fragile = Arc::new(Fragile::default());
        let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
        let builder = giving(&begun.server, &store, "");
        let credentials = builder.build().unwrap();
        log_in(&begun, &fragile, &credentials, is_late).await;
        let of_others = sharing(&begun.server, &store).refresh().await.unwrap();
        assert_eq!(credentials.refresh().await.unwrap(), of_others);
        let new = credentials.refresh().await.unwrap();
        assert_eq!(token(&*store, "access_token").await, new);
        assert_eq!(begun.server.refused(), 0);
        assert_eq!(begun.server.server.counts().refreshes(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_program_was_given_has_no_mark() {
    let server = two_logins();
    let store = seeded("rt-a").await;
    let stored = sharing(&server, &store);
    for _ in 0..2 {
        stored.refresh().await.unwrap();
        stored.write().await.unwrap();
        assert_eq!(record(&*store).await["lineage"], json!(null));
    }
    // Nor has a login of programs that read it from the record.
    for is_late in [false, true] {
        let begun = Begun::new().await;
        let fragile = Arc::new(Fragile::default());
        let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
        let credentials = sharing(&begun.server, &store);
        log_in(&begun, &fragile, &credentials, is_late).await;
        credentials.refresh().await.unwrap();
        assert_eq!(record(&*store).await["lineage"], json!(null));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_leaves_the_mark() {
    let server = two_logins();
    let store = memory();
    let a = given(&server, &store, "rt-a");
    a.write().await.unwrap();
    sharing(&server, &store).refresh().await.unwrap();
    let before = record(&*store).await;
    assert!(before["lineage"].is_string());
    let refusal = json!({"error": "invalid_grant"});
    let fault = Fault::on_any().status(400).json(&refusal);
    server.server.faults().add(fault);
    let stored = sharing(&server, &store);
    for credentials in [stored, a] {
        let error = credentials.refresh().await.unwrap_err();
        assert!(error.is_reauthorization_needed(), "{error}");
    }
    assert_eq!(server.requests(), 2);
    let mut now = record(&*store).await;
    assert!(now["dead"].take().is_string());
    assert_eq!(now["lineage"], before["lineage"]);
}

#[tokio::test(start_paused = true)]
async fn what_others_replaced_a_given_refresh_token_by_is_revoked_with_it() {
    for has_own in [false, true] {
        let server = two_logins();
        let store = memory();
        if has_own {
            seed(&*store, "rt-b").await;
            given(&server, &store, "rt-a").refresh().await.unwrap();
        } else {
            given(&server, &store, "rt-a").write().await.unwrap();
            sharing(&server, &store).refresh().await.unwrap();
        }
        let a = given(&server, &store, "rt-a");
        let newest = had(&a).await;
        let names = a.list_profiles().await.unwrap();
        let key = Key::new("profiles", names.last().unwrap());
        let there = async || {
            let loaded = store.load(&key).await.unwrap().unwrap();
            serde_json::from_slice::<Value>(loaded.value.expose()).unwrap()
        };
        assert_eq!(there().await["access_token"], newest.expose());
        // A process that has not seen the record.
        let a = given(&server, &store, "rt-a");
        let before = there().await;
        a.revoke_access_token().await.unwrap();
        let now = there().await;
        assert_eq!(now["access_token"], json!(null));
        assert_eq!(now["refresh_token"], before["refresh_token"]);
        let error = a.revoke_access_token().await.unwrap_err();
        assert_eq!(error.missing().unwrap().values(), ["access_token"]);
        a.revoke_refresh_token().await.unwrap();
        let now = there().await;
        assert_eq!(
            (&now["access_token"], &now["refresh_token"]),
            (&json!(null), &json!(null))
        );
        assert_eq!(server.server.snapshot()["logins"][0]["revoked"], true);
    }
}

#[tokio::test(start_paused = true)]
async fn a_given_refresh_token_is_revoked_although_the_record_cannot_be_read() {
    let server = two_logins();
    let fragile = Arc::new(Fragile::default());
    let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
    let a = given(&server, &store, "rt-a");
    fragile.is_unreadable.store(true, Relaxed);
    let error = a.revoke_refresh_token().await.unwrap_err();
    assert!(error.to_string().contains("the disk is gone"), "{error}");
    assert_eq!(server.server.snapshot()["logins"][0]["revoked"], true);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_was_put_back_does_not_bring_back_the_spent_refresh_token() {
    for is_written in [false, true] {
        let server = two_logins();
        let store = memory();
        let a = given(&server, &store, "rt-a");
        a.write().await.unwrap();
        let old = record(&*store).await;
        let of_a = a.refresh().await.unwrap();
        let newest = token(&*store, "refresh_token").await;
        put(&*store, &old).await;
        if is_written {
            a.write().await.unwrap();
            assert_eq!(token(&*store, "access_token").await, of_a);
            assert_eq!(token(&*store, "refresh_token").await, newest);
        }
        let of_a = a.refresh().await.unwrap();
        assert_eq!(had(&given(&server, &store, "rt-a")).await, of_a);
        assert_eq!(had(&sharing(&server, &store)).await, of_a);
        assert_eq!((server.requests(), server.refused()), (2, 0));
    }
}

#[tokio::test]
async fn a_program_that_marks_nothing_by_itself_keeps_the_marks_of_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials.json");
    let marking = marking(&path);
    let auto: Arc<dyn Store> = Arc::new(FileStore::new(&path));
    let server = two_logins();
    given(&server, &marking, "rt-a").write().await.unwrap();
    let stored = sharing(&server, &auto);
    // The same login, written once more.
    stored.write().await.unwrap();
    let of_others = stored.refresh().await.unwrap();
    assert_eq!(had(&given(&server, &marking, "rt-a")).await, of_others);
    // Another login has none.
    given(&server, &auto, "rt-b").write().await.unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let documents: Value = serde_json::from_str(&text).unwrap();
    let document = &documents["profiles"]["1"];
    assert_eq!(document["refresh_token"], "rt-b");
    assert_eq!(document.get("cloud_credentials"), None);
    assert_eq!((server.requests(), server.refused()), (1, 0));
}

#[tokio::test]
async fn a_mark_is_not_taken_for_that_of_a_login_that_pancloud_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials.json");
    let store = marking(&path);
    let server = two_logins();
    given(&server, &store, "rt-a").write().await.unwrap();
    // The record has no access token, or it is not cached, so only the refresh token changes.
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"rt-a\"", "\"rt-b\"")).unwrap();
    let of_b = sharing(&server, &store).refresh().await.unwrap();
    let of_a = given(&server, &store, "rt-a").refresh().await.unwrap();
    assert_eq!(had(&sharing(&server, &store)).await, of_b);
    assert_eq!(had(&given(&server, &store, "rt-a")).await, of_a);
    assert_eq!((server.requests(), server.refused()), (2, 0));
}

#[tokio::test]
async fn a_refusal_is_forgotten_once_pancloud_wrote_another_client() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials.json");
    let store: Arc<dyn Store> = Arc::new(FileStore::new(&path));
    let server = two_clients();
    let mut wrong = looks_good("rt-a");
    wrong["client_id"] = "d".into();
    wrong["client_secret"] = "t".into();
    put(&*store, &wrong).await;
    sharing(&server, &store).refresh().await.unwrap_err();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("cloud_credentials"));
    let text = text.replace("\"d\"", "\"c\"").replace("\"t\"", "\"s\"");
    fs::write(&path, text).unwrap();
    sharing(&server, &store).refresh().await.unwrap();
    assert_eq!((server.requests(), server.refused()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn the_next_login_of_a_program_leaves_no_record_of_the_last_one() {
    for is_late in [false, true] {
        let begun = Begun::new().await;
        let fragile = Arc::new(Fragile::default());
        let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
        let credentials = given(&begun.server, &store, "rt-0");
        credentials.write().await.unwrap();
        // Other programs may be given the first one, which it leaves to them.
        for _ in 0..3 {
            sharing(&begun.server, &store).refresh().await.unwrap();
            let begun = Begun::at(begun.server.clone()).await;
            log_in(&begun, &fragile, &credentials, is_late).await;
        }
        let names = credentials.list_profiles().await.unwrap();
        assert_eq!(names.len(), 2, "{names:?}");
        credentials.refresh().await.unwrap();
        given(&begun.server, &store, "rt-0")
            .refresh()
            .await
            .unwrap();
        assert_eq!(begun.server.refused(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_whose_only_copy_cannot_be_kept_says_what_to_do() {
    let begun = Begun::new().await;
    let store: Arc<dyn Store> = Arc::new(OnlyOne(MemoryStore::new()));
    given(&begun.server, &store, "rt-0").write().await.unwrap();
    let credentials = sharing(&begun.server, &store);
    credentials.refresh().await.unwrap();
    let before = record(&*store).await;
    let error = begun.exchange(&credentials).send().await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("not allowed") && text.contains("remove_profile"),
        "{text}"
    );
    assert_eq!(record(&*store).await, before);
    assert!(credentials.remove_profile("default").await.unwrap());
    credentials.write().await.unwrap();
    let issued = credentials.values().await.unwrap().refresh_token;
    assert_eq!(Some(token(&*store, "refresh_token").await), issued);
    credentials.refresh().await.unwrap();
    assert_eq!(begun.server.refused(), 0);
}

/// Makes credentials those of the client `d`, or of `c` again, which the logins belong to.
fn be(credentials: &Credentials, id: &str) {
    let is_right = id == "c";
    credentials.set_client_id(Some(id.to_owned()));
    credentials.set_client_secret(Some(secret(if is_right { "s" } else { "t" })));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_another_client_is_no_mark_of_the_refresh_token() {
    for is_given in [false, true] {
        let server = two_clients();
        let store = seeded("rt-a").await;
        let before = record(&*store).await;
        let credentials = match is_given {
            true => given(&server, &store, "rt-a"),
            false => sharing(&server, &store),
        };
        be(&credentials, "d");
        for _ in 0..2 {
            let error = credentials.refresh().await.unwrap_err();
            assert!(error.is_reauthorization_needed(), "{error}");
            sleep(Duration::from_secs(2)).await;
        }
        assert_eq!((server.requests(), record(&*store).await), (1, before));
        be(&credentials, "c");
        credentials.refresh().await.unwrap();
        sharing(&server, &store).refresh().await.unwrap();
        assert_eq!((server.requests(), server.refused()), (3, 1));
    }
}

#[tokio::test]
async fn a_mark_adds_no_access_token_to_a_record_that_never_had_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = FileStore::new(folder.path().join("credentials.json"));
    for store in [memory(), Arc::new(file)] {
        let server = two_clients();
        let wrong = json!({"client_id": "d", "client_secret": "t", "refresh_token": "rt-a"});
        put(&*store, &wrong).await;
        sharing(&server, &store).refresh().await.unwrap_err();
        let now = record(&*store).await;
        assert!(now["dead"].is_string(), "{now}");
        assert_eq!(now.get("access_token"), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_mark_of_the_wrong_client_ends_with_it() {
    for is_given in [false, true] {
        let server = two_clients();
        let store = memory();
        let mut wrong = looks_good("rt-a");
        wrong["client_id"] = "d".into();
        wrong["client_secret"] = "t".into();
        put(&*store, &wrong).await;
        sharing(&server, &store).refresh().await.unwrap_err();
        assert!(record(&*store).await["dead"].is_string());
        let credentials = match is_given {
            true => given(&server, &store, "rt-a"),
            false => sharing(&server, &store),
        };
        be(&credentials, "c");
        credentials.refresh().await.unwrap();
        sharing(&server, &store).refresh().await.unwrap();
        assert_eq!((server.requests(), server.refused()), (3, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_another_client_costs_no_tokens_that_are_not_saved_yet() {
    let server = two_clients();
    let fragile = Arc::new(Fragile::default());
    let store: Arc<dyn Store> = Arc::clone(&fragile) as _;
    seed(&*store, "rt-a").await;
    fragile.is_full.store(true, Relaxed);
    let credentials = sharing(&server, &store);
    credentials.refresh().await.unwrap();
    be(&credentials, "d");
    let error = credentials.refresh().await.unwrap_err();
    assert!(error.is_reauthorization_needed(), "{error}");
    assert!(credentials.has_unsaved_refresh_token());
    credentials.set_client_id(None);
    credentials.set_client_secret(None);
    fragile.is_full.store(false, Relaxed);
    credentials.refresh().await.unwrap();
    sharing(&server, &store).refresh().await.unwrap();
    assert_eq!((server.requests(), server.refused()), (4, 1));
}

#[tokio::test(start_paused = true)]
async fn an_earlier_mark_stays_as_long_as_its_refresh_token() {
    let server = TokenServer::new(false);
    let store = memory();
    given(&server, &store, "rt-0").refresh().await.unwrap();
    assert!(record(&*store).await["lineage"].is_string());
    let mut earlier = looks_good("rt-0");
    earlier["lineage"] = "earlier".into();
    put(&*store, &earlier).await;
    let credentials = given(&server, &store, "rt-0");
    credentials.refresh().await.unwrap();
    assert_ne!(token(&*store, "access_token").await, secret("at-0"));
    credentials.write().await.unwrap();
    assert_eq!(record(&*store).await["lineage"], json!("earlier"));
}

#[tokio::test(start_paused = true)]
async fn a_program_that_is_given_a_replacement_shares_the_access_token() {
    let server = two_logins();
    let store = memory();
    given(&server, &store, "rt-a").write().await.unwrap();
    let new = sharing(&server, &store).refresh().await.unwrap();
    let replacement = token(&*store, "refresh_token").await;
    let later = given(&server, &store, replacement.expose());
    assert_eq!(had(&later).await, new);
    assert_eq!(server.requests(), 1);
    // The last one that was given counts.
    later.refresh().await.unwrap();
    let new = sharing(&server, &store).refresh().await.unwrap();
    assert_eq!(later.refresh().await.unwrap(), new);
    let later = given(&server, &store, replacement.expose());
    assert_eq!(had(&later).await, new);
    assert_eq!((server.requests(), server.refused()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_that_is_not_spent_needs_no_record_of_its_own() {
    let server = two_logins();
    let store = memory();
    let a = given(&server, &store, "rt-a");
    a.write().await.unwrap();
    let b = given(&server, &store, "rt-b");
    b.write().await.unwrap();
    assert_eq!(a.list_profiles().await.unwrap(), ["default"]);
    a.refresh().await.unwrap();
    b.refresh().await.unwrap();
    assert_eq!((server.requests(), server.refused()), (2, 0));
}

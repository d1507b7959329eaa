//! Stores and journals on a disk that is really full: they say so, keep what they had, and go on once
//! there is room.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::sync::Notify;
use tokio::time::timeout;
use vouchsafe::astakos::commission::{CommissionId, FileJournal, Intent, Issuer, Journal};
use vouchsafe::astakos::mock::Server as Astakos;
use vouchsafe::astakos::{Client, CommissionRequest};
use vouchsafe::cloud_credentials::file::FileStore;
use vouchsafe::cloud_credentials::mock::{Rotation, Server};
use vouchsafe::cloud_credentials::{Error, Events};
use vouchsafe::core::store::{Expect, FolderStore, Key, Store, Swapped};
use vouchsafe::core::transport::{Request, Response, Transport};
use vouchsafe::core::{BoxFuture, ErrorKind, Result, SecretBytes};
use vouchsafe::stores::sqlite::SqliteStore;
use vouchsafe_test_servers::SmallDisk;

/// What is told about saving.
#[derive(Debug, Default)]
struct Told {
    unsaved: Notify,
    saved: Notify,
}

impl Events for Told {
    fn unsaved(&self, _: &str, error: &Error) {
        assert!(says_full(&error.to_string()), "{error}");
        self.unsaved.notify_one();
    }

    fn saved(&self, _: &str) {
        self.saved.notify_one();
    }
}

fn says_full(error: &str) -> bool {
    error.contains("No space left on device") || error.contains("the disk is full")
}

type Open = fn(&Path) -> Arc<dyn Store>;

fn file(folder: &Path) -> Arc<dyn Store> {
    Arc::new(FileStore::new(folder.join("credentials.json")))
}

fn records(folder: &Path) -> Arc<dyn Store> {
    Arc::new(FolderStore::open(folder.join("records")).unwrap())
}

fn sqlite(folder: &Path) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(folder.join("credentials.sqlite")).unwrap())
}

fn key() -> Key {
    Key::new(FileStore::NAMESPACE, "default")
}

async fn write(store: &dyn Store, expect: Expect, record: serde_json::Value) -> Result<Swapped> {
    let value = SecretBytes::from(record.to_string().into_bytes());
    store.compare_and_swap(&key(), &expect, &value).await
}

/// Fills the disk once tokens are issued.
#[derive(Debug)]
struct Filling {
    inner: Arc<dyn Transport>,
    disk: Arc<SmallDisk>,
    is_over: AtomicBool,
}

impl Transport for Filling {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        Box::pin(async move {
            let answer = self.inner.send(request).await;
            if !self.is_over.swap(true, Ordering::Relaxed) {
                self.disk.fill();
            }
            answer
        })
    }
}

/// Has the disk run full between the issue of tokens and their save.
async fn keeps_tokens(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path()) else {
        return;
    };
    let disk = Arc::new(disk);
    let server = Server::builder()
        .settings(|settings| settings.rotation = Rotation::Rotates)
        .start();
    let login = server.log_in("app").unwrap();
    let first = login.refresh_token.unwrap();
    let record = json!({
        "client_id": login.client_id, "client_secret": login.client_secret.unwrap().expose(),
        "refresh_token": first.expose(), "access_token": "dead",
    });
    let store = open(disk.path());
    let written = write(&*store, Expect::Absent, record).await;
    assert!(matches!(written, Ok(Swapped::Done(_))), "{written:?}");

    let told = Arc::new(Told::default());
    let filling = Filling {
        inner: server.host().transport(),
        disk: Arc::clone(&disk),
        is_over: AtomicBool::new(false),
    };
    let builder = server.credentials_builder().store(store);
    let credentials = builder
        .transport(Arc::new(filling))
        .events(Arc::clone(&told) as _)
        .build()
        .unwrap();
    let new = credentials.refresh().await.unwrap();
    timeout(LIMIT, told.unsaved.notified()).await.unwrap();
    let other = server.credentials_builder().store(open(disk.path()));
    let other = other.build().unwrap();
    let there = other.values().await.unwrap();
    assert_eq!(there.refresh_token, Some(first.clone()), "as it was");

    disk.free();
    timeout(LIMIT, told.saved.notified()).await.unwrap();
    let there = other.values().await.unwrap();
    assert_eq!(there.access_token, Some(new));
    assert_ne!(there.refresh_token, Some(first));
    assert_eq!(server.counts().refreshes(), 1);
}

/// Writes on a full disk, and again when there is room.
async fn keeps_records(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path()) else {
        return;
    };
    let store = open(disk.path());
    let small = json!({"access_token": "one"});
    let Ok(Swapped::Done(version)) = write(&*store, Expect::Absent, small.clone()).await else {
        unreachable!("there is room");
    };
    disk.fill();
    let large = json!({"access_token": "x".repeat(40_000)});
    let expect = Expect::Version(version);
    let error = write(&*store, expect.clone(), large.clone()).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    let place = disk.path().display().to_string();
    let text = error.to_string();
    assert!(says_full(&text) && text.contains(&place), "{text}");
    let there = store.load(&key()).await.unwrap().unwrap();
    let there: serde_json::Value = serde_json::from_slice(there.value.expose()).unwrap();
    assert_eq!(there["access_token"], "one");

    disk.free();
    let written = write(&*store, expect, large).await;
    assert!(matches!(written, Ok(Swapped::Done(_))), "{written:?}");
}

#[tokio::test]
async fn the_file_of_credentials_keeps_its_records() {
    keeps_records(file).await;
}

#[tokio::test]
async fn a_folder_keeps_its_records() {
    keeps_records(records).await;
}

#[tokio::test]
async fn an_sqlite_database_keeps_its_records() {
    keeps_records(sqlite).await;
}

#[tokio::test]
async fn refreshed_tokens_are_saved_in_the_file_of_credentials_once_there_is_room() {
    keeps_tokens(file).await;
}

#[tokio::test]
async fn refreshed_tokens_are_saved_in_a_folder_once_there_is_room() {
    keeps_tokens(records).await;
}

#[tokio::test]
async fn refreshed_tokens_are_saved_in_an_sqlite_database_once_there_is_room() {
    keeps_tokens(sqlite).await;
}

#[tokio::test]
async fn an_sqlite_database_is_not_made_on_a_full_disk() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path()) else {
        return;
    };
    disk.fill();
    let path = disk.path().join("credentials.sqlite");
    let error = SqliteStore::open(&path).unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert!(says_full(&error.to_string()), "{error}");
    disk.free();
    SqliteStore::open(&path).unwrap();
}

#[tokio::test]
async fn a_journal_refuses_commissions_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path()) else {
        return;
    };
    let path = disk.path().join("journal");
    let journal = Arc::new(FileJournal::open(&path).unwrap());
    let server = Astakos::new();
    let client = Client::builder()
        .transport(server.host().transport())
        .auth_url(server.auth_url())
        .token(server.service_token("cyclades").unwrap())
        .build()
        .unwrap();
    let issuer = Issuer::builder(client, "worker").journal(Arc::clone(&journal) as _);
    let issuer = issuer.build().unwrap();
    let alice = Astakos::alice();
    let one = CommissionRequest::one(&alice, [(&alice, "cyclades.vm", 1)]);
    let guard = issuer.issue(&one).await.unwrap();

    disk.fill();
    // The last page of the file still has room.
    let mut kept = 0;
    let error = loop {
        let intent = Intent::new(CommissionId::random().unwrap(), "");
        match journal.intent(&intent).await {
            Ok(()) => kept += 1,
            Err(error) => break error.to_string(),
        }
    };
    assert!(
        says_full(&error) && error.contains("cannot write the journal"),
        "{error}"
    );
    let before = fs::read(&path).unwrap();
    issuer.issue(&one).await.unwrap_err();
    assert_eq!(server.commissions().len(), 1, "nothing was sent");
    assert_eq!(fs::read(&path).unwrap(), before);

    disk.free();
    guard.commit().await.unwrap();
    issuer.issue(&one).await.unwrap().commit().await.unwrap();
    drop((issuer, journal));
    let journal = loop {
        match FileJournal::open(&path) {
            Ok(journal) => break journal,
            // What ran in the background lets go of it when the runtime comes to it.
            Err(error) if error.to_string().contains("has it open already") => {
                tokio::task::yield_now().await;
            }
            Err(error) => unreachable!("{error}"),
        }
    };
    assert_eq!(journal.open().await.unwrap().len(), kept);
}

/// The next attempts to save are a second apart, then more.
const LIMIT: Duration = Duration::from_secs(60);

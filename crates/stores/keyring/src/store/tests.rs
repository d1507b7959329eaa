use std::path::Path;

use vouchsafe_core::store::{
    FolderStore, Leases as _, MemoryStore, Sealed, SealingKey, StoreLeases, WithLease, unique,
};
use vouchsafe_test_servers as servers;

use super::*;

fn at(place: &Path) -> KeyringStoreBuilder {
    KeyringStore::builder(place.join("keyring.lock"))
        .bus(servers::bus(place))
        .limit(vouchsafe_core::store::contract::limit())
}

fn open(place: &Path) -> Arc<dyn Store> {
    Arc::new(at(place).build().unwrap())
}

vouchsafe_core::store_contract!(contract, super::open, vouchsafe_test_servers::keyring);

fn key() -> Key {
    Key::new("application", "profile")
}

fn bytes(text: &str) -> SecretBytes {
    SecretBytes::from(text.as_bytes().to_vec())
}

async fn lock(path: &Path) -> Arc<Lock> {
    let turn = Arc::new(Mutex::new(())).lock_owned().await;
    Lock::take(path, turn).await.unwrap()
}

async fn write(store: &KeyringStore, expect: Expect, text: &str) -> Result<Swapped> {
    store.compare_and_swap(&key(), &expect, &bytes(text)).await
}

#[tokio::test]
async fn leases_are_shared_by_the_processes_of_the_machine_or_more() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = open(folder.path());
    let in_process = StoreLeases::new(Arc::new(MemoryStore::new()));
    let narrow = WithLease::new(Arc::clone(&keyring), Arc::new(in_process));
    let error = narrow.unwrap_err();
    assert!(error.is_config(), "{error}");
    assert!(error.to_string().contains("within a machine"), "{error}");
    let files = FolderStore::open(folder.path().join("leases")).unwrap();
    let in_files = Arc::new(StoreLeases::new(Arc::new(files)));
    let store = WithLease::new(keyring, in_files).unwrap();
    assert_eq!(store.scope(), Scope::Machine);
    WithLease::new(
        open(folder.path()),
        Arc::new(StoreLeases::new(open(folder.path()))),
    )
    .unwrap();
}

/// Returns the key that a keyring has by a name, which the first process makes.
async fn sealing_key(place: &Path, name: &str) -> SealingKey {
    let keyring = at(place).build().unwrap();
    let fresh = SecretBytes::from([unique(), unique()].concat());
    let name = Key::new("application", name);
    let made = keyring
        .compare_and_swap(&name, &Expect::Absent, &fresh)
        .await;
    match made.unwrap() {
        Swapped::Done(_) => SealingKey::from_bytes(&fresh).unwrap(),
        Swapped::Conflict(there) => SealingKey::from_bytes(&there.unwrap().value).unwrap(),
    }
}

#[tokio::test]
async fn a_sealing_key_is_made_once_and_opens_records_after_a_restart_and_a_change_of_keys() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    let Some(mut server) = servers::keyring(place) else {
        return;
    };
    let files = place.join("records");
    let records = || -> Arc<dyn Store> { Arc::new(FolderStore::open(&files).unwrap()) };
    let text = async |store: &Sealed| {
        let loaded = store.load(&key()).await?;
        Ok::<_, Error>(String::from_utf8(loaded.unwrap().value.expose().to_vec()).unwrap())
    };

    // Several begin at the same time, and have one key.
    let mut openers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let place = place.to_owned();
        openers.spawn(async move { sealing_key(&place, "first").await });
    }
    for (number, first) in openers.join_all().await.into_iter().enumerate() {
        let store = Sealed::new(records(), first);
        let expect = match number {
            0 => Expect::Absent,
            _ => Expect::Version(store.load(&key()).await.unwrap().unwrap().version),
        };
        let written = store
            .compare_and_swap(&key(), &expect, &bytes("planted"))
            .await;
        assert!(matches!(written.unwrap(), Swapped::Done(_)));
    }
    let mut kept = 0;
    for entry in std::fs::read_dir(&files).unwrap() {
        let path = entry.unwrap().path();
        let content = std::fs::read(&path).unwrap_or_default();
        kept += content.len();
        let content = String::from_utf8_lossy(&content).into_owned();
        assert!(!content.contains("planted"), "{path:?}: {content:?}");
    }
    assert!(kept > "planted".len(), "nothing was written to {files:?}");

    server.kill();
    server.start();
    let first = sealing_key(place, "first").await;
    let old = Sealed::new(records(), first.clone());
    assert_eq!(text(&old).await.unwrap(), "planted");

    let second = sealing_key(place, "second").await;
    let both = Sealed::new(records(), second.clone()).also_open(first);
    assert_eq!(text(&both).await.unwrap(), "planted");
    assert!(both.reseal(&key()).await.unwrap());
    assert!(!both.reseal(&key()).await.unwrap());
    let keyring = at(place).build().unwrap();
    let name = Key::new("application", "first");
    assert!(keyring.remove(&name, &Expect::Any).await.unwrap());
    let new = Sealed::new(records(), second);
    assert_eq!(text(&new).await.unwrap(), "planted");
    let error = text(&old).await.unwrap_err();
    assert!(error.to_string().contains("also_open()"), "{error}");
}

#[tokio::test]
async fn a_locked_keyring_says_so_and_asks_no_one() {
    let folder = tempfile::tempdir().unwrap();
    let Some(server) = servers::keyring(folder.path()) else {
        return;
    };
    let store = at(folder.path()).build().unwrap();
    let written = write(&store, Expect::Absent, "planted").await.unwrap();
    assert!(matches!(written, Swapped::Done(_)));
    drop(server);
    let _locked = servers::locked_keyring(folder.path()).unwrap();
    let store = at(folder.path()).build().unwrap();
    let other = Key::new("application", "other");
    for error in [
        store.load(&key()).await.map(drop).unwrap_err(),
        write(&store, Expect::Any, "x").await.map(drop).unwrap_err(),
        store
            .remove(&key(), &Expect::Any)
            .await
            .map(drop)
            .unwrap_err(),
        store.list("application").await.map(drop).unwrap_err(),
        store
            .compare_and_swap(&other, &Expect::Absent, &bytes("x"))
            .await
            .map(drop)
            .unwrap_err(),
    ] {
        assert!(
            error.to_string().contains("is locked; unlock it"),
            "{error}"
        );
        assert!(error.is_retryable() && error.kind() == ErrorKind::Store);
        assert!(!format!("{error:?}").contains("planted"), "{error:?}");
    }
}

#[tokio::test]
async fn without_a_service_the_error_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let store = at(folder.path()).build().unwrap();
    let error = store.load(&key()).await.unwrap_err();
    assert!(error.to_string().contains("there is no bus"), "{error}");
    assert!(error.is_retryable(), "{error}");
    for builder in [
        KeyringStore::builder("/"),
        KeyringStore::builder("lock").bus("planted"),
    ] {
        assert!(builder.build().unwrap_err().is_config());
    }
}

#[tokio::test]
async fn a_writer_waits_for_the_lock_of_others_and_readers_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_server) = servers::keyring(folder.path()) else {
        return;
    };
    let store = at(folder.path()).build().unwrap();
    assert!(store.load(&key()).await.unwrap().is_none());
    let nowhere =
        KeyringStore::builder(folder.path().join("none/lock")).bus(servers::bus(folder.path()));
    let error = write(&nowhere.build().unwrap(), Expect::Any, "x")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("none/lock"), "{error}");
    let held = lock(&folder.path().join("keyring.lock")).await;
    let hasty = at(folder.path()).limit(Duration::from_secs(1));
    let hasty = hasty.build().unwrap();
    // On a slow machine the keyring may be what does not answer in time.
    let error = loop {
        let error = write(&hasty, Expect::Absent, "one").await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
        if error.to_string().contains("keyring.lock") {
            break error;
        }
    };
    assert_eq!(error.sent(), Sent::No, "{error}");
    assert!(store.load(&key()).await.unwrap().is_none());
    let release = async {
        tokio::task::yield_now().await;
        drop(held);
    };
    let (written, ()) = tokio::join!(write(&store, Expect::Absent, "one"), release);
    assert!(matches!(written.unwrap(), Swapped::Done(_)));
}

#[tokio::test]
async fn an_entry_that_is_damaged_is_an_error_until_it_is_overwritten_on_purpose() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_server) = servers::keyring(folder.path()) else {
        return;
    };
    let store = at(folder.path()).build().unwrap();
    let lock = lock(&folder.path().join("lock")).await;
    store
        .0
        .keyring
        .save(&key(), bytes("planted"), &lock)
        .await
        .unwrap();
    for error in [
        store.load(&key()).await.map(drop).unwrap_err(),
        write(&store, Expect::Absent, "x")
            .await
            .map(drop)
            .unwrap_err(),
    ] {
        assert!(error.to_string().contains("not of this store"), "{error}");
        assert!(!error.is_retryable() && !format!("{error:?}").contains("planted"));
    }
    let written = write(&store, Expect::Any, "one").await.unwrap();
    assert!(matches!(written, Swapped::Done(_)));
    assert_eq!(
        store.load(&key()).await.unwrap().unwrap().value,
        bytes("one")
    );
}

//! Files and records that other programs may have written.

use std::fs;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use vouchsafe::astakos::commission::{FileJournal, Journal as _};
use vouchsafe::cloud_credentials::file::FileStore;
use vouchsafe::core::SecretBytes;
use vouchsafe::core::mock::ManualClock;
use vouchsafe::core::store::{
    Acquired, CacheOver, Disk, Expect, Key, Leases as _, MemoryStore, Sealed, SealingKey, Store,
    StoreLeases, Swapped,
};

use super::script::run;

/// A disk on which nothing has to survive.
#[derive(Debug)]
struct Quick;

impl Disk for Quick {
    fn sync(&self, _: &File) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("there is a temporary folder")
}

fn write(path: &Path, data: &[u8]) {
    fs::write(path, data).expect("the temporary folder can be written");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::Permissions::from_mode(0o600);
        fs::set_permissions(path, mode).expect("the file is our own");
    }
}

/// Bytes as a journal of commissions. Refused, it is left as it is; opened, it has the same open
/// commissions when it is opened again.
pub fn journal(data: &[u8]) {
    let folder = folder();
    let path = folder.path().join("journal");
    // With checksums that are right, if the lines begin with a mark.
    let summed = summed(data);
    for data in [data, &summed] {
        write(&path, data);
        match FileJournal::open_on(&path, Arc::new(Quick)) {
            Ok(journal) => {
                let open = run(journal.open()).expect("an open journal lists them");
                drop(journal);
                let journal = FileJournal::open_on(&path, Arc::new(Quick));
                let journal = journal.expect("what was opened can be opened again");
                let again = run(journal.open()).expect("an open journal lists them");
                assert_eq!(again, open);
            }
            Err(_) => {
                let left = fs::read(&path).expect("the file is still there");
                assert_eq!(left, data, "a refused file was changed");
            }
        }
        fs::remove_file(&path).expect("the file is our own");
    }
}

/// Replaces `~` at the start of each line by the checksum of the rest.
fn summed(data: &[u8]) -> Vec<u8> {
    use sha2::Digest as _;

    let mut whole = Vec::new();
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_prefix(b"~") {
            Some(rest) => {
                let rest = rest.strip_suffix(b"\n").unwrap_or(rest);
                let digest = sha2::Sha256::digest(rest);
                whole.extend(vouchsafe::core::text::hex(&digest[..8]).into_bytes());
                whole.push(b' ');
                whole.extend(rest);
                whole.push(b'\n');
            }
            None => whole.extend(line),
        }
    }
    whole
}

/// Bytes as a file of `pancloud`. A record that is written is read as the same, and everything else
/// stays in the file.
pub fn credential_file(data: &[u8]) {
    let folder = folder();
    let path = folder.path().join("credentials.json");
    write(&path, data);
    let store = FileStore::new(&path).disk(Arc::new(Quick));
    let named = |name: &str| Key::new(FileStore::NAMESPACE, name);
    run(async {
        let key = named("fuzz");
        let before = store.load(&key).await;
        let listed = store.list(FileStore::NAMESPACE).await;
        let record = br#"{"client_id":"app","refresh_token":"r","access_token":"a"}"#;
        let value = SecretBytes::from(record.to_vec());
        let written = store.compare_and_swap(&key, &Expect::Any, &value).await;
        let Ok(Swapped::Done(version)) = written else {
            let left = fs::read(&path).expect("the file is still there");
            assert!(left == data, "a refused file was changed");
            return;
        };
        let after = store
            .load(&key)
            .await
            .expect("what was written can be read");
        let after = after.expect("it was written");
        assert_eq!(after.version, version);
        let read: Value = serde_json::from_slice(after.value.expose()).expect("it is JSON");
        for (name, expected) in [
            ("client_id", "app"),
            ("refresh_token", "r"),
            ("access_token", "a"),
        ] {
            assert_eq!(read[name], expected);
        }
        assert_eq!(others(data), others(&fs::read(&path).expect("it is there")));
        if let (Ok(_), Ok(Some(listed))) = (before, listed) {
            let now = store
                .list(FileStore::NAMESPACE)
                .await
                .expect("it was listed");
            let now = now.expect("it was listed");
            assert!(listed.iter().all(|name| now.contains(name)));
            assert!(now.iter().any(|name| name == "fuzz"));
        }
        let expect = Expect::Version(version);
        assert!(store.remove(&key, &expect).await.expect("it is there"));
    });
}

/// All of a file but the documents of this profile.
fn others(data: &[u8]) -> Map<String, Value> {
    let mut tables: Map<String, Value> = serde_json::from_slice(data).unwrap_or_default();
    if let Some(Value::Object(documents)) = tables.get_mut(FileStore::NAMESPACE) {
        documents.retain(|_, document| document["profile"] != "fuzz");
    }
    tables.retain(|_, table| table.as_object().is_none_or(|table| !table.is_empty()));
    tables
}

/// Bytes as a sealed record, and as changes of one: only what was sealed under this name is opened.
pub fn sealed(data: &[u8]) {
    let key = SealingKey::from_bytes(&SecretBytes::from(vec![7; 32])).expect("it has 32 bytes");
    let inner = Arc::new(MemoryStore::new());
    let store = Sealed::new(inner.clone(), key);
    let (name, other) = (Key::new("app", "a"), Key::new("app", "b"));
    run(async {
        put(&inner, &name, data).await;
        assert!(store.load(&name).await.is_err(), "not sealed with this key");
        let secret = SecretBytes::from(b"the secret of a".to_vec());
        let written = store.compare_and_swap(&name, &Expect::Any, &secret).await;
        assert!(matches!(written, Ok(Swapped::Done(_))));
        let bytes = inner
            .load(&name)
            .await
            .expect("memory")
            .expect("it was written");
        let bytes = bytes.value.expose().to_vec();
        assert!(!bytes.windows(6).any(|window| window == b"secret"));
        put(&inner, &other, &bytes).await;
        assert!(store.load(&other).await.is_err(), "of another name");
        // Each pair of bytes is a place and what it is changed by.
        let mut changed = bytes.clone();
        for pair in data.chunks_exact(2) {
            let at = usize::from(pair[0]) % changed.len();
            changed[at] ^= pair[1];
        }
        let is_same = changed == bytes;
        put(&inner, &name, &changed).await;
        match store.load(&name).await {
            Ok(loaded) => {
                assert!(is_same, "a changed record was opened");
                assert_eq!(loaded.expect("it is there").value.expose(), secret.expose());
            }
            Err(error) => {
                assert!(!is_same, "{error}");
                assert!(!format!("{error} {error:?}").contains("secret of"));
            }
        }
    });
}

/// Bytes as a lease and as an entry of a cache, in stores that others write, too. A lease that cannot be
/// read is an error and stays as it is, and one that is taken has a greater number than before; an entry
/// that cannot be read is replaced.
pub fn kept(data: &[u8]) {
    let minute = Duration::from_secs(60);
    let name = Key::new("app", "a");
    let read = async |store: &MemoryStore, key: &Key| {
        let loaded = store.load(key).await.expect("memory");
        loaded.map(|loaded| loaded.value.expose().to_vec())
    };
    run(async {
        let store = Arc::new(MemoryStore::new());
        let of = name.lease();
        put(&store, &of, data).await;
        let leases = StoreLeases::new(store.clone());
        match leases.acquire(&name, minute).await {
            Ok(Acquired::Lease(lease)) => {
                let text = String::from_utf8_lossy(data);
                let fence = text.split(' ').next().and_then(|fence| fence.parse().ok());
                assert!(
                    fence.is_some_and(|fence: u64| lease.fence() > fence),
                    "{text:?}"
                );
                let again = leases.acquire(&name, minute).await;
                assert!(matches!(again, Ok(Acquired::Held { .. })), "{again:?}");
                assert!(matches!(leases.release(lease).await, Ok(true)));
            }
            Ok(Acquired::Held { remaining }) => assert!(!remaining.is_zero()),
            Err(_) => assert_eq!(read(&store, &of).await.as_deref(), Some(data)),
        }

        // The input may name a moment, but not two.
        let mut believed = 0;
        for now in [1_700_000_000, 1_700_003_600] {
            let (cache, store) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
            put(&cache, &name, data).await;
            put(&store, &name, b"in the store").await;
            let cached = CacheOver::new(cache.clone(), store, minute)
                .with_clock(Arc::new(ManualClock::at_unix(now)));
            let loaded = cached.load(&name).await.expect("memory");
            let loaded = loaded.map(|loaded| loaded.value.expose().to_vec());
            if read(&cache, &name).await.as_deref() == Some(data) {
                believed += 1;
            } else {
                assert_eq!(loaded.as_deref(), Some(&b"in the store"[..]));
            }
        }
        assert!(believed < 2, "an entry is believed an hour later");
    });
}

async fn put(store: &MemoryStore, key: &Key, bytes: &[u8]) {
    let value = SecretBytes::from(bytes.to_vec());
    let written = store.compare_and_swap(key, &Expect::Any, &value).await;
    assert!(matches!(written, Ok(Swapped::Done(_))));
}

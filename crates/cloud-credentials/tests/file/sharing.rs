//! A file that others write too.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};
use std::{fs, io};

use serde_json::{Value, json};
use tokio::time::sleep;
use vouchsafe_cloud_credentials::file::{FileStore, WriteMode};
use vouchsafe_cloud_credentials::{Error, ErrorKind, Record, Secret};
use vouchsafe_core::SecretBytes;
use vouchsafe_core::store::{Disk, Expect, Key, Store as _, Swapped, SystemDisk, Version, lock};

fn scratch() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/credentials.json");
    (folder, path)
}

fn key() -> Key {
    Key::new(FileStore::NAMESPACE, "default")
}

fn value(access_token: &str) -> SecretBytes {
    let record = json!({
        "access_token": access_token, "client_id": "c", "client_secret": "s", "refresh_token": "r",
    });
    SecretBytes::from(record.to_string().into_bytes())
}

async fn put(store: &FileStore, profile: &str, value: &SecretBytes) {
    let key = Key::new(FileStore::NAMESPACE, profile);
    let done = store.compare_and_swap(&key, &Expect::Any, value).await;
    assert!(matches!(done.unwrap(), Swapped::Done(_)));
}

async fn write(store: &FileStore, access_token: &str) {
    put(store, "default", &value(access_token)).await;
}

async fn read(store: &FileStore) -> Option<Record> {
    let loaded = store.load(&key()).await.unwrap()?;
    Some(Record::read(&loaded.value).unwrap())
}

fn access_token(record: &Record) -> &str {
    record.access_token.as_ref().unwrap().expose()
}

fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[tokio::test]
async fn nothing_is_created_before_the_first_write() {
    let (folder, path) = scratch();
    let store = FileStore::new(&path);
    assert!(read(&store).await.is_none());
    assert!(
        !store
            .remove(&key(), &Expect::Absent)
            .await
            .unwrap_or_default()
    );
    assert!(store.documents("profiles").await.unwrap().is_empty());
    assert!(!path.exists());
    write(&store, "one").await;
    assert_eq!(access_token(&read(&store).await.unwrap()), "one");
    drop(folder);
}

#[cfg(unix)]
#[tokio::test]
async fn new_files_are_private_and_modes_of_old_ones_are_kept() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    for write_mode in [WriteMode::InPlace, WriteMode::Replace] {
        let (_folder, path) = scratch();
        let store = FileStore::new(&path).write_mode(write_mode);
        write(&store, "one").await;
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        for entry in fs::read_dir(path.parent().unwrap()).unwrap() {
            assert_eq!(mode(&entry.unwrap().path()), 0o600);
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        write(&store, "two").await;
        assert_eq!(mode(&path), 0o640);
    }
}

#[tokio::test]
async fn a_program_that_keeps_the_file_open_sees_what_is_written_in_place() {
    use std::io::{Read as _, Seek as _};
    let (_folder, path) = scratch();
    let store = FileStore::new(&path);
    write(&store, "a longer token than the next").await;
    let mut open = fs::File::open(&path).unwrap();
    write(&store, "two").await;
    let mut text = String::new();
    open.rewind().unwrap();
    open.read_to_string(&mut text).unwrap();
    assert_eq!(text, fs::read_to_string(&path).unwrap());
    assert!(text.contains("\"two\""));
}

#[tokio::test]
async fn members_tables_and_documents_of_others_survive() {
    let (_folder, path) = scratch();
    let store = FileStore::new(&path);
    write(&store, "one").await;
    let mut there = json_of(&path);
    there["profiles"]["1"]["note"] = json!({"keep": [1, 2.5]});
    there["profiles"]["7"] = json!({"profile": "other", "refresh_token": "o"});
    there["_default"] = json!({"1": {"x": 1}});
    fs::write(&path, there.to_string()).unwrap();
    write(&store, "two").await;
    there["profiles"]["1"]["access_token"] = "two".into();
    assert_eq!(json_of(&path), there);
    put(&store, "dev", &value("d")).await;
    assert_eq!(json_of(&path)["profiles"]["8"]["profile"], "dev");
    let names = store.list(FileStore::NAMESPACE).await.unwrap().unwrap();
    assert_eq!(names, ["default", "dev", "other"]);
}

#[tokio::test]
async fn a_gap_keeps_new_numbers_from_those_a_running_program_uses() {
    let (_folder, path) = scratch();
    let store = FileStore::new(&path).gap(1000);
    write(&store, "one").await;
    put(&store, "dev", &value("d")).await;
    assert_eq!(json_of(&path)["profiles"]["1001"]["profile"], "dev");
}

#[tokio::test]
async fn what_others_changed_meanwhile_is_a_conflict() {
    let (_folder, path) = scratch();
    let store = FileStore::new(&path);
    write(&store, "one").await;
    let seen = store.load(&key()).await.unwrap().unwrap().version;
    let mut there = json_of(&path);
    there["profiles"]["1"]["access_token"] = "theirs".into();
    fs::write(&path, there.to_string()).unwrap();
    let swapped = store
        .compare_and_swap(&key(), &Expect::Version(seen), &value("ours"))
        .await;
    let Swapped::Conflict(Some(now)) = swapped.unwrap() else {
        unreachable!("another's token was overwritten");
    };
    assert_eq!(access_token(&Record::read(&now.value).unwrap()), "theirs");
}

#[tokio::test]
async fn a_damaged_file_is_left_as_it_is_until_it_is_repaired() {
    let (_folder, path) = scratch();
    let store = FileStore::new(&path);
    write(&store, "one").await;
    for damage in [
        "{\"profiles\": {\"1\": {\"pro",
        "[]",
        "\n",
        "\u{feff}{}",
        "{\"profiles\": []}",
        "{\"profiles\": {\"1\": 5}}",
    ] {
        fs::write(&path, damage).unwrap();
        let is_corrupt = |error: vouchsafe_core::Error| {
            assert_eq!(Error::from(error).kind(), ErrorKind::StoreCorrupt);
        };
        is_corrupt(store.load(&key()).await.unwrap_err());
        let swapped = store
            .compare_and_swap(&key(), &Expect::Any, &value("two"))
            .await;
        is_corrupt(swapped.unwrap_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), damage);
        assert!(store.repair().await.unwrap());
        assert_eq!(access_token(&read(&store).await.unwrap()), "one");
        assert!(!store.repair().await.unwrap());
        let kept = path.with_file_name("credentials.json.damaged");
        assert_eq!(fs::read_to_string(kept).unwrap(), damage);
    }
    let other = FileStore::new(path.with_file_name("other.json"));
    fs::write(other.path(), "{").unwrap();
    let error = other.repair().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StoreCorrupt);
    assert!(error.to_string().contains("no good content"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn time_that_passes_for_a_lock_is_no_sign_of_damage() {
    let (_folder, path) = scratch();
    let store = FileStore::new(&path);
    write(&store, "one").await;
    let whole = fs::read(&path).unwrap();
    let held = fs::File::open(path.with_file_name("credentials.json.lock")).unwrap();
    assert!(lock::try_exclusive(&held).unwrap());
    let others = async {
        sleep(Duration::from_secs(2)).await;
        // A program that locks nothing has written a part of the file, and soon writes the rest.
        fs::write(&path, "{\"profiles\": {\"1\"").unwrap();
        lock::unlock(&held).unwrap();
        sleep(Duration::from_millis(200)).await;
        fs::write(&path, whole).unwrap();
    };
    let (found, ()) = tokio::join!(read(&store), others);
    assert_eq!(access_token(&found.unwrap()), "one");
}

#[tokio::test]
async fn a_member_of_the_wrong_type_is_named_and_not_for_a_repair() {
    let (_folder, path) = scratch();
    let store = FileStore::new(&path);
    write(&store, "one").await;
    let odd = fs::read_to_string(&path).unwrap().replace("\"one\"", "[5]");
    fs::write(&path, &odd).unwrap();
    let error = store.documents(FileStore::NAMESPACE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StoreCorrupt);
    let text = error.to_string();
    let told = "(access_token of document 1 is not text); correct or remove it";
    assert!(text.contains(told), "{text}");
    assert!(!store.repair().await.unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), odd);
}

#[tokio::test]
async fn a_repair_brings_back_what_others_wrote_last_as_far_as_it_was_read() {
    for write_mode in [WriteMode::InPlace, WriteMode::Replace] {
        for reads_all in [false, true] {
            let (_folder, path) = scratch();
            let store = FileStore::new(&path).write_mode(write_mode);
            write(&store, "one").await;
            // In place, as `pancloud` does: its refresh token was replaced, and a profile added.
            let mut theirs = json_of(&path);
            theirs["profiles"]["1"]["refresh_token"] = "rotated".into();
            theirs["profiles"]["2"] = json!({"profile": "theirs", "refresh_token": "t"});
            fs::write(&path, theirs.to_string()).unwrap();
            match reads_all {
                true => drop(store.documents(FileStore::NAMESPACE).await.unwrap()),
                false => drop(read(&store).await),
            }
            fs::write(&path, "{\"profiles\": {\"1\": {\"acc").unwrap();
            assert!(store.repair().await.unwrap());
            assert_eq!(json_of(&path), theirs);
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                let kept = fs::metadata(path.with_file_name("credentials.json.bak")).unwrap();
                assert_eq!(kept.permissions().mode() & 0o7777, 0o600);
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_worth_a_repair_does_not_replace_the_good_content() {
    let (_folder, path) = scratch();
    let store = FileStore::new(&path);
    write(&store, "one").await;
    let good = fs::read(&path).unwrap();
    for there in [
        "",
        // As `pancloud` makes of an empty file.
        "{}",
        "{\"_default\": {}}",
        "{\"profiles\": {}}",
        "{\"profiles\": []}",
        "{\"profiles\": {\"1\": {\"pro",
    ] {
        fs::write(&path, there).unwrap();
        drop(store.load(&key()).await);
        // Of another table, which can be read.
        drop(store.load(&Key::new("other", "default")).await);
        // Changes that change nothing.
        let absent = Key::new(FileStore::NAMESPACE, "absent");
        drop(store.remove(&absent, &Expect::Any).await);
        let expect = Expect::Version(Version::new(b"another"));
        drop(store.compare_and_swap(&key(), &expect, &value("two")).await);
        let kept = fs::read(path.with_file_name("credentials.json.bak")).unwrap();
        assert_eq!(kept, good, "{there}");
    }
}

#[tokio::test]
async fn reading_works_where_the_good_content_cannot_be_kept() {
    let (_folder, path) = scratch();
    let store = FileStore::new(&path);
    write(&store, "one").await;
    let theirs = fs::read_to_string(&path).unwrap().replace("one", "theirs");
    fs::write(&path, theirs).unwrap();
    let kept = path.with_file_name("credentials.json.bak");
    fs::remove_file(&kept).unwrap();
    // Nothing can be written over it.
    fs::create_dir(&kept).unwrap();
    assert_eq!(access_token(&read(&store).await.unwrap()), "theirs");
    assert!(kept.is_dir());
    fs::remove_dir(&kept).unwrap();
    // Without a lock there was no writer of this library, and a reader creates nothing.
    fs::remove_file(path.with_file_name("credentials.json.lock")).unwrap();
    assert_eq!(access_token(&read(&store).await.unwrap()), "theirs");
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[tokio::test]
#[cfg(unix)]
async fn a_reader_keeps_no_copy_of_what_belongs_to_another_user() {
    let (_folder, path) = scratch();
    let store = FileStore::new(&path);
    write(&store, "one").await;
    let good = fs::read_to_string(&path).unwrap();
    fs::write(&path, good.replace("one", "theirs")).unwrap();
    // Only root can give a file away.
    if std::os::unix::fs::chown(&path, Some(4711), None).is_err() {
        return;
    }
    let changed = || fs::metadata(path.parent().unwrap()).unwrap().modified();
    let before = changed().unwrap();
    assert_eq!(access_token(&read(&store).await.unwrap()), "theirs");
    let kept = fs::read_to_string(path.with_file_name("credentials.json.bak"));
    assert_eq!(kept.unwrap(), good);
    // There was not even a draft.
    assert_eq!(changed().unwrap(), before);
}

/// A disk on which nothing more can be written into files that are there.
#[derive(Debug)]
struct NoRoom;

impl Disk for NoRoom {
    fn write(&self, _: &fs::File, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }
}

#[tokio::test]
async fn a_write_over_what_others_wrote_is_completed_although_nothing_of_it_is_there_yet() {
    let (_folder, path) = scratch();
    let store = FileStore::new(&path);
    write(&store, "one").await;
    let theirs = fs::read_to_string(&path).unwrap().replace("one", "theirs");
    fs::write(&path, &theirs).unwrap();
    let ended = store.clone().disk(Arc::new(NoRoom));
    let (key, two) = (key(), value("two"));
    let swapped = ended.compare_and_swap(&key, &Expect::Any, &two).await;
    swapped.unwrap_err();
    assert_eq!(fs::read_to_string(&path).unwrap(), theirs);
    assert_eq!(access_token(&read(&store).await.unwrap()), "two");
}

#[tokio::test]
async fn a_write_over_an_empty_table_is_completed_although_the_good_content_was_kept_till_then() {
    let (_folder, path) = scratch();
    let store = FileStore::new(&path);
    write(&store, "one").await;
    fs::write(&path, "{\"profiles\": {}}").unwrap();
    let ended = store.clone().disk(Arc::new(NoRoom));
    let (key, two) = (key(), value("two"));
    let swapped = ended.compare_and_swap(&key, &Expect::Any, &two).await;
    swapped.unwrap_err();
    assert_eq!(access_token(&read(&store).await.unwrap()), "two");
}

#[tokio::test]
async fn what_only_python_reads_is_refused_by_its_place_and_kept_by_a_repair() {
    let (_folder, path) = scratch();
    let store = FileStore::new(&path);
    write(&store, "planted").await;
    let whole = fs::read_to_string(&path).unwrap();
    for odd in ["NaN", "-Infinity", "\"\\ud800\""] {
        let odd = format!("\"note\": {odd}, \"client_id\"");
        let odd = whole.replacen("\"client_id\"", &odd, 1);
        fs::write(&path, &odd).unwrap();
        let error = store.load(&key()).await.unwrap_err().to_string();
        assert!(error.contains("line 5, column"), "{error}");
        assert!(!error.contains("planted"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), odd);
        assert!(store.repair().await.unwrap());
        let kept = path.with_file_name("credentials.json.damaged");
        assert_eq!(fs::read_to_string(kept).unwrap(), odd);
    }
}

#[tokio::test]
async fn the_write_of_a_killed_process_is_completed_unless_others_wrote_since() {
    let (_folder, path) = scratch();
    let store = FileStore::new(&path);
    write(&store, "one").await;
    let first = fs::read_to_string(&path).unwrap();
    let second = first.replace("one", "two");
    let new = path.with_file_name("credentials.json.new");
    // Killed before, within and after writing into the file, which may have been empty.
    for there in [&first, "", &second[..40], &second] {
        fs::write(&path, &first).unwrap();
        fs::write(path.with_file_name("credentials.json.bak"), &first).unwrap();
        fs::write(&new, &second).unwrap();
        fs::write(&path, there).unwrap();
        assert_eq!(access_token(&read(&store).await.unwrap()), "two");
        assert!(!new.exists());
    }
    let kept = path.with_file_name("credentials.json.damaged");
    assert!(!kept.exists());
    // Python can read what another program wrote meanwhile.
    let odd = first.replace("\"c\"", "NaN");
    fs::write(&new, &second).unwrap();
    fs::write(&path, &odd).unwrap();
    assert_eq!(access_token(&read(&store).await.unwrap()), "two");
    assert_eq!(fs::read_to_string(&kept).unwrap(), odd);
    fs::write(&new, &first).unwrap();
    fs::write(&path, first.replace("one", "theirs")).unwrap();
    assert_eq!(access_token(&read(&store).await.unwrap()), "theirs");
}

/// A disk on which half of a write has room.
#[derive(Debug, Default)]
struct FullDisk(AtomicBool);

impl Disk for FullDisk {
    fn write(&self, file: &fs::File, bytes: &[u8]) -> io::Result<()> {
        if !self.0.load(Ordering::Relaxed) {
            return SystemDisk.write(file, bytes);
        }
        SystemDisk.write(file, &bytes[..bytes.len() / 2])?;
        Err(io::ErrorKind::StorageFull.into())
    }
}

#[tokio::test]
async fn leases_that_were_half_written_are_none_and_do_not_look_like_others() {
    let (_folder, path) = scratch();
    let disk = Arc::new(FullDisk::default());
    let store = FileStore::new(&path).disk(Arc::clone(&disk) as _);
    let lease = key().lease();
    let swap = async |text: &str| {
        let value = SecretBytes::from(text.as_bytes().to_vec());
        store.compare_and_swap(&lease, &Expect::Any, &value).await
    };
    assert!(matches!(swap("1 10 20").await, Ok(Swapped::Done(_))));
    disk.0.store(true, Ordering::Relaxed);
    swap("222 1000 2000").await.unwrap_err();
    disk.0.store(false, Ordering::Relaxed);
    assert!(store.load(&lease).await.unwrap().is_none());
    assert!(matches!(swap("3 30 40").await, Ok(Swapped::Done(_))));
}

#[tokio::test]
async fn what_only_this_library_knows_is_dropped_once_others_wrote_the_token() {
    let (_folder, path) = scratch();
    let store = FileStore::new(&path);
    let mut record = Record::read(&value("one")).unwrap();
    record.lineage = Some("l".to_owned());
    put(&store, "default", &record.write().unwrap()).await;
    assert_eq!(read(&store).await.unwrap().lineage.as_deref(), Some("l"));
    let mut there = json_of(&path);
    assert_eq!(there["profiles"]["1"]["cloud_credentials"]["lineage"], "l");
    there["profiles"]["1"]["cloud_credentials"]["exp"] = u64::MAX.into();
    fs::write(&path, there.to_string()).unwrap();
    let end_of_9999 = UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    assert_eq!(read(&store).await.unwrap().expires_at, Some(end_of_9999));
    there["profiles"]["1"]["access_token"] = "theirs".into();
    fs::write(&path, there.to_string()).unwrap();
    let now = read(&store).await.unwrap();
    assert_eq!(access_token(&now), "theirs");
    assert_eq!(now.lineage, None);
    // Without anything to hold, the member goes.
    write(&store, "three").await;
    assert!(
        json_of(&path)["profiles"]["1"]
            .get("cloud_credentials")
            .is_none()
    );
}

#[test]
fn no_secret_is_shown() {
    let record = Record::read(&value("planted")).unwrap();
    assert!(!format!("{record:?} {:?}", FileStore::new("x")).contains("planted"));
    assert_eq!(record.access_token, Some(Secret::from("planted")));
}

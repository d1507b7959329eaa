//! Records in the files of a folder.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

use super::place::{Identity, Links, folder_of, open_regular};
use super::record::{
    Capabilities, Expect, Key, LONGEST_NAMES, Loaded, Scope, Store, Swapped, Version, unique,
};
use super::{Disk as _, Draft, Owner, SystemDisk, lock, require_private_folder};
use crate::call::{Backoff, Jitter};
use crate::task::blocking;
use crate::text::hex;
use crate::{BoxFuture, Error, ErrorKind, Result, SecretBytes};

/// A [`Store`] in a folder that only the current user can access, shared by the processes of one
/// machine.
///
/// Each record is a file with mode 0600 that is replaced atomically; after a kill or a power cut it
/// holds the old record or the new one. A writer locks the record's own file while it compares and
/// replaces, which takes as long as writing a file. If a writer is suspended in between, others
/// wait for at most ten seconds. Network file systems are not supported, since their locks may not
/// work.
#[derive(Clone, Debug)]
pub struct FolderStore(Arc<Folder>);

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    owner: Owner,
}

/// The maximum size of a record in bytes.
const LARGEST: usize = 1 << 20;
/// How long a writer waits for others.
const PATIENCE: Duration = Duration::from_secs(10);
const FIRST_WAIT: Duration = Duration::from_millis(1);
const LONGEST_WAIT: Duration = Duration::from_millis(50);

impl FolderStore {
    /// Opens a folder, or creates it. This blocks on the disk; call it at start-up.
    ///
    /// # Errors
    ///
    /// Of kind [`Store`](ErrorKind::Store) if the folder cannot be created, or other users can
    /// replace files in it ([`require_private_folder`]).
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let path = folder.as_ref();
        let open = || {
            let mut builder = DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(path)?;
            let path = fs::canonicalize(path)?;
            let owner = Owner::of_process();
            require_private_folder(&path, owner)?;
            Ok(Self(Arc::new(Folder { path, owner })))
        };
        open().map_err(|cause| failed("open", path, cause))
    }

    async fn change(
        &self,
        key: &Key,
        expect: &Expect,
        value: Option<&SecretBytes>,
    ) -> Result<Changed> {
        if let Some(value) = value {
            self.capabilities().require_room(key, value)?;
        }
        let late = Instant::now() + PATIENCE;
        // Waiting writers must not all retry at once.
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT, Jitter::random()).at_least_half();
        loop {
            let folder = Arc::clone(&self.0);
            let (key, expect, value) = (key.clone(), expect.clone(), value.cloned());
            let path = folder.path_of(&key);
            let tried = blocking("writing a record", move || {
                folder.try_change(&key, &expect, value.as_ref())
            });
            match tried.await? {
                Ok(Changed::Busy) if Instant::now() < late => {}
                Ok(Changed::Busy) => {
                    let busy = io::Error::new(io::ErrorKind::WouldBlock, "another writer has it");
                    return Err(failed("write", &path, busy).with_retryable(true));
                }
                Ok(changed) => return Ok(changed),
                Err(cause) => return Err(failed("write", &path, cause)),
            }
            sleep(backoff.next_wait()).await;
        }
    }
}

enum Changed {
    /// Another writer is changing the record; try again.
    Busy,
    Conflict(Option<Loaded>),
    Written(Version),
    Removed,
}

impl Folder {
    fn path_of(&self, key: &Key) -> PathBuf {
        let mut digest = Sha256::new();
        digest.update((key.namespace().len() as u64).to_be_bytes());
        digest.update(key.namespace());
        digest.update(key.profile());
        let name = hex(&digest.finalize()[..16]);
        let ending = if key.is_lease() { LEASE } else { RECORD };
        self.path.join(format!("{name}{ending}"))
    }

    fn open(&self, path: &Path) -> io::Result<Option<File>> {
        let mut options = OpenOptions::new();
        options.read(true);
        let Some(file) = open_regular(path, &mut options, Links::Refuse)? else {
            return Ok(None);
        };
        self.owner.require_for(&file.metadata()?)?;
        Ok(Some(file))
    }

    fn load(&self, key: &Key) -> io::Result<Option<Loaded>> {
        match self.open(&self.path_of(key))? {
            Some(file) => Content::read(&file)?.of(key).map(Some),
            None => Ok(None),
        }
    }

    fn try_change(
        &self,
        key: &Key,
        expect: &Expect,
        value: Option<&SecretBytes>,
    ) -> io::Result<Changed> {
        let path = self.path_of(key);
        let Some(file) = self.open(&path)? else {
            return match value {
                Some(value) if expect.is_met_by(None) => {
                    let (draft, version) = draft(&path, key, value)?;
                    match draft.place_new() {
                        Ok(()) => Ok(Changed::Written(version)),
                        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {
                            Ok(Changed::Busy)
                        }
                        Err(cause) => Err(cause),
                    }
                }
                _ => Ok(Changed::Conflict(None)),
            };
        };
        if !lock::try_exclusive(&file)? {
            return Ok(Changed::Busy);
        }
        let changed = self.change_locked(&file, &path, key, expect, value);
        // Not left to closing the file: a child process that is being started shares it for a
        // moment.
        lock::unlock(&file)?;
        changed
    }

    fn change_locked(
        &self,
        file: &File,
        path: &Path,
        key: &Key,
        expect: &Expect,
        value: Option<&SecretBytes>,
    ) -> io::Result<Changed> {
        let about = file.metadata()?;
        match fs::symlink_metadata(path) {
            Ok(there) if Identity::of(&there, path) == Identity::of(&about, path) => {}
            // The file was replaced while this waited for the lock.
            Ok(_) => return Ok(Changed::Busy),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Changed::Busy),
            Err(cause) => return Err(cause),
        }
        // A record that is overwritten unconditionally may be damaged.
        if *expect != Expect::Any {
            let loaded = Content::read(file)?.of(key)?;
            if !expect.is_met_by(Some(&loaded.version)) {
                return Ok(Changed::Conflict(Some(loaded)));
            }
        }
        let Some(value) = value else {
            fs::remove_file(path)?;
            SystemDisk.sync_folder(folder_of(path))?;
            return Ok(Changed::Removed);
        };
        let (draft, version) = draft(path, key, value)?;
        draft.replace()?;
        if let Ok(newest) = fs::metadata(path).and_then(|file| file.modified()) {
            Draft::sweep(path, newest);
        }
        Ok(Changed::Written(version))
    }

    fn list(&self, namespace: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            let is_record = path
                .file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.ends_with(RECORD) && !name.starts_with('.'));
            if !is_record {
                continue;
            }
            // It may have been removed in the meantime.
            let Some(file) = self.open(&path)? else {
                continue;
            };
            let content = Content::read(&file)?;
            let Some((of, name)) = content.names() else {
                return Err(damaged());
            };
            if of == namespace {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }
}

/// Writes a record into a new file.
fn draft(path: &Path, key: &Key, value: &SecretBytes) -> io::Result<(Draft, Version)> {
    let version = hex(&unique());
    let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let (namespace, profile) = (encoded(key.namespace()), encoded(key.profile()));
    let draft = Draft::beside(path)?;
    draft.write(format!("{MARK}{version} {namespace} {profile}\n").as_bytes())?;
    draft.write(value.expose())?;
    Ok((draft, Version::new(version.as_bytes())))
}

/// The content of a file: one line about the record, then the record.
struct Content(Zeroizing<Vec<u8>>);

impl Content {
    fn read(file: &File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        let room = usize::try_from(length).unwrap_or(usize::MAX);
        if room > LARGEST + LONGEST_LINE {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        // Reserve all of it at once: a buffer that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(room + 1));
        file.take(length + 1).read_to_end(&mut bytes)?;
        Ok(Self(bytes))
    }

    fn split(&self) -> Option<(&str, &[u8])> {
        let end = self.0.iter().position(|&byte| byte == b'\n')?;
        let line = std::str::from_utf8(&self.0[..end]).ok()?;
        Some((line.strip_prefix(MARK)?, &self.0[end + 1..]))
    }

    fn names(&self) -> Option<(String, String)> {
        let mut words = self.split()?.0.split(' ').skip(1);
        let mut word = || {
            let text = percent_decode_str(words.next()?).decode_utf8().ok()?;
            Some(text.into_owned())
        };
        Some((word()?, word()?))
    }

    fn of(&self, key: &Key) -> io::Result<Loaded> {
        let names = self.names().ok_or_else(damaged)?;
        if names.0 != key.namespace() || names.1 != key.profile() {
            return Err(io::Error::other("it holds a record of another name"));
        }
        let (line, value) = self.split().ok_or_else(damaged)?;
        let (version, _) = line.split_once(' ').ok_or_else(damaged)?;
        Ok(Loaded {
            value: SecretBytes::from(value.to_vec()),
            version: Version::new(version.as_bytes()),
        })
    }
}

impl Store for FolderStore {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        Box::pin(async move {
            let (folder, of) = (Arc::clone(&self.0), key.clone());
            let loaded = blocking("reading a record", move || folder.load(&of)).await?;
            loaded.map_err(|cause| failed("read", &self.0.path_of(key), cause))
        })
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>> {
        Box::pin(async move {
            match self.change(key, expect, Some(value)).await? {
                Changed::Written(version) => Ok(Swapped::Done(version)),
                Changed::Conflict(there) => Ok(Swapped::Conflict(there)),
                Changed::Busy | Changed::Removed => Ok(Swapped::Conflict(None)),
            }
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let changed = self.change(key, expect, None).await?;
            Ok(matches!(changed, Changed::Removed))
        })
    }

    fn list<'a>(&'a self, namespace: &'a str) -> BoxFuture<'a, Result<Option<Vec<String>>>> {
        Box::pin(async move {
            let (folder, namespace) = (Arc::clone(&self.0), namespace.to_owned());
            let names = blocking("listing records", move || folder.list(&namespace)).await?;
            names
                .map(Some)
                .map_err(|cause| failed("list", &self.0.path, cause))
        })
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            max_bytes: Some(LARGEST),
            ..Capabilities::new(Scope::Machine)
        }
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is not a record, or damaged")
}

fn failed(what: &str, path: &Path, cause: io::Error) -> Error {
    let message = format!("cannot {what} {}: {cause}", path.display());
    Error::new(ErrorKind::Store, message).with_source(cause)
}

const MARK: &str = "vouchsafe-record 1 ";
const RECORD: &str = ".record";
const LEASE: &str = ".lease";
/// Each byte of a name is written as at most three bytes.
const LONGEST_LINE: usize = 3 * LONGEST_NAMES + 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "mock")]
    fn open(place: &Path) -> Arc<dyn Store> {
        Arc::new(FolderStore::open(place).unwrap())
    }

    #[cfg(feature = "mock")]
    crate::store_contract!(contract, super::open);

    fn key() -> Key {
        Key::new("application", "profile")
    }

    fn value(text: &str) -> SecretBytes {
        SecretBytes::from(text.as_bytes().to_vec())
    }

    async fn write(store: &FolderStore, expect: Expect) -> Result<Swapped> {
        store
            .compare_and_swap(&key(), &expect, &value("planted"))
            .await
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn records_are_for_this_user_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("new/folder");
        let store = FolderStore::open(&folder).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert!(matches!(
            write(&store, Expect::Absent).await,
            Ok(Swapped::Done(_))
        ));
        let path = store.0.path_of(&key());
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let error = store.load(&key()).await.unwrap_err().to_string();
        assert!(error.contains("other users may write it"), "{error}");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(FolderStore::open(&folder).is_err());
    }

    #[tokio::test]
    async fn a_damaged_record_is_an_error_until_it_is_overwritten_on_purpose() {
        let scratch = tempfile::tempdir().unwrap();
        let store = FolderStore::open(scratch.path()).unwrap();
        assert!(matches!(
            write(&store, Expect::Absent).await,
            Ok(Swapped::Done(_))
        ));
        let path = store.0.path_of(&key());
        for key in [
            Key::new("other", "profile"),
            Key::new("application", "other"),
        ] {
            let other = store.0.path_of(&key);
            fs::copy(&path, &other).unwrap();
            let error = store.load(&key).await.unwrap_err().to_string();
            assert!(error.contains("another name"), "{error}");
            fs::remove_file(&other).unwrap();
        }

        let file = File::options().write(true).open(&path).unwrap();
        file.set_len(20).unwrap();
        let error = store.load(&key()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store);
        assert!(!error.to_string().contains("planted"), "{error}");
        assert!(write(&store, Expect::Absent).await.is_err());
        assert!(store.list("application").await.is_err());
        assert!(matches!(
            write(&store, Expect::Any).await,
            Ok(Swapped::Done(_))
        ));
        assert_eq!(
            store.load(&key()).await.unwrap().unwrap().value,
            value("planted")
        );
    }

    #[tokio::test]
    async fn what_is_too_large_is_refused_before_it_is_written() {
        let scratch = tempfile::tempdir().unwrap();
        let store = FolderStore::open(scratch.path()).unwrap();
        let large = SecretBytes::from(vec![0; LARGEST + 1]);
        assert!(
            store
                .compare_and_swap(&key(), &Expect::Any, &large)
                .await
                .is_err()
        );
        let longest = Key::new("n".repeat(LONGEST_NAMES - 1), "n");
        let room = store.capabilities().require_room(&longest, &value("x"));
        assert!(room.is_ok());
        let name = Key::new("n".repeat(LONGEST_NAMES), "n");
        assert!(
            store
                .compare_and_swap(&name, &Expect::Any, &value("x"))
                .await
                .is_err()
        );
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_file_that_is_larger_than_any_record_is_not_read() {
        let scratch = tempfile::tempdir().unwrap();
        let store = FolderStore::open(scratch.path()).unwrap();
        assert!(write(&store, Expect::Absent).await.is_ok());
        let path = store.0.path_of(&key());
        let file = File::options().write(true).open(path).unwrap();
        let largest = u64::try_from(LARGEST + LONGEST_LINE).unwrap();
        file.set_len(largest).unwrap();
        assert!(store.load(&key()).await.is_ok());
        file.set_len(largest + 1).unwrap();
        assert!(store.load(&key()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_writer_that_is_stopped_holds_up_others_for_a_while_only() {
        let scratch = tempfile::tempdir().unwrap();
        let store = FolderStore::open(scratch.path()).unwrap();
        assert!(matches!(
            write(&store, Expect::Absent).await,
            Ok(Swapped::Done(_))
        ));
        let stopped = File::open(store.0.path_of(&key())).unwrap();
        assert!(lock::try_exclusive(&stopped).unwrap());
        let error = write(&store, Expect::Any).await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
        assert!(
            store.load(&key()).await.unwrap().is_some(),
            "readers do not wait"
        );
        lock::unlock(&stopped).unwrap();
        assert!(matches!(
            write(&store, Expect::Any).await,
            Ok(Swapped::Done(_))
        ));
    }
    #[tokio::test]
    async fn a_writer_that_waited_for_a_replaced_file_starts_again() {
        let scratch = tempfile::tempdir().unwrap();
        let store = FolderStore::open(scratch.path()).unwrap();
        let Ok(Swapped::Done(first)) = write(&store, Expect::Absent).await else {
            panic!("not written");
        };
        let path = store.0.path_of(&key());
        let old = store.0.open(&path).unwrap().unwrap();
        let expect = Expect::Version(first);
        assert!(matches!(
            write(&store, expect.clone()).await,
            Ok(Swapped::Done(_))
        ));
        // The old file still holds what this writer expects.
        let late = value("late");
        let changed_at = |path: &Path| {
            let folder = &store.0;
            folder.change_locked(&old, path, &key(), &expect, Some(&late))
        };
        assert!(matches!(changed_at(&path), Ok(Changed::Busy)));
        fs::remove_file(&path).unwrap();
        assert!(matches!(changed_at(&path), Ok(Changed::Busy)));
        fs::write(&path, "not a folder").unwrap();
        assert!(changed_at(&path.join("below")).is_err());
    }
}

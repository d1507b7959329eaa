//! The folder of the disk cache (protocol section 12), shared with other processes, those of the
//! original library among them.
//!
//! A file is written beside the old one and put into its place, so that whoever reads finds the
//! old or the new one, whenever a writer is killed. Readers take the lock that the original
//! writes in place under, so that they never see half of what it writes.
//!
//! The seal of a file has no key: whoever can write a file can plant keys in it. So files that
//! others own or may write are not read.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs4::FileExt as Lock;
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use super::Blob;
use crate::error::{Error, ErrorKind};

/// A folder with the files of a client.
#[derive(Clone, Debug)]
pub struct DiskCache {
    folder: PathBuf,
    owner: Owner,
}

/// A file of the cache.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the files of the format")]
pub enum CacheFile {
    /// Answers with service tickets.
    ServiceTickets,
    /// The key container.
    PublicKeys,
    /// The header with settings of retries.
    RetrySettings,
    /// The roles document.
    Roles,
}

impl CacheFile {
    /// Returns the name of the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ServiceTickets => "service_tickets",
            Self::PublicKeys => "public_keys",
            Self::RetrySettings => "retry_settings",
            Self::Roles => "roles",
        }
    }
}

impl DiskCache {
    /// Opens a folder, which must exist, and makes sure that files can be made and removed in it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PermissionDenied`] with the reason.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        let folder = folder.into();
        let denied = |cause: io::Error| {
            let core = vouchsafe_core::Error::new(
                vouchsafe_core::ErrorKind::Store,
                format!("Permission denied to disk cache directory: {cause}"),
            );
            Error::of(ErrorKind::PermissionDenied, core.with_source(cause))
        };
        // Not by the original's name for it, `check.tmp`: of two clients that start at once, one
        // would remove the file of the other.
        let probe = draft_in(&folder, PROBE).map_err(denied)?;
        let owner = Owner::of(&probe.as_file().metadata().map_err(denied)?);
        probe.close().map_err(denied)?;
        Ok(Self { folder, owner })
    }

    /// Returns the folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Reads a file; `None` if it is not there. Blocks.
    ///
    /// # Errors
    ///
    /// Of kind `Core(Store)` if it cannot be read, is being written in place, is too large, was
    /// changed, or if another user owns it or may write it.
    pub fn read(&self, which: CacheFile) -> Result<Option<Blob>, Error> {
        let path = self.path(which);
        let failed = |cause| store_error("read", &path, cause);
        let Some(file) = open(&path).map_err(failed)? else {
            return Ok(None);
        };
        let about = file.metadata().map_err(failed)?;
        self.owner.require_for(&about).map_err(failed)?;
        Lock::try_lock_shared(&file).map_err(|cause| failed(cause.into()))?;
        // Room for all of it at once: what is moved to grow leaves a copy behind.
        let room = usize::try_from(about.len().min(LARGEST)).unwrap_or_default() + 1;
        let mut content = Zeroizing::new(Vec::with_capacity(room));
        let read = (&file).take(LARGEST + 1).read_to_end(&mut content);
        // Not left to the end of the file: a process that is just being started shares it.
        Lock::unlock(&file).map_err(failed)?;
        read.map_err(failed)?;
        if content.len() as u64 > LARGEST {
            return Err(failed(io::Error::other("too large")));
        }
        Blob::unpack(&content).map(Some)
    }

    /// Writes a file. Blocks until it is on the disk.
    ///
    /// # Errors
    ///
    /// Of kind `Core(Store)`; the old file is still there then.
    pub fn write(&self, which: CacheFile, unix_seconds: i64, data: &[u8]) -> Result<(), Error> {
        let path = self.path(which);
        let failed = |cause| store_error("write", &path, cause);
        let mut draft = draft_in(&self.folder, which.name()).map_err(failed)?;
        Lock::try_lock(draft.as_file()).map_err(|cause| failed(cause.into()))?;
        draft
            .write_all(&Blob::pack(unix_seconds, data))
            .map_err(failed)?;
        // Before it is in place: after a power cut the name would else stand for an empty file.
        // The folder itself is not synced: either file will do.
        draft.as_file().sync_all().map_err(failed)?;
        // The lock is for the sweepers of drafts; a reader of the file in place would fail for it.
        Lock::unlock(draft.as_file()).map_err(failed)?;
        draft.persist(&path).map_err(|cause| failed(cause.error))?;
        self.sweep(which);
        Ok(())
    }

    fn path(&self, which: CacheFile) -> PathBuf {
        self.folder.join(which.name())
    }

    /// Removes what killed writers left, as far as it can be told: nobody holds it, and it is
    /// older than any write takes. Whatever fails is left for the next time.
    fn sweep(&self, which: CacheFile) {
        let Ok(newest) = fs::metadata(self.path(which)).and_then(|file| file.modified()) else {
            return;
        };
        let prefixes = [prefix(which.name()), prefix(PROBE)];
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name();
            let is_draft = name.to_str().is_some_and(|name| {
                name.ends_with(DRAFT) && prefixes.iter().any(|prefix| name.starts_with(prefix))
            });
            if !is_draft {
                continue;
            }
            let Ok(Some(file)) = open(&entry.path()) else {
                continue;
            };
            let age = file.metadata().and_then(|file| file.modified());
            let is_old = age.is_ok_and(|age| age + ABANDONED < newest);
            if is_old && Lock::try_lock(&file).is_ok() {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Whose files are read.
#[derive(Clone, Copy, Debug)]
struct Owner {
    #[cfg(unix)]
    uid: u32,
}

impl Owner {
    /// The owner of a file that this process has just made.
    #[cfg_attr(
        not(unix),
        expect(unused_variables, reason = "files have owners on Unix")
    )]
    fn of(about: &Metadata) -> Self {
        Self {
            #[cfg(unix)]
            uid: std::os::unix::fs::MetadataExt::uid(about),
        }
    }

    #[cfg(unix)]
    fn require_for(self, about: &Metadata) -> io::Result<()> {
        use std::os::unix::fs::MetadataExt as _;
        const WRITTEN_BY_OTHERS: u32 = 0o022;
        if about.uid() != self.uid {
            return Err(io::Error::other("it belongs to another user"));
        }
        if about.mode() & WRITTEN_BY_OTHERS != 0 {
            return Err(io::Error::other("other users may write it"));
        }
        Ok(())
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
    fn require_for(self, _: &Metadata) -> io::Result<()> {
        Ok(())
    }
}

/// Opens a file if it is there. Whatever else bears the name is not opened: a pipe would block.
fn open(path: &Path) -> io::Result<Option<File>> {
    let opened = fs::metadata(path).and_then(|about| {
        if about.is_file() {
            File::open(path)
        } else {
            Err(io::Error::other("it is no file"))
        }
    });
    match opened {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some),
    }
}

/// Makes a file of a name that nobody guesses, for its owner alone from the start, and gone if it
/// never gets into its place.
fn draft_in(folder: &Path, name: &str) -> io::Result<NamedTempFile> {
    tempfile::Builder::new()
        .prefix(&prefix(name))
        .suffix(DRAFT)
        .tempfile_in(folder)
}

fn prefix(name: &str) -> String {
    format!(".{name}.")
}

fn store_error(what: &str, path: &Path, cause: io::Error) -> Error {
    // With the cause: this line is what is logged.
    let message = format!("Failed to {what} '{}': {cause}", path.display());
    let core = vouchsafe_core::Error::new(vouchsafe_core::ErrorKind::Store, message);
    core.with_source(cause).into()
}

const DRAFT: &str = ".draft";
/// What stands for a name in the draft that shows whether drafts can be made.
const PROBE: &str = "check";

/// Longer than any write takes.
const ABANDONED: Duration = Duration::from_secs(60);

/// Far above what any client keeps; more would be read into memory for nothing.
const LARGEST: u64 = 256 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> (tempfile::TempDir, DiskCache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = DiskCache::open(folder.path()).unwrap();
        (folder, cache)
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_written_is_read_again_and_nothing_else_is_left() {
        let (folder, cache) = cache();
        assert!(cache.read(CacheFile::Roles).unwrap().is_none());
        for data in ["one", "two"] {
            cache.write(CacheFile::Roles, 17, data.as_bytes()).unwrap();
            let blob = cache.read(CacheFile::Roles).unwrap().unwrap();
            assert_eq!((blob.time, blob.text().unwrap()), (17, data));
        }
        assert_eq!(names(folder.path()), ["roles"]);
    }

    #[cfg(unix)]
    #[test]
    fn files_are_for_their_owner_alone_even_if_they_were_not() {
        use std::os::unix::fs::PermissionsExt as _;
        let (folder, cache) = cache();
        let path = folder.path().join("public_keys");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        cache.write(CacheFile::PublicKeys, 1, b"keys").unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_write_is_not_read_until_it_is_written_anew() {
        use std::os::unix::fs::PermissionsExt as _;
        let (folder, cache) = cache();
        cache.write(CacheFile::PublicKeys, 1, b"keys").unwrap();
        let path = folder.path().join("public_keys");
        for (mode, is_read) in [(0o620, false), (0o602, false), (0o644, true)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(
                cache.read(CacheFile::PublicKeys).is_ok(),
                is_read,
                "{mode:o}"
            );
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        cache.write(CacheFile::PublicKeys, 1, b"keys").unwrap();
        assert!(cache.read(CacheFile::PublicKeys).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_of_another_user_is_not_read() {
        let (_folder, mut cache) = cache();
        cache.write(CacheFile::PublicKeys, 1, b"keys").unwrap();
        cache.owner.uid += 1;
        assert!(cache.read(CacheFile::PublicKeys).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_replaced_and_not_written_through() {
        let (folder, cache) = cache();
        let elsewhere = folder.path().join("elsewhere");
        fs::write(&elsewhere, "precious").unwrap();
        let path = folder.path().join("roles");
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        cache.write(CacheFile::Roles, 1, b"x").unwrap();
        assert_eq!(fs::read(&elsewhere).unwrap(), b"precious");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let (folder, cache) = cache();
        fs::create_dir(folder.path().join("roles")).unwrap();
        let error = cache.read(CacheFile::Roles).unwrap_err();
        assert!(error.to_string().ends_with("it is no file"), "{error}");
    }

    #[test]
    fn opening_leaves_nothing_behind() {
        let (folder, _cache) = cache();
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn a_folder_that_is_not_there_is_refused() {
        let (folder, _) = cache();
        let error = DiskCache::open(folder.path().join("none")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        let text = error.to_string();
        assert!(
            text.starts_with("Permission denied to disk cache directory: "),
            "{text}"
        );
    }

    #[test]
    fn a_file_that_the_original_is_writing_is_not_read() {
        let (folder, cache) = cache();
        cache.write(CacheFile::Roles, 1, b"x").unwrap();
        let writing = File::open(folder.path().join("roles")).unwrap();
        Lock::try_lock(&writing).unwrap();
        assert!(cache.read(CacheFile::Roles).is_err());
        drop(writing);
        assert!(cache.read(CacheFile::Roles).is_ok());
    }

    #[test]
    fn drafts_of_killed_writers_are_swept_and_those_of_living_ones_are_not() {
        let (folder, cache) = cache();
        let draft = |name: &str, age: u64| {
            let file = File::create(folder.path().join(name)).unwrap();
            let now = file.metadata().unwrap().modified().unwrap();
            file.set_modified(now - Duration::from_secs(age)).unwrap();
            file
        };
        drop(draft(".roles.00.draft", 3600));
        drop(draft(".roles.01.draft", 0));
        let held = draft(".roles.02.draft", 3600);
        Lock::try_lock(&held).unwrap();
        drop(draft(".other.03.draft", 3600));
        drop(draft(".check.04.draft", 3600));
        cache.write(CacheFile::Roles, 1, b"x").unwrap();
        assert_eq!(
            names(folder.path()),
            [
                ".other.03.draft",
                ".roles.01.draft",
                ".roles.02.draft",
                "roles"
            ]
        );
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_file_and_no_draft() {
        let (folder, cache) = cache();
        // A folder cannot be replaced by a file.
        fs::create_dir(folder.path().join("roles")).unwrap();
        let error = cache.write(CacheFile::Roles, 1, b"x").unwrap_err();
        assert!(error.to_string().contains("roles'"), "{error}");
        assert_eq!(names(folder.path()), ["roles"]);
    }
}

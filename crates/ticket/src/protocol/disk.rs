//! The folder of the disk cache (protocol section 12), shared with other processes, those of the
//! original library among them.
//!
//! A file is written beside the old one and put into its place, so that whoever reads finds the
//! old or the new one, whenever a writer is killed. Readers take the lock that the original
//! writes in place under, so that they never see half of what it writes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs4::FileExt as Lock;
use zeroize::Zeroizing;

use super::Blob;
use crate::error::{Error, ErrorKind};

/// A folder with the files of a client.
#[derive(Clone, Debug)]
pub struct DiskCache {
    folder: PathBuf,
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
        let check = folder.join("check.tmp");
        let made = OpenOptions::new().create(true).append(true).open(&check);
        made.map_err(denied)?;
        match fs::remove_file(&check) {
            // Another client of the folder was faster.
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(denied(cause)),
            _ => Ok(Self { folder }),
        }
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
    /// Of kind `Core(Store)` if it cannot be read, is being written, is too large or was changed.
    pub fn read(&self, which: CacheFile) -> Result<Option<Blob>, Error> {
        let path = self.path(which);
        let failed = |cause| store_error("read", &path, cause);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(failed(cause)),
        };
        // Ends with the file.
        Lock::try_lock_shared(&file).map_err(|cause| failed(cause.into()))?;
        let mut content = Zeroizing::new(Vec::new());
        file.take(LARGEST + 1)
            .read_to_end(&mut content)
            .map_err(failed)?;
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
        // For its owner alone from the start, and gone if it never gets into its place.
        let mut draft = tempfile::Builder::new()
            .prefix(&prefix(which))
            .suffix(DRAFT)
            .tempfile_in(&self.folder)
            .map_err(failed)?;
        Lock::try_lock(draft.as_file()).map_err(|cause| failed(cause.into()))?;
        draft
            .write_all(&Blob::pack(unix_seconds, data))
            .map_err(failed)?;
        // Before it is in place: after a power cut the name would else stand for an empty file.
        // The folder itself is not synced: either file will do.
        draft.as_file().sync_all().map_err(failed)?;
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
        let prefix = prefix(which);
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name();
            let is_draft = name
                .to_str()
                .is_some_and(|name| name.starts_with(&prefix) && name.ends_with(DRAFT));
            if !is_draft {
                continue;
            }
            let Ok(file) = File::open(entry.path()) else {
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

fn prefix(which: CacheFile) -> String {
    format!(".{}.", which.name())
}

fn store_error(what: &str, path: &Path, cause: io::Error) -> Error {
    let message = format!("Failed to {what} '{}'", path.display());
    let core = vouchsafe_core::Error::new(vouchsafe_core::ErrorKind::Store, message);
    core.with_source(cause).into()
}

const DRAFT: &str = ".draft";

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

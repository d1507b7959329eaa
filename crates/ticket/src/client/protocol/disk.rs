//! The folder of the disk cache (protocol section 12), shared with other processes, including those
//! of the original library.
//!
//! A file is written next to the old one and then replaces it, so that readers find the old or the
//! new one, even if a writer is killed. Readers take the lock that the original holds while it
//! writes in place, so that they never see a partial write of it.
//!
//! The checksum of a file has no key: a user who can write a file can plant keys in it, and one who
//! can replace a file can bring back old keys. So files that others own or may write are not read,
//! and a folder where others can replace files is refused.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use vouchsafe_core::store::{Draft, Owner, lock, open_to_read, require_private_folder};
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
    /// The header with retry settings.
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
    /// Opens an existing folder, and checks that files can be created and removed in it and that no
    /// other user can replace them
    /// ([`require_private_folder`](vouchsafe_core::store::require_private_folder)).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PermissionDenied`] with the reason.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        let folder = folder.into();
        let denied = |cause: io::Error| {
            let shown = folder.display();
            let reason = match cause.kind() {
                io::ErrorKind::NotFound => " does not exist: create it first".to_owned(),
                _ => format!(": {cause}"),
            };
            // Begins as the original's message does, whatever the reason (protocol section 11.1).
            let message = format!("Permission denied to disk cache directory: {shown}{reason}");
            let core = vouchsafe_core::Error::new(vouchsafe_core::ErrorKind::Store, message);
            Error::of(ErrorKind::PermissionDenied, core.with_source(cause))
        };
        // Checked first, so that the cause does not name a draft file that the caller does not
        // know.
        if !fs::metadata(&folder).map_err(denied)?.is_dir() {
            return Err(denied(io::ErrorKind::NotADirectory.into()));
        }
        // Not under the original's name, `check.tmp`: of two clients that start at once, one would
        // remove the file of the other.
        let probe = Draft::beside(&folder.join(PROBE)).map_err(denied)?;
        let owner = Owner::of_file(&probe.metadata().map_err(denied)?);
        require_private_folder(&folder, owner).map_err(denied)?;
        Ok(Self { folder, owner })
    }

    /// Returns the folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Reads a file; `None` if it does not exist. Blocks.
    ///
    /// # Errors
    ///
    /// Of kind `Core(Store)` if it cannot be read, is being written in place, is too large, was
    /// changed, or if another user owns it or may write it.
    pub fn read(&self, which: CacheFile) -> Result<Option<Blob>, Error> {
        let path = self.path(which);
        let failed = |cause| store_error("read", &path, cause);
        let Some(file) = open_to_read(&path).map_err(failed)? else {
            return Ok(None);
        };
        let about = file.metadata().map_err(failed)?;
        self.owner.require_for(&about).map_err(failed)?;
        if !lock::try_shared(&file).map_err(failed)? {
            let cause = io::Error::new(io::ErrorKind::WouldBlock, "it is being written");
            return Err(failed(cause));
        }
        // Reserve all of it at once: a buffer that grows leaves copies behind.
        let room = usize::try_from(about.len().min(LARGEST)).unwrap_or_default() + 1;
        let mut content = Zeroizing::new(Vec::with_capacity(room));
        let read = (&file).take(LARGEST + 1).read_to_end(&mut content);
        // Closing the file may not be enough: a child process that is being started shares it for a
        // moment.
        lock::unlock(&file).map_err(failed)?;
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
    /// Of kind `Core(Store)`; the old file is kept.
    pub fn write(&self, which: CacheFile, unix_seconds: i64, data: &[u8]) -> Result<(), Error> {
        let path = self.path(which);
        let failed = |cause| store_error("write", &path, cause);
        let draft = Draft::beside(&path).map_err(failed)?;
        let written = draft.write(&Blob::pack(unix_seconds, data));
        written.and_then(|()| draft.replace()).map_err(failed)?;
        if let Ok(newest) = fs::metadata(&path).and_then(|file| file.modified()) {
            Draft::sweep(&path, newest);
            Draft::sweep(&self.folder.join(PROBE), newest);
        }
        Ok(())
    }

    fn path(&self, which: CacheFile) -> PathBuf {
        self.folder.join(which.name())
    }
}

fn store_error(what: &str, path: &Path, cause: io::Error) -> Error {
    // Includes the cause, since this line is logged.
    let message = format!("Failed to {what} '{}': {cause}", path.display());
    let core = vouchsafe_core::Error::new(vouchsafe_core::ErrorKind::Store, message);
    core.with_source(cause).into()
}

/// The name for the draft that tests whether drafts can be created.
const PROBE: &str = "check";

/// Far more than any client stores, so that a huge file is not read into memory.
const LARGEST: u64 = 256 << 20;

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::Duration;

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
    fn a_file_that_others_may_write_is_not_read_until_it_is_rewritten() {
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
        let (folder, mut cache) = cache();
        cache.write(CacheFile::PublicKeys, 1, b"keys").unwrap();
        let root = Owner::of_file(&fs::metadata("/").unwrap());
        if cache.owner == root {
            // Only root can give a file away.
            let path = folder.path().join("public_keys");
            std::os::unix::fs::chown(path, Some(1), None).unwrap();
        } else {
            cache.owner = root;
        }
        let error = cache.read(CacheFile::PublicKeys).unwrap_err();
        assert!(error.to_string().contains("another user"), "{error}");
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
    fn only_regular_files_are_opened() {
        let (folder, cache) = cache();
        fs::create_dir(folder.path().join("roles")).unwrap();
        let error = cache.read(CacheFile::Roles).unwrap_err();
        assert!(error.to_string().contains("not a file"), "{error}");
    }

    #[test]
    fn opening_leaves_nothing_behind() {
        let (folder, _cache) = cache();
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn a_folder_that_is_not_there_is_refused() {
        let (folder, _) = cache();
        let missing = folder.path().join("none");
        let error = DiskCache::open(&missing).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        let text = error.to_string();
        let told = format!(
            "Permission denied to disk cache directory: {} does not exist: create it first",
            missing.display()
        );
        assert!(text.starts_with(&told), "{text}");
        assert!(!text.contains("draft"), "{text}");
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_where_others_can_replace_files_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        for (mode, is_taken) in [
            (0o755, true),
            (0o775, false),
            (0o777, false),
            (0o1777, true),
        ] {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
            match DiskCache::open(folder.path()) {
                Ok(_) => assert!(is_taken, "{mode:o}"),
                Err(error) => {
                    assert!(!is_taken, "{mode:o}");
                    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
                    assert!(error.to_string().contains("chmod go-w"), "{error}");
                }
            }
            assert!(names(folder.path()).is_empty());
        }
    }

    #[test]
    fn a_file_that_the_original_is_writing_is_not_read() {
        let (folder, cache) = cache();
        cache.write(CacheFile::Roles, 1, b"x").unwrap();
        let writing = File::open(folder.path().join("roles")).unwrap();
        assert!(lock::try_exclusive(&writing).unwrap());
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
        assert!(lock::try_exclusive(&held).unwrap());
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

//! New files that are put into place completely or not at all.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tempfile::NamedTempFile;

use super::place::{folder_of, open_to_read};
use super::{Disk, SystemDisk, lock};

/// A file that is being written next to the one it will replace.
///
/// Its name cannot be guessed, it never follows a symbolic link, and only its owner may read it
/// from the start. Dropping it removes it.
#[derive(Debug)]
pub struct Draft {
    file: NamedTempFile,
    target: PathBuf,
    disk: Arc<dyn Disk>,
}

impl Draft {
    /// Creates a draft in the folder of `target`, which need not exist.
    ///
    /// # Errors
    ///
    /// If `target` is a folder, or no file can be created next to it.
    pub fn beside(target: &Path) -> io::Result<Self> {
        Self::beside_on(target, Arc::new(SystemDisk))
    }

    /// Like [`beside`](Self::beside), for a file that is not secret: its permissions follow the
    /// process's umask, as for any new file.
    ///
    /// # Errors
    ///
    /// Those of [`beside`](Self::beside).
    pub fn public_beside(target: &Path) -> io::Result<Self> {
        Self::new(target, Arc::new(SystemDisk), Readers::AsUmask)
    }

    pub(super) fn beside_on(target: &Path, disk: Arc<dyn Disk>) -> io::Result<Self> {
        Self::new(target, disk, Readers::Owner)
    }

    fn new(target: &Path, disk: Arc<dyn Disk>, readers: Readers) -> io::Result<Self> {
        let name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        if target.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let prefix = prefix(name);
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(ENDING).append(true);
        #[cfg(unix)]
        if readers == Readers::AsUmask {
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        #[cfg(not(unix))]
        let _ = readers;
        let file = builder.tempfile_in(folder_of(target))?;
        // Held until the draft is gone, so that no other process sweeps it away.
        lock::try_exclusive(file.as_file())?;
        Ok(Self {
            file,
            target: target.to_owned(),
            disk,
        })
    }

    /// Returns the metadata of the draft.
    ///
    /// # Errors
    ///
    /// If the system fails.
    pub fn metadata(&self) -> io::Result<fs::Metadata> {
        self.file.as_file().metadata()
    }

    /// Appends to the draft.
    ///
    /// # Errors
    ///
    /// If not all of it could be written.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.disk.write(self.file.as_file(), bytes)
    }

    /// Renames the draft to its target, replacing any file there, and returns once that is safe
    /// from a power cut.
    ///
    /// # Errors
    ///
    /// If the previous file is still in place or, when only syncing the folder failed, may return
    /// after a power cut.
    pub fn replace(self) -> io::Result<()> {
        let (target, disk) = (self.target.clone(), Arc::clone(&self.disk));
        disk.sync(self.file.as_file())?;
        // Otherwise the lock would keep readers from the file in its new place.
        lock::unlock(self.file.as_file())?;
        self.rename()?;
        disk.sync_folder(folder_of(&target))
    }

    /// Renames the draft to its target unless a file exists there, and returns once that is safe
    /// from a power cut.
    ///
    /// # Errors
    ///
    /// Of kind [`AlreadyExists`](io::ErrorKind::AlreadyExists) if the target exists.
    pub fn place_new(self) -> io::Result<()> {
        let (target, disk) = (self.target.clone(), Arc::clone(&self.disk));
        disk.sync(self.file.as_file())?;
        lock::unlock(self.file.as_file())?;
        self.rename_new()?;
        disk.sync_folder(folder_of(&target))
    }

    /// Syncs and renames while locked; the returned file still holds the lock.
    pub(super) fn replace_locked(self) -> io::Result<File> {
        // Before renaming: otherwise the name could refer to an empty file after a power cut.
        self.disk.sync(self.file.as_file())?;
        self.rename()
    }

    /// Like [`replace_locked`](Self::replace_locked), but does not replace anything.
    pub(super) fn place_new_locked(self) -> io::Result<File> {
        self.disk.sync(self.file.as_file())?;
        self.rename_new()
    }

    fn rename(self) -> io::Result<File> {
        let (file, draft) = self.file.into_parts();
        self.disk.rename(&draft, &self.target)?;
        // The name is gone, so there is nothing left to remove.
        let _ = draft.keep();
        Ok(file)
    }

    fn rename_new(self) -> io::Result<File> {
        self.file
            .persist_noclobber(&self.target)
            .map_err(|cause| cause.error)
    }

    /// Removes drafts for `target` that killed writers left behind: those that no process has
    /// locked and that are at least a minute older than `newest`. Failures are left for the next
    /// sweep.
    pub fn sweep(target: &Path, newest: SystemTime) {
        let Some(name) = target.file_name() else {
            return;
        };
        let prefix = prefix(name);
        let entries = fs::read_dir(folder_of(target)).into_iter().flatten();
        for entry in entries.flatten() {
            let name = entry.file_name();
            let bytes = name.as_encoded_bytes();
            let is_draft =
                bytes.starts_with(prefix.as_encoded_bytes()) && bytes.ends_with(ENDING.as_bytes());
            if !is_draft {
                continue;
            }
            let Ok(Some(file)) = open_to_read(&entry.path()) else {
                continue;
            };
            let age = file.metadata().and_then(|file| file.modified());
            let is_old = age.is_ok_and(|age| age + ABANDONED <= newest);
            if is_old && lock::try_exclusive(&file).unwrap_or_default() {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readers {
    Owner,
    AsUmask,
}

fn prefix(name: &OsStr) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    prefix
}

const ENDING: &str = ".draft";

/// Longer than any write takes.
const ABANDONED: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_draft_replaces_the_old_file_whole_and_leaves_nothing_if_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("key");
        fs::write(&target, "old").unwrap();
        let draft = Draft::beside(&target).unwrap();
        draft.write(b"half").unwrap();
        drop(draft);
        assert_eq!(fs::read(&target).unwrap(), b"old");
        let draft = Draft::beside(&target).unwrap();
        draft.write(b"n").unwrap();
        draft.write(b"ew").unwrap();
        draft.replace().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["key"]);
    }

    #[test]
    fn a_new_file_takes_no_place_that_was_taken_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("key");
        let draft = Draft::beside(&target).unwrap();
        fs::write(&target, "precious").unwrap();
        let error = draft.place_new().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&target).unwrap(), b"precious");
        assert_eq!(names(folder.path()), ["key"]);
        let other = Draft::public_beside(&folder.path().join("other")).unwrap();
        other.place_new().unwrap();
        assert_eq!(names(folder.path()), ["key", "other"]);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_it_and_links_are_replaced() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = folder.path().join("elsewhere");
        fs::write(&elsewhere, "precious").unwrap();
        let target = folder.path().join("key");
        std::os::unix::fs::symlink(&elsewhere, &target).unwrap();
        let draft = Draft::beside(&target).unwrap();
        draft.write(b"secret").unwrap();
        assert_eq!(
            draft.metadata().unwrap().permissions().mode() & 0o777,
            0o600
        );
        draft.replace().unwrap();
        assert_eq!(fs::read(&elsewhere).unwrap(), b"precious");
        assert_eq!(fs::read(&target).unwrap(), b"secret");
    }

    #[test]
    fn a_draft_without_a_place_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Draft::beside(folder.path()).is_err());
        assert!(Draft::beside(&folder.path().join("no/such")).is_err());
        assert!(Draft::beside(Path::new("/")).is_err());
    }

    #[test]
    fn drafts_of_killed_writers_are_swept_and_those_of_living_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let now = fs::metadata(folder.path()).unwrap().modified().unwrap();
        let draft = |name: &str, age: u64| {
            let file = File::create(folder.path().join(name)).unwrap();
            file.set_modified(now - Duration::from_secs(age)).unwrap();
            file
        };
        drop(draft(".roles.00.draft", 60));
        drop(draft(".roles.01.draft", 59));
        let held = draft(".roles.02.draft", 3600);
        assert!(lock::try_exclusive(&held).unwrap());
        drop(draft(".other.03.draft", 3600));
        Draft::sweep(&folder.path().join("roles"), now);
        assert_eq!(
            names(folder.path()),
            [".other.03.draft", ".roles.01.draft", ".roles.02.draft"]
        );
    }
}

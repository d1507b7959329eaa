//! Checks of a file and its folder before the file is trusted.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::open::{require_regular, without_waiting};

/// The user whose files are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    #[cfg(unix)]
    uid: u32,
}

impl Owner {
    /// Returns the effective user of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self {
            #[cfg(unix)]
            uid: rustix::process::geteuid().as_raw(),
        }
    }

    /// Returns the owner of a file. For a file that this process has just created, this is the
    /// process's user as the file system sees it.
    #[must_use]
    #[cfg_attr(
        not(unix),
        expect(unused_variables, reason = "files have owners on Unix")
    )]
    pub fn of_file(about: &Metadata) -> Self {
        Self {
            #[cfg(unix)]
            uid: std::os::unix::fs::MetadataExt::uid(about),
        }
    }

    /// Checks that a file belongs to this user and that no other user may write to it.
    ///
    /// # Errors
    ///
    /// Says which of the two conditions does not hold.
    #[cfg(unix)]
    pub fn require_for(self, about: &Metadata) -> io::Result<()> {
        use std::os::unix::fs::MetadataExt as _;
        if about.uid() != self.uid {
            return Err(io::Error::other(format!(
                "it belongs to another user (uid {} instead of {})",
                about.uid(),
                self.uid
            )));
        }
        if about.mode() & WRITTEN_BY_OTHERS != 0 {
            return Err(io::Error::other(format!(
                "other users may write it (mode {:04o})",
                about.mode() & MODE
            )));
        }
        Ok(())
    }

    /// Does nothing: only files on Unix have owners.
    ///
    /// # Errors
    ///
    /// None on this system.
    #[cfg(not(unix))]
    pub fn require_for(self, _: &Metadata) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(unix)]
const WRITTEN_BY_OTHERS: u32 = 0o022;
#[cfg(unix)]
const STICKY: u32 = 0o1000;
#[cfg(unix)]
const MODE: u32 = 0o7777;

/// Checks that no other user can replace the files of `owner` in a folder.
///
/// The folder must belong to `owner` or to root. Others may write to it only if it is sticky, as
/// `/tmp` is: there they can add files, which [`Owner::require_for`] then refuses, but not replace
/// or remove those of `owner`. The folders above it are not checked.
///
/// # Errors
///
/// Says which users may write to the folder, and what to do.
#[cfg(unix)]
pub fn require_private_folder(folder: &Path, owner: Owner) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let about = fs::metadata(folder)?;
    if !about.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let shown = folder.display();
    if about.uid() != owner.uid && about.uid() != 0 {
        return Err(io::Error::other(format!(
            "another user (uid {}) owns the folder and can replace its files; use one that \
             belongs to uid {}",
            about.uid(),
            owner.uid
        )));
    }
    if about.mode() & WRITTEN_BY_OTHERS != 0 && about.mode() & STICKY == 0 {
        return Err(io::Error::other(format!(
            "other users may write to the folder (mode {:04o}) and so replace its files; run \
             `chmod go-w {shown}`",
            about.mode() & MODE
        )));
    }
    Ok(())
}

/// Checks that the folder exists; only folders on Unix have owners.
///
/// # Errors
///
/// If it is missing or not a folder.
#[cfg(not(unix))]
pub fn require_private_folder(folder: &Path, _: Owner) -> io::Result<()> {
    if fs::metadata(folder)?.is_dir() {
        Ok(())
    } else {
        Err(io::ErrorKind::NotADirectory.into())
    }
}

/// Opens a regular file for reading, or returns `None` if it is missing. Follows symbolic links.
///
/// # Errors
///
/// If it cannot be opened or is something else, such as a pipe, which would block the reader.
pub fn open_to_read(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true);
    open_regular(path, &mut options, Links::Follow)
}

/// How to treat a symbolic link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Links {
    Follow,
    Refuse,
}

/// Opens an existing regular file.
pub(super) fn open_regular(
    path: &Path,
    options: &mut OpenOptions,
    links: Links,
) -> io::Result<Option<File>> {
    // Checked first, since opening a device can have side effects.
    let about = match links {
        Links::Follow => fs::metadata(path),
        Links::Refuse => fs::symlink_metadata(path),
    };
    match about {
        Ok(about) => require_regular(&about)?,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(cause),
    }
    without_waiting(options, links == Links::Follow);
    let file = match options.open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(cause),
    };
    // The name may refer to another file by now.
    require_regular(&file.metadata()?)?;
    Ok(Some(file))
}

/// Returns the path of a file, existing or not, with symbolic links resolved.
pub(super) fn resolve(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
        resolved => return resolved,
    }
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    Ok(fs::canonicalize(folder_of(path))?.join(name))
}

/// Returns the folder of a path.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Identifies a file, independent of its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    #[cfg(unix)]
    device: u64,
    #[cfg(unix)]
    inode: u64,
    #[cfg(not(unix))]
    path: PathBuf,
}

impl Identity {
    pub(super) fn of(about: &Metadata, path: &Path) -> Self {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            let _ = path;
            Self {
                device: about.dev(),
                inode: about.ino(),
            }
        }
        #[cfg(not(unix))]
        {
            let _ = about;
            Self {
                path: path.to_owned(),
            }
        }
    }
}

/// Checks that a file has only one name. It could be opened under another one, and would remain
/// when the file of this name is replaced.
pub(super) fn require_one_name(about: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        let names = std::os::unix::fs::MetadataExt::nlink(about);
        if names > 1 {
            return Err(io::Error::other(format!(
                "it has {names} names (hard links); remove the others"
            )));
        }
    }
    #[cfg(not(unix))]
    let _ = about;
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_folder_that_others_may_write_is_refused_unless_they_cannot_replace_files() {
        let folder = tempfile::tempdir().unwrap();
        let owner = Owner::of_process();
        for (mode, is_private) in [
            (0o700, true),
            (0o755, true),
            (0o770, false),
            (0o707, false),
            (0o777, false),
            (0o1777, true),
        ] {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
            let result = require_private_folder(folder.path(), owner);
            assert_eq!(result.is_ok(), is_private, "{mode:o}: {result:?}");
            if let Err(cause) = result {
                assert!(cause.to_string().contains("chmod go-w"), "{cause}");
            }
        }
    }

    #[test]
    fn a_folder_of_another_user_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let about = fs::metadata(folder.path()).unwrap();
        let mut owner = Owner::of_file(&about);
        if owner.uid == 0 {
            // Folders of root are trusted by every user.
            owner.uid = 1;
            require_private_folder(folder.path(), owner).unwrap();
            // Where root is the only user there is no other one to give it to.
            if std::os::unix::fs::chown(folder.path(), Some(1), None).is_err() {
                return;
            }
            require_private_folder(folder.path(), owner).unwrap();
        }
        owner.uid += 1;
        let error = require_private_folder(folder.path(), owner).unwrap_err();
        assert!(error.to_string().contains("another user"), "{error}");
    }

    #[test]
    fn what_is_not_a_regular_file_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        for path in [&pipe, folder.path(), Path::new("/dev/null")] {
            let error = open_to_read(path).unwrap_err();
            assert!(error.to_string().contains("not a file"), "{error}");
        }
        assert!(open_to_read(&folder.path().join("none")).unwrap().is_none());
    }

    #[test]
    fn what_is_below_a_file_is_an_error_and_not_missing() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let below = file.path().join("below");
        assert!(open_to_read(&below).is_err());
        assert!(resolve(&below).is_err());
        assert_eq!(folder_of(Path::new("name")), Path::new("."));
    }
}

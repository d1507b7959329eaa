//! Writes files. Each gets its name when it is complete, so that a program that waits for it never
//! reads a part.

use std::io;
use std::path::{Path, PathBuf};

use vouchsafe::core::Secret;
use vouchsafe::core::store::Draft;

use crate::failure::Failure;

/// A file for a new secret, opened before the secret is requested, so that no secret is created
/// that cannot be stored.
pub(crate) struct SecretFile {
    target: PathBuf,
    draft: Draft,
    is_new: bool,
}

impl SecretFile {
    /// Opens a draft beside the target, readable by its owner only. It will replace the target.
    pub(crate) fn create(target: &Path) -> Result<Self, Failure> {
        let draft = Draft::beside(target).map_err(|cause| {
            Failure::usage(format!("{} cannot be written: {cause}", target.display()))
        })?;
        Ok(Self {
            target: target.to_owned(),
            draft,
            is_new: false,
        })
    }

    /// Like [`create`](Self::create), but refuses to replace a file: `what` says what that file may
    /// contain.
    pub(crate) fn create_new(target: &Path, what: &str) -> Result<Self, Failure> {
        if target.symlink_metadata().is_ok() {
            let message = format!("{} exists, and may hold {what}", target.display());
            return Err(Failure::usage(message).hint("name a new file with --out"));
        }
        let file = Self::create(target)?;
        Ok(Self {
            is_new: true,
            ..file
        })
    }

    /// Writes the secret and a line break, and puts the file in its place.
    pub(crate) fn keep(self, secret: &Secret) -> Result<(), Failure> {
        self.put(secret, "\n")
    }

    /// Writes only the secret, for programs that read the whole file as the secret.
    pub(crate) fn keep_bare(self, secret: &Secret) -> Result<(), Failure> {
        self.put(secret, "")
    }

    fn put(self, secret: &Secret, end: &str) -> Result<(), Failure> {
        let written = self.draft.write(secret.expose().as_bytes());
        let written = written.and_then(|()| self.draft.write(end.as_bytes()));
        let placed = written.and_then(|()| match self.is_new {
            true => self.draft.place_new(),
            false => self.draft.replace(),
        });
        placed.map_err(|cause| {
            let target = self.target.display();
            Failure::failed(format!("{target} cannot be written: {cause}"))
        })
    }
}

/// Writes a file that anyone may read, and replaces an existing one.
pub(crate) fn put_public(target: &Path, text: &[u8]) -> io::Result<()> {
    let draft = Draft::public_beside(target)?;
    draft.write(text)?;
    draft.replace()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_secret_file_is_its_owners_alone_and_replaces_an_old_one_whole() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("token");
        fs::write(&target, "old").unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o644)).unwrap();

        drop(SecretFile::create(&target).unwrap());
        assert_eq!(fs::read_to_string(&target).unwrap(), "old");

        let file = SecretFile::create(&target).unwrap();
        file.keep(&Secret::from("new")).unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "new\n");
        assert_eq!(
            fs::metadata(&target).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_new_secret_file_takes_no_place_that_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("key");
        let file = SecretFile::create_new(&target, "a key").unwrap();
        fs::write(&target, "made meanwhile").unwrap();
        assert!(file.keep(&Secret::from("new")).is_err());
        assert!(SecretFile::create_new(&target, "a key").is_err());
        assert_eq!(fs::read_to_string(&target).unwrap(), "made meanwhile");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_secret_file_without_a_place_is_refused_before_there_is_a_secret() {
        let folder = tempfile::tempdir().unwrap();
        assert!(SecretFile::create(&folder.path().join("no/such")).is_err());
        assert!(SecretFile::create(folder.path()).is_err());
    }

    #[test]
    fn a_public_file_replaces_an_old_one_whole() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("port");
        fs::write(&target, "an older and longer text").unwrap();
        // A program that has opened the old file continues to read the old text, and no part of the
        // new one.
        let mut old = fs::File::open(&target).unwrap();
        put_public(&target, b"8080").unwrap();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut old, &mut text).unwrap();
        assert_eq!(text, "an older and longer text");
        assert_eq!(fs::read_to_string(&target).unwrap(), "8080");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

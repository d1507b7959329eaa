//! The individual disk operations, so that a test can make one fail or stop the process before it.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// The file system operations of a [`PrivateFile`](super::PrivateFile) and a
/// [`Draft`](super::Draft).
///
/// The default methods perform the real operations. A test overrides some of them.
pub trait Disk: fmt::Debug + Send + Sync + 'static {
    /// Writes all of `bytes` at the end of a file.
    ///
    /// # Errors
    ///
    /// If not all bytes could be written; some of them may be in the file.
    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<()> {
        let mut file = file;
        file.write_all(bytes)
    }

    /// Returns once the content of a file is safe from a power cut.
    ///
    /// # Errors
    ///
    /// If it may not be safe. The state of everything written since the last sync is then unknown.
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    /// Shortens a file to `length` bytes.
    ///
    /// # Errors
    ///
    /// If the length is unchanged.
    fn cut(&self, file: &File, length: u64) -> io::Result<()> {
        file.set_len(length)
    }

    /// Renames a file, replacing any file with that name.
    ///
    /// # Errors
    ///
    /// If both files keep their old names.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    /// Returns once the names in a folder are safe from a power cut.
    ///
    /// # Errors
    ///
    /// If they may not be safe. It is not an error if a file system cannot sync folders.
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        if !cfg!(unix) {
            return Ok(());
        }
        match File::open(folder)?.sync_all() {
            Err(cause)
                if matches!(
                    cause.kind(),
                    io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
                ) =>
            {
                Ok(())
            }
            result => result,
        }
    }
}

/// The real file system.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it holds nothing")]
pub struct SystemDisk;

impl Disk for SystemDisk {}

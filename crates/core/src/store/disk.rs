//! The steps on disk, each apart, so that a test can let one fail or stop the process before it.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// What a [`PrivateFile`](super::PrivateFile) and a [`Draft`](super::Draft) ask of the system.
///
/// Each method does the real thing. A test overrides some of them.
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

    /// Returns once the content of a file survives a power cut.
    ///
    /// # Errors
    ///
    /// If it may not; after that nothing is known of what was written since the last sync.
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    /// Shortens a file to `length` bytes.
    ///
    /// # Errors
    ///
    /// If the length is as it was.
    fn cut(&self, file: &File, length: u64) -> io::Result<()> {
        file.set_len(length)
    }

    /// Gives a file the name of another, which it replaces.
    ///
    /// # Errors
    ///
    /// If both files still have their old names.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    /// Returns once the names in a folder survive a power cut.
    ///
    /// # Errors
    ///
    /// If they may not. File systems that cannot sync folders are not an error.
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

/// The disk as it is.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it holds nothing")]
pub struct SystemDisk;

impl Disk for SystemDisk {}

//! Advisory locks on open files (`flock` on Unix). A lock belongs to the open file, not to the
//! process: the same process cannot lock a file again that it has opened a second time.

use std::fs::{File, TryLockError};
use std::io;

/// Takes the exclusive lock unless another lock is held, and returns whether it did.
///
/// # Errors
///
/// If the file system does not support locks or fails.
pub fn try_exclusive(file: &File) -> io::Result<bool> {
    taken(file.try_lock())
}

/// Takes a shared lock unless an exclusive one is held, and returns whether it did.
///
/// # Errors
///
/// If the file system does not support locks or fails.
pub fn try_shared(file: &File) -> io::Result<bool> {
    taken(file.try_lock_shared())
}

/// Releases a lock. Closing the file does this too, but only after every child process that is just
/// being started has closed its copy.
///
/// # Errors
///
/// If the file system fails.
pub fn unlock(file: &File) -> io::Result<()> {
    file.unlock()
}

fn taken(result: Result<(), TryLockError>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(cause)) => Err(cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_share_a_lock_that_a_writer_has_alone() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let open = || File::open(file.path()).unwrap();
        let (reader, other, writer) = (open(), open(), open());
        assert!(try_shared(&reader).unwrap() && try_shared(&other).unwrap());
        assert!(!try_exclusive(&writer).unwrap());
        unlock(&reader).unwrap();
        unlock(&other).unwrap();
        assert!(try_exclusive(&writer).unwrap());
        assert!(!try_shared(&reader).unwrap());
    }
}

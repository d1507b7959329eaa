//! Advisory locks on open files (`flock` on Unix). A lock belongs to the open file, not to the
//! process: a second open file of the same process is refused as well.

use std::fs::File;
use std::io;

// std has these methods from 1.89 on. The same names there would win over a plain method call.
use fs4::{FileExt as Lock, TryLockError};

/// Takes the exclusive lock if nobody holds one, and returns whether it did.
///
/// # Errors
///
/// If the file system has no locks or fails.
pub fn try_exclusive(file: &File) -> io::Result<bool> {
    taken(Lock::try_lock(file))
}

/// Takes a shared lock unless somebody holds the exclusive one, and returns whether it did.
///
/// # Errors
///
/// If the file system has no locks or fails.
pub fn try_shared(file: &File) -> io::Result<bool> {
    taken(Lock::try_lock_shared(file))
}

/// Waits for the exclusive lock. Blocks.
///
/// # Errors
///
/// If the file system has no locks or fails.
pub fn exclusive(file: &File) -> io::Result<()> {
    Lock::lock(file)
}

/// Gives up a lock. Closing the file does this too, but only once no child process that was just
/// started shares it any more.
///
/// # Errors
///
/// If the file system fails.
pub fn unlock(file: &File) -> io::Result<()> {
    Lock::unlock(file)
}

fn taken(result: Result<(), TryLockError>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(cause)) => Err(cause),
    }
}

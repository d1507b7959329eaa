//! Locks that ignore poisoning.
//!
//! Code of this workspace changes what a lock guards in steps that cannot panic half-way, so that
//! a panic elsewhere is no reason for every later caller to panic too.

use std::ops::{Deref, DerefMut};
use std::sync::{MutexGuard, PoisonError, TryLockError};
// What the cache and the keeper share between threads. They take it from here, and `tests/schedules`
// compiles them with types that switch threads in its place.
pub(crate) use std::sync::{Mutex, OnceLock, atomic};

use crossbeam_utils::sync::ShardedLock;

/// Locks a mutex, also after a panic.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks a mutex, also after a panic, or returns `None` if that would block.
pub fn try_lock<T: ?Sized>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// A value that many threads read and few write, at once or one at a time.
///
/// Threads that read it at the same time do not slow each other down, as they do with an [`RwLock`],
/// whose one counter all of them change. The price is a kilobyte, and a write that takes eight locks.
///
/// [`RwLock`]: std::sync::RwLock
#[derive(Debug, Default)]
pub struct ManyReaders<T>(ShardedLock<T>);

impl<T> ManyReaders<T> {
    /// Creates a lock around a value.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(ShardedLock::new(value))
    }

    /// Locks for reading, also after a panic.
    pub fn read(&self) -> impl Deref<Target = T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks for writing, also after a panic.
    pub fn write(&self) -> impl DerefMut<Target = T> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn a_panic_of_one_holder_stops_no_other() {
        let (mutex, many) = (Mutex::new(1), ManyReaders::new(1));
        let panic = catch_unwind(AssertUnwindSafe(|| {
            let (_one, _other) = (lock(&mutex), many.write());
            panic!("while it holds both");
        }));
        assert!(panic.is_err() && mutex.is_poisoned() && many.0.is_poisoned());
        *lock(&mutex) += 1;
        *many.write() += 1;
        assert_eq!(
            (try_lock(&mutex).map(|held| *held), *many.read()),
            (Some(2), 2)
        );
        let held = lock(&mutex);
        assert!(try_lock(&mutex).is_none());
        drop(held);
    }
}

//! What core's `sync` has, on shuttle's locks, and the parts of `tokio::sync` that core uses.

use std::ops::{Deref, DerefMut};
use std::sync::PoisonError;

pub use real_tokio::sync::{Notify, oneshot, watch};
use shuttle::sync::RwLock;
pub use shuttle::sync::{Mutex, MutexGuard, atomic};

use self::atomic::{AtomicBool, Ordering};

pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn try_lock<T: ?Sized>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    mutex.try_lock().ok()
}

#[derive(Default)]
pub struct ManyReaders<T>(RwLock<T>);

impl<T> ManyReaders<T> {
    pub fn new(value: T) -> Self {
        Self(RwLock::new(value))
    }

    pub fn read(&self) -> impl Deref<Target = T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn write(&self) -> impl DerefMut<Target = T> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// std's, with a change of threads before each step.
#[derive(Default)]
pub struct OnceLock<T> {
    cell: std::sync::OnceLock<T>,
    turn: AtomicBool,
}

impl<T> OnceLock<T> {
    pub fn new() -> Self {
        Self {
            cell: std::sync::OnceLock::new(),
            turn: AtomicBool::new(false),
        }
    }

    pub fn get(&self) -> Option<&T> {
        self.turn.load(Ordering::SeqCst);
        self.cell.get()
    }

    pub fn set(&self, value: T) -> Result<(), T> {
        self.turn.store(true, Ordering::SeqCst);
        self.cell.set(value)
    }
}

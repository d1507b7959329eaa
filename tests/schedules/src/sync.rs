//! What core's `sync` has, on shuttle's locks, and the parts of `tokio::sync` that core uses.

use std::ops::{Deref, DerefMut};
use std::sync::PoisonError;

use real_tokio::sync::futures::Notified;
pub use real_tokio::sync::{oneshot, watch};
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

/// A place where shuttle may go on with another thread.
#[derive(Default)]
struct Turn(AtomicBool);

impl Turn {
    fn pass(&self) {
        self.0.load(Ordering::SeqCst);
    }
}

/// std's, with a change of threads around each step.
#[derive(Default)]
pub struct OnceLock<T> {
    cell: std::sync::OnceLock<T>,
    turn: Turn,
}

impl<T> OnceLock<T> {
    pub fn new() -> Self {
        Self {
            cell: std::sync::OnceLock::new(),
            turn: Turn::default(),
        }
    }

    pub fn get(&self) -> Option<&T> {
        self.turn.pass();
        let value = self.cell.get();
        self.turn.pass();
        value
    }

    pub fn set(&self, value: T) -> Result<(), T> {
        self.turn.pass();
        let set = self.cell.set(value);
        self.turn.pass();
        set
    }
}

/// tokio's, with a change of threads before each step.
#[derive(Default)]
pub struct Notify {
    inner: real_tokio::sync::Notify,
    turn: Turn,
}

impl Notify {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn notified(&self) -> Notified<'_> {
        self.turn.pass();
        self.inner.notified()
    }

    pub fn notify_one(&self) {
        self.turn.pass();
        self.inner.notify_one();
    }

    pub fn notify_waiters(&self) {
        self.turn.pass();
        self.inner.notify_waiters();
    }
}

//! Work on one runtime, which can be taken from it while nothing drives that.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::BoxFuture;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, lock, try_lock};

/// A future, held outside of the task that polls it: in the task only a driven runtime could drop it.
/// The task also answers probes, by which others learn whether it is driven.
pub(crate) struct Driven<T> {
    /// Locked while the work is polled.
    slot: Mutex<Slot<T>>,
    /// The number of probes sent; the task answers by copying it.
    asked: AtomicU64,
    answered: AtomicU64,
    probed: Notify,
}

struct Slot<T> {
    work: Option<BoxFuture<'static, T>>,
    /// The runtime that the work is polled in.
    runtime: Option<Handle>,
    is_over: bool,
}

pub(crate) type Panic = Box<dyn Any + Send>;

impl<T> Driven<T> {
    pub(crate) fn new() -> Self {
        Self {
            slot: Mutex::new(Slot {
                work: None,
                runtime: None,
                is_over: false,
            }),
            asked: AtomicU64::default(),
            answered: AtomicU64::default(),
            probed: Notify::new(),
        }
    }

    /// Puts work in its place, within the runtime that will poll it. Returns `false` if it has been
    /// taken away or ended before.
    pub(crate) fn put(&self, work: BoxFuture<'static, T>) -> bool {
        let runtime = Handle::try_current().ok();
        let mut slot = lock(&self.slot);
        if slot.is_over {
            return false;
        }
        (slot.work, slot.runtime) = (Some(work), runtime);
        true
    }

    /// Polls the work to its end and drops it. Returns `None` if it was taken away.
    pub(crate) async fn run(&self) -> Option<Result<T, Panic>> {
        std::future::poll_fn(|context| {
            let mut slot = lock(&self.slot);
            let Some(work) = slot.work.as_mut() else {
                return Poll::Ready(None);
            };
            let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
            let ended = match polled {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(output)) => Ok(output),
                Err(panic) => Err(panic),
            };
            let work = slot.work.take();
            drop(slot);
            let dropped = catch_unwind(AssertUnwindSafe(|| drop(work)));
            Poll::Ready(Some(ended.and_then(|output| dropped.map(|()| output))))
        })
        .await
    }

    /// Answers probes; the task does it beside the work.
    pub(crate) async fn answer_probes(&self) {
        loop {
            self.probed.notified().await;
            let asked = self.asked.load(Ordering::Acquire);
            self.answered.store(asked, Ordering::Release);
        }
    }

    /// Asks for a sign of life, and returns the number of the probe.
    pub(crate) fn probe(&self) -> u64 {
        let count = self.asked.fetch_add(1, Ordering::AcqRel) + 1;
        self.probed.notify_one();
        count
    }

    /// Returns whether there was a sign of life since a probe.
    pub(crate) fn has_answered(&self, probe: u64) -> bool {
        self.answered.load(Ordering::Acquire) >= probe
    }

    /// Waits until there has been no sign of life for two seconds.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with timers.
    pub(crate) async fn silence(&self) {
        let (mut probe, mut silent) = (None, 0);
        loop {
            sleep(LOOK_EVERY).await;
            match probe {
                Some(asked) if !self.has_answered(asked) => {
                    silent += 1;
                    if silent == SILENT_LOOKS {
                        return;
                    }
                }
                _ => (probe, silent) = (Some(self.probe()), 0),
            }
        }
    }

    /// Takes the work away permanently and drops it, if it has begun. Returns `false` if it is being
    /// polled, and therefore driven, or has been taken away or ended already.
    pub(crate) fn take(&self) -> bool {
        let Some(mut slot) = try_lock(&self.slot) else {
            return false;
        };
        if std::mem::replace(&mut slot.is_over, true) {
            return false;
        }
        let (work, runtime) = (slot.work.take(), slot.runtime.take());
        drop(slot);
        // A thread that ends may have no place left for the runtime.
        let is_possible = !Handle::try_current().is_err_and(|why| why.is_thread_local_destroyed());
        let _inside = runtime.as_ref().filter(|_| is_possible).map(Handle::enter);
        drop(work);
        true
    }

    /// Ends it: called in the task, or as that is dropped. Returns `false` if it has been taken away or
    /// ended before.
    pub(crate) fn end(&self) -> bool {
        let mut slot = lock(&self.slot);
        let was_over = std::mem::replace(&mut slot.is_over, true);
        let work = slot.work.take();
        drop(slot);
        drop(work);
        !was_over
    }
}

/// How often a waiting caller checks whether the work is alive.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The number of checks without a sign of life, after the probe, before the work is taken from its
/// runtime.
pub(super) const SILENT_LOOKS: u32 = 3;

//! Work on one runtime, which can be taken from it while nothing drives that.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use tokio::runtime::Handle;

use super::pulse::Pulse;
use crate::BoxFuture;
use crate::sync::{Mutex, lock, try_lock};

/// A future, held outside of the task that polls it: in the task only a driven runtime could drop it.
pub(crate) struct Driven<T> {
    /// Locked while the work is polled.
    slot: Mutex<Slot<T>>,
    /// The task answers its probes.
    pub(super) pulse: Pulse,
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
            pulse: Pulse::default(),
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
        drop_quietly(work);
        true
    }

    /// Ends it: called in the task, or as that is dropped. Returns `false` if it has been taken away or
    /// ended before.
    pub(crate) fn end(&self) -> bool {
        let mut slot = lock(&self.slot);
        let was_over = std::mem::replace(&mut slot.is_over, true);
        let work = slot.work.take();
        drop(slot);
        drop_quietly(work);
        !was_over
    }
}

/// What it panics with as it is dropped must not keep others from learning that it ended.
fn drop_quietly<T>(work: Option<BoxFuture<'static, T>>) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(work)));
}

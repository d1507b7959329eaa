//! A runtime that behaves as tokio's for one thread does in what core relies on: a task runs only
//! while its runtime is driven, an aborted task is dropped by the runtime and not by who aborts it,
//! and dropping the runtime drops the futures of all tasks, as does spawning on one that is gone.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};

use shuttle::sync::{Condvar, Mutex};
use shuttle::thread::yield_now;

use crate::BoxFuture;
use crate::clock::{Instant, advance_to};
use crate::sync::lock;

shuttle::thread_local! {
    static CURRENT: RefCell<Vec<Handle>> = RefCell::new(Vec::new());
}

pub struct Runtime(Handle);

#[derive(Clone)]
pub struct Handle(Arc<Shared>);

/// The caller is outside of a runtime.
#[derive(Debug)]
pub struct Outside;

impl Outside {
    pub fn is_thread_local_destroyed(&self) -> bool {
        false
    }
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_shut: bool,
    /// Jobs to poll; `None` is the future of `block_on`.
    ready: VecDeque<Option<Arc<Job>>>,
    jobs: Vec<Arc<Job>>,
    timers: Vec<(Instant, u64, Waker)>,
    next_timer: u64,
}

/// A spawned future.
pub struct Job {
    runtime: Weak<Shared>,
    future: Mutex<Option<BoxFuture<'static, ()>>>,
    flags: Mutex<Flags>,
}

#[derive(Default)]
struct Flags {
    is_queued: bool,
    is_aborted: bool,
}

/// A waker that is set until it is dropped.
pub(crate) struct Timer {
    runtime: Weak<Shared>,
    id: u64,
}

impl Runtime {
    #[expect(clippy::new_without_default, reason = "it does something")]
    pub fn new() -> Self {
        Self(Handle(Arc::default()))
    }

    pub fn handle(&self) -> &Handle {
        &self.0
    }

    /// Drives a future, and with it all tasks, until the future has ended.
    pub fn block_on<T>(&self, main: impl Future<Output = T>) -> T {
        let _inside = self.0.enter();
        let waker = Waker::from(Arc::new(Main(Arc::downgrade(&self.0.0))));
        let mut main = pin!(main);
        waker.wake_by_ref();
        loop {
            match self.next() {
                None => {
                    let polled = main.as_mut().poll(&mut Context::from_waker(&waker));
                    if let Poll::Ready(output) = polled {
                        return output;
                    }
                }
                Some(job) => job.poll(),
            }
        }
    }

    /// Drives the tasks until none of them can go on without time passing.
    pub fn settle(&self) {
        let _inside = self.0.enter();
        loop {
            let next = lock(&self.0.0.state).ready.pop_front();
            match next {
                Some(Some(job)) => job.poll(),
                Some(None) => {}
                None => return,
            }
        }
    }

    /// Returns how many tasks have not ended.
    pub fn tasks(&self) -> usize {
        lock(&self.0.0.state).jobs.len()
    }

    /// Returns what to poll, once there is something.
    fn next(&self) -> Option<Arc<Job>> {
        let shared = &self.0.0;
        loop {
            let mut state = lock(&shared.state);
            if let Some(next) = state.ready.pop_front() {
                return next;
            }
            let first = state.timers.iter().map(|(at, id, _)| (*at, *id)).min();
            let Some((at, id)) = first else {
                drop(shared.changed.wait(state).unwrap());
                continue;
            };
            drop(state);
            // Another thread may have something for this one before the time has passed.
            yield_now();
            let mut state = lock(&shared.state);
            if state.ready.is_empty()
                && let Some(index) = state.timers.iter().position(|timer| timer.1 == id)
            {
                let (_, _, waker) = state.timers.swap_remove(index);
                drop(state);
                advance_to(at);
                waker.wake();
            }
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        let jobs = {
            let mut state = lock(&self.0.0.state);
            state.is_shut = true;
            state.ready.clear();
            state.timers.clear();
            std::mem::take(&mut state.jobs)
        };
        let _inside = self.0.enter();
        for job in jobs {
            let future = lock(&job.future).take();
            drop(future);
        }
    }
}

impl Handle {
    /// # Errors
    ///
    /// [`Outside`], outside of a runtime.
    pub fn try_current() -> Result<Self, Outside> {
        CURRENT.with(|current| current.borrow().last().cloned().ok_or(Outside))
    }

    pub fn enter(&self) -> Inside {
        CURRENT.with(|current| current.borrow_mut().push(self.clone()));
        Inside
    }

    pub(crate) fn spawn(&self, future: BoxFuture<'static, ()>) -> Arc<Job> {
        let job = Arc::new(Job {
            runtime: Arc::downgrade(&self.0),
            future: Mutex::new(Some(future)),
            flags: Mutex::default(),
        });
        let mut state = lock(&self.0.state);
        if state.is_shut {
            drop(state);
            let future = lock(&job.future).take();
            drop(future);
        } else {
            state.jobs.push(Arc::clone(&job));
            drop(state);
            job.queue();
        }
        job
    }

    pub(crate) fn wake_at(&self, at: Instant, waker: Waker) -> Timer {
        let mut state = lock(&self.0.state);
        let id = state.next_timer;
        state.next_timer += 1;
        state.timers.push((at, id, waker));
        Timer {
            runtime: Arc::downgrade(&self.0),
            id,
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.upgrade() else {
            return;
        };
        let mut state = lock(&runtime.state);
        let index = state.timers.iter().position(|timer| timer.1 == self.id);
        let timer = index.map(|index| state.timers.swap_remove(index));
        drop(state);
        drop(timer);
    }
}

/// Leaves the runtime when it is dropped.
pub struct Inside;

impl Drop for Inside {
    fn drop(&mut self) {
        CURRENT.with(|current| current.borrow_mut().pop());
    }
}

impl Job {
    pub(crate) fn abort(self: &Arc<Self>) {
        lock(&self.flags).is_aborted = true;
        self.queue();
    }

    fn queue(self: &Arc<Self>) {
        if std::mem::replace(&mut lock(&self.flags).is_queued, true) {
            return;
        }
        if let Some(runtime) = self.runtime.upgrade() {
            let mut state = lock(&runtime.state);
            if !state.is_shut {
                state.ready.push_back(Some(Arc::clone(self)));
            }
            drop(state);
            runtime.changed.notify_all();
        }
    }

    fn poll(self: &Arc<Self>) {
        let is_aborted = {
            let mut flags = lock(&self.flags);
            flags.is_queued = false;
            flags.is_aborted
        };
        let waker = Waker::from(Arc::clone(self));
        let mut slot = lock(&self.future);
        let Some(future) = slot.as_mut() else { return };
        if !is_aborted
            && future
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        {
            return;
        }
        let future = slot.take();
        drop(slot);
        drop(future);
        if let Some(runtime) = self.runtime.upgrade() {
            lock(&runtime.state)
                .jobs
                .retain(|job| !Arc::ptr_eq(job, self));
        }
    }
}

impl Wake for Job {
    fn wake(self: Arc<Self>) {
        self.queue();
    }
}

/// Wakes the future of `block_on`.
struct Main(Weak<Shared>);

impl Wake for Main {
    fn wake(self: Arc<Self>) {
        if let Some(runtime) = self.0.upgrade() {
            lock(&runtime.state).ready.push_back(None);
            runtime.changed.notify_all();
        }
    }
}

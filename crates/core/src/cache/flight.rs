//! Fetches in progress: their waiters, their outcome, and their cancellation when the cache is
//! dropped.

use std::any::Any;
use std::collections::HashMap;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use tokio::sync::Notify;

use super::{Fetched, Shared};
use crate::sync::{Mutex, OnceLock, lock};
use crate::task::Task;
use crate::task::pulse::Pulse;

/// One fetch that any number of callers wait for.
pub(super) struct Flight<V, E> {
    id: u64,
    landed: Notify,
    outcome: OnceLock<Outcome<V, E>>,
    pulse: Pulse,
}

/// How a flight ended.
pub(super) enum Outcome<V, E> {
    Value(V),
    /// The fetch failed, and an old value is used instead.
    Stale(V),
    Error(E),
    /// The task ended without a result: its runtime was dropped, or the fetch panicked.
    Vanished(Vanished),
}

/// Why a flight ended without a result; holds the payload if it panicked.
pub(super) struct Vanished(Mutex<Option<Panic>>);

type Panic = Box<dyn Any + Send>;

impl Vanished {
    /// Resumes the panic in the caller that supplied the fetch; that caller has no other fetch to
    /// try.
    #[expect(
        clippy::panic,
        reason = "tokio's timers and sockets panic on a dead runtime too"
    )]
    pub(super) fn resume(&self) -> ! {
        let panic = lock(&self.0).take();
        match panic {
            Some(panic) => std::panic::resume_unwind(panic),
            None => panic!("the runtime was shut down under a fetch"),
        }
    }
}

impl<V, E> Flight<V, E> {
    /// Waits for the outcome. One call wakes all waiters, and none of them takes a lock.
    pub(super) async fn outcome(&self) -> &Outcome<V, E>
    where
        V: Send + Sync,
        E: Send + Sync,
    {
        loop {
            // Created before checking, so that an outcome set in between wakes it.
            let landed = self.landed.notified();
            if let Some(outcome) = self.outcome.get() {
                return outcome;
            }
            landed.await;
        }
    }

    /// Waits for the outcome, and gives up if nothing drives the fetch.
    pub(super) async fn outcome_unless_silent(&self) -> Option<&Outcome<V, E>>
    where
        V: Send + Sync,
        E: Send + Sync,
    {
        tokio::select! {
            biased;
            outcome = self.outcome() => Some(outcome),
            () = self.pulse.silence() => None,
        }
    }

    fn end(&self, outcome: Outcome<V, E>) {
        // The first outcome counts. There cannot be a second one, since it consumes the `Landing`.
        let _ = self.outcome.set(outcome);
        self.landed.notify_waiters();
    }
}

/// The flights of a cache.
pub(super) struct Flights<K, V, E> {
    /// Flights that callers may join and whose result is stored.
    by_key: HashMap<K, Arc<Flight<V, E>>>,
    /// All flights; dropping the map ends them. `None` until the task is known.
    tasks: HashMap<u64, Option<Task>>,
    max: usize,
    next_id: u64,
}

impl<K: Clone + Eq + Hash, V, E> Flights<K, V, E> {
    pub(super) fn new(max: usize) -> Self {
        Self {
            by_key: HashMap::new(),
            tasks: HashMap::new(),
            max,
            next_id: 0,
        }
    }

    pub(super) fn of(&self, key: &K) -> Option<Arc<Flight<V, E>>> {
        self.by_key.get(key).map(Arc::clone)
    }

    pub(super) fn have_room(&self) -> bool {
        self.tasks.len() < self.max
    }

    /// Registers a new flight for a key without one.
    pub(super) fn begin(&mut self, key: &K) -> Arc<Flight<V, E>> {
        let id = self.next_id;
        self.next_id += 1;
        let flight = Arc::new(Flight {
            id,
            landed: Notify::new(),
            outcome: OnceLock::new(),
            pulse: Pulse::default(),
        });
        // If this panics, nothing has been registered.
        self.by_key.insert(key.clone(), Arc::clone(&flight));
        self.tasks.insert(id, None);
        flight
    }

    /// Ties a task to the cache. Returns the task if its flight has already ended.
    pub(super) fn tie(&mut self, flight: &Flight<V, E>, task: Task) -> Option<Task> {
        match self.tasks.get_mut(&flight.id) {
            Some(slot) => slot.replace(task),
            None => Some(task),
        }
    }

    /// Removes a flight that ended. Returns whether it was still the current flight of its key, and
    /// what must be dropped outside of the lock.
    pub(super) fn strike(&mut self, key: &K, flight: &Flight<V, E>) -> (bool, Option<Task>) {
        (
            self.set_aside(key, flight),
            self.tasks.remove(&flight.id).flatten(),
        )
    }

    /// Lets a flight finish for its present waiters without storing its result.
    pub(super) fn detach(&mut self, key: &K) {
        self.by_key.remove(key);
    }

    /// Does so with this flight, if it is the current one of its key. Returns whether it was.
    pub(super) fn set_aside(&mut self, key: &K, flight: &Flight<V, E>) -> bool {
        let current = self.by_key.get(key).is_some_and(|f| f.id == flight.id);
        if current {
            self.by_key.remove(key);
        }
        current
    }

    pub(super) fn detach_all(&mut self) {
        self.by_key.clear();
    }
}

/// The obligation to end a flight. Dropping it early records that the flight vanished.
pub(super) struct Landing<K, V, E>
where
    K: Clone + Eq + Hash,
    V: Clone,
    E: Clone,
{
    shared: Weak<Shared<K, V, E>>,
    key: K,
    flight: Arc<Flight<V, E>>,
    has_ended: bool,
}

impl<K, V, E> Landing<K, V, E>
where
    K: Clone + Eq + Hash,
    V: Clone,
    E: Clone,
{
    pub(super) fn new(shared: &Arc<Shared<K, V, E>>, key: K, flight: Arc<Flight<V, E>>) -> Self {
        Self {
            shared: Arc::downgrade(shared),
            key,
            flight,
            has_ended: false,
        }
    }

    pub(super) fn flight(&self) -> &Arc<Flight<V, E>> {
        &self.flight
    }

    /// Runs the fetch to its end. The fetch is boxed, because an argument that is moved within the
    /// future would take up its space twice.
    pub(super) async fn run<F>(mut self, mut fetch: Pin<Box<F>>)
    where
        F: Future<Output = Result<Fetched<V>, E>> + Send,
        K: Send + Sync,
        V: Send + Sync,
        E: Send + Sync,
    {
        let ended = tokio::select! {
            biased;
            ended = std::future::poll_fn(|cx| poll_caught(fetch.as_mut(), cx)) => ended,
            never = self.flight.pulse.answer_probes() => match never {},
        };
        let ended = ended.and_then(|result| {
            // Cloning, judging and dropping also run foreign code.
            catch_unwind(AssertUnwindSafe(|| {
                // Whatever the fetch holds is released before any caller sees the result.
                drop(fetch);
                // Without the cache there are no waiters.
                let shared = self.shared.upgrade()?;
                Some(shared.land(&self.key, &self.flight, result))
            }))
        });
        match ended {
            Ok(outcome) => {
                self.has_ended = true;
                if let Some(outcome) = outcome {
                    self.flight.end(outcome);
                }
            }
            Err(panic) => self.vanish(Some(panic)),
        }
    }

    fn vanish(&mut self, panic: Option<Panic>) {
        self.has_ended = true;
        if let Some(shared) = self.shared.upgrade() {
            // Comparing keys may panic too, and the waiters must still learn of the end.
            let strike = AssertUnwindSafe(|| shared.vanish(&self.key, &self.flight));
            let _ = catch_unwind(strike);
        }
        self.flight
            .end(Outcome::Vanished(Vanished(Mutex::new(panic))));
    }
}

impl<K, V, E> Drop for Landing<K, V, E>
where
    K: Clone + Eq + Hash,
    V: Clone,
    E: Clone,
{
    fn drop(&mut self) {
        if !self.has_ended {
            self.vanish(None);
        }
    }
}

fn poll_caught<F: Future>(
    future: Pin<&mut F>,
    cx: &mut Context<'_>,
) -> Poll<Result<F::Output, Panic>> {
    // A future that panicked is dropped and never polled again.
    match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(panic) => Poll::Ready(Err(panic)),
    }
}

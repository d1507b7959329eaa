//! Fetches under way: who waits for them, how they end, and that they end with their cache.

use std::any::Any;
use std::collections::HashMap;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll};

use tokio::sync::Notify;

use super::{Fetched, Shared};
use crate::task::Task;

/// One fetch that any number of callers wait for.
pub(super) struct Flight<V, E> {
    id: u64,
    landed: Notify,
    outcome: OnceLock<Outcome<V, E>>,
}

/// How a flight ended.
pub(super) enum Outcome<V, E> {
    Value(V),
    /// The fetch failed, and an old value stands in.
    Stale(V),
    Error(E),
    /// The task is gone without an answer: its runtime was dropped, or the fetch panicked.
    Vanished(Vanished),
}

/// Why a flight ended without an answer: what its panic carries, if it panicked.
pub(super) struct Vanished(Mutex<Option<Panic>>);

type Panic = Box<dyn Any + Send>;

impl Vanished {
    /// Continues in the caller whose fetch it was: it has given its fetch away and has no other.
    #[expect(
        clippy::panic,
        reason = "tokio's timers and sockets panic on a dead runtime too"
    )]
    pub(super) fn resume(&self) -> ! {
        let panic = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match panic {
            Some(panic) => std::panic::resume_unwind(panic),
            None => panic!("the runtime was shut down under a fetch"),
        }
    }
}

impl<V, E> Flight<V, E> {
    /// Waits for the end. All waiters are woken by one call and none of them takes a lock for it.
    pub(super) async fn outcome(&self) -> &Outcome<V, E>
    where
        V: Send + Sync,
        E: Send + Sync,
    {
        loop {
            // Made before looking: it is woken by an end that comes in between.
            let landed = self.landed.notified();
            if let Some(outcome) = self.outcome.get() {
                return outcome;
            }
            landed.await;
        }
    }

    fn end(&self, outcome: Outcome<V, E>) {
        // The first end counts; there is no second one, since `Landing` is consumed by it.
        let _ = self.outcome.set(outcome);
        self.landed.notify_waiters();
    }
}

/// The flights of a cache.
pub(super) struct Flights<K, V, E> {
    /// Those that callers may join and whose result is stored.
    by_key: HashMap<K, Arc<Flight<V, E>>>,
    /// All of them; dropping this ends them. `None` until the task is known.
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

    /// Enters a new flight for a key that has none.
    pub(super) fn begin(&mut self, key: &K) -> Arc<Flight<V, E>> {
        let id = self.next_id;
        self.next_id += 1;
        let flight = Arc::new(Flight {
            id,
            landed: Notify::new(),
            outcome: OnceLock::new(),
        });
        // If this panics, nothing was entered.
        self.by_key.insert(key.clone(), Arc::clone(&flight));
        self.tasks.insert(id, None);
        flight
    }

    /// Ties a task to the cache. Gives it back if its flight has ended already.
    pub(super) fn tie(&mut self, flight: &Flight<V, E>, task: Task) -> Option<Task> {
        match self.tasks.get_mut(&flight.id) {
            Some(slot) => slot.replace(task),
            None => Some(task),
        }
    }

    /// Strikes out a flight that ended. Returns whether it was still the one for its key, and
    /// what has to be dropped outside of the lock.
    pub(super) fn strike(&mut self, key: &K, flight: &Flight<V, E>) -> (bool, Option<Task>) {
        let current = self.by_key.get(key).is_some_and(|f| f.id == flight.id);
        if current {
            self.by_key.remove(key);
        }
        (current, self.tasks.remove(&flight.id).flatten())
    }

    /// Lets a flight go on for those who wait for it already, without storing its result.
    pub(super) fn detach(&mut self, key: &K) {
        self.by_key.remove(key);
    }

    pub(super) fn detach_all(&mut self) {
        self.by_key.clear();
    }
}

/// The duty to end a flight. Dropping it unfinished says that the flight vanished.
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

    /// Runs the fetch to its end. It comes in a box of its own: an argument that is moved within
    /// the future would take its room twice.
    pub(super) async fn run<F>(mut self, mut fetch: Pin<Box<F>>)
    where
        F: Future<Output = Result<Fetched<V>, E>> + Send,
        K: Send + Sync,
        V: Send + Sync,
        E: Send + Sync,
    {
        let ended = std::future::poll_fn(|cx| poll_caught(fetch.as_mut(), cx)).await;
        let ended = ended.and_then(|result| {
            // Cloning, judging and dropping are foreign code as well as fetching is.
            catch_unwind(AssertUnwindSafe(|| {
                // Whatever the fetch holds on to is let go before anybody sees the result.
                drop(fetch);
                // Without the cache nobody waits.
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
            // Comparing keys may panic too, and those who wait must hear of the end.
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
    // Nothing of a future that panicked is used again: it is dropped.
    match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(panic) => Poll::Ready(Err(panic)),
    }
}

//! Fetches in progress: their waiters, their outcome, and their cancellation when the cache is
//! dropped.

use std::collections::HashMap;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::{Fetched, Shared};
use crate::sync::{Mutex, OnceLock, lock};
use crate::task::Task;
use crate::task::driven::{Driven, Panic};

/// One fetch that any number of callers wait for.
pub(super) struct Flight<V, E> {
    id: u64,
    landed: Notify,
    end: OnceLock<End<V, E>>,
    fetch: Driven<Result<Fetched<V>, E>>,
}

/// How a flight ended.
pub(super) enum End<V, E> {
    Landed(Outcome<V, E>),
    /// It was taken from a runtime that nothing drives. This one replaces it.
    TakenOver(Arc<Flight<V, E>>),
}

/// What came of a flight.
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
    /// Gives the flight its fetch. Returns `false` if it has been taken over before.
    pub(super) fn begin<F>(&self, fetch: F) -> bool
    where
        F: Future<Output = Result<Fetched<V>, E>> + Send + 'static,
    {
        self.fetch.put(Box::pin(fetch))
    }

    /// Waits for the end. One call wakes all waiters, and none of them takes a lock.
    pub(super) async fn ended(&self) -> &End<V, E>
    where
        V: Send + Sync,
        E: Send + Sync,
    {
        loop {
            // Created before checking, so that an end set in between wakes it.
            let landed = self.landed.notified();
            if let Some(end) = self.end.get() {
                return end;
            }
            landed.await;
        }
    }

    /// Waits for the end, or until the fetch is taken from a runtime that nothing drives: then there is
    /// none, and the caller must see to another fetch. Outside of a runtime it cannot be taken.
    pub(super) async fn ended_or_taken(&self) -> Option<&End<V, E>>
    where
        V: Send + Sync,
        E: Send + Sync,
    {
        if Handle::try_current().is_err() {
            return Some(self.ended().await);
        }
        loop {
            tokio::select! {
                biased;
                end = self.ended() => return Some(end),
                () = self.fetch.silence() => {
                    if Handle::try_current().is_ok() && self.fetch.take() {
                        tracing::debug!("a fetch is begun again: nothing drives its runtime");
                        return None;
                    }
                }
            }
        }
    }

    pub(super) fn vanish(&self, panic: Option<Panic>) {
        let vanished = Vanished(Mutex::new(panic));
        self.end(End::Landed(Outcome::Vanished(vanished)));
    }

    pub(super) fn end(&self, end: End<V, E>) {
        // The first end counts. There cannot be a second one: whoever ends it has consumed the `Landing`,
        // or taken the fetch away from it.
        let _ = self.end.set(end);
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
            end: OnceLock::new(),
            fetch: Driven::new(),
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
        let current = self.by_key.get(key).is_some_and(|f| f.id == flight.id);
        if current {
            self.by_key.remove(key);
        }
        (current, self.tasks.remove(&flight.id).flatten())
    }

    /// Lets a flight finish for its present waiters without storing its result.
    pub(super) fn detach(&mut self, key: &K) {
        self.by_key.remove(key);
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

    /// Runs the fetch of the flight to its end.
    pub(super) async fn run(mut self)
    where
        K: Send + Sync,
        V: Send + Sync,
        E: Send + Sync,
    {
        let fetch = &self.flight.fetch;
        let ended = tokio::select! {
            biased;
            ended = fetch.run() => ended,
            () = fetch.answer_probes() => None,
        };
        fetch.end();
        let Some(ended) = ended else {
            // Who took it away ends the flight.
            self.has_ended = true;
            return;
        };
        let ended = ended.and_then(|result| {
            // Cloning, judging and dropping also run foreign code.
            catch_unwind(AssertUnwindSafe(|| {
                // Without the cache there are no waiters.
                let shared = self.shared.upgrade()?;
                Some(shared.land(&self.key, &self.flight, result))
            }))
        });
        match ended {
            Ok(outcome) => {
                self.has_ended = true;
                if let Some(outcome) = outcome {
                    self.flight.end(End::Landed(outcome));
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
        self.flight.vanish(panic);
    }
}

impl<K, V, E> Drop for Landing<K, V, E>
where
    K: Clone + Eq + Hash,
    V: Clone,
    E: Clone,
{
    fn drop(&mut self) {
        if !self.has_ended && self.flight.fetch.end() {
            self.vanish(None);
        }
    }
}

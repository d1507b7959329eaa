//! Waiting for fetches, and taking them over from a runtime that nothing drives.

use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use super::Shared;
use super::flight::{End, Flight, Landing, Outcome};

/// What comes of waiting for another caller's flight.
pub(super) enum Joined<K: Clone + Eq + Hash, V: Clone, E: Clone> {
    Ended(Result<V, E>),
    /// There is no outcome: look again.
    Vanished,
    /// Nothing drove it. Launch this one in its place, and wait for it.
    TakenOver(Landing<K, V, E>),
}

impl<K, V, E> Shared<K, V, E>
where
    K: Clone + Eq + Hash + Send + Sync,
    V: Clone + Send + Sync,
    E: Clone + Send + Sync,
{
    /// Waits for the outcome of a flight that this caller has launched.
    pub(super) async fn own(&self, mut flight: Arc<Flight<V, E>>) -> Result<V, E> {
        loop {
            let next = match flight.ended().await {
                End::Landed(outcome) => return self.answer(outcome),
                End::TakenOver(next) => Arc::clone(next),
            };
            flight = next;
        }
    }

    /// Waits for the outcome of a flight that another caller has launched.
    pub(super) async fn join(
        self: &Arc<Self>,
        key: &K,
        mut flight: Arc<Flight<V, E>>,
    ) -> Joined<K, V, E> {
        loop {
            let next = match flight.ended_or_taken().await {
                Some(End::Landed(Outcome::Vanished(_))) => return Joined::Vanished,
                Some(End::Landed(outcome)) => return Joined::Ended(self.answer(outcome)),
                Some(End::TakenOver(next)) => Arc::clone(next),
                None => match self.take_over(key, &flight) {
                    Ok(landing) => return Joined::TakenOver(landing),
                    Err(next) => next,
                },
            };
            flight = next;
        }
    }

    fn take_over(
        self: &Arc<Self>,
        key: &K,
        flight: &Arc<Flight<V, E>>,
    ) -> Result<Landing<K, V, E>, Arc<Flight<V, E>>> {
        // Comparing keys may panic, and the other waiters must still learn of the end.
        let replaced = catch_unwind(AssertUnwindSafe(|| self.replace(key, flight)));
        replaced.unwrap_or_else(|panic| {
            flight.vanish(None);
            resume_unwind(panic)
        })
    }

    /// Ends a flight whose fetch was taken from its runtime. It is replaced by the value that its key has
    /// by now, by the present flight of its key, or by a new one, which is returned to be launched.
    fn replace(
        self: &Arc<Self>,
        key: &K,
        flight: &Arc<Flight<V, E>>,
    ) -> Result<Landing<K, V, E>, Arc<Flight<V, E>>> {
        let now = self.now();
        let mut state = self.lock();
        let (_, task) = state.flights.strike(key, flight);
        let value = state.store.fresh(key, now);
        let next = match (&value, state.flights.of(key)) {
            (Some(_), _) => Err(Arc::clone(flight)),
            (None, Some(present)) => Err(present),
            (None, None) => Ok(state.begin(self, key)),
        };
        drop(state);
        drop(task);
        flight.end(match (value, &next) {
            (Some(value), _) => End::Landed(Outcome::Value(value)),
            (None, Ok(landing)) => End::TakenOver(Arc::clone(landing.flight())),
            (None, Err(present)) => End::TakenOver(Arc::clone(present)),
        });
        next
    }
}

//! Limits how often the server is called while it fails, for all tasks together.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use vouchsafe_core::call::{Backoff, Retry};
use vouchsafe_core::deadline::after;
use vouchsafe_core::sync::lock;

/// Keeps an interval between attempts: a short one after a success, and one that doubles after each
/// failure.
#[derive(Debug)]
pub(super) struct Pace {
    first: Duration,
    next: Mutex<Next>,
}

#[derive(Debug)]
struct Next {
    backoff: Backoff,
    not_before: Option<Instant>,
}

impl Pace {
    /// `first` is the wait after a success, `backoff` has those after failures.
    pub(super) fn new(first: Duration, backoff: Backoff) -> Self {
        let next = Next {
            backoff,
            not_before: None,
        };
        Self {
            first,
            next: Mutex::new(next),
        }
    }

    /// Waits until the next attempt may begin.
    pub(super) async fn ready(&self) {
        let not_before = self.next().not_before;
        if let Some(at) = not_before {
            sleep_until(at).await;
        }
    }

    pub(super) fn succeeded(&self) {
        let mut next = self.next();
        next.backoff.reset();
        next.not_before = Some(until(self.first));
    }

    /// Increases the next wait, to at least what the server asked for.
    pub(super) fn failed(&self, asked: Option<Duration>) {
        let mut next = self.next();
        let asked = asked.unwrap_or_default().min(Retry::LONGEST_ASKED);
        next.not_before = Some(until(next.backoff.next_wait().max(asked)));
    }

    fn next(&self) -> MutexGuard<'_, Next> {
        lock(&self.next)
    }
}

/// Controls repeated attempts: all of them pass while the server works; while it fails, one at a
/// time at a [`Pace`], until one succeeds. First attempts do not use it.
#[derive(Debug)]
pub(super) struct Gate {
    pace: Pace,
    is_open: watch::Sender<bool>,
    turn: tokio::sync::Mutex<()>,
}

/// The permission to try while the gate is closed; only one task has it at a time.
pub(super) type Turn<'g> = tokio::sync::MutexGuard<'g, ()>;

impl Gate {
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            pace,
            is_open: watch::Sender::new(true),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    /// Waits for permission to try again. `None` if the gate is open.
    pub(super) async fn pass(&self) -> Option<Turn<'_>> {
        let mut opened = self.is_open.subscribe();
        let turn = async {
            let turn = self.turn.lock().await;
            self.pace.ready().await;
            turn
        };
        tokio::select! {
            biased;
            // The sender lives as long as this.
            _ = opened.wait_for(|is_open| *is_open) => None,
            turn = turn => Some(turn),
        }
    }

    /// Opens the gate: the server works.
    pub(super) fn succeeded(&self) {
        let was_closed = self
            .is_open
            .send_if_modified(|is_open| !std::mem::replace(is_open, true));
        if was_closed {
            self.pace.succeeded();
        }
    }

    /// Closes the gate. While it is closed, only the holder of the turn increases the wait.
    pub(super) fn failed(&self, turn: Option<&Turn<'_>>, asked: Option<Duration>) {
        let was_open = self
            .is_open
            .send_if_modified(|is_open| std::mem::replace(is_open, false));
        if was_open || turn.is_some() {
            self.pace.failed(asked);
        }
    }
}

/// Returns when a limit that begins now ends.
pub(super) fn until(limit: Duration) -> Instant {
    after(Instant::now(), limit)
}

#[cfg(test)]
mod tests {
    use vouchsafe_core::call::Jitter;

    use super::*;

    const FIRST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(10);

    fn new_pace() -> Pace {
        let backoff = Backoff::new(FIRST, LONGEST, Jitter::random());
        Pace::new(FIRST, backoff.at_least_half())
    }

    #[tokio::test(start_paused = true)]
    async fn a_pace_slows_down_with_failures_up_to_a_bound() {
        let pace = new_pace();
        let begun = Instant::now();
        pace.ready().await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        let mut bound = FIRST;
        for _ in 0..20 {
            pace.failed(None);
            let begun = Instant::now();
            pace.ready().await;
            let waited = begun.elapsed();
            assert!(waited >= bound / 2 && waited <= bound + Duration::from_millis(1));
            bound = (bound * 2).min(LONGEST);
        }
        pace.succeeded();
        let begun = Instant::now();
        pace.ready().await;
        assert!(begun.elapsed() <= FIRST + Duration::from_millis(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_gate_lets_one_through_at_a_time_and_all_once_it_opens() {
        let gate = Gate::new(new_pace());
        assert!(gate.pass().await.is_none());
        gate.failed(None, None);
        let turn = gate.pass().await;
        assert!(turn.is_some());
        let second = tokio::time::timeout(LONGEST * 5, gate.pass()).await;
        assert!(second.is_err(), "two had the turn");
        gate.failed(turn.as_ref(), None);
        drop(turn);
        let (others, ()) = tokio::join!(async { tokio::join!(gate.pass(), gate.pass()) }, async {
            gate.succeeded();
        },);
        assert!(others.0.is_none() && others.1.is_none());
    }
}

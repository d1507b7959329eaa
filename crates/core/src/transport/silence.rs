//! How long a server has been silent: on a connection that requests share, or one of several.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::sync::lock;

/// The time in which requests waited in vain for the server, since something of an answer came. Only
/// requests that were given up count: another one may wait for long with good reason. Neither does the
/// time count in which the server takes a body.
pub(super) struct Silence(Mutex<State>);

struct State {
    /// When something came or was taken.
    since: Instant,
    /// Up to when `in_vain` is counted.
    counted_to: Instant,
    in_vain: Duration,
}

impl Silence {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self(Mutex::new(State {
            since: now,
            counted_to: now,
            in_vain: Duration::ZERO,
        }))
    }

    /// Records that something of an answer came.
    pub(super) fn end(&self) {
        let now = Instant::now();
        let mut state = lock(&self.0);
        (state.since, state.counted_to) = (now, now);
        state.in_vain = Duration::ZERO;
    }

    /// Records that more of a body is taken. What was silence before stays.
    #[cfg(feature = "http2")]
    pub(super) fn pause(&self) {
        let now = Instant::now();
        let mut state = lock(&self.0);
        (state.since, state.counted_to) = (now, now);
    }

    /// Counts the time of a request that is given up, which waits since `begun`, unless others at the
    /// same time are counted already. Returns how long the silence has lasted.
    pub(super) fn given_up(&self, begun: Instant) -> Duration {
        let now = Instant::now();
        let mut state = lock(&self.0);
        let own = now.saturating_duration_since(begun.max(state.since));
        let uncounted = now.saturating_duration_since(begun.max(state.counted_to));
        state.in_vain += uncounted;
        state.counted_to = now;
        own.max(state.in_vain)
    }
}

//! How long a server has been silent on a connection that requests share.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::sync::lock;

/// The time in which at least one request waited for the server, since something of an answer came.
/// Neither the time between requests counts, nor that in which the server takes a body.
pub(super) struct Silence(Mutex<State>);

struct State {
    /// How many requests wait.
    waiting: usize,
    /// When the first of them began to, or something came or was taken.
    since: Instant,
    /// The silence before that.
    before: Duration,
}

impl State {
    fn lasted(&self) -> Duration {
        match self.waiting {
            0 => self.before,
            _ => self.before + self.since.elapsed(),
        }
    }
}

impl Silence {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            waiting: 0,
            since: Instant::now(),
            before: Duration::ZERO,
        }))
    }

    /// Records that one more request waits.
    pub(super) fn wait(&self) {
        let mut state = lock(&self.0);
        if state.waiting == 0 {
            state.since = Instant::now();
        }
        state.waiting += 1;
    }

    /// Records that one request less waits.
    pub(super) fn wait_no_more(&self) {
        let mut state = lock(&self.0);
        state.before = state.lasted();
        state.since = Instant::now();
        state.waiting -= 1;
    }

    /// Records that something of an answer came.
    pub(super) fn end(&self) {
        let mut state = lock(&self.0);
        state.before = Duration::ZERO;
        state.since = Instant::now();
    }

    /// Records that more of a body is taken. What was silence before stays, since the beginning of a
    /// body leaves over a connection that is half open, too.
    pub(super) fn pause(&self) {
        lock(&self.0).since = Instant::now();
    }

    pub(super) fn lasted(&self) -> Duration {
        lock(&self.0).lasted()
    }
}

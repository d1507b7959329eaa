//! Connections of HTTP/2, which many requests share.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::client::conn::http2::SendRequest;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use super::PATIENCE;
use super::body::Outgoing;
use super::silence::Silence;
use super::wire::{FRESH, Occupancy, Via};
use crate::deadline::after;
use crate::sync::lock;
use crate::task::Task;
use crate::{Error, Result};

/// A connection of HTTP/2. It ends when the last stream has, after its host has let go of it.
pub(super) struct Shared {
    sender: SendRequest<Outgoing>,
    pub(super) silence: Arc<Silence>,
    _expiry: Task,
    pub(super) number: u64,
    pub(super) proxy: Option<Via>,
    retire_at: Instant,
    used_at: Mutex<Instant>,
    /// How many times something of an answer came.
    heard: AtomicU64,
    streams: AtomicUsize,
    occupancy: Occupancy,
}

/// A stream of a connection, which a request has.
pub(super) struct Stream {
    pub(super) shared: Arc<Shared>,
    /// The connection's `heard` when it began to wait.
    heard: u64,
    /// Since when its request waits for the server, rather than for its caller.
    waits_since: Option<Instant>,
}

impl Stream {
    /// Records that its request waits for something of the answer.
    pub(super) fn wait(&mut self) {
        if self.waits_since.is_none() {
            self.waits_since = Some(Instant::now());
            self.heard = self.shared.heard.load(Ordering::Relaxed);
        }
    }

    /// Records that something of its answer came.
    pub(super) fn hear(&mut self) {
        // What need not be waited for may have come long ago.
        if self.waits_since.take().is_some() {
            self.shared.silence.end();
            self.shared.heard.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Records that its request is given up. Returns whether that was after a long silence of the
    /// connection, which may be half open. Where other streams got answers meanwhile, its own may just
    /// take long.
    pub(super) fn given_up(&mut self) -> bool {
        let begun = self.waits_since.take();
        begun.is_some_and(|begun| {
            self.shared.heard.load(Ordering::Relaxed) == self.heard
                && self.shared.silence.given_up(begun) > PATIENCE
        })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.shared.streams.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.shared.tell();
        }
    }
}

impl Shared {
    pub(super) fn new(
        sender: SendRequest<Outgoing>,
        expiry: Task,
        number: u64,
        retire_at: Instant,
        proxy: Option<Via>,
        occupancy: Occupancy,
    ) -> Self {
        Self {
            sender,
            silence: Arc::new(Silence::new()),
            _expiry: expiry,
            number,
            proxy,
            retire_at,
            used_at: Mutex::new(Instant::now()),
            heard: AtomicU64::new(0),
            streams: AtomicUsize::new(0),
            occupancy,
        }
    }

    pub(super) fn stream(self: &Arc<Self>) -> Stream {
        if self.streams.fetch_add(1, Ordering::SeqCst) == 0 {
            self.tell();
        }
        let shared = Arc::clone(self);
        let heard = shared.heard.load(Ordering::Relaxed);
        Stream {
            shared,
            heard,
            waits_since: None,
        }
    }

    /// Tells the observer whether it is idle, until no other request has changed that meanwhile.
    fn tell(&self) {
        let is_idle = || self.streams.load(Ordering::SeqCst) == 0;
        loop {
            let told = is_idle();
            self.occupancy.set_idle(told);
            if is_idle() == told {
                return;
            }
        }
    }

    pub(super) fn sender(&self) -> SendRequest<Outgoing> {
        self.sender.clone()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Returns when the connection has been idle for too long, unless it has streams.
    pub(super) fn expires_at(&self, timeout: Duration) -> Option<Instant> {
        let is_idle = self.streams.load(Ordering::SeqCst) == 0;
        is_idle.then(|| after(*lock(&self.used_at), timeout))
    }

    /// Returns whether another request may use it.
    pub(super) fn is_good(&self, now: Instant, timeout: Duration) -> bool {
        let expires_at = self.expires_at(timeout);
        !self.is_closed() && self.retire_at > now && expires_at.is_none_or(|at| at > now)
    }

    /// Returns whether it may have ended unnoticed.
    pub(super) fn is_doubtful(&self, now: Instant) -> bool {
        !self.has_answered()
            || self
                .expires_at(FRESH)
                .is_some_and(|stale_at| now > stale_at)
    }

    pub(super) fn has_answered(&self) -> bool {
        self.heard.load(Ordering::Relaxed) > 0
    }

    /// Records that the connection was used.
    pub(super) fn touch(&self) {
        *lock(&self.used_at) = Instant::now();
    }
}

/// Whether requests to a server share a connection, which only the first connection shows. So it is
/// made for all of them.
pub(super) struct Sharing {
    is_possible: AtomicBool,
    failures: Arc<AtomicU64>,
    /// Held by the request that makes the connection. Holds the last failure.
    turn: Arc<tokio::sync::Mutex<Option<Error>>>,
}

/// The turn of one request to make the connection.
pub(super) struct Turn {
    failures: Arc<AtomicU64>,
    last: OwnedMutexGuard<Option<Error>>,
}

impl Sharing {
    pub(super) fn new(is_possible: bool) -> Self {
        Self {
            is_possible: AtomicBool::new(is_possible),
            failures: Arc::default(),
            turn: Arc::default(),
        }
    }

    /// Returns whether requests wait for their turn.
    pub(super) fn is_awaited(&self) -> bool {
        // This has one, the request whose turn it is, and each that waits.
        Arc::strong_count(&self.turn) > 2
    }

    /// Returns whether the server may speak HTTP/2, as far as is known.
    pub(super) fn is_possible(&self) -> bool {
        self.is_possible.load(Ordering::Relaxed)
    }

    /// Records whether a connection turned out to be of HTTP/2.
    pub(super) fn learn(&self, is_http2: bool) {
        self.is_possible.store(is_http2, Ordering::Relaxed);
    }

    /// Waits until no other request makes a connection.
    ///
    /// # Errors
    ///
    /// That of another one that failed meanwhile: were each to try, the last would wait for all.
    pub(super) async fn turn(&self) -> Result<Turn> {
        let before = self.failures.load(Ordering::Acquire);
        let last = Arc::clone(&self.turn).lock_owned().await;
        match &*last {
            Some(error) if self.failures.load(Ordering::Acquire) != before => Err(error.clone()),
            _ => Ok(Turn {
                failures: Arc::clone(&self.failures),
                last,
            }),
        }
    }
}

impl Turn {
    /// Fails all that wait for their turn too.
    pub(super) fn failed(mut self, error: Error) -> Error {
        *self.last = Some(error.clone());
        self.failures.fetch_add(1, Ordering::Release);
        error
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::ErrorKind;

    #[tokio::test]
    async fn one_failure_is_that_of_all_that_waited_and_of_none_that_comes_later() {
        let sharing = Sharing::new(true);
        let first = sharing.turn().await.unwrap();
        assert!(!sharing.is_awaited());
        let mut waiting = [Box::pin(sharing.turn()), Box::pin(sharing.turn())];
        for waiting in &mut waiting {
            assert!(waiting.now_or_never().is_none());
        }
        assert!(sharing.is_awaited());
        first.failed(Error::new(ErrorKind::Transport, "the first"));
        for waiting in waiting {
            let error = waiting.await.err().expect("no turn");
            assert_eq!(error.message(), "the first");
        }
        assert!(sharing.turn().await.is_ok());
        assert!(!sharing.is_awaited());
    }

    #[tokio::test]
    async fn a_turn_that_is_given_up_goes_to_the_next() {
        let sharing = Sharing::new(true);
        let first = sharing.turn().await.unwrap();
        let mut next = Box::pin(sharing.turn());
        assert!((&mut next).now_or_never().is_none());
        drop(first);
        assert!(next.await.is_ok());
    }
}

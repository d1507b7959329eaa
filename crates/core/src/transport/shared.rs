//! Connections of HTTP/2, which many requests share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::client::conn::http2::SendRequest;
use tokio::sync::MutexGuard;
use tokio::time::Instant;

use super::body::Outgoing;
use super::wire::{FRESH, Via};
use crate::deadline::after;
use crate::sync::lock;
use crate::task::Task;
use crate::{Error, Result};

/// A connection of HTTP/2. It ends when the last stream has, after its host has let go of it.
pub(super) struct Shared {
    sender: SendRequest<Outgoing>,
    _expiry: Task,
    pub(super) number: u64,
    pub(super) proxy: Option<Via>,
    retire_at: Instant,
    used_at: Mutex<Instant>,
    has_answered: AtomicBool,
}

impl Shared {
    pub(super) fn new(
        sender: SendRequest<Outgoing>,
        expiry: Task,
        number: u64,
        retire_at: Instant,
        proxy: Option<Via>,
    ) -> Self {
        Self {
            sender,
            _expiry: expiry,
            number,
            proxy,
            retire_at,
            used_at: Mutex::new(Instant::now()),
            has_answered: AtomicBool::new(false),
        }
    }

    pub(super) fn sender(&self) -> SendRequest<Outgoing> {
        self.sender.clone()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Returns when the connection has been idle for too long, unless it has streams.
    pub(super) fn expires_at(self: &Arc<Self>, timeout: Duration) -> Option<Instant> {
        // The host has one, and each stream.
        let is_idle = Arc::strong_count(self) == 1;
        is_idle.then(|| after(*lock(&self.used_at), timeout))
    }

    /// Returns whether another request may use it.
    pub(super) fn is_good(self: &Arc<Self>, now: Instant, timeout: Duration) -> bool {
        let expires_at = self.expires_at(timeout);
        !self.is_closed() && self.retire_at > now && expires_at.is_none_or(|at| at > now)
    }

    /// Returns whether it may have ended unnoticed.
    pub(super) fn is_doubtful(self: &Arc<Self>, now: Instant) -> bool {
        !self.has_answered()
            || self
                .expires_at(FRESH)
                .is_some_and(|stale_at| now > stale_at)
    }

    pub(super) fn has_answered(&self) -> bool {
        self.has_answered.load(Ordering::Relaxed)
    }

    /// Records that an answer was read to its end.
    pub(super) fn answered(&self) {
        self.touch();
        self.has_answered.store(true, Ordering::Relaxed);
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
    failures: AtomicU64,
    /// Held by the request that makes the connection. Holds the last failure.
    turn: tokio::sync::Mutex<Option<Error>>,
}

/// The turn of one request to make the connection.
pub(super) struct Turn<'a> {
    failures: &'a AtomicU64,
    last: MutexGuard<'a, Option<Error>>,
}

impl Sharing {
    pub(super) fn new(is_possible: bool) -> Self {
        Self {
            is_possible: AtomicBool::new(is_possible),
            failures: AtomicU64::new(0),
            turn: tokio::sync::Mutex::default(),
        }
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
    pub(super) async fn turn(&self) -> Result<Turn<'_>> {
        let before = self.failures.load(Ordering::Acquire);
        let last = self.turn.lock().await;
        match &*last {
            Some(error) if self.failures.load(Ordering::Acquire) != before => Err(error.clone()),
            _ => Ok(Turn {
                failures: &self.failures,
                last,
            }),
        }
    }
}

impl Turn<'_> {
    /// Fails all that wait for their turn too.
    pub(super) fn failed(mut self, error: Error) -> Error {
        *self.last = Some(error.clone());
        self.failures.fetch_add(1, Ordering::Release);
        error
    }
}

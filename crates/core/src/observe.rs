//! Watching a client: what it did, how often, for how long. Nothing here holds a secret.

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::{Error, ErrorKind};

/// Is told what a client does. All methods do nothing unless overridden; they are called inline
/// and should be quick.
pub trait Observer: fmt::Debug + Send + Sync + 'static {
    /// One request has been answered, has failed or has run out of time. One whose caller
    /// dropped it is not told.
    fn attempt(&self, event: &AttemptEvent<'_>) {
        let _ = event;
    }

    /// A call has ended. One whose caller dropped it is not told.
    fn call(&self, event: &CallEvent<'_>) {
        let _ = event;
    }

    /// A retry was not made because the budget is empty.
    fn budget_empty(&self, operation: &'static str) {
        let _ = operation;
    }

    /// A cache was asked. A look-up that has to wait is told when it begins, as a miss or as
    /// joined, and once more if what comes of it is an error or a stale value.
    fn cache(&self, event: &CacheEvent) {
        let _ = event;
    }
}

/// One request and what came of it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AttemptEvent<'a> {
    /// The operation's id.
    pub operation: &'static str,
    /// Which attempt of its call, from 1.
    pub attempt: u32,
    /// The status, if there was an answer.
    pub status: Option<StatusCode>,
    /// What failed, if nothing was answered.
    pub error: Option<&'a Error>,
    /// How long it took.
    pub elapsed: Duration,
}

/// A call and what came of it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallEvent<'a> {
    /// The operation's id.
    pub operation: &'static str,
    /// How many requests were sent.
    pub attempts: u32,
    /// What failed, or nothing.
    pub error: Option<&'a Error>,
    /// How long it took, waits included.
    pub elapsed: Duration,
}

impl CallEvent<'_> {
    /// Returns the kind of the failure.
    #[must_use]
    pub fn error_kind(&self) -> Option<ErrorKind> {
        self.error.map(Error::kind)
    }
}

/// A look-up in a cache and what came of it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CacheEvent {
    /// The name that the cache was given.
    pub name: &'static str,
    /// What came of it.
    pub outcome: CacheOutcome,
}

impl CacheEvent {
    pub(crate) fn new(name: &'static str, outcome: CacheOutcome) -> Self {
        Self { name, outcome }
    }
}

/// What came of a look-up in a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CacheOutcome {
    /// A value was there.
    Hit,
    /// Nothing was there, and a fetch began.
    Miss,
    /// Nothing was there, and a fetch was under way already.
    Joined,
    /// A value was there, and a fetch began to replace it before it expires.
    Refresh,
    /// An expired value stood in for a fetch that failed.
    Stale,
    /// A fetch failed, now or a moment ago.
    Error,
}

//! Observation of a client: what it did, how often and for how long. No event holds a secret.
//!
//! With the feature `metrics`, `Metrics` passes all of it on to the facade crate `metrics`.

#[cfg(feature = "metrics")]
mod metrics;

use std::fmt;
use std::time::Duration;

use http::StatusCode;

#[cfg(feature = "metrics")]
#[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
pub use self::metrics::Metrics;
use crate::{Error, ErrorKind};

/// Receives the events of a client. All methods do nothing by default. They are called inline and
/// should be quick.
pub trait Observer: fmt::Debug + Send + Sync + 'static {
    /// Called when a request was answered, failed or ran out of time. Not called for a request
    /// whose caller dropped it.
    fn attempt(&self, event: &AttemptEvent<'_>) {
        let _ = event;
    }

    /// Called when a call has ended. Not called if the caller dropped it.
    fn call(&self, event: &CallEvent<'_>) {
        let _ = event;
    }

    /// Called when a retry was not made because the budget is empty.
    fn budget_empty(&self, operation: &'static str) {
        let _ = operation;
    }

    /// Called when a call is about to be sent again: after a wait, at once with a newer token, or at
    /// once over another connection.
    fn retry(&self, event: &RetryEvent<'_>) {
        let _ = event;
    }

    /// Called when retries or successes have changed a retry budget.
    fn budget(&self, event: &BudgetEvent) {
        let _ = event;
    }

    /// Called when a server has refused the token of a call.
    fn token_refused(&self, operation: &'static str) {
        let _ = operation;
    }

    /// Called when a request begins to count as in flight. The call of
    /// [`request_ended`](Self::request_ended) for it always follows, even if the caller drops it.
    fn request_began(&self, operation: &'static str) {
        let _ = operation;
    }

    /// Called when a request no longer counts as in flight: its answer was read, it failed, or it
    /// was dropped.
    fn request_ended(&self, operation: &'static str) {
        let _ = operation;
    }

    /// Called when a connection was made. Connections are those of the transport that the client
    /// builds itself; for one of the caller's own, see
    /// [`HttpTransportBuilder::observer`](crate::transport::HttpTransportBuilder::observer).
    fn connection_opened(&self) {}

    /// Called when a connection was closed.
    fn connection_closed(&self) {}

    /// Called when connections became idle, with a positive number, or were used again or closed while
    /// they were idle, with a negative one. A connection of HTTP/2 is idle while it has no request. One
    /// is not idle before its first request.
    fn connections_idle(&self, change: isize) {
        let _ = change;
    }

    /// Called when a source of tokens has tried to replace its token, or to get the first one.
    fn token_renewed(&self, event: &TokenEvent<'_>) {
        let _ = event;
    }

    /// Called when entries were added to a cache, or removed from it; values and errors both count.
    fn cache_entries(&self, name: &'static str, change: isize) {
        let _ = (name, change);
    }

    /// Called for each look-up in a cache. A look-up that has to wait is reported when it begins,
    /// as a miss or as joined, and once more if its result is an error or a stale value.
    fn cache(&self, event: &CacheEvent) {
        let _ = event;
    }
}

/// One request and its result.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AttemptEvent<'a> {
    /// The operation's id.
    pub operation: &'static str,
    /// The number of the attempt within its call, from 1.
    pub attempt: u32,
    /// The status, if there was an answer.
    pub status: Option<StatusCode>,
    /// The error, if there was no answer.
    pub error: Option<&'a Error>,
    /// The duration of the attempt.
    pub elapsed: Duration,
}

/// A call and its result.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallEvent<'a> {
    /// The operation's id.
    pub operation: &'static str,
    /// How many requests were sent.
    pub attempts: u32,
    /// The error, if the call failed.
    pub error: Option<&'a Error>,
    /// The duration of the call, including waits.
    pub elapsed: Duration,
}

impl CallEvent<'_> {
    /// Returns the kind of the error.
    #[must_use]
    pub fn error_kind(&self) -> Option<ErrorKind> {
        self.error.map(Error::kind)
    }
}

/// A request that is sent again.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RetryEvent<'a> {
    /// The operation's id.
    pub operation: &'static str,
    /// The number of the attempt that failed, from 1.
    pub attempt: u32,
    /// Why it failed.
    pub error: &'a Error,
}

/// A retry budget that has changed.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct BudgetEvent {
    /// The id of the operation whose call changed it.
    pub operation: &'static str,
    /// How many tokens are left.
    pub left: u32,
}

/// A renewal of a token and its result.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TokenEvent<'a> {
    /// The kind of source, such as `oauth` or `wazo-auth`.
    pub source: &'static str,
    /// The error, if there is no new token.
    pub error: Option<&'a Error>,
    /// How long it took, including waits and retries.
    pub elapsed: Duration,
}

impl<'a> TokenEvent<'a> {
    /// Creates an event, as sources of tokens do.
    #[must_use]
    pub fn new(source: &'static str, error: Option<&'a Error>, elapsed: Duration) -> Self {
        Self {
            source,
            error,
            elapsed,
        }
    }
}

/// A look-up in a cache and its result.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CacheEvent {
    /// The name given to the cache.
    pub name: &'static str,
    /// The result.
    pub outcome: CacheOutcome,
}

impl CacheEvent {
    /// Creates an event, as a cache of this name does.
    #[must_use]
    pub fn new(name: &'static str, outcome: CacheOutcome) -> Self {
        Self { name, outcome }
    }
}

/// The result of a look-up in a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CacheOutcome {
    /// There was a value.
    Hit,
    /// There was no value, and a fetch began.
    Miss,
    /// There was no value, and a fetch was already in progress.
    Joined,
    /// There was a value, and a fetch began to replace it before it expires.
    Refresh,
    /// A fetch failed, and an expired value was used instead.
    Stale,
    /// A fetch failed, now or a moment ago.
    Error,
}

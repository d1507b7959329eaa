//! What a caller may set: for a client, and for one call.

use std::time::Duration;

use super::Retry;

/// How long things may take. Every call is bounded from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// One request and its answer. Default: 5 seconds.
    pub attempt: Duration,
    /// The whole call: waits, queueing, token fetching and retries included. Default: 15
    /// seconds.
    pub call: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(5),
            call: Duration::from_secs(15),
        }
    }
}

impl Timeouts {
    /// Sets the limit of one attempt.
    #[must_use]
    pub const fn attempt(mut self, limit: Duration) -> Self {
        self.attempt = limit;
        self
    }

    /// Sets the limit of the whole call.
    #[must_use]
    pub const fn call(mut self, limit: Duration) -> Self {
        self.call = limit;
        self
    }
}

/// What one call does differently from its client. What is not set is the client's.
#[derive(Clone, Debug, Default)]
pub struct CallOptions {
    pub(crate) deadline: Option<Duration>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) retry: Option<Retry>,
    pub(crate) request_id: Option<String>,
}

impl CallOptions {
    /// Returns options that change nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how long the whole call may take.
    #[must_use]
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = Some(limit);
        self
    }

    /// Sets how long one attempt may take.
    #[must_use]
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.attempt_timeout = Some(limit);
        self
    }

    /// Sets how often the call is tried.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = Some(retry);
        self
    }

    /// Sends an `X-Request-Id`, which errors carry too. A value that does not fit a header is
    /// refused when the call is made.
    #[must_use]
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = Some(id.into());
        self
    }
}

//! What is known about a call while it goes on.

use http::Uri;
use tokio::time::Instant;

use super::{CallOptions, Operation};
use crate::{Error, Sent};

/// What is known about a call so far, for its error.
pub(super) struct Progress {
    pub(super) started: Instant,
    pub(super) attempts: u32,
    /// Whether the server may have seen any of the attempts.
    pub(super) sent: Sent,
    /// Whether the server may have carried out any but the last one.
    pub(super) has_lost_attempt: bool,
    pub(super) uri: Option<Uri>,
    /// Whether the error is that of a call by the token source. It says what failed and where.
    pub(super) source_called: bool,
}

impl Progress {
    /// Begins now.
    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
            attempts: 0,
            sent: Sent::No,
            has_lost_attempt: false,
            uri: None,
            source_called: false,
        }
    }

    /// Notes that the call is sent again after this error. After a refused token, nothing is lost.
    pub(super) fn repeats_after(&mut self, error: &Error) {
        self.has_lost_attempt |= error.sent() == Sent::Maybe;
    }

    pub(super) fn explain(
        &self,
        error: Error,
        operation: &Operation,
        options: &CallOptions,
    ) -> Error {
        let error = match self.sent {
            Sent::Maybe => error.with_sent(Sent::Maybe),
            Sent::No => error,
        };
        if self.source_called {
            return error;
        }
        let error = error
            .with_operation(operation.id())
            .with_attempts(self.attempts, self.started.elapsed())
            .with_lost_attempt(self.has_lost_attempt);
        let error = match &self.uri {
            Some(uri) => operation.locate(error, uri),
            None => error,
        };
        if error.request_id().is_none() {
            error.with_request_id(options.get().request_id.as_deref())
        } else {
            error
        }
    }
}

//! What a pipeline tells the observer of its client.

use std::sync::Arc;

use http::StatusCode;
use tokio::time::Instant;

use super::Operation;
use crate::Error;
use crate::observe::{AttemptEvent, BudgetEvent, CallEvent, Observer, RetryEvent};

/// The observer, if there is one, and the operation of a call.
#[derive(Clone, Copy)]
pub(super) struct Teller<'a> {
    pub(super) observer: Option<&'a Arc<dyn Observer>>,
    pub(super) operation: &'static Operation,
}

impl Teller<'_> {
    pub(super) fn attempt(self, attempt: u32, result: Result<StatusCode, &Error>, begun: Instant) {
        if let Some(observer) = self.observer {
            observer.attempt(&AttemptEvent {
                operation: self.operation.id(),
                attempt,
                status: result.ok(),
                error: result.err(),
                elapsed: begun.elapsed(),
            });
        }
    }

    pub(super) fn call(self, attempts: u32, error: Option<&Error>, begun: Instant) {
        if let Some(observer) = self.observer {
            observer.call(&CallEvent {
                operation: self.operation.id(),
                attempts,
                error,
                elapsed: begun.elapsed(),
            });
        }
    }

    pub(super) fn retry(self, attempt: u32, error: &Error) {
        if let Some(observer) = self.observer {
            observer.retry(&RetryEvent {
                operation: self.operation.id(),
                attempt,
                error,
            });
        }
    }

    pub(super) fn budget(self, left: u32) {
        if let Some(observer) = self.observer {
            observer.budget(&BudgetEvent {
                operation: self.operation.id(),
                left,
            });
        }
    }

    pub(super) fn budget_empty(self) {
        if let Some(observer) = self.observer {
            observer.budget_empty(self.operation.id());
        }
    }

    pub(super) fn token_refused(self) {
        if let Some(observer) = self.observer {
            observer.token_refused(self.operation.id());
        }
    }
}

//! What logs say of tokens that cannot be renewed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::time::Instant;

use crate::Error;
use crate::observe::{Observer, TokenEvent};

/// The renewals of one source's token, for its log: a warning once three in a row have failed, and a
/// line when the next one succeeds. A source has one of these, for as long as it lives.
#[derive(Debug)]
pub struct Renewals {
    source: &'static str,
    failures: AtomicU32,
}

impl Renewals {
    /// Creates the record of a source. Its kind, such as `oauth`, is its name in logs and events.
    #[must_use]
    pub const fn new(source: &'static str) -> Self {
        let failures = AtomicU32::new(0);
        Self { source, failures }
    }

    /// Records what came of a renewal. [`CoreClient::token_renewed`](crate::CoreClient::token_renewed)
    /// does it, too.
    pub fn record(&self, error: Option<&Error>) {
        let source = self.source;
        match error {
            Some(error) => {
                let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
                if failures == MANY {
                    tracing::warn!(source, failures, %error, "the token cannot be renewed");
                }
            }
            None => {
                let failures = self.failures.swap(0, Ordering::Relaxed);
                if failures >= MANY {
                    tracing::info!(source, failures, "the token is renewed again");
                }
            }
        }
    }

    /// Records what came of a renewal since `begun`, and tells the observer, if there is one.
    pub(crate) fn tell(
        &self,
        observer: Option<&Arc<dyn Observer>>,
        begun: Instant,
        error: Option<&Error>,
    ) {
        self.record(error);
        if let Some(observer) = observer {
            observer.token_renewed(&TokenEvent::new(self.source, error, begun.elapsed()));
        }
    }
}

/// How many failures are more than bad luck.
const MANY: u32 = 3;

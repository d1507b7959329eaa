//! Whether anything of a request was written, for a caller that drops it, and whether it still may
//! be.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::time::Instant;

#[cfg(feature = "tower")]
use super::ledger::Ledger;
use crate::{Error, ErrorKind, Result, Sent, TimeoutScope};

/// A flag by which a transport tells whether any byte of a request may have been written, and learns
/// whether it still may write one. Clones share it.
///
/// Errors have [`Error::sent`] for this, but an attempt that exceeds its limit is dropped and
/// returns no error. A transport that is dropped before it has a connection reports that here, and
/// then even a request that must not be repeated is sent again. A transport that reports nothing is
/// assumed to have written something.
///
/// By default there is no listener: only requests that must not be repeated have one.
#[derive(Clone, Debug, Default)]
pub struct Written(Option<Arc<Shared>>);

#[derive(Debug, Default)]
struct Shared {
    said: AtomicU8,
    /// When it is too late to begin.
    until: Option<Instant>,
    condition: Option<Condition>,
    /// Of the request that this is a copy of.
    #[cfg(feature = "tower")]
    ledger: Option<Arc<Ledger>>,
}

/// A caller's condition for beginning to write.
#[derive(Clone)]
pub(crate) struct Condition(pub(crate) Arc<dyn Fn() -> bool + Send + Sync>);

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Condition")
    }
}

impl Written {
    /// Creates a flag with a listener.
    #[must_use]
    pub fn heard() -> Self {
        Self(Some(Arc::default()))
    }

    /// Creates a flag with a listener, for a request that must not begin after a moment, nor once
    /// the condition is false.
    pub(crate) fn heard_until(until: Instant, condition: Option<Condition>) -> Self {
        Self(Some(Arc::new(Shared {
            until: Some(until),
            condition,
            ..Shared::default()
        })))
    }

    /// Creates the flag of a copy of the request, which has the same limits and is reported to a
    /// ledger.
    #[cfg(feature = "tower")]
    pub(super) fn below(&self, ledger: Arc<Ledger>) -> Self {
        let (until, condition) = match &self.0 {
            Some(shared) => (shared.until, shared.condition.clone()),
            None => (None, None),
        };
        Self(Some(Arc::new(Shared {
            until,
            condition,
            ledger: Some(ledger),
            ..Shared::default()
        })))
    }

    /// Returns whether there is a listener. Without one, a transport need not find out.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        self.0.is_some()
    }

    /// Reports that bytes will be written now, which cannot be undone. Call it as late as possible,
    /// since a process may be suspended at any moment and continue when the caller has given up.
    ///
    /// # Errors
    ///
    /// Of kind [`Timeout`](ErrorKind::Timeout) if it is too late to begin: nothing may be written
    /// then, neither now nor later.
    pub fn may_begin(&self) -> Result<()> {
        let Some(shared) = &self.0 else {
            return Ok(());
        };
        match shared.said.load(Ordering::Acquire) {
            said if said & BEGUN != 0 => Ok(()),
            NOTHING => match shared.obstacle() {
                None => {
                    self.add(BEGUN);
                    Ok(())
                }
                Some(late) => {
                    self.add(GIVEN_UP);
                    Err(late)
                }
            },
            _ => Err(shared.obstacle().unwrap_or_else(too_late)),
        }
    }

    /// Returns the error of [`may_begin`](Self::may_begin) if it is too late already, and reports
    /// nothing.
    #[cfg(any(feature = "client", feature = "tower"))]
    pub(super) fn still_may_begin(&self) -> Result<()> {
        let obstacle = self.0.as_ref().and_then(|shared| shared.obstacle());
        obstacle.map_or(Ok(()), Err)
    }

    /// Reports that bytes may have been written, which cannot be known better.
    #[cfg(feature = "tower")]
    pub(super) fn may_have_begun(&self) {
        self.add(BEGUN);
    }

    /// Reports that some of a request that was refused may be written all the same.
    #[cfg(feature = "client")]
    pub(super) fn head_may_leave(&self) {
        self.add(HEAD);
    }

    /// Reports that the request was dropped before anything of it was written.
    pub fn given_up(&self) {
        self.add(GIVEN_UP);
    }

    fn add(&self, what: u8) {
        if let Some(shared) = &self.0 {
            #[cfg_attr(
                not(feature = "tower"),
                expect(unused_variables, reason = "only copies for tower services report on")
            )]
            let before = shared.said.fetch_or(what, Ordering::AcqRel);
            #[cfg(feature = "tower")]
            match &shared.ledger {
                Some(ledger) if what != GIVEN_UP => ledger.begun(),
                Some(ledger) if before == NOTHING => ledger.unsent(),
                _ => {}
            }
        }
    }

    /// Returns whether it is known that nothing was written.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        let said = self
            .0
            .as_ref()
            .map(|shared| shared.said.load(Ordering::Acquire));
        said == Some(GIVEN_UP)
    }
}

impl Shared {
    /// Returns why nothing may be written any more.
    fn obstacle(&self) -> Option<Error> {
        if self.until.is_some_and(|until| until <= Instant::now()) {
            return Some(too_late());
        }
        let is_met = self
            .condition
            .as_ref()
            .is_none_or(|condition| condition.0());
        // Another attempt would not be in time either.
        (!is_met).then(|| too_late().with_retryable(false))
    }
}

fn too_late() -> Error {
    let what = "the request was ready to be sent too late, and was not sent";
    let error = Error::new(ErrorKind::Timeout(TimeoutScope::Attempt), what);
    error.with_sent(Sent::No).with_retryable(true)
}

const NOTHING: u8 = 0;
const BEGUN: u8 = 1;
const GIVEN_UP: u8 = 2;
#[cfg(feature = "client")]
const HEAD: u8 = 4;

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_may_have_been_written_once_stays_so() {
        let written = Written::heard();
        assert!(!written.is_nothing());
        written.may_begin().unwrap();
        written.given_up();
        assert!(!written.clone().is_nothing());
        // It goes on even if it has become too late in the meantime.
        written.may_begin().unwrap();
    }

    #[test]
    fn without_a_listener_something_is_taken_to_have_been_written() {
        let written = Written::default();
        written.may_begin().unwrap();
        written.given_up();
        assert!(!written.is_nothing());
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_begins_too_late_or_against_the_condition_nor_after_that() {
        let in_a_second = Instant::now() + Duration::from_secs(1);
        let holds = Arc::new(AtomicBool::new(false));
        let condition = {
            let holds = Arc::clone(&holds);
            Condition(Arc::new(move || holds.load(Ordering::Relaxed)))
        };
        let refused = Written::heard_until(in_a_second, Some(condition.clone()));
        let error = refused.may_begin().unwrap_err();
        assert_eq!((error.sent(), error.is_retryable()), (Sent::No, false));
        holds.store(true, Ordering::Relaxed);
        refused.may_begin().unwrap_err();
        assert!(refused.is_nothing());
        let (begun, late) = (
            Written::heard_until(in_a_second, Some(condition)),
            Written::heard_until(in_a_second, None),
        );
        begun.may_begin().unwrap();
        tokio::time::advance(Duration::from_secs(1)).await;
        begun.may_begin().unwrap();
        assert!(late.may_begin().unwrap_err().is_retryable());
        assert!(late.is_nothing() && !begun.is_nothing());
    }
}

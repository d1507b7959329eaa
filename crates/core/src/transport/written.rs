//! Whether anything of a request was written, for a caller that drops it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// A flag by which a transport tells whether any byte of a request may have been written. Clones
/// share it.
///
/// Errors have [`Error::sent`](crate::Error::sent) for this, but an attempt that exceeds its limit is
/// dropped and returns no error. A transport that is dropped before it has a connection reports that
/// here, and then even a request that must not be repeated is sent again. A transport that reports
/// nothing is assumed to have written something.
///
/// By default there is no listener: only requests that must not be repeated have one.
#[derive(Clone, Debug, Default)]
pub struct Written(Option<Arc<AtomicU8>>);

impl Written {
    /// Creates a flag with a listener.
    #[must_use]
    pub fn heard() -> Self {
        Self(Some(Arc::default()))
    }

    /// Returns whether there is a listener. Without one, a transport need not find out.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        self.0.is_some()
    }

    /// Reports that bytes may be written from now on. This cannot be undone.
    pub fn may_begin(&self) {
        self.add(BEGUN);
    }

    /// Reports that the request was dropped before anything of it was written.
    pub fn given_up(&self) {
        self.add(GIVEN_UP);
    }

    fn add(&self, what: u8) {
        if let Some(said) = &self.0 {
            said.fetch_or(what, Ordering::AcqRel);
        }
    }

    /// Returns whether it is known that nothing was written.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        let said = self.0.as_ref().map(|said| said.load(Ordering::Acquire));
        said == Some(GIVEN_UP)
    }
}

const BEGUN: u8 = 1;
const GIVEN_UP: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_been_written_once_stays_so() {
        let written = Written::heard();
        assert!(!written.is_nothing());
        written.given_up();
        assert!(written.clone().is_nothing());
        written.may_begin();
        written.given_up();
        assert!(!written.is_nothing());
    }

    #[test]
    fn without_a_listener_something_is_taken_to_have_been_written() {
        let written = Written::default();
        written.given_up();
        assert!(!written.is_nothing());
    }
}

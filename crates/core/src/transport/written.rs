//! Whether anything of a request was written, for a caller that gives it up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Says whether any byte of a request may have been written. Clones share what is said.
///
/// An error tells this by [`Error::sent`](crate::Error::sent), but an attempt that runs into its
/// limit is dropped and returns none. A transport that is dropped before it has a connection says
/// so here, and a request that must not be doubled is then sent again. A transport that says
/// nothing is taken to have written something.
///
/// By default there is no listener: only requests that must not be doubled have one.
#[derive(Clone, Debug, Default)]
pub struct Written(Option<Arc<AtomicU8>>);

impl Written {
    /// Creates one with a listener.
    #[must_use]
    pub fn heard() -> Self {
        Self(Some(Arc::default()))
    }

    /// Returns whether there is a listener. If not, finding out may be saved.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        self.0.is_some()
    }

    /// Says that bytes may be written from now on. Nothing takes that back.
    pub fn may_begin(&self) {
        self.add(BEGUN);
    }

    /// Says that the request was given up, and nothing of it was written.
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

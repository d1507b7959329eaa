//! The flag of a request on its way through a tower service.

use std::sync::Arc;

use super::Written;
use super::ledger::Ledger;

/// What the extensions of a request hold, so that a transport below the service still learns whether
/// it may write, and reports whether it did. A copy that reaches no transport of ours is taken for
/// sent.
#[derive(Debug)]
pub(crate) struct Forwarded {
    written: Written,
    ledger: Arc<Ledger>,
    is_counted: bool,
}

impl Forwarded {
    pub(super) fn new(written: Written, ledger: Arc<Ledger>) -> Self {
        ledger.count();
        Self {
            written,
            ledger,
            is_counted: true,
        }
    }

    /// Returns the flag for the transport that sends this copy.
    pub(super) fn take(self) -> Written {
        if !self.is_counted {
            self.ledger.count();
        }
        self.written.below(self.ledger)
    }

    /// Marks a copy that is sent only after another was answered, or not at all.
    pub(crate) fn spare<B>(copy: &mut http::Request<B>) {
        if let Some(forwarded) = copy.extensions_mut().get_mut::<Self>()
            && std::mem::take(&mut forwarded.is_counted)
        {
            forwarded.ledger.discount();
        }
    }
}

impl Clone for Forwarded {
    fn clone(&self) -> Self {
        Self::new(self.written.clone(), Arc::clone(&self.ledger))
    }
}

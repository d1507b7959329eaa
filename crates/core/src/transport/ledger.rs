//! What is known of a request that was handed to a tower service, whose layers may copy it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

/// Where the transports below a tower service report what became of the copies of a request.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// How many copies are not known to be unsent.
    open: AtomicUsize,
    begun: AtomicBool,
    /// Whether a layer learnt that its copy was not sent. It may have made another by hand since,
    /// which is not counted.
    returned: AtomicBool,
    left: AtomicBool,
}

impl Ledger {
    pub(super) fn count(&self) {
        self.open.fetch_add(1, SeqCst);
    }

    /// Takes back a copy that was counted and was not handed on.
    pub(super) fn discount(&self) {
        self.open.fetch_sub(1, SeqCst);
    }

    /// Reports that some of a copy may have been written.
    pub(super) fn begun(&self) {
        self.begun.store(true, SeqCst);
    }

    /// Reports that nothing of a copy was written.
    pub(super) fn unsent(&self) {
        if !self.left.load(SeqCst) {
            self.returned.store(true, SeqCst);
        }
        self.discount();
    }

    /// Reports that the caller is about to drop the future of the service, whose layers do nothing
    /// more.
    pub(super) fn leave(&self) {
        self.left.store(true, SeqCst);
    }

    pub(super) fn may_have_begun(&self) -> bool {
        self.begun.load(SeqCst)
    }

    /// Returns how many copies are not known to be unsent.
    pub(super) fn open(&self) -> usize {
        self.open.load(SeqCst)
    }

    /// Returns whether every copy was dropped, with the service's future, before anything was
    /// written.
    pub(super) fn was_dropped_unsent(&self) -> bool {
        self.open() == 0 && !self.may_have_begun() && !self.returned.load(SeqCst)
    }
}

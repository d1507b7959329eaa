//! The commissions that this process is working on.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};

use vouchsafe_core::sync::lock;

use super::CommissionId;

/// The commissions in progress: from before they are issued until they are resolved.
#[derive(Clone, Debug, Default)]
pub(super) struct InHand(Arc<Mutex<Ids>>);

#[derive(Debug, Default)]
struct Ids {
    busy: BTreeSet<CommissionId>,
    /// Commissions that were given up, and are left to reconciliation.
    left: BTreeSet<CommissionId>,
}

/// One commission in progress; dropping it ends that.
#[derive(Debug)]
pub(super) struct Busy {
    id: CommissionId,
    all: InHand,
}

impl InHand {
    pub(super) fn take(&self, id: CommissionId) -> Busy {
        self.ids().busy.insert(id);
        Busy {
            id,
            all: self.clone(),
        }
    }

    /// Returns the number of commissions in progress, and of those that were given up.
    pub(super) fn counts(&self) -> (usize, usize) {
        let ids = self.ids();
        (ids.busy.len(), ids.left.len())
    }

    pub(super) fn snapshot(&self) -> BTreeSet<CommissionId> {
        self.ids().busy.clone()
    }

    /// Records that a commission that was given up has been resolved.
    pub(super) fn is_done(&self, id: CommissionId) {
        self.ids().left.remove(&id);
    }

    fn ids(&self) -> MutexGuard<'_, Ids> {
        lock(&self.0)
    }
}

impl Busy {
    pub(super) fn id(&self) -> CommissionId {
        self.id
    }

    /// Gives the commission up; reconciliation will resolve it.
    pub(super) fn leave(self) {
        self.all.ids().left.insert(self.id);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.all.ids().busy.remove(&self.id);
    }
}

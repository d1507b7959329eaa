//! Which commissions this process still has in hand.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::CommissionId;

/// The commissions in hand: from before they are issued until they are resolved.
#[derive(Clone, Debug, Default)]
pub(super) struct InHand(Arc<Mutex<BTreeSet<CommissionId>>>);

/// One commission in hand; dropping it lets it go.
#[derive(Debug)]
pub(super) struct Busy {
    id: CommissionId,
    all: InHand,
}

impl InHand {
    pub(super) fn take(&self, id: CommissionId) -> Busy {
        self.ids().insert(id);
        Busy {
            id,
            all: self.clone(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ids().len()
    }

    pub(super) fn snapshot(&self) -> BTreeSet<CommissionId> {
        self.ids().clone()
    }

    fn ids(&self) -> MutexGuard<'_, BTreeSet<CommissionId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Busy {
    pub(super) fn id(&self) -> CommissionId {
        self.id
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.all.ids().remove(&self.id);
    }
}

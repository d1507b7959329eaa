//! What an issuer writes down, so that a crash loses nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use vouchsafe_core::{BoxFuture, Result};

use super::CommissionId;
use crate::Serial;

/// Where an [`Issuer`](super::Issuer) writes down what it is about to do.
///
/// The order is: [`intent`](Self::intent) before a commission is issued,
/// [`Outcome::Committing`] before it is accepted, [`Outcome::Closed`] after it was accepted or
/// rejected, or turned out not to exist.
///
/// What is written must be there after a crash once the future has returned, except for
/// [`Outcome::Closed`]: if that is lost, the next [`reconcile`](super::Issuer::reconcile) finds out
/// anew. A journal belongs to one issuer, and must outlive it.
pub trait Journal: fmt::Debug + Send + Sync + 'static {
    /// Writes down that a commission is about to be issued.
    fn intent<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Result<()>>;

    /// Writes down what was decided of a commission, or that it is done. What is not known is
    /// done already.
    fn outcome(&self, id: CommissionId, outcome: Outcome) -> BoxFuture<'_, Result<()>>;

    /// Returns the commissions that are not done.
    fn open(&self) -> BoxFuture<'_, Result<Vec<OpenCommission>>>;
}

/// A commission that is about to be issued.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Intent {
    /// Its id.
    pub id: CommissionId,
    /// Its name, id included, for people who look into the journal.
    pub name: String,
}

/// What became of a commission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a journal must know all there is to write"
)]
pub enum Outcome {
    /// It is to be accepted: whatever happens from here on, it will be.
    Committing(Serial),
    /// Nothing is left to do.
    Closed,
}

/// A commission that is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "journals make it")]
pub struct OpenCommission {
    /// Its id.
    pub id: CommissionId,
    /// The serial that was to be accepted, if that was decided.
    pub committing: Option<Serial>,
}

/// A journal in memory: it survives everything but the end of the process.
///
/// It is right for services whose pending commissions are cleaned up by other means after a
/// crash, and for tests.
#[derive(Debug, Default)]
pub struct MemoryJournal(Mutex<BTreeMap<CommissionId, Option<Serial>>>);

impl MemoryJournal {
    /// Makes an empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Journal for MemoryJournal {
    fn intent<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Result<()>> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(intent.id, None);
        Box::pin(std::future::ready(Ok(())))
    }

    fn outcome(&self, id: CommissionId, outcome: Outcome) -> BoxFuture<'_, Result<()>> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        apply(&mut open, id, outcome);
        Box::pin(std::future::ready(Ok(())))
    }

    fn open(&self) -> BoxFuture<'_, Result<Vec<OpenCommission>>> {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Box::pin(std::future::ready(Ok(listed(&open))))
    }
}

pub(super) fn apply(
    open: &mut BTreeMap<CommissionId, Option<Serial>>,
    id: CommissionId,
    outcome: Outcome,
) {
    match outcome {
        Outcome::Committing(serial) => {
            open.insert(id, Some(serial));
        }
        Outcome::Closed => {
            open.remove(&id);
        }
    }
}

pub(super) fn listed(open: &BTreeMap<CommissionId, Option<Serial>>) -> Vec<OpenCommission> {
    open.iter()
        .map(|(&id, &committing)| OpenCommission { id, committing })
        .collect()
}

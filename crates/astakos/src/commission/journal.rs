//! What an issuer writes down, so that a crash loses nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use vouchsafe_core::{BoxFuture, Error, ErrorKind, Result};

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
/// again. A journal belongs to one issuer, and must outlive it.
///
/// A future may be dropped while its write goes on in the background. A journal that was told
/// [`Outcome::Rejecting`] must therefore refuse a later [`Outcome::Committing`] of that commission.
pub trait Journal: fmt::Debug + Send + Sync + 'static {
    /// Writes down that a commission is about to be issued.
    fn intent<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Result<()>>;

    /// Writes down what was decided of a commission, or that it is done.
    ///
    /// To commit one that is not open, or that is to be rejected, is an error. To reject or close
    /// one that is not open has no effect.
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

impl Intent {
    /// Makes one, for tests of journals.
    pub fn new(id: CommissionId, name: impl Into<String>) -> Self {
        Self {
            id,
            name: name.into(),
        }
    }
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
    /// It is to be rejected, although the journal may say that it is to be accepted: the commit
    /// was given up, or the journal failed, while that was being written.
    Rejecting,
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
pub struct MemoryJournal(Mutex<Known>);

impl MemoryJournal {
    /// Makes an empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for MemoryJournal {
    fn intent<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Result<()>> {
        self.known().insert(intent.id, None);
        Box::pin(std::future::ready(Ok(())))
    }

    fn outcome(&self, id: CommissionId, outcome: Outcome) -> BoxFuture<'_, Result<()>> {
        let mut known = self.known();
        let result = check(&known, id, outcome);
        if result.is_ok() {
            apply(&mut known, id, outcome);
        }
        Box::pin(std::future::ready(result))
    }

    fn open(&self) -> BoxFuture<'_, Result<Vec<OpenCommission>>> {
        Box::pin(std::future::ready(Ok(listed(&self.known()))))
    }
}

/// The open commissions, with what was decided of them.
pub(super) type Known = BTreeMap<CommissionId, Option<Outcome>>;

/// Refuses to commit what is closed or to be rejected.
pub(super) fn check(known: &Known, id: CommissionId, outcome: Outcome) -> Result<()> {
    let why = match (outcome, known.get(&id)) {
        (Outcome::Committing(_), None) => "not open in the journal",
        (Outcome::Committing(_), Some(Some(Outcome::Rejecting))) => "to be rejected",
        _ => return Ok(()),
    };
    Err(Error::new(
        ErrorKind::Store,
        format!("commission {id} is {why}, and cannot be committed any more"),
    ))
}

pub(super) fn apply(known: &mut Known, id: CommissionId, outcome: Outcome) {
    match (outcome, known.get(&id)) {
        (Outcome::Closed, _) => {
            known.remove(&id);
        }
        (Outcome::Rejecting, None) | (Outcome::Committing(_), Some(Some(Outcome::Rejecting))) => {}
        (Outcome::Committing(_) | Outcome::Rejecting, _) => {
            known.insert(id, Some(outcome));
        }
    }
}

pub(super) fn listed(known: &Known) -> Vec<OpenCommission> {
    let open = known.iter().map(|(&id, outcome)| OpenCommission {
        id,
        committing: match outcome {
            Some(Outcome::Committing(serial)) => Some(*serial),
            Some(Outcome::Rejecting | Outcome::Closed) | None => None,
        },
    });
    open.collect()
}

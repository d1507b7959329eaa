//! An issuer's record of its decisions, so that a crash loses nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard};

use vouchsafe_core::sync::lock;
use vouchsafe_core::{BoxFuture, Error, ErrorKind, Result};

use super::CommissionId;
use crate::Serial;

/// Where an [`Issuer`](super::Issuer) records what it is about to do.
///
/// The order is: [`intent`](Self::intent) before a commission is issued, [`Outcome::Committing`]
/// before it is accepted, [`Outcome::Closed`] after it was accepted or rejected, or turned out not
/// to exist.
///
/// Records must survive a crash once the future has returned, except for [`Outcome::Closed`]: if
/// that is lost, the next [`reconcile`](super::Issuer::reconcile) determines it again. A journal
/// belongs to one issuer, and must outlive it.
///
/// A future may be dropped while its write continues in the background. After
/// [`Outcome::Rejecting`], a journal must therefore refuse a later [`Outcome::Committing`] of that
/// commission.
pub trait Journal: fmt::Debug + Send + Sync + 'static {
    /// Records that a commission is about to be issued.
    fn intent<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Result<()>>;

    /// Records a decision about a commission, or that it is done.
    ///
    /// Committing a commission that is not open, or is to be rejected, is an error. Rejecting or
    /// closing one that is not open has no effect.
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
    /// Its name including the id, for people who read the journal.
    pub name: String,
}

impl Intent {
    /// Creates an intent, for tests of journals.
    pub fn new(id: CommissionId, name: impl Into<String>) -> Self {
        Self {
            id,
            name: name.into(),
        }
    }
}

/// A decision about a commission, or its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a journal must know all there is to write"
)]
pub enum Outcome {
    /// It will be accepted, whatever happens from here on.
    Committing(Serial),
    /// It will be rejected, although the journal may contain a decision to accept it: the commit
    /// was cancelled, or the journal failed, during that write.
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
    /// The serial to accept, if that was decided.
    pub committing: Option<Serial>,
}

/// A journal in memory, which survives everything except the end of the process.
///
/// It is suitable for tests, and for services whose pending commissions are cleaned up by other
/// means after a crash.
#[derive(Debug, Default)]
pub struct MemoryJournal(Mutex<Known>);

impl MemoryJournal {
    /// Creates an empty journal.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        lock(&self.0)
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

/// The open commissions and the decisions about them.
pub(super) type Known = BTreeMap<CommissionId, Option<Outcome>>;

/// Refuses to commit a commission that is closed or to be rejected.
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

//! The account of requests: what clients say that they sent, and what the emulators received.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use vouchsafe::core::Sent;
use vouchsafe::core::call::{Operation, Repeat};
use vouchsafe::core::mock::Journal;
use vouchsafe::core::observe::{AttemptEvent, CallEvent, Observer};

use super::ledger::Sums;

/// What the clients of one service say.
#[derive(Debug, Default)]
pub(super) struct Account(Mutex<BTreeMap<&'static str, Counts>>);

/// The requests of one operation.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    calls: u64,
    /// Requests whose answer came.
    answered: u64,
    /// Those of them that were refused with 401, and so may have been sent once more.
    refused: u64,
    /// Requests that perhaps arrived.
    lost: u64,
    /// Calls whose caller gave up. Nothing is said about the request that was in flight.
    given_up: u64,
}

impl Account {
    /// Counts a call that was dropped.
    pub(super) fn give_up(&self, operation: &'static str) {
        self.counts().entry(operation).or_default().given_up += 1;
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<&'static str, Counts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Compares both sides, in which the ledger of requests has found what it says.
    pub(super) fn compare(
        &self,
        journal: &Journal,
        operations: &[&'static Operation],
        (sums, mut wrong): (Sums, Vec<String>),
    ) -> Balance {
        let (mut calls, mut told) = (0, 0);
        for (&id, counts) in self.counts().iter() {
            let arrived = journal.count(id);
            calls += counts.calls + counts.given_up;
            told += counts.answered;
            // The attempts of a call before the one in flight were counted.
            if arrived > counts.answered + counts.lost + counts.given_up {
                wrong.push(format!("{id}: {arrived} arrived of {counts:?}"));
            }
            let operation = operations.iter().find(|operation| operation.id() == id);
            let is_once = operation.is_some_and(|one| one.repeatable() == Repeat::OnlyIfUnsent);
            if is_once && arrived > counts.calls + counts.given_up + counts.refused {
                let why = "more than one request for a call";
                wrong.push(format!("{id}: {why}: {arrived} arrived, {counts:?}"));
            }
        }
        let Sums {
            arrived,
            answered,
            lost,
            dropped,
            ..
        } = sums;
        if arrived != answered + lost[0] + dropped[0] {
            wrong.push(format!("the sums do not agree: {sums:?}"));
        }
        // Of a call that is given up, nothing is said about a last answer.
        if told > answered {
            wrong.push(format!("{told} answers were told, and {answered} came"));
        }
        Balance { calls, sums, wrong }
    }
}

impl Observer for Account {
    fn attempt(&self, event: &AttemptEvent<'_>) {
        let mut counts = self.counts();
        let counts = counts.entry(event.operation).or_default();
        match event.error {
            None => {
                counts.answered += 1;
                counts.refused += u64::from(event.status.is_some_and(|status| status == 401));
            }
            Some(error) if error.sent() == Sent::No => {}
            Some(_) => counts.lost += 1,
        }
    }

    fn call(&self, event: &CallEvent<'_>) {
        self.counts().entry(event.operation).or_default().calls += 1;
    }
}

/// What came of the comparison of one service.
#[derive(Debug)]
pub(super) struct Balance {
    calls: u64,
    sums: Sums,
    /// What does not agree.
    pub(super) wrong: Vec<String>,
}

impl Balance {
    pub(super) const HEAD: &str = "| service | calls | requests that arrived | answered | lost on \
                                   the way back | given up | lost on the way | given up before \
                                   they arrived | not sent |";
    pub(super) const COLUMNS: usize = 9;
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sums {
            arrived,
            answered,
            unsent,
            lost: [lost, lost_before],
            dropped: [dropped, dropped_before],
        } = self.sums;
        let calls = self.calls;
        write!(
            f,
            "| {calls} | {arrived} | {answered} | {lost} | {dropped} | {lost_before} | \
             {dropped_before} | {unsent} |"
        )
    }
}

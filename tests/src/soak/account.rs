//! The account of requests: what clients say that they sent, and what the emulators received.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use vouchsafe::core::Sent;
use vouchsafe::core::call::{Operation, Repeat};
use vouchsafe::core::mock::Journal;
use vouchsafe::core::observe::{AttemptEvent, CallEvent, Observer};

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
    /// Requests that did not leave.
    unsent: u64,
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

    /// Compares both sides. `ended` is how many connections may have ended under a request that was
    /// on its way.
    pub(super) fn compare(
        &self,
        journal: &Journal,
        operations: &[&'static Operation],
        ended: u64,
    ) -> Balance {
        let mut balance = Balance {
            // With those that no route of the emulator is for, such as a token with a slash.
            arrived: journal.len(),
            ..Balance::default()
        };
        let mut wrong = Vec::new();
        for (&id, counts) in self.counts().iter() {
            let Counts {
                calls,
                answered,
                refused,
                lost,
                unsent,
                given_up,
            } = *counts;
            balance.calls += calls + given_up;
            balance.answered += answered;
            balance.lost += lost;
            balance.unsent += unsent;
            balance.given_up += given_up;
            let arrived = journal.count(id);
            // The attempts of a call before the one in flight were counted.
            if arrived > answered + lost + given_up {
                wrong.push(format!("{id}: {arrived} arrived of {counts:?}"));
            }
            let operation = operations.iter().find(|operation| operation.id() == id);
            let is_once = operation.is_some_and(|one| one.repeatable() == Repeat::OnlyIfUnsent);
            if is_once && arrived > calls + given_up + refused {
                let why = "more than one request for a call";
                wrong.push(format!("{id}: {why}: {arrived} arrived, {counts:?}"));
            }
        }
        if balance.arrived < balance.answered {
            wrong.push("there are answers without a request".to_owned());
        }
        if balance.arrived > balance.answered + balance.lost + balance.given_up {
            wrong.push("there are requests that no client sent".to_owned());
        }
        balance.wrong = wrong;
        let left = balance.answered + balance.lost;
        balance.missing = left.saturating_sub(balance.arrived);
        if balance.missing > ended {
            let why = format!(
                "{} requests did not arrive, but {ended} connections ended",
                balance.missing
            );
            balance.wrong.push(why);
        }
        balance
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
            Some(error) if error.sent() == Sent::No => counts.unsent += 1,
            Some(_) => counts.lost += 1,
        }
    }

    fn call(&self, event: &CallEvent<'_>) {
        self.counts().entry(event.operation).or_default().calls += 1;
    }
}

/// The sums of one service.
#[derive(Debug, Default)]
pub(super) struct Balance {
    calls: u64,
    arrived: u64,
    answered: u64,
    lost: u64,
    unsent: u64,
    given_up: u64,
    missing: u64,
    /// What does not agree.
    pub(super) wrong: Vec<String>,
}

impl Balance {
    pub(super) const HEAD: &str =
        "| service | calls | given up | arrived | answered | lost | unsent | not arrived |";
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            calls,
            arrived,
            answered,
            lost,
            unsent,
            given_up,
            missing,
            ..
        } = self;
        write!(
            f,
            "| {calls} | {given_up} | {arrived} | {answered} | {lost} | {unsent} | {missing} |"
        )
    }
}

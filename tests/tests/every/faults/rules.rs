//! What must come of a call, by a few rules over what is true of the operation and of the fault.

use std::time::Duration;

use http::{Method, StatusCode};
use vouchsafe::core::call::{Operation, Repeat};
use vouchsafe::core::{ErrorKind, TimeoutScope};

use super::cases::{Effect, Met};

/// How often a call is tried.
const ATTEMPTS: usize = 3;

/// How long an attempt and a whole call may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) attempt: Duration,
    pub(super) call: Duration,
}

impl Limits {
    pub(super) const fn seconds(attempt: u64, call: u64) -> Self {
        Self {
            attempt: Duration::from_secs(attempt),
            call: Duration::from_secs(call),
        }
    }
}

/// What is true of an operation.
pub(super) struct Facts {
    /// The error of a whole answer without a body, if it has one: 200 is not what is expected, or
    /// the body is.
    pub(super) whole: Option<ErrorKind>,
    /// Whether a 404 after another attempt that may have arrived means that that one did it.
    pub(super) is_done_if_gone: bool,
    pub(super) limits: Limits,
    pub(super) repeat: Repeat,
    pub(super) has_body: bool,
    pub(super) kind_of: Box<dyn Fn(u16) -> ErrorKind + Send + Sync>,
    pub(super) repeated_after: Box<dyn Fn(u16) -> bool + Send + Sync>,
}

impl Facts {
    /// Those of the description.
    pub(super) fn of(operation: &'static Operation, limits: Limits) -> Self {
        let code = |status| StatusCode::from_u16(status).unwrap();
        let is_bare = operation.id() == BARE;
        Self {
            limits,
            repeat: operation.repeatable(),
            has_body: *operation.method() != Method::HEAD,
            whole: (*operation.method() == Method::HEAD).then_some(ErrorKind::Decode),
            is_done_if_gone: operation.id() == "account.commissionAction",
            kind_of: Box::new(move |status| match operation.kind_of(code(status), None) {
                ErrorKind::NotFound | ErrorKind::Forbidden if is_bare => ErrorKind::Decode,
                kind => kind,
            }),
            repeated_after: Box::new(move |status| operation.is_repeated_after(code(status), None)),
        }
    }
}

/// Its answers have no body. Who gave them is asked by a second call, whose error says nothing of the
/// first one.
pub(super) const BARE: &str = "wazo-auth.checkToken";

/// The kind of a refusal that no description gives another meaning (RFC 9110).
pub(super) fn usual_kind(status: u16) -> ErrorKind {
    match status {
        400 | 422 => ErrorKind::Invalid,
        401 => ErrorKind::Credential,
        403 => ErrorKind::Forbidden,
        404 | 410 => ErrorKind::NotFound,
        409 => ErrorKind::Conflict,
        429 => ErrorKind::Throttled,
        _ => ErrorKind::Status,
    }
}

/// What comes of a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Outcome {
    /// `None` if it succeeds.
    pub(super) kind: Option<ErrorKind>,
    pub(super) attempts: usize,
}

/// What comes of a call whose attempts meet these faults in order, and the last one from then on. Its
/// caller waits until `limit`.
pub(super) fn outcome(facts: &Facts, faults: &[&Met], limit: Duration) -> Outcome {
    let Limits { attempt, call } = facts.limits;
    let mut waited = Duration::ZERO;
    let mut attempts = 0;
    let mut may_be_done = false;
    loop {
        let fault = faults[attempts.min(faults.len() - 1)];
        attempts += 1;
        let is_safe = facts.repeat == Repeat::Safe;
        let mut timeout = || {
            waited += attempt;
            // The waits between attempts have taken some of the call's time.
            ErrorKind::Timeout(match waited < limit {
                true => TimeoutScope::Attempt,
                false => TimeoutScope::Call,
            })
        };
        let whole = Outcome {
            kind: facts.whole,
            attempts,
        };
        if fault.in_body && !facts.has_body {
            return whole;
        }
        let (kind, again) = match fault.effect {
            Effect::Unsent(kind, may_help) => (kind, may_help),
            Effect::Unconnected => (timeout(), true),
            Effect::Unanswered => (timeout(), is_safe),
            Effect::Broken(may_help) => (ErrorKind::Transport, may_help && is_safe),
            Effect::Unreadable => (ErrorKind::Decode, false),
            Effect::TooLarge => (ErrorKind::TooLarge, false),
            Effect::Refused(404) if facts.is_done_if_gone && may_be_done => {
                return Outcome {
                    kind: None,
                    attempts,
                };
            }
            Effect::Refused(status) => (
                (facts.kind_of)(status),
                is_safe && (facts.repeated_after)(status),
            ),
            Effect::PutOff(status) => ((facts.kind_of)(status), false),
        };
        if !again || attempts == ATTEMPTS || waited >= call {
            return Outcome {
                kind: Some(kind),
                attempts,
            };
        }
        may_be_done |= fault.effect.leaves();
    }
}

//! Why the server refuses. The form of the answers is in `answer.rs`.

use serde_json::Value;

/// A request that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A fault with a message for people.
    Fault { status: u16, message: String },
    /// A fault of a commission, with data for programs.
    Commission {
        status: u16,
        message: String,
        data: Value,
    },
    /// 404 without a body: a commission that is not pending, or another service's.
    NotPending,
    /// Input that the server does not check and fails on.
    Crash,
}

impl Refusal {
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::fault(400, message)
    }

    pub(super) fn unauthorized(message: impl Into<String>) -> Self {
        Self::fault(401, message)
    }

    pub(super) fn forbidden() -> Self {
        Self::fault(403, "this needs another's permissions")
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::fault(404, message)
    }

    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::fault(409, message)
    }

    fn fault(status: u16, message: impl Into<String>) -> Self {
        Self::Fault {
            status,
            message: message.into(),
        }
    }
}

/// The result of a rule.
pub(super) type Ruled<T> = Result<T, Refusal>;

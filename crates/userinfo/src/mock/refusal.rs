//! Why the server refuses a request, in terms of its rules. `answer.rs` turns this into an answer.

use super::rate::Rate;
use super::validate::Problem;

/// A refused request.
#[derive(Debug)]
pub(super) enum Refusal {
    /// No credentials.
    NoCredentials,
    /// A token that is malformed, not valid, or too short-lived.
    InvalidToken(String),
    /// An `Authorization` header that cannot be parsed.
    InvalidRequest(String),
    /// At the ingress: the token does not give access to this service.
    InsufficientScope {
        msg: String,
        /// The scopes to show to the user, if scopes are missing.
        scopes: Vec<String>,
    },
    /// At the ingress: too many requests.
    RateLimited(Rate),
    /// By the API: a scope is missing, or the object belongs to another user.
    PermissionDenied(String),
    /// One fault found by a rule of the service.
    Rule {
        status: u16,
        kind: &'static str,
        msg: String,
        loc: Option<[&'static str; 2]>,
    },
    /// Faults found by input validation.
    Invalid(Vec<Problem>),
    /// The directory cannot be reached, and the service reports that.
    UserInfoFailed,
    /// The service crashes: the directory cannot be reached, or the input triggers a bug.
    Crash,
    /// A body that is declared as JSON but is not even text.
    UnreadableBody,
    /// At the ingress: a browser's preflight, which is not forwarded to the service.
    Preflight {
        /// The status that the browser receives.
        meant: u16,
        kind: &'static str,
        msg: &'static str,
    },
}

impl Refusal {
    pub(super) fn rule(
        status: u16,
        kind: &'static str,
        msg: impl Into<String>,
        loc: Option<[&'static str; 2]>,
    ) -> Self {
        Self::Rule {
            status,
            kind,
            msg: msg.into(),
            loc,
        }
    }

    pub(super) fn not_valid() -> Self {
        Self::InvalidToken("Token is not valid".to_owned())
    }

    /// The token is valid, but not for this service.
    pub(super) fn not_for(msg: impl Into<String>) -> Self {
        Self::InsufficientScope {
            msg: msg.into(),
            scopes: Vec::new(),
        }
    }
}

impl From<Vec<Problem>> for Refusal {
    fn from(problems: Vec<Problem>) -> Self {
        if problems.iter().any(Problem::is_crash) {
            return Self::Crash;
        }
        Self::Invalid(problems)
    }
}

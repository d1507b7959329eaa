//! Why the server refuses, in terms of its rules. How that looks in an answer is in `answer.rs`.

use super::ingress::Rate;
use super::validate::Problem;

/// A request that is not granted.
#[derive(Debug)]
pub(super) enum Refusal {
    /// No credentials at all.
    NoCredentials,
    /// A token that is none, or not good, or too short-lived.
    InvalidToken(String),
    /// An `Authorization` header that cannot be read.
    InvalidRequest(String),
    /// At the ingress: the token does not open this service.
    InsufficientScope {
        msg: String,
        /// The scopes to tell the user, if scopes are what is missing.
        scopes: Vec<String>,
    },
    /// At the ingress: too many requests.
    RateLimited(Rate),
    /// By the API: a scope is missing, or it is somebody else's.
    PermissionDenied(String),
    /// One fault that a rule of the service found.
    Rule {
        status: u16,
        kind: &'static str,
        msg: String,
        loc: Option<[&'static str; 2]>,
    },
    /// Faults that the check of the input found.
    Invalid(Vec<Problem>),
    /// The directory cannot be reached, and the service says so.
    UserInfoFailed,
    /// The service breaks: the directory cannot be reached, or input meets a fault of its own.
    Crash,
    /// A body that is declared as JSON and is not even text.
    UnreadableBody,
    /// At the ingress: a request of a browser about another one, which is not for this service.
    Preflight {
        /// The status that is meant for the browser.
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

    /// The token is good, but not for this service.
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

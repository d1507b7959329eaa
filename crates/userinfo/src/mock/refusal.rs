//! Why the server refuses, in terms of its rules. How that looks in an answer is in `answer.rs`.

use super::ingress::Rate;
use super::validate::{Problem, UNCOVERED};

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
    /// The directory cannot be reached, and the service breaks.
    Crash,
    /// The protocol notes do not say what the server does here, and a mock never invents.
    NotInProtocol(&'static str),
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
        if problems.iter().any(|problem| problem.kind == UNCOVERED) {
            return Self::NotInProtocol("a number of such a form or size");
        }
        Self::Invalid(problems)
    }
}

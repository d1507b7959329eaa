//! Why a command did not do its work: one line for people with what to do, JSON for programs,
//! and the exit code.

use std::error::Error as _;
use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};
use vouchsafe::core::{self, ConnectPhase, Sent};
use vouchsafe::{astakos, ticket, userinfo};

use crate::output::{clean, to_json_line};

/// A command that did not do its work. No text of it holds a token.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    kind: &'static str,
    message: String,
    hint: Option<String>,
    facts: Value,
}

/// The exit codes besides success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// The service refused, failed, or has no such thing.
    Failed = 1,
    /// The arguments or the environment are wrong; nothing was sent.
    Usage = 2,
}

impl Failure {
    /// Says that the work failed.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, "failed", message)
    }

    /// Says that the service has no such thing.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, "not_found", message)
    }

    /// Says that the arguments or the environment are wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// Adds what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Takes out of the texts what nobody is to see.
    pub(crate) fn redacted(mut self, redact: impl Fn(&str) -> String) -> Self {
        self.message = redact(&self.message);
        self.hint = self.hint.as_deref().map(redact);
        self
    }

    fn new(exit: Exit, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            exit,
            kind,
            message: message.into(),
            hint: None,
            facts: Value::Null,
        }
    }

    /// Prints the failure to standard error and returns the exit code.
    pub(crate) fn report(&self, as_json: bool) -> ExitCode {
        let line = if as_json {
            to_json_line(&json!({"error": self.json()}))
        } else {
            format!("error: {self}")
        };
        // There is nobody left to tell if this fails.
        let _ = writeln!(std::io::stderr().lock(), "{line}");
        ExitCode::from(self.exit as u8)
    }

    fn json(&self) -> Value {
        let mut value = json!({"kind": self.kind, "message": self.message, "hint": self.hint});
        if let (Some(value), Some(facts)) = (value.as_object_mut(), self.facts.as_object()) {
            value.extend(facts.clone());
        }
        value
    }
}

/// One line: what went wrong, and what to do.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&clean(&self.message))?;
        match &self.hint {
            Some(hint) => write!(f, "; {}", clean(hint)),
            None => Ok(()),
        }
    }
}

impl From<core::Error> for Failure {
    fn from(error: core::Error) -> Self {
        let failure = Self::new(exit(&error), kind(error.kind()), full_message(&error));
        Self {
            hint: hint(&error),
            facts: facts(&error),
            ..failure
        }
    }
}

impl From<userinfo::Error> for Failure {
    fn from(error: userinfo::Error) -> Self {
        let failure = Self::from(error.core().clone());
        if error.core().kind() == core::ErrorKind::Forbidden {
            return failure.hint(scope_wanted(error.core().operation()));
        }
        let (kind, hint) = match error.kind() {
            userinfo::ErrorKind::ServiceNotFound => (
                "service_not_found",
                "does --repertoire-url name the right installation?",
            ),
            userinfo::ErrorKind::NoDirectory => (
                "no_directory",
                "this installation knows users by their own token only: use whoami",
            ),
            userinfo::ErrorKind::UserInfoFailed => (
                "user_info_failed",
                "the installation's user directory is down: try again later",
            ),
            userinfo::ErrorKind::Discovery(_) => {
                let what = "service discovery failed: does --repertoire-url lead to Repertoire?";
                let hint = failure.hint.as_deref().unwrap_or(what).to_owned();
                return Self {
                    kind: "discovery",
                    ..failure
                }
                .hint(hint);
            }
            _ => return failure,
        };
        Self { kind, ..failure }.hint(hint)
    }
}

/// What to do about a refusal of an installation, by who refused what.
fn scope_wanted(operation: Option<&str>) -> &'static str {
    match operation.and_then(|operation| operation.split_once('.')) {
        Some(("gafaelfawr", "getUserInfo" | "listUsers" | "listGroups")) => {
            "use a token with the scope admin:userinfo"
        }
        Some(("gafaelfawr", "createToken")) => "use a token with the scope admin:token",
        Some(("gafaelfawr", "createUserToken")) => "use a token with the scope user:token",
        Some(("repertoire", _)) => {
            "the ingress in front of Repertoire wants a scope that this token lacks: ask the \
             operators of the installation for which"
        }
        _ => "use a token with the scope that this needs",
    }
}

impl From<astakos::Error> for Failure {
    fn from(error: astakos::Error) -> Self {
        let failure = Self::from(error.core().clone());
        let (kind, hint) = match error.kind() {
            astakos::ErrorKind::QuotaLimit => {
                return Self {
                    kind: "quota_limit",
                    hint: None,
                    ..failure
                };
            }
            astakos::ErrorKind::Unsupported => {
                return Self {
                    kind: "unsupported",
                    ..failure
                };
            }
            astakos::ErrorKind::Unauthorized => (
                "credential",
                "the token is unknown or expired, or of a user where a service's is wanted, or \
                 the other way round",
            ),
            astakos::ErrorKind::Forbidden => (
                "forbidden",
                "the user of the token may not do this: owner or administrator may",
            ),
            astakos::ErrorKind::NoEndpoints => (
                "no_endpoints",
                "does --auth-url lead to the identity part, such as \
                 https://HOST/astakos/identity/v2.0?",
            ),
            _ => return failure,
        };
        Self { kind, ..failure }.hint(hint)
    }
}

impl From<ticket::Error> for Failure {
    fn from(error: ticket::Error) -> Self {
        let failure = Self::from(error.core().clone());
        let kind = match error.kind() {
            ticket::ErrorKind::MalformedKeys => "malformed_keys",
            ticket::ErrorKind::EmptyKeys => "empty_keys",
            ticket::ErrorKind::MalformedSecret => "malformed_secret",
            ticket::ErrorKind::MalformedRoles => "malformed_roles",
            ticket::ErrorKind::BrokenSettings => "broken_settings",
            ticket::ErrorKind::MissingServiceTicket => "missing_service_ticket",
            ticket::ErrorKind::PermissionDenied => "permission_denied",
            ticket::ErrorKind::Start => "start",
            _ => return failure,
        };
        let exit = match error.kind() {
            // It was asked, and what it said is no fault of the arguments.
            ticket::ErrorKind::Start => Exit::Failed,
            _ => failure.exit,
        };
        Self {
            exit,
            kind,
            ..failure
        }
    }
}

/// The error's own line; where the cause is the machine's or the certificate's, that too.
fn full_message(error: &core::Error) -> String {
    let mut message = error.to_string();
    let tells_its_cause = matches!(
        error.kind(),
        core::ErrorKind::Connect(_) | core::ErrorKind::Config | core::ErrorKind::Credential
    );
    let mut next = error.source().filter(|_| tells_its_cause);
    while let Some(cause) = next {
        let text = cause.to_string();
        // Some libraries repeat the cause in their own text.
        if !text.is_empty() && !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        next = cause.source();
    }
    message
}

fn exit(error: &core::Error) -> Exit {
    match error.kind() {
        core::ErrorKind::Config => Exit::Usage,
        core::ErrorKind::Invalid if error.sent() == Sent::No => Exit::Usage,
        _ => Exit::Failed,
    }
}

fn kind(kind: core::ErrorKind) -> &'static str {
    match kind {
        core::ErrorKind::Config => "config",
        core::ErrorKind::Connect(_) => "connect",
        core::ErrorKind::Timeout(_) => "timeout",
        core::ErrorKind::Transport => "transport",
        core::ErrorKind::TooLarge => "too_large",
        core::ErrorKind::Throttled => "throttled",
        core::ErrorKind::Credential => "credential",
        core::ErrorKind::Forbidden => "forbidden",
        core::ErrorKind::NotFound => "not_found",
        core::ErrorKind::Conflict => "conflict",
        core::ErrorKind::Invalid => "invalid",
        core::ErrorKind::Status => "status",
        core::ErrorKind::Decode => "decode",
        core::ErrorKind::Store => "store",
        _ => "failed",
    }
}

/// What to do about it.
fn hint(error: &core::Error) -> Option<String> {
    let text = match error.kind() {
        core::ErrorKind::Config if error.message().starts_with("plain http") => {
            "use https, or give --allow-plain-http if nobody else can read or change what goes \
             over that network"
        }
        core::ErrorKind::Connect(ConnectPhase::Tls) => {
            "if the server's certificate is of a private authority, name that with --ca-file"
        }
        core::ErrorKind::Connect(_) => "is the URL right, and the service up?",
        core::ErrorKind::Timeout(_) => "try again, or allow more time with --timeout",
        core::ErrorKind::Throttled => match error.retry_after() {
            Some(wait) => return Some(format!("try again in {} seconds", wait.as_secs().max(1))),
            None => "try again later",
        },
        core::ErrorKind::Credential => "the token is unknown, revoked or expired: use another one",
        core::ErrorKind::Forbidden => "the credential is good, and may not do this",
        core::ErrorKind::Decode => "does the URL lead to the service it should?",
        _ if error.is_retryable() => "try again later",
        _ => return None,
    };
    Some(text.to_owned())
}

fn facts(error: &core::Error) -> Value {
    json!({
        "operation": error.operation(),
        "status": error.status().map(|status| status.as_u16()),
        "code": error.code(),
        "request_id": error.request_id(),
        "attempts": error.attempts(),
        "retryable": error.is_retryable(),
        "retry_after": error.retry_after().map(|wait| wait.as_secs()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_to_do_and_is_not_a_fault_of_usage() {
        let error = core::Error::new(core::ErrorKind::Forbidden, "no\u{1b}[2J")
            .with_status(http::StatusCode::FORBIDDEN)
            .with_code("permission_denied");
        let failure = Failure::from(error);
        assert_eq!(failure.exit, Exit::Failed);
        let line = failure.to_string();
        assert!(
            line.contains("(HTTP 403, permission_denied); the credential is good"),
            "{line}"
        );
        assert!(!line.contains(char::is_control));
        assert_eq!(failure.json()["status"], 403);
    }

    #[test]
    fn a_scope_is_advised_by_the_service_that_wants_it() {
        let advice = |operation| {
            let error = core::Error::new(core::ErrorKind::Forbidden, "no");
            let error = error.with_operation(operation);
            Failure::from(userinfo::Error::from(error)).to_string()
        };
        assert!(advice("gafaelfawr.listUsers").contains("admin:userinfo"));
        assert!(advice("gafaelfawr.createToken").contains("admin:token"));
        let ingress = advice("repertoire.getInfluxdb");
        assert!(ingress.contains("the ingress"), "{ingress}");
        assert!(!ingress.contains("admin:"), "{ingress}");
    }

    #[test]
    fn what_was_not_sent_for_its_form_is_a_fault_of_usage() {
        let error = core::Error::new(core::ErrorKind::Invalid, "no");
        assert_eq!(exit(&error), Exit::Usage);
        assert_eq!(exit(&error.with_sent(Sent::Maybe)), Exit::Failed);
    }

    #[test]
    fn the_cause_of_a_failed_connection_is_told_once() {
        let error = core::Error::new(core::ErrorKind::Connect(ConnectPhase::Tcp), "no connection")
            .with_source(std::io::Error::other("Connection refused"));
        assert_eq!(full_message(&error), "no connection: Connection refused");
        let decode = core::Error::new(core::ErrorKind::Decode, "not JSON")
            .with_source(std::io::Error::other("planted"));
        assert_eq!(full_message(&decode), "not JSON");
    }
}

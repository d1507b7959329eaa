//! Why a command failed: one line for people with a hint, JSON for programs, and the exit code.

use std::error::Error as _;
use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};
use vouchsafe::core::call::{Operation, Repeat};
use vouchsafe::core::{self, ConnectPhase, Sent};

use crate::terminal::{clean, to_json_line};

/// A failed command. Its texts contain no token.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    kind: &'static str,
    message: String,
    hint: Option<String>,
    facts: Value,
}

/// The exit codes other than success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// The service refused, failed, or does not have the thing.
    Failed = 1,
    /// The arguments or the environment are wrong; nothing was sent.
    Usage = 2,
}

impl Failure {
    /// The command failed.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, "failed", message)
    }

    /// The service does not have the thing.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, "not_found", message)
    }

    /// The arguments or the environment are wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// Adds a hint about what to do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Sets the kind in the JSON output.
    pub(crate) fn kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    /// Adds a hint if there is none yet.
    pub(crate) fn hint_unless_given(self, hint: &str) -> Self {
        match self.hint {
            Some(_) => self,
            None => self.hint(hint),
        }
    }

    /// If the server may have applied a change that must not be repeated, replaces the hint by a
    /// warning against trying again. `operations` are those of the service.
    pub(crate) fn warned_of_doubling(
        self,
        error: &core::Error,
        mut operations: impl Iterator<Item = &'static Operation>,
    ) -> Self {
        let status = error.status().map(|status| status.as_u16());
        let may_be_done = error.sent() == Sent::Maybe
            && matches!(status, None | Some(200..300 | 408 | 425 | 429 | 500..));
        let is_once = operations.any(|operation| {
            Some(operation.id()) == error.operation() && operation.repeatable() != Repeat::Safe
        });
        match may_be_done && is_once {
            true => self.hint("the server may have applied it: check before you try again"),
            false => self,
        }
    }

    /// Removes the hint, if the message already says everything.
    pub(crate) fn without_hint(self) -> Self {
        Self { hint: None, ..self }
    }

    /// Adds the part of the work in which it happened.
    pub(crate) fn in_part(self, part: &str) -> Self {
        Self {
            message: format!("{part}: {}", self.message),
            ..self
        }
    }

    /// Marks the failure as one of the service rather than of the arguments.
    pub(crate) fn after_asking(self) -> Self {
        Self {
            exit: Exit::Failed,
            ..self
        }
    }

    /// Redacts all texts.
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
        // If this fails, there is no other place to report to.
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

/// One line: the failure and the hint.
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

/// The error's own line, with the cause if that is the machine's or the certificate's.
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

/// The hint for an error.
fn hint(error: &core::Error) -> Option<String> {
    let text = match error.kind() {
        core::ErrorKind::Config if error.message().starts_with("plain http") => {
            "use https, or give --allow-plain-http if the network is trusted"
        }
        core::ErrorKind::Connect(ConnectPhase::Tls) => {
            "if the server's certificate is from a private authority, use --ca-file"
        }
        core::ErrorKind::Connect(ConnectPhase::Proxy) => {
            "is the proxy's URL right? If it asks for a password, put that into HTTPS_PROXY and \
             HTTP_PROXY, and give --proxy-from-env"
        }
        core::ErrorKind::Connect(_) => "is the URL right, and the service up?",
        core::ErrorKind::Timeout(_) => "try again, or allow more time with --timeout",
        core::ErrorKind::Throttled => match error.retry_after() {
            Some(wait) => match wait.as_secs() {
                0 | 1 => "try again in a second",
                seconds => return Some(format!("try again in {seconds} seconds")),
            },
            None => "try again later",
        },
        core::ErrorKind::Credential => "the token is unknown, revoked or expired: use another one",
        core::ErrorKind::Forbidden => "the credential is valid, but not sufficient for this",
        core::ErrorKind::Decode => "does the URL lead to the right service?",
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
            line.contains("(HTTP 403, permission_denied); the credential is valid"),
            "{line}"
        );
        assert!(!line.contains(char::is_control));
        assert_eq!(failure.json()["status"], 403);
    }

    #[test]
    fn what_was_not_sent_for_its_form_is_a_fault_of_usage() {
        let error = core::Error::new(core::ErrorKind::Invalid, "no");
        assert_eq!(exit(&error), Exit::Usage);
        assert_eq!(exit(&error.with_sent(Sent::Maybe)), Exit::Failed);
    }

    #[test]
    fn the_cause_of_a_failed_connection_is_printed_once() {
        let error = core::Error::new(core::ErrorKind::Connect(ConnectPhase::Tcp), "no connection")
            .with_source(std::io::Error::other("Connection refused"));
        assert_eq!(full_message(&error), "no connection: Connection refused");
        let decode = core::Error::new(core::ErrorKind::Decode, "not JSON")
            .with_source(std::io::Error::other("planted"));
        assert_eq!(full_message(&decode), "not JSON");
    }
}

//! The error of everything that is not a check: keys, secrets, roles, misuse. What a check says
//! is in `check`.

use std::fmt;

/// What went wrong with keys, secrets or roles.
///
/// `Display` is one line. Neither it nor `Debug` shows key text, secret or signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let mut message: String = message.into();
        if message.contains(char::is_control) {
            message = message.replace(char::is_control, " ");
        }
        if let Some((end, _)) = message.char_indices().nth(LONGEST) {
            message.truncate(end);
        }
        Self { kind, message }
    }

    /// Returns what went wrong, to match on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// The kinds of [`Error`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is no key container, or a key in it cannot be read.
    #[doc(alias = "MalformedTvmKeys")]
    MalformedKeys,
    /// The container has no key for what is to be checked.
    #[doc(alias = "EmptyTvmKeys")]
    EmptyKeys,
    /// The text is no secret.
    #[doc(alias = "MalformedTvmSecret")]
    MalformedSecret,
    /// The document is no roles document.
    MalformedRoles,
    /// The ticket is not valid, so it cannot be asked.
    NotAllowed,
    /// Something was asked that makes no sense here.
    IllegalUsage,
}

/// Characters of foreign text that an error carries at most.
const LONGEST: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_one_short_line() {
        let error = Error::new(
            ErrorKind::MalformedRoles,
            format!("a\nb{}", "ä".repeat(300)),
        );
        assert!(error.message().starts_with("a b"));
        assert_eq!(error.to_string().chars().count(), 200);
    }
}

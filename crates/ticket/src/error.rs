//! The error of everything except checks: keys, secrets, roles, settings and the client. The result
//! of a check is in `check`.

use vouchsafe_core::Sent;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

vouchsafe_core::service_error! {
    /// Why an operation with keys, secrets, roles or settings, or a call to the authority, failed.
    ///
    /// `Display` is one line. Neither it nor `Debug` shows the text of keys, secrets or signatures.
    Error, ErrorKind, classify
}

impl Error {
    /// Creates an error of this crate; nothing was sent.
    pub(crate) fn new(kind: ErrorKind, message: impl AsRef<str>) -> Self {
        let core = vouchsafe_core::Error::new(core_kind(kind), message).with_sent(Sent::No);
        Self::of(kind, core)
    }

    /// Returns the message without the rest of the `Display` text.
    #[must_use]
    pub fn message(&self) -> &str {
        self.core().message()
    }
}

/// The kinds of [`Error`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is not a key container, or a key in it cannot be read.
    #[doc(alias = "MalformedTvmKeys")]
    MalformedKeys,
    /// The container has no key for the requested check.
    #[doc(alias = "EmptyTvmKeys")]
    EmptyKeys,
    /// The text is not a secret.
    #[doc(alias = "MalformedTvmSecret")]
    MalformedSecret,
    /// The document is not a roles document.
    MalformedRoles,
    /// The ticket is not valid, so it cannot be queried.
    NotAllowed,
    /// The request makes no sense here.
    IllegalUsage,
    /// The settings do not allow the request, or contradict each other.
    #[doc(alias = "BrokenTvmClientSettings")]
    BrokenSettings,
    /// There is no ticket for this destination: the authority refused it, or it has not been
    /// fetched yet.
    MissingServiceTicket,
    /// The folder of the disk cache cannot be used.
    PermissionDenied,
    /// The client could not start. [`is_retryable`](Error::is_retryable) tells whether another
    /// attempt may succeed.
    #[doc(alias = "RetriableException")]
    #[doc(alias = "NonRetriableException")]
    Start,
    /// The client was stopped.
    Stopped,
    /// An error that is not specific to this service.
    Core(vouchsafe_core::ErrorKind),
}

fn core_kind(kind: ErrorKind) -> vouchsafe_core::ErrorKind {
    use vouchsafe_core::ErrorKind as Core;
    match kind {
        ErrorKind::MalformedKeys
        | ErrorKind::EmptyKeys
        | ErrorKind::MalformedSecret
        | ErrorKind::MalformedRoles
        | ErrorKind::NotAllowed
        | ErrorKind::IllegalUsage => Core::Invalid,
        ErrorKind::BrokenSettings | ErrorKind::Start | ErrorKind::Stopped => Core::Config,
        ErrorKind::MissingServiceTicket => Core::NotFound,
        ErrorKind::PermissionDenied => Core::Store,
        ErrorKind::Core(kind) => kind,
    }
}

fn classify(core: &vouchsafe_core::Error) -> ErrorKind {
    ErrorKind::Core(core.kind())
}

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

//! The error of everything that is not a check: keys, secrets, roles, settings, the client. What a
//! check says is in `check`.

use vouchsafe_core::Sent;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

vouchsafe_core::service_error! {
    /// What went wrong with keys, secrets, roles, settings or a call to the authority.
    ///
    /// `Display` is one line. Neither it nor `Debug` shows key text, secret or signature.
    Error, ErrorKind, classify
}

impl Error {
    /// An error of our own making: nothing was sent.
    pub(crate) fn new(kind: ErrorKind, message: impl AsRef<str>) -> Self {
        let core = vouchsafe_core::Error::new(core_kind(kind), message).with_sent(Sent::No);
        Self::of(kind, core)
    }

    /// Returns the message without what stands around it in `Display`.
    #[must_use]
    pub fn message(&self) -> &str {
        self.core().message()
    }
}

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
    /// The settings do not allow what was asked, or contradict themselves.
    #[doc(alias = "BrokenTvmClientSettings")]
    BrokenSettings,
    /// There is no ticket for this destination: the authority refused it, or it was not fetched
    /// yet.
    MissingServiceTicket,
    /// The folder of the disk cache cannot be used.
    PermissionDenied,
    /// The client could not start. Whether another try may help is in
    /// [`is_retryable`](Error::is_retryable).
    #[doc(alias = "RetriableException")]
    #[doc(alias = "NonRetriableException")]
    Start,
    /// The client was stopped.
    Stopped,
    /// Anything that is not particular to this service.
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

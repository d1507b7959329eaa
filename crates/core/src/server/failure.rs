//! The answer of a server whose own call to a service has failed. Refusals of requests are in
//! `refusal.rs`.

use http::StatusCode;

use super::Loudness;
use crate::{Error, ErrorKind};

/// A failed call, as it is reported to the client whose request needed it.
///
/// The answer says neither which call failed nor why; that belongs in the log. Services wrap this
/// in their own `Refusal`, so that `?` in a handler turns an error of a client into an answer.
///
/// | result of the call | answer |
/// | --- | --- |
/// | its credential was refused with 401 | 401 `credential_refused` |
/// | its credential is not sufficient | 403 `forbidden` |
/// | the thing does not exist | 404 `not_found` |
/// | the state does not allow it | 409 `conflict` |
/// | no connection, a broken one, too many requests, or the called service answers 503 | 503 `upstream_unavailable` |
/// | a time limit ran out | 504 `upstream_timeout` |
/// | any other unsuccessful answer, or one that cannot be understood | 502 `upstream_failed` |
/// | nothing was sent, because a setting, value or credential of this service is wrong | 500 `internal` |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failure {
    /// 401: the credential of the call is no longer valid.
    Unauthorized,
    /// 403: the credential is valid but not sufficient.
    Forbidden,
    /// 404: the thing does not exist.
    NotFound,
    /// 409: the state does not permit the call.
    Conflict,
    /// 503: the called service cannot be reached, or is too busy.
    Unavailable,
    /// 504: the called service did not answer in time.
    TimedOut,
    /// 502: the called service failed, or its answer is invalid.
    BadAnswer,
    /// 500: this service is at fault.
    Internal,
}

impl Failure {
    /// Returns how an error is reported to the client whose request needed the call.
    ///
    /// ```
    /// use vouchsafe_core::server::Failure;
    /// use vouchsafe_core::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Transport, "connection reset");
    /// assert_eq!(Failure::of(&error).status(), 503);
    /// ```
    #[must_use]
    pub fn of(error: &Error) -> Self {
        let has_answer = error.status().is_some();
        match error.kind() {
            ErrorKind::Credential if has_answer => Self::Unauthorized,
            ErrorKind::Forbidden => Self::Forbidden,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Conflict => Self::Conflict,
            ErrorKind::Connect(_) | ErrorKind::Transport | ErrorKind::Throttled => {
                Self::Unavailable
            }
            ErrorKind::Status if error.status() == Some(StatusCode::SERVICE_UNAVAILABLE) => {
                Self::Unavailable
            }
            ErrorKind::Timeout(_) => Self::TimedOut,
            ErrorKind::Status | ErrorKind::TooLarge | ErrorKind::Decode => Self::BadAnswer,
            // This service should have checked a value that the called service refuses.
            ErrorKind::Config | ErrorKind::Credential | ErrorKind::Invalid | ErrorKind::Store => {
                Self::Internal
            }
        }
    }

    /// Returns the status of the answer.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Conflict => StatusCode::CONFLICT,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            Self::BadAnswer => StatusCode::BAD_GATEWAY,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns the machine-readable code in the answer's body.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unauthorized => "credential_refused",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Unavailable => "upstream_unavailable",
            Self::TimedOut => "upstream_timeout",
            Self::BadAnswer => "upstream_failed",
            Self::Internal => "internal",
        }
    }

    /// Returns the human-readable message in the answer's body.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::Unauthorized => "The credential is not valid any more",
            Self::Forbidden => "The credential does not allow this",
            Self::NotFound => "There is no such thing",
            Self::Conflict => "The current state does not allow this",
            Self::Unavailable => "A service that this one needs cannot be reached",
            Self::TimedOut => "A service that this one needs did not answer in time",
            Self::BadAnswer => "A service that this one needs failed",
            Self::Internal => "This service is not set up to do this",
        }
    }

    /// Returns the log level: everything that an operator must know is a warning.
    #[must_use]
    pub fn loudness(self) -> Loudness {
        if self.status().is_server_error() {
            Loudness::Warn
        } else {
            Loudness::Debug
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConnectPhase, TimeoutScope};

    #[test]
    fn every_kind_of_error_has_its_answer() {
        let answered = |kind, status: u16| {
            let status = StatusCode::from_u16(status).unwrap();
            Error::new(kind, "planted").with_status(status)
        };
        let own = |kind| Error::new(kind, "planted");
        for (error, status) in [
            (answered(ErrorKind::Credential, 401), 401),
            (own(ErrorKind::Credential), 500),
            (answered(ErrorKind::Forbidden, 403), 403),
            (answered(ErrorKind::NotFound, 404), 404),
            (answered(ErrorKind::Conflict, 409), 409),
            (answered(ErrorKind::Invalid, 422), 500),
            (answered(ErrorKind::Throttled, 429), 503),
            (answered(ErrorKind::Status, 503), 503),
            (answered(ErrorKind::Status, 500), 502),
            (answered(ErrorKind::Status, 302), 502),
            (answered(ErrorKind::Decode, 200), 502),
            (own(ErrorKind::TooLarge), 502),
            (own(ErrorKind::Transport), 503),
            (own(ErrorKind::Connect(ConnectPhase::Dns)), 503),
            (own(ErrorKind::Timeout(TimeoutScope::Call)), 504),
            (own(ErrorKind::Config), 500),
            (own(ErrorKind::Store), 500),
        ] {
            let failure = Failure::of(&error);
            assert_eq!(failure.status(), status, "{error:?}");
            assert!(!failure.message().contains("planted"));
            assert_eq!(failure.loudness() == Loudness::Warn, status >= 500);
        }
    }
}

//! The errors of this crate.

use std::fmt;

use serde_json::Value;
use vouchsafe_core::auth::oauth::ErrorCode;
use vouchsafe_core::call::Fault;
use vouchsafe_core::text::without_mark;
use vouchsafe_core::transport::Response;
use vouchsafe_core::{Error as Core, ErrorKind as Kind};

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

vouchsafe_core::service_error! {
    /// Why no credentials could be obtained, or a call to a service failed.
    ///
    /// `Display` is one line for people, the methods are for programs, and `source()` is the cause.
    /// No text includes a token or a secret.
    ///
    /// Three methods say what to do: [`is_reauthorization_needed`](Self::is_reauthorization_needed)
    /// (log in again), [`is_retryable`](Self::is_retryable) (try later), and
    /// [`is_config`](Self::is_config) (correct the configuration).
    Error, ErrorKind, classify
}

impl Error {
    /// Returns whether a user has to log in again, since no known credential can help. True if the
    /// refresh token was refused, now or earlier, also if that is the cause of another error, such
    /// as a call whose access token was refused and could not be replaced.
    #[must_use]
    pub fn is_reauthorization_needed(&self) -> bool {
        let is_dead = |core: &Core| {
            let is_refused = matches!(
                ErrorCode::of(core),
                Some(ErrorCode::InvalidGrant | ErrorCode::ExpiredToken)
            );
            is_refused && !core.status().is_some_and(|status| status.is_server_error())
        };
        is_dead(self.core()) || cause::<Core>(self.core()).is_some_and(is_dead)
    }

    /// Returns the OAuth error code, if a token or revocation endpoint sent one of those of the
    /// standards.
    #[must_use]
    pub fn oauth_code(&self) -> Option<ErrorCode> {
        ErrorCode::of(self.core())
    }

    /// Returns whether [`FileStore::repair`](crate::file::FileStore::repair) is the remedy, if there is a
    /// last good content. False unless the kind is [`ErrorKind::StoreCorrupt`], and false if a single value
    /// of a profile has the wrong type: a repair leaves that as it is, since the last good content may hold
    /// older tokens.
    #[must_use]
    pub fn is_repairable(&self) -> bool {
        cause::<Corrupt>(self.core()).is_some_and(|corrupt| corrupt.is_repairable)
    }

    /// Returns which values are missing and where they were looked for, if the kind is
    /// [`ErrorKind::PartialCredentials`].
    #[must_use]
    pub fn missing(&self) -> Option<&Missing> {
        cause(self.core())
    }
}

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A required value is missing; nothing was sent. [`Error::missing`] says which.
    PartialCredentials,
    /// The token or revocation endpoint refused. [`Error::oauth_code`] and `status` say why.
    TokenEndpoint,
    /// The answer of the token or revocation endpoint could not be understood.
    InvalidResponse,
    /// A token is not a JSON Web Token, or its `exp` is not a time.
    InvalidJwt,
    /// A token has no expiry.
    NoExpiry,
    /// A file or record of credentials is damaged. It was left as it is.
    StoreCorrupt,
    /// Another process took too long to refresh the token.
    RefreshTimeout,
    /// An error that does not concern credentials.
    Core(Kind),
}

/// The missing values, and the sources that were searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    values: Vec<&'static str>,
    places: Vec<String>,
}

impl Missing {
    /// Returns the names of the values, such as `client_secret`.
    #[must_use]
    pub fn values(&self) -> &[&'static str] {
        &self.values
    }

    /// Returns the sources that were searched, in order.
    #[must_use]
    pub fn places(&self) -> &[String] {
        &self.places
    }

    /// Creates the error for values that are missing.
    pub(crate) fn error(values: Vec<&'static str>, places: Vec<String>) -> Error {
        let what = format!("missing {}", values.join(", "));
        let missing = Self { values, places };
        Core::new(Kind::Config, what).with_source(missing).into()
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "looked for in {}", self.places.join(", "))
    }
}

impl std::error::Error for Missing {}

/// The cause of errors of the kind [`ErrorKind::RefreshTimeout`].
#[derive(Debug)]
pub(crate) struct HeldByAnother;

impl fmt::Display for HeldByAnother {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another process holds the lease on the record")
    }
}

impl std::error::Error for HeldByAnother {}

/// The cause of errors of the kind [`ErrorKind::StoreCorrupt`].
#[derive(Debug)]
pub(crate) struct Corrupt {
    pub(crate) what: &'static str,
    pub(crate) is_repairable: bool,
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }
}

impl std::error::Error for Corrupt {}

/// The cause of errors of the kinds [`ErrorKind::InvalidJwt`] and [`ErrorKind::NoExpiry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotJwt {
    Parts,
    Encoding,
    Payload,
    NoExpiry,
    Expiry,
}

impl NotJwt {
    pub(crate) fn error(self) -> Error {
        let what = "the access token cannot be read as a JSON Web Token";
        Core::new(Kind::Decode, what).with_source(self).into()
    }
}

impl fmt::Display for NotJwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parts => "it does not have three parts",
            Self::Encoding => "its payload is not base64",
            Self::Payload => "its payload is not a JSON object",
            Self::NoExpiry => "it has no exp",
            Self::Expiry => "its exp is not a number",
        })
    }
}

impl std::error::Error for NotJwt {}

fn cause<T: std::error::Error + 'static>(core: &Core) -> Option<&T> {
    std::error::Error::source(core)?.downcast_ref()
}

/// Reads the code and message of a refusal (protocol section 4).
pub(crate) fn read_fault(response: &Response) -> Fault {
    let body: Value = serde_json::from_slice(without_mark(&response.body)).unwrap_or_default();
    let text = |keys: &[&str]| {
        let mut found = keys.iter().filter_map(|key| body[key].as_str());
        found.find(|text| !text.is_empty()).map(str::to_owned)
    };
    let number = || body["errorCode"].as_i64().map(|code| code.to_string());
    Fault::new(
        text(&["errorCode", "error"]).or_else(number),
        text(&["errorMessage", "error_description", "message"]),
    )
}

fn classify(core: &Core) -> ErrorKind {
    if cause::<Missing>(core).is_some() {
        return ErrorKind::PartialCredentials;
    }
    if cause::<HeldByAnother>(core).is_some() {
        return ErrorKind::RefreshTimeout;
    }
    if cause::<Corrupt>(core).is_some() {
        return ErrorKind::StoreCorrupt;
    }
    if let Some(fault) = cause::<NotJwt>(core) {
        return match fault {
            NotJwt::NoExpiry => ErrorKind::NoExpiry,
            _ => ErrorKind::InvalidJwt,
        };
    }
    let is_of_tokens = core
        .operation()
        .is_some_and(|operation| operation.starts_with(TOKENS));
    match core.kind() {
        Kind::Decode if is_of_tokens => ErrorKind::InvalidResponse,
        _ if is_of_tokens && (core.status().is_some() || core.code().is_some()) => {
            ErrorKind::TokenEndpoint
        }
        kind => ErrorKind::Core(kind),
    }
}

/// The prefix of the ids of operations of token and revocation endpoints.
const TOKENS: &str = "oauth.";

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use vouchsafe_core::call::Fault;

    use super::*;

    #[test]
    fn code_and_message_of_a_refusal_are_read_and_anything_else_is_none() {
        let read = |body: &'static str| {
            let mut response = Response::new(StatusCode::CONFLICT);
            response.body = body.into();
            format!("{:?}", read_fault(&response))
        };
        let expected = Fault::new(Some("gone".to_owned()), Some("no more".to_owned()));
        let expected = format!("{expected:?}");
        for body in [
            r#"{"errorCode":"gone","errorMessage":"no more"}"#,
            r#"{"error":"gone","error_description":"no more"}"#,
        ] {
            assert_eq!(read(body), expected);
        }
        for body in ["", "no", "[]", "{\"error\":7}", "{\"errorCode\":\"\"}"] {
            assert_eq!(read(body), format!("{:?}", Fault::default()), "{body}");
        }
    }

    #[test]
    fn the_error_says_what_is_missing_and_where_it_was_searched() {
        let places = vec!["the builder".to_owned(), "PAN_ variables".to_owned()];
        let error = Missing::error(vec!["client_id", "refresh_token"], places);
        assert_eq!(error.kind(), ErrorKind::PartialCredentials);
        assert_eq!(error.to_string(), "missing client_id, refresh_token");
        let missing = error.missing().unwrap();
        assert_eq!(
            missing.to_string(),
            "looked for in the builder, PAN_ variables"
        );
        // An error that was passed through core keeps its kind.
        let again = Error::from(error.core().clone());
        assert_eq!(again.kind(), ErrorKind::PartialCredentials);
    }

    #[test]
    fn only_a_refused_grant_asks_for_a_new_login() {
        let error = |code: &str, status| {
            let core = Core::new(Kind::Invalid, "x").with_operation("oauth.requestToken");
            Error::from(core.with_code(code).with_status(status))
        };
        let refused = error("invalid_grant", StatusCode::BAD_REQUEST);
        assert!(refused.is_reauthorization_needed());
        assert_eq!(refused.kind(), ErrorKind::TokenEndpoint);
        assert!(!error("invalid_client", StatusCode::UNAUTHORIZED).is_reauthorization_needed());
        assert!(!error("invalid_grant", StatusCode::BAD_GATEWAY).is_reauthorization_needed());
    }
}

//! Answers of token endpoints.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::call::{Answer, Fault};
use crate::text::without_mark;
use crate::transport::Response;
use crate::{Error, ErrorKind, Result, Secret};

/// The successful answer of a token endpoint (RFC 6749, 5.1).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenAnswer {
    /// The access token.
    pub access_token: Secret,
    /// The type of the access token, in upper or lower case. See [`is_bearer`](Self::is_bearer).
    pub token_type: Option<String>,
    /// How long the access token is valid, from the time of the answer. `None` if the server does
    /// not state it as a number of seconds.
    pub expires_in: Option<Duration>,
    /// The refresh token, which replaces the one that was used.
    pub refresh_token: Option<Secret>,
    /// The scope of the access token, if it differs from the one requested.
    pub scope: Option<String>,
}

#[derive(Deserialize)]
struct Wire {
    access_token: Option<Secret>,
    refresh_token: Option<Secret>,
    #[serde(default)]
    token_type: Value,
    #[serde(default)]
    expires_in: Value,
    #[serde(default)]
    scope: Value,
    #[serde(default)]
    error: Value,
    #[serde(default)]
    error_description: Value,
}

impl TokenAnswer {
    /// Reads the answer of a call.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Credential`] if the answer is an error despite its successful status, as some
    ///   servers send. [`ErrorCode::of`] returns which one.
    /// - [`ErrorKind::Decode`] if the answer is not a JSON object, or has no access token.
    pub fn read(answer: &Answer) -> Result<Self> {
        let wire: Wire = answer.json()?;
        let fault = fault(&wire.error, &wire.error_description);
        if fault.code.is_some() || fault.message.is_some() {
            let error = answer.decode_error(fault.message.as_deref().unwrap_or("token refused"));
            let code = fault.code.map(|code| answer.without_secrets(&code));
            return Err(with_code(error.with_kind(ErrorKind::Credential), code));
        }
        let is_there = |secret: &Secret| !secret.is_empty();
        Ok(Self {
            access_token: wire
                .access_token
                .filter(is_there)
                .ok_or_else(|| answer.decode_error("the answer has no access token"))?,
            token_type: text(&wire.token_type),
            expires_in: seconds(&wire.expires_in),
            refresh_token: wire.refresh_token.filter(is_there),
            scope: text(&wire.scope),
        })
    }

    /// Returns whether the access token is a bearer token (RFC 6750). True if the server does not
    /// state the type.
    #[must_use]
    pub fn is_bearer(&self) -> bool {
        let kind = self.token_type.as_deref();
        kind.is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"))
    }
}

/// Reads the code and the description from a refusal (RFC 6749, 5.2), for
/// [`CoreClientBuilder::read_fault`](crate::CoreClientBuilder::read_fault).
#[must_use]
pub fn read_fault(response: &Response) -> Fault {
    let body: Value = serde_json::from_slice(without_mark(&response.body)).unwrap_or_default();
    fault(&body["error"], &body["error_description"])
}

/// An error code of a token or revocation endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The request lacks a parameter, repeats one, or is malformed.
    InvalidRequest,
    /// The client is unknown, or its secret is wrong.
    InvalidClient,
    /// The authorization code or refresh token is invalid, expired, revoked or another client's.
    InvalidGrant,
    /// The client may not use this grant.
    UnauthorizedClient,
    /// The server does not support this grant.
    UnsupportedGrantType,
    /// The scope is unknown, malformed or more than was granted.
    InvalidScope,
    /// The server cannot revoke tokens of this type (RFC 7009, 2.2.1).
    UnsupportedTokenType,
    /// The server failed.
    ServerError,
    /// The server is overloaded or under maintenance.
    TemporarilyUnavailable,
    /// The user or the server refused.
    AccessDenied,
    /// The user has not decided yet (RFC 8628, 3.5).
    AuthorizationPending,
    /// The same, and the client asks too often.
    SlowDown,
    /// The user did not decide in time.
    ExpiredToken,
}

impl ErrorCode {
    /// Returns the code of an error, if it has one of these.
    #[must_use]
    pub fn of(error: &Error) -> Option<Self> {
        let code = error.code()?;
        CODES.into_iter().find(|known| known.as_str() == code)
    }

    /// Returns the code as servers send it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::AccessDenied => "access_denied",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::ExpiredToken => "expired_token",
        }
    }

    /// Returns whether the client or its configuration is at fault, rather than a user or the
    /// server.
    #[must_use]
    pub fn is_of_client(self) -> bool {
        matches!(
            self,
            Self::InvalidRequest
                | Self::InvalidClient
                | Self::UnauthorizedClient
                | Self::UnsupportedGrantType
                | Self::InvalidScope
                | Self::UnsupportedTokenType
        )
    }

    /// Returns whether the same request may succeed later.
    #[must_use]
    pub fn is_transient(self) -> bool {
        matches!(self, Self::ServerError | Self::TemporarilyUnavailable)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const CODES: [ErrorCode; 13] = [
    ErrorCode::InvalidRequest,
    ErrorCode::InvalidClient,
    ErrorCode::InvalidGrant,
    ErrorCode::UnauthorizedClient,
    ErrorCode::UnsupportedGrantType,
    ErrorCode::InvalidScope,
    ErrorCode::UnsupportedTokenType,
    ErrorCode::ServerError,
    ErrorCode::TemporarilyUnavailable,
    ErrorCode::AccessDenied,
    ErrorCode::AuthorizationPending,
    ErrorCode::SlowDown,
    ErrorCode::ExpiredToken,
];

fn with_code(error: Error, code: Option<String>) -> Error {
    let Some(code) = code else {
        return error;
    };
    let error = error.with_code(code);
    let is_transient = ErrorCode::of(&error).is_some_and(ErrorCode::is_transient);
    error.with_retryable(is_transient)
}

fn fault(code: &Value, description: &Value) -> Fault {
    Fault::new(text(code), text(description))
}

fn text(value: &Value) -> Option<String> {
    let text = value.as_str().filter(|text| !text.is_empty());
    text.map(str::to_owned)
}

/// Reads a number of seconds, which some servers send as text.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::String(text) => text.trim().parse().ok()?,
        other => other.as_f64()?,
    };
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn seconds_are_read_as_number_and_as_text() {
        for (value, read) in [
            (json!(3600), Some(3600.0)),
            (json!("3600"), Some(3600.0)),
            (json!(1.5), Some(1.5)),
            (json!(0), Some(0.0)),
            (json!(-1), None),
            (json!("soon"), None),
            (json!("NaN"), None),
            (json!("inf"), None),
            (json!(""), None),
            (json!(null), None),
            (json!([1]), None),
            (json!(1e300), None),
        ] {
            let read = read.map(Duration::from_secs_f64);
            assert_eq!(seconds(&value), read, "{value}");
        }
    }

    #[test]
    fn a_refusal_that_is_not_as_in_the_standard_has_no_code() {
        let read = |body: &'static str| {
            let mut response = Response::new(http::StatusCode::BAD_REQUEST);
            response.body = body.into();
            read_fault(&response)
        };
        for body in ["", "<p>", "[]", "{}", r#"{"error": {"code": 1}}"#] {
            let fault = read(body);
            assert!(fault.code.is_none() && fault.message.is_none(), "{body}");
        }
        let fault = read("\u{feff}{\"error\": \"invalid_scope\", \"error_description\": \"\"}");
        assert_eq!(fault.code.as_deref(), Some("invalid_scope"));
        assert_eq!(fault.message, None);
    }

    #[test]
    fn the_client_is_at_fault_for_what_it_is_and_asks_but_not_for_a_grant_or_a_server() {
        let of_others: Vec<_> = CODES
            .into_iter()
            .filter(|code| !code.is_of_client())
            .collect();
        assert_eq!(
            of_others,
            [
                ErrorCode::InvalidGrant,
                ErrorCode::ServerError,
                ErrorCode::TemporarilyUnavailable,
                ErrorCode::AccessDenied,
                ErrorCode::AuthorizationPending,
                ErrorCode::SlowDown,
                ErrorCode::ExpiredToken,
            ]
        );
    }

    #[test]
    fn each_code_is_found_by_its_text() {
        for code in CODES {
            let error = Error::new(ErrorKind::Invalid, "x").with_code(code.to_string());
            assert_eq!(ErrorCode::of(&error), Some(code));
        }
        let error = Error::new(ErrorKind::Invalid, "x");
        assert_eq!(ErrorCode::of(&error), None);
        assert_eq!(ErrorCode::of(&error.with_code("other")), None);
    }
}

//! Refusals: those of the authorization server (protocol section 4), and those of the services.

use std::time::Duration;

use http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::json;
use vouchsafe_core::mock::respond;
use vouchsafe_core::transport::Response;

/// `Result` of an endpoint.
pub(super) type Outcome<T = Response> = Result<T, Refusal>;

/// Why the authorization server refuses a request (RFC 6749, 5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: u16,
    pub(super) code: &'static str,
    pub(super) description: &'static str,
    /// The scheme to authenticate with instead.
    challenge: Option<&'static str>,
    retry_after: Option<Duration>,
}

impl Refusal {
    pub(super) fn new(code: &'static str, description: &'static str) -> Self {
        Self {
            status: 400,
            code,
            description,
            challenge: None,
            retry_after: None,
        }
    }

    pub(super) fn invalid_request(description: &'static str) -> Self {
        Self::new("invalid_request", description)
    }

    pub(super) fn invalid_grant(description: &'static str) -> Self {
        Self::new("invalid_grant", description)
    }

    /// Returns the refusal of a client, in the scheme that it used.
    pub(super) fn invalid_client(is_basic: bool) -> Self {
        Self {
            status: 401,
            challenge: is_basic.then_some("Basic realm=\"token\""),
            ..Self::new(
                "invalid_client",
                "the client is unknown, or failed to authenticate",
            )
        }
    }

    pub(super) fn invalid_bearer() -> Self {
        Self {
            status: 401,
            challenge: Some("Bearer error=\"invalid_token\""),
            ..Self::new("invalid_token", "the developer token is unknown")
        }
    }

    pub(super) fn too_many(wait: Duration) -> Self {
        Self {
            status: 429,
            retry_after: Some(wait),
            ..Self::new("temporarily_unavailable", "there are too many requests")
        }
    }

    pub(super) fn response(&self) -> Response {
        let body = json!({"error": self.code, "error_description": self.description});
        let mut response = uncached(respond::json(self.status, &body));
        if let Some(challenge) = self.challenge {
            respond::put(&mut response.headers, WWW_AUTHENTICATE, challenge);
        }
        if let Some(wait) = self.retry_after {
            put_wait(&mut response, wait);
        }
        response
    }
}

/// Forbids caching an answer.
pub(super) fn uncached(mut response: Response) -> Response {
    respond::put(&mut response.headers, CACHE_CONTROL, "no-store");
    response
}

/// Answers like the services when they refuse (protocol section 4).
pub(super) fn of_service(status: u16, code: &str, message: &str) -> Response {
    respond::json(status, &json!({"errorCode": code, "errorMessage": message}))
}

/// Answers that there are too many requests.
pub(super) fn of_service_too_many(wait: Duration) -> Response {
    let mut response = of_service(429, "too_many_requests", "there are too many requests");
    put_wait(&mut response, wait);
    response
}

fn put_wait(response: &mut Response, wait: Duration) {
    // Rounded up, so that a client that waits this long is not early.
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    respond::put(&mut response.headers, RETRY_AFTER, &seconds.to_string());
}

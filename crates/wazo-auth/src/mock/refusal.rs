//! Refusals in the four shapes of the service (protocol section 4).

use http::header::CONTENT_TYPE;
use serde_json::{Value, json};
use vouchsafe_core::mock::respond;
use vouchsafe_core::transport::Response;

use super::validate::Wrong;

/// `Result` of a handler.
pub(super) type Outcome<T = Response> = Result<T, Refusal>;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Refusal {
    /// The list shape (protocol section 4.1).
    Reasons { status: u16, reason: String },
    /// The object shape (protocol section 4.2).
    Object {
        status: u16,
        message: Value,
        error_id: Value,
        details: Value,
        resource: Option<String>,
    },
    /// The shape with only a message (protocol section 4.3).
    Message { status: u16, message: &'static str },
    /// A page of the framework (protocol section 4.4).
    Page,
    /// A special body.
    Other { status: u16, body: Value },
}

impl Refusal {
    pub(super) fn reasons(status: u16, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self::Reasons { status, reason }
    }

    /// A refusal about a kind of resource.
    pub(super) fn object(
        status: u16,
        error_id: &str,
        resource: &str,
        message: impl Into<Value>,
        details: Value,
    ) -> Self {
        Self::Object {
            status,
            message: message.into(),
            error_id: error_id.into(),
            details,
            resource: Some(resource.to_owned()),
        }
    }

    /// A missing resource with a UUID, such as a `user`.
    pub(super) fn unknown(what: &str, uuid: &str) -> Self {
        Self::object(
            404,
            &format!("unknown-{what}"),
            &format!("{what}s"),
            format!("No such {what}: \"{uuid}\""),
            json!({ "uuid": uuid }),
        )
    }

    /// A body with an invalid member.
    pub(super) fn invalid(resource: &str, member: &str, wrong: &Wrong) -> Self {
        let mut path = member.split('.').rev();
        let mut details = wrong.json();
        for part in &mut path {
            details = json!({ part: details });
        }
        Self::object(400, "invalid-data", resource, wrong.message(), details)
    }

    /// Invalid query parameters, or members of a body that are refused the same way.
    pub(super) fn invalid_list(tree: Value) -> Self {
        Self::object(400, "invalid-list-param", "users", tree, json!({}))
    }

    pub(super) fn conflict(resource: &str, details: Value) -> Self {
        Self::object(409, "conflict", resource, "Conflict detected", details)
    }

    /// The refusal of an access that a token does not have.
    pub(super) fn unauthorized(details: Value) -> Self {
        Self::Object {
            status: 401,
            message: "Unauthorized".into(),
            error_id: "unauthorized".into(),
            details,
            resource: None,
        }
    }

    pub(super) fn hidden_tenant(tenant: &str) -> Self {
        Self::Object {
            status: 401,
            message: "Unauthorized tenant".into(),
            error_id: "unauthorized-tenant".into(),
            details: json!({ "tenant_uuid": tenant }),
            resource: None,
        }
    }

    /// Nothing is answered before the tree of tenants has its top.
    pub(super) fn starting() -> Self {
        Self::Object {
            status: 503,
            message: "wazo-auth top tenant is not initialized".into(),
            error_id: "top-tenant-not-initialized".into(),
            details: json!({}),
            resource: None,
        }
    }

    pub(super) fn login_failed() -> Self {
        Self::reasons(401, "Authentication Failed")
    }

    pub(super) fn no_such_token() -> Self {
        Self::reasons(404, "No such token")
    }

    pub(super) fn broken() -> Self {
        Self::Message {
            status: 500,
            message: "Internal Server Error",
        }
    }

    pub(super) fn unreadable() -> Self {
        Self::Message {
            status: 400,
            message: "The browser (or proxy) sent a request that this server could not understand.",
        }
    }

    /// Writes the answer; `now` is in seconds since 1970.
    pub(super) fn response(&self, now: f64) -> Response {
        match self {
            Self::Reasons { status, reason } => {
                let body = json!({"reason": [reason], "timestamp": [now], "status_code": status});
                respond::json(*status, &body)
            }
            Self::Object {
                status,
                message,
                error_id,
                details,
                resource,
            } => {
                let mut body = json!({
                    "message": message,
                    "error_id": error_id,
                    "details": details,
                    "timestamp": now,
                });
                if let Some(resource) = resource {
                    body["resource"] = resource.as_str().into();
                }
                respond::json(*status, &body)
            }
            Self::Message { status, message } => {
                respond::json(*status, &json!({"message": message}))
            }
            Self::Page => page(),
            Self::Other { status, body } => respond::json(*status, body),
        }
    }
}

fn page() -> Response {
    let text = "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n\
                <p>The requested URL was not found on the server.</p>\n";
    let mut response = respond::plain(404, text);
    respond::put(
        &mut response.headers,
        CONTENT_TYPE,
        "text/html; charset=utf-8",
    );
    response
}

//! The errors of calls to wazo-auth.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use vouchsafe_core::call::Fault;
use vouchsafe_core::text::without_mark;
use vouchsafe_core::transport::Response;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

vouchsafe_core::service_error! {
    /// Why a call to wazo-auth failed.
    ///
    /// `Display` is one line for people, the methods are for programs, and `source()` is the cause.
    /// No text includes a token or a password.
    ///
    /// The service answers 401 both if it does not know a token and if the token does not cover the
    /// request (protocol section 4). [`kind`](Self::kind) distinguishes the two, and so do the
    /// methods: the first is [`is_unauthorized`](Self::is_unauthorized), the second
    /// [`is_forbidden`](Self::is_forbidden).
    Error, ErrorKind, classify
}

impl Error {
    /// Returns the content of the refusal's body. Empty if there was no answer, or its body does
    /// not come from the service, such as a page of a proxy.
    #[must_use]
    pub fn body(&self) -> ErrorBody {
        let body = self.core().body();
        body.map(|body| ErrorBody::read(body)).unwrap_or_default()
    }
}

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// User name and password, the refresh token, or the key of a new installation were refused. The
    /// service does not say why.
    LoginFailed,
    /// The client's token is unknown or has expired.
    InvalidToken,
    /// The client's token does not cover the access that the operation needs. Setting a password is
    /// refused so whatever is wrong with the token: the service does not say.
    MissingAccess,
    /// The requested tenant is not below the tenant of the client's token.
    HiddenTenant,
    /// The user has as many sessions as the service permits.
    TooManySessions,
    /// The password is kept by another system, such as LDAP, and cannot be changed here.
    PasswordManagedElsewhere,
    /// An error that is not specific to this service.
    Core(vouchsafe_core::ErrorKind),
}

/// The body of a refusal, which has several shapes (protocol section 4).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ErrorBody {
    /// The message of the service.
    pub reason: Option<String>,
    /// The service's name for the error, such as `unknown-user`.
    pub error_id: Option<String>,
    /// Details: an object for most errors, `null` if there are none.
    pub details: Value,
    /// The kind of resource that the error is about, such as `users`.
    pub resource: Option<String>,
    /// When it happened.
    pub timestamp: Option<SystemTime>,
}

impl ErrorBody {
    /// Returns the missing access, if the error is about one.
    #[must_use]
    pub fn required_access(&self) -> Option<&str> {
        self.details["required_access"].as_str()
    }

    fn read(body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(without_mark(body)).unwrap_or_default();
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let time = match &body["timestamp"] {
            Value::Array(items) => items.first().and_then(Value::as_f64),
            time => time.as_f64(),
        };
        let mut read = Self {
            reason: in_words(&body["message"]).or_else(|| in_words(&body["reason"])),
            error_id: text("error_id"),
            details: body["details"].clone(),
            resource: text("resource"),
            timestamp: time.and_then(since_1970),
        };
        // One refusal has its members shifted by one (protocol section 4.2).
        if body["error_id"].is_object() && body["details"].is_string() {
            read.resource = text("details");
            read.details = body["error_id"].clone();
        }
        read
    }

    /// Returns the reason and the faults of each member, if the service states them.
    fn in_full(&self) -> Option<String> {
        let of_members = self.details.as_object().filter(|members| {
            let is_entry = |entry: &Value| entry["message"].is_string();
            !members.is_empty() && members.values().all(is_entry)
        });
        match (&self.reason, of_members.and(in_words(&self.details))) {
            (Some(reason), Some(members)) => Some(format!("{reason}: {members}")),
            (reason, _) => reason.clone(),
        }
    }
}

/// Writes a message as text. It may be a text, a list, or a tree of members with an entry for each
/// fault (protocol section 4.2).
fn in_words(message: &Value) -> Option<String> {
    match message {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().filter_map(in_words).collect();
            (!items.is_empty()).then(|| items.join("; "))
        }
        Value::Object(members) => match members.get("message") {
            Some(Value::String(text)) => Some(text.clone()),
            _ => {
                let members: Vec<_> = members
                    .iter()
                    .filter_map(|(name, value)| Some(format!("{name}: {}", in_words(value)?)))
                    .collect();
                (!members.is_empty()).then(|| members.join("; "))
            }
        },
        _ => None,
    }
}

fn since_1970(seconds: f64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?)
}

/// Reads the code and message of a refusal. The code is the reason if the error has one, since the
/// id `unauthorized` has too many meanings.
pub(crate) fn read_fault(response: &Response) -> Fault {
    let body = ErrorBody::read(&response.body);
    let message = body.in_full();
    let reason = body.details["reason"].as_str().map(str::to_owned);
    Fault::new(reason.or(body.error_id), message)
}

fn classify(core: &vouchsafe_core::Error) -> ErrorKind {
    use vouchsafe_core::ErrorKind as Kind;
    let status = core.status().map(|status| status.as_u16());
    let is = |operation| core.operation() == Some(operation);
    let is_login = is("wazo-auth.createToken");
    let is_first = is("wazo-auth.initialize");
    match (status, core.kind(), core.code()) {
        (Some(401), _, _) if is_login || is_first => ErrorKind::LoginFailed,
        (Some(401), _, Some("unauthorized-tenant")) => ErrorKind::HiddenTenant,
        (Some(401), Kind::Forbidden, Some(_)) => ErrorKind::MissingAccess,
        (Some(401), Kind::Credential, Some(_)) => ErrorKind::InvalidToken,
        (Some(429), _, _) if is_login => ErrorKind::TooManySessions,
        (Some(405), _, Some("password-managed-externally")) => ErrorKind::PasswordManagedElsewhere,
        (_, kind, _) => ErrorKind::Core(kind),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: &Value) -> ErrorBody {
        ErrorBody::read(body.to_string().as_bytes())
    }

    #[test]
    fn the_object_is_read_with_all_its_members() {
        let body = read(&json!({
            "message": "no such user", "error_id": "unknown-user",
            "details": {"uuid": "1-2"}, "resource": "users", "timestamp": 1_000.5,
        }));
        assert_eq!(body.reason.as_deref(), Some("no such user"));
        assert_eq!(body.error_id.as_deref(), Some("unknown-user"));
        assert_eq!(body.details, json!({"uuid": "1-2"}));
        assert_eq!(body.resource.as_deref(), Some("users"));
        let at = UNIX_EPOCH + Duration::from_millis(1_000_500);
        assert_eq!(body.timestamp, Some(at));
    }

    #[test]
    fn the_lists_of_one_are_read_like_what_they_hold() {
        let body =
            read(&json!({"reason": ["no such token"], "timestamp": [3.0], "status_code": 404}));
        assert_eq!(body.reason.as_deref(), Some("no such token"));
        assert_eq!(body.timestamp, Some(UNIX_EPOCH + Duration::from_secs(3)));
        assert_eq!(body.details, Value::Null);
    }

    #[test]
    fn a_message_alone_and_a_body_of_something_else_are_read_as_far_as_they_go() {
        let body = read(&json!({"message": "not JSON"}));
        assert_eq!(body.reason.as_deref(), Some("not JSON"));
        for other in ["<html></html>", "", "[]", "7", r#"{"message":null}"#] {
            assert_eq!(ErrorBody::read(other.as_bytes()), ErrorBody::default());
        }
    }

    #[test]
    fn what_is_wrong_with_each_member_is_part_of_the_message() {
        let entry = json!({"message": "too long", "constraint_id": "length", "constraint": {}});
        let tree = json!({"message": {"limit": entry}, "details": {}});
        assert_eq!(read(&tree).in_full().as_deref(), Some("limit: too long"));
        let listed = json!({"message": {"_schema": ["one", "two"]}});
        assert_eq!(
            read(&listed).in_full().as_deref(),
            Some("_schema: one; two")
        );
        let data = json!({"message": "bad data", "details": {"name": entry}});
        assert_eq!(
            read(&data).in_full().as_deref(),
            Some("bad data: name: too long")
        );
        assert_eq!(read(&data).reason.as_deref(), Some("bad data"));
    }

    #[test]
    fn members_that_are_shifted_by_one_are_put_back() {
        let body = read(&json!({"error_id": {"uuid": "u"}, "details": "tenants"}));
        assert_eq!(body.error_id, None);
        assert_eq!(body.details, json!({"uuid": "u"}));
        assert_eq!(body.resource.as_deref(), Some("tenants"));
    }
}

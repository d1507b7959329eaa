//! Reading the body of a request (protocol section 3).

use http::header::CONTENT_TYPE;
use serde_json::{Map, Value};
use vouchsafe_core::transport::Request;

use super::refusal::{Outcome, Refusal};
use super::validate::{Body, Wrong, is_empty};

impl Body {
    /// Reads the body of a request.
    pub(super) fn read(request: &Request) -> Outcome<Result<Self, Wrong>> {
        Ok(match json_of(request)? {
            Value::Object(members) => Ok(Self(members)),
            Value::Null => Ok(Self(Map::new())),
            other if is_empty(&other) => Ok(Self(Map::new())),
            _ => Err(Wrong::Body),
        })
    }
}

/// Reads JSON, whatever the header says, unless it says that the body is a form.
pub(super) fn json_of(request: &Request) -> Outcome<Value> {
    let kind = request.headers.get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/x-www-form-urlencoded") || kind.starts_with("multipart/") {
        return Err(Refusal::unreadable());
    }
    serde_json::from_slice(&request.body).map_err(|_| Refusal::unreadable())
}

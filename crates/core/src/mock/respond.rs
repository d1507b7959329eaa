//! Answers of emulated services.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName};
use http::{HeaderValue, StatusCode};
use serde_json::Value;

use crate::transport::Response;

/// Returns an answer with a JSON body, of type `application/json`.
#[must_use]
pub fn json(status: u16, body: &Value) -> Response {
    typed(status, "application/json", body.to_string())
}

/// Returns an answer with a text, of type `text/plain; charset=utf-8`.
#[must_use]
pub fn plain(status: u16, text: impl Into<String>) -> Response {
    typed(status, "text/plain; charset=utf-8", text.into())
}

/// Returns an answer with a body of any type.
#[must_use]
pub fn typed(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = empty(status);
    let content_type = HeaderValue::from_static(content_type);
    response.headers.insert(CONTENT_TYPE, content_type);
    response.body = body.into();
    response
}

/// Returns an answer without a body and without headers. An invalid status becomes
/// 500.
#[must_use]
pub fn empty(status: u16) -> Response {
    Response::new(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
}

/// Sets a header, replacing an existing one. A text that is not valid in a header is ignored.
pub fn put(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    }
}

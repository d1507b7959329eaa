//! Reading requests and writing answers.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::Value;
use vouchsafe_core::transport::{Request, Response};

use crate::query::unescape;

pub(super) fn text(status: u16, body: impl Into<String>) -> Response {
    typed(status, "text/plain; charset=utf-8", body.into().into())
}

pub(super) fn json(status: u16, body: &Value) -> Response {
    typed(status, "application/json", body.to_string().into())
}

pub(super) fn typed(status: u16, content_type: &'static str, body: Bytes) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(status);
    let content_type = HeaderValue::from_static(content_type);
    response.headers.insert(CONTENT_TYPE, content_type);
    response.body = body;
    response
}

pub(super) fn with_header(mut response: Response, name: &'static str, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response
            .headers
            .insert(HeaderName::from_static(name), value);
    }
    response
}

/// Names the methods that the path has.
pub(super) fn wrong_method(allow: &[Method]) -> Response {
    let allow: Vec<&str> = allow.iter().map(Method::as_str).collect();
    with_header(text(405, "method not allowed"), "allow", &allow.join(", "))
}

/// Says that it is not known what the real service would answer.
pub(super) fn not_in_protocol(request: &Request) -> Response {
    let what = format!("not in the protocol notes: {}", request.uri.path());
    text(501, what)
}

pub(super) fn header<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    request.headers.get(name)?.to_str().ok()
}

/// Reads a query or a form; of a name given twice, the first counts.
pub(super) fn params(text: &str) -> BTreeMap<String, String> {
    let mut params = BTreeMap::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        params
            .entry(unescape(name))
            .or_insert_with(|| unescape(value));
    }
    params
}

/// Whether the revision that a client names is this one.
pub(super) fn is_known(request: &Request, revision: &str) -> bool {
    header(request, "if-none-match") == Some(&format!("\"{revision}\""))
}

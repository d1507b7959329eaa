//! Answers that several of the servers give.

use http::{HeaderName, Method};
use vouchsafe_core::mock::form::header;
use vouchsafe_core::mock::respond;
use vouchsafe_core::transport::{Request, Response};

pub(super) fn with_header(mut response: Response, name: &'static str, value: &str) -> Response {
    respond::put(&mut response.headers, HeaderName::from_static(name), value);
    response
}

/// Lists the methods of a path.
pub(super) fn wrong_method(allow: &[Method]) -> Response {
    let allow: Vec<&str> = allow.iter().map(Method::as_str).collect();
    let response = respond::plain(405, "method not allowed");
    with_header(response, "allow", &allow.join(", "))
}

/// The real service's answer is unknown.
pub(super) fn not_in_protocol(request: &Request) -> Response {
    let what = format!("not in the protocol notes: {}", request.uri.path());
    respond::plain(501, what)
}

/// Whether the client already has this revision.
pub(super) fn is_known(request: &Request, revision: &str) -> bool {
    header(request, "if-none-match") == Some(&format!("\"{revision}\""))
}

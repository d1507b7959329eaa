//! Keeps web pages from using the management API.
//!
//! A page can send requests to loopback addresses, and under a host name that resolves to one (DNS
//! rebinding) it can even read the answers.

use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderName, StatusCode};

use super::Refusal;
use crate::transport::Request;
use crate::url::is_loopback;

/// Refuses requests that a web page may have sent.
pub(super) fn admit(request: &Request) -> Result<(), Refusal> {
    let refuse = |why| Err(Refusal::new(StatusCode::FORBIDDEN, why));
    let header = |name: HeaderName| request.headers.get_all(name).into_iter();
    // The authority of the target takes precedence over Host (RFC 9112, 3.2.2), so a page could set
    // either.
    let target = request.uri.authority();
    let host = header(HOST).map(|value| Authority::try_from(value.as_bytes()).ok());
    let mut names = target.cloned().map(Some).into_iter().chain(host).peekable();
    if names.peek().is_none()
        || !names.all(|name| name.is_some_and(|name| is_loopback(name.host())))
    {
        return refuse("use a loopback address, such as 127.0.0.1");
    }
    let own = |origin: &str| {
        let scheme = request.uri.scheme_str().unwrap_or("http");
        let rest = origin
            .strip_prefix(scheme)
            .and_then(|rest| rest.strip_prefix("://"));
        rest.is_some_and(|rest| target.is_some_and(|target| target.as_str() == rest))
    };
    if !header(ORIGIN).all(|origin| origin.to_str().is_ok_and(own)) {
        return refuse("this is not for web pages of another origin");
    }
    let fetch_site = HeaderName::from_static("sec-fetch-site");
    if !header(fetch_site).all(|site| site == "same-origin" || site == "none") {
        return refuse("this is not for web pages of another site");
    }
    if header(CONTENT_TYPE).any(|kind| is_of_a_page(kind.as_bytes())) {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        let why = "send the body as application/json";
        return Err(Refusal::new(status, why));
    }
    if request.body.len() > MAX_BODY {
        let why = "a body is at most 1 MiB";
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, why));
    }
    Ok(())
}

/// Returns whether a page may send a content type to another origin without a preflight. A value
/// that cannot be read may be one of them.
fn is_of_a_page(kind: &[u8]) -> bool {
    let Ok(kind) = std::str::from_utf8(kind) else {
        return true;
    };
    let kind = kind
        .split(';')
        .next()
        .unwrap_or(kind)
        .trim()
        .to_ascii_lowercase();
    kind == "application/x-www-form-urlencoded"
        || kind.starts_with("multipart/")
        || kind.starts_with("text/")
}

/// More than any fault or action needs.
const MAX_BODY: usize = 1 << 20;

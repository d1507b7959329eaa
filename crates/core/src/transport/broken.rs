//! The ways in which an exchange breaks. The socket transport and the in-process mock create their
//! errors here, so that a test without sockets sees the same errors as production.

use http::StatusCode;

#[cfg(feature = "client")]
use crate::ConnectPhase;
use crate::{Error, ErrorKind, Sent};

/// A request that hyper gave up, by how far it got. `is_stale` is whether its connection may have
/// ended before it.
#[cfg(feature = "client")]
pub(super) fn by_hyper(cause: hyper::Error, is_stale: bool) -> Error {
    let mut next = std::error::Error::source(&cause);
    while let Some(inner) = next {
        if let Some(ours) = inner.downcast_ref::<Error>() {
            return ours.clone();
        }
        next = inner.source();
    }
    if let Some(alert) = super::tls::alert(&cause) {
        return by_alert(&alert, cause.into());
    }
    // `is_parse_too_large` exists only with hyper's feature `server`.
    let is_large = cause.is_parse() && cause.to_string().contains("head is too large");
    let broken = match cause {
        _ if cause.is_canceled() => before_request,
        _ if cause.is_incomplete_message() => without_answer,
        _ if is_large => head_too_large,
        _ if cause.is_parse() => not_http,
        #[cfg(feature = "http2")]
        _ if breaks_http2(&cause) => not_http2,
        _ => before_answer,
    };
    broken(cause.into()).with_stale_connection(is_stale)
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// hyper returned the request: no byte of it was written.
pub(crate) fn before_request(cause: Cause) -> Error {
    broken("the connection closed before the request", cause).with_sent(Sent::No)
}

/// The connection was closed cleanly before any answer.
pub(crate) fn without_answer(cause: Cause) -> Error {
    broken("the connection closed without an answer", cause)
}

/// The connection broke before the head of the answer was complete.
pub(crate) fn before_answer(cause: Cause) -> Error {
    broken("the connection broke before the answer", cause)
}

/// The peer ended the connection by a TLS alert, of which this is the text.
#[cfg(feature = "client")]
pub(crate) fn by_alert(alert: &str, cause: Cause) -> Error {
    let what = format!("the server ended the connection by a TLS alert: {alert}");
    Error::new(ErrorKind::Transport, what)
        .with_sent(Sent::Maybe)
        .with_source(cause)
}

/// A proxy answered instead of the server.
#[cfg(feature = "client")]
pub(super) fn by_proxy(via: &super::wire::Via, status: StatusCode) -> Error {
    let proxy = &via.place;
    let what = match (status, via.has_credentials) {
        (StatusCode::PROXY_AUTHENTICATION_REQUIRED, false) => {
            format!("the proxy {proxy} asks for credentials (407)")
        }
        (StatusCode::PROXY_AUTHENTICATION_REQUIRED, true) => {
            format!("the proxy {proxy} refuses the credentials (407)")
        }
        _ => format!("the proxy {proxy} refused a connection: {status}"),
    };
    // It could not reach the server, or has too much to do.
    let may_pass = matches!(status.as_u16(), 408 | 429 | 502 | 503 | 504);
    Error::new(ErrorKind::Connect(ConnectPhase::Proxy), what).with_retryable(may_pass)
}

/// The head of the answer arrived, but not all of its body.
pub(crate) fn within_body(status: StatusCode, cause: Cause) -> Error {
    broken("the connection broke within the answer's body", cause).with_status(status)
}

/// The peer sent something that is not HTTP/1.1, or a malformed head. The next answer would look
/// the same.
pub(crate) fn not_http(cause: Cause) -> Error {
    broken("the answer is not HTTP/1.1", cause).with_retryable(false)
}

/// The peer broke the rules of HTTP/2, or does not speak it. The next connection would end likewise.
#[cfg(feature = "http2")]
pub(crate) fn not_http2(cause: Cause) -> Error {
    broken("the answer is not HTTP/2", cause).with_retryable(false)
}

/// Returns whether the connection was ended by this side, for what the peer sent.
#[cfg(feature = "http2")]
fn breaks_http2(cause: &hyper::Error) -> bool {
    let first = std::error::Error::source(cause);
    std::iter::successors(first, |cause| cause.source())
        .filter_map(|cause| cause.downcast_ref::<h2::Error>())
        .any(|cause| cause.is_go_away() && cause.is_library())
}

/// The head of the answer has more lines or bytes than hyper reads.
pub(crate) fn head_too_large(cause: Cause) -> Error {
    Error::new(ErrorKind::TooLarge, "the answer's head is too large")
        .with_sent(Sent::Maybe)
        .with_source(cause)
}

/// The answer is larger than its operation allows.
pub(crate) fn too_large(status: StatusCode, limit: usize) -> Error {
    Error::new(
        ErrorKind::TooLarge,
        format!("the answer is larger than the {limit} bytes allowed"),
    )
    .with_sent(Sent::Maybe)
    .with_status(status)
}

fn broken(what: &'static str, cause: Cause) -> Error {
    Error::new(ErrorKind::Transport, what)
        .with_sent(Sent::Maybe)
        .with_retryable(!is_fault_of_form(&*cause))
        .with_source(cause)
}

/// Returns whether malformed bytes arrived, such as a chunk without a length or a TLS alert, rather
/// than too few of them: another attempt would get the same.
fn is_fault_of_form(cause: &(dyn std::error::Error + 'static)) -> bool {
    use std::io::ErrorKind::{InvalidData, InvalidInput};

    std::iter::successors(Some(cause), |cause| cause.source())
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| matches!(cause.kind(), InvalidData | InvalidInput))
}

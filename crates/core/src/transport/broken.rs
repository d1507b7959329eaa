//! The ways an exchange breaks. The transport over sockets and the mock in process make their
//! errors here, so that a test without sockets sees what production would.

use http::StatusCode;

use crate::{Error, ErrorKind, Sent};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// hyper hands the request back: nothing of it was written.
pub(crate) fn before_request(cause: Cause) -> Error {
    broken("the connection closed before the request", cause).with_sent(Sent::No)
}

/// The connection ended in order, and there was no answer.
pub(crate) fn without_answer(cause: Cause) -> Error {
    broken("the connection closed without an answer", cause)
}

/// The connection ended in disorder before the answer's head was complete.
pub(crate) fn before_answer(cause: Cause) -> Error {
    broken("the connection broke before the answer", cause)
}

/// There was an answer's head, and not all of its body.
pub(crate) fn within_body(status: StatusCode, cause: Cause) -> Error {
    broken("the connection broke within the answer's body", cause).with_status(status)
}

/// Something came back that is not HTTP.
pub(crate) fn not_http(cause: Cause) -> Error {
    broken("what came back is not HTTP", cause)
}

/// The answer's head has more lines or bytes than hyper reads.
pub(crate) fn head_too_large(cause: Cause) -> Error {
    Error::new(ErrorKind::TooLarge, "the answer's head is too large")
        .with_sent(Sent::Maybe)
        .with_source(cause)
}

/// The answer goes on beyond what its operation allows.
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
        .with_retryable(true)
        .with_source(cause)
}

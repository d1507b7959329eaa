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

/// Something came back that is not HTTP/1.1, or a head that breaks its rules. The next answer
/// will look the same.
pub(crate) fn not_http(cause: Cause) -> Error {
    broken("what came back is not HTTP/1.1", cause).with_retryable(false)
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
        .with_retryable(!is_fault_of_form(&*cause))
        .with_source(cause)
}

/// Returns whether bytes arrived that make no sense, such as a chunk without a length or a TLS
/// alert, rather than too few of them: another try would bring the same.
fn is_fault_of_form(cause: &(dyn std::error::Error + 'static)) -> bool {
    use std::io::ErrorKind::{InvalidData, InvalidInput};

    std::iter::successors(Some(cause), |cause| cause.source())
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| matches!(cause.kind(), InvalidData | InvalidInput))
}

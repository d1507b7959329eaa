//! Reading an answer's body whole, and never more of it than the operation allows.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use crate::{Error, ErrorKind, Result, Sent};

/// Reads a body of at most `limit` bytes. Past the limit the body is dropped unread, which
/// retires its connection.
pub(super) async fn read(mut body: Incoming, limit: usize) -> Result<Bytes> {
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large(limit));
    }
    let Some(first) = next(&mut body, limit).await? else {
        return Ok(Bytes::new());
    };
    if body.is_end_stream() {
        return Ok(first);
    }
    let expected = body.size_hint().exact().unwrap_or(0) as usize;
    let mut whole = BytesMut::with_capacity(first.len() + expected);
    whole.extend_from_slice(&first);
    while let Some(chunk) = next(&mut body, limit - whole.len()).await? {
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

/// Returns the next data of the body, or `None` at its end.
async fn next(body: &mut Incoming, left: usize) -> Result<Option<Bytes>> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|cause| {
            Error::new(
                ErrorKind::Transport,
                "the connection broke within the answer's body",
            )
            .with_sent(Sent::Maybe)
            .with_retryable(true)
            .with_source(cause)
        })?;
        // Trailers carry nothing for us.
        if let Ok(data) = frame.into_data() {
            return if data.len() > left {
                Err(too_large(left))
            } else {
                Ok(Some(data))
            };
        }
    }
    Ok(None)
}

fn too_large(limit: usize) -> Error {
    Error::new(
        ErrorKind::TooLarge,
        format!("the answer is larger than the {limit} bytes allowed"),
    )
    .with_sent(Sent::Maybe)
}

//! Reads a whole answer body, up to the limit of the operation.

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use super::{BodyStream, broken};
use crate::{BoxFuture, Result};

/// Reads a body of at most `limit` bytes. Beyond the limit the body is dropped unread, which closes
/// its connection.
pub(super) async fn read(mut body: Incoming, status: StatusCode, limit: usize) -> Result<Bytes> {
    if body.size_hint().lower() > limit as u64 {
        return Err(broken::too_large(status, limit));
    }
    let Some(first) = next(&mut body, status).await? else {
        return Ok(Bytes::new());
    };
    if first.len() > limit {
        return Err(broken::too_large(status, limit));
    }
    if body.is_end_stream() {
        return Ok(first);
    }
    let expected = body.size_hint().exact().unwrap_or(0) as usize;
    let mut whole = BytesMut::with_capacity(first.len() + expected);
    whole.extend_from_slice(&first);
    while let Some(chunk) = next(&mut body, status).await? {
        if chunk.len() > limit - whole.len() {
            return Err(broken::too_large(status, limit));
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

/// A body that is read as it arrives.
pub(super) struct Arriving {
    pub(super) body: Incoming,
    pub(super) status: StatusCode,
}

impl BodyStream for Arriving {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Bytes>>> {
        Box::pin(next(&mut self.body, self.status))
    }
}

/// Returns the next data frame of the body, or `None` at its end.
async fn next(body: &mut Incoming, status: StatusCode) -> Result<Option<Bytes>> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|cause| broken::within_body(status, cause.into()))?;
        // Trailers are ignored.
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

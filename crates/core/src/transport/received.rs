//! The bodies of answers.

use bytes::{Buf, Bytes, BytesMut};
use http::StatusCode;
use http_body::Body;
use http_body_util::BodyExt;

use super::{BodyStream, broken};
use crate::{BoxFuture, Result};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Reads a body of at most `limit` bytes. Beyond the limit the body is dropped unread, which closes
/// its connection.
pub(super) async fn read<B>(mut body: B, status: StatusCode, limit: usize) -> Result<Bytes>
where
    B: Body<Data: Send, Error: Into<Cause>> + Send + Unpin,
{
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
    let expected = body.size_hint().exact().unwrap_or(0);
    // Any tower service may have made this promise.
    let rest = expected.min((limit - first.len()) as u64) as usize;
    let mut whole = BytesMut::with_capacity(first.len() + rest);
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
pub(super) struct Arriving<B> {
    pub(super) body: B,
    pub(super) status: StatusCode,
}

impl<B> BodyStream for Arriving<B>
where
    B: Body<Data: Send, Error: Into<Cause>> + Send + Unpin,
{
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Bytes>>> {
        Box::pin(next(&mut self.body, self.status))
    }
}

/// Returns the next data frame of the body, or `None` at its end.
async fn next<B>(body: &mut B, status: StatusCode) -> Result<Option<Bytes>>
where
    B: Body<Data: Send, Error: Into<Cause>> + Send + Unpin,
{
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|cause| broken::within_body(status, cause.into()))?;
        // Trailers are ignored.
        if let Ok(mut data) = frame.into_data() {
            // Copies nothing if it is `Bytes`.
            return Ok(Some(data.copy_to_bytes(data.remaining())));
        }
    }
    Ok(None)
}

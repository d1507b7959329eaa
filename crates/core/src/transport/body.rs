//! The bodies of requests.

use std::pin::Pin;
#[cfg(feature = "http2")]
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::Written;
#[cfg(feature = "http2")]
use super::silence::Silence;
use crate::{Error, Result, Sent};

/// The body of a request, which says whether anything of the request was written.
///
/// A connection asks whether there is a body before it writes the first byte of the head. A request
/// that is dropped without that question has not reached a connection. If it is too late by then,
/// the body claims to have content, and fails when that is asked for: the connection has the head in
/// memory at that point, and closes without writing it. A connection of HTTP/2 writes the head and
/// resets the stream: where it may be one, such a request counts as written.
///
/// Boxed, since requests are moved often on their way to a connection, and absent if there is nothing
/// to send or to say.
pub(super) struct Outgoing(Option<Box<Sending>>);

struct Sending {
    body: Bytes,
    written: Written,
    may_be_http2: bool,
    #[cfg(feature = "http2")]
    silence: Option<Arc<Silence>>,
    /// Whether a piece was taken.
    #[cfg(feature = "http2")]
    is_begun: bool,
}

impl Outgoing {
    pub(super) fn new(body: Bytes, written: Written, may_be_http2: bool) -> Self {
        let is_needed = !body.is_empty() || written.is_heard();
        Self(is_needed.then(|| {
            Box::new(Sending {
                body,
                written,
                may_be_http2,
                #[cfg(feature = "http2")]
                silence: None,
                #[cfg(feature = "http2")]
                is_begun: false,
            })
        }))
    }

    /// Has a connection that requests share learn when some of the body is taken.
    #[cfg(feature = "http2")]
    pub(super) fn tell(&mut self, silence: &Arc<Silence>) {
        if let Some(sending) = &mut self.0 {
            sending.silence = Some(Arc::clone(silence));
        }
    }

    /// Called by the connection that has the request. `None` if there is nothing to send or to say.
    fn taken(&self) -> Result<Option<&Sending>> {
        let Some(sending) = self.0.as_deref() else {
            return Ok(None);
        };
        match sending.written.may_begin() {
            Err(late) if sending.may_be_http2 => {
                sending.written.head_may_leave();
                Err(late.with_sent(Sent::Maybe))
            }
            may_begin => may_begin.map(|()| Some(sending)),
        }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>>>> {
        if let Err(late) = self.taken() {
            return Poll::Ready(Some(Err(late)));
        }
        let piece = self.0.as_deref_mut().and_then(Sending::piece);
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        match self.taken() {
            Ok(taken) => taken.is_none_or(|sending| sending.body.is_empty()),
            Err(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self.taken() {
            Ok(Some(sending)) => SizeHint::with_exact(sending.body.len() as u64),
            Ok(None) => SizeHint::with_exact(0),
            // Known and not zero, or the content would not be asked for with every method.
            Err(_) => SizeHint::with_exact(1),
        }
    }
}

impl Sending {
    /// Takes what is to be written next.
    fn piece(&mut self) -> Option<Bytes> {
        if self.body.is_empty() {
            return None;
        }
        #[cfg(feature = "http2")]
        if let Some(silence) = &self.silence {
            // The first piece is taken whether or not the connection has room for it.
            if std::mem::replace(&mut self.is_begun, true) {
                silence.pause();
            }
            return Some(self.body.split_to(self.body.len().min(PIECE)));
        }
        Some(std::mem::take(&mut self.body))
    }
}

/// With the head of its frame it fills a record of TLS; every server of HTTP/2 takes as much (RFC 9113,
/// 4.2).
#[cfg(feature = "http2")]
const PIECE: usize = (1 << 14) - 9;

impl Drop for Sending {
    fn drop(&mut self) {
        self.written.given_up();
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[test]
    fn what_comes_too_late_counts_as_written_only_where_its_head_may_leave() {
        for may_be_http2 in [false, true] {
            let written = Written::heard_until(Instant::now(), None);
            let outgoing = Outgoing::new(Bytes::new(), written.clone(), may_be_http2);
            assert_eq!(outgoing.size_hint().exact(), Some(1));
            assert!(!outgoing.is_end_stream());
            drop(outgoing);
            assert_eq!(written.is_nothing(), !may_be_http2);
            // It stays refused.
            written.may_begin().unwrap_err();
        }
    }
}

//! The bodies of requests.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};

use super::Written;
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
    body: Full<Bytes>,
    written: Written,
    may_be_http2: bool,
}

impl Outgoing {
    pub(super) fn new(body: Bytes, written: Written, may_be_http2: bool) -> Self {
        let is_needed = !body.is_empty() || written.is_heard();
        let body = Full::new(body);
        Self(is_needed.then(|| {
            Box::new(Sending {
                body,
                written,
                may_be_http2,
            })
        }))
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
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>>>> {
        if let Err(late) = self.taken() {
            return Poll::Ready(Some(Err(late)));
        }
        match &mut self.0 {
            Some(sending) => Pin::new(&mut sending.body)
                .poll_frame(cx)
                .map_err(|never| match never {}),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self.taken() {
            Ok(taken) => taken.is_none_or(|sending| sending.body.is_end_stream()),
            Err(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self.taken() {
            Ok(Some(sending)) => sending.body.size_hint(),
            Ok(None) => SizeHint::with_exact(0),
            // Known and not zero, or the content would not be asked for with every method.
            Err(_) => SizeHint::with_exact(1),
        }
    }
}

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

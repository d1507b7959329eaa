//! HTTP/2, by h2's server: hyper's says nothing of streams, which faults need.

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{BufMut, Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{Reason, RecvStream, StreamId};
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderValue, Method};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Service;
use super::http1::NOT_HTTP;
use super::reply::Reply;
use super::wire::Wire;
use crate::mock::faults::Harm;
use crate::mock::host::Exchange;
use crate::transport::Response;

/// What a client sends first (RFC 9113, section 3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How a fault of one stream ends the connection, and with it all others.
struct End {
    /// Written past h2, after everything that streams have sent.
    last: Bytes,
    is_reset: bool,
}

impl End {
    fn reset_after(last: impl Into<Bytes>) -> Self {
        Self {
            last: last.into(),
            is_reset: true,
        }
    }

    fn close_after(last: impl Into<Bytes>) -> Self {
        Self {
            last: last.into(),
            is_reset: false,
        }
    }
}

pub(super) async fn serve(service: &Service, wire: Wire) {
    // The client notices all failures on its side of the connection.
    let Ok(mut connection) = h2::server::handshake(wire.clone()).await else {
        return;
    };
    let (ask, mut asked) = mpsc::unbounded_channel();
    let mut streams = JoinSet::new();
    let end: End = loop {
        tokio::select! {
            // Accepting writes, too: what streams have sent leaves before the connection ends.
            biased;
            accepted = connection.accept() => {
                let Some(Ok((request, respond))) = accepted else {
                    return;
                };
                let (service, ask) = (service.clone(), ask.clone());
                streams.spawn(async move {
                    let _ = answer(&service, request, respond, &ask).await;
                });
                while streams.try_join_next().is_some() {}
            }
            Some(end) = asked.recv() => break end,
        }
    };
    let _ = wire.write(&end.last).await;
    let _ = match end.is_reset {
        true => wire.reset_on_drop(),
        false => wire.close().await,
    };
}

/// Answers one request, or has its connection end.
async fn answer(
    service: &Service,
    request: http::Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    ask: &mpsc::UnboundedSender<End>,
) -> Result<(), h2::Error> {
    let is_head = request.method() == Method::HEAD;
    let Exchange { response, harm, .. } = service.answer(request.map(Asked)).await;
    let has_body = !is_head && !matches!(response.status.as_u16(), 204 | 304);
    let length = response.body.len() as u64;
    // The head of an answer without a body ends its stream: nothing is left to damage.
    let harm = harm.filter(|harm| has_body || !harm.is_in_body());
    let harm = match Reply::new(&response.body, harm) {
        Ok(body) => return send(&mut respond, &response, has_body, body).await,
        Err(harm) => harm,
    };
    // A stream whose sender is dropped is reset: they are kept until the connection ends.
    let mut _sender = None;
    let end = match harm {
        Harm::NoAnswer => return poll_fn(|cx| respond.poll_reset(cx)).await.map(drop),
        Harm::ResetStream(code) => {
            respond.send_reset(Reason::from(code));
            return Ok(());
        }
        Harm::WrongLength(declared) => {
            let mut sender = respond.send_response(head(&response, Some(declared)), false)?;
            return sender.send_data(response.body, true);
        }
        Harm::ResetBeforeHead => End::reset_after(""),
        Harm::ResetInHead => End::reset_after(half_a_head(respond.stream_id())),
        Harm::ResetAfterHead | Harm::CutBody => {
            let declared = Some(length.max(1));
            let mut sender = respond.send_response(head(&response, declared), false)?;
            let end = match harm {
                Harm::ResetAfterHead => End::reset_after(""),
                _ => {
                    let half = response.body.slice(..response.body.len() / 2);
                    sender.send_data(half, false)?;
                    End::close_after("")
                }
            };
            _sender = Some(sender);
            end
        }
        Harm::CloseWhenIdle => {
            let body = Reply::Whole(response.body.clone());
            send(&mut respond, &response, has_body, body).await?;
            End::close_after("")
        }
        Harm::NotHttp => End::close_after(NOT_HTTP),
        Harm::GoAway(code) => End::close_after(go_away(code)),
        // These are bodies.
        Harm::Drip { .. } | Harm::HugeBody(_) => return Ok(()),
    };
    let _ = ask.send(end);
    pending().await
}

/// Sends a whole answer, as fast as the client takes it.
async fn send(
    respond: &mut SendResponse<Bytes>,
    response: &Response,
    has_body: bool,
    mut body: Reply,
) -> Result<(), h2::Error> {
    let is_end = !has_body || body.is_end_stream();
    let declared = body.size_hint().exact().filter(|length| *length > 0);
    let mut sender = respond.send_response(head(response, declared), is_end)?;
    if is_end {
        return Ok(());
    }
    while let Some(Ok(frame)) = body.frame().await {
        let mut data = frame.into_data().unwrap_or_default();
        while !data.is_empty() {
            sender.reserve_capacity(data.len());
            let Some(capacity) = poll_fn(|cx| sender.poll_capacity(cx)).await else {
                return Ok(());
            };
            let piece = data.split_to(data.len().min(capacity?));
            sender.send_data(piece, false)?;
        }
    }
    sender.send_data(Bytes::new(), true)
}

fn head(response: &Response, length: Option<u64>) -> http::Response<()> {
    let mut head = http::Response::new(());
    *head.status_mut() = response.status;
    let headers = head.headers_mut();
    headers.clone_from(&response.headers);
    // Those of connections are of HTTP/1.1 (RFC 9113, section 8.2.2).
    for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        headers.remove(name);
    }
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    head
}

/// A frame of a head that says that it is longer (RFC 9113, section 6.2).
fn half_a_head(stream: StreamId) -> Bytes {
    const HEADERS: u8 = 1;
    const END_HEADERS: u8 = 4;
    /// `:status: 200`, by its place in the table of RFC 7541.
    const OK: u8 = 0x88;

    let mut frame = frame_head(2, HEADERS, END_HEADERS, stream.into());
    frame.put_u8(OK);
    frame.freeze()
}

/// A whole frame that says that no request was looked at (RFC 9113, section 6.8).
fn go_away(code: u32) -> Bytes {
    const GOAWAY: u8 = 7;

    let mut frame = frame_head(8, GOAWAY, 0, 0);
    let last_stream = 0;
    frame.put_u32(last_stream);
    frame.put_u32(code);
    frame.freeze()
}

fn frame_head(length: u32, kind: u8, flags: u8, stream: u32) -> BytesMut {
    let mut frame = BytesMut::new();
    frame.put_uint(u64::from(length), 3);
    frame.put_u8(kind);
    frame.put_u8(flags);
    frame.put_u32(stream);
    frame
}

/// The body of a request.
struct Asked(RecvStream);

impl Body for Asked {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        // Trailers are ignored.
        let data = ready!(self.0.poll_data(cx)).transpose()?;
        if let Some(data) = &data {
            self.0.flow_control().release_capacity(data.len())?;
        }
        Poll::Ready(data.map(|data| Ok(Frame::data(data))))
    }
}

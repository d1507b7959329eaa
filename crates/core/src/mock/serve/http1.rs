//! HTTP/1.1, by hyper's server.

use std::fmt;
use std::future::pending;

use bytes::{BufMut, BytesMut};
use http::Method;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};

use super::Service;
use super::reply::Reply;
use super::wire::Wire;
use crate::mock::faults::Harm;
use crate::mock::host::Exchange;
use crate::transport::Response;

pub(super) async fn serve(service: &Service, wire: Wire) {
    let answering = hyper::service::service_fn(|request| answer(service, request, &wire));
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(wire.clone()), answering)
        .await;
}

/// Answers through hyper, or bypasses it and ends the connection.
async fn answer(
    service: &Service,
    request: http::Request<Incoming>,
    wire: &Wire,
) -> Result<http::Response<Reply>, Ended> {
    let is_head = request.method() == Method::HEAD;
    let Exchange { response, harm, .. } = service.answer(request).await;
    let body = match Reply::new(&response.body, harm) {
        Ok(body) => body,
        Err(harm) => {
            let body = if is_head { &[] } else { &*response.body };
            harmed(wire, harm, &response, body).await.ok();
            return Err(Ended);
        }
    };
    let mut reply = http::Response::new(body);
    *reply.status_mut() = response.status;
    *reply.headers_mut() = response.headers;
    // hyper frames the body as it is.
    reply.headers_mut().remove(CONTENT_LENGTH);
    reply.headers_mut().remove(TRANSFER_ENCODING);
    Ok(reply)
}

/// Applies the fault to the connection. The caller then drops the connection.
async fn harmed(wire: &Wire, harm: Harm, response: &Response, body: &[u8]) -> std::io::Result<()> {
    match harm {
        Harm::NoAnswer => pending().await,
        // It is all of the connection's streams.
        Harm::ResetBeforeHead | Harm::ResetStream(_) => wire.reset_on_drop(),
        Harm::ResetInHead => {
            let head = head(response, body.len() as u64);
            wire.write(&head[..head.len() / 2]).await?;
            wire.reset_on_drop()
        }
        Harm::ResetAfterHead => {
            wire.write(&head(response, body.len().max(1) as u64))
                .await?;
            wire.reset_on_drop()
        }
        Harm::CutBody => {
            let mut bytes = head(response, body.len().max(1) as u64);
            bytes.extend_from_slice(&body[..body.len() / 2]);
            wire.write(&bytes).await?;
            wire.close().await
        }
        Harm::WrongLength(declared) => {
            let mut bytes = head(response, declared);
            bytes.extend_from_slice(body);
            wire.write(&bytes).await?;
            if declared > body.len() as u64 {
                return wire.close().await;
            }
            // The rest of the body is where the next answer would be, and the client has to notice
            // that. hyper drops this future when the client disconnects.
            pending().await
        }
        Harm::NotHttp => {
            wire.write(NOT_HTTP).await?;
            wire.close().await
        }
        Harm::CloseWhenIdle => {
            let mut bytes = head(response, body.len() as u64);
            bytes.extend_from_slice(body);
            wire.write(&bytes).await?;
            wire.close().await
        }
        Harm::GoAway(_) => wire.close().await,
        // These are bodies that hyper writes.
        Harm::Drip { .. } | Harm::HugeBody(_) => Ok(()),
    }
}

fn head(response: &Response, length: u64) -> BytesMut {
    let mut head = BytesMut::new();
    head.put_slice(b"HTTP/1.1 ");
    head.put_slice(response.status.as_str().as_bytes());
    head.put_slice(b" \r\n");
    for (name, value) in &response.headers {
        if *name != CONTENT_LENGTH && *name != TRANSFER_ENCODING {
            head.put_slice(name.as_str().as_bytes());
            head.put_slice(b": ");
            head.put_slice(value.as_bytes());
            head.put_slice(b"\r\n");
        }
    }
    head.put_slice(format!("content-length: {length}\r\n\r\n").as_bytes());
    head
}

/// What begins like a TLS record.
pub(super) const NOT_HTTP: &[u8] = b"\x15\x03\x01 this is not HTTP\r\n\r\n";

/// Tells hyper to end the connection; the fault has already written its bytes.
#[derive(Debug)]
struct Ended;

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ended by a fault")
    }
}

impl std::error::Error for Ended {}

//! A host over TCP and TLS, by hyper's server.

use std::fmt;
use std::future::pending;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, StatusCode, Uri};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;

use super::faults::Harm;
use super::host::Exchange;
use super::wire::{Socket, Wire};
use super::{CertificateAuthority, Host};
use crate::task::Task;
use crate::transport::{Request, Response};
use crate::{Error, ErrorKind, Result};

impl Host {
    /// Serves HTTP/1.1 until the returned value is dropped. With port 0 the system picks a free
    /// port.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the host cannot listen on the address.
    pub async fn serve(&self, address: SocketAddr) -> Result<Serving> {
        Serving::start(self.clone(), address, None).await
    }

    /// Serves HTTP/1.1 over TLS with a certificate for 127.0.0.1, ::1 and localhost.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the host cannot listen on the address.
    pub async fn serve_tls(
        &self,
        address: SocketAddr,
        authority: &CertificateAuthority,
    ) -> Result<Serving> {
        Serving::start(self.clone(), address, Some(authority.server_config(None)?)).await
    }

    /// Like [`serve_tls`](Self::serve_tls), but only for clients with a
    /// [certificate](CertificateAuthority::client_certificate) of `clients`, which may be the
    /// same authority.
    ///
    /// # Errors
    ///
    /// As [`serve_tls`](Self::serve_tls).
    pub async fn serve_tls_to(
        &self,
        address: SocketAddr,
        authority: &CertificateAuthority,
        clients: &CertificateAuthority,
    ) -> Result<Serving> {
        let tls = authority.server_config(Some(clients))?;
        Serving::start(self.clone(), address, Some(tls)).await
    }
}

/// A host that is served on a socket. Dropping this ends all its connections.
#[must_use = "dropping it ends the server"]
pub struct Serving {
    address: SocketAddr,
    scheme: Scheme,
    _task: Task,
}

impl Serving {
    async fn start(
        host: Host,
        address: SocketAddr,
        tls: Option<Arc<ServerConfig>>,
    ) -> Result<Self> {
        let fail = |cause: std::io::Error| {
            let message = format!("cannot listen on {address}");
            Error::new(ErrorKind::Config, message).with_source(cause)
        };
        let listener = TcpListener::bind(address).await.map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        let scheme = match tls {
            Some(_) => Scheme::HTTPS,
            None => Scheme::HTTP,
        };
        let service = Service {
            host,
            scheme: scheme.clone(),
        };
        Ok(Self {
            address,
            scheme,
            _task: Task::spawn(accept(listener, tls.map(TlsAcceptor::from), service)),
        })
    }

    /// Returns the address with the actual port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the root URL, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Serving({})", self.url())
    }
}

/// Accepts connections until it is dropped, which drops them too.
async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, service: Service) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((tcp, _)) => {
                connections.spawn(converse(tcp, tls.clone(), service.clone()));
            }
            // Out of file descriptors, or the peer has already gone: let other tasks run.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(tcp: TcpStream, tls: Option<TlsAcceptor>, service: Service) {
    // The client notices a failure here on its side of the connection.
    let _ = tcp.set_nodelay(true);
    let socket = match tls {
        None => Socket::Plain(tcp),
        Some(tls) => match tokio::time::timeout(PART_TIME, tls.accept(tcp)).await {
            Ok(Ok(stream)) => Socket::Tls(Box::new(stream)),
            Ok(Err(_)) | Err(_) => return,
        },
    };
    let wire = Wire::new(socket);
    let answering = hyper::service::service_fn(|request| service.answer(request, &wire));
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(wire.clone()), answering)
        .await;
}

#[derive(Clone)]
struct Service {
    host: Host,
    scheme: Scheme,
}

impl Service {
    /// Answers through hyper, or bypasses it and ends the connection.
    async fn answer(
        &self,
        request: http::Request<Incoming>,
        wire: &Wire,
    ) -> Result<http::Response<Reply>, Ended> {
        let is_head = request.method() == Method::HEAD;
        let request = match self.read(request).await {
            Ok(request) => request,
            Err(status) => return Ok(reply(Response::new(status), Reply::whole(Bytes::new()))),
        };
        let Exchange {
            response,
            delay,
            harm,
        } = self.host.exchange(&request);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let body = response.body.clone();
        let body = match harm {
            None => Reply::whole(body),
            Some(Harm::Drip { bytes, wait }) => Reply::drip(body, bytes, wait),
            Some(Harm::HugeBody(bytes)) => Reply::Huge { left: bytes },
            Some(harm) => {
                let body = if is_head { &[] } else { &*response.body };
                harmed(wire, harm, &response, body).await.ok();
                return Err(Ended);
            }
        };
        Ok(reply(response, body))
    }

    /// Reads a whole request, or returns the status to refuse it with.
    async fn read(&self, request: http::Request<Incoming>) -> Result<Request, StatusCode> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, MAX_REQUEST);
        let Ok(read) = tokio::time::timeout(PART_TIME, body.collect()).await else {
            return Err(StatusCode::REQUEST_TIMEOUT);
        };
        let body = match read {
            Ok(body) => body.to_bytes(),
            Err(cause) if cause.is::<http_body_util::LengthLimitError>() => {
                return Err(StatusCode::PAYLOAD_TOO_LARGE);
            }
            Err(_) => return Err(StatusCode::BAD_REQUEST),
        };
        let authority = head.uri.authority().cloned().or_else(|| {
            let host = head.headers.get(HOST)?;
            Authority::try_from(host.as_bytes()).ok()
        });
        let mut parts = head.uri.into_parts();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = authority;
        parts.path_and_query = parts
            .path_and_query
            .or(Some(PathAndQuery::from_static("/")));
        // HTTP/1.1 requests without a valid Host are refused (RFC 9112, 3.2).
        let uri = Uri::from_parts(parts).map_err(|_| StatusCode::BAD_REQUEST)?;
        let mut request = Request::new(head.method, uri);
        request.headers = head.headers;
        request.body = body;
        Ok(request)
    }
}

/// Applies the fault to the connection. The caller then drops the connection.
async fn harmed(wire: &Wire, harm: Harm, response: &Response, body: &[u8]) -> std::io::Result<()> {
    match harm {
        Harm::NoAnswer => pending().await,
        Harm::ResetBeforeHead => wire.reset_on_drop(),
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
            wire.write(b"\x15\x03\x01 this is not HTTP\r\n\r\n").await?;
            wire.close().await
        }
        Harm::CloseWhenIdle => {
            let mut bytes = head(response, body.len() as u64);
            bytes.extend_from_slice(body);
            wire.write(&bytes).await?;
            wire.close().await
        }
        // hyper writes these.
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

fn reply(response: Response, body: Reply) -> http::Response<Reply> {
    let mut reply = http::Response::new(body);
    *reply.status_mut() = response.status;
    *reply.headers_mut() = response.headers;
    // hyper frames the body as it is.
    reply.headers_mut().remove(CONTENT_LENGTH);
    reply.headers_mut().remove(TRANSFER_ENCODING);
    reply
}

/// A body that is sent at the pace of its fault.
enum Reply {
    Whole(Bytes),
    Drip {
        rest: Bytes,
        piece: usize,
        wait: Duration,
        sleep: Option<Pin<Box<Sleep>>>,
    },
    Huge {
        left: u64,
    },
}

impl Reply {
    fn whole(body: Bytes) -> Self {
        Self::Whole(body)
    }

    fn drip(rest: Bytes, piece: usize, wait: Duration) -> Self {
        Self::Drip {
            rest,
            piece,
            wait,
            sleep: None,
        }
    }
}

impl http_body::Body for Reply {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let data = match self.get_mut() {
            Self::Whole(body) => std::mem::take(body),
            Self::Drip {
                rest,
                piece,
                wait,
                sleep,
            } => {
                if rest.is_empty() {
                    return Poll::Ready(None);
                }
                let waiting = sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(*wait)));
                std::task::ready!(waiting.as_mut().poll(cx));
                *sleep = None;
                rest.split_to(rest.len().min(*piece))
            }
            Self::Huge { left } => {
                let size = (*left).min(BLANKS.len() as u64) as usize;
                *left -= size as u64;
                Bytes::from_static(&BLANKS[..size])
            }
        };
        Poll::Ready((!data.is_empty()).then(|| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_empty(),
            Self::Drip { rest, .. } => rest.is_empty(),
            Self::Huge { left } => *left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => SizeHint::with_exact(body.len() as u64),
            Self::Drip { rest, .. } => SizeHint::with_exact(rest.len() as u64),
            Self::Huge { .. } => SizeHint::default(),
        }
    }
}

/// Tells hyper to end the connection; the fault has already written its bytes.
#[derive(Debug)]
struct Ended;

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ended by a fault")
    }
}

impl std::error::Error for Ended {}

const MAX_REQUEST: usize = 16 << 20;

/// The time limit for a TLS handshake, and for the body of a request. hyper has the same limit for
/// the head.
const PART_TIME: Duration = Duration::from_secs(30);

static BLANKS: [u8; 16 << 10] = [b' '; 16 << 10];

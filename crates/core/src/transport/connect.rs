//! Connects to a URL in phases: name, TCP and TLS. Each has its own error; one limit covers all of
//! them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::dns::CachedResolver;
use crate::deadline::{after, in_words};
use crate::url::place;
use crate::{BoxFuture, ConnectPhase, Error, ErrorKind, Result, TimeoutScope};

/// Makes connections for the pool, which clones it twice for each request.
#[derive(Clone)]
pub(super) struct Connector(Arc<Way>);

struct Way {
    tcp: HttpConnector<CachedResolver>,
    /// `Err` holds the reason why https is impossible, which is reported only for https URLs.
    tls: Result<TlsConnector>,
    timeout: Duration,
    max_age: Duration,
}

impl Connector {
    pub(super) fn new(
        resolver: CachedResolver,
        tls: Result<Arc<rustls::ClientConfig>>,
        timeout: Duration,
        max_age: Duration,
    ) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(resolver);
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // The addresses of a name share this limit, so that one that drops all packets leaves time
        // for the next. It is a fifth longer, so that for a single address the overall limit ends
        // first.
        tcp.set_connect_timeout(Some(timeout.saturating_add(timeout / 5)));
        tcp.set_keepalive(Some(Duration::from_secs(15)));
        tcp.set_keepalive_interval(Some(Duration::from_secs(15)));
        tcp.set_keepalive_retries(Some(3));
        #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
        tcp.set_tcp_user_timeout(Some(Duration::from_secs(30)));
        Self(Arc::new(Way {
            tcp,
            tls: tls.map(TlsConnector::from),
            timeout,
            max_age,
        }))
    }
}

impl Connector {
    /// Continues a plain connection with TLS.
    pub(super) async fn secure(&self, uri: &Uri, stream: Stream) -> Result<Stream> {
        let way = &self.0;
        let tls = way.tls.clone()?;
        let Io::Plain(tcp) = stream.io else {
            return Ok(stream);
        };
        let (host, place) = (uri.host().unwrap_or_default(), place(uri));
        let secured = way.secure(&tls, host, &place, tcp);
        tokio::time::timeout(way.timeout, secured)
            .await
            .unwrap_or_else(|_| Err(too_late(uri, way.timeout)))
    }
}

fn too_late(uri: &Uri, limit: Duration) -> Error {
    let (place, limit) = (place(uri), in_words(limit));
    Error::new(
        ErrorKind::Timeout(TimeoutScope::Connect),
        format!("no connection to {place} within {limit}"),
    )
    .with_retryable(true)
}

impl Way {
    async fn connect(&self, uri: Uri) -> Result<Stream> {
        let tls = match uri.scheme_str() {
            Some("https") => Some(self.tls.clone()?),
            Some("http") => None,
            _ => return Err(Error::new(ErrorKind::Config, NO_SCHEME)),
        };
        let host = uri.host().unwrap_or_default().to_owned();
        let place = place(&uri);
        let tcp = self.connect_tcp(uri).await?;
        match tls {
            Some(tls) => self.secure(&tls, &host, &place, tcp).await,
            None => Ok(Stream::new(Io::Plain(tcp), self.max_age)),
        }
    }

    async fn connect_tcp(&self, uri: Uri) -> Result<TokioIo<TcpStream>> {
        let place = place(&uri);
        tower_service::Service::call(&mut self.tcp.clone(), uri)
            .await
            .map_err(|cause| tcp_error(&place, cause))
    }

    async fn secure(
        &self,
        tls: &TlsConnector,
        host: &str,
        place: &str,
        tcp: TokioIo<TcpStream>,
    ) -> Result<Stream> {
        let literal = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let name = ServerName::try_from(literal).map_err(|cause| {
            Error::new(
                ErrorKind::Config,
                format!("{host} is not a name that TLS can verify"),
            )
            .with_source(cause)
        })?;
        let stream = tls
            .connect(name, tcp.into_inner())
            .await
            .map_err(|cause| tls_error(place, cause))?;
        Ok(Stream::new(
            Io::Tls(Box::new(TokioIo::new(stream))),
            self.max_age,
        ))
    }
}

impl tower_service::Service<Uri> for Connector {
    type Response = Stream;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Stream>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let way = Arc::clone(&self.0);
        Box::pin(async move {
            let limit = way.timeout;
            tokio::time::timeout(limit, way.connect(uri.clone()))
                .await
                .unwrap_or_else(|_| Err(too_late(&uri, limit)))
        })
    }
}

fn tls_error(place: &str, cause: io::Error) -> Error {
    use rustls::{Error as Tls, InvalidMessage};

    let inner = cause
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Tls>());
    let message = match inner {
        Some(Tls::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            format!("the server at {place} does not speak TLS: is it a port for plain http?")
        }
        _ => format!("the TLS handshake with {place} failed: {cause}"),
    };
    Error::new(ErrorKind::Connect(ConnectPhase::Tls), message)
        // A certificate or an alert will be the same in a moment.
        .with_retryable(cause.kind() != io::ErrorKind::InvalidData)
        .with_source(cause)
}

/// Returns our own DNS error if it is the cause of the connector's; otherwise a TCP error.
fn tcp_error(place: &str, cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    let mut next = std::error::Error::source(&cause);
    while let Some(inner) = next {
        if let Some(ours) = inner.downcast_ref::<Error>() {
            return ours.clone().with_place(place);
        }
        next = inner.source();
    }
    Error::new(
        ErrorKind::Connect(ConnectPhase::Tcp),
        format!("no connection to {place}"),
    )
    .with_retryable(true)
    .with_source(cause)
}

/// A connection and its history.
pub(super) struct Stream {
    io: Io,
    history: History,
}

/// What the transport must know about a connection. It accompanies every answer and every error.
#[derive(Clone)]
pub(super) struct History {
    /// When to remove it from the pool, so that DNS changes and rotated back ends are followed.
    pub(super) retire_at: Instant,
    /// Whether it has delivered an answer.
    pub(super) has_answered: Arc<AtomicBool>,
}

pub(super) const NO_SCHEME: &str = "a request needs an absolute URL: http://… or https://…";

/// The maximum of ages, since a jittered age must not overflow.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

enum Io {
    Plain(TokioIo<TcpStream>),
    Tls(Box<TokioIo<TlsStream<TcpStream>>>),
}

impl Stream {
    fn new(io: Io, max_age: Duration) -> Self {
        // Connections that were made together must not all end together.
        let age = max_age.min(LONGEST).mul_f64(0.8 + 0.4 * fastrand::f64());
        Self {
            io,
            history: History {
                retire_at: after(Instant::now(), age),
                has_answered: Arc::default(),
            },
        }
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new().extra(self.history.clone())
    }
}

impl Read for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().io {
            Io::Plain(io) => Pin::new(io).poll_read(cx, buf),
            Io::Tls(io) => Pin::new(io).poll_read(cx, buf),
        }
    }
}

impl Write for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().io {
            Io::Plain(io) => Pin::new(io).poll_write(cx, buf),
            Io::Tls(io) => Pin::new(io).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().io {
            Io::Plain(io) => Pin::new(io).poll_flush(cx),
            Io::Tls(io) => Pin::new(io).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().io {
            Io::Plain(io) => Pin::new(io).poll_shutdown(cx),
            Io::Tls(io) => Pin::new(io).poll_shutdown(cx),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.io {
            Io::Plain(io) => io.is_write_vectored(),
            Io::Tls(io) => io.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().io {
            Io::Plain(io) => Pin::new(io).poll_write_vectored(cx, bufs),
            Io::Tls(io) => Pin::new(io).poll_write_vectored(cx, bufs),
        }
    }
}

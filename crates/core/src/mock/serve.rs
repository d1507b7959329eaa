//! A host over sockets: TCP, TLS and socket files, by HTTP/1.1 and HTTP/2.

mod http1;
#[cfg(feature = "http2")]
mod http2;
mod reply;
mod wire;

use std::fmt;
use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, StatusCode, Uri};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use rustls::ServerConfig;
#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use self::wire::{Socket, Wire};
use super::host::Exchange;
use super::{CertificateAuthority, Host};
use crate::task::Task;
use crate::transport::{Request, Response};
#[cfg(unix)]
use crate::url::BaseUrl;
use crate::{Error, ErrorKind, Result};

impl Host {
    /// Serves HTTP/1.1, and with the feature `http2` also HTTP/2 to clients that speak it without
    /// asking, until the returned value is dropped. With port 0 the system picks a free port.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the host cannot listen on the address.
    pub async fn serve(&self, address: SocketAddr) -> Result<Serving> {
        Serving::start(self.clone(), address, None).await
    }

    /// Serves HTTP/1.1, and with the feature `http2` also HTTP/2 to clients that offer it in the
    /// handshake, over TLS with a certificate for 127.0.0.1, ::1, localhost, and the
    /// [other hosts](CertificateAuthority::also_for) of the authority.
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

    /// Serves as [`serve`](Self::serve) does, but on a new socket file, which is removed when the
    /// returned value is dropped. A socket file knows no resets: faults close the connection where
    /// they would reset it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the path is not absolute, too long or not
    /// one that [`BaseUrl`] can name, if the file exists, or if it cannot be created.
    #[cfg(unix)]
    #[expect(clippy::unused_async, reason = "it needs a runtime, as the others do")]
    pub async fn serve_unix(&self, path: impl AsRef<Path>) -> Result<ServingUnix> {
        ServingUnix::start(self.clone(), path.as_ref())
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
        let fail = |cause| cannot_listen(address, cause);
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
        let listener = Listener::Tcp(listener, tls.map(TlsAcceptor::from));
        Ok(Self {
            address,
            scheme,
            _task: Task::spawn(accept(listener, service)),
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

/// A host that is served on a socket file. Dropping this ends all its connections, and removes the
/// file.
#[cfg(unix)]
#[must_use = "dropping it ends the server"]
pub struct ServingUnix {
    url: BaseUrl,
    path: PathBuf,
    _task: Task,
}

#[cfg(unix)]
impl ServingUnix {
    fn start(host: Host, path: &Path) -> Result<Self> {
        let url = format!("unix:{}", path.display()).parse()?;
        let listener =
            UnixListener::bind(path).map_err(|cause| cannot_listen(path.display(), cause))?;
        let service = Service {
            host,
            scheme: Scheme::HTTP,
        };
        Ok(Self {
            url,
            path: path.to_owned(),
            _task: Task::spawn(accept(Listener::Unix(listener), service)),
        })
    }

    /// Returns the root URL, such as `unix:/run/agent.sock`.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.to_string()
    }
}

#[cfg(unix)]
impl Drop for ServingUnix {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(unix)]
impl fmt::Debug for ServingUnix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServingUnix({})", self.url)
    }
}

fn cannot_listen(place: impl fmt::Display, cause: io::Error) -> Error {
    Error::new(ErrorKind::Config, format!("cannot listen on {place}")).with_source(cause)
}

enum Listener {
    Tcp(TcpListener, Option<TlsAcceptor>),
    #[cfg(unix)]
    Unix(UnixListener),
}

/// A connection that was accepted.
enum Arrived {
    Open(Socket),
    /// In its handshake.
    Tls(Box<tokio_rustls::Accept<TcpStream>>),
}

impl Listener {
    async fn accept(&self) -> io::Result<Arrived> {
        match self {
            Self::Tcp(listener, tls) => {
                let (tcp, _) = listener.accept().await?;
                // The client notices a failure here on its side of the connection.
                let _ = tcp.set_nodelay(true);
                Ok(match tls {
                    None => Arrived::Open(Socket::Tcp(tcp)),
                    Some(tls) => Arrived::Tls(Box::new(tls.accept(tcp))),
                })
            }
            #[cfg(unix)]
            Self::Unix(listener) => {
                let (unix, _) = listener.accept().await?;
                Ok(Arrived::Open(Socket::Unix(unix)))
            }
        }
    }
}

/// Accepts connections until it is dropped, which drops them too.
async fn accept(listener: Listener, service: Service) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok(arrived) => {
                connections.spawn(service.clone().converse(arrived));
            }
            // Out of file descriptors, or the peer has already gone: let other tasks run.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

#[derive(Clone)]
struct Service {
    host: Host,
    scheme: Scheme,
}

impl Service {
    /// Serves a connection until it ends.
    async fn converse(self, arrived: Arrived) {
        let socket = match arrived {
            Arrived::Open(socket) => socket,
            Arrived::Tls(handshake) => match timeout(PART_TIME, handshake).await {
                Ok(Ok(tls)) => Socket::Tls(Box::new(tls)),
                Ok(Err(_)) | Err(_) => return,
            },
        };
        let wire = Wire::new(socket);
        #[cfg(feature = "http2")]
        match timeout(PART_TIME, wire.begins_with(http2::PREFACE)).await {
            Ok(Ok(true)) => return http2::serve(&self, wire).await,
            Ok(Ok(false)) => {}
            Ok(Err(_)) | Err(_) => return,
        }
        http1::serve(&self, wire).await;
    }

    /// Returns what to answer, after the time that it takes.
    async fn answer<B>(&self, request: http::Request<B>) -> Exchange
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
    {
        let exchange = match self.read(request).await {
            Ok(request) => self.host.exchange(&request),
            Err(status) => Exchange {
                response: Response::new(status),
                delay: Duration::ZERO,
                harm: None,
            },
        };
        if !exchange.delay.is_zero() {
            tokio::time::sleep(exchange.delay).await;
        }
        exchange
    }

    /// Reads a whole request, or returns the status to refuse it with.
    async fn read<B>(&self, request: http::Request<B>) -> Result<Request, StatusCode>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
    {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, MAX_REQUEST);
        let Ok(read) = timeout(PART_TIME, body.collect()).await else {
            return Err(StatusCode::REQUEST_TIMEOUT);
        };
        let body = match read {
            Ok(body) => body.to_bytes(),
            Err(cause) if cause.is::<LengthLimitError>() => {
                return Err(StatusCode::PAYLOAD_TOO_LARGE);
            }
            Err(_) => return Err(StatusCode::BAD_REQUEST),
        };
        let mut headers = head.headers;
        let authority = head.uri.authority().cloned().or_else(|| {
            let host = headers.get(HOST)?;
            Authority::try_from(host.as_bytes()).ok()
        });
        // Requests of HTTP/2 name the server only there.
        if let Some(authority) = &authority
            && let Ok(host) = HeaderValue::try_from(authority.as_str())
        {
            headers.entry(HOST).or_insert(host);
        }
        let mut parts = head.uri.into_parts();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = authority;
        parts.path_and_query = parts
            .path_and_query
            .or(Some(PathAndQuery::from_static("/")));
        // HTTP/1.1 requests without a valid Host are refused (RFC 9112, 3.2).
        let uri = Uri::from_parts(parts).map_err(|_| StatusCode::BAD_REQUEST)?;
        let mut request = Request::new(head.method, uri);
        request.headers = headers;
        request.body = body;
        Ok(request)
    }
}

const MAX_REQUEST: usize = 16 << 20;

/// The time limit for a TLS handshake, for the first bytes of a connection, and for the body of a
/// request. hyper has the same limit for the head.
const PART_TIME: Duration = Duration::from_secs(30);

//! Connects to a URL in phases: name, TCP and TLS. Each has its own error; one limit covers all of
//! them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use rustls::pki_types::ServerName;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;

use super::dns::CachedResolver;
#[cfg(feature = "proxy")]
use super::proxy::{Hop, Routes};
use super::tcp;
use super::wire::{Connection, Open, Via, Wire};
use crate::deadline::in_words;
use crate::observe::Observer;
use crate::url::place;
#[cfg(unix)]
use crate::url::socket_file;
use crate::{ConnectPhase, Error, ErrorKind, Result, TimeoutScope};

/// Makes connections.
#[derive(Clone)]
pub(super) struct Connector(Arc<Way>);

struct Way {
    resolver: CachedResolver,
    /// `Err` holds the reason why https is impossible, which is reported only for https URLs.
    tls: Result<TlsConnector>,
    #[cfg(feature = "proxy")]
    routes: Option<Routes>,
    #[cfg(feature = "proxy")]
    tls_to_proxy: Result<TlsConnector>,
    timeout: Duration,
    lasting: Lasting,
    observer: Option<Arc<dyn Observer>>,
}

/// What connections are for, how long they last, and how their ends are noticed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lasting {
    /// The protocols that a TLS handshake offers, the best first. With none, the server may expect
    /// any.
    pub(super) protocols: &'static [&'static [u8]],
    pub(super) max_age: Duration,
    pub(super) tcp_keepalive: Option<Duration>,
    pub(super) tcp_user_timeout: Option<Duration>,
}

impl Connector {
    pub(super) fn new(
        resolver: CachedResolver,
        tls: Result<Arc<rustls::ClientConfig>>,
        #[cfg(feature = "proxy")] routes: Option<Routes>,
        #[cfg(feature = "proxy")] tls_to_proxy: Result<Arc<rustls::ClientConfig>>,
        timeout: Duration,
        lasting: Lasting,
        observer: Option<Arc<dyn Observer>>,
    ) -> Self {
        Self(Arc::new(Way {
            resolver,
            tls: tls.map(TlsConnector::from),
            #[cfg(feature = "proxy")]
            routes,
            #[cfg(feature = "proxy")]
            tls_to_proxy: tls_to_proxy.map(TlsConnector::from),
            timeout,
            lasting,
            observer,
        }))
    }
}

impl Connector {
    /// Continues a plain connection with TLS.
    pub(super) async fn secure(&self, uri: &Uri, wire: Wire) -> Result<Wire> {
        if matches!(wire, Wire::Tls(_)) {
            return Ok(wire);
        }
        let way = &self.0;
        let tls = way.tls.clone()?;
        let secured = secure(&tls, uri, wire, &[]);
        tokio::time::timeout(way.timeout, secured)
            .await
            .unwrap_or_else(|_| Err(too_late(uri, way.timeout)))
    }

    /// Connects to the server of a URL.
    pub(super) async fn connect(&self, uri: &Uri) -> Result<Connection> {
        let limit = self.0.timeout;
        tokio::time::timeout(limit, self.0.connect(uri))
            .await
            .unwrap_or_else(|_| Err(too_late(uri, limit)))
    }

    /// Returns why a URL can never be connected to, as far as that is known.
    pub(super) fn check(&self, uri: &Uri) -> Result<()> {
        match &self.0.tls {
            Err(why) if uri.scheme() == Some(&Scheme::HTTPS) => Err(why.clone()),
            _ => Ok(()),
        }
    }

    /// Returns whether servers of https may choose HTTP/2.
    #[cfg(feature = "http2")]
    pub(super) fn offers_http2(&self) -> bool {
        !self.0.lasting.protocols.is_empty()
    }

    /// Returns the proxy that a request is sent to, rather than to its server.
    #[cfg(feature = "proxy")]
    pub(super) fn hop(&self, uri: &Uri) -> Option<&Hop> {
        self.0.routes.as_ref()?.hop(uri)
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
    async fn connect(&self, uri: &Uri) -> Result<Connection> {
        let tls = match uri.scheme_str() {
            Some("https") => Some(self.tls.clone()?),
            Some("http") => None,
            #[cfg(unix)]
            Some("unix") => return self.connect_socket(uri).await,
            _ => return Err(Error::new(ErrorKind::Config, NO_SCHEME)),
        };
        #[cfg(feature = "proxy")]
        if let Some(hop) = self.routes.as_ref().and_then(|routes| routes.hop(uri)) {
            return self.connect_through(hop, uri, tls).await;
        }
        let wire = self.connect_tcp(uri).await?;
        let wire = match tls {
            Some(tls) => secure(&tls, uri, wire, self.lasting.protocols).await?,
            None => wire,
        };
        Ok(self.connection(wire))
    }

    /// Connects to a proxy, and through a tunnel to the server if the request is of https.
    #[cfg(feature = "proxy")]
    async fn connect_through(
        &self,
        hop: &Hop,
        uri: &Uri,
        tls: Option<TlsConnector>,
    ) -> Result<Connection> {
        let to_proxy = async {
            let wire = self.connect_tcp(hop.url()).await?;
            match hop.is_https() {
                true => secure(&self.tls_to_proxy.clone()?, hop.url(), wire, &[]).await,
                false => Ok(wire),
            }
        };
        let wire = to_proxy.await.map_err(|error| hop.unreachable(error))?;
        match tls {
            Some(tls) => {
                let wire = hop.tunnel(wire, uri).await?;
                let wire = secure(&tls, uri, wire, self.lasting.protocols).await?;
                Ok(self.connection(wire))
            }
            // It speaks to the server itself, and HTTP/1.1 to its clients.
            None => Ok(self.connection_by(wire, &[], Some(hop.via()))),
        }
    }

    async fn connect_tcp(&self, uri: &Uri) -> Result<Wire> {
        let host = literal(uri.host().unwrap_or_default());
        let usual = if uri.scheme() == Some(&Scheme::HTTPS) {
            443
        } else {
            80
        };
        let addresses = match host.parse() {
            Ok(address) => vec![address],
            Err(_) => self
                .resolver
                .addresses(host)
                .await
                .map_err(|error| error.with_place(place(uri)))?,
        };
        // A fifth longer, so that for a single address the overall limit ends first.
        let limit = self.timeout.saturating_add(self.timeout / 5);
        let tcp = async {
            let tcp = tcp::connect(&addresses, uri.port_u16().unwrap_or(usual), limit).await?;
            let Lasting {
                tcp_keepalive,
                tcp_user_timeout,
                ..
            } = self.lasting;
            tcp::configure(&tcp, tcp_keepalive, tcp_user_timeout);
            Ok(Wire::Tcp(tcp))
        };
        tcp.await.map_err(|cause: io::Error| {
            let what = format!("no connection to {}", place(uri));
            Error::new(ErrorKind::Connect(ConnectPhase::Tcp), what)
                .with_retryable(true)
                .with_source(cause)
        })
    }

    #[cfg(unix)]
    async fn connect_socket(&self, uri: &Uri) -> Result<Connection> {
        let refused = |cause: io::Error| {
            // The file is missing or not ours, or no server listens on it.
            let what = format!("no connection to {}: {cause}", place(uri));
            Error::new(ErrorKind::Connect(ConnectPhase::Tcp), what)
                .with_retryable(true)
                .with_source(cause)
        };
        let file = socket_file(uri).ok_or_else(|| Error::new(ErrorKind::Config, NO_SCHEME))?;
        let socket = UnixStream::connect(file).await.map_err(refused)?;
        Ok(self.connection(Wire::Unix(socket)))
    }

    /// A connection to the server itself.
    fn connection(&self, wire: Wire) -> Connection {
        self.connection_by(wire, self.lasting.protocols, None)
    }

    fn connection_by(&self, wire: Wire, protocols: &[&[u8]], proxy: Option<Via>) -> Connection {
        let open = Open::new(self.observer.clone());
        Connection::new(wire, protocols, self.lasting.max_age, proxy, open)
    }
}

/// Continues a connection with TLS to the host of a URL, and lets the server choose a protocol if
/// several are named (ALPN).
async fn secure(tls: &TlsConnector, uri: &Uri, wire: Wire, protocols: &[&[u8]]) -> Result<Wire> {
    let host = uri.host().unwrap_or_default();
    let name = ServerName::try_from(literal(host).to_owned()).map_err(|cause| {
        let what = format!("{host} is not a name that TLS can verify");
        Error::new(ErrorKind::Config, what).with_source(cause)
    })?;
    let protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let stream = tls.with_alpn(protocols).connect(name, wire).await;
    let stream = stream.map_err(|cause| tls_error(&place(uri), cause))?;
    Ok(Wire::Tls(Box::new(stream)))
}

/// Returns a host as names and addresses are written outside of URLs.
fn literal(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
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

pub(super) const NO_SCHEME: &str =
    "a request needs an absolute URL: http://…, https://… or, on Unix, unix:…";

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::net::sockopt;

    use super::*;
    use crate::transport::HttpTransport;

    #[tokio::test]
    async fn the_system_watches_connections_as_it_was_told_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: Uri = format!("http://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let seconds = Duration::from_secs;
        let half = Duration::from_millis(500);
        let longest = Duration::from_millis(i32::MAX as u64);
        let with = |keepalive, user_timeout| {
            let network = HttpTransport::builder().tcp_keepalive(keepalive);
            network.tcp_user_timeout(user_timeout)
        };
        for (network, kept, limit) in [
            (HttpTransport::builder(), Some(seconds(15)), seconds(30)),
            (
                with(Some(seconds(7)), Some(seconds(9))),
                Some(seconds(7)),
                seconds(9),
            ),
            (with(Some(half), Some(half)), Some(seconds(1)), half),
            (
                with(Some(Duration::MAX), Some(Duration::MAX)),
                Some(seconds(32_767)),
                longest,
            ),
            (with(None, None), None, Duration::ZERO),
        ] {
            let connector = network.connector(&[]).unwrap();
            let Wire::Tcp(tcp) = connector.0.connect_tcp(&url).await.unwrap() else {
                unreachable!();
            };
            assert_eq!(sockopt::socket_keepalive(&tcp).unwrap(), kept.is_some());
            if let Some(interval) = kept {
                assert_eq!(sockopt::tcp_keepidle(&tcp).unwrap(), interval);
                assert_eq!(sockopt::tcp_keepintvl(&tcp).unwrap(), interval);
            }
            let milliseconds = sockopt::tcp_user_timeout(&tcp).unwrap();
            assert_eq!(u128::from(milliseconds), limit.as_millis());
        }
    }
}

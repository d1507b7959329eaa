//! Connects to a URL in phases: name, TCP and TLS. Each has its own error; one limit covers all of
//! them.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::pki_types::ServerName;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;

use super::dns::CachedResolver;
use super::parking::Parking;
#[cfg(feature = "proxy")]
use super::proxy::{Hop, Routes};
use super::wire::{Open, Stream, Via, Wire};
use crate::deadline::in_words;
use crate::observe::Observer;
use crate::url::place;
#[cfg(unix)]
use crate::url::socket_file;
use crate::{BoxFuture, ConnectPhase, Error, ErrorKind, Result, TimeoutScope};

/// Makes connections for the pool, which clones it twice for each request.
#[derive(Clone)]
pub(super) struct Connector(Arc<Way>);

struct Way {
    tcp: HttpConnector<CachedResolver>,
    /// `Err` holds the reason why https is impossible, which is reported only for https URLs.
    tls: Result<TlsConnector>,
    #[cfg(feature = "proxy")]
    routes: Option<Routes>,
    #[cfg(feature = "proxy")]
    tls_to_proxy: Result<TlsConnector>,
    timeout: Duration,
    keeping: Keeping,
    observer: Option<Arc<dyn Observer>>,
    parked: Parking,
}

/// What connections are for, how long they are kept, and how their ends are noticed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keeping {
    /// The protocols that a TLS handshake offers, the best first. With none, the server may expect
    /// any.
    pub(super) protocols: &'static [&'static [u8]],
    pub(super) max_age: Duration,
    pub(super) idle_timeout: Duration,
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
        keeping: Keeping,
        observer: Option<Arc<dyn Observer>>,
    ) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(resolver);
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // The addresses of a name share this limit, so that one that drops all packets leaves time
        // for the next. It is a fifth longer, so that for a single address the overall limit ends
        // first.
        tcp.set_connect_timeout(Some(timeout.saturating_add(timeout / 5)));
        tcp.set_keepalive(keeping.tcp_keepalive);
        tcp.set_keepalive_interval(keeping.tcp_keepalive);
        // Any of these would turn it on.
        tcp.set_keepalive_retries(keeping.tcp_keepalive.map(|_| 3));
        #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
        tcp.set_tcp_user_timeout(keeping.tcp_user_timeout);
        Self(Arc::new(Way {
            tcp,
            tls: tls.map(TlsConnector::from),
            #[cfg(feature = "proxy")]
            routes,
            #[cfg(feature = "proxy")]
            tls_to_proxy: tls_to_proxy.map(TlsConnector::from),
            timeout,
            keeping,
            observer,
            parked: Parking::default(),
        }))
    }
}

impl Connector {
    /// Continues a plain connection with TLS.
    pub(super) async fn secure(&self, uri: &Uri, stream: Stream) -> Result<Stream> {
        let way = &self.0;
        let tls = way.tls.clone()?;
        // It stays one connection.
        let (wire, open) = stream.into_parts();
        if matches!(wire, Wire::Tls(_)) {
            return Ok(way.stream_of(wire, None, open));
        }
        let secured = secure(&tls, uri, wire, &[]);
        tokio::time::timeout(way.timeout, secured)
            .await
            .unwrap_or_else(|_| Err(too_late(uri, way.timeout)))
            .map(|wire| way.stream_of(wire, None, open))
    }

    /// Makes a connection that the next one to the same server will be.
    pub(super) async fn warm_up(&self, uri: &Uri) -> Result<()> {
        let stream = tower_service::Service::call(&mut self.clone(), uri.clone()).await?;
        let idle_timeout = self.0.keeping.idle_timeout;
        self.0.parked.put(uri, stream, idle_timeout);
        Ok(())
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
    async fn connect(&self, uri: Uri) -> Result<Stream> {
        let tls = match uri.scheme_str() {
            Some("https") => Some(self.tls.clone()?),
            Some("http") => None,
            #[cfg(unix)]
            Some("unix") => return self.connect_socket(&uri).await,
            _ => return Err(Error::new(ErrorKind::Config, NO_SCHEME)),
        };
        #[cfg(feature = "proxy")]
        if let Some(hop) = self.routes.as_ref().and_then(|routes| routes.hop(&uri)) {
            return self.connect_through(hop, &uri, tls).await;
        }
        let wire = self.connect_tcp(&uri).await?;
        let wire = match tls {
            Some(tls) => secure(&tls, &uri, wire, self.keeping.protocols).await?,
            None => wire,
        };
        Ok(self.stream(wire))
    }

    /// Connects to a proxy, and through a tunnel to the server if the request is of https.
    #[cfg(feature = "proxy")]
    async fn connect_through(
        &self,
        hop: &Hop,
        uri: &Uri,
        tls: Option<TlsConnector>,
    ) -> Result<Stream> {
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
                let wire = secure(&tls, uri, wire, self.keeping.protocols).await?;
                Ok(self.stream(wire))
            }
            None => Ok(self.stream_by(wire, Some(hop.via()))),
        }
    }

    async fn connect_tcp(&self, uri: &Uri) -> Result<Wire> {
        tower_service::Service::call(&mut self.tcp.clone(), uri.clone())
            .await
            .map(|tcp| Wire::Tcp(tcp.into_inner()))
            .map_err(|cause| tcp_error(&place(uri), cause))
    }

    #[cfg(unix)]
    async fn connect_socket(&self, uri: &Uri) -> Result<Stream> {
        let refused = |cause: io::Error| {
            // The file is missing or not ours, or no server listens on it.
            let what = format!("no connection to {}: {cause}", place(uri));
            Error::new(ErrorKind::Connect(ConnectPhase::Tcp), what)
                .with_retryable(true)
                .with_source(cause)
        };
        let file = socket_file(uri).ok_or_else(|| Error::new(ErrorKind::Config, NO_SCHEME))?;
        let socket = UnixStream::connect(file).await.map_err(refused)?;
        Ok(self.stream(Wire::Unix(socket)))
    }

    /// A connection to the server itself.
    fn stream(&self, wire: Wire) -> Stream {
        self.stream_by(wire, None)
    }

    fn stream_by(&self, wire: Wire, proxy: Option<Via>) -> Stream {
        self.stream_of(wire, proxy, Open::new(self.observer.clone()))
    }

    fn stream_of(&self, wire: Wire, proxy: Option<Via>, open: Open) -> Stream {
        let Keeping {
            protocols, max_age, ..
        } = self.keeping;
        Stream::new(wire, protocols, max_age, proxy, open)
    }
}

/// Continues a connection with TLS to the host of a URL, and lets the server choose a protocol if
/// several are named (ALPN).
async fn secure(tls: &TlsConnector, uri: &Uri, wire: Wire, protocols: &[&[u8]]) -> Result<Wire> {
    let host = uri.host().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(literal.to_owned()).map_err(|cause| {
        let what = format!("{host} is not a name that TLS can verify");
        Error::new(ErrorKind::Config, what).with_source(cause)
    })?;
    let protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let stream = tls.with_alpn(protocols).connect(name, wire).await;
    let stream = stream.map_err(|cause| tls_error(&place(uri), cause))?;
    Ok(Wire::Tls(Box::new(stream)))
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
            if let Some(stream) = way.parked.take(&uri).await {
                return Ok(stream);
            }
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

pub(super) const NO_SCHEME: &str =
    "a request needs an absolute URL: http://…, https://… or, on Unix, unix:…";

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::net::sockopt;

    use super::super::dns::SystemResolver;
    use super::*;

    #[tokio::test]
    async fn the_system_watches_connections_as_it_was_told_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: Uri = format!("http://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        for (keepalive, user_timeout) in [(Some(7), Some(9)), (None, None)] {
            let seconds = |count: Option<u64>| count.map(Duration::from_secs);
            let keeping = Keeping {
                protocols: &[],
                max_age: Duration::MAX,
                idle_timeout: Duration::MAX,
                tcp_keepalive: seconds(keepalive),
                tcp_user_timeout: seconds(user_timeout),
            };
            let second = Duration::from_secs(1);
            let resolver = CachedResolver::new(Arc::new(SystemResolver::new()), second);
            let no_tls = Err(Error::new(ErrorKind::Config, "not needed"));
            let connector = Connector::new(
                resolver,
                no_tls.clone(),
                #[cfg(feature = "proxy")]
                None,
                #[cfg(feature = "proxy")]
                no_tls,
                60 * second,
                keeping,
                None,
            );
            let Wire::Tcp(tcp) = connector.0.connect_tcp(&url).await.unwrap() else {
                unreachable!();
            };
            assert_eq!(
                sockopt::socket_keepalive(&tcp).unwrap(),
                keepalive.is_some()
            );
            if let Some(interval) = seconds(keepalive) {
                assert_eq!(sockopt::tcp_keepidle(&tcp).unwrap(), interval);
                assert_eq!(sockopt::tcp_keepintvl(&tcp).unwrap(), interval);
            }
            let limit = user_timeout.map_or(0, |seconds| seconds as u32 * 1000);
            assert_eq!(sockopt::tcp_user_timeout(&tcp).unwrap(), limit);
        }
    }
}

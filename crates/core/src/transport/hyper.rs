//! The socket transport: hyper's HTTP over pooled connections.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
#[cfg(any(feature = "gzip", feature = "zstd"))]
use http::header::ACCEPT_ENCODING;
#[cfg(feature = "proxy")]
use http::header::PROXY_AUTHORIZATION;
use hyper::client::conn::http1;
#[cfg(feature = "http2")]
use hyper::client::conn::http2;
#[cfg(feature = "http2")]
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::body::Outgoing;
#[cfg(any(feature = "gzip", feature = "zstd"))]
use super::coding;
use super::connect::{Connector, Lasting};
use super::dial::Dialer;
use super::dns::{CachedResolver, Resolve, SystemResolver};
use super::host::Keeping;
use super::pool::{Pool, Protocols};
#[cfg(feature = "proxy")]
use super::proxy::Proxy;
use super::received::{Arriving, read};
use super::tls::{Roots, TlsSettings};
#[cfg(feature = "http2")]
use super::wire::HTTP2;
use super::{Request, Response, StreamedResponse, Transport};
use crate::observe::Observer;
use crate::url::drop_usual_port;
use crate::{BoxFuture, Result};

/// HTTP/1.1 over pooled connections, with TLS by rustls; HTTP/2 where it is asked for.
///
/// Cheap to clone; clones share the pool. Idle connections are kept for 20 seconds, at most 128 for
/// each origin, and no connection is reused after about five minutes. Connections are reused only on
/// the tokio runtime that made them. Redirects are never followed.
#[derive(Clone)]
pub struct HttpTransport {
    pool: Pool,
    /// Tells which requests a proxy is sent.
    #[cfg(feature = "proxy")]
    connector: Connector,
    #[cfg(feature = "http2")]
    http2: Http2,
    #[cfg(any(feature = "gzip", feature = "zstd"))]
    compressed: bool,
}

impl HttpTransport {
    /// Creates a builder with the defaults that its setters document.
    pub fn builder() -> HttpTransportBuilder {
        HttpTransportBuilder::default()
    }

    /// Adds what asks for a compressed answer, unless the request says itself what it accepts. Returns
    /// whether it was added.
    #[cfg(any(feature = "gzip", feature = "zstd"))]
    fn accept_compressed(&self, request: &mut Request) -> bool {
        // Calls without a wish of their own accept `identity`.
        let own = request.headers.get(ACCEPT_ENCODING);
        let asks = self.compressed && own.is_none_or(|own| own == "identity");
        if asks {
            let headers = &mut request.headers;
            headers.insert(ACCEPT_ENCODING, coding::accepted());
        }
        asks
    }

    fn may_speak_http2(&self) -> bool {
        #[cfg(feature = "http2")]
        let may_speak = self.http2 != Http2::Off;
        #[cfg(not(feature = "http2"))]
        let may_speak = false;
        may_speak
    }

    /// Turns a request into hyper's, unless it is too late for it.
    fn outgoing(&self, mut request: Request) -> Result<http::Request<Outgoing>> {
        let may_be_http2 = self.may_speak_http2();
        if may_be_http2 {
            // Here nothing has left yet.
            request.written.still_may_begin()?;
            drop_usual_port(&mut request.uri);
        }
        let outgoing = Outgoing::new(request.body, request.written, may_be_http2);
        let mut outgoing = http::Request::new(outgoing);
        *outgoing.method_mut() = request.method;
        *outgoing.uri_mut() = request.uri;
        *outgoing.headers_mut() = request.headers;
        // Through a tunnel it would reach the server.
        #[cfg(feature = "proxy")]
        if outgoing.uri().scheme() == Some(&http::uri::Scheme::HTTP)
            && let Some(hop) = self.connector.hop(outgoing.uri())
            && let Some(credentials) = hop.credentials()
        {
            let headers = outgoing.headers_mut();
            headers.insert(PROXY_AUTHORIZATION, credentials.clone());
        }
        Ok(outgoing)
    }

    async fn exchange(
        &self,
        outgoing: Result<http::Request<Outgoing>>,
        limit: usize,
        #[cfg(any(feature = "gzip", feature = "zstd"))] asked: bool,
    ) -> Result<Response> {
        let (head, body) = self.pool.send(outgoing?).await?.into_parts();
        let body = read(body, head.status, limit).await?;
        #[cfg(any(feature = "gzip", feature = "zstd"))]
        let (head, body) = match asked {
            true => coding::decoded(head, body, limit)?,
            false => (head, body),
        };
        Ok(Response {
            status: head.status,
            headers: head.headers,
            body,
        })
    }

    async fn exchange_stream(
        &self,
        outgoing: Result<http::Request<Outgoing>>,
    ) -> Result<StreamedResponse> {
        let (head, body) = self.pool.send(outgoing?).await?.into_parts();
        let status = head.status;
        let body = Box::new(Arriving { body, status });
        let mut response = StreamedResponse::new(status, body);
        response.headers = head.headers;
        Ok(response)
    }
}

impl Transport for HttpTransport {
    fn send(
        &self,
        #[cfg_attr(
            not(any(feature = "gzip", feature = "zstd")),
            expect(unused_mut, reason = "only asking for compressed answers changes it")
        )]
        mut request: Request,
    ) -> BoxFuture<'_, Result<Response>> {
        let limit = request.response_limit;
        #[cfg(any(feature = "gzip", feature = "zstd"))]
        let asked = self.accept_compressed(&mut request);
        let outgoing = self.outgoing(request);
        Box::pin(self.exchange(
            outgoing,
            limit,
            #[cfg(any(feature = "gzip", feature = "zstd"))]
            asked,
        ))
    }

    fn stream(&self, request: Request) -> BoxFuture<'_, Result<StreamedResponse>> {
        let outgoing = self.outgoing(request);
        Box::pin(self.exchange_stream(outgoing))
    }

    fn warm_up(&self, uri: &Uri) -> BoxFuture<'_, Result<()>> {
        let mut uri = uri.clone();
        // As for requests, or they would not find the connection.
        if self.may_speak_http2() {
            drop_usual_port(&mut uri);
        }
        Box::pin(self.pool.warm_up(uri))
    }

    fn check(&self, uri: &Uri) -> Result<()> {
        self.pool.check(uri)
    }
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport").finish_non_exhaustive()
    }
}

/// Builds an [`HttpTransport`].
#[derive(Clone, Debug)]
#[must_use]
pub struct HttpTransportBuilder {
    connect_timeout: Duration,
    keeping: Keeping,
    lasting: Lasting,
    resolver: Arc<dyn Resolve>,
    tls: TlsSettings,
    require_https: bool,
    observer: Option<Arc<dyn Observer>>,
    #[cfg(feature = "proxy")]
    proxy: Proxy,
    #[cfg(any(feature = "gzip", feature = "zstd"))]
    compressed: bool,
    #[cfg(feature = "http2")]
    http2: Http2,
    #[cfg(feature = "http2")]
    ping: (Duration, Duration),
}

impl Default for HttpTransportBuilder {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            keeping: Keeping {
                max_idle: 128,
                idle_timeout: Duration::from_secs(20),
            },
            lasting: Lasting {
                protocols: &[],
                max_age: Duration::from_secs(5 * 60),
                tcp_keepalive: Some(Duration::from_secs(15)),
                tcp_user_timeout: Some(Duration::from_secs(30)),
            },
            resolver: Arc::new(SystemResolver::new()),
            tls: TlsSettings::default(),
            require_https: false,
            observer: None,
            #[cfg(feature = "proxy")]
            proxy: Proxy::default(),
            #[cfg(any(feature = "gzip", feature = "zstd"))]
            compressed: false,
            #[cfg(feature = "http2")]
            http2: Http2::Off,
            #[cfg(feature = "http2")]
            ping: (Duration::from_secs(20), Duration::from_secs(5)),
        }
    }
}

impl HttpTransportBuilder {
    /// Sets how long connecting may take, from the name look-up to the end of the TLS handshake.
    /// Default: 3 seconds.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Sets how long an idle connection is kept. Default: 20 seconds, which is less than load
    /// balancers and servers allow.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.keeping.idle_timeout = limit;
        self
    }

    /// Sets how many idle connections are kept for each origin. Default: 128, the default number of
    /// requests that a client may have in flight. With a smaller pool, a busy client closes
    /// connections that its next requests must open again.
    pub fn max_idle_per_host(mut self, count: usize) -> Self {
        self.keeping.max_idle = count;
        self
    }

    /// Sets the age after which a connection is no longer reused, give or take a fifth. Default:
    /// five minutes.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.lasting.max_age = age;
        self
    }

    /// Sets after how much silence the system asks whether the peer is still there, and how long it
    /// waits between three questions. `None` asks never. Default: 15 seconds.
    pub fn tcp_keepalive(mut self, interval: Option<Duration>) -> Self {
        self.lasting.tcp_keepalive = interval;
        self
    }

    /// Sets how long sent bytes may stay without confirmation before the system ends the
    /// connection, on Linux, Android and Fuchsia (`TCP_USER_TIMEOUT`); elsewhere it has no effect.
    /// `None` leaves it to the system, which waits for some fifteen minutes. Default: 30 seconds.
    pub fn tcp_user_timeout(mut self, limit: Option<Duration>) -> Self {
        self.lasting.tcp_user_timeout = limit;
        self
    }

    /// Sets the resolver for host names, whose answers are cached for 30 seconds. Default:
    /// [`SystemResolver`].
    pub fn resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.resolver = resolver;
        self
    }

    /// Trusts the certificates of a bundle in PEM form, in addition to the default roots.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the bundle contains no certificate, or an
    /// unusable one; the message includes its position, counted from 1.
    pub fn add_root_pem(mut self, pem: &[u8]) -> Result<Self> {
        self.tls.add_root_pem(pem)?;
        Ok(self)
    }

    /// Trusts only the roots added by [`add_root_pem`](Self::add_root_pem).
    pub fn only_roots(mut self) -> Self {
        self.tls.roots = Roots::OnlyExtra;
        self
    }

    /// Proves to servers that ask for it who this client is, by a chain of certificates, its own
    /// first, and its private key (PKCS #8, PKCS #1 or SEC 1, not encrypted), both in PEM form. A
    /// file that holds both may be passed as both. Default: no certificate.
    ///
    /// A proxy is not shown it. A key that does not belong to the certificate is refused by
    /// [`build`](Self::build).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if there is no certificate or no key. The
    /// message does not quote them.
    pub fn client_certificate_pem(mut self, chain: &[u8], key: &[u8]) -> Result<Self> {
        self.tls.set_identity_pem(chain, key)?;
        Ok(self)
    }

    /// Accepts any certificate of any server. Anyone between this machine and the server can then
    /// read and change all traffic, including tokens and passwords; prefer trusting the server's
    /// own root with [`add_root_pem`](Self::add_root_pem). Each [`build`](Self::build) logs a
    /// warning. The certificate of a proxy is checked all the same.
    #[doc(alias = "dangerously_accept_invalid_certificates")]
    #[doc(alias = "danger_accept_invalid_certs")]
    pub fn dangerously_accept_any_certificate(mut self) -> Self {
        self.tls.roots = Roots::Unchecked;
        self
    }

    /// Trusts the compiled-in list of roots instead of the system's.
    #[cfg(feature = "roots-bundled")]
    #[cfg_attr(docsrs, doc(cfg(feature = "roots-bundled")))]
    pub fn bundled_roots(mut self) -> Self {
        self.tls.roots = Roots::Bundled;
        self
    }

    /// Sets the rustls provider. Default: the installed process default, otherwise ring, otherwise
    /// aws-lc, if compiled in.
    pub fn crypto_provider(mut self, provider: Arc<rustls::crypto::CryptoProvider>) -> Self {
        self.tls.provider = Some(provider);
        self
    }

    /// Sends requests to other machines through a proxy. Default: none.
    #[cfg(feature = "proxy")]
    #[cfg_attr(docsrs, doc(cfg(feature = "proxy")))]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = proxy;
        self
    }

    /// Uses the proxies that the environment names, if any: [`Proxy::from_env`]. Without this call
    /// the environment is not read.
    ///
    /// # Errors
    ///
    /// Those of [`Proxy::from_env`].
    #[cfg(feature = "proxy")]
    #[cfg_attr(docsrs, doc(cfg(feature = "proxy")))]
    pub fn proxy_from_env(self) -> Result<Self> {
        Ok(self.proxy(Proxy::from_env()?))
    }

    /// Asks for answers that are compressed with what is compiled in: `zstd` and `gzip`, each a
    /// feature. The limit on the size of an answer counts what comes out. Requests that accept
    /// codings of their own, and answers that are read piece by piece, are left alone. Default:
    /// answers are not compressed.
    #[cfg(any(feature = "gzip", feature = "zstd"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "gzip", feature = "zstd"))))]
    pub fn accept_compressed(mut self) -> Self {
        self.compressed = true;
        self
    }

    /// Offers HTTP/2 to servers of `https`, which choose in the TLS handshake; all others are still
    /// asked by HTTP/1.1. Requests to a server then share one connection for each tokio
    /// runtime. Worth it for many requests at once over a long way; a single short request gains
    /// nothing. Default: HTTP/1.1.
    ///
    /// A request that is given up when the server has been silent for more than a second takes its
    /// connection out of use for new ones: it may be half open, and a retry gets another. The silence is
    /// that of all requests on the connection that were given up, one after another or at once, while they
    /// waited for the server; the caller's own work between pieces of an answer does not count, unless it
    /// has asked for the next piece.
    ///
    /// A request that becomes too late just before it is written may still send its head, and is then
    /// reset; it is not sent again if it must not be doubled.
    #[cfg(feature = "http2")]
    #[cfg_attr(docsrs, doc(cfg(feature = "http2")))]
    pub fn http2(mut self) -> Self {
        self.http2 = Http2::Offered;
        self
    }

    /// Speaks HTTP/2 alone, without asking: with servers of plain `http` as well, through which it
    /// would not be offered. A server that does not speak it is not understood. A proxy is spoken to by
    /// HTTP/1.1: requests of `https` pass it in a tunnel, and those of `http` it sends on as it can.
    /// Default: HTTP/1.1.
    #[cfg(feature = "http2")]
    #[cfg_attr(docsrs, doc(cfg(feature = "http2")))]
    pub fn http2_prior_knowledge(mut self) -> Self {
        self.http2 = Http2::Only;
        self
    }

    /// Sets after how much silence a connection of HTTP/2 on which answers are awaited is tested by
    /// a ping, and how long the reply may take before the connection is given up. Idle connections
    /// are not tested, since servers close those that send too many pings. Default: 20 and 5
    /// seconds.
    #[cfg(feature = "http2")]
    #[cfg_attr(docsrs, doc(cfg(feature = "http2")))]
    pub fn http2_ping(mut self, interval: Duration, timeout: Duration) -> Self {
        self.ping = (interval, timeout);
        self
    }

    /// Makes [`build`](Self::build) fail if `https` is impossible, instead of the first connection.
    /// Clients of services do so by themselves, with
    /// [`CoreClientBuilder::build_for`](crate::CoreClientBuilder::build_for).
    pub fn require_https(mut self) -> Self {
        self.require_https = true;
        self
    }

    /// Sets the observer of connections. Default: that of the client that builds the transport.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Sets the observer of connections unless there is one.
    pub(crate) fn or_observer(mut self, observer: Option<&Arc<dyn Observer>>) -> Self {
        self.observer = self.observer.or_else(|| observer.cloned());
        self
    }

    /// Builds the transport. Does no I/O except for loading trusted roots, once per process.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if `https` is required and there is no TLS provider or no root, or if
    /// the client certificate cannot be used.
    pub fn build(self) -> Result<HttpTransport> {
        let connector = self.connector(self.protocols())?;
        // Obsolete, but recipients must accept it (RFC 9112, 5.2).
        let mut http1 = http1::Builder::new();
        http1.allow_obsolete_multiline_headers_in_responses(true);
        #[cfg(feature = "http2")]
        let http2 = {
            let mut http2 = http2::Builder::new(TokioExecutor::new());
            http2
                .timer(TokioTimer::new())
                .keep_alive_interval(self.ping.0)
                .keep_alive_timeout(self.ping.1)
                .keep_alive_while_idle(false);
            http2
        };
        let protocols = Protocols {
            http1,
            #[cfg(feature = "http2")]
            http2,
            #[cfg(feature = "http2")]
            is_http2_known: self.http2 == Http2::Only,
        };
        Ok(HttpTransport {
            pool: Pool::new(connector.clone(), protocols, self.keeping),
            #[cfg(feature = "proxy")]
            connector,
            #[cfg(feature = "http2")]
            http2: self.http2,
            #[cfg(any(feature = "gzip", feature = "zstd"))]
            compressed: self.compressed,
        })
    }
}

impl HttpTransportBuilder {
    /// Builds the connector alone, for a protocol other than HTTP. Does the same I/O as
    /// [`build`](Self::build). The settings for idle connections and their age do not apply.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn dialer(&self) -> Result<Dialer> {
        self.connector(&[]).map(Dialer::new)
    }

    /// Builds the TLS settings alone, for clients that make their own connections.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if there is no TLS provider or no root.
    pub fn tls_config(&self) -> Result<Arc<rustls::ClientConfig>> {
        self.tls.client_config()
    }

    /// Returns the protocols that TLS handshakes offer.
    fn protocols(&self) -> &'static [&'static [u8]] {
        #[cfg(feature = "http2")]
        match self.http2 {
            Http2::Off => {}
            Http2::Offered => return &[HTTP2, b"http/1.1"],
            Http2::Only => return &[HTTP2],
        }
        &[]
    }

    pub(super) fn connector(&self, protocols: &'static [&'static [u8]]) -> Result<Connector> {
        let tls = self.tls.client_config();
        if (self.require_https || self.tls.has_identity())
            && let Err(why) = &tls
        {
            return Err(why.clone());
        }
        #[cfg(feature = "proxy")]
        let tls_to_proxy = match self.proxy.speaks_tls() {
            true => self.tls.for_proxy().client_config(),
            false => tls.clone(),
        };
        let resolver = Arc::clone(&self.resolver);
        let resolver = CachedResolver::new(resolver, self.connect_timeout.mul_f64(0.6));
        Ok(Connector::new(
            resolver,
            tls,
            #[cfg(feature = "proxy")]
            self.proxy.routes(),
            #[cfg(feature = "proxy")]
            tls_to_proxy,
            self.connect_timeout,
            Lasting {
                protocols,
                ..self.lasting
            },
            self.observer.clone(),
        ))
    }
}

/// Whether HTTP/2 is spoken.
#[cfg(feature = "http2")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Http2 {
    Off,
    /// With servers that choose it.
    Offered,
    Only,
}

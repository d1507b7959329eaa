//! The kinds of connections, and clients for each of them.

use std::time::Duration;

use futures_util::FutureExt as _;
use http::Method;
use vouchsafe_core::call::{Operation, Repeat, Timeouts};
use vouchsafe_core::transport::{HttpTransportBuilder, Resolve};
use vouchsafe_core::{BoxFuture, CoreClient, CoreClientBuilder};

/// What a request travels over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// HTTP/1.1 over TCP.
    Plain,
    /// HTTP/1.1 over TLS.
    Tls,
    /// HTTP/2 over TLS, whose handshake chooses it.
    Http2,
    /// HTTP/2 over TCP, which both sides know to be spoken.
    Http2Plain,
    /// HTTP/1.1 to a proxy, which is asked for the whole URL.
    Proxy,
    /// HTTP/1.1 over TLS through a tunnel of a proxy.
    Tunnel,
    /// HTTP/2 over TLS, whose handshake chooses it, through a tunnel of a proxy.
    Http2Tunnel,
}

impl Kind {
    pub(crate) fn has_tls(self) -> bool {
        self == Self::Tls || self == Self::Http2 || self.is_tunnelled()
    }

    pub(crate) fn is_http2(self) -> bool {
        matches!(self, Self::Http2 | Self::Http2Plain | Self::Http2Tunnel)
    }

    pub(crate) fn is_proxied(self) -> bool {
        self == Self::Proxy || self.is_tunnelled()
    }

    pub(crate) fn is_tunnelled(self) -> bool {
        matches!(self, Self::Tunnel | Self::Http2Tunnel)
    }
}

/// Knows no name: what a proxy is asked for is the proxy's to resolve.
#[derive(Debug)]
pub(crate) struct NoNames;

impl Resolve for NoNames {
    fn resolve(&self, _: &str) -> BoxFuture<'_, std::io::Result<Vec<std::net::IpAddr>>> {
        Box::pin(async { Err(std::io::ErrorKind::NotFound.into()) })
    }
}

pub(crate) static READ: Operation =
    Operation::new("test.read", Method::GET, "/read").repeat(Repeat::Safe);
pub(crate) static WRITE: Operation = Operation::new("test.write", Method::POST, "/write");

/// Long enough for a busy machine. Tests that wait for the end of a limit let time pass themselves.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn client(network: HttpTransportBuilder) -> CoreClient {
    builder(network).build().unwrap()
}

pub(crate) fn builder(network: HttpTransportBuilder) -> CoreClientBuilder {
    let timeouts = Timeouts::default().attempt(LIMIT).call(10 * LIMIT);
    let client = CoreClient::builder().network(network).timeouts(timeouts);
    client.allow_plain_http()
}

/// Lets time pass at once, for timers alone: sockets go on at their own pace.
pub(crate) async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
    for _ in 0..YIELDS {
        tokio::task::yield_now().await;
    }
}

/// Lets time pass until something happens, at most twenty steps of this length. What only a socket
/// holds up by then is waited for.
pub(crate) async fn passing<F: Future>(step: Duration, what: F) -> F::Output {
    let mut what = std::pin::pin!(what);
    for _ in 0..20 {
        for _ in 0..YIELDS {
            if let Some(output) = what.as_mut().now_or_never() {
                return output;
            }
            tokio::task::yield_now().await;
        }
        pass(step).await;
    }
    let late = tokio::time::timeout(LIMIT, what).await;
    late.unwrap_or_else(|_| panic!("it did not happen in time"))
}

/// How often the test waits for its turn before it lets more time pass.
const YIELDS: usize = 20;

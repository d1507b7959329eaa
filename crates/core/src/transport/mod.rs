//! The interface to the network: one request out, one answer back.
//!
//! Users may wrap or replace [`Transport`]; [`HttpTransport`] is the implementation over sockets.

#[cfg(feature = "client")]
mod body;
#[cfg_attr(
    not(feature = "client"),
    allow(dead_code, reason = "without sockets less breaks")
)]
pub(crate) mod broken;
#[cfg(any(feature = "gzip", feature = "zstd"))]
mod coding;
#[cfg(feature = "client")]
mod connect;
#[cfg(feature = "client")]
mod dial;
#[cfg(feature = "client")]
mod dns;
mod endpoints;
#[cfg(feature = "tower")]
mod forwarded;
#[cfg(feature = "client")]
mod host;
#[cfg(feature = "client")]
mod hyper;
#[cfg(feature = "tower")]
mod ledger;
#[cfg(feature = "client")]
mod pool;
#[cfg(feature = "proxy")]
mod proxy;
#[cfg(any(feature = "client", feature = "tower"))]
mod received;
#[cfg(feature = "http2")]
mod shared;
mod silence;
#[cfg(feature = "client")]
mod tcp;
#[cfg(feature = "client")]
mod tls;
#[cfg(feature = "tower")]
mod tower;
#[cfg(feature = "client")]
mod wire;
mod written;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri};

pub use self::endpoints::Endpoints;
#[cfg(feature = "tower")]
pub(crate) use self::forwarded::Forwarded;
#[cfg(feature = "proxy")]
#[cfg_attr(docsrs, doc(cfg(feature = "proxy")))]
pub use self::proxy::Proxy;
#[cfg(feature = "tower")]
#[cfg_attr(docsrs, doc(cfg(feature = "tower")))]
pub use self::tower::{ServiceTransport, TransportBody, TransportService};
pub(crate) use self::written::Condition;
pub use self::written::Written;
#[cfg(feature = "client")]
pub use self::{
    dial::Dialer,
    dns::{Resolve, SystemResolver},
    hyper::{HttpTransport, HttpTransportBuilder},
    wire::Connection,
};
use crate::{BoxFuture, Result};

/// How long an attempt must have lasted for its end to count against the server, or all those that waited in
/// vain for theirs to count against the connection.
const PATIENCE: Duration = Duration::from_secs(1);

/// One attempt: a request goes out, an answer or a transport failure comes back.
///
/// An implementation reads the answer whole, follows no redirect, repeats nothing, and says in
/// each error whether the server may have seen the request ([`Error::sent`](crate::Error::sent)).
/// Dropping the future abandons the attempt; [`Request::written`] then says whether the server may
/// have seen it. Before the first byte it should ask [`Written::may_begin`], and write nothing on an
/// error.
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Sends one request.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>>;

    /// Sends one request, and leaves the body of the answer to be read piece by piece. The
    /// request's limit on the answer does not apply. The default implementation reads the whole
    /// answer first.
    fn stream(&self, request: Request) -> BoxFuture<'_, Result<StreamedResponse>> {
        let answer = self.send(request);
        Box::pin(async move { answer.await.map(StreamedResponse::from) })
    }

    /// Connects to the server of a URL, so that the next request to it need not. The default
    /// implementation does nothing.
    fn warm_up(&self, uri: &Uri) -> BoxFuture<'_, Result<()>> {
        let _ = uri;
        Box::pin(std::future::ready(Ok(())))
    }

    /// Returns why no request for a URL can be sent, such as one of `https` in a build without TLS. Does
    /// no I/O. The default implementation knows of nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), with what to do.
    fn check(&self, uri: &Uri) -> Result<()> {
        let _ = uri;
        Ok(())
    }
}

/// The body of an answer, piece by piece. Dropping it before the end abandons the rest and closes
/// the connection.
pub trait BodyStream: Send {
    /// Returns the next piece, or `None` at the end.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Transport`](crate::ErrorKind::Transport) if the connection breaks before the
    /// end.
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Bytes>>>;
}

/// An answer whose body is still to be read.
#[non_exhaustive]
pub struct StreamedResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Box<dyn BodyStream>,
}

impl StreamedResponse {
    /// Creates an answer without headers.
    #[must_use]
    pub fn new(status: StatusCode, body: Box<dyn BodyStream>) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body,
        }
    }

    /// Reads the rest of the body, at most `limit` bytes.
    pub(crate) async fn read(mut self, limit: usize) -> Result<Response> {
        let mut whole = Vec::new();
        while let Some(piece) = self.body.next().await? {
            if piece.len() > limit - whole.len() {
                return Err(broken::too_large(self.status, limit));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(Response {
            status: self.status,
            headers: self.headers,
            body: whole.into(),
        })
    }
}

impl fmt::Debug for StreamedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamedResponse")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// A body that has already been read.
struct WholeBody(Option<Bytes>);

impl BodyStream for WholeBody {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Bytes>>> {
        let piece = self.0.take().filter(|piece| !piece.is_empty());
        Box::pin(std::future::ready(Ok(piece)))
    }
}

impl From<Response> for StreamedResponse {
    fn from(response: Response) -> Self {
        Self {
            status: response.status,
            headers: response.headers,
            body: Box::new(WholeBody(Some(response.body))),
        }
    }
}

/// A request as it is sent.
#[derive(Clone)]
#[non_exhaustive]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The absolute URL.
    pub uri: Uri,
    /// The headers; credentials among them are marked sensitive.
    pub headers: HeaderMap,
    /// The body; empty if there is none.
    pub body: Bytes,
    /// The maximum size of the answer's body in bytes.
    pub response_limit: usize,
    /// Where the transport reports whether it wrote anything, and learns whether it still may.
    pub written: Written,
}

impl Request {
    /// Creates a request without headers and body whose answer may have 1 MiB.
    #[must_use]
    pub fn new(method: Method, uri: Uri) -> Self {
        Self {
            method,
            uri,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            response_limit: 1 << 20,
            written: Written::default(),
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("authority", &self.uri.authority().map(|a| a.as_str()))
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// An answer whose body has been read.
#[derive(Clone)]
#[non_exhaustive]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Response {
    /// Creates an answer without headers and body.
    #[must_use]
    pub fn new(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

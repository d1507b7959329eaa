//! The seam to the network: one request out, one answer back.
//!
//! [`Transport`] is for users to wrap or replace; [`HttpTransport`] is the one that talks over
//! sockets.

#[cfg(feature = "client")]
mod body;
#[cfg(feature = "client")]
pub(crate) mod broken;
#[cfg(feature = "client")]
mod connect;
#[cfg(feature = "client")]
mod dns;
#[cfg(feature = "client")]
mod hyper;
#[cfg(feature = "client")]
mod tls;

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri};

#[cfg(feature = "client")]
pub use self::{
    dns::{Resolve, SystemResolver},
    hyper::{HttpTransport, HttpTransportBuilder},
};
use crate::{BoxFuture, Result};

/// One attempt: a request goes out, an answer or a transport failure comes back.
///
/// An implementation reads the answer whole, follows no redirect, repeats nothing, and says in
/// each error whether the server may have seen the request ([`Error::sent`](crate::Error::sent)).
/// Dropping the future gives the attempt up.
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Sends one request.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>>;
}

/// A request as it goes over the wire.
#[derive(Clone)]
#[non_exhaustive]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The absolute URL.
    pub uri: Uri,
    /// The headers; credentials among them are marked sensitive.
    pub headers: HeaderMap,
    /// The body; empty means none.
    pub body: Bytes,
    /// How many bytes the answer's body may have.
    pub response_limit: usize,
}

impl Request {
    /// Makes a request without headers and body that accepts 1 MiB of answer.
    #[must_use]
    pub fn new(method: Method, uri: Uri) -> Self {
        Self {
            method,
            uri,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            response_limit: 1 << 20,
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

/// An answer, read whole.
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
    /// Makes an answer without headers and body.
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

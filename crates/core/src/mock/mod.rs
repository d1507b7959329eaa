//! A host for emulators: the same service logic in process and over TCP and TLS.

use std::fmt;

use http::{Method, Uri};

use crate::transport::{Request, Response};

/// The logic of an emulated service: pure, synchronous, no sockets.
///
/// A handler behaves like the server it stands for: unknown routes, missing headers and wrong
/// encodings are refused as that server refuses them.
pub trait Handler: fmt::Debug + Send + Sync + 'static {
    /// Answers one request. `request.uri` is absolute; its authority is what the client asked.
    fn handle(&self, request: &Request) -> Response;

    /// Returns the id of the operation that a request is for, such as
    /// `gafaelfawr.getUserInfo`; `None` if the service has no such route.
    fn operation(&self, method: &Method, uri: &Uri) -> Option<&'static str>;
}

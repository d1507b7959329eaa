//! A host for emulators: the same service logic in process and over TCP and TLS.
//!
//! An emulator implements [`Handler`]; a [`Host`] takes requests to it, writes them into the
//! [`Journal`] and does the [`Faults`] it was told. [`script`] is for tests of connections, where
//! HTTP itself is what goes wrong.

mod authority;
mod clock;
mod faults;
mod host;
mod in_process;
mod journal;
pub mod management;
pub mod route;
pub mod script;
mod serve;
mod wire;

use std::fmt;

use http::{Method, Uri};

pub use self::authority::CertificateAuthority;
pub use self::clock::ManualClock;
pub use self::faults::{Fault, Faults};
pub use self::host::{Host, HostBuilder};
pub use self::journal::{Entry, Journal, digest};
pub use self::serve::Serving;
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

    /// Returns the state of the service, for people and for tests in other languages.
    fn snapshot(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    /// Puts the state back to what it was at the start.
    fn reset(&self) {}
}

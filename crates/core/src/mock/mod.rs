//! A host for emulators: the same service logic in process and over TCP, TLS and socket files.
//!
//! The state of a service implements [`Emulated`]; an [`Emulator`] keeps it behind a [`Host`],
//! which passes requests to it, records them in the [`Journal`] and injects [`Faults`]. [`form`]
//! reads requests and [`respond`] writes answers. [`script`] is for tests of connections, below
//! HTTP.

mod action;
mod authority;
pub mod cancel;
mod clock;
mod emulator;
pub mod example;
mod faults;
pub mod form;
mod host;
mod in_process;
mod journal;
pub mod management;
pub mod respond;
pub mod route;
pub mod script;
mod serve;
pub mod strict;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, Uri};

pub use self::action::Action;
pub use self::authority::CertificateAuthority;
pub use self::clock::ManualClock;
pub use self::emulator::{Emulated, Emulator};
pub use self::faults::{Fault, Faults};
pub use self::host::{Host, HostBuilder};
pub use self::journal::{Entry, Journal, digest};
pub use self::serve::Serving;
#[cfg(unix)]
pub use self::serve::ServingUnix;
use crate::call::Operation;
use crate::transport::{Request, Response};
use crate::{Result, Secret};

/// The logic of an emulated service: pure, synchronous, no sockets.
///
/// A handler behaves like the server that it emulates: it refuses unknown routes, missing headers
/// and wrong encodings in the same way.
pub trait Handler: fmt::Debug + Send + Sync + 'static {
    /// Answers one request. `request.uri` is absolute; its authority is the one that the client
    /// used.
    fn handle(&self, request: &Request) -> Response;

    /// Returns the id of the operation that a request is for, such as
    /// `gafaelfawr.getUserInfo`; `None` if the service has no such route.
    fn operation(&self, method: &Method, uri: &Uri) -> Option<&'static str>;

    /// Returns the operations that the service has.
    ///
    /// If they are known, a [`Fault`] for any other operation is refused, and the [`Journal`] hides
    /// the parameters of secret paths. The default is an empty list, which means that they are not
    /// known: any fault is accepted.
    fn operations(&self) -> Vec<&'static Operation> {
        Vec::new()
    }

    /// Returns the names, in lower case, of the headers in which clients send their credential,
    /// besides `Authorization`, `Proxy-Authorization` and `Cookie`. Default: none.
    fn credential_headers(&self) -> &'static [&'static str] {
        &[]
    }

    /// Returns additional actions of the [`management`] API, such as adding a user. Default: none.
    fn actions(&self) -> &'static [Action] {
        &[]
    }

    /// Performs one of the [`actions`](Self::actions), with a JSON text as its argument, and
    /// returns its answer.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the body is not valid for the action, and
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if it names something that does not exist.
    fn act(&self, action: &str, body: &[u8]) -> Result<serde_json::Value> {
        let _ = body;
        Err(emulator::no_such_action(action))
    }

    /// Returns the state of the service, for people and for tests in other languages.
    fn snapshot(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    /// Restores the initial state.
    fn reset(&self) {}
}

/// Returns a new secret of this many random bytes, as base64 for URLs without padding.
///
/// # Panics
///
/// If the system has no randomness.
#[must_use]
#[expect(clippy::expect_used, reason = "without randomness no test can run")]
pub fn random_token<const BYTES: usize>() -> Secret {
    let mut bytes = [0; BYTES];
    getrandom::getrandom(&mut bytes).expect("the system has randomness");
    Secret::from(URL_SAFE_NO_PAD.encode(bytes))
}

//! The common ground of the Vouchsafe service clients: one way to make a call, one cache, one error
//! type and one type for secrets.
//!
//! Services depend on this crate, which does not depend on any of them. Applications use it through
//! the re-exports of a service crate.
//!
//! A call of an operation, here to a scripted server:
//!
//! ```
//! # #[cfg(all(feature = "client", feature = "mock"))]
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use http::Method;
//! use vouchsafe_core::call::{Call, CallOptions, Operation, Repeat};
//! use vouchsafe_core::mock::script::{Script, ScriptedServer};
//! use vouchsafe_core::url::{BaseUrl, Target};
//! use vouchsafe_core::{CoreClient, Result};
//!
//! static GET_USER: Operation =
//!     Operation::new("users.getUser", Method::GET, "/users/{name}").repeat(Repeat::Safe);
//!
//! let script = Script::new().read_request().answer(r#"{"name": "ada"}"#).repeat();
//! let server = ScriptedServer::start([script]).await?;
//! let base = BaseUrl::parse(&server.url())?;
//!
//! let client = CoreClient::builder().build()?; // create one client and clone it
//! let target = Target::new("/users/").segment("name", "ada")?; // encoded as one segment
//! let call = Call::new(&GET_USER, target);
//! let answer = client.send(&base, call, None, &CallOptions::new()).await?;
//! assert_eq!(answer.json::<serde_json::Value>()?["name"], "ada");
//! # Result::<()>::Ok(())
//! # }).unwrap();
//! ```
//!
//! | part | holds |
//! | --- | --- |
//! | [`CoreClient`], [`call`] | the life of a call: deadline, retry, budget, credentials, decoding |
//! | [`transport`] | the interface to the network, and HTTP/1.1 over hyper-util's connection pool |
//! | [`cache`] | values that live for a while, fetched once no matter how many callers ask |
//! | [`auth`] | tokens, where they come from and how they are put on a request |
//! | [`Error`] | one opaque error with methods to decide by |
//! | [`Secret`], [`Clock`], [`observe`] | basic types |
//! | [`deadline`], [`sync`], [`text`], [`timestamp`], [`unpack`] | functions that several services need |
//! | [`service`] | the interface between generated methods and a service's client |
//! | `blocking` (feature) | calls without `async` |
//! | `server` (feature) | parts shared by layers that check requests |
//! | `store` (feature) | private files and records that several processes share |
//! | `mock` (feature) | a host for emulators, in process and over TCP and TLS |

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod auth;
#[cfg(feature = "blocking")]
#[cfg_attr(docsrs, doc(cfg(feature = "blocking")))]
pub mod blocking;
pub mod cache;
pub mod call;
mod client;
mod clock;
pub mod deadline;
pub mod env;
mod error;
#[cfg(feature = "mock")]
#[cfg_attr(docsrs, doc(cfg(feature = "mock")))]
pub mod mock;
pub mod observe;
mod open;
mod secret;
#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub mod server;
pub mod service;
mod service_error;
#[cfg(feature = "store")]
#[cfg_attr(docsrs, doc(cfg(feature = "store")))]
pub mod store;
pub mod sync;
pub mod task;
pub mod text;
pub mod timestamp;
pub mod transport;
pub mod unpack;
pub mod url;

use std::pin::Pin;

pub use client::{CoreClient, CoreClientBuilder};
pub use clock::{Clock, SystemClock};
pub use error::{ConnectPhase, Error, ErrorKind, Result, Sent, TimeoutScope};
pub use secret::{Secret, SecretBytes};

/// A boxed future that can move between threads, as returned by the object-safe traits of this
/// crate.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

// Used by macros that this crate exports.
#[doc(hidden)]
pub mod __private {
    pub use bytes::Bytes;
    pub use http::{Response, StatusCode};

    pub use crate::secret::expose;
    pub use tracing;
}

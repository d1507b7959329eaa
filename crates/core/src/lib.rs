//! What the Vouchsafe service clients share: one way to make a call, one cache, one error, one
//! way to keep a secret.
//!
//! Services depend on this crate; it knows none of them. Application code meets it through the
//! re-exports of a service crate and seldom names it.
//!
//! | part | holds |
//! | --- | --- |
//! | [`CoreClient`], [`call`] | the life of a call: deadline, retry, budget, credentials, decoding |
//! | [`transport`] | the seam to the network, and HTTP/1.1 over hyper-util's pool behind it |
//! | [`cache`] | values that live for a while, fetched once however many ask |
//! | [`auth`] | tokens, where they come from and how they are put on a request |
//! | [`Error`] | one opaque error with questions to decide by |
//! | [`Secret`], [`Clock`], [`observe`] | ground-floor types |
//! | [`service`] | what generated methods need of a service's client |
//! | `server` (feature) | what layers that check requests share |
//! | `store` (feature) | private files and records that several processes share |
//! | `mock` (feature) | a host for emulators, in process and over TCP and TLS |

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod auth;
pub mod cache;
pub mod call;
mod client;
mod clock;
mod deadline;
pub mod env;
mod error;
#[cfg(feature = "mock")]
#[cfg_attr(docsrs, doc(cfg(feature = "mock")))]
pub mod mock;
pub mod observe;
mod secret;
#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub mod server;
pub mod service;
#[cfg(feature = "store")]
#[cfg_attr(docsrs, doc(cfg(feature = "store")))]
pub mod store;
pub mod task;
pub mod text;
pub mod timestamp;
pub mod transport;
pub mod url;

use std::pin::Pin;

pub use client::{CoreClient, CoreClientBuilder};
pub use clock::{Clock, SystemClock};
pub use error::{ConnectPhase, Error, ErrorKind, Result, Sent, TimeoutScope};
pub use secret::{Secret, SecretBytes};

/// A boxed future that can move between threads, as the object-safe traits of this crate return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

// Reached by macros that this crate exports.
#[doc(hidden)]
pub mod __private {
    pub use bytes::Bytes;
    pub use http::{Response, StatusCode};

    pub use crate::secret::expose;
    pub use tracing;
}

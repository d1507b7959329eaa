//! What the Vouchsafe service clients share: one way to make a call, one cache, one error, one
//! way to keep a secret.
//!
//! Services depend on this crate; it knows none of them. Application code meets it through the
//! re-exports of a service crate and seldom names it.
//!

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod call;
mod clock;
pub mod env;
mod error;
#[cfg(feature = "mock")]
#[cfg_attr(docsrs, doc(cfg(feature = "mock")))]
pub mod mock;
mod secret;
pub mod task;
pub mod transport;
pub mod url;

use std::pin::Pin;

pub use clock::{Clock, SystemClock};
pub use error::{ConnectPhase, Error, ErrorKind, Result, Sent, TimeoutScope};
pub use secret::{Secret, SecretBytes};

/// A boxed future that can move between threads, as the object-safe traits of this crate return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

// Reached by macros that this crate exports.
#[doc(hidden)]
pub mod __private {
    pub use http::StatusCode;
}

#![doc = include_str!("../README.md")]
//!
//! ## Parts
//!
//! | part | holds |
//! | --- | --- |
//! | [`ServiceContext`], [`UserContext`] | checking tickets with a set of keys |
//! | [`CheckedServiceTicket`], [`CheckedUserTicket`] | the contents of a valid ticket |
//! | [`CheckError`], [`TicketStatus`] | why a ticket was refused |
//! | [`Roles`] | the permissions of services and users |
//! | [`ServiceSecret`] | signing requests for tickets |
//! | [`ServiceTicketDraft`], [`UserTicketDraft`], [`rw`] | creating tickets, for tests and emulators |
//! | [`inspect`] | the contents of a ticket, without keys |
//! | [`redact`], [`peek_expiration`], [`query`] | small rules of the protocol |
//! | `server` (feature) | layers that check tickets and add them to requests |
//! | `mock` (feature) | outcomes of checks without keys |
//!
//! Nothing here shows a signature: neither checked nor refused tickets keep it.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "client")]
mod client;
mod engine;
mod error;
#[cfg(feature = "client")]
mod generated;
#[cfg(feature = "mock")]
#[cfg_attr(docsrs, doc(cfg(feature = "mock")))]
pub mod mock;
#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub mod server;

#[cfg(feature = "client")]
#[doc(hidden)]
pub use client::protocol;
#[cfg(feature = "client")]
#[cfg_attr(docsrs, doc(cfg(feature = "client")))]
pub use client::protocol::{ClientStatus, Destination, StatusCode};
#[cfg(feature = "client")]
#[cfg_attr(docsrs, doc(cfg(feature = "client")))]
pub use client::{
    Client, TIROLE_TVM_ID, TIROLE_TVM_ID_TEST, TvmApiBuilder, TvmToolBuilder, UpdateTimes,
};
#[doc(hidden)]
pub use engine::base64url;
pub use engine::check::{CheckError, CheckErrorKind, ServiceContext, UserContext, peek_expiration};
pub use engine::checked::{CheckedServiceTicket, CheckedUserTicket};
pub use engine::container::{KeyContainer, KeyContainerBuilder};
pub use engine::env::BlackboxEnv;
pub use engine::ids::{KeyId, TvmId, Uid};
pub use engine::inspect::{InspectedTicket, inspect};
pub use engine::message::UserEntry;
pub use engine::mint::{ServiceTicketDraft, UserTicketDraft};
pub use engine::redact::redact;
pub use engine::roles::{Entity, Roles, SubjectRoles};
pub use engine::secret::ServiceSecret;
pub use engine::status::TicketStatus;
pub use engine::text::TicketType;
pub use engine::{query, rw};
pub use error::{Error, ErrorKind, Result};
pub use vouchsafe_core as core;
pub use vouchsafe_core::auth::TokenSource;
pub use vouchsafe_core::call::{Budget, CallOptions, Retry, Timeouts};
pub use vouchsafe_core::observe::Observer;
pub use vouchsafe_core::transport::Transport;
pub use vouchsafe_core::{Clock, Secret, Sent, SystemClock};

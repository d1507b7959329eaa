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

#[doc(hidden)]
pub mod base64url;
mod cache;
mod check;
mod checked;
#[cfg(feature = "client")]
mod client;
mod container;
mod debug_info;
mod env;
mod error;
#[cfg(feature = "client")]
mod generated;
mod ids;
mod inspect;
mod message;
mod mint;
#[cfg(feature = "mock")]
#[cfg_attr(docsrs, doc(cfg(feature = "mock")))]
pub mod mock;
#[cfg(feature = "client")]
#[doc(hidden)]
pub mod protocol;
pub mod query;
mod redact;
mod roles;
pub mod rw;
mod secret;
#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub mod server;
mod status;
mod text;
mod wire;

pub use check::{CheckError, CheckErrorKind, ServiceContext, UserContext, peek_expiration};
pub use checked::{CheckedServiceTicket, CheckedUserTicket};
#[cfg(feature = "client")]
#[cfg_attr(docsrs, doc(cfg(feature = "client")))]
pub use client::{
    Client, TIROLE_TVM_ID, TIROLE_TVM_ID_TEST, TvmApiBuilder, TvmToolBuilder, UpdateTimes,
};
pub use container::{KeyContainer, KeyContainerBuilder};
pub use env::BlackboxEnv;
pub use error::{Error, ErrorKind, Result};
pub use ids::{KeyId, TvmId, Uid};
pub use inspect::{InspectedTicket, inspect};
pub use message::UserEntry;
pub use mint::{ServiceTicketDraft, UserTicketDraft};
#[cfg(feature = "client")]
#[cfg_attr(docsrs, doc(cfg(feature = "client")))]
pub use protocol::{ClientStatus, Destination, StatusCode};
pub use redact::redact;
pub use roles::{Entity, Roles, SubjectRoles};
pub use secret::ServiceSecret;
pub use status::TicketStatus;
pub use text::TicketType;
pub use vouchsafe_core as core;
pub use vouchsafe_core::auth::TokenSource;
pub use vouchsafe_core::call::{Budget, CallOptions, Retry, Timeouts};
pub use vouchsafe_core::observe::Observer;
pub use vouchsafe_core::transport::Transport;
pub use vouchsafe_core::{Clock, Secret, Sent, SystemClock};

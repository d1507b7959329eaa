#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod acl;
mod api;
mod client;
mod error;
mod generated;
#[cfg(feature = "mock")]
#[cfg_attr(docsrs, doc(cfg(feature = "mock")))]
pub mod mock;
mod model;
mod renewing;
#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub mod server;

pub use acl::Acl;
pub use api::{AcsAnswer, CheckTokenRequest, CreateTokenRequest, CreatedToken, SamlForm, Validity};
pub use client::{Client, ClientBuilder, Dialect};
pub use error::{Error, ErrorBody, ErrorKind, Result};
pub use generated::wazo_auth::{api::*, described::OPERATIONS, wire::*};
pub use model::{Settings, UtcTime};
pub use renewing::{Renewal, RenewingToken};
pub use vouchsafe_core as core;
pub use vouchsafe_core::auth::TokenSource;
pub use vouchsafe_core::call::page::Items;
pub use vouchsafe_core::call::{Answer, Budget, CallOptions, Retry, Timeouts};
pub use vouchsafe_core::observe::Observer;
pub use vouchsafe_core::transport::Transport;
pub use vouchsafe_core::{Clock, Secret, Sent, SystemClock};

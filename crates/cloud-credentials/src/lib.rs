#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod any;
mod client;
mod credentials;
mod environment;
mod error;
mod events;
pub mod file;
mod generated;
mod jwt;
mod limits;
#[cfg(feature = "mock")]
#[cfg_attr(docsrs, doc(cfg(feature = "mock")))]
pub mod mock;
mod record;
mod refresh;
mod skew;
mod url;
mod validity;
mod walk;

pub use any::{HttpClient, HttpClientBuilder, HttpRequest};
pub use client::{Client, ClientBuilder};
pub use credentials::{
    Authorization, AuthorizationRequest, BodyFormat, ClientAuthentication, Credentials,
    CredentialsBuilder, DeviceLogin, DeviceRequest, ExchangeRequest, Pkce, ServerMetadata, Source,
    Values,
};
pub use environment::Environment;
pub use error::{Error, ErrorKind, Missing, Result};
pub use events::Events;
pub use generated::cloud_credentials::{api::*, described::OPERATIONS, wire::*};
pub use jwt::Claims;
pub use record::Record;
pub use vouchsafe_core as core;
#[cfg(feature = "tower")]
#[cfg_attr(docsrs, doc(cfg(feature = "tower")))]
pub use vouchsafe_core::auth::{AuthorizeLayer, AuthorizeService};
pub use vouchsafe_core::auth::{BearerChallenge, TokenSource};
pub use vouchsafe_core::call::{Answer, Budget, CallOptions, Repeat, Retry, Timeouts};
pub use vouchsafe_core::observe::Observer;
pub use vouchsafe_core::store::{Leases, Store};
pub use vouchsafe_core::transport::Transport;
pub use vouchsafe_core::{Clock, Secret, Sent, SystemClock};
pub use walk::{EventWalk, LogHits, LogPages, QueryPages};

#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod api;
mod client;
pub mod discovery;
mod error;
mod generated;
mod http_url;
#[cfg(feature = "mock")]
#[cfg_attr(docsrs, doc(cfg(feature = "mock")))]
pub mod mock;
mod model;
mod names;
mod quota;
#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub mod server;
mod service_token;
mod token;

pub use api::{CreateServiceToken, CreateUserToken, QuotaConfig};
pub use client::{Client, ClientBuilder};
pub use error::{Detail, Error, ErrorKind, Place, Result};
pub use http_url::{HttpUrl, HttpUrlError};
pub use model::{AllGroups, Group, TokenInfo, TokenType, UserInfo};
pub use names::{BotUsername, GroupName, NameError, Scope, Username};
pub use quota::{Allowance, Limits, NotebookLog, NotebookQuota, Quota, TapLog, TapQuota};
pub use service_token::ServiceToken;
pub use token::{Token, TokenError};
pub use vouchsafe_core as core;
pub use vouchsafe_core::auth::TokenSource;
pub use vouchsafe_core::call::{Budget, CallOptions, Retry, Timeouts};
pub use vouchsafe_core::observe::Observer;
pub use vouchsafe_core::transport::Transport;
pub use vouchsafe_core::{Clock, Secret, Sent, SystemClock};

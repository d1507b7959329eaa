#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
pub mod discovery;
mod error;
mod generated;
#[cfg(feature = "mock")]
#[cfg_attr(docsrs, doc(cfg(feature = "mock")))]
pub mod mock;
mod model;
#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub mod server;

pub use client::service_token::ServiceToken;
pub use client::{Client, ClientBuilder};
pub use error::{Detail, Error, ErrorKind, Place, Result};
pub use model::{
    AllGroups, Allowance, BotUsername, Expiry, Group, GroupName, HttpUrl, HttpUrlError, Limits,
    NameError, NewGroup, NewServiceToken, NewUserToken, NotebookLog, NotebookQuota, Quota,
    QuotaConfig, Scope, TapLog, TapQuota, Token, TokenChange, TokenError, TokenInfo, TokenType,
    UserInfo, Username,
};
pub use vouchsafe_core as core;
pub use vouchsafe_core::auth::TokenSource;
pub use vouchsafe_core::call::{Budget, CallOptions, Retry, Timeouts};
pub use vouchsafe_core::observe::Observer;
pub use vouchsafe_core::transport::Transport;
pub use vouchsafe_core::{Clock, Secret, Sent, SystemClock};

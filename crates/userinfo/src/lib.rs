//! Gafaelfawr user information, found through Repertoire.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod error;
mod generated;
mod names;
#[cfg(feature = "server")]
#[cfg_attr(docsrs, doc(cfg(feature = "server")))]
pub mod server;
mod service_token;
mod token;

pub use error::{Detail, Error, ErrorKind, Result};
pub use names::{BotUsername, GroupName, NameError, Scope, Username};
pub use service_token::ServiceToken;
pub use token::{Token, TokenError};

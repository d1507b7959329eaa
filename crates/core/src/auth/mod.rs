//! Tokens: what they are, where they come from and how they are put on a request.

mod authorize;
mod basic;
mod cached;
mod challenge;
mod file;
mod kept;
#[cfg(feature = "tower")]
mod layer;
pub mod oauth;
mod renewals;
mod source;
mod token;

pub use authorize::{Authorize, Bearer, HeaderToken};
pub use basic::Basic;
pub use cached::Cached;
pub use challenge::BearerChallenge;
pub use file::{FileToken, read_file};
#[cfg(feature = "tower")]
#[cfg_attr(docsrs, doc(cfg(feature = "tower")))]
pub use layer::{AuthorizeLayer, AuthorizeService};
pub use renewals::Renewals;
pub use source::{EnvToken, FnToken, StaticToken, TokenSource};
pub use token::Token;

/// A source of tokens together with the scheme that puts them on a request.
#[derive(Clone, Copy, Debug)]
pub struct Credentials<'a> {
    pub(crate) source: &'a dyn TokenSource,
    pub(crate) scheme: &'a dyn Authorize,
}

impl<'a> Credentials<'a> {
    /// Sends the source's tokens with the given scheme.
    #[must_use]
    pub fn new(source: &'a dyn TokenSource, scheme: &'a dyn Authorize) -> Self {
        Self { source, scheme }
    }

    /// Sends the source's tokens as bearer tokens (RFC 6750).
    #[must_use]
    pub fn bearer(source: &'a dyn TokenSource) -> Self {
        Self::new(source, &Bearer)
    }
}

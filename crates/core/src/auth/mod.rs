//! Tokens: what they are, where they come from, how they are put on a request.

mod authorize;
mod source;
mod token;

pub use authorize::{Authorize, Bearer, HeaderToken};
pub use source::{EnvToken, FileToken, StaticToken, TokenSource};
pub use token::Token;

/// A source of tokens and the way to put them on a request.
#[derive(Clone, Copy, Debug)]
pub struct Credentials<'a> {
    pub(crate) source: &'a dyn TokenSource,
    pub(crate) scheme: &'a dyn Authorize,
}

impl<'a> Credentials<'a> {
    /// Presents the source's tokens as the scheme says.
    #[must_use]
    pub fn new(source: &'a dyn TokenSource, scheme: &'a dyn Authorize) -> Self {
        Self { source, scheme }
    }

    /// Presents the source's tokens as bearer tokens (RFC 6750).
    #[must_use]
    pub fn bearer(source: &'a dyn TokenSource) -> Self {
        Self::new(source, &Bearer)
    }
}

//! The credential of a service that asks about users by name.

use std::path::PathBuf;
use std::sync::Arc;

use vouchsafe_core::Secret;
use vouchsafe_core::auth::{FileToken, Token as CoreToken, TokenSource};

use crate::{Error, Result, Token};

/// A Gafaelfawr service token, fixed or from a source that may renew it.
///
/// Kubernetes replaces the token of a `GafaelfawrServiceToken` when it no longer fits, so a
/// mounted file is the robust choice: after a refusal (401) the file is read again and the call
/// repeated once (protocol section 7). Cheap to clone.
#[derive(Clone, Debug)]
pub struct ServiceToken(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Fixed(Token),
    Source(Arc<dyn TokenSource>),
}

impl ServiceToken {
    /// Takes the token from a file, such as a mounted Kubernetes secret, and again after a
    /// refusal. Nothing is read before the first use.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::source(Arc::new(FileToken::new(path)))
    }

    /// Takes the token that an environment variable holds now.
    ///
    /// # Errors
    ///
    /// If the variable is unset or holds no well-formed token.
    pub fn from_env(variable: &str) -> Result<Self> {
        let Some(text) = vouchsafe_core::env::var(variable)? else {
            return Err(Error::from(vouchsafe_core::Error::new(
                vouchsafe_core::ErrorKind::Config,
                format!("{variable} not set in environment"),
            )));
        };
        Ok(Self::from(well_formed(&Secret::from(text))?))
    }

    /// Takes the tokens that a source hands out.
    #[must_use]
    pub fn source(source: Arc<dyn TokenSource>) -> Self {
        Self(Kind::Source(source))
    }

    /// Returns the token that is good now.
    pub(crate) async fn current(&self) -> Result<Token> {
        match &self.0 {
            Kind::Fixed(token) => Ok(token.clone()),
            Kind::Source(source) => well_formed(source.token().await?.secret()),
        }
    }
}

impl From<Token> for ServiceToken {
    fn from(token: Token) -> Self {
        Self(Kind::Fixed(token))
    }
}

impl From<&Token> for ServiceToken {
    fn from(token: &Token) -> Self {
        Self::from(token.clone())
    }
}

impl From<&Self> for ServiceToken {
    fn from(token: &Self) -> Self {
        token.clone()
    }
}

impl TokenSource for ServiceToken {
    fn token(&self) -> vouchsafe_core::BoxFuture<'_, vouchsafe_core::Result<CoreToken>> {
        match &self.0 {
            Kind::Fixed(token) => token.token(),
            Kind::Source(source) => source.token(),
        }
    }

    fn forget(&self, generation: u64) {
        if let Kind::Source(source) = &self.0 {
            source.forget(generation);
        }
    }
}

fn well_formed(secret: &Secret) -> Result<Token> {
    Token::parse(secret.expose()).map_err(|fault| {
        Error::from(
            vouchsafe_core::Error::new(
                vouchsafe_core::ErrorKind::Credential,
                "the service token is not of Gafaelfawr's form",
            )
            .with_source(fault),
        )
    })
}

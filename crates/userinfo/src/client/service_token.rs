//! The credential of a service that looks up users by name.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Deserializer};
use vouchsafe_core::auth::{FileToken, Token as CoreToken, TokenSource};
use vouchsafe_core::cache::Digest;
use vouchsafe_core::{BoxFuture, Error as CoreError, ErrorKind as CoreErrorKind};

use crate::{Result, Token, TokenError};

/// A Gafaelfawr service token, fixed or from a source that may renew it.
///
/// Kubernetes replaces the token of a `GafaelfawrServiceToken` when it becomes invalid, so a
/// mounted file is the robust choice: it is read again when it is needed a second or more after the last
/// reading, and after a refusal (401), when the call is also repeated once (protocol section 7). Cheap to clone; clones are the same credential.
#[derive(Clone, Debug)]
pub struct ServiceToken(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Fixed(Token),
    Renewed {
        source: Arc<dyn TokenSource>,
        id: u64,
        /// The file, for messages.
        file: Option<Arc<Path>>,
    },
}

/// The owner of entries in the cache by name: a caller sees only what was fetched with the same
/// credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum CredentialId {
    Token(Digest),
    Source(u64),
}

impl ServiceToken {
    /// Reads the token from a file, such as a mounted Kubernetes secret, as
    /// [`FileToken`] does: not before the first use, at most every second, and after a refusal.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let file = Arc::from(path.as_path());
        Self::renewed(Arc::new(FileToken::new(path)), Some(file))
    }

    /// Uses the current value of an environment variable.
    ///
    /// # Errors
    ///
    /// Of kind `Config` if the variable is unset or empty, of kind `Credential` if its value is not
    /// a well-formed token.
    pub fn from_env(variable: &str) -> Result<Self> {
        let Some(text) = vouchsafe_core::env::secret(variable)? else {
            return Err(CoreError::new(
                CoreErrorKind::Config,
                format!("{variable} not set in environment"),
            )
            .into());
        };
        let token = Token::parse(text.expose()).map_err(|fault| {
            let origin = vouchsafe_core::env::origin(variable);
            malformed().with_source(fault).with_origin(origin)
        })?;
        Ok(Self::from(token))
    }

    /// Uses the tokens of a source.
    #[must_use]
    pub fn source(source: Arc<dyn TokenSource>) -> Self {
        Self::renewed(source, None)
    }

    fn renewed(source: Arc<dyn TokenSource>, file: Option<Arc<Path>>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(Kind::Renewed { source, id, file })
    }

    pub(crate) fn id(&self) -> CredentialId {
        match &self.0 {
            Kind::Fixed(token) => CredentialId::Token(*token.digest()),
            Kind::Renewed { id, .. } => CredentialId::Source(*id),
        }
    }
}

impl From<Token> for ServiceToken {
    fn from(token: Token) -> Self {
        Self(Kind::Fixed(token))
    }
}

impl FromStr for ServiceToken {
    type Err = TokenError;

    fn from_str(text: &str) -> std::result::Result<Self, TokenError> {
        Token::parse(text).map(Self::from)
    }
}

impl<'de> Deserialize<'de> for ServiceToken {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        Token::deserialize(from).map(Self::from)
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
    fn token(&self) -> BoxFuture<'_, vouchsafe_core::Result<CoreToken>> {
        let (source, file) = match &self.0 {
            Kind::Fixed(token) => return token.token(),
            Kind::Renewed { source, file, .. } => (source, file),
        };
        Box::pin(async move {
            let token = source.token().await?;
            // A token that the server would refuse is not sent.
            Token::check(token.secret().expose()).map_err(|fault| {
                let error = malformed().with_source(fault);
                match file {
                    Some(path) => error.with_origin(format_args!("token file {}", path.display())),
                    None => error,
                }
            })?;
            Ok(token)
        })
    }

    fn forget(&self, generation: u64) {
        if let Kind::Renewed { source, .. } = &self.0 {
            source.forget(generation);
        }
    }
}

fn malformed() -> CoreError {
    CoreError::new(
        CoreErrorKind::Credential,
        "the service token is not of Gafaelfawr's form",
    )
}

#[cfg(test)]
mod tests {
    use vouchsafe_core::Secret;
    use vouchsafe_core::auth::StaticToken;

    use super::*;

    #[tokio::test]
    async fn a_malformed_token_from_a_source_is_refused_and_not_shown() {
        let source = Arc::new(StaticToken::new(Secret::from("gt-planted")));
        let token = ServiceToken::source(source);
        let error = TokenSource::token(&token).await.unwrap_err();
        assert_eq!(error.kind(), CoreErrorKind::Credential);
        assert!(!format!("{error} {error:?} {token:?}").contains("planted"));
    }

    #[tokio::test]
    async fn a_malformed_token_in_a_file_is_an_error_that_names_the_file() {
        let file = std::env::temp_dir().join(format!("vouchsafe-form-{}", std::process::id()));
        std::fs::write(&file, "gt-planted").unwrap();
        let read = TokenSource::token(&ServiceToken::file(&file)).await;
        std::fs::remove_file(&file).unwrap();
        let error = read.unwrap_err().to_string();
        assert!(error.contains(file.to_str().unwrap()), "{error}");
        assert!(!error.contains("planted"), "{error}");
    }

    #[test]
    fn clones_are_the_same_credential_and_two_sources_are_not() {
        let file = ServiceToken::file("/nowhere");
        assert_eq!(file.id(), file.clone().id());
        assert_ne!(file.id(), ServiceToken::file("/nowhere").id());
        let token = Token::random();
        assert_eq!(
            ServiceToken::from(&token).id(),
            ServiceToken::from(token).id()
        );
    }
}

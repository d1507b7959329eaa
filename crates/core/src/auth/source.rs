//! Where tokens come from.

use std::fmt;

use super::Token;
use super::kept::{Kept, Otherwise};
use crate::task::MayHang;
use crate::{BoxFuture, Error, ErrorKind, Result, Secret, env};

/// Supplies a token for each attempt.
///
/// A source need not keep the tokens that it fetches: [`Cached`](super::Cached) does that.
pub trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// Returns a token that is valid now, as far as the source knows.
    fn token(&self) -> BoxFuture<'_, Result<Token>>;

    /// Reports that the server refused the token of this generation. Afterwards [`token`]
    /// may return a token of a newer generation; a source that has no newer token does nothing.
    ///
    /// [`token`]: TokenSource::token
    fn forget(&self, generation: u64) {
        let _ = generation;
    }
}

/// A token that never changes.
#[derive(Clone, Debug)]
pub struct StaticToken(Token);

impl StaticToken {
    /// Creates a source that always returns this token.
    #[must_use]
    pub fn new(secret: Secret) -> Self {
        Self(Token::new(secret))
    }
}

impl TokenSource for StaticToken {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

/// The value that an environment variable had when this source was created.
#[derive(Clone, Debug)]
pub struct EnvToken(StaticToken);

impl EnvToken {
    /// Reads the variable. White space and line ends around the token are removed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the variable is unset, empty, not Unicode or in quotes.
    pub fn from_env(variable: &str) -> Result<Self> {
        match env::secret(variable)? {
            Some(token) => Ok(Self(StaticToken::new(token))),
            None => Err(Error::new(
                ErrorKind::Config,
                format!("{variable} not set in environment"),
            )),
        }
    }
}

impl TokenSource for EnvToken {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        self.0.token()
    }
}

/// A token that a function fetches, such as from a vault or from another program.
///
/// The function is called on first use and again after a refusal; in between, the token is kept in
/// memory. Concurrent callers share one call. An error is returned to the caller, and the next one
/// calls the function again.
///
/// ```
/// use vouchsafe_core::auth::{FnToken, TokenSource as _};
/// use vouchsafe_core::Secret;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let source = FnToken::new(|| async { Ok(Secret::from("fetched")) });
/// assert_eq!(source.token().await?.secret().expose(), "fetched");
/// # Ok::<(), vouchsafe_core::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FnToken {
    fetch: Box<dyn Fn() -> BoxFuture<'static, Result<Secret>> + Send + Sync>,
    kept: Kept,
}

impl FnToken {
    /// Creates a source for the function without calling it.
    #[must_use]
    pub fn new<F, Fut>(fetch: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Secret>> + Send + 'static,
    {
        let calls = MayHang::without_limit("calling the function");
        Self {
            fetch: Box::new(move || Box::pin(fetch())),
            kept: Kept::new("function", None, calls),
        }
    }

    async fn call(&self) -> Result<Secret> {
        let token = (self.fetch)().await?;
        match token.is_empty() {
            true => Err(Error::new(
                ErrorKind::Credential,
                "the function that fetches tokens returned an empty one",
            )),
            false => Ok(token),
        }
    }
}

impl TokenSource for FnToken {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        let call = async |turn| (self.call().await, Some(turn));
        Box::pin(self.kept.get(call, Otherwise::Error))
    }

    fn forget(&self, generation: u64) {
        self.kept.forget(generation);
    }
}

impl fmt::Debug for FnToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FnToken").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::sync::lock;

    #[tokio::test]
    async fn a_function_is_called_again_after_a_refusal_or_an_error_only() {
        let answers = Mutex::new(vec!["two", "", "", "one"]);
        let source = FnToken::new(move || {
            let answer = lock(&answers).pop().unwrap();
            async move {
                tokio::task::yield_now().await;
                Ok(Secret::from(answer))
            }
        });
        let (first, same) = tokio::join!(source.token(), source.token());
        let first = first.unwrap();
        assert_eq!(first.secret().expose(), "one");
        assert_eq!(same.unwrap().generation(), first.generation());
        source.forget(first.generation());
        for _ in 0..2 {
            // Not the one that was refused.
            let error = source.token().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Credential);
        }
        assert_eq!(source.token().await.unwrap().secret().expose(), "two");
        source.forget(first.generation());
        assert_eq!(source.token().await.unwrap().secret().expose(), "two");
        assert_eq!(format!("{source:?}"), "FnToken { .. }");
    }

    #[test]
    fn an_unset_variable_is_a_clear_error() {
        let error = EnvToken::from_env("VOUCHSAFE_SURELY_UNSET").unwrap_err();
        assert_eq!(
            error.to_string(),
            "VOUCHSAFE_SURELY_UNSET not set in environment"
        );
    }
}

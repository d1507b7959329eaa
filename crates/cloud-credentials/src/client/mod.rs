//! The client for Cortex Data Lake.

mod builder;

use std::sync::Arc;

use vouchsafe_core::Secret;
use vouchsafe_core::auth::{StaticToken, TokenSource};
use vouchsafe_core::call::{Answer, Call, CallOptions};
use vouchsafe_core::service::{Service, Session};

pub use self::builder::ClientBuilder;
#[cfg(feature = "mock")]
pub(crate) use self::builder::scheme;
use crate::{Error, Result};

/// A client for Cortex Data Lake.
///
/// [`builder`](Self::builder) sets all that there is to set; [`from_env`](Self::from_env) reads the
/// environment. Cheap to clone; clones share connections and budgets. Create one client and clone
/// it. Nothing runs in the background, and dropping the last clone ends all requests in progress.
#[derive(Clone, Debug)]
pub struct Client {
    session: Session,
}

impl Client {
    /// Creates a builder with the defaults that its setters document.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// Creates a client for the service at `CLOUD_CREDENTIALS_URL`, with the token in `CLOUD_CREDENTIALS_TOKEN` if that
    /// is set. No other environment variable is read.
    ///
    /// # Errors
    ///
    /// Of kind `Config` if the URL is unset, empty or not a URL, or the token is not text.
    pub fn from_env() -> Result<Self> {
        ClientBuilder::from_env()?.build()
    }

    /// Returns the client with another token. It shares everything else with this one.
    #[must_use]
    pub fn with_token(&self, token: impl Into<Secret>) -> Self {
        self.with_token_source(Arc::new(StaticToken::new(token.into())))
    }

    /// Returns the client with another source of tokens. It shares everything else with this one.
    #[must_use]
    pub fn with_token_source(&self, source: Arc<dyn TokenSource>) -> Self {
        Self {
            session: self.session.with_token(source),
        }
    }

    /// Returns the client with other options for its calls, such as a deadline. It shares
    /// everything else with this one.
    #[must_use]
    pub fn with_options(&self, options: CallOptions) -> Self {
        Self {
            session: self.session.with_options(options),
        }
    }
}

impl Service for Client {
    type Error = Error;
    type Credential = ();

    async fn call(&self, call: Call, (): &(), options: &CallOptions) -> Result<Answer> {
        Ok(self.session.send(call, options).await?)
    }
}

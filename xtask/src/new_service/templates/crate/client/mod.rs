//! The client for {{TITLE}}.

mod builder;

use vouchsafe_core::call::{Answer, Call, CallOptions};
use vouchsafe_core::service::{Service, Session};

pub use self::builder::ClientBuilder;
#[cfg(feature = "mock")]
pub(crate) use self::builder::scheme;
use crate::{Error, Result};

/// A client for {{TITLE}}.
///
/// [`builder`](Self::builder) has all settings; [`from_env`](Self::from_env) reads the
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

    /// Creates a client for the service at `{{SCREAMING}}_URL`, with the token in `{{SCREAMING}}_TOKEN` if that
    /// is set. No other environment variable is read.
    ///
    /// # Errors
    ///
    /// Of kind `Config` if the URL is unset, empty or not a URL, or the token is not text.
    pub fn from_env() -> Result<Self> {
        ClientBuilder::from_env()?.build()
    }

    vouchsafe_core::session_methods!(session);
}

impl Service for Client {
    type Error = Error;
    type Credential = ();

    async fn call(&self, call: Call, (): &(), options: &CallOptions) -> Result<Answer> {
        Ok(self.session.send(call, options).await?)
    }
}

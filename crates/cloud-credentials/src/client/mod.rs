//! The client for Cortex Data Lake.

mod builder;
mod resolver;

use vouchsafe_core::call::{Answer, Call, CallOptions, Jitter};
use vouchsafe_core::service::{Service, Session};

pub(crate) use self::builder::AMERICAS;
pub use self::builder::ClientBuilder;
use crate::walk::Cleanup;
use crate::{Error, Result};

/// A client for Cortex Data Lake.
///
/// [`builder`](Self::builder) has all settings; [`from_env`](Self::from_env) reads the environment.
/// Cheap to clone; clones share connections and budgets. Create one client and clone it. Nothing
/// runs in the background but what walks leave to clean up, and dropping the last clone ends all
/// requests in progress.
#[derive(Clone, Debug)]
pub struct Client {
    session: Session,
    cleanup: Cleanup,
}

impl Client {
    /// Creates a builder with the defaults that its setters document.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// Creates a client for the services at `CLOUD_CREDENTIALS_URL`, if that is set, with the token
    /// in `CLOUD_CREDENTIALS_TOKEN`, or else with the [credentials](ClientBuilder::credentials) of a client
    /// that is given none: those of the environment or the file of credentials.
    ///
    /// # Errors
    ///
    /// Of kind `Config` if a variable is malformed, or no variable says where credentials are.
    pub fn from_env() -> Result<Self> {
        ClientBuilder::from_env()?.build()
    }

    vouchsafe_core::session_methods!(session);

    /// Sends a call that a walk left behind, in the background.
    pub(crate) fn clean_up(&self, call: Call) {
        self.cleanup.add(self.session.clone(), call);
    }

    pub(crate) fn jitter(&self) -> Jitter {
        self.session.client().jitter()
    }
}

impl Service for Client {
    type Error = Error;
    type Credential = ();

    async fn call(&self, call: Call, (): &(), options: &CallOptions) -> Result<Answer> {
        Ok(self.session.send(call, options).await?)
    }
}

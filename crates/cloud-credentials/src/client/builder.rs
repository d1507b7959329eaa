//! Configuration of a client.

use std::sync::Arc;

use vouchsafe_core::auth::{Authorize, Bearer, TokenSource};
use vouchsafe_core::call::CallOptions;
use vouchsafe_core::service::{Base, Session};
use vouchsafe_core::url::{BaseUrl, Given};
use vouchsafe_core::{CoreClientBuilder, env};

use super::Client;
use crate::error::read_fault;
use crate::walk::Cleanup;
use crate::{Credentials, Result, limits};

/// Builds a [`Client`]. A call may take a minute by default, half of it for one attempt, and
/// connecting ten seconds: a query may be waited for on the server.
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientBuilder {
    core: CoreClientBuilder,
    base_url: Given,
    token: Option<Arc<dyn TokenSource>>,
    options: CallOptions,
}

impl ClientBuilder {
    pub(super) fn new() -> Self {
        Self {
            core: limits::core(),
            base_url: AMERICAS.into(),
            token: None,
            options: CallOptions::new(),
        }
    }

    /// Creates a builder with the URL and the credentials of the environment. See
    /// [`Client::from_env`].
    ///
    /// # Errors
    ///
    /// Of kind `Config` if `CLOUD_CREDENTIALS_URL` is not a URL, or `CLOUD_CREDENTIALS_TOKEN` is
    /// not text; without a token, those of [`Credentials::from_env`].
    pub fn from_env() -> Result<Self> {
        let mut builder = Self::new();
        if let Some(url) = env::url(URL_VARIABLE)? {
            builder.base_url = url.to_string().into();
        }
        Ok(match env::secret(TOKEN_VARIABLE)? {
            Some(token) => builder.token(token),
            None => builder.credentials(&Credentials::from_env()?),
        })
    }

    vouchsafe_core::client_builder_methods!(core);

    /// Sets the URL of the services. Default: `https://api.us.paloaltonetworks.com`. In Europe it is
    /// `https://api.eu.paloaltonetworks.com`; for queries of the second generation
    /// `https://api.us.cdl.paloaltonetworks.com`.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Given::from(url);
        self
    }

    /// Sets the credentials. Their access token is sent, and is replaced when it expires or is
    /// refused. Default: none.
    pub fn credentials(self, credentials: &Credentials) -> Self {
        self.token_source(Arc::new(credentials.clone()))
    }

    /// Sets whether a call whose access token was refused is sent once more with a newer one. If
    /// not, the token is still replaced, and the refusal is returned. Default: `true`.
    pub fn auto_retry(mut self, resends: bool) -> Self {
        self.options = self.options.resend_refused(resends);
        self
    }

    vouchsafe_core::token_setters!(token);

    /// Builds the client. Does no I/O.
    ///
    /// # Errors
    ///
    /// Of kind `Config` if the URL is malformed, the transport cannot be created, or the URL is `https`
    /// and TLS is impossible.
    pub fn build(self) -> Result<Client> {
        let url = BaseUrl::parse(&self.base_url).map_err(|fault| fault.with_origin("base_url"))?;
        let core = self.core.read_fault(read_fault).build_for([&url])?;
        let session = Session::new(core, Base::fixed(url)).with_scheme(scheme());
        let session = match self.token {
            Some(token) => session.with_token(token),
            None => session,
        };
        let session = session.with_options(self.options);
        Ok(Client {
            session,
            cleanup: Cleanup::new(),
        })
    }
}

/// Returns how the token is put on a request.
fn scheme() -> Arc<dyn Authorize> {
    Arc::new(Bearer)
}

pub(crate) const AMERICAS: &str = "https://api.us.paloaltonetworks.com";
const URL_VARIABLE: &str = "CLOUD_CREDENTIALS_URL";
const TOKEN_VARIABLE: &str = "CLOUD_CREDENTIALS_TOKEN";

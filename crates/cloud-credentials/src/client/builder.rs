//! Configuration of a client.

use std::sync::Arc;

use vouchsafe_core::auth::{Authorize, Bearer, TokenSource};
use vouchsafe_core::call::CallOptions;
use vouchsafe_core::service::{Base, Session};
use vouchsafe_core::url::{BaseUrl, Given};
use vouchsafe_core::{CoreClientBuilder, env};

use super::Client;
use super::resolver::Resolver;
use crate::error::read_fault;
use crate::walk::Cleanup;
use crate::{Credentials, Environment, Result, limits};

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
    /// not text; without a token, those of [`Environment::file`].
    pub fn from_env() -> Result<Self> {
        let mut builder = Self::new();
        if let Some(url) = env::url(URL_VARIABLE)? {
            builder.base_url = url.to_string().into();
        }
        if let Some(token) = env::secret(TOKEN_VARIABLE)? {
            return Ok(builder.token(token));
        }
        // The builder finds them itself, but only when a token is needed.
        Environment::of_process().file()?;
        Ok(builder)
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
    /// refused. Default, unless a token or a source of tokens is set: those of the environment, or else of
    /// the file of credentials, as [`Credentials::from_env`] finds them. They are looked for when the first
    /// token is needed, and their token requests have this client's transport, clock, observer and retries.
    /// A program that may end right after a call builds its own, and [flushes](Credentials::flush) them.
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
        // With the connections of the resolver.
        let settings = self.core.with_transport()?;
        let token = self
            .token
            .unwrap_or_else(|| Arc::new(Resolver::new(settings.clone())));
        let core = settings.read_fault(read_fault).build_for([&url])?;
        let session = Session::new(core, Base::fixed(url))
            .with_scheme(scheme())
            .with_token(token)
            .with_options(self.options);
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

//! Configuration of a client.

use std::sync::Arc;

use vouchsafe_core::auth::{{AUTH_USE}};
use vouchsafe_core::service::{Base, Session};
use vouchsafe_core::url::BaseUrl;
use vouchsafe_core::{CoreClient, CoreClientBuilder, Error, ErrorKind, env};

use super::Client;
use crate::Result;
use crate::error::read_fault;

/// Builds a [`Client`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientBuilder {
    core: CoreClientBuilder,
    base_url: Option<String>,
    token: Option<Arc<dyn TokenSource>>,
}

impl ClientBuilder {
    pub(super) fn new() -> Self {
        Self {
            core: CoreClient::builder(),
            base_url: None,
            token: None,
        }
    }

    /// Creates a builder with the URL and the token of the environment. See [`Client::from_env`].
    ///
    /// # Errors
    ///
    /// Of kind `Config` if the URL is unset, empty or not a URL, or the token is not text.
    pub fn from_env() -> Result<Self> {
        let url = env::url(URL_VARIABLE)?.ok_or_else(|| {
            Error::new(ErrorKind::Config, format!("{URL_VARIABLE} is not set in the environment"))
        })?;
        let builder = Self::new().base_url(url.to_string());
        Ok(match env::secret(TOKEN_VARIABLE)? {
            Some(token) => builder.token(token),
            None => builder,
        })
    }

    vouchsafe_core::client_builder_methods!(core);

    /// Sets the URL of the service, such as `https://HOST{{BASE}}`. Required.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    vouchsafe_core::token_setters!(token);

    /// Builds the client. Does no I/O.
    ///
    /// # Errors
    ///
    /// Of kind `Config` if the URL is missing or malformed, the transport cannot be created, or the URL is
    /// `https` and TLS is impossible.
    pub fn build(self) -> Result<Client> {
        let url = self.base_url.ok_or_else(|| {
            Error::new(ErrorKind::Config, "no URL of the service was given; call base_url")
        })?;
        let url = BaseUrl::parse(&url).map_err(|fault| fault.with_origin("base_url"))?;
        let core = self.core.read_fault(read_fault).build_for([&url])?;
        let session = Session::new(core, Base::fixed(url)).with_scheme(scheme());
        let session = match self.token {
            Some(token) => session.with_token(token),
            None => session,
        };
        Ok(Client { session })
    }
}

/// Returns how the token is put on a request.
pub(crate) fn scheme() -> Arc<dyn Authorize> {
    Arc::new({{SCHEME}})
}

const URL_VARIABLE: &str = "{{SCREAMING}}_URL";
const TOKEN_VARIABLE: &str = "{{SCREAMING}}_TOKEN";

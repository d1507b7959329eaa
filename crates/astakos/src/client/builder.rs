//! Configuration of a client.

use std::future::ready;
use std::sync::Arc;

use http::HeaderName;
use vouchsafe_core::auth::{HeaderToken, TokenSource};
use vouchsafe_core::call::CallOptions;
use vouchsafe_core::service::{Base, Session};
use vouchsafe_core::url::{BaseUrl, Given};
use vouchsafe_core::{CoreClient, CoreClientBuilder, env};

use super::Client;
use super::generation::Generation;
use super::parts::{Parts, Prefixes};
use crate::error::read_fault;
use crate::{Dialect, Error, Result};

/// Builds a [`Client`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientBuilder {
    core: CoreClientBuilder,
    place: Option<Where>,
    prefixes: Prefixes,
    dialect: Option<Dialect>,
    token: Option<Arc<dyn TokenSource>>,
    headers: Result<CallOptions>,
    python_retries: Option<u32>,
}

#[derive(Clone, Debug)]
enum Where {
    Auth(Given),
    Base(Given),
}

impl ClientBuilder {
    pub(super) fn new() -> Self {
        Self {
            core: CoreClient::builder(),
            place: None,
            prefixes: Prefixes::default(),
            dialect: None,
            token: None,
            headers: Ok(CallOptions::new()),
            python_retries: None,
        }
    }

    /// Creates a builder with the [`auth_url`](Self::auth_url) in `ASTAKOS_AUTH_URL`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadValue`](crate::ErrorKind::BadValue) if the variable is unset, empty or not a
    /// URL.
    pub fn from_env() -> Result<Self> {
        let missing = || Error::bad_value(format!("{AUTH_URL_VARIABLE} is not set"));
        let url = env::url(AUTH_URL_VARIABLE)?.ok_or_else(missing)?;
        Ok(Self::new().auth_url(url.to_string()))
    }

    vouchsafe_core::client_builder_methods!(core);

    /// Sets the URL of the identity part, such as `https://HOST/astakos/identity/v2.0`; the other
    /// parts are found in its catalog. A trailing slash is ignored. Either this or
    /// [`base_url`](Self::base_url) is required.
    pub fn auth_url(mut self, url: impl Into<String>) -> Self {
        self.place = Some(Where::Auth(Given::from(url)));
        self
    }

    /// Sets the common base URL of all parts, for servers of 0.14, where nothing is looked up. Use
    /// it instead of [`auth_url`](Self::auth_url).
    #[doc(alias = "astakos_url")]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.place = Some(Where::Base(Given::from(url)));
        self
    }

    /// Sets the paths under the [`base_url`](Self::base_url). Default: those of 0.14.
    pub fn prefixes(mut self, prefixes: Prefixes) -> Self {
        self.prefixes = prefixes;
        self
    }

    /// Sets the generation of the server. Default: [`Dialect::V014`] with a
    /// [`base_url`](Self::base_url), otherwise [`Dialect::V016`]. [`Client::discover_dialect`]
    /// queries the server instead.
    ///
    /// Calls that servers of the generation do not support are refused as
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) before anything is sent.
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = Some(dialect);
        self
    }

    vouchsafe_core::token_setters!(token);

    /// Adds a header to every request, such as `X-Client-IP`. The token, headers set by the
    /// protocol, and [`CallOptions::header`] take precedence.
    #[doc(alias = "headers")]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        let add = |headers: CallOptions| Ok(headers.header(&name, &value)?);
        self.headers = self.headers.and_then(add);
        self
    }

    /// Retries like the Python client's option `retry`: this many additional attempts, without
    /// waits and outside of the retry budget, for every failure except 401, 404 and 413. Default:
    /// off; prefer [`retry`](Self::retry), which applies instead.
    ///
    /// Unlike in the Python client, calls that must not be repeated, such as issuing a commission,
    /// are sent again only if they were certainly not sent before.
    pub fn retry_like_python(mut self, more_attempts: u32) -> Self {
        self.python_retries = Some(more_attempts);
        self
    }

    /// Builds the client. Does no I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadValue`](crate::ErrorKind::BadValue) if no URL is set, it is not an `http`
    /// or `https` URL, a header is invalid, the transport cannot be created, or the URL is `https` and
    /// TLS is impossible.
    pub fn build(self) -> Result<Client> {
        let (setting, url, usual) = match &self.place {
            Some(Where::Auth(url)) => ("auth_url", url, Dialect::V016),
            Some(Where::Base(url)) => ("base_url", url, Dialect::V014),
            None => return Err(Error::bad_value("no auth_url was set")),
        };
        let at = BaseUrl::parse(url).map_err(|fault| fault.with_origin(setting))?;
        let core = self.core.read_fault(read_fault).build_for([&at])?;
        let scheme = HeaderToken::new(HeaderName::from_static("x-auth-token"));
        let session = Session::new(core, Base::fixed(at.clone()))
            .with_scheme(Arc::new(scheme))
            .with_options(self.headers?);
        let session = match self.token {
            Some(token) => session.with_token(token),
            None => session,
        };
        let generation = Generation::new(self.dialect, usual);
        let client = |parts| Client {
            session: session.clone(),
            parts: Arc::new(parts),
            generation: generation.clone(),
            python_retries: self.python_retries,
        };
        if let Some(Where::Base(url)) = &self.place {
            return Ok(client(Parts::fixed(url, &self.prefixes)?));
        }
        // It finds the catalog and nothing else, so it needs to know only the identity part.
        let asker = client(Parts::cataloged(at.clone(), || ready(Ok(None))));
        let fetch = move || {
            let asker = asker.clone();
            async move { Ok(asker.catalog_access().await?.service_catalog) }
        };
        Ok(client(Parts::cataloged(at, fetch)))
    }
}

const AUTH_URL_VARIABLE: &str = "ASTAKOS_AUTH_URL";

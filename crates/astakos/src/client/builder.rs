//! Configuration of a client.

use std::fmt;
use std::sync::Arc;

use http::HeaderName;
use vouchsafe_core::auth::{HeaderToken, StaticToken, TokenSource};
use vouchsafe_core::call::CallOptions;
use vouchsafe_core::url::BaseUrl;
use vouchsafe_core::{CoreClient, CoreClientBuilder, Secret, env};

use super::dialect::Generation;
use super::layout::{Discovered, Layout, Parts, Prefixes};
use super::{Client, Dialect, Inner};
use crate::error::read_fault;
use crate::{Error, Result};

/// Builds a [`Client`].
#[derive(Clone)]
#[must_use]
pub struct ClientBuilder {
    core: CoreClientBuilder,
    place: Option<Where>,
    prefixes: Prefixes,
    dialect: Option<Dialect>,
    token: Option<Arc<dyn TokenSource>>,
    headers: Vec<(String, String)>,
    compatible_retries: Option<u32>,
}

#[derive(Clone, Debug)]
enum Where {
    Auth(String),
    Base(String),
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("ClientBuilder")
            .field("place", &self.place)
            .field("dialect", &self.dialect)
            .field("headers", &names)
            .field("compatible_retries", &self.compatible_retries)
            .finish_non_exhaustive()
    }
}

impl ClientBuilder {
    pub(super) fn new() -> Self {
        Self {
            core: CoreClient::builder(),
            place: None,
            prefixes: Prefixes::default(),
            dialect: None,
            token: None,
            headers: Vec::new(),
            compatible_retries: None,
        }
    }

    vouchsafe_core::client_builder_methods!(core);

    /// Sets the URL of the identity part, such as `https://HOST/astakos/identity/v2.0`; the other
    /// parts are found in its catalog. A trailing slash is ignored. Default: the value of
    /// `ASTAKOS_AUTH_URL` when the client is built.
    pub fn auth_url(mut self, url: impl Into<String>) -> Self {
        self.place = Some(Where::Auth(url.into()));
        self
    }

    /// Sets the common base URL of all parts, for servers of 0.14, where nothing is looked up. Use
    /// it instead of [`auth_url`](Self::auth_url).
    #[doc(alias = "astakos_url")]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.place = Some(Where::Base(url.into()));
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

    /// Sets the token of a user or of a service. Default: none; [`with_token`](Client::with_token)
    /// sets one for single calls.
    pub fn token(self, token: impl Into<Secret>) -> Self {
        self.token_source(Arc::new(StaticToken::new(token.into())))
    }

    /// Sets the source of tokens.
    pub fn token_source(mut self, source: Arc<dyn TokenSource>) -> Self {
        self.token = Some(source);
        self
    }

    /// Adds a header to every request, such as `X-Client-IP`. The token, headers set by the
    /// protocol, and [`CallOptions::header`] take precedence.
    #[doc(alias = "headers")]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets how many requests may be in flight; others wait. Default: 128. The Python client allows
    /// 8.
    #[doc(alias = "use_pool")]
    pub fn pool_size(self, count: usize) -> Self {
        self.max_in_flight(count)
    }

    /// Retries like the Python client's option `retry`: this many additional attempts, without
    /// waits, for every failure except 401, 404 and 413. Default: off; [`retry`](Self::retry)
    /// applies instead.
    ///
    /// Unlike in the Python client, calls that must not be repeated, such as issuing a commission,
    /// are sent again only if they were certainly not sent before: the Python client charges twice
    /// when an answer is lost.
    pub fn compatible_retries(mut self, more_attempts: u32) -> Self {
        self.compatible_retries = Some(more_attempts);
        self
    }

    /// Builds the client. Does no I/O, except for reading the environment if no URL was set.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadValue`](crate::ErrorKind::BadValue) if no URL is known, it is not an `http`
    /// or `https` URL, a header is invalid, or the transport cannot be created.
    pub fn build(self) -> Result<Client> {
        let place = match self.place {
            Some(place) => place,
            None => Where::Auth(match env::url(AUTH_URL_VARIABLE)? {
                Some(url) => url.to_string(),
                None => {
                    let why = format!("no URL was given, and {AUTH_URL_VARIABLE} is not set");
                    return Err(Error::bad_value(why));
                }
            }),
        };
        let (setting, url) = match &place {
            Where::Auth(url) => ("auth_url", url),
            Where::Base(url) => ("base_url", url),
        };
        BaseUrl::parse(url).map_err(|fault| fault.with_origin(setting))?;
        let (layout, usual) = match place {
            Where::Auth(url) => (Layout::Catalog(Discovered::new(&url)?), Dialect::V016),
            Where::Base(url) => (
                Layout::Fixed(Box::new(Parts::fixed(&url, &self.prefixes)?)),
                Dialect::V014,
            ),
        };
        let mut headers = CallOptions::new();
        for (name, value) in &self.headers {
            headers = headers.header(name, value)?;
        }
        let inner = Inner {
            core: self.core.read_fault(read_fault).build()?,
            layout,
            generation: Generation::new(self.dialect, usual),
            scheme: HeaderToken::new(HeaderName::from_static("x-auth-token")),
            headers: headers.clone(),
        };
        Ok(Client {
            inner: Arc::new(inner),
            token: self.token,
            options: headers,
            compatible_retries: self.compatible_retries,
        })
    }
}

const AUTH_URL_VARIABLE: &str = "ASTAKOS_AUTH_URL";

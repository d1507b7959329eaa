//! Setting up a client.

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

/// Sets up a [`Client`].
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

    /// Sets the URL of the identity part, such as `https://HOST/astakos/identity/v2.0`: the
    /// other parts are found in its catalog. A slash at the end does not matter. Default: what
    /// `ASTAKOS_AUTH_URL` says when the client is built.
    pub fn auth_url(mut self, url: impl Into<String>) -> Self {
        self.place = Some(Where::Auth(url.into()));
        self
    }

    /// Sets the URL that all parts are under, for servers of 0.14: nothing is looked up. Instead
    /// of [`auth_url`](Self::auth_url).
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
    /// [`base_url`](Self::base_url), else [`Dialect::V016`]. [`Client::discover_dialect`] asks
    /// the server instead.
    ///
    /// What servers of the generation do not have is refused as
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) before anything is sent.
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = Some(dialect);
        self
    }

    /// Sets the token of a user or of a service. Default: none, and
    /// [`with_token`](Client::with_token) gives one for a call.
    pub fn token(self, token: impl Into<Secret>) -> Self {
        self.token_source(Arc::new(StaticToken::new(token.into())))
    }

    /// Sets where tokens come from.
    pub fn token_source(mut self, source: Arc<dyn TokenSource>) -> Self {
        self.token = Some(source);
        self
    }

    /// Adds a header to every request, such as `X-Client-IP`. The token, what the protocol sets,
    /// and [`CallOptions::header`] win over it.
    #[doc(alias = "headers")]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets how many requests may be under way; others wait. Default: 128. The Python client
    /// has 8.
    #[doc(alias = "use_pool")]
    pub fn pool_size(self, count: usize) -> Self {
        self.max_in_flight(count)
    }

    /// Repeats what failed as the Python client's option `retry` does: so many more attempts, at
    /// once, for every failure but 401, 404 and 413. Default: off, and [`retry`](Self::retry)
    /// holds.
    ///
    /// Unlike there, what must not be doubled, such as issuing a commission, is sent again only if
    /// it surely was not sent: the Python client charges it twice when an answer is lost.
    pub fn compatible_retries(mut self, more_attempts: u32) -> Self {
        self.compatible_retries = Some(more_attempts);
        self
    }

    /// Builds the client. Does no I/O but for reading the environment if no URL was given.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadValue`](crate::ErrorKind::BadValue) if no URL is known, it is no `http`
    /// or `https` URL, a header does not fit, or no transport can be built.
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

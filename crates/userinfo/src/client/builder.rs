//! Configuration of the client for Gafaelfawr.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use vouchsafe_core::cache::Cache;
use vouchsafe_core::service::Session;
use vouchsafe_core::url::Given;
use vouchsafe_core::{CoreClient, CoreClientBuilder};

use super::{Caches, Client, discovery};
use crate::error::read_fault;
use crate::{Error, Result, UserInfo};

/// Builds a [`Client`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientBuilder {
    core: CoreClientBuilder,
    discovery: Option<discovery::Client>,
    repertoire_url: Option<Given>,
    cache_capacity: usize,
    cache_lifetime: Duration,
    error_lifetime: Duration,
    refresh_ahead: f64,
    stale_if_error: Duration,
}

impl ClientBuilder {
    pub(super) fn new() -> Self {
        Self {
            core: CoreClient::builder(),
            discovery: None,
            repertoire_url: None,
            cache_capacity: 1000,
            cache_lifetime: Duration::from_secs(5 * 60),
            error_lifetime: Duration::ZERO,
            refresh_ahead: 0.0,
            stale_if_error: Duration::ZERO,
        }
    }

    /// Creates a builder with the URL of Repertoire in `REPERTOIRE_BASE_URL`. No other constructor
    /// reads the environment.
    ///
    /// # Errors
    ///
    /// Of kind `Config` if the variable is unset, empty or not a URL.
    pub fn from_env() -> Result<Self> {
        Ok(Self::new().repertoire_url(discovery::url_from_env()?))
    }

    vouchsafe_core::client_builder_methods!(core);

    /// Sets the discovery client, to share it. Default: a new one with this builder's transport,
    /// timeouts and retries.
    pub fn discovery(mut self, client: discovery::Client) -> Self {
        self.discovery = Some(client);
        self
    }

    /// Sets the URL of Repertoire. Ignored if a discovery client is set.
    pub fn repertoire_url(mut self, url: impl Into<String>) -> Self {
        self.repertoire_url = Some(Given::from(url));
        self
    }

    /// Sets how many entries each of the two caches may have; zero disables caching. Default: 1000.
    #[doc(alias = "cache_size")]
    #[doc(alias = "userinfo_cache_size")]
    pub fn cache_capacity(mut self, entries: usize) -> Self {
        self.cache_capacity = entries;
        self
    }

    /// Sets how long user information is cached; zero disables caching. Default: five minutes,
    /// which upstream's policy asks not to exceed.
    #[doc(alias = "userinfo_cache_lifetime")]
    pub fn cache_lifetime(mut self, lifetime: Duration) -> Self {
        self.cache_lifetime = lifetime;
        self
    }

    /// Sets how long a failure is cached, so that calls during an outage do not all send requests.
    /// Default: zero.
    pub fn error_lifetime(mut self, lifetime: Duration) -> Self {
        self.error_lifetime = lifetime;
        self
    }

    /// Sets the share at the end of an entry's lifetime, from 0 (off) to 1, in which a hit also
    /// starts a refresh in the background. Default: 0.
    pub fn refresh_ahead(mut self, part: f64) -> Self {
        self.refresh_ahead = part;
        self
    }

    /// Sets how long after its expiry an entry may still be returned when fetching fails. Default:
    /// zero.
    pub fn stale_if_error(mut self, lifetime: Duration) -> Self {
        self.stale_if_error = lifetime;
        self
    }

    /// Builds the client. Does no I/O.
    ///
    /// # Errors
    ///
    /// Of kind `Config` if there is neither a valid URL of Repertoire nor a discovery client, the
    /// transport cannot be created, or the URL is `https` and TLS is impossible.
    pub fn build(self) -> Result<Client> {
        let core = self.core.clone().with_transport()?;
        let discovery = match self.discovery.clone() {
            Some(discovery) => discovery,
            None => {
                discovery::ClientBuilder::of(core.clone(), self.repertoire_url.clone()).build()?
            }
        };
        let core = core.read_fault(read_fault).build()?;
        let caches = Arc::new(Caches {
            by_token: self.cache("userinfo.by_token", &core),
            by_name: self.cache("userinfo.by_name", &core),
        });
        Ok(Client {
            session: Session::new(core, discovery.gafaelfawr().clone()),
            caches,
            discovery,
        })
    }

    fn cache<K>(&self, name: &'static str, core: &CoreClient) -> Cache<K, Arc<UserInfo>, Error>
    where
        K: Clone + Eq + Hash + Send + Sync + 'static,
    {
        core.cache(name)
            .capacity(self.cache_capacity)
            .ttl(self.cache_lifetime)
            .error_ttl(self.error_lifetime)
            .refresh_ahead(self.refresh_ahead)
            .stale_if_error(self.stale_if_error)
            .definite(is_definite)
            .fetch_again(true)
            .build()
    }
}

/// Returns whether the service refused the request: a revoked token must not be served from a stale
/// entry.
fn is_definite(error: &Error) -> bool {
    matches!(
        error.status().map(|status| status.as_u16()),
        Some(401 | 403 | 404)
    )
}

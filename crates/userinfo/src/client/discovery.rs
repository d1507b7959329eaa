//! Fetches the discovery document and caches it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use vouchsafe_core::auth::Credentials;
use vouchsafe_core::cache::{Cache, Fetched};
use vouchsafe_core::call::{Call, CallOptions};
use vouchsafe_core::url::{BaseUrl, Target};
use vouchsafe_core::{CoreClient, CoreClientBuilder};

use crate::discovery::{
    Document, Environment, InfluxCredentials, InfluxDatabase, InfluxLocation, NubladoDict,
};
use crate::error::read_fault;
use crate::generated::repertoire::{calls, operations, wire};
use crate::{Error, ErrorKind, HttpUrl, Result, ServiceToken};

/// A client for Repertoire (protocol section 8.3).
///
/// The document is fetched on first use and cached for five minutes; concurrent callers share one
/// request. If fetching it again fails, the old document is still used.
///
/// Cheap to clone; clones share the connection pool and the document.
#[derive(Clone, Debug)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    fetcher: Fetcher,
    cache: Cache<(), Arc<Snapshot>, Error>,
}

/// What a fetch needs. Separate from the cache, so that a fetch in progress does not keep it alive.
#[derive(Clone, Debug)]
struct Fetcher {
    core: CoreClient,
    base: BaseUrl,
}

/// The document, and what every call to Gafaelfawr needs of it, parsed once.
#[derive(Debug)]
pub(crate) struct Snapshot {
    document: Arc<Document>,
    gafaelfawr: Result<BaseUrl>,
}

impl Client {
    /// Creates a builder with the defaults that its setters document.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// Creates a client for the Repertoire at `REPERTOIRE_BASE_URL`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Core`] of kind `Config` if the variable is unset, empty or not a URL.
    pub fn from_env() -> Result<Self> {
        Self::builder().build()
    }

    /// Returns the document, and fetches it if there is no fresh one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Discovery`] if it cannot be fetched or is invalid, and there is no old one.
    pub async fn document(&self) -> Result<Arc<Document>> {
        Ok(Arc::clone(&self.snapshot().await?.document))
    }

    /// Returns the base URL of Gafaelfawr's API version 1.
    pub(crate) async fn gafaelfawr(&self) -> Result<BaseUrl> {
        self.snapshot().await?.gafaelfawr.clone()
    }

    async fn snapshot(&self) -> Result<Arc<Snapshot>> {
        let fetch = || {
            let fetcher = self.0.fetcher.clone();
            async move {
                fetcher
                    .fetch()
                    .await
                    .map(|found| Fetched::new(Arc::new(found)))
            }
        };
        self.0.cache.get_or_fetch(&(), fetch).await
    }

    /// Removes the document from the cache; the next call fetches it.
    pub fn clear_cache(&self) {
        self.0.cache.clear();
    }

    /// Returns the names of the applications, in the document's order.
    ///
    /// # Errors
    ///
    /// Those of [`document`](Self::document), as for all methods that only read the document.
    pub async fn applications(&self) -> Result<Vec<String>> {
        Ok(self.document().await?.applications().to_vec())
    }

    /// Returns the names of the datasets, sorted.
    ///
    /// # Errors
    ///
    /// Those of [`document`](Self::document).
    pub async fn datasets(&self) -> Result<Vec<String>> {
        Ok(self
            .document()
            .await?
            .datasets()
            .map(str::to_owned)
            .collect())
    }

    /// Returns the description of this environment.
    ///
    /// # Errors
    ///
    /// Those of [`document`](Self::document).
    pub async fn environment(&self) -> Result<Option<Environment>> {
        Ok(self.document().await?.environment().cloned())
    }

    /// Returns the name of this environment in the form of older servers. Prefer
    /// [`environment`](Self::environment).
    ///
    /// # Errors
    ///
    /// Those of [`document`](Self::document).
    pub async fn environment_name(&self) -> Result<Option<String>> {
        Ok(self.document().await?.environment_name().map(str::to_owned))
    }

    /// Returns the URL of a dataset's Butler configuration.
    ///
    /// # Errors
    ///
    /// Those of [`document`](Self::document).
    pub async fn butler_config_for(&self, dataset: &str) -> Result<Option<HttpUrl>> {
        Ok(self.document().await?.butler_config_for(dataset).cloned())
    }

    /// Returns the Butler configurations of all datasets that have one, by dataset.
    ///
    /// # Errors
    ///
    /// Those of [`document`](Self::document).
    pub async fn butler_repositories(&self) -> Result<BTreeMap<String, HttpUrl>> {
        let document = self.document().await?;
        let found = document.butler_repositories();
        Ok(found
            .map(|(dataset, url)| (dataset.to_owned(), url.clone()))
            .collect())
    }

    /// Returns a dataset's ObsCore configuration: in practice a URL, but any text is allowed.
    ///
    /// # Errors
    ///
    /// Those of [`document`](Self::document).
    pub async fn obscore_config_for(&self, dataset: &str) -> Result<Option<String>> {
        Ok(self
            .document()
            .await?
            .obscore_config_for(dataset)
            .map(str::to_owned))
    }

    /// Returns the URL of a service of a dataset. With a version, returns the URL of that version
    /// or `None`, never the default URL.
    ///
    /// # Errors
    ///
    /// Those of [`document`](Self::document).
    pub async fn url_for_data(
        &self,
        service: &str,
        dataset: &str,
        version: Option<&str>,
    ) -> Result<Option<HttpUrl>> {
        Ok(self
            .document()
            .await?
            .url_for_data(service, dataset, version)
            .cloned())
    }

    /// Returns the URL of an internal service. With a version, returns the URL of that version or
    /// `None`, never the default URL.
    ///
    /// # Errors
    ///
    /// Those of [`document`](Self::document).
    pub async fn url_for_internal(
        &self,
        service: &str,
        version: Option<&str>,
    ) -> Result<Option<HttpUrl>> {
        Ok(self
            .document()
            .await?
            .url_for_internal(service, version)
            .cloned())
    }

    /// Returns the URL of a user interface.
    ///
    /// # Errors
    ///
    /// Those of [`document`](Self::document).
    pub async fn url_for_ui(&self, service: &str) -> Result<Option<HttpUrl>> {
        Ok(self.document().await?.url_for_ui(service).cloned())
    }

    /// Returns the versions of a dataset's service, sorted; `None` if it is unknown, an empty
    /// list if it has no versions.
    ///
    /// # Errors
    ///
    /// Those of [`document`](Self::document).
    pub async fn versions_for_data(
        &self,
        service: &str,
        dataset: &str,
    ) -> Result<Option<Vec<String>>> {
        Ok(self.document().await?.versions_for_data(service, dataset))
    }

    /// Returns the versions of an internal service, as
    /// [`versions_for_data`](Self::versions_for_data) does.
    ///
    /// # Errors
    ///
    /// Those of [`document`](Self::document).
    pub async fn versions_for_internal(&self, service: &str) -> Result<Option<Vec<String>>> {
        Ok(self.document().await?.versions_for_internal(service))
    }

    /// Returns the labels of the InfluxDB databases, sorted.
    ///
    /// # Errors
    ///
    /// Those of [`document`](Self::document).
    pub async fn influxdb_databases(&self, location: InfluxLocation) -> Result<Vec<String>> {
        let document = self.document().await?;
        Ok(document
            .influxdb_databases(location)
            .map(str::to_owned)
            .collect())
    }

    /// Returns the connection information of an InfluxDB database, without credentials.
    ///
    /// # Errors
    ///
    /// Those of [`document`](Self::document).
    pub async fn influxdb_connection_info(&self, label: &str) -> Result<Option<InfluxDatabase>> {
        Ok(self.document().await?.influxdb_connection_info(label))
    }

    /// Fetches the connection information of an InfluxDB database, with credentials; never cached.
    /// Returns `None` if the database is not in the document.
    ///
    /// The token is sent to the URL that the document names for the credentials.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Discovery`], of kind `Credential` or `Forbidden` if the token is not
    /// sufficient.
    pub async fn influxdb_credentials(
        &self,
        label: &str,
        token: impl Into<ServiceToken>,
    ) -> Result<Option<InfluxCredentials>> {
        let document = self.document().await?;
        let Some(url) = document.credentials_url(label) else {
            return Ok(None);
        };
        let token = token.into();
        self.0.fetcher.credentials(url, &token).await.map(Some)
    }

    /// Fetches the connection information of all InfluxDB databases, with credentials, by label;
    /// never cached.
    ///
    /// # Errors
    ///
    /// Those of [`influxdb_credentials`](Self::influxdb_credentials).
    pub async fn all_influxdb_credentials(
        &self,
        token: impl Into<ServiceToken>,
    ) -> Result<BTreeMap<String, InfluxCredentials>> {
        let token = token.into();
        let Fetcher { core, base } = &self.0.fetcher;
        let credentials = Some(Credentials::bearer(&token));
        let call = calls::list_influxdb()?;
        let answer = core
            .send(base, call, credentials, &CallOptions::new())
            .await?;
        let all: BTreeMap<String, wire::InfluxDatabaseWithCredentials> = answer.json()?;
        Ok(all
            .into_iter()
            .map(|(label, one)| (label, one.into()))
            .collect())
    }

    /// Returns the reduced copy of the document that is given to notebooks.
    ///
    /// # Errors
    ///
    /// Those of [`document`](Self::document).
    pub async fn build_nublado_dict(&self) -> Result<NubladoDict> {
        Ok(self.document().await?.build_nublado_dict())
    }
}

impl Fetcher {
    async fn fetch(&self) -> Result<Snapshot> {
        // The document decides where tokens are sent.
        let call = calls::get_discovery()?.believed();
        let answer = self
            .core
            .send(&self.base, call, None, &CallOptions::new())
            .await?;
        let document = Document::new(answer.json()?);
        let gafaelfawr = match document.url_for_internal("gafaelfawr", Some("v1")) {
            Some(url) => BaseUrl::parse(url.as_str())
                .map_err(|fault| Error::of(ErrorKind::Discovery(fault.kind()), fault)),
            None => Err(Error::of(
                ErrorKind::ServiceNotFound,
                vouchsafe_core::Error::new(
                    vouchsafe_core::ErrorKind::NotFound,
                    "gafaelfawr (v1) service not found in service discovery",
                ),
            )),
        };
        Ok(Snapshot {
            document: Arc::new(document),
            gafaelfawr,
        })
    }

    async fn credentials(&self, url: &HttpUrl, token: &ServiceToken) -> Result<InfluxCredentials> {
        let base = BaseUrl::parse(url.as_str())
            .map_err(|fault| fault.with_operation(operations::GET_INFLUXDB.id()))?;
        let call = Call::new(&operations::GET_INFLUXDB, Target::default());
        let credentials = Some(Credentials::bearer(token));
        let answer = self
            .core
            .send(&base, call, credentials, &CallOptions::new())
            .await?;
        Ok(answer.json::<wire::InfluxDatabaseWithCredentials>()?.into())
    }
}

/// Builds a [`Client`] for Repertoire.
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientBuilder {
    core: CoreClientBuilder,
    base_url: Option<String>,
    cache_lifetime: Duration,
    error_lifetime: Duration,
    stale_if_error: Duration,
}

impl ClientBuilder {
    fn new() -> Self {
        Self {
            core: CoreClient::builder(),
            base_url: None,
            cache_lifetime: Duration::from_secs(5 * 60),
            error_lifetime: Duration::ZERO,
            stale_if_error: Duration::from_secs(365 * 24 * 60 * 60),
        }
    }

    vouchsafe_core::client_builder_methods!(core);

    pub(crate) fn core(mut self, core: CoreClientBuilder) -> Self {
        self.core = core;
        self
    }

    /// Sets the URL of Repertoire; trailing slashes are removed. Default: the value of
    /// `REPERTOIRE_BASE_URL` when the client is built.
    ///
    /// The document decides where tokens are sent. Over plain http it is fetched from this machine
    /// only, unless [`allow_plain_http`](Self::allow_plain_http) is called.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Sets how long the document is fresh. Default: five minutes.
    #[doc(alias = "cache_timeout")]
    pub fn cache_lifetime(mut self, lifetime: Duration) -> Self {
        self.cache_lifetime = lifetime;
        self
    }

    /// Sets how long a failure is cached, so that calls during an outage do not all send requests.
    /// Default: zero, each call sends one.
    pub fn error_lifetime(mut self, lifetime: Duration) -> Self {
        self.error_lifetime = lifetime;
        self
    }

    /// Sets how long an old document is used while no new one can be fetched. Default: a year.
    pub fn stale_if_error(mut self, lifetime: Duration) -> Self {
        self.stale_if_error = lifetime;
        self
    }

    /// Builds the client. Does no I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Core`] of kind `Config` if there is no valid base URL, or the transport cannot
    /// be created.
    pub fn build(self) -> Result<Client> {
        let base = match &self.base_url {
            Some(url) => {
                BaseUrl::parse(url).map_err(|fault| fault.with_origin("the URL of Repertoire"))?
            }
            None => vouchsafe_core::env::url(BASE_URL_VARIABLE)?.ok_or_else(|| {
                vouchsafe_core::Error::new(
                    vouchsafe_core::ErrorKind::Config,
                    format!("{BASE_URL_VARIABLE} not set in environment"),
                )
            })?,
        };
        let core = self.core.read_fault(read_fault).build()?;
        let cache = core
            .cache("repertoire.document")
            .capacity(1)
            .ttl(self.cache_lifetime)
            .refresh_ahead(0.0)
            .error_ttl(self.error_lifetime)
            .stale_if_error(self.stale_if_error)
            .build();
        Ok(Client(Arc::new(Inner {
            fetcher: Fetcher { core, base },
            cache,
        })))
    }
}

const BASE_URL_VARIABLE: &str = "REPERTOIRE_BASE_URL";

//! Fetches the discovery document and caches it.

use std::sync::Arc;
use std::time::Duration;

use vouchsafe_core::cache::{Cache, Fetched};
use vouchsafe_core::call::{Answer, Call, CallOptions};
use vouchsafe_core::service::{Base, Service, Session};
use vouchsafe_core::url::{BaseUrl, Given, Target};
use vouchsafe_core::{
    CoreClient, CoreClientBuilder, Error as CoreError, ErrorKind as CoreErrorKind,
};

use crate::discovery::{Document, InfluxCredentials};
use crate::error::read_fault;
use crate::generated::repertoire::{calls, operations, wire};
use crate::{Error, ErrorKind, Result, ServiceToken};

/// A client for Repertoire (protocol section 8.3).
///
/// The document is fetched on first use and cached for five minutes; concurrent callers share one
/// request. If fetching it again fails, the old document is still used.
///
/// Cheap to clone; clones share the connection pool and the document.
#[derive(Clone, Debug)]
pub struct Client {
    session: Session<Error>,
    cache: Cache<(), Arc<Snapshot>, Error>,
    gafaelfawr: Base<Error>,
}

/// The document, and the parts that every call to Gafaelfawr needs, parsed once.
#[derive(Debug)]
struct Snapshot {
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
        ClientBuilder::from_env()?.build()
    }

    /// Returns the document, and fetches it if there is no fresh one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Discovery`] if it cannot be fetched or is invalid, and there is no old one.
    pub async fn document(&self) -> Result<Arc<Document>> {
        let fetch = || fetch(self.session.clone());
        let snapshot = self.cache.get_or_fetch(&(), fetch).await?;
        Ok(Arc::clone(&snapshot.document))
    }

    /// Returns the base URL of Gafaelfawr's API version 1.
    pub(super) fn gafaelfawr(&self) -> &Base<Error> {
        &self.gafaelfawr
    }

    /// Removes the document from the cache; the next call fetches it.
    pub fn clear_cache(&self) {
        self.cache.clear();
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
        let base = BaseUrl::parse(url.as_str())
            .map_err(|fault| fault.with_operation(operations::GET_INFLUXDB.id()))?;
        let call = Call::new(&operations::GET_INFLUXDB, Target::default());
        let session = self.session.with_base(Base::fixed(base));
        let answer = session
            .send_as(call, Some(&token.into()), &CallOptions::new())
            .await?;
        Ok(Some(answer.convert(
            answer.json::<wire::InfluxDatabaseWithCredentials>()?,
        )?))
    }
}

impl Service for Client {
    type Error = Error;
    type Credential = ServiceToken;

    async fn call(
        &self,
        call: Call,
        token: &ServiceToken,
        options: &CallOptions,
    ) -> Result<Answer> {
        self.session.send_as(call, Some(token), options).await
    }
}

/// Fetches the document. Takes no cache, so that a fetch in progress keeps none alive.
async fn fetch(session: Session<Error>) -> Result<Fetched<Arc<Snapshot>>> {
    // The document decides where tokens are sent.
    let call = calls::get_discovery()?.require_secure();
    let answer = session.send_as(call, None, &CallOptions::new()).await?;
    let document = Document::new(answer.json()?);
    let gafaelfawr = match document.url_for_internal("gafaelfawr", Some("v1")) {
        Some(url) => BaseUrl::parse(url.as_str())
            .map_err(|fault| Error::of(ErrorKind::Discovery(fault.kind()), fault)),
        None => Err(Error::of(
            ErrorKind::ServiceNotFound,
            CoreError::new(
                CoreErrorKind::NotFound,
                "gafaelfawr (v1) service not found in service discovery",
            ),
        )),
    };
    Ok(Fetched::new(Arc::new(Snapshot {
        document: Arc::new(document),
        gafaelfawr,
    })))
}

/// Returns the URL of Repertoire in the environment.
pub(super) fn url_from_env() -> Result<String> {
    let url = vouchsafe_core::env::url(VARIABLE)?.ok_or_else(|| {
        CoreError::new(
            CoreErrorKind::Config,
            format!("{VARIABLE} not set in environment"),
        )
    })?;
    Ok(url.to_string())
}

/// Builds a [`Client`] for Repertoire.
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientBuilder {
    core: CoreClientBuilder,
    base_url: Option<Given>,
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

    /// Creates a builder with the URL of Repertoire in `REPERTOIRE_BASE_URL`. No other constructor
    /// reads the environment.
    ///
    /// # Errors
    ///
    /// Of kind `Config` if the variable is unset, empty or not a URL.
    pub fn from_env() -> Result<Self> {
        Ok(Self::new().base_url(url_from_env()?))
    }

    pub(super) fn of(core: CoreClientBuilder, base_url: Option<Given>) -> Self {
        Self {
            core,
            base_url,
            ..Self::new()
        }
    }

    /// Sets the URL of Repertoire; trailing slashes are removed.
    ///
    /// The document decides where tokens are sent. Over plain http it is fetched from this machine
    /// only, unless [`allow_plain_http`](Self::allow_plain_http) is called.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(Given::from(url));
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
    /// [`ErrorKind::Core`] of kind `Config` if there is no valid base URL, the transport cannot be
    /// created, or the URL is `https` and TLS is impossible.
    pub fn build(self) -> Result<Client> {
        let url = self.base_url.as_ref().ok_or_else(|| {
            let missing = "the URL of Repertoire is not set; set it, or use `from_env`";
            CoreError::new(CoreErrorKind::Config, missing)
        })?;
        let base =
            BaseUrl::parse(url).map_err(|fault| fault.with_origin("the URL of Repertoire"))?;
        let core = self.core.read_fault(read_fault).build_for([&base])?;
        let cache = core
            .cache("repertoire.document")
            .capacity(1)
            .ttl(self.cache_lifetime)
            .refresh_ahead(0.0)
            .error_ttl(self.error_lifetime)
            .stale_if_error(self.stale_if_error)
            .fetch_again(true)
            .build();
        let session = Session::new(core, Base::fixed(base));
        let fetcher = session.clone();
        let gafaelfawr = Base::found(
            cache.clone(),
            move || fetch(fetcher.clone()),
            |snapshot: &Snapshot| snapshot.gafaelfawr.clone(),
        );
        Ok(Client {
            session,
            cache,
            gafaelfawr,
        })
    }
}

const VARIABLE: &str = "REPERTOIRE_BASE_URL";

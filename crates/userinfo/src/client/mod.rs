//! The client for Gafaelfawr.

pub(crate) mod discovery;
pub(crate) mod service_token;

use std::sync::Arc;
use std::time::Duration;

use vouchsafe_core::auth::{Credentials, TokenSource};
use vouchsafe_core::cache::{Cache, CacheBuilder, Digest, Fetched};
use vouchsafe_core::call::{Answer, Call, CallOptions};
use vouchsafe_core::service::Service;
use vouchsafe_core::{CoreClient, CoreClientBuilder};

use self::service_token::CredentialId;
use crate::api::CreateServiceToken;
use crate::error::read_fault;
use crate::generated::gafaelfawr::{calls, wire};
use crate::model::KnownLimits;
use crate::{BotUsername, Error, Result, ServiceToken, Token, UserInfo, Username};

/// A client for Gafaelfawr, which it locates through Repertoire (protocol section 9).
///
/// # Configuration
///
/// [`from_env`](Self::from_env) reads `REPERTOIRE_BASE_URL`; [`builder`](Self::builder) gives
/// access to all settings. No other environment variable is read.
///
/// # Caching
///
/// User information is cached for five minutes, by token and, separately, by user name, with a
/// thousand entries each. An entry by name is only visible to the credential that fetched it.
/// Concurrent callers with the same question share one request and its result. Errors are not
/// cached.
///
/// # Pooling and cloning
///
/// Cheap to clone; clones share connections, caches and budgets. Create one client and clone it.
/// Nothing runs in the background, and dropping the last clone ends all requests in progress.
#[derive(Clone, Debug)]
pub struct Client {
    inner: Arc<Inner>,
    options: CallOptions,
}

#[derive(Debug)]
struct Inner {
    caller: Caller,
    by_token: Cache<Digest, Arc<UserInfo>, Error>,
    by_name: Cache<(CredentialId, Username), Arc<UserInfo>, Error>,
}

/// What a request needs. Separate from the caches, so that a request in progress does not keep them
/// alive.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    core: CoreClient,
    discovery: discovery::Client,
    limits: Arc<KnownLimits>,
}

impl Client {
    /// Creates a builder with the defaults that its setters document.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// Creates a client that locates Gafaelfawr through the Repertoire at `REPERTOIRE_BASE_URL`.
    ///
    /// # Errors
    ///
    /// Of kind `Config` if the variable is unset, empty or not a URL.
    pub fn from_env() -> Result<Self> {
        Self::builder().build()
    }

    /// Returns the client with other options for its calls: a deadline, retries or a request id. It
    /// shares everything else with this one.
    ///
    /// A request shared by several callers uses the options of the first.
    #[must_use]
    pub fn with_options(&self, options: CallOptions) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            options,
        }
    }

    /// Returns information about the user of a token. Needs no scope. Cached by token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UserInfoFailed`](crate::ErrorKind::UserInfoFailed) if the directory is down;
    /// of kind `Credential` if the token is not valid.
    #[doc(alias = "get_user_info")]
    pub async fn user_info(&self, token: &Token) -> Result<Arc<UserInfo>> {
        let fetch = || {
            let caller = self.inner.caller.clone();
            let (token, options) = (token.clone(), self.options.clone());
            async move {
                let answer = caller
                    .send(calls::get_own_user_info()?, &token, &options)
                    .await?;
                caller.user_info(&answer).map(Fetched::new)
            }
        };
        self.inner
            .by_token
            .get_or_fetch(token.digest(), fetch)
            .await
    }

    /// Returns the directory's information about a user. The token needs the scope
    /// `admin:userinfo`, unless it belongs to that user. Cached by credential and name.
    ///
    /// For a name that is not in the directory, the answer has little more than the name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoDirectory`](crate::ErrorKind::NoDirectory) if the installation has no
    /// directory; of kind `Forbidden` if the token is not sufficient.
    #[doc(alias = "get_user_info")]
    pub async fn user_info_for(
        &self,
        service_token: impl Into<ServiceToken>,
        username: &Username,
    ) -> Result<Arc<UserInfo>> {
        let service_token = service_token.into();
        let key = (service_token.id(), username.clone());
        let fetch = || {
            let caller = self.inner.caller.clone();
            let (username, options) = (username.clone(), self.options.clone());
            async move {
                let call = calls::get_user_info(&username)?;
                let answer = caller.send(call, &service_token, &options).await?;
                caller.user_info(&answer).map(Fetched::new)
            }
        };
        self.inner.by_name.get_or_fetch(&key, fetch).await
    }

    /// Returns all users of the directory, sorted by name, without quota. The token needs the
    /// scope `admin:userinfo`. Not cached.
    ///
    /// # Errors
    ///
    /// Those of [`user_info_for`](Self::user_info_for).
    #[doc(alias = "list_users")]
    pub async fn users(&self, service_token: impl Into<ServiceToken>) -> Result<Vec<UserInfo>> {
        let answer = self
            .send(calls::list_users()?, &service_token.into())
            .await?;
        let users: Vec<wire::UserInfo> = match answer.json() {
            // An empty object means an empty list (protocol section 9.3).
            Err(_) if answer.json::<NoMembers>().is_ok() => Vec::new(),
            users => users?,
        };
        Ok(users.into_iter().map(UserInfo::from).collect())
    }

    /// Starts creating a service token for a bot user. The caller's token needs the scope
    /// `admin:token`; a bootstrap token is accepted too.
    pub fn create_service_token(
        &self,
        service_token: impl Into<ServiceToken>,
        username: &BotUsername,
    ) -> CreateServiceToken {
        CreateServiceToken::new(self.clone(), service_token.into(), username)
    }

    /// Returns the discovery client, which shares this client's connections.
    #[must_use]
    pub fn discovery(&self) -> &discovery::Client {
        &self.inner.caller.discovery
    }

    /// Removes all user information from the caches. Requests in progress still answer their
    /// callers, but their results are not cached. The discovery document stays.
    pub fn clear_cache(&self) {
        self.inner.by_token.clear();
        self.inner.by_name.clear();
    }

    /// Removes the cached information about the user of a token.
    pub fn forget_token(&self, token: &Token) {
        self.inner.by_token.forget(token.digest());
    }

    /// Removes the information about a user that was fetched with this credential.
    pub fn forget_user(&self, service_token: impl Into<ServiceToken>, username: &Username) {
        let key = (service_token.into().id(), username.clone());
        self.inner.by_name.forget(&key);
    }

    pub(crate) async fn send(&self, call: Call, source: &dyn TokenSource) -> Result<Answer> {
        self.inner.caller.send(call, source, &self.options).await
    }

    pub(crate) fn set_options(&mut self, options: CallOptions) {
        self.options = options;
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
        let options = options.clone().or(&self.options);
        self.inner.caller.send(call, token, &options).await
    }
}

impl Caller {
    async fn send(
        &self,
        call: Call,
        source: &dyn TokenSource,
        options: &CallOptions,
    ) -> Result<Answer> {
        let base = self.discovery.gafaelfawr().await?;
        let credentials = Some(Credentials::bearer(source));
        Ok(self.core.send(&base, call, credentials, options).await?)
    }

    fn user_info(&self, answer: &Answer) -> Result<Arc<UserInfo>> {
        let mut info = UserInfo::from(answer.json::<wire::UserInfo>()?);
        info.groups.shrink_to_fit();
        self.limits.share(&mut info.quota);
        Ok(Arc::new(info))
    }
}

/// An object without members.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct NoMembers {}

/// Returns whether the service refused the request: a revoked token must not be served from a stale
/// entry.
fn is_definite(error: &Error) -> bool {
    matches!(
        error.status().map(|status| status.as_u16()),
        Some(401 | 403 | 404)
    )
}

/// Builds a [`Client`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientBuilder {
    core: CoreClientBuilder,
    discovery: Option<discovery::Client>,
    repertoire_url: Option<String>,
    cache_size: usize,
    cache_lifetime: Duration,
    error_lifetime: Duration,
    refresh_ahead: f64,
    stale_if_error: Duration,
}

impl ClientBuilder {
    fn new() -> Self {
        Self {
            core: CoreClient::builder(),
            discovery: None,
            repertoire_url: None,
            cache_size: 1000,
            cache_lifetime: Duration::from_secs(5 * 60),
            error_lifetime: Duration::ZERO,
            refresh_ahead: 0.0,
            stale_if_error: Duration::ZERO,
        }
    }

    vouchsafe_core::client_builder_methods!(core);

    /// Sets the discovery client, to share it. Default: a new one with this builder's transport,
    /// timeouts and retries.
    pub fn discovery(mut self, client: discovery::Client) -> Self {
        self.discovery = Some(client);
        self
    }

    /// Sets the URL of Repertoire. Default: the value of `REPERTOIRE_BASE_URL` when the client is
    /// built. Ignored if a discovery client is set.
    pub fn repertoire_url(mut self, url: impl Into<String>) -> Self {
        self.repertoire_url = Some(url.into());
        self
    }

    /// Sets how many entries each of the two caches may have; zero disables caching. Default: 1000.
    #[doc(alias = "userinfo_cache_size")]
    pub fn cache_size(mut self, entries: usize) -> Self {
        self.cache_size = entries;
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

    /// Builds the client. Does no I/O, except for reading the environment if no URL was set.
    ///
    /// # Errors
    ///
    /// Of kind `Config` if the URL of Repertoire is unknown, or the transport cannot be created.
    pub fn build(self) -> Result<Client> {
        let core = self.core.clone().with_transport()?;
        let discovery = match (self.discovery.clone(), self.repertoire_url.clone()) {
            (Some(discovery), _) => discovery,
            (None, Some(url)) => discovery::Client::builder()
                .core(core.clone())
                .base_url(url)
                .build()?,
            (None, None) => discovery::Client::builder().core(core.clone()).build()?,
        };
        let core = core.read_fault(read_fault).build()?;
        let by_token = self.cache("userinfo.by_token", &core).build();
        let by_name = self.cache("userinfo.by_name", &core).build();
        Ok(Client {
            inner: Arc::new(Inner {
                caller: Caller {
                    core,
                    discovery,
                    limits: Arc::default(),
                },
                by_token,
                by_name,
            }),
            options: CallOptions::new(),
        })
    }

    fn cache<K>(
        &self,
        name: &'static str,
        core: &CoreClient,
    ) -> CacheBuilder<K, Arc<UserInfo>, Error>
    where
        K: Clone + Eq + std::hash::Hash + Send + Sync + 'static,
    {
        core.cache(name)
            .capacity(self.cache_size)
            .ttl(self.cache_lifetime)
            .error_ttl(self.error_lifetime)
            .refresh_ahead(self.refresh_ahead)
            .stale_if_error(self.stale_if_error)
            .definite(is_definite)
    }
}

//! Credentials of an application: where they come from, and an access token that is always fresh.

mod authorization;
mod builder;
mod changes;
mod developer;
mod device;
mod endpoint;
mod exchange;
mod fields;
mod metadata;
mod profile;
mod server;
mod token;
mod unsaved;
mod values;

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::time::timeout;
use vouchsafe_core::auth::{StaticToken, Token, TokenSource};
use vouchsafe_core::cache::Cache;
use vouchsafe_core::call::CallOptions;
use vouchsafe_core::store::Key;
use vouchsafe_core::{Error as Core, ErrorKind as Kind, Secret, TimeoutScope, sync};

pub use self::authorization::{Authorization, AuthorizationRequest, Pkce};
pub use self::builder::CredentialsBuilder;
pub use self::device::{DeviceLogin, DeviceRequest};
use self::endpoint::Hint;
#[cfg(feature = "mock")]
pub(crate) use self::endpoint::{REDEEM, REQUEST_TOKEN, REVOKE_TOKEN};
pub use self::exchange::ExchangeRequest;
use self::exchange::{Exchanges, exchanges};
pub use self::fields::BodyFormat;
pub use self::metadata::ServerMetadata;
pub use self::server::ClientAuthentication;
use self::server::{Endpoints, Identity};
use self::token::Held;
use self::values::{Memory, Resolved, Searched};
pub use self::values::{Source, Values};
use crate::refresh::{Coordinator, Given};
use crate::url::Url;
use crate::{Claims, Environment, Error, Result};

/// The credentials of an application, and its access token.
///
/// Sources are searched in this order: the builder, variables that begin with `PAN_`, the variables
/// `CLIENT_ID`, `CLIENT_SECRET` and `REFRESH_TOKEN` if all three are set, and the store. The first
/// source that has any value is used alone; [`source`](Self::source) says which one it is. The
/// environment and the store are used only if the builder names them.
///
/// As a [`TokenSource`](crate::TokenSource) they keep the access token fresh: it is replaced
/// shortly before it expires and after a refusal, by one request for all tasks, processes and
/// machines that share the store. So a refresh token that the server rotates is never sent twice,
/// nor lost.
///
/// Cheap to clone; clones share everything. Use clones rather than several that were built for one profile:
/// those share each token, and what the server answered instead of one if they have the same store object,
/// but not that it could not be reached. Creating them touches neither disk nor network, besides
/// reading the system's root certificates, unless a transport is given.
#[derive(Clone)]
pub struct Credentials {
    inner: Arc<Inner>,
    refreshes: bool,
    /// Beside what the exchanges hold, so that dropping the last credentials ends them.
    exchanges: Exchanges,
}

struct Inner {
    endpoints: Endpoints,
    coordinator: Coordinator,
    builder: Values,
    environment: Option<Environment>,
    reads_unprefixed: bool,
    authorization: authorization::Settings,
    developer: Developer,
    is_token_cached: bool,
    is_secret_kept: bool,
    guard: Duration,
    memory: Mutex<Memory>,
    held: ArcSwapOption<Held>,
    /// Counts tokens, to number their generations.
    generations: AtomicU64,
    /// Refreshes by the digest of the token that they replace.
    flights: Cache<String, Token, Error>,
    /// Renamings of profiles, which go on if their callers are cancelled.
    renames: Cache<(Key, Key), (), Error>,
}

/// Where developer tokens come from, and where to redeem them.
#[derive(Debug)]
struct Developer {
    source: Option<Arc<dyn TokenSource>>,
    provider: Option<Url>,
    default_provider: Url,
}

impl Credentials {
    /// Creates a builder with the defaults that its setters document. It reads nothing.
    pub fn builder() -> CredentialsBuilder {
        CredentialsBuilder::new()
    }

    /// Takes credentials from the environment, or else from the file of credentials, as `pancloud`
    /// does: see [`Environment`].
    ///
    /// # Errors
    ///
    /// Those of [`CredentialsBuilder::from_env`] and [`CredentialsBuilder::build`].
    pub fn from_env() -> Result<Self> {
        CredentialsBuilder::from_env()?.build()
    }

    /// Returns the current values, each of which may be missing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::StoreCorrupt`](crate::ErrorKind::StoreCorrupt) or of kind `Store` if they are
    /// in the store, and it cannot be read; of kind `Config` if a variable is not text.
    #[doc(alias = "get_credentials")]
    pub async fn values(&self) -> Result<Values> {
        Ok(self.resolve().await?.values)
    }

    /// Returns the source of the current values. If the access token was redeemed, that is the
    /// developer token, whatever has the other values.
    ///
    /// # Errors
    ///
    /// As [`values`](Self::values).
    pub async fn source(&self) -> Result<Source> {
        let resolved = self.resolve().await?;
        let values = &resolved.values;
        let is_redeemed = {
            let memory = self.memory();
            let token = values.access_token.as_ref();
            let known = token.and_then(|token| memory.known_of(token));
            known.is_some_and(|known| known.is_redeemed)
        };
        Ok(match resolved.source {
            _ if is_redeemed => Source::DeveloperToken,
            // What was set is known even if no source has anything.
            Source::Nothing if !values.is_empty() => Source::Builder,
            Source::Nothing if self.developer_source()?.is_some() => Source::DeveloperToken,
            source => source,
        })
    }

    /// Returns the scope that the server stated when it issued the current access token to these
    /// credentials. It has to state it if the scope is not the requested one (RFC 6749, 5.1); a refresh
    /// requests that of the login. `None` if it did not, or the token comes from elsewhere.
    ///
    /// # Errors
    ///
    /// As [`values`](Self::values).
    pub async fn scope(&self) -> Result<Option<String>> {
        let resolved = self.resolve().await?;
        let memory = self.memory();
        let token = resolved.values.access_token.as_ref();
        let known = token.and_then(|token| memory.known_of(token));
        Ok(known.and_then(|known| known.scope.clone()))
    }

    /// Returns the same credentials with automatic refresh on or off. See
    /// [`CredentialsBuilder::auto_refresh`].
    #[must_use]
    pub fn with_auto_refresh(&self, refreshes: bool) -> Self {
        Self {
            refreshes,
            ..self.clone()
        }
    }

    /// Returns the same credentials for work that ends with these: those who hold them keep no
    /// exchange going.
    fn detached(&self) -> Self {
        Self {
            exchanges: exchanges(&self.inner.endpoints.core),
            ..self.clone()
        }
    }

    /// Returns the name of the profile.
    #[must_use]
    pub fn profile(&self) -> &str {
        self.inner.coordinator.key().profile()
    }

    /// Sets the access token, for as long as this object lives or until it is refreshed. `None`
    /// returns to the sources.
    pub fn set_access_token(&self, token: Option<Secret>) {
        self.set(|memory| {
            memory.set.access_token = token.filter(|token| !token.is_empty());
            memory.is_access_token_gone = false;
        });
    }

    /// Sets the client's id. `None` returns to the sources. The other values stay as they are: for another
    /// client, set its secret and its refresh token, too.
    pub fn set_client_id(&self, id: Option<String>) {
        self.set(|memory| {
            memory.set.client_id = id.filter(|id| !id.is_empty());
            memory.is_secret_gone = false;
        });
    }

    /// Sets the client's secret. `None` returns to the sources.
    pub fn set_client_secret(&self, secret: Option<Secret>) {
        self.set(|memory| {
            memory.set.client_secret = secret.filter(|secret| !secret.is_empty());
            memory.is_secret_gone = false;
        });
    }

    /// Sets the refresh token. `None` returns to the sources.
    pub fn set_refresh_token(&self, token: Option<Secret>) {
        self.set(|memory| {
            memory.set.refresh_token = token.filter(|token| !token.is_empty());
            memory.is_refresh_token_gone = false;
            memory.rotated = None;
        });
    }

    /// Sets the developer token. `None` returns to what the builder was given.
    pub fn set_developer_token(&self, token: Option<Secret>) {
        self.set(|memory| memory.developer_token = token.filter(|token| !token.is_empty()));
    }

    /// Sets the URL where developer tokens are redeemed. `None` returns to the sources.
    ///
    /// # Errors
    ///
    /// Of kind `Config` if the URL is malformed.
    pub fn set_developer_token_provider(&self, url: Option<&str>) -> Result<()> {
        let url = url.filter(|url| !url.is_empty());
        let url = url.map(Url::whole).transpose()?;
        self.set(|memory| memory.developer_provider = url);
        Ok(())
    }

    /// Returns the developer token, if there is one. A
    /// [source](CredentialsBuilder::developer_token_source) is asked for it.
    ///
    /// # Errors
    ///
    /// Of kind `Config` if the variable is not text; those of the source; of kind `Timeout` if it
    /// takes longer than a [token request may](CredentialsBuilder::request_time).
    pub async fn developer_token(&self) -> Result<Option<Secret>> {
        let Some(source) = self.developer_source()? else {
            return Ok(None);
        };
        let core = &self.inner.endpoints.core;
        let limit = core.call_limit(&CallOptions::new());
        let Ok(token) = timeout(limit, source.token()).await else {
            let what = format!("the source of developer tokens returned none within {limit:?}");
            return Err(Core::new(Kind::Timeout(TimeoutScope::Call), what).into());
        };
        Ok(Some(token?.secret().clone()))
    }

    /// Returns the URL where developer tokens are redeemed.
    ///
    /// # Errors
    ///
    /// Of kind `Config` if the variable is not a URL.
    pub fn developer_token_provider(&self) -> Result<String> {
        let url = self.developer_provider()?;
        Ok(format!("{}{}", url.base(), url.target().as_str()))
    }

    fn developer_source(&self) -> Result<Option<Arc<dyn TokenSource>>> {
        let fixed = |token| Arc::new(StaticToken::new(token)) as Arc<dyn TokenSource>;
        let inner = &self.inner;
        if let Some(token) = self.memory().developer_token.clone() {
            return Ok(Some(fixed(token)));
        }
        if let Some(source) = &inner.developer.source {
            return Ok(Some(Arc::clone(source)));
        }
        match &inner.environment {
            Some(environment) => Ok(environment.secret("PAN_DEVELOPER_TOKEN")?.map(fixed)),
            None => Ok(None),
        }
    }

    fn developer_provider(&self) -> Result<Url> {
        let inner = &self.inner;
        let set = self.memory().developer_provider.clone();
        if let Some(provider) = set.or_else(|| inner.developer.provider.clone()) {
            return Ok(provider);
        }
        let named = match &inner.environment {
            Some(environment) => environment.text("PAN_DEVELOPER_TOKEN_PROVIDER")?,
            None => None,
        };
        match named {
            Some(url) => Url::whole(&url),
            None => Ok(inner.developer.default_provider.clone()),
        }
    }

    /// Returns the claims of the current access token. Its signature is not checked.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PartialCredentials`](crate::ErrorKind::PartialCredentials) without an access
    /// token; those of [`Claims::of`] and [`values`](Self::values).
    #[doc(alias = "decode_jwt_payload")]
    pub async fn claims(&self) -> Result<Claims> {
        let resolved = self.resolve().await?;
        match &resolved.values.access_token {
            Some(token) => Claims::of(token),
            None => Err(resolved.missing(vec!["access_token"])),
        }
    }

    /// Exchanges an authorization code for tokens, and writes them into the record of the profile.
    ///
    /// If the answer has no refresh token, the one in the record is dropped, since it belongs to
    /// another login.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::PartialCredentials`](crate::ErrorKind::PartialCredentials) if the code or the
    ///   client's id is missing; nothing is sent.
    /// - [`ErrorKind::TokenEndpoint`](crate::ErrorKind::TokenEndpoint) or
    ///   [`InvalidResponse`](crate::ErrorKind::InvalidResponse): nothing is changed.
    /// - Those of [`write`](Self::write), which waits for refreshes in the same way. If the lease cannot be
    ///   had, the tokens are written without. They are kept in memory, too, and saved
    ///   later, at the latest by [`flush`](Self::flush) or `write`.
    #[doc(alias = "fetch_tokens")]
    pub fn exchange(&self, code: impl Into<Secret>) -> ExchangeRequest {
        ExchangeRequest {
            credentials: self.clone(),
            code: code.into(),
            client_id: None,
            client_secret: None,
            redirect_uri: None,
            verifier: None,
        }
    }

    /// Revokes the access token, and drops it from memory and the record of the profile. If a refresh token
    /// was given elsewhere and this process has no access token yet, that is the one in the record which
    /// descends from it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PartialCredentials`](crate::ErrorKind::PartialCredentials) without an access
    /// token or a client's id; [`ErrorKind::TokenEndpoint`](crate::ErrorKind::TokenEndpoint) if
    /// the server refuses or says that it did not revoke it; of kind `Store` if the record cannot be read or
    /// written. A token that this process knows is revoked even so.
    pub async fn revoke_access_token(&self) -> Result<()> {
        self.revoke(Hint::AccessToken).await
    }

    /// Revokes the refresh token, and drops it and the access token from memory and the record of
    /// the profile. After a login that hides other credentials of the environment or the store, those count.
    ///
    /// If the refresh token was given elsewhere and a record leads from it to a newer one, that is revoked:
    /// many servers say that they have revoked a spent one, and leave what replaced it.
    ///
    /// # Errors
    ///
    /// As [`revoke_access_token`](Self::revoke_access_token), for the refresh token.
    pub async fn revoke_refresh_token(&self) -> Result<()> {
        self.revoke(Hint::RefreshToken).await
    }

    async fn revoke(&self, hint: Hint) -> Result<()> {
        let resolved = self.resolve().await?;
        let values = &resolved.values;
        let given = self.given(&resolved);
        let has_token = |given: &&Given| given.refresh_token.is_some();
        // Others may have replaced what was given.
        let newest = match given.as_ref().filter(has_token) {
            Some(given) => self.inner.coordinator.newest_of(given).await.map(Some),
            None => Ok(None),
        };
        let there = newest.as_ref().ok().and_then(Option::as_ref);
        let (name, token) = match hint {
            Hint::AccessToken => {
                let there = there.filter(|_| self.inner.is_token_cached);
                let known = values.access_token.as_ref();
                let token = known.or(there.and_then(|there| there.access_token.as_ref()));
                ("access_token", token)
            }
            Hint::RefreshToken => {
                let token = there.and_then(|there| there.refresh_token.as_ref());
                ("refresh_token", token.or(values.refresh_token.as_ref()))
            }
        };
        let (Some(id), Some(token)) = (&values.client_id, token) else {
            newest.as_ref().map_err(Error::clone)?;
            let missing = [
                ("client_id", values.client_id.is_some()),
                (name, token.is_some()),
            ];
            let missing = missing.into_iter().filter(|(_, is_there)| !is_there);
            return Err(resolved.missing(missing.map(|(name, _)| name).collect()));
        };
        let client = Identity {
            id,
            secret: values.client_secret.as_ref(),
        };
        self.inner.endpoints.revoke(client, token, hint).await?;
        let is_of_builder = resolved.source == Source::Builder;
        self.set(|memory| {
            let is_login_over = hint == Hint::RefreshToken && memory.current_login().is_some();
            if is_login_over && !is_of_builder {
                // The refresh token that counts now is not sent as this client.
                memory.login = None;
                memory.set = Values::default();
                memory.is_secret_gone = false;
            }
            memory.set.access_token = None;
            memory.is_access_token_gone = is_of_builder;
            if hint == Hint::RefreshToken {
                memory.set.refresh_token = None;
                memory.rotated = None;
                memory.is_refresh_token_gone = is_of_builder;
            }
        });
        self.inner.coordinator.drop_unsaved(token).await;
        let dropped = self.drop_from_records(token, given.as_ref()).await;
        // Until now it could be read from the record.
        self.forget_held();
        newest.map(drop).and(dropped)
    }

    async fn resolve(&self) -> Result<Resolved> {
        let inner = &*self.inner;
        let has_environment = inner.environment.is_some();
        let searched = Searched {
            environment: has_environment,
            unprefixed: has_environment && inner.reads_unprefixed,
            store: Arc::clone(inner.coordinator.store()),
            profile: self.profile().to_owned(),
        };
        let given = |values, source| {
            let memory = self.memory();
            Resolved::new(values, source, None, &memory, searched.clone())
        };
        if !inner.builder.is_empty() {
            return Ok(given(inner.builder.clone(), Source::Builder));
        }
        if let Some(environment) = &inner.environment {
            let values = Values::prefixed(environment)?;
            if !values.is_empty() {
                return Ok(given(values, Source::Environment));
            }
            if inner.reads_unprefixed
                && let Some(values) = Values::unprefixed(environment)?
            {
                return Ok(given(values, Source::UnprefixedEnvironment));
            }
        }
        let epoch = self.memory().epoch;
        let key = inner.coordinator.key();
        let loaded = inner.coordinator.load(key).await?;
        let memory = self.memory();
        let there = loaded.map(|(record, _)| record);
        let unsaved = inner.coordinator.unsaved_of(there.as_ref());
        let Some(record) = &unsaved.or(there) else {
            let (nothing, source) = (Values::default(), Source::Nothing);
            return Ok(Resolved {
                epoch,
                ..Resolved::new(nothing, source, None, &memory, searched)
            });
        };
        let values = Values {
            access_token: record
                .access_token
                .clone()
                .filter(|_| inner.is_token_cached),
            client_id: record.client_id.clone(),
            client_secret: record.client_secret.clone(),
            refresh_token: record.refresh_token.clone(),
        };
        Ok(Resolved {
            epoch,
            ..Resolved::new(values, Source::Store, Some(record), &memory, searched)
        })
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        sync::lock(&self.inner.memory)
    }

    /// Changes the known values, and drops the cached token, which may not belong to them.
    fn set(&self, change: impl FnOnce(&mut Memory)) {
        self.begin_epoch(change);
        self.inner.flights.clear();
    }

    /// Drops the cached token, so that the next caller reads the sources.
    fn forget_held(&self) {
        self.begin_epoch(|_| ());
    }

    fn begin_epoch(&self, change: impl FnOnce(&mut Memory)) {
        let mut memory = self.memory();
        let epoch = memory.epoch + 1;
        change(&mut memory);
        memory.epoch = epoch;
        self.inner.held.store(None);
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.inner;
        f.debug_struct("Credentials")
            .field("profile", &self.profile())
            .field("builder", &inner.builder)
            .field("environment", &inner.environment)
            .field("store", inner.coordinator.store())
            .finish_non_exhaustive()
    }
}

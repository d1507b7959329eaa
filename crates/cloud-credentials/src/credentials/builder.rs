//! Configuration of credentials.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use vouchsafe_core::auth::oauth::read_fault;
use vouchsafe_core::auth::{Renewals, StaticToken, TokenSource};
use vouchsafe_core::call::{Jitter, Timeouts};
use vouchsafe_core::store::{
    Capabilities, Key, Leases, MemoryStore, Scope, Store, StoreLeases, WithLease,
};
use vouchsafe_core::url::Given;
use vouchsafe_core::{CoreClientBuilder, Error as Core, ErrorKind as Kind, Secret};

use super::authorization::{self, joined};
use super::endpoint::endpoints;
use super::exchange::exchanges;
use super::metadata::Discovery;
use super::server::{Endpoints, Settings};
use super::values::{Memory, Values};
use super::{BodyFormat, ClientAuthentication, Credentials, Developer, Inner};
use crate::file::FileStore;
use crate::refresh::{Coordinator, LONGEST_ASKED, Times};
use crate::skew::ServerClock;
use crate::url::Url;
use crate::{Environment, Error, Events, Result, limits};

/// Builds [`Credentials`].
#[derive(Clone, Debug)]
#[must_use]
pub struct CredentialsBuilder {
    core: CoreClientBuilder,
    values: Values,
    environment: Option<Environment>,
    reads_unprefixed: bool,
    profile: Option<String>,
    namespace: String,
    store: Option<Arc<dyn Store>>,
    leases: Option<Arc<dyn Leases>>,
    issuer: Option<Given>,
    token_url: Option<Given>,
    token_endpoint: Option<Given>,
    revocation_url: Option<Given>,
    authorization_url: Option<Given>,
    device_url: Option<Given>,
    developer_source: Option<Arc<dyn TokenSource>>,
    developer_provider: Option<Given>,
    authorization: authorization::Settings,
    format: Option<BodyFormat>,
    authentication: Option<ClientAuthentication>,
    is_token_cached: bool,
    is_secret_kept: bool,
    refreshes: bool,
    guard: Duration,
    follows_server_clock: bool,
    times: Times,
    events: Option<Arc<dyn Events>>,
}

impl CredentialsBuilder {
    pub(super) fn new() -> Self {
        let times = Times::default();
        Self {
            core: limits::core().timeouts(timeouts(times.request)),
            values: Values::default(),
            environment: None,
            reads_unprefixed: true,
            profile: None,
            namespace: FileStore::NAMESPACE.to_owned(),
            store: None,
            leases: None,
            issuer: None,
            token_url: None,
            token_endpoint: None,
            revocation_url: None,
            authorization_url: None,
            device_url: None,
            developer_source: None,
            developer_provider: None,
            authorization: authorization::Settings::default(),
            format: None,
            authentication: None,
            is_token_cached: true,
            is_secret_kept: true,
            refreshes: true,
            guard: Duration::from_secs(60),
            follows_server_clock: true,
            times,
            events: None,
        }
    }

    /// Creates a builder that reads all values that it is not given from the environment of the
    /// process, and from the file of credentials at `PAN_CREDENTIALS_DBFILE`, or else
    /// `~/.config/pancloud/credentials.json`. The file is not touched yet.
    ///
    /// # Errors
    ///
    /// Of kind `Config` if neither that variable nor `HOME` is set, or a variable is not text.
    pub fn from_env() -> Result<Self> {
        let environment = Environment::of_process();
        let file = FileStore::new(environment.file()?);
        Ok(Self::new().environment(environment).store(Arc::new(file)))
    }

    /// Sets how requests are sent, but not how long they may take.
    pub(crate) fn core(mut self, core: CoreClientBuilder) -> Self {
        self.core = core.timeouts(timeouts(self.times.request));
        self
    }

    vouchsafe_core::client_builder_methods!(core);

    /// Sets the client's id. Here and below, an empty value counts as missing.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.values.client_id = Some(id.into());
        self
    }

    /// Sets the client's secret.
    pub fn client_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.values.client_secret = Some(secret.into());
        self
    }

    /// Sets the refresh token.
    pub fn refresh_token(mut self, token: impl Into<Secret>) -> Self {
        self.values.refresh_token = Some(token.into());
        self
    }

    /// Sets the access token.
    pub fn access_token(mut self, token: impl Into<Secret>) -> Self {
        self.values.access_token = Some(token.into());
        self
    }

    /// Sets the source of variables. Default: none are read.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    /// Ignores the variables without prefix (`CLIENT_ID`, ...). Default: they are read if all three
    /// are set.
    pub fn without_unprefixed_variables(mut self) -> Self {
        self.reads_unprefixed = false;
        self
    }

    /// Sets the profile. Default: `PAN_PROFILE` of the environment, else `default`.
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// Sets the namespace of the records in the store. Default: `profiles`, as in the file of
    /// `pancloud`.
    pub fn namespace(mut self, name: impl Into<String>) -> Self {
        self.namespace = name.into();
        self
    }

    /// Sets the store of the records. Processes that share a store share each refresh. One whose server
    /// forgets, such as Memcached, is refused: it is for leases
    /// ([`WithLease`](vouchsafe_core::store::WithLease)), and a cache before another store
    /// ([`CacheOver`](vouchsafe_core::store::CacheOver)). Default: memory.
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// Sets what decides which process refreshes; all processes that share the store have to share it.
    /// Default: the store's [own](Store::own_leases), or else leases in its records.
    pub fn leases(mut self, leases: Arc<dyn Leases>) -> Self {
        self.leases = Some(leases);
        self
    }

    /// Sets the authorization server by its name, which is a URL. Its endpoints, how clients
    /// authenticate and whether it supports PKCE are taken from its metadata (RFC 8414 or OpenID
    /// Connect), at the first request and again when they expire; requests are then written as
    /// forms. Other settings here take precedence. Default: none, and the server of the service.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(Given::from(issuer));
        self
    }

    /// Sets the URL where logins on another device begin (RFC 8628). Default: that of the
    /// [issuer](Self::issuer); this service has none.
    pub fn device_authorization_url(mut self, url: impl Into<String>) -> Self {
        self.device_url = Some(Given::from(url));
        self
    }

    /// Sets the URL of the authorization server, to which `/api/oauth2/RequestToken` and
    /// `/api/oauth2/RevokeToken` are appended, or of its token endpoint, if it ends in
    /// `RequestToken`. Default: `https://api.paloaltonetworks.com`.
    pub fn token_url(mut self, url: impl Into<String>) -> Self {
        self.token_url = Some(Given::from(url));
        self
    }

    /// Sets the whole URL of the token endpoint of another authorization server, which takes forms unless
    /// [`body_format`](Self::body_format) is set. Comes before [`token_url`](Self::token_url), and its server has
    /// no other endpoints than those that are set or found in its [metadata](Self::issuer). Default: none.
    pub fn token_endpoint(mut self, url: impl Into<String>) -> Self {
        self.token_endpoint = Some(Given::from(url));
        self
    }

    /// Sets the URL of the revocation endpoint. Default: derived from [`token_url`](Self::token_url), or found in
    /// the metadata.
    #[doc(alias = "token_revoke_url")]
    pub fn revocation_url(mut self, url: impl Into<String>) -> Self {
        self.revocation_url = Some(Given::from(url));
        self
    }

    /// Sets the URL that users visit to log in. Default:
    /// `https://identity.paloaltonetworks.com/as/authorization.oauth2`.
    #[doc(alias = "auth_base_url")]
    pub fn authorization_url(mut self, url: impl Into<String>) -> Self {
        self.authorization_url = Some(Given::from(url));
        self
    }

    /// Sets where users are sent after a login. Default: none.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.authorization.redirect_uri = Some(uri.into());
        self
    }

    /// Sets the scopes of logins. Default: none.
    pub fn scopes<T: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.authorization.scope = Some(joined(scopes));
        self
    }

    /// Sets the instance of the application for logins. Default: none.
    pub fn instance_id(mut self, id: impl Into<String>) -> Self {
        self.authorization.instance_id = Some(id.into());
        self
    }

    /// Sets the region for logins, such as `americas` or `europe`. Default: none.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.authorization.region = Some(region.into());
        self
    }

    /// Sets the state of logins. Default: random for each.
    pub fn state(mut self, state: impl Into<String>) -> Self {
        self.authorization.state = Some(state.into());
        self
    }

    /// Sets the developer token. It is used if no other credentials are given here, and
    /// `PAN_ACCESS_TOKEN` is not set. Default: `PAN_DEVELOPER_TOKEN` of the environment.
    ///
    /// Programs with different developer tokens need a [profile](Self::profile) each: the record does not say
    /// which one its access token was issued for, so on one profile they would use each other's.
    pub fn developer_token(mut self, token: impl Into<Secret>) -> Self {
        let token = token.into();
        let fixed = |token| Arc::new(StaticToken::new(token)) as Arc<dyn TokenSource>;
        self.developer_source = Some(token).filter(|token| !token.is_empty()).map(fixed);
        self
    }

    /// Sets a source of developer tokens, instead of one token: such as a
    /// [`FileToken`](vouchsafe_core::auth::FileToken), or a function in an
    /// [`FnToken`](vouchsafe_core::auth::FnToken). It is asked each time an access token is needed,
    /// within the [time of that request](Self::request_time), and learns if its token was refused; if
    /// it then has another, that one is redeemed. Sources of different users need a profile each, as
    /// [different tokens](Self::developer_token) do.
    pub fn developer_token_source(mut self, source: Arc<dyn TokenSource>) -> Self {
        self.developer_source = Some(source);
        self
    }

    /// Sets the URL where developer tokens are redeemed. Default: `PAN_DEVELOPER_TOKEN_PROVIDER` of
    /// the environment, else `https://app.apiexplorer.rocks/request_token`.
    pub fn developer_token_provider(mut self, url: impl Into<String>) -> Self {
        self.developer_provider = Some(Given::from(url));
        self
    }

    /// Sets the format of request bodies. Default: [`BodyFormat::Json`].
    pub fn body_format(mut self, format: BodyFormat) -> Self {
        self.format = Some(format);
        self
    }

    /// Sets how the client authenticates. Default: [`ClientAuthentication::Body`].
    pub fn client_authentication(mut self, authentication: ClientAuthentication) -> Self {
        self.authentication = Some(authentication);
        self
    }

    /// Sets whether access tokens are kept in the store. If not, each process needs its own.
    /// Default: `true`.
    pub fn cache_token(mut self, is_cached: bool) -> Self {
        self.is_token_cached = is_cached;
        self
    }

    /// Sets whether a client's secret that was given here or in the environment is kept in the
    /// store. If not, the same secret in the record stays there, since others may need it. Default: `true`,
    /// as in `pancloud`.
    pub fn persist_client_secret(mut self, is_kept: bool) -> Self {
        self.is_secret_kept = is_kept;
        self
    }

    /// Sets whether an access token is replaced when it expires or is refused. If not, only
    /// [`Credentials::refresh`] replaces it. Default: `true`.
    pub fn auto_refresh(mut self, refreshes: bool) -> Self {
        self.refreshes = refreshes;
        self
    }

    /// Sets how long before it expires an access token is replaced. Up to a tenth of this is added
    /// at random, so that a fleet does not refresh all at once. A token is never replaced in the
    /// first half of its life. If it does not say when it was issued, that counts from when these
    /// credentials first had it: those that got it know its whole life, and others that find it
    /// shortly before its end use it for half of what is left. Default: 60 seconds.
    pub fn guard(mut self, guard: Duration) -> Self {
        self.guard = guard;
        self
    }

    /// Sets whether expiries are judged by the authorization server's clock, as far as its answers
    /// tell it. If not, a machine whose clock is wrong refreshes too early or too late. Default:
    /// `true`.
    pub fn follow_server_clock(mut self, follows: bool) -> Self {
        self.follows_server_clock = follows;
        self
    }

    /// Sets how long a token request may take. The lease on a refresh has to last longer, by as much
    /// as saving the tokens takes. Default: 20 seconds, two thirds of the
    /// [lease's time](Self::lease_time).
    ///
    /// These are also the limits of all other requests of the credentials. [`timeouts`](Self::timeouts) sets
    /// the same ones, so the one that is called last counts for those.
    pub fn request_time(mut self, time: Duration) -> Self {
        self.times.request = time;
        self.core = self.core.timeouts(timeouts(time));
        self
    }

    /// Sets how long a process has the right to refresh. If it dies, others wait as long, and a third of
    /// it more, in which it could still save its tokens. Default: 30 seconds; a longer one makes a fleet
    /// wait longer for one that died.
    pub fn lease_time(mut self, time: Duration) -> Self {
        self.times.lease = time;
        self
    }

    /// Sets how long to wait for the refresh of another process, and for how long a refresh whose leases keep
    /// ending early goes on. Default: 45 seconds.
    pub fn wait_time(mut self, time: Duration) -> Self {
        self.times.patience = time;
        self
    }

    /// Sets what is notified of what an operator should know, such as tokens that cannot be saved.
    /// Default: none; it is logged in any case.
    pub fn events(mut self, events: Arc<dyn Events>) -> Self {
        self.events = Some(events);
        self
    }

    /// Builds the credentials. Touches neither disk nor network, besides reading the system's root
    /// certificates, unless a transport is given.
    ///
    /// # Errors
    ///
    /// Of kind `Config` if a URL is malformed, `PAN_PROFILE` is not text, the store is on a server that
    /// forgets, fewer processes share the leases than the store, or the transport cannot be created.
    pub fn build(self) -> Result<Credentials> {
        if self.times.request >= self.times.lease {
            let Times { request, lease, .. } = self.times;
            let what = format!(
                "a token request may take {request:?}, but a lease lasts only {lease:?}; make \
                 lease_time longer than request_time"
            );
            return Err(Core::new(Kind::Config, what).into());
        }
        let is_there = |text: &String| !text.is_empty();
        let profile = match (self.profile.filter(is_there), &self.environment) {
            (Some(profile), _) => profile,
            (None, Some(environment)) => {
                let named = environment.text("PAN_PROFILE")?;
                named.unwrap_or_else(|| DEFAULT_PROFILE.to_owned())
            }
            (None, None) => DEFAULT_PROFILE.to_owned(),
        };
        let core = self.core.read_fault(read_fault).build()?;
        let own_clock = Arc::clone(core.clock());
        let clock = ServerClock::new(Arc::clone(&own_clock), self.follows_server_clock);
        let found = (self.issuer.as_ref()).map(|issuer| Discovery::new(issuer.to_string(), &core));
        let discovery = found.transpose()?;
        let url = |url: &Option<Given>| url.as_deref().map(Url::whole).transpose();
        let mut settings = Settings {
            revocation: url(&self.revocation_url)?,
            device: url(&self.device_url)?,
            authorization: self.authorization_url,
            format: self.format,
            authentication: self.authentication,
            token: None,
        };
        // Where another server was found, only what was set takes precedence.
        let token_url = match (&self.token_url, &discovery) {
            (None, Some(_)) => None,
            (url, _) => Some(url.as_deref().unwrap_or(TOKEN_URL)),
        };
        if let Some(endpoint) = url(&self.token_endpoint)? {
            settings.token = Some(endpoint);
            settings.format.get_or_insert(BodyFormat::Form);
        } else if let Some(token_url) = token_url {
            let (token, beside) = endpoints(token_url)?;
            settings.token = Some(token);
            if discovery.is_none() {
                settings.revocation = settings.revocation.or(Some(beside));
            }
        }
        if discovery.is_none() && self.token_endpoint.is_none() {
            let of_service = || AUTHORIZATION_URL.into();
            settings.authorization.get_or_insert_with(of_service);
        }
        let store = self.store.unwrap_or_else(|| Arc::new(MemoryStore::new()));
        require_kept(&*store)?;
        let leases: Arc<dyn Leases> = match self.leases {
            Some(leases) => Arc::new(WithLease::new(Arc::clone(&store), leases)?),
            None => Arc::clone(&store).own_leases().unwrap_or_else(|| {
                Arc::new(StoreLeases::with_clock(Arc::clone(&store), own_clock))
            }),
        };
        let flights = core
            .cache::<_, _, Error>("refreshes of credentials")
            .capacity(64)
            .error_ttl(Duration::from_secs(1))
            .error_ttl_by(|error: &Error| error.retry_after().map(|wait| wait.min(LONGEST_ASKED)))
            .build();
        let renames = core
            .cache("renamings of profiles")
            .capacity(16)
            .ttl(Duration::ZERO)
            .error_ttl(Duration::ZERO)
            .build();
        let early = self.guard.mul_f64(1.0 + Jitter::random().draw() / 10.0);
        let provider = self.developer_provider.filter(|url| !url.is_empty());
        Ok(Credentials {
            refreshes: self.refreshes,
            exchanges: exchanges(&core),
            inner: Arc::new(Inner {
                endpoints: Endpoints {
                    name: settings.name(self.issuer.as_ref()),
                    core,
                    settings,
                    discovery,
                    clock: clock.clone(),
                    renewals: Renewals::new("cloud-credentials"),
                },
                coordinator: Coordinator::new(
                    store,
                    leases,
                    Key::new(self.namespace, profile),
                    Arc::new(clock),
                    self.times,
                    self.events,
                ),
                builder: self.values.cleaned(),
                environment: self.environment,
                reads_unprefixed: self.reads_unprefixed,
                authorization: self.authorization,
                developer: Developer {
                    source: self.developer_source,
                    provider: provider.as_deref().map(Url::whole).transpose()?,
                    default_provider: Url::whole(DEVELOPER_URL)?,
                },
                is_token_cached: self.is_token_cached,
                is_secret_kept: self.is_secret_kept,
                guard: early,
                memory: Mutex::new(Memory::default()),
                held: ArcSwapOption::empty(),
                generations: AtomicU64::new(0),
                flights,
                renames,
            }),
        })
    }
}

/// Refuses a store in which others have their only copy of a refresh token, and which may forget it.
/// Memory of this process forgets, too, but no sooner than who uses it.
fn require_kept(store: &dyn Store) -> Result<()> {
    let Capabilities { durable, scope, .. } = store.capabilities();
    if durable || scope == Scope::Process {
        return Ok(());
    }
    let what = "this store may forget a refresh token, which nothing else has; use it for leases \
                (WithLease), or as a cache before a store that is durable (CacheOver)";
    Err(Core::new(Kind::Config, what).into())
}

fn timeouts(request: Duration) -> Timeouts {
    Timeouts::default().attempt(request).call(request)
}

const DEFAULT_PROFILE: &str = "default";
const TOKEN_URL: &str = "https://api.paloaltonetworks.com";
const AUTHORIZATION_URL: &str = "https://identity.paloaltonetworks.com/as/authorization.oauth2";
const DEVELOPER_URL: &str = "https://app.apiexplorer.rocks/request_token";

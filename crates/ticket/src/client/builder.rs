//! Configuration of a client.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use vouchsafe_core::url::Given;
use vouchsafe_core::{CoreClient, CoreClientBuilder, Secret, env};

use super::Client;
use super::held::Held;
use super::settings::{ApiSettings, ToolSettings, broken, url_of};
use super::source::{ApiSource, Daemon, Source, ToolSource};
use crate::client::protocol::python_url;
use crate::client::protocol::tool::{OLD_TOKEN, TOKEN, ToolEnv, URL};
use crate::engine::env::BlackboxEnv;
use crate::engine::ids::TvmId;
use crate::engine::secret::ServiceSecret;
use crate::error::{Error, ErrorKind, Result};

/// The setters about checks, which both builders have.
macro_rules! check_setters {
    () => {
        /// Also accepts service tickets whose source has no role. Default: if there are roles, they
        /// are refused.
        #[doc(alias = "check_src_by_default")]
        pub fn without_source_check(mut self) -> Self {
            self.settings.checks.source = false;
            self
        }

        /// Also accepts user tickets whose default user has no role. Default: if there are roles,
        /// they are refused. So are valid tickets of environments other than `ProdYateam`, with
        /// [`CheckErrorKind::RolesOfOtherEnv`](crate::CheckErrorKind::RolesOfOtherEnv).
        #[doc(alias = "check_default_uid_by_default")]
        pub fn without_default_uid_check(mut self) -> Self {
            self.settings.checks.default_uid = false;
            self
        }

        /// Also accepts service tickets for other services. Default: they are refused.
        pub fn without_destination_check(mut self) -> Self {
            self.settings.checks.destination = false;
            self
        }

        /// Sets how many checked tickets of each type are remembered; zero disables the cache.
        /// Default: that of [`ServiceContext`](crate::ServiceContext).
        pub fn ticket_cache_capacity(mut self, tickets: usize) -> Self {
            self.settings.checks.cache = Some(tickets);
            self
        }

        /// Disables the cache: every ticket is checked in full.
        pub fn without_ticket_cache(self) -> Self {
            self.ticket_cache_capacity(0)
        }
    };
}

/// Builds a [`Client`] that calls tvm-api and tirole.
#[derive(Clone, Debug)]
#[must_use]
pub struct TvmApiBuilder {
    core: CoreClientBuilder,
    settings: ApiSettings,
}

impl TvmApiBuilder {
    pub(super) fn new(own_id: TvmId) -> Self {
        Self {
            core: CoreClient::builder(),
            settings: ApiSettings::new(own_id),
        }
    }

    vouchsafe_core::client_builder_basics!(core);
    check_setters!();

    /// Sets the secret that signs requests for tickets. Default: none, so that no tickets are
    /// fetched.
    #[doc(alias = "self_secret")]
    pub fn secret(mut self, secret: ServiceSecret) -> Self {
        self.settings.secret = Some(secret);
        self
    }

    /// Adds a service to fetch tickets for. Default: none.
    pub fn destination(self, id: impl Into<TvmId>) -> Self {
        self.destinations([id.into()])
    }

    /// Adds services to fetch tickets for. Default: none.
    #[doc(alias = "dsts")]
    pub fn destinations(mut self, ids: impl IntoIterator<Item: Into<TvmId>>) -> Self {
        let ids = ids.into_iter().map(Into::into);
        self.settings.destinations.extend(ids);
        self
    }

    /// Adds a service to fetch tickets for, and gives it a local name. Default: none.
    pub fn alias(mut self, name: impl Into<String>, id: impl Into<TvmId>) -> Self {
        self.settings.aliases.insert(name.into(), id.into());
        self
    }

    /// Allows the client to start without the tickets that the authority refuses, with the status
    /// [`IncompleteTicketsSet`]. Default: missing tickets are an error.
    ///
    /// [`IncompleteTicketsSet`]: crate::StatusCode::IncompleteTicketsSet
    pub fn allow_incomplete_tickets(mut self) -> Self {
        self.settings.allow_incomplete = true;
        self
    }

    /// Enables checks of service tickets. Default: disabled.
    #[doc(alias = "enable_service_ticket_checking")]
    pub fn check_service_tickets(mut self) -> Self {
        self.settings.check_service_tickets = true;
        self
    }

    /// Enables checks of user tickets of an environment. Default: disabled.
    #[doc(alias = "enable_user_ticket_checking")]
    pub fn check_user_tickets(mut self, env: BlackboxEnv) -> Self {
        self.settings.check_user_tickets = Some(env);
        self
    }

    /// Fetches the roles of a system; needs [`disk_cache`](Self::disk_cache). Default: none.
    #[doc(alias = "fetch_roles_for_idm_system_slug")]
    pub fn roles(mut self, slug: impl Into<String>) -> Self {
        self.settings.roles = Some(slug.into());
        self
    }

    /// Also accepts service tickets for these services. Default: only for the client's own id.
    pub fn also_for(mut self, ids: impl IntoIterator<Item: Into<TvmId>>) -> Self {
        let ids = ids.into_iter().map(Into::into);
        self.settings.also_for.extend(ids);
        self
    }

    /// Sets the URL of tvm-api. Without a scheme it is plain http, which is used to this machine
    /// only unless [`allow_plain_http`](Self::allow_plain_http) is called. Default:
    /// `https://tvm-api.yandex.net`.
    #[doc(alias = "localhost_port")]
    pub fn tvm_url(mut self, url: impl Into<String>) -> Self {
        self.settings.tvm_url = url_of(url);
        self
    }

    /// Sets the URL of tvm-api as the Python binding interprets it, to take a setting over from
    /// there: the scheme is required, the default port is 443 even for `http`, and the path is
    /// ignored. Use [`tvm_url`](Self::tvm_url) otherwise.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BrokenSettings`](crate::ErrorKind::BrokenSettings) if there is no scheme, or
    /// the text is not a URL.
    #[doc(alias = "tvmapi_url")]
    pub fn tvm_url_like_python(self, url: &str) -> Result<Self> {
        let (host, port) = python_url(url)?;
        Ok(self.tvm_url(format!("{host}:{port}")))
    }

    /// Sets the URL of tirole, like [`tvm_url`](Self::tvm_url). Default:
    /// `https://tirole-api.yandex.net`.
    #[doc(alias = "tirole_host")]
    #[doc(alias = "tirole_port")]
    pub fn tirole_url(mut self, url: impl Into<String>) -> Self {
        self.settings.tirole_url = url_of(url);
        self
    }

    /// Sets the service id of tirole. Default: [`TIROLE_TVM_ID`](super::TIROLE_TVM_ID).
    #[doc(alias = "tirole_tvmid")]
    pub fn tirole_tvm_id(mut self, id: impl Into<TvmId>) -> Self {
        self.settings.tirole_id = id.into();
        self
    }

    /// Keeps tickets, keys and roles in a folder, so that the client can start without the
    /// authority. The folder must exist. Processes of one user that have the same settings may
    /// share it, including those that use the original library. Default: none.
    #[doc(alias = "disk_cache_dir")]
    pub fn disk_cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.settings.disk_cache = Some(folder.into());
        self
    }

    /// Sets the prefix of the version that requests contain. Default: `rs_`.
    pub fn version_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.settings.version_prefix = prefix.into();
        self
    }

    /// Validates the settings, which [`connect`](Self::connect) does first. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BrokenSettings`](crate::ErrorKind::BrokenSettings) with the problem, or
    /// [`ErrorKind::PermissionDenied`](crate::ErrorKind::PermissionDenied) if the folder of the
    /// disk cache cannot be used.
    pub fn validate(&self) -> Result<()> {
        self.settings.validate()?;
        self.settings.base_urls().map(drop)
    }

    /// Creates the client and fetches everything that it needs, unless the disk cache has it.
    ///
    /// Dropping the future cancels the start.
    ///
    /// # Errors
    ///
    /// Those of [`validate`](Self::validate); of kind `Config` if `tvm_url` or, with roles, `tirole_url`
    /// is `https` and TLS is impossible, also if the disk cache has everything; [`ErrorKind::Start`](crate::ErrorKind::Start) if something could not be fetched.
    pub async fn connect(self) -> Result<Client> {
        let disk = self.settings.validate()?;
        let (server, tirole) = self.settings.base_urls()?;
        let tirole = self.settings.roles.as_ref().map(|_| &tirole);
        let core = self
            .core
            .build_for(std::iter::once(&server).chain(tirole))?;
        let (facts, checks) = (self.settings.facts(), self.settings.checks.clone());
        let held = Arc::new(Held::new(Arc::clone(core.clock()), checks, facts));
        let source = ApiSource::new(core, Arc::clone(&held), self.settings, disk)?;
        Client::start(held, Source::Api(source)).await
    }
}

/// Builds a [`Client`] that calls tvmtool, the daemon on the same machine.
#[derive(Clone, Debug)]
#[must_use]
pub struct TvmToolBuilder {
    core: CoreClientBuilder,
    settings: ToolSettings,
}

impl TvmToolBuilder {
    pub(super) fn new(alias: String) -> Self {
        Self {
            core: CoreClient::builder(),
            settings: ToolSettings::new(alias),
        }
    }

    vouchsafe_core::client_builder_basics!(core);
    check_setters!();

    /// Sets the token for the daemon. Default: the value of `TVMTOOL_LOCAL_AUTHTOKEN`, otherwise of
    /// `QLOUD_TVM_TOKEN`, when the client connects.
    pub fn auth_token(mut self, token: Secret) -> Self {
        self.settings.auth_token = Some(token);
        self
    }

    /// Sets the daemon's port. Default: the port in `DEPLOY_TVM_TOOL_URL` when the client
    /// connects, or 1 if that is not set. If it is set and names no port, connecting fails.
    pub fn port(mut self, port: u16) -> Self {
        self.settings.port = Some(port);
        self
    }

    /// Sets the daemon's host: a name or an address. Default: `localhost`. Another machine requires
    /// [`allow_plain_http`](Self::allow_plain_http), since the daemon speaks plain http.
    #[doc(alias = "hostname")]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.settings.host = Given::host(host);
        self
    }

    /// Sets how long [`connect`](Self::connect) keeps trying to reach a daemon that does not answer
    /// yet, for example when both are started at the same time. Default: zero, a single attempt.
    pub fn wait_for_daemon(mut self, limit: Duration) -> Self {
        self.settings.patience = limit;
        self
    }

    /// Checks user tickets of another environment. Default: the daemon's environment.
    #[doc(alias = "override_bb_env")]
    pub fn override_env(mut self, env: BlackboxEnv) -> Self {
        self.settings.override_env = Some(env);
        self
    }

    /// Validates the settings, which [`connect`](Self::connect) does first. Sends nothing and does
    /// not read the environment.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BrokenSettings`](crate::ErrorKind::BrokenSettings) with the problem.
    pub fn validate(&self) -> Result<()> {
        self.settings.validate()
    }

    /// Creates the client and fetches everything that the daemon has for it.
    ///
    /// Dropping the future cancels the start.
    ///
    /// # Errors
    ///
    /// Those of [`validate`](Self::validate); [`ErrorKind::Start`](crate::ErrorKind::Start) if the
    /// daemon cannot be reached, does not know the alias or cannot provide what is needed. The
    /// error is [retryable](crate::Error::is_retryable) if the daemon may not be ready yet.
    pub async fn connect(mut self) -> Result<Client> {
        self.settings.validate()?;
        let environment = self.environment()?;
        let token = match self.settings.auth_token.clone().or(environment.auth_token) {
            Some(token) => Secret::from(token.expose().trim_end()),
            None => {
                let message = format!(
                    "Auth token cannot be empty. Env '{TOKEN}' and '{OLD_TOKEN}' are empty."
                );
                return broken(&message);
            }
        };
        if self.settings.port.is_none() {
            self.settings.port_origin = match env::var(URL) {
                Ok(None) => "the default: DEPLOY_TVM_TOOL_URL is not set",
                _ => "from DEPLOY_TVM_TOOL_URL",
            };
        }
        let port = self.settings.port.unwrap_or(environment.port);
        let base = self.settings.base_url(port)?;
        let daemon = Daemon {
            base,
            token,
            settings: self.settings,
        };
        let (held, source) = ToolSource::connect(self.core.build()?, daemon).await?;
        Client::start(held, Source::Tool(source)).await
    }

    /// Reads unset settings from the environment.
    fn environment(&self) -> Result<ToolEnv> {
        let broken = |fault| Error::of(ErrorKind::BrokenSettings, fault);
        let settings = &self.settings;
        let mut found = Vec::new();
        for (name, is_set) in [
            (TOKEN, settings.auth_token.is_some()),
            (OLD_TOKEN, settings.auth_token.is_some()),
            (URL, settings.port.is_some()),
        ] {
            if !is_set && let Some(value) = env::secret(name).map_err(broken)? {
                found.push((name, value));
            }
        }
        let environment = ToolEnv::from_vars(|name| {
            let (_, value) = found.iter().find(|(other, _)| *other == name)?;
            Some(value.expose().to_owned())
        });
        if environment.lacks_port {
            let why = "use a URL with a port, such as http://localhost:8080";
            let fault = vouchsafe_core::Error::new(vouchsafe_core::ErrorKind::Config, why);
            return Err(broken(fault.with_origin(env::origin(URL))));
        }
        Ok(environment)
    }
}

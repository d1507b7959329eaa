//! Setting up a client.

use std::path::PathBuf;
use std::time::Duration;

use vouchsafe_core::{CoreClient, CoreClientBuilder, Secret, env};

use super::Client;
use super::settings::{ApiSettings, ToolSettings, base_url, broken};
use super::shared::{Place, Shared};
use crate::env::BlackboxEnv;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::TvmId;
use crate::protocol::python_url;
use crate::protocol::tool::{OLD_TOKEN, TOKEN, ToolEnv, URL};
use crate::secret::ServiceSecret;

/// The setters for what checks do, which both builders have.
macro_rules! check_setters {
    () => {
        /// Sets whether a service ticket whose source has no role is refused, if there are roles.
        /// Default: it is.
        #[doc(alias = "check_src_by_default")]
        pub fn check_source(mut self, on: bool) -> Self {
            self.settings.checks.source = on;
            self
        }

        /// Sets whether a user ticket whose default user has no role is refused, if there are roles.
        /// Default: it is. Good tickets of other environments than `ProdYateam` are then refused too,
        /// with [`CheckErrorKind::RolesOfOtherEnv`](crate::CheckErrorKind::RolesOfOtherEnv).
        #[doc(alias = "check_default_uid_by_default")]
        pub fn check_default_uid(mut self, on: bool) -> Self {
            self.settings.checks.default_uid = on;
            self
        }

        /// Sets whether a service ticket for another service is refused. Default: it is.
        pub fn check_destination(mut self, on: bool) -> Self {
            self.settings.checks.destination = on;
            self
        }

        /// Sets how many checked tickets are remembered, of each type; zero remembers none. Default:
        /// that of [`ServiceContext`](crate::ServiceContext).
        pub fn ticket_cache_capacity(mut self, tickets: usize) -> Self {
            self.ticket_cache = Some(tickets);
            self
        }

        /// Checks every ticket anew.
        pub fn without_ticket_cache(self) -> Self {
            self.ticket_cache_capacity(0)
        }
    };
}

/// Sets up a [`Client`] that asks tvm-api and tirole.
#[derive(Clone, Debug)]
#[must_use]
pub struct TvmApiBuilder {
    core: CoreClientBuilder,
    settings: ApiSettings,
    ticket_cache: Option<usize>,
}

impl TvmApiBuilder {
    pub(super) fn new(own_id: TvmId) -> Self {
        Self {
            core: CoreClient::builder(),
            settings: ApiSettings::new(own_id),
            ticket_cache: None,
        }
    }

    vouchsafe_core::client_builder_basics!(core);
    check_setters!();

    /// Sets the secret that requests for tickets are signed with. Default: none, and no tickets.
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

    /// Adds a service to fetch tickets for, under a local name. Default: none.
    pub fn alias(mut self, name: impl Into<String>, id: impl Into<TvmId>) -> Self {
        self.settings.aliases.insert(name.into(), id.into());
        self
    }

    /// Lets the client start and be [`IncompleteTicketsSet`] without the tickets that the
    /// authority refuses. Default: that is an error.
    ///
    /// [`IncompleteTicketsSet`]: crate::StatusCode::IncompleteTicketsSet
    pub fn allow_incomplete_tickets(mut self) -> Self {
        self.settings.allow_incomplete = true;
        self
    }

    /// Turns the checking of service tickets on. Default: off.
    #[doc(alias = "enable_service_ticket_checking")]
    pub fn check_service_tickets(mut self) -> Self {
        self.settings.check_service_tickets = true;
        self
    }

    /// Turns the checking of user tickets of an environment on. Default: off.
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

    /// Accepts service tickets for these services as well. Default: for the own id alone.
    pub fn also_for(mut self, ids: impl IntoIterator<Item: Into<TvmId>>) -> Self {
        let ids = ids.into_iter().map(Into::into);
        self.settings.also_for.extend(ids);
        self
    }

    /// Sets where tvm-api is. Without a scheme it is plain http, which goes to this machine
    /// alone unless [`allow_plain_http`](Self::allow_plain_http) is called. Default:
    /// `https://tvm-api.yandex.net`.
    #[doc(alias = "localhost_port")]
    pub fn tvm_url(mut self, url: impl Into<String>) -> Self {
        self.settings.tvm_url = url.into();
        self
    }

    /// Sets where tvm-api is as the Python binding reads it: the scheme must be there, the port is
    /// 443 if none is named, even of `http`, and the path is dropped.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BrokenSettings`](crate::ErrorKind::BrokenSettings) without a scheme, and for
    /// what is no URL.
    pub fn tvmapi_url(self, url: &str) -> Result<Self> {
        let (host, port) = python_url(url)?;
        Ok(self.tvm_url(format!("{host}:{port}")))
    }

    /// Sets where tirole is, as [`tvm_url`](Self::tvm_url). Default:
    /// `https://tirole-api.yandex.net`.
    #[doc(alias = "tirole_host")]
    #[doc(alias = "tirole_port")]
    pub fn tirole_url(mut self, url: impl Into<String>) -> Self {
        self.settings.tirole_url = url.into();
        self
    }

    /// Sets which service tirole is. Default: [`TIROLE_TVM_ID`](super::TIROLE_TVM_ID).
    #[doc(alias = "tirole_tvmid")]
    pub fn tirole_tvm_id(mut self, id: impl Into<TvmId>) -> Self {
        self.settings.tirole_id = id.into();
        self
    }

    /// Keeps tickets, keys and roles in a folder, so that the client starts without the
    /// authority. The folder must exist and may be shared by processes of one user that have the
    /// same settings, those of the original library among them. Default: none.
    #[doc(alias = "disk_cache_dir")]
    pub fn disk_cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.settings.disk_cache = Some(folder.into());
        self
    }

    /// Sets what stands before the version that requests name. Default: `rs_`.
    pub fn version_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.settings.version_prefix = prefix.into();
        self
    }

    /// Checks the settings, as [`connect`](Self::connect) does first. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BrokenSettings`](crate::ErrorKind::BrokenSettings) with what is wrong,
    /// [`ErrorKind::PermissionDenied`](crate::ErrorKind::PermissionDenied) if the folder of the
    /// disk cache cannot be used.
    pub fn validate(&self) -> Result<()> {
        self.settings.validate()?;
        base_url("tvm_url", &self.settings.tvm_url)?;
        base_url("tirole_url", &self.settings.tirole_url)?;
        Ok(())
    }

    /// Makes the client and fetches everything that was asked for, unless the disk cache has it.
    ///
    /// Dropping the future gives all up.
    ///
    /// # Errors
    ///
    /// As [`validate`](Self::validate);
    /// [`ErrorKind::Start`](crate::ErrorKind::Start) if something could not be fetched.
    pub async fn connect(self) -> Result<Client> {
        let disk = self.settings.validate()?;
        let place = Place::Api {
            tvm: base_url("tvm_url", &self.settings.tvm_url)?,
            tirole: base_url("tirole_url", &self.settings.tirole_url)?,
            settings: Box::new(self.settings),
        };
        let core = self.core.build()?;
        Client::start(Shared::new(core, place, disk, self.ticket_cache)).await
    }
}

/// Sets up a [`Client`] that asks tvmtool, the daemon beside it.
#[derive(Clone, Debug)]
#[must_use]
pub struct TvmToolBuilder {
    core: CoreClientBuilder,
    settings: ToolSettings,
    ticket_cache: Option<usize>,
}

impl TvmToolBuilder {
    pub(super) fn new(alias: String) -> Self {
        Self {
            core: CoreClient::builder(),
            settings: ToolSettings::new(alias),
            ticket_cache: None,
        }
    }

    vouchsafe_core::client_builder_basics!(core);
    check_setters!();

    /// Sets the token that the daemon asks for. Default: what `TVMTOOL_LOCAL_AUTHTOKEN`, else
    /// `QLOUD_TVM_TOKEN` says when the client connects.
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

    /// Sets the daemon's host: a name or an address. Default: `localhost`. Another machine's needs
    /// [`allow_plain_http`](Self::allow_plain_http): the daemon speaks plain http.
    #[doc(alias = "hostname")]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.settings.host = host.into();
        self
    }

    /// Sets how long [`connect`](Self::connect) goes on trying to reach a daemon that does not
    /// answer yet, as when both are started at the same time. Default: zero, one try.
    pub fn wait_for_daemon(mut self, limit: Duration) -> Self {
        self.settings.patience = limit;
        self
    }

    /// Checks user tickets of another environment than the daemon's. Default: the daemon's.
    #[doc(alias = "override_bb_env")]
    pub fn override_env(mut self, env: BlackboxEnv) -> Self {
        self.settings.override_env = Some(env);
        self
    }

    /// Checks the settings, as [`connect`](Self::connect) does first. Sends nothing and reads no
    /// environment.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BrokenSettings`](crate::ErrorKind::BrokenSettings) with what is wrong.
    pub fn validate(&self) -> Result<()> {
        self.settings.validate()
    }

    /// Makes the client and fetches everything that the daemon has for it.
    ///
    /// Dropping the future gives all up.
    ///
    /// # Errors
    ///
    /// As [`validate`](Self::validate);
    /// [`ErrorKind::Start`](crate::ErrorKind::Start) if the daemon cannot be reached, does not
    /// know the alias or cannot give what is needed. It is
    /// [retryable](crate::Error::is_retryable) if the daemon may just be late.
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
        let place = Place::Tool {
            base,
            token,
            settings: self.settings,
        };
        let core = self.core.build()?;
        Client::start(Shared::new(core, place, None, self.ticket_cache)).await
    }

    /// Reads from the environment what was not set.
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
            let why = "a URL with a port is wanted, such as http://localhost:8080";
            let fault = vouchsafe_core::Error::new(vouchsafe_core::ErrorKind::Config, why);
            return Err(broken(fault.with_origin(env::origin(URL))));
        }
        Ok(environment)
    }
}

//! The settings of a client, and their validation (protocol section 11.1).

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::time::Duration;

use vouchsafe_core::url::{BaseUrl, Given, host};

use super::held::{Checks, Destinations, Facts};
use crate::client::protocol::DiskCache;
use crate::engine::env::BlackboxEnv;
use crate::engine::ids::TvmId;
use crate::engine::secret::ServiceSecret;
use crate::error::{Error, ErrorKind, Result};

/// The service id of tirole, which provides roles.
pub const TIROLE_TVM_ID: TvmId = TvmId::new(2_028_120);

/// The service id of tirole in the test installation.
pub const TIROLE_TVM_ID_TEST: TvmId = TvmId::new(2_026_536);

/// The settings of a client of tvm-api.
#[derive(Clone, Debug)]
pub(crate) struct ApiSettings {
    /// Zero if there is none.
    pub(crate) own_id: TvmId,
    pub(crate) secret: Option<ServiceSecret>,
    pub(crate) destinations: BTreeSet<TvmId>,
    pub(crate) aliases: BTreeMap<String, TvmId>,
    pub(crate) allow_incomplete: bool,
    pub(crate) check_service_tickets: bool,
    pub(crate) check_user_tickets: Option<BlackboxEnv>,
    pub(crate) roles: Option<String>,
    pub(crate) checks: Checks,
    pub(crate) also_for: Vec<TvmId>,
    pub(crate) tvm_url: Given,
    pub(crate) tirole_url: Given,
    pub(crate) tirole_id: TvmId,
    pub(crate) disk_cache: Option<PathBuf>,
    pub(crate) version_prefix: String,
}

impl ApiSettings {
    pub(crate) fn new(own_id: TvmId) -> Self {
        Self {
            own_id,
            secret: None,
            destinations: BTreeSet::new(),
            aliases: BTreeMap::new(),
            allow_incomplete: false,
            check_service_tickets: false,
            check_user_tickets: None,
            roles: None,
            checks: Checks::default(),
            also_for: Vec::new(),
            tvm_url: "https://tvm-api.yandex.net".into(),
            tirole_url: "https://tirole-api.yandex.net".into(),
            tirole_id: TIROLE_TVM_ID,
            disk_cache: None,
            version_prefix: "rs_".to_owned(),
        }
    }

    /// All destinations for which tickets are fetched.
    pub(crate) fn wanted(&self) -> BTreeSet<TvmId> {
        let mut wanted = self.destinations.clone();
        wanted.extend(self.aliases.values());
        if self.roles.is_some() {
            wanted.insert(self.tirole_id);
        }
        wanted
    }

    pub(crate) fn facts(&self) -> Facts {
        Facts {
            own_id: self.own_id,
            fetches_tickets: self.secret.is_some(),
            checks_tickets: self.check_service_tickets || self.check_user_tickets.is_some(),
            slug: self.roles.clone(),
            destinations: Destinations::Asked {
                incomplete_is_error: !self.allow_incomplete,
            },
        }
    }

    /// Returns the URLs of tvm-api and tirole.
    pub(crate) fn base_urls(&self) -> Result<(BaseUrl, BaseUrl)> {
        Ok((
            base_url("tvm_url", &self.tvm_url)?,
            base_url("tirole_url", &self.tirole_url)?,
        ))
    }

    /// Validates the settings in the original's order. Accesses the disk.
    pub(crate) fn validate(&self) -> Result<Option<DiskCache>> {
        let disk = self.disk_cache.as_ref().map(DiskCache::open).transpose()?;
        let fetches = !self.wanted().is_empty();
        if self.secret.is_some() && !fetches {
            return broken("Secret is present but destinations list is empty. It makes no sense");
        }
        if fetches && self.own_id.get() == 0 {
            return broken("SelfTvmId cannot be 0 if fetching of Service Tickets required");
        }
        if fetches && self.secret.is_none() {
            return broken("Secret is required for fetching of Service Tickets");
        }
        if self.check_service_tickets && self.own_id.get() == 0 {
            return broken("SelfTvmId cannot be 0 if checking of Service Tickets required");
        }
        if self.roles.is_some() && disk.is_none() {
            return broken("Disk cache must be enabled to use roles: they can be heavy");
        }
        if !fetches && !self.check_service_tickets && self.check_user_tickets.is_none() {
            return broken(
                "Invalid settings: nothing to do: fetch tickets with secret() and destination(), or \
                 turn check_service_tickets() or check_user_tickets() on",
            );
        }
        let named = self.destinations.iter().chain(self.aliases.values());
        if named.into_iter().any(|id| id.get() == 0) {
            return broken("TvmId cannot be 0");
        }
        if self.tirole_id.get() == 0 {
            return broken("TiroleTvmId cannot be 0");
        }
        Ok(disk)
    }
}

/// The settings of a client of tvmtool.
#[derive(Clone, Debug)]
pub(crate) struct ToolSettings {
    pub(crate) alias: String,
    pub(crate) auth_token: Option<vouchsafe_core::Secret>,
    pub(crate) host: Given,
    pub(crate) port: Option<u16>,
    /// The source of the port, for errors.
    pub(crate) port_origin: &'static str,
    /// How long a start waits for a daemon that does not answer yet.
    pub(crate) patience: Duration,
    pub(crate) override_env: Option<BlackboxEnv>,
    pub(crate) checks: Checks,
}

impl ToolSettings {
    pub(crate) fn new(alias: String) -> Self {
        Self {
            alias,
            auth_token: None,
            host: Given::host(crate::client::protocol::tool::HOST),
            port: None,
            port_origin: "set by port()",
            patience: Duration::ZERO,
            override_env: None,
            checks: Checks::default(),
        }
    }

    /// Returns the URL of the daemon.
    pub(crate) fn base_url(&self, port: u16) -> Result<BaseUrl> {
        let host = host(&self.host).map_err(|fault| broken_setting("host", fault))?;
        base_url("port", &url_of(format!("{host}:{port}")))
    }

    pub(crate) fn validate(&self) -> Result<()> {
        if self.alias.is_empty() {
            return broken("Alias for your TVM client cannot be empty");
        }
        if self.host.is_empty() {
            return broken("Hostname cannot be empty");
        }
        self.base_url(self.port.unwrap_or(1))?;
        let is_empty = |token: &vouchsafe_core::Secret| token.expose().trim_end().is_empty();
        if self.auth_token.as_ref().is_some_and(is_empty) {
            return broken("Auth token cannot be empty");
        }
        Ok(())
    }
}

/// Reads the URL of an authority. Without a scheme it is plain http, as in the original.
pub(crate) fn url_of(url: impl Into<String>) -> Given {
    let url = url.into();
    Given::from(match url.parse::<Ipv6Addr>() {
        Ok(address) => format!("http://[{address}]"),
        Err(_) if url.contains("://") => url,
        Err(_) => format!("http://{url}"),
    })
}

/// Parses a URL. Errors name the setting.
fn base_url(setting: &str, url: &Given) -> Result<BaseUrl> {
    BaseUrl::parse(url).map_err(|fault| broken_setting(setting, fault))
}

fn broken_setting(setting: &str, fault: vouchsafe_core::Error) -> Error {
    Error::of(ErrorKind::BrokenSettings, fault.with_origin(setting))
}

pub(crate) fn broken<T>(message: &str) -> Result<T> {
    Err(Error::new(ErrorKind::BrokenSettings, message))
}

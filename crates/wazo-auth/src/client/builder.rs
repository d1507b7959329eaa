//! Configuration of a client.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use vouchsafe_core::auth::TokenSource;
use vouchsafe_core::call::{CallOptions, Timeouts};
use vouchsafe_core::service::{Base, Session};
use vouchsafe_core::url::{self, BaseUrl, Given};
use vouchsafe_core::{CoreClient, CoreClientBuilder, Error, ErrorKind, Secret};

use super::{Client, Dialect, Login, TENANT, scheme};
use crate::error::read_fault;
use crate::{Result, TenantUuid};

/// Builds a [`Client`].
///
/// The defaults are those of the usual proxy: `https`, port 443, the prefix `/api/auth`. For the
/// service itself, without a proxy, call [`direct`](Self::direct). An attempt may take ten seconds, and a
/// call thirty.
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientBuilder {
    core: CoreClientBuilder,
    host: Option<Given>,
    port: Option<u16>,
    prefix: Given,
    version: Given,
    is_https: bool,
    trust: Trust,
    token: Option<Arc<dyn TokenSource>>,
    login: Option<Login>,
    options: CallOptions,
    dialect: Dialect,
}

/// Which server certificates are accepted.
#[derive(Clone, Debug)]
enum Trust {
    Usual,
    #[cfg_attr(
        not(feature = "client"),
        expect(
            dead_code,
            reason = "without its own transport, it reads no certificates"
        )
    )]
    Bundle(PathBuf),
    Anything,
}

impl ClientBuilder {
    pub(super) fn new() -> Self {
        let timeouts = Timeouts::default()
            .attempt(Duration::from_secs(10))
            .call(Duration::from_secs(30));
        Self {
            core: CoreClient::builder().timeouts(timeouts),
            host: None,
            port: Some(443),
            prefix: Given::path("/api/auth"),
            version: Given::path("0.1"),
            is_https: true,
            trust: Trust::Usual,
            token: None,
            login: None,
            options: CallOptions::new(),
            dialect: Dialect::Current,
        }
    }

    vouchsafe_core::client_builder_methods!(core);

    /// Sets the name or the address of the host. Required. An IPv6 address needs no brackets.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(Given::host(host));
        self
    }

    /// Sets the port. Default: 443; 0 means the default port of the scheme.
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port).filter(|port| *port != 0);
        self
    }

    /// Uses the default port of the scheme: 443, or 80 for plain http.
    pub fn default_port(mut self) -> Self {
        self.port = None;
        self
    }

    /// Sets the path prefix of the proxy. Default: `/api/auth`; empty for no prefix.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Given::path(prefix);
        self
    }

    /// Sets the version of the API. Default: `0.1`; empty to leave it out.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Given::path(version);
        self
    }

    /// Uses plain http. Tokens are sent to other machines this way only if
    /// [`allow_plain_http`](Self::allow_plain_http) is called too.
    #[doc(alias = "https")]
    pub fn http(mut self) -> Self {
        self.is_https = false;
        self
    }

    /// Connects to the service itself, without a proxy: plain http, port 9497, no prefix.
    pub fn direct(self) -> Self {
        self.http().port(9497).prefix("")
    }

    /// Sets the defaults for servers before 21.05, which are those of the original Python client:
    /// port 9497, no prefix, and [`Dialect::Legacy`]. Set another port or prefix after this.
    pub fn legacy(mut self) -> Self {
        self.dialect = Dialect::Legacy;
        self.port(9497).prefix("")
    }

    /// Trusts the certificates of this PEM file instead of the system's. It is read by
    /// [`build`](Self::build), and added to the settings of the [`network`](Self::network).
    /// Replaces a [`transport`](Self::transport) that was set.
    #[doc(alias = "verify_certificate")]
    pub fn ca_bundle(mut self, file: impl AsRef<Path>) -> Self {
        self.trust = Trust::Bundle(file.as_ref().to_owned());
        self
    }

    /// Accepts any certificate. Anyone between this machine and the server can then read tokens and
    /// passwords; prefer setting the server's own root as [`ca_bundle`](Self::ca_bundle). Replaces
    /// a [`transport`](Self::transport) that was set.
    #[doc(alias = "verify_certificate")]
    pub fn dangerously_accept_any_certificate(mut self) -> Self {
        self.trust = Trust::Anything;
        self
    }

    vouchsafe_core::token_setters!(token);

    /// Sets the tenant of all calls. Default: that of the token.
    #[doc(alias = "tenant_uuid")]
    pub fn tenant(mut self, tenant: &TenantUuid) -> Self {
        self.options = self.options.plain_header(TENANT, tenant.as_str());
        self
    }

    /// Sets the user name and the password to log in with. Only [`create`](crate::TokenApi::create)
    /// of tokens sends them.
    #[doc(alias = "username")]
    #[doc(alias = "password")]
    pub fn credentials(mut self, username: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.login = Some(Login::new(username.into(), password.into()));
        self
    }

    /// Builds the client. Does no I/O, except for reading the [`ca_bundle`](Self::ca_bundle).
    ///
    /// # Errors
    ///
    /// Of kind `Config` if the host is missing or invalid, the bundle cannot be read or contains no
    /// certificate, the transport cannot be created, or https is used and TLS is impossible.
    pub fn build(self) -> Result<Client> {
        let base = BaseUrl::parse(&self.url()?)?;
        let core = trusting(self.core, &self.trust)?;
        let core = core.read_fault(read_fault).build_for([&base])?;
        let session = Session::new(core, Base::fixed(base))
            .with_scheme(scheme())
            .with_options(self.options);
        let session = match self.token {
            Some(token) => session.with_token(token),
            None => session,
        };
        Ok(Client {
            session,
            login: self.login,
            dialect: self.dialect,
        })
    }

    fn url(&self) -> Result<String> {
        let host = self.host.as_deref().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| Error::new(ErrorKind::Config, "no host was given"))?;
        let host = url::host(host).map_err(|fault| fault.with_origin("host"))?;
        let scheme = if self.is_https { "https" } else { "http" };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        let mut url = format!("{scheme}://{host}{port}");
        for part in [&self.prefix, &self.version] {
            let part = part.trim_matches('/');
            if !part.is_empty() {
                url.push('/');
                url.push_str(part);
            }
        }
        Ok(url)
    }
}

#[cfg(feature = "client")]
fn trusting(core: CoreClientBuilder, trust: &Trust) -> Result<CoreClientBuilder> {
    match trust {
        Trust::Usual => Ok(core),
        Trust::Anything => {
            core.change_network(|network| Ok(network.dangerously_accept_any_certificate()))
        }
        Trust::Bundle(file) => {
            let origin = format!("CA bundle {}", file.display());
            let pem = std::fs::read(file).map_err(|cause| {
                let error = Error::new(ErrorKind::Config, "cannot be read").with_source(cause);
                error.with_origin(&origin)
            })?;
            core.change_network(|network| {
                let network = network.add_root_pem(&pem);
                Ok(network
                    .map_err(|fault| fault.with_origin(&origin))?
                    .only_roots())
            })
        }
    }
}

#[cfg(not(feature = "client"))]
fn trusting(core: CoreClientBuilder, trust: &Trust) -> Result<CoreClientBuilder> {
    match trust {
        Trust::Usual => Ok(core),
        Trust::Bundle(_) | Trust::Anything => Err(Error::new(
            ErrorKind::Config,
            "certificates are checked by the transport; enable the feature client for one",
        )
        .into()),
    }
}

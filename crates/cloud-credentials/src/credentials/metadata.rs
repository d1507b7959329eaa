//! The metadata of an authorization server (RFC 8414).

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use serde::Deserialize;
use vouchsafe_core::cache::{Cache, Fetched};
use vouchsafe_core::call::{Answer, Call, CallOptions, Operation, Repeat};
use vouchsafe_core::{CoreClient, Error as Core, ErrorKind as Kind};

use super::Credentials;
use crate::url::Url;
use crate::{Error, Result};

/// The metadata of an authorization server.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct ServerMetadata {
    /// The name of the server, which is the URL it was found by.
    pub issuer: String,
    /// The URL where users log in.
    pub authorization_endpoint: Option<String>,
    /// The URL where tokens are issued.
    pub token_endpoint: Option<String>,
    /// The URL where tokens are revoked.
    pub revocation_endpoint: Option<String>,
    /// The URL where logins on another device start (RFC 8628).
    pub device_authorization_endpoint: Option<String>,
    /// How clients authenticate, such as `client_secret_basic`, which is the default.
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// How logins are bound to the program that started them, such as `S256`. Missing if the server
    /// does not announce support.
    pub code_challenge_methods_supported: Option<Vec<String>>,
    /// Whether callbacks name the server (RFC 9207).
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

impl ServerMetadata {
    /// Returns whether the server announces that it has clients without a secret (RFC 7591, 2: `none`).
    #[must_use]
    pub fn takes_public_clients(&self) -> bool {
        self.token_endpoint_auth_methods_supported.is_some() && self.has_method("none")
    }

    /// Returns whether clients may authenticate in this way. If the server does not say, in any.
    pub(super) fn has_method(&self, name: &str) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.as_ref();
        methods.is_none_or(|known| known.iter().any(|one| one == name))
    }

    /// Reads the metadata of an issuer.
    fn read(answer: &Answer, issuer: &str, base: &Url) -> Result<Self> {
        let metadata: Self = answer.json()?;
        if metadata.issuer != issuer {
            let what = format!("the metadata is of another issuer than {issuer}");
            return Err(answer.decode_error(what).into());
        }
        let endpoints = [
            &metadata.authorization_endpoint,
            &metadata.token_endpoint,
            &metadata.revocation_endpoint,
            &metadata.device_authorization_endpoint,
        ];
        for endpoint in endpoints.into_iter().flatten() {
            let url = Url::whole(endpoint)
                .map_err(|error| answer.decode_error(format!("an endpoint: {error}")))?;
            // If the issuer itself has no TLS, that was allowed.
            let is_safe = url.base().is_https() || url.base().is_loopback();
            if !is_safe && base.base().is_https() {
                let what = format!("the endpoint {url:?} is not https");
                return Err(answer.decode_error(what).into());
            }
        }
        Ok(metadata)
    }
}

/// Finds the metadata of an issuer, and caches it for as long as the server says.
#[derive(Clone, Debug)]
pub(super) struct Discovery {
    issuer: String,
    base: Url,
    core: CoreClient,
    found: Cache<(), Arc<ServerMetadata>, Error>,
}

impl Discovery {
    pub(super) fn new(issuer: String, core: &CoreClient) -> Result<Self> {
        let base = Url::whole(&issuer)?;
        if issuer.contains(['?', '#']) {
            let what = "the URL of an issuer has neither a query nor a fragment";
            return Err(Core::new(Kind::Config, what).into());
        }
        let found = core
            .cache("metadata of authorization servers")
            .capacity(1)
            .ttl(Duration::from_secs(3600))
            .error_ttl(Duration::from_secs(1))
            .stale_if_error(Duration::from_secs(24 * 3600))
            .fetch_again(true)
            .build();
        Ok(Self {
            issuer,
            base,
            core: core.clone(),
            found,
        })
    }

    pub(super) async fn metadata(&self) -> Result<Arc<ServerMetadata>> {
        let this = self.clone();
        let fetch = || async move { this.fetch().await };
        self.found.get_or_fetch(&(), fetch).await
    }

    /// Requests the URL of RFC 8414, and then that of OpenID Connect.
    async fn fetch(&self) -> Result<Fetched<Arc<ServerMetadata>>> {
        let answer = match self.ask(&self.base.well_known(OAUTH)?).await {
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {
                self.ask(&self.base.joined(OPENID)?).await
            }
            answer => answer,
        };
        let answer = answer.map_err(|error| match error.status() {
            Some(StatusCode::NOT_FOUND) => error
                .with_kind(Kind::Config)
                .with_origin(format_args!("no metadata of {}", self.issuer)),
            _ => error,
        })?;
        let metadata = ServerMetadata::read(&answer, &self.issuer, &self.base)?;
        Ok(Fetched::new(Arc::new(metadata)).lifetime_of(answer.headers()))
    }

    async fn ask(&self, url: &Url) -> Result<Answer, Core> {
        // The metadata is trusted: secrets are sent to the URLs in it.
        let call = Call::new(&METADATA, url.target().clone()).require_secure();
        let options = CallOptions::new();
        self.core.send(url.base(), call, None, &options).await
    }
}

impl Credentials {
    /// Returns the metadata of the authorization server. `None` if the builder was given no
    /// [issuer](super::CredentialsBuilder::issuer).
    ///
    /// # Errors
    ///
    /// Of kind `Config` if the issuer has none; [`ErrorKind::InvalidResponse`] if it cannot be
    /// understood, is of another issuer, or has URLs without https; and those of any call.
    ///
    /// [`ErrorKind::InvalidResponse`]: crate::ErrorKind::InvalidResponse
    pub async fn server_metadata(&self) -> Result<Option<Arc<ServerMetadata>>> {
        match &self.inner.endpoints.discovery {
            Some(discovery) => Ok(Some(discovery.metadata().await?)),
            None => Ok(None),
        }
    }
}

const OAUTH: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

static METADATA: Operation = Operation::new(
    "oauth.metadata",
    Method::GET,
    "/.well-known/oauth-authorization-server",
)
.repeat(Repeat::Safe)
.open();

//! The authorization server: its endpoints and the form of requests.

use std::fmt;

use vouchsafe_core::auth::Renewals;
use vouchsafe_core::url::Given;
use vouchsafe_core::{CoreClient, Error as Core, ErrorKind as Kind, Secret};

use super::fields::{BodyFormat, Field};
use super::metadata::{Discovery, ServerMetadata};
use crate::Result;
use crate::skew::ServerClock;
use crate::url::Url;

/// How the client authenticates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// With its secret in the body.
    #[default]
    Body,
    /// With its id and secret as Basic credentials.
    Basic,
    /// Not at all, for a public client, which has no secret.
    None,
}

/// The settings; the others are discovered, or those of this service.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    pub(super) token: Option<Url>,
    pub(super) revocation: Option<Url>,
    pub(super) authorization: Option<Given>,
    pub(super) device: Option<Url>,
    pub(super) format: Option<BodyFormat>,
    pub(super) authentication: Option<ClientAuthentication>,
}

/// An authorization server, from settings and discovery.
pub(super) struct Server {
    token: Option<Url>,
    revocation: Option<Url>,
    pub(super) authorization: Option<Given>,
    device: Option<Url>,
    pub(super) format: BodyFormat,
    pub(super) authentication: ClientAuthentication,
    pub(super) issuer: Option<Issuer>,
    /// Whether logins can be bound to the program that started them. `None` if unknown.
    pub(super) has_pkce: Option<bool>,
}

/// The endpoints of an authorization server.
#[derive(Debug)]
pub(super) struct Endpoints {
    /// What distinguishes them from others, and how they are asked.
    pub(super) name: String,
    pub(super) core: CoreClient,
    pub(super) settings: Settings,
    pub(super) discovery: Option<Discovery>,
    pub(super) clock: ServerClock,
    pub(super) renewals: Renewals,
}

/// The client of a request.
#[derive(Clone, Copy)]
pub(super) struct Identity<'a> {
    pub(super) id: &'a str,
    pub(super) secret: Option<&'a Secret>,
}

/// The issuer that callbacks must come from (RFC 9207).
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Issuer {
    pub(super) name: String,
    /// Whether every callback must state the issuer.
    pub(super) is_promised: bool,
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

impl Settings {
    /// Returns what distinguishes the token endpoint from others, and how it is asked.
    pub(super) fn name(&self, issuer: Option<&Given>) -> String {
        let url = |url: &Url| format!("{}{}", url.base(), url.target().as_str());
        let (token, issuer) = (self.token.as_ref().map(url), issuer.map(|given| &**given));
        let (format, authentication) = (self.format, self.authentication);
        format!("{token:?} {issuer:?} {format:?} {authentication:?}")
    }
}

impl Endpoints {
    /// Returns the endpoints.
    pub(super) async fn server(&self) -> Result<Server> {
        let settings = self.settings.clone();
        let Some(discovery) = &self.discovery else {
            return Ok(Server::new(settings));
        };
        let metadata = discovery.metadata().await?;
        let url = |text: &Option<String>| text.as_deref().map(Url::whole).transpose();
        let found = Settings {
            token: url(&metadata.token_endpoint)?,
            revocation: url(&metadata.revocation_endpoint)?,
            authorization: metadata.authorization_endpoint.clone().map(Given::from),
            device: url(&metadata.device_authorization_endpoint)?,
            format: Some(BodyFormat::Form),
            authentication: match settings.authentication {
                None => Some(authentication(&metadata)?),
                set => set,
            },
        };
        let mut server = Server::new(Settings {
            token: settings.token.or(found.token),
            revocation: settings.revocation.or(found.revocation),
            authorization: settings.authorization.or(found.authorization),
            device: settings.device.or(found.device),
            format: settings.format.or(found.format),
            authentication: found.authentication,
        });
        server.issuer = Some(Issuer {
            name: metadata.issuer.clone(),
            is_promised: metadata.authorization_response_iss_parameter_supported,
        });
        server.has_pkce = has_pkce(&metadata);
        Ok(server)
    }

    /// Returns whether the client has a secret, unless the server is found to
    /// [take clients without](Self::takes_public_clients).
    pub(super) fn needs_secret(&self) -> bool {
        self.settings.authentication != Some(ClientAuthentication::None)
    }

    /// Returns whether the metadata says that the server has clients without a secret, where the settings
    /// do not say how the client authenticates.
    pub(super) async fn takes_public_clients(&self) -> Result<bool> {
        match (&self.discovery, self.settings.authentication) {
            (Some(discovery), None) => Ok(discovery.metadata().await?.takes_public_clients()),
            _ => Ok(false),
        }
    }
}

/// Returns how clients authenticate: with their secret, if the server has clients with one.
fn authentication(metadata: &ServerMetadata) -> Result<ClientAuthentication> {
    let known = [
        ("client_secret_basic", ClientAuthentication::Basic),
        ("client_secret_post", ClientAuthentication::Body),
        ("none", ClientAuthentication::None),
    ];
    let taken = known.iter().find(|(name, _)| metadata.has_method(name));
    if let Some(&(_, authentication)) = taken {
        return Ok(authentication);
    }
    let methods = metadata.token_endpoint_auth_methods_supported.as_deref();
    let (taken, issuer) = (methods.unwrap_or_default().join(", "), &metadata.issuer);
    let [basic, post, none] = known.map(|(name, _)| name);
    let what = format!(
        "no way to authenticate to {issuer} is known: by its metadata, it takes {taken:?}, and the ways here are {basic}, \
         {post} and {none}; if it takes one of these, set client_authentication"
    );
    Err(Core::new(Kind::Config, what).into())
}

fn has_pkce(metadata: &ServerMetadata) -> Option<bool> {
    let methods = metadata.code_challenge_methods_supported.as_ref()?;
    Some(methods.iter().any(|method| method == "S256"))
}

impl Server {
    fn new(settings: Settings) -> Self {
        Self {
            token: settings.token,
            revocation: settings.revocation,
            authorization: settings.authorization,
            device: settings.device,
            format: settings.format.unwrap_or_default(),
            authentication: settings.authentication.unwrap_or_default(),
            issuer: None,
            has_pkce: None,
        }
    }

    pub(super) fn token(&self) -> Result<&Url> {
        self.known(self.token.as_ref(), "token endpoint")
    }

    pub(super) fn revocation(&self) -> Result<&Url> {
        self.known(self.revocation.as_ref(), "revocation endpoint")
    }

    pub(super) fn device(&self) -> Result<&Url> {
        self.known(self.device.as_ref(), "device authorization endpoint")
    }

    pub(super) fn authorization(&self) -> Result<&str> {
        self.known(self.authorization.as_deref(), "authorization endpoint")
    }

    fn known<T>(&self, endpoint: Option<T>, what: &str) -> Result<T> {
        let place = match &self.issuer {
            Some(issuer) => format!("the metadata of {} has no {what}", issuer.name),
            None => format!("no {what} is set"),
        };
        endpoint.ok_or_else(|| Core::new(Kind::Config, place).into())
    }

    /// Returns the fields that identify the client in a body.
    pub(super) fn client<'a>(&self, client: Identity<'a>) -> Vec<(&'static str, Field<'a>)> {
        let id = ("client_id", Field::Text(client.id));
        let secret = client.secret.map_or(Field::Null, Field::Secret);
        match self.authentication {
            ClientAuthentication::Body => vec![id, ("client_secret", secret)],
            ClientAuthentication::Basic if client.secret.is_some() => Vec::new(),
            // A client that does not authenticate says who it is (RFC 6749, 3.2.1).
            ClientAuthentication::Basic | ClientAuthentication::None => vec![id],
        }
    }

    /// Returns the secret for a header.
    pub(super) fn in_header<'a>(&self, client: Identity<'a>) -> Option<&'a Secret> {
        let is_basic = self.authentication == ClientAuthentication::Basic;
        client.secret.filter(|_| is_basic)
    }
}

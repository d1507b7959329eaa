//! The start of a login: the URL that a user visits, and the callback (protocol section 3.1).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use form_urlencoded::Serializer;
use sha2::{Digest as _, Sha256};
use vouchsafe_core::auth::oauth::ErrorCode;
use vouchsafe_core::{Error as Core, ErrorKind as Kind, Secret};
use zeroize::Zeroizing;

use super::Credentials;
use super::server::Issuer;
use crate::Result;

/// The defaults of authorization URLs.
#[derive(Clone, Default)]
pub(super) struct Settings {
    pub(super) redirect_uri: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) instance_id: Option<String>,
    pub(super) region: Option<String>,
    pub(super) state: Option<String>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The state is what others must not know.
        f.debug_struct("Settings")
            .field("redirect_uri", &self.redirect_uri)
            .field("scope", &self.scope)
            .field("instance_id", &self.instance_id)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

impl Settings {
    pub(super) fn redirect_uri(&self) -> Option<&str> {
        self.redirect_uri.as_deref()
    }
}

impl Credentials {
    /// Starts building the URL that a user visits to log in.
    #[doc(alias = "get_authorization_url")]
    pub fn authorize(&self) -> AuthorizationRequest {
        AuthorizationRequest {
            credentials: self.clone(),
            client_id: None,
            settings: self.inner.authorization.clone(),
            pkce: Pkce::default(),
        }
    }
}

/// Builds an authorization URL. Nothing is sent. An empty text counts as absent, as for `pancloud`.
#[derive(Clone, Debug)]
#[must_use = "`url` forms it"]
pub struct AuthorizationRequest {
    credentials: Credentials,
    client_id: Option<String>,
    settings: Settings,
    pkce: Pkce,
}

/// Whether a login is bound to the program that started it (RFC 7636).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pkce {
    /// Bound by the digest of a secret, which is sent when the code is exchanged.
    #[default]
    S256,
    /// Not bound, for servers that refuse the parameters.
    Off,
}

impl AuthorizationRequest {
    /// Sets the client's id. Default: that of the credentials.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        given(&mut self.client_id, id.into());
        self
    }

    /// Sets where the user is sent afterwards. Default: that of the builder.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        given(&mut self.settings.redirect_uri, uri.into());
        self
    }

    /// Sets the scopes. Default: those of the builder.
    pub fn scopes<T: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        given(&mut self.settings.scope, joined(scopes));
        self
    }

    /// Sets the instance of the application. Default: that of the builder.
    pub fn instance_id(mut self, id: impl Into<String>) -> Self {
        given(&mut self.settings.instance_id, id.into());
        self
    }

    /// Sets the region, such as `americas` or `europe`. Default: that of the builder.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        given(&mut self.settings.region, region.into());
        self
    }

    /// Sets the state that the callback must return. Default: that of the builder, or else 128
    /// random bits for each URL.
    pub fn state(mut self, state: impl Into<String>) -> Self {
        given(&mut self.settings.state, state.into());
        self
    }

    /// Sets whether the login is bound to this program. Default: [`Pkce::S256`].
    pub fn pkce(mut self, pkce: Pkce) -> Self {
        self.pkce = pkce;
        self
    }

    /// Builds the URL.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PartialCredentials`](crate::ErrorKind::PartialCredentials) without a client's
    /// id; those of [`Credentials::values`]; of kind `Config` if the operating system returns no
    /// random numbers.
    pub async fn url(self) -> Result<Authorization> {
        let is_there = |text: &String| !text.is_empty();
        let client_id = match self.client_id.filter(is_there) {
            Some(id) => id,
            None => {
                let resolved = self.credentials.resolve().await?;
                let missing = || resolved.missing(vec!["client_id"]);
                resolved.values.client_id.clone().ok_or_else(missing)?
            }
        };
        let server = self.credentials.inner.endpoints.server().await?;
        let url = server.authorization()?;
        if self.pkce == Pkce::S256 && server.has_pkce == Some(false) {
            let what = "the server does not support S256; turn PKCE off, or ask its operator";
            return Err(Core::new(Kind::Config, what).into());
        }
        let Settings {
            redirect_uri,
            scope,
            instance_id,
            region,
            state,
        } = self.settings;
        let state = match state.filter(is_there) {
            Some(state) => state,
            None => random::<16>()?.expose().to_owned(),
        };
        let verifier = match self.pkce {
            Pkce::S256 => Some(random::<32>()?),
            Pkce::Off => None,
        };
        let challenge = verifier.as_ref().map(|verifier| {
            let digest = Sha256::digest(verifier.expose());
            URL_SAFE_NO_PAD.encode(digest)
        });
        let method = challenge.as_ref().map(|_| "S256".to_owned());
        let mut query = Serializer::new(String::new());
        for (name, value) in [
            ("client_id", Some(client_id)),
            ("instance_id", instance_id),
            ("redirect_uri", redirect_uri),
            ("region", region),
            ("response_type", Some("code".to_owned())),
            ("scope", scope),
            ("state", Some(state.clone())),
            ("code_challenge", challenge),
            ("code_challenge_method", method),
        ] {
            if let Some(value) = value.filter(is_there) {
                query.append_pair(name, &value);
            }
        }
        let (base, fragment) = match url.split_once('#') {
            Some((base, fragment)) => (base, format!("#{fragment}")),
            None => (url, String::new()),
        };
        let joint = match base.rsplit_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        Ok(Authorization {
            url: format!("{base}{joint}{}{fragment}", query.finish()),
            state,
            verifier,
            issuer: server.issuer,
        })
    }
}

/// A login that has started. Keep it in the user's session until the callback arrives.
///
/// `Debug` shows neither the state nor the part of the URL that has it: whoever knows the state can have another login
/// taken for this one.
#[derive(Clone)]
#[non_exhaustive]
pub struct Authorization {
    /// The URL for the user to visit.
    pub url: String,
    /// The state that the callback must return.
    pub state: String,
    /// The secret that is sent when the code is exchanged; see
    /// [`ExchangeRequest::verifier`](super::ExchangeRequest::verifier).
    pub verifier: Option<Secret>,
    /// Who the callback has to come from, if that is known.
    issuer: Option<Issuer>,
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let page = self.url.split('?').next();
        f.debug_struct("Authorization")
            .field("page", &page)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl Authorization {
    /// Reads the callback, which is the URL that the user was sent back to, or its query. Returns
    /// the code.
    ///
    /// # Errors
    ///
    /// Of kind `Forbidden` if the callback belongs to another login, which its state shows (it is
    /// compared in constant time). With [`oauth_code`](crate::Error::oauth_code) if the server
    /// refused the login, and of kind `Invalid` if the code is missing. No message includes the
    /// code.
    ///
    /// If the [issuer](super::CredentialsBuilder::issuer) is known, the callback must not name
    /// another one, and has to name it if the server promises that.
    pub fn callback(&self, url: &str) -> Result<Secret> {
        self.read(url, self.issuer.clone())
    }

    /// Like [`callback`](Self::callback), for a server that identifies itself in the callback (RFC
    /// 9207).
    ///
    /// # Errors
    ///
    /// As [`callback`](Self::callback); of kind `Forbidden` also if another server answered.
    pub fn callback_from(&self, issuer: &str, url: &str) -> Result<Secret> {
        let issuer = Issuer {
            name: issuer.to_owned(),
            is_promised: true,
        };
        self.read(url, Some(issuer))
    }

    fn read(&self, url: &str, issuer: Option<Issuer>) -> Result<Secret> {
        let query = url.split_once('?').map_or(url, |(_, query)| query);
        let query = query.split('#').next().unwrap_or_default();
        let value = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            let found = pairs.find(|(other, _)| other == name);
            found.map(|(_, value)| Zeroizing::new(value.into_owned()))
        };
        let refuse = |what: &str| Err(Core::new(Kind::Forbidden, what).into());
        let parameters = ["state", "iss", "error", "error_description", "code"];
        let is_twice = |name: &&str| {
            let pairs = form_urlencoded::parse(query.as_bytes());
            pairs.filter(|(other, _)| other == name).count() > 1
        };
        if parameters.iter().any(is_twice) {
            return refuse("the callback has a parameter twice (RFC 6749, 3.1)");
        }
        let state = value("state").map(|state| Secret::from(state.as_str()));
        if state != Some(Secret::from(self.state.as_str())) {
            return refuse("the callback belongs to another login: its state is not the one sent");
        }
        if let Some(issuer) = issuer
            && value("iss").map_or(issuer.is_promised, |from| *from != issuer.name)
        {
            return refuse("the callback comes from another server than the one asked");
        }
        if let Some(code) = value("error").filter(|code| !code.is_empty()) {
            let description = value("error_description");
            let what = description.filter(|text| !text.is_empty());
            let what = what
                .as_ref()
                .map_or("the server refused the login", |text| text);
            let error = Core::new(Kind::Forbidden, what).with_code(code.as_str());
            let is_transient = ErrorCode::of(&error).is_some_and(ErrorCode::is_transient);
            return Err(error.with_retryable(is_transient).into());
        }
        match value("code").filter(|code| !code.is_empty()) {
            Some(code) => Ok(Secret::from(code.as_str())),
            None => Err(Core::new(Kind::Invalid, "the callback has no code").into()),
        }
    }
}

/// Joins scopes by spaces (RFC 6749, 3.3).
pub(super) fn joined<T: AsRef<str>>(scopes: impl IntoIterator<Item = T>) -> String {
    let scopes: Vec<_> = scopes.into_iter().collect();
    let scopes: Vec<&str> = scopes.iter().map(AsRef::as_ref).collect();
    scopes.join(" ")
}

/// Sets what is not empty.
fn given(setting: &mut Option<String>, text: String) {
    if !text.is_empty() {
        *setting = Some(text);
    }
}

fn random<const BYTES: usize>() -> Result<Secret> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    getrandom::getrandom(&mut *bytes).map_err(|cause| {
        Core::new(Kind::Config, "the system returned no random numbers")
            .with_source(cause.to_string())
    })?;
    Ok(Secret::from(URL_SAFE_NO_PAD.encode(*bytes)))
}

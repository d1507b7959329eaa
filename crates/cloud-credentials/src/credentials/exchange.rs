//! The end of a login: exchanging an authorization code, and storing the tokens.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use vouchsafe_core::auth::oauth::TokenAnswer;
use vouchsafe_core::cache::{Cache, Fetched};
use vouchsafe_core::{CoreClient, Secret};

use super::Credentials;
use super::endpoint::Code;
use super::server::Identity;
use super::values::{LoggedIn, Memory, Place, Unsaved, Values};
use crate::refresh::Issued;
use crate::{Error, Result};

/// Exchanges an authorization code; see [`Credentials::exchange`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ExchangeRequest {
    pub(super) credentials: Credentials,
    pub(super) code: Secret,
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<Secret>,
    pub(super) redirect_uri: Option<String>,
    pub(super) verifier: Option<Secret>,
}

impl ExchangeRequest {
    /// Sets the client's id. Default: that of the credentials. For another client, their secret is not
    /// used.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// Sets the client's secret. Default: that of the credentials, if it is the same client.
    pub fn client_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.client_secret = Some(secret.into());
        self
    }

    /// Sets the redirect URI, which must be the one of the authorization URL. Default: that of the
    /// builder.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uri = Some(uri.into());
        self
    }

    /// Sets the [verifier](crate::Authorization::verifier) that belongs to the authorization URL.
    /// Default: none.
    pub fn verifier(mut self, verifier: impl Into<Secret>) -> Self {
        self.verifier = Some(verifier.into());
        self
    }

    /// Sends the request, and returns what the token endpoint answered.
    ///
    /// A code is good for one request, so the work runs in its own task: if the future is dropped,
    /// it goes on until the tokens are stored, as long as there are [`Credentials`] that it belongs
    /// to. The same exchange, made again within ten minutes, gets the result without another
    /// request.
    ///
    /// # Errors
    ///
    /// Those of [`Credentials::exchange`].
    pub async fn send(self) -> Result<TokenAnswer> {
        let exchanges = self.credentials.exchanges.clone();
        let key = self.digest();
        // Without what ends the task, or it would never be dropped.
        let credentials = self.credentials.detached();
        let request = Self {
            credentials,
            ..self
        };
        let fetch = || async move { request.run().await.map(Fetched::new) };
        exchanges.get_or_fetch(&key, fetch).await?
    }

    /// Returns the result of storing the tokens, once the code was used.
    async fn run(self) -> Result<Result<TokenAnswer>> {
        let credentials = &self.credentials;
        let inner = &*credentials.inner;
        let missing = self.code.is_empty().then_some("code");
        let (id, secret) = (self.client_id, self.client_secret);
        let login = Login::begin(credentials, id, secret, missing).await?;
        let redirect_uri = self.redirect_uri.filter(|uri| !uri.is_empty());
        let code = Code {
            code: &self.code,
            redirect_uri: redirect_uri
                .as_deref()
                .or(inner.authorization.redirect_uri()),
            verifier: self.verifier.as_ref(),
        };
        let exchanged = inner.endpoints.exchange(login.identity(), code).await;
        let (answer, issued) = exchanged?;
        Ok(login.keep(issued).await.map(|()| answer))
    }

    /// Returns the digest of all that was given, so that only the same exchange gets its result.
    fn digest(&self) -> String {
        let id = self.client_id.as_deref();
        let secret = self.client_secret.as_ref().map(Secret::expose);
        let uri = self.redirect_uri.as_deref();
        let verifier = self.verifier.as_ref().map(Secret::expose);
        let mut hash = Sha256::new();
        for part in [Some(self.code.expose()), id, secret, uri, verifier] {
            let length = part.map_or(u64::MAX, |part| part.len() as u64);
            hash.update(length.to_be_bytes());
            hash.update(part.unwrap_or_default());
        }
        URL_SAFE_NO_PAD.encode(hash.finalize())
    }
}

/// The exchanges of some credentials by their digest. Those whose tokens could not be stored are kept
/// like others: the code was used, and the tokens are in memory. Dropping it ends those that are not
/// done.
pub(super) type Exchanges = Cache<String, Result<TokenAnswer>, Error>;

/// Creates an empty collection of exchanges.
pub(super) fn exchanges(core: &CoreClient) -> Exchanges {
    core.cache("exchanges of codes")
        .capacity(16)
        .ttl(KEPT)
        .refresh_ahead(0.0)
        .error_ttl(Duration::ZERO)
        .build()
}

/// How long a code may be good (RFC 6749, 4.1.2).
const KEPT: Duration = Duration::from_secs(600);

impl Credentials {
    /// Returns to the record, now that it has a login.
    pub(super) fn written(&self, login: &LoggedIn) {
        let LoggedIn {
            values,
            is_of_store,
            ..
        } = login;
        let inner = &*self.inner;
        let is_saved = {
            let mut memory = self.memory();
            if let Some(token) = &values.access_token {
                memory.keep(token);
            }
            let unsaved = memory.unsaved_login();
            let is_this = unsaved.is_some_and(|unsaved| unsaved.values == *values);
            memory.unsaved.take_if(|_| is_this).is_some()
        };
        if is_saved {
            inner.coordinator.report_saved();
        }
        if !is_of_store {
            return;
        }
        self.set(|memory| {
            if !memory.is_of(login) || memory.set.client_secret != values.client_secret {
                // Something else was set in the meantime, which counts.
                return;
            }
            let set = std::mem::take(&mut memory.set);
            let secret = set.client_secret.filter(|_| !inner.is_secret_kept);
            *memory = Memory {
                secret: set.client_id.zip(secret),
                known: memory.known.take(),
                developer_token: memory.developer_token.take(),
                developer_provider: memory.developer_provider.take(),
                ..Memory::default()
            };
            let is_kept =
                |token: &Secret| memory.known_of(token).is_some_and(|known| known.is_kept);
            let is_in_record = |token: &Secret| inner.is_token_cached && is_kept(token);
            let access_token = set.access_token.filter(|token| !is_in_record(token));
            memory.set.access_token = access_token;
        });
    }
}

/// A login that is about to be completed.
#[derive(Clone, Debug)]
pub(super) struct Login {
    pub(super) credentials: Credentials,
    id: String,
    secret: Option<Secret>,
    /// Whether the credentials are those of another client.
    is_other_client: bool,
    is_of_store: bool,
    /// What the login takes the place of, if that was read.
    over: Option<Place>,
}

impl Login {
    /// Uses the given client, or else that of the credentials.
    pub(super) async fn begin(
        credentials: &Credentials,
        id: Option<String>,
        secret: Option<Secret>,
        missing: Option<&'static str>,
    ) -> Result<Self> {
        let resolved = credentials.resolve().await?;
        let given = Values {
            client_id: id,
            client_secret: secret,
            ..Values::default()
        };
        let (given, values) = (given.cleaned(), &resolved.values);
        let id = given.client_id.or_else(|| values.client_id.clone());
        let (Some(id), None) = (&id, missing) else {
            let no_id = id.is_none().then_some("client_id");
            return Err(resolved.missing(missing.into_iter().chain(no_id).collect()));
        };
        let is_other_client = values.client_id.as_ref().is_some_and(|own| own != id);
        let own_secret = || values.client_secret.clone().filter(|_| !is_other_client);
        Ok(Self {
            credentials: credentials.clone(),
            id: id.clone(),
            secret: given.client_secret.or_else(own_secret),
            is_other_client,
            // Also after another login that is not saved yet.
            is_of_store: resolved.are_of_store() || resolved.is_login_of_store,
            over: credentials.place_of(&resolved),
        })
    }

    pub(super) fn identity(&self) -> Identity<'_> {
        Identity {
            id: &self.id,
            secret: self.secret.as_ref(),
        }
    }

    /// Stores the issued tokens in memory and in the record of the profile.
    pub(super) async fn keep(&self, issued: Issued) -> Result<()> {
        let credentials = &self.credentials;
        let inner = &*credentials.inner;
        let access_token = issued.access_token;
        let values = Values {
            access_token: Some(access_token.clone()),
            client_id: Some(self.id.clone()),
            client_secret: self.secret.clone(),
            refresh_token: issued.refresh_token,
        };
        let now = inner.coordinator.now();
        let login = LoggedIn {
            values,
            is_of_store: self.is_of_store,
            over: (credentials.memory().login.as_ref()).and_then(LoggedIn::lineage),
        };
        // In memory first: a store that fails must not cost the tokens.
        credentials.set(|memory| {
            let before = memory.unsaved_login();
            let before = memory.unsaved.as_ref().zip(before);
            let unsaved = Unsaved::over(self.over.clone(), before);
            let known = memory.learn(&access_token, issued.expires_at, now);
            known.scope.clone_from(&issued.scope);
            memory.set = login.values.clone();
            memory.is_refresh_token_gone = login.values.refresh_token.is_none();
            memory.is_secret_gone |= self.is_other_client;
            memory.rotated = None;
            memory.login = Some(login.clone());
            memory.unsaved = Some(unsaved);
        });
        let written = credentials.write_login(&login, issued.expires_at).await;
        match &written {
            Ok(()) => credentials.written(&login),
            Err(error) => {
                credentials.report_unsaved(error);
                credentials.keep_saving().await;
            }
        }
        written
    }
}

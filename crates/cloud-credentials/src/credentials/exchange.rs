//! The end of a login: exchanging an authorization code, and storing the tokens.

use vouchsafe_core::Secret;
use vouchsafe_core::auth::oauth::TokenAnswer;

use super::Credentials;
use super::endpoint::Code;
use super::server::Identity;
use super::values::{Memory, Values};
use crate::Result;
use crate::refresh::Issued;

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
    /// Sets the client's id. Default: that of the credentials.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// Sets the client's secret. Default: that of the credentials.
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
    /// # Errors
    ///
    /// Those of [`Credentials::exchange`].
    pub async fn send(self) -> Result<TokenAnswer> {
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
        login.keep(issued).await?;
        Ok(answer)
    }
}

/// A login that is about to be completed.
#[derive(Clone, Debug)]
pub(super) struct Login {
    pub(super) credentials: Credentials,
    id: String,
    secret: Option<Secret>,
    is_of_store: bool,
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
        Ok(Self {
            credentials: credentials.clone(),
            id: id.clone(),
            secret: given.client_secret.or_else(|| values.client_secret.clone()),
            is_of_store: resolved.are_of_store(),
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
        // In memory first: a store that fails must not cost the tokens.
        credentials.set(|memory| {
            memory.set.client_id = Some(self.id.clone());
            memory.set.client_secret.clone_from(&self.secret);
            memory.set.access_token = Some(issued.access_token);
            memory.expires_at = issued.expires_at;
            memory.is_refresh_token_gone = issued.refresh_token.is_none();
            memory.set.refresh_token = issued.refresh_token;
            memory.rotated = None;
        });
        inner.coordinator.forget();
        credentials.write_login().await?;
        if self.is_of_store {
            // The record is what counts, as others may renew it.
            credentials.set(|memory| {
                let access_token = memory.set.access_token.take();
                let expires_at = memory.expires_at.take();
                *memory = Memory {
                    developer_token: memory.developer_token.take(),
                    developer_provider: memory.developer_provider.take(),
                    ..Memory::default()
                };
                if !inner.is_token_cached {
                    memory.set.access_token = access_token;
                    memory.expires_at = expires_at;
                }
            });
        }
        Ok(())
    }
}

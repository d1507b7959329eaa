//! Requests to the token, revocation and developer endpoints (protocol section 3).

use http::Method;
use http::header::{AUTHORIZATION, DATE};
use serde_json::Value;
use tokio::time::{Instant, timeout};
use vouchsafe_core::auth::oauth::{ErrorCode, TokenAnswer};
use vouchsafe_core::auth::{Basic, Credentials as Bearer, TokenSource};
use vouchsafe_core::call::{Answer, Call, CallOptions, Operation};
use vouchsafe_core::{
    BoxFuture, Clock as _, Error as Core, ErrorKind as Kind, Secret, TimeoutScope,
};

use super::fields::{BodyFormat, Field, Fields};
use super::server::{Endpoints, Identity, Server};
use crate::refresh::{Ask, Issued, Until};
use crate::url::Url;
use crate::validity::Validity;
use crate::{Error, Record, Result};

/// Which token is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hint {
    AccessToken,
    RefreshToken,
}

/// Returns the token and the revocation endpoint for a base URL, or for that of the token endpoint
/// itself.
pub(super) fn endpoints(token_url: &str) -> Result<(Url, Url)> {
    let name = TOKEN_PATH.rsplit('/').next().unwrap_or_default();
    let of_revocation = REVOCATION_PATH.rsplit('/').next().unwrap_or_default();
    match token_url.strip_suffix(name) {
        Some(folder) if folder.ends_with('/') => Ok((
            Url::whole(token_url)?,
            Url::whole(&format!("{folder}{of_revocation}"))?,
        )),
        _ => Ok((
            Url::below(token_url, TOKEN_PATH)?,
            Url::below(token_url, REVOCATION_PATH)?,
        )),
    }
}

/// The values that are sent with an authorization code.
pub(super) struct Code<'a> {
    pub(super) code: &'a Secret,
    pub(super) redirect_uri: Option<&'a str>,
    pub(super) verifier: Option<&'a Secret>,
}

impl Endpoints {
    /// Exchanges an authorization code.
    pub(super) async fn exchange(
        &self,
        client: Identity<'_>,
        code: Code<'_>,
    ) -> Result<(TokenAnswer, Issued)> {
        let server = self.server().await?;
        let mut fields = vec![("grant_type", Field::Text("authorization_code"))];
        fields.extend(server.client(client));
        let redirect_uri = code.redirect_uri.map_or(Field::Null, Field::Text);
        fields.push(("code", Field::Secret(code.code)));
        fields.push(("redirect_uri", redirect_uri));
        let fields = Fields(fields).secret_opt("code_verifier", code.verifier);
        self.request_token(&server, client, &fields, &CallOptions::new())
            .await
    }

    /// Asks for the tokens of a login on another device.
    pub(super) async fn poll(
        &self,
        client: Identity<'_>,
        device_code: &Secret,
    ) -> Result<(TokenAnswer, Issued)> {
        let mut server = self.server().await?;
        // The grant has no other form (RFC 8628, section 3.4).
        server.format = BodyFormat::Form;
        let mut fields = vec![("grant_type", Field::Text(DEVICE_GRANT))];
        fields.extend(server.client(client));
        fields.push(("device_code", Field::Secret(device_code)));
        let fields = Fields(fields);
        self.request_token(&server, client, &fields, &CallOptions::new())
            .await
    }

    async fn refresh(&self, credentials: &Record, until: &Until) -> Result<Issued> {
        let (Some(id), Some(token)) = (&credentials.client_id, &credentials.refresh_token) else {
            return Err(Core::new(Kind::Config, "no client id or refresh token").into());
        };
        let client = Identity {
            id,
            secret: credentials.client_secret.as_ref(),
        };
        // Its metadata may have to be fetched first.
        let Ok(server) = timeout(until.left(), self.server()).await else {
            let what = "the metadata of the authorization server did not arrive in time";
            let error = Core::new(Kind::Timeout(TimeoutScope::Call), what);
            return Err(error
                .with_operation("oauth.metadata")
                .with_retryable(true)
                .into());
        };
        let server = server?;
        let mut fields = server.client(client);
        fields.push(("refresh_token", Field::Secret(token)));
        fields.push(("grant_type", Field::Text("refresh_token")));
        let fields = Fields(fields);
        let own = until.clone();
        let options = CallOptions::new().deadline(until.left());
        let options = options.send_while(move || !own.is_over());
        let (_, issued) = self
            .request_token(&server, client, &fields, &options)
            .await?;
        Ok(issued)
    }

    /// Revokes a token.
    pub(super) async fn revoke(
        &self,
        client: Identity<'_>,
        token: &Secret,
        hint: Hint,
    ) -> Result<()> {
        let hint = match hint {
            Hint::AccessToken => "access_token",
            Hint::RefreshToken => "refresh_token",
        };
        let server = self.server().await?;
        let mut fields = server.client(client);
        fields.push(("token", Field::Secret(token)));
        fields.push(("token_type_hint", Field::Text(hint)));
        let url = server.revocation()?;
        let call = Call::new(&REVOKE_TOKEN, url.target().clone());
        let call = Fields(fields).body_of(call, server.format)?;
        revoked(&self.send(&server, url, call, client).await?)
    }

    /// Redeems a developer token of a source. If it is refused and the source has another, redeems
    /// that one. Sends nothing after the moment.
    pub(super) async fn redeem(
        &self,
        provider: &Url,
        source: &dyn TokenSource,
        until: Option<&Until>,
    ) -> Result<Issued> {
        let call = Call::new(&REDEEM, provider.target().clone());
        let source = Some(Bearer::bearer(source));
        let options = match until.cloned() {
            Some(until) => CallOptions::new().send_while(move || !until.is_over()),
            None => CallOptions::new(),
        };
        let sent = self.core.send(provider.base(), call, source, &options);
        let (_, issued) = self.issued(&sent.await.map_err(sorted)?)?;
        Ok(issued)
    }

    async fn request_token(
        &self,
        server: &Server,
        client: Identity<'_>,
        fields: &Fields<'_>,
        options: &CallOptions,
    ) -> Result<(TokenAnswer, Issued)> {
        let url = server.token()?;
        let call = Call::new(&REQUEST_TOKEN, url.target().clone());
        let call = fields.body_of(call, server.format)?;
        let answer = self.send_with(server, url, call, client, options).await?;
        self.issued(&answer)
    }

    /// Sends a call as the client.
    pub(super) async fn send(
        &self,
        server: &Server,
        url: &Url,
        call: Call,
        client: Identity<'_>,
    ) -> Result<Answer> {
        let options = CallOptions::new();
        self.send_with(server, url, call, client, &options).await
    }

    async fn send_with(
        &self,
        server: &Server,
        url: &Url,
        call: Call,
        client: Identity<'_>,
        options: &CallOptions,
    ) -> Result<Answer> {
        let call = match server.in_header(client) {
            Some(secret) => {
                // Encoded first (RFC 6749, 2.3.1), so that an id may hold a colon.
                let header = Basic::new(encoded(client.id))?;
                let header = header.header(&Secret::from(encoded(secret.expose())))?;
                call.hide(secret).secret_header(AUTHORIZATION, &header)?
            }
            None => call,
        };
        let sent = self.core.send(url.base(), call, None, options);
        Ok(sent.await.map_err(sorted)?)
    }

    /// Reads what was issued, with its expiry if that is known: the token says it, or the answer.
    fn issued(&self, answer: &Answer) -> Result<(TokenAnswer, Issued)> {
        let tokens = TokenAnswer::read(answer).map_err(sorted)?;
        if !tokens.is_bearer() {
            let what = "the token endpoint issued a token that is not a bearer token";
            return Err(answer.decode_error(what).into());
        }
        let date = answer
            .headers()
            .get(DATE)
            .and_then(|date| date.to_str().ok());
        self.clock.learn(date, &tokens.access_token);
        let now = self.clock.now();
        let told = tokens
            .expires_in
            .and_then(|lifetime| now.checked_add(lifetime));
        let validity = Validity::of(&tokens.access_token, told, now);
        let issued = Issued {
            access_token: tokens.access_token.clone(),
            refresh_token: tokens.refresh_token.clone(),
            expires_at: validity.expires_at,
            scope: tokens.scope.clone(),
        };
        Ok((tokens, issued))
    }
}

impl Ask for Endpoints {
    fn server(&self) -> &str {
        &self.name
    }

    fn ask<'a>(
        &'a self,
        credentials: &'a Record,
        until: &'a Until,
    ) -> BoxFuture<'a, Result<Issued>> {
        Box::pin(async move {
            let begun = Instant::now();
            let issued = self.refresh(credentials, until).await;
            let error = issued.as_ref().err().map(Error::core);
            self.core.token_renewed(&self.renewals, begun, error);
            issued
        })
    }
}

/// Says of a refusal whose fault it is: that of the client's configuration, or of a moment.
fn sorted(error: Core) -> Core {
    match ErrorCode::of(&error) {
        Some(code) if code.is_of_client() => error.with_kind(Kind::Config),
        Some(code) if code.is_transient() => error.with_retryable(true),
        _ => error,
    }
}

/// Reads the answer of the revocation endpoint: an empty one and one that is not JSON are a success
/// (RFC 7009, 2.2).
fn revoked(answer: &Answer) -> Result<()> {
    let Ok(Value::Object(body)) = answer.json() else {
        return Ok(());
    };
    let text = |name: &str| {
        let text = body.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty())
    };
    let (code, message) = (text("error"), text("error_description"));
    if code.is_some() || message.is_some() {
        let error = answer.decode_error(message.unwrap_or("the token was not revoked"));
        let error = error.with_kind(Kind::Invalid);
        return Err(match code {
            Some(code) => error.with_code(answer.without_secrets(code)).into(),
            None => error.into(),
        });
    }
    match body.get("issuccess") {
        None | Some(Value::Bool(true)) => Ok(()),
        Some(Value::String(word)) if word.eq_ignore_ascii_case("true") => Ok(()),
        Some(_) => {
            let error = answer.decode_error("the server says that the token was not revoked");
            Err(error.with_kind(Kind::Status).into())
        }
    }
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

const TOKEN_PATH: &str = "/api/oauth2/RequestToken";
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const REVOCATION_PATH: &str = "/api/oauth2/RevokeToken";

// A refresh token may be replaced by the first request, so none is sent twice.
pub(crate) static REQUEST_TOKEN: Operation =
    Operation::new("oauth.requestToken", Method::POST, TOKEN_PATH).open();
pub(crate) static REVOKE_TOKEN: Operation =
    Operation::new("oauth.revokeToken", Method::POST, REVOCATION_PATH).open();
pub(crate) static REDEEM: Operation =
    Operation::new("oauth.redeemDeveloperToken", Method::POST, "/request_token").open();

//! Requests to the token, revocation and developer endpoints (protocol section 3).

use http::Method;
use http::header::AUTHORIZATION;
use serde::Serialize;
use serde_json::Value;
use vouchsafe_core::auth::Basic;
use vouchsafe_core::auth::oauth::TokenAnswer;
use vouchsafe_core::call::{Answer, Call, CallOptions, Form, Operation};
use vouchsafe_core::{BoxFuture, CoreClient, Error as Core, ErrorKind as Kind, Secret};

use crate::refresh::{Ask, Issued};
use crate::url::Url;
use crate::validity::Validity;
use crate::{Record, Result};

/// The format of requests to the token endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyFormat {
    /// JSON, which this service accepts.
    #[default]
    Json,
    /// A form, which the standard requires (RFC 6749).
    Form,
}

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

/// Which token is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hint {
    AccessToken,
    RefreshToken,
}

/// The endpoints of an authorization server.
#[derive(Debug)]
pub(super) struct Endpoints {
    pub(super) core: CoreClient,
    pub(super) token: Url,
    pub(super) revocation: Url,
    pub(super) format: BodyFormat,
    pub(super) authentication: ClientAuthentication,
    pub(super) options: CallOptions,
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

/// The body of a code exchange, in the order in which `pancloud` writes it.
#[derive(Serialize)]
struct Exchange<'a> {
    grant_type: &'static str,
    #[serde(flatten)]
    client: Client<'a>,
    code: Hidden<'a>,
    redirect_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code_verifier: Option<Hidden<'a>>,
}

#[derive(Serialize)]
struct Refresh<'a> {
    #[serde(flatten)]
    client: Client<'a>,
    refresh_token: Hidden<'a>,
    grant_type: &'static str,
}

#[derive(Serialize)]
struct Revocation<'a> {
    #[serde(flatten)]
    client: Client<'a>,
    token: Hidden<'a>,
    token_type_hint: &'static str,
}

/// The client's part of a body.
#[derive(Clone, Copy, Serialize)]
struct Client<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<Option<Hidden<'a>>>,
}

/// A secret in the body of a request.
#[derive(Clone, Copy)]
struct Hidden<'a>(&'a Secret);

impl Serialize for Hidden<'_> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        vouchsafe_core::__private::expose(self.0, to)
    }
}

/// The client of a request.
#[derive(Clone, Copy)]
pub(super) struct Identity<'a> {
    pub(super) id: &'a str,
    pub(super) secret: Option<&'a Secret>,
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
    ) -> Result<TokenAnswer> {
        let call = Call::new(&REQUEST_TOKEN, self.token.target().clone());
        let call = match self.format {
            BodyFormat::Json => call.secret_json(&Exchange {
                grant_type: "authorization_code",
                client: self.in_body(client),
                code: Hidden(code.code),
                redirect_uri: code.redirect_uri,
                code_verifier: code.verifier.map(Hidden),
            })?,
            BodyFormat::Form => {
                let form = Form::new().field("grant_type", "authorization_code");
                let form = self.in_form(form, client).secret("code", code.code);
                let form = form.field_opt("redirect_uri", code.redirect_uri);
                call.form(form.secret_opt("code_verifier", code.verifier))
            }
        };
        let answer = self.send(call, client, &self.token).await?;
        Ok(TokenAnswer::read(&answer)?)
    }

    /// Revokes a token.
    pub(super) async fn revoke(
        &self,
        client: Identity<'_>,
        token: &Secret,
        hint: Hint,
    ) -> Result<()> {
        let token_type_hint = match hint {
            Hint::AccessToken => "access_token",
            Hint::RefreshToken => "refresh_token",
        };
        let call = Call::new(&REVOKE_TOKEN, self.revocation.target().clone());
        let call = match self.format {
            BodyFormat::Json => call.secret_json(&Revocation {
                client: self.in_body(client),
                token: Hidden(token),
                token_type_hint,
            })?,
            BodyFormat::Form => {
                let form = self.in_form(Form::new(), client).secret("token", token);
                call.form(form.field("token_type_hint", token_type_hint))
            }
        };
        let answer = self.send(call, client, &self.revocation).await?;
        revoked(&answer)
    }

    async fn refresh(&self, credentials: &Record) -> Result<Issued> {
        let (Some(id), Some(token)) = (&credentials.client_id, &credentials.refresh_token) else {
            return Err(Core::new(Kind::Config, "no client id or refresh token").into());
        };
        let client = Identity {
            id,
            secret: credentials.client_secret.as_ref(),
        };
        let call = Call::new(&REQUEST_TOKEN, self.token.target().clone());
        let call = match self.format {
            BodyFormat::Json => call.secret_json(&Refresh {
                client: self.in_body(client),
                refresh_token: Hidden(token),
                grant_type: "refresh_token",
            })?,
            BodyFormat::Form => {
                let form = self
                    .in_form(Form::new(), client)
                    .secret("refresh_token", token);
                call.form(form.field("grant_type", "refresh_token"))
            }
        };
        let answer = self.send(call, client, &self.token).await?;
        Ok(self.issued(TokenAnswer::read(&answer)?))
    }

    /// Returns whether the client has a secret.
    pub(super) fn needs_secret(&self) -> bool {
        self.authentication != ClientAuthentication::None
    }

    /// Redeems a developer token.
    pub(super) async fn redeem(&self, provider: &Url, token: &Secret) -> Result<Issued> {
        let header = Secret::from(format!("Bearer {}", token.expose()));
        let call = Call::new(&REDEEM, provider.target().clone());
        let call = call.hide(token).secret_header(AUTHORIZATION, &header)?;
        let answer = self
            .core
            .send(provider.base(), call, None, &self.options)
            .await?;
        Ok(self.issued(TokenAnswer::read(&answer)?))
    }

    /// Returns the issued token with its expiry, if the token or the answer states it.
    pub(super) fn issued(&self, answer: TokenAnswer) -> Issued {
        let now = self.core.clock().now();
        let told = answer
            .expires_in
            .and_then(|lifetime| now.checked_add(lifetime));
        let validity = Validity::of(&answer.access_token, told, now);
        Issued {
            access_token: answer.access_token,
            refresh_token: answer.refresh_token,
            expires_at: validity.expires_at,
        }
    }

    async fn send(&self, call: Call, client: Identity<'_>, url: &Url) -> Result<Answer> {
        let call = match (self.authentication, client.secret) {
            (ClientAuthentication::Basic, Some(secret)) => {
                // Encoded first (RFC 6749, 2.3.1), so that an id may hold a colon.
                let header = Basic::new(encoded(client.id))?;
                let header = header.header(&Secret::from(encoded(secret.expose())))?;
                call.hide(secret).secret_header(AUTHORIZATION, &header)?
            }
            _ => call,
        };
        Ok(self
            .core
            .send(url.base(), call, None, &self.options)
            .await?)
    }

    fn in_body<'a>(&self, client: Identity<'a>) -> Client<'a> {
        let id = Some(client.id);
        match self.authentication {
            ClientAuthentication::Body => Client {
                client_id: id,
                client_secret: Some(client.secret.map(Hidden)),
            },
            ClientAuthentication::Basic => Client {
                client_id: None,
                client_secret: None,
            },
            ClientAuthentication::None => Client {
                client_id: id,
                client_secret: None,
            },
        }
    }

    fn in_form(&self, form: Form, client: Identity<'_>) -> Form {
        match self.authentication {
            ClientAuthentication::Body => {
                let form = form.field("client_id", client.id);
                form.secret_opt("client_secret", client.secret)
            }
            ClientAuthentication::Basic => form,
            ClientAuthentication::None => form.field("client_id", client.id),
        }
    }
}

impl Ask for Endpoints {
    fn ask<'a>(&'a self, credentials: &'a Record) -> BoxFuture<'a, Result<Issued>> {
        Box::pin(self.refresh(credentials))
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
            Some(code) => error.with_code(code).into(),
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
const REVOCATION_PATH: &str = "/api/oauth2/RevokeToken";

// A refresh token may be replaced by the first request, so none is sent twice.
pub(crate) static REQUEST_TOKEN: Operation =
    Operation::new("oauth.requestToken", Method::POST, TOKEN_PATH).open();
pub(crate) static REVOKE_TOKEN: Operation =
    Operation::new("oauth.revokeToken", Method::POST, REVOCATION_PATH).open();
pub(crate) static REDEEM: Operation =
    Operation::new("oauth.redeemDeveloperToken", Method::POST, "/request_token").open();

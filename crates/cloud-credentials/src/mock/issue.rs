//! Creates tokens, and answers with them.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use vouchsafe_core::Secret;
use vouchsafe_core::mock::{random_token, respond};
use vouchsafe_core::timestamp::unix_seconds;
use vouchsafe_core::transport::{Request, Response};

use super::data::{AccessToken, RefreshToken};
use super::refusal::uncached;
use super::settings::{ExpiresIn, TokenFormat};
use super::state::{State, origin, random};

/// The client, the server and the time for new tokens.
#[derive(Clone, Copy)]
pub(super) struct By<'a> {
    pub(super) client: &'a str,
    pub(super) issuer: &'a str,
    pub(super) now: SystemTime,
}

/// New tokens.
pub(super) struct Issued {
    pub(super) access_token: Secret,
    pub(super) refresh_token: Option<Secret>,
    pub(super) scopes: Vec<String>,
}

impl State {
    /// Returns the issuer, by the URL of the request.
    pub(super) fn issuer(&self, request: &Request) -> String {
        let own = self.settings.issuer.clone();
        own.unwrap_or_else(|| origin(&request.uri))
    }

    pub(super) fn issue_access_token(
        &mut self,
        grant: Option<usize>,
        by: By<'_>,
        scopes: Vec<String>,
    ) -> Secret {
        let expires = by.now.checked_add(self.settings.access_token_lifetime);
        let token = match self.settings.token_format {
            TokenFormat::Opaque => random(),
            TokenFormat::Jwt => jwt(&json!({
                "iss": by.issuer,
                "client_id": by.client,
                "scope": scopes.join(" "),
                "iat": unix(by.now),
                "exp": expires.map(unix),
                "jti": random_token::<12>().expose(),
            })),
        };
        let known = AccessToken {
            grant,
            client: by.client.to_owned(),
            scopes,
            expires,
        };
        self.access_tokens.insert(token.expose().to_owned(), known);
        token
    }

    /// Issues a refresh token, in the place of another unless it is the first of a login.
    pub(super) fn issue_refresh_token(
        &mut self,
        grant: usize,
        replaces: Option<&str>,
        now: SystemTime,
    ) -> Secret {
        let token = random();
        let lifetime = self.settings.refresh_token_lifetime;
        let known = RefreshToken {
            grant,
            expires: lifetime.and_then(|lifetime| now.checked_add(lifetime)),
            replaces: replaces.map(Secret::from),
            replaced: None,
            is_used: false,
        };
        self.refresh_tokens.insert(token.expose().to_owned(), known);
        token
    }

    /// Answers with tokens (RFC 6749, 5.1).
    pub(super) fn answer(&self, issued: &Issued) -> Response {
        let mut body = json!({
            "access_token": issued.access_token.expose(),
            "token_type": "Bearer",
            "scope": issued.scopes.join(" "),
        });
        if let Some(token) = &issued.refresh_token {
            body["refresh_token"] = token.expose().into();
        }
        let seconds = self.settings.access_token_lifetime.as_secs();
        match self.settings.expires_in {
            ExpiresIn::Text => body["expires_in"] = seconds.to_string().into(),
            ExpiresIn::Number => body["expires_in"] = seconds.into(),
            ExpiresIn::Absent => {}
        }
        uncached(respond::json(200, &body))
    }
}

fn jwt(claims: &Value) -> Secret {
    let header = json!({"alg": "HS256", "typ": "at+jwt"});
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signature = random_token::<32>();
    Secret::from(format!(
        "{}.{}.{}",
        part(&header),
        part(claims),
        signature.expose()
    ))
}

pub(super) fn unix(time: SystemTime) -> u64 {
    unix_seconds(time).try_into().unwrap_or_default()
}

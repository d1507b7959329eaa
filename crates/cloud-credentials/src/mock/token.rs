//! The token endpoint (protocol sections 3 and 4), and the endpoint of developer tokens.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use vouchsafe_core::mock::form::header;
use vouchsafe_core::mock::respond;
use vouchsafe_core::transport::Request;

use super::data::{Client, Decision, Device, Grant, RefreshToken};
use super::issue::{By, Issued};
use super::params::Params;
use super::refusal::{Outcome, Refusal, uncached};
use super::settings::Rotation;
use super::state::State;

/// The grant type of devices (RFC 8628, 3.4).
pub(super) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Every grant type.
pub(super) const GRANT_TYPES: [&str; 4] = [
    "authorization_code",
    "refresh_token",
    "client_credentials",
    DEVICE_CODE,
];

impl State {
    /// Answers a request for a token.
    pub(super) fn token(&mut self, request: &Request, now: SystemTime) -> Outcome {
        let params = Params::of_body(request)?;
        let grant_type = params.need("grant_type", "there is no grant_type")?;
        let known = GRANT_TYPES.into_iter().find(|known| *known == grant_type);
        // The client's value is not quoted: it may be a secret in the wrong place.
        let counted = known.unwrap_or("unknown").to_owned();
        *self.counts.token_requests.entry(counted).or_default() += 1;
        let client = self.authenticate(request, &params)?;
        let grant_type = known.ok_or(Refusal::new(
            "unsupported_grant_type",
            "the server does not know this grant",
        ))?;
        let may_use = |client: &Client| match &client.grants {
            Some(grants) => grants.iter().any(|grant| grant == grant_type),
            None => true,
        };
        if !self.clients.get(&client).is_some_and(may_use) {
            return Err(not_allowed());
        }
        let issuer = self.issuer(request);
        let by = By {
            client: &client,
            issuer: &issuer,
            now,
        };
        let issued = match grant_type {
            "authorization_code" => self.exchange(by, &params)?,
            "refresh_token" => self.refresh(by, &params)?,
            "client_credentials" => self.for_itself(by, &params)?,
            _ => self.poll(by, &params)?,
        };
        Ok(self.answer(&issued))
    }

    fn exchange(&mut self, by: By<'_>, params: &Params) -> Outcome<Issued> {
        let text = params.need("code", "there is no code")?;
        let invalid = || Refusal::invalid_grant("the code is unknown, used, expired or another's");
        let code = self.codes.get(text).cloned().ok_or_else(invalid)?;
        if code.client != by.client || code.expires <= by.now {
            return Err(invalid());
        }
        if let Some(grant) = code.grant {
            // The code or its tokens were stolen (RFC 6749, 4.1.2).
            self.revoke_grant(grant);
            return Err(invalid());
        }
        if code.redirect_uri.as_deref() != params.get("redirect_uri") {
            // If it was left out at first, it may be present now.
            let is_optional = code.redirect_uri.is_none();
            if !is_optional {
                return Err(Refusal::invalid_grant("the redirect URI differs"));
            }
        }
        let challenge = params
            .get("code_verifier")
            .map(|verifier| URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)));
        if code.challenge != challenge {
            return Err(Refusal::invalid_grant(
                "the code verifier does not belong to the code",
            ));
        }
        let issued = self.log_in(by, code.scopes);
        if let Some(code) = self.codes.get_mut(text) {
            code.grant = Some(self.grants.len() - 1);
        }
        Ok(issued)
    }

    fn refresh(&mut self, by: By<'_>, params: &Params) -> Outcome<Issued> {
        let text = params.need("refresh_token", "there is no refresh_token")?;
        let invalid = || Refusal::invalid_grant("the refresh token is unknown, expired or revoked");
        let known = self.good_refresh_token(text, by.now);
        let &RefreshToken { grant, is_used, .. } = known.ok_or_else(invalid)?;
        let login = self.grants.get(grant).ok_or_else(invalid)?;
        if login.client != by.client {
            return Err(invalid());
        }
        if is_used {
            if self.settings.rotation == Rotation::Revokes {
                self.revoke_grant(grant);
            }
            return Err(invalid());
        }
        let scopes = narrowed(&login.scopes, params)?;
        let access_token = self.issue_access_token(Some(grant), by, scopes.clone());
        let refresh_token = (self.settings.rotation != Rotation::Keeps).then(|| {
            self.replace_refresh_token(text, by.now);
            self.issue_refresh_token(grant, Some(text), by.now)
        });
        Ok(Issued {
            access_token,
            refresh_token,
            scopes,
        })
    }

    fn for_itself(&mut self, by: By<'_>, params: &Params) -> Outcome<Issued> {
        let own = self.clients.get(by.client).ok_or_else(not_allowed)?;
        if own.secret.is_none() {
            return Err(not_allowed());
        }
        let scopes = narrowed(&own.scopes, params)?;
        Ok(Issued {
            access_token: self.issue_access_token(None, by, scopes.clone()),
            refresh_token: None,
            scopes,
        })
    }

    /// Answers a device (RFC 8628, 3.5).
    fn poll(&mut self, by: By<'_>, params: &Params) -> Outcome<Issued> {
        let text = params.need("device_code", "there is no device_code")?;
        let invalid = || Refusal::invalid_grant("the device code is unknown, used or another's");
        let device = self.devices.get_mut(text).ok_or_else(invalid)?;
        if device.client != by.client || device.is_used {
            return Err(invalid());
        }
        if device.expires <= by.now {
            return Err(Refusal::new("expired_token", "the device code is too old"));
        }
        let next = device
            .polled
            .and_then(|polled| polled.checked_add(device.interval));
        device.polled = Some(by.now);
        if next.is_some_and(|next| by.now < next) {
            device.interval += Device::SLOWER;
            return Err(Refusal::new("slow_down", "the device asks too often"));
        }
        match device.answer {
            None => Err(Refusal::new(
                "authorization_pending",
                "the user has not decided yet",
            )),
            Some(Decision::Deny) => {
                device.is_used = true;
                Err(Refusal::new("access_denied", "the user refused"))
            }
            Some(Decision::Allow) => {
                device.is_used = true;
                let scopes = device.scopes.clone();
                Ok(self.log_in(by, scopes))
            }
        }
    }

    /// Exchanges a developer token (protocol section 3).
    pub(super) fn redeem(&mut self, request: &Request, now: SystemTime) -> Outcome {
        let count = self
            .counts
            .token_requests
            .entry("developer_token".to_owned());
        *count.or_default() += 1;
        let token = header(request, AUTHORIZATION.as_str()).and_then(bearer);
        let scopes = token.and_then(|token| self.developer_tokens.get(token));
        let scopes = scopes.cloned().ok_or_else(Refusal::invalid_bearer)?;
        let issuer = self.issuer(request);
        let by = By {
            client: "developer",
            issuer: &issuer,
            now,
        };
        let token = self.issue_access_token(None, by, scopes);
        let body = json!({"access_token": token.expose()});
        Ok(uncached(respond::json(200, &body)))
    }

    /// Creates tokens for a client that a user has authorized.
    pub(super) fn log_in(&mut self, by: By<'_>, scopes: Vec<String>) -> Issued {
        let grant = self.grants.len();
        self.grants.push(Grant {
            client: by.client.to_owned(),
            scopes: scopes.clone(),
            is_revoked: false,
        });
        Issued {
            access_token: self.issue_access_token(Some(grant), by, scopes.clone()),
            refresh_token: Some(self.issue_refresh_token(grant, None, by.now)),
            scopes,
        }
    }
}

/// Reads a Bearer header.
pub(super) fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_start())
}

/// Returns the requested scopes, which must be among the permitted ones.
pub(super) fn narrowed(scopes: &[String], params: &Params) -> Outcome<Vec<String>> {
    let Some(wanted) = params.get("scope") else {
        return Ok(scopes.to_vec());
    };
    let wanted: Vec<String> = wanted.split(' ').map(str::to_owned).collect();
    if wanted.iter().all(|scope| scopes.contains(scope)) {
        return Ok(wanted);
    }
    Err(Refusal::new(
        "invalid_scope",
        "a scope is unknown, or more than was granted",
    ))
}

fn not_allowed() -> Refusal {
    Refusal::new("unauthorized_client", "the client may not use this grant")
}

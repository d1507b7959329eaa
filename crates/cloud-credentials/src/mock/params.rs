//! Requests to the authorization server: a form or JSON, and the client's authentication (protocol
//! section 3).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::Value;
use vouchsafe_core::Secret;
use vouchsafe_core::mock::form::{Fields, header};
use vouchsafe_core::transport::Request;

use super::refusal::{Outcome, Refusal};
use super::settings::Method;
use super::state::State;

/// The parameters of a request. Empty ones are left out (RFC 6749, 3.2).
pub(super) struct Params(BTreeMap<String, String>);

impl Params {
    /// Reads the body of a request.
    pub(super) fn of_body(request: &Request) -> Outcome<Self> {
        let kind = header(request, CONTENT_TYPE.as_str()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        match kind.to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => Self::of_fields(&Fields::parse(&request.body)),
            "application/json" => Self::of_json(&request.body),
            _ => Err(Refusal::invalid_request(
                "the body is neither a form nor JSON",
            )),
        }
    }

    /// Reads the query or form of a page, in which a name must not occur twice.
    pub(super) fn of_fields(fields: &Fields) -> Outcome<Self> {
        let mut params = BTreeMap::new();
        for (name, value) in fields.iter() {
            if params.insert(name.to_owned(), value.to_owned()).is_some() {
                return Err(Refusal::invalid_request("a parameter occurs twice"));
            }
        }
        params.retain(|_, value| !value.is_empty());
        Ok(Self(params))
    }

    fn of_json(body: &[u8]) -> Outcome<Self> {
        let Ok(Value::Object(members)) = serde_json::from_slice(body) else {
            return Err(Refusal::invalid_request("the body is not a JSON object"));
        };
        let mut params = BTreeMap::new();
        for (name, value) in members {
            match value {
                Value::String(text) if !text.is_empty() => {
                    params.insert(name, text);
                }
                Value::String(_) | Value::Null => {}
                _ => return Err(Refusal::invalid_request("a member is not text")),
            }
        }
        Ok(Self(params))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn need(&self, name: &str, otherwise: &'static str) -> Outcome<&str> {
        self.get(name)
            .ok_or_else(|| Refusal::invalid_request(otherwise))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let params = self.0.iter();
        params.map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl State {
    /// Authenticates the client of a request, and returns its id (RFC 6749, 2.3).
    pub(super) fn authenticate(&self, request: &Request, params: &Params) -> Outcome<String> {
        let in_body = params.get("client_secret");
        let (id, secret, method) = match request.headers.get(AUTHORIZATION) {
            Some(_) if in_body.is_some() => {
                return Err(Refusal::invalid_request(
                    "the client authenticates in two ways",
                ));
            }
            Some(value) => {
                let pair = value.to_str().ok().and_then(basic);
                let (id, secret) = pair.ok_or_else(|| Refusal::invalid_client(true))?;
                if params.get("client_id").is_some_and(|other| other != id) {
                    return Err(Refusal::invalid_client(true));
                }
                (id, Some(secret), Method::ClientSecretBasic)
            }
            None => {
                let id = params.get("client_id");
                let id = id.ok_or_else(|| Refusal::invalid_client(false))?;
                let method = match in_body {
                    Some(_) => Method::ClientSecretPost,
                    None => Method::None,
                };
                (id.to_owned(), in_body.map(Secret::from), method)
            }
        };
        let is_allowed = self.settings.client_authentication.contains(&method);
        let client = self.clients.get(&id).filter(|_| is_allowed);
        match client {
            // A public client has no secret to send, and anything it sends instead proves nothing.
            Some(client) if client.secret == secret => Ok(id),
            _ => Err(Refusal::invalid_client(method == Method::ClientSecretBasic)),
        }
    }
}

/// Reads Basic credentials, whose parts are encoded as in a form (RFC 6749, 2.3.1).
fn basic(header: &str) -> Option<(String, Secret)> {
    let (scheme, rest) = header.split_once(' ')?;
    let pair = STANDARD.decode(rest.trim()).ok()?;
    let pair = String::from_utf8(pair).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let plain = |text: &str| {
        // Clients that do not encode them send this character unchanged.
        let fields = Fields::parse(format!("x={}", text.replace('&', "%26")).as_bytes());
        fields.first("x").unwrap_or_default().to_owned()
    };
    scheme
        .eq_ignore_ascii_case("basic")
        .then(|| (plain(id), Secret::from(plain(secret))))
}

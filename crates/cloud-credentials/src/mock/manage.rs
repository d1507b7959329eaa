//! Management actions besides faults and time.

use std::time::SystemTime;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use vouchsafe_core::mock::{Action, strict};
use vouchsafe_core::{Error, ErrorKind, Result};

use super::data::Decision;
use super::issue::{By, Issued};
use super::seed::moved;
use super::settings::Settings;
use super::state::State;

pub(super) static ACTIONS: &[Action] = &[
    Action::new("logins", "Logs a client in, without a user.")
        .body(r#"{"client_id": "app", "expires_in_s": 60}"#)
        .answer(r#"{"access_token": "...", "refresh_token": "..."}"#)
        .field("client_id", "the client")
        .optional("scopes", "a list of scopes; default: the client's")
        .optional(
            "expires_in_s",
            "lifetime of the access token in seconds; negative: expired; default: as configured",
        ),
    Action::new("expire", "Expires access tokens.")
        .answer(r#"{"expired": 0}"#)
        .optional("client_id", "only those of this client"),
    Action::new("revoke", "Revokes all tokens from logins.")
        .body(r#"{"client_id": "app"}"#)
        .answer(r#"{"revoked": 0}"#)
        .field("client_id", "the client"),
    Action::new("devices", "Decides for the users of waiting devices.")
        .body(r#"{"decision": "allow"}"#)
        .answer(r#"{"decided": 0}"#)
        .field("decision", "allow or deny")
        .optional("user_code", "only the device with this code"),
    Action::new("directory", "Sets the objects of a class in a domain.")
        .body(r#"{"domain": "example.org", "class": "users", "objects": [{"Name": "bob"}]}"#)
        .answer(r#"{"objects": 1}"#)
        .field("domain", "the domain")
        .field("class", "the class, such as users")
        .field("objects", "a list of objects with their attributes"),
    Action::new(
        "settings",
        "Sets the behaviour of the service; missing values get their defaults.",
    )
    .body(r#"{"rotation": "revokes", "access_token_lifetime_s": 60}"#)
    .optional("issuer", "the name of the server; default: its URL")
    .optional("consent", "grants, denies or asks")
    .optional("is_pkce_required", "whether logins need PKCE")
    .optional("sends_issuer", "whether redirects have iss")
    .optional(
        "client_authentication",
        "a list of client_secret_post, client_secret_basic and none",
    )
    .optional("access_token_lifetime_s", "default: 3600")
    .optional("refresh_token_lifetime_s", "default: unlimited")
    .optional("code_lifetime_s", "default: 60")
    .optional("device_code_lifetime_s", "default: 600")
    .optional("device_interval_s", "default: 5")
    .optional("token_format", "jwt or opaque")
    .optional("expires_in", "text, number or absent")
    .optional("rotation", "keeps, overlaps, rotates or revokes")
    .optional(
        "refresh_token_overlap_s",
        "default: until the next one is used",
    )
    .optional("revokes_access_tokens", "default: true")
    .optional("token_rate", r#"such as {"requests": 1, "per_s": 10}"#)
    .optional("api_rate", "the same for the services"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    client_id: String,
    scopes: Option<Vec<String>>,
    expires_in_s: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expire {
    client_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoke {
    client_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decide {
    decision: Word,
    user_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Objects {
    domain: String,
    class: String,
    objects: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Allow,
    Deny,
}

impl State {
    pub(super) fn do_action(
        &mut self,
        action: &str,
        body: &[u8],
        now: SystemTime,
    ) -> Result<Value> {
        match action {
            "logins" => {
                let wanted: Login = strict::read(body)?;
                let issued = self.log_in_without_user(&wanted.client_id, wanted.scopes, now)?;
                let token = issued.access_token.expose();
                if let Some(seconds) = wanted.expires_in_s
                    && let Some(known) = self.access_tokens.get_mut(token)
                {
                    known.expires = Some(moved(now, seconds));
                }
                let refresh_token = issued.refresh_token.as_ref();
                Ok(json!({
                    "access_token": token,
                    "refresh_token": refresh_token.map(|token| token.expose()),
                }))
            }
            "expire" => {
                let Expire { client_id } = strict::read(body)?;
                Ok(json!({"expired": self.expire(client_id.as_deref())}))
            }
            "revoke" => {
                let Revoke { client_id } = strict::read(body)?;
                Ok(json!({"revoked": self.revoke_logins(&client_id)?}))
            }
            "devices" => {
                let wanted: Decide = strict::read(body)?;
                let decision = match wanted.decision {
                    Word::Allow => Decision::Allow,
                    Word::Deny => Decision::Deny,
                };
                let decided = self.decide_device(wanted.user_code.as_deref(), decision, now);
                Ok(json!({ "decided": decided }))
            }
            "directory" => {
                let Objects {
                    domain,
                    class,
                    objects,
                } = strict::read(body)?;
                let count = self.consumers.directory.put(domain, class, objects);
                Ok(json!({"objects": count}))
            }
            "settings" => {
                self.settings = strict::read::<Settings>(body)?;
                Ok(json!({}))
            }
            _ => {
                let what = format!("there is no action {action}");
                Err(Error::new(ErrorKind::NotFound, what))
            }
        }
    }

    /// Logs a client in.
    pub(super) fn log_in_without_user(
        &mut self,
        client: &str,
        scopes: Option<Vec<String>>,
        now: SystemTime,
    ) -> Result<Issued> {
        let known = self.clients.get(client).ok_or_else(|| unknown(client))?;
        let scopes = scopes.unwrap_or_else(|| known.scopes.clone());
        let issuer = self.settings.issuer.clone();
        let issuer = issuer.unwrap_or_else(|| super::BASE_URL.to_owned());
        let by = By {
            client,
            issuer: &issuer,
            now,
        };
        Ok(self.log_in(by, scopes))
    }

    /// Revokes the logins of a client, and returns how many there were.
    pub(super) fn revoke_logins(&mut self, client: &str) -> Result<u64> {
        if !self.clients.contains_key(client) {
            return Err(unknown(client));
        }
        let mut revoked = 0;
        for grant in &mut self.grants {
            if grant.client == client && !grant.is_revoked {
                grant.is_revoked = true;
                revoked += 1;
            }
        }
        Ok(revoked)
    }
}

fn unknown(client: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no client {client}"))
}

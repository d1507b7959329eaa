//! Management actions besides faults and time, and the state as JSON.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};
use vouchsafe_core::mock::{self, strict};
use vouchsafe_core::{Error, ErrorKind, Result};

use super::data::{Group, Pairs, Policy, Tenant, Token, User};
use super::message::Message;
use super::state::State;
use super::tokens;

pub(super) static ACTIONS: &[mock::Action] = &[
    mock::Action::new(
        "consent",
        "Stores a token of a user at `google` or `microsoft`, as after the user's consent.",
    )
    .body(r#"{"username": "admin", "type": "google"}"#)
    .field("username", "the name of the user")
    .field("type", "the external service"),
    mock::Action::new("database", "Makes the database unreachable or reachable.")
        .body(r#"{"down": true}"#)
        .field("down", "whether it is unreachable"),
    mock::Action::new("status", "Makes a component fail, or work again.")
        .body(r#"{"failing": true}"#)
        .field("failing", "whether the status is 503"),
    mock::Action::new("starting", "Returns the service to its start, or ends that.")
        .body(r#"{"starting": true}"#)
        .field("starting", "whether requests are answered with 503"),
    mock::Action::new("expire", "Expires every token."),
    mock::Action::new("tokens", "Creates a token for a user, without a login.")
        .body(r#"{"username": "admin", "acl": ["auth.users.read"], "lifetime_s": 60}"#)
        .answer(r#"{"token": "..."}"#)
        .field("username", "the name of the user")
        .optional("acl", "its access patterns; default: as after a login")
        .optional(
            "lifetime_s",
            "its lifetime in seconds; default: as configured",
        ),
    mock::Action::new(
        "outbox",
        "Returns the messages that the service sent, oldest first.",
    )
    .answer(
        r#"{"messages": [{"to": "a <a@example.com>", "kind": "confirmation", "link": "...", "token": "...", "email_uuid": "..."}]}"#,
    ),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Consent {
    username: String,
    r#type: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Database {
    down: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Status {
    failing: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Starting {
    starting: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewToken {
    username: String,
    acl: Option<Vec<String>>,
    lifetime_s: Option<i64>,
}

impl State {
    pub(super) fn act(&mut self, action: &str, body: &[u8], micros: i64) -> Result<Value> {
        match action {
            "consent" => {
                let Consent { username, r#type } = strict::read(body)?;
                self.consent(&username, &r#type, micros)?;
                Ok(json!({}))
            }
            "database" => {
                let Database { down } = strict::read(body)?;
                self.is_database_down = down;
                Ok(json!({}))
            }
            "status" => {
                let Status { failing } = strict::read(body)?;
                self.is_failing = failing;
                Ok(json!({}))
            }
            "starting" => {
                let Starting { starting } = strict::read(body)?;
                self.is_starting = starting;
                Ok(json!({}))
            }
            "expire" => {
                self.data.tokens.clear();
                Ok(json!({}))
            }
            "tokens" => {
                let wanted: NewToken = strict::read(body)?;
                let token =
                    self.make_token(&wanted.username, wanted.acl, wanted.lifetime_s, micros)?;
                Ok(json!({ "token": token }))
            }
            "outbox" => {
                let messages = self.data.outbox.iter().map(Message::json);
                Ok(json!({"messages": messages.collect::<Vec<_>>()}))
            }
            _ => Err(Error::new(
                ErrorKind::NotFound,
                format!("there is no action {action}"),
            )),
        }
    }

    /// Creates a token without a login.
    pub(super) fn make_token(
        &mut self,
        username: &str,
        acl: Option<Vec<String>>,
        lifetime: Option<i64>,
        micros: i64,
    ) -> Result<String> {
        let user = self.user_named(username)?;
        let mut token = tokens::for_user(self, &user, lifetime, micros);
        if let Some(acl) = acl {
            token.acl = acl;
        }
        let text = token.token.clone();
        self.data.tokens.insert(text.clone(), token);
        Ok(text)
    }

    /// Stores a token at an external service, as after a consent.
    pub(super) fn consent(&mut self, username: &str, kind: &str, micros: i64) -> Result<()> {
        if !["google", "microsoft"].contains(&kind) {
            let why = format!("no consent is given at {kind}: `google` or `microsoft`");
            return Err(Error::new(ErrorKind::NotFound, why));
        }
        let user = self.user_named(username)?;
        let expiration = micros.div_euclid(1_000_000).saturating_add(3600);
        let stored = json!({
            "access_token": self.uuid(), "token_expiration": expiration, "scope": [],
        });
        self.data.external.insert((user, kind.to_owned()), stored);
        Ok(())
    }

    fn user_named(&self, username: &str) -> Result<String> {
        let mut users = self.data.users.values();
        let user = users.find(|user| user.username.as_deref() == Some(username));
        let user = user.map(|user| user.uuid.clone());
        user.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no user {username}")))
    }

    /// Returns the state of the service, without secrets.
    pub(super) fn snapshot(&self, micros: i64) -> Value {
        let data = &self.data;
        let listed: BTreeSet<String> = data.tenants.keys().cloned().collect();
        let policy = |policy: &Policy| self.policy_json(policy, &listed, self.top());
        let ties = |pairs: &Pairs, left: &str, right: &str| -> Vec<Value> {
            let pairs = pairs.iter();
            pairs.map(|(l, r)| json!({left: l, right: r})).collect()
        };
        json!({
            "now": micros.div_euclid(1_000_000),
            "database": if self.is_database_down { "down" } else { "up" },
            "failing": self.is_failing,
            "starting": self.is_starting,
            "directories": self.directories.iter().map(|directory| {
                json!({
                    "host": directory.host, "port": directory.port,
                    "entries": directory.entries.len(),
                })
            }).collect::<Vec<_>>(),
            "tenants": data.tenants.values().map(Tenant::json).collect::<Vec<_>>(),
            "users": data.users.values().map(User::json).collect::<Vec<_>>(),
            "groups": data.groups.values().map(Group::json).collect::<Vec<_>>(),
            "policies": data.policies.values().map(policy).collect::<Vec<_>>(),
            "sessions": data.tokens.values().map(Token::session_json).collect::<Vec<_>>(),
            "refresh_tokens": data.refresh.values().map(|kept| {
                json!({"client_id": kept.client_id, "user_uuid": kept.user, "mobile": kept.mobile})
            }).collect::<Vec<_>>(),
            "user_policies": ties(&data.user_policies, "user_uuid", "policy_uuid"),
            "group_policies": ties(&data.group_policies, "group_uuid", "policy_uuid"),
            "members": ties(&data.members, "group_uuid", "user_uuid"),
            "external": data.external.keys().map(|(user, kind)| {
                json!({"user_uuid": user, "type": kind})
            }).collect::<Vec<_>>(),
            "external_config": data.external_config.keys().map(|(tenant, kind)| {
                json!({"tenant_uuid": tenant, "type": kind})
            }).collect::<Vec<_>>(),
            "ldap": data.ldap.keys().collect::<Vec<_>>(),
            "saml": data.saml.keys().collect::<Vec<_>>(),
            "messages": data.outbox.len(),
        })
    }
}

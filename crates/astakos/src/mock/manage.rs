//! Management actions besides faults and time: users and quotas.

use serde::Deserialize;
use serde_json::{Value, json};
use vouchsafe_core::ErrorKind;
use vouchsafe_core::mock::{Action, digest, random_token, strict};

use super::quota::Holding;
use super::seed::UserSeed;
use super::state::State;

pub(super) static ACTIONS: &[Action] = &[
    Action::new("users", "Adds an accepted user, with a system project if servers have those.")
        .body(r#"{"username": "dana@example.org", "uuid": null, "name": "Dana Example", "email": null, "token_expires_in_s": 3600, "project_admin": false}"#)
        .answer(r#"{"uuid": "...", "token": "..."}"#)
        .field("username", "the name, which is an e-mail address")
        .optional("uuid", "the uuid; default: a random one")
        .optional("name", "the person's name")
        .optional("email", "the e-mail address; default: the name")
        .optional("token_expires_in_s", "lifetime of the token in seconds; negative: expired; default: unlimited")
        .optional("project_admin", "whether the user is an operator of projects"),
    Action::new("quotas", "Sets the limit and the usage of a holding, whatever the projects say.")
        .body(r#"{"holder": "user:00000001-0001-4000-8000-000000000001", "source": "project:00000001-0001-4000-8000-000000000001", "resource": "cyclades.vm", "limit": 5, "usage": 2}"#)
        .field("holder", "the holder, as in commissions")
        .optional("source", "the source; null: none, as for projects")
        .field("resource", "the resource")
        .field("limit", "the limit")
        .optional("usage", "the usage; default: unchanged"),
    Action::new("expire_token", "Expires the token of a user or component.")
        .body(r#"{"whose": "bob@example.org"}"#)
        .field("whose", "the uuid or name of a user, or the name of a component"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUser {
    username: String,
    uuid: Option<String>,
    #[serde(default)]
    name: String,
    email: Option<String>,
    token_expires_in_s: Option<i64>,
    #[serde(default)]
    project_admin: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewQuota {
    holder: String,
    source: Option<String>,
    resource: String,
    limit: i64,
    usage: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whose {
    whose: String,
}

impl State {
    /// Performs one of the [`ACTIONS`].
    pub(super) fn act(
        &mut self,
        action: &str,
        body: &[u8],
        now: i64,
    ) -> vouchsafe_core::Result<Value> {
        match action {
            "users" => self.new_user(strict::read(body)?, now),
            "quotas" => self.put_quota(&strict::read(body)?),
            "expire_token" => {
                let Whose { whose } = strict::read(body)?;
                self.expire(&whose, now)
            }
            _ => Err(error(ErrorKind::NotFound, "there is no such action")),
        }
    }

    fn new_user(&mut self, wanted: NewUser, now: i64) -> vouchsafe_core::Result<Value> {
        let uuid = wanted.uuid.unwrap_or_else(random_uuid);
        let is_taken =
            self.users.get(&uuid).is_some() || self.users.by_username(&wanted.username).is_some();
        if is_taken {
            return Err(error(ErrorKind::Conflict, "there is such a user already"));
        }
        let token = random_token::<32>();
        let seed = UserSeed::new(uuid.clone(), wanted.username, token.clone());
        let seed = UserSeed {
            name: wanted.name,
            email: wanted.email,
            project_admin: wanted.project_admin,
            ..seed
        };
        let expires = wanted
            .token_expires_in_s
            .map(|life| now.saturating_add(life));
        self.add_user(&seed, now)
            .map_err(|why| error(ErrorKind::Config, &why))?;
        if let (Some(user), Some(at)) = (self.users.get_mut(&uuid), expires) {
            user.token_expires = Some(at);
        }
        Ok(json!({"uuid": uuid, "token": token.expose()}))
    }

    fn put_quota(&mut self, wanted: &NewQuota) -> vouchsafe_core::Result<Value> {
        if !self.resources.contains_key(&wanted.resource) {
            return Err(error(ErrorKind::NotFound, "there is no such resource"));
        }
        let key = (
            wanted.holder.as_str(),
            wanted.source.as_deref(),
            wanted.resource.as_str(),
        );
        let before = self.holdings.get(key.0, key.1, key.2).unwrap_or_default();
        let holding = Holding {
            limit: wanted.limit,
            usage_min: wanted.usage.unwrap_or(before.usage_min),
            usage_max: wanted.usage.unwrap_or(before.usage_max),
        };
        self.holdings.put(key, holding);
        Ok(json!({}))
    }

    fn expire(&mut self, whose: &str, now: i64) -> vouchsafe_core::Result<Value> {
        let by_name = self.users.by_username(whose).map(|user| user.uuid.clone());
        let uuid = by_name.unwrap_or_else(|| whose.to_owned());
        if let Some(user) = self.users.get_mut(&uuid) {
            user.token_expires = Some(now);
            return Ok(json!({}));
        }
        let mut components = self.components.iter_mut();
        let component = components
            .find(|component| component.name == whose)
            .ok_or_else(|| error(ErrorKind::NotFound, "there is no such user or component"))?;
        component.token_expires = Some(now);
        Ok(json!({}))
    }
}

/// A random uuid, of version 4.
fn random_uuid() -> String {
    let digits: String =
        digest(random_token::<32>().expose()) + &digest(random_token::<32>().expose());
    format!(
        "{}-{}-4{}-8{}-{}",
        &digits[..8],
        &digits[8..12],
        &digits[13..16],
        &digits[17..20],
        &digits[20..]
    )
}

fn error(kind: ErrorKind, what: &str) -> vouchsafe_core::Error {
    vouchsafe_core::Error::new(kind, what)
}

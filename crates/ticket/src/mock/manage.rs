//! Actions of the management API: services, keys, roles, tickets.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use vouchsafe_core::ErrorKind;
use vouchsafe_core::mock::{Action, strict};

use super::world::{Service, World, random_secret};
use crate::client::protocol::Seconds;
use crate::engine::env::BlackboxEnv;
use crate::engine::ids::{TvmId, Uid};
use crate::engine::mint::{ServiceTicketDraft, UserTicketDraft};

pub(super) static ACTIONS: &[Action] = &[
    Action::new("services", "Adds a service, with its alias in tvmtool.")
        .body(r#"{"id": 4242, "alias": "new", "slug": "shop", "destinations": {"new": 4242}}"#)
        .answer(r#"{"secret": "..."}"#)
        .field("id", "the id")
        .field("alias", "its name in tvmtool")
        .optional("slug", "its role system")
        .optional("destinations", "the destinations for which tvmtool fetches tickets, by name"),
    Action::new("destinations", "Adds a service for which others get tickets, or refuses them.")
        .body(r#"{"id": 4243, "refusal": null}"#)
        .field("id", "the id")
        .optional("refusal", "the error that is returned instead of a ticket; null: tickets are issued"),
    Action::new("keys", "Signs with new keys from now on.")
        .body(r#"{"drop_old": false}"#)
        .answer(r#"{"keys": "1:..."}"#)
        .optional("drop_old", "publishes only the new keys, so that older tickets become invalid"),
    Action::new("roles", "Sets the roles document of a role system.")
        .body(r#"{"slug": "shop", "document": {"revision": "2", "born_date": 1700000000, "tvm": {}, "user": {}}}"#)
        .field("slug", "the role system")
        .field("document", "the document, which is not checked"),
    Action::new("service_tickets", "Signs a service ticket, whether or not its services exist.")
        .body(r#"{"src": 42, "dst": 43, "expires_in_s": 600, "scopes": []}"#)
        .answer(r#"{"ticket": "3:serv:..."}"#)
        .field("src", "the source")
        .field("dst", "the destination")
        .optional("expires_in_s", "seconds by the emulator's clock; negative: already expired; default: the lifetime of new tickets")
        .optional("scopes", "its scopes"),
    Action::new("user_tickets", "Signs a user ticket.")
        .body(r#"{"uids": [2001], "env": null, "expires_in_s": 600, "scopes": ["bb:sessionid"]}"#)
        .answer(r#"{"ticket": "3:user:..."}"#)
        .field("uids", "its users; the first is the default")
        .optional("env", "Prod, Test, ProdYateam, TestYateam or Stress; default: that of tvmtool")
        .optional("expires_in_s", "seconds by the emulator's clock; negative: already expired; default: the lifetime of new tickets")
        .optional("scopes", "its scopes"),
    Action::new("settings", "Changes how the three servers answer; missing fields leave their setting as it is.")
        .body(r#"{"env": "Test", "ticket_lifetime_s": 43200, "tool_data_age_s": 0}"#)
        .optional("env", "the environment of tvmtool")
        .optional("ticket_lifetime_s", "the lifetime of new tickets in seconds")
        .optional("tool_data_age_s", "the age, in seconds, of what tvmtool returns"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewService {
    id: TvmId,
    alias: String,
    slug: Option<String>,
    #[serde(default)]
    destinations: BTreeMap<String, TvmId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Destination {
    id: TvmId,
    refusal: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    #[serde(default)]
    drop_old: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RolesOf {
    slug: String,
    document: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewServiceTicket {
    src: TvmId,
    dst: TvmId,
    expires_in_s: Option<Seconds>,
    #[serde(default)]
    scopes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUserTicket {
    uids: Vec<Uid>,
    env: Option<String>,
    expires_in_s: Option<Seconds>,
    #[serde(default)]
    scopes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    env: Option<String>,
    ticket_lifetime_s: Option<Seconds>,
    tool_data_age_s: Option<Seconds>,
}

impl World {
    /// Does one of the [`ACTIONS`].
    pub(super) fn act(
        &mut self,
        action: &str,
        body: &[u8],
        now: Seconds,
    ) -> vouchsafe_core::Result<Value> {
        match action {
            "services" => return self.put_service(strict::read(body)?),
            "destinations" => {
                let Destination { id, refusal } = strict::read(body)?;
                self.know(id);
                self.refuse(id, refusal);
            }
            "keys" => {
                let Keys { drop_old } = strict::read(body)?;
                self.authority.rotate();
                if drop_old {
                    self.authority.drop_old();
                }
                return Ok(json!({"keys": self.authority.container_text()}));
            }
            "roles" => {
                let RolesOf { slug, document } = strict::read(body)?;
                let text = match document {
                    Value::String(text) => text,
                    document => document.to_string(),
                };
                self.roles.insert(slug, text);
            }
            "service_tickets" => return self.new_service_ticket(strict::read(body)?, now),
            "user_tickets" => return self.new_user_ticket(strict::read(body)?, now),
            "settings" => {
                let wanted: Settings = strict::read(body)?;
                let env = wanted.env.as_deref().map(env).transpose()?;
                self.env = env.unwrap_or(self.env);
                self.lifetime = wanted.ticket_lifetime_s.unwrap_or(self.lifetime);
                self.tool_data_age = wanted.tool_data_age_s.unwrap_or(self.tool_data_age);
            }
            _ => return Err(error(ErrorKind::NotFound, "there is no such action")),
        }
        Ok(json!({}))
    }

    fn put_service(&mut self, wanted: NewService) -> vouchsafe_core::Result<Value> {
        if wanted.id.get() == 0 || wanted.alias.is_empty() {
            let what = "a service has an id that is not 0, and a name";
            return Err(error(ErrorKind::Config, what));
        }
        if self
            .services
            .iter()
            .any(|known| known.alias == wanted.alias)
        {
            return Err(error(
                ErrorKind::Conflict,
                "a service has this alias already",
            ));
        }
        let secret = random_secret();
        for id in wanted.destinations.values() {
            self.know(*id);
        }
        self.add(Service {
            id: wanted.id,
            secret: secret.clone(),
            alias: wanted.alias,
            slug: wanted.slug,
            destinations: wanted.destinations,
        });
        Ok(json!({"secret": secret.expose()}))
    }

    fn new_service_ticket(
        &self,
        wanted: NewServiceTicket,
        now: Seconds,
    ) -> vouchsafe_core::Result<Value> {
        let life = wanted.expires_in_s.unwrap_or(self.lifetime);
        let mut draft = ServiceTicketDraft::new(wanted.src, wanted.dst)
            .expiration_time(now.saturating_add(life));
        for scope in wanted.scopes {
            draft = draft.scope(scope);
        }
        let ticket = self.authority.sign_service(&draft);
        let ticket = ticket.map_err(|fault| error(ErrorKind::Config, fault.message()))?;
        Ok(json!({"ticket": ticket.expose()}))
    }

    fn new_user_ticket(
        &self,
        wanted: NewUserTicket,
        now: Seconds,
    ) -> vouchsafe_core::Result<Value> {
        let Some(default) = wanted.uids.first().copied() else {
            let what = "a user ticket is of at least one user";
            return Err(error(ErrorKind::Config, what));
        };
        let env = wanted
            .env
            .as_deref()
            .map(env)
            .transpose()?
            .unwrap_or(self.env);
        let life = wanted.expires_in_s.unwrap_or(self.lifetime);
        let mut draft = UserTicketDraft::new(env, default)
            .uids(wanted.uids)
            .expiration_time(now.saturating_add(life));
        for scope in wanted.scopes {
            draft = draft.scope(scope);
        }
        let ticket = self.authority.sign_user(env, &draft);
        let ticket = ticket.map_err(|fault| error(ErrorKind::Config, fault.message()))?;
        Ok(json!({"ticket": ticket.expose()}))
    }
}

fn env(name: &str) -> vouchsafe_core::Result<BlackboxEnv> {
    let all = (0..=4).filter_map(BlackboxEnv::from_number);
    let mut named = all.filter(|env| env.name().eq_ignore_ascii_case(name));
    named.next().ok_or_else(|| {
        let what =
            "there is no such environment; there is: Prod, Test, ProdYateam, TestYateam, Stress";
        error(ErrorKind::Config, what)
    })
}

fn error(kind: ErrorKind, what: &str) -> vouchsafe_core::Error {
    vouchsafe_core::Error::new(kind, what)
}

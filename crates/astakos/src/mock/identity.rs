//! Tokens and the catalog of services (protocol section 7.1), as documents.

use serde_json::{Map, Value, json};
use vouchsafe_core::Secret;

use super::dates;
use super::model::ProjectState;
use super::refusal::{Refusal, Ruled};
use super::state::{State, User};
use crate::Dialect;

impl State {
    /// The catalog without a token.
    pub(super) fn catalog(&self) -> Value {
        json!({"access": {"serviceCatalog": self.catalog}})
    }

    /// Returns the user of the credentials in a body, with the catalog.
    pub(super) fn authenticate(&self, body: &Value, now: i64) -> Ruled<Value> {
        let missing = || Refusal::bad("credentials are missing");
        let auth = match body.as_object().ok_or(Refusal::Crash)?.get("auth") {
            Some(auth) => auth.as_object().ok_or(Refusal::Crash)?,
            None => return Err(missing()),
        };
        let (token, owner) = match field(auth, "token", "id")? {
            Some(token) => (token, None),
            None => {
                let password = field(auth, "passwordCredentials", "password")?;
                let username = field(auth, "passwordCredentials", "username")?;
                let (password, username) = password.zip(username).ok_or_else(missing)?;
                (password, Some(username))
            }
        };
        let token = match token {
            Value::Null => return Err(Refusal::bad("the token is null")),
            Value::Array(_) | Value::Object(_) => return Err(Refusal::Crash),
            token => token.as_str().unwrap_or_default(),
        };
        let user = self.user_of(token, now)?;
        if owner.is_some_and(|owner| *owner != *user.uuid) {
            return Err(Refusal::unauthorized("the token belongs to another user"));
        }
        let tenant = match auth.get("tenantName") {
            None | Some(Value::Null) => "",
            Some(tenant) => tenant
                .as_str()
                .ok_or_else(|| Refusal::bad("no such tenant"))?,
        };
        if !tenant.is_empty() && tenant != user.uuid {
            return Err(Refusal::bad("the tenant is not the user"));
        }
        Ok(self.access(user))
    }

    fn access(&self, user: &User) -> Value {
        let is_old = self.is_bare();
        let tenant = if is_old {
            &user.uuid
        } else {
            user.default_project()
        };
        let mut told = self.user_json(user);
        if !is_old {
            let memberships = self.memberships.of_user(&user.uuid);
            let projects = memberships.filter(|membership| {
                let project = self.projects.get(&membership.project);
                membership.state.is_member()
                    && project.is_some_and(|project| project.state == ProjectState::Active)
            });
            told["projects"] = projects.map(|m| m.project.as_str()).collect();
        }
        json!({"access": {
            "token": {
                "id": user.token.expose(),
                "expires": user.token_expires.map(dates::shown),
                "tenant": {"id": tenant, "name": user.name},
            },
            "user": told,
            "serviceCatalog": self.catalog,
        }})
    }

    /// The answer about a short-lived token. One that has expired is removed.
    pub(super) fn validate_token(
        &mut self,
        token: &str,
        belongs_to: Option<&str>,
        now: i64,
    ) -> Ruled<Value> {
        let token = Secret::from(token);
        let found = self.oauth2.find(&token, now);
        let found = found.ok_or_else(|| Refusal::not_found("no such token"))?;
        if belongs_to.is_some_and(|place| !place.starts_with(&found.scope)) {
            return Err(Refusal::not_found(
                "the place is outside of the token's scope",
            ));
        }
        let user = self.users.get(&found.user);
        let user = user.ok_or_else(|| Refusal::not_found("the token's user is gone"))?;
        Ok(json!({"access": {
            "token": {
                "id": token.expose(),
                "expires": dates::shown(found.expires),
                "tenant": {"id": user.uuid, "name": user.name},
            },
            "user": self.user_json(user),
        }}))
    }

    fn user_json(&self, user: &User) -> Value {
        let groups = user.groups.iter();
        let roles = groups.map(|(id, name)| match (self.dialect, id.parse::<u64>()) {
            (Dialect::V014, Ok(id)) => json!({"id": id, "name": name}),
            _ => json!({"id": id, "name": name}),
        });
        json!({
            "id": user.uuid,
            "name": user.name,
            "roles": roles.collect::<Vec<_>>(),
            "roles_links": [],
        })
    }

    /// What 0.14 returns about the user of a token.
    pub(super) fn legacy_user_info(&self, user: &User) -> Value {
        let groups: Vec<&str> = user.groups.iter().map(|(_, name)| name.as_str()).collect();
        json!({
            "id": user.id,
            "username": user.username,
            "uuid": user.uuid,
            "email": [user.email],
            "name": user.name,
            "groups": groups,
            "auth_token": user.token.expose(),
            // Whole seconds, as milliseconds.
            "auth_token_created": user.token_created.div_euclid(1_000_000) * 1000,
            "auth_token_expires": user.token_expires.map(|end| end.div_euclid(1_000_000) * 1000),
        })
    }

    /// The versions of the identity service.
    pub(super) fn versions(&self) -> Value {
        let version = self.version_with([self.self_link()]);
        json!({"versions": {"values": [version]}})
    }

    /// The only version.
    pub(super) fn version(&self) -> Value {
        let guide = json!({
            "rel": "describedby",
            "type": "text/html",
            "href": "https://docs.openstack.org/",
        });
        let mut version = self.version_with([self.self_link(), guide]);
        version["media_types"] = json!([{
            "base": "application/json",
            "type": "application/vnd.openstack.identity-v2.0+json",
        }]);
        json!({"version": version})
    }

    fn version_with<const N: usize>(&self, links: [Value; N]) -> Value {
        json!({
            "id": "v2.0",
            "status": "CURRENT",
            "updated": "2014-04-17T00:00:00Z",
            "links": links.to_vec(),
        })
    }

    fn self_link(&self) -> Value {
        let mut services = self.catalog.iter();
        let service = services.find(|service| service["name"] == "astakos_identity");
        let url = service.and_then(|service| service["endpoints"][0]["publicURL"].as_str());
        let url = url.unwrap_or_default();
        json!({"rel": "self", "href": format!("{}/", url.trim_end_matches('/'))})
    }
}

/// A field of an object in an object, where the outer one may be missing.
fn field<'a>(auth: &'a Map<String, Value>, outer: &str, inner: &str) -> Ruled<Option<&'a Value>> {
    match auth.get(outer) {
        None => Ok(None),
        Some(outer) => Ok(outer.as_object().ok_or(Refusal::Crash)?.get(inner)),
    }
}

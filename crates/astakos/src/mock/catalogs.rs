//! Names and uuids of users (protocol section 7.2), and the default project of a user (7.3).

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::model::ProjectState;
use super::refusal::{Refusal, Ruled};
use super::state::State;

/// The kind of caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asking {
    User,
    Service,
}

impl State {
    /// Looks users up by name and uuid; unknown ones are left out.
    pub(super) fn user_catalogs(&self, body: &Value, asking: Asking) -> Ruled<Value> {
        let fields = body
            .as_object()
            .ok_or_else(|| Refusal::bad("the request is no object"))?;
        let names: Map<String, Value> = match fields.get("uuids") {
            Some(Value::Null) if asking == Asking::Service => {
                let users = self.users.all();
                users
                    .map(|user| (user.uuid.clone(), user.username.clone().into()))
                    .collect()
            }
            None | Some(Value::Null) => Map::new(),
            Some(Value::Array(uuids)) => {
                let uuids = uuids.iter().filter_map(Value::as_str);
                let users = uuids.filter_map(|uuid| self.users.get(uuid));
                users
                    .map(|user| (user.uuid.clone(), user.username.clone().into()))
                    .collect()
            }
            // The server iterates over any iterable value, and finds no user.
            Some(Value::String(_) | Value::Object(_)) => Map::new(),
            Some(_) => return Err(Refusal::Crash),
        };
        let wanted = match fields.get("displaynames") {
            None => Vec::new(),
            Some(Value::Array(names)) => {
                let names = names.iter().map(Value::as_str).collect::<Option<Vec<_>>>();
                names.ok_or_else(|| Refusal::bad("names must be texts"))?
            }
            Some(_) => return Err(Refusal::bad("names must be a list")),
        };
        // If a name occurs with different case, the last one counts.
        let spelled: HashMap<String, &str> = wanted
            .into_iter()
            .map(|name| (name.to_lowercase(), name))
            .collect();
        let uuids: Map<String, Value> = spelled
            .into_values()
            .filter_map(|name| {
                let user = self.users.by_username(name)?;
                Some((name.to_owned(), user.uuid.clone().into()))
            })
            .collect();
        Ok(json!({"uuid_catalog": names, "displayname_catalog": uuids}))
    }

    /// Sets the project that a user's new resources are charged to.
    pub(super) fn set_default_project(&mut self, uuid: &str, body: &Value) -> Ruled<()> {
        let fields = body.as_object().ok_or(Refusal::Crash)?;
        let Some(chosen) = fields.get("project_id").filter(|id| !id.is_null()) else {
            return Err(Refusal::forbidden());
        };
        if chosen.is_array() || chosen.is_object() {
            return Err(Refusal::Crash);
        }
        let chosen = chosen.as_str().unwrap_or_default();
        let project = self.project(chosen)?;
        let membership = self.memberships.of(uuid, chosen);
        let membership = membership.ok_or_else(|| Refusal::not_found("not a member"))?;
        let may = membership.state.is_member() && project.state == ProjectState::Active;
        if !may {
            return Err(Refusal::forbidden());
        }
        let chosen = chosen.to_owned();
        if let Some(user) = self.users.get_mut(uuid) {
            user.default_project = Some(chosen);
        }
        Ok(())
    }
}

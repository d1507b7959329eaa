//! The server's data: users, components, resources, and the parts that other files define. The
//! rules are in the other files.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};
use vouchsafe_core::Secret;

use super::commissions::Commissions;
use super::model::{Application, Memberships, Project};
use super::oauth2::OAuth2;
use super::quota::Holdings;
use super::refusal::{Refusal, Ruled};
use super::routes::Routes;
use crate::Dialect;

/// The whole state of a server.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) dialect: Dialect,
    pub(super) routes: Arc<Routes>,
    /// The prefix of all paths, without a slash at its end.
    pub(super) base: String,
    /// Uuids of the administrators.
    pub(super) admins: BTreeSet<String>,
    pub(super) users: Users,
    pub(super) components: Vec<Component>,
    pub(super) resources: BTreeMap<String, Resource>,
    /// The public services as the catalog lists them.
    pub(super) catalog: Vec<Value>,
    pub(super) holdings: Holdings,
    pub(super) commissions: Commissions,
    pub(super) projects: BTreeMap<String, Project>,
    pub(super) applications: BTreeMap<u64, Application>,
    pub(super) memberships: Memberships,
    /// Holdings of users from projects on servers of 0.15, by user, project and resource.
    pub(super) grants: HashMap<(String, String, String), i64>,
    pub(super) oauth2: OAuth2,
    /// Message and data of each feedback.
    pub(super) feedback: Vec<(String, String)>,
}

impl State {
    /// Whether holders have no prefix, and the only source is `system`.
    pub(super) fn is_bare(&self) -> bool {
        self.dialect < Dialect::V016
    }

    /// The id of a project in documents: a number on servers of 0.15.
    pub(super) fn id_json(&self, id: &str) -> Value {
        match (self.dialect, id.parse::<u64>()) {
            (Dialect::V015, Ok(number)) => number.into(),
            _ => id.into(),
        }
    }

    pub(super) fn is_admin(&self, uuid: &str) -> bool {
        self.admins.contains(uuid)
    }

    /// Returns the user of a valid token, with the server's order of checks.
    pub(super) fn user_of(&self, token: &str, now: i64) -> Ruled<&User> {
        let user = self
            .users
            .by_token(token)
            .ok_or_else(|| Refusal::unauthorized("no user has this token"))?;
        user.check(now)?;
        Ok(user)
    }

    /// Returns the component of a token.
    pub(super) fn component_of(&self, token: &str, now: i64) -> Ruled<&Component> {
        let token = Secret::from(token);
        let mut components = self.components.iter();
        let component = components
            .find(|component| component.token == token)
            .ok_or_else(|| Refusal::unauthorized("no component has this token"))?;
        if component.token_expires.is_some_and(|end| end <= now) {
            return Err(Refusal::unauthorized("the token has expired"));
        }
        Ok(component)
    }

    /// The names of the resources of a component.
    pub(super) fn resources_of(&self, component: &Component) -> BTreeSet<&str> {
        let resources = self.resources.iter();
        resources
            .filter(|(_, resource)| component.services.contains(&resource.service))
            .map(|(name, _)| name.as_str())
            .collect()
    }

    /// The document of resources.
    pub(super) fn resource_list(&self) -> Value {
        let resources = self.resources.iter();
        let resources = resources.filter(|(_, resource)| match self.dialect {
            Dialect::V014 => true,
            _ => resource.api_visible,
        });
        let told = resources.map(|(name, resource)| {
            let mut fields = json!({
                "service": resource.service,
                "description": resource.description,
                "unit": resource.unit,
            });
            match self.dialect {
                Dialect::V014 => fields["allow_in_projects"] = resource.api_visible.into(),
                _ => {
                    fields["ui_visible"] = resource.ui_visible.into();
                    fields["api_visible"] = resource.api_visible.into();
                }
            }
            (name.clone(), fields)
        });
        Value::Object(told.collect())
    }
}

/// A user.
#[derive(Clone, Debug)]
pub(super) struct User {
    /// The number that 0.14 returns.
    pub(super) id: u64,
    pub(super) uuid: String,
    /// Lower-case.
    pub(super) username: String,
    pub(super) email: String,
    pub(super) name: String,
    pub(super) token: Secret,
    pub(super) token_created: i64,
    pub(super) token_expires: Option<i64>,
    pub(super) active: bool,
    pub(super) email_verified: bool,
    /// Accepted by the operators.
    pub(super) moderated: bool,
    pub(super) signed_terms: bool,
    /// Id and name of each.
    pub(super) groups: Vec<(String, String)>,
    pub(super) default_project: Option<String>,
}

impl User {
    /// Whether the user may do anything.
    pub(super) fn check(&self, now: i64) -> Ruled<()> {
        let refused = if !self.active {
            "the user is not active"
        } else if self.token_expires.is_some_and(|end| end <= now) {
            "the token has expired"
        } else if !self.signed_terms {
            "the terms are not signed"
        } else {
            return Ok(());
        };
        Err(Refusal::unauthorized(refused))
    }

    /// The project that new resources are charged to.
    pub(super) fn default_project(&self) -> &str {
        self.default_project.as_deref().unwrap_or(&self.uuid)
    }
}

/// All users, found by each of their names.
#[derive(Clone, Default)]
pub(super) struct Users {
    by_uuid: BTreeMap<String, User>,
    by_token: HashMap<String, String>,
    by_username: HashMap<String, String>,
}

impl Users {
    pub(super) fn insert(&mut self, mut user: User) {
        user.username = user.username.to_lowercase();
        let uuid = user.uuid.clone();
        self.by_token
            .insert(user.token.expose().to_owned(), uuid.clone());
        self.by_username.insert(user.username.clone(), uuid.clone());
        self.by_uuid.insert(uuid, user);
    }

    pub(super) fn get(&self, uuid: &str) -> Option<&User> {
        self.by_uuid.get(uuid)
    }

    pub(super) fn get_mut(&mut self, uuid: &str) -> Option<&mut User> {
        self.by_uuid.get_mut(uuid)
    }

    pub(super) fn by_token(&self, token: &str) -> Option<&User> {
        self.get(self.by_token.get(token)?)
    }

    /// Finds a user by name, whatever its case.
    pub(super) fn by_username(&self, username: &str) -> Option<&User> {
        self.get(self.by_username.get(&username.to_lowercase())?)
    }

    pub(super) fn by_email(&self, email: &str) -> Option<&User> {
        let mut users = self.by_uuid.values();
        users.find(|user| user.email == email)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &User> {
        self.by_uuid.values()
    }

    pub(super) fn len(&self) -> usize {
        self.by_uuid.len()
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The tokens are keys of the maps.
        f.debug_list().entries(self.by_uuid.values()).finish()
    }
}

/// A registered component.
#[derive(Clone, Debug)]
pub(super) struct Component {
    pub(super) name: String,
    pub(super) token: Secret,
    pub(super) token_expires: Option<i64>,
    pub(super) services: BTreeSet<String>,
    /// Its entry in the document of services.
    pub(super) shown: Value,
}

/// A resource.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub(super) service: String,
    pub(super) description: String,
    pub(super) unit: Option<String>,
    pub(super) ui_visible: bool,
    pub(super) api_visible: bool,
    /// The capacity of a project whose specification does not name it.
    pub(super) project_default: i64,
    /// The default of a user.
    pub(super) system_default: i64,
}

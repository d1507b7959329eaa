//! Builds the initial state of a server from a seed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Value, json};

use super::commissions::{Commissions, Habits};
use super::dates;
use super::model::{
    Application, ApplicationState, Capacity, MembershipState, Memberships, Policy, Project,
    ProjectState, Spec,
};
use super::oauth2::{AccessToken, Code, OAuth2, OAuth2Client};
use super::quota::{Holding, Holdings};
use super::routes::Routes;
use super::seed::{
    ComponentSeed, GroupSeed, HoldingSeed, OAuth2Seed, ProjectSeed, ResourceSeed, Seed, UserSeed,
};
use super::state::{Component, Resource, State, User, Users};
use crate::Dialect;

impl Seed {
    /// Builds the state of a server.
    pub(super) fn state(
        &self,
        dialect: Dialect,
        habits: Habits,
        now: i64,
    ) -> Result<State, String> {
        let settings = &self.settings;
        let base = settings.base_path.as_deref().unwrap_or("/astakos");
        let base = base.trim_end_matches('/').to_owned();
        if !base.is_empty() && !base.starts_with('/') {
            return Err("the base path does not begin with a slash".to_owned());
        }
        let mut state = State {
            dialect,
            routes: Arc::new(Routes::of(dialect)),
            admins: settings.project_admins.clone(),
            users: Users::default(),
            components: self
                .components
                .iter()
                .map(ComponentSeed::read)
                .collect::<Result<_, _>>()?,
            resources: self.resources.iter().map(ResourceSeed::read).collect(),
            catalog: self.service_catalog.clone(),
            oauth2: self
                .oauth2
                .read(settings.token_lifetime_seconds_oauth2.unwrap_or(20))?,
            base,
            holdings: Holdings::default(),
            commissions: Commissions::new(habits),
            projects: BTreeMap::new(),
            applications: BTreeMap::new(),
            memberships: Memberships::default(),
            grants: HashMap::new(),
            feedback: Vec::new(),
        };
        if state.catalog.is_empty() {
            state.catalog = own_catalog(&state.base);
        }
        if dialect == Dialect::V014 {
            for service in &mut state.catalog {
                without_exposure(service);
            }
        }
        for user in &self.users {
            let read = user.read(state.users.len() as u64 + 1, now)?;
            if user.project_admin {
                state.admins.insert(read.uuid.clone());
            }
            state.users.insert(read);
        }
        for project in &self.projects {
            if dialect == Dialect::V015 && project.system_project {
                continue;
            }
            project.put(&mut state, now)?;
        }
        if dialect == Dialect::V016 {
            complete(&mut state, now);
        }
        match &self.holdings {
            Some(holdings) => {
                if dialect == Dialect::V015 {
                    // These limits already include what follows from projects.
                    derive(&mut state);
                    state.holdings = Holdings::default();
                }
                for holding in holdings {
                    holding.put(&mut state)?;
                }
            }
            None => derive(&mut state),
        }
        Ok(state)
    }
}

impl State {
    /// Adds a user with everything that follows.
    pub(super) fn add_user(&mut self, user: &UserSeed, now: i64) -> Result<(), String> {
        let read = user.read(self.users.len() as u64 + 1, now)?;
        let uuid = read.uuid.clone();
        if user.project_admin {
            self.admins.insert(uuid.clone());
        }
        self.users.insert(read);
        if self.dialect == Dialect::V016 {
            complete(self, now);
            self.sync_limits(&uuid);
        } else {
            for (name, resource) in &self.resources {
                let key = (uuid.as_str(), Some("system"), name.as_str());
                self.holdings.limit(key, resource.system_default);
            }
        }
        Ok(())
    }
}

/// Removes from a service's endpoints what servers of 0.14 do not return.
fn without_exposure(service: &mut Value) {
    let endpoints = service["endpoints"].as_array_mut().into_iter().flatten();
    for endpoint in endpoints.filter_map(Value::as_object_mut) {
        endpoint.remove("SNF:exposeVersion");
    }
}

/// Gives system projects to accepted users without one.
fn complete(state: &mut State, now: i64) {
    let users = state.users.all();
    let users = users.filter(|user| user.moderated && !state.projects.contains_key(&user.uuid));
    let projects: Vec<Project> = users
        .map(|user| state.system_project(&user.uuid, &user.username, now))
        .collect();
    for project in projects {
        let uuid = project.uuid.clone();
        let accepted = MembershipState::Accepted;
        state.memberships.put(&uuid, &uuid, accepted, now);
        state.projects.insert(uuid, project);
    }
}

/// Creates the holdings that follow from projects; 0.14 has only those of users themselves.
fn derive(state: &mut State) {
    if state.is_bare() {
        let users = state.users.all().filter(|user| user.moderated);
        for user in users {
            for (name, resource) in &state.resources {
                let key = (user.uuid.as_str(), Some("system"), name.as_str());
                state.holdings.limit(key, resource.system_default);
            }
        }
    }
    let projects: Vec<String> = state.projects.keys().cloned().collect();
    for project in projects {
        state.sync_limits(&project);
    }
}

impl UserSeed {
    fn read(&self, id: u64, now: i64) -> Result<User, String> {
        let created = self.token_created.as_deref().map(date).transpose()?;
        let group = |group: &GroupSeed| {
            let id = group.id.as_str().map(str::to_owned);
            (
                id.unwrap_or_else(|| group.id.to_string()),
                group.name.clone(),
            )
        };
        Ok(User {
            id,
            uuid: self.uuid.clone(),
            username: self.username.clone(),
            email: self.email.clone().unwrap_or_else(|| self.username.clone()),
            name: self.name.clone(),
            token: self.token.clone(),
            token_created: created.unwrap_or(now),
            token_expires: self.token_expires.as_deref().map(date).transpose()?,
            active: self.active,
            email_verified: self.email_verified,
            moderated: self.moderated,
            signed_terms: self.signed_terms,
            groups: self.groups.iter().map(group).collect(),
            default_project: self.default_project.clone(),
        })
    }
}

impl ComponentSeed {
    fn read(&self) -> Result<Component, String> {
        // The presentation of the components that the service knows by name, unless the seed says
        // otherwise.
        let (order, dashboard, in_cloudbar) = match self.name.as_str() {
            "astakos" => (1, 3, false),
            "pithos" => (2, 1, true),
            "cyclades" => (3, 2, true),
            _ => (1000, 1000, true),
        };
        let verbose_name = self.verbose_name.clone().unwrap_or_else(|| {
            let mut letters = self.name.chars();
            let first = letters.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(letters).collect()
        });
        let cloudbar = || json!({"show": in_cloudbar, "title": self.name});
        let dashboard = || {
            json!({
                "show": true,
                "order": dashboard,
                "description": format!("about {}", self.name),
            })
        };
        Ok(Component {
            name: self.name.clone(),
            token: self.token.clone(),
            token_expires: self.token_expires.as_deref().map(date).transpose()?,
            services: self.services.clone(),
            shown: json!({
                "name": self.name,
                "url": self.ui_url,
                "verbose_name": verbose_name,
                "order": self.order.unwrap_or(order),
                "cloudbar": self.cloudbar.clone().unwrap_or_else(cloudbar),
                "dashboard": self.dashboard.clone().unwrap_or_else(dashboard),
            }),
        })
    }
}

impl ResourceSeed {
    fn read(&self) -> (String, Resource) {
        let resource = Resource {
            service: self.service.clone(),
            description: self.description.clone(),
            unit: self.unit.clone(),
            ui_visible: self.ui_visible,
            api_visible: self.api_visible,
            project_default: self.project_default,
            system_default: self.system_project_default,
        };
        (self.name.clone(), resource)
    }
}

impl ProjectSeed {
    fn put(&self, state: &mut State, now: i64) -> Result<(), String> {
        let id = match state.dialect {
            Dialect::V015 => (state.projects.len() + 1).to_string(),
            _ => self.uuid.clone(),
        };
        let of_state = self.state.as_deref().unwrap_or("active");
        let of_state = ProjectState::parse(of_state)
            .ok_or_else(|| format!("no project state is called {of_state:?}"))?;
        let resources = self.resources.iter().map(|(name, capacity)| {
            let capacity = Capacity {
                member: capacity.member_capacity,
                project: capacity.project_capacity,
            };
            (name.clone(), capacity)
        });
        let end_date = self.end_date.as_deref().map(date).transpose()?;
        let mut project = Project {
            state: of_state,
            created: match &self.creation_date {
                Some(text) => date(text)?,
                None => now,
            },
            deactivated: self.deactivation_date.as_deref().map(date).transpose()?,
            name: self.name.clone(),
            owner: self.owner.clone(),
            homepage: self.homepage.clone(),
            join_policy: policy(self.join_policy.as_deref(), Policy::Moderated)?,
            leave_policy: policy(self.leave_policy.as_deref(), Policy::Auto)?,
            max_members: self.max_members.unwrap_or(i64::MAX),
            private: self.private,
            is_system: self.system_project,
            resources: resources.collect(),
            ..state.system_project(&id, &self.name, now)
        };
        project.end_date = end_date.unwrap_or(project.end_date);
        match &self.description {
            Some(description) => project.description.clone_from(description),
            None if self.system_project => {}
            None => project.description.clear(),
        }
        if !project.is_system {
            project.last_application = Some(self.apply(state, &project)?);
        }
        for member in &self.members {
            let of_member = MembershipState::parse(&member.state)
                .ok_or_else(|| format!("no membership state is called {:?}", member.state))?;
            let memberships = &mut state.memberships;
            memberships.put(&member.user, &id, of_member, now);
        }
        state.projects.insert(id, project);
        Ok(())
    }

    /// Adds the application that the project came from.
    fn apply(&self, state: &mut State, project: &Project) -> Result<u64, String> {
        let id = state.applications.len() as u64 + 1;
        let seed = &self.application;
        let default = match project.state {
            ProjectState::Uninitialized => "pending",
            ProjectState::Deleted => "cancelled",
            _ => "approved",
        };
        let of_state = seed.state.as_deref().unwrap_or(default);
        let of_state = ApplicationState::parse(of_state)
            .ok_or_else(|| format!("no application state is called {of_state:?}"))?;
        let is_visible = |name: &str| {
            let resource = state.resources.get(name);
            resource.is_some_and(|resource| resource.api_visible)
        };
        let resources = project.resources.iter();
        let resources = resources.filter(|(name, capacity)| {
            // A resource at its default was not in the application.
            is_visible(name) && capacity.project > 0
        });
        let spec = Spec {
            name: Some(project.name.clone()),
            owner: project.owner.clone(),
            homepage: Some(project.homepage.clone()),
            description: Some(project.description.clone()),
            comments: Some(seed.comments.clone()),
            start_date: None,
            end_date: Some(project.end_date),
            join_policy: Some(project.join_policy),
            leave_policy: Some(project.leave_policy),
            max_members: Some(project.max_members),
            private: Some(project.private),
            resources: resources
                .map(|(name, capacity)| (name.clone(), *capacity))
                .collect(),
        };
        let applicant = seed.applicant.clone().or_else(|| project.owner.clone());
        let application = Application {
            id,
            project: project.uuid.clone(),
            state: of_state,
            applicant: applicant.unwrap_or_default(),
            spec,
        };
        state.applications.insert(id, application);
        Ok(id)
    }
}

impl HoldingSeed {
    fn put(&self, state: &mut State) -> Result<(), String> {
        if self.usage_min > self.usage_max || self.usage_min < 0 {
            return Err(format!("a holding of {} has no such usage", self.resource));
        }
        let holding = Holding {
            limit: self.limit,
            usage_min: self.usage_min,
            usage_max: self.usage_max,
        };
        let mut key = (
            self.holder.as_str(),
            self.source.as_deref(),
            self.resource.as_str(),
        );
        if state.is_bare() && self.holder.contains(':') {
            // Servers before 0.16 know only a user's holdings from the system project.
            let user = self.holder.strip_prefix("user:");
            let project = self
                .source
                .as_deref()
                .and_then(|s| s.strip_prefix("project:"));
            let Some(user) = user.filter(|user| project == Some(*user)) else {
                return Ok(());
            };
            key = (user, Some("system"), &self.resource);
        }
        state.holdings.put(key, holding);
        Ok(())
    }
}

impl OAuth2Seed {
    fn read(&self, lifetime: i64) -> Result<OAuth2, String> {
        let clients = self.clients.iter().map(|client| OAuth2Client {
            id: client.id.clone(),
            secret: client.secret.clone(),
            redirect_uris: client.redirect_uris.clone(),
            is_confidential: client.kind.as_deref() != Some("public"),
        });
        let codes = self.codes.iter().map(|code| Code {
            code: code.code.clone(),
            client: code.client.clone(),
            redirect_uri: code.redirect_uri.clone(),
            scope: code.scope.clone(),
            user: code.user.clone(),
        });
        let tokens = self.tokens.iter().map(|token| {
            Ok(AccessToken {
                token: token.token.clone(),
                scope: token.scope.clone(),
                user: token.user.clone(),
                expires: date(&token.expires_at)?,
            })
        });
        Ok(OAuth2 {
            clients: clients.collect(),
            codes: codes.collect(),
            tokens: tokens.collect::<Result<_, String>>()?,
            lifetime,
            traded: 0,
        })
    }
}

/// The service's own services, for a seed without a catalog.
fn own_catalog(base: &str) -> Vec<Value> {
    let root = format!("https://accounts.example.org{base}");
    let ui = format!("{root}/ui");
    [
        ("astakos_account", "account", "v1.0", "/account/v1.0"),
        ("astakos_identity", "identity", "v2.0", "/identity/v2.0"),
        ("astakos_oauth2", "astakos_auth", "", "/oauth2"),
    ]
    .map(|(name, kind, version, path)| {
        json!({
            "name": name,
            "type": kind,
            "endpoints_links": [],
            "endpoints": [{
                "region": "default",
                "versionId": version,
                "publicURL": format!("{root}{path}"),
                "SNF:uiURL": ui,
                "SNF:exposeVersion": "True",
            }],
        })
    })
    .to_vec()
}

fn policy(text: Option<&str>, default: Policy) -> Result<Policy, String> {
    match text {
        None => Ok(default),
        Some(text) => Policy::parse(text).ok_or_else(|| format!("no policy is called {text:?}")),
    }
}

fn date(text: &str) -> Result<i64, String> {
    dates::read(text).ok_or_else(|| format!("{text:?} is no time with an offset"))
}

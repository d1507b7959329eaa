//! Projects: who sees them, what operators do with them, and the limits that follow (protocol
//! section 9).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::dates;
use super::refusal::{Refusal, Ruled};
use super::specs::{Capacity, Policy, Spec};
use super::state::State;
use crate::Dialect;

/// Where a project stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProjectState {
    Uninitialized,
    Active,
    Suspended,
    Terminated,
    Deleted,
}

impl ProjectState {
    const ALL: [Self; 5] = [
        Self::Uninitialized,
        Self::Active,
        Self::Suspended,
        Self::Terminated,
        Self::Deleted,
    ];

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == text)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Uninitialized => "uninitialized",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Terminated => "terminated",
            Self::Deleted => "deleted",
        }
    }

    pub(super) fn is_alive(self) -> bool {
        matches!(self, Self::Active | Self::Suspended)
    }

    /// Whether it was approved once, so that there are holdings of it.
    pub(super) fn is_initialized(self) -> bool {
        !matches!(self, Self::Uninitialized | Self::Deleted)
    }
}

/// What operators do with a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProjectAction {
    Suspend,
    Unsuspend,
    Terminate,
    Reinstate,
}

impl ProjectAction {
    pub(super) const ALL: [(&'static str, Self); 4] = [
        ("suspend", Self::Suspend),
        ("unsuspend", Self::Unsuspend),
        ("terminate", Self::Terminate),
        ("reinstate", Self::Reinstate),
    ];
}

/// A project.
#[derive(Clone, Debug)]
pub(super) struct Project {
    pub(super) uuid: String,
    pub(super) state: ProjectState,
    pub(super) created: i64,
    /// The last time it was suspended or terminated.
    pub(super) deactivated: Option<i64>,
    pub(super) name: String,
    pub(super) owner: Option<String>,
    pub(super) homepage: String,
    pub(super) description: String,
    pub(super) end_date: i64,
    pub(super) join_policy: Policy,
    pub(super) leave_policy: Policy,
    pub(super) max_members: i64,
    pub(super) private: bool,
    pub(super) is_system: bool,
    pub(super) resources: BTreeMap<String, Capacity>,
    pub(super) last_application: Option<u64>,
}

impl Project {
    /// The project of a user alone, as it comes with each accepted user.
    pub(super) fn system(state: &State, uuid: &str, username: &str, now: i64) -> Self {
        let resources = state.resources.iter().map(|(name, resource)| {
            let both = resource.system_default;
            let capacity = Capacity {
                member: both,
                project: both,
            };
            (name.clone(), capacity)
        });
        Self {
            uuid: uuid.to_owned(),
            state: ProjectState::Active,
            created: now,
            deactivated: None,
            name: format!("system:{uuid}"),
            owner: None,
            homepage: String::new(),
            description: format!("system project for user {username}"),
            end_date: now.saturating_add(CENTURY),
            join_policy: Policy::Closed,
            leave_policy: Policy::Closed,
            max_members: 1,
            private: true,
            is_system: true,
            resources: resources.collect(),
            last_application: None,
        }
    }

    /// A project that somebody has applied for.
    pub(super) fn applied(uuid: String, spec: &Spec, now: i64) -> Self {
        let mut project = Self {
            uuid,
            state: ProjectState::Uninitialized,
            created: now,
            deactivated: None,
            name: String::new(),
            owner: None,
            homepage: String::new(),
            description: String::new(),
            end_date: now,
            join_policy: Policy::Moderated,
            leave_policy: Policy::Auto,
            max_members: i64::MAX,
            private: false,
            is_system: false,
            resources: BTreeMap::new(),
            last_application: None,
        };
        project.apply(spec);
        project
    }

    /// Takes over what a specification says.
    pub(super) fn apply(&mut self, spec: &Spec) {
        let spec = spec.clone();
        if let Some(name) = spec.name {
            self.name = name;
        }
        if spec.owner.is_some() {
            self.owner = spec.owner;
        }
        if let Some(homepage) = spec.homepage {
            self.homepage = homepage;
        }
        if let Some(description) = spec.description {
            self.description = description;
        }
        self.end_date = spec.end_date.unwrap_or(self.end_date);
        self.join_policy = spec.join_policy.unwrap_or(self.join_policy);
        self.leave_policy = spec.leave_policy.unwrap_or(self.leave_policy);
        self.max_members = spec.max_members.unwrap_or(self.max_members);
        self.private = spec.private.unwrap_or(self.private);
        self.resources.extend(spec.resources);
    }

    pub(super) fn is_owned_by(&self, uuid: &str) -> bool {
        self.owner.as_deref() == Some(uuid)
    }
}

/// Which projects a user asks for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Filter<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) owner: Option<&'a str>,
    pub(super) state: Option<&'a str>,
    pub(super) mode: Option<&'a str>,
}

impl State {
    pub(super) fn project(&self, uuid: &str) -> Ruled<&Project> {
        let project = self.projects.get(uuid);
        project.ok_or_else(|| Refusal::not_found(format!("there is no project {uuid}")))
    }

    /// Whether a user may read a project.
    pub(super) fn sees(&self, user: &str, project: &Project) -> bool {
        self.is_admin(user)
            || project.is_owned_by(user)
            || (project.state == ProjectState::Active && !project.private)
            || self.memberships.has_any_accepted(user, &project.uuid)
    }

    pub(super) fn read_project(&self, user: &str, uuid: &str) -> Ruled<Value> {
        let project = self.project(uuid)?;
        if !self.sees(user, project) {
            return Err(Refusal::forbidden());
        }
        Ok(self.project_json(project, user))
    }

    pub(super) fn list_projects(&self, user: &str, filter: Filter<'_>) -> Ruled<Value> {
        let wanted = match filter.state {
            None => None,
            Some(text) => match ProjectState::parse(text) {
                Some(state) => Some(state),
                None => return Err(Refusal::bad(format!("no state is called {text}"))),
            },
        };
        let is_admin = self.is_admin(user);
        let is_related = |project: &Project| {
            project.is_owned_by(user) || self.memberships.has_any_accepted(user, &project.uuid)
        };
        let in_mode: &dyn Fn(&Project) -> bool = match filter.mode.unwrap_or("default") {
            "default" | "related" => &|project| is_admin || is_related(project),
            "member" => &|project| {
                project.state == ProjectState::Active
                    && self.memberships.is_member(user, &project.uuid)
            },
            "active" => {
                &|project| is_admin || (project.state == ProjectState::Active && !project.private)
            }
            other => return Err(Refusal::bad(format!("no mode is called {other}"))),
        };
        let projects = self.projects.values().filter(|project| {
            in_mode(project)
                && wanted.is_none_or(|state| project.state == state)
                && filter.name.is_none_or(|name| project.name == name)
                && filter.owner.is_none_or(|owner| project.is_owned_by(owner))
        });
        Ok(projects
            .map(|project| self.project_json(project, user))
            .collect())
    }

    fn project_json(&self, project: &Project, user: &str) -> Value {
        let is_visible = |name: &String| {
            let resource = self.resources.get(name);
            resource.is_some_and(|resource| resource.api_visible)
        };
        let mut told = json!({
            "id": project.uuid,
            "state": project.state.name(),
            "creation_date": dates::shown(project.created),
            "name": project.name,
            "owner": project.owner,
            "homepage": project.homepage,
            "description": project.description,
            "end_date": dates::shown(project.end_date),
            "join_policy": project.join_policy.name(),
            "leave_policy": project.leave_policy.name(),
            "max_members": project.max_members,
            "private": project.private,
            "system_project": project.is_system,
            "resources": resources_json(&project.resources, is_visible),
        });
        if self.is_admin(user) || project.is_owned_by(user) {
            let application = project.last_application;
            let application = application.and_then(|id| self.applications.get(&id));
            if let Some(application) = application {
                told["last_application"] = application.to_json();
            }
            if let Some(at) = project.deactivated {
                told["deactivation_date"] = dates::shown(at).into();
            }
        }
        told
    }

    /// Does what only operators do.
    pub(super) fn act_on_project(
        &mut self,
        user: &str,
        uuid: &str,
        action: ProjectAction,
        now: i64,
    ) -> Ruled<()> {
        let project = self.project(uuid)?;
        if !self.is_admin(user) {
            return Err(Refusal::forbidden());
        }
        let state = project.state;
        let is_possible = match action {
            ProjectAction::Suspend => state.is_alive() && state != ProjectState::Suspended,
            ProjectAction::Unsuspend => state == ProjectState::Suspended,
            ProjectAction::Terminate => state.is_alive() && !project.is_system,
            ProjectAction::Reinstate => {
                state == ProjectState::Terminated && self.is_name_free(project, &project.name)
            }
        };
        if !is_possible {
            let why = format!("not possible with a project that is {}", state.name());
            return Err(Refusal::conflict(why));
        }
        let Some(project) = self.projects.get_mut(uuid) else {
            return Ok(());
        };
        project.state = match action {
            ProjectAction::Suspend => ProjectState::Suspended,
            ProjectAction::Terminate => ProjectState::Terminated,
            ProjectAction::Unsuspend | ProjectAction::Reinstate => ProjectState::Active,
        };
        if project.state != ProjectState::Active {
            project.deactivated = Some(now);
        }
        self.sync_limits(uuid);
        Ok(())
    }

    /// Whether no other live project has a name.
    pub(super) fn is_name_free(&self, project: &Project, name: &str) -> bool {
        let mut others = self.projects.values();
        !others
            .any(|other| other.uuid != project.uuid && other.state.is_alive() && other.name == name)
    }

    /// Lets the limits of all holdings of a project follow its state and its members. Usage stays.
    pub(super) fn sync_limits(&mut self, uuid: &str) {
        let Some(project) = self.projects.get(uuid) else {
            return;
        };
        if self.dialect == Dialect::V014 || !project.state.is_initialized() {
            return;
        }
        let is_active = project.state == ProjectState::Active;
        if self.dialect == Dialect::V015 {
            let members = self.memberships.of_project(uuid);
            let members = members.map(|m| (m.user.clone(), is_active && m.state.is_member()));
            let members: Vec<_> = members.collect();
            for (name, capacity) in &project.resources {
                for (user, counts) in &members {
                    let granted = if *counts { capacity.member } else { 0 };
                    let key = (user.clone(), uuid.to_owned(), name.clone());
                    let before = self.grants.insert(key, granted).unwrap_or_default();
                    let held = self.holdings.get(user, Some("system"), name);
                    let limit = held.unwrap_or_default().limit;
                    if limit < i64::MAX {
                        let limit = limit.saturating_sub(before).saturating_add(granted);
                        self.holdings.limit((user, Some("system"), name), limit);
                    }
                }
            }
            return;
        }
        let holder = format!("project:{uuid}");
        let members = self.memberships.of_project(uuid);
        let members = members.filter(|member| member.was_ever_accepted());
        let members: Vec<_> = members
            .map(|member| {
                let counts = is_active && member.state.is_member();
                (format!("user:{}", member.user), counts)
            })
            .collect();
        for (name, capacity) in &project.resources {
            let limit = if is_active { capacity.project } else { 0 };
            self.holdings.limit((&holder, None, name), limit);
            for (member, counts) in &members {
                let limit = if *counts { capacity.member } else { 0 };
                self.holdings.limit((member, Some(&holder), name), limit);
            }
        }
    }
}

/// Shows capacities; of those that `is_shown` says yes to.
pub(super) fn resources_json(
    resources: &BTreeMap<String, Capacity>,
    is_shown: impl Fn(&String) -> bool,
) -> Value {
    let shown = resources.iter().filter(|(name, _)| is_shown(name));
    let shown = shown.map(|(name, capacity)| {
        let both = json!({
            "member_capacity": capacity.member,
            "project_capacity": capacity.project,
        });
        (name.clone(), both)
    });
    Value::Object(shown.collect::<Map<_, _>>())
}

/// In microseconds.
const CENTURY: i64 = 36_525 * 86_400 * 1_000_000;

//! Projects: their visibility, the actions of operators, and the resulting limits (protocol section
//! 9).

use serde_json::{Value, json};

use super::dates;
use super::model::{Capacity, Policy, Project, ProjectAction, ProjectState, resources_json};
use super::refusal::{Refusal, Ruled};
use super::state::State;
use crate::Dialect;

/// The projects that a user asks for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Filter<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) owner: Option<&'a str>,
    pub(super) state: Option<&'a str>,
    pub(super) mode: Option<&'a str>,
}

impl State {
    /// Returns the system project of a user, which each accepted user has.
    pub(super) fn system_project(&self, uuid: &str, username: &str, now: i64) -> Project {
        let resources = self.resources.iter().map(|(name, resource)| {
            let both = resource.system_default;
            let capacity = Capacity {
                member: both,
                project: both,
            };
            (name.clone(), capacity)
        });
        Project {
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

    /// An action that only operators may do.
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

    /// Whether a name is not used by another live project.
    pub(super) fn is_name_free(&self, project: &Project, name: &str) -> bool {
        let mut others = self.projects.values();
        !others
            .any(|other| other.uuid != project.uuid && other.state.is_alive() && other.name == name)
    }

    /// Updates the limits of all holdings of a project by its state and its members. Usage stays.
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

/// In microseconds.
const CENTURY: i64 = 36_525 * 86_400 * 1_000_000;

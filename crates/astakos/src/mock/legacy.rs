//! What only servers of 0.15 have: projects with numbers as ids, applications apart from them, and
//! filters in the body of a GET (protocol sections 2 and 7.9).

use serde_json::{Map, Value, json};

use super::dates;
use super::model::{
    Application, ApplicationAction, ApplicationState, Policy, Project, ProjectState, Spec,
    resources_json,
};
use super::refusal::{Refusal, Ruled};
use super::state::State;

/// The states of a project, which combine its own with that of its application.
const STATES: [&str; 7] = [
    "pending",
    "active",
    "denied",
    "dismissed",
    "cancelled",
    "suspended",
    "terminated",
];

impl State {
    /// The projects that a user may see, filtered by the object in `filter`.
    pub(super) fn list_legacy_projects(&self, user: &str, body: &Value) -> Ruled<Value> {
        let filter = match object(body)?.get("filter") {
            None => &Map::new(),
            Some(filter) => filter.as_object().ok_or(Refusal::Crash)?,
        };
        for (name, wanted) in filter {
            match name.as_str() {
                "name" | "owner" => {}
                "state" => {
                    let mut words = one_or_many(wanted);
                    if !words.all(|word| STATES.iter().any(|state| *word == **state)) {
                        return Err(Refusal::bad(format!("Unrecognized state {wanted}")));
                    }
                }
                other => return Err(Refusal::bad(format!("Unrecognized filter {other}"))),
            }
        }
        let is_wanted = |project: &Project| {
            filter.iter().all(|(name, wanted)| {
                let value: Value = match name.as_str() {
                    "name" => project.name.as_str().into(),
                    "owner" => project.owner.clone().into(),
                    _ => self.legacy_state(project).into(),
                };
                one_or_many(wanted).any(|wanted| *wanted == value)
            })
        };
        let projects = self.projects.values();
        let projects = projects.filter(|project| self.sees(user, project) && is_wanted(project));
        Ok(projects
            .map(|project| self.legacy_project_json(project, user))
            .collect())
    }

    pub(super) fn read_legacy_project(&self, user: &str, id: &str) -> Ruled<Value> {
        let project = self.project(id)?;
        if !self.sees(user, project) {
            return Err(Refusal::forbidden());
        }
        Ok(self.legacy_project_json(project, user))
    }

    /// The applications that a user may see.
    pub(super) fn list_legacy_applications(&self, user: &str, body: &Value) -> Ruled<Value> {
        let wanted = match object(body)?.get("filter") {
            None => None,
            Some(filter) => filter.as_object().ok_or(Refusal::Crash)?.get("project"),
        };
        if wanted.is_some_and(|id| !id.is_u64()) {
            return Err(Refusal::bad("project should be a number"));
        }
        let applications = self.applications.values().filter(|application| {
            self.sees_application(user, application)
                && wanted.is_none_or(|id| *id == self.id_json(&application.project))
        });
        Ok(applications
            .map(|application| self.legacy_application_json(application))
            .collect())
    }

    pub(super) fn read_legacy_application(&self, user: &str, id: u64) -> Ruled<Value> {
        let application = self.application(id)?;
        if !self.sees_application(user, application) {
            return Err(Refusal::forbidden());
        }
        Ok(self.legacy_application_json(application))
    }

    pub(super) fn act_on_legacy_application(
        &mut self,
        user: &str,
        id: u64,
        action: ApplicationAction,
        now: i64,
    ) -> Ruled<()> {
        let project = self.application(id)?.project.clone();
        self.act_on_application(user, &project, id, action, now)
    }

    fn sees_application(&self, user: &str, application: &Application) -> bool {
        self.is_admin(user)
            || application.applicant == user
            || application.spec.owner.as_deref() == Some(user)
            || self
                .projects
                .get(&application.project)
                .is_some_and(|project| project.is_owned_by(user))
    }

    fn legacy_project_json(&self, project: &Project, user: &str) -> Value {
        let last = project
            .last_application
            .and_then(|id| self.applications.get(&id));
        let pending = last.filter(|application| application.state == ApplicationState::Pending);
        // A project that was not approved yet has the values of its application.
        let of_project = match pending {
            Some(pending) if project.state.is_initialized() => {
                let mut all = self.applications.values();
                all.rfind(|other| other.project == project.uuid && other.id != pending.id)
            }
            _ => last,
        };
        let applicant = of_project.map(|application| application.applicant.as_str());
        let mut told = json!({
            "id": self.id_json(&project.uuid),
            "application": of_project.map(|application| application.id),
            "state": self.legacy_state(project),
            "creation_date": dates::shown(project.created),
            "name": project.name,
            "owner": project.owner,
            "applicant": applicant,
            "homepage": project.homepage,
            "description": project.description,
            "start_date": of_project.and_then(|a| a.spec.start_date).map(dates::shown),
            "end_date": dates::shown(project.end_date),
            "join_policy": project.join_policy.name(),
            "leave_policy": project.leave_policy.name(),
            "max_members": project.max_members,
            "resources": resources_json(&project.resources, |_| true),
        });
        if self.is_admin(user) || project.is_owned_by(user) || applicant == Some(user) {
            told["comments"] = of_project.and_then(|a| a.spec.comments.clone()).into();
            if let Some(pending) = pending {
                told["pending_application"] = pending.id.into();
            }
            if let Some(at) = project.deactivated {
                told["deactivation_date"] = dates::shown(at).into();
            }
        }
        told
    }

    fn legacy_application_json(&self, application: &Application) -> Value {
        let spec: &Spec = &application.spec;
        json!({
            "id": application.id,
            "project": self.id_json(&application.project),
            "state": application.state.name(),
            "comments": spec.comments,
            "name": spec.name,
            "owner": spec.owner,
            "applicant": application.applicant,
            "homepage": spec.homepage,
            "description": spec.description,
            "start_date": spec.start_date.map(dates::shown),
            "end_date": spec.end_date.map(dates::shown),
            "join_policy": spec.join_policy.map(Policy::name),
            "leave_policy": spec.leave_policy.map(Policy::name),
            "max_members": spec.max_members,
            "resources": resources_json(&spec.resources, |_| true),
        })
    }

    fn legacy_state(&self, project: &Project) -> &'static str {
        match project.state {
            ProjectState::Active | ProjectState::Suspended | ProjectState::Terminated => {
                project.state.name()
            }
            ProjectState::Uninitialized | ProjectState::Deleted => {
                let id = project.last_application;
                let application = id.and_then(|id| self.applications.get(&id));
                application.map_or("pending", |application| application.state.name())
            }
        }
    }
}

/// The body of a GET; a missing one is an empty object.
fn object(body: &Value) -> Ruled<&Map<String, Value>> {
    body.as_object().ok_or(Refusal::Crash)
}

fn one_or_many(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(values) => values.iter(),
        value => std::slice::from_ref(value).iter(),
    }
}

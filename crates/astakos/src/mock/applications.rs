//! Applications for projects, and how many may be pending (protocol section 9).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::commissions::Wish;
use super::model::{
    Application, ApplicationAction, ApplicationState, Capacity, Project, ProjectState, Spec,
};
use super::quota::{Provision, summed};
use super::refusal::{Refusal, Ruled};
use super::state::State;
use crate::Dialect;

impl State {
    /// Applies for a new project.
    pub(super) fn apply_for_project(
        &mut self,
        applicant: &str,
        body: &Value,
        now: i64,
    ) -> Ruled<Value> {
        let spec = self.spec_of_new(body, applicant, now)?;
        self.charge_pending(Some(applicant), None, now)?;
        let uuid = self.new_project_id();
        let project = Project::applied(uuid.clone(), &spec, now);
        self.projects.insert(uuid.clone(), project);
        Ok(self.file(uuid, applicant, spec))
    }

    /// Applies for a change of a project. A pending application is replaced.
    pub(super) fn apply_for_change(
        &mut self,
        applicant: &str,
        uuid: &str,
        body: &Value,
        now: i64,
    ) -> Ruled<Value> {
        let spec = self.spec_of_change(body, now)?;
        let project = self.project(uuid)?;
        if !project.state.is_initialized() {
            return Err(Refusal::conflict("the project was never approved"));
        }
        if !self.is_admin(applicant) && !project.is_owned_by(applicant) {
            return Err(Refusal::forbidden());
        }
        let changes_who_it_is = spec.owner.is_some()
            || spec.name.is_some()
            || spec.homepage.is_some()
            || spec.description.is_some();
        if project.is_system && changes_who_it_is {
            return Err(Refusal::conflict(
                "a system project keeps its owner, name, homepage and description",
            ));
        }
        let replaced = project
            .last_application
            .filter(|id| self.is_in(*id, ApplicationState::Pending));
        let of_replaced = replaced.and_then(|id| self.applications.get(&id));
        let of_replaced = of_replaced.map(|application| application.applicant.clone());
        self.charge_pending(Some(applicant), of_replaced.as_deref(), now)?;
        if let Some(id) = replaced {
            self.put_in(id, ApplicationState::Replaced);
        }
        Ok(self.file(uuid.to_owned(), applicant, spec))
    }

    /// Decides about an application, or withdraws it.
    pub(super) fn act_on_application(
        &mut self,
        user: &str,
        uuid: &str,
        id: u64,
        action: ApplicationAction,
        now: i64,
    ) -> Ruled<()> {
        let application = self.application(id)?;
        let project = self.projects.get(uuid);
        let project = project.filter(|project| project.last_application == Some(id));
        let Some(project) = project else {
            return Err(Refusal::conflict("not the project's last application"));
        };
        let is_own = application.applicant == user
            && matches!(
                action,
                ApplicationAction::Dismiss | ApplicationAction::Cancel
            );
        if !self.is_admin(user) && !is_own {
            return Err(Refusal::forbidden());
        }
        let needed = match action {
            ApplicationAction::Dismiss => ApplicationState::Denied,
            _ => ApplicationState::Pending,
        };
        if application.state != needed {
            let why = format!("the application is {}", application.state.name());
            return Err(Refusal::conflict(why));
        }
        if action == ApplicationAction::Approve {
            let name = application.spec.name.as_ref().unwrap_or(&project.name);
            if !self.is_name_free(project, name) {
                return Err(Refusal::conflict("another project has that name"));
            }
        }
        let applicant = application.applicant.clone();
        let is_new = project.state == ProjectState::Uninitialized;
        if needed == ApplicationState::Pending {
            self.charge_pending(None, Some(&applicant), now)?;
        }
        match action {
            ApplicationAction::Approve => {
                self.put_in(id, ApplicationState::Approved);
                self.grant(uuid, id);
            }
            ApplicationAction::Deny => self.put_in(id, ApplicationState::Denied),
            ApplicationAction::Dismiss | ApplicationAction::Cancel => {
                self.put_in(
                    id,
                    match action {
                        ApplicationAction::Cancel => ApplicationState::Cancelled,
                        _ => ApplicationState::Dismissed,
                    },
                );
                if let Some(project) = self.projects.get_mut(uuid).filter(|_| is_new) {
                    project.state = ProjectState::Deleted;
                }
            }
        }
        Ok(())
    }

    pub(super) fn application(&self, id: u64) -> Ruled<&Application> {
        let application = self.applications.get(&id);
        application.ok_or_else(|| Refusal::not_found(format!("there is no application {id}")))
    }

    /// Gives a project what its application asks for. A new project starts, with the default of
    /// each resource that the application does not name.
    fn grant(&mut self, uuid: &str, id: u64) {
        let (Some(project), Some(application)) =
            (self.projects.get_mut(uuid), self.applications.get(&id))
        else {
            return;
        };
        project.apply(&application.spec);
        let is_new = project.state == ProjectState::Uninitialized;
        if project.state == ProjectState::Uninitialized {
            project.state = ProjectState::Active;
        }
        // Before 0.16 a project has only what its application names.
        if is_new && self.dialect == Dialect::V016 {
            let defaults: BTreeMap<_, _> = self
                .resources
                .iter()
                .filter(|(name, _)| !project.resources.contains_key(*name))
                .map(|(name, resource)| {
                    let both = resource.project_default;
                    let capacity = Capacity {
                        member: both,
                        project: both,
                    };
                    (name.clone(), capacity)
                })
                .collect();
            project.resources.extend(defaults);
        }
        self.sync_limits(uuid);
    }

    /// Counts the start or end of a pending application as a commission of the service itself.
    /// Operators are not limited.
    fn charge_pending(&mut self, begins: Option<&str>, ends: Option<&str>, now: i64) -> Ruled<()> {
        let force = begins.is_some_and(|applicant| self.is_admin(applicant));
        let is_bare = self.is_bare();
        let both = |user: &str, quantity| {
            if is_bare {
                let of_user = Provision::new(user, Some("system"), PENDING_APPLICATIONS, quantity);
                return vec![of_user];
            }
            let project = format!("project:{user}");
            let holder = format!("user:{user}");
            vec![
                Provision::new(&holder, Some(&project), PENDING_APPLICATIONS, quantity),
                Provision::new(&project, None, PENDING_APPLICATIONS, quantity),
            ]
        };
        let begins = begins.into_iter().flat_map(|user| both(user, 1));
        let ends = ends.into_iter().flat_map(|user| both(user, -1));
        // A seed may have no such resource, or applications that are not counted.
        let is_counted = |provision: &Provision| {
            let holder = provision.holder.as_str().unwrap_or_default();
            let source = provision.source.as_str();
            let held = self.holdings.get(holder, source, PENDING_APPLICATIONS);
            held.is_some_and(|held| provision.quantity > 0 || held.usage_min > 0)
        };
        let provisions: Vec<_> = begins.chain(ends).filter(is_counted).collect();
        let wish = Wish {
            provisions: summed(provisions),
            name: "pending application".to_owned(),
            force,
            auto_accept: true,
        };
        self.commissions
            .issue(&mut self.holdings, None, wish, now)
            .map(drop)
            .map_err(|_| Refusal::conflict("too many applications are pending"))
    }

    fn file(&mut self, project: String, applicant: &str, spec: Spec) -> Value {
        let id = self
            .applications
            .last_key_value()
            .map_or(1, |(id, _)| id + 1);
        if let Some(project) = self.projects.get_mut(&project) {
            project.last_application = Some(id);
        }
        let told = json!({"id": self.id_json(&project), "application": id});
        self.applications.insert(
            id,
            Application {
                id,
                project,
                state: ApplicationState::Pending,
                applicant: applicant.to_owned(),
                spec,
            },
        );
        told
    }

    fn is_in(&self, id: u64, state: ApplicationState) -> bool {
        let application = self.applications.get(&id);
        application.is_some_and(|application| application.state == state)
    }

    fn put_in(&mut self, id: u64, state: ApplicationState) {
        if let Some(application) = self.applications.get_mut(&id) {
            application.state = state;
        }
    }

    /// Ids are consecutive, so that a test sees the same ones in each run.
    fn new_project_id(&self) -> String {
        let mut number = self.projects.len() as u64 + 1;
        if self.dialect == Dialect::V015 {
            return number.to_string();
        }
        loop {
            let uuid = format!("{number:08x}-0000-4000-8000-{number:012x}");
            if !self.projects.contains_key(&uuid) {
                return uuid;
            }
            number += 1;
        }
    }
}

/// The resource that counts a user's pending applications.
pub(super) const PENDING_APPLICATIONS: &str = "astakos.pending_app";

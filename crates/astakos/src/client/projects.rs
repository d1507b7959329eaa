//! Projects, applications and memberships (protocol section 7.6).

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::{Value, json};

use super::layout::Part;
use super::{Client, Dialect};
use crate::generated::account::calls;
use crate::generated::account::wire::{Enroll, Join, Joined, MembershipRequest};
use crate::{
    Application, Applied, Error, Membership, MembershipAction, Project, ProjectId, ProjectSpec,
    ProjectState, Result,
};

/// Which projects are wanted; what is set is combined with and.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct ProjectFilter {
    name: Option<String>,
    state: Option<ProjectState>,
    owner: Option<String>,
    mode: Option<ProjectMode>,
}

impl ProjectFilter {
    /// Starts a filter that wants what the user has to do with.
    pub fn new() -> Self {
        Self::default()
    }

    /// Wants projects of this name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Wants projects in this state.
    pub fn state(mut self, state: ProjectState) -> Self {
        self.state = Some(state);
        self
    }

    /// Wants projects of this owner, by uuid.
    pub fn owner(mut self, uuid: impl Into<String>) -> Self {
        self.owner = Some(uuid.into());
        self
    }

    /// Sets what the user must have to do with them. Default: the server's,
    /// [`ProjectMode::Default`].
    pub fn mode(mut self, mode: ProjectMode) -> Self {
        self.mode = Some(mode);
        self
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The same as the JSON object that 0.15 wants. It has no modes.
    fn legacy(&self) -> BTreeMap<String, Value> {
        let state = self.state.as_ref().map(|state| state.as_str().to_owned());
        let entries = [
            ("name", self.name.clone()),
            ("state", state),
            ("owner", self.owner.clone()),
        ];
        entries
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?.into())))
            .collect()
    }
}

/// What a user must have to do with a project to have it listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProjectMode {
    /// Owned, or a member; administrators see all.
    Default,
    /// In practice the same as the default (protocol section 9).
    Related,
    /// Active, and an accepted member.
    Member,
    /// Active and not private.
    Active,
}

impl ProjectMode {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Related => "related",
            Self::Member => "member",
            Self::Active => "active",
        }
    }
}

/// What an administrator can do with a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProjectAction {
    /// Takes its limits away for a while.
    Suspend,
    /// Gives them back.
    Unsuspend,
    /// Ends it.
    Terminate,
    /// Takes the end back, if the name is free.
    Reinstate,
}

impl ProjectAction {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Suspend => "suspend",
            Self::Unsuspend => "unsuspend",
            Self::Terminate => "terminate",
            Self::Reinstate => "reinstate",
        }
    }
}

/// What can be done with an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ApplicationAction {
    /// Grants it; for administrators.
    Approve,
    /// Denies it; for administrators.
    Deny,
    /// Puts a denied one away; for who applied.
    Dismiss,
    /// Takes it back; for who applied.
    Cancel,
}

impl ApplicationAction {
    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Deny => "deny",
            Self::Dismiss => "dismiss",
            Self::Cancel => "cancel",
        }
    }
}

impl Client {
    /// Returns the projects that the user has to do with.
    ///
    /// If no generation was named and the answer shows a server of 0.15, which takes filters in
    /// another way, the client takes the server for one of 0.15 from then on and asks again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadRequest`](crate::ErrorKind::BadRequest) if the server does not know the
    /// state or the mode; [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if the server
    /// is of 0.14, or of 0.15 and the filter has a mode.
    #[doc(alias = "get_projects")]
    pub async fn projects(&self, filter: &ProjectFilter) -> Result<Vec<Project>> {
        let found = self.listed(filter).await?;
        let is_legacy = |project: &Project| project.id.as_str().is_none();
        if self.dialect() == Dialect::V016 && !filter.is_empty() && found.iter().any(is_legacy) {
            self.learn_dialect(Dialect::V015)?;
            return self.listed(filter).await;
        }
        Ok(found)
    }

    async fn listed(&self, filter: &ProjectFilter) -> Result<Vec<Project>> {
        self.require_projects()?;
        let call = if self.dialect() == Dialect::V015 {
            if filter.mode.is_some() {
                self.require("modes of listing projects", Dialect::V016..)?;
            }
            let call = calls::list_projects(&calls::ListProjectsParams::default())?;
            match filter.legacy() {
                filter if filter.is_empty() => call,
                filter => call.json(&one("filter", json!(filter)))?,
            }
        } else {
            calls::list_projects(&calls::ListProjectsParams {
                name: filter.name.clone(),
                state: filter.state.as_ref().map(|state| state.as_str().to_owned()),
                owner: filter.owner.clone(),
                mode: filter.mode.map(|mode| mode.as_str().to_owned()),
            })?
        };
        self.fetch_any(Part::Account, call).await
    }

    /// Returns a project.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if it is unknown;
    /// [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden) if the user may not see it.
    #[doc(alias = "get_project")]
    pub async fn project(&self, id: impl Into<ProjectId>) -> Result<Project> {
        let call = calls::get_project(&self.segment(id)?)?;
        self.fetch(Part::Account, call).await
    }

    /// Applies for a modification of a project: what is not set stays. A pending application is
    /// replaced.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden) if the user is neither owner nor
    /// administrator; [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if the project is not
    /// in a state for it.
    pub async fn modify_project(
        &self,
        id: impl Into<ProjectId>,
        spec: &ProjectSpec,
    ) -> Result<Applied> {
        let id = self.segment(id)?;
        let call = match self.dialect() {
            Dialect::V015 => calls::legacy_modify_project(&id, spec)?,
            _ => calls::modify_project(&id, spec)?,
        };
        self.fetch(Part::Account, call).await
    }

    /// Acts on a project; for administrators.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden) for others;
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if the project is not in a state for
    /// it.
    pub async fn project_action(
        &self,
        id: impl Into<ProjectId>,
        action: ProjectAction,
        reason: &str,
    ) -> Result<()> {
        let argument = match self.dialect() {
            Dialect::V015 => Value::from(reason),
            _ => json!({"reason": reason}),
        };
        let body = one(action.as_str(), argument);
        let call = calls::project_action(&self.segment(id)?, &body)?;
        self.tell(Part::Account, call).await
    }

    /// Acts on the last application of a project.
    ///
    /// The reason is sent where the server reads it; the Python client's is lost (protocol
    /// section 7.6). Servers of 0.15 are told the application only.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if the application is unknown;
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if it is not the last one, or not in
    /// a state for it.
    pub async fn application_action(
        &self,
        id: impl Into<ProjectId>,
        application: i64,
        action: ApplicationAction,
        reason: &str,
    ) -> Result<()> {
        self.require_projects()?;
        let call = if self.dialect() == Dialect::V015 {
            let body = one(action.as_str(), Value::from(reason));
            calls::legacy_application_action(application, &body)?
        } else {
            let argument = json!({"reason": reason, "app_id": application});
            let body = one(action.as_str(), argument);
            calls::project_action(&self.segment(id)?, &body)?
        };
        self.tell(Part::Account, call).await
    }

    /// Returns the user's memberships and those in the user's projects; of one project, if it is
    /// given.
    ///
    /// # Errors
    ///
    /// As any call's.
    #[doc(alias = "get_memberships")]
    pub async fn memberships(&self, project: Option<&ProjectId>) -> Result<Vec<Membership>> {
        self.require_projects()?;
        let call = if self.dialect() == Dialect::V015 {
            let call = calls::list_memberships(&calls::ListMembershipsParams::default())?;
            match project {
                Some(project) => call.json(&one("project", json!(self.project_id(project)?)))?,
                None => call,
            }
        } else {
            let project = project.map(ToString::to_string);
            calls::list_memberships(&calls::ListMembershipsParams { project })?
        };
        self.fetch_any(Part::Account, call).await
    }

    /// Acts on a membership.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden) if it is not the user's to do;
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if state or policy do not allow it.
    pub async fn membership_action(
        &self,
        id: i64,
        action: &MembershipAction,
        reason: &str,
    ) -> Result<()> {
        self.require_projects()?;
        let body = one(action.as_str(), Value::from(reason));
        self.tell(Part::Account, calls::membership_action(id, &body)?)
            .await
    }

    /// Asks to be a member of a project, and returns the membership's number. It may have to be
    /// accepted.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if the user is a member already, or
    /// state or policy do not allow it.
    pub async fn join_project(&self, id: impl Into<ProjectId>) -> Result<i64> {
        let project = self.project_id(id)?;
        let body = MembershipRequest {
            join: Some(Join { project }),
            enroll: None,
        };
        self.membership_of(&body).await
    }

    /// Makes a user a member of a project, and returns the membership's number; for owner and
    /// administrators.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if no user has the e-mail address, the
    /// project does not exist or is full, or state or policy do not allow it;
    /// [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden) if it is not the user's to do.
    pub async fn enroll_member(&self, id: impl Into<ProjectId>, email: &str) -> Result<i64> {
        let enroll = Enroll {
            project: self.project_id(id)?,
            user: email.to_owned(),
        };
        let body = MembershipRequest {
            join: None,
            enroll: Some(enroll),
        };
        self.membership_of(&body).await
    }

    async fn membership_of(&self, body: &MembershipRequest) -> Result<i64> {
        let joined: Joined = self
            .fetch(Part::Account, calls::create_membership(body)?)
            .await?;
        Ok(joined.id)
    }

    /// Returns the applications of a project, or all that the user may see. Only servers of 0.15
    /// have it; later ones tell a project's last application with the project.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for other servers.
    #[doc(alias = "get_applications")]
    pub async fn legacy_applications(
        &self,
        project: Option<&ProjectId>,
    ) -> Result<Vec<Application>> {
        self.require_applications()?;
        let project = project.map(|id| self.project_id(id)).transpose()?;
        let filter = project.as_ref().map(|id| one("project", json!(id)));
        let body = filter.map(|filter| one("filter", json!(filter)));
        let call = calls::legacy_applications(body.as_ref())?;
        self.fetch_any(Part::Account, call).await
    }

    pub(super) fn require_projects(&self) -> Result<()> {
        self.require("projects", Dialect::V015..)
    }

    pub(super) fn require_applications(&self) -> Result<()> {
        self.require("applications apart from projects", LEGACY)
    }

    /// Returns an id as the generation has it: a number on servers of 0.15.
    fn project_id(&self, id: impl Into<ProjectId>) -> Result<ProjectId> {
        self.require_projects()?;
        let id = id.into();
        if self.dialect() != Dialect::V015 {
            return Ok(id);
        }
        let number = id.as_number().filter(|number| *number >= 0);
        number.map(ProjectId::from).ok_or_else(|| {
            Error::bad_value(format!(
                "`{id}`: projects of servers of 0.15 have numbers as ids"
            ))
        })
    }

    /// Writes an id into a path. Two words have a meaning of their own there.
    fn segment(&self, id: impl Into<ProjectId>) -> Result<String> {
        match self.project_id(id)?.to_string() {
            word if word == "memberships" || word == "apps" => Err(Error::bad_value(format!(
                "`{word}` cannot be the id of a project"
            ))),
            id => Ok(id),
        }
    }
}

/// The only generation with applications apart from projects.
const LEGACY: RangeInclusive<Dialect> = Dialect::V015..=Dialect::V015;

fn one(key: &str, value: Value) -> BTreeMap<String, Value> {
    BTreeMap::from([(key.to_owned(), value)])
}

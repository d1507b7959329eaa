//! Projects, applications and memberships (protocol section 7.6).

use serde_json::{Value, json};

use super::Client;
use super::dialect::one;
use crate::generated::account::calls;
use crate::generated::account::wire::{Enroll, Join, Joined, MembershipRequest};
use crate::{Application, ApplicationAction, Dialect, ProjectAction, ProjectId, Result};

impl Client {
    /// Acts on a project; for administrators.
    ///
    /// # Errors
    ///
    /// Of kind `Forbidden` for others, `Conflict` if the state of the project does not allow it.
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
        let call = calls::project_action(&id.into(), action.as_str(), &argument)?;
        self.ask(call).await.map(drop)
    }

    /// Acts on the last application of a project.
    ///
    /// The reason is sent where the server reads it; the Python client's is lost (protocol
    /// section 7.6). Servers of 0.15 get only the application's number.
    ///
    /// # Errors
    ///
    /// Of kind `NotFound` if the application is unknown, `Conflict` if it is not the last one, or
    /// its state does not allow it.
    pub async fn application_action(
        &self,
        id: impl Into<ProjectId>,
        application: i64,
        action: ApplicationAction,
        reason: &str,
    ) -> Result<()> {
        let call = if self.dialect() == Dialect::V015 {
            calls::legacy_application_action(application, &action, reason)?
        } else {
            let argument = json!({"reason": reason, "app_id": application});
            calls::project_action(&id.into(), action.as_str(), &argument)?
        };
        self.ask(call).await.map(drop)
    }

    /// Requests membership of a project, and returns the membership's number. It may have to be
    /// accepted.
    ///
    /// # Errors
    ///
    /// Of kind `Conflict` if the user is a member already, or state or policy do not allow it.
    pub async fn join_project(&self, id: impl Into<ProjectId>) -> Result<i64> {
        let project = self.project_id(id)?;
        self.joined(Some(Join { project }), None).await
    }

    /// Makes a user a member of a project, and returns the membership's number; for the owner and
    /// administrators.
    ///
    /// # Errors
    ///
    /// Of kind `Conflict` if no user has the e-mail address, the project does not exist or is full,
    /// or state or policy do not allow it; `Forbidden` if the user may not.
    pub async fn enroll_member(&self, id: impl Into<ProjectId>, email: &str) -> Result<i64> {
        let (project, user) = (self.project_id(id)?, email.to_owned());
        self.joined(None, Some(Enroll { project, user })).await
    }

    async fn joined(&self, join: Option<Join>, enroll: Option<Enroll>) -> Result<i64> {
        let call = calls::create_membership(&MembershipRequest { join, enroll })?;
        Ok(self.ask(call).await?.json::<Joined>()?.id)
    }

    /// Returns the applications of a project, or all that the user may see. Only servers of 0.15
    /// have it; later ones return a project's last application with the project.
    ///
    /// # Errors
    ///
    /// Of kind `Unsupported` for other servers.
    #[doc(alias = "get_applications")]
    pub async fn legacy_applications(
        &self,
        project: Option<&ProjectId>,
    ) -> Result<Vec<Application>> {
        let project = project.map(|id| self.project_id(id)).transpose()?;
        let body = project.map(|id| one("filter", json!({"project": id})));
        let answer = self.ask(calls::legacy_applications(body.as_ref())?).await?;
        Ok(answer.json_or_default()?)
    }
}

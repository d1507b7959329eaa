// Made by `cargo xtask codegen` from crates/astakos/api/account.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The methods of the client: one for each operation, and a request builder for each
//! operation with optional values.

use vouchsafe_core::call::CallOptions;
use vouchsafe_core::service::Service;

use super::{calls, wire};

impl crate::Client {
    /// Mails a message to the operators.
    ///
    /// It is sent as a form, which all servers understand; the Python client labels it otherwise
    /// and is refused by current ones (protocol section 7.3).
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `BadRequest`: The message is blank, or the content type is not that of a form (400).
    /// - Of kind `Unauthorized`: No valid token of a user (401).
    /// - Of kind `Status`: The mail could not be sent (502).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_astakos::mock::Server::new();
    /// # let client = server.client(server.user_token(&vouchsafe_astakos::mock::Server::alice()).ok_or("no user")?);
    /// client.send_feedback(&vouchsafe_astakos::Feedback::new("example", "example")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send_feedback(&self, body: &wire::Feedback) -> crate::Result<()> {
        let call = calls::send_feedback(body)?;
        Service::call(self, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Sets the project that new resources of the user are charged to.
    ///
    /// Not all servers have it: 0.20+.
    ///
    /// # Errors
    ///
    /// - Of kind `BadRequest`: The content type is not JSON (400).
    /// - Of kind `Unauthorized`: No valid token of a user (401).
    /// - Of kind `Forbidden`: Not an accepted member, or the project is not active (403).
    /// - Of kind `NotFound`: Unknown project, or never a member (404).
    /// - Of kind `Status`: Another method, or the account is not verified (405); or: A body of
    ///   another shape (500).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_astakos::mock::Server::new();
    /// # let client = server.client(server.user_token(&vouchsafe_astakos::mock::Server::alice()).ok_or("no user")?);
    /// client.set_default_project(&vouchsafe_astakos::DefaultProject::new(vouchsafe_astakos::ProjectId::from(vouchsafe_astakos::mock::Server::project()))).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_default_project(
        &self,
        body: &wire::DefaultProject,
    ) -> crate::Result<()> {
        let call = calls::set_default_project(body)?;
        Service::call(self, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Returns the resources, by name.
    ///
    /// No token is needed. Servers of 0.14 list hidden resources too.
    ///
    /// # Errors
    ///
    /// - Of kind `Status`: Another method (405).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_astakos::mock::Server::new();
    /// # let client = server.client(server.user_token(&vouchsafe_astakos::mock::Server::alice()).ok_or("no user")?);
    /// let answer = client.resources().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_resources")]
    pub async fn resources(
        &self,
    ) -> crate::Result<std::collections::BTreeMap<String, wire::Resource>> {
        let call = calls::get_resources()?;
        let answer = Service::call(self, call, &(), &CallOptions::new()).await?;
        Ok(answer.json_or_default()?)
    }

    /// Returns the quotas of the user of the token.
    ///
    /// They are for the resources that the API shows, in the projects that the user is an accepted
    /// member of.
    ///
    /// # Errors
    ///
    /// - Of kind `Unauthorized`: No valid token of a user (401).
    /// - Of kind `Status`: Another method (405).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_astakos::mock::Server::new();
    /// # let client = server.client(server.user_token(&vouchsafe_astakos::mock::Server::alice()).ok_or("no user")?);
    /// let answer = client.quotas().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_quotas")]
    pub async fn quotas(&self) -> crate::Result<crate::UserQuotas> {
        let call = calls::get_quotas()?;
        let answer = Service::call(self, call, &(), &CallOptions::new()).await?;
        Ok(answer.json_or_default()?)
    }

    /// Returns the quotas of users for the resources of the service of the token.
    ///
    /// Hidden resources and former members are included. `send` returns all at once, `walk` one
    /// user after the other. A choice of projects is refused as `ErrorKind::Unsupported` for
    /// servers before 0.16, which ignore it.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_astakos::mock::Server::new();
    /// # let client = server.client(server.user_token(&vouchsafe_astakos::mock::Server::alice()).ok_or("no user")?);
    /// # let client = client.with_token(server.service_token("cyclades").ok_or("no component")?);
    /// let answer = client.service_quotas().send().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "service_get_quotas")]
    pub fn service_quotas(&self) -> ServiceQuotasRequest {
        ServiceQuotasRequest {
            client: self.clone(),
            params: calls::ServiceQuotasParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Returns the quotas of projects for the resources of the service of the token.
    ///
    /// Not all servers have it: 0.16+.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_astakos::mock::Server::new();
    /// # let client = server.client(server.user_token(&vouchsafe_astakos::mock::Server::alice()).ok_or("no user")?);
    /// # let client = client.with_token(server.service_token("cyclades").ok_or("no component")?);
    /// let answer = client.service_project_quotas().send().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "service_get_project_quotas")]
    pub fn service_project_quotas(&self) -> ServiceProjectQuotasRequest {
        ServiceProjectQuotasRequest {
            client: self.clone(),
            params: calls::ServiceProjectQuotasParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Returns the commissions that the service of the token issued and did not resolve.
    ///
    /// # Errors
    ///
    /// - Of kind `Unauthorized`: No valid token of a service (401).
    /// - Of kind `Status`: Another method (405).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_astakos::mock::Server::new();
    /// # let client = server.client(server.user_token(&vouchsafe_astakos::mock::Server::alice()).ok_or("no user")?);
    /// # let client = client.with_token(server.service_token("cyclades").ok_or("no component")?);
    /// let answer = client.pending_commissions().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_pending_commissions")]
    pub async fn pending_commissions(&self) -> crate::Result<Vec<crate::Serial>> {
        let call = calls::pending_commissions()?;
        let answer = Service::call(self, call, &(), &CallOptions::new()).await?;
        Ok(answer.json_or_default()?)
    }

    /// Returns a pending commission of the service of the token.
    ///
    /// `serial`: The commission's number.
    ///
    /// # Errors
    ///
    /// - Of kind `BadRequest`: Not a number (400).
    /// - Of kind `Unauthorized`: No valid token of a service (401).
    /// - Of kind `NotFound`: Not pending, or of another service; empty body (404).
    /// - Of kind `Status`: Another method (405).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_astakos::mock::Server::new();
    /// # let client = server.client(server.user_token(&vouchsafe_astakos::mock::Server::alice()).ok_or("no user")?);
    /// # let client = client.with_token(server.service_token("cyclades").ok_or("no component")?);
    /// # let alice = vouchsafe_astakos::mock::Server::alice();
    /// # let request = vouchsafe_astakos::CommissionRequest::one(&alice, [(&alice, "cyclades.vm", 1)]);
    /// # let serial = client.issue(&request).await?;
    /// let answer = client.commission(serial).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_commission_info")]
    pub async fn commission(
        &self,
        serial: impl Into<crate::Serial>,
    ) -> crate::Result<wire::Commission> {
        let call = calls::commission_info(&serial.into())?;
        let answer = Service::call(self, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Returns the projects that concern the user.
    ///
    /// Filters are combined with "and". Servers of 0.15 take them in another way and have no modes;
    /// for them a mode is refused as `ErrorKind::Unsupported`. If no generation was set and the
    /// answer to a filter shows a server of 0.15, the client treats the server as one of 0.15 from
    /// then on and asks again.
    ///
    /// Not all servers have it: 0.15+.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_astakos::mock::Server::new();
    /// # let client = server.client(server.user_token(&vouchsafe_astakos::mock::Server::alice()).ok_or("no user")?);
    /// let answer = client.projects().send().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_projects")]
    pub fn projects(&self) -> ListProjectsRequest {
        ListProjectsRequest {
            client: self.clone(),
            params: calls::ListProjectsParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Applies for a project.
    ///
    /// Name and end date are required.
    ///
    /// Not all servers have it: 0.15+.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `BadRequest`: Something in the specification is wrong (400).
    /// - Of kind `Unauthorized`: No valid token of a user (401).
    /// - Of kind `Forbidden`: Not permitted (403).
    /// - Of kind `Conflict`: Too many open applications (409).
    /// - Of kind `Status`: A body of another shape (500).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_astakos::mock::Server::new();
    /// # let client = server.client(server.user_token(&vouchsafe_astakos::mock::Server::alice()).ok_or("no user")?);
    /// let answer = client.create_project(&vouchsafe_astakos::ProjectSpec::new().name("choir.example.org").end_date("2998-01-01T00:00:00+00:00")).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_project(
        &self,
        body: &wire::ProjectSpec,
    ) -> crate::Result<wire::Applied> {
        let call = calls::create_project(body)?;
        let answer = Service::call(self, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Returns a project.
    ///
    /// Not all servers have it: 0.15+.
    ///
    /// `project_id`: The project's id.
    ///
    /// # Errors
    ///
    /// - Of kind `Unauthorized`: No valid token of a user (401).
    /// - Of kind `Forbidden`: Not visible (403).
    /// - Of kind `NotFound`: Unknown (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_astakos::mock::Server::new();
    /// # let client = server.client(server.user_token(&vouchsafe_astakos::mock::Server::alice()).ok_or("no user")?);
    /// let answer = client.project(vouchsafe_astakos::mock::Server::project()).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_project")]
    pub async fn project(
        &self,
        project_id: impl Into<crate::ProjectId>,
    ) -> crate::Result<wire::Project> {
        let call = calls::get_project(&project_id.into())?;
        let answer = Service::call(self, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Applies for a modification of a project.
    ///
    /// Unset values stay as they are. A pending application is replaced. Servers of 0.15 have it as
    /// POST, and the client sends that to them.
    ///
    /// Not all servers have it: 0.15+.
    ///
    /// `project_id`: The project's id.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `BadRequest`: Something in the specification is wrong (400).
    /// - Of kind `Unauthorized`: No valid token of a user (401).
    /// - Of kind `Forbidden`: Neither owner nor administrator (403).
    /// - Of kind `NotFound`: Unknown (404).
    /// - Of kind `Conflict`: Not in this state, or not of a system project (409).
    /// - Of kind `Status`: A body of another shape (500).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_astakos::mock::Server::new();
    /// # let client = server.client(server.user_token(&vouchsafe_astakos::mock::Server::alice()).ok_or("no user")?);
    /// let answer = client.modify_project(vouchsafe_astakos::mock::Server::project(), &vouchsafe_astakos::ProjectSpec::new().description("We sing")).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn modify_project(
        &self,
        project_id: impl Into<crate::ProjectId>,
        body: &wire::ProjectSpec,
    ) -> crate::Result<wire::Applied> {
        let call = calls::modify_project(&project_id.into(), body)?;
        let answer = Service::call(self, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Returns the user's memberships and those in the user's projects.
    ///
    /// Not all servers have it: 0.15+.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_astakos::mock::Server::new();
    /// # let client = server.client(server.user_token(&vouchsafe_astakos::mock::Server::alice()).ok_or("no user")?);
    /// let answer = client.memberships().send().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_memberships")]
    pub fn memberships(&self) -> ListMembershipsRequest {
        ListMembershipsRequest {
            client: self.clone(),
            params: calls::ListMembershipsParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Returns a membership.
    ///
    /// Not all servers have it: 0.15+.
    ///
    /// `membership_id`: The membership's number.
    ///
    /// # Errors
    ///
    /// - Of kind `BadRequest`: Not a number (400).
    /// - Of kind `Unauthorized`: No valid token of a user (401).
    /// - Of kind `Forbidden`: Not visible (403).
    /// - Of kind `NotFound`: Unknown (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_astakos::mock::Server::new();
    /// # let client = server.client(server.user_token(&vouchsafe_astakos::mock::Server::alice()).ok_or("no user")?);
    /// let answer = client.membership(1).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_membership")]
    pub async fn membership(
        &self,
        membership_id: i64,
    ) -> crate::Result<wire::Membership> {
        let call = calls::get_membership(membership_id)?;
        let answer = Service::call(self, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Acts on a membership.
    ///
    /// Not all servers have it: 0.15+.
    ///
    /// `membership_id`: The membership's number.
    ///
    /// `action`: An action on a membership.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `BadRequest`: Not exactly one known action (400).
    /// - Of kind `Unauthorized`: No valid token of a user (401).
    /// - Of kind `Forbidden`: Not permitted (403).
    /// - Of kind `NotFound`: Unknown (404).
    /// - Of kind `Conflict`: State or policy forbids it (409).
    /// - Of kind `Status`: A body of another shape (500).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_astakos::mock::Server::new();
    /// # let client = server.client(server.user_token(&vouchsafe_astakos::mock::Server::alice()).ok_or("no user")?);
    /// client.membership_action(1, &vouchsafe_astakos::MembershipAction::Leave, "overdue").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn membership_action(
        &self,
        membership_id: i64,
        action: &wire::MembershipAction,
        reason: &str,
    ) -> crate::Result<()> {
        let call = calls::membership_action(membership_id, action, reason)?;
        Service::call(self, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Returns an application.
    ///
    /// For other servers than those of 0.15 the error is `ErrorKind::Unsupported`, and nothing is
    /// sent.
    ///
    /// Not all servers have it: 0.15.
    ///
    /// `application_id`: The application's number.
    ///
    /// # Errors
    ///
    /// - Of kind `Unauthorized`: No valid token of a user (401).
    /// - Of kind `NotFound`: Unknown (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_astakos::mock::Server::new();
    /// # let client = server.client(server.user_token(&vouchsafe_astakos::mock::Server::alice()).ok_or("no user")?);
    /// # let server = vouchsafe_astakos::mock::Server::builder().dialect(vouchsafe_astakos::Dialect::V015).start()?;
    /// # let client = server.client(server.user_token(&vouchsafe_astakos::mock::Server::alice()).ok_or("no user")?);
    /// # let applied = client.modify_project(1, &vouchsafe_astakos::ProjectSpec::new().description("We sing")).await?;
    /// let answer = client.legacy_application(applied.application).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_application")]
    pub async fn legacy_application(
        &self,
        application_id: i64,
    ) -> crate::Result<wire::Application> {
        let call = calls::legacy_application(application_id)?;
        let answer = Service::call(self, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }
}

/// A request: returns the quotas of users for the resources of the service of the token.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ServiceQuotasRequest {
    pub(crate) client: crate::Client,
    pub(crate) params: calls::ServiceQuotasParams,
    pub(crate) options: CallOptions,
}

impl ServiceQuotasRequest {
    /// Returns only quotas of these users, by uuid. Unknown ones among known ones are left out.
    pub fn users(mut self, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.params.users = Some(values.into_iter().map(Into::into).collect());
        self
    }

    /// Returns only quotas in these projects, by id. Unknown ones are left out.
    pub fn projects(
        mut self,
        values: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.params.projects = Some(values.into_iter().map(Into::into).collect());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Unauthorized`: No valid token of a service (401).
    /// - Of kind `NotFound`: None of the users is known (404).
    /// - Of kind `Status`: Another method (405).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(
        &self,
    ) -> crate::Result<std::collections::BTreeMap<String, crate::UserQuotas>> {
        let call = calls::service_quotas(&self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        let value: std::collections::BTreeMap<String, crate::UserQuotas> = answer
            .json_or_default()?;
        crate::heeded::heeded(self, &value)?;
        Ok(value)
    }
}

/// A request: returns the quotas of projects for the resources of the service of the token.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ServiceProjectQuotasRequest {
    client: crate::Client,
    params: calls::ServiceProjectQuotasParams,
    options: CallOptions,
}

impl ServiceProjectQuotasRequest {
    /// Returns only quotas of these projects, by id. Unknown ones among known ones are left out.
    pub fn projects(
        mut self,
        values: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.params.projects = Some(values.into_iter().map(Into::into).collect());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Unauthorized`: No valid token of a service (401).
    /// - Of kind `NotFound`: None of the projects is known (404).
    /// - Of kind `Status`: Another method (405).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(
        &self,
    ) -> crate::Result<
        std::collections::BTreeMap<
            String,
            std::collections::BTreeMap<String, crate::ProjectQuota>,
        >,
    > {
        let call = calls::service_project_quotas(&self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json_or_default()?)
    }
}

/// A request: returns the projects that concern the user.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ListProjectsRequest {
    client: crate::Client,
    params: calls::ListProjectsParams,
    options: CallOptions,
}

impl ListProjectsRequest {
    /// Returns only projects of this name.
    pub fn name(mut self, value: impl Into<String>) -> Self {
        self.params.name = Some(value.into());
        self
    }

    /// Returns only projects in this state.
    pub fn state(mut self, value: wire::ProjectState) -> Self {
        self.params.state = Some(value);
        self
    }

    /// Returns only projects of this owner, by uuid.
    pub fn owner(mut self, value: impl Into<String>) -> Self {
        self.params.owner = Some(value.into());
        self
    }

    /// Sets how projects must concern the user. Default: the server's, `default`.
    pub fn mode(mut self, value: wire::ProjectMode) -> Self {
        self.params.mode = Some(value);
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `BadRequest`: Unknown state or mode (400).
    /// - Of kind `Unauthorized`: No valid token of a user (401).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<Vec<wire::Project>> {
        let call = calls::list_projects(&self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json_or_default()?)
    }
}

/// A request: returns the user's memberships and those in the user's projects.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ListMembershipsRequest {
    client: crate::Client,
    params: calls::ListMembershipsParams,
    options: CallOptions,
}

impl ListMembershipsRequest {
    /// Returns only memberships of this project.
    pub fn project(mut self, value: impl Into<crate::ProjectId>) -> Self {
        self.params.project = Some(value.into());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Unauthorized`: No valid token of a user (401).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<Vec<wire::Membership>> {
        let call = calls::list_memberships(&self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json_or_default()?)
    }
}

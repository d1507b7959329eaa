// Made by `cargo xtask codegen` from crates/astakos/api/account.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! What users of the client call: one method for each operation, and one request builder
//! for each that has optional values.

use vouchsafe_core::call::CallOptions;
use vouchsafe_core::service::Service;

use super::{calls, wire};

impl crate::Client {
    /// Returns what can be counted, by name.
    ///
    /// No token is needed. Servers of 0.14 list hidden resources too.
    ///
    /// # Errors
    ///
    /// - Of kind `Status`: Another method (405).
    /// - What any call can meet: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_astakos::Client) -> vouchsafe_astakos::Result<()> {
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
    /// - What any call can meet: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_astakos::Client) -> vouchsafe_astakos::Result<()> {
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

    /// Returns the commissions that the service of the token issued and did not resolve.
    ///
    /// # Errors
    ///
    /// - Of kind `Unauthorized`: No valid token of a service (401).
    /// - Of kind `Status`: Another method (405).
    /// - What any call can meet: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_astakos::Client) -> vouchsafe_astakos::Result<()> {
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

    /// Applies for a project.
    ///
    /// Name and end date are needed.
    ///
    /// Not all servers have it: 0.15+.
    ///
    /// Sent again only if nothing of it has left this machine: doubling it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `BadRequest`: Something in the specification is wrong (400).
    /// - Of kind `Unauthorized`: No valid token of a user (401).
    /// - Of kind `Forbidden`: Not permitted (403).
    /// - Of kind `Conflict`: Too many open applications (409).
    /// - What any call can meet: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_astakos::Client) -> vouchsafe_astakos::Result<()> {
    /// let answer = client.create_project(&vouchsafe_astakos::ProjectSpec::new()).await?;
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

    /// Returns a membership.
    ///
    /// Not all servers have it: 0.15+.
    ///
    /// `membership_id`: The membership's number.
    ///
    /// # Errors
    ///
    /// - Of kind `Unauthorized`: No valid token of a user (401).
    /// - Of kind `Forbidden`: Not to be seen (403).
    /// - Of kind `NotFound`: Unknown (404).
    /// - What any call can meet: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_astakos::Client) -> vouchsafe_astakos::Result<()> {
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
    /// - What any call can meet: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_astakos::Client) -> vouchsafe_astakos::Result<()> {
    /// let answer = client.legacy_application(1).await?;
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

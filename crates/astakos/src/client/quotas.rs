//! Quotas (protocol section 7.4).

use std::collections::BTreeMap;

use super::Client;
use crate::generated::account::calls;
use crate::walk::QuotaWalk;
use crate::{Error, ProjectQuota, Result, UserQuotas};

impl Client {
    /// Returns the quotas of users for the resources of the service of the token, hidden
    /// resources and former members included; the whole at once. For many users see
    /// [`walk_service_quotas`](Self::walk_service_quotas).
    ///
    /// `users` and `projects` choose; `None` means all. Unknown users among known ones are left
    /// out, and unknown projects.
    ///
    /// # Errors
    ///
    /// Of kind `NotFound` if none of the users is known, `BadValue` if an id holds a comma,
    /// `Unsupported` if projects are chosen and the server is of 0.15 or before: those ignore the
    /// choice.
    #[doc(alias = "service_get_quotas")]
    pub async fn service_quotas(
        &self,
        users: Option<&[&str]>,
        projects: Option<&[&str]>,
    ) -> Result<BTreeMap<String, UserQuotas>> {
        let call = calls::service_quotas(&self.chosen(users, projects)?)?;
        let found: BTreeMap<_, _> = self.ask(call).await?.json_or_default()?;
        found
            .values()
            .try_for_each(|quotas| heeded(projects, quotas))?;
        Ok(found)
    }

    /// Returns the quotas of users as [`service_quotas`](Self::service_quotas), one user after the
    /// other as they arrive, without holding the whole answer. Until its end a walk counts as one
    /// request under way.
    ///
    /// # Errors
    ///
    /// As [`service_quotas`](Self::service_quotas), as far as they come before the first user;
    /// others come from [`QuotaWalk::next`].
    #[doc(alias = "service_get_quotas")]
    pub async fn walk_service_quotas(
        &self,
        users: Option<&[&str]>,
        projects: Option<&[&str]>,
    ) -> Result<QuotaWalk> {
        let call = calls::service_quotas(&self.chosen(users, projects)?)?;
        let projects = projects.map(|ids| ids.iter().map(|&id| id.to_owned()).collect());
        let answer = self.stream(call).await?;
        Ok(QuotaWalk::new(answer, projects))
    }

    /// Returns the quotas of projects for the resources of the service of the token. Servers
    /// from 0.16 have it.
    ///
    /// # Errors
    ///
    /// Of kind `NotFound` if projects are chosen and none is known, `BadValue` if an id holds a
    /// comma, `Unsupported` for older servers.
    #[doc(alias = "service_get_project_quotas")]
    pub async fn service_project_quotas(
        &self,
        projects: Option<&[&str]>,
    ) -> Result<BTreeMap<String, BTreeMap<String, ProjectQuota>>> {
        let project = projects.map(list).transpose()?;
        let call = calls::service_project_quotas(&calls::ServiceProjectQuotasParams { project })?;
        Ok(self.ask(call).await?.json_or_default()?)
    }

    fn chosen(
        &self,
        users: Option<&[&str]>,
        projects: Option<&[&str]>,
    ) -> Result<calls::ServiceQuotasParams> {
        if projects.is_some() {
            self.require("a choice of projects for the quotas of users")?;
        }
        Ok(calls::ServiceQuotasParams {
            user: users.map(list).transpose()?,
            project: projects.map(list).transpose()?,
        })
    }
}

/// Refuses an answer with other projects than those that were chosen: servers before 0.16 do not
/// look at the choice.
pub(crate) fn heeded<S: AsRef<str>>(projects: Option<&[S]>, quotas: &UserQuotas) -> Result<()> {
    let is_ignored = |project: &str| match projects {
        Some(projects) => !projects.iter().any(|chosen| chosen.as_ref() == project),
        None => false,
    };
    match quotas.iter().find(|(project, ..)| is_ignored(project)) {
        None => Ok(()),
        Some((project, ..)) => Err(Error::unsupported(format!(
            "the server ignored the choice of projects and answered with `{project}`; servers \
             before 0.16 do"
        ))),
    }
}

/// Puts commas between ids. One within an id would make two of it.
fn list(ids: &[&str]) -> Result<String> {
    if ids.iter().any(|id| id.contains(',')) {
        return Err(Error::bad_value("an id holds a comma"));
    }
    Ok(ids.join(","))
}

//! Checks whether a server applied the choice of projects (protocol section 7.4).

use std::collections::BTreeMap;

use crate::{Error, Result, ServiceQuotasRequest, UserQuotas};

/// Refuses an answer with projects other than the chosen ones: servers before 0.16 ignore the
/// choice.
pub(crate) fn heeded(
    request: &ServiceQuotasRequest,
    found: &BTreeMap<String, UserQuotas>,
) -> Result<()> {
    let projects = request.params.projects.as_deref();
    found
        .values()
        .try_for_each(|quotas| heeded_by(projects, quotas))
}

/// Like [`heeded`], for one user.
pub(crate) fn heeded_by(projects: Option<&[String]>, quotas: &UserQuotas) -> Result<()> {
    let is_ignored =
        |project: &str| projects.is_some_and(|all| !all.iter().any(|id| id == project));
    match quotas.iter().find(|(project, ..)| is_ignored(project)) {
        None => Ok(()),
        Some((project, ..)) => Err(Error::unsupported(format!(
            "the server ignored the choice of projects and answered with `{project}`; servers \
             before 0.16 do"
        ))),
    }
}

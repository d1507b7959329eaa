// Made by `cargo xtask codegen` from crates/astakos/api/account.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Creates the call of each operation. Each value is encoded by itself, so it cannot escape
//! its place.

use vouchsafe_core::Result;
use vouchsafe_core::call::{Call, Form, limits};
use vouchsafe_core::url::Target;

use super::{operations, wire};

/// The values of `legacyUserInfo`.
#[derive(Clone, Debug, Default)]
pub(crate) struct LegacyUserInfoParams {
    /// `1` requests usage too; only for servers before 0.14.
    pub(crate) usage: Option<String>,
}

/// Information about the user of the token; later servers answer 400.
///
/// Not all servers have it: 0.14.
#[doc(alias = "get_user_info")]
pub(crate) fn legacy_user_info(params: &LegacyUserInfoParams) -> Result<Call> {
    let target = Target::new("/authenticate");
    let target = target.query_opt("usage", params.usage.as_deref());
    Ok(Call::new(&operations::LEGACY_USER_INFO, target))
}

/// Look up names and uuids with a user's token.
#[doc(alias = "get_usernames")]
#[doc(alias = "get_uuids")]
pub(crate) fn user_catalogs(body: &wire::CatalogsRequest) -> Result<Call> {
    let target = Target::new("/user_catalogs");
    Call::new(&operations::USER_CATALOGS, target).json(body)
}

/// Look up names and uuids with a service's token; null uuids mean every user.
#[doc(alias = "service_get_usernames")]
#[doc(alias = "service_get_uuids")]
pub(crate) fn service_user_catalogs(body: &wire::CatalogsRequest) -> Result<Call> {
    let target = Target::new("/service/user_catalogs");
    Call::new(&operations::SERVICE_USER_CATALOGS, target).json(body)
}

/// Mails a message to the operators.
///
/// It is sent as a form, which all servers understand; the Python client labels it otherwise
/// and is refused by current ones (protocol section 7.3).
pub(crate) fn send_feedback(body: &wire::Feedback) -> Result<Call> {
    let target = Target::new("/feedback");
    let form = Form::new()
        .field("feedback_msg", &body.feedback_msg)
        .field("feedback_data", &body.feedback_data);
    Ok(Call::new(&operations::SEND_FEEDBACK, target).form(form))
}

/// Sets the project that new resources of the user are charged to.
///
/// Not all servers have it: 0.20+.
pub(crate) fn set_default_project(body: &wire::DefaultProject) -> Result<Call> {
    let target = Target::new("/myaccount/default_project");
    Call::new(&operations::SET_DEFAULT_PROJECT, target).json(body)
}

/// Returns the resources, by name.
///
/// No token is needed. Servers of 0.14 list hidden resources too.
pub(crate) fn get_resources() -> Result<Call> {
    let target = Target::new("/resources");
    Ok(Call::new(&operations::GET_RESOURCES, target))
}

/// Returns the quotas of the user of the token.
///
/// They are for the resources that the API shows, in the projects that the user is an accepted
/// member of.
pub(crate) fn get_quotas() -> Result<Call> {
    let target = Target::new("/quotas");
    Ok(Call::new(&operations::GET_QUOTAS, target))
}

/// The values of `serviceQuotas`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServiceQuotasParams {
    /// Returns only quotas of these users, by uuid. Unknown ones among known ones are left out.
    pub(crate) users: Option<Vec<String>>,
    /// Returns only quotas in these projects, by id. Unknown ones are left out.
    pub(crate) projects: Option<Vec<String>>,
}

/// Returns the quotas of users for the resources of the service of the token.
///
/// Hidden resources and former members are included. `send` returns all at once, `walk` one
/// user after the other. A choice of projects is refused as `ErrorKind::Unsupported` for
/// servers before 0.16, which ignore it.
pub(crate) fn service_quotas(params: &ServiceQuotasParams) -> Result<Call> {
    let check = || -> Result<()> {
        for value in params.users.iter().flatten() {
            limits::without("user", value, ",")?;
        }
        for value in params.projects.iter().flatten() {
            limits::without("project", value, ",")?;
        }
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::SERVICE_QUOTAS.id()))?;
    let target = Target::new("/service_quotas");
    let target = match &params.users {
        Some(values) => target.query("user", &values.join(",")),
        None => target,
    };
    let target = match &params.projects {
        Some(values) => target.query("project", &values.join(",")),
        None => target,
    };
    Ok(Call::new(&operations::SERVICE_QUOTAS, target))
}

/// The values of `serviceProjectQuotas`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServiceProjectQuotasParams {
    /// Returns only quotas of these projects, by id. Unknown ones among known ones are left out.
    pub(crate) projects: Option<Vec<String>>,
}

/// Returns the quotas of projects for the resources of the service of the token.
///
/// Not all servers have it: 0.16+.
pub(crate) fn service_project_quotas(
    params: &ServiceProjectQuotasParams,
) -> Result<Call> {
    let check = || -> Result<()> {
        for value in params.projects.iter().flatten() {
            limits::without("project", value, ",")?;
        }
        Ok(())
    };
    check()
        .map_err(|fault| fault.with_operation(operations::SERVICE_PROJECT_QUOTAS.id()))?;
    let target = Target::new("/service_project_quotas");
    let target = match &params.projects {
        Some(values) => target.query("project", &values.join(",")),
        None => target,
    };
    Ok(Call::new(&operations::SERVICE_PROJECT_QUOTAS, target))
}

/// Returns the commissions that the service of the token issued and did not resolve.
pub(crate) fn pending_commissions() -> Result<Call> {
    let target = Target::new("/commissions");
    Ok(Call::new(&operations::PENDING_COMMISSIONS, target))
}

/// Reserve or release quantities.
#[doc(alias = "issue_one_commission")]
#[doc(alias = "issue_commission_generic")]
#[doc(alias = "issue_resource_reassignment")]
pub(crate) fn issue_commission(body: &wire::CommissionRequest) -> Result<Call> {
    let target = Target::new("/commissions");
    Call::new(&operations::ISSUE_COMMISSION, target).json(body)
}

/// Accept and reject several commissions.
///
/// Already resolved serials are reported as failed.
pub(crate) fn resolve_commissions(body: &wire::ResolveRequest) -> Result<Call> {
    let target = Target::new("/commissions/action");
    Call::new(&operations::RESOLVE_COMMISSIONS, target).json(body)
}

/// Returns a pending commission of the service of the token.
pub(crate) fn commission_info(serial: &crate::Serial) -> Result<Call> {
    let target = Target::new("/commissions/").segment("serial", &serial.to_string())?;
    Ok(Call::new(&operations::COMMISSION_INFO, target))
}

/// Accept or reject a commission.
///
/// Exactly one of the two; an already resolved commission is not found.
#[doc(alias = "accept_commission")]
#[doc(alias = "reject_commission")]
pub(crate) fn commission_action(
    serial: &crate::Serial,
    action: &wire::CommissionAction,
    reason: &str,
) -> Result<Call> {
    let target = Target::new("/commissions/")
        .segment("serial", &serial.to_string())?
        .literal("/action");
    Call::new(&operations::COMMISSION_ACTION, target)
        .json(&std::collections::BTreeMap::from([(action.as_str(), reason)]))
}

/// The values of `listProjects`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListProjectsParams {
    /// Returns only projects of this name.
    pub(crate) name: Option<String>,
    /// Returns only projects in this state.
    pub(crate) state: Option<wire::ProjectState>,
    /// Returns only projects of this owner, by uuid.
    pub(crate) owner: Option<String>,
    /// Sets how projects must concern the user. Default: the server's, `default`.
    pub(crate) mode: Option<wire::ProjectMode>,
}

/// Returns the projects that concern the user.
///
/// Filters are combined with "and". Servers of 0.15 take them in another way and have no modes;
/// for them a mode is refused as `ErrorKind::Unsupported`. If no generation was set and the
/// answer to a filter shows a server of 0.15, the client treats the server as one of 0.15 from
/// then on and asks again.
///
/// Not all servers have it: 0.15+.
pub(crate) fn list_projects(params: &ListProjectsParams) -> Result<Call> {
    let target = Target::new("/projects");
    let target = target.query_opt("name", params.name.as_deref());
    let target = target
        .query_opt("state", params.state.as_ref().map(|value| value.as_str()));
    let target = target.query_opt("owner", params.owner.as_deref());
    let target = target
        .query_opt("mode", params.mode.as_ref().map(|value| value.as_str()));
    Ok(Call::new(&operations::LIST_PROJECTS, target))
}

/// Applies for a project.
///
/// Name and end date are required.
///
/// Not all servers have it: 0.15+.
pub(crate) fn create_project(body: &wire::ProjectSpec) -> Result<Call> {
    let target = Target::new("/projects");
    Call::new(&operations::CREATE_PROJECT, target).json(body)
}

/// Returns a project.
///
/// Not all servers have it: 0.15+.
pub(crate) fn get_project(project_id: &crate::ProjectId) -> Result<Call> {
    let target = Target::new("/projects/")
        .segment("project_id", &project_id.to_string())?;
    Ok(Call::new(&operations::GET_PROJECT, target))
}

/// Applies for a modification of a project.
///
/// Unset values stay as they are. A pending application is replaced. Servers of 0.15 have it as
/// POST, and the client sends that to them.
///
/// Not all servers have it: 0.15+.
pub(crate) fn modify_project(
    project_id: &crate::ProjectId,
    body: &wire::ProjectSpec,
) -> Result<Call> {
    let target = Target::new("/projects/")
        .segment("project_id", &project_id.to_string())?;
    Call::new(&operations::MODIFY_PROJECT, target).json(body)
}

/// Act on a project or on its last application.
///
/// Not all servers have it: 0.15+.
#[doc(alias = "application_action")]
pub(crate) fn project_action(
    project_id: &crate::ProjectId,
    action: &str,
    argument: &serde_json::Value,
) -> Result<Call> {
    let target = Target::new("/projects/")
        .segment("project_id", &project_id.to_string())?
        .literal("/action");
    Call::new(&operations::PROJECT_ACTION, target)
        .json(&std::collections::BTreeMap::from([(action, argument)]))
}

/// The values of `listMemberships`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListMembershipsParams {
    /// Returns only memberships of this project.
    pub(crate) project: Option<crate::ProjectId>,
}

/// Returns the user's memberships and those in the user's projects.
///
/// Not all servers have it: 0.15+.
pub(crate) fn list_memberships(params: &ListMembershipsParams) -> Result<Call> {
    let target = Target::new("/projects/memberships");
    let target = target
        .query_opt(
            "project",
            params.project.as_ref().map(ToString::to_string).as_deref(),
        );
    Ok(Call::new(&operations::LIST_MEMBERSHIPS, target))
}

/// Join a project, or enroll a user in one's own.
///
/// Not all servers have it: 0.15+.
#[doc(alias = "join_project")]
#[doc(alias = "enroll_member")]
pub(crate) fn create_membership(body: &wire::MembershipRequest) -> Result<Call> {
    let target = Target::new("/projects/memberships");
    Call::new(&operations::CREATE_MEMBERSHIP, target).json(body)
}

/// Returns a membership.
///
/// Not all servers have it: 0.15+.
pub(crate) fn get_membership(membership_id: i64) -> Result<Call> {
    let target = Target::new("/projects/memberships/")
        .segment("membership_id", &membership_id.to_string())?;
    Ok(Call::new(&operations::GET_MEMBERSHIP, target))
}

/// Acts on a membership.
///
/// Not all servers have it: 0.15+.
pub(crate) fn membership_action(
    membership_id: i64,
    action: &wire::MembershipAction,
    reason: &str,
) -> Result<Call> {
    let target = Target::new("/projects/memberships/")
        .segment("membership_id", &membership_id.to_string())?
        .literal("/action");
    Call::new(&operations::MEMBERSHIP_ACTION, target)
        .json(&std::collections::BTreeMap::from([(action.as_str(), reason)]))
}

/// Applications, of a project if the body has a filter.
///
/// Not all servers have it: 0.15.
#[doc(alias = "get_applications")]
pub(crate) fn legacy_applications(
    body: Option<&std::collections::BTreeMap<String, serde_json::Value>>,
) -> Result<Call> {
    let target = Target::new("/projects/apps");
    let call = Call::new(&operations::LEGACY_APPLICATIONS, target);
    match body {
        Some(body) => call.json(body),
        None => Ok(call),
    }
}

/// Returns an application.
///
/// For other servers than those of 0.15 the error is `ErrorKind::Unsupported`, and nothing is
/// sent.
///
/// Not all servers have it: 0.15.
pub(crate) fn legacy_application(application_id: i64) -> Result<Call> {
    let target = Target::new("/projects/apps/")
        .segment("application_id", &application_id.to_string())?;
    Ok(Call::new(&operations::LEGACY_APPLICATION, target))
}

/// Act on an application, for servers of 0.15.
///
/// Not all servers have it: 0.15.
pub(crate) fn legacy_application_action(
    application_id: i64,
    action: &wire::ApplicationAction,
    reason: &str,
) -> Result<Call> {
    let target = Target::new("/projects/apps/")
        .segment("application_id", &application_id.to_string())?
        .literal("/action");
    Call::new(&operations::LEGACY_APPLICATION_ACTION, target)
        .json(&std::collections::BTreeMap::from([(action.as_str(), reason)]))
}

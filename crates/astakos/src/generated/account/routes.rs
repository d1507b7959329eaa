// Made by `cargo xtask codegen` from crates/astakos/api/account.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The routes of the emulator.

use http::Method;
use vouchsafe_core::mock::route::{self, Found, Route};

use super::operations;

/// The operations with their full paths on the server.
pub(crate) static ROUTES: &[Route<Op>] = &[
    Route {
        op: Op::LegacyUserInfo,
        operation: &operations::LEGACY_USER_INFO,
        path: "/account/v1.0/authenticate",
    },
    Route {
        op: Op::UserCatalogs,
        operation: &operations::USER_CATALOGS,
        path: "/account/v1.0/user_catalogs",
    },
    Route {
        op: Op::ServiceUserCatalogs,
        operation: &operations::SERVICE_USER_CATALOGS,
        path: "/account/v1.0/service/user_catalogs",
    },
    Route {
        op: Op::SendFeedback,
        operation: &operations::SEND_FEEDBACK,
        path: "/account/v1.0/feedback",
    },
    Route {
        op: Op::SetDefaultProject,
        operation: &operations::SET_DEFAULT_PROJECT,
        path: "/account/v1.0/myaccount/default_project",
    },
    Route {
        op: Op::GetResources,
        operation: &operations::GET_RESOURCES,
        path: "/account/v1.0/resources",
    },
    Route {
        op: Op::GetQuotas,
        operation: &operations::GET_QUOTAS,
        path: "/account/v1.0/quotas",
    },
    Route {
        op: Op::ServiceQuotas,
        operation: &operations::SERVICE_QUOTAS,
        path: "/account/v1.0/service_quotas",
    },
    Route {
        op: Op::ServiceProjectQuotas,
        operation: &operations::SERVICE_PROJECT_QUOTAS,
        path: "/account/v1.0/service_project_quotas",
    },
    Route {
        op: Op::PendingCommissions,
        operation: &operations::PENDING_COMMISSIONS,
        path: "/account/v1.0/commissions",
    },
    Route {
        op: Op::IssueCommission,
        operation: &operations::ISSUE_COMMISSION,
        path: "/account/v1.0/commissions",
    },
    Route {
        op: Op::ResolveCommissions,
        operation: &operations::RESOLVE_COMMISSIONS,
        path: "/account/v1.0/commissions/action",
    },
    Route {
        op: Op::CommissionInfo,
        operation: &operations::COMMISSION_INFO,
        path: "/account/v1.0/commissions/{serial}",
    },
    Route {
        op: Op::CommissionAction,
        operation: &operations::COMMISSION_ACTION,
        path: "/account/v1.0/commissions/{serial}/action",
    },
    Route {
        op: Op::ListProjects,
        operation: &operations::LIST_PROJECTS,
        path: "/account/v1.0/projects",
    },
    Route {
        op: Op::CreateProject,
        operation: &operations::CREATE_PROJECT,
        path: "/account/v1.0/projects",
    },
    Route {
        op: Op::GetProject,
        operation: &operations::GET_PROJECT,
        path: "/account/v1.0/projects/{project_id}",
    },
    Route {
        op: Op::LegacyModifyProject,
        operation: &operations::LEGACY_MODIFY_PROJECT,
        path: "/account/v1.0/projects/{project_id}",
    },
    Route {
        op: Op::ModifyProject,
        operation: &operations::MODIFY_PROJECT,
        path: "/account/v1.0/projects/{project_id}",
    },
    Route {
        op: Op::ProjectAction,
        operation: &operations::PROJECT_ACTION,
        path: "/account/v1.0/projects/{project_id}/action",
    },
    Route {
        op: Op::ListMemberships,
        operation: &operations::LIST_MEMBERSHIPS,
        path: "/account/v1.0/projects/memberships",
    },
    Route {
        op: Op::CreateMembership,
        operation: &operations::CREATE_MEMBERSHIP,
        path: "/account/v1.0/projects/memberships",
    },
    Route {
        op: Op::GetMembership,
        operation: &operations::GET_MEMBERSHIP,
        path: "/account/v1.0/projects/memberships/{membership_id}",
    },
    Route {
        op: Op::MembershipAction,
        operation: &operations::MEMBERSHIP_ACTION,
        path: "/account/v1.0/projects/memberships/{membership_id}/action",
    },
    Route {
        op: Op::LegacyApplications,
        operation: &operations::LEGACY_APPLICATIONS,
        path: "/account/v1.0/projects/apps",
    },
    Route {
        op: Op::LegacyApplication,
        operation: &operations::LEGACY_APPLICATION,
        path: "/account/v1.0/projects/apps/{application_id}",
    },
    Route {
        op: Op::LegacyApplicationAction,
        operation: &operations::LEGACY_APPLICATION_ACTION,
        path: "/account/v1.0/projects/apps/{application_id}/action",
    },
];

/// The operations, to match on, so that a new one cannot be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Information about the user of the token; later servers answer 400.
    LegacyUserInfo,
    /// Look up names and uuids with a user's token.
    UserCatalogs,
    /// Look up names and uuids with a service's token; null uuids mean every user.
    ServiceUserCatalogs,
    /// Mails a message to the operators.
    SendFeedback,
    /// Sets the project that new resources of the user are charged to.
    SetDefaultProject,
    /// Returns the resources, by name.
    GetResources,
    /// Returns the quotas of the user of the token.
    GetQuotas,
    /// Returns the quotas of users for the resources of the service of the token.
    ServiceQuotas,
    /// Returns the quotas of projects for the resources of the service of the token.
    ServiceProjectQuotas,
    /// Returns the commissions that the service of the token issued and did not resolve.
    PendingCommissions,
    /// Reserve or release quantities.
    IssueCommission,
    /// Accept and reject several commissions.
    ResolveCommissions,
    /// Returns a pending commission of the service of the token.
    CommissionInfo,
    /// Accept or reject a commission.
    CommissionAction,
    /// Returns the projects that concern the user.
    ListProjects,
    /// Applies for a project.
    CreateProject,
    /// Returns a project.
    GetProject,
    /// Apply for a modification of a project, for servers of 0.15.
    LegacyModifyProject,
    /// Applies for a modification of a project.
    ModifyProject,
    /// Act on a project or on its last application.
    ProjectAction,
    /// Returns the user's memberships and those in the user's projects.
    ListMemberships,
    /// Join a project, or enroll a user in one's own.
    CreateMembership,
    /// Returns a membership.
    GetMembership,
    /// Acts on a membership.
    MembershipAction,
    /// Applications, of a project if the body has a filter.
    LegacyApplications,
    /// Returns an application.
    LegacyApplication,
    /// Act on an application, for servers of 0.15.
    LegacyApplicationAction,
}

/// Finds the operation of a method and a path.
#[allow(dead_code, reason = "an emulator of several dialects searches its own table")]
pub(crate) fn find(method: &Method, path: &str) -> Found<Op> {
    route::find(ROUTES, method, path)
}

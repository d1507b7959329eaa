// Made by `cargo xtask codegen` from crates/astakos/api/account.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! What the emulator serves. [`ROUTES`] and [`OPS`] have the same order.

use vouchsafe_core::mock::route::Route;

use super::operations;

/// Operations with the whole path that the server sees.
pub(crate) static ROUTES: &[Route] = &[
    Route {
        operation: &operations::LEGACY_USER_INFO,
        path: "/account/v1.0/authenticate",
    },
    Route {
        operation: &operations::USER_CATALOGS,
        path: "/account/v1.0/user_catalogs",
    },
    Route {
        operation: &operations::SERVICE_USER_CATALOGS,
        path: "/account/v1.0/service/user_catalogs",
    },
    Route {
        operation: &operations::SEND_FEEDBACK,
        path: "/account/v1.0/feedback",
    },
    Route {
        operation: &operations::SET_DEFAULT_PROJECT,
        path: "/account/v1.0/myaccount/default_project",
    },
    Route {
        operation: &operations::GET_RESOURCES,
        path: "/account/v1.0/resources",
    },
    Route {
        operation: &operations::GET_QUOTAS,
        path: "/account/v1.0/quotas",
    },
    Route {
        operation: &operations::SERVICE_QUOTAS,
        path: "/account/v1.0/service_quotas",
    },
    Route {
        operation: &operations::SERVICE_PROJECT_QUOTAS,
        path: "/account/v1.0/service_project_quotas",
    },
    Route {
        operation: &operations::PENDING_COMMISSIONS,
        path: "/account/v1.0/commissions",
    },
    Route {
        operation: &operations::ISSUE_COMMISSION,
        path: "/account/v1.0/commissions",
    },
    Route {
        operation: &operations::RESOLVE_COMMISSIONS,
        path: "/account/v1.0/commissions/action",
    },
    Route {
        operation: &operations::COMMISSION_INFO,
        path: "/account/v1.0/commissions/{serial}",
    },
    Route {
        operation: &operations::COMMISSION_ACTION,
        path: "/account/v1.0/commissions/{serial}/action",
    },
    Route {
        operation: &operations::LIST_PROJECTS,
        path: "/account/v1.0/projects",
    },
    Route {
        operation: &operations::CREATE_PROJECT,
        path: "/account/v1.0/projects",
    },
    Route {
        operation: &operations::GET_PROJECT,
        path: "/account/v1.0/projects/{project_id}",
    },
    Route {
        operation: &operations::LEGACY_MODIFY_PROJECT,
        path: "/account/v1.0/projects/{project_id}",
    },
    Route {
        operation: &operations::MODIFY_PROJECT,
        path: "/account/v1.0/projects/{project_id}",
    },
    Route {
        operation: &operations::PROJECT_ACTION,
        path: "/account/v1.0/projects/{project_id}/action",
    },
    Route {
        operation: &operations::LIST_MEMBERSHIPS,
        path: "/account/v1.0/projects/memberships",
    },
    Route {
        operation: &operations::CREATE_MEMBERSHIP,
        path: "/account/v1.0/projects/memberships",
    },
    Route {
        operation: &operations::GET_MEMBERSHIP,
        path: "/account/v1.0/projects/memberships/{membership_id}",
    },
    Route {
        operation: &operations::MEMBERSHIP_ACTION,
        path: "/account/v1.0/projects/memberships/{membership_id}/action",
    },
    Route {
        operation: &operations::LEGACY_APPLICATIONS,
        path: "/account/v1.0/projects/apps",
    },
    Route {
        operation: &operations::LEGACY_APPLICATION,
        path: "/account/v1.0/projects/apps/{application_id}",
    },
    Route {
        operation: &operations::LEGACY_APPLICATION_ACTION,
        path: "/account/v1.0/projects/apps/{application_id}/action",
    },
];

/// Operations to match on, so that a new one cannot be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Information about the user of the token; later servers answer 400.
    LegacyUserInfo,
    /// Look up names and uuids with a user's token.
    UserCatalogs,
    /// Look up names and uuids with a service's token; null uuids mean every user.
    ServiceUserCatalogs,
    /// Mail a word to the operators.
    SendFeedback,
    /// Choose the project that new resources are charged to.
    SetDefaultProject,
    /// What can be counted.
    GetResources,
    /// The quotas of the user of the token.
    GetQuotas,
    /// The quotas of users for the resources of the service of the token.
    ServiceQuotas,
    /// The quotas of projects for the resources of the service of the token.
    ServiceProjectQuotas,
    /// The commissions that the service issued and did not resolve.
    PendingCommissions,
    /// Reserve or release quantities.
    IssueCommission,
    /// Accept and reject several commissions.
    ResolveCommissions,
    /// A pending commission.
    CommissionInfo,
    /// Accept or reject a commission.
    CommissionAction,
    /// Projects that the user has to do with.
    ListProjects,
    /// Apply for a project.
    CreateProject,
    /// A project.
    GetProject,
    /// Apply for a modification of a project, as 0.15 has it.
    LegacyModifyProject,
    /// Apply for a modification of a project.
    ModifyProject,
    /// Act on a project or on its last application.
    ProjectAction,
    /// The user's memberships, and those in the user's projects.
    ListMemberships,
    /// Join a project, or enroll a user in one's own.
    CreateMembership,
    /// A membership.
    GetMembership,
    /// Act on a membership.
    MembershipAction,
    /// Applications, of a project if the body has a filter.
    LegacyApplications,
    /// An application.
    LegacyApplication,
    /// Act on an application, as 0.15 has it.
    LegacyApplicationAction,
}

/// The operations of [`ROUTES`].
pub(crate) static OPS: &[Op] = &[
    Op::LegacyUserInfo,
    Op::UserCatalogs,
    Op::ServiceUserCatalogs,
    Op::SendFeedback,
    Op::SetDefaultProject,
    Op::GetResources,
    Op::GetQuotas,
    Op::ServiceQuotas,
    Op::ServiceProjectQuotas,
    Op::PendingCommissions,
    Op::IssueCommission,
    Op::ResolveCommissions,
    Op::CommissionInfo,
    Op::CommissionAction,
    Op::ListProjects,
    Op::CreateProject,
    Op::GetProject,
    Op::LegacyModifyProject,
    Op::ModifyProject,
    Op::ProjectAction,
    Op::ListMemberships,
    Op::CreateMembership,
    Op::GetMembership,
    Op::MembershipAction,
    Op::LegacyApplications,
    Op::LegacyApplication,
    Op::LegacyApplicationAction,
];

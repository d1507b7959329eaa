// Made by `cargo xtask codegen` from crates/astakos/api/account.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The operations, in the form for the call pipeline.

use http::Method;
use vouchsafe_core::call::{Operation, Repeat};

/// Information about the user of the token; later servers answer 400.
pub(crate) static LEGACY_USER_INFO: Operation = Operation::new(
        "account.legacyUserInfo",
        Method::GET,
        "/authenticate",
    )
    .repeat(Repeat::Safe)
    .dialect("0.14")
    .sensitive_answer();

/// Look up names and uuids with a user's token.
pub(crate) static USER_CATALOGS: Operation = Operation::new(
        "account.userCatalogs",
        Method::POST,
        "/user_catalogs",
    )
    .repeat(Repeat::Safe)
    .response_limit(16 << 20);

/// Look up names and uuids with a service's token; null uuids mean every user.
pub(crate) static SERVICE_USER_CATALOGS: Operation = Operation::new(
        "account.serviceUserCatalogs",
        Method::POST,
        "/service/user_catalogs",
    )
    .repeat(Repeat::Safe)
    .response_limit(256 << 20);

/// Mails a message to the operators.
pub(crate) static SEND_FEEDBACK: Operation = Operation::new(
        "account.sendFeedback",
        Method::POST,
        "/feedback",
    )
    .repeat(Repeat::OnlyIfUnsent);

/// Sets the project that new resources of the user are charged to.
pub(crate) static SET_DEFAULT_PROJECT: Operation = Operation::new(
        "account.setDefaultProject",
        Method::POST,
        "/myaccount/default_project",
    )
    .repeat(Repeat::Safe)
    .dialect("0.20+");

/// Returns the resources, by name.
pub(crate) static GET_RESOURCES: Operation = Operation::new(
        "account.getResources",
        Method::GET,
        "/resources",
    )
    .repeat(Repeat::Safe)
    .response_limit(4 << 20)
    .open();

/// Returns the quotas of the user of the token.
pub(crate) static GET_QUOTAS: Operation = Operation::new(
        "account.getQuotas",
        Method::GET,
        "/quotas",
    )
    .repeat(Repeat::Safe)
    .response_limit(16 << 20);

/// Returns the quotas of users for the resources of the service of the token.
pub(crate) static SERVICE_QUOTAS: Operation = Operation::new(
        "account.serviceQuotas",
        Method::GET,
        "/service_quotas",
    )
    .repeat(Repeat::Safe)
    .response_limit(256 << 20);

/// Returns the quotas of projects for the resources of the service of the token.
pub(crate) static SERVICE_PROJECT_QUOTAS: Operation = Operation::new(
        "account.serviceProjectQuotas",
        Method::GET,
        "/service_project_quotas",
    )
    .repeat(Repeat::Safe)
    .response_limit(256 << 20)
    .dialect("0.16+");

/// Returns the commissions that the service of the token issued and did not resolve.
pub(crate) static PENDING_COMMISSIONS: Operation = Operation::new(
        "account.pendingCommissions",
        Method::GET,
        "/commissions",
    )
    .repeat(Repeat::Safe)
    .response_limit(16 << 20);

/// Reserve or release quantities.
pub(crate) static ISSUE_COMMISSION: Operation = Operation::new(
        "account.issueCommission",
        Method::POST,
        "/commissions",
    )
    .repeat(Repeat::OnlyIfUnsent);

/// Accept and reject several commissions.
pub(crate) static RESOLVE_COMMISSIONS: Operation = Operation::new(
        "account.resolveCommissions",
        Method::POST,
        "/commissions/action",
    )
    .repeat(Repeat::Safe)
    .response_limit(64 << 20);

/// Returns a pending commission of the service of the token.
pub(crate) static COMMISSION_INFO: Operation = Operation::new(
        "account.commissionInfo",
        Method::GET,
        "/commissions/{serial}",
    )
    .repeat(Repeat::Safe);

/// Accept or reject a commission.
pub(crate) static COMMISSION_ACTION: Operation = Operation::new(
        "account.commissionAction",
        Method::POST,
        "/commissions/{serial}/action",
    )
    .repeat(Repeat::Safe);

/// Returns the projects that concern the user.
pub(crate) static LIST_PROJECTS: Operation = Operation::new(
        "account.listProjects",
        Method::GET,
        "/projects",
    )
    .repeat(Repeat::Safe)
    .response_limit(64 << 20)
    .dialect("0.15+");

/// Applies for a project.
pub(crate) static CREATE_PROJECT: Operation = Operation::new(
        "account.createProject",
        Method::POST,
        "/projects",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .dialect("0.15+");

/// Returns a project.
pub(crate) static GET_PROJECT: Operation = Operation::new(
        "account.getProject",
        Method::GET,
        "/projects/{project_id}",
    )
    .repeat(Repeat::Safe)
    .response_limit(4 << 20)
    .dialect("0.15+");

/// Apply for a modification of a project, for servers of 0.15.
pub(crate) static LEGACY_MODIFY_PROJECT: Operation = Operation::new(
        "account.legacyModifyProject",
        Method::POST,
        "/projects/{project_id}",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .dialect("0.15");

/// Applies for a modification of a project.
pub(crate) static MODIFY_PROJECT: Operation = Operation::new(
        "account.modifyProject",
        Method::PUT,
        "/projects/{project_id}",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .dialect("0.15+");

/// Act on a project or on its last application.
pub(crate) static PROJECT_ACTION: Operation = Operation::new(
        "account.projectAction",
        Method::POST,
        "/projects/{project_id}/action",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .dialect("0.15+");

/// Returns the user's memberships and those in the user's projects.
pub(crate) static LIST_MEMBERSHIPS: Operation = Operation::new(
        "account.listMemberships",
        Method::GET,
        "/projects/memberships",
    )
    .repeat(Repeat::Safe)
    .response_limit(64 << 20)
    .dialect("0.15+");

/// Join a project, or enroll a user in one's own.
pub(crate) static CREATE_MEMBERSHIP: Operation = Operation::new(
        "account.createMembership",
        Method::POST,
        "/projects/memberships",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .dialect("0.15+");

/// Returns a membership.
pub(crate) static GET_MEMBERSHIP: Operation = Operation::new(
        "account.getMembership",
        Method::GET,
        "/projects/memberships/{membership_id}",
    )
    .repeat(Repeat::Safe)
    .dialect("0.15+");

/// Acts on a membership.
pub(crate) static MEMBERSHIP_ACTION: Operation = Operation::new(
        "account.membershipAction",
        Method::POST,
        "/projects/memberships/{membership_id}/action",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .dialect("0.15+");

/// Applications, of a project if the body has a filter.
pub(crate) static LEGACY_APPLICATIONS: Operation = Operation::new(
        "account.legacyApplications",
        Method::GET,
        "/projects/apps",
    )
    .repeat(Repeat::Safe)
    .response_limit(64 << 20)
    .dialect("0.15");

/// Returns an application.
pub(crate) static LEGACY_APPLICATION: Operation = Operation::new(
        "account.legacyApplication",
        Method::GET,
        "/projects/apps/{application_id}",
    )
    .repeat(Repeat::Safe)
    .dialect("0.15");

/// Act on an application, for servers of 0.15.
pub(crate) static LEGACY_APPLICATION_ACTION: Operation = Operation::new(
        "account.legacyApplicationAction",
        Method::POST,
        "/projects/apps/{application_id}/action",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .dialect("0.15");

/// All operations, in the order of the description.
#[cfg(feature = "mock")]
#[allow(dead_code, reason = "for tests and tables that go through all of them")]
pub(crate) static ALL: &[&Operation] = &[
    &LEGACY_USER_INFO,
    &USER_CATALOGS,
    &SERVICE_USER_CATALOGS,
    &SEND_FEEDBACK,
    &SET_DEFAULT_PROJECT,
    &GET_RESOURCES,
    &GET_QUOTAS,
    &SERVICE_QUOTAS,
    &SERVICE_PROJECT_QUOTAS,
    &PENDING_COMMISSIONS,
    &ISSUE_COMMISSION,
    &RESOLVE_COMMISSIONS,
    &COMMISSION_INFO,
    &COMMISSION_ACTION,
    &LIST_PROJECTS,
    &CREATE_PROJECT,
    &GET_PROJECT,
    &LEGACY_MODIFY_PROJECT,
    &MODIFY_PROJECT,
    &PROJECT_ACTION,
    &LIST_MEMBERSHIPS,
    &CREATE_MEMBERSHIP,
    &GET_MEMBERSHIP,
    &MEMBERSHIP_ACTION,
    &LEGACY_APPLICATIONS,
    &LEGACY_APPLICATION,
    &LEGACY_APPLICATION_ACTION,
];

//! Every operation of Astakos by its id.

use vouchsafe::astakos::mock::Server;
use vouchsafe::astakos::{
    ApplicationAction, Client, CommissionAction, CommissionRequest, DefaultProject, Feedback,
    MembershipAction, ProjectAction, ProjectId, ProjectSpec, Result, Serial, TokenGrant,
};
use vouchsafe::core::Secret;

/// Another user's token.
pub const ACCESS: &str = "planted-access/of+somebody";
/// A code.
pub const CODE: &str = "planted-code/of+somebody";
/// A secret of an application.
pub const SECRET: &str = "planted-secret/of+app";

/// No client asks for it.
pub const NOT_ASKED: [&str; 1] = ["identity.getVersion"];

/// Calls one operation.
///
/// # Errors
///
/// Those of the call.
///
/// # Panics
///
/// If it is not known how the operation is called.
pub async fn call(client: &Client, id: &str) -> Result<()> {
    let project = Server::project();
    let number = ProjectId::from(7);
    let serial = Serial::new(1).unwrap();
    let spec = ProjectSpec::default();
    match id {
        "account.legacyUserInfo" => client.user_info().await.map(drop),
        "account.userCatalogs" => client.usernames(&["u"]).await.map(drop),
        "account.serviceUserCatalogs" => client.service_usernames(&["u"]).await.map(drop),
        "account.sendFeedback" => client.send_feedback(&Feedback::new("good", "")).await,
        "account.setDefaultProject" => {
            client
                .set_default_project(&DefaultProject::new(project))
                .await
        }
        "account.getResources" => client.resources().await.map(drop),
        "account.getQuotas" => client.quotas().await.map(drop),
        "account.serviceQuotas" => client.service_quotas().send().await.map(drop),
        "account.serviceProjectQuotas" => client.service_project_quotas().send().await.map(drop),
        "account.pendingCommissions" => client.pending_commissions().await.map(drop),
        "account.issueCommission" => {
            let request = CommissionRequest::raw([]);
            client.issue(&request).await.map(drop)
        }
        "account.resolveCommissions" => client.resolve(&[serial], &[]).await.map(drop),
        "account.commissionInfo" => client.commission(serial).await.map(drop),
        "account.commissionAction" => {
            let action = CommissionAction::Accept;
            client.commission_action(serial, action).await.map(drop)
        }
        "account.listProjects" => client.projects().send().await.map(drop),
        "account.createProject" => client.create_project(&spec).await.map(drop),
        "account.getProject" => client.project(project).await.map(drop),
        "account.legacyModifyProject" => client.modify_project(number, &spec).await.map(drop),
        "account.modifyProject" => client.modify_project(project, &spec).await.map(drop),
        "account.projectAction" => {
            let action = ProjectAction::Suspend;
            client.project_action(project, action, "").await
        }
        "account.listMemberships" => client.memberships().send().await.map(drop),
        "account.createMembership" => client.join_project(project).await.map(drop),
        "account.getMembership" => client.membership(1).await.map(drop),
        "account.membershipAction" => {
            let action = MembershipAction::Accept;
            client.membership_action(1, &action, "").await
        }
        "account.legacyApplications" => client.legacy_applications(None).await.map(drop),
        "account.legacyApplication" => client.legacy_application(9).await.map(drop),
        "account.legacyApplicationAction" => {
            let action = ApplicationAction::Approve;
            client.application_action(number, 9, action, "").await
        }
        "identity.authenticate" => client.authenticate(None).await.map(drop),
        "identity.validateToken" => {
            let access = Secret::from(ACCESS);
            client.validate_token(&access).send().await.map(drop)
        }
        "oauth2.token" => {
            let grant = TokenGrant::authorization_code(CODE);
            let secret = Secret::from(SECRET);
            client.oauth2_token("app", &secret, &grant).await.map(drop)
        }
        "ui.getServices" => client.services().await.map(drop),
        _ => panic!("tell here how {id} is called"),
    }
}

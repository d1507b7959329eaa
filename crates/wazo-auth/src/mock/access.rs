//! The access that each operation needs (protocol section 9).

use crate::acl::AccessTemplate;
use crate::generated::wazo_auth::routes::Op;

/// Returns the access, with placeholders for path parameters; `None` if no token is needed in the
/// header.
pub(super) fn needed(op: Op) -> Option<&'static str> {
    Some(match op {
        Op::ListUserRefreshTokens => "auth.users.{user_uuid}.tokens.read",
        Op::DeleteUserRefreshToken => "auth.users.{user_uuid}.tokens.{client_id}.delete",
        Op::ListOwnRefreshTokens => "auth.users.me.tokens.read",
        Op::DeleteOwnRefreshToken => "auth.users.me.tokens.{client_id}.delete",
        Op::ListRefreshTokens => "auth.tokens.read",
        Op::AddAclTemplate | Op::RemoveAclTemplate => "auth.policies.{policy_id}.edit",
        Op::ListPolicies => "auth.policies.read",
        Op::CreatePolicy => "auth.policies.create",
        Op::GetPolicy => "auth.policies.{policy_id}.read",
        Op::EditPolicy | Op::AddAccess | Op::RemoveAccess => "auth.policies.{policy_id}.update",
        Op::DeletePolicy => "auth.policies.{policy_id}.delete",
        Op::ListUsers => "auth.users.read",
        Op::CreateUser => "auth.users.create",
        Op::GetUser => "auth.users.{user_uuid}.read",
        Op::EditUser => "auth.users.{user_uuid}.update",
        Op::DeleteUser => "auth.users.{user_uuid}.delete",
        Op::ChangePassword => "auth.users.{user_uuid}.password.update",
        Op::UpdateEmails => "auth.users.{user_uuid}.emails.update",
        Op::RequestConfirmation => "auth.users.{user_uuid}.emails.{email_uuid}.confirm.read",
        Op::ListUserPolicies => "auth.users.{user_uuid}.policies.read",
        Op::AddUserPolicy => "auth.users.{user_uuid}.policies.{policy_id}.create",
        Op::RemoveUserPolicy => "auth.users.{user_uuid}.policies.{policy_id}.delete",
        Op::ListUserGroups => "auth.users.{user_uuid}.groups.read",
        Op::ListUserSessions => "auth.users.{user_uuid}.sessions.read",
        Op::DeleteUserSession => "auth.users.{user_uuid}.sessions.{session_uuid}.delete",
        Op::UpdateEmailsAsAdmin => "auth.admin.users.{user_uuid}.emails.update",
        Op::ConfirmEmail | Op::ConfirmEmailByLink => "auth.emails.{email_uuid}.confirm.update",
        Op::ListGroups => "auth.groups.read",
        Op::CreateGroup => "auth.groups.create",
        Op::GetGroup => "auth.groups.{group_uuid}.read",
        Op::EditGroup => "auth.groups.{group_uuid}.update",
        Op::DeleteGroup => "auth.groups.{group_uuid}.delete",
        Op::ListGroupUsers => "auth.groups.{group_uuid}.users.read",
        Op::AddGroupUser => "auth.groups.{group_uuid}.users.{user_uuid}.create",
        Op::RemoveGroupUser => "auth.groups.{group_uuid}.users.{user_uuid}.delete",
        Op::ListGroupPolicies => "auth.groups.{group_uuid}.policies.read",
        Op::AddGroupPolicy => "auth.groups.{group_uuid}.policies.{policy_id}.create",
        Op::RemoveGroupPolicy => "auth.groups.{group_uuid}.policies.{policy_id}.delete",
        Op::ListSessions => "auth.sessions.read",
        Op::DeleteSession => "auth.sessions.{session_uuid}.delete",
        Op::ListTenants => "auth.tenants.read",
        Op::CreateTenant => "auth.tenants.create",
        Op::GetTenant => "auth.tenants.{tenant_uuid}.read",
        Op::EditTenant => "auth.tenants.{tenant_uuid}.update",
        Op::DeleteTenant => "auth.tenants.{tenant_uuid}.delete",
        Op::ListTenantDomains => "auth.tenants.{tenant_uuid}.domains.read",
        Op::MoveTenant => "auth.tenants.{tenant_uuid}.parent.{parent_uuid}.update",
        Op::ListExternal => "auth.users.{user_uuid}.external.read",
        Op::CreateMobile => "auth.users.{user_uuid}.external.mobile.create",
        Op::GetMobile => "auth.users.{user_uuid}.external.mobile.read",
        Op::UpdateMobile => "auth.users.{user_uuid}.external.mobile.update",
        Op::DeleteMobile => "auth.users.{user_uuid}.external.mobile.delete",
        Op::GetMobileSender => "auth.users.{user_uuid}.external.mobile.sender_id.read",
        Op::CreateGoogle => "auth.users.{user_uuid}.external.google.create",
        Op::GetGoogle => "auth.users.{user_uuid}.external.google.read",
        Op::DeleteGoogle => "auth.users.{user_uuid}.external.google.delete",
        Op::CreateMicrosoft => "auth.users.{user_uuid}.external.microsoft.create",
        Op::GetMicrosoft => "auth.users.{user_uuid}.external.microsoft.read",
        Op::DeleteMicrosoft => "auth.users.{user_uuid}.external.microsoft.delete",
        Op::CreateExternal => "auth.users.{user_uuid}.external.{auth_type}.create",
        Op::GetExternal => "auth.users.{user_uuid}.external.{auth_type}.read",
        Op::UpdateExternal => "auth.users.{user_uuid}.external.{auth_type}.update",
        Op::DeleteExternal => "auth.users.{user_uuid}.external.{auth_type}.delete",
        Op::ListConnectedUsers => "auth.{auth_type}.external.users.read",
        Op::GetExternalConfig => "auth.{auth_type}.external.config.read",
        Op::CreateExternalConfig => "auth.{auth_type}.external.config.create",
        Op::UpdateExternalConfig => "auth.{auth_type}.external.config.update",
        Op::DeleteExternalConfig => "auth.{auth_type}.external.config.delete",
        Op::ListIdps => "auth.idp.read",
        Op::AddIdpUsers => "auth.idp.{idp_type}.users.update",
        Op::AddIdpUser => "auth.idp.{idp_type}.users.{user_uuid}.create",
        Op::RemoveIdpUser => "auth.idp.{idp_type}.users.{user_uuid}.delete",
        Op::GetLdapConfig => "auth.backends.ldap.read",
        Op::UpdateLdapConfig => "auth.backends.ldap.update",
        Op::DeleteLdapConfig => "auth.backends.ldap.delete",
        Op::GetSamlConfig | Op::GetAcsTemplate | Op::GetSamlMetadata => "auth.backends.saml.read",
        Op::CreateSamlConfig => "auth.backends.saml.create",
        Op::UpdateSamlConfig => "auth.backends.saml.update",
        Op::DeleteSamlConfig => "auth.backends.saml.delete",
        Op::GetConfig => "auth.config.read",
        Op::PatchConfig => "auth.config.update",
        Op::Initialize
        | Op::CreateToken
        | Op::GetToken
        | Op::CheckToken
        | Op::RevokeToken
        | Op::CheckScopes
        | Op::ListBackends
        | Op::CheckStatus
        | Op::RegisterUser
        | Op::RequestPasswordReset
        // Its token may be in the query, so its own code checks it.
        | Op::ResetPassword
        | Op::StartSaml
        | Op::FinishSaml
        | Op::EndSaml => {
            return None;
        }
    })
}

/// Fills the parameters of a path in.
pub(super) fn fill(access: &str, path: &str, params: &[String]) -> Option<String> {
    let template: AccessTemplate = access.parse().ok()?;
    let names = path
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{'));
    let names = names.filter_map(|segment| segment.strip_suffix('}'));
    let pairs: Vec<_> = names.zip(params).collect();
    template.fill(|name| {
        let pair = pairs.iter().find(|(known, _)| *known == name);
        pair.map(|(_, value)| value.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_in_a_parameter_starts_no_segment() {
        let params = ["a.b".to_owned(), "u".to_owned()];
        let access = fill("auth.{x}.of.{y}.read", "/0.1/{x}/{y}", &params);
        assert_eq!(access.as_deref(), Some("auth.a_b.of.u.read"));
    }

    #[test]
    fn every_access_has_only_parameters_of_its_path() {
        for route in crate::generated::wazo_auth::routes::ROUTES {
            let params = vec!["x".to_owned(); route.path.matches('{').count()];
            if let Some(access) = needed(route.op) {
                assert!(fill(access, route.path, &params).is_some(), "{access}");
            }
        }
    }
}

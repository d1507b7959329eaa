// Made by `cargo xtask codegen` from crates/wazo-auth/api/wazo-auth.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The routes of the emulator.

use http::Method;
use vouchsafe_core::mock::route::{self, Found, Route};

use super::operations;

/// The operations with their full paths on the server.
pub(crate) static ROUTES: &[Route<Op>] = &[
    Route {
        op: Op::CreateToken,
        operation: &operations::CREATE_TOKEN,
        path: "/0.1/token",
    },
    Route {
        op: Op::GetToken,
        operation: &operations::GET_TOKEN,
        path: "/0.1/token/{token}",
    },
    Route {
        op: Op::CheckToken,
        operation: &operations::CHECK_TOKEN,
        path: "/0.1/token/{token}",
    },
    Route {
        op: Op::RevokeToken,
        operation: &operations::REVOKE_TOKEN,
        path: "/0.1/token/{token}",
    },
    Route {
        op: Op::CheckScopes,
        operation: &operations::CHECK_SCOPES,
        path: "/0.1/token/{token}/scopes/check",
    },
    Route {
        op: Op::ListUserRefreshTokens,
        operation: &operations::LIST_USER_REFRESH_TOKENS,
        path: "/0.1/users/{user_uuid}/tokens",
    },
    Route {
        op: Op::DeleteUserRefreshToken,
        operation: &operations::DELETE_USER_REFRESH_TOKEN,
        path: "/0.1/users/{user_uuid}/tokens/{client_id}",
    },
    Route {
        op: Op::ListOwnRefreshTokens,
        operation: &operations::LIST_OWN_REFRESH_TOKENS,
        path: "/0.1/users/me/tokens",
    },
    Route {
        op: Op::DeleteOwnRefreshToken,
        operation: &operations::DELETE_OWN_REFRESH_TOKEN,
        path: "/0.1/users/me/tokens/{client_id}",
    },
    Route {
        op: Op::ListRefreshTokens,
        operation: &operations::LIST_REFRESH_TOKENS,
        path: "/0.1/tokens",
    },
    Route {
        op: Op::ListBackends,
        operation: &operations::LIST_BACKENDS,
        path: "/0.1/backends",
    },
    Route {
        op: Op::CheckStatus,
        operation: &operations::CHECK_STATUS,
        path: "/0.1/status",
    },
    Route {
        op: Op::ListPolicies,
        operation: &operations::LIST_POLICIES,
        path: "/0.1/policies",
    },
    Route {
        op: Op::CreatePolicy,
        operation: &operations::CREATE_POLICY,
        path: "/0.1/policies",
    },
    Route {
        op: Op::GetPolicy,
        operation: &operations::GET_POLICY,
        path: "/0.1/policies/{policy_id}",
    },
    Route {
        op: Op::EditPolicy,
        operation: &operations::EDIT_POLICY,
        path: "/0.1/policies/{policy_id}",
    },
    Route {
        op: Op::DeletePolicy,
        operation: &operations::DELETE_POLICY,
        path: "/0.1/policies/{policy_id}",
    },
    Route {
        op: Op::AddAccess,
        operation: &operations::ADD_ACCESS,
        path: "/0.1/policies/{policy_id}/acl/{access}",
    },
    Route {
        op: Op::RemoveAccess,
        operation: &operations::REMOVE_ACCESS,
        path: "/0.1/policies/{policy_id}/acl/{access}",
    },
    Route {
        op: Op::AddAclTemplate,
        operation: &operations::ADD_ACL_TEMPLATE,
        path: "/0.1/policies/{policy_id}/acl_templates/{access}",
    },
    Route {
        op: Op::RemoveAclTemplate,
        operation: &operations::REMOVE_ACL_TEMPLATE,
        path: "/0.1/policies/{policy_id}/acl_templates/{access}",
    },
    Route {
        op: Op::ListUsers,
        operation: &operations::LIST_USERS,
        path: "/0.1/users",
    },
    Route {
        op: Op::CreateUser,
        operation: &operations::CREATE_USER,
        path: "/0.1/users",
    },
    Route {
        op: Op::RegisterUser,
        operation: &operations::REGISTER_USER,
        path: "/0.1/users/register",
    },
    Route {
        op: Op::GetUser,
        operation: &operations::GET_USER,
        path: "/0.1/users/{user_uuid}",
    },
    Route {
        op: Op::EditUser,
        operation: &operations::EDIT_USER,
        path: "/0.1/users/{user_uuid}",
    },
    Route {
        op: Op::DeleteUser,
        operation: &operations::DELETE_USER,
        path: "/0.1/users/{user_uuid}",
    },
    Route {
        op: Op::ChangePassword,
        operation: &operations::CHANGE_PASSWORD,
        path: "/0.1/users/{user_uuid}/password",
    },
    Route {
        op: Op::RequestPasswordReset,
        operation: &operations::REQUEST_PASSWORD_RESET,
        path: "/0.1/users/password/reset",
    },
    Route {
        op: Op::ResetPassword,
        operation: &operations::RESET_PASSWORD,
        path: "/0.1/users/password/reset",
    },
    Route {
        op: Op::UpdateEmails,
        operation: &operations::UPDATE_EMAILS,
        path: "/0.1/users/{user_uuid}/emails",
    },
    Route {
        op: Op::RequestConfirmation,
        operation: &operations::REQUEST_CONFIRMATION,
        path: "/0.1/users/{user_uuid}/emails/{email_uuid}/confirm",
    },
    Route {
        op: Op::ListUserPolicies,
        operation: &operations::LIST_USER_POLICIES,
        path: "/0.1/users/{user_uuid}/policies",
    },
    Route {
        op: Op::AddUserPolicy,
        operation: &operations::ADD_USER_POLICY,
        path: "/0.1/users/{user_uuid}/policies/{policy_id}",
    },
    Route {
        op: Op::RemoveUserPolicy,
        operation: &operations::REMOVE_USER_POLICY,
        path: "/0.1/users/{user_uuid}/policies/{policy_id}",
    },
    Route {
        op: Op::ListUserGroups,
        operation: &operations::LIST_USER_GROUPS,
        path: "/0.1/users/{user_uuid}/groups",
    },
    Route {
        op: Op::ListUserSessions,
        operation: &operations::LIST_USER_SESSIONS,
        path: "/0.1/users/{user_uuid}/sessions",
    },
    Route {
        op: Op::DeleteUserSession,
        operation: &operations::DELETE_USER_SESSION,
        path: "/0.1/users/{user_uuid}/sessions/{session_uuid}",
    },
    Route {
        op: Op::UpdateEmailsAsAdmin,
        operation: &operations::UPDATE_EMAILS_AS_ADMIN,
        path: "/0.1/admin/users/{user_uuid}/emails",
    },
    Route {
        op: Op::ConfirmEmailByLink,
        operation: &operations::CONFIRM_EMAIL_BY_LINK,
        path: "/0.1/emails/{email_uuid}/confirm",
    },
    Route {
        op: Op::ConfirmEmail,
        operation: &operations::CONFIRM_EMAIL,
        path: "/0.1/emails/{email_uuid}/confirm",
    },
    Route {
        op: Op::ListGroups,
        operation: &operations::LIST_GROUPS,
        path: "/0.1/groups",
    },
    Route {
        op: Op::CreateGroup,
        operation: &operations::CREATE_GROUP,
        path: "/0.1/groups",
    },
    Route {
        op: Op::GetGroup,
        operation: &operations::GET_GROUP,
        path: "/0.1/groups/{group_uuid}",
    },
    Route {
        op: Op::EditGroup,
        operation: &operations::EDIT_GROUP,
        path: "/0.1/groups/{group_uuid}",
    },
    Route {
        op: Op::DeleteGroup,
        operation: &operations::DELETE_GROUP,
        path: "/0.1/groups/{group_uuid}",
    },
    Route {
        op: Op::ListGroupUsers,
        operation: &operations::LIST_GROUP_USERS,
        path: "/0.1/groups/{group_uuid}/users",
    },
    Route {
        op: Op::AddGroupUser,
        operation: &operations::ADD_GROUP_USER,
        path: "/0.1/groups/{group_uuid}/users/{user_uuid}",
    },
    Route {
        op: Op::RemoveGroupUser,
        operation: &operations::REMOVE_GROUP_USER,
        path: "/0.1/groups/{group_uuid}/users/{user_uuid}",
    },
    Route {
        op: Op::ListGroupPolicies,
        operation: &operations::LIST_GROUP_POLICIES,
        path: "/0.1/groups/{group_uuid}/policies",
    },
    Route {
        op: Op::AddGroupPolicy,
        operation: &operations::ADD_GROUP_POLICY,
        path: "/0.1/groups/{group_uuid}/policies/{policy_id}",
    },
    Route {
        op: Op::RemoveGroupPolicy,
        operation: &operations::REMOVE_GROUP_POLICY,
        path: "/0.1/groups/{group_uuid}/policies/{policy_id}",
    },
    Route {
        op: Op::ListSessions,
        operation: &operations::LIST_SESSIONS,
        path: "/0.1/sessions",
    },
    Route {
        op: Op::DeleteSession,
        operation: &operations::DELETE_SESSION,
        path: "/0.1/sessions/{session_uuid}",
    },
    Route {
        op: Op::ListTenants,
        operation: &operations::LIST_TENANTS,
        path: "/0.1/tenants",
    },
    Route {
        op: Op::CreateTenant,
        operation: &operations::CREATE_TENANT,
        path: "/0.1/tenants",
    },
    Route {
        op: Op::GetTenant,
        operation: &operations::GET_TENANT,
        path: "/0.1/tenants/{tenant_uuid}",
    },
    Route {
        op: Op::EditTenant,
        operation: &operations::EDIT_TENANT,
        path: "/0.1/tenants/{tenant_uuid}",
    },
    Route {
        op: Op::DeleteTenant,
        operation: &operations::DELETE_TENANT,
        path: "/0.1/tenants/{tenant_uuid}",
    },
    Route {
        op: Op::ListTenantDomains,
        operation: &operations::LIST_TENANT_DOMAINS,
        path: "/0.1/tenants/{tenant_uuid}/domains",
    },
    Route {
        op: Op::MoveTenant,
        operation: &operations::MOVE_TENANT,
        path: "/0.1/tenants/{tenant_uuid}/parent/{parent_uuid}",
    },
    Route {
        op: Op::ListExternal,
        operation: &operations::LIST_EXTERNAL,
        path: "/0.1/users/{user_uuid}/external",
    },
    Route {
        op: Op::GetMobile,
        operation: &operations::GET_MOBILE,
        path: "/0.1/users/{user_uuid}/external/mobile",
    },
    Route {
        op: Op::CreateMobile,
        operation: &operations::CREATE_MOBILE,
        path: "/0.1/users/{user_uuid}/external/mobile",
    },
    Route {
        op: Op::UpdateMobile,
        operation: &operations::UPDATE_MOBILE,
        path: "/0.1/users/{user_uuid}/external/mobile",
    },
    Route {
        op: Op::DeleteMobile,
        operation: &operations::DELETE_MOBILE,
        path: "/0.1/users/{user_uuid}/external/mobile",
    },
    Route {
        op: Op::GetMobileSender,
        operation: &operations::GET_MOBILE_SENDER,
        path: "/0.1/users/{user_uuid}/external/mobile/sender_id",
    },
    Route {
        op: Op::GetGoogle,
        operation: &operations::GET_GOOGLE,
        path: "/0.1/users/{user_uuid}/external/google",
    },
    Route {
        op: Op::CreateGoogle,
        operation: &operations::CREATE_GOOGLE,
        path: "/0.1/users/{user_uuid}/external/google",
    },
    Route {
        op: Op::DeleteGoogle,
        operation: &operations::DELETE_GOOGLE,
        path: "/0.1/users/{user_uuid}/external/google",
    },
    Route {
        op: Op::GetMicrosoft,
        operation: &operations::GET_MICROSOFT,
        path: "/0.1/users/{user_uuid}/external/microsoft",
    },
    Route {
        op: Op::CreateMicrosoft,
        operation: &operations::CREATE_MICROSOFT,
        path: "/0.1/users/{user_uuid}/external/microsoft",
    },
    Route {
        op: Op::DeleteMicrosoft,
        operation: &operations::DELETE_MICROSOFT,
        path: "/0.1/users/{user_uuid}/external/microsoft",
    },
    Route {
        op: Op::GetExternal,
        operation: &operations::GET_EXTERNAL,
        path: "/0.1/users/{user_uuid}/external/{auth_type}",
    },
    Route {
        op: Op::CreateExternal,
        operation: &operations::CREATE_EXTERNAL,
        path: "/0.1/users/{user_uuid}/external/{auth_type}",
    },
    Route {
        op: Op::UpdateExternal,
        operation: &operations::UPDATE_EXTERNAL,
        path: "/0.1/users/{user_uuid}/external/{auth_type}",
    },
    Route {
        op: Op::DeleteExternal,
        operation: &operations::DELETE_EXTERNAL,
        path: "/0.1/users/{user_uuid}/external/{auth_type}",
    },
    Route {
        op: Op::ListConnectedUsers,
        operation: &operations::LIST_CONNECTED_USERS,
        path: "/0.1/external/{auth_type}/users",
    },
    Route {
        op: Op::GetExternalConfig,
        operation: &operations::GET_EXTERNAL_CONFIG,
        path: "/0.1/external/{auth_type}/config",
    },
    Route {
        op: Op::CreateExternalConfig,
        operation: &operations::CREATE_EXTERNAL_CONFIG,
        path: "/0.1/external/{auth_type}/config",
    },
    Route {
        op: Op::UpdateExternalConfig,
        operation: &operations::UPDATE_EXTERNAL_CONFIG,
        path: "/0.1/external/{auth_type}/config",
    },
    Route {
        op: Op::DeleteExternalConfig,
        operation: &operations::DELETE_EXTERNAL_CONFIG,
        path: "/0.1/external/{auth_type}/config",
    },
    Route {
        op: Op::ListIdps,
        operation: &operations::LIST_IDPS,
        path: "/0.1/idp",
    },
    Route {
        op: Op::AddIdpUsers,
        operation: &operations::ADD_IDP_USERS,
        path: "/0.1/idp/{idp_type}/users",
    },
    Route {
        op: Op::AddIdpUser,
        operation: &operations::ADD_IDP_USER,
        path: "/0.1/idp/{idp_type}/users/{user_uuid}",
    },
    Route {
        op: Op::RemoveIdpUser,
        operation: &operations::REMOVE_IDP_USER,
        path: "/0.1/idp/{idp_type}/users/{user_uuid}",
    },
    Route {
        op: Op::GetLdapConfig,
        operation: &operations::GET_LDAP_CONFIG,
        path: "/0.1/backends/ldap",
    },
    Route {
        op: Op::UpdateLdapConfig,
        operation: &operations::UPDATE_LDAP_CONFIG,
        path: "/0.1/backends/ldap",
    },
    Route {
        op: Op::DeleteLdapConfig,
        operation: &operations::DELETE_LDAP_CONFIG,
        path: "/0.1/backends/ldap",
    },
    Route {
        op: Op::GetSamlConfig,
        operation: &operations::GET_SAML_CONFIG,
        path: "/0.1/backends/saml",
    },
    Route {
        op: Op::CreateSamlConfig,
        operation: &operations::CREATE_SAML_CONFIG,
        path: "/0.1/backends/saml",
    },
    Route {
        op: Op::UpdateSamlConfig,
        operation: &operations::UPDATE_SAML_CONFIG,
        path: "/0.1/backends/saml",
    },
    Route {
        op: Op::DeleteSamlConfig,
        operation: &operations::DELETE_SAML_CONFIG,
        path: "/0.1/backends/saml",
    },
    Route {
        op: Op::GetAcsTemplate,
        operation: &operations::GET_ACS_TEMPLATE,
        path: "/0.1/backends/saml/acs_url_template",
    },
    Route {
        op: Op::GetSamlMetadata,
        operation: &operations::GET_SAML_METADATA,
        path: "/0.1/backends/saml/metadata",
    },
    Route {
        op: Op::StartSaml,
        operation: &operations::START_SAML,
        path: "/0.1/saml/sso",
    },
    Route {
        op: Op::FinishSaml,
        operation: &operations::FINISH_SAML,
        path: "/0.1/saml/acs",
    },
    Route {
        op: Op::EndSaml,
        operation: &operations::END_SAML,
        path: "/0.1/saml/logout",
    },
    Route {
        op: Op::GetConfig,
        operation: &operations::GET_CONFIG,
        path: "/0.1/config",
    },
    Route {
        op: Op::PatchConfig,
        operation: &operations::PATCH_CONFIG,
        path: "/0.1/config",
    },
    Route {
        op: Op::Initialize,
        operation: &operations::INITIALIZE,
        path: "/0.1/init",
    },
];

/// The operations, to match on, so that a new one cannot be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Logs in and returns a new token.
    CreateToken,
    /// Returns a token.
    GetToken,
    /// Checks that a token is valid and that it covers an access and belongs to a tenant, if these
    /// are set.
    CheckToken,
    /// Ends a token and its session.
    RevokeToken,
    /// Returns for each of several accesses whether a token covers it.
    CheckScopes,
    /// Returns the refresh tokens of a user.
    ListUserRefreshTokens,
    /// Deletes a refresh token of a user.
    DeleteUserRefreshToken,
    /// Returns the refresh tokens of the user of the client's token.
    ListOwnRefreshTokens,
    /// Deletes a refresh token of the user of the client's token.
    DeleteOwnRefreshToken,
    /// Returns the refresh tokens of all users of a tenant.
    ListRefreshTokens,
    /// Returns the names of the loaded login backends, unordered.
    ListBackends,
    /// Checks that all components of the service work.
    CheckStatus,
    /// Returns policies.
    ListPolicies,
    /// Creates a policy.
    CreatePolicy,
    /// Returns a policy.
    GetPolicy,
    /// Replaces the name, the description and the accesses of a policy.
    EditPolicy,
    /// Deletes a policy.
    DeletePolicy,
    /// Adds an access to a policy.
    AddAccess,
    /// Removes an access from a policy.
    RemoveAccess,
    /// Adds an access to a policy.
    AddAclTemplate,
    /// Removes an access from a policy.
    RemoveAclTemplate,
    /// Returns users.
    ListUsers,
    /// Creates a user.
    CreateUser,
    /// Registers a user, in a new tenant.
    RegisterUser,
    /// Returns a user.
    GetUser,
    /// Replaces the data of a user.
    EditUser,
    /// Deletes a user.
    DeleteUser,
    /// Changes a password, given the old one.
    ChangePassword,
    /// Sends a message with a token for resetting the password to a user.
    RequestPasswordReset,
    /// Sets or removes the password of a user.
    ResetPassword,
    /// Replaces the addresses of a user, and returns them.
    UpdateEmails,
    /// Sends a message for confirming an address to a user.
    RequestConfirmation,
    /// Returns the policies of a user, without those of the user's groups.
    ListUserPolicies,
    /// Adds a policy to a user.
    AddUserPolicy,
    /// Removes a policy from a user.
    RemoveUserPolicy,
    /// Returns the groups of a user.
    ListUserGroups,
    /// Returns the sessions of a user.
    ListUserSessions,
    /// Ends a session of a user, and its token.
    DeleteUserSession,
    /// Replaces the addresses of a user, confirmed or not, and returns them.
    UpdateEmailsAsAdmin,
    /// Confirms an address by the link in a message.
    ConfirmEmailByLink,
    /// Confirms an address.
    ConfirmEmail,
    /// Returns groups.
    ListGroups,
    /// Creates a group.
    CreateGroup,
    /// Returns a group.
    GetGroup,
    /// Renames a group.
    EditGroup,
    /// Deletes a group.
    DeleteGroup,
    /// Returns the users of a group.
    ListGroupUsers,
    /// Adds a user to a group.
    AddGroupUser,
    /// Removes a user from a group.
    RemoveGroupUser,
    /// Returns the policies of a group.
    ListGroupPolicies,
    /// Adds a policy to a group.
    AddGroupPolicy,
    /// Removes a policy from a group.
    RemoveGroupPolicy,
    /// Returns sessions.
    ListSessions,
    /// Ends a session and its token.
    DeleteSession,
    /// Returns the tenant and all tenants below it.
    ListTenants,
    /// Creates a tenant below the tenant of the call.
    CreateTenant,
    /// Returns a tenant.
    GetTenant,
    /// Replaces the data of a tenant.
    EditTenant,
    /// Deletes a tenant and everything in it.
    DeleteTenant,
    /// Returns the domains of a tenant.
    ListTenantDomains,
    /// Moves a tenant below another one.
    MoveTenant,
    /// Returns the external services, and which of them a user is connected to.
    ListExternal,
    /// Returns the push tokens of a user's phone.
    GetMobile,
    /// Stores the push tokens of a user's phone.
    CreateMobile,
    /// Replaces the push tokens of a user's phone.
    UpdateMobile,
    /// Deletes the push tokens of a user's phone.
    DeleteMobile,
    /// Returns the id of the sender of push messages to the phone of a user, if one is configured.
    GetMobileSender,
    /// Returns a token of a user at Google, refreshed if it has expired.
    GetGoogle,
    /// Starts connecting a user to Google, and returns the URL where the user must consent.
    CreateGoogle,
    /// Disconnects a user from Google.
    DeleteGoogle,
    /// Returns a token of a user at Microsoft, refreshed if it has expired.
    GetMicrosoft,
    /// Starts connecting a user to Microsoft, and returns the URL where the user must consent.
    CreateMicrosoft,
    /// Disconnects a user from Microsoft.
    DeleteMicrosoft,
    /// Returns the data of a user's account at an external service of any type.
    GetExternal,
    /// Stores the data of a user's account at an external service of any type.
    CreateExternal,
    /// Replaces the data of a user's account at an external service of any type.
    UpdateExternal,
    /// Disconnects a user from an external service of any type.
    DeleteExternal,
    /// Returns the users that are connected to an external service.
    ListConnectedUsers,
    /// Returns the configuration of an external service.
    GetExternalConfig,
    /// Stores the configuration of an external service.
    CreateExternalConfig,
    /// Replaces the configuration of an external service.
    UpdateExternalConfig,
    /// Deletes the configuration of an external service.
    DeleteExternalConfig,
    /// Returns the names of the identity providers, which are the methods of authentication that
    /// users may have.
    ListIdps,
    /// Sets the authentication method of several users.
    AddIdpUsers,
    /// Sets the authentication method of a user.
    AddIdpUser,
    /// Takes a method of authentication from a user, which gets the default if it had this one.
    RemoveIdpUser,
    /// Returns the LDAP configuration of the tenant.
    GetLdapConfig,
    /// Sets the LDAP configuration of the tenant.
    UpdateLdapConfig,
    /// Deletes the LDAP configuration of the tenant.
    DeleteLdapConfig,
    /// Returns the SAML configuration of the tenant.
    GetSamlConfig,
    /// Stores the SAML configuration of the tenant.
    CreateSamlConfig,
    /// Changes the SAML configuration of the tenant.
    UpdateSamlConfig,
    /// Deletes the SAML configuration of the tenant.
    DeleteSamlConfig,
    /// Returns the URL that the identity provider sends its answers to, as a template.
    GetAcsTemplate,
    /// Returns the metadata of the tenant's identity provider, as XML.
    GetSamlMetadata,
    /// Starts a login through SAML, and returns the URL to send the user to.
    StartSaml,
    /// Forwards the answer of an identity provider, and returns the URL to send the user to.
    FinishSaml,
    /// Ends the client's token, and returns where to send the user to log out at the identity
    /// provider.
    EndSaml,
    /// Returns the whole configuration of the service, including secrets.
    GetConfig,
    /// Changes settings of the running service, and returns its whole configuration.
    PatchConfig,
    /// Creates the first user of an installation.
    Initialize,
}

/// Finds the operation of a method and a path.
#[allow(dead_code, reason = "an emulator of several dialects searches its own table")]
pub(crate) fn find(method: &Method, path: &str) -> Found<Op> {
    route::find(ROUTES, method, path)
}

// Made by `cargo xtask codegen` from crates/wazo-auth/api/wazo-auth.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The operations, in the form for the call pipeline.

use http::Method;
use vouchsafe_core::ErrorKind;
use vouchsafe_core::call::{Operation, Repeat, StatusRule};

/// Logs in and returns a new token.
pub(crate) static CREATE_TOKEN: Operation = Operation::new(
        "wazo-auth.createToken",
        Method::POST,
        "/token",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .open()
    .sensitive_answer()
    .status_rules(CREATE_TOKEN_STATUSES);

/// Returns a token.
pub(crate) static GET_TOKEN: Operation = Operation::new(
        "wazo-auth.getToken",
        Method::GET,
        "/token/{token}",
    )
    .repeat(Repeat::Safe)
    .open()
    .sensitive_path()
    .sensitive_answer()
    .status_rules(COMMON_STATUSES);

/// Checks that a token is valid and that it covers an access and belongs to a tenant, if these
/// are set.
pub(crate) static CHECK_TOKEN: Operation = Operation::new(
        "wazo-auth.checkToken",
        Method::HEAD,
        "/token/{token}",
    )
    .repeat(Repeat::Safe)
    .open()
    .sensitive_path()
    .status_rules(COMMON_STATUSES);

/// Ends a token and its session.
pub(crate) static REVOKE_TOKEN: Operation = Operation::new(
        "wazo-auth.revokeToken",
        Method::DELETE,
        "/token/{token}",
    )
    .repeat(Repeat::Safe)
    .open()
    .sensitive_path()
    .status_rules(COMMON_STATUSES);

/// Returns for each of several accesses whether a token covers it.
pub(crate) static CHECK_SCOPES: Operation = Operation::new(
        "wazo-auth.checkScopes",
        Method::POST,
        "/token/{token}/scopes/check",
    )
    .repeat(Repeat::Safe)
    .open()
    .sensitive_path()
    .status_rules(COMMON_STATUSES);

/// Returns the refresh tokens of a user.
pub(crate) static LIST_USER_REFRESH_TOKENS: Operation = Operation::new(
        "wazo-auth.listUserRefreshTokens",
        Method::GET,
        "/users/{user_uuid}/tokens",
    )
    .repeat(Repeat::Safe)
    .response_limit(64 << 20)
    .status_rules(COMMON_STATUSES);

/// Deletes a refresh token of a user.
pub(crate) static DELETE_USER_REFRESH_TOKEN: Operation = Operation::new(
        "wazo-auth.deleteUserRefreshToken",
        Method::DELETE,
        "/users/{user_uuid}/tokens/{client_id}",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Returns the refresh tokens of the user of the client's token.
pub(crate) static LIST_OWN_REFRESH_TOKENS: Operation = Operation::new(
        "wazo-auth.listOwnRefreshTokens",
        Method::GET,
        "/users/me/tokens",
    )
    .repeat(Repeat::Safe)
    .response_limit(64 << 20)
    .status_rules(COMMON_STATUSES);

/// Deletes a refresh token of the user of the client's token.
pub(crate) static DELETE_OWN_REFRESH_TOKEN: Operation = Operation::new(
        "wazo-auth.deleteOwnRefreshToken",
        Method::DELETE,
        "/users/me/tokens/{client_id}",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Returns the refresh tokens of all users of a tenant.
pub(crate) static LIST_REFRESH_TOKENS: Operation = Operation::new(
        "wazo-auth.listRefreshTokens",
        Method::GET,
        "/tokens",
    )
    .repeat(Repeat::Safe)
    .response_limit(64 << 20)
    .status_rules(COMMON_STATUSES);

/// Returns the names of the loaded login backends, unordered.
pub(crate) static LIST_BACKENDS: Operation = Operation::new(
        "wazo-auth.listBackends",
        Method::GET,
        "/backends",
    )
    .repeat(Repeat::Safe)
    .open()
    .status_rules(COMMON_STATUSES);

/// Checks that all components of the service work.
pub(crate) static CHECK_STATUS: Operation = Operation::new(
        "wazo-auth.checkStatus",
        Method::HEAD,
        "/status",
    )
    .repeat(Repeat::Safe)
    .open()
    .status_rules(COMMON_STATUSES);

/// Returns policies.
pub(crate) static LIST_POLICIES: Operation = Operation::new(
        "wazo-auth.listPolicies",
        Method::GET,
        "/policies",
    )
    .repeat(Repeat::Safe)
    .response_limit(64 << 20)
    .status_rules(COMMON_STATUSES);

/// Creates a policy.
pub(crate) static CREATE_POLICY: Operation = Operation::new(
        "wazo-auth.createPolicy",
        Method::POST,
        "/policies",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Returns a policy.
pub(crate) static GET_POLICY: Operation = Operation::new(
        "wazo-auth.getPolicy",
        Method::GET,
        "/policies/{policy_id}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Replaces the name, the description and the accesses of a policy.
pub(crate) static EDIT_POLICY: Operation = Operation::new(
        "wazo-auth.editPolicy",
        Method::PUT,
        "/policies/{policy_id}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Deletes a policy.
pub(crate) static DELETE_POLICY: Operation = Operation::new(
        "wazo-auth.deletePolicy",
        Method::DELETE,
        "/policies/{policy_id}",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Adds an access to a policy.
pub(crate) static ADD_ACCESS: Operation = Operation::new(
        "wazo-auth.addAccess",
        Method::PUT,
        "/policies/{policy_id}/acl/{access}",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Removes an access from a policy.
pub(crate) static REMOVE_ACCESS: Operation = Operation::new(
        "wazo-auth.removeAccess",
        Method::DELETE,
        "/policies/{policy_id}/acl/{access}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Adds an access to a policy.
pub(crate) static ADD_ACL_TEMPLATE: Operation = Operation::new(
        "wazo-auth.addAclTemplate",
        Method::PUT,
        "/policies/{policy_id}/acl_templates/{access}",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .dialect("before 21.05")
    .status_rules(COMMON_STATUSES);

/// Removes an access from a policy.
pub(crate) static REMOVE_ACL_TEMPLATE: Operation = Operation::new(
        "wazo-auth.removeAclTemplate",
        Method::DELETE,
        "/policies/{policy_id}/acl_templates/{access}",
    )
    .repeat(Repeat::Safe)
    .dialect("before 21.05")
    .status_rules(COMMON_STATUSES);

/// Returns users.
pub(crate) static LIST_USERS: Operation = Operation::new(
        "wazo-auth.listUsers",
        Method::GET,
        "/users",
    )
    .repeat(Repeat::Safe)
    .response_limit(64 << 20)
    .status_rules(COMMON_STATUSES);

/// Creates a user.
pub(crate) static CREATE_USER: Operation = Operation::new(
        "wazo-auth.createUser",
        Method::POST,
        "/users",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Registers a user, in a new tenant.
pub(crate) static REGISTER_USER: Operation = Operation::new(
        "wazo-auth.registerUser",
        Method::POST,
        "/users/register",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .open()
    .status_rules(COMMON_STATUSES);

/// Returns a user.
pub(crate) static GET_USER: Operation = Operation::new(
        "wazo-auth.getUser",
        Method::GET,
        "/users/{user_uuid}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Replaces the data of a user.
pub(crate) static EDIT_USER: Operation = Operation::new(
        "wazo-auth.editUser",
        Method::PUT,
        "/users/{user_uuid}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Deletes a user.
pub(crate) static DELETE_USER: Operation = Operation::new(
        "wazo-auth.deleteUser",
        Method::DELETE,
        "/users/{user_uuid}",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Changes a password, given the old one.
pub(crate) static CHANGE_PASSWORD: Operation = Operation::new(
        "wazo-auth.changePassword",
        Method::PUT,
        "/users/{user_uuid}/password",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(CHANGE_PASSWORD_STATUSES);

/// Sends a message with a token for resetting the password to a user.
pub(crate) static REQUEST_PASSWORD_RESET: Operation = Operation::new(
        "wazo-auth.requestPasswordReset",
        Method::GET,
        "/users/password/reset",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .open()
    .status_rules(COMMON_STATUSES);

/// Sets or removes the password of a user.
pub(crate) static RESET_PASSWORD: Operation = Operation::new(
        "wazo-auth.resetPassword",
        Method::POST,
        "/users/password/reset",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Replaces the addresses of a user, and returns them.
pub(crate) static UPDATE_EMAILS: Operation = Operation::new(
        "wazo-auth.updateEmails",
        Method::PUT,
        "/users/{user_uuid}/emails",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Sends a message for confirming an address to a user.
pub(crate) static REQUEST_CONFIRMATION: Operation = Operation::new(
        "wazo-auth.requestConfirmation",
        Method::GET,
        "/users/{user_uuid}/emails/{email_uuid}/confirm",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Returns the policies of a user, without those of the user's groups.
pub(crate) static LIST_USER_POLICIES: Operation = Operation::new(
        "wazo-auth.listUserPolicies",
        Method::GET,
        "/users/{user_uuid}/policies",
    )
    .repeat(Repeat::Safe)
    .response_limit(64 << 20)
    .status_rules(COMMON_STATUSES);

/// Adds a policy to a user.
pub(crate) static ADD_USER_POLICY: Operation = Operation::new(
        "wazo-auth.addUserPolicy",
        Method::PUT,
        "/users/{user_uuid}/policies/{policy_id}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Removes a policy from a user.
pub(crate) static REMOVE_USER_POLICY: Operation = Operation::new(
        "wazo-auth.removeUserPolicy",
        Method::DELETE,
        "/users/{user_uuid}/policies/{policy_id}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Returns the groups of a user.
pub(crate) static LIST_USER_GROUPS: Operation = Operation::new(
        "wazo-auth.listUserGroups",
        Method::GET,
        "/users/{user_uuid}/groups",
    )
    .repeat(Repeat::Safe)
    .response_limit(64 << 20)
    .status_rules(COMMON_STATUSES);

/// Returns the sessions of a user.
pub(crate) static LIST_USER_SESSIONS: Operation = Operation::new(
        "wazo-auth.listUserSessions",
        Method::GET,
        "/users/{user_uuid}/sessions",
    )
    .repeat(Repeat::Safe)
    .response_limit(64 << 20)
    .status_rules(COMMON_STATUSES);

/// Ends a session of a user, and its token.
pub(crate) static DELETE_USER_SESSION: Operation = Operation::new(
        "wazo-auth.deleteUserSession",
        Method::DELETE,
        "/users/{user_uuid}/sessions/{session_uuid}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Replaces the addresses of a user, confirmed or not, and returns them.
pub(crate) static UPDATE_EMAILS_AS_ADMIN: Operation = Operation::new(
        "wazo-auth.updateEmailsAsAdmin",
        Method::PUT,
        "/admin/users/{user_uuid}/emails",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Confirms an address by the link in a message.
#[cfg(feature = "mock")]
pub(crate) static CONFIRM_EMAIL_BY_LINK: Operation = Operation::new(
        "wazo-auth.confirmEmailByLink",
        Method::GET,
        "/0.1/emails/{email_uuid}/confirm",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Confirms an address.
pub(crate) static CONFIRM_EMAIL: Operation = Operation::new(
        "wazo-auth.confirmEmail",
        Method::PUT,
        "/emails/{email_uuid}/confirm",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Returns groups.
pub(crate) static LIST_GROUPS: Operation = Operation::new(
        "wazo-auth.listGroups",
        Method::GET,
        "/groups",
    )
    .repeat(Repeat::Safe)
    .response_limit(64 << 20)
    .status_rules(COMMON_STATUSES);

/// Creates a group.
pub(crate) static CREATE_GROUP: Operation = Operation::new(
        "wazo-auth.createGroup",
        Method::POST,
        "/groups",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Returns a group.
pub(crate) static GET_GROUP: Operation = Operation::new(
        "wazo-auth.getGroup",
        Method::GET,
        "/groups/{group_uuid}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Renames a group.
pub(crate) static EDIT_GROUP: Operation = Operation::new(
        "wazo-auth.editGroup",
        Method::PUT,
        "/groups/{group_uuid}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Deletes a group.
pub(crate) static DELETE_GROUP: Operation = Operation::new(
        "wazo-auth.deleteGroup",
        Method::DELETE,
        "/groups/{group_uuid}",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Returns the users of a group.
pub(crate) static LIST_GROUP_USERS: Operation = Operation::new(
        "wazo-auth.listGroupUsers",
        Method::GET,
        "/groups/{group_uuid}/users",
    )
    .repeat(Repeat::Safe)
    .response_limit(64 << 20)
    .status_rules(COMMON_STATUSES);

/// Adds a user to a group.
pub(crate) static ADD_GROUP_USER: Operation = Operation::new(
        "wazo-auth.addGroupUser",
        Method::PUT,
        "/groups/{group_uuid}/users/{user_uuid}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Removes a user from a group.
pub(crate) static REMOVE_GROUP_USER: Operation = Operation::new(
        "wazo-auth.removeGroupUser",
        Method::DELETE,
        "/groups/{group_uuid}/users/{user_uuid}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Returns the policies of a group.
pub(crate) static LIST_GROUP_POLICIES: Operation = Operation::new(
        "wazo-auth.listGroupPolicies",
        Method::GET,
        "/groups/{group_uuid}/policies",
    )
    .repeat(Repeat::Safe)
    .response_limit(64 << 20)
    .status_rules(COMMON_STATUSES);

/// Adds a policy to a group.
pub(crate) static ADD_GROUP_POLICY: Operation = Operation::new(
        "wazo-auth.addGroupPolicy",
        Method::PUT,
        "/groups/{group_uuid}/policies/{policy_id}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Removes a policy from a group.
pub(crate) static REMOVE_GROUP_POLICY: Operation = Operation::new(
        "wazo-auth.removeGroupPolicy",
        Method::DELETE,
        "/groups/{group_uuid}/policies/{policy_id}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Returns sessions.
pub(crate) static LIST_SESSIONS: Operation = Operation::new(
        "wazo-auth.listSessions",
        Method::GET,
        "/sessions",
    )
    .repeat(Repeat::Safe)
    .response_limit(64 << 20)
    .status_rules(COMMON_STATUSES);

/// Ends a session and its token.
pub(crate) static DELETE_SESSION: Operation = Operation::new(
        "wazo-auth.deleteSession",
        Method::DELETE,
        "/sessions/{session_uuid}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Returns the tenant and all tenants below it.
pub(crate) static LIST_TENANTS: Operation = Operation::new(
        "wazo-auth.listTenants",
        Method::GET,
        "/tenants",
    )
    .repeat(Repeat::Safe)
    .response_limit(64 << 20)
    .status_rules(COMMON_STATUSES);

/// Creates a tenant below the tenant of the call.
pub(crate) static CREATE_TENANT: Operation = Operation::new(
        "wazo-auth.createTenant",
        Method::POST,
        "/tenants",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(CREATE_TENANT_STATUSES);

/// Returns a tenant.
pub(crate) static GET_TENANT: Operation = Operation::new(
        "wazo-auth.getTenant",
        Method::GET,
        "/tenants/{tenant_uuid}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Replaces the data of a tenant.
pub(crate) static EDIT_TENANT: Operation = Operation::new(
        "wazo-auth.editTenant",
        Method::PUT,
        "/tenants/{tenant_uuid}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Deletes a tenant and everything in it.
pub(crate) static DELETE_TENANT: Operation = Operation::new(
        "wazo-auth.deleteTenant",
        Method::DELETE,
        "/tenants/{tenant_uuid}",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(DELETE_TENANT_STATUSES);

/// Returns the domains of a tenant.
pub(crate) static LIST_TENANT_DOMAINS: Operation = Operation::new(
        "wazo-auth.listTenantDomains",
        Method::GET,
        "/tenants/{tenant_uuid}/domains",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Moves a tenant below another one.
pub(crate) static MOVE_TENANT: Operation = Operation::new(
        "wazo-auth.moveTenant",
        Method::PUT,
        "/tenants/{tenant_uuid}/parent/{parent_uuid}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Returns the external services, and which of them a user is connected to.
pub(crate) static LIST_EXTERNAL: Operation = Operation::new(
        "wazo-auth.listExternal",
        Method::GET,
        "/users/{user_uuid}/external",
    )
    .repeat(Repeat::Safe)
    .response_limit(64 << 20)
    .status_rules(COMMON_STATUSES);

/// Returns the push tokens of a user's phone.
pub(crate) static GET_MOBILE: Operation = Operation::new(
        "wazo-auth.getMobile",
        Method::GET,
        "/users/{user_uuid}/external/mobile",
    )
    .repeat(Repeat::Safe)
    .sensitive_answer()
    .status_rules(COMMON_STATUSES);

/// Stores the push tokens of a user's phone.
pub(crate) static CREATE_MOBILE: Operation = Operation::new(
        "wazo-auth.createMobile",
        Method::POST,
        "/users/{user_uuid}/external/mobile",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .sensitive_answer()
    .status_rules(COMMON_STATUSES);

/// Replaces the push tokens of a user's phone.
pub(crate) static UPDATE_MOBILE: Operation = Operation::new(
        "wazo-auth.updateMobile",
        Method::PUT,
        "/users/{user_uuid}/external/mobile",
    )
    .repeat(Repeat::Safe)
    .sensitive_answer()
    .status_rules(COMMON_STATUSES);

/// Deletes the push tokens of a user's phone.
pub(crate) static DELETE_MOBILE: Operation = Operation::new(
        "wazo-auth.deleteMobile",
        Method::DELETE,
        "/users/{user_uuid}/external/mobile",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Returns the id of the sender of push messages to the phone of a user, if one is configured.
pub(crate) static GET_MOBILE_SENDER: Operation = Operation::new(
        "wazo-auth.getMobileSender",
        Method::GET,
        "/users/{user_uuid}/external/mobile/sender_id",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Returns a token of a user at Google, refreshed if it has expired.
pub(crate) static GET_GOOGLE: Operation = Operation::new(
        "wazo-auth.getGoogle",
        Method::GET,
        "/users/{user_uuid}/external/google",
    )
    .repeat(Repeat::Safe)
    .sensitive_answer()
    .status_rules(COMMON_STATUSES);

/// Starts connecting a user to Google, and returns the URL where the user must consent.
pub(crate) static CREATE_GOOGLE: Operation = Operation::new(
        "wazo-auth.createGoogle",
        Method::POST,
        "/users/{user_uuid}/external/google",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Disconnects a user from Google.
pub(crate) static DELETE_GOOGLE: Operation = Operation::new(
        "wazo-auth.deleteGoogle",
        Method::DELETE,
        "/users/{user_uuid}/external/google",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Returns a token of a user at Microsoft, refreshed if it has expired.
pub(crate) static GET_MICROSOFT: Operation = Operation::new(
        "wazo-auth.getMicrosoft",
        Method::GET,
        "/users/{user_uuid}/external/microsoft",
    )
    .repeat(Repeat::Safe)
    .sensitive_answer()
    .status_rules(COMMON_STATUSES);

/// Starts connecting a user to Microsoft, and returns the URL where the user must consent.
pub(crate) static CREATE_MICROSOFT: Operation = Operation::new(
        "wazo-auth.createMicrosoft",
        Method::POST,
        "/users/{user_uuid}/external/microsoft",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Disconnects a user from Microsoft.
pub(crate) static DELETE_MICROSOFT: Operation = Operation::new(
        "wazo-auth.deleteMicrosoft",
        Method::DELETE,
        "/users/{user_uuid}/external/microsoft",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Returns the data of a user's account at an external service of any type.
pub(crate) static GET_EXTERNAL: Operation = Operation::new(
        "wazo-auth.getExternal",
        Method::GET,
        "/users/{user_uuid}/external/{auth_type}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Stores the data of a user's account at an external service of any type.
pub(crate) static CREATE_EXTERNAL: Operation = Operation::new(
        "wazo-auth.createExternal",
        Method::POST,
        "/users/{user_uuid}/external/{auth_type}",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Replaces the data of a user's account at an external service of any type.
pub(crate) static UPDATE_EXTERNAL: Operation = Operation::new(
        "wazo-auth.updateExternal",
        Method::PUT,
        "/users/{user_uuid}/external/{auth_type}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Disconnects a user from an external service of any type.
pub(crate) static DELETE_EXTERNAL: Operation = Operation::new(
        "wazo-auth.deleteExternal",
        Method::DELETE,
        "/users/{user_uuid}/external/{auth_type}",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Returns the users that are connected to an external service.
pub(crate) static LIST_CONNECTED_USERS: Operation = Operation::new(
        "wazo-auth.listConnectedUsers",
        Method::GET,
        "/external/{auth_type}/users",
    )
    .repeat(Repeat::Safe)
    .response_limit(64 << 20)
    .status_rules(COMMON_STATUSES);

/// Returns the configuration of an external service.
pub(crate) static GET_EXTERNAL_CONFIG: Operation = Operation::new(
        "wazo-auth.getExternalConfig",
        Method::GET,
        "/external/{auth_type}/config",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Stores the configuration of an external service.
pub(crate) static CREATE_EXTERNAL_CONFIG: Operation = Operation::new(
        "wazo-auth.createExternalConfig",
        Method::POST,
        "/external/{auth_type}/config",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Replaces the configuration of an external service.
pub(crate) static UPDATE_EXTERNAL_CONFIG: Operation = Operation::new(
        "wazo-auth.updateExternalConfig",
        Method::PUT,
        "/external/{auth_type}/config",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Deletes the configuration of an external service.
pub(crate) static DELETE_EXTERNAL_CONFIG: Operation = Operation::new(
        "wazo-auth.deleteExternalConfig",
        Method::DELETE,
        "/external/{auth_type}/config",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Returns the names of the identity providers, which are the methods of authentication that
/// users may have.
pub(crate) static LIST_IDPS: Operation = Operation::new(
        "wazo-auth.listIdps",
        Method::GET,
        "/idp",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Sets the authentication method of several users.
pub(crate) static ADD_IDP_USERS: Operation = Operation::new(
        "wazo-auth.addIdpUsers",
        Method::PUT,
        "/idp/{idp_type}/users",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Sets the authentication method of a user.
pub(crate) static ADD_IDP_USER: Operation = Operation::new(
        "wazo-auth.addIdpUser",
        Method::PUT,
        "/idp/{idp_type}/users/{user_uuid}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Takes a method of authentication from a user, which gets the default if it had this one.
pub(crate) static REMOVE_IDP_USER: Operation = Operation::new(
        "wazo-auth.removeIdpUser",
        Method::DELETE,
        "/idp/{idp_type}/users/{user_uuid}",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Returns the LDAP configuration of the tenant.
pub(crate) static GET_LDAP_CONFIG: Operation = Operation::new(
        "wazo-auth.getLdapConfig",
        Method::GET,
        "/backends/ldap",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Sets the LDAP configuration of the tenant.
pub(crate) static UPDATE_LDAP_CONFIG: Operation = Operation::new(
        "wazo-auth.updateLdapConfig",
        Method::PUT,
        "/backends/ldap",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Deletes the LDAP configuration of the tenant.
pub(crate) static DELETE_LDAP_CONFIG: Operation = Operation::new(
        "wazo-auth.deleteLdapConfig",
        Method::DELETE,
        "/backends/ldap",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Returns the SAML configuration of the tenant.
pub(crate) static GET_SAML_CONFIG: Operation = Operation::new(
        "wazo-auth.getSamlConfig",
        Method::GET,
        "/backends/saml",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Stores the SAML configuration of the tenant.
pub(crate) static CREATE_SAML_CONFIG: Operation = Operation::new(
        "wazo-auth.createSamlConfig",
        Method::POST,
        "/backends/saml",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Changes the SAML configuration of the tenant.
pub(crate) static UPDATE_SAML_CONFIG: Operation = Operation::new(
        "wazo-auth.updateSamlConfig",
        Method::PUT,
        "/backends/saml",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Deletes the SAML configuration of the tenant.
pub(crate) static DELETE_SAML_CONFIG: Operation = Operation::new(
        "wazo-auth.deleteSamlConfig",
        Method::DELETE,
        "/backends/saml",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Returns the URL that the identity provider sends its answers to, as a template.
pub(crate) static GET_ACS_TEMPLATE: Operation = Operation::new(
        "wazo-auth.getAcsTemplate",
        Method::GET,
        "/backends/saml/acs_url_template",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Returns the metadata of the tenant's identity provider, as XML.
pub(crate) static GET_SAML_METADATA: Operation = Operation::new(
        "wazo-auth.getSamlMetadata",
        Method::GET,
        "/backends/saml/metadata",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Starts a login through SAML, and returns the URL to send the user to.
pub(crate) static START_SAML: Operation = Operation::new(
        "wazo-auth.startSaml",
        Method::POST,
        "/saml/sso",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .open()
    .sensitive_answer()
    .status_rules(COMMON_STATUSES);

/// Forwards the answer of an identity provider, and returns the URL to send the user to.
pub(crate) static FINISH_SAML: Operation = Operation::new(
        "wazo-auth.finishSaml",
        Method::POST,
        "/saml/acs",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .open()
    .answers(&[302])
    .status_rules(COMMON_STATUSES);

/// Ends the client's token, and returns where to send the user to log out at the identity
/// provider.
pub(crate) static END_SAML: Operation = Operation::new(
        "wazo-auth.endSaml",
        Method::GET,
        "/saml/logout",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Returns the whole configuration of the service, including secrets.
pub(crate) static GET_CONFIG: Operation = Operation::new(
        "wazo-auth.getConfig",
        Method::GET,
        "/config",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Changes settings of the running service, and returns its whole configuration.
pub(crate) static PATCH_CONFIG: Operation = Operation::new(
        "wazo-auth.patchConfig",
        Method::PATCH,
        "/config",
    )
    .repeat(Repeat::Safe)
    .status_rules(COMMON_STATUSES);

/// Creates the first user of an installation.
pub(crate) static INITIALIZE: Operation = Operation::new(
        "wazo-auth.initialize",
        Method::POST,
        "/init",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .open()
    .dialect("before 19.16")
    .status_rules(CREATE_TOKEN_STATUSES);

/// All operations, in the order of the description.
#[cfg(feature = "mock")]
#[allow(dead_code, reason = "for tests and tables that go through all of them")]
pub(crate) static ALL: &[&Operation] = &[
    &CREATE_TOKEN,
    &GET_TOKEN,
    &CHECK_TOKEN,
    &REVOKE_TOKEN,
    &CHECK_SCOPES,
    &LIST_USER_REFRESH_TOKENS,
    &DELETE_USER_REFRESH_TOKEN,
    &LIST_OWN_REFRESH_TOKENS,
    &DELETE_OWN_REFRESH_TOKEN,
    &LIST_REFRESH_TOKENS,
    &LIST_BACKENDS,
    &CHECK_STATUS,
    &LIST_POLICIES,
    &CREATE_POLICY,
    &GET_POLICY,
    &EDIT_POLICY,
    &DELETE_POLICY,
    &ADD_ACCESS,
    &REMOVE_ACCESS,
    &ADD_ACL_TEMPLATE,
    &REMOVE_ACL_TEMPLATE,
    &LIST_USERS,
    &CREATE_USER,
    &REGISTER_USER,
    &GET_USER,
    &EDIT_USER,
    &DELETE_USER,
    &CHANGE_PASSWORD,
    &REQUEST_PASSWORD_RESET,
    &RESET_PASSWORD,
    &UPDATE_EMAILS,
    &REQUEST_CONFIRMATION,
    &LIST_USER_POLICIES,
    &ADD_USER_POLICY,
    &REMOVE_USER_POLICY,
    &LIST_USER_GROUPS,
    &LIST_USER_SESSIONS,
    &DELETE_USER_SESSION,
    &UPDATE_EMAILS_AS_ADMIN,
    &CONFIRM_EMAIL_BY_LINK,
    &CONFIRM_EMAIL,
    &LIST_GROUPS,
    &CREATE_GROUP,
    &GET_GROUP,
    &EDIT_GROUP,
    &DELETE_GROUP,
    &LIST_GROUP_USERS,
    &ADD_GROUP_USER,
    &REMOVE_GROUP_USER,
    &LIST_GROUP_POLICIES,
    &ADD_GROUP_POLICY,
    &REMOVE_GROUP_POLICY,
    &LIST_SESSIONS,
    &DELETE_SESSION,
    &LIST_TENANTS,
    &CREATE_TENANT,
    &GET_TENANT,
    &EDIT_TENANT,
    &DELETE_TENANT,
    &LIST_TENANT_DOMAINS,
    &MOVE_TENANT,
    &LIST_EXTERNAL,
    &GET_MOBILE,
    &CREATE_MOBILE,
    &UPDATE_MOBILE,
    &DELETE_MOBILE,
    &GET_MOBILE_SENDER,
    &GET_GOOGLE,
    &CREATE_GOOGLE,
    &DELETE_GOOGLE,
    &GET_MICROSOFT,
    &CREATE_MICROSOFT,
    &DELETE_MICROSOFT,
    &GET_EXTERNAL,
    &CREATE_EXTERNAL,
    &UPDATE_EXTERNAL,
    &DELETE_EXTERNAL,
    &LIST_CONNECTED_USERS,
    &GET_EXTERNAL_CONFIG,
    &CREATE_EXTERNAL_CONFIG,
    &UPDATE_EXTERNAL_CONFIG,
    &DELETE_EXTERNAL_CONFIG,
    &LIST_IDPS,
    &ADD_IDP_USERS,
    &ADD_IDP_USER,
    &REMOVE_IDP_USER,
    &GET_LDAP_CONFIG,
    &UPDATE_LDAP_CONFIG,
    &DELETE_LDAP_CONFIG,
    &GET_SAML_CONFIG,
    &CREATE_SAML_CONFIG,
    &UPDATE_SAML_CONFIG,
    &DELETE_SAML_CONFIG,
    &GET_ACS_TEMPLATE,
    &GET_SAML_METADATA,
    &START_SAML,
    &FINISH_SAML,
    &END_SAML,
    &GET_CONFIG,
    &PATCH_CONFIG,
    &INITIALIZE,
];

static CREATE_TOKEN_STATUSES: &[StatusRule] = &[
    StatusRule::new(401, Some("not_found_or_expired"), ErrorKind::Credential),
    StatusRule::new(
        401,
        Some("missing_permission_or_invalid_tenant"),
        ErrorKind::Forbidden,
    ),
    StatusRule::new(401, Some("unauthorized-tenant"), ErrorKind::Forbidden),
    StatusRule::new(405, Some("password-managed-externally"), ErrorKind::Conflict),
    StatusRule::new(401, None, ErrorKind::Credential),
];

static COMMON_STATUSES: &[StatusRule] = &[
    StatusRule::new(401, Some("not_found_or_expired"), ErrorKind::Credential),
    StatusRule::new(
        401,
        Some("missing_permission_or_invalid_tenant"),
        ErrorKind::Forbidden,
    ),
    StatusRule::new(401, Some("unauthorized-tenant"), ErrorKind::Forbidden),
    StatusRule::new(405, Some("password-managed-externally"), ErrorKind::Conflict),
    StatusRule::new(401, None, ErrorKind::Forbidden),
];

static CHANGE_PASSWORD_STATUSES: &[StatusRule] = &[
    StatusRule::new(401, Some("not_found_or_expired"), ErrorKind::Credential),
    StatusRule::new(
        401,
        Some("missing_permission_or_invalid_tenant"),
        ErrorKind::Forbidden,
    ),
    StatusRule::new(401, Some("unauthorized-tenant"), ErrorKind::Forbidden),
    StatusRule::new(405, Some("password-managed-externally"), ErrorKind::Conflict),
    StatusRule::new(401, None, ErrorKind::Invalid),
];

static CREATE_TENANT_STATUSES: &[StatusRule] = &[
    StatusRule::new(403, Some("conflict"), ErrorKind::Conflict),
    StatusRule::new(401, Some("not_found_or_expired"), ErrorKind::Credential),
    StatusRule::new(
        401,
        Some("missing_permission_or_invalid_tenant"),
        ErrorKind::Forbidden,
    ),
    StatusRule::new(401, Some("unauthorized-tenant"), ErrorKind::Forbidden),
    StatusRule::new(405, Some("password-managed-externally"), ErrorKind::Conflict),
    StatusRule::new(401, None, ErrorKind::Forbidden),
];

static DELETE_TENANT_STATUSES: &[StatusRule] = &[
    StatusRule::new(401, Some("not_found_or_expired"), ErrorKind::Credential),
    StatusRule::new(
        401,
        Some("missing_permission_or_invalid_tenant"),
        ErrorKind::Forbidden,
    ),
    StatusRule::new(401, Some("unauthorized-tenant"), ErrorKind::Forbidden),
    StatusRule::new(405, Some("password-managed-externally"), ErrorKind::Conflict),
    StatusRule::new(400, None, ErrorKind::Conflict),
    StatusRule::new(401, None, ErrorKind::Forbidden),
];

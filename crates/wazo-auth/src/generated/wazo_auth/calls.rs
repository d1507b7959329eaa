// Made by `cargo xtask codegen` from crates/wazo-auth/api/wazo-auth.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Creates the call of each operation. Each value is encoded by itself, so it cannot escape
//! its place.

use http::HeaderName;
use vouchsafe_core::{Result, Secret};
use vouchsafe_core::call::{Call, Form, limits};
use vouchsafe_core::url::Target;

use super::{operations, wire};

/// The values of `createToken`.
#[derive(Clone, Debug, Default)]
pub(crate) struct CreateTokenParams {
    /// `mobile`, in upper or lower case, marks a session as mobile.
    pub(crate) session_type: Option<String>,
}

/// Logs in and returns a new token.
///
/// Needs a user name and a password as basic credentials, or a refresh token, or a session of
/// SAML.
pub(crate) fn create_token(
    params: &CreateTokenParams,
    body: &wire::Login,
) -> Result<Call> {
    let check = || -> Result<()> {
        body.check()?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::CREATE_TOKEN.id()))?;
    let target = Target::new("/token");
    let call = Call::new(&operations::CREATE_TOKEN, target);
    let call = match &params.session_type {
        Some(value) => call.header(HeaderName::from_static("wazo-session-type"), value)?,
        None => call,
    };
    call.secret_json(body)
}

/// The values of `getToken`.
#[derive(Clone, Debug, Default)]
pub(crate) struct GetTokenParams {
    /// Checks that the token covers an access, such as `auth.users.read`.
    pub(crate) required_access: Option<String>,
    /// Checks that the tenant of the token's user is this tenant or above it.
    pub(crate) tenant: Option<String>,
}

/// Returns a token.
///
/// The token itself is sufficient; no other credential is needed.
pub(crate) fn get_token(token: &Secret, params: &GetTokenParams) -> Result<Call> {
    let target = Target::new("/token/").segment("token", token.expose())?;
    let target = target.query_opt("scope", params.required_access.as_deref());
    let target = target.query_opt("tenant", params.tenant.as_deref());
    Ok(Call::new(&operations::GET_TOKEN, target).hide(token))
}

/// The values of `checkToken`.
#[derive(Clone, Debug, Default)]
pub(crate) struct CheckTokenParams {
    /// Checks that the token covers an access, such as `auth.users.read`.
    pub(crate) required_access: Option<String>,
    /// Checks that the tenant of the token's user is this tenant or above it.
    pub(crate) tenant: Option<String>,
}

/// Checks that a token is valid and that it covers an access and belongs to a tenant, if these
/// are set.
///
/// An error of another kind than those below means that the service could not be asked.
pub(crate) fn check_token(token: &Secret, params: &CheckTokenParams) -> Result<Call> {
    let target = Target::new("/token/").segment("token", token.expose())?;
    let target = target.query_opt("scope", params.required_access.as_deref());
    let target = target.query_opt("tenant", params.tenant.as_deref());
    Ok(Call::new(&operations::CHECK_TOKEN, target).hide(token))
}

/// Ends a token and its session.
///
/// The token itself is sufficient. Succeeds even if the token is unknown.
pub(crate) fn revoke_token(token: &Secret) -> Result<Call> {
    let target = Target::new("/token/").segment("token", token.expose())?;
    Ok(Call::new(&operations::REVOKE_TOKEN, target).hide(token))
}

/// Returns for each of several accesses whether a token covers it.
pub(crate) fn check_scopes(token: &Secret, body: &wire::ScopeCheck) -> Result<Call> {
    let target = Target::new("/token/")
        .segment("token", token.expose())?
        .literal("/scopes/check");
    Call::new(&operations::CHECK_SCOPES, target).hide(token).json(body)
}

/// The values of `listUserRefreshTokens`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListUserRefreshTokensParams {
    /// Words that must occur in this order, in upper or lower case.
    pub(crate) search: Option<String>,
    /// The direction to sort in. Default: ascending.
    pub(crate) direction: Option<wire::Direction>,
    /// How many items to return at most. Default: all.
    pub(crate) limit: Option<i64>,
    /// How many items to skip. Default: none.
    pub(crate) offset: Option<i64>,
    /// Whether to include the tenants below. Default: false.
    pub(crate) recurse: Option<bool>,
    /// The column to sort by. Default: by time of creation.
    pub(crate) order: Option<wire::RefreshTokenOrder>,
    /// Only the token of this client.
    pub(crate) client_id: Option<String>,
    /// Only tokens of mobile clients, or only others.
    pub(crate) mobile: Option<bool>,
    /// Only the token created at exactly this time.
    pub(crate) created_at: Option<String>,
}

/// Returns the refresh tokens of a user.
///
/// Needs the access `auth.users.{user_uuid}.tokens.read`.
pub(crate) fn list_user_refresh_tokens(
    user_uuid: &wire::UserUuid,
    params: &ListUserRefreshTokensParams,
) -> Result<Call> {
    let check = || -> Result<()> {
        if let Some(value) = &params.limit {
            limits::integer("limit", *value, Some(0), None)?;
        }
        if let Some(value) = &params.offset {
            limits::integer("offset", *value, Some(0), None)?;
        }
        Ok(())
    };
    check()
        .map_err(|fault| {
            fault.with_operation(operations::LIST_USER_REFRESH_TOKENS.id())
        })?;
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/tokens");
    let target = target.query_opt("search", params.search.as_deref());
    let target = target
        .query_opt("direction", params.direction.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt("limit", params.limit.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("offset", params.offset.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("recurse", params.recurse.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("order", params.order.as_ref().map(|value| value.as_str()));
    let target = target.query_opt("client_id", params.client_id.as_deref());
    let target = target
        .query_opt("mobile", params.mobile.map(|value| value.to_string()).as_deref());
    let target = target.query_opt("created_at", params.created_at.as_deref());
    Ok(Call::new(&operations::LIST_USER_REFRESH_TOKENS, target))
}

/// Deletes a refresh token of a user.
///
/// Tokens that were created with it stay valid.
///
/// Needs the access `auth.users.{user_uuid}.tokens.{client_id}.delete`.
pub(crate) fn delete_user_refresh_token(
    user_uuid: &wire::UserUuid,
    client_id: &str,
) -> Result<Call> {
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/tokens/")
        .segment("client_id", client_id)?;
    Ok(Call::new(&operations::DELETE_USER_REFRESH_TOKEN, target))
}

/// The values of `listOwnRefreshTokens`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListOwnRefreshTokensParams {
    /// Words that must occur in this order, in upper or lower case.
    pub(crate) search: Option<String>,
    /// The direction to sort in. Default: ascending.
    pub(crate) direction: Option<wire::Direction>,
    /// How many items to return at most. Default: all.
    pub(crate) limit: Option<i64>,
    /// How many items to skip. Default: none.
    pub(crate) offset: Option<i64>,
    /// Whether to include the tenants below. Default: false.
    pub(crate) recurse: Option<bool>,
    /// The column to sort by. Default: by time of creation.
    pub(crate) order: Option<wire::RefreshTokenOrder>,
    /// Only the token of this client.
    pub(crate) client_id: Option<String>,
    /// Only tokens of mobile clients, or only others.
    pub(crate) mobile: Option<bool>,
    /// Only the token created at exactly this time.
    pub(crate) created_at: Option<String>,
}

/// Returns the refresh tokens of the user of the client's token.
///
/// Needs the access `auth.users.me.tokens.read`.
pub(crate) fn list_own_refresh_tokens(
    params: &ListOwnRefreshTokensParams,
) -> Result<Call> {
    let check = || -> Result<()> {
        if let Some(value) = &params.limit {
            limits::integer("limit", *value, Some(0), None)?;
        }
        if let Some(value) = &params.offset {
            limits::integer("offset", *value, Some(0), None)?;
        }
        Ok(())
    };
    check()
        .map_err(|fault| {
            fault.with_operation(operations::LIST_OWN_REFRESH_TOKENS.id())
        })?;
    let target = Target::new("/users/me/tokens");
    let target = target.query_opt("search", params.search.as_deref());
    let target = target
        .query_opt("direction", params.direction.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt("limit", params.limit.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("offset", params.offset.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("recurse", params.recurse.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("order", params.order.as_ref().map(|value| value.as_str()));
    let target = target.query_opt("client_id", params.client_id.as_deref());
    let target = target
        .query_opt("mobile", params.mobile.map(|value| value.to_string()).as_deref());
    let target = target.query_opt("created_at", params.created_at.as_deref());
    Ok(Call::new(&operations::LIST_OWN_REFRESH_TOKENS, target))
}

/// Deletes a refresh token of the user of the client's token.
///
/// Tokens that were created with it stay valid.
///
/// Needs the access `auth.users.me.tokens.{client_id}.delete`.
pub(crate) fn delete_own_refresh_token(client_id: &str) -> Result<Call> {
    let target = Target::new("/users/me/tokens/").segment("client_id", client_id)?;
    Ok(Call::new(&operations::DELETE_OWN_REFRESH_TOKEN, target))
}

/// The values of `listRefreshTokens`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListRefreshTokensParams {
    /// Words that must occur in this order, in upper or lower case.
    pub(crate) search: Option<String>,
    /// The direction to sort in. Default: ascending.
    pub(crate) direction: Option<wire::Direction>,
    /// How many items to return at most. Default: all.
    pub(crate) limit: Option<i64>,
    /// How many items to skip. Default: none.
    pub(crate) offset: Option<i64>,
    /// Whether to include the tenants below. Default: false.
    pub(crate) recurse: Option<bool>,
    /// The column to sort by. Default: by time of creation.
    pub(crate) order: Option<wire::RefreshTokenOrder>,
    /// Only the token of this client.
    pub(crate) client_id: Option<String>,
    /// Only tokens of mobile clients, or only others.
    pub(crate) mobile: Option<bool>,
    /// Only the token created at exactly this time.
    pub(crate) created_at: Option<String>,
}

/// Returns the refresh tokens of all users of a tenant.
///
/// Needs the access `auth.tokens.read`.
pub(crate) fn list_refresh_tokens(params: &ListRefreshTokensParams) -> Result<Call> {
    let check = || -> Result<()> {
        if let Some(value) = &params.limit {
            limits::integer("limit", *value, Some(0), None)?;
        }
        if let Some(value) = &params.offset {
            limits::integer("offset", *value, Some(0), None)?;
        }
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::LIST_REFRESH_TOKENS.id()))?;
    let target = Target::new("/tokens");
    let target = target.query_opt("search", params.search.as_deref());
    let target = target
        .query_opt("direction", params.direction.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt("limit", params.limit.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("offset", params.offset.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("recurse", params.recurse.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("order", params.order.as_ref().map(|value| value.as_str()));
    let target = target.query_opt("client_id", params.client_id.as_deref());
    let target = target
        .query_opt("mobile", params.mobile.map(|value| value.to_string()).as_deref());
    let target = target.query_opt("created_at", params.created_at.as_deref());
    Ok(Call::new(&operations::LIST_REFRESH_TOKENS, target))
}

/// Returns the names of the loaded login backends, unordered.
pub(crate) fn list_backends() -> Result<Call> {
    let target = Target::new("/backends");
    Ok(Call::new(&operations::LIST_BACKENDS, target))
}

/// Checks that all components of the service work.
pub(crate) fn check_status() -> Result<Call> {
    let target = Target::new("/status");
    Ok(Call::new(&operations::CHECK_STATUS, target))
}

/// The values of `listPolicies`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListPoliciesParams {
    /// Words that must occur in this order, in upper or lower case.
    pub(crate) search: Option<String>,
    /// The direction to sort in. Default: ascending.
    pub(crate) direction: Option<wire::Direction>,
    /// How many items to return at most. Default: all.
    pub(crate) limit: Option<i64>,
    /// How many items to skip. Default: none.
    pub(crate) offset: Option<i64>,
    /// Whether to include the tenants below. Default: false.
    pub(crate) recurse: Option<bool>,
    /// The column to sort by. Default: by name.
    pub(crate) order: Option<wire::PolicyOrder>,
    /// Only policies that are read-only, or only others.
    pub(crate) read_only: Option<bool>,
    /// Only this policy.
    pub(crate) uuid: Option<wire::PolicyId>,
    /// Only the policy of this name.
    pub(crate) name: Option<String>,
    /// Only the policy with this slug.
    pub(crate) slug: Option<String>,
    /// Only policies of this user.
    pub(crate) user_uuid: Option<wire::UserUuid>,
    /// Only policies of this group.
    pub(crate) group_uuid: Option<wire::GroupUuid>,
    /// Only policies of this tenant.
    pub(crate) tenant_uuid: Option<wire::TenantUuid>,
}

/// Returns policies.
///
/// Besides those of the tenant these are the policies of the configuration and those that a
/// tenant above shares; both are read-only. The total counts all policies in scope, whatever
/// the filters.
///
/// Needs the access `auth.policies.read`.
pub(crate) fn list_policies(params: &ListPoliciesParams) -> Result<Call> {
    let check = || -> Result<()> {
        if let Some(value) = &params.limit {
            limits::integer("limit", *value, Some(0), None)?;
        }
        if let Some(value) = &params.offset {
            limits::integer("offset", *value, Some(0), None)?;
        }
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::LIST_POLICIES.id()))?;
    let target = Target::new("/policies");
    let target = target.query_opt("search", params.search.as_deref());
    let target = target
        .query_opt("direction", params.direction.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt("limit", params.limit.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("offset", params.offset.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("recurse", params.recurse.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("order", params.order.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt(
            "read_only",
            params.read_only.map(|value| value.to_string()).as_deref(),
        );
    let target = target
        .query_opt("uuid", params.uuid.as_ref().map(|value| value.as_str()));
    let target = target.query_opt("name", params.name.as_deref());
    let target = target.query_opt("slug", params.slug.as_deref());
    let target = target
        .query_opt("user_uuid", params.user_uuid.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt("group_uuid", params.group_uuid.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt(
            "tenant_uuid",
            params.tenant_uuid.as_ref().map(|value| value.as_str()),
        );
    Ok(Call::new(&operations::LIST_POLICIES, target))
}

/// Creates a policy.
///
/// The client's token must itself cover each access that is granted or revoked.
///
/// Needs the access `auth.policies.create`.
pub(crate) fn create_policy(body: &wire::NewPolicy) -> Result<Call> {
    let check = || -> Result<()> {
        body.check()?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::CREATE_POLICY.id()))?;
    let target = Target::new("/policies");
    Call::new(&operations::CREATE_POLICY, target).json(body)
}

/// Returns a policy.
///
/// Needs the access `auth.policies.{policy_id}.read`.
pub(crate) fn get_policy(policy_id: &wire::PolicyId) -> Result<Call> {
    let target = Target::new("/policies/").segment("policy_id", policy_id.as_str())?;
    Ok(Call::new(&operations::GET_POLICY, target))
}

/// Replaces the name, the description and the accesses of a policy.
///
/// Values that are left out are removed; slug and sharing stay. A name that another policy has
/// is answered with 500. The client's token must itself cover each access that is given or
/// taken.
///
/// Needs the access `auth.policies.{policy_id}.update`.
pub(crate) fn edit_policy(
    policy_id: &wire::PolicyId,
    body: &wire::PolicyEdit,
) -> Result<Call> {
    let check = || -> Result<()> {
        body.check()?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::EDIT_POLICY.id()))?;
    let target = Target::new("/policies/").segment("policy_id", policy_id.as_str())?;
    Call::new(&operations::EDIT_POLICY, target).json(body)
}

/// Deletes a policy.
///
/// Tokens that were issued with it keep its accesses. The client's token must itself cover each
/// access that is given or taken.
///
/// Needs the access `auth.policies.{policy_id}.delete`.
pub(crate) fn delete_policy(policy_id: &wire::PolicyId) -> Result<Call> {
    let target = Target::new("/policies/").segment("policy_id", policy_id.as_str())?;
    Ok(Call::new(&operations::DELETE_POLICY, target))
}

/// Adds an access to a policy.
///
/// The client's token must itself cover each access that is granted or revoked.
///
/// Needs the access `auth.policies.{policy_id}.update`.
pub(crate) fn add_access(policy_id: &wire::PolicyId, access: &str) -> Result<Call> {
    let check = || -> Result<()> {
        limits::text("access", access, Some(1), None)?;
        {
            let value = access;
            limits::without("access", value, "/")?;
        }
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::ADD_ACCESS.id()))?;
    let target = Target::new("/policies/")
        .segment("policy_id", policy_id.as_str())?
        .literal("/acl/")
        .segment("access", access)?;
    Ok(Call::new(&operations::ADD_ACCESS, target))
}

/// Removes an access from a policy.
///
/// Succeeds also if the policy does not have the access. The client's token must itself cover
/// each access that is given or taken.
///
/// Needs the access `auth.policies.{policy_id}.update`.
pub(crate) fn remove_access(policy_id: &wire::PolicyId, access: &str) -> Result<Call> {
    let check = || -> Result<()> {
        limits::text("access", access, Some(1), None)?;
        {
            let value = access;
            limits::without("access", value, "/")?;
        }
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::REMOVE_ACCESS.id()))?;
    let target = Target::new("/policies/")
        .segment("policy_id", policy_id.as_str())?
        .literal("/acl/")
        .segment("access", access)?;
    Ok(Call::new(&operations::REMOVE_ACCESS, target))
}

/// Adds an access to a policy.
///
/// The client's token must itself cover each access that is granted or revoked.
///
/// Not all servers have it: before 21.05. Needs the access `auth.policies.{policy_id}.edit`.
pub(crate) fn add_acl_template(
    policy_id: &wire::PolicyId,
    access: &str,
) -> Result<Call> {
    let check = || -> Result<()> {
        limits::text("access", access, Some(1), None)?;
        {
            let value = access;
            limits::without("access", value, "/")?;
        }
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::ADD_ACL_TEMPLATE.id()))?;
    let target = Target::new("/policies/")
        .segment("policy_id", policy_id.as_str())?
        .literal("/acl_templates/")
        .segment("access", access)?;
    Ok(Call::new(&operations::ADD_ACL_TEMPLATE, target))
}

/// Removes an access from a policy.
///
/// The client's token must itself cover each access that is granted or revoked.
///
/// Not all servers have it: before 21.05. Needs the access `auth.policies.{policy_id}.edit`.
pub(crate) fn remove_acl_template(
    policy_id: &wire::PolicyId,
    access: &str,
) -> Result<Call> {
    let check = || -> Result<()> {
        limits::text("access", access, Some(1), None)?;
        {
            let value = access;
            limits::without("access", value, "/")?;
        }
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::REMOVE_ACL_TEMPLATE.id()))?;
    let target = Target::new("/policies/")
        .segment("policy_id", policy_id.as_str())?
        .literal("/acl_templates/")
        .segment("access", access)?;
    Ok(Call::new(&operations::REMOVE_ACL_TEMPLATE, target))
}

/// The values of `listUsers`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListUsersParams {
    /// Words that must occur in this order, in upper or lower case.
    pub(crate) search: Option<String>,
    /// The direction to sort in. Default: ascending.
    pub(crate) direction: Option<wire::Direction>,
    /// How many items to return at most. Default: all.
    pub(crate) limit: Option<i64>,
    /// How many items to skip. Default: none.
    pub(crate) offset: Option<i64>,
    /// Whether to include the tenants below. Default: false.
    pub(crate) recurse: Option<bool>,
    /// The column to sort by. Default: by user name.
    pub(crate) order: Option<wire::UserOrder>,
    /// Only this user.
    pub(crate) uuid: Option<wire::UserUuid>,
    /// Only the user of this name.
    pub(crate) username: Option<String>,
    /// Only users of this first name.
    pub(crate) firstname: Option<String>,
    /// Only users of this last name.
    pub(crate) lastname: Option<String>,
    /// Only users for this purpose.
    pub(crate) purpose: Option<wire::UserPurpose>,
    /// Only the user of this address.
    pub(crate) email_address: Option<String>,
    /// Only users of this group.
    pub(crate) group_uuid: Option<wire::GroupUuid>,
    /// Only users with this policy of their own.
    pub(crate) policy_uuid: Option<wire::PolicyId>,
    /// Only users with this policy of their own.
    pub(crate) policy_slug: Option<String>,
    /// Only users with this policy, of their own or through a group.
    pub(crate) has_policy_uuid: Option<wire::PolicyId>,
    /// Only users with this policy, of their own or through a group.
    pub(crate) has_policy_slug: Option<String>,
}

/// Returns users.
///
/// The search looks at names and addresses.
///
/// Needs the access `auth.users.read`.
pub(crate) fn list_users(params: &ListUsersParams) -> Result<Call> {
    let check = || -> Result<()> {
        if let Some(value) = &params.limit {
            limits::integer("limit", *value, Some(0), None)?;
        }
        if let Some(value) = &params.offset {
            limits::integer("offset", *value, Some(0), None)?;
        }
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::LIST_USERS.id()))?;
    let target = Target::new("/users");
    let target = target.query_opt("search", params.search.as_deref());
    let target = target
        .query_opt("direction", params.direction.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt("limit", params.limit.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("offset", params.offset.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("recurse", params.recurse.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("order", params.order.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt("uuid", params.uuid.as_ref().map(|value| value.as_str()));
    let target = target.query_opt("username", params.username.as_deref());
    let target = target.query_opt("firstname", params.firstname.as_deref());
    let target = target.query_opt("lastname", params.lastname.as_deref());
    let target = target
        .query_opt("purpose", params.purpose.as_ref().map(|value| value.as_str()));
    let target = target.query_opt("email_address", params.email_address.as_deref());
    let target = target
        .query_opt("group_uuid", params.group_uuid.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt(
            "policy_uuid",
            params.policy_uuid.as_ref().map(|value| value.as_str()),
        );
    let target = target.query_opt("policy_slug", params.policy_slug.as_deref());
    let target = target
        .query_opt(
            "has_policy_uuid",
            params.has_policy_uuid.as_ref().map(|value| value.as_str()),
        );
    let target = target.query_opt("has_policy_slug", params.has_policy_slug.as_deref());
    Ok(Call::new(&operations::LIST_USERS, target))
}

/// Creates a user.
///
/// The user joins the group of all users of the tenant. The address counts as confirmed.
///
/// Needs the access `auth.users.create`.
pub(crate) fn create_user(body: &wire::NewUser) -> Result<Call> {
    let check = || -> Result<()> {
        body.check()?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::CREATE_USER.id()))?;
    let target = Target::new("/users");
    Call::new(&operations::CREATE_USER, target).secret_json(body)
}

/// Registers a user, in a new tenant.
///
/// A message asks the user to confirm the address. Most installations do not permit this, which
/// is answered with 404. After a conflict the tenant stays.
pub(crate) fn register_user(body: &wire::Registration) -> Result<Call> {
    let check = || -> Result<()> {
        body.check()?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::REGISTER_USER.id()))?;
    let target = Target::new("/users/register");
    Call::new(&operations::REGISTER_USER, target).secret_json(body)
}

/// Returns a user.
///
/// Needs the access `auth.users.{user_uuid}.read`.
pub(crate) fn get_user(user_uuid: &wire::UserUuid) -> Result<Call> {
    let target = Target::new("/users/").segment("user_uuid", user_uuid.as_str())?;
    Ok(Call::new(&operations::GET_USER, target))
}

/// Replaces the data of a user.
///
/// Values that are left out are removed, or get their default. Password and addresses stay.
/// Disabling a user ends all of its sessions.
///
/// Needs the access `auth.users.{user_uuid}.update`.
pub(crate) fn edit_user(
    user_uuid: &wire::UserUuid,
    body: &wire::UserEdit,
) -> Result<Call> {
    let check = || -> Result<()> {
        body.check()?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::EDIT_USER.id()))?;
    let target = Target::new("/users/").segment("user_uuid", user_uuid.as_str())?;
    Call::new(&operations::EDIT_USER, target).json(body)
}

/// Deletes a user.
///
/// Its refresh tokens, addresses and relations go with it. Tokens that were issued stay valid
/// until they expire.
///
/// Needs the access `auth.users.{user_uuid}.delete`.
pub(crate) fn delete_user(user_uuid: &wire::UserUuid) -> Result<Call> {
    let target = Target::new("/users/").segment("user_uuid", user_uuid.as_str())?;
    Ok(Call::new(&operations::DELETE_USER, target))
}

/// Changes a password, given the old one.
///
/// Ends all sessions of the user. A wrong old password is answered with 401 too, and of kind
/// `Invalid`.
///
/// Needs the access `auth.users.{user_uuid}.password.update`.
pub(crate) fn change_password(
    user_uuid: &wire::UserUuid,
    body: &wire::PasswordChange,
) -> Result<Call> {
    let check = || -> Result<()> {
        body.check()?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::CHANGE_PASSWORD.id()))?;
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/password");
    Call::new(&operations::CHANGE_PASSWORD, target).secret_json(body)
}

/// The values of `requestPasswordReset`.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestPasswordResetParams {
    /// The name of the user.
    pub(crate) username: Option<String>,
    /// An address of the user, to which the message is sent.
    pub(crate) email: Option<String>,
    /// The name or an address of the user, in upper or lower case.
    pub(crate) login: Option<String>,
}

/// Sends a message with a token for resetting the password to a user.
///
/// Exactly one of the values must be set. Succeeds whether or not there is such a user. The
/// token is valid for two days.
pub(crate) fn request_password_reset(
    params: &RequestPasswordResetParams,
) -> Result<Call> {
    let check = || -> Result<()> {
        if let Some(value) = &params.username {
            limits::text("username", value, Some(1), Some(256))?;
        }
        if let Some(value) = &params.email {
            limits::text("email", value, Some(1), Some(256))?;
        }
        if let Some(value) = &params.login {
            limits::text("login", value, Some(1), Some(256))?;
        }
        Ok(())
    };
    check()
        .map_err(|fault| fault.with_operation(operations::REQUEST_PASSWORD_RESET.id()))?;
    let target = Target::new("/users/password/reset");
    let target = target.query_opt("username", params.username.as_deref());
    let target = target.query_opt("email", params.email.as_deref());
    let target = target.query_opt("login", params.login.as_deref());
    Ok(Call::new(&operations::REQUEST_PASSWORD_RESET, target))
}

/// Sets or removes the password of a user.
///
/// Ends all sessions of the user. The client must have the token from the message, or a token
/// with the access.
///
/// Needs the access `auth.users.password.reset.{user_uuid}.create`.
pub(crate) fn reset_password(
    user_uuid: &wire::UserUuid,
    body: &wire::PasswordReset,
) -> Result<Call> {
    let check = || -> Result<()> {
        body.check()?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::RESET_PASSWORD.id()))?;
    let target = Target::new("/users/password/reset");
    let target = target.query("user_uuid", user_uuid.as_str());
    Call::new(&operations::RESET_PASSWORD, target).secret_json(body)
}

/// Replaces the addresses of a user, and returns them.
///
/// Addresses that the user has already keep their id and stay confirmed. If there are any,
/// exactly one must be the main address.
///
/// Needs the access `auth.users.{user_uuid}.emails.update`.
pub(crate) fn update_emails(
    user_uuid: &wire::UserUuid,
    body: &wire::EmailList,
) -> Result<Call> {
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/emails");
    Call::new(&operations::UPDATE_EMAILS, target).json(body)
}

/// Sends a message for confirming an address to a user.
///
/// Needs the access `auth.users.{user_uuid}.emails.{email_uuid}.confirm.read`.
pub(crate) fn request_confirmation(
    user_uuid: &wire::UserUuid,
    email_uuid: &wire::EmailUuid,
) -> Result<Call> {
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/emails/")
        .segment("email_uuid", email_uuid.as_str())?
        .literal("/confirm");
    Ok(Call::new(&operations::REQUEST_CONFIRMATION, target))
}

/// The values of `listUserPolicies`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListUserPoliciesParams {
    /// Words that must occur in this order, in upper or lower case.
    pub(crate) search: Option<String>,
    /// The direction to sort in. Default: ascending.
    pub(crate) direction: Option<wire::Direction>,
    /// How many items to return at most. Default: all.
    pub(crate) limit: Option<i64>,
    /// How many items to skip. Default: none.
    pub(crate) offset: Option<i64>,
    /// Whether to include the tenants below. Default: false.
    pub(crate) recurse: Option<bool>,
    /// The column to sort by. Default: by name.
    pub(crate) order: Option<wire::RelatedPolicyOrder>,
    /// Only this policy.
    pub(crate) uuid: Option<wire::PolicyId>,
    /// Only the policy of this name.
    pub(crate) name: Option<String>,
}

/// Returns the policies of a user, without those of the user's groups.
///
/// Empty if there is no such user.
///
/// Needs the access `auth.users.{user_uuid}.policies.read`.
pub(crate) fn list_user_policies(
    user_uuid: &wire::UserUuid,
    params: &ListUserPoliciesParams,
) -> Result<Call> {
    let check = || -> Result<()> {
        if let Some(value) = &params.limit {
            limits::integer("limit", *value, Some(0), None)?;
        }
        if let Some(value) = &params.offset {
            limits::integer("offset", *value, Some(0), None)?;
        }
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::LIST_USER_POLICIES.id()))?;
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/policies");
    let target = target.query_opt("search", params.search.as_deref());
    let target = target
        .query_opt("direction", params.direction.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt("limit", params.limit.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("offset", params.offset.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("recurse", params.recurse.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("order", params.order.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt("uuid", params.uuid.as_ref().map(|value| value.as_str()));
    let target = target.query_opt("name", params.name.as_deref());
    Ok(Call::new(&operations::LIST_USER_POLICIES, target))
}

/// Adds a policy to a user.
///
/// Succeeds also if the user has it already. The client's token must itself cover each access
/// that is given or taken.
///
/// Needs the access `auth.users.{user_uuid}.policies.{policy_id}.create`.
pub(crate) fn add_user_policy(
    user_uuid: &wire::UserUuid,
    policy_id: &wire::PolicyId,
) -> Result<Call> {
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/policies/")
        .segment("policy_id", policy_id.as_str())?;
    Ok(Call::new(&operations::ADD_USER_POLICY, target))
}

/// Removes a policy from a user.
///
/// Succeeds also if the user does not have it. The client's token must itself cover each access
/// that is given or taken.
///
/// Needs the access `auth.users.{user_uuid}.policies.{policy_id}.delete`.
pub(crate) fn remove_user_policy(
    user_uuid: &wire::UserUuid,
    policy_id: &wire::PolicyId,
) -> Result<Call> {
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/policies/")
        .segment("policy_id", policy_id.as_str())?;
    Ok(Call::new(&operations::REMOVE_USER_POLICY, target))
}

/// The values of `listUserGroups`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListUserGroupsParams {
    /// Words that must occur in this order, in upper or lower case.
    pub(crate) search: Option<String>,
    /// The direction to sort in. Default: ascending.
    pub(crate) direction: Option<wire::Direction>,
    /// How many items to return at most. Default: all.
    pub(crate) limit: Option<i64>,
    /// How many items to skip. Default: none.
    pub(crate) offset: Option<i64>,
    /// Whether to include the tenants below. Default: false.
    pub(crate) recurse: Option<bool>,
    /// The column to sort by. Default: by name.
    pub(crate) order: Option<wire::GroupOrder>,
    /// Only this group.
    pub(crate) uuid: Option<wire::GroupUuid>,
    /// Only the group of this name.
    pub(crate) name: Option<String>,
}

/// Returns the groups of a user.
///
/// Needs the access `auth.users.{user_uuid}.groups.read`.
pub(crate) fn list_user_groups(
    user_uuid: &wire::UserUuid,
    params: &ListUserGroupsParams,
) -> Result<Call> {
    let check = || -> Result<()> {
        if let Some(value) = &params.limit {
            limits::integer("limit", *value, Some(0), None)?;
        }
        if let Some(value) = &params.offset {
            limits::integer("offset", *value, Some(0), None)?;
        }
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::LIST_USER_GROUPS.id()))?;
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/groups");
    let target = target.query_opt("search", params.search.as_deref());
    let target = target
        .query_opt("direction", params.direction.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt("limit", params.limit.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("offset", params.offset.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("recurse", params.recurse.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("order", params.order.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt("uuid", params.uuid.as_ref().map(|value| value.as_str()));
    let target = target.query_opt("name", params.name.as_deref());
    Ok(Call::new(&operations::LIST_USER_GROUPS, target))
}

/// The values of `listUserSessions`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListUserSessionsParams {
    /// Words that must occur in this order, in upper or lower case.
    pub(crate) search: Option<String>,
    /// The direction to sort in. Default: ascending.
    pub(crate) direction: Option<wire::Direction>,
    /// How many items to return at most. Default: all.
    pub(crate) limit: Option<i64>,
    /// How many items to skip. Default: none.
    pub(crate) offset: Option<i64>,
    /// Whether to include the tenants below. Default: false.
    pub(crate) recurse: Option<bool>,
    /// The column to sort by. Default: none.
    pub(crate) order: Option<wire::SessionOrder>,
}

/// Returns the sessions of a user.
///
/// Unordered unless an order is set. A search has no effect.
///
/// Needs the access `auth.users.{user_uuid}.sessions.read`.
pub(crate) fn list_user_sessions(
    user_uuid: &wire::UserUuid,
    params: &ListUserSessionsParams,
) -> Result<Call> {
    let check = || -> Result<()> {
        if let Some(value) = &params.limit {
            limits::integer("limit", *value, Some(0), None)?;
        }
        if let Some(value) = &params.offset {
            limits::integer("offset", *value, Some(0), None)?;
        }
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::LIST_USER_SESSIONS.id()))?;
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/sessions");
    let target = target.query_opt("search", params.search.as_deref());
    let target = target
        .query_opt("direction", params.direction.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt("limit", params.limit.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("offset", params.offset.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("recurse", params.recurse.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("order", params.order.as_ref().map(|value| value.as_str()));
    Ok(Call::new(&operations::LIST_USER_SESSIONS, target))
}

/// Ends a session of a user, and its token.
///
/// Succeeds even if there is no such session.
///
/// Needs the access `auth.users.{user_uuid}.sessions.{session_uuid}.delete`.
pub(crate) fn delete_user_session(
    user_uuid: &wire::UserUuid,
    session_uuid: &wire::SessionUuid,
) -> Result<Call> {
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/sessions/")
        .segment("session_uuid", session_uuid.as_str())?;
    Ok(Call::new(&operations::DELETE_USER_SESSION, target))
}

/// Replaces the addresses of a user, confirmed or not, and returns them.
///
/// As with the method of the same purpose of users; here each address may also be set as
/// confirmed.
///
/// Needs the access `auth.admin.users.{user_uuid}.emails.update`.
pub(crate) fn update_emails_as_admin(
    user_uuid: &wire::UserUuid,
    body: &wire::AdminEmailList,
) -> Result<Call> {
    let target = Target::new("/admin/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/emails");
    Call::new(&operations::UPDATE_EMAILS_AS_ADMIN, target).json(body)
}

/// Confirms an address.
///
/// Succeeds even if it is confirmed already.
///
/// Needs the access `auth.emails.{email_uuid}.confirm.update`.
pub(crate) fn confirm_email(email_uuid: &wire::EmailUuid) -> Result<Call> {
    let target = Target::new("/emails/")
        .segment("email_uuid", email_uuid.as_str())?
        .literal("/confirm");
    Ok(Call::new(&operations::CONFIRM_EMAIL, target))
}

/// The values of `listGroups`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListGroupsParams {
    /// Words that must occur in this order, in upper or lower case.
    pub(crate) search: Option<String>,
    /// The direction to sort in. Default: ascending.
    pub(crate) direction: Option<wire::Direction>,
    /// How many items to return at most. Default: all.
    pub(crate) limit: Option<i64>,
    /// How many items to skip. Default: none.
    pub(crate) offset: Option<i64>,
    /// Whether to include the tenants below. Default: false.
    pub(crate) recurse: Option<bool>,
    /// The column to sort by. Default: by name.
    pub(crate) order: Option<wire::GroupOrder>,
    /// Only groups that the system manages, or only others.
    pub(crate) read_only: Option<bool>,
    /// Only this group.
    pub(crate) uuid: Option<wire::GroupUuid>,
    /// Only the group of this name.
    pub(crate) name: Option<String>,
    /// Only the group with this slug.
    pub(crate) slug: Option<String>,
    /// Only groups of this user.
    pub(crate) user_uuid: Option<wire::UserUuid>,
    /// Only groups with this policy.
    pub(crate) policy_uuid: Option<wire::PolicyId>,
    /// Only groups with this policy.
    pub(crate) policy_slug: Option<String>,
}

/// Returns groups.
///
/// Needs the access `auth.groups.read`.
pub(crate) fn list_groups(params: &ListGroupsParams) -> Result<Call> {
    let check = || -> Result<()> {
        if let Some(value) = &params.limit {
            limits::integer("limit", *value, Some(0), None)?;
        }
        if let Some(value) = &params.offset {
            limits::integer("offset", *value, Some(0), None)?;
        }
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::LIST_GROUPS.id()))?;
    let target = Target::new("/groups");
    let target = target.query_opt("search", params.search.as_deref());
    let target = target
        .query_opt("direction", params.direction.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt("limit", params.limit.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("offset", params.offset.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("recurse", params.recurse.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("order", params.order.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt(
            "read_only",
            params.read_only.map(|value| value.to_string()).as_deref(),
        );
    let target = target
        .query_opt("uuid", params.uuid.as_ref().map(|value| value.as_str()));
    let target = target.query_opt("name", params.name.as_deref());
    let target = target.query_opt("slug", params.slug.as_deref());
    let target = target
        .query_opt("user_uuid", params.user_uuid.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt(
            "policy_uuid",
            params.policy_uuid.as_ref().map(|value| value.as_str()),
        );
    let target = target.query_opt("policy_slug", params.policy_slug.as_deref());
    Ok(Call::new(&operations::LIST_GROUPS, target))
}

/// Creates a group.
///
/// Needs the access `auth.groups.create`.
pub(crate) fn create_group(body: &wire::NewGroup) -> Result<Call> {
    let check = || -> Result<()> {
        body.check()?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::CREATE_GROUP.id()))?;
    let target = Target::new("/groups");
    Call::new(&operations::CREATE_GROUP, target).json(body)
}

/// Returns a group.
///
/// Needs the access `auth.groups.{group_uuid}.read`.
pub(crate) fn get_group(group_uuid: &wire::GroupUuid) -> Result<Call> {
    let target = Target::new("/groups/").segment("group_uuid", group_uuid.as_str())?;
    Ok(Call::new(&operations::GET_GROUP, target))
}

/// Renames a group.
///
/// Its slug does not change.
///
/// Needs the access `auth.groups.{group_uuid}.update`.
pub(crate) fn edit_group(
    group_uuid: &wire::GroupUuid,
    body: &wire::GroupEdit,
) -> Result<Call> {
    let check = || -> Result<()> {
        body.check()?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::EDIT_GROUP.id()))?;
    let target = Target::new("/groups/").segment("group_uuid", group_uuid.as_str())?;
    Call::new(&operations::EDIT_GROUP, target).json(body)
}

/// Deletes a group.
///
/// Needs the access `auth.groups.{group_uuid}.delete`.
pub(crate) fn delete_group(group_uuid: &wire::GroupUuid) -> Result<Call> {
    let target = Target::new("/groups/").segment("group_uuid", group_uuid.as_str())?;
    Ok(Call::new(&operations::DELETE_GROUP, target))
}

/// The values of `listGroupUsers`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListGroupUsersParams {
    /// Words that must occur in this order, in upper or lower case.
    pub(crate) search: Option<String>,
    /// The direction to sort in. Default: ascending.
    pub(crate) direction: Option<wire::Direction>,
    /// How many items to return at most. Default: all.
    pub(crate) limit: Option<i64>,
    /// How many items to skip. Default: none.
    pub(crate) offset: Option<i64>,
    /// Whether to include the tenants below. Default: false.
    pub(crate) recurse: Option<bool>,
    /// The column to sort by. Default: by user name.
    pub(crate) order: Option<wire::MemberOrder>,
    /// Only this user.
    pub(crate) uuid: Option<wire::UserUuid>,
    /// Only the user of this name.
    pub(crate) username: Option<String>,
    /// Only users of this first name.
    pub(crate) firstname: Option<String>,
    /// Only users of this last name.
    pub(crate) lastname: Option<String>,
    /// Only users for this purpose.
    pub(crate) purpose: Option<wire::UserPurpose>,
    /// Only the user of this address.
    pub(crate) email_address: Option<String>,
}

/// Returns the users of a group.
///
/// Empty if there is no such group.
///
/// Needs the access `auth.groups.{group_uuid}.users.read`.
pub(crate) fn list_group_users(
    group_uuid: &wire::GroupUuid,
    params: &ListGroupUsersParams,
) -> Result<Call> {
    let check = || -> Result<()> {
        if let Some(value) = &params.limit {
            limits::integer("limit", *value, Some(0), None)?;
        }
        if let Some(value) = &params.offset {
            limits::integer("offset", *value, Some(0), None)?;
        }
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::LIST_GROUP_USERS.id()))?;
    let target = Target::new("/groups/")
        .segment("group_uuid", group_uuid.as_str())?
        .literal("/users");
    let target = target.query_opt("search", params.search.as_deref());
    let target = target
        .query_opt("direction", params.direction.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt("limit", params.limit.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("offset", params.offset.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("recurse", params.recurse.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("order", params.order.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt("uuid", params.uuid.as_ref().map(|value| value.as_str()));
    let target = target.query_opt("username", params.username.as_deref());
    let target = target.query_opt("firstname", params.firstname.as_deref());
    let target = target.query_opt("lastname", params.lastname.as_deref());
    let target = target
        .query_opt("purpose", params.purpose.as_ref().map(|value| value.as_str()));
    let target = target.query_opt("email_address", params.email_address.as_deref());
    Ok(Call::new(&operations::LIST_GROUP_USERS, target))
}

/// Adds a user to a group.
///
/// Both must be in the same tenant. Succeeds also if the user is in the group already.
///
/// Needs the access `auth.groups.{group_uuid}.users.{user_uuid}.create`.
pub(crate) fn add_group_user(
    group_uuid: &wire::GroupUuid,
    user_uuid: &wire::UserUuid,
) -> Result<Call> {
    let target = Target::new("/groups/")
        .segment("group_uuid", group_uuid.as_str())?
        .literal("/users/")
        .segment("user_uuid", user_uuid.as_str())?;
    Ok(Call::new(&operations::ADD_GROUP_USER, target))
}

/// Removes a user from a group.
///
/// Succeeds even if the user is not in the group.
///
/// Needs the access `auth.groups.{group_uuid}.users.{user_uuid}.delete`.
pub(crate) fn remove_group_user(
    group_uuid: &wire::GroupUuid,
    user_uuid: &wire::UserUuid,
) -> Result<Call> {
    let target = Target::new("/groups/")
        .segment("group_uuid", group_uuid.as_str())?
        .literal("/users/")
        .segment("user_uuid", user_uuid.as_str())?;
    Ok(Call::new(&operations::REMOVE_GROUP_USER, target))
}

/// The values of `listGroupPolicies`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListGroupPoliciesParams {
    /// Words that must occur in this order, in upper or lower case.
    pub(crate) search: Option<String>,
    /// The direction to sort in. Default: ascending.
    pub(crate) direction: Option<wire::Direction>,
    /// How many items to return at most. Default: all.
    pub(crate) limit: Option<i64>,
    /// How many items to skip. Default: none.
    pub(crate) offset: Option<i64>,
    /// Whether to include the tenants below. Default: false.
    pub(crate) recurse: Option<bool>,
    /// The column to sort by. Default: by name.
    pub(crate) order: Option<wire::RelatedPolicyOrder>,
    /// Only this policy.
    pub(crate) uuid: Option<wire::PolicyId>,
    /// Only the policy of this name.
    pub(crate) name: Option<String>,
}

/// Returns the policies of a group.
///
/// Needs the access `auth.groups.{group_uuid}.policies.read`.
pub(crate) fn list_group_policies(
    group_uuid: &wire::GroupUuid,
    params: &ListGroupPoliciesParams,
) -> Result<Call> {
    let check = || -> Result<()> {
        if let Some(value) = &params.limit {
            limits::integer("limit", *value, Some(0), None)?;
        }
        if let Some(value) = &params.offset {
            limits::integer("offset", *value, Some(0), None)?;
        }
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::LIST_GROUP_POLICIES.id()))?;
    let target = Target::new("/groups/")
        .segment("group_uuid", group_uuid.as_str())?
        .literal("/policies");
    let target = target.query_opt("search", params.search.as_deref());
    let target = target
        .query_opt("direction", params.direction.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt("limit", params.limit.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("offset", params.offset.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("recurse", params.recurse.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("order", params.order.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt("uuid", params.uuid.as_ref().map(|value| value.as_str()));
    let target = target.query_opt("name", params.name.as_deref());
    Ok(Call::new(&operations::LIST_GROUP_POLICIES, target))
}

/// Adds a policy to a group.
///
/// Succeeds also if the group has it already. The client's token must itself cover each access
/// that is given or taken.
///
/// Needs the access `auth.groups.{group_uuid}.policies.{policy_id}.create`.
pub(crate) fn add_group_policy(
    group_uuid: &wire::GroupUuid,
    policy_id: &wire::PolicyId,
) -> Result<Call> {
    let target = Target::new("/groups/")
        .segment("group_uuid", group_uuid.as_str())?
        .literal("/policies/")
        .segment("policy_id", policy_id.as_str())?;
    Ok(Call::new(&operations::ADD_GROUP_POLICY, target))
}

/// Removes a policy from a group.
///
/// Succeeds also if the group does not have it. The client's token must itself cover each
/// access that is given or taken.
///
/// Needs the access `auth.groups.{group_uuid}.policies.{policy_id}.delete`.
pub(crate) fn remove_group_policy(
    group_uuid: &wire::GroupUuid,
    policy_id: &wire::PolicyId,
) -> Result<Call> {
    let target = Target::new("/groups/")
        .segment("group_uuid", group_uuid.as_str())?
        .literal("/policies/")
        .segment("policy_id", policy_id.as_str())?;
    Ok(Call::new(&operations::REMOVE_GROUP_POLICY, target))
}

/// The values of `listSessions`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListSessionsParams {
    /// Words that must occur in this order, in upper or lower case.
    pub(crate) search: Option<String>,
    /// The direction to sort in. Default: ascending.
    pub(crate) direction: Option<wire::Direction>,
    /// How many items to return at most. Default: all.
    pub(crate) limit: Option<i64>,
    /// How many items to skip. Default: none.
    pub(crate) offset: Option<i64>,
    /// Whether to include the tenants below. Default: false.
    pub(crate) recurse: Option<bool>,
    /// The column to sort by. Default: none.
    pub(crate) order: Option<wire::SessionOrder>,
}

/// Returns sessions.
///
/// Unordered unless an order is set. A search has no effect.
///
/// Needs the access `auth.sessions.read`.
pub(crate) fn list_sessions(params: &ListSessionsParams) -> Result<Call> {
    let check = || -> Result<()> {
        if let Some(value) = &params.limit {
            limits::integer("limit", *value, Some(0), None)?;
        }
        if let Some(value) = &params.offset {
            limits::integer("offset", *value, Some(0), None)?;
        }
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::LIST_SESSIONS.id()))?;
    let target = Target::new("/sessions");
    let target = target.query_opt("search", params.search.as_deref());
    let target = target
        .query_opt("direction", params.direction.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt("limit", params.limit.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("offset", params.offset.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("recurse", params.recurse.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("order", params.order.as_ref().map(|value| value.as_str()));
    Ok(Call::new(&operations::LIST_SESSIONS, target))
}

/// Ends a session and its token.
///
/// Succeeds even if the tenant sees no such session.
///
/// Needs the access `auth.sessions.{session_uuid}.delete`.
pub(crate) fn delete_session(session_uuid: &wire::SessionUuid) -> Result<Call> {
    let target = Target::new("/sessions/")
        .segment("session_uuid", session_uuid.as_str())?;
    Ok(Call::new(&operations::DELETE_SESSION, target))
}

/// The values of `listTenants`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListTenantsParams {
    /// Words that must occur in this order, in upper or lower case.
    pub(crate) search: Option<String>,
    /// The direction to sort in. Default: ascending.
    pub(crate) direction: Option<wire::Direction>,
    /// How many items to return at most. Default: all.
    pub(crate) limit: Option<i64>,
    /// How many items to skip. Default: none.
    pub(crate) offset: Option<i64>,
    /// Whether to include the tenants below. Default: false.
    pub(crate) recurse: Option<bool>,
    /// The column to sort by. Default: by name.
    pub(crate) order: Option<wire::TenantOrder>,
    /// Only this tenant.
    pub(crate) uuid: Option<wire::TenantUuid>,
    /// Only these tenants.
    pub(crate) uuids: Vec<wire::TenantUuid>,
    /// Only tenants of this name.
    pub(crate) name: Option<String>,
    /// Only the tenant with this slug.
    pub(crate) slug: Option<String>,
    /// Only the tenant with this domain.
    pub(crate) domain_name: Option<String>,
}

/// Returns the tenant and all tenants below it.
///
/// Needs the access `auth.tenants.read`.
pub(crate) fn list_tenants(params: &ListTenantsParams) -> Result<Call> {
    let check = || -> Result<()> {
        if let Some(value) = &params.limit {
            limits::integer("limit", *value, Some(0), None)?;
        }
        if let Some(value) = &params.offset {
            limits::integer("offset", *value, Some(0), None)?;
        }
        limits::items("uuids", params.uuids.len(), None, Some(25))?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::LIST_TENANTS.id()))?;
    let target = Target::new("/tenants");
    let target = target.query_opt("search", params.search.as_deref());
    let target = target
        .query_opt("direction", params.direction.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt("limit", params.limit.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("offset", params.offset.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("recurse", params.recurse.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("order", params.order.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt("uuid", params.uuid.as_ref().map(|value| value.as_str()));
    let target = params
        .uuids
        .iter()
        .fold(target, |target, value| target.query("uuids", value.as_str()));
    let target = target.query_opt("name", params.name.as_deref());
    let target = target.query_opt("slug", params.slug.as_deref());
    let target = target.query_opt("domain_name", params.domain_name.as_deref());
    Ok(Call::new(&operations::LIST_TENANTS, target))
}

/// Creates a tenant below the tenant of the call.
///
/// Each tenant initially has a group of all its users.
///
/// Needs the access `auth.tenants.create`.
pub(crate) fn create_tenant(body: &wire::NewTenant) -> Result<Call> {
    let check = || -> Result<()> {
        body.check()?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::CREATE_TENANT.id()))?;
    let target = Target::new("/tenants");
    Call::new(&operations::CREATE_TENANT, target).json(body)
}

/// Returns a tenant.
///
/// Needs the access `auth.tenants.{tenant_uuid}.read`.
pub(crate) fn get_tenant(tenant_uuid: &wire::TenantUuid) -> Result<Call> {
    let target = Target::new("/tenants/").segment("tenant_uuid", tenant_uuid.as_str())?;
    Ok(Call::new(&operations::GET_TENANT, target))
}

/// Replaces the data of a tenant.
///
/// Values that are left out are removed, or get their default. Slug and parent stay. A domain
/// that goes takes its SAML configuration with it.
///
/// Needs the access `auth.tenants.{tenant_uuid}.update`.
pub(crate) fn edit_tenant(
    tenant_uuid: &wire::TenantUuid,
    body: &wire::TenantEdit,
) -> Result<Call> {
    let check = || -> Result<()> {
        body.check()?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::EDIT_TENANT.id()))?;
    let target = Target::new("/tenants/").segment("tenant_uuid", tenant_uuid.as_str())?;
    Call::new(&operations::EDIT_TENANT, target).json(body)
}

/// Deletes a tenant and everything in it.
///
/// A tenant cannot delete itself, nor one that has tenants below it.
///
/// Needs the access `auth.tenants.{tenant_uuid}.delete`.
pub(crate) fn delete_tenant(tenant_uuid: &wire::TenantUuid) -> Result<Call> {
    let target = Target::new("/tenants/").segment("tenant_uuid", tenant_uuid.as_str())?;
    Ok(Call::new(&operations::DELETE_TENANT, target))
}

/// Returns the domains of a tenant.
///
/// Needs the access `auth.tenants.{tenant_uuid}.domains.read`.
pub(crate) fn list_tenant_domains(tenant_uuid: &wire::TenantUuid) -> Result<Call> {
    let target = Target::new("/tenants/")
        .segment("tenant_uuid", tenant_uuid.as_str())?
        .literal("/domains");
    Ok(Call::new(&operations::LIST_TENANT_DOMAINS, target))
}

/// Moves a tenant below another one.
///
/// Needs the access `auth.tenants.{tenant_uuid}.parent.{parent_uuid}.update`.
pub(crate) fn move_tenant(
    tenant_uuid: &wire::TenantUuid,
    parent_uuid: &wire::TenantUuid,
) -> Result<Call> {
    let target = Target::new("/tenants/")
        .segment("tenant_uuid", tenant_uuid.as_str())?
        .literal("/parent/")
        .segment("parent_uuid", parent_uuid.as_str())?;
    Ok(Call::new(&operations::MOVE_TENANT, target))
}

/// The values of `listExternal`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListExternalParams {
    /// Words that must occur in this order, in upper or lower case.
    pub(crate) search: Option<String>,
    /// The direction to sort in. Default: ascending.
    pub(crate) direction: Option<wire::Direction>,
    /// How many items to return at most. Default: all.
    pub(crate) limit: Option<i64>,
    /// How many items to skip. Default: none.
    pub(crate) offset: Option<i64>,
    /// Whether to include the tenants below. Default: false.
    pub(crate) recurse: Option<bool>,
    /// The column to sort by. Default: by type.
    pub(crate) order: Option<wire::ExternalOrder>,
    /// Only this type.
    pub(crate) kind: Option<String>,
}

/// Returns the external services, and which of them a user is connected to.
///
/// An unknown user is connected to none.
///
/// Needs the access `auth.users.{user_uuid}.external.read`.
pub(crate) fn list_external(
    user_uuid: &wire::UserUuid,
    params: &ListExternalParams,
) -> Result<Call> {
    let check = || -> Result<()> {
        if let Some(value) = &params.limit {
            limits::integer("limit", *value, Some(0), None)?;
        }
        if let Some(value) = &params.offset {
            limits::integer("offset", *value, Some(0), None)?;
        }
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::LIST_EXTERNAL.id()))?;
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/external");
    let target = target.query_opt("search", params.search.as_deref());
    let target = target
        .query_opt("direction", params.direction.as_ref().map(|value| value.as_str()));
    let target = target
        .query_opt("limit", params.limit.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("offset", params.offset.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("recurse", params.recurse.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("order", params.order.as_ref().map(|value| value.as_str()));
    let target = target.query_opt("type", params.kind.as_deref());
    Ok(Call::new(&operations::LIST_EXTERNAL, target))
}

/// Returns the push tokens of a user's phone.
///
/// Needs the access `auth.users.{user_uuid}.external.mobile.read`.
pub(crate) fn get_mobile(user_uuid: &wire::UserUuid) -> Result<Call> {
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/external/mobile");
    Ok(Call::new(&operations::GET_MOBILE, target))
}

/// Stores the push tokens of a user's phone.
///
/// Needs the access `auth.users.{user_uuid}.external.mobile.create`.
pub(crate) fn create_mobile(
    user_uuid: &wire::UserUuid,
    body: &wire::Mobile,
) -> Result<Call> {
    let check = || -> Result<()> {
        body.check()?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::CREATE_MOBILE.id()))?;
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/external/mobile");
    Call::new(&operations::CREATE_MOBILE, target).secret_json(body)
}

/// Replaces the push tokens of a user's phone.
///
/// Creates them if there are none, where servers before 25.14 answer 404.
///
/// Needs the access `auth.users.{user_uuid}.external.mobile.update`.
pub(crate) fn update_mobile(
    user_uuid: &wire::UserUuid,
    body: &wire::Mobile,
) -> Result<Call> {
    let check = || -> Result<()> {
        body.check()?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::UPDATE_MOBILE.id()))?;
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/external/mobile");
    Call::new(&operations::UPDATE_MOBILE, target).secret_json(body)
}

/// Deletes the push tokens of a user's phone.
///
/// Needs the access `auth.users.{user_uuid}.external.mobile.delete`.
pub(crate) fn delete_mobile(user_uuid: &wire::UserUuid) -> Result<Call> {
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/external/mobile");
    Ok(Call::new(&operations::DELETE_MOBILE, target))
}

/// Returns the id of the sender of push messages to the phone of a user, if one is configured.
///
/// Needs the access `auth.users.{user_uuid}.external.mobile.sender_id.read`.
pub(crate) fn get_mobile_sender(user_uuid: &wire::UserUuid) -> Result<Call> {
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/external/mobile/sender_id");
    Ok(Call::new(&operations::GET_MOBILE_SENDER, target))
}

/// Returns a token of a user at Google, refreshed if it has expired.
///
/// Needs the access `auth.users.{user_uuid}.external.google.read`.
pub(crate) fn get_google(user_uuid: &wire::UserUuid) -> Result<Call> {
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/external/google");
    Ok(Call::new(&operations::GET_GOOGLE, target))
}

/// Starts connecting a user to Google, and returns the URL where the user must consent.
///
/// Needs the access `auth.users.{user_uuid}.external.google.create`.
pub(crate) fn create_google(
    user_uuid: &wire::UserUuid,
    body: &wire::Consent,
) -> Result<Call> {
    let check = || -> Result<()> {
        body.check()?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::CREATE_GOOGLE.id()))?;
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/external/google");
    Call::new(&operations::CREATE_GOOGLE, target).json(body)
}

/// Disconnects a user from Google.
///
/// Needs the access `auth.users.{user_uuid}.external.google.delete`.
pub(crate) fn delete_google(user_uuid: &wire::UserUuid) -> Result<Call> {
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/external/google");
    Ok(Call::new(&operations::DELETE_GOOGLE, target))
}

/// Returns a token of a user at Microsoft, refreshed if it has expired.
///
/// Needs the access `auth.users.{user_uuid}.external.microsoft.read`.
pub(crate) fn get_microsoft(user_uuid: &wire::UserUuid) -> Result<Call> {
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/external/microsoft");
    Ok(Call::new(&operations::GET_MICROSOFT, target))
}

/// Starts connecting a user to Microsoft, and returns the URL where the user must consent.
///
/// Needs the access `auth.users.{user_uuid}.external.microsoft.create`.
pub(crate) fn create_microsoft(
    user_uuid: &wire::UserUuid,
    body: &wire::Consent,
) -> Result<Call> {
    let check = || -> Result<()> {
        body.check()?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::CREATE_MICROSOFT.id()))?;
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/external/microsoft");
    Call::new(&operations::CREATE_MICROSOFT, target).json(body)
}

/// Disconnects a user from Microsoft.
///
/// Needs the access `auth.users.{user_uuid}.external.microsoft.delete`.
pub(crate) fn delete_microsoft(user_uuid: &wire::UserUuid) -> Result<Call> {
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/external/microsoft");
    Ok(Call::new(&operations::DELETE_MICROSOFT, target))
}

/// Returns the data of a user's account at an external service of any type.
///
/// Needs the access `auth.users.{user_uuid}.external.{auth_type}.read`.
pub(crate) fn get_external(user_uuid: &wire::UserUuid, auth_type: &str) -> Result<Call> {
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/external/")
        .segment("auth_type", auth_type)?;
    Ok(Call::new(&operations::GET_EXTERNAL, target))
}

/// Stores the data of a user's account at an external service of any type.
///
/// For types that an installation adds to those with their own methods.
///
/// Needs the access `auth.users.{user_uuid}.external.{auth_type}.create`.
pub(crate) fn create_external(
    user_uuid: &wire::UserUuid,
    auth_type: &str,
    body: &crate::Settings,
) -> Result<Call> {
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/external/")
        .segment("auth_type", auth_type)?;
    Call::new(&operations::CREATE_EXTERNAL, target).secret_json(body)
}

/// Replaces the data of a user's account at an external service of any type.
///
/// Needs the access `auth.users.{user_uuid}.external.{auth_type}.update`.
pub(crate) fn update_external(
    user_uuid: &wire::UserUuid,
    auth_type: &str,
    body: &crate::Settings,
) -> Result<Call> {
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/external/")
        .segment("auth_type", auth_type)?;
    Call::new(&operations::UPDATE_EXTERNAL, target).secret_json(body)
}

/// Disconnects a user from an external service of any type.
///
/// Needs the access `auth.users.{user_uuid}.external.{auth_type}.delete`.
pub(crate) fn delete_external(
    user_uuid: &wire::UserUuid,
    auth_type: &str,
) -> Result<Call> {
    let target = Target::new("/users/")
        .segment("user_uuid", user_uuid.as_str())?
        .literal("/external/")
        .segment("auth_type", auth_type)?;
    Ok(Call::new(&operations::DELETE_EXTERNAL, target))
}

/// The values of `listConnectedUsers`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListConnectedUsersParams {
    /// How many items to return at most. Default: all.
    pub(crate) limit: Option<i64>,
    /// How many items to skip. Default: none.
    pub(crate) offset: Option<i64>,
    /// Whether to include the tenants below. Default: false.
    pub(crate) recurse: Option<bool>,
}

/// Returns the users that are connected to an external service.
///
/// Unordered.
///
/// Needs the access `auth.{auth_type}.external.users.read`.
pub(crate) fn list_connected_users(
    auth_type: &str,
    params: &ListConnectedUsersParams,
) -> Result<Call> {
    let check = || -> Result<()> {
        if let Some(value) = &params.limit {
            limits::integer("limit", *value, Some(0), None)?;
        }
        if let Some(value) = &params.offset {
            limits::integer("offset", *value, Some(0), None)?;
        }
        Ok(())
    };
    check()
        .map_err(|fault| fault.with_operation(operations::LIST_CONNECTED_USERS.id()))?;
    let target = Target::new("/external/")
        .segment("auth_type", auth_type)?
        .literal("/users");
    let target = target
        .query_opt("limit", params.limit.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("offset", params.offset.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("recurse", params.recurse.map(|value| value.to_string()).as_deref());
    Ok(Call::new(&operations::LIST_CONNECTED_USERS, target))
}

/// Returns the configuration of an external service.
///
/// Needs the access `auth.{auth_type}.external.config.read`.
pub(crate) fn get_external_config(auth_type: &str) -> Result<Call> {
    let target = Target::new("/external/")
        .segment("auth_type", auth_type)?
        .literal("/config");
    Ok(Call::new(&operations::GET_EXTERNAL_CONFIG, target))
}

/// Stores the configuration of an external service.
///
/// A type that the service does not know yet is added.
///
/// Needs the access `auth.{auth_type}.external.config.create`.
pub(crate) fn create_external_config(
    auth_type: &str,
    body: &crate::Settings,
) -> Result<Call> {
    let target = Target::new("/external/")
        .segment("auth_type", auth_type)?
        .literal("/config");
    Call::new(&operations::CREATE_EXTERNAL_CONFIG, target).secret_json(body)
}

/// Replaces the configuration of an external service.
///
/// Needs the access `auth.{auth_type}.external.config.update`.
pub(crate) fn update_external_config(
    auth_type: &str,
    body: &crate::Settings,
) -> Result<Call> {
    let target = Target::new("/external/")
        .segment("auth_type", auth_type)?
        .literal("/config");
    Call::new(&operations::UPDATE_EXTERNAL_CONFIG, target).secret_json(body)
}

/// Deletes the configuration of an external service.
///
/// Needs the access `auth.{auth_type}.external.config.delete`.
pub(crate) fn delete_external_config(auth_type: &str) -> Result<Call> {
    let target = Target::new("/external/")
        .segment("auth_type", auth_type)?
        .literal("/config");
    Ok(Call::new(&operations::DELETE_EXTERNAL_CONFIG, target))
}

/// Returns the names of the identity providers, which are the methods of authentication that
/// users may have.
///
/// Needs the access `auth.idp.read`.
pub(crate) fn list_idps() -> Result<Call> {
    let target = Target::new("/idp");
    Ok(Call::new(&operations::LIST_IDPS, target))
}

/// Sets the authentication method of several users.
///
/// Stops at the first user that does not exist; those before it are changed.
///
/// Needs the access `auth.idp.{idp_type}.users.update`.
pub(crate) fn add_idp_users(idp_type: &str, body: &wire::IdpUsers) -> Result<Call> {
    let target = Target::new("/idp/").segment("idp_type", idp_type)?.literal("/users");
    Call::new(&operations::ADD_IDP_USERS, target).json(body)
}

/// Sets the authentication method of a user.
///
/// Needs the access `auth.idp.{idp_type}.users.{user_uuid}.create`.
pub(crate) fn add_idp_user(idp_type: &str, user_uuid: &wire::UserUuid) -> Result<Call> {
    let target = Target::new("/idp/")
        .segment("idp_type", idp_type)?
        .literal("/users/")
        .segment("user_uuid", user_uuid.as_str())?;
    Ok(Call::new(&operations::ADD_IDP_USER, target))
}

/// Takes a method of authentication from a user, which gets the default if it had this one.
///
/// Needs the access `auth.idp.{idp_type}.users.{user_uuid}.delete`.
pub(crate) fn remove_idp_user(
    idp_type: &str,
    user_uuid: &wire::UserUuid,
) -> Result<Call> {
    let target = Target::new("/idp/")
        .segment("idp_type", idp_type)?
        .literal("/users/")
        .segment("user_uuid", user_uuid.as_str())?;
    Ok(Call::new(&operations::REMOVE_IDP_USER, target))
}

/// Returns the LDAP configuration of the tenant.
///
/// Without a configuration all values are missing.
///
/// Needs the access `auth.backends.ldap.read`.
pub(crate) fn get_ldap_config() -> Result<Call> {
    let target = Target::new("/backends/ldap");
    Ok(Call::new(&operations::GET_LDAP_CONFIG, target))
}

/// Sets the LDAP configuration of the tenant.
///
/// Optional values that are left out stay, except that the version of the protocol becomes 3.
///
/// Needs the access `auth.backends.ldap.update`.
pub(crate) fn update_ldap_config(body: &wire::LdapEdit) -> Result<Call> {
    let check = || -> Result<()> {
        body.check()?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::UPDATE_LDAP_CONFIG.id()))?;
    let target = Target::new("/backends/ldap");
    Call::new(&operations::UPDATE_LDAP_CONFIG, target).secret_json(body)
}

/// Deletes the LDAP configuration of the tenant.
///
/// Succeeds even if the tenant has no configuration.
///
/// Needs the access `auth.backends.ldap.delete`.
pub(crate) fn delete_ldap_config() -> Result<Call> {
    let target = Target::new("/backends/ldap");
    Ok(Call::new(&operations::DELETE_LDAP_CONFIG, target))
}

/// Returns the SAML configuration of the tenant.
///
/// Needs the access `auth.backends.saml.read`.
pub(crate) fn get_saml_config() -> Result<Call> {
    let target = Target::new("/backends/saml");
    Ok(Call::new(&operations::GET_SAML_CONFIG, target))
}

/// Stores the SAML configuration of the tenant.
///
/// Needs the access `auth.backends.saml.create`.
///
/// The body (multipart/form-data) is added by hand.
pub(crate) fn create_saml_config() -> Result<Call> {
    let target = Target::new("/backends/saml");
    Ok(Call::new(&operations::CREATE_SAML_CONFIG, target))
}

/// Changes the SAML configuration of the tenant.
///
/// Needs the access `auth.backends.saml.update`.
///
/// The body (multipart/form-data) is added by hand.
pub(crate) fn update_saml_config() -> Result<Call> {
    let target = Target::new("/backends/saml");
    Ok(Call::new(&operations::UPDATE_SAML_CONFIG, target))
}

/// Deletes the SAML configuration of the tenant.
///
/// Succeeds even if the tenant has no configuration.
///
/// Needs the access `auth.backends.saml.delete`.
pub(crate) fn delete_saml_config() -> Result<Call> {
    let target = Target::new("/backends/saml");
    Ok(Call::new(&operations::DELETE_SAML_CONFIG, target))
}

/// Returns the URL that the identity provider sends its answers to, as a template.
///
/// Needs the access `auth.backends.saml.read`.
pub(crate) fn get_acs_template() -> Result<Call> {
    let target = Target::new("/backends/saml/acs_url_template");
    Ok(Call::new(&operations::GET_ACS_TEMPLATE, target))
}

/// Returns the metadata of the tenant's identity provider, as XML.
///
/// Needs the access `auth.backends.saml.read`.
pub(crate) fn get_saml_metadata() -> Result<Call> {
    let target = Target::new("/backends/saml/metadata");
    Ok(Call::new(&operations::GET_SAML_METADATA, target))
}

/// Starts a login through SAML, and returns the URL to send the user to.
///
/// A domain without a configuration is answered with 500.
pub(crate) fn start_saml(body: &wire::SamlStart) -> Result<Call> {
    let target = Target::new("/saml/sso");
    Call::new(&operations::START_SAML, target).json(body)
}

/// Forwards the answer of an identity provider, and returns the URL to send the user to.
pub(crate) fn finish_saml(body: &wire::SamlAnswer) -> Result<Call> {
    let target = Target::new("/saml/acs");
    let form = Form::new()
        .secret("RelayState", &body.relay_state)
        .secret("SAMLResponse", &body.saml_response);
    Ok(Call::new(&operations::FINISH_SAML, target).form(form))
}

/// Ends the client's token, and returns where to send the user to log out at the identity
/// provider.
pub(crate) fn end_saml() -> Result<Call> {
    let target = Target::new("/saml/logout");
    Ok(Call::new(&operations::END_SAML, target))
}

/// Returns the whole configuration of the service, including secrets.
///
/// Only for tokens of the top tenant.
///
/// Needs the access `auth.config.read`.
pub(crate) fn get_config() -> Result<Call> {
    let target = Target::new("/config");
    Ok(Call::new(&operations::GET_CONFIG, target))
}

/// Changes settings of the running service, and returns its whole configuration.
///
/// Only for tokens of the top tenant. Settings that cannot be changed are answered with 500.
///
/// Needs the access `auth.config.update`.
pub(crate) fn patch_config(body: &[wire::ConfigChange]) -> Result<Call> {
    let target = Target::new("/config");
    Call::new(&operations::PATCH_CONFIG, target).json(body)
}

/// Creates the first user of an installation.
///
/// Possible once, with the key that the server has written to a file.
///
/// Not all servers have it: before 19.16.
pub(crate) fn initialize(body: &wire::FirstUser) -> Result<Call> {
    let check = || -> Result<()> {
        body.check()?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::INITIALIZE.id()))?;
    let target = Target::new("/init");
    Call::new(&operations::INITIALIZE, target).secret_json(body)
}

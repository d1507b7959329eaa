// Made by `cargo xtask codegen` from crates/userinfo/api/gafaelfawr.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Creates the call of each operation. Each value is encoded by itself, so it cannot escape
//! its place.

use vouchsafe_core::Result;
use vouchsafe_core::call::{Call, limits};
use vouchsafe_core::url::Target;

use super::{operations, wire};

/// Information about the user of the token.
///
/// Any valid token will do; no scope is needed. Null fields are left out; empty maps and lists
/// are kept.
#[doc(alias = "get_user_info")]
pub(crate) fn get_own_user_info() -> Result<Call> {
    let target = Target::new("/user-info");
    Ok(Call::new(&operations::GET_OWN_USER_INFO, target))
}

/// All users of the directory, sorted by name, without quota.
///
/// Needs the scope admin:userinfo. Fields equal to their default are left out.
pub(crate) fn list_users() -> Result<Call> {
    let target = Target::new("/users");
    Ok(Call::new(&operations::LIST_USERS, target))
}

/// The entry of a user in the directory, and the quota.
///
/// Needs the scope admin:userinfo, or a token of that same user. Values kept with a token are
/// not looked at. A name the directory does not know gives 200 with little more than the name.
/// Fields equal to their default are left out.
pub(crate) fn get_user_info(username: &crate::Username) -> Result<Call> {
    let target = Target::new("/users/").segment("username", username.as_str())?;
    Ok(Call::new(&operations::GET_USER_INFO, target))
}

/// Returns all groups of the directory, in its order.
///
/// The token needs the scope `admin:userinfo`. Not cached.
pub(crate) fn list_groups() -> Result<Call> {
    let target = Target::new("/groups");
    Ok(Call::new(&operations::LIST_GROUPS, target))
}

/// Creates a service token for a bot user, and returns it.
///
/// The caller's token needs the scope `admin:token`; a bootstrap token is accepted too. The
/// server shows the new token only once.
pub(crate) fn create_token(body: &wire::NewServiceToken) -> Result<Call> {
    let check = || -> Result<()> {
        body.check()?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::CREATE_TOKEN.id()))?;
    let target = Target::new("/tokens");
    Call::new(&operations::CREATE_TOKEN, target).json(body)
}

/// Returns what is known about the token that is used.
pub(crate) fn get_token_info() -> Result<Call> {
    let target = Target::new("/token-info");
    Ok(Call::new(&operations::GET_TOKEN_INFO, target))
}

/// Returns what is known about a user's tokens.
///
/// The token needs the scope `user:token` and to be that user's, or the scope `admin:token`.
pub(crate) fn list_tokens(username: &crate::Username) -> Result<Call> {
    let target = Target::new("/users/")
        .segment("username", username.as_str())?
        .literal("/tokens");
    Ok(Call::new(&operations::LIST_TOKENS, target))
}

/// Creates a token for the calling user, and returns it.
///
/// The caller's token needs the scope `user:token` and to be that user's. The server shows the
/// new token only once.
pub(crate) fn create_user_token(
    username: &crate::Username,
    body: &wire::NewUserToken,
) -> Result<Call> {
    let check = || -> Result<()> {
        body.check()?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::CREATE_USER_TOKEN.id()))?;
    let target = Target::new("/users/")
        .segment("username", username.as_str())?
        .literal("/tokens");
    Call::new(&operations::CREATE_USER_TOKEN, target).json(body)
}

/// Returns what is known about one of a user's tokens, by the key of the token.
///
/// The token that asks needs the scope `user:token` and to be that user's, or the scope
/// `admin:token`.
pub(crate) fn get_token(username: &crate::Username, key: &str) -> Result<Call> {
    let check = || -> Result<()> {
        limits::text("key", key, Some(22), Some(22))?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::GET_TOKEN.id()))?;
    let target = Target::new("/users/")
        .segment("username", username.as_str())?
        .literal("/tokens/")
        .segment("key", key)?;
    Ok(Call::new(&operations::GET_TOKEN, target))
}

/// Changes the name, the scopes or the expiry of a user token, and returns what is then known
/// about it.
///
/// The token that asks needs the scope `admin:token`. What is not given stays.
pub(crate) fn modify_token(
    username: &crate::Username,
    key: &str,
    body: &wire::TokenChange,
) -> Result<Call> {
    let check = || -> Result<()> {
        limits::text("key", key, Some(22), Some(22))?;
        body.check()?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::MODIFY_TOKEN.id()))?;
    let target = Target::new("/users/")
        .segment("username", username.as_str())?
        .literal("/tokens/")
        .segment("key", key)?;
    Call::new(&operations::MODIFY_TOKEN, target).json(body)
}

/// Revokes one of a user's tokens, by its key, and the tokens made from it.
///
/// The token that asks needs the scope `user:token` and to be that user's, or the scope
/// `admin:token`. User information that the client keeps stays until it expires, or is
/// forgotten with `forget_token`.
pub(crate) fn revoke_token(username: &crate::Username, key: &str) -> Result<Call> {
    let check = || -> Result<()> {
        limits::text("key", key, Some(22), Some(22))?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::REVOKE_TOKEN.id()))?;
    let target = Target::new("/users/")
        .segment("username", username.as_str())?
        .literal("/tokens/")
        .segment("key", key)?;
    Ok(Call::new(&operations::REVOKE_TOKEN, target))
}

/// Returns the present overrides of the configured quotas, or `None` if there are none.
///
/// Any valid token is sufficient.
pub(crate) fn get_quota_overrides() -> Result<Call> {
    let target = Target::new("/quota-overrides");
    Ok(Call::new(&operations::GET_QUOTA_OVERRIDES, target))
}

/// Replaces the overrides of the configured quotas, and returns them as stored.
///
/// The token needs the scope `admin:token`. They apply at once to every user.
pub(crate) fn put_quota_overrides(body: &wire::QuotaConfig) -> Result<Call> {
    let target = Target::new("/quota-overrides");
    Call::new(&operations::PUT_QUOTA_OVERRIDES, target).json(body)
}

/// Removes the overrides of the configured quotas, and returns whether there were any.
///
/// The token needs the scope `admin:token`.
pub(crate) fn delete_quota_overrides() -> Result<Call> {
    let target = Target::new("/quota-overrides");
    Ok(Call::new(&operations::DELETE_QUOTA_OVERRIDES, target))
}

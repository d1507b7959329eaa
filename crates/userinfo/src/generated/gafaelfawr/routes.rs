// Made by `cargo xtask codegen` from crates/userinfo/api/gafaelfawr.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! What the emulator serves. [`ROUTES`] and [`OPS`] have the same order.

use vouchsafe_core::mock::route::Route;

use super::operations;

/// Operations with the whole path that the server sees.
pub(crate) static ROUTES: &[Route] = &[
    Route {
        operation: &operations::GET_OWN_USER_INFO,
        path: "/auth/api/v1/user-info",
    },
    Route {
        operation: &operations::LIST_USERS,
        path: "/auth/api/v1/users",
    },
    Route {
        operation: &operations::GET_USER_INFO,
        path: "/auth/api/v1/users/{username}",
    },
    Route {
        operation: &operations::LIST_GROUPS,
        path: "/auth/api/v1/groups",
    },
    Route {
        operation: &operations::CREATE_TOKEN,
        path: "/auth/api/v1/tokens",
    },
    Route {
        operation: &operations::GET_TOKEN_INFO,
        path: "/auth/api/v1/token-info",
    },
    Route {
        operation: &operations::LIST_TOKENS,
        path: "/auth/api/v1/users/{username}/tokens",
    },
    Route {
        operation: &operations::CREATE_USER_TOKEN,
        path: "/auth/api/v1/users/{username}/tokens",
    },
    Route {
        operation: &operations::GET_TOKEN,
        path: "/auth/api/v1/users/{username}/tokens/{key}",
    },
    Route {
        operation: &operations::MODIFY_TOKEN,
        path: "/auth/api/v1/users/{username}/tokens/{key}",
    },
    Route {
        operation: &operations::REVOKE_TOKEN,
        path: "/auth/api/v1/users/{username}/tokens/{key}",
    },
    Route {
        operation: &operations::GET_QUOTA_OVERRIDES,
        path: "/auth/api/v1/quota-overrides",
    },
    Route {
        operation: &operations::PUT_QUOTA_OVERRIDES,
        path: "/auth/api/v1/quota-overrides",
    },
    Route {
        operation: &operations::DELETE_QUOTA_OVERRIDES,
        path: "/auth/api/v1/quota-overrides",
    },
    Route {
        operation: &operations::INGRESS_AUTH,
        path: "/ingress/auth",
    },
    Route {
        operation: &operations::INGRESS_ANONYMOUS,
        path: "/ingress/anonymous",
    },
];

/// Operations to match on, so that a new one cannot be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Information about the user of the token.
    GetOwnUserInfo,
    /// All users of the directory, sorted by name, without quota.
    ListUsers,
    /// What the directory knows about a user, and the quota.
    GetUserInfo,
    /// All groups of the directory.
    ListGroups,
    /// Make a service or user token as an administrator.
    CreateToken,
    /// Metadata of the token used.
    GetTokenInfo,
    /// Tokens of a user.
    ListTokens,
    /// Make a user token for oneself.
    CreateUserToken,
    /// Metadata of one token.
    GetToken,
    /// Change name, scopes or end of a user token; needs admin:token.
    ModifyToken,
    /// Revoke a token and the tokens made from it.
    RevokeToken,
    /// The overrides in force; any valid token will do.
    GetQuotaOverrides,
    /// Replace the overrides; needs admin:token.
    PutQuotaOverrides,
    /// Remove the overrides; needs admin:token.
    DeleteQuotaOverrides,
    /// The check the ingress runs before it passes a request on.
    IngressAuth,
    /// Filter headers for a route without authentication.
    IngressAnonymous,
}

/// The operations of [`ROUTES`].
pub(crate) static OPS: &[Op] = &[
    Op::GetOwnUserInfo,
    Op::ListUsers,
    Op::GetUserInfo,
    Op::ListGroups,
    Op::CreateToken,
    Op::GetTokenInfo,
    Op::ListTokens,
    Op::CreateUserToken,
    Op::GetToken,
    Op::ModifyToken,
    Op::RevokeToken,
    Op::GetQuotaOverrides,
    Op::PutQuotaOverrides,
    Op::DeleteQuotaOverrides,
    Op::IngressAuth,
    Op::IngressAnonymous,
];

// Made by `cargo xtask codegen` from crates/userinfo/api/gafaelfawr.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The routes of the emulator.

use http::Method;
use vouchsafe_core::mock::route::{self, Found, Route};

use super::operations;

/// The operations with their full paths on the server.
pub(crate) static ROUTES: &[Route<Op>] = &[
    Route {
        op: Op::GetOwnUserInfo,
        operation: &operations::GET_OWN_USER_INFO,
        path: "/auth/api/v1/user-info",
    },
    Route {
        op: Op::ListUsers,
        operation: &operations::LIST_USERS,
        path: "/auth/api/v1/users",
    },
    Route {
        op: Op::GetUserInfo,
        operation: &operations::GET_USER_INFO,
        path: "/auth/api/v1/users/{username}",
    },
    Route {
        op: Op::ListGroups,
        operation: &operations::LIST_GROUPS,
        path: "/auth/api/v1/groups",
    },
    Route {
        op: Op::CreateToken,
        operation: &operations::CREATE_TOKEN,
        path: "/auth/api/v1/tokens",
    },
    Route {
        op: Op::GetTokenInfo,
        operation: &operations::GET_TOKEN_INFO,
        path: "/auth/api/v1/token-info",
    },
    Route {
        op: Op::ListTokens,
        operation: &operations::LIST_TOKENS,
        path: "/auth/api/v1/users/{username}/tokens",
    },
    Route {
        op: Op::CreateUserToken,
        operation: &operations::CREATE_USER_TOKEN,
        path: "/auth/api/v1/users/{username}/tokens",
    },
    Route {
        op: Op::GetToken,
        operation: &operations::GET_TOKEN,
        path: "/auth/api/v1/users/{username}/tokens/{key}",
    },
    Route {
        op: Op::ModifyToken,
        operation: &operations::MODIFY_TOKEN,
        path: "/auth/api/v1/users/{username}/tokens/{key}",
    },
    Route {
        op: Op::RevokeToken,
        operation: &operations::REVOKE_TOKEN,
        path: "/auth/api/v1/users/{username}/tokens/{key}",
    },
    Route {
        op: Op::GetQuotaOverrides,
        operation: &operations::GET_QUOTA_OVERRIDES,
        path: "/auth/api/v1/quota-overrides",
    },
    Route {
        op: Op::PutQuotaOverrides,
        operation: &operations::PUT_QUOTA_OVERRIDES,
        path: "/auth/api/v1/quota-overrides",
    },
    Route {
        op: Op::DeleteQuotaOverrides,
        operation: &operations::DELETE_QUOTA_OVERRIDES,
        path: "/auth/api/v1/quota-overrides",
    },
    Route {
        op: Op::IngressAuth,
        operation: &operations::INGRESS_AUTH,
        path: "/ingress/auth",
    },
    Route {
        op: Op::IngressAnonymous,
        operation: &operations::INGRESS_ANONYMOUS,
        path: "/ingress/anonymous",
    },
];

/// The operations, to match on, so that a new one cannot be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Information about the user of the token.
    GetOwnUserInfo,
    /// All users of the directory, sorted by name, without quota.
    ListUsers,
    /// The entry of a user in the directory, and the quota.
    GetUserInfo,
    /// Returns all groups of the directory, in its order.
    ListGroups,
    /// Creates a service token for a bot user, and returns it.
    CreateToken,
    /// Returns what is known about the token that is used.
    GetTokenInfo,
    /// Returns what is known about a user's tokens.
    ListTokens,
    /// Creates a token for the calling user, and returns it.
    CreateUserToken,
    /// Returns what is known about one of a user's tokens, by the key of the token.
    GetToken,
    /// Changes the name, the scopes or the expiry of a user token, and returns what is then known
    /// about it.
    ModifyToken,
    /// Revokes one of a user's tokens, by its key, and the tokens made from it.
    RevokeToken,
    /// Returns the present overrides of the configured quotas, or `None` if there are none.
    GetQuotaOverrides,
    /// Replaces the overrides of the configured quotas, and returns them as stored.
    PutQuotaOverrides,
    /// Removes the overrides of the configured quotas, and returns whether there were any.
    DeleteQuotaOverrides,
    /// The check the ingress runs before it passes a request on.
    IngressAuth,
    /// Filter headers for a route without authentication.
    IngressAnonymous,
}

/// Finds the operation of a method and a path.
#[allow(dead_code, reason = "an emulator of several dialects searches its own table")]
pub(crate) fn find(method: &Method, path: &str) -> Found<Op> {
    route::find(ROUTES, method, path)
}

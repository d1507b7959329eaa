// Made by `cargo xtask codegen` from crates/userinfo/api/gafaelfawr.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The operations, in the form for the call pipeline.

use http::Method;
use vouchsafe_core::ErrorKind;
use vouchsafe_core::call::{Operation, Repeat, RepeatRule, StatusRule};

/// Information about the user of the token.
pub(crate) static GET_OWN_USER_INFO: Operation = Operation::new(
        "gafaelfawr.getOwnUserInfo",
        Method::GET,
        "/user-info",
    )
    .repeat(Repeat::Safe)
    .repeat_rules(REPEATS)
    .status_rules(COMMON_STATUSES);

/// All users of the directory, sorted by name, without quota.
pub(crate) static LIST_USERS: Operation = Operation::new(
        "gafaelfawr.listUsers",
        Method::GET,
        "/users",
    )
    .repeat(Repeat::Safe)
    .repeat_rules(REPEATS)
    .response_limit(64 << 20)
    .status_rules(COMMON_STATUSES);

/// The entry of a user in the directory, and the quota.
pub(crate) static GET_USER_INFO: Operation = Operation::new(
        "gafaelfawr.getUserInfo",
        Method::GET,
        "/users/{username}",
    )
    .repeat(Repeat::Safe)
    .repeat_rules(REPEATS)
    .status_rules(COMMON_STATUSES);

/// Returns all groups of the directory, in its order.
pub(crate) static LIST_GROUPS: Operation = Operation::new(
        "gafaelfawr.listGroups",
        Method::GET,
        "/groups",
    )
    .repeat(Repeat::Safe)
    .repeat_rules(REPEATS)
    .response_limit(64 << 20)
    .status_rules(COMMON_STATUSES);

/// Creates a service token for a bot user, and returns it.
pub(crate) static CREATE_TOKEN: Operation = Operation::new(
        "gafaelfawr.createToken",
        Method::POST,
        "/tokens",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .sensitive_answer()
    .status_rules(COMMON_STATUSES);

/// Returns what is known about the token that is used.
pub(crate) static GET_TOKEN_INFO: Operation = Operation::new(
        "gafaelfawr.getTokenInfo",
        Method::GET,
        "/token-info",
    )
    .repeat(Repeat::Safe)
    .repeat_rules(REPEATS)
    .status_rules(COMMON_STATUSES);

/// Returns what is known about a user's tokens.
pub(crate) static LIST_TOKENS: Operation = Operation::new(
        "gafaelfawr.listTokens",
        Method::GET,
        "/users/{username}/tokens",
    )
    .repeat(Repeat::Safe)
    .repeat_rules(REPEATS)
    .response_limit(16 << 20)
    .status_rules(COMMON_STATUSES);

/// Creates a token for the calling user, and returns it.
pub(crate) static CREATE_USER_TOKEN: Operation = Operation::new(
        "gafaelfawr.createUserToken",
        Method::POST,
        "/users/{username}/tokens",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .sensitive_answer()
    .status_rules(COMMON_STATUSES);

/// Returns what is known about one of a user's tokens, by the key of the token.
pub(crate) static GET_TOKEN: Operation = Operation::new(
        "gafaelfawr.getToken",
        Method::GET,
        "/users/{username}/tokens/{key}",
    )
    .repeat(Repeat::Safe)
    .repeat_rules(REPEATS)
    .status_rules(COMMON_STATUSES);

/// Changes the name, the scopes or the expiry of a user token, and returns what is then known
/// about it.
pub(crate) static MODIFY_TOKEN: Operation = Operation::new(
        "gafaelfawr.modifyToken",
        Method::PATCH,
        "/users/{username}/tokens/{key}",
    )
    .repeat(Repeat::Safe)
    .repeat_rules(REPEATS)
    .status_rules(COMMON_STATUSES);

/// Revokes one of a user's tokens, by its key, and the tokens made from it.
pub(crate) static REVOKE_TOKEN: Operation = Operation::new(
        "gafaelfawr.revokeToken",
        Method::DELETE,
        "/users/{username}/tokens/{key}",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// Returns the present overrides of the configured quotas, or `None` if there are none.
pub(crate) static GET_QUOTA_OVERRIDES: Operation = Operation::new(
        "gafaelfawr.getQuotaOverrides",
        Method::GET,
        "/quota-overrides",
    )
    .repeat(Repeat::Safe)
    .repeat_rules(REPEATS)
    .status_rules(COMMON_STATUSES);

/// Replaces the overrides of the configured quotas, and returns them as stored.
pub(crate) static PUT_QUOTA_OVERRIDES: Operation = Operation::new(
        "gafaelfawr.putQuotaOverrides",
        Method::PUT,
        "/quota-overrides",
    )
    .repeat(Repeat::Safe)
    .repeat_rules(REPEATS)
    .status_rules(COMMON_STATUSES);

/// Removes the overrides of the configured quotas, and returns whether there were any.
pub(crate) static DELETE_QUOTA_OVERRIDES: Operation = Operation::new(
        "gafaelfawr.deleteQuotaOverrides",
        Method::DELETE,
        "/quota-overrides",
    )
    .repeat(Repeat::OnlyIfUnsent)
    .status_rules(COMMON_STATUSES);

/// The check the ingress runs before it passes a request on.
#[cfg(feature = "mock")]
pub(crate) static INGRESS_AUTH: Operation = Operation::new(
        "gafaelfawr.ingressAuth",
        Method::GET,
        "/ingress/auth",
    )
    .repeat(Repeat::Safe)
    .repeat_rules(REPEATS)
    .status_rules(COMMON_STATUSES);

/// Filter headers for a route without authentication.
#[cfg(feature = "mock")]
pub(crate) static INGRESS_ANONYMOUS: Operation = Operation::new(
        "gafaelfawr.ingressAnonymous",
        Method::GET,
        "/ingress/anonymous",
    )
    .repeat(Repeat::Safe)
    .repeat_rules(REPEATS)
    .open()
    .status_rules(COMMON_STATUSES);

/// All operations, in the order of the description.
#[cfg(feature = "mock")]
#[allow(dead_code, reason = "for tests and tables that go through all of them")]
pub(crate) static ALL: &[&Operation] = &[
    &GET_OWN_USER_INFO,
    &LIST_USERS,
    &GET_USER_INFO,
    &LIST_GROUPS,
    &CREATE_TOKEN,
    &GET_TOKEN_INFO,
    &LIST_TOKENS,
    &CREATE_USER_TOKEN,
    &GET_TOKEN,
    &MODIFY_TOKEN,
    &REVOKE_TOKEN,
    &GET_QUOTA_OVERRIDES,
    &PUT_QUOTA_OVERRIDES,
    &DELETE_QUOTA_OVERRIDES,
    &INGRESS_AUTH,
    &INGRESS_ANONYMOUS,
];

/// Transient refusals.
static REPEATS: &[RepeatRule] = &[
    RepeatRule::new(408, None),
    RepeatRule::new(429, None),
    RepeatRule::new(500, Some("user_info_failed")),
    RepeatRule::new(502, None),
    RepeatRule::new(503, None),
    RepeatRule::new(504, None),
];

static COMMON_STATUSES: &[StatusRule] = &[
    StatusRule::new(403, Some("invalid_request"), ErrorKind::Credential),
];

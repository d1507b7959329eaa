// Made by `cargo xtask codegen` from crates/astakos/api/identity.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Creates the call of each operation. Each value is encoded by itself, so it cannot escape
//! its place.

use vouchsafe_core::{Result, Secret};
use vouchsafe_core::call::Call;
use vouchsafe_core::url::Target;

use super::{operations, wire};

/// The catalog of services; with credentials the token and its user too.
///
/// Without a body only the catalog is answered. The header X-Auth-Token is ignored: credentials
/// are in the body.
#[doc(alias = "get_endpoints")]
pub(crate) fn authenticate(body: Option<&wire::AuthRequest>) -> Result<Call> {
    let target = Target::new("/tokens");
    let call = Call::new(&operations::AUTHENTICATE, target);
    match body {
        Some(body) => call.secret_json(body),
        None => Ok(call),
    }
}

/// The values of `validateToken`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ValidateTokenParams {
    /// Sets a text that must begin with the token's scope.
    pub(crate) belongs_to: Option<String>,
}

/// Returns the owner of a short-lived OAuth 2.0 access token.
///
/// Tokens of users and services are not accepted.
///
/// Not all servers have it: 0.15+.
pub(crate) fn validate_token(
    token_id: &Secret,
    params: &ValidateTokenParams,
) -> Result<Call> {
    let target = Target::new("/tokens/").segment("token_id", token_id.expose())?;
    let target = target.query_opt("belongsTo", params.belongs_to.as_deref());
    Ok(Call::new(&operations::VALIDATE_TOKEN, target).hide(token_id))
}

// Made by `cargo xtask codegen` from crates/astakos/api/oauth2.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Creates the call of each operation. Each value is encoded by itself, so it cannot escape
//! its place.

use vouchsafe_core::Result;
use vouchsafe_core::call::{Call, Form};
use vouchsafe_core::url::Target;

use super::{operations, wire};

/// Exchange an authorization code for an access token.
///
/// A code can be used once.
///
/// Not all servers have it: 0.15+.
#[doc(alias = "get_token")]
pub(crate) fn token(body: &wire::TokenGrant) -> Result<Call> {
    let target = Target::new("/token");
    let form = Form::new()
        .field("grant_type", &body.grant_type)
        .secret_opt("code", body.code.as_ref())
        .field_opt("redirect_uri", body.redirect_uri.as_deref())
        .field_opt("client_id", body.client_id.as_deref())
        .field_opt("scope", body.scope.as_deref());
    Ok(Call::new(&operations::TOKEN, target).form(form))
}

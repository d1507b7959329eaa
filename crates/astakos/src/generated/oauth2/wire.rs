// Made by `cargo xtask codegen` from crates/astakos/api/oauth2.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! What is sent and received, as it stands on the wire.

use serde::Deserialize;
use vouchsafe_core::Secret;

/// A request for an access token.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct TokenRequest {
    /// `authorization_code` is the only one that works.
    pub(crate) grant_type: String,
    /// The authorization code.
    pub(crate) code: Option<Secret>,
    /// The address that the code was sent to.
    pub(crate) redirect_uri: Option<String>,
    /// Id of the client.
    pub(crate) client_id: Option<String>,
    /// What the token is for.
    pub(crate) scope: Option<String>,
}

/// An access token.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct OAuth2Token {
    /// The token.
    pub access_token: Secret,
    /// `Bearer`.
    pub token_type: Option<String>,
    /// For how many seconds it is good; 20 unless the server is set up otherwise.
    pub expires_in: Option<i64>,
}

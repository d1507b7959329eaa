// Made by `cargo xtask codegen` from crates/astakos/api/oauth2.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The types of requests and answers, in their form on the wire.

use serde::Deserialize;
use vouchsafe_core::Secret;

/// A request for an access token (RFC 6749, section 4.1.3).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct TokenGrant {
    /// `authorization_code` is the only one that works.
    pub grant_type: String,
    /// The authorization code.
    pub code: Option<Secret>,
    /// The address that the code was sent to. Default: the client's registered one.
    pub redirect_uri: Option<String>,
    /// Id of the client, in the form too.
    pub client_id: Option<String>,
    /// The scope of the token.
    pub scope: Option<String>,
}

impl TokenGrant {
    /// Creates a value from its required fields. The rest is unset or has its default.
    #[must_use]
    pub fn new(grant_type: impl Into<String>) -> Self {
        Self {
            grant_type: grant_type.into(),
            code: None,
            redirect_uri: None,
            client_id: None,
            scope: None,
        }
    }

    /// The authorization code.
    #[must_use]
    pub fn code(mut self, code: impl Into<Secret>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// The address that the code was sent to. Default: the client's registered one.
    #[must_use]
    pub fn redirect_uri(mut self, redirect_uri: impl Into<String>) -> Self {
        self.redirect_uri = Some(redirect_uri.into());
        self
    }

    /// Id of the client, in the form too.
    #[must_use]
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// The scope of the token.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }
}

/// An access token.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct OAuth2Token {
    /// The token.
    pub access_token: Secret,
    /// `Bearer`.
    pub token_type: Option<String>,
    /// Its lifetime in seconds, by default 20.
    pub expires_in: Option<i64>,
}

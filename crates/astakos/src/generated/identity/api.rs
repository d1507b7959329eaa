// Made by `cargo xtask codegen` from crates/astakos/api/identity.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The methods of the client: one for each operation, and a request builder for each
//! operation with optional values.

use vouchsafe_core::Secret;
use vouchsafe_core::call::CallOptions;
use vouchsafe_core::service::Service;

use super::{calls, wire};

impl crate::Client {
    /// Returns the owner of a short-lived OAuth 2.0 access token.
    ///
    /// Tokens of users and services are not accepted.
    ///
    /// Not all servers have it: 0.15+.
    ///
    /// `token_id`: The access token in question.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_astakos::mock::Server::new();
    /// # let client = server.client(server.user_token(&vouchsafe_astakos::mock::Server::alice()).ok_or("no user")?);
    /// # let address = "https://app.example.com/back";
    /// # let code = server.authorize("app", "s3cr3t", address, &vouchsafe_astakos::mock::Server::alice());
    /// # let grant = vouchsafe_astakos::TokenGrant::authorization_code(code).redirect_uri(address);
    /// # let token = client.oauth2_token("app", &"s3cr3t".into(), &grant).await?;
    /// let answer = client.validate_token(&token.access_token).send().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub fn validate_token(&self, token_id: impl Into<Secret>) -> ValidateTokenRequest {
        ValidateTokenRequest {
            client: self.clone(),
            token_id: token_id.into(),
            params: calls::ValidateTokenParams::default(),
            options: CallOptions::new(),
        }
    }
}

/// A request: returns the owner of a short-lived OAuth 2.0 access token.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ValidateTokenRequest {
    client: crate::Client,
    token_id: Secret,
    params: calls::ValidateTokenParams,
    options: CallOptions,
}

impl ValidateTokenRequest {
    /// Sets a text that must begin with the token's scope.
    pub fn belongs_to(mut self, value: impl Into<String>) -> Self {
        self.params.belongs_to = Some(value.into());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `NotFound`: Unknown, expired, or of another scope (404).
    /// - Of kind `Status`: Another method (405).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<wire::Access> {
        let call = calls::validate_token(&self.token_id, &self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json::<wire::AccessDocument>()?.access)
    }
}

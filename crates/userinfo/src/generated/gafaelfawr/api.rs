// Made by `cargo xtask codegen` from crates/userinfo/api/gafaelfawr.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! What users of the client call: one method for each operation, and one request builder
//! for each that has optional values.

use vouchsafe_core::call::CallOptions;
use vouchsafe_core::service::Service;

use super::{calls, wire};

impl crate::Client {
    /// Returns all groups of the directory, in its order.
    ///
    /// The token needs the scope `admin:userinfo`. Not cached.
    ///
    /// # Errors
    ///
    /// - Of kind `Credential`: No token, or a token that is not valid (401); or: the service's code
    ///   is `invalid_request` (403).
    /// - Of kind `Forbidden`: Scope missing, another user's data, or an Authorization header that
    ///   cannot be read (403).
    /// - Of kind `NotFound`: This installation has no directory (type not_supported) (404).
    /// - Of kind `Status`: The directory cannot be reached; the body is plain text (500).
    /// - What any call can meet: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_userinfo::Client, credential: vouchsafe_userinfo::ServiceToken) -> vouchsafe_userinfo::Result<()> {
    /// let answer = client.groups(credential).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "list_groups")]
    pub async fn groups(
        &self,
        credential: impl Into<crate::ServiceToken>,
    ) -> crate::Result<wire::AllGroups> {
        let call = calls::list_groups()?;
        let answer = Service::call(self, call, &credential.into(), &CallOptions::new())
            .await?;
        Ok(answer.json()?)
    }

    /// Returns what is known about the token that is used.
    ///
    /// # Errors
    ///
    /// - Of kind `Credential`: No token, or a token that is not valid (401); or: the service's code
    ///   is `invalid_request` (403).
    /// - Of kind `Forbidden`: The Authorization header cannot be read; X-Error-Status is 400 (403).
    /// - What any call can meet: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_userinfo::Client, credential: vouchsafe_userinfo::ServiceToken) -> vouchsafe_userinfo::Result<()> {
    /// let answer = client.token_info(credential).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn token_info(
        &self,
        credential: impl Into<crate::ServiceToken>,
    ) -> crate::Result<crate::TokenInfo> {
        let call = calls::get_token_info()?;
        let answer = Service::call(self, call, &credential.into(), &CallOptions::new())
            .await?;
        Ok(answer.convert(answer.json::<wire::TokenInfo>()?)?)
    }

    /// Returns what is known about a user's tokens.
    ///
    /// The token needs the scope `user:token` and to be that user's, or the scope `admin:token`.
    ///
    /// `username`: The name of the user.
    ///
    /// # Errors
    ///
    /// - Of kind `Credential`: No token, or a token that is not valid (401); or: the service's code
    ///   is `invalid_request` (403).
    /// - Of kind `Forbidden`: Scope missing, another user's data, or an Authorization header that
    ///   cannot be read (403).
    /// - Of kind `Invalid`: The input was refused (422).
    /// - What any call can meet: a time limit, a broken connection, a refused credential.
    pub async fn tokens(
        &self,
        credential: impl Into<crate::ServiceToken>,
        username: &crate::Username,
    ) -> crate::Result<Vec<crate::TokenInfo>> {
        let call = calls::list_tokens(username)?;
        let answer = Service::call(self, call, &credential.into(), &CallOptions::new())
            .await?;
        Ok(
            answer
                .json::<Vec<wire::TokenInfo>>()?
                .into_iter()
                .map(|wire| answer.convert(wire))
                .collect::<vouchsafe_core::Result<_>>()?,
        )
    }

    /// Returns what is known about one of a user's tokens, by the key of the token.
    ///
    /// The token that asks needs the scope `user:token` and to be that user's, or the scope
    /// `admin:token`.
    ///
    /// `username`: The name of the user.
    ///
    /// `key`: Exactly 22 characters.
    ///
    /// # Errors
    ///
    /// - Of kind `Credential`: No token, or a token that is not valid (401); or: the service's code
    ///   is `invalid_request` (403).
    /// - Of kind `Forbidden`: Scope missing, another user's data, or an Authorization header that
    ///   cannot be read (403).
    /// - Of kind `NotFound`: No such thing (type not_found) (404).
    /// - Of kind `Invalid`: The input was refused (422).
    /// - What any call can meet: a time limit, a broken connection, a refused credential.
    pub async fn token_info_by_key(
        &self,
        credential: impl Into<crate::ServiceToken>,
        username: &crate::Username,
        key: &str,
    ) -> crate::Result<crate::TokenInfo> {
        let call = calls::get_token(username, key)?;
        let answer = Service::call(self, call, &credential.into(), &CallOptions::new())
            .await?;
        Ok(answer.convert(answer.json::<wire::TokenInfo>()?)?)
    }

    /// Revokes one of a user's tokens, by its key, and the tokens made from it.
    ///
    /// The token that asks needs the scope `user:token` and to be that user's, or the scope
    /// `admin:token`. User information that the client keeps stays until it expires, or is
    /// forgotten with `forget_token`.
    ///
    /// `username`: The name of the user.
    ///
    /// `key`: Exactly 22 characters.
    ///
    /// Sent again only if nothing of it has left this machine: doubling it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `Credential`: No token, or a token that is not valid (401); or: the service's code
    ///   is `invalid_request` (403).
    /// - Of kind `Forbidden`: Scope missing, another user's data, or an Authorization header that
    ///   cannot be read (403).
    /// - Of kind `NotFound`: No such thing (type not_found) (404).
    /// - Of kind `Invalid`: The input was refused (422).
    /// - What any call can meet: a time limit, a broken connection, a refused credential.
    pub async fn revoke_token(
        &self,
        credential: impl Into<crate::ServiceToken>,
        username: &crate::Username,
        key: &str,
    ) -> crate::Result<()> {
        let call = calls::revoke_token(username, key)?;
        Service::call(self, call, &credential.into(), &CallOptions::new()).await?;
        Ok(())
    }
}

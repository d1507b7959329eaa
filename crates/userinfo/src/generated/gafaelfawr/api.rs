// Made by `cargo xtask codegen` from crates/userinfo/api/gafaelfawr.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The methods of the client: one for each operation, and a request builder for each
//! operation with optional values.

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
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_userinfo::mock::Server::new();
    /// # let client = server.client();
    /// # let credential = server.admin_token();
    /// # let credential = server.service_token();
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

    /// Creates a service token for a bot user, and returns it.
    ///
    /// The caller's token needs the scope `admin:token`; a bootstrap token is accepted too. The
    /// server shows the new token only once.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: The body is not UTF-8 (400); or: The input was refused (422).
    /// - Of kind `Credential`: No token, or a token that is not valid (401); or: the service's code
    ///   is `invalid_request` (403).
    /// - Of kind `Forbidden`: Scope missing, or a service token was asked for a name that is not a
    ///   bot name (403).
    /// - Of kind `Conflict`: A token of that name exists already (type duplicate_token_name) (409).
    /// - Of kind `Status`: The scopes are neither texts nor a list of them (500).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_userinfo::mock::Server::new();
    /// # let client = server.client();
    /// # let credential = server.admin_token();
    /// let answer = client.create_service_token(credential, &vouchsafe_userinfo::NewServiceToken::new(vouchsafe_userinfo::BotUsername::parse("bot-nightly")?)).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_service_token(
        &self,
        credential: impl Into<crate::ServiceToken>,
        body: &wire::NewServiceToken,
    ) -> crate::Result<crate::Token> {
        let call = calls::create_token(body)?;
        let answer = Service::call(self, call, &credential.into(), &CallOptions::new())
            .await?;
        Ok(answer.convert(answer.json::<wire::NewToken>()?)?)
    }

    /// Returns what is known about the token that is used.
    ///
    /// # Errors
    ///
    /// - Of kind `Credential`: No token, or a token that is not valid (401); or: the service's code
    ///   is `invalid_request` (403).
    /// - Of kind `Forbidden`: The Authorization header cannot be read; X-Error-Status is 400 (403).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_userinfo::mock::Server::new();
    /// # let client = server.client();
    /// # let credential = server.admin_token();
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
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_userinfo::mock::Server::new();
    /// # let client = server.client();
    /// # let credential = server.admin_token();
    /// let answer = client.tokens(credential, &"alice".parse()?).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
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

    /// Creates a token for the calling user, and returns it.
    ///
    /// The caller's token needs the scope `user:token` and to be that user's. The server shows the
    /// new token only once.
    ///
    /// `username`: The name of the user.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: The body is not UTF-8 (400); or: The input was refused (422).
    /// - Of kind `Credential`: No token, or a token that is not valid (401); or: the service's code
    ///   is `invalid_request` (403).
    /// - Of kind `Forbidden`: Scope missing, another user's data, or an Authorization header that
    ///   cannot be read (403).
    /// - Of kind `Conflict`: A token of that name exists already (type duplicate_token_name) (409).
    /// - Of kind `Status`: The scopes are neither texts nor a list of them (500).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_userinfo::mock::Server::new();
    /// # let client = server.client();
    /// # let credential = server.admin_token();
    /// # let credential = server.user_token();
    /// let answer = client.create_user_token(credential, &"alice".parse()?, &vouchsafe_userinfo::NewUserToken::new("example")).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_user_token(
        &self,
        credential: impl Into<crate::ServiceToken>,
        username: &crate::Username,
        body: &wire::NewUserToken,
    ) -> crate::Result<crate::Token> {
        let call = calls::create_user_token(username, body)?;
        let answer = Service::call(self, call, &credential.into(), &CallOptions::new())
            .await?;
        Ok(answer.convert(answer.json::<wire::NewToken>()?)?)
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
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_userinfo::mock::Server::new();
    /// # let client = server.client();
    /// # let credential = server.admin_token();
    /// # let token = server.user_token();
    /// let answer = client.token_info_by_key(credential, &"alice".parse()?, token.key()).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
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

    /// Changes the name, the scopes or the expiry of a user token, and returns what is then known
    /// about it.
    ///
    /// The token that asks needs the scope `admin:token`. What is not given stays.
    ///
    /// `username`: The name of the user.
    ///
    /// `key`: Exactly 22 characters.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: The body is not UTF-8 (400); or: The input was refused (422).
    /// - Of kind `Credential`: No token, or a token that is not valid (401); or: the service's code
    ///   is `invalid_request` (403).
    /// - Of kind `Forbidden`: Scope missing, another user's data, or an Authorization header that
    ///   cannot be read (403).
    /// - Of kind `NotFound`: No such thing (type not_found) (404).
    /// - Of kind `Conflict`: A token of that name exists already (type duplicate_token_name) (409).
    /// - Of kind `Status`: The scopes are neither texts nor a list of them (500).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_userinfo::mock::Server::new();
    /// # let client = server.client();
    /// # let credential = server.admin_token();
    /// # let token = server.user_token();
    /// let answer = client.modify_token(credential, &"alice".parse()?, token.key(), &vouchsafe_userinfo::TokenChange::new().token_name("desk")).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn modify_token(
        &self,
        credential: impl Into<crate::ServiceToken>,
        username: &crate::Username,
        key: &str,
        body: &wire::TokenChange,
    ) -> crate::Result<crate::TokenInfo> {
        let call = calls::modify_token(username, key, body)?;
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
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `Credential`: No token, or a token that is not valid (401); or: the service's code
    ///   is `invalid_request` (403).
    /// - Of kind `Forbidden`: Scope missing, another user's data, or an Authorization header that
    ///   cannot be read (403).
    /// - Of kind `NotFound`: No such thing (type not_found) (404).
    /// - Of kind `Invalid`: The input was refused (422).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_userinfo::mock::Server::new();
    /// # let client = server.client();
    /// # let credential = server.admin_token();
    /// # let token = server.user_token();
    /// client.revoke_token(credential, &"alice".parse()?, token.key()).await?;
    /// # Ok(())
    /// # }
    /// ```
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

    /// Returns the present overrides of the configured quotas, or `None` if there are none.
    ///
    /// Any valid token is sufficient.
    ///
    /// # Errors
    ///
    /// - Of kind `Credential`: No token, or a token that is not valid (401).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_userinfo::mock::Server::new();
    /// # let client = server.client();
    /// # let credential = server.admin_token();
    /// let answer = client.quota_overrides(credential).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn quota_overrides(
        &self,
        credential: impl Into<crate::ServiceToken>,
    ) -> crate::Result<Option<crate::QuotaConfig>> {
        let call = calls::get_quota_overrides()?;
        let answer = match Service::call(
                self,
                call,
                &credential.into(),
                &CallOptions::new(),
            )
            .await
        {
            Err(
                error,
            ) if error.status().is_some_and(|status| status == 404)
                && error.code() == Some("not_found") => {
                return Ok(None);
            }
            sent => sent?,
        };
        Ok(Some(answer.convert(answer.json::<wire::QuotaConfig>()?)?))
    }

    /// Replaces the overrides of the configured quotas, and returns them as stored.
    ///
    /// The token needs the scope `admin:token`. They apply at once to every user.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: The body is not UTF-8 (400); or: The input was refused (422).
    /// - Of kind `Credential`: No token, or a token that is not valid (401); or: the service's code
    ///   is `invalid_request` (403).
    /// - Of kind `Forbidden`: Scope missing, another user's data, or an Authorization header that
    ///   cannot be read (403).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_userinfo::mock::Server::new();
    /// # let client = server.client();
    /// # let credential = server.admin_token();
    /// let answer = client.set_quota_overrides(credential, &vouchsafe_userinfo::QuotaConfig::default()).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_quota_overrides(
        &self,
        credential: impl Into<crate::ServiceToken>,
        body: &crate::QuotaConfig,
    ) -> crate::Result<crate::QuotaConfig> {
        let call = calls::put_quota_overrides(&body.clone().into())?;
        let answer = Service::call(self, call, &credential.into(), &CallOptions::new())
            .await?;
        Ok(answer.convert(answer.json::<wire::QuotaConfig>()?)?)
    }

    /// Removes the overrides of the configured quotas, and returns whether there were any.
    ///
    /// The token needs the scope `admin:token`.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `Credential`: No token, or a token that is not valid (401); or: the service's code
    ///   is `invalid_request` (403).
    /// - Of kind `Forbidden`: Scope missing, another user's data, or an Authorization header that
    ///   cannot be read (403).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = vouchsafe_userinfo::mock::Server::new();
    /// # let client = server.client();
    /// # let credential = server.admin_token();
    /// client.remove_quota_overrides(credential).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn remove_quota_overrides(
        &self,
        credential: impl Into<crate::ServiceToken>,
    ) -> crate::Result<bool> {
        let call = calls::delete_quota_overrides()?;
        match Service::call(self, call, &credential.into(), &CallOptions::new()).await {
            Err(
                error,
            ) if error.status().is_some_and(|status| status == 404)
                && error.code() == Some("not_found") => {
                return Ok(false);
            }
            sent => sent?,
        };
        Ok(true)
    }
}

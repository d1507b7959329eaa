//! A user's own tokens: list, look up, make, revoke.

use std::time::SystemTime;

use vouchsafe_core::call::{Answer, CallOptions};
use vouchsafe_core::timestamp;

use crate::client::Client;
use crate::generated::gafaelfawr::{calls, wire};
use crate::{Result, Scope, ServiceToken, Token, TokenInfo, Username};

impl Client {
    /// Returns what is known about a user's tokens. The token needs the scope `user:token` and to
    /// be that user's, or the scope `admin:token`.
    ///
    /// # Errors
    ///
    /// Of kind `Forbidden` if the token does not suffice.
    pub async fn tokens(
        &self,
        token: impl Into<ServiceToken>,
        username: &Username,
    ) -> Result<Vec<TokenInfo>> {
        let answer = self
            .send(calls::list_tokens(username.as_str())?, &token.into())
            .await?;
        let tokens: Vec<wire::TokenInfo> = answer.json()?;
        tokens
            .into_iter()
            .map(|wire| token_info(&answer, wire))
            .collect()
    }

    /// Returns what is known about one of a user's tokens, by its [key](Token::key). The token
    /// that asks must suffice as for [`tokens`](Self::tokens).
    ///
    /// # Errors
    ///
    /// Of kind `NotFound` if the user has no such token; as [`tokens`](Self::tokens).
    pub async fn token_info_by_key(
        &self,
        token: impl Into<ServiceToken>,
        username: &Username,
        key: &str,
    ) -> Result<TokenInfo> {
        let call = calls::get_token(username.as_str(), key)?;
        let answer = self.send(call, &token.into()).await?;
        token_info(&answer, answer.json()?)
    }

    /// Revokes one of a user's tokens, by its [key](Token::key), and those made from it. The token
    /// that asks must suffice as for [`tokens`](Self::tokens).
    ///
    /// User information that this client keeps stays until it expires: see
    /// [`forget_token`](Self::forget_token).
    ///
    /// # Errors
    ///
    /// As [`token_info_by_key`](Self::token_info_by_key).
    pub async fn revoke_token(
        &self,
        token: impl Into<ServiceToken>,
        username: &Username,
        key: &str,
    ) -> Result<()> {
        let call = calls::revoke_token(username.as_str(), key)?;
        self.send(call, &token.into()).await.map(|_| ())
    }

    /// Starts the making of a token for the user that asks. The token needs the scope
    /// `user:token`.
    pub fn create_user_token(
        &self,
        token: &Token,
        username: &Username,
        token_name: impl Into<String>,
    ) -> CreateUserToken {
        CreateUserToken {
            client: self.clone(),
            token: token.clone(),
            username: username.clone(),
            request: wire::UserTokenRequest {
                token_name: token_name.into(),
                scopes: Vec::new(),
                expires: None,
            },
        }
    }
}

/// Makes a user token (protocol section 4.6). What is not set is left to the server: no scopes,
/// no end.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateUserToken {
    client: Client,
    token: Token,
    username: Username,
    request: wire::UserTokenRequest,
}

impl CreateUserToken {
    /// Sets what the new token may do: no more than the one that asks.
    pub fn scopes<'a>(mut self, scopes: impl IntoIterator<Item = &'a Scope>) -> Self {
        self.request.scopes = scopes.into_iter().map(Scope::to_string).collect();
        self
    }

    /// Sets when the new token ends, at least five minutes ahead. Default: never.
    pub fn expires(mut self, at: SystemTime) -> Self {
        self.request.expires = Some(wire::Expires::Text(timestamp::format(at)));
        self
    }

    /// Sets deadline, tries or request id of this call.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.client.set_options(options);
        self
    }

    /// Sends the request and returns the new token, which the server shows only this once.
    ///
    /// # Errors
    ///
    /// Of kind `Invalid` if the name has not 1 to 64 characters or the server refuses the input,
    /// `Conflict` if the name is taken, `Forbidden` if the token that asks does not suffice.
    pub async fn send(self) -> Result<Token> {
        let call = calls::create_user_token(self.username.as_str(), &self.request)?;
        new_token(&self.client.send(call, &self.token).await?)
    }
}

/// Reads the answer to the making of a token.
pub(super) fn new_token(answer: &Answer) -> Result<Token> {
    let new: wire::NewToken = answer.json()?;
    Token::parse(new.token.expose()).map_err(|fault| {
        answer
            .decode_error("the answer holds no well-formed token")
            .with_source(fault)
            .into()
    })
}

fn token_info(answer: &Answer, wire: wire::TokenInfo) -> Result<TokenInfo> {
    TokenInfo::from_wire(wire).ok_or_else(|| {
        answer
            .decode_error("the answer holds a time out of range")
            .into()
    })
}

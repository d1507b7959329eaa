//! Creates tokens for the calling user.

use std::time::SystemTime;

use vouchsafe_core::call::{Answer, CallOptions};
use vouchsafe_core::timestamp;

use crate::client::Client;
use crate::generated::gafaelfawr::{calls, wire};
use crate::{Result, Scope, Token, Username};

impl Client {
    /// Starts creating a token for the calling user. The caller's token needs the scope
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

/// Creates a user token (protocol section 4.6). Unset fields get the server's defaults: no scopes,
/// no expiry.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateUserToken {
    client: Client,
    token: Token,
    username: Username,
    request: wire::UserTokenRequest,
}

impl CreateUserToken {
    /// Sets the scopes of the new token, which must be among those of the caller's token.
    pub fn scopes<'a>(mut self, scopes: impl IntoIterator<Item = &'a Scope>) -> Self {
        self.request.scopes = scopes.into_iter().map(Scope::to_string).collect();
        self
    }

    /// Sets when the new token expires, at least five minutes from now. Default: never.
    pub fn expires(mut self, at: SystemTime) -> Self {
        self.request.expires = Some(wire::Expires::Text(timestamp::format(at)));
        self
    }

    /// Sets the deadline, the retries or the request id of this call.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.client.set_options(options);
        self
    }

    /// Sends the request and returns the new token, which the server shows only once.
    ///
    /// # Errors
    ///
    /// Of kind `Invalid` if the name does not have 1 to 64 characters or the server refuses the
    /// input, `Conflict` if the name is taken, `Forbidden` if the caller's token is not sufficient.
    pub async fn send(self) -> Result<Token> {
        let call = calls::create_user_token(&self.username, &self.request)?;
        new_token(&self.client.send(call, &self.token).await?)
    }
}

/// Reads the token from the answer to a create request.
pub(super) fn new_token(answer: &Answer) -> Result<Token> {
    let new: wire::NewToken = answer.json()?;
    Token::parse(new.token.expose()).map_err(|fault| {
        answer
            .decode_error("the answer holds no well-formed token")
            .with_source(fault)
            .into()
    })
}

//! Creates a service token.

use std::time::SystemTime;

use vouchsafe_core::call::CallOptions;
use vouchsafe_core::timestamp;

use super::user_tokens::new_token;
use crate::client::Client;
use crate::generated::gafaelfawr::{calls, wire};
use crate::{BotUsername, GroupName, Result, Scope, ServiceToken, Token};

/// Creates a service token (protocol section 4.6). Unset fields get the server's defaults: no
/// scopes, no expiry, no user data.
///
/// Retried only if no byte of the first attempt left this machine: a repeated request could leave
/// an unknown token behind.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateServiceToken {
    client: Client,
    service_token: ServiceToken,
    request: wire::AdminTokenRequest,
}

impl CreateServiceToken {
    pub(crate) fn new(client: Client, service_token: ServiceToken, username: &BotUsername) -> Self {
        Self {
            client,
            service_token,
            request: wire::AdminTokenRequest {
                username: username.to_string(),
                token_type: wire::AdminTokenType::Service,
                token_name: None,
                scopes: Vec::new(),
                expires: None,
                name: None,
                email: None,
                uid: None,
                gid: None,
                groups: None,
            },
        }
    }

    /// Sets the scopes of the new token. The server decides which scopes exist.
    pub fn scopes<'a>(mut self, scopes: impl IntoIterator<Item = &'a Scope>) -> Self {
        self.request.scopes = scopes.into_iter().map(Scope::to_string).collect();
        self
    }

    /// Sets when the new token expires, at least five minutes from now. Default: never.
    pub fn expires(mut self, at: SystemTime) -> Self {
        let text = timestamp::format(at);
        self.request.expires = Some(wire::Expires::Text(text));
        self
    }

    /// Sets the full name of the bot user.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.request.name = Some(name.into());
        self
    }

    /// Sets the mail address of the bot user.
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.request.email = Some(email.into());
        self
    }

    /// Sets the numeric user id, at least 1.
    pub fn uid(mut self, uid: i64) -> Self {
        self.request.uid = Some(uid);
        self
    }

    /// Sets the id of the primary group, at least 1.
    pub fn gid(mut self, gid: i64) -> Self {
        self.request.gid = Some(gid);
        self
    }

    /// Sets the groups of the bot user and their ids.
    pub fn groups<'a>(mut self, groups: impl IntoIterator<Item = (&'a GroupName, i64)>) -> Self {
        let group = |(name, id): (&GroupName, i64)| wire::Group {
            name: name.to_string(),
            id,
        };
        self.request.groups = Some(groups.into_iter().map(group).collect());
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
    /// Of kind `Invalid` if the input is refused, by the client or by the server; `Forbidden` if
    /// the caller's token is not sufficient; `Decode` if the answer does not contain a token.
    pub async fn send(self) -> Result<Token> {
        let call = calls::create_token(&self.request)?;
        new_token(&self.client.send(call, &self.service_token).await?)
    }
}

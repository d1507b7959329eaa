//! Calls of the identity part (protocol section 7.1).

use std::time::UNIX_EPOCH;

use http::HeaderName;
use vouchsafe_core::call::CallOptions;
use vouchsafe_core::{Error as CoreError, ErrorKind as CoreKind, timestamp};

use super::Client;
use crate::generated::account::calls as account;
use crate::generated::identity::wire::{AccessDocument, Auth, AuthRequest, TokenCredentials};
use crate::generated::identity::{calls, operations};
use crate::{Access, AccessToken, AccessUser, Catalog, Error, ErrorKind, Result, UserInfo};

impl Access {
    /// Returns the catalog.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoEndpoints`] if there is no catalog, as when a token was validated.
    pub fn catalog(&self) -> Result<&Catalog> {
        let none = || Error::lacks(ErrorKind::NoEndpoints, "the answer holds no catalog");
        self.service_catalog.as_ref().ok_or_else(none)
    }
}

impl Client {
    /// Returns the owner of the token, and the catalog. Requires a user's token.
    ///
    /// `tenant_name` may be the user's uuid or empty; anything else is refused. In 0.14 this was
    /// called `get_endpoints` with a token and a uuid.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unauthorized`] if the token is unknown; [`ErrorKind::BadRequest`] for
    /// another tenant; [`ErrorKind::NoEndpoints`] if the catalog lacks the account part.
    #[doc(alias = "get_endpoints")]
    pub async fn authenticate(&self, tenant_name: Option<&str>) -> Result<Access> {
        let tenant_name = tenant_name.map(str::to_owned);
        let call = calls::authenticate(None)?.body_with_token(move |call, token| {
            let auth = Auth {
                tenant_name: tenant_name.clone(),
                token: Some(TokenCredentials { id: token.clone() }),
                password_credentials: None,
            };
            call.secret_json(&AuthRequest { auth })
        });
        // The server ignores the header, but the Python clients send the token there too.
        let token = Some(self.session.token_for(call.operation())?);
        let answer = self.deliver(call, token, &CallOptions::new()).await?;
        let access = answer.json::<AccessDocument>()?.access;
        // Done only once, since parsing the addresses takes as long as the rest of the answer.
        if !self.parts.is_known() {
            self.parts.learn(access.service_catalog.as_ref())?;
        }
        Ok(access)
    }

    /// Returns the catalog of public services, and uses it to find the parts from now on. The token
    /// is optional.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoEndpoints`] if it lacks the account part.
    #[doc(alias = "get_endpoints")]
    pub async fn endpoints(&self) -> Result<Access> {
        let access = self.catalog_access().await?;
        self.parts.learn(access.service_catalog.as_ref())?;
        Ok(access)
    }

    pub(super) async fn catalog_access(&self) -> Result<Access> {
        // Only the paths in the answer are used, so an attacker on the network cannot redirect the
        // token.
        let json = HeaderName::from_static("content-type");
        let call = calls::authenticate(None)?.header(json, "application/json")?;
        let answer = self.send(call, &CallOptions::new()).await?;
        Ok(answer.json::<AccessDocument>()?.access)
    }

    /// Returns the information of 0.14 about the user of the token.
    ///
    /// Later servers do not support the call, so [`authenticate`](Self::authenticate) and
    /// [`username`](Self::username) are called instead. Fields that they do not provide are
    /// missing: the number, the creation time of the token, and the e-mail address.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unauthorized`] if the token is not known.
    #[doc(alias = "get_user_info")]
    pub async fn user_info(&self) -> Result<UserInfo> {
        self.user_info_by(None).await
    }

    /// As [`user_info`](Self::user_info), with [`UserInfo::usage`], which only servers before 0.14
    /// provide.
    ///
    /// # Errors
    ///
    /// As [`user_info`](Self::user_info).
    pub async fn user_info_with_usage(&self) -> Result<UserInfo> {
        self.user_info_by(Some("1".to_owned())).await
    }

    async fn user_info_by(&self, usage: Option<String>) -> Result<UserInfo> {
        let call = account::legacy_user_info(&account::LegacyUserInfoParams { usage })?;
        // It is tried whatever the generation. The answer contains the token, so one that cannot be
        // understood is not kept.
        let token = Some(self.session.token_for(call.operation())?);
        match self.deliver(call, token, &CallOptions::new()).await {
            Err(error) if error.kind() == ErrorKind::BadRequest && error.fault().is_some() => {
                let access = self.authenticate(None).await?;
                let Some(user) = &access.user else {
                    let core = CoreError::new(CoreKind::Decode, "the answer lacks the user");
                    return Err(core.with_operation(operations::AUTHENTICATE.id()).into());
                };
                // The field called name there is the one for people.
                let username = self.username(&user.id).await?;
                Ok(user_info_of(user.clone(), access.token.clone(), username))
            }
            known => Ok(known?.json()?),
        }
    }
}

fn user_info_of(user: AccessUser, token: Option<AccessToken>, username: String) -> UserInfo {
    let expires = token
        .as_ref()
        .and_then(|token| timestamp::parse(token.expires.as_deref()?))
        .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
        .and_then(|since| i64::try_from(since.as_millis()).ok());
    let roles = user.roles.into_iter();
    UserInfo {
        id: None,
        username,
        uuid: user.id,
        email: Vec::new(),
        name: user.name,
        groups: roles.filter_map(|role| role.name).collect(),
        auth_token: token.map(|token| token.id),
        auth_token_created: None,
        auth_token_expires: expires,
        usage: Vec::new(),
    }
}

//! Calls of the identity part (protocol section 7.1).

use std::time::UNIX_EPOCH;

use vouchsafe_core::auth::Credentials;
use vouchsafe_core::call::Call;
use vouchsafe_core::{Error as CoreError, ErrorKind as CoreKind, Secret, timestamp};

use super::layout::{Layout, Part};
use super::{Auth, Client, Dialect};
use crate::generated::account::calls as account;
use crate::generated::identity::wire::TokenCredentials;
use crate::generated::identity::wire::{AccessDocument, Auth as AuthBody, AuthRequest};
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
    /// [`ErrorKind::Unauthorized`] if the token is not known; [`ErrorKind::BadRequest`] for
    /// another tenant; [`ErrorKind::NoEndpoints`] if the catalog lacks the account part.
    #[doc(alias = "get_endpoints")]
    pub async fn authenticate(&self, tenant_name: Option<&str>) -> Result<Access> {
        let source = self.token()?;
        let credentials = Credentials::new(&**source, &self.inner.scheme);
        let token = self.inner.core.token(credentials, &self.options).await?;
        let access = match self.access(token.secret(), tenant_name).await {
            // The source may have a newer token.
            Err(error) if error.kind() == ErrorKind::Unauthorized => {
                source.forget(token.generation());
                let newer = self.inner.core.token(credentials, &self.options).await;
                match newer {
                    Ok(newer) if newer.generation() != token.generation() => {
                        self.access(newer.secret(), tenant_name).await?
                    }
                    _ => return Err(error),
                }
            }
            result => result?,
        };
        // Done only once, since parsing the addresses takes as long as the rest of the answer.
        if let Layout::Catalog(discovered) = &self.inner.layout
            && discovered.known().is_none()
        {
            let parts = discovered.learn(access.service_catalog.as_ref());
            parts.get(Part::Account)?;
        }
        Ok(access)
    }

    async fn access(&self, token: &Secret, tenant_name: Option<&str>) -> Result<Access> {
        let body = AuthRequest {
            auth: AuthBody {
                tenant_name: tenant_name.map(str::to_owned),
                token: Some(TokenCredentials { id: token.clone() }),
                password_credentials: None,
            },
        };
        // The server ignores the header; the Python clients send it.
        let name = http::HeaderName::from_static("x-auth-token");
        let call = calls::authenticate(Some(&body))?.secret_header(name, token)?;
        self.access_document(call, Auth::None).await
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
        if let Layout::Catalog(discovered) = &self.inner.layout {
            let parts = discovered.learn(access.service_catalog.as_ref());
            parts.get(Part::Account)?;
        }
        Ok(access)
    }

    pub(super) async fn catalog_access(&self) -> Result<Access> {
        // Only paths of the answer are trusted, so an attacker in between could not redirect the
        // token.
        let call = calls::authenticate(None)?;
        let json = http::HeaderName::from_static("content-type");
        let call = call.header(json, "application/json")?;
        self.access_document(call, Auth::IfModern).await
    }

    /// Returns the owner of a short-lived OAuth 2.0 access token. Tokens of users and services are
    /// not accepted.
    ///
    /// `belongs_to` must begin with the token's scope.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if it is unknown, expired or of another scope.
    pub async fn validate_token(
        &self,
        token_id: &Secret,
        belongs_to: Option<&str>,
    ) -> Result<Access> {
        self.require("OAuth 2.0", Dialect::V015..)?;
        let params = calls::ValidateTokenParams {
            belongs_to: belongs_to.map(str::to_owned),
        };
        let call = calls::validate_token(token_id, &params)?;
        self.access_document(call, Auth::IfModern).await
    }

    async fn access_document(&self, call: Call, auth: Auth) -> Result<Access> {
        self.send_to(self.inner.layout.identity(), call, auth, |answer| {
            Ok(answer.json::<AccessDocument>()?.access)
        })
        .await
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
    pub async fn user_info(&self, usage: bool) -> Result<UserInfo> {
        let params = account::LegacyUserInfoParams {
            usage: usage.then(|| "1".to_owned()),
        };
        let call = account::legacy_user_info(&params)?;
        // It contains the token, so an answer that cannot be understood is not kept.
        let known = self.send_and(
            Part::Account,
            call,
            Auth::Token,
            |answer| Ok(answer.json()?),
        );
        match known.await {
            Err(error) if error.kind() == ErrorKind::BadRequest && error.fault().is_some() => {
                let access = self.authenticate(None).await?;
                let Some(user) = &access.user else {
                    let core = CoreError::new(CoreKind::Decode, "the answer tells no user");
                    return Err(core.with_operation(operations::AUTHENTICATE.id()).into());
                };
                // The field called name there is the one for people.
                let username = self.username(&user.id).await?;
                Ok(user_info_of(user.clone(), access.token.clone(), username))
            }
            result => result,
        }
    }
}

fn user_info_of(user: AccessUser, token: Option<AccessToken>, username: String) -> UserInfo {
    let expires = token
        .as_ref()
        .and_then(|token| timestamp::parse(token.expires.as_deref()?))
        .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
        .and_then(|since| i64::try_from(since.as_millis()).ok());
    UserInfo {
        id: None,
        username,
        uuid: user.id,
        email: Vec::new(),
        name: user.name,
        groups: user
            .roles
            .into_iter()
            .filter_map(|role| role.name)
            .collect(),
        auth_token: token.map(|token| token.id),
        auth_token_created: None,
        auth_token_expires: expires,
        usage: Vec::new(),
    }
}

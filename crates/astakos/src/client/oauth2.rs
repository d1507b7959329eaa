//! OAuth 2.0 (protocol section 7.7).

use http::header::AUTHORIZATION;
use vouchsafe_core::Secret;
use vouchsafe_core::auth::Basic;

use super::layout::{Part, join_urls};
use super::{Auth, Client, Dialect};
use crate::generated::oauth2::calls;
use crate::generated::oauth2::wire::TokenRequest;
use crate::{OAuth2Token, Result};

/// A request for an access token (RFC 6749, section 4.1.3).
#[derive(Clone, Debug)]
#[must_use]
pub struct TokenGrant(TokenRequest);

impl TokenGrant {
    /// An authorization code, which can be used once. Known servers support only this grant.
    pub fn authorization_code(code: impl Into<Secret>) -> Self {
        Self::other("authorization_code").code(code)
    }

    /// A grant of another type.
    pub fn other(grant_type: impl Into<String>) -> Self {
        Self(TokenRequest {
            grant_type: grant_type.into(),
            code: None,
            redirect_uri: None,
            client_id: None,
            scope: None,
        })
    }

    /// Sets the authorization code.
    pub fn code(mut self, code: impl Into<Secret>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// Sets the address that the code was sent to. Default: the client's registered one.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.0.redirect_uri = Some(uri.into());
        self
    }

    /// Sets the client's id in the form too.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.0.client_id = Some(id.into());
        self
    }

    /// Sets the scope of the token.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.0.scope = Some(scope.into());
        self
    }
}

impl Client {
    /// Exchanges an authorization code for a short-lived access token, which
    /// [`validate_token`](Self::validate_token) checks. The server requires https.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadRequest`](crate::ErrorKind::BadRequest) for every refusal;
    /// [`Error::code`](crate::Error::code) and the message say which. An id with a colon, and
    /// control characters, are refused before anything is sent.
    #[doc(alias = "get_token")]
    pub async fn oauth2_token(
        &self,
        client_id: &str,
        client_secret: &Secret,
        grant: &TokenGrant,
    ) -> Result<OAuth2Token> {
        self.require("OAuth 2.0", Dialect::V015..)?;
        let header = Basic::new(client_id)?.header(client_secret)?;
        let call = calls::token(&grant.0)?
            .hide(client_secret)
            .secret_header(AUTHORIZATION, &header)?;
        self.send_and(Part::OAuth2, call, Auth::IfModern, |answer| {
            Ok(answer.json()?)
        })
        .await
    }

    /// Returns the address of the page at which a user grants access with a browser.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoEndpoints`](crate::ErrorKind::NoEndpoints) if the catalog lacks the part.
    pub async fn oauth2_auth_url(&self) -> Result<String> {
        Ok(join_urls(&self.oauth2_url().await?, "auth"))
    }
}

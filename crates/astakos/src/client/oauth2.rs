//! OAuth 2.0 (protocol section 7.7).

use http::header::AUTHORIZATION;
use vouchsafe_core::Secret;
use vouchsafe_core::auth::Basic;
use vouchsafe_core::call::CallOptions;

use super::{Client, join_urls};
use crate::generated::oauth2::calls;
use crate::{OAuth2Token, Result, TokenGrant};

impl TokenGrant {
    /// Creates a grant by authorization code, which can be used once. Known servers support only
    /// this grant.
    pub fn authorization_code(code: impl Into<Secret>) -> Self {
        Self::new("authorization_code").code(code)
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
        let header = Basic::new(client_id)?.header(client_secret)?;
        let call = calls::token(grant)?
            .hide(client_secret)
            .secret_header(AUTHORIZATION, &header)?;
        self.require_operation(call.operation())?;
        let token = self.session.token();
        let answer = self.deliver(call, token, &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Returns the address of the page at which a user grants access with a browser.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoEndpoints`](crate::ErrorKind::NoEndpoints) if the catalog lacks the part.
    pub async fn oauth2_auth_url(&self) -> Result<String> {
        Ok(join_urls(&self.parts.oauth2_url().await?, "auth"))
    }
}

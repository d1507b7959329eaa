//! Logging in, and checking tokens.

use std::time::Duration;

use http::header::AUTHORIZATION;
use vouchsafe_core::auth::Basic;
use vouchsafe_core::call::CallOptions;
use vouchsafe_core::service::Service;
use vouchsafe_core::{CoreClient, Error, ErrorKind, Secret};

use crate::client::Login;
use crate::generated::wazo_auth::api::TokenApi;
use crate::generated::wazo_auth::{calls, wire};
use crate::{AccessType, Client, Result, Token};

impl TokenApi<'_> {
    /// Starts a login, which creates a token.
    ///
    /// Without a refresh token or a SAML session, the request's user name and password are used, or
    /// else the client's.
    ///
    /// Sent again only if no byte of it was sent, since each login opens a session.
    #[doc(alias = "new")]
    pub fn create(&self) -> CreateTokenRequest {
        CreateTokenRequest {
            client: self.0.clone(),
            login: self.0.login().cloned(),
            body: wire::Login::default(),
            params: calls::CreateTokenParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Checks that a token is valid and that it covers an access and belongs to a tenant, if these
    /// are set.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), vouchsafe_wazo_auth::Error> {
    /// # let server = vouchsafe_wazo_auth::mock::Server::new();
    /// # let client = server.client();
    /// # let token = server.issue_token("admin");
    /// use vouchsafe_wazo_auth::Validity;
    ///
    /// let check = client.token().check(token).required_access("auth.users.read");
    /// assert_eq!(check.validity().await?, Validity::Valid);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "required_acl")]
    #[doc(alias = "required_acls")]
    pub fn check(&self, token: impl Into<Secret>) -> CheckTokenRequest {
        CheckTokenRequest {
            client: self.0.clone(),
            token: token.into(),
            params: calls::CheckTokenParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Returns whether a token is valid.
    ///
    /// To check an access or a tenant too, call [`is_valid`](CheckTokenRequest::is_valid) on a
    /// [`check`](Self::check).
    ///
    /// # Errors
    ///
    /// If the service could not be asked, or failed: never `false` then.
    pub async fn is_valid(&self, token: &Secret) -> Result<bool> {
        self.check(token.clone()).is_valid().await
    }

    /// Ends a token and its session. Knowing the token is enough. Succeeds also if the token is
    /// unknown.
    ///
    /// # Errors
    ///
    /// If the service could not be asked, or failed: the token may still be valid then. The older
    /// clients hide that.
    pub async fn revoke(&self, token: &Secret) -> Result<()> {
        let call = calls::revoke_token(token)?;
        self.0.call(call, &(), &CallOptions::new()).await?;
        Ok(())
    }
}

/// The result of checking a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the protocol has these three answers"
)]
pub enum Validity {
    /// The token is valid; if they were given, it covers the access and belongs to the tenant.
    Valid,
    /// The token is unknown or has expired.
    #[doc(alias = "InvalidTokenException")]
    NotValid,
    /// The token is valid, but does not cover the access, or belongs to another tenant.
    #[doc(alias = "MissingPermissionsTokenException")]
    NotAllowed,
}

/// A request: checks that a token is valid and suffices.
///
/// The answer of the service has no body, so that a refusal looks like one of a proxy that has lost
/// the service. A refusal is therefore confirmed by a second request, whose answer has a body. Each
/// of the two has the time limit of a call.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`, `validity` or `is_valid`"]
pub struct CheckTokenRequest {
    client: Client,
    token: Secret,
    params: calls::CheckTokenParams,
    options: CallOptions,
}

impl CheckTokenRequest {
    /// Checks that the token covers an access, such as `auth.users.read`.
    pub fn required_access(mut self, access: impl Into<String>) -> Self {
        self.params.required_access = Some(access.into());
        self
    }

    /// Checks that the tenant of the token's user is this tenant or above it.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.params.tenant = Some(tenant.into());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the check.
    ///
    /// # Errors
    ///
    /// - Of kind `Forbidden` if the token does not cover the access, or is not of the tenant.
    /// - Of kind `NotFound` if the token is unknown or has expired.
    /// - Of another kind if the service could not be asked, or failed: `Decode` if something else
    ///   answered in its place.
    pub async fn send(&self) -> Result<()> {
        let call = calls::check_token(&self.token, &self.params)?;
        match self.client.call(call, &(), &self.options).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() || error.is_forbidden() => self.confirm().await,
            Err(error) => Err(error),
        }
    }

    /// Asks for the token itself, since that answer shows who gave it.
    async fn confirm(&self) -> Result<()> {
        let params = calls::GetTokenParams {
            required_access: self.params.required_access.clone(),
            tenant: self.params.tenant.clone(),
        };
        let call = calls::get_token(&self.token, &params)?;
        let answer = self.client.call(call, &(), &self.options).await;
        answer.map_err(judged)?.json::<wire::TokenAnswer>()?;
        Ok(())
    }

    /// Sends the check and returns its result.
    ///
    /// # Errors
    ///
    /// If the service could not be asked, or failed.
    pub async fn validity(&self) -> Result<Validity> {
        match self.send().await {
            Ok(()) => Ok(Validity::Valid),
            Err(error) if error.is_not_found() => Ok(Validity::NotValid),
            Err(error) if error.is_forbidden() => Ok(Validity::NotAllowed),
            Err(error) => Err(error),
        }
    }

    /// Sends the check and returns whether the token is valid and suffices.
    ///
    /// # Errors
    ///
    /// If the service could not be asked, or failed: never `false` then.
    pub async fn is_valid(&self) -> Result<bool> {
        Ok(self.validity().await? == Validity::Valid)
    }
}

/// Gives a refusal of a token another kind unless it has the service's own words (protocol sections
/// 4.1 and 5.3): a proxy, or another service at its URL, says nothing of a token.
pub(crate) fn judged(error: crate::Error) -> crate::Error {
    let body = error.body();
    let reason = body.reason.as_deref().unwrap_or_default();
    let is_own = match error.core().kind() {
        ErrorKind::NotFound => {
            reason == "No such token" || body.error_id.as_deref() == Some("unknown-user")
        }
        ErrorKind::Forbidden => reason.starts_with("Unauthorized for "),
        _ => true,
    };
    if is_own {
        return error;
    }
    let core = error.core().clone().with_kind(ErrorKind::Decode);
    let why = "this refusal is not from wazo-auth (is the URL right?)";
    core.with_origin(why).into()
}

/// A new token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CreatedToken {
    /// The token, with a refresh token if one was requested.
    pub token: Token,
    /// How many sessions of the user the login has ended: a user can have one mobile session with a
    /// refresh token. `None` if the server does not say, as before 26.04.
    pub sessions_revoked: Option<u64>,
}

/// A request: logs in and returns a new token.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct CreateTokenRequest {
    client: Client,
    login: Option<Login>,
    body: wire::Login,
    params: calls::CreateTokenParams,
    options: CallOptions,
}

impl CreateTokenRequest {
    /// Sets the user name and the password. Default: the client's.
    #[doc(alias = "username")]
    #[doc(alias = "password")]
    pub fn credentials(mut self, username: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.login = Some(Login::new(username.into(), password.into()));
        self
    }

    /// Sets the lifetime of the token, in whole seconds: from one second to ten years. Default: the
    /// server's, usually two hours.
    pub fn expiration(mut self, lifetime: Duration) -> Self {
        self.body.expiration = Some(i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX));
        self
    }

    /// Also requests a refresh token, which does not expire and belongs to the user and this client
    /// id of at most 1024 characters.
    #[doc(alias = "access_type")]
    #[doc(alias = "client_id")]
    pub fn offline(mut self, client_id: impl Into<String>) -> Self {
        self.body.access_type = Some(AccessType::Offline);
        self.body.client_id = Some(client_id.into());
        self
    }

    /// Logs in with a refresh token that was created for the same client id. User name and password
    /// are not sent.
    pub fn refresh_token(mut self, client_id: impl Into<String>, token: impl Into<Secret>) -> Self {
        self.body.client_id = Some(client_id.into());
        self.body.refresh_token = Some(token.into());
        self
    }

    /// Logs in with a SAML session, which can be used once. User name and password are not sent.
    pub fn saml_session(mut self, id: impl Into<Secret>) -> Self {
        self.body.saml_session_id = Some(id.into());
        self
    }

    /// Sets the domain whose LDAP directory has the user. The login then fails for users that are
    /// not in LDAP.
    pub fn domain_name(mut self, domain: impl Into<String>) -> Self {
        self.body.domain_name = Some(domain.into());
        self
    }

    /// Sets the tenant whose LDAP directory has the user, for servers before 22.07; use
    /// [`domain_name`](Self::domain_name) for later ones.
    pub fn tenant_id(mut self, tenant: impl Into<String>) -> Self {
        self.body.tenant_id = Some(tenant.into());
        self
    }

    /// Sets the login backend, for servers before 24.08; others ignore it.
    pub fn backend(mut self, name: impl Into<String>) -> Self {
        self.body.backend = Some(name.into());
        self
    }

    /// Sets the type of the session: `mobile` in upper or lower case; everything else is ignored. A
    /// user can have one mobile session with a refresh token; a second login ends the first.
    pub fn session_type(mut self, kind: impl Into<String>) -> Self {
        self.params.session_type = Some(kind.into());
        self
    }

    /// Sets the `User-Agent` of the login, which the server keeps with the token. Default: the
    /// client's.
    pub fn user_agent(mut self, text: &str) -> Self {
        self.options = self.options.plain_header(http::header::USER_AGENT, text);
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - [`LoginFailed`](crate::ErrorKind::LoginFailed) if the credentials are refused. The service
    ///   does not say why.
    /// - [`TooManySessions`](crate::ErrorKind::TooManySessions) if the user has as many sessions as
    ///   the service permits.
    /// - Of kind `Config` if there are no credentials.
    /// - Of kind `Invalid` if values exclude each other or are out of range; nothing is sent.
    pub async fn send(&self) -> Result<CreatedToken> {
        self.check()?;
        let mut call = calls::create_token(&self.params, &self.body)?;
        if self.body.refresh_token.is_none() && self.body.saml_session_id.is_none() {
            let missing = "nothing to log in with: set credentials or a refresh token";
            let login = self.login.as_ref();
            let login = login.ok_or_else(|| refuse(ErrorKind::Config, missing))?;
            let header = Basic::new(&*login.username).and_then(|id| id.header(&login.password));
            let header = header.map_err(|fault| fault.with_operation(OPERATION))?;
            call = call.secret_header(AUTHORIZATION, &header)?;
        }
        let answer = self.client.call(call, &(), &self.options).await?;
        let revoked = answer.headers().get("wazo-sessions-revoked");
        let revoked = revoked.and_then(|count| count.to_str().ok()?.parse().ok());
        Ok(CreatedToken {
            token: answer.json::<wire::TokenAnswer>()?.data,
            sessions_revoked: revoked,
        })
    }

    /// Returns the client that sends it.
    pub(crate) fn core(&self) -> &CoreClient {
        self.client.core()
    }

    /// Refuses combinations that the service refuses (protocol section 5.1).
    fn check(&self) -> Result<()> {
        let body = &self.body;
        let is_refresh = body.refresh_token.is_some();
        let fault = match () {
            () if is_refresh && body.access_type.is_some() => {
                "a login with a refresh token cannot ask for another"
            }
            () if is_refresh && body.saml_session_id.is_some() => {
                "a login has either a refresh token or a session of SAML"
            }
            () if body.domain_name.is_some() && body.tenant_id.is_some() => {
                "a login has either a domain or a tenant"
            }
            () => return Ok(()),
        };
        Err(refuse(ErrorKind::Invalid, fault).into())
    }
}

fn refuse(kind: ErrorKind, why: &str) -> Error {
    Error::new(kind, why).with_operation(OPERATION)
}

const OPERATION: &str = "wazo-auth.createToken";

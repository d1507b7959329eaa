//! The client for Gafaelfawr.

mod builder;
pub(crate) mod discovery;
pub(crate) mod service_token;

use std::sync::Arc;

use vouchsafe_core::auth::TokenSource;
use vouchsafe_core::cache::{Cache, Digest, Fetched};
use vouchsafe_core::call::{Answer, Call, CallOptions};
use vouchsafe_core::service::{Service, Session};

pub use self::builder::ClientBuilder;
use self::service_token::CredentialId;
use crate::generated::gafaelfawr::{calls, wire};
use crate::{Error, Result, ServiceToken, Token, UserInfo, Username};

/// A client for Gafaelfawr, which it locates through Repertoire (protocol section 9).
///
/// # Configuration
///
/// [`from_env`](Self::from_env) reads `REPERTOIRE_BASE_URL`; [`builder`](Self::builder) gives
/// access to all settings. No other environment variable is read.
///
/// # Caching
///
/// User information is cached for five minutes, by token and, separately, by user name, with a
/// thousand entries each. An entry by name is only visible to the credential that fetched it.
/// Concurrent callers with the same question share one request and its result. Errors are not
/// cached. A request shared by several callers uses the options of the first.
///
/// # Pooling and cloning
///
/// Cheap to clone; clones share connections, caches and budgets. Create one client and clone it.
/// Nothing runs in the background, and dropping the last clone ends all requests in progress.
#[derive(Clone, Debug)]
pub struct Client {
    session: Session<Error>,
    caches: Arc<Caches>,
    discovery: discovery::Client,
}

#[derive(Debug)]
struct Caches {
    by_token: Cache<Digest, Arc<UserInfo>, Error>,
    by_name: Cache<(CredentialId, Username), Arc<UserInfo>, Error>,
}

impl Client {
    /// Creates a builder with the defaults that its setters document.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// Creates a client that locates Gafaelfawr through the Repertoire at `REPERTOIRE_BASE_URL`.
    ///
    /// # Errors
    ///
    /// Of kind `Config` if the variable is unset, empty or not a URL.
    pub fn from_env() -> Result<Self> {
        ClientBuilder::from_env()?.build()
    }

    vouchsafe_core::session_options!(session);

    /// Returns information about the user of a token. Needs no scope. Cached by token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::UserInfoFailed`](crate::ErrorKind::UserInfoFailed) if the directory is down;
    /// of kind `Credential` if the token is not valid.
    #[doc(alias = "get_user_info")]
    pub fn user_info(&self, token: &Token) -> impl Future<Output = Result<Arc<UserInfo>>> + Send {
        let fetch = move || {
            let (session, token) = (self.session.clone(), token.clone());
            async move { fetch(session, calls::get_own_user_info()?, &token).await }
        };
        self.caches.by_token.get_or_fetch(token.digest(), fetch)
    }

    /// Returns the directory's information about a user. The token needs the scope
    /// `admin:userinfo`, unless it belongs to that user. Cached by credential and name.
    ///
    /// For a name that is not in the directory, the answer has little more than the name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoDirectory`](crate::ErrorKind::NoDirectory) if the installation has no
    /// directory; of kind `Forbidden` if the token is not sufficient.
    #[doc(alias = "get_user_info")]
    pub async fn user_info_for(
        &self,
        service_token: impl Into<ServiceToken>,
        username: &Username,
    ) -> Result<Arc<UserInfo>> {
        let service_token = service_token.into();
        let key = (service_token.id(), username.clone());
        let fetch = || {
            let (session, username) = (self.session.clone(), username.clone());
            async move { fetch(session, calls::get_user_info(&username)?, &service_token).await }
        };
        self.caches.by_name.get_or_fetch(&key, fetch).await
    }

    /// Returns all users of the directory, sorted by name, without quota. The token needs the
    /// scope `admin:userinfo`. Not cached.
    ///
    /// # Errors
    ///
    /// Those of [`user_info_for`](Self::user_info_for).
    #[doc(alias = "list_users")]
    pub async fn users(&self, service_token: impl Into<ServiceToken>) -> Result<Vec<UserInfo>> {
        let call = calls::list_users()?;
        let answer = self
            .call(call, &service_token.into(), &CallOptions::new())
            .await?;
        let users: Vec<wire::UserInfo> = match answer.json() {
            // An empty object means an empty list (protocol section 9.3).
            Err(_) if answer.json::<NoMembers>().is_ok() => Vec::new(),
            users => users?,
        };
        Ok(users.into_iter().map(UserInfo::from).collect())
    }

    /// Returns the discovery client, which shares this client's connections.
    #[must_use]
    pub fn discovery(&self) -> &discovery::Client {
        &self.discovery
    }

    /// Removes all user information from the caches. Requests in progress still answer their
    /// callers, but their results are not cached. The discovery document stays.
    pub fn clear_cache(&self) {
        self.caches.by_token.clear();
        self.caches.by_name.clear();
    }

    /// Removes the cached information about the user of a token.
    pub fn forget_token(&self, token: &Token) {
        self.caches.by_token.forget(token.digest());
    }

    /// Removes the information about a user that was fetched with this credential.
    pub fn forget_user(&self, service_token: impl Into<ServiceToken>, username: &Username) {
        let key = (service_token.into().id(), username.clone());
        self.caches.by_name.forget(&key);
    }
}

impl Service for Client {
    type Error = Error;
    type Credential = ServiceToken;

    async fn call(
        &self,
        call: Call,
        token: &ServiceToken,
        options: &CallOptions,
    ) -> Result<Answer> {
        self.session.send_as(call, Some(token), options).await
    }
}

/// Fetches user information. Takes no cache, so that a fetch in progress keeps none alive.
async fn fetch(
    session: Session<Error>,
    call: Call,
    token: &dyn TokenSource,
) -> Result<Fetched<Arc<UserInfo>>> {
    let answer = session
        .send_as(call, Some(token), &CallOptions::new())
        .await?;
    let mut info = UserInfo::from(answer.json::<wire::UserInfo>()?);
    info.groups.shrink_to_fit();
    Ok(Fetched::new(Arc::new(info)))
}

/// An object without members.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct NoMembers {}

//! Logins on another device (RFC 8628), for machines without a browser.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde::Deserialize;
use tokio::time::{Instant, sleep_until};
use vouchsafe_core::auth::oauth::{ErrorCode, TokenAnswer};
use vouchsafe_core::cache::{Cache, Fetched};
use vouchsafe_core::call::{Call, Operation};
use vouchsafe_core::{Error as Core, ErrorKind as Kind, Secret, deadline};

use super::authorization::joined;
use super::exchange::Login;
use super::fields::{Field, Fields};
use super::{BodyFormat, Credentials};
use crate::{Error, Result};

impl Credentials {
    /// Starts a login on another device, on which the user visits a page and enters a code.
    ///
    /// ```no_run
    /// # async fn login(credentials: vouchsafe_cloud_credentials::Credentials) -> vouchsafe_cloud_credentials::Result<()> {
    /// let mut login = credentials.device_login().send().await?;
    /// println!("Visit {} and enter {}", login.verification_uri(), login.user_code());
    /// login.wait().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn device_login(&self) -> DeviceRequest {
        DeviceRequest {
            credentials: self.clone(),
            client_id: None,
            client_secret: None,
            scope: self.inner.authorization.scope.clone(),
        }
    }
}

/// Starts a login on another device; see [`Credentials::device_login`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct DeviceRequest {
    credentials: Credentials,
    client_id: Option<String>,
    client_secret: Option<Secret>,
    scope: Option<String>,
}

/// The answer of the server (RFC 8628, 3.2).
#[derive(Deserialize)]
struct Begun {
    device_code: Secret,
    user_code: String,
    #[serde(alias = "verification_url")]
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: u64,
    #[serde(default = "usual_interval")]
    interval: u64,
}

fn usual_interval() -> u64 {
    5
}

impl DeviceRequest {
    /// Sets the client's id. Default: that of the credentials. For another client, their secret is not
    /// used.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// Sets the client's secret. Default: that of the credentials, if it is the same client.
    pub fn client_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.client_secret = Some(secret.into());
        self
    }

    /// Sets the scopes. Default: those of the builder.
    pub fn scopes<T: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.scope = Some(joined(scopes));
        self
    }

    /// Requests a code from the server.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PartialCredentials`](crate::ErrorKind::PartialCredentials) without a client's
    /// id; of kind `Config` if no device authorization endpoint is known; and those of any call.
    pub async fn send(self) -> Result<DeviceLogin> {
        let credentials = self.credentials;
        let endpoints = &credentials.inner.endpoints;
        let login = Login::begin(&credentials, self.client_id, self.client_secret, None).await?;
        let client = login.identity();
        let server = endpoints.server().await?;
        let url = server.device()?;
        let mut fields = server.client(client);
        let scope = self.scope.as_deref().filter(|scope| !scope.is_empty());
        fields.extend(scope.map(|scope| ("scope", Field::Text(scope))));
        let call = Call::new(&AUTHORIZE_DEVICE, url.target().clone());
        let call = Fields(fields).body_of(call, BodyFormat::Form)?;
        let answer = endpoints.send(&server, url, call, client).await?;
        let begun: Begun = answer.json()?;
        let now = Instant::now();
        let interval = Duration::from_secs(begun.interval.clamp(1, LONGEST_INTERVAL));
        let polls = endpoints.core.cache("polls for a login").capacity(2);
        Ok(DeviceLogin {
            user_code: begun.user_code,
            verification_uri: begun.verification_uri,
            verification_uri_complete: begun.verification_uri_complete,
            device_code: begun.device_code,
            login: Arc::new(login),
            interval,
            next: deadline::after(now, interval),
            until: deadline::after(now, Duration::from_secs(begun.expires_in)),
            count: 0,
            polls: polls.ttl(KEPT).error_ttl(KEPT).refresh_ahead(0.0).build(),
        })
    }
}

/// A login on another device that has started.
///
/// Dropping it abandons the login; the code expires by itself.
pub struct DeviceLogin {
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    device_code: Secret,
    login: Arc<Login>,
    interval: Duration,
    /// The earliest time of the next poll.
    next: Instant,
    until: Instant,
    /// The number of completed polls.
    count: u64,
    /// Each poll runs in its own task: its answer may contain the tokens, and must reach this
    /// object even if the caller is cancelled.
    polls: Cache<u64, Result<TokenAnswer>, Error>,
}

impl DeviceLogin {
    /// Returns the code that the user has to enter.
    #[must_use]
    pub fn user_code(&self) -> &str {
        &self.user_code
    }

    /// Returns the URL that the user has to visit.
    #[must_use]
    pub fn verification_uri(&self) -> &str {
        &self.verification_uri
    }

    /// Returns the same URL with the code in it, such as for a QR code, if the server has one.
    #[must_use]
    pub fn verification_uri_complete(&self) -> Option<&str> {
        self.verification_uri_complete.as_deref()
    }

    /// Returns the time that the user has left.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// Waits until the user has decided, and returns the answer of the token endpoint. The tokens
    /// are stored as by [`Credentials::exchange`].
    ///
    /// The server is polled as often as it allows, and less often if it cannot be reached. The
    /// future may be dropped, and `wait` called again: nothing is lost, and no poll is too early.
    ///
    /// # Errors
    ///
    /// With the [code](Error::oauth_code) [`AccessDenied`](ErrorCode::AccessDenied) if the user
    /// refused, and [`ExpiredToken`](ErrorCode::ExpiredToken) if the time is over: start again.
    /// Otherwise those of [`Credentials::exchange`].
    pub async fn wait(&mut self) -> Result<TokenAnswer> {
        let until = self.until;
        self.wait_until(until).await?.ok_or_else(expired)
    }

    /// Waits as [`wait`](Self::wait), but begins no poll after `limit`, and returns `None` if the user has
    /// not decided by then. A poll that is in progress is waited for: it may be the one whose answer has
    /// the tokens.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    pub async fn wait_for(&mut self, limit: Duration) -> Result<Option<TokenAnswer>> {
        let until = deadline::after(Instant::now(), limit);
        if until >= self.until {
            return self.wait().await.map(Some);
        }
        self.wait_until(until).await
    }

    async fn wait_until(&mut self, until: Instant) -> Result<Option<TokenAnswer>> {
        loop {
            if self.next >= until {
                sleep_until(until).await;
                return Ok(None);
            }
            sleep_until(self.next).await;
            if let Some(answer) = self.poll().await? {
                return Ok(Some(answer));
            }
        }
    }

    /// Polls once, now or as soon as the server allows. `None` if the user has not decided yet.
    async fn poll(&mut self) -> Result<Option<TokenAnswer>> {
        let (login, code) = (Arc::clone(&self.login), self.device_code.clone());
        let fetch = || async move {
            let endpoints = &login.credentials.inner.endpoints;
            let (answer, issued) = endpoints.poll(login.identity(), &code).await?;
            let kept = login.keep(issued).await;
            Ok(Fetched::new(kept.map(|()| answer)))
        };
        let polled = self.polls.get_or_fetch(&self.count, fetch).await;
        let error = match polled {
            Ok(kept) => return kept.map(Some),
            Err(error) => error,
        };
        self.interval = match error.oauth_code() {
            Some(ErrorCode::AuthorizationPending) => self.interval,
            Some(ErrorCode::SlowDown) => self.interval + Duration::from_secs(5),
            Some(ErrorCode::ExpiredToken) => return Err(expired()),
            // As RFC 8628, 3.5 asks for, after a time limit.
            _ if error.is_retryable() => self.interval * 2,
            _ => return Err(error),
        };
        let most = Duration::from_secs(LONGEST_INTERVAL);
        // Here, so that it does not double without end while the server is away.
        self.interval = self.interval.min(most);
        let asked = error.retry_after().unwrap_or_default();
        let wait = self.interval.max(asked).min(most);
        self.next = deadline::after(Instant::now(), wait);
        self.count += 1;
        Ok(None)
    }
}

fn expired() -> Error {
    let what = "the code was not entered in time; start the login again";
    Core::new(Kind::Credential, what)
        .with_operation("oauth.requestToken")
        .with_code(ErrorCode::ExpiredToken.as_str())
        .into()
}

impl fmt::Debug for DeviceLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Anyone who has the user's code can take over the login.
        f.debug_struct("DeviceLogin")
            .field("verification_uri", &self.verification_uri)
            .field("time_left", &self.time_left())
            .finish_non_exhaustive()
    }
}

const LONGEST_INTERVAL: u64 = 300;

/// How long the result of a poll is kept for a caller that returns.
const KEPT: Duration = Duration::from_secs(3600);

static AUTHORIZE_DEVICE: Operation = Operation::new(
    "oauth.authorizeDevice",
    Method::POST,
    "/as/device_authz.oauth2",
)
.open();

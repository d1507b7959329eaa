//! The client of Astakos.

mod builder;
mod commissions;
mod dialect;
mod identity;
mod layout;
mod oauth2;
mod projects;
mod quotas;
mod users;

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::{DeserializeOwned, IgnoredAny};
use tokio::time::{Instant, timeout};
use vouchsafe_core::auth::{Credentials, HeaderToken, StaticToken, TokenSource};
use vouchsafe_core::call::{Answer, AnswerStream, Call, CallOptions, Jitter, Repeat, Retry};
use vouchsafe_core::service::Service;
use vouchsafe_core::{
    Clock, CoreClient, Error as CoreError, ErrorKind as CoreKind, Secret, Sent, TimeoutScope,
};

pub use builder::ClientBuilder;
pub use dialect::Dialect;
pub use layout::{Prefixes, join_urls};
pub use oauth2::TokenGrant;
pub use projects::{ApplicationAction, ProjectAction, ProjectFilter, ProjectMode};
pub(crate) use quotas::heeded;

use self::dialect::Generation;
use self::layout::{Layout, Part, Parts, Place};
use crate::{Error, ErrorKind, Result};

/// A client of Astakos.
///
/// # Configuration
///
/// [`builder`](Self::builder) takes the URL of the identity part and a token; the other parts
/// are found in the catalog, once, when the first of them is needed (protocol section 3.1).
///
/// # Tokens
///
/// Users and services have tokens; each call says which it wants, and the other kind is refused
/// as [`ErrorKind::Unauthorized`]. [`with_token`](Self::with_token) gives another token for some
/// calls.
///
/// # Repeating
///
/// What can be doubled without harm is repeated after a broken connection or a busy server,
/// issuing a commission only if it was surely not sent.
///
/// # Pooling and cloning
///
/// Cheap to clone and to share among tasks; clones share connections, limits and the catalog.
/// Nothing runs in the background.
#[derive(Clone, Debug)]
#[doc(alias = "AstakosClient")]
pub struct Client {
    inner: Arc<Inner>,
    token: Option<Arc<dyn TokenSource>>,
    options: CallOptions,
    compatible_retries: Option<u32>,
}

#[derive(Debug)]
struct Inner {
    core: CoreClient,
    layout: Layout,
    generation: Generation,
    scheme: HeaderToken,
    headers: CallOptions,
}

/// Whether a call carries the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Auth {
    /// It does.
    Token,
    /// The service does not look at it. It goes along except to servers of 0.14, as the
    /// Python clients have it (protocol section 4).
    IfModern,
    /// It does not.
    None,
}

impl Client {
    /// Starts a client with the defaults that each setter names.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// Returns the same client with another token. It shares everything else.
    #[must_use]
    pub fn with_token(&self, token: impl Into<Secret>) -> Self {
        Self {
            token: Some(Arc::new(StaticToken::new(token.into()))),
            ..self.clone()
        }
    }

    /// Returns the same client with other options for its calls: a deadline, a number of tries,
    /// a request id, headers. It shares everything else.
    #[must_use]
    pub fn with_options(&self, options: CallOptions) -> Self {
        Self {
            options: options.or(&self.inner.headers),
            ..self.clone()
        }
    }

    /// Returns the same client for callers that count tries themselves: nothing is repeated.
    pub(crate) fn without_repeats(&self) -> Self {
        Self {
            options: CallOptions::new().retry(Retry::none()).or(&self.options),
            compatible_retries: None,
            ..self.clone()
        }
    }

    /// Returns the address of the account part, as the catalog tells it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoEndpoints`] if the catalog lacks it, or why it could not be asked for.
    pub async fn account_url(&self) -> Result<String> {
        Ok(self.place(Part::Account).await?.url.clone())
    }

    /// Returns the address of the user interface, as the catalog tells it.
    ///
    /// # Errors
    ///
    /// As [`account_url`](Self::account_url).
    pub async fn ui_url(&self) -> Result<String> {
        Ok(self.place(Part::Ui).await?.url.clone())
    }

    /// Returns the address of the OAuth 2.0 part, as the catalog tells it.
    ///
    /// # Errors
    ///
    /// As [`account_url`](Self::account_url).
    pub async fn oauth2_url(&self) -> Result<String> {
        Ok(self.place(Part::OAuth2).await?.url.clone())
    }

    /// Returns the path of the requests to the account part; `quotas`, `commissions` and the
    /// others are under it.
    ///
    /// # Errors
    ///
    /// As [`account_url`](Self::account_url).
    #[doc(alias = "api_quotas")]
    #[doc(alias = "api_commissions")]
    pub async fn account_path(&self) -> Result<String> {
        Ok(self.place(Part::Account).await?.base.path().to_owned())
    }

    /// Returns the path of the requests to the user interface.
    ///
    /// # Errors
    ///
    /// As [`account_url`](Self::account_url).
    #[doc(alias = "api_getservices")]
    pub async fn ui_path(&self) -> Result<String> {
        Ok(self.place(Part::Ui).await?.base.path().to_owned())
    }

    /// Returns the path of the requests to the OAuth 2.0 part.
    ///
    /// # Errors
    ///
    /// As [`account_url`](Self::account_url).
    #[doc(alias = "api_oauth2_auth")]
    #[doc(alias = "api_oauth2_token")]
    pub async fn oauth2_path(&self) -> Result<String> {
        Ok(self.place(Part::OAuth2).await?.base.path().to_owned())
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        self.inner.core.clock()
    }

    pub(crate) fn jitter(&self) -> Jitter {
        self.inner.core.jitter()
    }

    /// Returns where a part is, and asks for the catalog if that is not known yet.
    async fn place(&self, part: Part) -> Result<Arc<Place>> {
        let found = |parts: &Parts| parts.get(part).cloned();
        let discovered = match &self.inner.layout {
            Layout::Fixed(parts) => return found(parts),
            Layout::Catalog(discovered) => discovered,
        };
        if let Some(parts) = discovered.known() {
            return found(&parts);
        }
        let asked = async {
            let _turn = discovered.asking.lock().await;
            if let Some(parts) = discovered.known() {
                return Ok::<_, Error>(parts);
            }
            let access = self.catalog_access().await?;
            Ok(discovered.learn(access.service_catalog.as_ref()))
        };
        // Who waits for others that ask has no more time than they have.
        let limit = self.inner.core.call_limit(&self.options);
        let parts = timeout(limit, asked).await.unwrap_or_else(|_| {
            let message = format!("the catalog did not come within {limit:?}");
            let core = CoreError::new(CoreKind::Timeout(TimeoutScope::Call), message);
            Err(core.with_retryable(true).into())
        });
        found(&*parts?)
    }

    /// Returns where a part is, and this client with what is left of the time for a call.
    async fn reach(&self, part: Part) -> Result<(Arc<Place>, Cow<'_, Self>)> {
        if self.inner.layout.is_known() {
            return Ok((self.place(part).await?, Cow::Borrowed(self)));
        }
        let begun = Instant::now();
        let place = self.place(part).await?;
        let limit = self.inner.core.call_limit(&self.options);
        let left = limit.saturating_sub(begun.elapsed());
        let options = self.options.clone().deadline(left);
        let hurried = Self {
            options,
            ..self.clone()
        };
        Ok((place, Cow::Owned(hurried)))
    }

    /// Sends a call and returns the answer that means success.
    async fn send(&self, part: Part, call: Call, auth: Auth) -> Result<Answer> {
        self.send_and(part, call, auth, |answer| Ok(answer.clone()))
            .await
    }

    /// Sends a call and reads the answer's JSON.
    async fn fetch<T: DeserializeOwned>(&self, part: Part, call: Call) -> Result<T> {
        self.send_and(part, call, Auth::Token, read_json).await
    }

    /// Sends a call and reads the answer's JSON; an empty body says nothing (protocol section 4).
    async fn fetch_any<T: DeserializeOwned + Default>(&self, part: Part, call: Call) -> Result<T> {
        self.send_and(part, call, Auth::Token, |answer| {
            match answer.body().is_empty() {
                true => Ok(T::default()),
                false => read_json(answer),
            }
        })
        .await
    }

    /// Sends a call whose answer says nothing.
    async fn tell(&self, part: Part, call: Call) -> Result<()> {
        self.send_and(part, call, Auth::Token, |_| Ok(())).await
    }

    async fn send_and<T>(
        &self,
        part: Part,
        call: Call,
        auth: Auth,
        read: impl Fn(&Answer) -> Result<T>,
    ) -> Result<T> {
        // Before the catalog is asked for: nothing is sent for a call that cannot be made.
        if auth == Auth::Token {
            self.token()?;
        }
        let (place, client) = self.reach(part).await?;
        client.send_to(&place, call, auth, read).await
    }

    /// Sends a call and leaves the body of the answer to be read.
    async fn stream(&self, part: Part, call: Call) -> Result<AnswerStream> {
        let token = self.token()?;
        let place = self.place(part).await?;
        let credentials = Some(Credentials::new(&**token, &self.inner.scheme));
        let core = &self.inner.core;
        let answer = core.stream(&place.base, call, credentials, &self.options);
        Ok(answer.await?)
    }

    async fn send_to<T>(
        &self,
        place: &Place,
        call: Call,
        auth: Auth,
        read: impl Fn(&Answer) -> Result<T>,
    ) -> Result<T> {
        let token = match auth {
            Auth::Token => Some(self.token()?),
            Auth::IfModern if self.dialect() != Dialect::V014 => self.token.as_ref(),
            Auth::IfModern | Auth::None => None,
        };
        let Some(more) = self.compatible_retries else {
            let answer = self.once(place, call, token, &self.options).await?;
            return read(&answer);
        };
        let options = self.options.clone().retry(Retry::none());
        let repeat = call.operation().repeatable();
        let mut left = more;
        loop {
            let result = match self.once(place, call.clone(), token, &options).await {
                Ok(answer) => read(&answer),
                Err(error) => Err(error),
            };
            match result {
                Err(error) if left > 0 && is_repeated(repeat, &error) => left -= 1,
                result => return result,
            }
        }
    }

    async fn once(
        &self,
        place: &Place,
        call: Call,
        token: Option<&Arc<dyn TokenSource>>,
        options: &CallOptions,
    ) -> Result<Answer> {
        let credentials = token.map(|source| Credentials::new(&**source, &self.inner.scheme));
        let core = &self.inner.core;
        Ok(core.send(&place.base, call, credentials, options).await?)
    }

    fn token(&self) -> Result<&Arc<dyn TokenSource>> {
        let missing = || Error::bad_value("no token was given to the client");
        self.token.as_ref().ok_or_else(missing)
    }
}

impl Service for Client {
    type Error = Error;
    type Credential = ();

    async fn call(&self, call: Call, (): &(), options: &CallOptions) -> Result<Answer> {
        let id = call.operation().id();
        match id {
            "account.createProject" | "account.getMembership" => self.require_projects()?,
            "account.legacyApplication" => self.require_applications()?,
            _ => {}
        }
        let (part, auth) = match id {
            "ui.getServices" => (Part::Ui, Auth::IfModern),
            "account.getResources" => (Part::Account, Auth::IfModern),
            _ => (Part::Account, Auth::Token),
        };
        let client = Self {
            options: options.clone().or(&self.options),
            ..self.clone()
        };
        // The Python client tries again after what is not JSON (protocol section 6).
        let is_checked = self.compatible_retries.is_some();
        let read = move |answer: &Answer| {
            if is_checked && !answer.body().is_empty() {
                read_json::<IgnoredAny>(answer)?;
            }
            Ok(answer.clone())
        };
        let answer = client.send_and(part, call, auth, read).await?;
        // No operation with a generated method answers with a secret.
        Ok(answer.keeping_body())
    }
}

/// Reads an answer that holds no credential: if it cannot be understood, the error keeps it.
fn read_json<T: DeserializeOwned>(answer: &Answer) -> Result<T> {
    let read = answer.json();
    Ok(read.map_err(|error| answer.keep_body(error))?)
}

/// Whether the Python client tries again after it (protocol section 6), and it does no harm.
fn is_repeated(repeat: Repeat, error: &Error) -> bool {
    let is_harmless = repeat == Repeat::Safe || error.core().sent() == Sent::No;
    let is_final = matches!(
        error.status().map(|status| status.as_u16()),
        Some(401 | 404 | 413)
    );
    is_harmless && !is_final && error.kind() != ErrorKind::BadValue
}

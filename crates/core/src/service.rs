//! The interface between a service's client and its generated code.
//!
//! Generated methods create a [`Call`] and read its [`Answer`]. In between, the client's
//! [`Service`] implementation decides where the server is, which credential to send and how to
//! convert errors. [`Session`] does this for a client with one base URL and one credential.

use std::fmt;
use std::sync::Arc;

use http::Method;
use tokio::time::Instant;

use crate::auth::{Authorize, Bearer, Credentials, TokenSource};
use crate::cache::{Cache, Fetched};
use crate::call::{Answer, AnswerStream, Call, CallOptions, Operation};
use crate::deadline::in_words;
use crate::url::BaseUrl;
use crate::{BoxFuture, CoreClient, Error, ErrorKind, Result, TimeoutScope};

/// Sends calls created by generated code.
pub trait Service: Clone + fmt::Debug + Send + Sync + 'static {
    /// The error of the service's crate.
    type Error: From<Error> + Send;
    /// What the caller passes with each call; `()` if the client holds its credential.
    type Credential: Clone + fmt::Debug + Send + Sync + 'static;

    /// Sends a call to the server of its operation, and returns the successful answer.
    fn call(
        &self,
        call: Call,
        credential: &Self::Credential,
        options: &CallOptions,
    ) -> impl Future<Output = Result<Answer, Self::Error>> + Send;
}

/// Where to find a server: at a base URL that is known, or one that is looked up, such as in a
/// catalog.
pub struct Base<E = Error>(Place<E>);

enum Place<E> {
    Fixed(BaseUrl),
    Found(Arc<dyn Find<E>>),
}

impl<E> Base<E>
where
    E: From<Error> + Clone + Send + Sync + 'static,
{
    /// A server whose base URL is known.
    #[must_use]
    pub fn fixed(url: BaseUrl) -> Self {
        Self(Place::Fixed(url))
    }

    /// A server that is looked up at the first call, and again when the cached result has expired.
    ///
    /// The cache holds what `fetch` returns, such as a whole catalog; `read` finds the server in
    /// it. Concurrent callers share one fetch, which continues if they stop waiting, and no lock is
    /// held while it runs. How long results and errors are kept is up to the cache.
    pub fn found<T, Fut>(
        cache: Cache<(), Arc<T>, E>,
        fetch: impl Fn() -> Fut + Send + Sync + 'static,
        read: impl Fn(&T) -> Result<BaseUrl, E> + Send + Sync + 'static,
    ) -> Self
    where
        T: Send + Sync + 'static,
        Fut: Future<Output = Result<Fetched<Arc<T>>, E>> + Send + 'static,
    {
        Self(Place::Found(Arc::new(Found { cache, fetch, read })))
    }

    /// Returns the base URL, and what remains of the time for the call.
    ///
    /// # Errors
    ///
    /// `Timeout` if it is not found within the call's time; otherwise the error of the look-up.
    pub async fn locate(
        &self,
        core: &CoreClient,
        operation: &'static Operation,
        options: CallOptions,
    ) -> Result<(BaseUrl, CallOptions), E> {
        let find = match &self.0 {
            Place::Fixed(url) => return Ok((url.clone(), options)),
            Place::Found(find) => find,
        };
        if let Some(url) = find.known() {
            return Ok((url?, options));
        }
        let begun = Instant::now();
        let limit = core.call_limit(&options);
        let found = tokio::time::timeout(limit, find.find()).await;
        let left = limit.saturating_sub(begun.elapsed());
        match found {
            // The look-up often has the same limit: which of the two ended first would be chance.
            Ok(found) if !left.is_zero() => Ok((found?, options.deadline(left))),
            _ => {
                let what = format!("the server was not found within {}", in_words(limit));
                Err(Error::new(ErrorKind::Timeout(TimeoutScope::Call), what)
                    .with_operation(operation.id())
                    .with_retryable(true)
                    .into())
            }
        }
    }
}

impl<E> Clone for Base<E> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            Place::Fixed(url) => Place::Fixed(url.clone()),
            Place::Found(find) => Place::Found(Arc::clone(find)),
        })
    }
}

impl<E> fmt::Debug for Base<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Fixed(url) => url.fmt(f),
            Place::Found(_) => f.write_str("looked up"),
        }
    }
}

/// Finds a server.
trait Find<E>: Send + Sync {
    /// Returns the result of an earlier look-up.
    fn known(&self) -> Option<Result<BaseUrl, E>>;
    /// Returns the result of an earlier look-up or a new one.
    fn find(&self) -> BoxFuture<'_, Result<BaseUrl, E>>;
}

struct Found<T, E, F, R> {
    cache: Cache<(), Arc<T>, E>,
    fetch: F,
    read: R,
}

impl<T, E, F, R, Fut> Find<E> for Found<T, E, F, R>
where
    T: Send + Sync + 'static,
    E: Clone + Send + Sync + 'static,
    F: Fn() -> Fut + Send + Sync,
    R: Fn(&T) -> Result<BaseUrl, E> + Send + Sync,
    Fut: Future<Output = Result<Fetched<Arc<T>>, E>> + Send + 'static,
{
    fn known(&self) -> Option<Result<BaseUrl, E>> {
        self.cache.get(&()).map(|found| (self.read)(&found))
    }

    fn find(&self) -> BoxFuture<'_, Result<BaseUrl, E>> {
        Box::pin(async {
            let found = self.cache.get_or_fetch(&(), &self.fetch).await?;
            (self.read)(&found)
        })
    }
}

/// A client of one server, on which most services' clients are built. Cheap to clone.
#[derive(Debug)]
pub struct Session<E = Error>(Arc<Inner<E>>);

#[derive(Debug)]
struct Inner<E> {
    core: CoreClient,
    base: Base<E>,
    token: Option<Arc<dyn TokenSource>>,
    scheme: Arc<dyn Authorize>,
    options: CallOptions,
}

impl<E> Session<E>
where
    E: From<Error> + Clone + Send + Sync + 'static,
{
    /// Creates a session without a credential, with the scheme [`Bearer`].
    #[must_use]
    pub fn new(core: CoreClient, base: Base<E>) -> Self {
        Self(Arc::new(Inner {
            core,
            base,
            token: None,
            scheme: Arc::new(Bearer),
            options: CallOptions::new(),
        }))
    }

    fn with(&self, change: impl FnOnce(&mut Inner<E>)) -> Self {
        let mut inner = (*self.0).clone();
        change(&mut inner);
        Self(Arc::new(inner))
    }

    /// Returns the session with another server.
    #[must_use]
    pub fn with_base(&self, base: Base<E>) -> Self {
        self.with(|inner| inner.base = base)
    }

    /// Returns the session with another credential.
    #[must_use]
    pub fn with_token(&self, token: Arc<dyn TokenSource>) -> Self {
        self.with(|inner| inner.token = Some(token))
    }

    /// Returns the session with another scheme for its credential.
    #[must_use]
    pub fn with_scheme(&self, scheme: Arc<dyn Authorize>) -> Self {
        self.with(|inner| inner.scheme = scheme)
    }

    /// Returns the session with other default options for its calls. Unset options stay as they
    /// are.
    #[must_use]
    pub fn with_options(&self, options: CallOptions) -> Self {
        self.with(|inner| inner.options = options.or(&inner.options))
    }

    /// Returns the client that sends the session's calls.
    #[must_use]
    pub fn client(&self) -> &CoreClient {
        &self.0.core
    }

    /// Returns the source of the session's credential, if it has one.
    #[must_use]
    pub fn token(&self) -> Option<&dyn TokenSource> {
        self.0.token.as_deref()
    }

    /// Returns the source of the session's credential for an operation that needs one.
    ///
    /// # Errors
    ///
    /// `Config` if the session has none.
    pub fn token_for(&self, operation: &Operation) -> Result<&dyn TokenSource, E> {
        self.token().ok_or_else(|| {
            let missing = "the client has no token: set one by token() or with_token()";
            let error = Error::new(ErrorKind::Config, missing);
            error.with_operation(operation.id()).into()
        })
    }

    /// Sends a call, with the session's credential if the operation needs one.
    ///
    /// The time to look up the server is part of the call's.
    ///
    /// # Errors
    ///
    /// Those of [`CoreClient::send`] and of the look-up; also `Config` if the operation needs a
    /// credential and the session has none.
    pub async fn send(&self, call: Call, options: &CallOptions) -> Result<Answer, E> {
        let token = match call.operation().is_open() {
            true => None,
            false => Some(self.token_for(call.operation())?),
        };
        self.send_as(call, token, options).await
    }

    /// Sends a call with this credential instead of the session's.
    ///
    /// # Errors
    ///
    /// Those of [`CoreClient::send`] and of the look-up.
    pub async fn send_as(
        &self,
        call: Call,
        token: Option<&dyn TokenSource>,
        options: &CallOptions,
    ) -> Result<Answer, E> {
        let located = self.locate(&self.0.base, call.operation(), options);
        let (base, options) = located.await?;
        let credentials = self.credentials(token);
        let sent = self.0.core.send(&base, call, credentials, &options);
        Ok(sent.await?)
    }

    /// Sends a call to this server instead of the session's, and returns the answer with its body
    /// still to be read. The deadline is that of the whole reading, which the look-up does not
    /// shorten.
    ///
    /// # Errors
    ///
    /// Those of [`CoreClient::stream`] and of the look-up.
    pub async fn stream_as(
        &self,
        base: &Base<E>,
        call: Call,
        token: Option<&dyn TokenSource>,
        options: &CallOptions,
    ) -> Result<AnswerStream, E> {
        let (base, _) = self.locate(base, call.operation(), options).await?;
        let options = options.clone().or(&self.0.options);
        let credentials = self.credentials(token);
        let sent = self.0.core.stream(&base, call, credentials, &options);
        Ok(sent.await?)
    }

    /// Returns the base URL of a server for a call with these options and the session's, and what
    /// remains of the time: for services that have several servers, or repeat calls themselves.
    ///
    /// # Errors
    ///
    /// Those of [`Base::locate`].
    pub async fn locate(
        &self,
        base: &Base<E>,
        operation: &'static Operation,
        options: &CallOptions,
    ) -> Result<(BaseUrl, CallOptions), E> {
        let options = options.clone().or(&self.0.options);
        base.locate(&self.0.core, operation, options).await
    }

    /// Connects to the session's server, so that the first call need not; looks the server up first,
    /// if it is not known.
    ///
    /// # Errors
    ///
    /// Those of [`CoreClient::warm_up`] and of the look-up.
    pub async fn warm_up(&self) -> Result<(), E> {
        static WARM_UP: Operation = Operation::new("warmUp", Method::GET, "/");
        let options = CallOptions::new();
        let (base, _) = self.locate(&self.0.base, &WARM_UP, &options).await?;
        Ok(self.0.core.warm_up(&base).await?)
    }

    /// Returns a credential in the session's scheme, to put on a request.
    #[must_use]
    pub fn credentials<'a>(
        &'a self,
        token: Option<&'a dyn TokenSource>,
    ) -> Option<Credentials<'a>> {
        token.map(|token| Credentials::new(token, &*self.0.scheme))
    }
}

impl<E> Clone for Session<E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<E> Clone for Inner<E> {
    fn clone(&self) -> Self {
        Self {
            core: self.core.clone(),
            base: self.base.clone(),
            token: self.token.clone(),
            scheme: Arc::clone(&self.scheme),
            options: self.options.clone(),
        }
    }
}

/// Adds the ways to derive a client from another to a service's client, over a field that holds its
/// [`Session`](crate::service::Session).
///
/// Use it as `vouchsafe_core::session_methods!(session);` inside the client's `impl`.
#[macro_export]
macro_rules! session_methods {
    ($session:ident) => {
        /// Returns the client with another token. It shares everything else with this one.
        #[doc(alias = "set_token")]
        #[must_use]
        pub fn with_token(&self, token: impl Into<$crate::Secret>) -> Self {
            let token = $crate::auth::StaticToken::new(token.into());
            self.with_token_source(::std::sync::Arc::new(token))
        }

        /// Returns the client with another source of tokens. It shares everything else with this
        /// one.
        #[must_use]
        pub fn with_token_source(
            &self,
            source: ::std::sync::Arc<dyn $crate::auth::TokenSource>,
        ) -> Self {
            let mut client = self.clone();
            client.$session = client.$session.with_token(source);
            client
        }

        $crate::session_options!($session);
    };
}

/// Like [`session_methods!`], for a client that is given a credential with each call.
#[allow(
    clippy::crate_in_macro_def,
    reason = "errors are those of the service's crate"
)]
#[macro_export]
macro_rules! session_options {
    ($session:ident) => {
        /// Returns the client with other options for its calls: a deadline, retries, a request id
        /// or headers. Unset options stay as they are. It shares everything else with this one.
        #[must_use]
        pub fn with_options(&self, options: $crate::call::CallOptions) -> Self {
            let mut client = self.clone();
            client.$session = client.$session.with_options(options);
            client
        }

        /// Connects to the server, so that the first call need not: looks up its name, connects and
        /// completes the TLS handshake. The connection is kept as long as an idle one. No request
        /// is sent to it.
        ///
        /// # Errors
        ///
        /// If there is no connection, or the server cannot be found.
        pub async fn warm_up(&self) -> $crate::Result<(), crate::Error> {
            self.$session.warm_up().await?;
            Ok(())
        }
    };
}

/// Adds setters for the options of a call to a request builder, over a field that holds
/// [`CallOptions`].
///
/// Use it as `vouchsafe_core::call_options!(options);` inside the builder's `impl`.
#[macro_export]
macro_rules! call_options {
    ($options:ident) => {
        /// Sets how long the whole call may take, including retries. Default: the client's.
        pub fn deadline(mut self, limit: ::std::time::Duration) -> Self {
            self.$options = self.$options.deadline(limit);
            self
        }

        /// Sets how long one attempt may take. Default: the client's.
        pub fn attempt_timeout(mut self, limit: ::std::time::Duration) -> Self {
            self.$options = self.$options.attempt_timeout(limit);
            self
        }

        /// Sets the retry policy of the call. Default: the client's.
        pub fn retry(mut self, retry: $crate::call::Retry) -> Self {
            self.$options = self.$options.retry(retry);
            self
        }

        /// Sends an `X-Request-Id`, which errors carry too.
        pub fn request_id(mut self, id: impl Into<String>) -> Self {
            self.$options = self.$options.request_id(id);
            self
        }

        /// Sets all options of the call at once, including additional headers.
        pub fn options(mut self, options: $crate::call::CallOptions) -> Self {
            self.$options = options;
            self
        }
    };
}

#[cfg(all(test, feature = "mock"))]
mod tests;

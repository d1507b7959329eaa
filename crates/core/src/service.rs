//! The interface between a service's client and its generated code.
//!
//! Generated methods create a [`Call`] and read its [`Answer`]. In between, the client's
//! [`Service`] implementation decides where the server is, which credential to send and how to
//! convert errors. [`Session`] does this for a client with one base URL and one credential.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::auth::{Authorize, Bearer, Credentials, TokenSource};
use crate::cache::{Cache, Fetched};
use crate::call::{Answer, Call, CallOptions};
use crate::url::BaseUrl;
use crate::{BoxFuture, CoreClient, Error, ErrorKind, Result};

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

/// Where to find a server.
#[derive(Clone, Debug)]
pub struct Base(Place);

#[derive(Clone)]
enum Place {
    Fixed(BaseUrl),
    Found {
        cache: Cache<(), BaseUrl, Error>,
        find: Arc<dyn Find>,
    },
}

/// Finds the location of a server, such as in a catalog.
pub trait Find: Send + Sync + 'static {
    /// Returns the base URL.
    fn find(&self) -> BoxFuture<'static, Result<BaseUrl>>;
}

impl<F> Find for F
where
    F: Fn() -> BoxFuture<'static, Result<BaseUrl>> + Send + Sync + 'static,
{
    fn find(&self) -> BoxFuture<'static, Result<BaseUrl>> {
        self()
    }
}

impl Base {
    /// A server whose base URL is known.
    #[must_use]
    pub fn fixed(url: BaseUrl) -> Self {
        Self(Place::Fixed(url))
    }

    /// A server that is looked up at the first call, and again when the result is older than
    /// `lifetime`. Concurrent callers share one look-up, and no lock is held while it runs.
    #[must_use]
    pub fn found(find: impl Find, lifetime: Duration) -> Self {
        let cache = Cache::builder().capacity(1).ttl(lifetime).build();
        let find = Arc::new(find);
        Self(Place::Found { cache, find })
    }

    async fn url(&self) -> Result<BaseUrl> {
        match &self.0 {
            Place::Fixed(url) => Ok(url.clone()),
            Place::Found { cache, find } => {
                let fetch = || {
                    let found = find.find();
                    async move { found.await.map(Fetched::new) }
                };
                cache.get_or_fetch(&(), fetch).await
            }
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(url) => url.fmt(f),
            Self::Found { .. } => f.write_str("to be found"),
        }
    }
}

/// A client of one server with one credential, on which most services' clients are built.
#[derive(Clone, Debug)]
pub struct Session {
    core: CoreClient,
    base: Base,
    token: Option<Arc<dyn TokenSource>>,
    scheme: Arc<dyn Authorize>,
    options: CallOptions,
}

impl Session {
    /// Creates a session without a credential, with the scheme [`Bearer`].
    #[must_use]
    pub fn new(core: CoreClient, base: Base) -> Self {
        Self {
            core,
            base,
            token: None,
            scheme: Arc::new(Bearer),
            options: CallOptions::new(),
        }
    }

    /// Returns the session with another credential.
    #[must_use]
    pub fn with_token(&self, token: Arc<dyn TokenSource>) -> Self {
        Self {
            token: Some(token),
            ..self.clone()
        }
    }

    /// Returns the session with another scheme for its credential.
    #[must_use]
    pub fn with_scheme(&self, scheme: Arc<dyn Authorize>) -> Self {
        Self {
            scheme,
            ..self.clone()
        }
    }

    /// Returns the session with other default options for its calls.
    #[must_use]
    pub fn with_options(&self, options: CallOptions) -> Self {
        Self {
            options,
            ..self.clone()
        }
    }

    /// Sends a call, with the credential if its operation needs one.
    ///
    /// The time to look up the server is part of the call's.
    ///
    /// # Errors
    ///
    /// Those of [`CoreClient::send`]; also `Config` if the operation needs a credential and the
    /// session has none.
    pub async fn send(&self, call: Call, options: &CallOptions) -> Result<Answer> {
        let operation = call.operation();
        let options = options.clone().or(&self.options);
        let credentials = match &self.token {
            _ if operation.is_open() => None,
            Some(token) => Some(Credentials::new(&**token, &*self.scheme)),
            None => {
                let missing = "the client has no token, and the operation needs one";
                return Err(Error::new(ErrorKind::Config, missing).with_operation(operation.id()));
            }
        };
        let base = match &self.base.0 {
            Place::Fixed(url) => url.clone(),
            Place::Found { .. } => {
                let begun = tokio::time::Instant::now();
                let limit = self.core.call_limit(&options);
                let url = tokio::time::timeout(limit, self.base.url()).await;
                let url = url.map_err(|_| {
                    let what = format!("the server was not found within {limit:?}");
                    let kind = ErrorKind::Timeout(crate::TimeoutScope::Call);
                    Error::new(kind, what).with_operation(operation.id())
                })??;
                let left = limit.saturating_sub(begun.elapsed());
                let options = options.deadline(left);
                return self.core.send(&url, call, credentials, &options).await;
            }
        };
        self.core.send(&base, call, credentials, &options).await
    }
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
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http::{Method, StatusCode, Uri};

    use super::*;
    use crate::Secret;
    use crate::auth::StaticToken;
    use crate::call::Operation;
    use crate::mock::{Handler, Host};
    use crate::transport::{Request, Response};
    use crate::url::Target;

    static READ: Operation = Operation::new("t.read", Method::GET, "/read");
    static OPEN: Operation = Operation::new("t.open", Method::GET, "/open").open();

    #[derive(Debug)]
    struct Echo;

    impl Handler for Echo {
        fn handle(&self, request: &Request) -> Response {
            let mut response = Response::new(StatusCode::OK);
            let token = request.headers.contains_key("authorization");
            response.body = format!("{} {token}", request.uri.path()).into();
            response
        }

        fn operation(&self, _: &Method, _: &Uri) -> Option<&'static str> {
            None
        }
    }

    fn session(base: Base) -> Session {
        let host = Host::builder(Arc::new(Echo)).build();
        let core = CoreClient::builder().transport(host.transport());
        Session::new(core.build().expect("a transport is given"), base)
    }

    fn here() -> BaseUrl {
        BaseUrl::parse("https://here.example.com/api").expect("a URL")
    }

    async fn told(session: &Session, operation: &'static Operation) -> Result<String> {
        let call = Call::new(operation, Target::new(operation.path()));
        let answer = session.send(call, &CallOptions::new()).await?;
        Ok(answer.text()?.to_owned())
    }

    #[tokio::test]
    async fn the_credential_goes_where_an_operation_needs_it_and_nowhere_else() {
        let bare = session(Base::fixed(here()));
        let error = told(&bare, &READ).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(told(&bare, &OPEN).await.unwrap(), "/api/open false");
        let token = Arc::new(StaticToken::new(Secret::from("t")));
        let session = bare.with_token(token);
        assert_eq!(told(&session, &READ).await.unwrap(), "/api/read true");
        assert_eq!(told(&session, &OPEN).await.unwrap(), "/api/open false");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_is_looked_for_once_by_all_and_within_the_calls_time() {
        static FOUND: AtomicUsize = AtomicUsize::new(0);
        let find = || -> BoxFuture<'static, Result<BaseUrl>> {
            Box::pin(async {
                FOUND.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(here())
            })
        };
        let session = session(Base::found(find, Duration::from_secs(60)));
        let (one, two) = tokio::join!(told(&session, &OPEN), told(&session, &OPEN));
        assert_eq!(
            (one.unwrap(), two.unwrap().len()),
            ("/api/open false".to_owned(), 15)
        );
        assert_eq!(FOUND.load(Ordering::Relaxed), 1);

        let never = || -> BoxFuture<'static, Result<BaseUrl>> { Box::pin(std::future::pending()) };
        let lost =
            session_with(never).with_options(CallOptions::new().deadline(Duration::from_secs(2)));
        let error = told(&lost, &OPEN).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Timeout(_)), "{error}");
    }

    fn session_with(find: impl Find) -> Session {
        session(Base::found(find, Duration::from_secs(60)))
    }
}

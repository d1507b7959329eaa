//! Tokens that are kept for as long as they live.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};

use super::{Renewals, Token, TokenSource};
use crate::cache::{Cache, CacheBuilder, Fetched};
use crate::deadline::in_words;
use crate::observe::Observer;
use crate::sync::lock;
use crate::{BoxFuture, Clock, Error, ErrorKind, Result, SystemClock, TimeoutScope};

/// Keeps the token of another source, which fetches one each time that it is asked.
///
/// A token is fetched when it is first needed. In the last fifth of its lifetime, a call that needs
/// it starts fetching the next one without waiting for it; a token is no longer used 30 seconds (or
/// a tenth of its lifetime, if that is less) before it expires ([`Token::expires_at`]). Concurrent
/// callers share one fetch, which goes on if they are dropped, for two minutes at most unless
/// [`with_limit`](Self::with_limit) says otherwise. A token without an expiry is kept for five
/// minutes, and a refused one is replaced at once. An error is kept for a second, or for as long as its
/// [`retry_after`](Error::retry_after), at most a minute.
///
/// A source that keeps its token until that is refused, such as [`FnToken`](super::FnToken), returns the same
/// one again.
///
/// Logs call it `cached`; [`CoreClient::cached`](crate::CoreClient::cached) gives it a name of its own, and
/// an observer.
///
/// Each token with another text than the last one gets a new generation, whatever the source's own are.
/// Cheap to clone; clones share the token.
///
/// ```
/// use std::time::Duration;
///
/// use vouchsafe_core::auth::{Cached, Token, TokenSource};
/// use vouchsafe_core::{BoxFuture, Clock, Result, Secret, SystemClock};
///
/// #[derive(Debug)]
/// struct Vault;
///
/// impl TokenSource for Vault {
///     fn token(&self) -> BoxFuture<'_, Result<Token>> {
///         Box::pin(async {
///             let expiry = SystemClock::new().now() + Duration::from_secs(3600);
///             Ok(Token::new(Secret::from("fetched")).expires_at(expiry))
///         })
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let source = Cached::new(Vault);
/// assert_eq!(source.token().await?.generation(), 1);
/// # Ok::<(), vouchsafe_core::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
///
/// Fetching a token within a limit panics in a tokio runtime without timers. Outside of a runtime, the caller
/// fetches by itself, without a limit.
pub struct Cached<S> {
    shared: Arc<Shared<S>>,
    cache: Cache<(), Token>,
    limit: Duration,
}

struct Shared<S> {
    source: S,
    clock: Arc<dyn Clock>,
    renewals: Renewals,
    observer: Option<Arc<dyn Observer>>,
    newest: Mutex<Option<Newest>>,
}

struct Newest {
    token: Token,
    /// What the source calls it.
    generation: u64,
}

impl<S: TokenSource> Cached<S> {
    /// Keeps the tokens of a source.
    #[must_use]
    pub fn new(source: S) -> Self {
        Self::with_clock(source, Arc::new(SystemClock::new()))
    }

    /// Keeps the tokens of a source, whose expiries are judged by this clock.
    #[must_use]
    pub fn with_clock(source: S, clock: Arc<dyn Clock>) -> Self {
        let cache = Cache::builder().clock(Arc::clone(&clock));
        Self::over(source, clock, cache, Renewals::new("cached"), None)
    }

    /// Keeps the tokens of a source. The observer is told of renewals, by the name in their record.
    pub(crate) fn over(
        source: S,
        clock: Arc<dyn Clock>,
        cache: CacheBuilder<(), Token>,
        renewals: Renewals,
        observer: Option<Arc<dyn Observer>>,
    ) -> Self {
        let cache = cache
            .capacity(1)
            .error_ttl_by(|error: &Error| error.retry_after().map(|wait| wait.min(LONGEST_ASKED)))
            .build();
        let shared = Shared {
            source,
            clock,
            renewals,
            observer,
            newest: Mutex::new(None),
        };
        Self {
            shared: Arc::new(shared),
            cache,
            limit: LIMIT,
        }
    }

    /// Sets after how long a fetch is given up. Default: two minutes; [`CoreClient::cached`] has twice the
    /// call limit of its client if that is longer. [`Duration::MAX`] sets no limit.
    ///
    /// The source's future is dropped then, and all callers that wait for it get a retryable error of kind
    /// [`Timeout`](ErrorKind::Timeout), which is kept for a second; the next caller begins another fetch.
    /// Without a limit, a source that never answers keeps all callers waiting, each until its own limit. So
    /// the limit should be longer than the source ever needs, such as for a login that a person must confirm.
    /// Clones that were made before keep theirs, and a fetch has that of the caller who begins it.
    ///
    /// The limit is measured by tokio's clock. While that is paused (`tokio::time::pause`) in a test, a limit
    /// passes at once if the source waits for a socket or for a thread of its own.
    ///
    /// [`CoreClient::cached`]: crate::CoreClient::cached
    #[must_use]
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Raises the limit for a source whose calls may take this long. It may make several.
    pub(crate) fn for_calls_of(self, call: Duration) -> Self {
        self.with_limit(LIMIT.max(call.saturating_mul(2)))
    }

    /// Returns the source.
    #[must_use]
    pub fn source(&self) -> &S {
        &self.shared.source
    }

    async fn current(&self) -> Result<Token> {
        let fetch = || {
            let (shared, limit) = (Arc::clone(&self.shared), self.limit);
            async move { shared.fetch(limit).await }
        };
        self.cache.get_or_fetch(&(), fetch).await
    }
}

impl<S: TokenSource> TokenSource for Cached<S> {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        Box::pin(self.current())
    }

    fn forget(&self, generation: u64) {
        let of_source = {
            let newest = lock(&self.shared.newest);
            let newest = newest.as_ref();
            let newest = newest.filter(|newest| newest.token.generation() == generation);
            newest.map(|newest| newest.generation)
        };
        if let Some(of_source) = of_source {
            self.shared.source.forget(of_source);
        }
        self.cache.forget_generation(&(), generation);
    }
}

impl<S> Clone for Cached<S> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            cache: self.cache.clone(),
            limit: self.limit,
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Cached<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cached").field(&self.shared.source).finish()
    }
}

impl<S: TokenSource> Shared<S> {
    async fn fetch(&self, limit: Duration) -> Result<Fetched<Token>> {
        let begun = Instant::now();
        let fetched = self.ask(limit).await;
        let error = fetched.as_ref().err();
        self.renewals.tell(self.observer.as_ref(), begun, error);
        Ok(self.keep(fetched?))
    }

    async fn ask(&self, limit: Duration) -> Result<Token> {
        // Outside of a runtime, where the cache fetches too, there are no timers.
        if limit == Duration::MAX || Handle::try_current().is_err() {
            return self.source.token().await;
        }
        let fetched = timeout(limit, self.source.token()).await;
        fetched.unwrap_or_else(|_| {
            let what = format!("the source returned no token within {}", in_words(limit));
            let error = Error::new(ErrorKind::Timeout(TimeoutScope::Call), what);
            Err(error.with_retryable(true))
        })
    }

    fn keep(&self, token: Token) -> Fetched<Token> {
        let of_source = token.generation();
        let mut newest = lock(&self.newest);
        // A source that returns the refused token again has no newer one.
        let generation = match &*newest {
            Some(Newest { token: old, .. }) if old.secret() == token.secret() => old.generation(),
            old => old.as_ref().map_or(0, |old| old.token.generation()) + 1,
        };
        let token = token.of_generation(generation);
        *newest = Some(Newest {
            token: token.clone(),
            generation: of_source,
        });
        let now = self.clock.now();
        let left = token
            .expiry()
            .map(|at| at.duration_since(now).unwrap_or_default());
        let fetched = Fetched::new(token).generation(generation);
        match left {
            Some(left) => fetched.ttl(left - MARGIN.min(left / 10)),
            None => fetched,
        }
    }
}

/// How long before its expiry a token is no longer used: the clocks of servers differ, and calls
/// take time.
const MARGIN: Duration = Duration::from_secs(30);

/// After how long a fetch counts as failed. It is longer than the usual limits of calls.
const LIMIT: Duration = Duration::from_secs(120);

/// The longest that a server can hold back the next request for a token.
const LONGEST_ASKED: Duration = Duration::from_secs(60);

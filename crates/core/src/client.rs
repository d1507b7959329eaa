//! The core of every service's `Client`: one pipeline, shared by all clones.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;

use crate::auth::{Cached, Credentials, Renewals, TokenSource};
use crate::cache::{Cache, CacheBuilder};
use crate::call::{
    Answer, AnswerStream, Authorities, Budget, Call, CallOptions, Fault, Jitter, Pieces, Pipeline,
    PlainHttp, Retry, Timeouts, Whole,
};
use crate::observe::Observer;
#[cfg(feature = "client")]
use crate::transport::{HttpTransport, HttpTransportBuilder};
use crate::transport::{Response, Transport};
use crate::url::{BaseUrl, Target, place};
use crate::{Clock, Error, ErrorKind, Result, SystemClock};

/// Sends calls with one set of timeouts, retries, limits and observers.
///
/// Cheap to clone; clones share everything. Service crates build their clients on it, and
/// applications use those.
#[derive(Clone, Debug)]
pub struct CoreClient(Arc<Pipeline>);

impl CoreClient {
    /// Creates a builder with the defaults that its setters document.
    pub fn builder() -> CoreClientBuilder {
        CoreClientBuilder::default()
    }

    /// Sends a call to a base URL and returns the successful (2xx) answer.
    ///
    /// Dropping the future cancels the call.
    ///
    /// # Errors
    ///
    /// Any [`ErrorKind`] except `Decode` and `Store`.
    pub fn send(
        &self,
        base: &BaseUrl,
        call: Call,
        credentials: Option<Credentials<'_>>,
        options: &CallOptions,
    ) -> impl Future<Output = Result<Answer>> + Send {
        self.0
            .send::<Whole<false>>(base, call, credentials, options)
    }

    /// Sends a call and returns its answer, whatever the status: for requests of which the client
    /// does not know what a refusal means. Until then it behaves like [`send`](Self::send): a
    /// refused token is replaced, and what may be repeated is.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), but not for an answer. If a refused token could not be replaced,
    /// the error is that of the refusal, and its source says why.
    pub fn exchange(
        &self,
        base: &BaseUrl,
        call: Call,
        credentials: Option<Credentials<'_>>,
        options: &CallOptions,
    ) -> impl Future<Output = Result<Answer>> + Send {
        self.0.send::<Whole<true>>(base, call, credentials, options)
    }

    /// Sends a call and returns the successful answer with its body still to be read.
    ///
    /// Until then it behaves like [`send`](Self::send). For the body see [`AnswerStream`].
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn stream(
        &self,
        base: &BaseUrl,
        call: Call,
        credentials: Option<Credentials<'_>>,
        options: &CallOptions,
    ) -> impl Future<Output = Result<AnswerStream>> + Send {
        self.0.send::<Pieces>(base, call, credentials, options)
    }

    /// Connects to a server, so that the first call to it need not: looks up its name, connects and
    /// completes the TLS handshake. The connection is kept as long as an idle one, for calls on
    /// the same tokio runtime. Nothing is sent over it; a transport of the caller's own may do nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Connect`] or [`ErrorKind::Timeout`] if there is no connection,
    /// [`ErrorKind::Config`] if there cannot be one.
    pub async fn warm_up(&self, base: &BaseUrl) -> Result<()> {
        let uri = base.join(&Target::default())?;
        let warmed = self.0.transport.warm_up(&uri).await;
        warmed.map_err(|error| error.with_place(place(&uri)))
    }

    /// Returns how long a call may take with these options, for services whose calls do more than
    /// send one request.
    #[must_use]
    pub fn call_limit(&self, options: &CallOptions) -> Duration {
        options.get().deadline.unwrap_or(self.0.timeouts.call)
    }

    /// Returns the clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// Creates a builder for a cache with this client's clock, whose look-ups this client's observer
    /// sees under a name.
    pub fn cache<K, V, E>(&self, name: &'static str) -> CacheBuilder<K, V, E>
    where
        K: Clone + Eq + Hash + Send + Sync + 'static,
        V: Clone + Send + Sync + 'static,
        E: Clone + Send + Sync + 'static,
    {
        let cache = Cache::builder().clock(Arc::clone(&self.0.clock));
        match &self.0.observer {
            Some(observer) => cache.observer(name, Arc::clone(observer)),
            None => cache,
        }
    }

    /// Keeps the tokens of a source, whose expiries this client's clock judges. The log and this client's
    /// observer know its renewals and look-ups by a name, such as `oauth`. A fetch is given up after two
    /// minutes, or twice this client's call limit if that is longer; [`Cached::with_limit`] changes that.
    pub fn cached<S: TokenSource>(&self, name: &'static str, source: S) -> Cached<S> {
        Cached::over(
            source,
            Arc::clone(self.clock()),
            self.cache(name),
            Renewals::new(name),
            self.observer().cloned(),
        )
        .for_calls_of(self.0.timeouts.call)
    }

    /// Returns the random numbers of the client's waits, for loops of a service's own
    /// ([`Backoff`](crate::call::Backoff)).
    #[must_use]
    pub fn jitter(&self) -> Jitter {
        self.0.jitter.clone()
    }

    /// Tells the log and the observer, if there is one, what came of renewing a token since `begun`.
    /// Sources of tokens call it, each with its own record.
    pub fn token_renewed(&self, renewals: &Renewals, begun: Instant, error: Option<&Error>) {
        renewals.tell(self.observer(), begun, error);
    }

    /// Returns the observer, if one was set.
    #[must_use]
    pub fn observer(&self) -> Option<&Arc<dyn Observer>> {
        self.0.observer.as_ref()
    }
}

/// Builds a [`CoreClient`].
#[derive(Clone, Debug)]
#[must_use]
pub struct CoreClientBuilder {
    transport: Option<Arc<dyn Transport>>,
    /// Settings of the transport to build if none was given.
    #[cfg(feature = "client")]
    network: HttpTransportBuilder,
    clock: Arc<dyn Clock>,
    observer: Option<Arc<dyn Observer>>,
    timeouts: Timeouts,
    retry: Retry,
    budget: Option<Budget>,
    max_in_flight: usize,
    jitter_seed: Option<u64>,
    user_agent: String,
    plain_http: PlainHttp,
    read_fault: fn(&Response) -> Fault,
}

impl Default for CoreClientBuilder {
    fn default() -> Self {
        Self {
            transport: None,
            #[cfg(feature = "client")]
            network: HttpTransport::builder(),
            clock: Arc::new(SystemClock::new()),
            observer: None,
            timeouts: Timeouts::default(),
            retry: Retry::default(),
            budget: None,
            max_in_flight: 128,
            jitter_seed: None,
            user_agent: concat!("vouchsafe/", env!("CARGO_PKG_VERSION")).to_owned(),
            plain_http: PlainHttp::LoopbackOnly,
            read_fault: |_| Fault::default(),
        }
    }
}

impl CoreClientBuilder {
    /// Sets the transport, which replaces settings of the network. Default: a new
    /// [`HttpTransport`](crate::transport::HttpTransport).
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Sets how the socket transport connects: trusted roots, client certificate, time limits and
    /// whatever else [`HttpTransportBuilder`] sets. Replaces a [`transport`](Self::transport) that
    /// was set. Default: [`HttpTransport::builder`].
    #[cfg(feature = "client")]
    #[cfg_attr(docsrs, doc(cfg(feature = "client")))]
    pub fn network(self, network: HttpTransportBuilder) -> Self {
        Self {
            transport: None,
            network,
            ..self
        }
    }

    /// Changes what [`network`](Self::network) has set, or the defaults.
    ///
    /// # Errors
    ///
    /// That of the change.
    #[cfg(feature = "client")]
    #[cfg_attr(docsrs, doc(cfg(feature = "client")))]
    pub fn change_network<E>(
        self,
        change: impl FnOnce(HttpTransportBuilder) -> Result<HttpTransportBuilder, E>,
    ) -> Result<Self, E> {
        let network = change(self.network.clone())?;
        Ok(self.network(network))
    }

    /// Sets the clock. Default: [`SystemClock`].
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the observer. Default: none.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Sets the time limits. Default: [`Timeouts::default`].
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Sets the retry policy. Default: [`Retry::default`].
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Sets one retry budget for all authorities, which several clients may share. Default: a new
    /// [`Budget::default`] for each authority.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Sets how many requests to one authority may be in flight. Default: 128.
    pub fn max_in_flight(mut self, count: usize) -> Self {
        self.max_in_flight = count.clamp(1, tokio::sync::Semaphore::MAX_PERMITS);
        self
    }

    /// Seeds the jitter of waits, for tests. Default: random.
    pub fn jitter_seed(mut self, seed: u64) -> Self {
        self.jitter_seed = Some(seed);
        self
    }

    /// Sets the `User-Agent`. Default: `vouchsafe/` and the version.
    pub fn user_agent(mut self, text: impl Into<String>) -> Self {
        self.user_agent = text.into();
        self
    }

    /// Allows sending credentials over plain `http` to other machines. Default: only to loopback.
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http = PlainHttp::Allowed;
        self
    }

    /// Sets how the service's code and message are read from a refusal. Default: they are not read.
    pub fn read_fault(mut self, read: fn(&Response) -> Fault) -> Self {
        self.read_fault = read;
        self
    }

    /// Creates the default transport now if none was set, so that clients built from clones of this
    /// builder share it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the transport cannot be created.
    pub fn with_transport(mut self) -> Result<Self> {
        if self.transport.is_none() {
            self.transport = Some(self.own_transport()?);
        }
        Ok(self)
    }

    #[cfg(feature = "client")]
    fn own_transport(&self) -> Result<Arc<dyn Transport>> {
        let network = self.network.clone().or_observer(self.observer.as_ref());
        Ok(Arc::new(network.build()?))
    }

    #[cfg(not(feature = "client"))]
    fn own_transport(&self) -> Result<Arc<dyn Transport>> {
        Err(Error::new(
            ErrorKind::Config,
            "no transport was given; enable the feature client for one over sockets",
        ))
    }

    /// Builds the client. Does no I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if no transport was given and none can be built, or the user agent is
    /// not valid in a header.
    pub fn build(self) -> Result<CoreClient> {
        let Some(transport) = self.transport else {
            return self.with_transport()?.build();
        };
        let user_agent = HeaderValue::try_from(&self.user_agent).map_err(|cause| {
            Error::new(ErrorKind::Config, "the user agent is not valid in a header")
                .with_source(cause)
        })?;
        let jitter = self.jitter_seed.map_or_else(Jitter::random, Jitter::seeded);
        Ok(CoreClient(Arc::new(Pipeline {
            transport,
            clock: self.clock,
            observer: self.observer,
            timeouts: self.timeouts,
            retry: self.retry,
            authorities: Authorities::new(self.max_in_flight, self.budget),
            jitter,
            user_agent,
            plain_http: self.plain_http,
            read_fault: self.read_fault,
        })))
    }

    /// Builds the client, of which it is known that it will ask these servers. Does no I/O.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build); and [`ErrorKind::Config`] if the URL of a server is `https`, and the
    /// transport says that TLS is impossible ([`Transport::check`]).
    pub fn build_for<'u>(
        self,
        servers: impl IntoIterator<Item = &'u BaseUrl>,
    ) -> Result<CoreClient> {
        let client = self.build()?;
        for server in servers {
            client
                .0
                .transport
                .check(&server.join(&Target::default())?)?;
        }
        Ok(client)
    }
}

/// Adds the setters that all services share to a service's builder, over a field that holds a
/// [`CoreClientBuilder`](crate::CoreClientBuilder).
///
/// Use it as `vouchsafe_core::client_builder_methods!(core);` inside the builder's `impl`.
#[macro_export]
macro_rules! client_builder_methods {
    ($core:ident) => {
        $crate::client_builder_basics!($core);

        /// Sets the retry policy. Default: [`Retry::default`]($crate::call::Retry::default).
        pub fn retry(mut self, retry: $crate::call::Retry) -> Self {
            self.$core = self.$core.retry(retry);
            self
        }

        /// Sets a retry budget, which several clients may share. Default: one for each authority.
        pub fn budget(mut self, budget: $crate::call::Budget) -> Self {
            self.$core = self.$core.budget(budget);
            self
        }

        /// Sets how many requests to one authority may be in flight. Default: 128.
        pub fn max_in_flight(mut self, count: usize) -> Self {
            self.$core = self.$core.max_in_flight(count);
            self
        }

        /// Seeds the jitter of waits, for tests. Default: random.
        pub fn jitter_seed(mut self, seed: u64) -> Self {
            self.$core = self.$core.jitter_seed(seed);
            self
        }
    };
}

/// Adds the setters of a client's token to a service's builder, over a field that holds an optional
/// [`TokenSource`](crate::auth::TokenSource).
///
/// Use it as `vouchsafe_core::token_setters!(token);` inside the builder's `impl`.
#[macro_export]
macro_rules! token_setters {
    ($token:ident) => {
        /// Sets the token. Default: none; [`with_token`](Client::with_token) sets one for single
        /// calls.
        pub fn token(self, token: impl Into<$crate::Secret>) -> Self {
            let token = $crate::auth::StaticToken::new(token.into());
            self.token_source(::std::sync::Arc::new(token))
        }

        /// Sets the source of tokens. Default: none.
        pub fn token_source(
            mut self,
            source: ::std::sync::Arc<dyn $crate::auth::TokenSource>,
        ) -> Self {
            self.$token = Some(source);
            self
        }
    };
}

/// Like [`client_builder_methods!`], for a client whose protocol has its own retries.
#[macro_export]
macro_rules! client_builder_basics {
    ($core:ident) => {
        $crate::network_setter!($core);

        /// Sets the transport, to share its connections among clients. Default: a new socket
        /// transport, created by `build`.
        pub fn transport(
            mut self,
            transport: ::std::sync::Arc<dyn $crate::transport::Transport>,
        ) -> Self {
            self.$core = self.$core.transport(transport);
            self
        }

        /// Sets the time limits of an attempt and of a whole call. Default:
        /// [`Timeouts::default`]($crate::call::Timeouts::default), unless this builder's own
        /// description says otherwise.
        #[doc(alias = "timeout")]
        pub fn timeouts(mut self, timeouts: $crate::call::Timeouts) -> Self {
            self.$core = self.$core.timeouts(timeouts);
            self
        }

        /// Sets the clock used for expiries and dates. Default: the machine's.
        pub fn clock(mut self, clock: ::std::sync::Arc<dyn $crate::Clock>) -> Self {
            self.$core = self.$core.clock(clock);
            self
        }

        /// Sets the observer of what the client does. Default: none.
        pub fn observer(
            mut self,
            observer: ::std::sync::Arc<dyn $crate::observe::Observer>,
        ) -> Self {
            self.$core = self.$core.observer(observer);
            self
        }

        /// Sets the `User-Agent`. Default: `vouchsafe/` and the version.
        pub fn user_agent(mut self, text: impl Into<String>) -> Self {
            self.$core = self.$core.user_agent(text);
            self
        }

        /// Allows sending credentials over plain `http` to other machines. Use it only on networks
        /// where no one else can read the traffic. Default: only to this machine.
        pub fn allow_plain_http(mut self) -> Self {
            self.$core = self.$core.allow_plain_http();
            self
        }
    };
}

/// Adds the setter of the network to a service's builder, if there is a socket transport in this
/// build.
#[cfg(feature = "client")]
#[doc(hidden)]
#[macro_export]
macro_rules! network_setter {
    ($core:ident) => {
        /// Sets how the client connects: trusted roots, client certificate, time limits and
        /// whatever else a
        /// [`HttpTransportBuilder`]($crate::transport::HttpTransportBuilder) sets. Replaces a
        /// `transport` that was set. Default:
        /// [`HttpTransport::builder`]($crate::transport::HttpTransport::builder).
        pub fn network(mut self, network: $crate::transport::HttpTransportBuilder) -> Self {
            self.$core = self.$core.network(network);
            self
        }
    };
}

/// Adds nothing, since there is no socket transport in this build.
#[cfg(not(feature = "client"))]
#[doc(hidden)]
#[macro_export]
macro_rules! network_setter {
    ($core:ident) => {};
}

//! What a service's `Client` wraps: one pipeline, shared by all clones.

use std::sync::{Arc, Mutex};

use http::HeaderValue;

use crate::auth::Credentials;
use crate::call::{
    Answer, Authorities, Budget, Call, CallOptions, Fault, Pipeline, PlainHttp, Retry, Timeouts,
};
use crate::observe::Observer;
use crate::transport::{Response, Transport};
use crate::url::BaseUrl;
use crate::{Clock, Error, ErrorKind, Result, SystemClock};

/// Sends calls with one set of timeouts, retries, limits and observers.
///
/// Cheap to clone; clones share everything. Services build their clients on it; applications
/// use those.
#[derive(Clone, Debug)]
pub struct CoreClient(Arc<Pipeline>);

impl CoreClient {
    /// Starts a client with the defaults that each setter names.
    pub fn builder() -> CoreClientBuilder {
        CoreClientBuilder::default()
    }

    /// Sends a call to a base URL and returns the answer that means success (2xx).
    ///
    /// Dropping the future gives the call up; nothing of it goes on.
    ///
    /// # Errors
    ///
    /// Any [`ErrorKind`] but `Decode` and `Store`.
    pub async fn send(
        &self,
        base: &BaseUrl,
        call: Call,
        credentials: Option<Credentials<'_>>,
        options: &CallOptions,
    ) -> Result<Answer> {
        self.0.send(base, call, credentials, options).await
    }

    /// Returns the clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// Returns the observer, if one was set.
    #[must_use]
    pub fn observer(&self) -> Option<&Arc<dyn Observer>> {
        self.0.observer.as_ref()
    }
}

/// Sets up a [`CoreClient`].
#[derive(Clone, Debug)]
#[must_use]
pub struct CoreClientBuilder {
    transport: Option<Arc<dyn Transport>>,
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
    /// Sets the transport. Default: an [`HttpTransport`](crate::transport::HttpTransport) of its
    /// own.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Sets the clock. Default: [`SystemClock`].
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets who watches. Default: nobody.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Sets the time limits. Default: [`Timeouts::default`].
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Sets how often a call is tried. Default: [`Retry::default`].
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Sets one retry budget for all authorities, to share among clients. Default: a new
    /// [`Budget::default`] for each authority.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Sets how many requests to one authority may be under way. Default: 128.
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

    /// Lets credentials go over plain `http` to other machines too. Default: only to loopback.
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http = PlainHttp::Allowed;
        self
    }

    /// Sets how the service's code and message are read from a refusal. Default: not at all.
    pub fn read_fault(mut self, read: fn(&Response) -> Fault) -> Self {
        self.read_fault = read;
        self
    }

    /// Builds the client. Does no I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if no transport was given and none can be built, or the user agent
    /// does not fit a header.
    pub fn build(self) -> Result<CoreClient> {
        let transport = match self.transport {
            Some(transport) => transport,
            None => own_transport()?,
        };
        let user_agent = HeaderValue::try_from(&self.user_agent).map_err(|cause| {
            Error::new(ErrorKind::Config, "the user agent does not fit a header").with_source(cause)
        })?;
        let jitter = match self.jitter_seed {
            Some(seed) => fastrand::Rng::with_seed(seed),
            None => fastrand::Rng::new(),
        };
        Ok(CoreClient(Arc::new(Pipeline {
            transport,
            clock: self.clock,
            observer: self.observer,
            timeouts: self.timeouts,
            retry: self.retry,
            authorities: Authorities::new(self.max_in_flight, self.budget),
            jitter: Mutex::new(jitter),
            user_agent,
            plain_http: self.plain_http,
            read_fault: self.read_fault,
        })))
    }
}

#[cfg(feature = "client")]
fn own_transport() -> Result<Arc<dyn Transport>> {
    Ok(Arc::new(
        crate::transport::HttpTransport::builder().build()?,
    ))
}

#[cfg(not(feature = "client"))]
fn own_transport() -> Result<Arc<dyn Transport>> {
    Err(Error::new(
        ErrorKind::Config,
        "no transport was given; enable the feature client for one over sockets",
    ))
}

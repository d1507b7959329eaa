//! Calls of AWS with the settings of an application.

use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use http::Uri;
use tokio::time::{Instant, timeout_at};
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;
use vouchsafe_core::store::Reach;
use vouchsafe_core::transport::{HttpTransport, Transport};
use vouchsafe_core::url::is_loopback;
use vouchsafe_core::{Clock, Error, ErrorKind, Result, Sent, deadline};

use crate::http_client::{Guarded, http_client};
use crate::server_clock::ServerClock;

/// An account of AWS in a region, as the stores of this crate call it.
///
/// Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Aws(Arc<Inner>);

struct Inner {
    sdk: SdkConfig,
    place: String,
    limit: Duration,
    clock: Arc<ServerClock>,
}

/// Builds an [`Aws`].
#[must_use]
pub struct AwsBuilder {
    sdk: SdkConfig,
    transport: Option<Arc<dyn Transport>>,
    reach: Reach,
    clock: ServerClock,
}

impl Aws {
    /// Creates a builder from the settings of the SDK: region, credentials, endpoint and the like.
    /// `aws_config` loads them from the environment. Retries and timeouts among them do not apply.
    pub fn builder(sdk: &SdkConfig) -> AwsBuilder {
        AwsBuilder {
            sdk: sdk.clone(),
            transport: None,
            reach: Reach::default(),
            clock: ServerClock::new(),
        }
    }

    pub(crate) fn sdk(&self) -> &SdkConfig {
        &self.0.sdk
    }

    /// Returns a clock that shows the time of AWS as the dates of its answers to this value and its
    /// clones tell it, to within a second; before the first one, the time of this machine. For leases
    /// that are kept as records.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.0.clock) as _
    }

    pub(crate) fn limit(&self) -> Duration {
        self.0.limit
    }

    /// Returns the time at which what begins now must have ended, over all its calls.
    pub(crate) fn late(&self) -> Instant {
        deadline::after(Instant::now(), self.0.limit)
    }

    /// Waits for a call until it is `late`. `what` completes "cannot", as in "read a record from
    /// DynamoDB".
    pub(crate) async fn call<T, E>(
        &self,
        late: Instant,
        what: &str,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    ) -> Result<T, Failed<E>>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let Inner { place, limit, .. } = &*self.0;
        let new = |why: &str| Error::new(ErrorKind::Store, format!("cannot {what} {place}: {why}"));
        // The SDK would log bodies, and with them records.
        let call = Box::pin(call).with_subscriber(NoSubscriber::new());
        let Ok(done) = timeout_at(late, call).await else {
            let error = new(&format!("no answer within {limit:?}"));
            return Err(error.with_retryable(true).with_sent(Sent::Maybe).into());
        };
        let error = match done {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        match error {
            SdkError::ServiceError(refused) => {
                let status = refused.raw().status().as_u16();
                let refusal = refused.into_err();
                let code = refusal.code().unwrap_or("unknown").to_owned();
                let may_recover = status == 429 || status >= 500 || is_for_now(&code);
                // What is wrong with a value may be told by repeating it.
                let told = refusal.message().filter(|_| !is_about_a_value(&code));
                Err(Failed {
                    error: new(&format!("{code} (status {status})"))
                        .with_code(&code)
                        .with_retryable(may_recover)
                        .with_sent(Sent::Maybe),
                    told: told.map(str::to_owned),
                    refusal: Some(refusal),
                })
            }
            other => {
                let mut cause = other.source();
                while let Some(at) = cause {
                    if let Some(found) = at.downcast_ref::<Error>() {
                        let error = new(&found.to_string()).with_sent(found.sent());
                        let may_recover = !found.is_config() && found.is_retryable();
                        return Err(error.with_retryable(may_recover).into());
                    }
                    cause = at.source();
                }
                Err(without_answer(new, other).into())
            }
        }
    }
}

/// The failure of a call that has no error of core: the SDK could not make a request, or could not
/// read the answer.
fn without_answer<E>(new: impl Fn(&str) -> Error, error: SdkError<E, HttpResponse>) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    let (why, may_recover, sent) = match &error {
        // Nothing was sent: the request is signed first.
        SdkError::DispatchFailure(failure) if failure.is_other() => {
            ("there are no usable credentials", true, Sent::No)
        }
        SdkError::ConstructionFailure(_) => ("the request cannot be made", false, Sent::No),
        SdkError::ResponseError(_) => ("the answer cannot be read", true, Sent::Maybe),
        _ => ("the connection broke", true, Sent::Maybe),
    };
    let mut why = why.to_owned();
    let mut cause = error.source();
    while let Some(at) = cause {
        why = format!("{why}: {at}");
        cause = at.source();
    }
    new(&why).with_retryable(may_recover).with_sent(sent)
}

fn is_about_a_value(code: &str) -> bool {
    code.contains("Validation") || code.contains("InvalidParameter")
}

/// Returns whether a refusal of the caller's may be different the next time.
fn is_for_now(code: &str) -> bool {
    const CODES: [&str; 8] = [
        "DependencyTimeoutException",
        "KMSInternalException",
        "KeyUnavailableException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionInProgressException",
        "TransactionConflictException",
    ];
    code.starts_with("Throttl") || CODES.contains(&code)
}

/// A call that failed: the error for callers, and what the service said if it refused.
pub(crate) struct Failed<E> {
    error: Error,
    told: Option<String>,
    #[cfg_attr(
        not(any(feature = "dynamodb", feature = "secrets-manager")),
        allow(dead_code, reason = "no refusal of KMS is an answer")
    )]
    pub(crate) refusal: Option<E>,
}

impl<E> Failed<E> {
    /// Returns the error for callers, which says what to do about a refusal with one of these codes.
    /// That comes first, since errors are cut.
    pub(crate) fn hint(self, hints: &[(&str, &str)]) -> Error {
        let Self { error, told, .. } = self;
        let Some(of_refusal) = error.code() else {
            return error;
        };
        let mut message = error.message().to_owned();
        if let Some((_, hint)) = hints.iter().find(|(code, _)| *code == of_refusal) {
            message = format!("{message}; {hint}");
        }
        if let Some(told) = told {
            message = format!("{message}: {told}");
        }
        Error::new(ErrorKind::Store, message)
            .with_code(of_refusal)
            .with_retryable(error.is_retryable())
            .with_sent(error.sent())
    }
}

impl<E> From<Failed<E>> for Error {
    fn from(failed: Failed<E>) -> Self {
        failed.hint(&[])
    }
}

impl<E> From<Error> for Failed<E> {
    fn from(error: Error) -> Self {
        Self {
            error,
            told: None,
            refusal: None,
        }
    }
}

impl AwsBuilder {
    vouchsafe_core::reach_options!(reach, without network);

    /// Sets the transport, instead of the HTTP client of the SDK's settings. Default: that client,
    /// or an [`HttpTransport`] if none is set.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Sets this machine's clock, from which that of the servers is computed. Default: that of the
    /// system.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = ServerClock::with_own(clock);
        self
    }

    /// Builds it. Does no I/O except for loading trusted roots, once per process.
    ///
    /// # Errors
    ///
    /// Of kind [`Config`](ErrorKind::Config) if there is no region or no credentials, the endpoint is
    /// not valid or needs [`allow_plain`](Self::allow_plain), or https is impossible in
    /// this build.
    pub fn build(self) -> Result<Aws> {
        let config = |what: &str| Error::new(ErrorKind::Config, what);
        let limit = self.reach.limit();
        let Some(region) = self.sdk.region() else {
            return Err(config(
                "AWS wants a region: set AWS_REGION, or the region of the settings",
            ));
        };
        if self.sdk.credentials_provider().is_none() {
            return Err(config(
                "AWS wants credentials, and the settings have no provider of them",
            ));
        }
        let place = match self.sdk.endpoint_url() {
            None => format!("in {region}"),
            Some(url) => {
                let parsed = url.parse::<Uri>().ok();
                let authority = parsed.as_ref().and_then(Uri::authority);
                let authority = authority.filter(|all| !all.as_str().contains('@'));
                let authority = authority
                    .ok_or_else(|| config("the endpoint of AWS must be a URL without a user"))?;
                if parsed.as_ref().and_then(Uri::scheme_str) != Some("https") {
                    let place = authority.as_str();
                    let is_here = is_loopback(authority.host());
                    self.reach.require_allowed(place, is_here, "use https")?;
                }
                format!("at {authority}")
            }
        };
        let client: SharedHttpClient = match (self.transport, self.sdk.http_client()) {
            (Some(transport), _) => http_client(transport),
            (None, Some(client)) => client,
            (None, None) => {
                let transport = HttpTransport::builder().connect_timeout(limit / 2);
                http_client(Arc::new(transport.build()?))
            }
        };
        let clock = Arc::new(self.clock);
        let guarded = Guarded {
            client,
            allow_plain: self.reach.allows_plain(false),
            clock: Arc::clone(&clock),
        };
        // A write that was sent may have been done: callers look before they repeat it.
        let sdk = self
            .sdk
            .to_builder()
            .http_client(guarded)
            .behavior_version(BehaviorVersion::latest())
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Ok(Aws(Arc::new(Inner {
            sdk,
            place,
            limit,
            clock,
        })))
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws")
            .field("place", &self.0.place)
            .field("limit", &self.0.limit)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AwsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsBuilder")
            .field("reach", &self.reach)
            .finish_non_exhaustive()
    }
}

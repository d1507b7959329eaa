//! The life of a call, in one loop. [`Pipeline::send`] shows the whole policy.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::header::{ACCEPT, ACCEPT_ENCODING, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use tokio::time::{Instant, timeout, timeout_at};
use tracing::Instrument as _;
use tracing::field::Empty;

use super::backoff::Jitter;
use super::context::Context;
use super::limit::{Authorities, AuthorityState, InFlight};
use super::progress::Progress;
use super::receive::{Receive, Received};
use super::retry::{is_throttled, is_transient, may_repeat, retry_after};
use super::secrets::Filter;
use super::tell::Teller;
use super::{Call, CallOptions, Operation, Repeat, Retry, Timeouts, coding};
use crate::auth::{BearerChallenge, Credentials, Token};
use crate::deadline::{after, in_words};
use crate::error::KEPT_BODY;
use crate::observe::Observer;
use crate::secret::Secrets;
use crate::transport::{Request, Response, Transport, Written};
use crate::url::{BaseUrl, place};
use crate::{Clock, Error, ErrorKind, Result, Secret, Sent, TimeoutScope};

/// Sends calls: deadline, permit, credential, attempt, verdict and retry.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) timeouts: Timeouts,
    pub(crate) retry: Retry,
    pub(crate) authorities: Authorities,
    pub(crate) jitter: Jitter,
    pub(crate) user_agent: HeaderValue,
    pub(crate) plain_http: PlainHttp,
    pub(crate) read_fault: fn(&Response) -> Fault,
}

/// Whether credentials may be sent over an unencrypted connection to another machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlainHttp {
    LoopbackOnly,
    Allowed,
}

/// What the body of a refusal says.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Fault {
    /// The service's code, such as `permission_denied`.
    pub code: Option<String>,
    /// The service's human-readable message.
    pub message: Option<String>,
}

impl Fault {
    /// Creates a fault from the contents of a body.
    #[must_use]
    pub fn new(code: Option<String>, message: Option<String>) -> Self {
        Self { code, message }
    }
}

impl Pipeline {
    /// Sends a call and returns the successful answer, received as `R` says.
    pub(crate) async fn send<R: Receive>(
        &self,
        base: &BaseUrl,
        call: Call,
        credentials: Option<Credentials<'_>>,
        options: &CallOptions,
    ) -> Result<R::Answer> {
        let operation = call.0.operation;
        let span = tracing::debug_span!(
            "auth.call",
            otel.name = operation.id(),
            otel.kind = "client",
            otel.status_code = Empty,
            operation = operation.id(),
            server.address = base.host(),
            url.template = operation.path(),
            http.response.status_code = Empty,
            error.type = Empty,
            attempts = Empty,
        );
        let mut progress = Progress::new();
        // Pinned here, so that the span is put around a pointer rather than around the whole state.
        let mut kept = None;
        let result = {
            let (progress, kept) = (&mut progress, &mut kept);
            let run = pin!(self.run::<R>(base, &call, credentials, options, progress, kept));
            run.instrument(span.clone()).await
        };
        let result = result.or_else(|error| {
            let error = progress.explain(error, operation, options);
            match kept {
                Some(answer) => Ok(R::with_refusal(answer, error)),
                None => Err(error),
            }
        });
        if !span.is_disabled() {
            span.record("attempts", i64::from(progress.attempts));
            match &result {
                Ok(answer) => {
                    let status = i64::from(R::status(answer).as_u16());
                    span.record("http.response.status_code", status);
                }
                Err(error) => {
                    span.record("otel.status_code", "ERROR");
                    span.record("error.type", tracing::field::debug(error.kind()));
                    if let Some(status) = error.status() {
                        let status = i64::from(status.as_u16());
                        span.record("http.response.status_code", status);
                    }
                }
            }
        }
        let error = result.as_ref().err();
        self.tell(operation)
            .call(progress.attempts, error, progress.started);
        result
    }

    async fn run<R: Receive>(
        &self,
        base: &BaseUrl,
        call: &Call,
        credentials: Option<Credentials<'_>>,
        options: &CallOptions,
        progress: &mut Progress,
        kept: &mut Option<R::Answer>,
    ) -> Result<R::Answer> {
        let operation = call.0.operation;
        let uri = &*progress.uri.insert(base.join(&call.0.target)?);
        if (credentials.is_some() || call.0.holds_secret) && !self.may_carry_credentials(base) {
            return Err(Error::new(
                ErrorKind::Config,
                format!(
                    "plain http to {} is refused: it would carry a credential, or an answer that \
                     must be trusted; use https, or allow plain http",
                    place(uri)
                ),
            ));
        }
        let deadline = after(
            progress.started,
            options.get().deadline.unwrap_or(self.timeouts.call),
        );
        let attempt_limit = options
            .get()
            .attempt_timeout
            .unwrap_or(self.timeouts.attempt);
        let retry = options.get().retry.unwrap_or(self.retry);
        let authority = self.authorities.of(base.authority());
        let mut refused: Option<u64> = None;
        let mut was_stale = false;

        loop {
            let token = match &credentials {
                Some(credentials) => {
                    let token = self.token(credentials, deadline).await;
                    Some(token.inspect_err(|error| {
                        progress.source_called = error.operation().is_some();
                    })?)
                }
                None => None,
            };
            let call = call.completed(token.as_ref().map(Token::secret))?;
            let uri = progress.uri.clone().unwrap_or_default();
            let mut request = self.request(base, &call, uri, options)?;
            if let (Some(credentials), Some(token)) = (&credentials, &token) {
                credentials.scheme.authorize(token, &mut request.headers)?;
            }
            // Taken after the token: the token source may make calls with this client, and would
            // wait for a permit that this call holds.
            let permit = authority.permit(deadline).await?;
            let in_flight = InFlight::new(permit, self.observer.as_ref(), operation);
            progress.attempts += 1;
            let limit = Limit::of_attempt(attempt_limit, deadline);
            let condition = options.get().condition.clone();
            // Whether others have arrived decides nothing: they may be repeated, and change nothing.
            let is_once = operation.repeatable() == Repeat::OnlyIfUnsent;
            if is_once || !operation.method().is_safe() || condition.is_some() {
                request.written = Written::heard_until(limit.until, condition);
            }
            let written = request.written.clone();
            let received = R::receive(&*self.transport, operation, request);
            let outcome = self
                .attempt::<R>(operation, received, written, limit, progress)
                .await;
            *kept = None;
            let context = |progress: &Progress, uri: Option<Uri>| Context {
                operation,
                attempts: progress.attempts,
                has_lost_attempt: progress.has_lost_attempt,
                uri: uri.unwrap_or_default(),
                secrets: secrets(&call, token.as_ref(), options),
                started: progress.started,
                piece_limit: attempt_limit,
                deadline: options.get().deadline.map(|_| deadline),
            };
            let error = match outcome {
                Ok(Received::Answer(got)) => {
                    if let Some(left) = authority.budget.refund() {
                        self.tell(operation).budget(left);
                    }
                    // A call that sets this header decodes the body itself.
                    if call.0.headers.get(&ACCEPT_ENCODING).is_none()
                        && let Some(coding) = R::coding_of(&got)
                    {
                        return Err(coding::unasked(R::status_of(&got), coding));
                    }
                    let uri = progress.uri.take();
                    return Ok(R::answer(got, context(progress, uri), in_flight));
                }
                Ok(Received::Refusal(response)) => {
                    let presented = credentials.as_ref().zip(token.as_ref());
                    let filter = filter(&call, presented, options);
                    let context = || context(progress, progress.uri.clone());
                    *kept = R::refusal(&response, context);
                    self.refusal(operation, &response, &filter)
                }
                Err(error) => error,
            };
            drop(in_flight);
            if error.sent() == Sent::Maybe {
                progress.sent = Sent::Maybe;
            }

            // The source's token may have been revoked: get another, once. Not where 401 means that the
            // token is known and does not suffice.
            if error.status() == Some(StatusCode::UNAUTHORIZED)
                && error.kind() == ErrorKind::Credential
                && let (Some(credentials), Some(token), None) = (&credentials, &token, refused)
            {
                refused = Some(token.generation());
                self.tell(operation).token_refused();
                credentials.source.forget(token.generation());
                let resends = options.get().resends_refused.unwrap_or(true);
                match self.token(credentials, deadline).await {
                    Ok(renewed) if resends && renewed.generation() != token.generation() => {
                        self.tell(operation).retry(progress.attempts, &error);
                        continue;
                    }
                    Ok(_) => return Err(error),
                    // The reason for having no newer token says more than the refusal of the old
                    // one.
                    Err(cause) => {
                        *kept = None;
                        let (may_help, wait) = (cause.is_retryable(), cause.retry_after());
                        let error = error.with_retryable(may_help).with_retry_after(wait);
                        return Err(error.with_source(cause));
                    }
                }
            }
            // A kept connection that the server has closed in the meantime: use another at once.
            if error.is_stale_connection() && !was_stale && may_repeat(operation, &error) {
                was_stale = true;
                progress.repeats_after(&error);
                self.tell(operation).retry(progress.attempts, &error);
                continue;
            }
            if !may_repeat(operation, &error) {
                return Err(error);
            }
            self.wait(
                retry,
                &error,
                progress.attempts,
                deadline,
                &authority,
                operation,
            )
            .await?;
            progress.repeats_after(&error);
        }
    }

    /// Waits before the next attempt, or returns the error if there is no next one.
    async fn wait(
        &self,
        retry: Retry,
        error: &Error,
        attempts: u32,
        deadline: Instant,
        authority: &AuthorityState,
        operation: &'static Operation,
    ) -> Result<()> {
        let backoff = retry.backoff(self.jitter.clone());
        let Some(wait) = backoff.after_failures(attempts - 1).after(error) else {
            return Err(error.clone());
        };
        // A wait that ends after the deadline would only delay the same error.
        if after(Instant::now(), wait) >= deadline {
            return Err(error.clone());
        }
        let Some(left) = authority.budget.pay(is_throttled(error)) else {
            self.tell(operation).budget_empty();
            tracing::debug!(operation = operation.id(), "retry budget empty");
            return Err(error.clone());
        };
        self.tell(operation).budget(left);
        tokio::time::sleep(wait).await;
        self.tell(operation).retry(attempts, error);
        Ok(())
    }

    fn tell(&self, operation: &'static Operation) -> Teller<'_> {
        Teller {
            observer: self.observer.as_ref(),
            operation,
        }
    }

    /// Waits for the answer to one request within its time limit.
    async fn attempt<R: Receive>(
        &self,
        operation: &'static Operation,
        received: impl Future<Output = Result<Received<R::Got>>> + Send,
        written: Written,
        limit: Limit,
        progress: &Progress,
    ) -> Result<Received<R::Got>> {
        let Limit {
            begun,
            until,
            scope,
        } = limit;
        let result = {
            let mut received = pin!(received);
            match timeout_at(until, received.as_mut()).await {
                Ok(result) => Some(result),
                // The timer is this late if the process was suspended, and then the answer may be
                // there. It cannot be asked for again.
                Err(_)
                    if operation.repeatable() == Repeat::OnlyIfUnsent
                        && until.elapsed() >= LATE =>
                {
                    timeout(LAST_LOOK, received).await.ok()
                }
                Err(_) => None,
            }
        };
        let result = result.unwrap_or_else(|| {
            // By now the attempt has been dropped, so what it said is final.
            let (what, sent) = if written.is_nothing() {
                ("no connection", Sent::No)
            } else {
                ("no answer", Sent::Maybe)
            };
            let limit = in_words(until - begun);
            Err(
                Error::new(ErrorKind::Timeout(scope), format!("{what} within {limit}"))
                    .with_sent(sent)
                    .with_retryable(true),
            )
        });
        let status = result.as_ref().map(|received| match received {
            Received::Answer(got) => R::status_of(got),
            Received::Refusal(response) => response.status,
        });
        tracing::debug!(
            attempt = progress.attempts,
            status = status.ok().map(|status| status.as_u16()),
            error = status.err().map(tracing::field::display),
        );
        self.tell(operation)
            .attempt(progress.attempts, status, begun);
        result
    }

    async fn token(&self, credentials: &Credentials<'_>, deadline: Instant) -> Result<Token> {
        let mut token = credentials.source.token();
        // Most sources have it, and need no timer.
        if let Poll::Ready(token) = poll_fn(|cx| Poll::Ready(token.as_mut().poll(cx))).await {
            return token;
        }
        timeout_at(deadline, token).await.unwrap_or_else(|_| {
            Err(Error::new(
                ErrorKind::Timeout(TimeoutScope::Call),
                "the source returned no token in time",
            )
            .with_retryable(true))
        })
    }

    fn may_carry_credentials(&self, base: &BaseUrl) -> bool {
        base.is_https() || self.plain_http == PlainHttp::Allowed || base.is_loopback()
    }

    /// Builds the request of one attempt, without its credential.
    fn request(
        &self,
        base: &BaseUrl,
        call: &Call,
        uri: Uri,
        options: &CallOptions,
    ) -> Result<Request> {
        let options = options.get();
        let own = call.0.headers.len() + options.headers.len();
        // The connection adds the length of the body.
        let length = usize::from(!call.0.body.is_empty());
        let mut headers = HeaderMap::with_capacity(HEADERS + own + length);
        headers.insert(HOST, base.host_header().clone());
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, self.user_agent.clone());
        for (name, value) in options.headers.iter() {
            headers.insert(name, value.clone());
        }
        // Without this header a server may choose any coding (RFC 9110, 12.5.3).
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        for (name, value) in call.0.headers.iter() {
            headers.insert(name, value.clone());
        }
        if let Some(name) = &options.misfit {
            let what = format!("the value for {name} is not valid in a header");
            return Err(Error::new(ErrorKind::Invalid, what));
        }
        if let Some(id) = &options.request_id {
            let value = HeaderValue::from_str(id).map_err(|_| {
                Error::new(
                    ErrorKind::Invalid,
                    "the request id is not valid in a header",
                )
            })?;
            headers.insert(REQUEST_ID.clone(), value);
        }
        let mut request = Request::new(call.0.operation.method().clone(), uri);
        request.headers = headers;
        request.body = call.0.body.clone();
        request.response_limit = call.0.operation.max_response();
        Ok(request)
    }

    /// Turns an unsuccessful answer into an error.
    fn refusal(
        &self,
        operation: &'static Operation,
        response: &Response,
        filter: &Filter,
    ) -> Error {
        let coding = coding::of(&response.headers).filter(|_| !response.body.is_empty());
        let fault = match coding {
            Some(_) => Fault::default(),
            None => (self.read_fault)(response),
        };
        let status = response.status;
        let kind = match operation.kind_of(status, fault.code.as_deref()) {
            ErrorKind::Credential if is_scope_missing(response) => ErrorKind::Forbidden,
            kind => kind,
        };
        // Some servers quote the values that they refuse.
        let clean = |text: Option<&str>| {
            let text = text.filter(|text| !text.trim().is_empty());
            text.map(|text| filter.text(text))
        };
        let message = clean(fault.message.as_deref());
        let message = message
            .as_deref()
            .or(status.canonical_reason())
            .unwrap_or("unknown status");
        let message = match coding {
            Some(coding) => &format!(
                "{message}; the body with the reason has the content coding {coding}, which was \
                 not asked for"
            ),
            None => message,
        };
        let id = response.headers.get(&REQUEST_ID);
        let id = clean(id.and_then(|id| id.to_str().ok()));
        let error = Error::new(kind, message)
            .with_status(status)
            .with_sent(Sent::Maybe)
            .with_retryable(is_transient(status))
            .with_retry_after(retry_after(response, &*self.clock))
            .with_request_id(id.as_deref());
        let error = match coding {
            Some(_) => error,
            None => error.with_body(&filter.body_of(&response.body, KEPT_BODY)),
        };
        match clean(fault.code.as_deref()) {
            Some(code) => error.with_code(code),
            None => error,
        }
    }
}

/// Returns whether the token is good, but may not do this: a newer one could not either.
fn is_scope_missing(response: &Response) -> bool {
    let challenge = BearerChallenge::of(&response.headers);
    challenge.is_some_and(|challenge| challenge.is_insufficient_scope())
}

/// Collects the secrets of a request, in case its answer quotes them.
fn secrets(call: &Call, token: Option<&Token>, options: &CallOptions) -> Secrets {
    let mut secrets = call.0.secrets.clone();
    if let Some(token) = token {
        secrets.add(token.secret());
    }
    let own = options.get().headers.values();
    let own = own.filter(|own| own.is_sensitive());
    let own = own.filter_map(|own| own.to_str().ok());
    own.for_each(|own| secrets.add_header(&Secret::from(own)));
    secrets
}

/// Collects the secrets of a request, to remove them from what the server says.
fn filter(
    call: &Call,
    presented: Option<(&Credentials<'_>, &Token)>,
    options: &CallOptions,
) -> Filter {
    let mut filter = Filter::of(&call.0.secrets);
    filter.headers(call.0.headers.values());
    filter.headers(options.get().headers.values());
    if let Some((credentials, token)) = presented {
        filter.secret(token.secret().expose());
        // What a scheme derives from a token is just as secret.
        let mut headers = HeaderMap::new();
        if credentials.scheme.authorize(token, &mut headers).is_ok() {
            filter.headers(headers.values());
        }
    }
    filter
}

/// The time limit of one attempt.
#[derive(Clone, Copy)]
struct Limit {
    begun: Instant,
    until: Instant,
    scope: TimeoutScope,
}

impl Limit {
    /// Starts an attempt now: it ends by its own limit or that of the call.
    fn of_attempt(limit: Duration, deadline: Instant) -> Self {
        let begun = Instant::now();
        let (until, scope) = match after(begun, limit) {
            until if until < deadline => (until, TimeoutScope::Attempt),
            _ => (deadline, TimeoutScope::Call),
        };
        Self {
            begun,
            until,
            scope,
        }
    }
}

/// How late a timer is only after the process was suspended.
const LATE: Duration = Duration::from_millis(500);

/// How long such a process looks for an answer that arrived in the meantime.
const LAST_LOOK: Duration = Duration::from_secs(1);

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How many headers each request has, the host and a credential among them, so that the map is
/// allocated once.
const HEADERS: usize = 5;

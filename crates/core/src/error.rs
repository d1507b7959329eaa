//! The error type of core: opaque, with methods to decide what to do. Services wrap it with
//! [`service_error!`](crate::service_error).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};

use crate::deadline::in_words;

/// `Result` with core's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Cause = Arc<dyn std::error::Error + Send + Sync + 'static>;

/// Why a call failed.
///
/// `Display` is one line of known facts: operation, host and port, message, status, code, attempts
/// and the time they took, as in `gafaelfawr.getUserInfo at auth.example:443: no answer within 5 s,
/// 3 attempts in 15 s`. The cause is only available from [`source`](std::error::Error::source). No
/// text of an error includes a query, a credential or a body.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    operation: Option<&'static str>,
    method: Option<Method>,
    url: Option<String>,
    /// Host and port.
    place: Option<String>,
    status: Option<StatusCode>,
    code: Option<String>,
    request_id: Option<String>,
    body: Option<Bytes>,
    attempts: u32,
    lost_attempt: bool,
    elapsed: Duration,
    retry_after: Option<Duration>,
    sent: Sent,
    retryable: bool,
    stale_connection: bool,
    source: Option<Cause>,
}

impl Error {
    /// Creates an error of a kind with a human-readable message.
    ///
    /// The message is cut at 200 characters, and its control characters are replaced.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl AsRef<str>) -> Self {
        Self(Arc::new(Inner {
            kind,
            message: one_line(message.as_ref()),
            operation: None,
            method: None,
            url: None,
            place: None,
            status: None,
            code: None,
            request_id: None,
            body: None,
            attempts: 0,
            lost_attempt: false,
            elapsed: Duration::ZERO,
            retry_after: None,
            sent: Sent::No,
            retryable: false,
            stale_connection: false,
            source: None,
        }))
    }

    /// Returns the kind, to match on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the message without the operation and the status.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the operation's id, such as `gafaelfawr.getUserInfo`.
    #[must_use]
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// Returns the method of the request, if one was formed.
    #[must_use]
    pub fn method(&self) -> Option<&Method> {
        self.0.method.as_ref()
    }

    /// Returns the URL without user information and query. If the path of the operation holds a
    /// secret, the template is used instead of the path.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }

    /// Returns the status of the last answer, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// Returns the service's own error code.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Returns the request id of the answer or the call.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Returns the body of a refusal as it was received, at most the first 64 KiB.
    ///
    /// The secrets of the call are removed from it, however the server encoded them. The body is
    /// never part of `Display` or `Debug`; the caller decides whether to print it. It is missing
    /// for successful answers that could not be decoded, since those may hold secrets, and for
    /// bodies with a content coding.
    #[must_use]
    pub fn body(&self) -> Option<&Bytes> {
        self.0.body.as_ref()
    }

    /// Returns the number of attempts; zero if nothing was sent.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns whether the server may have carried out an attempt of the call before the last one: its
    /// answer was lost, or left that open, such as a 503. Then "not found" or "exists already" may be
    /// the effect of that attempt.
    ///
    /// An attempt of which no byte left this machine does not count, nor does one whose token was
    /// refused and renewed.
    #[must_use]
    pub fn has_lost_attempt(&self) -> bool {
        self.0.lost_attempt
    }

    /// Returns how long the call took, including waits.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// Returns how long the server asked to wait before the next attempt, unmodified and possibly
    /// very long. [`Retry::LONGEST_ASKED`](crate::call::Retry::LONGEST_ASKED) is a bound for
    /// background work.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns whether the server may have seen the request.
    #[must_use]
    pub fn sent(&self) -> Sent {
        self.0.sent
    }

    /// Returns whether the same call may succeed later without a change by the caller.
    ///
    /// This does not say whether repeating the call is *safe*: see [`Error::sent`]. An error that
    /// remains after all retries stays retryable, with `attempts() > 1`.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// Returns whether a time limit ended the call.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Timeout(_))
    }

    /// Returns whether the client or its environment is misconfigured ([`ErrorKind::Config`]).
    #[must_use]
    pub fn is_config(&self) -> bool {
        self.0.kind == ErrorKind::Config
    }

    /// Returns whether the credential is missing, unusable or refused ([`ErrorKind::Credential`]).
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.0.kind == ErrorKind::Credential
    }

    /// Returns whether the credential does not permit the call ([`ErrorKind::Forbidden`]).
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.0.kind == ErrorKind::Forbidden
    }

    /// Returns whether what was asked for does not exist ([`ErrorKind::NotFound`]).
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.0.kind == ErrorKind::NotFound
    }

    /// Returns whether the thing exists already, or its state does not permit the call
    /// ([`ErrorKind::Conflict`]).
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.0.kind == ErrorKind::Conflict
    }

    /// Sets the kind.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.inner().kind = kind;
        self
    }

    /// Sets the variable, option or file that the bad value came from; it is put before the
    /// message.
    #[must_use]
    pub fn with_origin(mut self, origin: impl fmt::Display) -> Self {
        let message = one_line(&format!("{origin}: {}", self.message()));
        self.inner().message = message;
        self
    }

    /// Sets the operation.
    #[must_use]
    pub fn with_operation(mut self, operation: &'static str) -> Self {
        self.inner().operation = Some(operation);
        self
    }

    /// Sets the cause.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync + 'static>>,
    ) -> Self {
        self.inner().source = Some(Arc::from(source.into()));
        self
    }

    /// Sets the status of the answer.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.inner().status = Some(status);
        self
    }

    /// Sets the service's error code.
    #[must_use]
    pub fn with_code(mut self, code: impl AsRef<str>) -> Self {
        self.inner().code = Some(one_line(code.as_ref()));
        self
    }

    /// Sets whether the server may have seen the request.
    #[must_use]
    pub fn with_sent(mut self, sent: Sent) -> Self {
        self.inner().sent = sent;
        self
    }

    /// Sets whether a later try may succeed.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.inner().retryable = retryable;
        self
    }

    /// Sets how long the server asked to wait.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.inner().retry_after = wait;
        self
    }

    /// Sets the method and the URL of the request. The URL must not have a query or a secret.
    pub(crate) fn with_request(mut self, method: &Method, url: String) -> Self {
        let inner = self.inner();
        inner.method = Some(method.clone());
        inner.url = Some(url);
        self
    }

    /// Sets the host and port that were asked, or could not be reached. Those of a call replace
    /// them.
    pub(crate) fn with_place(mut self, place: impl Into<String>) -> Self {
        self.inner().place = Some(place.into());
        self
    }

    /// Marks that the connection had been kept from an earlier exchange and ended before an answer,
    /// which says nothing about the server.
    #[cfg(feature = "client")]
    pub(crate) fn with_stale_connection(mut self, is_stale: bool) -> Self {
        self.inner().stale_connection = is_stale;
        self
    }

    pub(crate) fn is_stale_connection(&self) -> bool {
        self.0.stale_connection
    }

    /// Keeps the body of an answer, or its beginning if it is long. It is not shown. A service
    /// whose answers hold credentials must not keep them.
    #[must_use]
    pub fn with_body(mut self, body: &Bytes) -> Self {
        // Copied: a slice would keep the whole body alive, and errors may be kept for a while.
        self.inner().body = Some(Bytes::copy_from_slice(&body[..body.len().min(KEPT_BODY)]));
        self
    }

    pub(crate) fn with_request_id(mut self, id: Option<&str>) -> Self {
        self.inner().request_id = id.map(one_line);
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32, elapsed: Duration) -> Self {
        let inner = self.inner();
        inner.attempts = attempts;
        inner.elapsed = elapsed;
        self
    }

    pub(crate) fn with_lost_attempt(mut self, has_lost_attempt: bool) -> Self {
        self.inner().lost_attempt = has_lost_attempt;
        self
    }

    fn inner(&mut self) -> &mut Inner {
        Arc::make_mut(&mut self.0)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let e = &self.0;
        // Errors of connecting name the place themselves.
        let place = e.place.as_deref();
        let place = place.filter(|place| !e.message.contains(place));
        match (e.operation, place) {
            (Some(operation), Some(place)) => write!(f, "{operation} at {place}: ")?,
            (Some(operation), None) => write!(f, "{operation}: ")?,
            (None, Some(place)) => write!(f, "{place}: ")?,
            (None, None) => {}
        }
        f.write_str(&e.message)?;
        match (e.status, &e.code) {
            (Some(status), Some(code)) => write!(f, " (HTTP {}, {code})", status.as_u16())?,
            (Some(status), None) => write!(f, " (HTTP {})", status.as_u16())?,
            (None, Some(code)) => write!(f, " ({code})")?,
            (None, None) => {}
        }
        if e.attempts > 1 {
            write!(f, ", {} attempts", e.attempts)?;
            if !e.elapsed.is_zero() {
                write!(f, " in {}", in_words(e.elapsed))?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let e = &self.0;
        let mut shown = f.debug_struct("Error");
        shown.field("kind", &e.kind).field("message", &e.message);
        // Missing fields are left out, because `main` prints this format.
        let mut present = |name, value: Option<&dyn fmt::Debug>| {
            if let Some(value) = value {
                shown.field(name, value);
            }
        };
        present("operation", e.operation.as_ref().map(|v| v as _));
        present("method", e.method.as_ref().map(|v| v as _));
        present("url", e.url.as_ref().map(|v| v as _));
        present("status", e.status.as_ref().map(|v| v as _));
        present("code", e.code.as_ref().map(|v| v as _));
        present("request_id", e.request_id.as_ref().map(|v| v as _));
        let bytes = e.body.as_ref().map(Bytes::len);
        present("body_bytes", bytes.as_ref().map(|v| v as _));
        if e.attempts > 0 {
            present("attempts", Some(&e.attempts));
            present("elapsed", Some(&e.elapsed));
            present("sent", Some(&e.sent));
            present("retryable", Some(&e.retryable));
        }
        present("retry_after", e.retry_after.as_ref().map(|v| v as _));
        present("source", e.source.as_ref().map(|v| v as _));
        shown.finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0
            .source
            .as_ref()
            .map(|cause| cause.as_ref() as &(dyn std::error::Error + 'static))
    }
}

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client or its environment is misconfigured; nothing was sent.
    Config,
    /// No connection could be made; nothing was sent.
    Connect(ConnectPhase),
    /// A time limit ran out.
    Timeout(TimeoutScope),
    /// The connection broke, or the peer did not send HTTP.
    Transport,
    /// The answer was larger than the operation allows.
    TooLarge,
    /// Too many requests: held back by this client, or refused by the server (429).
    Throttled,
    /// The credential is missing, unusable or refused (401).
    Credential,
    /// The credential is valid but not sufficient (403).
    Forbidden,
    /// The thing does not exist (404).
    NotFound,
    /// The thing exists already, or its state does not permit the call (409).
    Conflict,
    /// The input was refused: by this client before anything was sent ([`Sent::No`]), or by the
    /// server (400, 422).
    Invalid,
    /// Any other unsuccessful status.
    Status,
    /// The answer was successful but could not be understood.
    Decode,
    /// A store of credentials failed.
    Store,
}

/// The phase in which connecting failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectPhase {
    /// The name could not be resolved.
    Dns,
    /// No address accepted a connection.
    Tcp,
    /// The proxy could not be reached, or refused. A request of plain http was sent to the proxy
    /// by then, so that it counts as [`Sent::Maybe`].
    Proxy,
    /// The TLS handshake failed: certificate, name or protocol.
    Tls,
}

/// Which time limit ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimeoutScope {
    /// From the name look-up to the end of the TLS handshake.
    Connect,
    /// One request and its answer.
    Attempt,
    /// The whole call, including waits, queueing, token fetching and retries.
    Call,
}

/// Whether the server may have seen a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a request left the machine or it did not"
)]
pub enum Sent {
    /// Nothing left this machine; repeating the call cannot do anything twice.
    No,
    /// Some of it may have arrived.
    Maybe,
}

const MESSAGE_CHARS: usize = 200;
pub(crate) const KEPT_BODY: usize = 64 << 10;

/// Makes foreign text fit for one line of an error: control characters become spaces, and text
/// beyond 200 characters is cut.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .take(MESSAGE_CHARS)
        .map(|c| if breaks_a_line(c) { ' ' } else { c })
        .collect::<String>()
        .trim()
        .to_owned()
}

/// Returns whether some program treats a character as the end of a line, or it changes the
/// direction of the text.
fn breaks_a_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests;

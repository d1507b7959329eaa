//! Options that a caller may set for a client and for one call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};

use super::Retry;
use super::headers::Headers;
use crate::transport::Condition;
use crate::{Error, ErrorKind, Result};

/// Time limits. Every call is bounded by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// The limit of one request and its answer. Default: 5 seconds.
    pub attempt: Duration,
    /// The limit of the whole call, including waits, queueing, token fetching and retries. Default:
    /// 15 seconds.
    pub call: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(5),
            call: Duration::from_secs(15),
        }
    }
}

impl Timeouts {
    /// Sets the limit of one attempt.
    #[must_use]
    pub const fn attempt(mut self, limit: Duration) -> Self {
        self.attempt = limit;
        self
    }

    /// Sets the limit of the whole call.
    #[must_use]
    pub const fn call(mut self, limit: Duration) -> Self {
        self.call = limit;
        self
    }
}

/// What one call does differently from its client. Options that are not set are taken from the
/// client.
///
/// Cheap to clone: clones share the options that are set.
#[derive(Clone, Default)]
pub struct CallOptions(Option<Arc<Set>>);

/// The options that are set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Set {
    pub(crate) deadline: Option<Duration>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) retry: Option<Retry>,
    pub(crate) resends_refused: Option<bool>,
    pub(crate) condition: Option<Condition>,
    pub(crate) request_id: Option<String>,
    pub(crate) headers: Headers,
    /// A header with an invalid value.
    pub(crate) misfit: Option<HeaderName>,
}

impl CallOptions {
    /// Returns options that change nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how long the whole call may take.
    #[must_use]
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.set().deadline = Some(limit);
        self
    }

    /// Sets how long one attempt may take.
    #[must_use]
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.set().attempt_timeout = Some(limit);
        self
    }

    /// Sets the retry policy of the call.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.set().retry = Some(retry);
        self
    }

    /// Sets whether a call whose token was refused (401) is sent once more if its source then has a
    /// newer one. Without, the source still learns of the refusal and gets a newer token for later
    /// calls, and the refusal is returned. Default: `true`.
    #[must_use]
    pub fn resend_refused(mut self, resends: bool) -> Self {
        self.set().resends_refused = Some(resends);
        self
    }

    /// Sets a condition without which nothing may be sent, such as a right that ends. It is asked
    /// last thing before an attempt is written to its connection, and again for each attempt: a
    /// process may be suspended at any moment, and continue when the right is over. If it does not
    /// hold, the call fails with [`Sent::No`](crate::Sent::No). It must not block.
    ///
    /// With HTTP/2 the head of a request may still leave if the condition ends just before that. Its
    /// stream is then reset, and the call fails with [`Sent::Maybe`](crate::Sent::Maybe). A transport
    /// over another HTTP client may ask earlier, as
    #[cfg_attr(
        feature = "tower",
        doc = "[`ServiceTransport`](crate::transport::ServiceTransport)"
    )]
    #[cfg_attr(not(feature = "tower"), doc = "`ServiceTransport` (feature `tower`)")]
    /// does.
    #[must_use]
    pub fn send_while(mut self, condition: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.set().condition = Some(Condition(Arc::new(condition)));
        self
    }

    /// Sends an `X-Request-Id`, which errors carry too. An invalid value is
    /// refused when the call is made.
    #[must_use]
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.set().request_id = Some(id.into());
        self
    }

    /// Sends an additional header. Headers set by the protocol, and the credential, take
    /// precedence. The value is treated as sensitive: it is never logged.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the name or the value is not valid in a header. The message
    /// includes the name, but not the value.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self> {
        let invalid = || {
            Error::new(
                ErrorKind::Invalid,
                format!("{name:?} is not a valid header"),
            )
        };
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| invalid())?;
        value.set_sensitive(true);
        self.set().headers.set(name, value);
        Ok(self)
    }

    /// Sets a header that is not secret, such as one that states on whose behalf a call is made.
    /// The precedence is that of [`header`](Self::header). An invalid value is refused when the
    /// call is made.
    #[must_use]
    pub fn plain_header(mut self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => {
                self.set().headers.set(name, value);
            }
            Err(_) => self.set().misfit = Some(name),
        }
        self
    }

    /// Fills in options that are not set here from others, such as the client's.
    #[must_use]
    pub fn or(mut self, other: &Self) -> Self {
        let Some(other) = &other.0 else {
            return self;
        };
        if self.0.is_none() {
            return Self(Some(Arc::clone(other)));
        }
        let set = self.set();
        set.deadline = set.deadline.or(other.deadline);
        set.attempt_timeout = set.attempt_timeout.or(other.attempt_timeout);
        set.retry = set.retry.or(other.retry);
        set.resends_refused = set.resends_refused.or(other.resends_refused);
        set.condition = set.condition.take().or_else(|| other.condition.clone());
        set.request_id = set.request_id.take().or_else(|| other.request_id.clone());
        set.misfit = set.misfit.take().or_else(|| other.misfit.clone());
        for (name, value) in other.headers.iter() {
            if set.headers.get(name).is_none() {
                set.headers.set(name.clone(), value.clone());
            }
        }
        self
    }

    /// Returns what is set.
    pub(crate) fn get(&self) -> &Set {
        static NOTHING: Set = Set {
            deadline: None,
            attempt_timeout: None,
            retry: None,
            resends_refused: None,
            condition: None,
            request_id: None,
            headers: Headers::new(),
            misfit: None,
        };
        self.0.as_deref().unwrap_or(&NOTHING)
    }

    fn set(&mut self) -> &mut Set {
        Arc::make_mut(self.0.get_or_insert_default())
    }
}

impl fmt::Debug for CallOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CallOptions").field(self.get()).finish()
    }
}

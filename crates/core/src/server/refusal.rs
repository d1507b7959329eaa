//! Answers to refused requests. Services wrap this with [`refusal!`](crate::refusal), which also
//! logs under the service's own name.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};

/// Defines the answer for each kind of refusal.
pub trait RefusalKind: Copy + fmt::Debug {
    /// The media type of the answers.
    const CONTENT_TYPE: HeaderValue;

    /// Returns the status of the answer, the code in its body, and the log level.
    fn traits(self) -> (StatusCode, &'static str, Loudness);

    /// Returns the body of the answer.
    fn body(self, message: &str) -> Bytes;

    /// Returns the `WWW-Authenticate` challenge of a 401 (RFC 9110, 11.6.1).
    fn challenge(self) -> HeaderValue;
}

/// The log level of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loudness {
    /// Needs an operator: misconfiguration or a forged identity.
    Warn,
    /// A routine denial.
    Debug,
}

/// Why a request was refused; every service's `Refusal` wraps this.
#[derive(Clone)]
pub struct Refused<K> {
    kind: K,
    message: Cow<'static, str>,
    peer: Option<IpAddr>,
    retry_after: Option<Duration>,
    body: Option<Bytes>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl<K: RefusalKind> Refused<K> {
    /// Creates a refusal with a message that is sent to the client.
    #[must_use]
    pub fn new(kind: K, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            message: message.into(),
            peer: None,
            retry_after: None,
            body: None,
            source: None,
        }
    }

    /// Sets the name of the caller, for the log.
    #[must_use]
    pub fn with_peer(mut self, peer: Option<IpAddr>) -> Self {
        self.peer = peer;
        self
    }

    /// Sets how long the client should wait before trying again.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    /// Sets the body of the answer, if it has more than kind and message.
    #[must_use]
    pub fn with_body(mut self, body: Bytes) -> Self {
        self.body = Some(body);
        self
    }

    /// Sets the cause, for the log and [`source`](std::error::Error::source).
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Returns the kind, to match on.
    #[must_use]
    pub fn kind(&self) -> K {
        self.kind
    }

    /// Returns the message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the name of the caller, if known.
    #[must_use]
    pub fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    /// Returns the cause.
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }

    /// Creates the answer, with whatever body type the server uses.
    #[must_use]
    pub fn to_response<B: From<Bytes>>(&self) -> Response<B> {
        let (status, ..) = self.kind.traits();
        let body = self.body.clone();
        let body = body.unwrap_or_else(|| self.kind.body(&self.message));
        let mut response = Response::new(B::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, K::CONTENT_TYPE);
        headers.insert(
            CACHE_CONTROL,
            HeaderValue::from_static("no-cache, no-store"),
        );
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, self.kind.challenge());
        }
        if let Some(wait) = self.retry_after {
            // Rounded up: a client that returns a moment too early is refused again.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl<K: RefusalKind> fmt::Display for Refused<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (status, ..) = self.kind.traits();
        write!(f, "{} (HTTP {})", self.message, status.as_u16())
    }
}

impl<K: RefusalKind> fmt::Debug for Refused<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("peer", &self.peer)
            .field("source", &self.source)
            .finish()
    }
}

/// Defines a service's `Refusal` over [`Refused`](crate::server::Refused), which is logged under
/// the name of the module that uses this macro. The service defines its `RefusalKind`.
#[macro_export]
macro_rules! refusal {
    ($(#[$meta:meta])* $name:ident, $kind:ident) => {
        $(#[$meta])*
        #[derive(Clone)]
        pub struct $name($crate::server::Refused<$kind>);

        impl $name {
            /// Creates a refusal with a message that is sent to the client.
            pub(crate) fn new(
                kind: $kind,
                message: impl Into<::std::borrow::Cow<'static, str>>,
            ) -> Self {
                Self($crate::server::Refused::new(kind, message))
            }

            /// Logs the refusal at the level of its kind.
            pub(crate) fn logged(self) -> Self {
                let (status, code, loudness) = $crate::server::RefusalKind::traits(self.kind());
                macro_rules! log {
                    ($level:ident) => {
                        $crate::__private::tracing::$level!(
                            r#type = code,
                            status = status.as_u16(),
                            peer = self.0.peer().map($crate::__private::tracing::field::display),
                            error = self.0.cause().map($crate::__private::tracing::field::display),
                            "request refused: {}",
                            self.0.message()
                        )
                    };
                }
                match loudness {
                    $crate::server::Loudness::Warn => log!(warn),
                    _ => log!(debug),
                }
                self
            }

            /// Returns the kind, to match on.
            #[must_use]
            pub fn kind(&self) -> $kind {
                self.0.kind()
            }

            /// Returns the status of the answer.
            #[must_use]
            pub fn status(&self) -> $crate::__private::StatusCode {
                $crate::server::RefusalKind::traits(self.kind()).0
            }

            /// Returns the machine-readable code in the answer's body.
            #[must_use]
            pub fn code(&self) -> &'static str {
                $crate::server::RefusalKind::traits(self.kind()).1
            }

            /// Creates the answer, with whatever body type the server uses.
            #[must_use]
            pub fn to_response<B>(&self) -> $crate::__private::Response<B>
            where
                B: ::std::convert::From<$crate::__private::Bytes>,
            {
                self.0.to_response()
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&self.0, f)
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Debug::fmt(&self.0, f)
            }
        }

        impl ::std::error::Error for $name {
            fn source(&self) -> Option<&(dyn ::std::error::Error + 'static)> {
                self.0.cause()
            }
        }
    };
}

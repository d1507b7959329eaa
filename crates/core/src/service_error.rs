//! The macro that gives a service its own error type over core's.

/// Defines a service's `Error` over core's, with the same methods and the service's own kinds.
///
/// The service defines its `ErrorKind` with a variant `Core(vouchsafe_core::ErrorKind)`, and `fn
/// classify(&vouchsafe_core::Error) -> ErrorKind`, which recognises the service's conditions.
#[macro_export]
macro_rules! service_error {
    ($(#[$meta:meta])* $name:ident, $kind:ident, $classify:path) => {
        $(#[$meta])*
        #[derive(Clone)]
        pub struct $name {
            kind: $kind,
            core: $crate::Error,
        }

        impl $name {
            /// Creates an error of a kind of this service over core's.
            #[must_use]
            pub(crate) fn of(kind: $kind, core: $crate::Error) -> Self {
                Self { kind, core }
            }

            /// Returns the kind, to match on.
            #[must_use]
            pub fn kind(&self) -> $kind {
                self.kind
            }

            /// Returns the underlying error of core.
            #[must_use]
            pub fn core(&self) -> &$crate::Error {
                &self.core
            }

            /// Returns the operation's id.
            #[must_use]
            pub fn operation(&self) -> Option<&'static str> {
                self.core.operation()
            }

            /// Returns the status of the last answer, if there was one.
            #[must_use]
            pub fn status(&self) -> Option<$crate::__private::StatusCode> {
                self.core.status()
            }

            /// Returns the service's own error code.
            #[must_use]
            pub fn code(&self) -> Option<&str> {
                self.core.code()
            }

            /// Returns the request id of the answer or the call.
            #[must_use]
            pub fn request_id(&self) -> Option<&str> {
                self.core.request_id()
            }

            /// Returns the number of attempts; zero if nothing was sent.
            #[must_use]
            pub fn attempts(&self) -> u32 {
                self.core.attempts()
            }

            /// Returns whether the server may have carried out an attempt before the last one.
            #[must_use]
            pub fn has_lost_attempt(&self) -> bool {
                self.core.has_lost_attempt()
            }

            /// Returns how long the server asked to wait before the next attempt.
            #[must_use]
            pub fn retry_after(&self) -> Option<::std::time::Duration> {
                self.core.retry_after()
            }

            /// Returns whether the same call may succeed later without a change by the caller.
            #[must_use]
            pub fn is_retryable(&self) -> bool {
                self.core.is_retryable()
            }

            /// Returns whether a time limit ended the call.
            #[must_use]
            pub fn is_timeout(&self) -> bool {
                self.core.is_timeout()
            }

            /// Returns whether the client or its environment is misconfigured.
            #[must_use]
            pub fn is_config(&self) -> bool {
                self.core.is_config()
            }

            /// Returns whether the credential is missing, unusable or refused (401).
            #[must_use]
            pub fn is_unauthorized(&self) -> bool {
                self.core.is_unauthorized()
            }

            /// Returns whether the credential does not permit the call (403).
            #[must_use]
            pub fn is_forbidden(&self) -> bool {
                self.core.is_forbidden()
            }

            /// Returns whether what was asked for does not exist (404).
            #[must_use]
            pub fn is_not_found(&self) -> bool {
                self.core.is_not_found()
            }

            /// Returns whether the thing exists already, or its state does not permit the call
            /// (409).
            #[must_use]
            pub fn is_conflict(&self) -> bool {
                self.core.is_conflict()
            }

            /// Returns whether the server may have seen the request.
            #[must_use]
            pub fn sent(&self) -> $crate::Sent {
                self.core.sent()
            }

            /// Returns how long the call took, including waits.
            #[must_use]
            pub fn elapsed(&self) -> ::std::time::Duration {
                self.core.elapsed()
            }
        }

        impl ::std::convert::From<$crate::Error> for $name {
            fn from(core: $crate::Error) -> Self {
                Self { kind: $classify(&core), core }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&self.core, f)
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("kind", &self.kind)
                    .field("core", &self.core)
                    .finish()
            }
        }

        impl ::std::error::Error for $name {
            fn source(&self) -> Option<&(dyn ::std::error::Error + 'static)> {
                ::std::error::Error::source(&self.core)
            }
        }
    };
}

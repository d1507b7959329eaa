//! What all emulators have in common: a state behind a lock, a host, and a reset to the initial
//! state.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;

use http::{Method, Uri};

use super::{Action, CertificateAuthority, Faults, Handler, Host, Journal, ManualClock, Serving};
use crate::call::Operation;
use crate::sync::lock;
use crate::transport::{Request, Response};
use crate::{Clock, Error, ErrorKind, Result};

/// The state of an emulated service, and the service's rules over it: pure, synchronous, no
/// sockets, no clock.
///
/// An [`Emulator`] holds it and is the [`Handler`] of a [`Host`]; the methods are those of
/// [`Handler`].
pub trait Emulated: fmt::Debug + Send + 'static {
    /// Answers one request, at a given time. See [`Handler::handle`].
    fn handle(&mut self, request: &Request, now: SystemTime) -> Response;

    /// Returns the id of the operation that a request is for. See [`Handler::operation`].
    fn operation(&self, method: &Method, uri: &Uri) -> Option<&'static str>;

    /// Returns the operations that the service has. See [`Handler::operations`].
    fn operations(&self) -> Vec<&'static Operation> {
        Vec::new()
    }

    /// Returns the headers in which clients send their credential. See
    /// [`Handler::credential_headers`].
    #[must_use]
    fn credential_headers() -> &'static [&'static str] {
        &[]
    }

    /// Returns additional actions of the management API. See [`Handler::actions`].
    fn actions() -> &'static [Action] {
        &[]
    }

    /// Performs one of the actions. See [`Handler::act`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the body is not valid for the action, and [`ErrorKind::NotFound`]
    /// if it names something that does not exist.
    fn act(&mut self, action: &str, body: &[u8], now: SystemTime) -> Result<serde_json::Value> {
        let _ = (body, now);
        Err(no_such_action(action))
    }

    /// Returns the state, without secrets. See [`Handler::snapshot`].
    fn snapshot(&self, now: SystemTime) -> serde_json::Value;
}

pub(super) fn no_such_action(action: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no action {action}"))
}

/// An emulated service, reachable in process, over TCP and over TLS.
///
/// A service's `mock::Server` holds one, and gets its methods from
/// [`emulator_methods!`](crate::emulator_methods). Cheap to clone; clones share everything.
///
/// ```
/// use std::sync::Arc;
/// use std::time::SystemTime;
///
/// use http::{Method, Uri};
/// use vouchsafe_core::mock::{Emulated, Emulator, ManualClock, respond};
/// use vouchsafe_core::transport::{Request, Response};
///
/// #[derive(Debug)]
/// struct Visits(u64);
///
/// impl Emulated for Visits {
///     fn handle(&mut self, _: &Request, _: SystemTime) -> Response {
///         self.0 += 1;
///         respond::json(200, &self.0.into())
///     }
///
///     fn operation(&self, _: &Method, _: &Uri) -> Option<&'static str> {
///         Some("visits.count")
///     }
///
///     fn snapshot(&self, _: SystemTime) -> serde_json::Value {
///         self.0.into()
///     }
/// }
///
/// let emulator = Emulator::new(Arc::new(ManualClock::running()), || Visits(0));
/// let request = Request::new(Method::GET, Uri::from_static("https://example.org/"));
/// assert_eq!(emulator.handle(&request).body, "1");
/// assert_eq!(emulator.handle(&request).body, "2");
/// emulator.reset();
/// assert_eq!(emulator.snapshot(), 0);
/// ```
pub struct Emulator<S> {
    service: Arc<Service<S>>,
    host: Host,
}

struct Service<S> {
    /// The rules do not panic half-way, so it is usable after a panic of a test.
    state: Mutex<S>,
    /// Creates the state that `reset` restores.
    start: Mutex<Start<S>>,
    clock: Arc<ManualClock>,
}

type Start<S> = Box<dyn Fn() -> Option<S> + Send>;

impl<S: Emulated> Emulator<S> {
    /// Starts an emulator with the state that `start` creates. It is called again for each reset.
    pub fn new(clock: Arc<ManualClock>, start: impl Fn() -> S + Send + 'static) -> Self {
        let state = start();
        Self::of(clock, state, Box::new(move || Some(start())))
    }

    /// Like [`new`](Self::new), with a `start` that may fail. If it fails in a reset, the state stays
    /// as it is.
    ///
    /// # Errors
    ///
    /// The error of `start`.
    pub fn try_new<E>(
        clock: Arc<ManualClock>,
        start: impl Fn() -> std::result::Result<S, E> + Send + 'static,
    ) -> std::result::Result<Self, E> {
        let state = start()?;
        Ok(Self::of(clock, state, Box::new(move || start().ok())))
    }

    fn of(clock: Arc<ManualClock>, state: S, start: Start<S>) -> Self {
        let service = Arc::new(Service {
            state: Mutex::new(state),
            start: Mutex::new(start),
            clock: Arc::clone(&clock),
        });
        let handler: Arc<dyn Handler> = Arc::<Service<S>>::clone(&service);
        let host = Host::builder(handler).clock(clock).build();
        Self { service, host }
    }

    /// Makes the current state the one that [`reset`](Self::reset) restores.
    pub fn keep_as_start(&self)
    where
        S: Clone,
    {
        let state = self.state().clone();
        *lock(&self.service.start) = Box::new(move || Some(state.clone()));
    }

    /// Locks the state. Requests wait until the guard is dropped.
    pub fn state(&self) -> MutexGuard<'_, S> {
        lock(&self.service.state)
    }

    /// Returns the time that the emulator's clock shows.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.service.clock.now()
    }

    /// Returns the host.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Returns the journal of received requests.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        self.host.journal()
    }

    /// Returns the faults, to which tests add.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        self.host.faults()
    }

    /// Returns the clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<ManualClock> {
        self.host.clock()
    }

    /// Serves HTTP/1.1. See [`Host::serve`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the host cannot listen on the address.
    pub async fn serve(&self, address: SocketAddr) -> Result<Serving> {
        self.host.serve(address).await
    }

    /// Serves HTTP/1.1 over TLS. See [`Host::serve_tls`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the host cannot listen on the address.
    pub async fn serve_tls(
        &self,
        address: SocketAddr,
        authority: &CertificateAuthority,
    ) -> Result<Serving> {
        self.host.serve_tls(address, authority).await
    }

    /// Answers one request without journal and faults.
    #[must_use]
    pub fn handle(&self, request: &Request) -> Response {
        self.service.handle(request)
    }

    /// Returns the state as JSON, without secrets.
    #[must_use]
    pub fn snapshot(&self) -> serde_json::Value {
        self.service.snapshot()
    }

    /// Restores the initial state and time, and clears journal and faults. The latency stays.
    pub fn reset(&self) {
        self.host.reset();
    }
}

impl<S> Clone for Emulator<S> {
    fn clone(&self) -> Self {
        Self {
            service: Arc::clone(&self.service),
            host: self.host.clone(),
        }
    }
}

impl<S: Emulated> fmt::Debug for Emulator<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Emulator").field(&self.host).finish()
    }
}

impl<S: Emulated> fmt::Debug for Service<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("state", &self.state)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

impl<S: Emulated> Handler for Service<S> {
    fn handle(&self, request: &Request) -> Response {
        lock(&self.state).handle(request, self.clock.now())
    }

    fn operation(&self, method: &Method, uri: &Uri) -> Option<&'static str> {
        lock(&self.state).operation(method, uri)
    }

    fn operations(&self) -> Vec<&'static Operation> {
        lock(&self.state).operations()
    }

    fn credential_headers(&self) -> &'static [&'static str] {
        S::credential_headers()
    }

    fn actions(&self) -> &'static [Action] {
        S::actions()
    }

    fn act(&self, action: &str, body: &[u8]) -> Result<serde_json::Value> {
        lock(&self.state).act(action, body, self.clock.now())
    }

    fn snapshot(&self) -> serde_json::Value {
        lock(&self.state).snapshot(self.clock.now())
    }

    fn reset(&self) {
        let fresh = lock(&self.start)();
        if let Some(fresh) = fresh {
            *lock(&self.state) = fresh;
        }
    }
}

/// Defines the methods that every service's `mock::Server` has, in an `impl` block of a struct
/// whose named field is an [`Emulator`](crate::mock::Emulator). The error type must implement
/// `From<`[`Error`](crate::Error)`>`.
#[macro_export]
macro_rules! emulator_methods {
    ($emulator:ident, $error:ty) => {
        /// Returns the host: the same server for clients in process, by its transport, and over
        /// sockets.
        #[must_use]
        pub fn host(&self) -> &$crate::mock::Host {
            self.$emulator.host()
        }

        /// Returns the journal of received requests.
        #[must_use]
        pub fn journal(&self) -> &$crate::mock::Journal {
            self.$emulator.journal()
        }

        /// Returns the faults, to which tests add.
        #[must_use]
        pub fn faults(&self) -> &$crate::mock::Faults {
            self.$emulator.faults()
        }

        /// Returns the clock that the server uses. A client can share it.
        #[must_use]
        pub fn clock(&self) -> &::std::sync::Arc<$crate::mock::ManualClock> {
            self.$emulator.clock()
        }

        /// Serves over HTTP/1.1 until the returned value is dropped. Port 0 takes any free port.
        ///
        /// # Errors
        ///
        /// If the server cannot listen on the address.
        pub async fn serve(
            &self,
            address: ::std::net::SocketAddr,
        ) -> ::std::result::Result<$crate::mock::Serving, $error> {
            ::std::result::Result::Ok(self.$emulator.serve(address).await?)
        }

        /// Serves over HTTP/1.1 and TLS, with a certificate for 127.0.0.1, ::1 and localhost.
        ///
        /// # Errors
        ///
        /// If the server cannot listen on the address.
        pub async fn serve_tls(
            &self,
            address: ::std::net::SocketAddr,
            authority: &$crate::mock::CertificateAuthority,
        ) -> ::std::result::Result<$crate::mock::Serving, $error> {
            ::std::result::Result::Ok(self.$emulator.serve_tls(address, authority).await?)
        }

        /// Answers one request without journal and faults.
        #[must_use]
        pub fn handle(&self, request: &$crate::transport::Request) -> $crate::transport::Response {
            self.$emulator.handle(request)
        }

        /// Returns the server's state as JSON, without secrets.
        #[must_use]
        pub fn snapshot(&self) -> ::serde_json::Value {
            self.$emulator.snapshot()
        }

        /// Restores the initial state and time, and clears journal and faults. The latency stays.
        pub fn reset(&self) {
            self.$emulator.reset();
        }
    };
}

/// Defines `ServerBuilder`, which sets up a `mock::Server` from a seed and a clock: the struct, its
/// setters, and the private `parts` for its `start`; and what the server has because of it:
/// `from_seed`, `builder`, and a `Default` that is its `new`. Takes the type of the seed, the function
/// that makes the default one, and its name in the documentation.
#[macro_export]
macro_rules! emulator_builder {
    ($seed:ty, $default:path, $named:literal) => {
        /// Sets up a [`Server`].
        #[derive(Clone, Debug)]
        #[must_use]
        pub struct ServerBuilder {
            seed: ::std::option::Option<$seed>,
            clock: ::std::option::Option<::std::sync::Arc<$crate::mock::ManualClock>>,
        }

        impl Server {
            /// Starts a server with a given initial state.
            #[must_use]
            pub fn from_seed(seed: &$seed) -> Self {
                Self::builder().seed(seed.clone()).start()
            }

            /// Creates a builder.
            pub const fn builder() -> ServerBuilder {
                ServerBuilder {
                    seed: ::std::option::Option::None,
                    clock: ::std::option::Option::None,
                }
            }
        }

        impl ::std::default::Default for Server {
            fn default() -> Self {
                Self::new()
            }
        }

        impl ServerBuilder {
            #[doc = concat!("Sets the initial state. Default: [`", $named, "`].")]
            pub fn seed(mut self, seed: $seed) -> Self {
                self.seed = ::std::option::Option::Some(seed);
                self
            }

            /// Sets the clock, to share it. Default: one that follows the machine's.
            pub fn clock(mut self, clock: ::std::sync::Arc<$crate::mock::ManualClock>) -> Self {
                self.clock = ::std::option::Option::Some(clock);
                self
            }

            fn parts(self) -> (::std::sync::Arc<$crate::mock::ManualClock>, $seed) {
                let running = || ::std::sync::Arc::new($crate::mock::ManualClock::running());
                let clock = self.clock.unwrap_or_else(running);
                (clock, self.seed.unwrap_or_else($default))
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::mock::{Fault, respond};

    #[derive(Clone, Debug)]
    struct Visits(u64);

    impl Emulated for Visits {
        fn handle(&mut self, _: &Request, _: SystemTime) -> Response {
            self.0 += 1;
            respond::json(200, &self.0.into())
        }

        fn operation(&self, _: &Method, _: &Uri) -> Option<&'static str> {
            Some("visits.count")
        }

        fn snapshot(&self, _: SystemTime) -> serde_json::Value {
            self.0.into()
        }
    }

    fn request() -> Request {
        Request::new(Method::GET, Uri::from_static("http://h/"))
    }

    #[tokio::test]
    async fn a_reset_restores_state_and_clock_and_empties_journal_and_faults() {
        let clock = Arc::new(ManualClock::at_unix(1000));
        let emulator = Emulator::new(clock, || Visits(5));
        emulator.faults().add(Fault::on_any().status(500));
        emulator.host().transport().send(request()).await.unwrap();
        emulator.clock().advance(Duration::from_secs(1));
        let _ = emulator.handle(&request());
        assert_eq!(emulator.snapshot(), 6);
        assert_eq!(emulator.journal().entries().len(), 1);
        emulator.reset();
        assert_eq!(emulator.snapshot(), 5);
        assert_eq!(emulator.now(), ManualClock::at_unix(1000).now());
        assert!(emulator.journal().entries().is_empty());
        let answer = emulator.host().transport().send(request()).await.unwrap();
        assert_eq!(answer.status, 200);
    }

    #[test]
    fn a_reset_restores_the_kept_state() {
        let emulator = Emulator::new(Arc::new(ManualClock::running()), || Visits(0));
        let clone = emulator.clone();
        let _ = emulator.handle(&request());
        clone.keep_as_start();
        let _ = emulator.handle(&request());
        emulator.reset();
        assert_eq!(clone.state().0, 1);
    }

    #[test]
    fn an_action_that_the_service_does_not_have_is_not_found() {
        let emulator = Emulator::new(Arc::new(ManualClock::running()), || Visits(0));
        let error = emulator.host().handler().act("dance", b"").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}

//! Emulators of Gafaelfawr and Repertoire in one server, for tests without a network.
//!
//! [`Server`] behaves like the real services (protocol sections 2 to 8): it checks, refuses and
//! counts as they do, also for requests that no client of ours sends. What differs on purpose is
//! listed in `docs/userinfo.md`. Time is a clock that a test turns.
//!
//! [`rules`] has the server's rules as plain functions.

mod answer;
mod basic;
mod body;
mod datetime;
mod directory;
mod gafaelfawr;
mod handles;
mod ingress;
mod json_fault;
mod manage;
mod quota;
mod refusal;
mod repertoire;
mod requests;
mod routes;
pub mod rules;
mod scalars;
mod seed;
mod snapshot;
mod state;
mod tokens;
mod validate;
mod world;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use http::{Method, Uri};
use vouchsafe_core::Clock;
use vouchsafe_core::call::Operation;
use vouchsafe_core::mock::{
    CertificateAuthority, Faults, Handler, Host, Journal, ManualClock, Serving,
};
use vouchsafe_core::transport::{Request, Response};

pub use self::handles::{NewToken, User};
pub use self::seed::Seed;
pub use self::state::Action;
pub use self::tokens::TokenKind;
use crate::{Client, Result};

/// Returns every operation of both services with what the client knows of it, such as whether it may be
/// sent again: for tests that go through all of them.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    use crate::generated::{gafaelfawr, repertoire};

    let all = [gafaelfawr::operations::ALL, repertoire::operations::ALL];
    all.into_iter().flatten().copied()
}

/// A Gafaelfawr and a Repertoire in memory.
///
/// Cheap to clone; clones share everything.
///
/// ```
/// use vouchsafe_userinfo::mock::{Server, User};
///
/// let server = Server::new();
/// server.add_user(User::new("dana").uid(1004).group("g_science"));
/// let token = server.create_token("dana").scopes(["read:all"]).issue();
/// assert!(token.secret().expose().starts_with("gt-"));
/// ```
#[derive(Clone, Debug)]
pub struct Server {
    service: Arc<Service>,
    host: Host,
}

/// Both services behind a host.
#[derive(Debug)]
struct Service {
    state: Mutex<state::State>,
    /// What `reset` goes back to.
    seed: Seed,
    clock: Arc<ManualClock>,
}

impl Server {
    /// Starts a server with the world of [`Seed::sample`], which `vouchsafe serve` begins with too:
    /// the users `alice`, `bob` and `carol`, the groups `g_science`, `g_heavy` and `admins`, quotas,
    /// and a discovery document with a dataset and a database.
    ///
    /// Its tokens are random for each server. [`token`](Self::token) returns those of `alice` and
    /// `bob`, `service` (scope `admin:userinfo`), `admin` (scope `admin:token`) and `bootstrap`.
    #[must_use]
    pub fn new() -> Self {
        Self::from_seed(&Seed::sample())
    }

    /// Starts a server with a given world. Its tokens count as made now.
    #[must_use]
    pub fn from_seed(seed: &Seed) -> Self {
        let clock = Arc::new(ManualClock::running());
        let mut seed = seed.clone();
        seed.state.tokens.date(seconds(&clock));
        let service = Arc::new(Service {
            state: Mutex::new(seed.state.clone()),
            seed,
            clock: Arc::clone(&clock),
        });
        let host = Host::builder(Arc::clone(&service) as Arc<dyn Handler>)
            .clock(clock)
            .build();
        Self { service, host }
    }

    /// Returns a new client that asks this server in process, with the defaults of
    /// [`Client::builder`].
    ///
    /// For other settings, build one with [`repertoire_url`](Self::repertoire_url) and the
    /// transport of [`host`](Self::host).
    ///
    /// # Panics
    ///
    /// Never: what a client needs is given, and [`Seed::parse`] refuses what makes no URL.
    #[must_use]
    #[expect(clippy::expect_used, reason = "shown not to happen")]
    pub fn client(&self) -> Client {
        Client::builder()
            .repertoire_url(self.repertoire_url())
            .transport(self.host.transport())
            .build()
            .expect("a transport and a good URL make a client")
    }

    /// Returns where Repertoire is for a client in process.
    #[must_use]
    pub fn repertoire_url(&self) -> String {
        let state = self.state();
        format!("https://{}{}", state.hostname, state.repertoire.prefix)
    }

    /// Returns the host, which can be asked in process and over sockets.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Returns what came.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        self.host.journal()
    }

    /// Returns what goes wrong.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        self.host.faults()
    }

    /// Returns the clock that tokens end and rate limits reset by. It runs with the machine's
    /// until it is turned.
    #[must_use]
    pub fn clock(&self) -> &ManualClock {
        &self.service.clock
    }

    /// Serves both over HTTP/1.1 until the returned value is dropped. Port 0 takes any free port;
    /// Repertoire is at [`repertoire_path`](Self::repertoire_path) there.
    ///
    /// # Errors
    ///
    /// Of kind `Config` if the address cannot be listened on.
    pub async fn serve(&self, address: SocketAddr) -> Result<Serving> {
        Ok(self.host.serve(address).await?)
    }

    /// Serves both over HTTP/1.1 and TLS.
    ///
    /// # Errors
    ///
    /// Of kind `Config` if the address cannot be listened on.
    pub async fn serve_tls(
        &self,
        address: SocketAddr,
        authority: &CertificateAuthority,
    ) -> Result<Serving> {
        Ok(self.host.serve_tls(address, authority).await?)
    }

    /// Answers one request, past journal and faults.
    #[must_use]
    pub fn handle(&self, request: &Request) -> Response {
        self.service.handle(request)
    }

    /// Returns the path before Repertoire's routes.
    #[must_use]
    pub fn repertoire_path(&self) -> String {
        self.state().repertoire.prefix.clone()
    }

    /// Returns what the server knows, without secrets.
    #[must_use]
    pub fn snapshot(&self) -> serde_json::Value {
        self.service.snapshot()
    }

    /// Puts the world and the clock back to what they were at the start, and clears journal and
    /// faults.
    pub fn reset(&self) {
        self.host.reset();
    }

    fn state(&self) -> MutexGuard<'_, state::State> {
        self.service.state()
    }

    fn now(&self) -> i64 {
        seconds(&self.service.clock)
    }
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

impl Service {
    fn state(&self) -> MutexGuard<'_, state::State> {
        // Rules do not panic half-way; a test that did may still look.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Handler for Service {
    fn handle(&self, request: &Request) -> Response {
        let now = seconds(&self.clock);
        routes::answer(&mut self.state(), request, now)
    }

    fn operation(&self, method: &Method, uri: &Uri) -> Option<&'static str> {
        routes::operation(&self.state(), method, uri)
    }

    fn operations(&self) -> Vec<&'static Operation> {
        routes::operations()
    }

    fn actions(&self) -> &'static [vouchsafe_core::mock::Action] {
        manage::ACTIONS
    }

    fn act(&self, action: &str, body: &[u8]) -> vouchsafe_core::Result<serde_json::Value> {
        self.state().act(action, body, seconds(&self.clock))
    }

    fn snapshot(&self) -> serde_json::Value {
        self.state().snapshot(seconds(&self.clock))
    }

    fn reset(&self) {
        *self.state() = self.seed.state.clone();
    }
}

fn seconds(clock: &ManualClock) -> i64 {
    let since = clock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

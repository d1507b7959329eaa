//! An emulator of Astakos, for tests without a network.
//!
//! [`Server`] behaves like the real service (protocol sections 4, 5 and 7 to 10): it checks in
//! the same order, refuses with the same faults and counts by the same rules. Its words for people
//! are its own. Time is a clock that a test turns.

mod answer;
mod applications;
mod bigint;
mod catalogs;
mod commissions;
mod dates;
mod handles;
mod identity;
mod legacy;
mod manage;
mod memberships;
mod oauth2;
mod projects;
mod quota;
mod reading;
mod reads;
mod refusal;
mod routes;
mod seed;
mod service;
mod snapshot;
mod specs;
mod start;
mod state;
mod world;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{Method, Uri};
use vouchsafe_core::call::Operation;
use vouchsafe_core::mock::{
    CertificateAuthority, Faults, Handler, Host, Journal, ManualClock, Serving,
};
use vouchsafe_core::transport::{Request, Response};
use vouchsafe_core::{Clock, Secret};

pub use self::commissions::CommissionState;
use self::commissions::Habits;
pub use self::handles::Commission;
pub use self::quota::Holding;
use self::routes::Routes;
pub use self::seed::Seed;
use self::state::State;
use crate::{Client, Dialect, Error, Result};

/// Returns every operation of the service with what the client knows of it, such as whether it may be
/// sent again: for tests that go through all of them.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    use crate::generated::{account, identity, oauth2, ui};

    let all = [
        account::operations::ALL,
        identity::operations::ALL,
        oauth2::operations::ALL,
        ui::operations::ALL,
    ];
    all.into_iter().flatten().copied()
}

/// An Astakos in memory.
///
/// Cheap to clone; clones share everything.
///
/// ```
/// use vouchsafe_astakos::mock::Server;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> vouchsafe_astakos::Result<()> {
/// let server = Server::new();
/// let token = server.user_token("alice@example.org").expect("alice is in the sample");
/// let quotas = server.client(token).quotas().await?;
/// assert!(quotas.get(&Server::alice(), "cyclades.vm").is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Server {
    service: Arc<Service>,
    host: Host,
}

#[derive(Debug)]
struct Service {
    state: Mutex<State>,
    /// What `reset` goes back to.
    start: Start,
    routes: Routes,
    clock: Arc<ManualClock>,
}

/// What a state is made from, each time anew: a second one would double what many users take.
#[derive(Debug)]
struct Start {
    seed: Seed,
    dialect: Dialect,
    habits: Habits,
    base: String,
    /// What the clock showed.
    at: i64,
}

impl Server {
    /// Starts a current server with [`Seed::sample`].
    ///
    /// # Panics
    ///
    /// Never: the sample is good.
    #[must_use]
    #[expect(clippy::expect_used, reason = "tests show that the sample is good")]
    pub fn new() -> Self {
        Self::builder().start().expect("the sample is good")
    }

    /// Begins a server.
    pub fn builder() -> ServerBuilder {
        ServerBuilder {
            seed: None,
            dialect: None,
            clock: None,
            habits: Habits::default(),
        }
    }

    /// Returns a new client that asks this server in process, with a token of
    /// [`user_token`](Self::user_token) or [`service_token`](Self::service_token) and the defaults
    /// of [`Client::builder`].
    ///
    /// For other settings, build one with [`auth_url`](Self::auth_url) and the transport of
    /// [`host`](Self::host).
    ///
    /// # Panics
    ///
    /// Never: what a client needs is given.
    #[must_use]
    #[expect(clippy::expect_used, reason = "shown not to happen")]
    pub fn client(&self, token: impl Into<Secret>) -> Client {
        let client = Client::builder()
            .token(token)
            .dialect(self.service.start.dialect)
            .transport(self.host.transport());
        let client = match self.service.start.dialect {
            Dialect::V014 => client.base_url(format!("https://{HOST}{}", self.base_path())),
            _ => client.auth_url(self.auth_url()),
        };
        client
            .build()
            .expect("a transport and a good URL make a client")
    }

    /// Returns the path of the identity service, which clients are configured with.
    #[must_use]
    pub fn identity_path(&self) -> String {
        format!("{}/identity/v2.0", self.base_path())
    }

    /// Returns the path before all services, such as `/astakos`.
    #[must_use]
    pub fn base_path(&self) -> String {
        self.service.start.base.clone()
    }

    /// Returns the authentication URL for clients in process.
    #[must_use]
    pub fn auth_url(&self) -> String {
        format!("https://{HOST}{}", self.identity_path())
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

    /// Returns the clock that tokens end by.
    #[must_use]
    pub fn clock(&self) -> &ManualClock {
        &self.service.clock
    }

    /// Serves over HTTP/1.1 until the returned value is dropped. Port 0 takes any free port.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadValue`](crate::ErrorKind::BadValue) if the address cannot be listened on.
    pub async fn serve(&self, address: SocketAddr) -> Result<Serving> {
        Ok(self.host.serve(address).await?)
    }

    /// Serves over HTTP/1.1 and TLS.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadValue`](crate::ErrorKind::BadValue) if the address cannot be listened on.
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

    /// Returns what the server knows, without tokens.
    #[must_use]
    pub fn snapshot(&self) -> serde_json::Value {
        self.service.snapshot()
    }

    /// Puts the state and the clock back to what they were at the start, and clears journal and
    /// faults.
    pub fn reset(&self) {
        self.host.reset();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.service.state()
    }
}

/// Where clients in process ask.
const HOST: &str = "accounts.example.org";

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

/// Sets up a [`Server`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ServerBuilder {
    seed: Option<Seed>,
    dialect: Option<Dialect>,
    clock: Option<Arc<ManualClock>>,
    habits: Habits,
}

impl ServerBuilder {
    /// Sets what the server knows at its start. Default: [`Seed::sample`].
    pub fn seed(mut self, seed: Seed) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Sets the generation. Default: what the seed's setting `dialect` says, else
    /// [`Dialect::V016`].
    ///
    /// On servers before [`Dialect::V016`], what users have of their system projects is what they
    /// hold from `system`. On one of [`Dialect::V015`], projects have the numbers 1, 2, 3 in the
    /// order of the seed, and what members get from a project is added to what they hold.
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = Some(dialect);
        self
    }

    /// Uses the serial of a resolved commission again, as servers on SQLite do.
    pub fn reuse_serials(mut self) -> Self {
        self.habits.reuses_serials = true;
        self
    }

    /// Keeps so many characters of the name of a commission and cuts off the rest, as some
    /// databases do. Default: names are kept whole.
    pub fn commission_name_limit(mut self, characters: usize) -> Self {
        self.habits.name_limit = Some(characters);
        self
    }

    /// Sets the clock, to share it. Default: one that runs with the machine's.
    pub fn clock(mut self, clock: Arc<ManualClock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadValue`](crate::ErrorKind::BadValue) if the seed names what there is not,
    /// such as a state of projects.
    pub fn start(self) -> Result<Server> {
        let clock = self
            .clock
            .unwrap_or_else(|| Arc::new(ManualClock::running()));
        let seed = self.seed.unwrap_or_else(Seed::sample);
        let dialect = match (self.dialect, &seed.settings.dialect) {
            (Some(dialect), _) => dialect,
            (None, Some(text)) => text.parse()?,
            (None, None) => Dialect::V016,
        };
        let at = dates::of(clock.now());
        let habits = Habits {
            reuses_serials: self.habits.reuses_serials || seed.settings.reuse_serials,
            name_limit: self
                .habits
                .name_limit
                .or(seed.settings.commission_name_limit),
        };
        let state = seed
            .state(dialect, habits, at)
            .map_err(|why| Error::bad_value(format!("the seed: {why}")))?;
        let service = Arc::new(Service {
            start: Start {
                seed,
                dialect,
                habits,
                base: state.base.clone(),
                at,
            },
            state: Mutex::new(state),
            routes: Routes::of(dialect),
            clock: Arc::clone(&clock),
        });
        let host = Host::builder(Arc::clone(&service) as Arc<dyn Handler>)
            .clock(clock)
            .build();
        Ok(Server { service, host })
    }
}

impl Service {
    fn state(&self) -> MutexGuard<'_, State> {
        // Rules do not panic half-way; a test that did may still look.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        dates::of(self.clock.now())
    }
}

impl Handler for Service {
    fn handle(&self, request: &Request) -> Response {
        let now = self.now();
        service::answer(&mut self.state(), &self.routes, request, now)
    }

    fn operation(&self, method: &Method, uri: &Uri) -> Option<&'static str> {
        service::operation(&self.start.base, &self.routes, method, uri.path())
    }

    fn operations(&self) -> Vec<&'static Operation> {
        self.routes.operations()
    }

    fn credential_headers(&self) -> &'static [&'static str] {
        &["x-auth-token"]
    }

    fn actions(&self) -> &'static [vouchsafe_core::mock::Action] {
        manage::ACTIONS
    }

    fn act(&self, action: &str, body: &[u8]) -> vouchsafe_core::Result<serde_json::Value> {
        let now = self.now();
        self.state().act(action, body, now)
    }

    fn snapshot(&self) -> serde_json::Value {
        self.state().snapshot(self.now())
    }

    fn reset(&self) {
        let start = &self.start;
        // It made a state before.
        if let Ok(state) = start.seed.state(start.dialect, start.habits, start.at) {
            *self.state() = state;
        }
    }
}

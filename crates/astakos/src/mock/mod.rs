//! An emulator of Astakos, for tests without a network.
//!
//! [`Server`] behaves like the real service (protocol sections 4, 5 and 7 to 10): it has the same
//! order of checks, the same faults and the same accounting. Only its messages for people differ. A
//! test controls its clock.

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
mod model;
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

use std::sync::{Arc, MutexGuard};
use std::time::SystemTime;

use http::{Method, Uri};
use vouchsafe_core::call::Operation;
use vouchsafe_core::mock::{Emulated, Emulator, ManualClock};
use vouchsafe_core::timestamp::unix_micros;
use vouchsafe_core::transport::{Request, Response};
use vouchsafe_core::{Clock, Secret};

pub use self::commissions::CommissionState;
use self::commissions::Habits;
pub use self::handles::Commission;
pub use self::quota::Holding;
pub use self::seed::Seed;
use self::state::State;
use crate::{Client, Dialect, Error, Result};

/// Returns every operation of the service with its properties, such as whether it may be repeated,
/// for tests that cover all of them.
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

/// An emulated Astakos.
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
    emulator: Emulator<State>,
}

impl Server {
    /// Starts a current server with [`Seed::sample`].
    ///
    /// # Panics
    ///
    /// Never: the sample is valid.
    #[must_use]
    #[expect(clippy::expect_used, reason = "tests show that the sample is good")]
    pub fn new() -> Self {
        Self::builder().start().expect("the sample is good")
    }

    /// Starts a current server with the state of a seed.
    ///
    /// # Errors
    ///
    /// See [`ServerBuilder::start`].
    pub fn from_seed(seed: &Seed) -> Result<Self> {
        Self::builder().seed(seed.clone()).start()
    }

    /// Creates a builder for a server.
    pub fn builder() -> ServerBuilder {
        ServerBuilder {
            seed: None,
            dialect: None,
            clock: None,
            habits: Habits::default(),
        }
    }

    /// Returns a new client that calls this server in process, with a token of
    /// [`user_token`](Self::user_token) or [`service_token`](Self::service_token) and the defaults
    /// of [`Client::builder`].
    ///
    /// For other settings, build one with [`auth_url`](Self::auth_url) and the transport of
    /// [`host`](Self::host).
    ///
    /// # Panics
    ///
    /// Never: all required settings are given.
    #[must_use]
    #[expect(clippy::expect_used, reason = "shown not to happen")]
    pub fn client(&self, token: impl Into<Secret>) -> Client {
        let dialect = self.state().dialect;
        let client = Client::builder()
            .token(token)
            .dialect(dialect)
            .transport(self.host().transport());
        let client = match dialect {
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

    /// Returns the path prefix of all services, such as `/astakos`.
    #[must_use]
    pub fn base_path(&self) -> String {
        self.state().base.clone()
    }

    /// Returns the authentication URL for clients in process.
    #[must_use]
    pub fn auth_url(&self) -> String {
        format!("https://{HOST}{}", self.identity_path())
    }

    vouchsafe_core::emulator_methods!(emulator, Error);

    fn state(&self) -> MutexGuard<'_, State> {
        self.emulator.state()
    }
}

/// The host that clients in process call.
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
    /// Sets the initial state. Default: [`Seed::sample`].
    pub fn seed(mut self, seed: Seed) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Sets the generation. Default: the seed's setting `dialect`, or else [`Dialect::V016`].
    ///
    /// On servers before [`Dialect::V016`], a user's holdings from the system project are the
    /// holdings from `system`. On a server of [`Dialect::V015`], projects have the numbers 1, 2, 3
    /// in the order of the seed, and what members get from a project is added to their holdings.
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = Some(dialect);
        self
    }

    /// Reuses the serials of resolved commissions, as servers on SQLite do.
    pub fn reuse_serials(mut self) -> Self {
        self.habits.reuses_serials = true;
        self
    }

    /// Truncates the name of a commission after `characters` characters, as some databases do.
    /// Default: names are not truncated.
    pub fn commission_name_limit(mut self, characters: usize) -> Self {
        self.habits.name_limit = Some(characters);
        self
    }

    /// Sets the clock, to share it. Default: one that follows the machine's.
    pub fn clock(mut self, clock: Arc<ManualClock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadValue`](crate::ErrorKind::BadValue) if the seed refers to something that
    /// does not exist, such as an unknown state of projects.
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
        let at = unix_micros(clock.now());
        let habits = Habits {
            reuses_serials: self.habits.reuses_serials || seed.settings.reuse_serials,
            name_limit: self
                .habits
                .name_limit
                .or(seed.settings.commission_name_limit),
        };
        // Built from the seed each time: a second copy would double the memory of many users.
        let emulator = Emulator::try_new(clock, move || seed.state(dialect, habits, at))
            .map_err(|why| Error::bad_value(format!("the seed: {why}")))?;
        Ok(Server { emulator })
    }
}

impl Emulated for State {
    fn handle(&mut self, request: &Request, now: SystemTime) -> Response {
        let routes = Arc::clone(&self.routes);
        service::answer(self, &routes, request, unix_micros(now))
    }

    fn operation(&self, method: &Method, uri: &Uri) -> Option<&'static str> {
        service::operation(&self.base, &self.routes, method, uri.path())
    }

    fn operations(&self) -> Vec<&'static Operation> {
        self.routes.operations()
    }

    fn credential_headers() -> &'static [&'static str] {
        &["x-auth-token"]
    }

    fn actions() -> &'static [vouchsafe_core::mock::Action] {
        manage::ACTIONS
    }

    fn act(
        &mut self,
        action: &str,
        body: &[u8],
        now: SystemTime,
    ) -> vouchsafe_core::Result<serde_json::Value> {
        Self::act(self, action, body, unix_micros(now))
    }

    fn snapshot(&self, now: SystemTime) -> serde_json::Value {
        Self::snapshot(self, unix_micros(now))
    }
}

//! Emulators of Gafaelfawr and Repertoire in one server, for tests without a network.
//!
//! [`Server`] behaves like the real services (protocol sections 2 to 8): it checks, refuses and
//! counts as they do, also for requests that our clients never send. Deliberate differences are
//! listed in `docs/userinfo.md`. Tests control the time through its clock.
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
mod rate;
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

use std::sync::{Arc, MutexGuard};
use std::time::SystemTime;

use http::{Method, Uri};
use vouchsafe_core::Clock;
use vouchsafe_core::call::Operation;
use vouchsafe_core::mock::{Emulated, Emulator};
use vouchsafe_core::timestamp::unix_seconds;
use vouchsafe_core::transport::{Request, Response};

pub use self::handles::{NewToken, User};
pub use self::seed::Seed;
pub use self::state::Action;
use self::state::State;
pub use self::tokens::TokenKind;
use crate::{Client, Error};

/// Returns every operation of both services with its properties, such as whether it may be sent
/// again, for tests that cover all of them.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    use crate::generated::{gafaelfawr, repertoire};

    let all = [gafaelfawr::operations::ALL, repertoire::operations::ALL];
    all.into_iter().flatten().copied()
}

/// Gafaelfawr and Repertoire in memory.
///
/// Cheap to clone; clones share everything. Over sockets, Repertoire is at
/// [`repertoire_path`](Self::repertoire_path). Tokens expire and rate limits reset by the
/// [`clock`](Self::clock), which follows the machine's until a test sets it.
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
    emulator: Emulator<State>,
    seed: Arc<Seed>,
}

impl Server {
    /// Starts a server with the world of [`Seed::sample`], which `vouchsafe serve` uses too: the
    /// users `alice`, `bob` and `carol`, the groups `g_science`, `g_heavy` and `admins`, quotas,
    /// and a discovery document with a dataset and a database.
    ///
    /// Its tokens are random for each server. [`token`](Self::token) returns those of `alice` and
    /// `bob`, `service` (scope `admin:userinfo`), `admin` (scope `admin:token`) and `bootstrap`.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().start()
    }

    /// Returns a new client of this server, in process, with the defaults of [`Client::builder`].
    ///
    /// For other settings, build one with [`repertoire_url`](Self::repertoire_url) and the
    /// transport of [`host`](Self::host).
    ///
    /// # Panics
    ///
    /// Never: everything that a client needs is set, and [`Seed::parse`] refuses hosts that make no
    /// valid URL.
    #[must_use]
    #[expect(clippy::expect_used, reason = "shown not to happen")]
    pub fn client(&self) -> Client {
        Client::builder()
            .repertoire_url(self.repertoire_url())
            .transport(self.host().transport())
            .build()
            .expect("a transport and a good URL make a client")
    }

    /// Returns the URL of Repertoire for a client in process.
    #[must_use]
    pub fn repertoire_url(&self) -> String {
        let state = self.state();
        format!("https://{}{}", state.hostname, state.repertoire.prefix)
    }

    /// Returns the path before Repertoire's routes.
    #[must_use]
    pub fn repertoire_path(&self) -> String {
        self.state().repertoire.prefix.clone()
    }

    vouchsafe_core::emulator_methods!(emulator, Error);

    fn state(&self) -> MutexGuard<'_, State> {
        self.emulator.state()
    }

    fn now(&self) -> i64 {
        unix_seconds(self.emulator.now())
    }
}

vouchsafe_core::emulator_builder!(Seed, Seed::sample, "Seed::sample");

impl ServerBuilder {
    /// Starts the server. The tokens of its world count as created now.
    #[must_use]
    pub fn start(self) -> Server {
        let (clock, mut seed) = self.parts();
        seed.state.tokens.date(unix_seconds(clock.now()));
        let seed = Arc::new(seed);
        let start = Arc::clone(&seed);
        Server {
            emulator: Emulator::new(clock, move || start.state.clone()),
            seed,
        }
    }
}

impl Emulated for State {
    fn handle(&mut self, request: &Request, now: SystemTime) -> Response {
        routes::answer(self, request, unix_seconds(now))
    }

    fn operation(&self, method: &Method, uri: &Uri) -> Option<&'static str> {
        routes::operation(self, method, uri)
    }

    fn operations(&self) -> Vec<&'static Operation> {
        routes::operations()
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
        Self::act(self, action, body, unix_seconds(now))
    }

    fn snapshot(&self, now: SystemTime) -> serde_json::Value {
        Self::snapshot(self, unix_seconds(now))
    }
}

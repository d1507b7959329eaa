//! An emulator of wazo-auth, for tests without a network.
//!
//! [`Server`] behaves like the real service (protocol sections 3 to 11): it checks, refuses and
//! counts in the same way, including its oddities, also for requests that our clients never send.
//! Directories of LDAP are part of its state. It does not check the signatures of SAML answers, or
//! get a user's consent from Google or Microsoft: tests give that by [`Server::consent`], and
//! control the time through the clock.

mod access;
mod ask;
mod body;
mod config;
mod data;
mod directory;
mod emails;
mod external;
mod groups;
mod idp;
mod list;
mod logins;
mod manage;
mod message;
mod messages;
mod multipart;
mod password;
mod passwords;
mod policies;
mod refresh;
mod refusal;
mod registration;
mod routes;
mod seed;
mod sessions;
mod settings;
mod state;
mod tenants;
mod tokens;
mod users;
mod validate;

use std::sync::MutexGuard;
use std::time::{SystemTime, UNIX_EPOCH};

use http::{Method, Uri};
use vouchsafe_core::Clock;
use vouchsafe_core::call::Operation;
use vouchsafe_core::mock::{Emulated, Emulator};
use vouchsafe_core::transport::{Request, Response};

pub use self::message::{Message, MessageKind};
pub use self::password::HashCost;
pub use self::seed::Seed;
pub use self::settings::Settings;
use self::state::State;
use crate::{Client, Error, Secret};

/// Returns every operation of the service with its properties, such as whether it may be sent
/// again, for tests that cover all of them.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    crate::generated::wazo_auth::operations::ALL.iter().copied()
}

/// wazo-auth in memory.
///
/// Cheap to clone; clones share everything. Tokens expire by the [`clock`](Self::clock), which
/// follows the machine's until a test sets it.
///
/// ```
/// use vouchsafe_wazo_auth::NewUser;
/// use vouchsafe_wazo_auth::mock::Server;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let server = Server::new();
/// let admin = server.client_as("admin");
/// let alice = admin.users().create(&NewUser::new().username("alice")).await?;
/// assert_eq!(admin.users().get(&alice.uuid).await?.username.as_deref(), Some("alice"));
/// # Ok::<(), vouchsafe_wazo_auth::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Server {
    emulator: Emulator<State>,
}

impl Server {
    /// Starts a server with the world of [`Seed::sample`].
    #[must_use]
    pub fn new() -> Self {
        Self::builder().start()
    }

    /// Returns a new client of this server, in process and without a token.
    ///
    /// # Panics
    ///
    /// Never: everything that a client needs is set.
    #[must_use]
    #[expect(clippy::expect_used, reason = "shown not to happen")]
    pub fn client(&self) -> Client {
        Client::builder()
            .host("wazo.example.com")
            .prefix("")
            .transport(self.host().transport())
            .build()
            .expect("a host and a transport make a client")
    }

    /// Returns a new client of this server, in process, with a new token of a user.
    ///
    /// # Panics
    ///
    /// If no user has that name.
    #[must_use]
    pub fn client_as(&self, username: &str) -> Client {
        self.client().with_token(self.issue_token(username))
    }

    /// Creates a token for a user, like a login but without a password.
    ///
    /// # Panics
    ///
    /// If no user has that name.
    #[must_use]
    pub fn issue_token(&self, username: &str) -> Secret {
        self.make_token(username, None)
    }

    /// Creates a token for a user with these access patterns instead of those of the user's
    /// policies.
    ///
    /// # Panics
    ///
    /// If no user has that name.
    #[must_use]
    pub fn issue_token_with<I>(&self, username: &str, acl: I) -> Secret
    where
        I: IntoIterator<Item: Into<String>>,
    {
        let acl = acl.into_iter().map(Into::into).collect();
        self.make_token(username, Some(acl))
    }

    #[expect(clippy::panic, reason = "a test that names a missing user is wrong")]
    fn make_token(&self, username: &str, acl: Option<Vec<String>>) -> Secret {
        let now = micros(self.emulator.now());
        match self.state().make_token(username, acl, None, now) {
            Ok(token) => Secret::from(token),
            Err(error) => panic!("{error}"),
        }
    }

    /// Stores a token of a user at `google` or `microsoft`, as after the consent that is begun by
    /// [`create_google`](crate::ExternalApi::create_google). It expires in an hour and replaces an
    /// older one.
    ///
    /// # Panics
    ///
    /// If no user has that name, or `kind` is another type.
    #[expect(clippy::panic, reason = "a test that names a missing user is wrong")]
    pub fn consent(&self, username: &str, kind: &str) {
        let now = micros(self.emulator.now());
        if let Err(error) = self.state().consent(username, kind, now) {
            panic!("{error}");
        }
    }

    /// Returns the messages that the service sent, oldest first.
    #[must_use]
    pub fn outbox(&self) -> Vec<Message> {
        self.state().data.outbox.clone()
    }

    /// Makes the database unreachable or reachable. Without it, nearly every request is answered
    /// with 500.
    pub fn set_database_down(&self, is_down: bool) {
        self.state().is_database_down = is_down;
    }

    /// Makes a component of the service fail, so that its status is 503, or work again. Everything
    /// else is answered as usual.
    pub fn set_failing(&self, is_failing: bool) {
        self.state().is_failing = is_failing;
    }

    /// Returns the service to its start, or ends that. While it starts, its status is 503, and so is
    /// the answer to nearly every request (`top-tenant-not-initialized`).
    pub fn set_starting(&self, is_starting: bool) {
        self.state().is_starting = is_starting;
    }

    vouchsafe_core::emulator_methods!(emulator, Error);

    fn state(&self) -> MutexGuard<'_, State> {
        self.emulator.state()
    }
}

vouchsafe_core::emulator_builder!(Seed, Seed::sample, "Seed::sample");

impl ServerBuilder {
    /// Starts the server.
    #[must_use]
    pub fn start(self) -> Server {
        let (clock, Seed { state: mut start }) = self.parts();
        start.cleaned = micros(clock.now()).div_euclid(1_000_000);
        Server {
            emulator: Emulator::new(clock, move || start.clone()),
        }
    }
}

impl Emulated for State {
    fn handle(&mut self, request: &Request, now: SystemTime) -> Response {
        self.answer(request, micros(now))
    }

    fn operation(&self, method: &Method, uri: &Uri) -> Option<&'static str> {
        Self::operation(self, method, uri).map(Operation::id)
    }

    fn operations(&self) -> Vec<&'static Operation> {
        operations().collect()
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
        Self::act(self, action, body, micros(now))
    }

    fn snapshot(&self, now: SystemTime) -> serde_json::Value {
        Self::snapshot(self, micros(now))
    }
}

fn micros(now: SystemTime) -> i64 {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

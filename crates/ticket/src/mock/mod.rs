//! Doubles for tests without a network: emulators of tvm-api, tirole and tvmtool, and tickets
//! without keys and signatures.
//!
//! [`Server`] behaves like the real services (protocol section 16): it signs real tickets with
//! keys of its own, checks and refuses them as the services do, and counts requests. A test sets its
//! clock. Where the real behaviour is not public, the text of an answer is a guess; clients keep
//! such texts and do not read them. Paths that public clients do not use are answered with 501,
//! since it is unknown whether the real services have them.
//!
//! For a client in a certain state, connect a real one to a server in that state: without a ticket
//! for a service ([`refuse_destination`](Server::refuse_destination)), with old data
//! ([`set_tool_data_age`](Server::set_tool_data_age), [`clock`](Server::clock)), or behind a fault
//! ([`faults`](Server::faults)). Code that only checks tickets can take any
//! `server::TicketChecker` that returns [`ServiceTicket`] and
//! [`UserTicket`].

mod answer;
mod api;
mod authority;
mod config;
mod manage;
mod routes;
mod sample;
mod tool;
mod unittest;
mod world;

use std::sync::{Arc, MutexGuard};
use std::time::SystemTime;

use http::{Method, Uri};
use serde_json::json;
use vouchsafe_core::call::Operation;
use vouchsafe_core::mock::{Emulated, Emulator, ManualClock};
use vouchsafe_core::timestamp::unix_seconds;
use vouchsafe_core::transport::{Request, Response};
use vouchsafe_core::{Clock, Secret};

use self::config::ToolConfigFile;
use self::routes::{Missing, Op};
use self::tool::Asked;
pub use self::unittest::{ServiceTicket, UserTicket};
use self::world::{Service, World, random_secret};
use crate::client::Client;
use crate::client::protocol::RetrySettings;
use crate::engine::container::KeyContainer;
use crate::engine::env::BlackboxEnv;
use crate::engine::ids::{TvmId, Uid};
use crate::engine::mint::{ServiceTicketDraft, UserTicketDraft};
use crate::engine::secret::ServiceSecret;
use crate::error::{Error, ErrorKind, Result};

/// Returns every operation of the services, with what the client knows about it, for tests that go
/// through all of them.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    use crate::generated::{tirole, tvm_api, tvmtool};

    let all = [
        tirole::operations::ALL,
        tvm_api::operations::ALL,
        tvmtool::operations::ALL,
    ];
    all.into_iter().flatten().copied()
}

/// An emulated tvm-api, tirole and tvmtool that share one state.
///
/// Cheap to clone; clones share everything.
///
/// ```
/// use vouchsafe_ticket::TvmId;
/// use vouchsafe_ticket::mock::Server;
///
/// let server = Server::new();
/// let secret = server.add_service(TvmId::new(42), "shop");
/// let ticket = server.mint_service(TvmId::new(42), TvmId::new(42)).unwrap();
/// assert!(ticket.expose().starts_with("3:serv:"));
/// # drop(secret);
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "MockedTvmClient")]
pub struct Server {
    emulator: Emulator<World>,
}

impl Server {
    /// Starts a server with [`Seed::new`], whose clock runs with the machine's.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().start()
    }

    /// Starts a server with [`Seed::from_tool_config`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BrokenSettings`], saying what is wrong and where.
    pub fn from_tool_config(text: &str) -> Result<Self> {
        Ok(Self::from_seed(&Seed::from_tool_config(text)?))
    }

    /// Connects a new client to tvmtool in process, for the service with this alias. It uses the
    /// clock of this server and the defaults of [`Client::tvmtool`].
    ///
    /// For other settings, or for a client of tvm-api, build one with the transport of
    /// [`host`](Self::host).
    ///
    /// # Errors
    ///
    /// Those of [`connect`](crate::TvmToolBuilder::connect): the alias is unknown to tvmtool, or a
    /// fault was set.
    pub async fn client(&self, alias: &str) -> Result<Client> {
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(self.clock());
        Client::tvmtool(alias)
            .auth_token(self.tool_token())
            .transport(self.host().transport())
            .clock(clock)
            .connect()
            .await
    }

    vouchsafe_core::emulator_methods!(emulator, Error);

    /// Makes the current state the one that [`reset`](Self::reset) restores.
    pub fn keep_as_start(&self) {
        self.emulator.keep_as_start();
    }

    /// Adds a service, with its alias in tvmtool, and returns its secret.
    ///
    /// # Panics
    ///
    /// If the system has no randomness.
    ///
    #[expect(
        clippy::must_use_candidate,
        reason = "what tvmtool serves needs no secret"
    )]
    pub fn add_service(&self, id: TvmId, alias: &str) -> ServiceSecret {
        let secret = random_secret();
        self.world().add(Service {
            id,
            secret: secret.clone(),
            alias: alias.to_owned(),
            slug: None,
            destinations: std::collections::BTreeMap::new(),
        });
        ServiceSecret::parse(&secret).expect("random secrets have the form of secrets")
    }

    /// Adds a destination to a service, for which tvmtool then fetches tickets. Does nothing if the
    /// service does not exist.
    pub fn add_tool_destination(&self, service: TvmId, alias: &str, id: TvmId) {
        let mut world = self.world();
        world.know(id);
        if let Some(service) = world.services.iter_mut().find(|other| other.id == service) {
            service.destinations.insert(alias.to_owned(), id);
        }
    }

    /// Sets the role system of a service in tvmtool.
    pub fn set_slug(&self, service: TvmId, slug: Option<&str>) {
        let mut world = self.world();
        if let Some(service) = world.services.iter_mut().find(|other| other.id == service) {
            service.slug = slug.map(str::to_owned);
        }
    }

    /// Adds a service for which others get tickets, without a secret of its own.
    pub fn add_destination(&self, id: TvmId) {
        self.world().know(id);
    }

    /// Sets the text of the error that is returned instead of a ticket for a destination. `None`
    /// removes it.
    pub fn refuse_destination(&self, id: TvmId, why: Option<&str>) {
        self.world().refuse(id, why.map(str::to_owned));
    }

    /// Sets the environment of tvmtool. Default: `Test`.
    pub fn set_env(&self, env: BlackboxEnv) {
        self.world().env = env;
    }

    /// Returns the environment of tvmtool.
    #[must_use]
    pub fn env(&self) -> BlackboxEnv {
        self.world().env
    }

    /// Returns the text of a service's secret, as programs in other languages need it. If the
    /// service has several names, it is that of the first.
    #[must_use]
    pub fn service_secret(&self, id: TvmId) -> Option<Secret> {
        let world = self.world();
        let service = world.services_with(id).next()?;
        Some(service.secret.clone())
    }

    /// Sets the roles document of a system. It is served without being checked.
    pub fn set_roles(&self, slug: &str, document: &str) {
        let mut world = self.world();
        world.roles.insert(slug.to_owned(), document.to_owned());
    }

    /// Sets whether tirole compresses documents with gzip. Default: no.
    pub fn set_gzip_roles(&self, on: bool) {
        self.world().gzip_roles = on;
    }

    /// Sets the id of tirole's own service. Default: [`TIROLE_TVM_ID`](crate::TIROLE_TVM_ID).
    pub fn set_tirole_id(&self, id: TvmId) {
        self.world().tirole_id = id;
    }

    /// Sets the retry settings that tvm-api sends with its answers. Default: none.
    pub fn set_retry_settings(&self, settings: Option<RetrySettings>) {
        self.world().retry_settings = settings;
    }

    /// Sets the lifetime of new tickets in seconds. Default: twelve hours.
    pub fn set_ticket_lifetime(&self, seconds: i64) {
        self.world().lifetime = seconds;
    }

    /// Sets the age, in seconds, of what tvmtool returns. Default: zero.
    pub fn set_tool_data_age(&self, seconds: i64) {
        self.world().tool_data_age = seconds;
    }

    /// Sets the answer of tvmtool to a ping: 200, 206 for a warning, 500 for an error. Default:
    /// 200 and `OK`.
    pub fn set_tool_ping(&self, status: u16, text: &str) {
        self.world().tool_ping = (status, text.to_owned());
    }

    /// Returns the token that tvmtool requires. Default: a random one.
    #[must_use]
    pub fn tool_token(&self) -> Secret {
        self.world().tool_token.clone()
    }

    /// Sets the token that tvmtool requires.
    pub fn set_tool_token(&self, token: Secret) {
        self.world().tool_token = token;
    }

    /// Creates new keys, which sign from now on. The old ones are still published.
    pub fn rotate_keys(&self) {
        self.world().authority.rotate();
    }

    /// Publishes only the newest keys from now on. Clients that fetch them refuse older tickets.
    pub fn drop_old_keys(&self) {
        self.world().authority.drop_old();
    }

    /// Returns the keys that are published.
    ///
    /// # Errors
    ///
    /// None in practice: the server made the container itself.
    pub fn keys(&self) -> Result<KeyContainer> {
        KeyContainer::parse(&self.keys_text())
    }

    /// Returns the text of the container with the keys that are published.
    #[must_use]
    pub fn keys_text(&self) -> String {
        self.world().authority.container_text()
    }

    /// Signs a service ticket that is valid from now on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MissingServiceTicket`] if the destination is unknown or refused.
    pub fn mint_service(&self, src: TvmId, dst: TvmId) -> Result<Secret> {
        let ticket = self.world().ticket(src, dst, self.now());
        ticket.map_err(|why| Error::new(ErrorKind::MissingServiceTicket, why))
    }

    /// Signs a ticket of these users that is valid from now on. The first user is the default.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::IllegalUsage`] if the list is empty.
    pub fn mint_user(&self, env: BlackboxEnv, uids: &[Uid]) -> Result<Secret> {
        self.world().user_ticket(env, uids, self.now())
    }

    /// Signs a service ticket as drafted, whether or not its services exist.
    ///
    /// # Errors
    ///
    /// None in practice: the server made the keys itself.
    pub fn sign_service(&self, draft: &ServiceTicketDraft) -> Result<Secret> {
        self.world().authority.sign_service(draft)
    }

    /// Signs a user ticket as drafted, with the key of its environment.
    ///
    /// # Errors
    ///
    /// None in practice: the server made the keys itself.
    pub fn sign_user(&self, draft: &UserTicketDraft) -> Result<Secret> {
        self.world().authority.sign_user(draft.env(), draft)
    }

    fn now(&self) -> i64 {
        unix_seconds(self.emulator.now())
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.emulator.state()
    }
}

/// The initial state of a server.
///
/// Servers of one seed have the same secrets and keys.
#[derive(Clone, Debug)]
pub struct Seed {
    world: World,
}

impl Seed {
    /// Creates a state without services, in the environment `Test`, with new keys.
    #[must_use]
    pub fn new() -> Self {
        Self {
            world: World::new(),
        }
    }

    /// Creates the state that a configuration file of tvmtool describes (protocol section 16.3),
    /// with new keys.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BrokenSettings`], saying what is wrong and where.
    pub fn from_tool_config(text: &str) -> Result<Self> {
        let world = ToolConfigFile::parse(text)?.into_world();
        Ok(Self { world })
    }
}

impl Default for Seed {
    fn default() -> Self {
        Self::new()
    }
}

vouchsafe_core::emulator_builder!(Seed, Seed::new, "Seed::new");

impl ServerBuilder {
    /// Starts the server.
    #[must_use]
    pub fn start(self) -> Server {
        let (clock, Seed { world }) = self.parts();
        Server {
            emulator: Emulator::new(clock, move || world.clone()),
        }
    }
}

impl Emulated for World {
    fn handle(&mut self, request: &Request, now: SystemTime) -> Response {
        let op = match routes::of(&request.method, request.uri.path()) {
            Ok((op, _)) => op,
            Err(Missing::Method(allow)) => return answer::wrong_method(&allow),
            Err(Missing::Path) => return answer::not_in_protocol(request),
        };
        let now = unix_seconds(now);
        match op {
            Op::TvmApi(op) => api::answer(self, op, request, now),
            Op::Tirole(op) => api::tirole(self, op, request, now),
            Op::Tool(op) => {
                let asked = Asked {
                    world: self,
                    request,
                    now,
                };
                asked.answer(op)
            }
        }
    }

    fn operation(&self, method: &Method, uri: &Uri) -> Option<&'static str> {
        routes::of(method, uri.path()).ok().map(|(_, id)| id)
    }

    fn operations(&self) -> Vec<&'static Operation> {
        routes::operations()
    }

    fn credential_headers() -> &'static [&'static str] {
        &["x-ya-service-ticket", "x-ya-user-ticket"]
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

    fn snapshot(&self, _: SystemTime) -> serde_json::Value {
        let services = self.services.iter().map(|service| {
            json!({"id": service.id, "alias": service.alias, "dsts": service.destinations})
        });
        json!({"env": self.env.name(), "services": services.collect::<Vec<_>>()})
    }
}

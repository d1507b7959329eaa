//! A client whose state is set by tests.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use vouchsafe_core::sync::lock;
use vouchsafe_core::{Clock, Secret, SystemClock};

use super::{ServiceTicket, UserTicket};
use crate::UpdateTimes;
use crate::client::protocol::{ClientStatus, Destination, StatusCode, Tickets};
use crate::engine::check::{CheckError, CheckErrorKind, ServiceContext, UserContext};
use crate::engine::checked::{CheckedServiceTicket, CheckedUserTicket};
use crate::engine::container::KeyContainer;
use crate::engine::env::BlackboxEnv;
use crate::engine::ids::TvmId;
use crate::engine::roles::Roles;
use crate::engine::text::TicketType;
use crate::error::{Error, ErrorKind, Result};

/// A client that returns what a test configured. It has the methods of [`Client`](crate::Client),
/// and every part of their results can be set at any time.
///
/// It starts as service 100500 in the environment `Test`, with status Ok, no tickets, and
/// everything except roles fetched just now. It refuses every unknown ticket as malformed. Cheap to
/// clone; clones share everything.
///
/// ```
/// use vouchsafe_ticket::mock::{MockClient, ServiceTicket};
/// use vouchsafe_ticket::{StatusCode, TicketStatus, TvmId};
///
/// let client = MockClient::new();
/// client.set_service_ticket("books", TvmId::new(42), "3:serv:for-books:");
/// assert!(client.service_ticket("books").is_ok());
///
/// client.expect_service_ticket("good", ServiceTicket::new(TvmId::new(7)));
/// assert_eq!(client.check_service_ticket("good").unwrap().src(), TvmId::new(7));
/// let error = client.check_service_ticket("other").unwrap_err();
/// assert_eq!(error.status(), Some(TicketStatus::Malformed));
///
/// client.set_status(StatusCode::Warning, "PublicKeys: too old");
/// assert_eq!(client.status()?.code(), StatusCode::Warning);
/// # Ok::<(), vouchsafe_ticket::Error>(())
/// ```
#[doc(alias = "MockedTvmClient")]
#[derive(Clone)]
pub struct MockClient(Arc<Mutex<State>>);

struct State {
    own_id: TvmId,
    env: BlackboxEnv,
    status: ClientStatus,
    tickets: BTreeMap<TvmId, Secret>,
    errors: BTreeMap<TvmId, String>,
    aliases: BTreeMap<String, TvmId>,
    service_outcomes: BTreeMap<String, ServiceTicket>,
    user_outcomes: BTreeMap<String, UserTicket>,
    keys: Option<KeyContainer>,
    clock: Arc<dyn Clock>,
    roles: Option<Arc<Roles>>,
    updated: UpdateTimes,
    is_stopped: bool,
}

impl MockClient {
    /// Creates a client in the initial state.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            own_id: TvmId::new(100_500),
            env: BlackboxEnv::Test,
            status: ClientStatus::new(StatusCode::Ok, "OK"),
            tickets: BTreeMap::new(),
            errors: BTreeMap::new(),
            aliases: BTreeMap::new(),
            service_outcomes: BTreeMap::new(),
            user_outcomes: BTreeMap::new(),
            keys: None,
            clock: Arc::new(SystemClock::new()),
            roles: None,
            updated: fetched_now(),
            is_stopped: false,
        })))
    }

    /// Sets the client's own service.
    pub fn set_own_id(&self, id: TvmId) {
        self.state().own_id = id;
    }

    /// Sets the environment in which user tickets are checked.
    pub fn set_env(&self, env: BlackboxEnv) {
        self.state().env = env;
    }

    /// Sets the status of the client.
    pub fn set_status(&self, code: StatusCode, last_error: &str) {
        self.state().status = ClientStatus::new(code, last_error);
    }

    /// Sets the ticket for a service, by its local name and its id.
    pub fn set_service_ticket(&self, alias: &str, id: TvmId, ticket: &str) {
        let mut state = self.state();
        state.aliases.insert(alias.to_owned(), id);
        state.errors.remove(&id);
        state.tickets.insert(id, Secret::from(ticket));
    }

    /// Sets the reason why there is no ticket for a service.
    pub fn set_service_ticket_error(&self, alias: &str, id: TvmId, why: &str) {
        let mut state = self.state();
        state.aliases.insert(alias.to_owned(), id);
        state.tickets.remove(&id);
        state.errors.insert(id, why.to_owned());
    }

    /// Sets the outcome of checking a text as a service ticket.
    pub fn expect_service_ticket(&self, text: &str, outcome: ServiceTicket) {
        let mut state = self.state();
        state.service_outcomes.insert(text.to_owned(), outcome);
    }

    /// Sets the outcome of checking a text as a user ticket.
    pub fn expect_user_ticket(&self, text: &str, outcome: UserTicket) {
        let mut state = self.state();
        state.user_outcomes.insert(text.to_owned(), outcome);
    }

    /// Checks all other texts with real keys, at the time of a clock.
    pub fn set_keys(&self, keys: KeyContainer, clock: Arc<dyn Clock>) {
        let mut state = self.state();
        state.keys = Some(keys);
        state.clock = clock;
    }

    /// Sets the roles; `None` means that they are not configured.
    pub fn set_roles(&self, roles: Option<Roles>) {
        self.state().roles = roles.map(Arc::new);
    }

    /// Sets when each part was fetched.
    pub fn set_update_times(&self, times: UpdateTimes) {
        self.state().updated = times;
    }

    /// Like [`Client::status`](crate::Client::status).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Stopped`].
    pub fn status(&self) -> Result<ClientStatus> {
        Ok(self.running()?.status.clone())
    }

    /// Like [`Client::service_ticket`](crate::Client::service_ticket).
    ///
    /// # Errors
    ///
    /// Those of the original method.
    pub fn service_ticket<'a>(&self, destination: impl Into<Destination<'a>>) -> Result<Secret> {
        self.running()?.tickets().get(destination.into())
    }

    /// Like [`Client::service_ticket_if_known`](crate::Client::service_ticket_if_known).
    ///
    /// # Errors
    ///
    /// Those of the original method.
    pub fn service_ticket_if_known(&self, id: TvmId) -> Result<Option<Secret>> {
        let tickets = self.running()?.tickets();
        match tickets.get(id.into()) {
            Ok(ticket) => Ok(Some(ticket)),
            Err(_) if !tickets.errors().contains_key(&id) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Like [`Client::add_destinations`](crate::Client::add_destinations), but returns at once,
    /// with the tickets that were set.
    ///
    /// # Errors
    ///
    /// Those of the original method.
    pub async fn add_destinations(
        &self,
        ids: impl IntoIterator<Item = TvmId>,
    ) -> Result<BTreeMap<TvmId, Result<()>>> {
        let tickets = self.running()?.tickets();
        let ids: Vec<TvmId> = ids.into_iter().collect();
        if ids.iter().any(|id| id.get() == 0) {
            return Err(Error::new(ErrorKind::BrokenSettings, "TvmId cannot be 0"));
        }
        let outcome = |id: TvmId| {
            if tickets.get(id.into()).is_ok() {
                return Ok(());
            }
            let why = tickets.errors().get(&id);
            let why = why.map_or("Unknown reason", String::as_str);
            Err(Error::new(ErrorKind::MissingServiceTicket, why))
        };
        Ok(ids.into_iter().map(|id| (id, outcome(id))).collect())
    }

    /// Like [`Client::refresh`](crate::Client::refresh): returns the status that was set.
    ///
    /// # Errors
    ///
    /// Those of the original method.
    pub async fn refresh(&self) -> Result<ClientStatus> {
        self.status()
    }

    /// Like [`Client::check_service_ticket`](crate::Client::check_service_ticket), without roles.
    ///
    /// # Errors
    ///
    /// Those of the original method.
    pub fn check_service_ticket<'t>(
        &self,
        ticket: &'t str,
    ) -> Result<CheckedServiceTicket<'t>, CheckError> {
        let kind = TicketType::Service;
        let state = self.running().map_err(|_| stopped(kind))?;
        if let Some(outcome) = state.service_outcomes.get(ticket) {
            return outcome.check();
        }
        match &state.keys {
            Some(keys) => ServiceContext::new(state.own_id, keys)
                .map_err(|_| CheckError::new(CheckErrorKind::EmptyKeys, kind, Vec::new()))?
                .check(ticket, state.clock.now()),
            None => Err(malformed(kind)),
        }
    }

    /// Like [`Client::check_user_ticket`](crate::Client::check_user_ticket), without roles.
    ///
    /// # Errors
    ///
    /// Those of the original method.
    pub fn check_user_ticket<'t>(
        &self,
        ticket: &'t str,
    ) -> Result<CheckedUserTicket<'t>, CheckError> {
        let env = self.state().env;
        self.check_user_ticket_in(ticket, env)
    }

    /// Like [`Client::check_user_ticket_in`](crate::Client::check_user_ticket_in), without roles.
    ///
    /// # Errors
    ///
    /// Those of the original method.
    pub fn check_user_ticket_in<'t>(
        &self,
        ticket: &'t str,
        env: BlackboxEnv,
    ) -> Result<CheckedUserTicket<'t>, CheckError> {
        let kind = TicketType::User;
        let state = self.running().map_err(|_| stopped(kind))?;
        let (from, to) = (state.env, env);
        if !from.may_override_to(to) {
            let kind_of_error = CheckErrorKind::IllegalOverride { from, to };
            return Err(CheckError::new(kind_of_error, kind, Vec::new()));
        }
        if let Some(outcome) = state.user_outcomes.get(ticket) {
            return outcome.check().map_err(|_| malformed(kind))?;
        }
        match &state.keys {
            Some(keys) => UserContext::new(env, keys)
                .map_err(|_| CheckError::new(CheckErrorKind::EmptyKeys, kind, Vec::new()))?
                .check(ticket, state.clock.now()),
            None => Err(malformed(kind)),
        }
    }

    /// Like [`Client::roles`](crate::Client::roles).
    ///
    /// # Errors
    ///
    /// Those of the original method.
    pub fn roles(&self) -> Result<Arc<Roles>> {
        self.running()?.roles.clone().ok_or_else(|| {
            Error::new(
                ErrorKind::BrokenSettings,
                "Roles were not configured in settings",
            )
        })
    }

    /// Like [`Client::own_id`](crate::Client::own_id).
    #[must_use]
    pub fn own_id(&self) -> TvmId {
        self.state().own_id
    }

    /// Like [`Client::env`](crate::Client::env).
    #[must_use]
    pub fn env(&self) -> Option<BlackboxEnv> {
        Some(self.state().env)
    }

    /// Like [`Client::update_times`](crate::Client::update_times).
    #[must_use]
    pub fn update_times(&self) -> UpdateTimes {
        self.state().updated
    }

    /// Like [`Client::stop`](crate::Client::stop).
    pub fn stop(&self) {
        self.state().is_stopped = true;
    }

    fn running(&self) -> Result<MutexGuard<'_, State>> {
        let state = self.state();
        if state.is_stopped {
            let message = "TvmClient is already stopped";
            return Err(Error::new(ErrorKind::Stopped, message));
        }
        Ok(state)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }
}

impl Default for MockClient {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows no tickets, since the configured texts may be real ones.
impl fmt::Debug for MockClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("MockClient")
            .field("own_id", &state.own_id)
            .field("env", &state.env)
            .field("status", &state.status)
            .finish_non_exhaustive()
    }
}

impl State {
    fn tickets(&self) -> Tickets {
        let wanted = self.aliases.values().copied().collect();
        let (tickets, errors) = (self.tickets.clone(), self.errors.clone());
        Tickets::new(tickets, errors, wanted, self.aliases.clone())
    }
}

#[cfg(feature = "server")]
impl crate::server::TicketChecker for MockClient {
    fn check_service<'t>(&self, ticket: &'t str) -> Result<CheckedServiceTicket<'t>, CheckError> {
        self.check_service_ticket(ticket)
    }

    fn check_user<'t>(&self, ticket: &'t str) -> Result<CheckedUserTicket<'t>, CheckError> {
        self.check_user_ticket(ticket)
    }

    fn roles(&self) -> Option<Arc<Roles>> {
        self.roles().ok()
    }
}

#[cfg(feature = "server")]
impl crate::server::TicketSource for MockClient {
    fn service_ticket(&self, dst: TvmId) -> Result<Secret> {
        self.service_ticket(dst)
    }
}

fn fetched_now() -> UpdateTimes {
    let now = SystemClock::new().now();
    UpdateTimes {
        service_tickets: Some(now),
        public_keys: Some(now),
        ..UpdateTimes::default()
    }
}

fn malformed(kind: TicketType) -> CheckError {
    let malformed = CheckErrorKind::Refused(crate::TicketStatus::Malformed);
    CheckError::new(malformed, kind, Vec::new())
}

fn stopped(kind: TicketType) -> CheckError {
    CheckError::new(CheckErrorKind::Stopped, kind, Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ids::Uid;
    use crate::engine::status::TicketStatus;

    const PEER: TvmId = TvmId::new(42);

    #[test]
    fn tickets_and_refusals_are_what_was_set() {
        let client = MockClient::new();
        let error = client.service_ticket(PEER).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenSettings);
        assert!(client.service_ticket_if_known(PEER).unwrap().is_none());
        client.set_service_ticket_error("peer", PEER, "Dst is not found");
        let error = client.service_ticket("peer").unwrap_err();
        assert_eq!(
            error.message(),
            "Failed to get ticket for 'peer': Dst is not found"
        );
        assert!(client.service_ticket_if_known(PEER).is_err());
        client.set_service_ticket("peer", PEER, "ticket");
        assert_eq!(client.service_ticket(PEER).unwrap().expose(), "ticket");
    }

    #[test]
    fn outcomes_come_before_keys_and_the_environment_before_both() {
        let server = super::super::Server::new();
        let client = MockClient::new();
        let user = server.mint_user(BlackboxEnv::Test, &[Uid::new(7)]).unwrap();
        assert!(client.check_user_ticket(user.expose()).is_err());
        client.set_keys(
            server.keys().unwrap(),
            Arc::<vouchsafe_core::mock::ManualClock>::clone(server.clock()),
        );
        assert!(client.check_user_ticket(user.expose()).is_ok());
        let expired = UserTicket::new(Uid::new(7)).status(TicketStatus::Expired);
        client.expect_user_ticket(user.expose(), expired);
        let error = client.check_user_ticket(user.expose()).unwrap_err();
        assert_eq!(error.status(), Some(TicketStatus::Expired));
        client.set_env(BlackboxEnv::Prod);
        let error = client
            .check_user_ticket_in(user.expose(), BlackboxEnv::Test)
            .unwrap_err();
        assert!(matches!(
            error.kind(),
            CheckErrorKind::IllegalOverride { .. }
        ));
    }

    #[tokio::test]
    async fn destinations_are_added_as_far_as_tickets_were_set() {
        let client = MockClient::new();
        client.set_service_ticket("peer", PEER, "planted");
        let (refused, unknown) = (TvmId::new(43), TvmId::new(44));
        client.set_service_ticket_error("lost", refused, "Dst is not found");
        let added = client
            .add_destinations([PEER, refused, unknown])
            .await
            .unwrap();
        assert!(added[&PEER].is_ok());
        let why = |id| added[id].as_ref().unwrap_err().message();
        assert_eq!(why(&refused), "Dst is not found");
        assert_eq!(why(&unknown), "Unknown reason");
        assert!(client.add_destinations([TvmId::new(0)]).await.is_err());
        client.stop();
        assert!(client.add_destinations([PEER]).await.is_err());
        assert!(client.refresh().await.is_err());
    }

    #[test]
    fn debug_shows_no_ticket() {
        let client = MockClient::new();
        client.set_service_ticket("peer", PEER, "planted");
        client.expect_service_ticket("planted", ServiceTicket::new(PEER));
        assert!(!format!("{client:?}").contains("planted"));
    }

    #[test]
    fn nothing_answers_after_a_stop() {
        let client = MockClient::new();
        client.stop();
        assert_eq!(client.status().unwrap_err().kind(), ErrorKind::Stopped);
        assert!(client.roles().is_err());
        let error = client.check_service_ticket("x").unwrap_err();
        assert_eq!(error.kind(), CheckErrorKind::Stopped);
    }
}

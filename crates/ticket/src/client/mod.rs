//! The client: tickets, keys and roles in memory, refreshed by one task.

mod builder;
mod fetch;
mod held;
mod keys;
pub mod protocol;
mod settings;
mod source;
mod wishes;
mod worker;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use tokio::sync::oneshot;
use vouchsafe_core::Secret;
use vouchsafe_core::task::{Ended, Keeper};

pub use self::builder::{TvmApiBuilder, TvmToolBuilder};
use self::held::{Destinations, Held, system_time};
pub use self::settings::{TIROLE_TVM_ID, TIROLE_TVM_ID_TEST};
use self::source::Source;
use self::wishes::{Asked, Wishes};
use self::worker::Worker;
use crate::client::protocol::{ClientStatus, Destination, KEYS_UNUSABLE, StatusCode, Tickets};
use crate::engine::check::{CheckError, CheckErrorKind};
use crate::engine::checked::{CheckedServiceTicket, CheckedUserTicket};
use crate::engine::env::BlackboxEnv;
use crate::engine::ids::TvmId;
use crate::engine::roles::Roles;
use crate::engine::text::TicketType;
use crate::error::{Error, ErrorKind, Result};

/// A client for TVM: it holds service tickets, checks incoming tickets and knows roles.
///
/// # Configuration
///
/// [`tvm_api`](Self::tvm_api) calls the authority itself, [`tvmtool`](Self::tvmtool) a daemon on
/// the same machine. The environment is read in tvmtool mode only, for settings missing in the
/// builder.
///
/// # Background work
///
/// Connecting returns when everything that was configured has been fetched. From then on one task
/// refreshes it periodically; all methods only read memory. If a refresh fails, the old data stays
/// in use and [`status`](Self::status) reports its age.
///
/// # Cloning
///
/// Cheap to clone; clones share everything. The task ends when the last clone is dropped, or after
/// [`stop`](Self::stop). If the task's runtime is gone, the next call within another runtime starts
/// the task again.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    held: Arc<Held>,
    wishes: Arc<Wishes>,
    /// Dropping the last clone ends the work.
    keeper: Keeper,
    is_stopped: AtomicBool,
    pid: u32,
}

/// When each part was last fetched; `None` if it never was.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct UpdateTimes {
    /// Service tickets.
    pub service_tickets: Option<SystemTime>,
    /// When the first service ticket expires.
    pub service_tickets_invalid: Option<SystemTime>,
    /// Public keys.
    pub public_keys: Option<SystemTime>,
    /// When public keys become too old to be trusted.
    pub public_keys_invalid: Option<SystemTime>,
    /// Roles.
    pub roles: Option<SystemTime>,
}

impl Client {
    /// Creates a builder for a client of tvm-api, for the service with this id; zero if it only
    /// checks user tickets. Ids may be given as numbers:
    ///
    /// ```
    /// use vouchsafe_ticket::Client;
    ///
    /// let builder = Client::tvm_api(11).destination(12).alias("books", 13);
    /// ```
    #[doc(alias = "TvmApiClientSettings")]
    pub fn tvm_api(own_id: impl Into<TvmId>) -> TvmApiBuilder {
        TvmApiBuilder::new(own_id.into())
    }

    /// Creates a builder for a client of tvmtool, for the service with this name in the daemon's
    /// configuration.
    #[doc(alias = "TvmToolClientSettings")]
    pub fn tvmtool(alias: impl Into<String>) -> TvmToolBuilder {
        TvmToolBuilder::new(alias.into())
    }

    async fn start(held: Arc<Held>, source: Source) -> Result<Self> {
        let wishes = Arc::<Wishes>::default();
        let worker = Worker::start(Arc::clone(&held), Arc::clone(&wishes), source).await?;
        let keeper = worker.keep();
        keeper.ensure();
        Ok(Self(Arc::new(Inner {
            held,
            wishes,
            keeper,
            is_stopped: AtomicBool::new(false),
            pid: std::process::id(),
        })))
    }

    /// Returns the status of the client, computed from its data and their age.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Stopped`] after [`stop`](Self::stop).
    pub fn status(&self) -> Result<ClientStatus> {
        self.must_run()?;
        let held = &self.0.held;
        let code = held.status_code();
        let is_asked = || matches!(held.facts.load().destinations, Destinations::Asked { .. });
        let is_well =
            code == StatusCode::Ok || code == StatusCode::IncompleteTicketsSet && is_asked();
        let last_error = if is_well {
            "OK".to_owned()
        } else if self.0.keeper.is_running() {
            held.last_error().message().to_owned()
        } else {
            WORKER_GONE.to_owned()
        };
        Ok(ClientStatus::new(code, last_error))
    }

    /// Returns a service ticket for a service, by its id or its local name. It is sent in the
    /// header `X-Ya-Service-Ticket`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MissingServiceTicket`] if the authority refused it or it has not been fetched
    /// yet; [`ErrorKind::BrokenSettings`] if the client does not fetch it; [`ErrorKind::Stopped`];
    /// [`ErrorKind::IllegalUsage`] in a fork of the client's process.
    #[doc(alias = "get_service_ticket_for")]
    pub fn service_ticket<'a>(&self, destination: impl Into<Destination<'a>>) -> Result<Secret> {
        self.tickets()?.get(destination.into())
    }

    /// Returns a service ticket, or `None` for a service that has not been requested yet.
    ///
    /// # Errors
    ///
    /// Those of [`service_ticket`](Self::service_ticket), except for unknown services.
    #[doc(alias = "GetOptionalServiceTicketFor")]
    pub fn service_ticket_if_known(&self, id: TvmId) -> Result<Option<Secret>> {
        let tickets = self.tickets()?;
        match tickets.get(id.into()) {
            Ok(ticket) => Ok(Some(ticket)),
            Err(_) if !tickets.errors().contains_key(&id) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn tickets(&self) -> Result<Arc<Tickets>> {
        self.must_run()?;
        self.must_be_own_process()?;
        let held = &self.0.held;
        match held.tickets.load_full() {
            Some(tickets) => Ok(tickets),
            None if held.facts.load().fetches_tickets => Ok(Arc::default()),
            None => {
                let message = "Need to enable ServiceTickets fetching";
                Err(Error::new(ErrorKind::BrokenSettings, message))
            }
        }
    }

    /// Adds services to fetch tickets for, in tvm-api mode, and waits for the outcome of each.
    /// Destinations that were refused are not requested again.
    ///
    /// Dropping the future does not cancel the request.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BrokenSettings`] if the client fetches no tickets or uses tvmtool;
    /// [`ErrorKind::Stopped`]. Inner results: [`ErrorKind::MissingServiceTicket`] with the
    /// authority's reason, or why it could not be reached.
    #[doc(alias = "Add")]
    pub async fn add_destinations(
        &self,
        ids: impl IntoIterator<Item = TvmId>,
    ) -> Result<BTreeMap<TvmId, Result<()>>> {
        self.must_run()?;
        self.must_be_own_process()?;
        let facts = self.0.held.facts.load_full();
        let is_asked = matches!(facts.destinations, Destinations::Asked { .. });
        if !is_asked || !facts.fetches_tickets {
            let message = "Destinations can be added only to a client of tvm-api that fetches \
                           service tickets";
            return Err(Error::new(ErrorKind::BrokenSettings, message));
        }
        let ids: Vec<TvmId> = ids.into_iter().collect();
        if ids.iter().any(|id| id.get() == 0) {
            return Err(Error::new(ErrorKind::BrokenSettings, "TvmId cannot be 0"));
        }
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let ask = |answer| {
            let ids = ids.clone();
            self.0.wishes.add_destinations(Asked { ids, answer });
        };
        Ok(self.wait(ask).await?.into_iter().collect())
    }

    /// Refreshes everything, due or not, and returns the resulting status. Useful when the caller
    /// knows that the keys have just changed, for example.
    ///
    /// Dropping the future does not cancel the refresh.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Stopped`]; [`ErrorKind::IllegalUsage`] in a fork of the client's process. A
    /// failed fetch is not an error; it is part of the status.
    pub async fn refresh(&self) -> Result<ClientStatus> {
        self.must_run()?;
        self.must_be_own_process()?;
        self.wait(|done| self.0.wishes.add_refresh(done)).await?;
        self.status()
    }

    /// Sends a request to the task and waits for the outcome. If the task ends in the meantime,
    /// with its runtime or by a panic, the request is sent to the next task.
    async fn wait<T>(&self, ask: impl Fn(oneshot::Sender<T>)) -> Result<T> {
        for _ in 0..MAX_WORKER_RESTARTS {
            let (answer, answered) = oneshot::channel();
            ask(answer);
            // Checked only now: if the task ends after this check, the request is dropped and the
            // wait ends.
            if let Err(error) = self.must_run() {
                self.0.wishes.forget();
                return Err(error);
            }
            match self.0.keeper.wait(answered).await {
                Ok(Ok(answer)) => return Ok(answer),
                // The request was dropped with the task.
                Ok(Err(_)) => {}
                Err(Ended::RuntimeGone) => {
                    return Err(Error::new(ErrorKind::IllegalUsage, WORKER_GONE));
                }
                Err(_) => break,
            }
        }
        self.must_run()?;
        let kind = ErrorKind::Core(vouchsafe_core::ErrorKind::Transport);
        Err(Error::new(
            kind,
            "the task of TvmClient ended again and again",
        ))
    }

    /// Checks a service ticket: the form of its text, expiry, signature, destination and, if there
    /// are roles, that its source has one. Only reads memory.
    ///
    /// # Errors
    ///
    /// [`CheckError`] with the status of the first fault; of kind [`CheckErrorKind::Disabled`] if
    /// the client does not check service tickets, or [`CheckErrorKind::Stopped`] after
    /// [`stop`](Self::stop).
    pub fn check_service_ticket<'t>(
        &self,
        ticket: &'t str,
    ) -> Result<CheckedServiceTicket<'t>, CheckError> {
        let refuse = |kind| CheckError::new(kind, TicketType::Service, Vec::new());
        self.must_run()
            .map_err(|_| refuse(CheckErrorKind::Stopped))?;
        let held = &self.0.held;
        let keys = held.keys.load();
        let context = keys.as_ref().and_then(|keys| keys.service());
        let context = context.ok_or_else(|| refuse(CheckErrorKind::Disabled))?;
        let checked = context.check(ticket, held.clock().now())?;
        if held.checks.source
            && let Some(roles) = held.roles.load().as_ref()
        {
            return roles.require_source(checked);
        }
        Ok(checked)
    }

    /// Checks a user ticket of the client's environment: the form of its text, expiry, signature,
    /// environment and, if there are roles, that its default user has one. Only reads memory.
    ///
    /// # Errors
    ///
    /// Those of [`check_service_ticket`](Self::check_service_ticket);
    /// [`CheckErrorKind::RolesOfOtherEnv`] if there are roles and the ticket is valid but not of
    /// `ProdYateam`: call [`without_default_uid_check`](TvmApiBuilder::without_default_uid_check) in this case.
    pub fn check_user_ticket<'t>(
        &self,
        ticket: &'t str,
    ) -> Result<CheckedUserTicket<'t>, CheckError> {
        self.check_user(ticket, None)
    }

    /// Checks a user ticket of another environment, if
    /// [`may_override_to`](BlackboxEnv::may_override_to) allows it.
    ///
    /// # Errors
    ///
    /// Those of [`check_user_ticket`](Self::check_user_ticket); [`CheckErrorKind::IllegalOverride`]
    /// if the client's environment does not allow the other one.
    #[doc(alias = "overrided_bb_env")]
    pub fn check_user_ticket_in<'t>(
        &self,
        ticket: &'t str,
        env: BlackboxEnv,
    ) -> Result<CheckedUserTicket<'t>, CheckError> {
        self.check_user(ticket, Some(env))
    }

    fn check_user<'t>(
        &self,
        ticket: &'t str,
        env: Option<BlackboxEnv>,
    ) -> Result<CheckedUserTicket<'t>, CheckError> {
        let refuse = |kind| CheckError::new(kind, TicketType::User, Vec::new());
        self.must_run()
            .map_err(|_| refuse(CheckErrorKind::Stopped))?;
        let held = &self.0.held;
        let keys = held.keys.load();
        let own = keys.as_ref().and_then(|keys| keys.own_env());
        let from = own.ok_or_else(|| refuse(CheckErrorKind::Disabled))?;
        let to = env.unwrap_or(from);
        if env.is_some() && !from.may_override_to(to) {
            return Err(refuse(CheckErrorKind::IllegalOverride { from, to }));
        }
        let context = keys.as_ref().and_then(|keys| keys.user(to));
        let context = context.ok_or_else(|| refuse(CheckErrorKind::Disabled))?;
        let checked = context.check(ticket, held.clock().now())?;
        if held.checks.default_uid
            && let Some(roles) = held.roles.load().as_ref()
        {
            return roles.require_default_uid(checked);
        }
        Ok(checked)
    }

    /// Returns the most recently fetched roles.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BrokenSettings`] if the client does not fetch roles; [`ErrorKind::Stopped`];
    /// [`ErrorKind::IllegalUsage`] in a fork of the client's process.
    #[doc(alias = "get_roles")]
    pub fn roles(&self) -> Result<Arc<Roles>> {
        self.must_run()?;
        self.must_be_own_process()?;
        self.0.held.roles.load_full().ok_or_else(|| {
            let message = "Roles were not configured in settings";
            Error::new(ErrorKind::BrokenSettings, message)
        })
    }

    /// Returns the id of the client's own service; zero if it has none.
    #[must_use]
    pub fn own_id(&self) -> TvmId {
        self.0.held.facts.load().own_id
    }

    /// Returns the environment in which user tickets are checked; `None` if they are not.
    #[must_use]
    pub fn env(&self) -> Option<BlackboxEnv> {
        self.0.held.keys.load().as_ref()?.own_env()
    }

    /// Returns when each part was fetched, for monitoring.
    #[must_use]
    pub fn update_times(&self) -> UpdateTimes {
        let held = &self.0.held;
        let keys = held.updated.keys.get();
        let tickets = held.tickets.load();
        UpdateTimes {
            service_tickets: held.updated.tickets.get().map(system_time),
            service_tickets_invalid: tickets
                .as_ref()
                .and_then(|tickets| tickets.invalid_at())
                .map(system_time),
            public_keys: keys.map(system_time),
            public_keys_invalid: keys.map(|at| system_time(at.saturating_add(KEYS_UNUSABLE))),
            roles: held.updated.roles.get().map(system_time),
        }
    }

    /// Stops the client for all clones: its task, any wait or request in progress, and callers that
    /// wait for [`add_destinations`](Self::add_destinations) or [`refresh`](Self::refresh). May be
    /// called more than once.
    pub fn stop(&self) {
        self.0.is_stopped.store(true, Ordering::Release);
        self.0.keeper.stop();
        self.0.wishes.forget();
    }

    /// Starts the task again if it has ended, with its runtime or by a panic.
    fn must_run(&self) -> Result<()> {
        if self.0.is_stopped.load(Ordering::Acquire) {
            return Err(Error::new(
                ErrorKind::Stopped,
                "TvmClient is already stopped",
            ));
        }
        self.0.keeper.ensure();
        Ok(())
    }

    fn must_be_own_process(&self) -> Result<()> {
        let (made, current) = (self.0.pid, std::process::id());
        if made == current {
            return Ok(());
        }
        let message = format!(
            "Creating TvmClient is forbidden before fork. Original pid: {made}. Current pid: \
             {current}"
        );
        Err(Error::new(ErrorKind::IllegalUsage, message))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = &self.0.held;
        let mode = match held.facts.load().destinations {
            Destinations::Asked { .. } => "tvm-api",
            Destinations::Configured(_) => "tvmtool",
        };
        f.debug_struct("Client")
            .field("mode", &mode)
            .field("own_id", &self.own_id())
            .field("status", &held.status_code())
            .finish_non_exhaustive()
    }
}

/// The number of tasks that may end early before a request is given up.
const MAX_WORKER_RESTARTS: usize = 3;

const WORKER_GONE: &str = "the task that refreshes tickets, keys and roles ended with its tokio \
                           runtime: call the client within a runtime, which starts it again";

//! The client: tickets, keys and roles in memory, refreshed by one task.

mod api;
mod builder;
mod fetch;
mod keys;
pub mod protocol;
mod roles;
mod settings;
mod shared;
mod tool;
mod worker;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use tokio::sync::oneshot;
use vouchsafe_core::Secret;
use vouchsafe_core::sync::lock;
use vouchsafe_core::task::Task;

pub use self::builder::{TvmApiBuilder, TvmToolBuilder};
#[cfg(feature = "mock")]
use self::shared::{Asked, Place, Shared, system_time};
use self::worker::Worker;
use crate::client::protocol::{ClientStatus, Destination, StatusCode, Tickets};
use crate::engine::check::{CheckError, CheckErrorKind};
use crate::engine::checked::{CheckedServiceTicket, CheckedUserTicket};
use crate::engine::env::BlackboxEnv;
use crate::engine::ids::TvmId;
use crate::engine::roles::Roles;
use crate::engine::text::TicketType;
use crate::error::{Error, ErrorKind, Result};

/// The service id of tirole, which provides roles.
pub const TIROLE_TVM_ID: TvmId = TvmId::new(2_028_120);

/// The service id of tirole in the test installation.
pub const TIROLE_TVM_ID_TEST: TvmId = TvmId::new(2_026_536);

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
    shared: Arc<Shared>,
    /// Dropping the last clone drops the task, which ends it.
    worker: Mutex<Option<Task>>,
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

    async fn start(shared: Shared) -> Result<Self> {
        let shared = Arc::new(shared);
        let mut worker = Worker::new(Arc::clone(&shared));
        worker.start().await?;
        let task = worker.spawn();
        Ok(Self(Arc::new(Inner {
            shared,
            worker: Mutex::new(Some(task)),
        })))
    }

    /// Returns the status of the client, computed from its data and their age.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Stopped`] after [`stop`](Self::stop).
    pub fn status(&self) -> Result<ClientStatus> {
        self.must_run()?;
        let shared = &self.0.shared;
        let code = shared.status_code();
        let is_well = code == StatusCode::Ok
            || code == StatusCode::IncompleteTicketsSet
                && matches!(shared.place, Place::Api { .. });
        let last_error = if is_well {
            "OK".to_owned()
        } else if shared.worker_gone.load(Ordering::Acquire) {
            WORKER_GONE.to_owned()
        } else {
            shared.last_error().message().to_owned()
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
        let shared = &self.0.shared;
        if !shared.fetches_tickets() {
            let message = "Need to enable ServiceTickets fetching";
            return Err(Error::new(ErrorKind::BrokenSettings, message));
        }
        Ok(shared.tickets.load_full().unwrap_or_default())
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
        let shared = &self.0.shared;
        if matches!(shared.place, Place::Tool { .. }) || !shared.fetches_tickets() {
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
            shared.asked().push(Asked { ids, answer });
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
        self.wait(|done| self.0.shared.refresh().push(done)).await?;
        self.status()
    }

    /// Sends a request to the task and waits for the outcome. If the task ends in the meantime,
    /// with its runtime or by a panic, the request is sent to the next task.
    async fn wait<T>(&self, ask: impl Fn(oneshot::Sender<T>)) -> Result<T> {
        for _ in 0..WORKERS_PER_WISH {
            let (answer, answered) = oneshot::channel();
            ask(answer);
            self.0.shared.wake.notify_one();
            // Checked only now: if the task ends after this check, the request is dropped and the
            // wait ends.
            if let Err(error) = self.must_run() {
                self.0.shared.forget_wishes();
                return Err(error);
            }
            if self.0.shared.worker_gone.load(Ordering::Acquire) {
                return Err(Error::new(ErrorKind::IllegalUsage, WORKER_GONE));
            }
            if let Ok(answer) = answered.await {
                return Ok(answer);
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
        let shared = &self.0.shared;
        let keys = shared.keys.load();
        let context = keys.as_ref().and_then(|keys| keys.service());
        let context = context.ok_or_else(|| refuse(CheckErrorKind::Disabled))?;
        let checked = context.check(ticket, shared.clock().now())?;
        if shared.checks().source
            && let Some(roles) = shared.roles.load().as_ref()
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
    /// `ProdYateam`: disable [`check_default_uid`](TvmApiBuilder::check_default_uid) in this case.
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
        let shared = &self.0.shared;
        let keys = shared.keys.load();
        let own = keys.as_ref().and_then(|keys| keys.own_env());
        let from = own.ok_or_else(|| refuse(CheckErrorKind::Disabled))?;
        let to = env.unwrap_or(from);
        if env.is_some() && !from.may_override_to(to) {
            return Err(refuse(CheckErrorKind::IllegalOverride { from, to }));
        }
        let context = keys.as_ref().and_then(|keys| keys.user(to));
        let context = context.ok_or_else(|| refuse(CheckErrorKind::Disabled))?;
        let checked = context.check(ticket, shared.clock().now())?;
        if shared.checks().default_uid
            && let Some(roles) = shared.roles.load().as_ref()
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
        self.0.shared.roles.load_full().ok_or_else(|| {
            let message = "Roles were not configured in settings";
            Error::new(ErrorKind::BrokenSettings, message)
        })
    }

    /// Returns the id of the client's own service; zero if it has none.
    #[must_use]
    pub fn own_id(&self) -> TvmId {
        match &self.0.shared.place {
            Place::Api { settings, .. } => settings.own_id,
            Place::Tool { .. } => {
                let config = self.0.shared.config.load();
                config
                    .as_ref()
                    .map_or(TvmId::new(0), |config| config.own_id)
            }
        }
    }

    /// Returns the environment in which user tickets are checked; `None` if they are not.
    #[must_use]
    pub fn env(&self) -> Option<BlackboxEnv> {
        self.0.shared.keys.load().as_ref()?.own_env()
    }

    /// Returns when each part was fetched, for monitoring.
    #[must_use]
    pub fn update_times(&self) -> UpdateTimes {
        let shared = &self.0.shared;
        let keys = shared.updated.keys.get();
        let tickets = shared.tickets.load();
        UpdateTimes {
            service_tickets: shared.updated.tickets.get().map(system_time),
            service_tickets_invalid: tickets
                .as_ref()
                .and_then(|tickets| tickets.invalid_at())
                .map(system_time),
            public_keys: keys.map(system_time),
            public_keys_invalid: keys
                .map(|at| system_time(at.saturating_add(crate::client::protocol::KEYS_UNUSABLE))),
            roles: shared.updated.roles.get().map(system_time),
        }
    }

    /// Stops the client for all clones: its task, any wait or request in progress, and callers that
    /// wait for [`add_destinations`](Self::add_destinations) or [`refresh`](Self::refresh). May be
    /// called more than once.
    pub fn stop(&self) {
        self.0.shared.stopped.store(true, Ordering::Release);
        drop(self.worker().take());
        self.0.shared.forget_wishes();
    }

    fn must_run(&self) -> Result<()> {
        let shared = &self.0.shared;
        if shared.stopped.load(Ordering::Acquire) {
            return Err(stopped());
        }
        if shared.worker_gone.load(Ordering::Acquire) {
            self.begin_anew();
        }
        Ok(())
    }

    /// Starts the task again after its runtime was dropped, or after it panicked.
    #[cold]
    fn begin_anew(&self) {
        if tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let shared = &self.0.shared;
        let mut worker = self.worker();
        if shared.worker_gone.swap(false, Ordering::AcqRel)
            && !shared.stopped.load(Ordering::Acquire)
        {
            *worker = Some(Worker::resumed(Arc::clone(shared)).spawn());
        }
    }

    fn must_be_own_process(&self) -> Result<()> {
        self.0.shared.is_own_process().map_err(|(made, current)| {
            let message = format!(
                "Creating TvmClient is forbidden before fork. Original pid: {made}. Current pid: \
                 {current}"
            );
            Error::new(ErrorKind::IllegalUsage, message)
        })
    }

    fn worker(&self) -> std::sync::MutexGuard<'_, Option<Task>> {
        lock(&self.0.worker)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.0.shared.place {
            Place::Api { .. } => "tvm-api",
            Place::Tool { .. } => "tvmtool",
        };
        f.debug_struct("Client")
            .field("mode", &mode)
            .field("own_id", &self.own_id())
            .field("status", &self.0.shared.status_code())
            .finish_non_exhaustive()
    }
}

/// After how many tasks that ended before their time a wish is given up.
const WORKERS_PER_WISH: usize = 3;

const WORKER_GONE: &str = "the task that refreshes tickets, keys and roles ended with its tokio \
                           runtime: use the client within a runtime, and another task begins";

fn stopped() -> Error {
    Error::new(ErrorKind::Stopped, "TvmClient is already stopped")
}

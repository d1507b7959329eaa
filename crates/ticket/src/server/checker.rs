//! Traits for checking tickets and for getting them. The layers use these traits, so that a client,
//! a set of contexts and a test double all work.

use std::fmt;
use std::sync::Arc;

use vouchsafe_core::{Clock, Secret, SystemClock};

use crate::engine::check::{CheckError, CheckErrorKind, ServiceContext, UserContext};
use crate::engine::checked::{CheckedServiceTicket, CheckedUserTicket};
use crate::engine::ids::TvmId;
use crate::engine::roles::Roles;
use crate::engine::text::TicketType;
use crate::error::Result;

/// Checks the tickets of incoming requests, from memory: it is called on the server's threads and
/// must not block.
pub trait TicketChecker: fmt::Debug + Send + Sync + 'static {
    /// Checks a service ticket.
    ///
    /// # Errors
    ///
    /// [`CheckError`] with the fault, or the reason why the ticket cannot be checked.
    fn check_service<'t>(&self, ticket: &'t str) -> Result<CheckedServiceTicket<'t>, CheckError>;

    /// Checks a user ticket.
    ///
    /// # Errors
    ///
    /// Those of [`check_service`](Self::check_service).
    fn check_user<'t>(&self, ticket: &'t str) -> Result<CheckedUserTicket<'t>, CheckError>;

    /// Returns the roles for authorizing requests; `None` if there are none.
    fn roles(&self) -> Option<Arc<Roles>>;
}

impl<C: TicketChecker + ?Sized> TicketChecker for Arc<C> {
    fn check_service<'t>(&self, ticket: &'t str) -> Result<CheckedServiceTicket<'t>, CheckError> {
        (**self).check_service(ticket)
    }

    fn check_user<'t>(&self, ticket: &'t str) -> Result<CheckedUserTicket<'t>, CheckError> {
        (**self).check_user(ticket)
    }

    fn roles(&self) -> Option<Arc<Roles>> {
        (**self).roles()
    }
}

/// Returns service tickets for outgoing requests, from memory.
pub trait TicketSource: fmt::Debug + Send + Sync + 'static {
    /// Returns a ticket for a destination.
    ///
    /// # Errors
    ///
    /// Any kind that explains why there is none.
    fn service_ticket(&self, dst: TvmId) -> Result<Secret>;
}

impl<S: TicketSource + ?Sized> TicketSource for Arc<S> {
    fn service_ticket(&self, dst: TvmId) -> Result<Secret> {
        (**self).service_ticket(dst)
    }
}

#[cfg(feature = "client")]
impl TicketChecker for crate::Client {
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

#[cfg(feature = "client")]
impl TicketSource for crate::Client {
    fn service_ticket(&self, dst: TvmId) -> Result<Secret> {
        self.service_ticket(dst)
    }
}

/// Checks tickets with contexts that never change: for services that get their keys elsewhere, and
/// for tests.
///
/// Tickets of a type without a context cannot be checked ([`CheckErrorKind::Disabled`]). Roles are
/// only made available; they are not checked automatically.
///
/// ```
/// use vouchsafe_ticket::server::{ContextChecker, TicketLayer};
/// use vouchsafe_ticket::{BlackboxEnv, KeyContainer, ServiceContext, TvmId, UserContext};
///
/// # fn layer(text: &str) -> Result<TicketLayer, vouchsafe_ticket::Error> {
/// let keys = KeyContainer::parse(text)?;
/// let checker = ContextChecker::new()
///     .service(ServiceContext::new(TvmId::new(42), &keys)?)
///     .user(UserContext::new(BlackboxEnv::Prod, &keys)?);
/// Ok(TicketLayer::new(checker))
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ContextChecker {
    service: Option<ServiceContext>,
    user: Option<UserContext>,
    roles: Option<Arc<Roles>>,
    clock: Arc<dyn Clock>,
}

impl ContextChecker {
    /// Creates a checker that cannot check any type of ticket yet.
    pub fn new() -> Self {
        Self {
            service: None,
            user: None,
            roles: None,
            clock: Arc::new(SystemClock::new()),
        }
    }

    /// Sets the context for service tickets.
    pub fn service(mut self, context: ServiceContext) -> Self {
        self.service = Some(context);
        self
    }

    /// Sets the context for user tickets.
    pub fn user(mut self, context: UserContext) -> Self {
        self.user = Some(context);
        self
    }

    /// Sets the roles.
    pub fn roles(mut self, roles: Arc<Roles>) -> Self {
        self.roles = Some(roles);
        self
    }

    /// Sets the clock for expiry. Default: the machine's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}

impl Default for ContextChecker {
    fn default() -> Self {
        Self::new()
    }
}

impl TicketChecker for ContextChecker {
    fn check_service<'t>(&self, ticket: &'t str) -> Result<CheckedServiceTicket<'t>, CheckError> {
        match &self.service {
            Some(context) => context.check(ticket, self.clock.now()),
            None => Err(disabled(TicketType::Service)),
        }
    }

    fn check_user<'t>(&self, ticket: &'t str) -> Result<CheckedUserTicket<'t>, CheckError> {
        match &self.user {
            Some(context) => context.check(ticket, self.clock.now()),
            None => Err(disabled(TicketType::User)),
        }
    }

    fn roles(&self) -> Option<Arc<Roles>> {
        self.roles.clone()
    }
}

fn disabled(ticket_type: TicketType) -> CheckError {
    CheckError::new(CheckErrorKind::Disabled, ticket_type, Vec::new())
}

//! Who judges tickets, and who hands them out. The layers ask through these traits, so that a
//! client, a set of contexts and a double in a test all serve.

use std::fmt;
use std::sync::Arc;

use vouchsafe_core::{Clock, Secret, SystemClock};

use crate::check::{CheckError, CheckErrorKind, ServiceContext, UserContext};
use crate::checked::{CheckedServiceTicket, CheckedUserTicket};
use crate::error::Result;
use crate::ids::TvmId;
use crate::roles::Roles;
use crate::text::TicketType;

/// Judges the tickets of incoming requests, from memory: it is asked on the server's threads and
/// must not wait for anything.
pub trait TicketChecker: fmt::Debug + Send + Sync + 'static {
    /// Checks a service ticket.
    ///
    /// # Errors
    ///
    /// [`CheckError`] with what is wrong with it, or why it cannot be judged.
    fn check_service<'t>(&self, ticket: &'t str) -> Result<CheckedServiceTicket<'t>, CheckError>;

    /// Checks a user ticket.
    ///
    /// # Errors
    ///
    /// As [`check_service`](Self::check_service).
    fn check_user<'t>(&self, ticket: &'t str) -> Result<CheckedUserTicket<'t>, CheckError>;

    /// Returns the roles by which requests are let in, `None` if there are none.
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

/// Hands out service tickets for outgoing requests, from memory.
pub trait TicketSource: fmt::Debug + Send + Sync + 'static {
    /// Returns a ticket for a destination.
    ///
    /// # Errors
    ///
    /// Whatever kind says why there is none.
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

/// Checks tickets with contexts that never change: for services that get their keys elsewhere,
/// and for tests.
///
/// A type of ticket without a context cannot be judged ([`CheckErrorKind::Disabled`]). Roles are
/// handed out as they are; there are no automatic checks against them.
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
    /// Makes a checker that cannot judge anything yet.
    pub fn new() -> Self {
        Self {
            service: None,
            user: None,
            roles: None,
            clock: Arc::new(SystemClock::new()),
        }
    }

    /// Checks service tickets with this context.
    pub fn service(mut self, context: ServiceContext) -> Self {
        self.service = Some(context);
        self
    }

    /// Checks user tickets with this context.
    pub fn user(mut self, context: UserContext) -> Self {
        self.user = Some(context);
        self
    }

    /// Hands out these roles.
    pub fn roles(mut self, roles: Arc<Roles>) -> Self {
        self.roles = Some(roles);
        self
    }

    /// Sets the clock that tells what has expired. Default: the machine's.
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

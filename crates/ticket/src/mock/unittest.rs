//! Outcomes of checks without keys and signatures, for tests of code that receives checked tickets.

use crate::engine::check::{CheckError, CheckErrorKind};
use crate::engine::checked::{CheckedServiceTicket, CheckedUserTicket};
use crate::engine::env::BlackboxEnv;
use crate::engine::ids::{TvmId, Uid};
use crate::engine::message::{NewerFields, Ticket, TicketPart, UserEntry, encode_ticket};
use crate::engine::status::TicketStatus;
use crate::engine::text::TicketType;
use crate::error::{Error, ErrorKind};

/// The desired outcome of a check of a service ticket.
///
/// ```
/// use vouchsafe_ticket::{TicketStatus, TvmId, mock};
///
/// let ticket = mock::ServiceTicket::new(TvmId::new(42)).check()?;
/// assert_eq!(ticket.src(), TvmId::new(42));
///
/// let expired = mock::ServiceTicket::new(TvmId::new(42)).status(TicketStatus::Expired);
/// assert_eq!(expired.check().unwrap_err().status(), Some(TicketStatus::Expired));
/// # Ok::<(), vouchsafe_ticket::CheckError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ServiceTicket {
    status: TicketStatus,
    src: TvmId,
    issuer_uid: Option<Uid>,
}

impl ServiceTicket {
    /// Creates a valid ticket from a service, for the service 100500.
    pub fn new(src: TvmId) -> Self {
        Self {
            status: TicketStatus::Ok,
            src,
            issuer_uid: None,
        }
    }

    /// Sets the outcome.
    pub fn status(mut self, status: TicketStatus) -> Self {
        self.status = status;
        self
    }

    /// Sets the developer on whose behalf the ticket was issued.
    pub fn issuer_uid(mut self, uid: Uid) -> Self {
        self.issuer_uid = Some(uid);
        self
    }

    /// Returns the outcome.
    ///
    /// # Errors
    ///
    /// [`CheckError`] with the status that was set, unless that is [`TicketStatus::Ok`].
    #[doc(alias = "create_service_ticket")]
    pub fn check(&self) -> Result<CheckedServiceTicket<'static>, CheckError> {
        let part = TicketPart::Service {
            src: self.src,
            dst: TvmId::new(100_500),
            scopes: &[],
            issuer_uid: self.issuer_uid,
        };
        let payload = encode_ticket(None, None, &part);
        let ticket = Ticket::decode_partial(&payload).unwrap_or_default();
        match (self.status, ticket.service) {
            (TicketStatus::Ok, Some(part)) => {
                Ok(CheckedServiceTicket::new("", payload, &ticket, part))
            }
            _ => Err(refuse(self.status, TicketType::Service, payload)),
        }
    }
}

/// The desired outcome of a check of a user ticket.
#[derive(Clone, Debug)]
#[must_use]
pub struct UserTicket {
    status: TicketStatus,
    default_uid: Uid,
    uids: Vec<Uid>,
    scopes: Vec<String>,
    env: BlackboxEnv,
}

impl UserTicket {
    /// Creates a valid ticket for one user of [`BlackboxEnv::Test`].
    pub fn new(default_uid: Uid) -> Self {
        Self {
            status: TicketStatus::Ok,
            default_uid,
            uids: Vec::new(),
            scopes: Vec::new(),
            env: BlackboxEnv::Test,
        }
    }

    /// Sets the outcome.
    pub fn status(mut self, status: TicketStatus) -> Self {
        self.status = status;
        self
    }

    /// Adds users to the default one; they are sorted, without duplicates and zero.
    pub fn uids(mut self, uids: impl IntoIterator<Item = Uid>) -> Self {
        self.uids.extend(uids);
        self
    }

    /// Adds scopes; they are sorted, without duplicates and empty ones.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Sets the environment.
    pub fn env(mut self, env: BlackboxEnv) -> Self {
        self.env = env;
        self
    }

    /// Returns the outcome. The outer result tells whether such a ticket can exist.
    ///
    /// # Errors
    ///
    /// Outer: [`ErrorKind::IllegalUsage`] if the ticket has no user at all. Inner: [`CheckError`]
    /// with the status that was set, unless that is [`TicketStatus::Ok`].
    #[doc(alias = "create_user_ticket")]
    pub fn check(&self) -> Result<Result<CheckedUserTicket<'static>, CheckError>, Error> {
        let mut uids = self.uids.clone();
        uids.push(self.default_uid);
        uids.retain(|uid| uid.get() != 0);
        uids.sort_unstable();
        uids.dedup();
        if uids.is_empty() {
            let message = "User ticket cannot contain empty uid list";
            return Err(Error::new(ErrorKind::IllegalUsage, message));
        }
        let mut scopes = self.scopes.clone();
        scopes.retain(|scope| !scope.is_empty());
        scopes.sort_unstable();
        scopes.dedup();

        let users: Vec<_> = uids.into_iter().map(UserEntry::new).collect();
        let part = TicketPart::User {
            users: &users,
            default_uid: self.default_uid,
            scopes: &scopes,
            entry_point: 100_500,
            env: self.env,
            newer: &NewerFields::default(),
        };
        let payload = encode_ticket(None, None, &part);
        let ticket = Ticket::decode_partial(&payload).unwrap_or_default();
        Ok(match (self.status, ticket.user) {
            (TicketStatus::Ok, Some(part)) => {
                Ok(CheckedUserTicket::new("", payload, &ticket, part))
            }
            _ => Err(refuse(self.status, TicketType::User, payload)),
        })
    }
}

fn refuse(status: TicketStatus, kind: TicketType, payload: Vec<u8>) -> CheckError {
    CheckError::new(CheckErrorKind::Refused(status), kind, payload)
}

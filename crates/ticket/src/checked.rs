//! Tickets that were found good. Only `check` makes them (and the `mock` feature, for tests).

use std::borrow::Cow;
use std::fmt;

use crate::debug_info::debug_info;
use crate::env::BlackboxEnv;
use crate::ids::{KeyId, TvmId, Uid};
use crate::message::{self, ServicePart, Ticket, UserEntry, UserPart};
use crate::redact::redact;
use crate::status::TicketStatus;
use crate::text::TicketType;

/// A service ticket that passed its check: `src` talks to `dst`.
///
/// It holds the decoded ticket, not the signature; the text it shows is the caller's. `Debug`
/// shows the [`debug_info`](Self::debug_info).
#[derive(Clone)]
pub struct CheckedServiceTicket<'t> {
    redacted: Cow<'t, str>,
    payload: Vec<u8>,
    head: Head,
    part: ServicePart,
}

impl<'t> CheckedServiceTicket<'t> {
    /// Returns the service that sent the ticket.
    #[must_use]
    pub fn src(&self) -> TvmId {
        self.part.src.unwrap_or(TvmId::new(0))
    }

    /// Returns the service that the ticket is for.
    #[must_use]
    pub fn dst(&self) -> TvmId {
        self.part.dst.unwrap_or(TvmId::new(0))
    }

    /// Returns the developer in whose name the ticket was issued, if it was for one.
    #[must_use]
    pub fn issuer_uid(&self) -> Option<Uid> {
        self.part.issuer_uid
    }

    /// Returns the scopes in the ticket's order, with repeats. What is not UTF-8 is replaced.
    pub fn scopes(&self) -> impl Iterator<Item = Cow<'_, str>> {
        message::service_scopes(&self.payload).map(String::from_utf8_lossy)
    }

    /// Returns whether the ticket has that scope, whatever their order.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        message::service_scopes(&self.payload).any(|other| other == scope.as_bytes())
    }

    /// Returns when the ticket expires, in seconds since the epoch.
    #[must_use]
    pub fn expiration_time(&self) -> i64 {
        self.head.expiration_time
    }

    /// Returns the key that the ticket was signed with.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.head.key_id
    }

    /// Returns the ticket's text without its signature, for logs.
    #[must_use]
    pub fn redacted(&self) -> &str {
        &self.redacted
    }

    /// Returns what is in the ticket as text for people.
    #[must_use]
    pub fn debug_info(&self) -> String {
        debug_info(TicketType::Service, TicketStatus::Ok, &self.payload)
    }

    /// Copies what is still borrowed from the ticket's text.
    #[must_use]
    pub fn into_owned(self) -> CheckedServiceTicket<'static> {
        CheckedServiceTicket {
            redacted: Cow::Owned(self.redacted.into_owned()),
            payload: self.payload,
            head: self.head,
            part: self.part,
        }
    }

    pub(crate) fn new(text: &'t str, payload: Vec<u8>, ticket: &Ticket, part: ServicePart) -> Self {
        Self {
            redacted: Cow::Borrowed(redact(text)),
            payload,
            head: Head::new(ticket),
            part,
        }
    }

    pub(crate) fn into_payload(self) -> Vec<u8> {
        self.payload
    }
}

impl fmt::Debug for CheckedServiceTicket<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CheckedServiceTicket")
            .field(&self.debug_info())
            .finish()
    }
}

/// A user ticket that passed its check: these users were authenticated.
///
/// It holds the decoded ticket, not the signature; the text it shows is the caller's. `Debug`
/// shows the [`debug_info`](Self::debug_info).
#[derive(Clone)]
pub struct CheckedUserTicket<'t> {
    redacted: Cow<'t, str>,
    payload: Vec<u8>,
    head: Head,
    part: UserPart,
}

impl<'t> CheckedUserTicket<'t> {
    /// Returns the user that is meant when none is named; zero if there is none.
    #[must_use]
    pub fn default_uid(&self) -> Uid {
        self.part.default_uid.unwrap_or(Uid::new(0))
    }

    /// Returns the users in the ticket's order, with repeats.
    pub fn uids(&self) -> impl Iterator<Item = Uid> {
        self.users().map(|user| user.uid)
    }

    /// Returns the users with what else the ticket says of each.
    pub fn users(&self) -> impl Iterator<Item = UserEntry> {
        message::users(&self.payload)
    }

    /// Returns the environment that authenticated the users.
    #[must_use]
    pub fn env(&self) -> BlackboxEnv {
        self.part.env.unwrap_or_default()
    }

    /// Returns the scopes in the ticket's order, with repeats. What is not UTF-8 is replaced.
    pub fn scopes(&self) -> impl Iterator<Item = Cow<'_, str>> {
        message::user_scopes(&self.payload).map(String::from_utf8_lossy)
    }

    /// Returns whether the ticket has that scope, whatever their order.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        message::user_scopes(&self.payload).any(|other| other == scope.as_bytes())
    }

    /// Returns the number of the place where the users were authenticated.
    #[must_use]
    pub fn entry_point(&self) -> u32 {
        self.part.entry_point.unwrap_or(0)
    }

    /// Returns the id of the login, empty if there is none. What is not UTF-8 is replaced.
    #[must_use]
    pub fn login_id(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(message::login_id(&self.payload))
    }

    /// Returns the location, zero if there is none.
    #[must_use]
    pub fn location(&self) -> u64 {
        self.part.location
    }

    /// Returns the type of the device, zero if there is none.
    #[must_use]
    pub fn device_type(&self) -> u64 {
        self.part.device_type
    }

    /// Returns when the ticket expires, in seconds since the epoch.
    #[must_use]
    pub fn expiration_time(&self) -> i64 {
        self.head.expiration_time
    }

    /// Returns the key that the ticket was signed with.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.head.key_id
    }

    /// Returns the ticket's text without its signature, for logs.
    #[must_use]
    pub fn redacted(&self) -> &str {
        &self.redacted
    }

    /// Returns what is in the ticket as text for people.
    #[must_use]
    pub fn debug_info(&self) -> String {
        debug_info(TicketType::User, TicketStatus::Ok, &self.payload)
    }

    /// Copies what is still borrowed from the ticket's text.
    #[must_use]
    pub fn into_owned(self) -> CheckedUserTicket<'static> {
        CheckedUserTicket {
            redacted: Cow::Owned(self.redacted.into_owned()),
            payload: self.payload,
            head: self.head,
            part: self.part,
        }
    }

    pub(crate) fn new(text: &'t str, payload: Vec<u8>, ticket: &Ticket, part: UserPart) -> Self {
        Self {
            redacted: Cow::Borrowed(redact(text)),
            payload,
            head: Head::new(ticket),
            part,
        }
    }

    pub(crate) fn into_payload(self) -> Vec<u8> {
        self.payload
    }
}

impl fmt::Debug for CheckedUserTicket<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CheckedUserTicket")
            .field(&self.debug_info())
            .finish()
    }
}

/// What both types have.
#[derive(Clone, Copy)]
struct Head {
    key_id: KeyId,
    expiration_time: i64,
}

impl Head {
    /// What is missing, which only test tickets do, is zero.
    fn new(ticket: &Ticket) -> Self {
        Self {
            key_id: ticket.key_id.unwrap_or(KeyId::new(0)),
            expiration_time: ticket.expiration_time.unwrap_or(0),
        }
    }
}

//! The service tickets of a client, and look-ups in them (protocol sections 10 and 10.3).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use vouchsafe_core::Secret;

use super::{Seconds, TicketSet};
use crate::engine::check::peek_expiration;
use crate::engine::ids::TvmId;
use crate::error::{Error, ErrorKind, Result};

/// The destination of a service ticket: a service's id, or its local name in the settings.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a service has a number or a name")]
pub enum Destination<'a> {
    /// By its id.
    Id(TvmId),
    /// By its local name.
    Alias(&'a str),
}

impl From<TvmId> for Destination<'_> {
    fn from(id: TvmId) -> Self {
        Self::Id(id)
    }
}

impl<'a> From<&'a str> for Destination<'a> {
    fn from(alias: &'a str) -> Self {
        Self::Alias(alias)
    }
}

impl fmt::Display for Destination<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Alias(alias) => f.write_str(alias),
        }
    }
}

/// A set of tickets; never modified, only replaced as a whole.
#[derive(Clone, Debug, Default)]
pub struct Tickets {
    tickets: BTreeMap<TvmId, Secret>,
    errors: BTreeMap<TvmId, String>,
    wanted: BTreeSet<TvmId>,
    aliases: BTreeMap<String, TvmId>,
    invalid_at: Option<Seconds>,
}

impl Tickets {
    /// Creates a set.
    #[must_use]
    pub fn new(
        tickets: BTreeMap<TvmId, Secret>,
        errors: BTreeMap<TvmId, String>,
        wanted: BTreeSet<TvmId>,
        aliases: BTreeMap<String, TvmId>,
    ) -> Self {
        let expirations = tickets.values();
        Self {
            invalid_at: expirations
                .filter_map(|ticket| peek_expiration(ticket.expose()))
                .min(),
            tickets,
            errors,
            wanted,
            aliases,
        }
    }

    /// Returns the ticket for a destination.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MissingServiceTicket`] if the authority refused it or it has not been fetched
    /// yet, [`ErrorKind::BrokenSettings`] if the settings do not name the destination.
    pub fn get(&self, destination: Destination<'_>) -> Result<Secret> {
        let missing = |why: &str| {
            let message = format!("Failed to get ticket for '{destination}': {why}");
            Err(Error::new(ErrorKind::MissingServiceTicket, message))
        };
        let id = match destination {
            Destination::Id(id) => Some(id),
            Destination::Alias(alias) => self.aliases.get(alias).copied(),
        };
        if let Some(ticket) = id.and_then(|id| self.tickets.get(&id)) {
            return Ok(ticket.clone());
        }
        if let Some(error) = id.and_then(|id| self.errors.get(&id)) {
            return missing(error);
        }
        if id.is_some_and(|id| self.wanted.contains(&id)) {
            return missing("this dst was not fetched yet.");
        }
        let message = format!(
            "Destination '{destination}' was not specified in settings. Check your settings (if \
             you use Qloud/YP/tvmtool - check it's settings)"
        );
        Err(Error::new(ErrorKind::BrokenSettings, message))
    }

    /// Returns the tickets.
    #[must_use]
    pub fn by_id(&self) -> &BTreeMap<TvmId, Secret> {
        &self.tickets
    }

    /// Returns the reasons for missing tickets, by destination.
    #[must_use]
    pub fn errors(&self) -> &BTreeMap<TvmId, String> {
        &self.errors
    }

    /// Returns all destinations for which tickets are fetched.
    #[must_use]
    pub fn wanted(&self) -> &BTreeSet<TvmId> {
        &self.wanted
    }

    /// Returns the local names.
    #[must_use]
    pub fn aliases(&self) -> &BTreeMap<String, TvmId> {
        &self.aliases
    }

    /// Returns when the first ticket expires, in seconds since the epoch.
    #[must_use]
    pub fn invalid_at(&self) -> Option<Seconds> {
        self.invalid_at
    }

    pub(crate) fn health(&self) -> TicketSet {
        TicketSet {
            count: self.tickets.len(),
            invalid_at: self.invalid_at,
        }
    }
}

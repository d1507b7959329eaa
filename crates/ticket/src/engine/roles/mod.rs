//! Permissions: the roles document, queries on it, and the automatic checks of tickets. Fetching
//! the document is not here.

mod document;
mod index;
mod intern;
mod json;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tree_tests;

use std::fmt;
use std::time::SystemTime;

use vouchsafe_core::text::str_without_mark;

pub use index::Entity;
use index::RoleEntities;

use self::document::{Document, Subject};
use crate::engine::check::{CheckError, CheckErrorKind};
use crate::engine::checked::{CheckedServiceTicket, CheckedUserTicket};
use crate::engine::env::BlackboxEnv;
use crate::engine::ids::{TvmId, Uid};
use crate::engine::status::TicketStatus;
use crate::engine::text::TicketType;
use crate::error::{Error, ErrorKind};

/// A roles document, indexed for queries.
///
/// Memory and the time to build it are linear in the size of the document, whatever its attributes
/// are.
///
/// ```
/// use std::time::SystemTime;
/// use vouchsafe_ticket::{Roles, TvmId};
///
/// let document = r#"{"revision": "r1", "born_date": 1, "tvm": {"42": {"/write/": [{"a": "b"}]}}}"#;
/// let roles = Roles::parse(document, SystemTime::UNIX_EPOCH)?;
/// let caller = roles.of_service_id(TvmId::new(42));
/// assert!(caller.has("/write/"));
/// assert!(caller.has_entity("/write/", &[("a", "b")]));
/// assert!(!caller.has("/read/"));
/// # Ok::<(), vouchsafe_ticket::Error>(())
/// ```
pub struct Roles {
    document: Document,
    raw: Box<str>,
    applied: SystemTime,
}

impl Roles {
    /// Parses a document and records when it was taken into use.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MalformedRoles`] with the problem and its place.
    pub fn parse(document: &str, applied: SystemTime) -> Result<Self, Error> {
        let document = str_without_mark(document);
        Ok(Self {
            document: Document::parse(document)?,
            raw: document.into(),
            applied,
        })
    }

    /// Returns the roles of the sender of a service ticket.
    #[must_use]
    #[doc(alias = "check_service_role")]
    pub fn of_service(&self, ticket: &CheckedServiceTicket<'_>) -> SubjectRoles<'_> {
        self.of_service_id(ticket.src())
    }

    /// Returns the roles of the default user of a user ticket.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::IllegalUsage`] if the ticket is not of [`BlackboxEnv::ProdYateam`]: users of
    /// other environments have no roles.
    #[doc(alias = "check_user_role")]
    pub fn of_default_uid(
        &self,
        ticket: &CheckedUserTicket<'_>,
    ) -> Result<SubjectRoles<'_>, Error> {
        require_env(ticket)?;
        Ok(self.of_uid(ticket.default_uid()))
    }

    /// Returns the roles of one of the users of a user ticket.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::IllegalUsage`] if the ticket is not of [`BlackboxEnv::ProdYateam`], or does
    /// not name the user.
    pub fn of_selected_uid(
        &self,
        ticket: &CheckedUserTicket<'_>,
        selected: Uid,
    ) -> Result<SubjectRoles<'_>, Error> {
        require_env(ticket)?;
        if ticket.uids().all(|uid| uid != selected) {
            let message = format!("selectedUid must be in user ticket but it's not: {selected}");
            return Err(Error::new(ErrorKind::IllegalUsage, message));
        }
        Ok(self.of_uid(selected))
    }

    /// Returns the roles of a service, whether or not a ticket proves that it is the caller.
    #[must_use]
    pub fn of_service_id(&self, id: TvmId) -> SubjectRoles<'_> {
        self.subject(self.document.services.get(&id))
    }

    /// Returns the roles of a user, whether or not a ticket proves that it is the caller.
    #[must_use]
    pub fn of_uid(&self, uid: Uid) -> SubjectRoles<'_> {
        self.subject(self.document.users.get(&uid))
    }

    /// Accepts a service ticket if its sender has an entry in the document, even an empty one.
    ///
    /// # Errors
    ///
    /// [`TicketStatus::NoRoles`] otherwise.
    #[doc(alias = "CheckSrc")]
    pub fn require_source<'t>(
        &self,
        ticket: CheckedServiceTicket<'t>,
    ) -> Result<CheckedServiceTicket<'t>, CheckError> {
        if self.of_service(&ticket).is_known() {
            return Ok(ticket);
        }
        let kind = CheckErrorKind::Refused(TicketStatus::NoRoles);
        Err(CheckError::new(
            kind,
            TicketType::Service,
            ticket.into_payload(),
        ))
    }

    /// Accepts a user ticket if its default user has an entry in the document, even an empty one.
    ///
    /// # Errors
    ///
    /// [`CheckErrorKind::RolesOfOtherEnv`] if the ticket is valid but not of
    /// [`BlackboxEnv::ProdYateam`]: only that environment has roles, so the query is a mistake of
    /// the caller. Otherwise [`TicketStatus::NoRoles`].
    #[doc(alias = "CheckDefaultUid")]
    pub fn require_default_uid<'t>(
        &self,
        ticket: CheckedUserTicket<'t>,
    ) -> Result<CheckedUserTicket<'t>, CheckError> {
        let kind = match self.of_default_uid(&ticket) {
            Ok(roles) if roles.is_known() => return Ok(ticket),
            Ok(_) => CheckErrorKind::Refused(TicketStatus::NoRoles),
            Err(_) => CheckErrorKind::RolesOfOtherEnv(ticket.env()),
        };
        Err(CheckError::new(
            kind,
            TicketType::User,
            ticket.into_payload(),
        ))
    }

    /// Returns the document's revision.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.document.revision
    }

    /// Returns when the document was created, in seconds since the epoch.
    #[must_use]
    pub fn born_time(&self) -> u64 {
        self.document.born_time
    }

    /// Returns when the document was taken into use here.
    #[must_use]
    pub fn applied(&self) -> SystemTime {
        self.applied
    }

    /// Returns the document's text.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Returns the services that have an entry, in no particular order.
    pub fn services(&self) -> impl Iterator<Item = TvmId> {
        self.document.services.keys().copied()
    }

    /// Returns the users that have an entry, in no particular order.
    pub fn users(&self) -> impl Iterator<Item = Uid> {
        self.document.users.keys().copied()
    }

    fn subject(&self, subject: Option<&Subject>) -> SubjectRoles<'_> {
        SubjectRoles {
            subject: subject.copied(),
            document: &self.document,
        }
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Roles")
            .field("revision", &self.document.revision)
            .field("born_time", &self.document.born_time)
            .field("services", &self.document.services.len())
            .field("users", &self.document.users.len())
            .finish_non_exhaustive()
    }
}

/// The roles of one service or user. A subject without an entry has none.
#[derive(Clone, Copy)]
pub struct SubjectRoles<'r> {
    subject: Option<Subject>,
    document: &'r Document,
}

impl<'r> SubjectRoles<'r> {
    /// Returns whether the subject has the role, for any entity or none.
    #[must_use]
    pub fn has(&self, role: &str) -> bool {
        self.role(role).is_some()
    }

    /// Returns whether the subject has the role for an entity with exactly these attributes, in any
    /// order. With an empty list, returns whether it has the role for the entity without
    /// attributes.
    #[must_use]
    pub fn has_entity(&self, role: &str, attrs: &[(&str, &str)]) -> bool {
        self.role(role)
            .is_some_and(|role| role.has(attrs, self.document.hasher()))
    }

    /// Returns the role's entities that have at least these attributes, in order, each once.
    #[must_use]
    pub fn entities_with(&self, role: &str, attrs: &[(&str, &str)]) -> Vec<&'r Entity> {
        self.role(role)
            .map(|role| role.with(attrs))
            .unwrap_or_default()
    }

    /// Returns the role's entities in the order of the document; `None` if the subject does not
    /// have the role.
    #[must_use]
    pub fn entities(
        &self,
        role: &str,
    ) -> Option<impl ExactSizeIterator<Item = &'r Entity> + Clone + use<'r>> {
        self.role(role).map(RoleEntities::iter)
    }

    /// Returns the roles, in no particular order, with their entities in the order of the document.
    pub fn iter(
        &self,
    ) -> impl Iterator<
        Item = (
            &'r str,
            impl ExactSizeIterator<Item = &'r Entity> + Clone + use<'r>,
        ),
    > + use<'r> {
        let document = self.document;
        let roles = self.subject.into_iter();
        let roles = roles.flat_map(move |subject| document.roles(subject));
        roles.map(|(name, role)| (name, role.iter()))
    }

    /// Returns whether the subject has an entry in the document, even an empty one.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.subject.is_some()
    }

    fn role(&self, name: &str) -> Option<RoleEntities<'r>> {
        self.document.role(self.subject?, name)
    }
}

impl fmt::Debug for SubjectRoles<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let roles = self.iter();
        let roles = roles.map(|(name, entities)| (name, entities.collect::<Vec<_>>()));
        f.debug_map().entries(roles).finish()
    }
}

fn require_env(ticket: &CheckedUserTicket<'_>) -> Result<(), Error> {
    match ticket.env() {
        BlackboxEnv::ProdYateam => Ok(()),
        other => {
            let message = format!("User ticket must be from ProdYateam, got from {other}");
            Err(Error::new(ErrorKind::IllegalUsage, message))
        }
    }
}

//! Who may do what: the roles document, decisions by it, and the automatic checks of tickets.
//! Fetching the document is not here.

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
use crate::check::{CheckError, CheckErrorKind};
use crate::checked::{CheckedServiceTicket, CheckedUserTicket};
use crate::env::BlackboxEnv;
use crate::error::{Error, ErrorKind};
use crate::ids::{TvmId, Uid};
use crate::status::TicketStatus;
use crate::text::TicketType;

/// A roles document, indexed for decisions.
///
/// Memory and time to build it grow with the document only, whatever its attributes are.
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
    /// Parses a document, taken into use at a time.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::MalformedRoles`], saying what is wrong and where.
    pub fn parse(document: &str, applied: SystemTime) -> Result<Self, Error> {
        let document = str_without_mark(document);
        Ok(Self {
            document: Document::parse(document)?,
            raw: document.into(),
            applied,
        })
    }

    /// Returns what the sender of a service ticket may do.
    #[must_use]
    #[doc(alias = "check_service_role")]
    pub fn of_service(&self, ticket: &CheckedServiceTicket<'_>) -> SubjectRoles<'_> {
        self.of_service_id(ticket.src())
    }

    /// Returns what the default user of a user ticket may do.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::IllegalUsage`] if the ticket is not of [`BlackboxEnv::ProdYateam`]: others
    /// have no roles.
    #[doc(alias = "check_user_role")]
    pub fn of_default_uid(
        &self,
        ticket: &CheckedUserTicket<'_>,
    ) -> Result<SubjectRoles<'_>, Error> {
        require_env(ticket)?;
        Ok(self.of_uid(ticket.default_uid()))
    }

    /// Returns what one of the users of a user ticket may do.
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

    /// Returns what a service may do, whether or not a ticket proves that it is the caller.
    #[must_use]
    pub fn of_service_id(&self, id: TvmId) -> SubjectRoles<'_> {
        self.subject(self.document.services.get(&id))
    }

    /// Returns what a user may do, whether or not a ticket proves that it is the caller.
    #[must_use]
    pub fn of_uid(&self, uid: Uid) -> SubjectRoles<'_> {
        self.subject(self.document.users.get(&uid))
    }

    /// Lets a service ticket pass if its sender has an entry in the document, even an empty one.
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

    /// Lets a user ticket pass if its default user has an entry in the document, even an empty
    /// one.
    ///
    /// # Errors
    ///
    /// [`CheckErrorKind::RolesOfOtherEnv`] if the ticket is not of [`BlackboxEnv::ProdYateam`],
    /// although it is good: roles are for that environment only, so asking for them is a mistake
    /// of the asker. Else [`TicketStatus::NoRoles`].
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

    /// Returns when the document was made, in seconds since the epoch.
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

    /// Walks over the services that have an entry, in no order.
    pub fn services(&self) -> impl Iterator<Item = TvmId> {
        self.document.services.keys().copied()
    }

    /// Walks over the users that have an entry, in no order.
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

/// What one service or user may do. A subject without entry may do nothing.
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

    /// Returns whether the subject has the role for an entity with exactly these attributes, in
    /// any order. Without attributes: whether it has it for the entity without attributes.
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

    /// Does what [`entities_with`](Self::entities_with) does for attributes that the caller
    /// promises to give in the order of their keys.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::IllegalUsage`] if the promise is broken or a key comes twice.
    pub fn entities_with_sorted(
        &self,
        role: &str,
        attrs: &[(&str, &str)],
    ) -> Result<Vec<&'r Entity>, Error> {
        index::require_sorted(attrs)?;
        Ok(self.entities_with(role, attrs))
    }

    /// Returns the role's entities as the document has them, `None` without the role.
    #[must_use]
    pub fn entities(
        &self,
        role: &str,
    ) -> Option<impl ExactSizeIterator<Item = &'r Entity> + Clone + use<'r>> {
        self.role(role).map(RoleEntities::iter)
    }

    /// Walks over the roles with their entities as the document has them; the roles come in no
    /// order.
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

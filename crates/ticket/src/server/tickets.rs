//! The checked tickets of a request: how the layer stores them, and how they are retrieved.

use std::ops::Deref;
use std::sync::Arc;

use http::Extensions;

use super::{Refusal, RefusalKind, TicketChecker, header_of};
use crate::engine::checked::{CheckedServiceTicket, CheckedUserTicket};
use crate::engine::roles::{Roles, SubjectRoles};
use crate::engine::text::TicketType;

/// The checked service ticket of a request, which identifies the caller. Clones share it.
///
/// With the feature `axum` it is an extractor; otherwise [`of`](Self::of) and [`find`](Self::find)
/// return it from a request's extensions.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "to be taken apart in arguments")]
pub struct ServiceTicket(pub Arc<CheckedServiceTicket<'static>>);

/// The checked user ticket of a request, which identifies the users. Clones share it.
///
/// With the feature `axum` it is an extractor; otherwise [`of`](Self::of) and [`find`](Self::find)
/// return it from a request's extensions.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "to be taken apart in arguments")]
pub struct UserTicket(pub Arc<CheckedUserTicket<'static>>);

/// A checked service ticket with the roles for authorizing it.
#[derive(Clone, Debug)]
pub struct ServiceRoles {
    ticket: ServiceTicket,
    roles: Arc<Roles>,
}

/// A checked user ticket with the roles for authorizing it, which are those of the default user.
#[derive(Clone, Debug)]
pub struct UserRoles {
    ticket: UserTicket,
    roles: Arc<Roles>,
}

/// What both types of ticket have in common. `$kind` is the type, `$field` where the layer stores
/// it.
macro_rules! ticket {
    ($ticket:ident, $checked:ident, $roles:ident, $kind:expr, $field:ident) => {
        impl $ticket {
            /// Returns the ticket that the layer added to a request's extensions.
            ///
            /// # Errors
            ///
            /// [`RefusalKind::LayerMissing`] if no layer has checked the request, so that a missing
            /// layer is never taken for permission. [`RefusalKind::Missing`] if a layer accepted
            /// the request without a ticket.
            pub fn of(extensions: &Extensions) -> Result<&Self, Refusal> {
                Self::find(extensions)?.ok_or_else(|| missing($kind))
            }

            /// Returns the ticket, or `None` if the layer accepted the request without one.
            ///
            /// # Errors
            ///
            /// [`RefusalKind::LayerMissing`] if no layer has checked the request.
            pub fn find(extensions: &Extensions) -> Result<Option<&Self>, Refusal> {
                match extensions.get::<Tickets>().map(|tickets| &tickets.$field) {
                    Some(Look::Found(ticket)) => Ok(Some(ticket)),
                    Some(Look::None) => Ok(None),
                    Some(Look::Unseen) | None => Err(unseen($kind)),
                }
            }
        }

        impl Deref for $ticket {
            type Target = $checked<'static>;

            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        impl From<$checked<'static>> for $ticket {
            fn from(ticket: $checked<'static>) -> Self {
                Self(Arc::new(ticket))
            }
        }

        impl $roles {
            /// Returns the ticket that the layer added to a request's extensions, with the current
            /// roles.
            ///
            /// # Errors
            ///
            /// [`RefusalKind::LayerMissing`] and [`RefusalKind::Missing`] as for the ticket alone,
            /// [`RefusalKind::Unjudged`] if no roles are available.
            pub fn of(extensions: &Extensions) -> Result<Self, Refusal> {
                let ticket = $ticket::of(extensions)?.clone();
                let roles = Tickets::roles(extensions)?;
                Ok(Self { ticket, roles })
            }

            /// Returns the ticket.
            #[must_use]
            pub fn ticket(&self) -> &$ticket {
                &self.ticket
            }

            /// Requires the role, for any entity or none.
            ///
            /// # Errors
            ///
            /// [`RefusalKind::NoRole`]; for users also the error of [`UserRoles::all`].
            pub fn require(&self, role: &str) -> Result<(), Refusal> {
                self.require_any(&[role])
            }

            /// Requires the role for an entity with exactly these attributes.
            ///
            /// # Errors
            ///
            /// [`RefusalKind::NoRole`]; for users also the error of [`UserRoles::all`].
            pub fn require_entity(
                &self,
                role: &str,
                attrs: &[(&str, &str)],
            ) -> Result<(), Refusal> {
                match self.held()?.has_entity(role, attrs) {
                    true => Ok(()),
                    false => Err(no_role($kind, &[role])),
                }
            }

            /// Requires at least one of the roles. With an empty list, always refuses.
            pub(super) fn require_any(&self, roles: &[impl AsRef<str>]) -> Result<(), Refusal> {
                let held = self.held()?;
                match roles.iter().any(|role| held.has(role.as_ref())) {
                    true => Ok(()),
                    false => Err(no_role($kind, roles)),
                }
            }
        }
    };
}

ticket!(
    ServiceTicket,
    CheckedServiceTicket,
    ServiceRoles,
    TicketType::Service,
    service
);
ticket!(
    UserTicket,
    CheckedUserTicket,
    UserRoles,
    TicketType::User,
    user
);

impl ServiceRoles {
    /// Returns all roles of the calling service.
    #[must_use]
    pub fn all(&self) -> SubjectRoles<'_> {
        self.roles.of_service(&self.ticket)
    }

    fn held(&self) -> Result<SubjectRoles<'_>, Refusal> {
        Ok(self.all())
    }
}

impl UserRoles {
    /// Returns all roles of the default user.
    ///
    /// # Errors
    ///
    /// [`RefusalKind::RolesOfOtherEnv`] if the ticket is of an environment whose users have no
    /// roles.
    pub fn all(&self) -> Result<SubjectRoles<'_>, Refusal> {
        self.roles.of_default_uid(&self.ticket).map_err(|error| {
            Refusal::new(RefusalKind::RolesOfOtherEnv, error.message().to_owned()).logged()
        })
    }

    fn held(&self) -> Result<SubjectRoles<'_>, Refusal> {
        self.all()
    }
}

/// The findings of layers about a request. A layer adds this to every request that it accepts, to
/// distinguish "without a ticket" from "not checked".
#[derive(Clone, Debug)]
pub(super) struct Tickets {
    pub(super) checker: Arc<dyn TicketChecker>,
    pub(super) service: Look<ServiceTicket>,
    pub(super) user: Look<UserTicket>,
}

#[derive(Clone, Debug)]
pub(super) enum Look<T> {
    /// No layer has checked it.
    Unseen,
    /// The request has none.
    None,
    Found(T),
}

impl Tickets {
    /// Refuses a request for which no layer has checked either type of ticket.
    pub(super) fn require_layer(extensions: &Extensions) -> Result<(), Refusal> {
        match extensions.get::<Self>() {
            Some(Self {
                service: Look::Unseen,
                user: Look::Unseen,
                ..
            })
            | None => Err(not_behind_layer("a checked ticket")),
            Some(_) => Ok(()),
        }
    }

    /// Gets the roles from the checker of the innermost layer.
    fn roles(extensions: &Extensions) -> Result<Arc<Roles>, Refusal> {
        let roles = extensions
            .get::<Self>()
            .and_then(|tickets| tickets.checker.roles());
        roles.ok_or_else(|| {
            Refusal::new(RefusalKind::Unjudged, "There are no roles at hand").logged()
        })
    }
}

pub(super) fn missing(ticket_type: TicketType) -> Refusal {
    let message = format!("{} is missing", header_of(ticket_type));
    Refusal::new(RefusalKind::Missing(ticket_type), message).logged()
}

fn unseen(ticket_type: TicketType) -> Refusal {
    not_behind_layer(header_of(ticket_type))
}

fn not_behind_layer(what: &str) -> Refusal {
    let message = format!(
        "This route needs {what} and is not behind a ticket::server::TicketLayer that looks for it"
    );
    Refusal::new(RefusalKind::LayerMissing, message).logged()
}

fn no_role(ticket_type: TicketType, roles: &[impl AsRef<str>]) -> Refusal {
    let who = match ticket_type {
        TicketType::Service => "services",
        TicketType::User => "users",
    };
    let message = format!("Only for {who} with the role {}", any_of(roles));
    Refusal::new(RefusalKind::NoRole(ticket_type), message).logged()
}

pub(super) fn any_of(names: &[impl AsRef<str>]) -> String {
    let names: Vec<_> = names.iter().map(AsRef::as_ref).collect();
    names.join(" or ")
}

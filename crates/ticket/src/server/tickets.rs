//! The checked tickets of a request: where the layer leaves them, and how they are found again.

use std::ops::Deref;
use std::sync::Arc;

use http::Extensions;

use super::{Refusal, RefusalKind, TicketChecker, header_of};
use crate::checked::{CheckedServiceTicket, CheckedUserTicket};
use crate::roles::{Roles, SubjectRoles};
use crate::text::TicketType;

/// The checked service ticket of a request: who calls. Clones share it.
///
/// With the feature `axum` an extractor; elsewhere [`of`](Self::of) and [`find`](Self::find) take
/// it out of a request's extensions.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "to be taken apart in arguments")]
pub struct ServiceTicket(pub Arc<CheckedServiceTicket<'static>>);

/// The checked user ticket of a request: for whom. Clones share it.
///
/// With the feature `axum` an extractor; elsewhere [`of`](Self::of) and [`find`](Self::find) take
/// it out of a request's extensions.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "to be taken apart in arguments")]
pub struct UserTicket(pub Arc<CheckedUserTicket<'static>>);

/// A checked service ticket with the roles that it is judged by.
#[derive(Clone, Debug)]
pub struct ServiceRoles {
    ticket: ServiceTicket,
    roles: Arc<Roles>,
}

/// A checked user ticket with the roles that it is judged by. They are those of the default user.
#[derive(Clone, Debug)]
pub struct UserRoles {
    ticket: UserTicket,
    roles: Arc<Roles>,
}

/// What both types of ticket have alike. `$kind` is the type, `$field` where the layer leaves it.
macro_rules! ticket {
    ($ticket:ident, $checked:ident, $roles:ident, $kind:expr, $field:ident) => {
        impl $ticket {
            /// Returns the ticket that the layer left in a request's extensions.
            ///
            /// # Errors
            ///
            /// [`RefusalKind::LayerMissing`] if no layer has looked for one: never let pass by
            /// mistake. [`RefusalKind::Missing`] if one has, and let the request pass without.
            pub fn of(extensions: &Extensions) -> Result<&Self, Refusal> {
                Self::find(extensions)?.ok_or_else(|| missing($kind))
            }

            /// Returns the ticket, or `None` if the layer let the request pass without.
            ///
            /// # Errors
            ///
            /// [`RefusalKind::LayerMissing`] if no layer has looked for one.
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
            /// Returns the ticket that the layer left in a request's extensions, with the roles
            /// that are known now.
            ///
            /// # Errors
            ///
            /// [`RefusalKind::LayerMissing`] and [`RefusalKind::Missing`] as for the ticket
            /// alone, [`RefusalKind::Unjudged`] if there are no roles at hand.
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

            /// Lets pass who has the role, for any entity or none.
            ///
            /// # Errors
            ///
            /// [`RefusalKind::NoRole`]; for users, what [`UserRoles::all`] says.
            pub fn require(&self, role: &str) -> Result<(), Refusal> {
                self.require_any(&[role])
            }

            /// Lets pass who has the role for an entity with exactly these attributes.
            ///
            /// # Errors
            ///
            /// [`RefusalKind::NoRole`]; for users, what [`UserRoles::all`] says.
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

            /// Lets pass who has at least one of the roles. Of none: nobody.
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
    /// Returns all that the calling service may do.
    #[must_use]
    pub fn all(&self) -> SubjectRoles<'_> {
        self.roles.of_service(&self.ticket)
    }

    fn held(&self) -> Result<SubjectRoles<'_>, Refusal> {
        Ok(self.all())
    }
}

impl UserRoles {
    /// Returns all that the default user may do.
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

/// What layers have found out about a request: the mark of a layer on every request that it lets
/// pass, so that "brings no ticket" and "nobody looked" are told apart.
#[derive(Clone, Debug)]
pub(super) struct Tickets {
    pub(super) checker: Arc<dyn TicketChecker>,
    pub(super) service: Look<ServiceTicket>,
    pub(super) user: Look<UserTicket>,
}

#[derive(Clone, Debug)]
pub(super) enum Look<T> {
    /// No layer was to look.
    Unseen,
    /// The request brings none.
    None,
    Found(T),
}

impl Tickets {
    /// Refuses a request that no layer has looked at for either type of ticket.
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

    /// Asks the checker of the innermost layer.
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

//! The layer that checks the tickets of incoming requests. Rules on valid tickets are in
//! `guard.rs`.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use tower_layer::Layer;
use vouchsafe_core::server::{Check, CheckService, mark_sensitive, single};

use super::guard::{Rule, rules};
use super::tickets::{Look, Tickets, missing};
use super::{Guard, Refusal, RefusalKind, SERVICE_TICKET, TicketChecker, USER_TICKET, header_of};
use crate::engine::check::{CheckError, CheckErrorKind};
use crate::engine::ids::TvmId;
use crate::engine::status::TicketStatus;
use crate::engine::text::{LONGEST, TicketType};

/// Checks the tickets of incoming requests, and adds valid ones to their extensions as
/// [`ServiceTicket`](super::ServiceTicket) and [`UserTicket`](super::UserTicket).
///
/// By default a service ticket is required and a user ticket is optional, but must be valid if it
/// is present.
///
/// | the ticket | answer |
/// | --- | --- |
/// | is required, and its header is missing or empty | 401 `service_ticket_missing`, `user_ticket_missing` |
/// | is not valid | 401 `service_ticket_refused`, `user_ticket_refused`, with the status |
/// | occurs more than once | 400 `service_ticket_repeated`, `user_ticket_repeated` |
/// | is valid, but its subject has no roles although the checker requires one | 403 `service_role_missing`, `user_role_missing` |
/// | cannot be checked: no keys, stopped, not configured for this type | 503 `tickets_unjudged` |
/// | is valid, but the checker requires roles that users of its environment cannot have | 500 `roles_of_other_env` |
/// | breaks a rule of the layer | as with [`Guard`] |
///
/// A ticket that is not ASCII, or longer than 64 KiB, is [`TicketStatus::Malformed`] and not passed
/// to the checker. A refused request never reaches the service. Its refusal is logged: at debug
/// level if the request is at fault, and as a warning if the service is. Both headers are marked
/// sensitive and stay on the request, so that a service can pass a user ticket on.
///
/// The layer never waits and takes no lock. In addition to the check itself, a valid ticket is
/// copied once without its signature, and shared from then on.
///
/// ```
/// use http::Request;
/// use vouchsafe_ticket::server::{ContextChecker, RefusalKind, TicketLayer};
/// use vouchsafe_ticket::TicketType;
///
/// let layer = TicketLayer::new(ContextChecker::new());
/// let mut request = Request::builder().body(())?;
/// let refusal = layer.check(&mut request).unwrap_err();
/// assert_eq!(refusal.kind(), RefusalKind::Missing(TicketType::Service));
/// assert_eq!(refusal.status(), 401);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct TicketLayer {
    checker: Arc<dyn TicketChecker>,
    service: Presence,
    user: Presence,
    guard: Guard,
}

/// Whether a request must bring a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "must, may, or is not looked at")]
pub enum Presence {
    /// A request without it is refused.
    Required,
    /// A request without it passes; an invalid one is refused.
    Optional,
    /// The layer ignores it. The findings of an outer layer stay.
    Ignored,
}

impl TicketLayer {
    /// Creates a layer that requires a service ticket and checks a user ticket if there is one.
    pub fn new(checker: impl TicketChecker) -> Self {
        Self {
            checker: Arc::new(checker),
            service: Presence::Required,
            user: Presence::Optional,
            guard: Guard::new(),
        }
    }

    /// Sets whether a request must have a service ticket. Default: [`Presence::Required`].
    ///
    /// Without one, the sender of the request is unknown.
    pub fn service_ticket(mut self, presence: Presence) -> Self {
        self.service = presence;
        self
    }

    /// Sets whether a request must have a user ticket. Default: [`Presence::Optional`].
    pub fn user_ticket(mut self, presence: Presence) -> Self {
        self.user = presence;
        self
    }

    rules!();

    /// Adds the tickets to a request, or returns a refusal.
    ///
    /// This is all that the layer does, for servers that do not use tower.
    ///
    /// # Errors
    ///
    /// See the table above. The refusal has already been logged.
    pub fn check<B>(&self, request: &mut Request<B>) -> Result<(), Refusal> {
        let headers = request.headers_mut();
        mark_sensitive(headers, SERVICE_TICKET);
        mark_sensitive(headers, USER_TICKET);

        let service = look(TicketType::Service, self.service, headers, |text| {
            let ticket = self.checker.check_service(text)?;
            Ok(ticket.into_owned().into())
        })?;
        let user = look(TicketType::User, self.user, headers, |text| {
            let ticket = self.checker.check_user(text)?;
            Ok(ticket.into_owned().into())
        })?;

        let extensions = request.extensions_mut();
        let outer = extensions.remove::<Tickets>();
        let (outer_service, outer_user) = match outer {
            Some(outer) => (outer.service, outer.user),
            None => (Look::Unseen, Look::Unseen),
        };
        extensions.insert(Tickets {
            checker: Arc::clone(&self.checker),
            service: service.unwrap_or(outer_service),
            user: user.unwrap_or(outer_user),
        });
        self.guard.check_rules(extensions)
    }

    fn guard(&mut self) -> &mut Guard {
        &mut self.guard
    }
}

impl Check for TicketLayer {
    fn check<A, B: From<Bytes>>(&self, request: &mut Request<A>) -> Result<(), Response<B>> {
        self.check(request).map_err(|refusal| refusal.to_response())
    }
}

impl<S> Layer<S> for TicketLayer {
    type Service = TicketService<S>;

    fn layer(&self, inner: S) -> TicketService<S> {
        TicketService::new(inner, Arc::new(self.clone()))
    }
}

/// A service behind a [`TicketLayer`].
pub type TicketService<S> = CheckService<S, TicketLayer>;

/// Checks one type of ticket; `None` if it is ignored.
fn look<T>(
    ticket_type: TicketType,
    presence: Presence,
    headers: &HeaderMap,
    check: impl FnOnce(&str) -> Result<T, CheckError>,
) -> Result<Option<Look<T>>, Refusal> {
    if presence == Presence::Ignored {
        return Ok(None);
    }
    let header = header_of(ticket_type);
    let value = single(headers, header).map_err(|fault| {
        let message = format!("{header} {fault}");
        Refusal::new(RefusalKind::Repeated(ticket_type), message).logged()
    })?;
    let Some(value) = value else {
        return match presence {
            Presence::Required => Err(missing(ticket_type)),
            _ => Ok(Some(Look::None)),
        };
    };
    let text = Some(value).filter(|value| value.is_ascii() && value.len() <= LONGEST);
    let text = text.and_then(|value| std::str::from_utf8(value).ok());
    let checked = text.ok_or_else(|| malformed(ticket_type)).and_then(check);
    match checked {
        Ok(ticket) => Ok(Some(Look::Found(ticket))),
        Err(error) => Err(Refusal::of_check(ticket_type, error)),
    }
}

fn malformed(ticket_type: TicketType) -> CheckError {
    let kind = CheckErrorKind::Refused(TicketStatus::Malformed);
    CheckError::new(kind, ticket_type, Vec::new())
}

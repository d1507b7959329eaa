//! Answers to refused requests.

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use vouchsafe_core::server::{Failure, Loudness};

use super::header_of;
use crate::engine::check::{CheckError, CheckErrorKind};
use crate::engine::status::TicketStatus;
use crate::engine::text::TicketType;
use crate::error::{Error, ErrorKind};

vouchsafe_core::refusal! {
    /// Why a request was refused, and the answer to it.
    ///
    /// The body is a problem document (RFC 9457) with two additional members:
    ///
    /// ```json
    /// {"type": "about:blank", "title": "Unauthorized", "status": 401,
    ///  "detail": "X-Ya-Service-Ticket: Expired ticket",
    ///  "code": "service_ticket_refused", "ticket_status": "Expired"}
    /// ```
    ///
    /// No text of a refusal includes the ticket or its signature.
    Refusal, RefusalKind
}

impl Refusal {
    /// Returns the refusal for a failed check. It distinguishes valid tickets without permission
    /// from invalid ones, and both from those that cannot be checked.
    pub(super) fn of_check(ticket_type: TicketType, error: CheckError) -> Self {
        let header = header_of(ticket_type);
        let (kind, message) = match error.kind() {
            CheckErrorKind::Refused(TicketStatus::NoRoles) => (
                RefusalKind::NoRole(ticket_type),
                format!("{header}: {}", TicketStatus::NoRoles),
            ),
            CheckErrorKind::Refused(status) => (
                RefusalKind::Refused(ticket_type, status),
                format!("{header}: {status}"),
            ),
            CheckErrorKind::RolesOfOtherEnv(_) => (
                RefusalKind::RolesOfOtherEnv,
                "This service checks the roles of users, and only those of ProdYateam have any: it has \
                 to call without_default_uid_check(), or to check user tickets of ProdYateam"
                    .to_owned(),
            ),
            _ => (
                RefusalKind::Unjudged,
                format!("{header}: cannot be checked at present"),
            ),
        };
        Self(Self::new(kind, message).0.with_source(error)).logged()
    }
}

/// The answer to a request whose handler's call to a client failed, already logged: `?` in a
/// handler that returns a [`Refusal`] creates it. The table of [`Failure`] shows its status.
impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let failure = match error.kind() {
            // The authority may have it later.
            ErrorKind::MissingServiceTicket | ErrorKind::Start | ErrorKind::Stopped => {
                Failure::Unavailable
            }
            ErrorKind::Core(_) => Failure::of(error.core()),
            _ => Failure::Internal,
        };
        let refusal = Self::new(RefusalKind::CallFailed(failure), failure.message());
        let wait = error.retry_after();
        Self(refusal.0.with_retry_after(wait).with_source(error)).logged()
    }
}

/// Why a request was refused. Each kind has one status and one `code` in the body; where both types
/// of ticket have one, the codes begin with `service_` or `user_`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalKind {
    /// 401 `service_ticket_missing`, `user_ticket_missing`: the request needs such a ticket but has
    /// none.
    Missing(TicketType),
    /// 400 `service_ticket_repeated`, `user_ticket_repeated`: the header occurs more than once.
    Repeated(TicketType),
    /// 401 `service_ticket_refused`, `user_ticket_refused`: the ticket is not valid, with the
    /// status of its check.
    Refused(TicketType, TicketStatus),
    /// 403 `source_not_allowed`: the ticket is valid, but its service may not call this.
    SourceNotAllowed,
    /// 403 `service_role_missing`, `user_role_missing`: the ticket is valid, but its service or
    /// default user does not have the role.
    NoRole(TicketType),
    /// 403 `service_scope_missing`, `user_scope_missing`: the ticket is valid, but not for this.
    NoScope(TicketType),
    /// 503 `tickets_unjudged`: there are no keys or roles, or the client was stopped or is not
    /// configured for this.
    Unjudged,
    /// 500 `roles_of_other_env`: the service requires roles of users that cannot have any.
    RolesOfOtherEnv,
    /// A call made by the handler failed: the status and `code` are those of the failure.
    CallFailed(Failure),
    /// 500 `layer_missing`: the route needs a ticket that no [`TicketLayer`](super::TicketLayer)
    /// has checked.
    LayerMissing,
}

impl vouchsafe_core::server::RefusalKind for RefusalKind {
    const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

    fn traits(self) -> (StatusCode, &'static str, Loudness) {
        use Loudness::{Debug, Warn};
        use TicketType::{Service, User};
        const SETUP: StatusCode = StatusCode::INTERNAL_SERVER_ERROR;
        let (status, code) = match self {
            Self::Missing(Service) => (StatusCode::UNAUTHORIZED, "service_ticket_missing"),
            Self::Missing(User) => (StatusCode::UNAUTHORIZED, "user_ticket_missing"),
            Self::Repeated(Service) => (StatusCode::BAD_REQUEST, "service_ticket_repeated"),
            Self::Repeated(User) => (StatusCode::BAD_REQUEST, "user_ticket_repeated"),
            Self::Refused(Service, _) => (StatusCode::UNAUTHORIZED, "service_ticket_refused"),
            Self::Refused(User, _) => (StatusCode::UNAUTHORIZED, "user_ticket_refused"),
            Self::SourceNotAllowed => (StatusCode::FORBIDDEN, "source_not_allowed"),
            Self::NoRole(Service) => (StatusCode::FORBIDDEN, "service_role_missing"),
            Self::NoRole(User) => (StatusCode::FORBIDDEN, "user_role_missing"),
            Self::NoScope(Service) => (StatusCode::FORBIDDEN, "service_scope_missing"),
            Self::NoScope(User) => (StatusCode::FORBIDDEN, "user_scope_missing"),
            Self::Unjudged => (StatusCode::SERVICE_UNAVAILABLE, "tickets_unjudged"),
            Self::RolesOfOtherEnv => (SETUP, "roles_of_other_env"),
            Self::CallFailed(failure) => {
                return (failure.status(), failure.code(), failure.loudness());
            }
            Self::LayerMissing => (SETUP, "layer_missing"),
        };
        (
            status,
            code,
            if status.is_server_error() {
                Warn
            } else {
                Debug
            },
        )
    }

    fn body(self, message: &str) -> Bytes {
        #[derive(Serialize)]
        struct Problem<'a> {
            r#type: &'static str,
            title: &'static str,
            status: u16,
            detail: &'a str,
            code: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            ticket_status: Option<&'static str>,
        }
        let (status, code, _) = self.traits();
        let problem = Problem {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: message,
            code,
            ticket_status: match self {
                Self::Refused(_, status) => Some(status.name()),
                _ => None,
            },
        };
        // Texts and a number can always be written as JSON; if not, the status is sufficient.
        serde_json::to_vec(&problem).unwrap_or_default().into()
    }

    /// No scheme is registered for tickets: the name of the header says what is required.
    fn challenge(self) -> HeaderValue {
        let (Self::Missing(ticket_type) | Self::Refused(ticket_type, _)) = self else {
            return HeaderValue::from_static(header_of(TicketType::Service));
        };
        HeaderValue::from_static(header_of(ticket_type))
    }
}

//! Failures of the ticket client and engine, and hints about them.

use vouchsafe::ticket;

use crate::failure::Failure;

impl From<ticket::Error> for Failure {
    fn from(error: ticket::Error) -> Self {
        let failure = Self::from(error.core().clone());
        let kind = match error.kind() {
            ticket::ErrorKind::MalformedKeys => "malformed_keys",
            ticket::ErrorKind::EmptyKeys => "empty_keys",
            ticket::ErrorKind::MalformedSecret => "malformed_secret",
            ticket::ErrorKind::MalformedRoles => "malformed_roles",
            ticket::ErrorKind::BrokenSettings => "broken_settings",
            ticket::ErrorKind::MissingServiceTicket => "missing_service_ticket",
            ticket::ErrorKind::PermissionDenied => "permission_denied",
            ticket::ErrorKind::Start => "start",
            _ => return failure,
        };
        let failure = failure.kind(kind);
        match error.kind() {
            // It was called, and its answer is not caused by the arguments.
            ticket::ErrorKind::Start => failure.after_asking(),
            _ => failure,
        }
    }
}

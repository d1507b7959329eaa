//! The services, for requests with a valid token and the right scope.

use std::time::SystemTime;

use http::Method;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use vouchsafe_core::call::Operation;
use vouchsafe_core::mock::form::header;
use vouchsafe_core::mock::respond;
use vouchsafe_core::mock::route::Found;
use vouchsafe_core::transport::{Request, Response};

use super::refusal::{of_service, of_service_too_many};
use super::state::State;
use super::token::bearer;
pub(super) use crate::generated::cloud_credentials::routes::Op;
use crate::generated::cloud_credentials::{operations, routes};

/// Finds the operation of a request.
pub(super) fn find(method: &Method, path: &str) -> Found<Op> {
    routes::find(method, path)
}

/// Returns the operations of the services.
pub(super) fn operations() -> impl Iterator<Item = &'static Operation> {
    operations::ALL.iter().copied()
}

impl State {
    /// Answers a request to one of the services.
    pub(super) fn serve(
        &mut self,
        op: Op,
        params: &[String],
        request: &Request,
        now: SystemTime,
    ) -> Response {
        if let Some(wait) = self.api_window.count(self.settings.api_rate, now) {
            return of_service_too_many(wait);
        }
        let token = header(request, AUTHORIZATION.as_str()).and_then(bearer);
        let known = token.map(|token| self.good_access_token(token, now));
        let challenge = match known {
            // Without a token there is no error (RFC 6750, 3.1).
            None => "Bearer",
            Some(None) => "Bearer error=\"invalid_token\"",
            Some(Some(known)) => {
                let scope = scope(op);
                if known.scopes.iter().any(|own| own == scope) {
                    self.counts.served += 1;
                    return self.consumers.answer(op, params, request);
                }
                let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
                let refused = of_service(403, "forbidden", "the token lacks a scope");
                return challenged(refused, &challenge);
            }
        };
        self.counts.unauthorized += 1;
        let message = "the access token is missing, unknown or expired";
        challenged(of_service(401, "unauthorized", message), challenge)
    }
}

fn challenged(mut response: Response, challenge: &str) -> Response {
    respond::put(&mut response.headers, WWW_AUTHENTICATE, challenge);
    response
}

/// Returns the scope that an operation needs.
fn scope(op: Op) -> &'static str {
    match op {
        Op::WriteLogs => "logging-service:write",
        Op::PollEvents
        | Op::AcknowledgeEvents
        | Op::RefuseEvents
        | Op::FlushEvents
        | Op::GetEventFilters
        | Op::SetEventFilters => "event-service:read",
        Op::GetDirectoryAttributes
        | Op::GetDirectoryDomains
        | Op::CountDirectoryObjects
        | Op::QueryDirectory => "directory-sync-service:read",
        Op::CreateLogQuery
        | Op::PollLogQuery
        | Op::DeleteLogQuery
        | Op::ListQueryJobs
        | Op::CreateQueryJob
        | Op::GetQueryJob
        | Op::CancelQueryJob
        | Op::GetQueryResults => "logging-service:read",
    }
}

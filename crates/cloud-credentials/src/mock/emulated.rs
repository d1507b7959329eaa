//! Which endpoint answers a request.

use std::time::SystemTime;

use http::header::ALLOW;
use http::{Method, Uri};
use serde_json::{Value, json};
use vouchsafe_core::call::Operation;
use vouchsafe_core::mock::route::Found;
use vouchsafe_core::mock::{Action, Emulated, respond};
use vouchsafe_core::timestamp::unix_seconds;
use vouchsafe_core::transport::{Request, Response};

use super::refusal::{Outcome, Refusal, of_service};
use super::routes::{self, Endpoint};
use super::state::State;
use super::{api, manage};

impl State {
    fn endpoint(&mut self, endpoint: Endpoint, request: &Request, now: SystemTime) -> Response {
        let is_page = matches!(
            endpoint,
            Endpoint::Authorize
                | Endpoint::Decide
                | Endpoint::VerifyDevice
                | Endpoint::DecideDevice
        );
        if is_page {
            return match endpoint {
                Endpoint::Authorize | Endpoint::Decide => self.authorize(request, now),
                _ => self.verify_device(request, now),
            };
        }
        if endpoint == Endpoint::Metadata {
            return self.metadata(request);
        }
        let answer = match self.token_window.count(self.settings.token_rate, now) {
            Some(wait) => Err(Refusal::too_many(wait)),
            None => self.machine(endpoint, request, now),
        };
        answer.unwrap_or_else(|refusal| {
            let count = self.counts.refusals.entry(refusal.code.to_owned());
            *count.or_default() += 1;
            refusal.response()
        })
    }

    fn machine(&mut self, endpoint: Endpoint, request: &Request, now: SystemTime) -> Outcome {
        match endpoint {
            Endpoint::Token => self.token(request, now),
            Endpoint::Revoke => self.revoke(request),
            Endpoint::AuthorizeDevice => self.authorize_device(request, now),
            _ => self.redeem(request, now),
        }
    }
}

impl Emulated for State {
    fn handle(&mut self, request: &Request, now: SystemTime) -> Response {
        let (method, path) = (&request.method, request.uri.path());
        match routes::find(method, path) {
            Found::Route { op, .. } => self.endpoint(op, request, now),
            Found::WrongMethod { allow } => wrong_method(&allow),
            Found::TrailingSlash | Found::Nothing => match api::find(method, path) {
                Found::Route { op, params, .. } => self.serve(op, &params, request, now),
                Found::WrongMethod { allow } => wrong_method(&allow),
                Found::TrailingSlash | Found::Nothing => {
                    of_service(404, "not_found", "there is no such path")
                }
            },
        }
    }

    fn operation(&self, method: &Method, uri: &Uri) -> Option<&'static str> {
        if let Found::Route { operation, .. } = routes::find(method, uri.path()) {
            return Some(operation.id());
        }
        match api::find(method, uri.path()) {
            Found::Route { operation, .. } => Some(operation.id()),
            _ => None,
        }
    }

    fn operations(&self) -> Vec<&'static Operation> {
        routes::operations().chain(api::operations()).collect()
    }

    fn credential_headers() -> &'static [&'static str] {
        &["authorization"]
    }

    fn actions() -> &'static [Action] {
        manage::ACTIONS
    }

    fn act(&mut self, action: &str, body: &[u8], now: SystemTime) -> vouchsafe_core::Result<Value> {
        self.do_action(action, body, now)
    }

    fn snapshot(&self, now: SystemTime) -> Value {
        let is_good = |token: &&String| self.good_access_token(token, now).is_some();
        let counts = &self.counts;
        let logins = self.grants.iter().map(|grant| {
            json!({"client_id": grant.client, "scopes": grant.scopes, "revoked": grant.is_revoked})
        });
        json!({
            "now": unix_seconds(now),
            "clients": self.clients.keys().collect::<Vec<_>>(),
            "logins": logins.collect::<Vec<_>>(),
            "good_access_tokens": self.access_tokens.keys().filter(is_good).count(),
            "pending_devices": self.devices.values().filter(|d| d.answer.is_none()).count(),
            "token_requests": counts.token_requests,
            "refusals": counts.refusals,
            "revocations": counts.revocations,
            "directory_objects": self.consumers.directory.len(),
            "served": counts.served,
            "unauthorized": counts.unauthorized,
        })
    }
}

fn wrong_method(allow: &[Method]) -> Response {
    let mut response = of_service(405, "method_not_allowed", "the path has only other methods");
    let methods: Vec<_> = allow.iter().map(Method::as_str).collect();
    respond::put(&mut response.headers, ALLOW, &methods.join(", "));
    response
}

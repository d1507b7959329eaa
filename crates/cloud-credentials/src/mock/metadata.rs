//! The metadata of the server (RFC 8414).

use http::header::CACHE_CONTROL;
use serde_json::json;
use vouchsafe_core::mock::respond;
use vouchsafe_core::transport::{Request, Response};

use super::routes;
use super::settings::Method;
use super::state::{State, origin};
use super::token::GRANT_TYPES;
use crate::credentials::{REQUEST_TOKEN, REVOKE_TOKEN};

impl State {
    /// Answers with the endpoints and their capabilities.
    pub(super) fn metadata(&self, request: &Request) -> Response {
        let settings = &self.settings;
        let at = |path: &str| format!("{}{path}", origin(&request.uri));
        let methods = settings.client_authentication.iter().copied();
        let methods: Vec<_> = methods.map(Method::name).collect();
        let mut scopes: Vec<_> = self.clients.values().flat_map(|c| &c.scopes).collect();
        scopes.sort_unstable();
        scopes.dedup();
        let body = json!({
            "issuer": self.issuer(request),
            "authorization_endpoint": at(routes::AUTHORIZE),
            "token_endpoint": at(REQUEST_TOKEN.path()),
            "revocation_endpoint": at(REVOKE_TOKEN.path()),
            "device_authorization_endpoint": at(routes::DEVICE),
            "scopes_supported": scopes,
            "response_types_supported": ["code"],
            "grant_types_supported": GRANT_TYPES,
            "token_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_methods_supported": methods,
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": settings.sends_issuer,
        });
        let mut response = respond::json(200, &body);
        respond::put(&mut response.headers, CACHE_CONTROL, "max-age=300");
        response
    }
}

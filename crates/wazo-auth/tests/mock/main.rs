//! What a user of the emulator relies on, over the real client.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test")]

mod configurations;
mod isolation;
mod ldap;
mod legacy;
mod order;
mod registration;
mod routes;
mod rules;
mod sessions;
mod status;
mod tenants;
mod world;

use http::{HeaderValue, Method};
use serde_json::Value;
use vouchsafe_wazo_auth::Secret;
use vouchsafe_wazo_auth::core::transport::{Request, Response};
use vouchsafe_wazo_auth::mock::Server;

/// Sends a request that the client does not send, with a body if one is given.
fn raw(
    server: &Server,
    method: Method,
    path: &str,
    token: Option<&Secret>,
    body: Option<&Value>,
) -> Response {
    let uri = format!("http://wazo.example.com{path}").parse().unwrap();
    let mut request = Request::new(method, uri);
    if let Some(token) = token {
        let value = HeaderValue::from_str(token.expose()).unwrap();
        request.headers.insert("x-auth-token", value);
    }
    if let Some(body) = body {
        request.body = body.to_string().into();
    }
    server.handle(&request)
}

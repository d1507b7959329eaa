//! Asking an emulator without a client, so that what is seen is what it sends.

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Uri};
use serde_json::Value;
use vouchsafe_astakos::mock::Server;
use vouchsafe_core::Secret;
use vouchsafe_core::transport::Request;

/// The kind of caller.
pub(super) struct Asking<'s> {
    server: &'s Server,
    token: Secret,
}

impl<'s> Asking<'s> {
    pub(super) fn user(server: &'s Server, name: &str) -> Self {
        let token = server.user_token(&format!("{name}@example.org")).unwrap();
        Self { server, token }
    }

    pub(super) fn component(server: &'s Server, name: &str) -> Self {
        let token = server.service_token(name).unwrap();
        Self { server, token }
    }

    pub(super) fn get(&self, path: &str) -> (u16, Value) {
        self.send(Method::GET, path, None)
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send(Method::POST, path, Some(body))
    }

    pub(super) fn put(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send(Method::PUT, path, Some(body))
    }

    fn send(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let uri = format!("https://h/astakos/account/v1.0/{path}");
        let mut request = Request::new(method, uri.parse::<Uri>().unwrap());
        let token = HeaderValue::from_str(self.token.expose()).unwrap();
        request.headers.insert("x-auth-token", token);
        if let Some(body) = body {
            let json = HeaderValue::from_static("application/json");
            request.headers.insert(CONTENT_TYPE, json);
            request.body = body.to_string().into();
        }
        let response = self.server.handle(&request);
        let body = serde_json::from_slice(&response.body).unwrap_or_default();
        (response.status.as_u16(), body)
    }
}

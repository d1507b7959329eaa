//! The emulator of both services, asked as a client and as an ingress would.
#![allow(clippy::unwrap_used, reason = "a test")]

mod api;
mod fidelity;
mod handles;
mod ingress;

use http::{HeaderName, HeaderValue, Method};
use serde_json::Value;
use vouchsafe_core::transport::{Request, Response};
use vouchsafe_userinfo::Token;
use vouchsafe_userinfo::mock::Server;

/// A request with what it needs, no more.
struct Ask<'a> {
    server: &'a Server,
    request: Request,
}

impl<'a> Ask<'a> {
    fn new(server: &'a Server, method: Method, path: &str) -> Self {
        let uri = format!("https://mock.example.com{path}").parse().unwrap();
        Self {
            server,
            request: Request::new(method, uri),
        }
    }

    fn get(server: &'a Server, path: &str) -> Self {
        Self::new(server, Method::GET, path)
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).unwrap();
        self.request
            .headers
            .append(HeaderName::from_static(name), value);
        self
    }

    fn by(self, token: &Token) -> Self {
        self.header(
            "authorization",
            &format!("Bearer {}", token.secret().expose()),
        )
    }

    fn body(mut self, body: &Value) -> Self {
        self.request.body = body.to_string().into();
        self.header("content-type", "application/json")
    }

    fn raw(mut self, body: &'static str) -> Self {
        self.request.body = body.into();
        self.header("content-type", "application/json; charset=utf-8")
    }

    fn send(self) -> Response {
        self.server.handle(&self.request)
    }

    fn seen(self) -> (u16, Value) {
        let response = self.send();
        (response.status.as_u16(), json_of(&response))
    }

    /// Status and, of a refusal, the first type.
    fn told(self) -> (u16, String) {
        let (status, body) = self.seen();
        let detail = &body["detail"];
        let item = detail.get(0).unwrap_or(detail);
        (status, item["type"].as_str().unwrap_or_default().to_owned())
    }
}

fn json_of(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_default()
}

fn header<'r>(response: &'r Response, name: &str) -> Option<&'r str> {
    response
        .headers
        .get(name)
        .map(|value| value.to_str().unwrap())
}

fn token_of(response: &Response, name: &str) -> Token {
    header(response, name).unwrap().parse().unwrap()
}

const USER_INFO: &str = "/auth/api/v1/user-info";
const TOKENS: &str = "/auth/api/v1/tokens";

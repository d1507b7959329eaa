//! The emulators of Gafaelfawr and Repertoire, with the tokens that they begin with.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderValue, Method, Uri};
use serde_json::{Value, json};
use vouchsafe::core::call::Operation;
use vouchsafe::core::mock::Handler;
use vouchsafe::core::transport::Request;
use vouchsafe::userinfo::mock::{Server, operations};

use crate::bound::Bound;

/// Whose tokens they are.
const USER: &str = "alice";

#[derive(Debug)]
pub(super) struct World {
    server: Server,
    known: Value,
}

impl World {
    pub(super) fn new() -> Self {
        let known = json!({
            "username": [USER, "nobody"],
            "key": ["bound-key"],
            "database": ["metrics"],
            "group": ["admins"],
        });
        let server = Server::new();
        Self { server, known }
    }
}

impl super::World for World {
    fn descriptions(&self) -> Vec<(&'static str, String)> {
        vec![
            ("userinfo/api/gafaelfawr.openapi.yaml", String::new()),
            (
                "userinfo/api/repertoire.openapi.yaml",
                self.server.repertoire_path(),
            ),
        ]
    }

    fn header(&self) -> &'static str {
        "Authorization: Bearer bound-token"
    }

    /// The framework of the server tells only the first method of a path; and it is the ingress that
    /// asks for credentials, so that Repertoire itself answers without them in another way.
    fn unchecked(&self) -> &'static [&'static str] {
        &["allow_header_conformance", "ignored_auth"]
    }

    fn known(&self) -> &Value {
        &self.known
    }

    fn begin(&self) -> Result<Bound, String> {
        self.server.reset();
        let mut bound = Bound::default();
        let scopes = ["admin:token", "admin:userinfo", "read:all", "user:token"];
        let token = self.server.create_token(USER).scopes(scopes).issue();
        bound.set("token", token.secret().expose());
        bound.set("key", self.server.user_token().key());
        Ok(bound)
    }

    fn is_whole(&self, bound: &Bound) -> bool {
        let uri = Uri::from_static("/auth/api/v1/user-info");
        let mut request = Request::new(Method::GET, uri);
        let token = HeaderValue::from_static("Bearer bound-token");
        request.headers.insert(AUTHORIZATION, token);
        let request = super::filled(bound, &request);
        request.is_ok_and(|request| self.server.handle(&request).status == 200)
    }

    fn handler(&self) -> &Arc<dyn Handler> {
        self.server.host().handler()
    }

    fn operations(&self) -> Vec<&'static str> {
        operations().map(Operation::id).collect()
    }

    /// Protocol section 4: the server sorts scopes before it looks at them.
    fn may_fail(&self, operation: &str, request: &Request) -> bool {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let is_sorted = match body.get("scopes") {
            None | Some(Value::String(_)) => true,
            Some(Value::Array(scopes)) => scopes.iter().all(Value::is_string),
            Some(_) => false,
        };
        operation.ends_with("Token") && !is_sorted
    }
}

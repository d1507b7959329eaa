//! The rules of the emulator, which so far are those of its description.

use std::fmt;
use std::time::SystemTime;

use http::{Method, Uri};
use serde_json::{Value, json};
use vouchsafe_core::Secret;
use vouchsafe_core::call::Operation;
use vouchsafe_core::mock::route::Found;
use vouchsafe_core::mock::{Emulated, example};
use vouchsafe_core::transport::{Request, Response};

use crate::client::scheme;
use crate::generated::{{MODULE}}::{operations, routes};

/// What the server knows.
#[derive(Clone)]
pub(super) struct State {
    token: Secret,
}

impl State {
    pub(super) fn new(token: Secret) -> Self {
        Self { token }
    }

    pub(super) fn token(&self) -> Secret {
        self.token.clone()
    }

    fn is_known(&self, request: &Request) -> bool {
        example::presents(request, &*scheme(), &self.token).unwrap_or(false)
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

impl Emulated for State {
    fn handle(&mut self, request: &Request, _: SystemTime) -> Response {
        let found = routes::find(&request.method, request.uri.path());
        // Rules come before the examples: match on the operation, so that none is forgotten.
        example::answer(&found, self.is_known(request), routes::example)
    }

    fn operation(&self, method: &Method, uri: &Uri) -> Option<&'static str> {
        match routes::find(method, uri.path()) {
            Found::Route { operation, .. } => Some(operation.id()),
            _ => None,
        }
    }

    fn operations(&self) -> Vec<&'static Operation> {
        operations::ALL.to_vec()
    }

    fn credential_headers() -> &'static [&'static str] {
        &["{{HEADER}}"]
    }

    fn snapshot(&self, _: SystemTime) -> Value {
        json!({})
    }
}

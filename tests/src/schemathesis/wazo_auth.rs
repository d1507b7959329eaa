//! The emulator of wazo-auth, with an administrator that is there whatever requests do.

use std::sync::Mutex;

use http::{HeaderValue, Method, Uri};
use serde_json::Value;
use vouchsafe::core::call::Operation;
use vouchsafe::core::sync::lock;
use vouchsafe::core::transport::{Request, Response};
use vouchsafe::wazo_auth::Secret;
use vouchsafe::wazo_auth::mock::{Seed, Server, operations};

use super::TOKEN;

/// The user that the emulator begins with.
const ADMIN: &str = "admin";
const ADMIN_PATH: &str = "/0.1/users/8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702";

/// After how many requests the world begins anew, so that lists do not grow without end.
const RESET: u64 = 200;

#[derive(Debug)]
pub(super) struct Subject {
    server: Server,
    known: Value,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    token: Secret,
    requests: u64,
}

impl Subject {
    pub(super) fn new() -> Result<Self, String> {
        let text = include_str!("../../schemathesis/wazo_auth.json");
        let file: Value = serde_json::from_str(text).map_err(|cause| cause.to_string())?;
        let seed = Seed::parse(&file["world"].to_string()).map_err(|fault| fault.to_string())?;
        let seed = seed.settings(|settings| {
            settings.registration = true;
            settings.legacy = true;
        });
        let server = Server::from_seed(&seed);
        let token = server.issue_token_with(ADMIN, ["#"]);
        let state = State { token, requests: 0 };
        Ok(Self {
            server,
            known: file["known"].clone(),
            state: Mutex::new(state),
        })
    }

    /// Returns a token of the administrator. If that user or its token is no more, the world begins
    /// anew.
    fn token(&self) -> Secret {
        let mut state = lock(&self.state);
        state.requests += 1;
        let mut check = Request::new(Method::GET, Uri::from_static(ADMIN_PATH));
        set_token(&mut check, &state.token);
        let is_there = self.server.handle(&check).status == 200;
        if !is_there || state.requests.is_multiple_of(RESET) {
            self.server.reset();
            state.token = self.server.issue_token_with(ADMIN, ["#"]);
        }
        state.token.clone()
    }
}

fn set_token(request: &mut Request, token: &Secret) {
    if let Ok(value) = HeaderValue::from_str(token.expose()) {
        request.headers.insert("x-auth-token", value);
    }
}

impl super::Subject for Subject {
    fn answer(&self, request: &Request) -> Response {
        let mut request = request.clone();
        let uri = request.uri.to_string();
        if uri.contains(TOKEN)
            && let Ok(uri) = uri.replace(TOKEN, self.token().expose()).parse()
        {
            request.uri = uri;
        }
        if request
            .headers
            .get("x-auth-token")
            .is_some_and(|token| token == TOKEN)
        {
            set_token(&mut request, &self.token());
        }
        self.server.handle(&request)
    }

    fn operation(&self, method: &Method, uri: &Uri) -> Option<&'static str> {
        self.server.host().handler().operation(method, uri)
    }

    fn known(&self) -> &Value {
        &self.known
    }

    fn operations(&self) -> Vec<&'static str> {
        // Those of types that installations add, which the emulator has none of.
        let added = [
            "createExternal",
            "getExternal",
            "updateExternal",
            "deleteExternal",
        ];
        let names = operations().map(Operation::id);
        let is_served = |name: &&str| !added.iter().any(|added| name.ends_with(added));
        names.filter(is_served).collect()
    }

    /// Protocol sections 4.2, 4.3, 9.4 and 11.
    fn may_fail(&self, operation: &str, request: &Request) -> bool {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        match operation {
            // A policy that is renamed to a name that is taken.
            "wazo-auth.editPolicy" => body["name"].is_string(),
            "wazo-auth.checkScopes" => body.get("scopes").is_none(),
            "wazo-auth.createTenant" | "wazo-auth.editTenant" => !body["address"].is_object(),
            "wazo-auth.registerUser" => !body["username"].is_string(),
            "wazo-auth.patchConfig" | "wazo-auth.startSaml" => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Subject as _;
    use super::*;

    fn ask(method: Method, path: &'static str) -> Request {
        let mut request = Request::new(method, Uri::from_static(path));
        set_token(&mut request, &Secret::from(TOKEN));
        request
    }

    #[test]
    fn the_administrator_is_back_after_it_was_deleted() {
        let subject = Subject::new().unwrap();
        assert_eq!(subject.answer(&ask(Method::DELETE, ADMIN_PATH)).status, 204);
        assert_eq!(subject.answer(&ask(Method::GET, ADMIN_PATH)).status, 200);
    }

    #[test]
    fn the_token_is_replaced_after_it_was_revoked() {
        let subject = Subject::new().unwrap();
        let token = "/0.1/token/00000000-0000-4000-8000-00000000a11d";
        assert_eq!(subject.answer(&ask(Method::GET, token)).status, 200);
        assert_eq!(subject.answer(&ask(Method::DELETE, token)).status, 200);
        assert_eq!(subject.answer(&ask(Method::GET, token)).status, 200);
    }

    #[test]
    fn only_what_the_protocol_text_names_may_fail() {
        let subject = Subject::new().unwrap();
        let mut request = ask(Method::POST, "/0.1/users/register");
        request.body = r#"{"username": "a"}"#.into();
        assert!(!subject.may_fail("wazo-auth.registerUser", &request));
        request.body = "{}".into();
        assert!(subject.may_fail("wazo-auth.registerUser", &request));
        assert!(!subject.may_fail("wazo-auth.createUser", &request));
    }
}

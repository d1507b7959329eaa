//! The emulator of wazo-auth, with an administrator that is there whatever requests do.

use std::sync::Arc;

use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde_json::Value;
use vouchsafe::core::call::Operation;
use vouchsafe::core::mock::Handler;
use vouchsafe::core::transport::Request;
use vouchsafe::wazo_auth::mock::{Seed, Server, operations};

use super::filled;
use crate::bound::Bound;

/// The user that the emulator begins with.
const ADMIN: &str = "admin";
const ADMIN_PATH: &str = "/0.1/users/8b1d3c6e-2f4a-4c7b-b0d9-51e6f8a3c702";

#[derive(Debug)]
pub(super) struct World {
    server: Server,
    /// What the world begins with: a seed, requests, and what exists then.
    file: Value,
}

impl World {
    pub(super) fn new() -> Result<Self, String> {
        let text = include_str!("../../schemathesis/wazo_auth.json");
        let file: Value = serde_json::from_str(text).map_err(|cause| cause.to_string())?;
        let seed = Seed::parse(&file["world"].to_string()).map_err(|fault| fault.to_string())?;
        let seed = seed.settings(|settings| {
            settings.registration = true;
            settings.legacy = true;
        });
        let server = Server::from_seed(&seed);
        Ok(Self { server, file })
    }

    /// Makes one of the first requests.
    fn prime(&self, step: &Value, bound: &mut Bound) -> Result<(), String> {
        let text = |name: &str| step[name].as_str().unwrap_or_default();
        let (method, path) = (text("method"), text("path"));
        let why = |cause: &dyn std::fmt::Display| format!("{method} {path}: {cause}");
        let method = method.parse().map_err(|cause| why(&cause))?;
        let mut request = Request::new(method, path.parse().map_err(|cause| why(&cause))?);
        request.body = match step["form"].is_object() {
            true => multipart(&step["form"]).into(),
            false => step["body"].to_string().into(),
        };
        let media = match step["form"].is_object() {
            true => "multipart/form-data; boundary=part",
            false => "application/json",
        };
        let token = HeaderValue::from_static("bound-token");
        request.headers.insert("x-auth-token", token);
        let media = HeaderValue::from_static(media);
        request.headers.insert(CONTENT_TYPE, media);
        for name in ["authorization", "wazo-tenant"] {
            if let Some(value) = step[name].as_str() {
                let value = HeaderValue::try_from(value).map_err(|cause| why(&cause))?;
                request.headers.insert(name, value);
            }
        }
        let answer = self.server.handle(&filled(bound, &request)?);
        let body = String::from_utf8_lossy(&answer.body);
        if !answer.status.is_success() {
            return Err(why(&body));
        }
        let body = serde_json::from_str(&body).unwrap_or_default();
        bound.take(step, &body);
        Ok(())
    }
}

fn multipart(form: &Value) -> String {
    let mut body = String::new();
    for (name, value) in form.as_object().into_iter().flatten() {
        let file = if name == "metadata" {
            "; filename=\"f\""
        } else {
            ""
        };
        let value = value.as_str().unwrap_or_default();
        let head = format!("Content-Disposition: form-data; name=\"{name}\"{file}");
        body += &format!("--part\r\n{head}\r\n\r\n{value}\r\n");
    }
    body + "--part--\r\n"
}

impl super::World for World {
    fn descriptions(&self) -> Vec<(&'static str, String)> {
        vec![("wazo-auth/api/wazo-auth.openapi.yaml", String::new())]
    }

    fn header(&self) -> &'static str {
        "X-Auth-Token: bound-token"
    }

    fn unchecked(&self) -> &'static [&'static str] {
        &[]
    }

    fn known(&self) -> &Value {
        &self.file["known"]
    }

    fn begin(&self) -> Result<Bound, String> {
        self.server.reset();
        let mut bound = Bound::default();
        let token = self.server.issue_token_with(ADMIN, ["#"]);
        bound.set("token", token.expose());
        for step in self.file["prime"].as_array().into_iter().flatten() {
            self.prime(step, &mut bound)?;
        }
        Ok(bound)
    }

    fn is_whole(&self, bound: &Bound) -> bool {
        let step = serde_json::json!({"method": "GET", "path": ADMIN_PATH});
        self.prime(&step, &mut bound.clone()).is_ok()
    }

    fn handler(&self) -> &Arc<dyn Handler> {
        self.server.host().handler()
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
    use http::{Method, Uri};

    use super::super::Watched;
    use super::*;

    fn watched() -> Watched {
        Watched::new(Box::new(World::new().unwrap())).unwrap()
    }

    fn ask(watched: &Watched, method: Method, path: &'static str) -> u16 {
        let mut request = Request::new(method, Uri::from_static(path));
        let token = HeaderValue::from_static("bound-token");
        request.headers.insert("x-auth-token", token);
        watched.handle(&request).status.as_u16()
    }

    #[test]
    fn the_administrator_is_back_after_it_was_deleted() {
        let watched = watched();
        assert_eq!(ask(&watched, Method::DELETE, ADMIN_PATH), 204);
        assert_eq!(ask(&watched, Method::GET, ADMIN_PATH), 200);
    }

    #[test]
    fn the_token_is_replaced_after_it_was_revoked() {
        let watched = watched();
        assert_eq!(ask(&watched, Method::GET, "/0.1/token/bound-token"), 200);
        assert_eq!(ask(&watched, Method::DELETE, "/0.1/token/bound-token"), 200);
        assert_eq!(ask(&watched, Method::GET, "/0.1/token/bound-token"), 200);
    }

    #[test]
    fn an_answer_counts_for_the_operation_of_a_bound_name() {
        let watched = watched();
        let uri = Uri::from_static("/0.1/token/bound-token/scopes/check");
        let mut request = Request::new(Method::POST, uri);
        request.body = "{}".into();
        assert_eq!(watched.handle(&request).status, 500);
        let seen = watched.seen.into_inner().unwrap();
        assert!(seen.failures.is_empty(), "{:?}", seen.failures);
        assert_eq!(seen.statuses["wazo-auth.checkScopes"][&500], 1);
    }

    #[test]
    fn only_what_the_protocol_text_names_may_fail() {
        use super::super::World as _;

        let world = World::new().unwrap();
        let mut request = Request::new(Method::POST, Uri::from_static("/0.1/users/register"));
        request.body = r#"{"username": "a"}"#.into();
        assert!(!world.may_fail("wazo-auth.registerUser", &request));
        request.body = "{}".into();
        assert!(world.may_fail("wazo-auth.registerUser", &request));
        assert!(!world.may_fail("wazo-auth.createUser", &request));
    }
}

//! The emulator of wazo-auth, with an administrator that is there whatever requests do.

use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use serde_json::{Map, Value};
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

    /// Asks as an administrator, for a tenant if one is given.
    fn look(&self, path: &str, tenant: Option<&HeaderValue>) -> Value {
        let mut request = Request::new(Method::GET, path.parse().unwrap_or_default());
        let token = self.server.issue_token_with(ADMIN, ["#"]);
        if let Ok(token) = HeaderValue::from_str(token.expose()) {
            request.headers.insert("x-auth-token", token);
        }
        if let Some(tenant) = tenant {
            request.headers.insert("wazo-tenant", tenant.clone());
        }
        let answer = self.server.handle(&request);
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    /// Returns whether the tenant that owns the policy of a request has another one of this name.
    fn is_name_of_another(&self, request: &Request, name: &Value) -> bool {
        let tenant = request.headers.get("wazo-tenant");
        let edited = &self.look(request.uri.path(), tenant)["uuid"];
        let state = self.server.snapshot();
        let policies = state["policies"].as_array().into_iter().flatten();
        let owner = |policy: &Value| policy["tenant_uuid"].clone();
        let own = policies.clone().find(|policy| policy["uuid"] == *edited);
        own.map(owner).is_some_and(|own| {
            let mut others = policies.filter(|policy| policy["uuid"] != *edited);
            others.any(|other| owner(other) == own && other["name"] == *name)
        })
    }

    /// Returns whether the SAML configuration of a tenant is for this domain.
    fn has_saml(&self, domain: &str) -> bool {
        let state = self.server.snapshot();
        let mut tenants = state["saml"].as_array().into_iter().flatten();
        tenants.any(|tenant| {
            let tenant = tenant.as_str().unwrap_or_default();
            let acting = HeaderValue::from_str(tenant).ok();
            let config = self.look("/0.1/backends/saml", acting.as_ref());
            let domains = self.look(&format!("/0.1/tenants/{tenant}/domains"), None);
            let mut domains = domains["items"].as_array().into_iter().flatten();
            domains.any(|known| known["uuid"] == config["domain_uuid"] && known["name"] == domain)
        })
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

    /// Protocol sections 4.2, 4.3, 9.4, 9.15, 9.16 and 11.
    fn may_fail(&self, operation: &str, request: &Request) -> bool {
        let Some(body) = json_of(request) else {
            return false;
        };
        let is_missing = |name: &str| members(&body).is_some_and(|body| !body.contains_key(name));
        let is_given = |name: &str| members(&body).is_some_and(|body| body.contains_key(name));
        match operation {
            "wazo-auth.editPolicy" => self.is_name_of_another(request, &body["name"]),
            "wazo-auth.checkScopes" => is_missing("scopes"),
            // An address of null is refused otherwise.
            "wazo-auth.createTenant" | "wazo-auth.editTenant" => {
                let address = &body["address"];
                is_given("address") && !address.is_object() && !address.is_null()
            }
            "wazo-auth.registerUser" => is_missing("username"),
            "wazo-auth.patchConfig" => !is_patch(&body),
            "wazo-auth.startSaml" => match body["domain"].as_str() {
                Some(domain) => !self.has_saml(domain),
                None => is_missing("domain") && is_missing("redirect_url"),
            },
            _ => false,
        }
    }
}

/// Returns the body of a request that the service takes for JSON (protocol section 3).
fn json_of(request: &Request) -> Option<Value> {
    let media = request.headers.get(CONTENT_TYPE);
    let media = media.map_or(&b""[..], HeaderValue::as_bytes);
    let forms: [&[u8]; 2] = [b"application/x-www-form-urlencoded", b"multipart/"];
    if forms.iter().any(|form| media.starts_with(form)) {
        return None;
    }
    serde_json::from_slice(&request.body).ok()
}

/// Returns the members of a body, or `None` if it has another type. What is empty counts as an
/// object without members (protocol section 3).
fn members(body: &Value) -> Option<Map<String, Value>> {
    match body {
        Value::Object(members) => Some(members.clone()),
        Value::Null | Value::Bool(false) => Some(Map::new()),
        Value::Array(items) if items.is_empty() => Some(Map::new()),
        Value::String(text) if text.is_empty() => Some(Map::new()),
        Value::Number(number) if number.as_f64() == Some(0.0) => Some(Map::new()),
        _ => None,
    }
}

/// Returns whether the service takes a patch of its configuration (protocol section 9.16).
fn is_patch(body: &Value) -> bool {
    let is_step = |step: &Value| {
        let paths = ["/debug", "/profiling_enabled"];
        let is_path = paths.iter().any(|path| step["path"] == *path);
        step["op"] == "replace" && is_path && step["value"].is_boolean()
    };
    body.as_array()
        .is_some_and(|steps| steps.iter().all(is_step))
}

#[cfg(test)]
mod tests {
    use http::Uri;

    use super::super::{Watched, World as _};
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

    const CALLS: &str = "/0.1/policies/calls";
    const BELOW: &str = "/0.1/policies/c0de0000-0000-4000-8000-000000000033";

    #[test]
    fn only_what_the_protocol_text_names_may_fail() {
        let world = World::new().unwrap();
        world.begin().unwrap();
        let good = r#"{"op": "replace", "path": "/debug", "value": true}"#;
        let (patch, bad) = (format!("[{good}]"), format!("[{good}, {{}}]"));
        let saml = "/0.1/saml/sso";
        for (operation, path, body, expected) in [
            ("registerUser", "/r", r#"{"username": "a"}"#, false),
            ("registerUser", "/r", r#"{"username": null}"#, false),
            ("registerUser", "/r", "{}", true),
            ("registerUser", "/r", "null", true),
            ("registerUser", "/r", "[1]", false),
            ("registerUser", "/r", "no JSON", false),
            ("createUser", "/r", "{}", false),
            ("createTenant", "/t", "{}", false),
            ("createTenant", "/t", r#"{"address": null}"#, false),
            ("createTenant", "/t", r#"{"address": {}}"#, false),
            ("createTenant", "/t", r#"{"address": []}"#, true),
            ("editTenant", "/t", r#"{"address": "a"}"#, true),
            ("checkScopes", "/s", r#"{"scopes": null}"#, false),
            ("checkScopes", "/s", r#"{"tenant_uuid": null}"#, true),
            ("checkScopes", "/s", "", false),
            ("patchConfig", "/c", &patch, false),
            ("patchConfig", "/c", &bad, true),
            ("patchConfig", "/c", "{}", true),
            ("patchConfig", "/c", "no JSON", false),
            ("startSaml", saml, "{}", true),
            ("startSaml", saml, r#"{"redirect_url": "a"}"#, false),
            ("startSaml", saml, r#"{"domain": 1}"#, false),
            (
                "startSaml",
                saml,
                r#"{"domain": "child.example.com"}"#,
                false,
            ),
            (
                "startSaml",
                saml,
                r#"{"domain": "other.example.com"}"#,
                true,
            ),
            ("editPolicy", CALLS, r#"{"name": "Shared"}"#, true),
            ("editPolicy", CALLS, r#"{"name": "Calls"}"#, false),
            ("editPolicy", CALLS, r#"{"name": "shared"}"#, false),
            // Of another tenant.
            ("editPolicy", CALLS, r#"{"name": "Below"}"#, false),
            ("editPolicy", BELOW, r#"{"name": "Shared"}"#, false),
            (
                "editPolicy",
                "/0.1/policies/none",
                r#"{"name": "Shared"}"#,
                false,
            ),
            ("editPolicy", CALLS, r#"{"name": 1}"#, false),
        ] {
            let mut request = Request::new(Method::POST, path.parse().unwrap());
            request.body = body.to_owned().into();
            let operation = format!("wazo-auth.{operation}");
            let may_fail = world.may_fail(&operation, &request);
            assert_eq!(may_fail, expected, "{operation} {path} {body}");
        }
        let mut form = Request::new(Method::POST, Uri::from_static("/r"));
        form.body = "{}".into();
        let media = HeaderValue::from_static("multipart/form-data; boundary=a");
        form.headers.insert(CONTENT_TYPE, media);
        assert!(!world.may_fail("wazo-auth.registerUser", &form));
    }
}

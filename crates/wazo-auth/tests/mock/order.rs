//! Which of several rules decides, and what a request's schema lacks.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use vouchsafe_wazo_auth::Secret;
use vouchsafe_wazo_auth::mock::{Seed, Server};

use super::raw;

/// A server, and a token that may do everything.
struct Asked {
    server: Server,
    token: Secret,
}

impl Asked {
    fn of(seed: &Seed) -> Self {
        let server = Server::from_seed(seed);
        let token = server.issue_token("admin");
        Self { server, token }
    }

    fn send(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let path = format!("/0.1/{path}");
        let answer = raw(&self.server, method, &path, Some(&self.token), Some(body));
        let body = serde_json::from_slice(&answer.body).unwrap_or_default();
        (answer.status.as_u16(), body)
    }

    /// Creates something, and returns its answer.
    fn create(&self, path: &str, body: &Value) -> Value {
        let (status, created) = self.send(Method::POST, path, body);
        assert_eq!(status, 200, "{created}");
        created
    }

    fn change_password(&self, user: &Value, old: &str) -> (u16, Value) {
        let path = format!("users/{}/password", user["uuid"].as_str().unwrap());
        let body = json!({"old_password": old, "new_password": "new"});
        self.send(Method::PUT, &path, &body)
    }
}

#[test]
fn a_wrong_old_password_is_refused_before_one_that_another_system_has() {
    let asked = Asked::of(&Seed::sample());
    let user = json!({"username": "alice", "password": "pw", "authentication_method": "saml"});
    let alice = asked.create("users", &user);
    assert_eq!(asked.change_password(&alice, "wrong").0, 401);
    let (status, refusal) = asked.change_password(&alice, "pw");
    assert_eq!(status, 405);
    assert_eq!(refusal["error_id"], "password-managed-externally");
    let nameless = json!({"password": "pw", "authentication_method": "saml"});
    let nameless = asked.create("users", &nameless);
    assert_eq!(asked.change_password(&nameless, "pw").0, 401);
}

#[test]
fn a_password_by_the_default_of_all_tenants_is_the_services_own() {
    let asked = Asked::of(&Seed::sample());
    let user = json!({"username": "alice", "password": "pw", "authentication_method": "default"});
    let alice = asked.create("users", &user);
    for (method, status) in [("saml", 405), ("default", 204)] {
        let tenant = alice["tenant_uuid"].as_str().unwrap();
        let edit = json!({"name": "master", "default_authentication_method": method});
        let path = format!("tenants/{tenant}");
        assert_eq!(asked.send(Method::PUT, &path, &edit).0, 200);
        assert_eq!(asked.change_password(&alice, "pw").0, status, "{method}");
    }
}

#[test]
fn a_slug_in_another_case_is_derived_and_then_clashes() {
    let asked = Asked::of(&Seed::sample());
    for path in ["policies", "groups"] {
        asked.create(path, &json!({"name": "Readers"}));
        let (status, refusal) = asked.send(Method::POST, path, &json!({"name": "readers"}));
        assert_eq!(status, 409, "{refusal}");
        // The exact one is replaced.
        let other = asked.create(path, &json!({"name": "Readers!"}));
        assert_eq!(other["slug"].as_str().unwrap().len(), 3, "{other}");
    }
}

#[test]
fn an_edit_does_not_read_members_that_never_change() {
    let asked = Asked::of(&Seed::sample());
    let tenant = asked.create("tenants", &json!({"name": "a", "slug": "own"}));
    let policy = asked.create("policies", &json!({"name": "a", "slug": "own"}));
    for (path, kept, edit) in [
        (
            "tenants",
            tenant,
            json!({"name": "b", "slug": "not a slug", "uuid": 7}),
        ),
        (
            "policies",
            policy,
            json!({"name": "b", "slug": "not a slug", "shared": "rain"}),
        ),
    ] {
        let path = format!("{path}/{}", kept["uuid"].as_str().unwrap());
        let (status, edited) = asked.send(Method::PUT, &path, &edit);
        assert_eq!(status, 200, "{edited}");
        assert_eq!(edited["slug"], "own");
        assert_eq!(edited["uuid"], kept["uuid"]);
    }
}

#[test]
fn ended_sessions_are_removed_in_time_without_a_login() {
    let asked = Asked::of(&Seed::sample());
    let user = asked.create("users", &json!({"username": "alice"}));
    drop(asked.server.issue_token("alice"));
    let path = format!("users/{}/sessions", user["uuid"].as_str().unwrap());
    let count = || asked.send(Method::GET, &path, &json!({})).1["total"].clone();
    asked.server.clock().advance(Duration::from_secs(7000));
    assert_eq!(count(), 1);
    // Longer than a token lives; that of the caller is renewed.
    asked.server.clock().advance(Duration::from_secs(300));
    let token = asked.server.issue_token("admin");
    let asked = Asked { token, ..asked };
    let (_, listed) = asked.send(Method::GET, &path, &json!({}));
    assert_eq!(listed["total"], 0, "{listed}");
}

//! The calls of the Python client: every method, both successful and refused.

use serde_json::{Value, json};
use vouchsafe::astakos::mock::Server;

/// Returns all calls, in order.
pub(super) fn all() -> Vec<Value> {
    let mut calls = Calls::default();
    identity(&mut calls);
    users(&mut calls);
    quotas(&mut calls);
    commissions(&mut calls);
    projects(&mut calls);
    functions(&mut calls);
    calls.0
}

#[derive(Default)]
struct Calls(Vec<Value>);

impl Calls {
    /// Calls a method with the token of a user or component.
    fn call(&mut self, whose: &str, method: &str, args: Value) -> &mut Self {
        let name = format!("{} as {whose}", method);
        self.0.push(json!({
            "name": name, "whose": whose, "method": method, "args": args, "kwargs": {},
        }));
        self
    }

    fn last(&mut self, key: &str, value: Value) -> &mut Self {
        if let Some(last) = self.0.last_mut() {
            last[key] = value;
        }
        self
    }

    /// Says that Python raises this.
    fn raises(&mut self, class: &str) -> &mut Self {
        let name = self
            .0
            .last()
            .map(|last| format!("{}: {class}", last["name"].as_str().unwrap_or_default()));
        self.last("outcome", class.into());
        self.last("name", name.into())
    }

    fn with(&mut self, kwargs: Value) -> &mut Self {
        self.last("kwargs", kwargs)
    }

    fn bind(&mut self, name: &str, place: &str) -> &mut Self {
        self.last("bind", json!({name: place}))
    }

    fn property(&mut self, name: &str) {
        self.call("alice", name, json!([]))
            .last("property", true.into());
    }
}

fn identity(calls: &mut Calls) {
    calls.call("alice", "authenticate", json!([]));
    calls.call("alice", "authenticate", json!([Server::alice()]));
    calls
        .call("alice", "authenticate", json!(["somebody else"]))
        .raises("BadRequest");
    calls
        .call("nobody", "authenticate", json!([]))
        .raises("Unauthorized");
    calls.call("alice", "get_endpoints", json!([]));
    calls
        .call("alice", "validate_token", json!(["no-such-token"]))
        .raises("NotFound");
    calls
        .call(
            "alice",
            "get_token",
            json!(["authorization_code", "app", "app-secret"]),
        )
        .with(json!({"code": "$code", "redirect_uri": "https://app.example.com/back"}))
        .bind("access", "/access_token");
    calls.call("alice", "validate_token", json!(["$access"]));
    calls
        .call("alice", "validate_token", json!(["$access"]))
        .with(json!({"belongs_to": "anything"}));
    calls
        .call(
            "alice",
            "get_token",
            json!(["authorization_code", "app", "app-secret"]),
        )
        .with(json!({"code": "$code"}))
        .raises("BadRequest");
    calls
        .call(
            "alice",
            "get_token",
            json!(["password", "app", "app-secret"]),
        )
        .raises("BadRequest");
    for name in [
        "account_url",
        "ui_url",
        "oauth2_url",
        "api_usercatalogs",
        "api_service_usercatalogs",
        "api_resources",
        "api_quotas",
        "api_service_quotas",
        "api_service_project_quotas",
        "api_commissions",
        "api_commissions_action",
        "api_feedback",
        "api_projects",
        "api_memberships",
        "api_getservices",
        "api_oauth2_auth",
        "api_oauth2_token",
    ] {
        calls.property(name);
    }
}

fn users(calls: &mut Calls) {
    let (alice, bob) = (Server::alice(), Server::bob());
    for (whose, prefix) in [("alice", ""), ("cyclades", "service_")] {
        let named = |method: &str| format!("{prefix}{method}");
        calls.call(
            whose,
            &named("get_usernames"),
            json!([[alice, bob, "nobody"]]),
        );
        calls.call(whose, &named("get_usernames"), json!([[]]));
        calls.call(whose, &named("get_username"), json!([bob]));
        calls
            .call(whose, &named("get_username"), json!(["nobody"]))
            .raises("NoUserName");
        calls.call(
            whose,
            &named("get_uuids"),
            json!([["bob@example.org", "x@example.org"]]),
        );
        calls.call(whose, &named("get_uuid"), json!(["bob@example.org"]));
        calls
            .call(whose, &named("get_uuid"), json!(["x@example.org"]))
            .raises("NoUUID");
    }
    calls.call("cyclades", "service_get_usernames", json!([null]));
    calls
        .call("cyclades", "get_usernames", json!([[alice]]))
        .raises("Unauthorized");
    calls
        .call("alice", "service_get_uuids", json!([["x"]]))
        .raises("Unauthorized");
    calls.call("alice", "get_services", json!([]));
    calls.call("alice", "get_resources", json!([]));
    // The current server refuses what Python sends; ours sends what it takes.
    calls
        .call("alice", "send_feedback", json!(["it & works", "a=1"]))
        .raises("BadRequest");
}

fn quotas(calls: &mut Calls) {
    let (alice, bob, lab) = (Server::alice(), Server::bob(), Server::project());
    calls.call("alice", "get_quotas", json!([]));
    calls
        .call("cyclades", "get_quotas", json!([]))
        .raises("Unauthorized");
    calls.call("cyclades", "service_get_quotas", json!([]));
    calls.call("cyclades", "service_get_quotas", json!([[alice, bob]]));
    calls.call("cyclades", "service_get_quotas", json!([alice, lab]));
    calls
        .call("cyclades", "service_get_quotas", json!([]))
        .with(json!({"project": lab}));
    calls
        .call("cyclades", "service_get_quotas", json!(["nobody"]))
        .raises("NotFound");
    calls.call("cyclades", "service_get_project_quotas", json!([]));
    calls.call(
        "pithos",
        "service_get_project_quotas",
        json!([[alice, lab]]),
    );
    calls
        .call("pithos", "service_get_project_quotas", json!(["none"]))
        .raises("NotFound");
}

fn commissions(calls: &mut Calls) {
    let (alice, lab) = (Server::alice(), Server::project());
    let one = |project: &str, quantity: i64| json!([{"key": [project, "cyclades.vm"], "value": quantity}]);
    let issue = "issue_one_commission";
    calls
        .call("cyclades", issue, json!([alice, one(&alice, 1)]))
        .bind("first", "");
    calls
        .call("cyclades", issue, json!([alice, one(&lab, 2)]))
        .with(json!({"name": "named", "auto_accept": true}));
    calls
        .call("cyclades", issue, json!([alice, one(&lab, 5)]))
        .raises("QuotaLimit");
    calls
        .call("cyclades", issue, json!([alice, one(&lab, -5)]))
        .raises("QuotaLimit");
    calls
        .call("cyclades", issue, json!([alice, one(&lab, 5)]))
        .with(json!({"force": true}))
        .bind("forced", "");
    calls
        .call("cyclades", issue, json!([alice, one("nowhere", 1)]))
        .raises("NotFound");
    calls
        .call("alice", issue, json!([alice, one(&lab, 1)]))
        .raises("Unauthorized");
    let moved = json!([{"key": [lab, alice, "cyclades.vm"], "value": 1}]);
    calls
        .call(
            "cyclades",
            "issue_resource_reassignment",
            json!([alice, moved]),
        )
        .bind("moved", "");
    let users = json!([{"key": [alice, lab, "cyclades.cpu"], "value": 1}]);
    let projects = json!([{"key": [lab, "cyclades.cpu"], "value": 1}]);
    calls
        .call(
            "cyclades",
            "issue_commission_generic",
            json!([users, projects]),
        )
        .with(json!({"name": "generic"}))
        .bind("generic", "");
    calls.call("cyclades", "get_pending_commissions", json!([]));
    calls.call("cyclades", "get_commission_info", json!(["$first"]));
    calls
        .call("pithos", "get_commission_info", json!(["$first"]))
        .raises("NotFound");
    calls.call("cyclades", "accept_commission", json!(["$first"]));
    calls
        .call("cyclades", "accept_commission", json!(["$first"]))
        .raises("NotFound");
    calls.call("cyclades", "reject_commission", json!(["$forced"]));
    calls.call("cyclades", "commission_action", json!(["$moved", "reject"]));
    calls.call(
        "cyclades",
        "resolve_commissions",
        json!([["$generic"], [999_999]]),
    );
    calls.call("cyclades", "resolve_commissions", json!([[], []]));
    calls.call("cyclades", "get_pending_commissions", json!([]));
}

fn projects(calls: &mut Calls) {
    let lab = Server::project();
    calls.call("alice", "get_projects", json!([]));
    calls.call(
        "alice",
        "get_projects",
        json!(["lab.example.org", "active", Server::alice(), "member"]),
    );
    calls
        .call("alice", "get_projects", json!([]))
        .with(json!({"state": "unheard-of"}))
        .raises("BadRequest");
    calls.call("alice", "get_project", json!([lab]));
    calls
        .call("alice", "get_project", json!(["none"]))
        .raises("NotFound");
    let spec = json!({
        "name": "choir.example.org", "end_date": "2998-01-01T00:00:00+00:00",
        "join_policy": "moderated", "max_members": 3, "private": false,
        "resources": {"cyclades.vm": {"project_capacity": 4, "member_capacity": 2}},
    });
    calls.call("alice", "create_project", json!([spec]));
    calls.last(
        "bind",
        json!({"choir": "/id", "application": "/application"}),
    );
    calls
        .call(
            "alice",
            "create_project",
            json!([{"name": "choir.example.org"}]),
        )
        .raises("BadRequest");
    calls
        .call(
            "bob",
            "application_action",
            json!(["$choir", "$application", "approve", "no"]),
        )
        .raises("Forbidden");
    calls.call(
        "carol",
        "application_action",
        json!(["$choir", "$application", "approve", "well"]),
    );
    calls
        .call(
            "carol",
            "application_action",
            json!(["$choir", "$application", "approve", ""]),
        )
        .raises("AstakosClientException");
    calls.call(
        "alice",
        "modify_project",
        json!(["$choir", {"description": "We sing"}]),
    );
    calls
        .call("alice", "get_project", json!(["$choir"]))
        .bind("second", "/last_application/id");
    calls.call(
        "alice",
        "application_action",
        json!(["$choir", "$second", "cancel", ""]),
    );
    calls
        .call("bob", "join_project", json!(["$choir"]))
        .bind("bobs", "/id");
    calls
        .call("bob", "join_project", json!(["$choir"]))
        .raises("AstakosClientException");
    calls.call("alice", "get_memberships", json!(["$choir"]));
    calls.call("bob", "get_memberships", json!([]));
    calls.call("bob", "get_membership", json!(["$bobs"]));
    calls.call(
        "alice",
        "membership_action",
        json!(["$bobs", "accept", "welcome"]),
    );
    calls
        .call("alice", "membership_action", json!(["$bobs", "accept"]))
        .raises("AstakosClientException");
    calls.call("bob", "membership_action", json!(["$bobs", "leave", "bye"]));
    calls.call(
        "alice",
        "enroll_member",
        json!(["$choir", "carol@example.org"]),
    );
    calls
        .call(
            "bob",
            "enroll_member",
            json!(["$choir", "carol@example.org"]),
        )
        .raises("Forbidden");
    calls
        .call(
            "alice",
            "project_action",
            json!(["$choir", "suspend", "no"]),
        )
        .raises("Forbidden");
    for action in ["suspend", "unsuspend", "terminate", "reinstate"] {
        calls.call(
            "carol",
            "project_action",
            json!(["$choir", action, "because"]),
        );
    }
}

fn functions(calls: &mut Calls) {
    for value in ["u%7Ct%2B+", "u|t|x", "none", ""] {
        let cookie = json!({"cookies": {"c": value}, "cookie_name": "c"});
        let name = format!("get_token_from_cookie of {value:?}");
        calls
            .0
            .push(json!({"name": name, "given": {"cookie": cookie}}));
    }
    let catalog = json!({"access": {"serviceCatalog": [
        {"name": "a", "type": "t", "endpoints": [
            {"versionId": "v1", "region": "default", "publicURL": "https://a/1"},
            {"versionId": "v2", "region": "east", "publicURL": "https://a/2"}]},
        {"name": "b", "type": "t", "endpoints": []},
    ]}});
    for filters in [
        json!({}),
        json!({"type": "t"}),
        json!({"region": "east"}),
        json!({"name": "c"}),
    ] {
        let name = format!("parse_endpoints by {filters}");
        let given = json!({"catalog": catalog, "filters": filters});
        calls
            .0
            .push(json!({"name": name, "given": {"endpoints": given}}));
    }
}

//! The check of the ingress: identity, delegation, limits.

use std::time::Duration;

use serde_json::json;
use vouchsafe_userinfo::mock::Server;
use vouchsafe_userinfo::{Limits, QuotaConfig, Token};

use super::{Ask, USER_INFO, header, json_of, token_of};

fn ingress<'a>(server: &'a Server, query: &str) -> Ask<'a> {
    Ask::get(server, &format!("/ingress/auth?{query}"))
        .header("x-original-method", "GET")
        .header("x-original-url", "https://mock.example.com/app")
}

#[test]
fn the_ingress_learns_the_user_and_passes_on_what_is_not_a_credential() {
    let server = Server::new();
    let user = server.user_token();
    let response = ingress(&server, "scope=read:all&scope=user:token")
        .by(&user)
        .header("cookie", "a=1; gafaelfawr=x")
        .send();
    assert_eq!(response.status, 200);
    assert_eq!(header(&response, "x-auth-request-user"), Some("alice"));
    assert_eq!(
        header(&response, "x-auth-request-email"),
        Some("alice@example.com")
    );
    assert_eq!(header(&response, "x-auth-request-service"), None);
    assert_eq!(header(&response, "authorization"), None);
    assert_eq!(header(&response, "cookie"), Some("a=1"));
    let response = Ask::get(&server, "/ingress/anonymous")
        .header("authorization", "Digest x")
        .send();
    assert_eq!(header(&response, "authorization"), Some("Digest x"));
    assert_eq!(header(&response, "x-auth-request-user"), None);
}

#[test]
fn a_delegated_token_acts_for_the_user_and_dies_with_its_parent() {
    let server = Server::new();
    let user = server.user_token();
    let query = "delegate_to=app&service=app&delegate_scope=read:all&delegate_scope=read:tap";
    let response = ingress(&server, query).by(&user).send();
    let delegated = token_of(&response, "x-auth-request-token");
    let replaced = ingress(&server, &format!("{query}&use_authorization=true"))
        .by(&user)
        .send();
    let expected = format!("Bearer {}", delegated.secret().expose());
    assert_eq!(header(&replaced, "authorization"), Some(expected.as_str()));
    let (_, info) = Ask::get(&server, "/auth/api/v1/token-info")
        .by(&delegated)
        .seen();
    assert_eq!(info["scopes"], json!(["read:all"]));
    assert_eq!(
        (&info["service"], &info["parent"]),
        (&json!("app"), &json!(user.key()))
    );
    let response = ingress(&server, "only_service=app").by(&delegated).send();
    assert_eq!(header(&response, "x-auth-request-service"), Some("app"));
    let notebook = ingress(&server, "notebook=1").by(&user).send();
    let notebook = token_of(&notebook, "x-auth-request-token");
    let (_, info) = Ask::get(&server, "/auth/api/v1/token-info")
        .by(&notebook)
        .seen();
    assert_eq!(info["token_type"], "notebook");
    server.revoke(&user);
    for token in [&user, &delegated, &notebook] {
        assert_eq!(Ask::get(&server, USER_INFO).by(token).seen().0, 401);
    }
}

#[test]
fn the_ingress_checks_its_own_parameters() {
    let server = Server::new();
    let user = server.user_token();
    for (query, kind, param) in [
        (
            "notebook=true&delegate_to=a",
            "invalid_delegate_to",
            "delegate_to",
        ),
        ("service=a&delegate_to=b", "invalid_service", "delegate_to"),
        (
            "minimum_lifetime=2591701",
            "invalid_minimum_lifetime",
            "minimum_lifetime",
        ),
        (
            "minimum_lifetime=299",
            "greater_than_equal",
            "minimum_lifetime",
        ),
        ("satisfy=some", "enum", "satisfy"),
        ("auth_type=digest", "enum", "auth_type"),
        ("notebook=perhaps", "bool_parsing", "notebook"),
        ("minimum_lifetime=", "value_error", "minimum_lifetime"),
        ("minimum_lifetime=PT10M", "value_error", "minimum_lifetime"),
        ("minimum_lifetime=300.0", "value_error", "minimum_lifetime"),
        (
            "minimum_lifetime=9223372036854775808",
            "time_delta_parsing",
            "minimum_lifetime",
        ),
    ] {
        let (status, body) = ingress(&server, query).by(&user).seen();
        let item = &body["detail"][0];
        assert_eq!((status, &item["type"]), (422, &json!(kind)), "{query}");
        assert_eq!(item["loc"], json!(["query", param]), "{query}");
    }
    let (_, body) = Ask::get(&server, "/ingress/auth").by(&user).seen();
    assert_eq!(body["detail"].as_array().unwrap().len(), 2);
}

#[test]
fn the_ingress_refuses_in_its_own_way() {
    let server = Server::new();
    let user = server.user_token();
    let none = ingress(&server, "auth_type=basic").send();
    assert_eq!(none.status, 401);
    let challenge = Some("Basic realm=\"mock.example.com\"");
    assert_eq!(header(&none, "www-authenticate"), challenge);
    let script = || ingress(&server, "").header("x-requested-with", "XMLHttpRequest");
    assert_eq!(script().seen().0, 403);
    assert_eq!(script().by(&Token::random()).seen().0, 401);
    let missing = ingress(&server, "scope=x&scope=admin:token")
        .by(&user)
        .send();
    assert_eq!(missing.status, 403);
    let challenge = header(&missing, "www-authenticate").unwrap();
    assert!(
        challenge.ends_with(", scope=\"admin:token x\""),
        "{challenge}"
    );
    assert_eq!(
        ingress(&server, "scope=x&scope=read:all&satisfy=any")
            .by(&user)
            .seen()
            .0,
        200
    );
    let short = server
        .create_token("bob")
        .expires_in(Duration::from_secs(600))
        .issue();
    assert_eq!(
        ingress(&server, "minimum_lifetime=900").by(&short).seen().0,
        401
    );
    assert_eq!(
        ingress(&server, "minimum_lifetime=300").by(&short).seen().0,
        200
    );
}

#[test]
fn requests_are_limited_by_user_and_service_until_the_window_ends() {
    let server = Server::new();
    let mut rules = QuotaConfig::default();
    let mut limits = Limits::default();
    limits.api.insert("slow".to_owned(), 1);
    rules.default = Some(limits);
    server.set_quota(rules);
    let ask = |token: &Token| ingress(&server, "service=slow").by(token).send();
    let (alice, bob) = (server.user_token(), server.create_token("bob").issue());
    assert_eq!(header(&ask(&alice), "x-ratelimit-used"), Some("1"));
    assert_eq!(header(&ask(&bob), "x-ratelimit-remaining"), Some("0"));
    let refused = ask(&alice);
    assert_eq!(
        (refused.status.as_u16(), header(&refused, "x-error-status")),
        (403, Some("429"))
    );
    assert!(header(&refused, "retry-after").unwrap().ends_with(" GMT"));
    server.clock().advance(Duration::from_secs(60));
    assert_eq!(ask(&alice).status, 200);
    server.set_quota(None);
    assert_eq!(header(&ask(&alice), "x-ratelimit-limit"), None);
}

#[test]
fn a_bad_token_is_reported_before_a_bad_parameter_unless_that_says_how_to_ask_for_one() {
    let server = Server::new();
    let bad = Token::random();
    for query in [
        "notebook=perhaps",
        "service=a&delegate_to=b",
        "minimum_lifetime=1",
    ] {
        let (status, kind) = ingress(&server, query).by(&bad).told();
        assert_eq!((status, kind.as_str()), (401, "invalid_token"), "{query}");
        let (status, kind) = ingress(&server, query).told();
        assert_eq!(
            (status, kind.as_str()),
            (401, "no_authorization"),
            "{query}"
        );
    }
    assert_eq!(Ask::get(&server, "/ingress/auth").by(&bad).told().0, 401);
    let (status, kind) = ingress(&server, "auth_type=digest").by(&bad).told();
    assert_eq!((status, kind.as_str()), (422, "enum"));
}

#[test]
fn lifetimes_are_read_as_the_servers_language_reads_integers() {
    let server = Server::new();
    let user = server.user_token();
    for lifetime in ["300", "%20400", "%2B400", "1_000", "400%0A"] {
        let query = format!("minimum_lifetime={lifetime}");
        assert_eq!(ingress(&server, &query).by(&user).seen().0, 200, "{query}");
    }
}

#[test]
fn a_browser_may_ask_from_the_installation_itself() {
    let server = Server::new();
    let own = "https://mock.example.com";
    let ask = |query: &str, origin: Option<&str>, method: bool| {
        let mut ask = Ask::get(&server, &format!("/ingress/auth?{query}"))
            .header("x-original-method", "OPTIONS")
            .header("x-original-url", "https://mock.example.com/app");
        if let Some(origin) = origin {
            ask = ask.header("origin", origin);
        }
        if method {
            ask = ask.header("access-control-request-method", "PUT");
        }
        let response = ask.send();
        let meant = header(&response, "x-error-status").unwrap_or_default();
        let kind = json_of(&response)["detail"][0]["type"].clone();
        let kind = kind.as_str().unwrap_or_default().to_owned();
        (response.status.as_u16(), meant.to_owned(), kind)
    };
    let passed = || (200, String::new(), String::new());
    let refused = |meant: &str, kind: &str| (403, meant.to_owned(), kind.to_owned());
    for query in ["", "allow_options=true"] {
        assert_eq!(ask(query, Some(own), true), passed());
        let foreign = ask(query, Some("https://evil.example.org"), true);
        assert_eq!(foreign, refused("403", "cors_preflight_rejected"));
        let other_end = ask(query, Some("https://evilmock.example.com"), true);
        assert_eq!(other_end.0, 403);
        let no_method = ask(query, Some(own), false);
        assert_eq!(no_method, refused("404", "options_not_supported"));
    }
    assert_eq!(ask("", None, true), refused("404", "options_not_supported"));
    assert_eq!(ask("allow_options=true", None, false), passed());
    assert_eq!(ask("allow_options=perhaps", Some(own), true).0, 422);
}

#[test]
fn a_users_own_host_is_for_that_user() {
    let server = Server::new();
    let user = server.user_token();
    let ask = |url: &str| {
        Ask::get(&server, "/ingress/auth?user_domain=true")
            .header("x-original-method", "GET")
            .header("x-original-url", url)
            .by(&user)
            .told()
    };
    assert_eq!(ask("https://alice.mock.example.com/x").0, 200);
    for other in [
        "https://bob.mock.example.com/x",
        "https://mock.example.com",
        "alice",
    ] {
        assert_eq!(
            ask(other),
            (403, "insufficient_scope".to_owned()),
            "{other}"
        );
    }
    let (_, body) = ingress(&server, "only_service=app").by(&user).seen();
    assert_eq!(body["detail"][0]["msg"], "Access not allowed for this user");
}

//! Requests that no client of ours sends: what the server looks at first, and how leniently it
//! reads. The framework below it decides most of this, and was asked the same.

use http::{HeaderValue, Method};
use serde_json::{Value, json};
use vouchsafe_userinfo::Token;
use vouchsafe_userinfo::mock::{Server, TokenKind};

use super::{Ask, TOKENS, USER_INFO, header};

/// An endpoint, and whether the caller's scopes are looked at before the body.
struct Endpoint {
    method: Method,
    path: String,
    takes_body: bool,
    needs_admin: bool,
}

fn endpoints(server: &Server) -> Vec<Endpoint> {
    let key = server.user_token().key().to_owned();
    let one = |method, path: &str, takes_body, needs_admin| Endpoint {
        method,
        path: format!("/auth/api/v1{path}"),
        takes_body,
        needs_admin,
    };
    let token = format!("/users/alice/tokens/{key}");
    vec![
        one(Method::GET, "/user-info", false, false),
        one(Method::GET, "/users", false, false),
        one(Method::GET, "/users/alice", false, false),
        one(Method::GET, "/groups", false, false),
        one(Method::GET, "/token-info", false, false),
        one(Method::POST, "/tokens", true, true),
        one(Method::GET, "/users/alice/tokens", false, false),
        one(Method::POST, "/users/alice/tokens", true, false),
        one(Method::GET, &token, false, false),
        one(Method::PATCH, &token, true, false),
        one(Method::DELETE, &token, false, false),
        one(Method::GET, "/quota-overrides", false, false),
        one(Method::PUT, "/quota-overrides", true, true),
        one(Method::DELETE, "/quota-overrides", false, true),
    ]
}

fn told(status: u16, kind: &str) -> (u16, String) {
    (status, kind.to_owned())
}

#[test]
fn every_endpoint_checks_json_then_credentials_then_scope_then_form() {
    let server = Server::new();
    let (user, admin) = (server.user_token(), server.admin_token());
    for Endpoint {
        method,
        path,
        takes_body,
        needs_admin,
    } in endpoints(&server)
    {
        let what = format!("{method} {path}");
        let ask = || Ask::new(&server, method.clone(), &path);
        assert_eq!(ask().told(), told(401, "no_authorization"), "{what}");
        let unknown = ask().by(&Token::random()).told();
        assert_eq!(unknown, told(401, "invalid_token"), "{what}");
        for (value, status, kind) in [
            ("Bearer", 403, "invalid_request"),
            ("Digest x", 403, "invalid_request"),
            ("Basic eA==", 403, "invalid_request"),
            ("Bearer x", 401, "invalid_token"),
            ("", 401, "no_authorization"),
        ] {
            let got = ask().header("authorization", value).told();
            assert_eq!(got, told(status, kind), "{what} {value:?}");
        }
        if !takes_body {
            assert_eq!(ask().raw("{,").told().0, 401, "{what}");
            continue;
        }
        let no_json = told(422, "json_invalid");
        assert_eq!(ask().raw("{,").told(), no_json, "{what}");
        assert_eq!(
            ask().by(&Token::random()).raw("{,").told(),
            no_json,
            "{what}"
        );
        assert_eq!(ask().by(&user).raw("{,").told(), no_json, "{what}");
        assert_eq!(ask().raw("[]").told().0, 401, "{what}");
        let expected = if needs_admin { 403 } else { 422 };
        for body in ["[]", "null", "5", "\"x\""] {
            assert_eq!(
                ask().by(&user).raw(body).told().0,
                expected,
                "{what} {body}"
            );
        }
        let missing = told(422, "missing");
        assert_eq!(ask().by(&admin).raw("null").told(), missing, "{what}");
        assert_eq!(ask().by(&admin).told(), missing, "{what}");
        let no_object = told(422, "model_attributes_type");
        assert_eq!(ask().by(&admin).raw("[]").told(), no_object, "{what}");
    }
}

#[test]
fn every_endpoint_knows_its_methods_its_slash_and_no_encoded_one() {
    let server = Server::new();
    for Endpoint { path, .. } in endpoints(&server) {
        for method in ["HEAD", "OPTIONS", "TRACE", "BREW"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let response = Ask::new(&server, method.clone(), &path).send();
            assert_eq!(response.status, 405, "{method} {path}");
        }
        for slash in ["/", "//", "%2F", "%2f/"] {
            let response = Ask::get(&server, &format!("{path}{slash}")).send();
            assert_eq!(response.status, 307, "{path}{slash}");
            let location = format!("https://mock.example.com{path}");
            assert_eq!(header(&response, "location"), Some(location.as_str()));
        }
        let nowhere = Ask::get(&server, &format!("{path}%2Fmore/x/y")).send();
        assert_eq!(nowhere.status, 404, "{path}");
    }
    // A path is decoded before it is looked up.
    let user = server.user_token();
    for path in ["/auth/api/v1/user%2Dinfo", "/auth%2Fapi/v1/user-info"] {
        assert_eq!(Ask::get(&server, path).by(&user).seen().0, 200, "{path}");
    }
    let redirected = Ask::get(&server, "/auth/api/v1/users/%C3%A9%20/").send();
    let location = "https://mock.example.com/auth/api/v1/users/%C3%A9%20";
    assert_eq!(header(&redirected, "location"), Some(location));
    for name in ["%C3%A9", "%ff", "ad%0A", "a%252Fb"] {
        let path = format!("/auth/api/v1/users/{name}");
        let got = Ask::get(&server, &path).by(&user).told();
        assert_eq!(got, told(422, "string_pattern_mismatch"), "{name}");
    }
}

#[test]
fn the_first_of_several_credentials_counts_and_bytes_are_characters() {
    let server = Server::new();
    let user = server.user_token();
    let good = format!("Bearer {}", user.secret().expose());
    let ask = || Ask::get(&server, USER_INFO);
    let pair = |one: &str, other: &str| {
        let ask = ask().header("authorization", one);
        ask.header("authorization", other).told().0
    };
    assert_eq!(pair(&good, "Bearer bad"), 200);
    assert_eq!(pair("Bearer bad", &good), 401);
    let bytes = |value: &[u8]| {
        let mut ask = ask();
        let value = HeaderValue::from_bytes(value).unwrap();
        ask.request.headers.insert("authorization", value);
        ask.send()
    };
    let odd = format!("Bearer gt-{}.{}", "k".repeat(22), "\u{e9}".repeat(22));
    let odd: Vec<u8> = odd.chars().map(|c| c as u8).collect();
    assert_eq!(bytes(&odd).status, 401);
    let response = bytes(b"B\xE4sic x");
    assert_eq!(response.status, 403);
    let challenge = response.headers["www-authenticate"].as_bytes();
    assert!(challenge.ends_with(b"error_description=\"Unknown Authorization type B\xE4sic\""));
    let response = bytes(b"Basic YQ\xE9==");
    let body = header(&response, "x-error-body").unwrap();
    assert!(
        body.contains("should contain only ASCII characters"),
        "{body}"
    );
}

#[test]
fn members_of_a_new_token_are_read_leniently_and_refused_by_their_kind() {
    let server = Server::new();
    let admin = server.admin_token();
    let ask = |more: &Value| {
        let mut body = json!({"username": "bot-x1a", "token_type": "service"});
        let more = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(more);
        let ask = Ask::new(&server, Method::POST, TOKENS).by(&admin);
        ask.body(&body).told()
    };
    for taken in [
        json!({"uid": "7", "gid": 7.0}),
        json!({"uid": true}),
        json!({"uid": u64::MAX}),
        json!({"scopes": {"read:all": 1}}),
        json!({"scopes": ""}),
        json!({"expires": "2999-01-01_00:00:00,5"}),
        json!({"expires": "19000000000"}),
        json!({"expires": 32_472_144_000_000_i64}),
        json!({"name": null, "email": null, "uid": null, "groups": null, "token_name": null}),
        json!({"name": "\u{0}", "unknown": {"x": []}}),
        json!({"groups": [{"name": "g", "id": "-5", "more": 1}]}),
    ] {
        assert_eq!(ask(&taken).0, 201, "{taken}");
    }
    for (refused, status, kind) in [
        (json!({"scopes": null}), 500, ""),
        (json!({"scopes": 5}), 500, ""),
        (json!({"scopes": ["read:all", 1]}), 500, ""),
        (json!({"scopes": [1]}), 422, "string_type"),
        (json!({"scopes": ["nothing"]}), 422, "invalid_scopes"),
        (json!({"expires": "9999-12-31T23:59:59-01:00"}), 500, ""),
        (json!({"expires": true}), 422, "datetime_type"),
        (
            json!({"expires": "soon"}),
            422,
            "datetime_from_date_parsing",
        ),
        (json!({"expires": 1e20}), 422, "datetime_parsing"),
        (json!({"expires": "1970-01-01"}), 422, "invalid_expires"),
        (json!({"uid": 1.5}), 422, "int_from_float"),
        (json!({"uid": []}), 422, "int_type"),
        (json!({"uid": 0}), 422, "greater_than_equal"),
        (json!({"uid": "1".repeat(5000)}), 422, "int_parsing_size"),
        (json!({"name": 5}), 422, "string_type"),
        (json!({"email": ""}), 422, "string_too_short"),
        (json!({"groups": {}}), 422, "list_type"),
        (json!({"groups": [null]}), 422, "model_attributes_type"),
        (
            json!({"groups": [{"name": "-", "id": 1}]}),
            422,
            "string_pattern_mismatch",
        ),
        (json!({"username": null}), 422, "string_type"),
        (json!({"username": "kim"}), 403, "permission_denied"),
        (json!({"token_type": null}), 422, "enum"),
        (json!({"token_type": "session"}), 422, "value_error"),
    ] {
        assert_eq!(ask(&refused), told(status, kind), "{refused}");
    }
}

#[test]
fn what_only_the_servers_decoder_takes_breaks_it_where_it_is_looked_at() {
    let server = Server::new();
    let admin = server.admin_token();
    let ask = |body: Vec<u8>| {
        let mut ask = Ask::new(&server, Method::POST, TOKENS).by(&admin);
        ask = ask.header("content-type", "application/json");
        ask.request.body = body.into();
        ask.seen()
    };
    let with = |more: &str| {
        let known = r#""username": "bot-x1a", "token_type": "service""#;
        format!("{{{known}, {more}}}").into_bytes()
    };
    for odd in ["NaN", "-Infinity", "1e999", "\"\\ud800\""] {
        assert_eq!(ask(with(&format!("\"name\": {odd}"))).0, 500, "{odd}");
        assert_eq!(ask(with(&format!("\"uid\": {odd}"))).0, 500, "{odd}");
        assert_eq!(ask(with(&format!("\"more\": {odd}"))).0, 201, "{odd}");
    }
    assert_eq!(
        ask([b"\xEF\xBB\xBF", with("\"a\": 1").as_slice()].concat()).0,
        201
    );
    let (status, body) = ask(b"{\"username\": \"\xFF\"}".to_vec());
    assert_eq!(status, 400);
    assert_eq!(
        body,
        json!({"detail": "There was an error parsing the body"})
    );
    // A body that is not declared as JSON is text, which is not an object.
    let mut text = Ask::new(&server, Method::POST, TOKENS).by(&admin);
    text.request.body = "{}".into();
    assert_eq!(text.told(), told(422, "model_attributes_type"));
    let mut bytes = Ask::new(&server, Method::POST, TOKENS).by(&admin);
    bytes.request.body = [0xFF].as_slice().into();
    assert_eq!(bytes.send().status, 500);
}

#[test]
fn only_administrators_change_user_tokens() {
    let server = Server::new();
    let (user, admin) = (server.user_token(), server.admin_token());
    let path = |name: &str, key: &str| format!("/auth/api/v1/users/{name}/tokens/{key}");
    let patch = |token: &Token, name: &str, key: &str, body: Value| {
        let ask = Ask::new(&server, Method::PATCH, &path(name, key)).by(token);
        ask.body(&body)
    };
    let own = path("alice", user.key());
    let (status, info) = patch(
        &admin,
        "alice",
        user.key(),
        json!({"token_name": "desk", "scopes": "read:all", "expires": 19_000_000_000_i64, "x": 1}),
    )
    .seen();
    assert_eq!(status, 200);
    assert_eq!(info["token_name"], "desk");
    assert_eq!(info["scopes"], json!(["read:all"]));
    assert_eq!(info["expires"], 19_000_000_000_i64);
    // What is not given, or null, stays; only an end that is null goes.
    let unchanged = json!({"token_name": null, "scopes": null});
    let (_, info) = patch(&admin, "alice", user.key(), unchanged).seen();
    assert_eq!(
        (&info["token_name"], info["expires"].is_null()),
        (&json!("desk"), false)
    );
    let (_, info) = patch(&admin, "alice", user.key(), json!({"expires": null})).seen();
    assert_eq!(info.get("expires"), None);
    let (_, seen) = Ask::get(&server, &own).by(&admin).seen();
    assert_eq!(seen, info);

    let other = server.create_token("alice").token_name("other").issue();
    let unknown = "k".repeat(22);
    let service = server.service_token();
    let (_, bot) = Ask::get(&server, "/auth/api/v1/token-info")
        .by(&service)
        .seen();
    let bot = bot["username"].as_str().unwrap().to_owned();
    for (who, name, key, body, expected) in [
        (
            &other,
            "alice",
            user.key(),
            json!({}),
            told(403, "permission_denied"),
        ),
        (
            &service,
            "alice",
            user.key(),
            json!({}),
            told(403, "permission_denied"),
        ),
        (
            &admin,
            "alice",
            &*unknown,
            json!({}),
            told(404, "not_found"),
        ),
        (&admin, "bob", user.key(), json!({}), told(404, "not_found")),
        (
            &admin,
            bot.as_str(),
            service.key(),
            json!({}),
            told(403, "permission_denied"),
        ),
        (
            &admin,
            "alice",
            user.key(),
            json!({"scopes": ["odd"]}),
            told(422, "invalid_scopes"),
        ),
        (
            &admin,
            "alice",
            user.key(),
            json!({"expires": 1}),
            told(422, "invalid_expires"),
        ),
        (
            &admin,
            "alice",
            user.key(),
            json!({"token_name": "other"}),
            told(409, "duplicate_token_name"),
        ),
        (
            &admin,
            "alice",
            "short",
            json!({"token_name": ""}),
            told(422, "string_too_short"),
        ),
    ] {
        let got = patch(who, name, key, body.clone()).told();
        assert_eq!(got, expected, "{name} {body}");
    }
}

#[test]
fn a_delegated_token_ends_with_the_token_that_is_shortened() {
    let server = Server::new();
    let (user, admin) = (server.user_token(), server.admin_token());
    let delegated = Ask::get(&server, "/ingress/auth?notebook=true")
        .header("x-original-method", "GET")
        .header("x-original-url", "https://mock.example.com/nb")
        .by(&user)
        .send();
    let delegated = super::token_of(&delegated, "x-auth-request-token");
    let info = |token: &Token| {
        let (_, info) = Ask::get(&server, "/auth/api/v1/token-info")
            .by(token)
            .seen();
        info["expires"].as_i64().unwrap()
    };
    let end = info(&delegated) - 1000;
    let path = format!("/auth/api/v1/users/alice/tokens/{}", user.key());
    let patch = Ask::new(&server, Method::PATCH, &path).by(&admin);
    assert_eq!(patch.body(&json!({"expires": end})).seen().0, 200);
    assert_eq!((info(&user), info(&delegated)), (end, end));
}

#[test]
fn an_unknown_token_is_reported_before_a_missing_permission() {
    let server = Server::new();
    let other = server
        .create_token("bob")
        .kind(TokenKind::User)
        .scopes(["user:token"])
        .issue();
    let (user, admin) = (server.user_token(), server.admin_token());
    let path = |key: &str| format!("/auth/api/v1/users/alice/tokens/{key}");
    let unknown = path(&"k".repeat(22));
    let known = path(user.key());
    let get = |path: &str, token: &Token| Ask::get(&server, path).by(token).told();
    assert_eq!(get(&unknown, &other), told(404, "not_found"));
    assert_eq!(get(&known, &other), told(403, "permission_denied"));
    let delete = |path: &str, token: &Token| {
        let ask = Ask::new(&server, Method::DELETE, path).by(token);
        ask.send().status.as_u16()
    };
    assert_eq!(delete(&known, &other), 403);
    assert_eq!(delete(&known, &admin), 204);
    assert_eq!(delete(&known, &admin), 404);
}

#[test]
fn quota_rules_are_read_leniently_and_refused_by_their_kind() {
    let server = Server::new();
    let admin = server.admin_token();
    let ask = |body: &Value| {
        let ask = Ask::new(&server, Method::PUT, "/auth/api/v1/quota-overrides").by(&admin);
        ask.body(body).told()
    };
    for taken in [
        json!({}),
        json!({"default": {"notebook": {"cpu": "1e3", "memory": " 2 ", "spawn": "OFF"}}}),
        json!({"default": {"notebook": {"cpu": "inf", "memory": true}}}),
        json!({"default": {"api": {"a": "5", "b": 2.0}, "notebook": null}}),
        json!({"default": {"api": {"a": u64::MAX}}}),
    ] {
        assert_eq!(ask(&taken).0, 200, "{taken}");
    }
    for (refused, kind) in [
        (json!({"default": null}), "model_attributes_type"),
        (json!({"groups": null}), "dict_type"),
        (json!({"bypass": null}), "set_type"),
        (json!({"bypass": {"a": 1}}), "set_type"),
        (json!({"bypass": [1]}), "string_type"),
        (json!({"default": {"api": {"a": 1.5}}}), "int_from_float"),
        (json!({"default": {"tap": {"t": {}}}}), "missing"),
        (
            json!({"default": {"notebook": {"cpu": "x", "memory": 1}}}),
            "float_parsing",
        ),
        (json!({"more": 1}), "extra_forbidden"),
    ] {
        assert_eq!(ask(&refused), told(422, kind), "{refused}");
    }
}

#[test]
fn a_challenge_without_a_scope_to_name_has_no_such_member() {
    let server = Server::new();
    let response = Ask::get(&server, "/ingress/auth?scope=")
        .header("x-original-method", "GET")
        .header("x-original-url", "https://mock.example.com/app")
        .by(&server.user_token())
        .send();
    assert_eq!(response.status, 403);
    let challenge = header(&response, "www-authenticate").unwrap();
    assert!(!challenge.contains("scope=\""), "{challenge}");
}

#[test]
fn a_database_that_is_not_there_is_named() {
    let server = Server::new();
    let path = "/repertoire/discovery/influxdb/no%20such";
    // What the ingress says of the user is all that is looked at.
    let (status, body) = Ask::get(&server, path)
        .header("x-auth-request-user", "alice")
        .header("authorization", "Bearer bad")
        .seen();
    assert_eq!(status, 404);
    assert_eq!(body["detail"][0]["msg"], "Database no such not found");
}

//! Gafaelfawr's API: order of checks, users and groups, tokens, quota overrides.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use vouchsafe_userinfo::Token;
use vouchsafe_userinfo::mock::{Server, User};

use super::{Ask, TOKENS, USER_INFO, header, json_of};

#[test]
fn routes_answer_as_the_server_does_before_anything_is_checked() {
    let server = Server::new();
    let nothing = json!({"detail": "Not Found"});
    for path in [
        "/",
        "/auth/api/v1/nothing",
        "/auth/api/v1/users/a%2Fb",
        "/auth/api/v1//users",
        "/repertoire",
        "/repertoire/other",
        "/repertoirediscovery",
    ] {
        assert_eq!(
            Ask::get(&server, path).seen(),
            (404, nothing.clone()),
            "{path}"
        );
    }
    for (method, path, allow) in [
        (Method::HEAD, USER_INFO, "GET"),
        (Method::GET, TOKENS, "POST"),
        // Of a path with several routes, only the first one's.
        (Method::PATCH, "/auth/api/v1/users/x/tokens", "GET"),
        (Method::POST, "/repertoire/discovery", "GET"),
    ] {
        let response = Ask::new(&server, method, path).send();
        assert_eq!(response.status, 405);
        assert_eq!(header(&response, "allow"), Some(allow));
    }
    let response = Ask::get(&server, "/auth/api/v1/users/x/?q=1").send();
    assert_eq!(response.status, 307);
    let location = "https://mock.example.com/auth/api/v1/users/x?q=1";
    assert_eq!(header(&response, "location"), Some(location));
    let response = Ask::get(&server, "/auth/api/v1/user-info//").send();
    let location = "https://mock.example.com/auth/api/v1/user-info";
    assert_eq!(header(&response, "location"), Some(location));
    let nowhere = Ask::get(&server, "/auth/api/v1/nothing//").send();
    assert_eq!(nowhere.status, 404);
}

#[test]
fn checks_come_in_the_servers_order() {
    let server = Server::new();
    let (service, user) = (server.service_token(), server.user_token());
    let by_name = |name: &str, token: &Token| {
        Ask::get(&server, &format!("/auth/api/v1/users/{name}"))
            .by(token)
            .told()
    };
    let refused = |status, kind: &str| (status, kind.to_owned());
    assert_eq!(
        by_name("A", &Token::random()),
        refused(401, "invalid_token")
    );
    assert_eq!(by_name("A", &user), refused(422, "string_pattern_mismatch"));
    assert_eq!(by_name("bob", &user), refused(403, "permission_denied"));
    assert_eq!(by_name("alice", &user), refused(200, ""));
    server.remove_directory();
    assert_eq!(by_name("A", &user), refused(422, "string_pattern_mismatch"));
    assert_eq!(by_name("bob", &user), refused(404, "not_supported"));
    assert_eq!(by_name("bob", &service), refused(404, "not_supported"));
}

#[test]
fn the_directory_can_be_down_or_absent() {
    let server = Server::new();
    let (service, user) = (server.service_token(), server.user_token());
    server.set_directory_down();
    let refused = Ask::get(&server, USER_INFO).by(&user).told();
    assert_eq!(refused, (500, "user_info_failed".to_owned()));
    let response = Ask::get(&server, "/auth/api/v1/groups").by(&service).send();
    assert_eq!(response.status, 500);
    assert_eq!(&response.body[..], b"Internal Server Error");
    assert_eq!(
        Ask::get(&server, "/auth/api/v1/token-info")
            .by(&user)
            .seen()
            .0,
        200
    );
    server.remove_directory();
    let (status, info) = Ask::get(&server, USER_INFO).by(&user).seen();
    assert_eq!(
        (status, &info["groups"], info.get("uid")),
        (200, &json!([]), None)
    );
    server.set_directory_up();
    assert_eq!(Ask::get(&server, USER_INFO).by(&user).seen().1["uid"], 1001);
}

#[test]
fn lists_are_sorted_users_and_two_kinds_of_groups() {
    let server = Server::new();
    let service = server.service_token();
    server.add_user(User::new("zoe").name("Z").email("z@example.org").gid(2001));
    let (_, users) = Ask::get(&server, "/auth/api/v1/users").by(&service).seen();
    let names: Vec<_> = users
        .as_array()
        .unwrap()
        .iter()
        .map(|u| &u["username"])
        .collect();
    assert_eq!(names, ["alice", "bob", "carol", "zoe"]);
    assert_eq!(
        users[3],
        json!({
            "username": "zoe", "name": "Z", "email": "z@example.org", "gid": 2001,
            "groups": [{"name": "g_science", "id": 2001}]
        })
    );
    let groups = || {
        Ask::get(&server, "/auth/api/v1/groups")
            .by(&service)
            .seen()
            .1
    };
    assert_eq!(groups()["system"], json!([{"name": "admins", "id": 2003}]));
    server.add_group("admins", 2009, ["carol"]);
    server.add_group("no:name", 9, ["carol"]);
    assert_eq!(groups()["system"], json!([{"name": "admins", "id": 2009}]));
    assert_eq!(groups()["user"].as_array().unwrap().len(), 2);
    server.remove_user("zoe");
    let (_, ghost) = Ask::get(&server, "/auth/api/v1/users/zoe")
        .by(&service)
        .seen();
    assert_eq!(ghost["username"], "zoe");
    assert_eq!(ghost.get("groups"), None);
}

#[test]
fn an_administrator_makes_tokens_that_work_at_once() {
    let server = Server::new();
    let make = |token: &Token, body: Value| {
        Ask::new(&server, Method::POST, TOKENS)
            .by(token)
            .body(&body)
            .send()
    };
    let admin = server.admin_token();
    let response = make(
        &admin,
        json!({
            "username": "bot-x1a", "token_type": "service", "scopes": "read:all,admin:userinfo",
            "name": "X", "groups": [{"name": "own", "id": 3}], "expires": null
        }),
    );
    assert_eq!(response.status, 201);
    let made: Token = json_of(&response)["token"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let location = format!("/auth/api/v1/users/bot-x1a/tokens/{}", made.key());
    assert_eq!(header(&response, "location"), Some(location.as_str()));
    let (_, info) = Ask::get(&server, USER_INFO).by(&made).seen();
    assert_eq!(info["groups"], json!([{"name": "own", "id": 3}]));
    let bootstrap = server.bootstrap_token().unwrap();
    let service = json!({"username": "bot-x1a", "token_type": "service"});
    assert_eq!(make(&bootstrap, service).status, 201);
    assert_eq!(Ask::get(&server, USER_INFO).by(&bootstrap).seen().0, 401);
    let no_bot = json!({"username": "bob", "token_type": "service"});
    assert_eq!(
        json_of(&make(&admin, no_bot))["detail"][0]["type"],
        "permission_denied"
    );
    let unknown = json!({"username": "bot-x1a", "token_type": "service", "scopes": ["x y"]});
    assert_eq!(
        json_of(&make(&admin, unknown))["detail"][0]["type"],
        "invalid_scopes"
    );
    let named = json!({"username": "bob", "token_type": "user", "token_name": "n"});
    assert_eq!(make(&admin, named.clone()).status, 201);
    assert_eq!(
        json_of(&make(&admin, named))["detail"][0]["type"],
        "duplicate_token_name"
    );
}

#[test]
fn a_token_must_live_five_minutes_and_ends_by_the_clock() {
    let server = Server::new();
    let admin = server.admin_token();
    server
        .clock()
        .set(std::time::UNIX_EPOCH + Duration::from_secs(2_000_000_000));
    let make = |expires: Value| {
        let body = json!({"username": "bot-x1a", "token_type": "service", "expires": expires});
        Ask::new(&server, Method::POST, TOKENS)
            .by(&admin)
            .body(&body)
            .seen()
    };
    // The clock runs on: seconds to spare on both sides.
    assert_eq!(
        make(json!(2_000_000_290)).1["detail"][0]["type"],
        "invalid_expires"
    );
    assert_eq!(
        make(json!("2033-05-18T03:38:00")).1["detail"][0]["type"],
        "invalid_expires"
    );
    let (status, body) = make(json!("2000000400"));
    assert_eq!(status, 201);
    let made: Token = body["token"].as_str().unwrap().parse().unwrap();
    assert_eq!(Ask::get(&server, USER_INFO).by(&made).seen().0, 200);
    server.clock().advance(Duration::from_secs(400));
    assert_eq!(
        Ask::get(&server, USER_INFO).by(&made).told(),
        (401, "invalid_token".to_owned())
    );
}

#[test]
fn users_manage_their_own_tokens() {
    let server = Server::new();
    let (user, admin) = (server.user_token(), server.admin_token());
    let own = "/auth/api/v1/users/alice/tokens";
    let make = |path: &str, token: &Token, body: &Value| {
        Ask::new(&server, Method::POST, path)
            .by(token)
            .body(body)
            .seen()
    };
    let (status, body) = make(
        own,
        &user,
        &json!({"token_name": "pad", "scopes": ["read:all"]}),
    );
    assert_eq!(status, 201);
    let made: Token = body["token"].as_str().unwrap().parse().unwrap();
    let broader = make(
        own,
        &user,
        &json!({"token_name": "p2", "scopes": ["read:tap"]}),
    );
    assert_eq!(broader.1["detail"][0]["type"], "invalid_scopes");
    assert_eq!(make(own, &user, &json!({"token_name": "pad"})).0, 409);
    assert_eq!(make(own, &made, &json!({"token_name": "p3"})).0, 403);
    assert_eq!(make(own, &admin, &json!({"token_name": "p3"})).0, 403);
    let (_, list) = Ask::get(&server, own).by(&admin).seen();
    assert_eq!(list.as_array().unwrap().len(), 2);
    let one = format!("{own}/{}", made.key());
    assert_eq!(
        Ask::get(&server, &one).by(&user).seen().1["token_name"],
        "pad"
    );
    let elsewhere = one.replace("alice", "bob");
    assert_eq!(
        Ask::get(&server, &elsewhere).by(&admin).told(),
        (404, "not_found".to_owned())
    );
    assert_eq!(Ask::get(&server, &elsewhere).by(&user).told().0, 404);
    let (_, faults) = Ask::get(&server, "/auth/api/v1/users/A/tokens/k")
        .by(&user)
        .seen();
    let places: Vec<_> = faults["detail"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| &f["loc"][1])
        .collect();
    assert_eq!(places, ["username", "key"]);
    let delete = || Ask::new(&server, Method::DELETE, &one).by(&user).told().0;
    assert_eq!((delete(), delete()), (204, 404));
    assert_eq!(Ask::get(&server, USER_INFO).by(&made).seen().0, 401);
}

#[test]
fn overrides_act_at_once_and_need_an_administrator() {
    let server = Server::new();
    let (user, admin) = (server.user_token(), server.admin_token());
    let ask =
        |method, token: &Token| Ask::new(&server, method, "/auth/api/v1/quota-overrides").by(token);
    assert_eq!(
        ask(Method::GET, &user).told(),
        (404, "not_found".to_owned())
    );
    let rules = json!({"default": {"api": {"search": 1}}});
    assert_eq!(ask(Method::PUT, &user).body(&rules).seen().0, 403);
    let (status, stored) = ask(Method::PUT, &admin).body(&rules).seen();
    assert_eq!((status, &stored["bypass"]), (200, &json!([])));
    assert_eq!(ask(Method::GET, &user).seen(), (200, stored));
    let search =
        || Ask::get(&server, USER_INFO).by(&user).seen().1["quota"]["api"]["search"].clone();
    assert_eq!(search(), 1);
    let bad = json!({"defaults": {}});
    assert_eq!(
        ask(Method::PUT, &admin).body(&bad).told().1,
        "extra_forbidden"
    );
    assert_eq!(ask(Method::DELETE, &user).seen().0, 403);
    assert_eq!(
        ask(Method::DELETE, &server.bootstrap_token().unwrap())
            .seen()
            .0,
        204
    );
    assert_eq!(search(), 100);
    assert_eq!(ask(Method::DELETE, &admin).seen().0, 404);
}

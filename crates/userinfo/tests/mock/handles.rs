//! Repertoire, the handles of tests, and clients that ask the emulator.

use std::net::SocketAddr;

use serde_json::json;
use vouchsafe_userinfo::mock::{Action, Seed, Server, TokenKind, User};
use vouchsafe_userinfo::{ErrorKind, Token};

use super::{Ask, USER_INFO, header, json_of};

#[test]
fn repertoire_leads_to_where_it_is_asked_and_keeps_passwords_for_users() {
    let server = Server::new();
    let base = "https://mock.example.com";
    let document = json!({
        "elsewhere": "https://mock.example.com.evil.org/", "own": [base, format!("{base}/x")],
        "influxdb_databases": {"db": {"url": "https://other.example.org/", "credentials_url": "c"}}
    });
    server.set_discovery(document.clone());
    let mut ask = Ask::get(&server, "/repertoire/discovery");
    ask.request.uri = "http://127.0.0.1:8080/repertoire/discovery"
        .parse()
        .unwrap();
    let response = ask.send();
    assert_eq!(header(&response, "access-control-allow-origin"), Some("*"));
    let seen = json_of(&response);
    assert_eq!(
        seen["own"],
        json!(["http://127.0.0.1:8080", "http://127.0.0.1:8080/x"])
    );
    assert_eq!(seen["elsewhere"], document["elsewhere"]);
    let database =
        |name: &str| Ask::get(&server, &format!("/repertoire/discovery/influxdb/{name}"));
    let login = json!({"url": "https://other.example.org/", "username": null, "password": null});
    assert_eq!(
        database("db").header("x-auth-request-user", "bob").seen(),
        (200, login.clone())
    );
    assert_eq!(
        database("db").by(&server.user_token()).seen(),
        (200, login.clone())
    );
    assert_eq!(
        database("db").by(&Token::random()).told(),
        (401, "invalid_token".to_owned())
    );
    assert_eq!(database("db").told(), (422, "missing".to_owned()));
    let unknown = database("x").by(&server.user_token()).told();
    assert_eq!(unknown, (404, "database_not_found".to_owned()));
    let all = Ask::get(&server, "/repertoire/discovery/influxdb")
        .by(&server.user_token())
        .seen();
    assert_eq!(all, (200, json!({"db": login})));
}

#[test]
fn failing_actions_affect_only_the_given_user() {
    let server = Server::new();
    let (service, user) = (server.service_token(), server.user_token());
    let by_name = || {
        Ask::get(&server, "/auth/api/v1/users/alice")
            .by(&service)
            .seen()
            .0
    };
    let by_token = || Ask::get(&server, USER_INFO).by(&user).seen().0;
    let users = || {
        Ask::get(&server, "/auth/api/v1/users")
            .by(&service)
            .seen()
            .0
    };
    server.fail_on("alice", [Action::UserInfo, Action::ListUsers]);
    assert_eq!((by_name(), by_token(), users()), (500, 500, 200));
    server.fail_on("bot-service", [Action::ListUsers]);
    server.fail_on("alice", []);
    assert_eq!((by_name(), by_token(), users()), (200, 200, 500));
}

#[test]
fn reset_restores_the_initial_state_and_nothing_printed_holds_a_token() {
    let server = Server::new();
    let user = server.user_token();
    server.add_user(User::new("dana").uid(1));
    let dana = server.create_token("dana").kind(TokenKind::Session).issue();
    server.revoke(&user);
    let before = server.snapshot();
    assert_eq!(before["directory"]["users"][3]["username"], "dana");
    for text in [
        format!("{server:?}"),
        format!("{server:#?}"),
        before.to_string(),
    ] {
        for token in [
            &user,
            &dana,
            &server.admin_token(),
            &server.bootstrap_token().unwrap(),
        ] {
            assert!(!text.contains(&token.secret().expose()[26..]));
        }
    }
    server.reset();
    assert_eq!(Ask::get(&server, USER_INFO).by(&user).seen().0, 200);
    assert_eq!(Ask::get(&server, USER_INFO).by(&dana).seen().0, 401);
    assert_eq!(server.user_token(), user);
}

#[test]
fn a_world_without_those_tokens_gets_them_when_they_are_asked_for() {
    let world = r#"{"base_hostname": "h.example.org", "configs": {"c": {"directory": true}}}"#;
    let server = Server::from_seed(&Seed::parse(world, None).unwrap());
    assert_eq!(server.token("admin"), None);
    let admin = server.admin_token();
    assert_eq!(server.admin_token(), admin);
    assert_eq!(server.token("admin"), Some(admin));
    assert_eq!(
        Ask::get(&server, "/auth/api/v1/users")
            .by(&server.service_token())
            .seen()
            .0,
        200
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_in_process_sees_the_same_world() {
    let server = Server::new();
    let client = server.client();
    let info = client.user_info(&server.user_token()).await.unwrap();
    assert_eq!((info.username.as_str(), info.uid), ("alice", Some(1001)));
    assert_eq!(info.supplemental_groups(), [1001, 2002, 2001]);
    let kept = User::new("x").name("Kept");
    let token = server
        .create_token("bob")
        .user(kept)
        .group("own", 7)
        .issue();
    let info = client.user_info(&token).await.unwrap();
    assert_eq!((info.name.as_deref(), info.groups[0].id), (Some("Kept"), 7));
    server.remove_directory();
    let bob = "bob".parse().unwrap();
    let error = client
        .user_info_for(&server.service_token(), &bob)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoDirectory);
    assert_eq!(server.journal().count("gafaelfawr.getOwnUserInfo"), 2);
    assert_eq!(server.journal().count("repertoire.getDiscovery"), 1);
    server.journal().assert_no_surprises();
}

#[tokio::test]
async fn a_client_over_tcp_sees_the_same_world() {
    let server = Server::new();
    let serving = server
        .serve(SocketAddr::from(([127, 0, 0, 1], 0)))
        .await
        .unwrap();
    let client = vouchsafe_userinfo::Client::builder()
        .repertoire_url(format!("{}{}", serving.url(), server.repertoire_path()))
        .build()
        .unwrap();
    let info = client.user_info(&server.user_token()).await.unwrap();
    assert_eq!(info.username, "alice");
    server.journal().assert_no_surprises();
}

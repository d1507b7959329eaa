//! The token, revocation and developer token endpoints.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use serde_json::{Value, json};
use vouchsafe_cloud_credentials::mock::{ExpiresIn, Method, Rate, Rotation, Server, TokenFormat};
use vouchsafe_cloud_credentials::{Claims, Secret};
use vouchsafe_core::Clock as _;

use crate::ask::{REVOKE, TOKEN, encoded, form, json, posting, read, refused, secret};

fn text(body: &Value, name: &str) -> String {
    body[name].as_str().unwrap_or_default().to_owned()
}

fn refresh(server: &Server, token: &str) -> (u16, Value) {
    let body = json!({
        "client_id": "app", "client_secret": secret(server),
        "refresh_token": token, "grant_type": "refresh_token",
    });
    json(server, TOKEN, &body)
}

fn logged_in(server: &Server) -> String {
    let login = server.log_in("app").unwrap();
    login.refresh_token.unwrap().expose().to_owned()
}

#[test]
fn a_refresh_does_to_the_refresh_token_what_the_settings_say() {
    for rotation in [Rotation::Keeps, Rotation::Rotates, Rotation::Revokes] {
        let server = Server::builder()
            .settings(|settings| settings.rotation = rotation)
            .start();
        let first = logged_in(&server);
        let (status, answer) = refresh(&server, &first);
        assert_eq!(status, 200);
        let second = text(&answer, "refresh_token");
        if rotation == Rotation::Keeps {
            assert_eq!(second, "");
            assert_eq!(refresh(&server, &first).0, 200);
            continue;
        }
        assert_eq!(
            refused(refresh(&server, &first)),
            (400, "invalid_grant".to_owned())
        );
        let is_revoked = refresh(&server, &second).0 == 400;
        assert_eq!(is_revoked, rotation == Rotation::Revokes);
        assert_eq!(server.counts().refreshes(), 3);
        let refusals = 1 + u64::from(is_revoked);
        assert_eq!(server.counts().refusals["invalid_grant"], refusals);
        // Another login is still valid.
        assert_eq!(refresh(&server, &logged_in(&server)).0, 200);
    }
}

#[test]
fn a_replaced_refresh_token_may_overlap_until_the_next_one_is_used_or_the_time_is_over() {
    let overlapping = |overlap| {
        let settings = Server::builder().settings(|settings| {
            settings.rotation = Rotation::Overlaps;
            settings.refresh_token_overlap = overlap;
        });
        settings.start()
    };
    let used = |server: &Server, token: &str| {
        let (status, answer) = refresh(server, token);
        (status == 200).then(|| text(&answer, "refresh_token"))
    };
    let takes = |server: &Server, token: &str| {
        let takes = server.takes_refresh_token(&Secret::from(token));
        // Asking changes nothing.
        assert_eq!(takes, server.takes_refresh_token(&Secret::from(token)));
        takes
    };
    let server = overlapping(None);
    let first = logged_in(&server);
    let lost = used(&server, &first).unwrap();
    let second = used(&server, &first).unwrap();
    assert!(takes(&server, &first) && takes(&server, &lost) && takes(&server, &second));
    let third = used(&server, &second).unwrap();
    // The second has arrived, so neither the first nor the lost one is needed.
    for gone in [&first, &lost] {
        assert!(!takes(&server, gone));
        assert_eq!(used(&server, gone), None);
    }
    assert!(takes(&server, &second) && takes(&server, &third));
    server.revoke_logins("app").unwrap();
    assert!(!takes(&server, &third) && !takes(&server, "unknown"));

    let server = overlapping(Some(Duration::from_secs(10)));
    let first = logged_in(&server);
    let second = used(&server, &first).unwrap();
    server.clock().advance(Duration::from_secs(6));
    // Another use does not make it last longer.
    used(&server, &first).unwrap();
    server.clock().advance(Duration::from_secs(6));
    assert_eq!(used(&server, &first), None);
    assert!(takes(&server, &second));
}

#[test]
fn a_client_proves_who_it_is_in_one_way_that_the_server_takes() {
    let server = Server::new();
    let (token, secret) = (logged_in(&server), secret(&server));
    let ask = |pair: Option<&str>, more: &[(&str, &str)]| {
        let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", &*token)];
        fields.extend(more);
        let body = encoded(&fields);
        let mut request = posting(TOKEN, "application/x-www-form-urlencoded", body);
        if let Some(pair) = pair {
            let header = format!("Basic {}", STANDARD.encode(pair));
            let header = HeaderValue::from_str(&header).unwrap();
            request.headers.insert(AUTHORIZATION, header);
        }
        server.handle(&request)
    };
    let pair = format!("app:{secret}");
    let in_body = [("client_id", "app"), ("client_secret", &*secret)];
    assert_eq!(ask(Some(&pair), &[]).status, 200);
    assert_eq!(ask(Some(&pair), &[("client_id", "app")]).status, 200);
    assert_eq!(ask(None, &in_body).status, 200);
    for (pair, more, status, code) in [
        (Some(&*pair), &in_body[..], 400, "invalid_request"),
        (Some(&*pair), &[("client_id", "cli")], 401, "invalid_client"),
        (Some("app:wrong"), &[], 401, "invalid_client"),
        (Some("app"), &[], 401, "invalid_client"),
        (None, &[("client_id", "app")], 401, "invalid_client"),
        (
            None,
            &[("client_id", "app"), ("client_secret", "wrong")],
            401,
            "invalid_client",
        ),
        (
            None,
            &[("client_id", "cli"), ("client_secret", "some")],
            401,
            "invalid_client",
        ),
        (None, &[], 401, "invalid_client"),
        // It is another client's token.
        (None, &[("client_id", "cli")], 400, "invalid_grant"),
    ] {
        let answer = ask(pair, more);
        let is_challenged = answer.headers.contains_key("www-authenticate");
        assert_eq!(is_challenged, status == 401 && pair.is_some());
        assert_eq!(
            refused(read(&answer)),
            (status, code.to_owned()),
            "{pair:?} {more:?}"
        );
    }
    server.configure(|settings| settings.client_authentication = vec![Method::ClientSecretBasic]);
    assert_eq!(ask(None, &in_body).status, 401);
    assert_eq!(ask(Some(&pair), &[]).status, 200);
}

#[test]
fn a_request_that_makes_no_sense_is_refused_with_the_code_of_the_standard() {
    let server = Server::new();
    let secret = secret(&server);
    let own = |more: Value| {
        let mut body = json!({"client_id": "app", "client_secret": secret});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        refused(json(&server, TOKEN, &body)).1
    };
    assert_eq!(own(json!({})), "invalid_request");
    assert_eq!(own(json!({"grant_type": null})), "invalid_request");
    assert_eq!(own(json!({"grant_type": ["x"]})), "invalid_request");
    assert_eq!(
        own(json!({"grant_type": "password"})),
        "unsupported_grant_type"
    );
    assert_eq!(
        own(json!({"grant_type": "refresh_token"})),
        "invalid_request"
    );
    let token = logged_in(&server);
    let wider = json!({"grant_type": "refresh_token", "refresh_token": token, "scope": "all"});
    assert_eq!(own(wider), "invalid_scope");
    for (kind, body) in [
        ("text/plain", "grant_type=refresh_token"),
        ("application/json", "[]"),
        ("application/json", "{"),
        (
            "application/x-www-form-urlencoded",
            "grant_type=refresh_token&grant_type=refresh_token",
        ),
    ] {
        let answer = read(&server.handle(&posting(TOKEN, kind, body.to_owned())));
        assert_eq!(
            refused(answer),
            (400, "invalid_request".to_owned()),
            "{body}"
        );
    }
    // What a client put in the wrong place is not shown.
    assert!(!server.snapshot().to_string().contains("password"));
}

#[test]
fn tokens_look_and_live_as_the_settings_say() {
    let server = Server::new();
    let token = logged_in(&server);
    let (_, answer) = refresh(&server, &token);
    assert_eq!(answer["expires_in"], "3600");
    let claims = Claims::of(&Secret::from(text(&answer, "access_token"))).unwrap();
    let lifetime = claims
        .expiry()
        .unwrap()
        .duration_since(server.clock().now())
        .unwrap();
    assert!((3590..=3600).contains(&lifetime.as_secs()), "{lifetime:?}");
    server.configure(|settings| {
        settings.token_format = TokenFormat::Opaque;
        settings.expires_in = ExpiresIn::Number;
        settings.access_token_lifetime = Duration::from_secs(7);
    });
    let (_, answer) = refresh(&server, &token);
    assert_eq!(answer["expires_in"], 7);
    assert!(Claims::of(&Secret::from(text(&answer, "access_token"))).is_err());
    server.configure(|settings| settings.expires_in = ExpiresIn::Absent);
    assert_eq!(refresh(&server, &token).1.get("expires_in"), None);

    server.configure(|settings| settings.refresh_token_lifetime = Some(Duration::from_secs(60)));
    let short = logged_in(&server);
    server.clock().advance(Duration::from_secs(61));
    assert_eq!(refused(refresh(&server, &short)).1, "invalid_grant");
    assert_eq!(refresh(&server, &token).0, 200);
}

#[test]
fn a_client_gets_a_token_for_itself_if_it_has_a_secret() {
    let server = Server::new();
    let secret = secret(&server);
    let own = [
        ("grant_type", "client_credentials"),
        ("client_id", "app"),
        ("client_secret", &*secret),
        ("scope", "event-service:read"),
    ];
    let (status, answer) = form(&server, TOKEN, &own);
    assert_eq!(
        (status, &answer["scope"]),
        (200, &json!("event-service:read"))
    );
    assert_eq!(answer.get("refresh_token"), None);
    let public = [("grant_type", "client_credentials"), ("client_id", "cli")];
    assert_eq!(
        refused(form(&server, TOKEN, &public)),
        (400, "unauthorized_client".to_owned())
    );
}

#[test]
fn a_revoked_token_ends_with_what_came_of_it() {
    let server = Server::new();
    let secret = secret(&server);
    let revoke = |token: &str| {
        let body = json!({
            "client_id": "app", "client_secret": secret, "token": token,
            "token_type_hint": "access_token",
        });
        json(&server, REVOKE, &body)
    };
    let done = (200, json!({"issuccess": "true"}));
    assert_eq!(revoke("unknown"), done);
    let token = logged_in(&server);
    let access_token = text(&refresh(&server, &token).1, "access_token");
    assert_eq!(revoke(&access_token), done);
    assert_eq!(refresh(&server, &token).0, 200);
    // The hint is only a hint.
    assert_eq!(revoke(&token), done);
    assert_eq!(refused(refresh(&server, &token)).1, "invalid_grant");
    assert_eq!(refused(revoke("")).1, "invalid_request");

    let other = server.log_in("cli").unwrap().refresh_token.unwrap();
    assert_eq!(refused(revoke(other.expose())).1, "unauthorized_client");
    server.configure(|settings| settings.revokes_access_tokens = false);
    let token = server.log_in("app").unwrap().access_token.unwrap();
    assert_eq!(refused(revoke(token.expose())).1, "unsupported_token_type");
    assert_eq!(server.counts().revocations, 6);
}

#[test]
fn a_developer_token_is_exchanged_for_an_access_token() {
    let server = Server::new();
    let redeem = |header: Option<String>| {
        let mut request = posting("/request_token", "text/plain", String::new());
        if let Some(header) = header {
            let value = HeaderValue::from_str(&header).unwrap();
            request.headers.insert(AUTHORIZATION, value);
        }
        read(&server.handle(&request))
    };
    let token = server.developer_token().unwrap();
    let (status, answer) = redeem(Some(format!("Bearer {}", token.expose())));
    assert_eq!(status, 200);
    assert_eq!(answer.as_object().unwrap().len(), 1);
    for header in [
        None,
        Some("Bearer other".to_owned()),
        Some("Bearer".to_owned()),
    ] {
        assert_eq!(redeem(header).0, 401);
    }
    assert_eq!(server.counts().of("developer_token"), 4);
}

#[test]
fn too_many_requests_are_told_when_to_come_again() {
    let server = Server::builder()
        .settings(|settings| {
            settings.token_rate = Some(Rate {
                requests: 2,
                per: Duration::from_secs(10),
            });
        })
        .start();
    let token = logged_in(&server);
    assert_eq!(refresh(&server, &token).0, 200);
    assert_eq!(refresh(&server, &token).0, 200);
    let body = json!({"grant_type": "refresh_token"});
    let answer = server.handle(&posting(TOKEN, "application/json", body.to_string()));
    assert_eq!(answer.status, 429);
    let wait: u64 = answer.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((9..=10).contains(&wait), "{wait}");
    server.clock().advance(Duration::from_secs(wait));
    assert_eq!(refresh(&server, &token).0, 200);
}

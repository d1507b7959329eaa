//! Logging in, checking and revoking.

use std::time::Duration;

use vouchsafe_wazo_auth::{ErrorKind, Retry, ScopeCheck, Secret, Validity};

use super::*;

pub(super) fn token(text: &str, lifetime: u64) -> Value {
    json!({"data": {
        "token": text, "auth_id": ALICE, "acl": ["auth.#"],
        "utc_issued_at": "2026-01-02T03:00:00.000000",
        "utc_expires_at": format!("2026-01-02T03:{:02}:{:02}.000000", lifetime / 60, lifetime % 60),
        "metadata": {"uuid": ALICE, "purpose": "user", "of_a_plugin": 7},
        "unknown": [],
    }})
}

#[tokio::test]
async fn basic_credentials_are_sent_when_logging_in_and_never_else() {
    let created = with_header(answer(200, &token("t", 60)), "wazo-sessions-revoked", "2");
    let told = Told::new([created]);
    let client = told.client().with_credentials("alice", "päss:word");
    let created = client.token().create().send().await.unwrap();
    assert_eq!(told.line(0), "POST /api/auth/0.1/token");
    // alice:päss:word
    let basic = Some("Basic YWxpY2U6cMOkc3M6d29yZA==".to_owned());
    assert_eq!(told.header(0, "authorization"), basic);
    assert_eq!(told.header(0, "x-auth-token"), None);
    assert_eq!(told.json(0), json!({}));
    assert_eq!(created.sessions_revoked, Some(2));
    assert_eq!(created.token.token.expose(), "t");
    assert_eq!(created.token.lifetime(), Some(Duration::from_secs(60)));
    assert_eq!(created.token.acl, ["auth.#"]);
    assert_eq!(created.token.metadata.rest["of_a_plugin"], 7);
    client.users().delete(&alice()).await.unwrap();
    assert_eq!(told.header(1, "authorization"), None);
}

#[tokio::test]
async fn a_login_says_all_that_was_set() {
    let told = Told::new([answer(200, &token("t", 60))]);
    let request = told.client().token().create().credentials("bob", "pw");
    let request = request
        .offline("phone")
        .expiration(Duration::from_millis(3_999))
        .session_type("mobile")
        .user_agent("of the call")
        .domain_name("example.com")
        .backend("wazo_user");
    let created = request.send().await.unwrap();
    assert_eq!(
        told.json(0),
        json!({
            "access_type": "offline", "client_id": "phone", "expiration": 3,
            "domain_name": "example.com", "backend": "wazo_user",
        })
    );
    assert_eq!(
        told.header(0, "wazo-session-type").as_deref(),
        Some("mobile")
    );
    assert_eq!(told.header(0, "user-agent").as_deref(), Some("of the call"));
    assert_eq!(created.sessions_revoked, None);
}

#[tokio::test]
async fn no_password_is_sent_where_something_else_logs_in() {
    let told = Told::new([answer(200, &token("t", 60)), answer(200, &token("t", 60))]);
    let client = told.client().with_credentials("alice", "password");
    let create = || client.token().create();
    create().refresh_token("phone", "r").send().await.unwrap();
    assert_eq!(
        told.json(0),
        json!({"client_id": "phone", "refresh_token": "r"})
    );
    create().saml_session("s").send().await.unwrap();
    assert_eq!(told.json(1), json!({"saml_session_id": "s"}));
    for index in [0, 1] {
        assert_eq!(told.header(index, "authorization"), None);
    }
}

#[tokio::test]
async fn a_login_that_the_service_would_refuse_is_not_sent() {
    let told = Told::new([]);
    let client = told.client();
    let create = || client.token().create().credentials("a", "b");
    let bare = client.token().create().send().await.unwrap_err();
    assert!(bare.is_config(), "{bare}");
    let refused = [
        create().offline("c").refresh_token("c", "r"),
        create().saml_session("s").refresh_token("c", "r"),
        create().domain_name("d").tenant_id("t"),
        create().expiration(Duration::ZERO),
        create().expiration(Duration::from_secs(315_360_001)),
        create().offline(""),
        create().credentials("a:b", "c"),
    ];
    for request in refused {
        let error = request.send().await.unwrap_err();
        let kind = ErrorKind::Core(vouchsafe_wazo_auth::core::ErrorKind::Invalid);
        assert_eq!((error.kind(), error.sent()), (kind, Sent::No), "{error}");
        assert_eq!(error.operation(), Some("wazo-auth.createToken"));
    }
    assert_eq!(told.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_login_whose_answer_is_lost_is_not_sent_again() {
    let told = Told::new([Then::Break]);
    let client = told.client().with_credentials("alice", "pw");
    client.token().create().send().await.unwrap_err();
    assert_eq!(told.count(), 1);
}

/// The service's own words for a refusal.
fn refusal(code: u16, reason: &str) -> Then {
    let body = json!({"reason": [reason], "timestamp": [1.0], "status_code": code});
    answer(code, &body)
}

#[tokio::test(start_paused = true)]
async fn a_token_is_not_valid_only_if_the_service_says_so() {
    let secret = Secret::from(TOKEN);
    for (code, validity) in [
        (204, Some(Validity::Valid)),
        (200, None),
        (202, None),
        (302, None),
        (401, None),
        (400, None),
        (500, None),
    ] {
        let told = Told::new([status(code), status(code)]);
        let check = told.client().token().check(secret.clone());
        let check = check.required_access("auth.users.read").tenant(TENANT);
        assert_eq!(check.validity().await.ok(), validity, "{code}");
        assert_eq!(
            told.line(0),
            format!("HEAD /api/auth/0.1/token/{TOKEN}?scope=auth.users.read&tenant={TENANT}")
        );
    }
    let told = Told::new([status(204)]);
    assert!(told.client().token().is_valid(&secret).await.unwrap());
    assert_eq!(told.line(0), format!("HEAD /api/auth/0.1/token/{TOKEN}"));
    assert_eq!(told.header(0, "x-auth-token"), None);
    assert_eq!(told.count(), 1);
    let told = Told::new([status(503), Then::Break, status(204)]);
    assert!(told.client().token().is_valid(&secret).await.unwrap());
    let told = Told::new([Then::Break, Then::Break, Then::Break]);
    let error = told.client().token().is_valid(&secret).await.unwrap_err();
    assert_eq!(told.count(), 3);
    assert!(!format!("{error} {error:?}").contains(TOKEN), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_the_service_makes_no_token_valid() {
    let told = Told::new([answer(200, &json!({})), status(200)]);
    let client = told.client();
    let error = client.token().check(TOKEN).send().await.unwrap_err();
    let kind = ErrorKind::Core(vouchsafe_wazo_auth::core::ErrorKind::Decode);
    assert_eq!(error.kind(), kind);
    assert_eq!(error.status().map(|status| status.as_u16()), Some(200));
    assert!(!format!("{error} {error:?}").contains(TOKEN), "{error}");
    let error = client.token().check(TOKEN).is_valid().await.unwrap_err();
    assert_eq!(error.kind(), kind);
}

#[tokio::test]
async fn a_refused_check_is_confirmed_by_an_answer_with_words() {
    let refused = |first: u16, then: Then| Told::new([status(first), then]);
    let unknown_user = json!({"message": "No such user", "error_id": "unknown-user"});
    let page = json!("<html>Not Found</html>");
    for (first, then, validity) in [
        (404, refusal(404, "No such token"), Some(Validity::NotValid)),
        (404, answer(404, &unknown_user), Some(Validity::NotValid)),
        (
            403,
            refusal(403, "Unauthorized for a"),
            Some(Validity::NotAllowed),
        ),
        // The first answer was that of something else.
        (404, answer(200, &token(TOKEN, 60)), Some(Validity::Valid)),
        (403, refusal(404, "No such token"), Some(Validity::NotValid)),
        // So is the second.
        (404, answer(404, &page), None),
        (404, status(404), None),
        (404, refusal(404, "no such page"), None),
        (
            403,
            answer(403, &json!({"message": "forbidden by a filter"})),
            None,
        ),
        (403, status(403), None),
        (404, answer(200, &json!({"page": 1})), None),
        (404, status(204), None),
        (404, status(401), None),
        (404, status(500), None),
    ] {
        let told = refused(first, then);
        let check = told.client().token().check(TOKEN);
        let check = check.required_access("a").tenant(TENANT);
        let result = check.validity().await;
        assert_eq!(result.as_ref().ok(), validity.as_ref(), "{result:?}");
        let query = format!("/api/auth/0.1/token/{TOKEN}?scope=a&tenant={TENANT}");
        assert_eq!(told.line(0), format!("HEAD {query}"));
        assert_eq!(told.line(1), format!("GET {query}"));
        assert_eq!(told.header(1, "x-auth-token"), None);
        assert_eq!(told.count(), 2);
        if let Err(error) = result {
            assert!(!error.is_not_found() && !error.is_forbidden(), "{error}");
            assert!(!format!("{error} {error:?}").contains(TOKEN), "{error}");
        }
    }
    let told = refused(404, Then::Break);
    let client = told.builder().retry(Retry::none()).build().unwrap();
    client.token().is_valid(&TOKEN.into()).await.unwrap_err();

    let told = Told::new([
        status(404),
        refusal(404, "No such token"),
        status(403),
        refusal(403, "Unauthorized for tenant b"),
    ]);
    let check = told.client().token().check(TOKEN);
    let error = check.send().await.unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(error.body().reason.as_deref(), Some("No such token"));
    assert!(check.send().await.unwrap_err().is_forbidden());
}

#[tokio::test]
async fn several_accesses_are_checked_in_one_request() {
    let told = Told::new([answer(200, &json!({"scopes": {"a": true, "b": false}}))]);
    let body = ScopeCheck::new(["a", "b"]).tenant_uuid(&tenant());
    let secret = Secret::from(TOKEN);
    let client = told.client();
    let scopes = client.token().check_scopes(&secret, &body).await.unwrap();
    assert!(scopes["a"] && !scopes["b"]);
    assert_eq!(
        told.json(0),
        json!({"scopes": ["a", "b"], "tenant_uuid": TENANT})
    );
    assert_eq!(
        told.line(0),
        format!("POST /api/auth/0.1/token/{TOKEN}/scopes/check")
    );
}

#[tokio::test(start_paused = true)]
async fn a_revocation_that_failed_is_not_taken_for_one_that_worked() {
    let told = Told::new([status(503), status(200), status(500)]);
    let client = told.client();
    let secret = Secret::from(TOKEN);
    client.token().revoke(&secret).await.unwrap();
    assert_eq!(told.count(), 2);
    assert!(client.token().revoke(&secret).await.is_err());
}

#[tokio::test]
async fn a_token_is_read_without_the_clients_own() {
    let told = Told::new([answer(200, &token("t", 60))]);
    let found = told
        .client()
        .token()
        .get(TOKEN)
        .required_access("a")
        .send()
        .await;
    assert_eq!(found.unwrap().auth_id, ALICE);
    assert_eq!(told.header(0, "x-auth-token"), None);
    assert_eq!(
        told.line(0),
        format!("GET /api/auth/0.1/token/{TOKEN}?scope=a")
    );
}

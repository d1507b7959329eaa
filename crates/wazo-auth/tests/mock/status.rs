//! A service with a failed component, and one that is starting.

use http::Method;
use serde_json::{Value, json};
use vouchsafe_wazo_auth::Retry;
use vouchsafe_wazo_auth::core::ErrorKind as Core;
use vouchsafe_wazo_auth::mock::Server;
use vouchsafe_wazo_auth::{Client, ErrorKind, Validity};

use super::raw;

fn impatient(server: &Server) -> Client {
    let client = Client::builder().host("wazo.example.com").prefix("");
    let client = client.transport(server.host().transport());
    client.retry(Retry::none()).build().unwrap()
}

#[tokio::test]
async fn a_failed_component_shows_in_the_status_alone() {
    let server = Server::new();
    let client = impatient(&server);
    let token = server.issue_token("admin");
    server.set_failing(true);
    let error = client.status().check().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(503));
    assert!(client.is_server_reachable().await);
    assert!(client.token().is_valid(&token).await.unwrap());
    let admin = client.with_token(token);
    admin.users().list().send().await.unwrap();
    server.set_failing(false);
    client.status().check().await.unwrap();
}

#[tokio::test]
async fn a_service_that_is_starting_answers_503_and_says_nothing_of_a_token() {
    let server = Server::new();
    let client = impatient(&server);
    let token = server.issue_token("admin");
    server.set_starting(true);
    let answer = raw(&server, Method::GET, "/0.1/users", Some(&token), None);
    assert_eq!(answer.status, 503);
    let mut body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert!(body["timestamp"].is_f64());
    body["timestamp"] = Value::Null;
    let expected = json!({
        "message": "wazo-auth top tenant is not initialized", "details": {}, "timestamp": null,
        "error_id": "top-tenant-not-initialized",
    });
    assert_eq!(body, expected);

    let is_unavailable = |error: vouchsafe_wazo_auth::Error| {
        assert_eq!(error.status().map(|status| status.as_u16()), Some(503));
        assert_eq!(error.kind(), ErrorKind::Core(Core::Status), "{error}");
    };
    is_unavailable(client.token().is_valid(&token).await.unwrap_err());
    is_unavailable(client.token().get(token.clone()).send().await.unwrap_err());
    is_unavailable(client.status().check().await.unwrap_err());
    let login = client
        .token()
        .create()
        .credentials("admin", "correct horse");
    is_unavailable(login.send().await.unwrap_err());
    let answer = raw(&server, Method::HEAD, "/0.1/status", None, None);
    assert_eq!((answer.status.as_u16(), answer.body.len()), (503, 0));
    // What needs no tenants is there.
    client.backends().list().await.unwrap();
    assert_eq!(
        raw(&server, Method::GET, "/0.1/nowhere", None, None).status,
        404
    );

    server.set_starting(false);
    client.status().check().await.unwrap();
    login.send().await.unwrap();
    let check = client.token().check(token).validity().await.unwrap();
    assert_eq!(check, Validity::Valid);
}

#[test]
fn both_are_management_actions_and_part_of_the_snapshot() {
    let server = Server::new();
    let status = || {
        raw(&server, Method::HEAD, "/0.1/status", None, None)
            .status
            .as_u16()
    };
    for (action, member) in [("status", "failing"), ("starting", "starting")] {
        for (is_on, code) in [(true, 503), (false, 200)] {
            let body = json!({ member: is_on }).to_string();
            server
                .host()
                .handler()
                .act(action, body.as_bytes())
                .unwrap();
            assert_eq!(status(), code, "{action}");
            assert_eq!(server.snapshot()[member], is_on);
        }
        server.host().handler().act(action, b"{}").unwrap_err();
    }
}

//! Actions of the management.

use serde_json::{Value, json};
use vouchsafe_cloud_credentials::mock::Server;
use vouchsafe_core::ErrorKind;

use crate::ask::{DEVICE, TOKEN, form, json as ask, secret};

fn act(server: &Server, action: &str, body: &Value) -> Value {
    let handler = server.host().handler();
    handler.act(action, body.to_string().as_bytes()).unwrap()
}

#[tokio::test]
async fn logins_are_made_expired_and_revoked() {
    let server = Server::new();
    let login = act(&server, "logins", &json!({"client_id": "app"}));
    let token = login["access_token"].as_str().unwrap();
    let client = server.client().unwrap().with_token(token);
    client.events().ack("x").await.unwrap();
    let none = act(&server, "expire", &json!({"client_id": "cli"}));
    assert_eq!(none, json!({"expired": 0}));
    client.events().ack("x").await.unwrap();
    assert_eq!(act(&server, "expire", &json!({})), json!({"expired": 1}));
    assert!(client.events().ack("x").await.is_err());
    let refresh = json!({
        "grant_type": "refresh_token", "client_id": "app", "client_secret": secret(&server),
        "refresh_token": login["refresh_token"],
    });
    assert_eq!(ask(&server, TOKEN, &refresh).0, 200);
    let revoked = act(&server, "revoke", &json!({"client_id": "app"}));
    assert_eq!(revoked, json!({"revoked": 1}));
    assert_eq!(ask(&server, TOKEN, &refresh).0, 400);
    let old = json!({"client_id": "app", "expires_in_s": -1, "scopes": ["event-service:read"]});
    let old = act(&server, "logins", &old);
    let token = old["access_token"].as_str().unwrap();
    let client = server.client().unwrap().with_token(token);
    assert!(client.events().ack("x").await.is_err());
}

#[test]
fn devices_and_settings_are_at_hand() {
    let server = Server::new();
    form(&server, DEVICE, &[("client_id", "cli")]);
    let (_, other) = form(&server, DEVICE, &[("client_id", "cli")]);
    let one = json!({"decision": "deny", "user_code": other["user_code"]});
    assert_eq!(act(&server, "devices", &one), json!({"decided": 1}));
    let rest = json!({"decision": "allow"});
    assert_eq!(act(&server, "devices", &rest), json!({"decided": 1}));
    assert_eq!(act(&server, "devices", &rest), json!({"decided": 0}));
    act(
        &server,
        "settings",
        &json!({"access_token_lifetime_s": 5, "expires_in": "number"}),
    );
    let own = json!({
        "grant_type": "client_credentials", "client_id": "app", "client_secret": secret(&server),
    });
    assert_eq!(ask(&server, TOKEN, &own).1["expires_in"], 5);
    assert_eq!(
        server.snapshot()["token_requests"],
        json!({"client_credentials": 1})
    );
}

#[test]
fn every_action_takes_its_own_example_and_refuses_another_body() {
    let server = Server::new();
    let handler = server.host().handler();
    for action in handler.actions() {
        let answer = handler.act(action.name(), action.example().as_bytes());
        let example: Value = serde_json::from_str(action.example_answer()).unwrap();
        let names =
            |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
        assert_eq!(
            names(&answer.unwrap()),
            names(&example),
            "{}",
            action.name()
        );
        let wrong = handler
            .act(action.name(), br#"{"planted": 1}"#)
            .unwrap_err();
        assert_eq!(wrong.kind(), ErrorKind::Config);
    }
    let unknown = handler.act("logins", br#"{"client_id": "x"}"#).unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
}

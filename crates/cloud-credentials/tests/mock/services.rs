//! The services, and what the server says of itself.

use std::time::Duration;

use vouchsafe_cloud_credentials::mock::{Rate, Seed, Server};
use vouchsafe_cloud_credentials::{Retry, Secret};

use crate::ask::{BASE, get, read};

#[tokio::test]
async fn a_token_is_refused_by_its_age_and_by_its_scopes() {
    let seed = r#"{
        "clients": [{"client_id": "app", "scopes": ["event-service:read"]}],
        "tokens": [
            {"client_id": "app", "access_token": "young"},
            {"client_id": "app", "access_token": "old", "expires_in_s": -1}
        ]
    }"#;
    let server = Server::from_seed(&Seed::parse(seed).unwrap());
    let with = |token: &str| server.client().unwrap().with_token(token);
    with("young").events().ack("x").await.unwrap();
    for token in ["old", "unknown"] {
        let error = with(token).events().ack("x").await.unwrap_err();
        assert!(error.is_unauthorized(), "{error}");
    }
    let error = with("young").directory().domains().await.unwrap_err();
    assert!(error.is_forbidden(), "{error}");
    server.clock().advance(Duration::from_secs(3601));
    assert!(with("young").events().ack("x").await.is_err());
    let (counts, always) = (server.counts(), server.client().unwrap());
    assert_eq!((counts.served, counts.unauthorized), (1, 3));
    always.directory().domains().await.unwrap();
    server.reset();
    with("young").events().ack("x").await.unwrap();
    always.directory().domains().await.unwrap();
}

#[test]
fn a_refusal_says_why_in_the_header_of_the_standard() {
    let server = Server::new();
    let answer = get(&server, "/event-service/v1/channels/x/filters");
    assert_eq!(answer.headers["www-authenticate"], "Bearer");
    let (status, body) = read(&answer);
    assert_eq!((status, &body["errorCode"]), (401, &"unauthorized".into()));
    assert_eq!(read(&get(&server, "/no/such")).0, 404);
    let answer = get(&server, "/api/oauth2/RequestToken");
    assert_eq!(answer.status, 405);
    assert_eq!(answer.headers["allow"], "POST");
}

#[tokio::test]
async fn too_many_calls_are_refused_until_the_time_is_over() {
    let server = Server::builder()
        .settings(|settings| {
            settings.api_rate = Some(Rate {
                requests: 1,
                per: Duration::from_secs(30),
            });
        })
        .start();
    let client = server.client_builder();
    let client = client.retry(Retry::none()).build().unwrap();
    client.events().ack("x").await.unwrap();
    let error = client.events().ack("x").await.unwrap_err();
    assert_eq!(error.status().unwrap(), 429);
    let wait = error.retry_after().unwrap();
    assert!(wait > Duration::from_secs(28), "{wait:?}");
    server.clock().advance(wait);
    client.events().ack("x").await.unwrap();
}

#[test]
fn the_server_says_what_it_has_by_either_path() {
    let server = Server::new();
    let (status, said) = read(&get(&server, "/.well-known/oauth-authorization-server"));
    assert_eq!(status, 200);
    assert_eq!(said["issuer"], BASE);
    for (name, path) in [
        ("authorization_endpoint", "/as/authorization.oauth2"),
        ("token_endpoint", "/api/oauth2/RequestToken"),
        ("revocation_endpoint", "/api/oauth2/RevokeToken"),
        ("device_authorization_endpoint", "/as/device_authz.oauth2"),
    ] {
        assert_eq!(said[name], format!("{BASE}{path}"));
    }
    assert_eq!(said["code_challenge_methods_supported"][0], "S256");
    let other = get(&server, "/.well-known/openid-configuration");
    assert_eq!(read(&other), (200, said));
    server.configure(|settings| settings.issuer = Some("https://other.example.com".to_owned()));
    let (_, said) = read(&get(&server, "/.well-known/oauth-authorization-server"));
    assert_eq!(said["issuer"], "https://other.example.com");
}

#[test]
fn no_secret_is_shown() {
    let server = Server::new();
    let login = server.log_in("app").unwrap();
    let shown = format!("{server:?} {:?} {}", server.counts(), server.snapshot());
    let secrets = [
        login.access_token,
        login.client_secret,
        login.refresh_token,
        server.developer_token(),
        Some(server.token()),
    ];
    for secret in secrets.into_iter().map(Option::<Secret>::unwrap) {
        assert!(!shown.contains(secret.expose()));
    }
}

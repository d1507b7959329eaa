//! The client's own flows, from the page to the services.

use vouchsafe_cloud_credentials::mock::{Rotation, Server};
use vouchsafe_cloud_credentials::{BodyFormat, ClientAuthentication, Credentials};

use crate::ask::{AUTHORIZE, BACK, get, redirect};

fn builders(server: &Server) -> [Credentials; 3] {
    let builder = || server.credentials_builder().redirect_uri(BACK);
    let secret = || server.client_secret("app").unwrap();
    let app = || builder().client_id("app").client_secret(secret());
    [
        app().build().unwrap(),
        app()
            .body_format(BodyFormat::Form)
            .client_authentication(ClientAuthentication::Basic)
            .build()
            .unwrap(),
        builder()
            .client_id("cli")
            .redirect_uri("http://127.0.0.1:9/callback")
            .body_format(BodyFormat::Form)
            .client_authentication(ClientAuthentication::None)
            .build()
            .unwrap(),
    ]
}

#[tokio::test]
async fn a_login_lasts_through_refreshes_until_it_is_revoked() {
    for number in 0..3 {
        let server = Server::builder()
            .settings(|settings| {
                settings.is_pkce_required = true;
                settings.rotation = Rotation::Revokes;
            })
            .start();
        let credentials = &builders(&server)[number];
        let login = credentials.authorize().url().await.unwrap();
        let (_, query) = login.url.split_once('?').unwrap();
        let answer = get(&server, &format!("{AUTHORIZE}?{query}"));
        let back = answer.headers["location"].to_str().unwrap();
        let issuer = &redirect(&answer).1["iss"];
        let code = login.callback_from(issuer, back).unwrap();
        let exchange = credentials.exchange(code);
        let verifier = login.verifier.clone().unwrap();
        exchange.verifier(verifier).send().await.unwrap();
        let client = server.client_builder().credentials(credentials);
        let client = client.build().unwrap();
        client.directory().domains().await.unwrap();
        for refreshes in 1..=3 {
            server.expire_access_tokens();
            client.directory().domains().await.unwrap();
            assert_eq!(server.counts().refreshes(), refreshes);
        }
        assert_eq!(server.counts().refused(), 0);
        credentials.revoke_refresh_token().await.unwrap();
        assert!(client.directory().domains().await.is_err());
        assert_eq!(server.snapshot()["logins"][0]["revoked"], true);
    }
}

#[tokio::test]
async fn a_login_that_was_revoked_elsewhere_has_to_be_made_again() {
    let server = Server::new();
    let login = server.log_in("app").unwrap();
    let credentials = server
        .credentials_builder()
        .client_id("app")
        .client_secret(login.client_secret.unwrap())
        .refresh_token(login.refresh_token.unwrap())
        .build()
        .unwrap();
    credentials.refresh().await.unwrap();
    server.revoke_logins("app").unwrap();
    let client = server.client_builder().credentials(&credentials);
    let error = client.build().unwrap().events().ack("x").await.unwrap_err();
    assert!(error.is_reauthorization_needed(), "{error}");
}

#[tokio::test]
async fn a_developer_token_opens_the_services() {
    let server = Server::new();
    let token = server.developer_token().unwrap();
    let credentials = server.credentials_builder().developer_token(token);
    let credentials = credentials.build().unwrap();
    let client = server.client_builder().credentials(&credentials);
    client.build().unwrap().directory().domains().await.unwrap();
    assert_eq!(server.counts().of("developer_token"), 1);
}

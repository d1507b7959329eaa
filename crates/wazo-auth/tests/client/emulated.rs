//! The client over TLS, and against the rules of the service.

use std::net::Ipv4Addr;
use std::time::Duration;

use vouchsafe_wazo_auth::core::mock::CertificateAuthority;
use vouchsafe_wazo_auth::mock::Server;
use vouchsafe_wazo_auth::{ErrorKind, NewUser, RenewingToken, UserEdit};

use super::*;

#[tokio::test]
async fn a_server_is_trusted_by_its_own_bundle_and_by_no_other() {
    let server = Server::new();
    let authority = CertificateAuthority::new().unwrap();
    let address = (Ipv4Addr::LOCALHOST, 0).into();
    let serving = server.serve_tls(address, &authority).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("ca.pem");
    let builder = || {
        let builder = Client::builder().host("127.0.0.1").prefix("");
        builder
            .port(serving.address().port())
            .retry(vouchsafe_wazo_auth::Retry::none())
    };
    std::fs::write(&bundle, authority.pem()).unwrap();
    let client = builder().ca_bundle(&bundle).build().unwrap();
    assert!(client.is_server_reachable().await);
    client.status().check().await.unwrap();

    let other = CertificateAuthority::new().unwrap();
    std::fs::write(&bundle, other.pem()).unwrap();
    let client = builder().ca_bundle(&bundle).build().unwrap();
    assert!(!client.is_server_reachable().await);
    let error = client.status().check().await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");

    let client = builder()
        .dangerously_accept_any_certificate()
        .build()
        .unwrap();
    client.status().check().await.unwrap();
}

#[tokio::test]
async fn a_long_list_is_walked_to_its_end_and_a_change_meanwhile_is_noticed() {
    let server = Server::new();
    let admin = server.client_as("admin");
    let mut all = Vec::new();
    for number in 0..25 {
        let user = NewUser::new().username(format!("walker-{number:02}"));
        all.push(admin.users().create(&user).await.unwrap().uuid);
    }
    let walk = || admin.users().list().search("walker").limit(10).items();
    let found = walk().collect().await.unwrap();
    assert_eq!(
        found
            .iter()
            .map(|user| user.uuid.clone())
            .collect::<Vec<_>>(),
        all
    );

    let mut users = walk();
    for _ in 0..10 {
        users.next().await.unwrap().unwrap();
    }
    admin.users().delete(&all[9]).await.unwrap();
    let error = users.next().await.unwrap_err();
    assert!(error.is_conflict() && error.status().is_none(), "{error}");
}

#[tokio::test]
async fn an_ended_session_and_a_database_that_is_away_are_survived() {
    let server = Server::new();
    let admin = server.client_as("admin");
    let user = NewUser::new().username("service").password("pw");
    let user = admin.users().create(&user).await.unwrap();
    let login = server
        .client()
        .token()
        .create()
        .credentials("service", "pw");
    let source = RenewingToken::new(login.expiration(Duration::from_secs(3600)));
    let client = server.client().with_token_source(Arc::new(source.clone()));

    let missing = client.sessions().list().send().await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::MissingAccess);
    let first = source.subscribe().borrow().token.clone().unwrap();
    let sessions = admin.users().get_sessions(&user.uuid).send().await.unwrap();
    for session in sessions.items {
        admin.sessions().delete(&session.uuid).await.unwrap();
    }
    // The token is unknown now: the source logs in again, and the call is refused as before.
    let missing = client.sessions().list().send().await.unwrap_err();
    assert_eq!(
        (missing.kind(), missing.attempts()),
        (ErrorKind::MissingAccess, 2)
    );
    let second = source.subscribe().borrow().token.clone().unwrap();
    assert!(second.generation() > first.generation());

    server.set_database_down(true);
    let check = server.client().token().is_valid(second.secret()).await;
    assert_eq!(
        check.unwrap_err().status(),
        Some(StatusCode::INTERNAL_SERVER_ERROR)
    );
    server.set_database_down(false);
    assert!(
        server
            .client()
            .token()
            .is_valid(second.secret())
            .await
            .unwrap()
    );

    let disabled = UserEdit::from(&user).enabled(false);
    admin.users().edit(&user.uuid, &disabled).await.unwrap();
    let refused = client.sessions().list().send().await.unwrap_err();
    assert!(refused.is_unauthorized(), "{refused}");
    assert!(source.subscribe().borrow().error.is_some());
}

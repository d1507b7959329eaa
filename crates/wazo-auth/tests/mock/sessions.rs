//! Logins, refresh tokens and sessions, as the service has them.

use std::time::Duration;

use serde_json::json;
use vouchsafe_wazo_auth::mock::{MessageKind, Seed, Server};
use vouchsafe_wazo_auth::{
    Client, CreatedToken, ErrorKind, NewUser, PasswordChange, PasswordReset, Result, Secret, User,
    UserEdit,
};

/// A server with a user who has a password.
async fn alice(seed: Seed) -> (Server, Client, User) {
    let server = Server::from_seed(&seed);
    let admin = server.client_as("admin");
    let new = NewUser::new().username("alice").password("pw");
    let alice = admin.users().create(&new).await.unwrap();
    (server, admin, alice)
}

async fn offline(server: &Server, app: &str, kind: &str) -> CreatedToken {
    let login = server.client().token().create().credentials("alice", "pw");
    let login = login.offline(app).session_type(kind);
    login.send().await.unwrap()
}

async fn refresh(server: &Server, app: &str, secret: &Secret) -> Result<CreatedToken> {
    let login = server.client().token().create();
    login.refresh_token(app, secret.clone()).send().await
}

async fn is_valid(server: &Server, created: &CreatedToken) -> bool {
    let api = server.client();
    api.token().is_valid(&created.token.token).await.unwrap()
}

fn secret(created: &CreatedToken) -> Secret {
    created.token.refresh_token.clone().unwrap()
}

#[tokio::test]
async fn a_refresh_token_is_the_clients_own_and_works_until_it_is_deleted() {
    let (server, admin, alice) = alice(Seed::sample()).await;
    let first = offline(&server, "app", "").await;
    let again = offline(&server, "app", "").await;
    assert_eq!(secret(&first).expose(), secret(&again).expose());
    assert_eq!(again.sessions_revoked, Some(0));

    // It may be used again and again, by its own client alone.
    for _ in 0..3 {
        let renewed = refresh(&server, "app", &secret(&first)).await.unwrap();
        assert!(renewed.token.refresh_token.is_none());
        assert!(is_valid(&server, &renewed).await);
    }
    for (app, text) in [("other", secret(&first)), ("app", Secret::from("no-such"))] {
        let refused = refresh(&server, app, &text).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::LoginFailed);
    }

    // A new password ends sessions, and no refresh token.
    let change = PasswordChange::new("pw", "new");
    admin
        .users()
        .change_password(&alice.uuid, &change)
        .await
        .unwrap();
    assert!(!is_valid(&server, &again).await);
    let renewed = refresh(&server, "app", &secret(&first)).await.unwrap();

    // Another name does, since the user is looked up by the one given at the login.
    let edit = UserEdit::from(&alice).username("alicia");
    admin.users().edit(&alice.uuid, &edit).await.unwrap();
    refresh(&server, "app", &secret(&first)).await.unwrap_err();
    let edit = UserEdit::from(&alice);
    admin.users().edit(&alice.uuid, &edit).await.unwrap();

    admin.token().delete(&alice.uuid, "app").await.unwrap();
    assert!(is_valid(&server, &renewed).await, "what it made stays");
    refresh(&server, "app", &secret(&first)).await.unwrap_err();
    let missing = admin.token().delete(&alice.uuid, "app").await.unwrap_err();
    assert!(missing.is_not_found());
}

#[tokio::test]
async fn a_mobile_login_ends_the_users_other_mobile_sessions_and_counts_them() {
    let (server, _, _) = alice(Seed::sample()).await;
    let desk = offline(&server, "desk", "").await;
    let old = offline(&server, "phone", "Mobile").await;
    let renewed = refresh(&server, "phone", &secret(&old)).await.unwrap();
    let plain = server.client().token().create().credentials("alice", "pw");
    let plain = plain.session_type("mobile").send().await.unwrap();

    let tablet = offline(&server, "tablet", "mobile").await;
    assert_eq!(tablet.sessions_revoked, Some(2));
    for (created, stays) in [
        (&old, false),
        (&renewed, false),
        (&desk, true),
        (&plain, true),
    ] {
        assert_eq!(is_valid(&server, created).await, stays);
    }
    refresh(&server, "phone", &secret(&old)).await.unwrap_err();
    refresh(&server, "desk", &secret(&desk)).await.unwrap();
    let newer = offline(&server, "tablet", "mobile").await;
    assert_ne!(secret(&newer).expose(), secret(&tablet).expose());
    assert_eq!(newer.sessions_revoked, Some(1));
}

#[tokio::test]
async fn ended_sessions_count_until_they_are_removed() {
    let seed = Seed::sample().settings(|settings| settings.max_sessions = 2);
    let (server, _, _) = alice(seed).await;
    let login = || {
        let login = server.client().token().create().credentials("alice", "pw");
        login.expiration(Duration::from_secs(10))
    };
    let first = login().send().await.unwrap();
    login().send().await.unwrap();
    let refused = login().send().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::TooManySessions);
    // The second of the expiry still counts.
    server.clock().advance(Duration::from_secs(9));
    assert!(is_valid(&server, &first).await);
    server.clock().advance(Duration::from_secs(3));
    assert!(!is_valid(&server, &first).await);
    let refused = login().send().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::TooManySessions);
    server.clock().advance(Duration::from_secs(60));
    login().send().await.unwrap();
}

#[tokio::test]
async fn a_token_outlives_its_user_but_acts_for_no_tenant() {
    let (server, admin, alice) = alice(Seed::sample()).await;
    let token = server.issue_token_with("alice", ["auth.#"]);
    admin.users().delete(&alice.uuid).await.unwrap();
    let api = server.client();
    assert!(api.token().is_valid(&token).await.unwrap());
    let own = server.client().with_token(token.clone());
    assert!(own.users().list().send().await.unwrap_err().is_not_found());
    let check = api.token().get(token).tenant(alice.tenant_uuid.as_str());
    assert!(check.send().await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn the_token_of_a_message_sets_the_password_of_its_user_alone() {
    let (server, admin, alice) = alice(Seed::sample()).await;
    let email = NewUser::new()
        .username("bob")
        .email_address("bob@example.com");
    let bob = admin.users().create(&email).await.unwrap();
    let api = server.client();
    api.users()
        .reset_password()
        .username("bob")
        .send()
        .await
        .unwrap();
    api.users()
        .reset_password()
        .username("nobody")
        .send()
        .await
        .unwrap();
    let outbox = server.outbox();
    assert_eq!(outbox.len(), 1, "who has no address gets no message");
    assert_eq!(
        (&*outbox[0].to, outbox[0].kind),
        ("bob <bob@example.com>", MessageKind::PasswordReset)
    );
    let link = format!(
        "token={}&user_uuid={}",
        outbox[0].token().expose(),
        bob.uuid
    );
    assert!(outbox[0].link.ends_with(&link));
    assert_eq!(
        (outbox[0].user_uuid(), outbox[0].email_uuid()),
        (Some(bob.uuid.clone()), None)
    );
    assert!(!format!("{:?}", outbox[0]).contains(outbox[0].token().expose()));
    let client = server.client().with_token(outbox[0].token());

    let reset = PasswordReset::new(Some("first".into()));
    client
        .users()
        .set_password(&alice.uuid, &reset)
        .await
        .unwrap_err();
    for password in ["first", "second"] {
        let reset = PasswordReset::new(Some(password.into()));
        client
            .users()
            .set_password(&bob.uuid, &reset)
            .await
            .unwrap();
        let login = api.token().create().credentials("bob", password);
        login.send().await.unwrap();
    }
    server.clock().advance(Duration::from_secs(172_802));
    client
        .users()
        .set_password(&bob.uuid, &reset)
        .await
        .unwrap_err();
}

#[tokio::test]
async fn a_token_for_ever_is_one_until_the_year_9999() {
    let server = Server::new();
    let body = json!({"username": "admin", "lifetime_s": i64::MAX}).to_string();
    let made = server.host().handler().act("tokens", body.as_bytes());
    let token = Secret::from(made.unwrap()["token"].as_str().unwrap());
    let found = server.client().token().get(token).send().await.unwrap();
    let expires = serde_json::to_value(found.utc_expires_at).unwrap();
    assert!(
        expires.as_str().unwrap().starts_with("9999-12-31T23:59:59"),
        "{expires}"
    );
}

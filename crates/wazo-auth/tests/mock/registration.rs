//! Users who register themselves, and confirm their addresses.

use std::time::Duration;

use http::Method;
use serde_json::json;
use vouchsafe_wazo_auth::mock::{MessageKind, Seed, Server};
use vouchsafe_wazo_auth::{ErrorKind, Registration, TenantPage};

use super::raw;

fn open_server() -> Server {
    Server::from_seed(&Seed::sample().settings(|settings| settings.registration = true))
}

fn bar() -> Registration {
    Registration::new("b.a-r", "pw", "bar@example.com")
}

async fn tenants(server: &Server) -> TenantPage {
    let admin = server.client_as("admin");
    admin.tenants().list().send().await.unwrap()
}

#[tokio::test]
async fn nobody_registers_where_that_is_off() {
    let server = Server::new();
    let refused = server.client().users().register(&bar()).await.unwrap_err();
    assert!(refused.is_not_found());
    assert!(server.outbox().is_empty());
    assert_eq!(tenants(&server).await.total, 1);
}

#[tokio::test]
async fn who_registers_gets_a_tenant_and_logs_in_by_address_once_it_is_confirmed() {
    let server = open_server();
    let client = server.client();
    let user = client.users().register(&bar()).await.unwrap();
    assert_eq!(user.purpose.as_ref().unwrap().as_str(), "user");
    assert_eq!(user.authentication_method, "default");
    let email = &user.emails[0];
    assert_eq!((email.main, email.confirmed), (true, Some(false)));

    let found = tenants(&server).await;
    let own = found.items.iter().find(|own| own.uuid == user.tenant_uuid);
    let own = own.unwrap();
    assert_eq!((own.name.as_deref(), &*own.slug), (Some("b.a-r"), "bar"));
    let admin = server.client_as("admin").with_tenant(&own.uuid);
    let groups = admin.users().get_groups(&user.uuid).send().await.unwrap();
    let all = format!("wazo-all-users-tenant-{}", own.uuid);
    assert_eq!(groups.items[0].name, all);
    assert_eq!(groups.total, 1);

    let outbox = server.outbox();
    assert_eq!(outbox.len(), 1);
    let message = &outbox[0];
    assert_eq!(message.to, "b.a-r <bar@example.com>");
    assert_eq!(message.kind, MessageKind::Confirmation);
    assert_eq!(message.email_uuid().as_ref(), Some(&email.uuid));
    assert_eq!(message.user_uuid(), None);

    let log_in = async |name: &str| {
        let login = client.token().create().credentials(name, "pw");
        login.send().await.is_ok()
    };
    assert!(log_in("b.a-r").await);
    assert!(!log_in("bar@example.com").await, "it is not confirmed");
    let path = message.link.strip_prefix("https://wazo.example.com");
    // As the user's browser does, and again when the page is loaded again.
    for _ in 0..2 {
        let answer = raw(&server, Method::GET, path.unwrap(), None, None);
        assert_eq!(answer.status, 200);
    }
    assert!(log_in("Bar@Example.com").await);
}

#[tokio::test]
async fn the_token_of_a_confirmation_is_for_its_address_and_two_days() {
    let server = open_server();
    let client = server.client();
    client.users().register(&bar()).await.unwrap();
    let other = Registration::new("other", "pw", "other@example.com");
    client.users().register(&other).await.unwrap();
    let outbox = server.outbox();
    let uuids: Vec<_> = outbox.iter().map(|one| one.email_uuid().unwrap()).collect();
    let client = client.with_token(outbox[0].token());
    let refused = client.emails().confirm(&uuids[1]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::MissingAccess);
    client.emails().confirm(&uuids[0]).await.unwrap();
    server.clock().advance(Duration::from_secs(172_802));
    let expired = client.emails().confirm(&uuids[0]).await.unwrap_err();
    assert_eq!(expired.kind(), ErrorKind::InvalidToken);
}

#[tokio::test]
async fn a_name_that_is_taken_is_refused_and_its_tenant_stays_behind() {
    let server = open_server();
    let client = server.client();
    client.users().register(&bar()).await.unwrap();
    let same_name = Registration::new("B.A-R", "pw", "new@example.com");
    let same_address = Registration::new("new", "pw", "BAR@example.com");
    let name_as_address = Registration::new("bar@example.com", "pw", "newer@example.com");
    for (registration, member) in [
        (same_name, "username"),
        (same_address, "email_address"),
        (name_as_address, "username"),
    ] {
        let taken = client.users().register(&registration).await.unwrap_err();
        assert!(taken.is_conflict());
        assert!(taken.body().details[member].is_object(), "{taken}");
    }
    assert_eq!(tenants(&server).await.total, 5);
    assert_eq!(server.outbox().len(), 1);
}

#[tokio::test]
async fn a_registration_without_a_name_breaks_the_service() {
    let server = open_server();
    let body = json!({"password": "pw", "email_address": "bar@example.com"});
    let path = "/0.1/users/register";
    let answer = raw(&server, Method::POST, path, None, Some(&body));
    assert_eq!(answer.status, 500);
    let body = json!({"username": "bar", "email_address": "bar@example.com"});
    let answer = raw(&server, Method::POST, path, None, Some(&body));
    assert_eq!(answer.status, 400);
    assert_eq!(tenants(&server).await.total, 1);
}

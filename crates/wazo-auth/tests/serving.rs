//! The layer asks the emulator through the real client: a service as a user of this crate runs it.

#![allow(clippy::unwrap_used, reason = "a test")]

use http::{HeaderValue, Request};
use vouchsafe_core::Secret;
use vouchsafe_wazo_auth::mock::Server;
use vouchsafe_wazo_auth::server::{Caller, RefusalKind, TokenLayer, Tokens};
use vouchsafe_wazo_auth::{Client, NewTenant, NewUser};

/// Returns who a layer finds behind a token and a tenant, or what it answers.
async fn caller(layer: &TokenLayer, token: &Secret, tenant: &str) -> Result<Caller, RefusalKind> {
    let mut request = Request::new(());
    let headers = request.headers_mut();
    headers.insert(
        "x-auth-token",
        HeaderValue::from_str(token.expose()).unwrap(),
    );
    headers.insert("wazo-tenant", HeaderValue::from_str(tenant).unwrap());
    match layer.check(&mut request).await {
        Ok(()) => Ok(Caller::of(request.extensions()).unwrap().clone()),
        Err(refusal) => Err(refusal.kind()),
    }
}

#[tokio::test]
async fn the_list_of_a_token_decides_as_the_server_does() {
    let server = Server::new();
    let acl = [
        "auth.users.me.edit",
        "confd.#.read",
        "dird.*.x",
        "!confd.secret.*",
        "me",
        "a*b.c",
    ];
    let token = server.issue_token_with("admin", acl);
    let client = server.client();
    let local = TokenLayer::new(Tokens::new(client.clone()));
    let local = caller(&local, &token, "").await.unwrap();
    let asked = TokenLayer::new(Tokens::new(client.clone())).ask_server();
    let asked = caller(&asked, &token, "").await.unwrap();
    let id = &local.info().auth_id;
    let own = format!("auth.users.{id}.update");
    let mut allowed = 0;
    for access in [
        &own,
        "auth.users.me.edit",
        "auth.users.you.update",
        "confd.a.b.read",
        "confd.secret.read",
        "confd.read",
        "dird.a.x",
        "dird.a.b.x",
        id,
        "me",
        "axb.c",
        "a.b.c",
        "#",
        "",
    ] {
        let is_allowed = local.require(access).await.is_ok();
        assert_eq!(is_allowed, asked.require(access).await.is_ok(), "{access}");
        let check = client.token().check(token.clone()).required_access(access);
        assert_eq!(is_allowed, check.is_valid().await.unwrap(), "{access}");
        allowed += usize::from(is_allowed);
    }
    assert_eq!(allowed, 7);
}

#[tokio::test]
async fn a_caller_acts_in_the_tenants_below_its_own() {
    let server = Server::new();
    let admin = server.client_as("admin");
    let tenant = async |client: &Client, name: &str| {
        let tenant = NewTenant::new().name(name);
        client.tenants().create(&tenant).await.unwrap().uuid
    };
    let above = tenant(&admin, "above").await;
    let below = tenant(&admin.with_tenant(&above), "below").await;
    let beside = tenant(&admin, "beside").await;
    let alice = NewUser::new().username("alice");
    admin
        .with_tenant(&above)
        .users()
        .create(&alice)
        .await
        .unwrap();

    let layer = TokenLayer::new(Tokens::new(server.client()));
    let token = server.issue_token("alice");
    for (tenant, expected) in [
        ("", &above),
        (above.as_str(), &above),
        (below.as_str(), &below),
    ] {
        let caller = caller(&layer, &token, tenant).await.unwrap();
        assert_eq!(caller.tenant(), Some(expected.as_str()));
    }
    let hidden = caller(&layer, &token, beside.as_str()).await;
    assert_eq!(hidden.unwrap_err(), RefusalKind::HiddenTenant);
}

#[tokio::test]
async fn a_revoked_token_is_refused_and_an_outage_is_not_a_refusal() {
    let server = Server::new();
    let tokens = Tokens::new(server.client());
    let layer = TokenLayer::new(tokens.clone());
    let token = server.issue_token("admin");
    caller(&layer, &token, "").await.unwrap();
    server.client().token().revoke(&token).await.unwrap();
    assert!(tokens.forget(&token));
    let revoked = caller(&layer, &token, "").await;
    assert_eq!(revoked.unwrap_err(), RefusalKind::UnknownToken);

    let token = server.issue_token("admin");
    server.set_database_down(true);
    let away = caller(&layer, &token, "").await;
    assert_eq!(away.unwrap_err(), RefusalKind::AuthUnavailable);
    server.set_database_down(false);
    tokens.clear();
    caller(&layer, &token, "").await.unwrap();
}

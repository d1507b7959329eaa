//! The layer asks the emulator through the real client: a service as a user of this crate runs it.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderValue, Method, Request, StatusCode};
use vouchsafe_core::mock::ManualClock;
use vouchsafe_core::transport::{self, Response, Transport};
use vouchsafe_core::{BoxFuture, Clock, Secret};
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

/// A proxy in front of wazo-auth that may have lost it.
#[derive(Debug)]
struct Proxy {
    behind: Arc<dyn Transport>,
    /// What requests with one of these methods are answered.
    lost: Mutex<(Vec<Method>, &'static str)>,
}

impl Proxy {
    fn loses(&self, methods: &[Method], body: &'static str) {
        *self.lost.lock().unwrap() = (methods.to_vec(), body);
    }
}

impl Transport for Proxy {
    fn send(&self, request: transport::Request) -> BoxFuture<'_, vouchsafe_core::Result<Response>> {
        let (methods, body) = &*self.lost.lock().unwrap();
        if !methods.contains(&request.method) {
            return self.behind.send(request);
        }
        let mut response = Response::new(StatusCode::NOT_FOUND);
        if request.method != Method::HEAD {
            response.body = (*body).into();
        }
        Box::pin(async move { Ok(response) })
    }
}

fn behind_proxy(server: &Server) -> (Client, Arc<Proxy>) {
    let behind = server.host().transport();
    let lost = Mutex::default();
    let proxy = Arc::new(Proxy { behind, lost });
    let transport = Arc::clone(&proxy) as Arc<dyn Transport>;
    let client = Client::builder().host("wazo.example.com").prefix("");
    (client.transport(transport).build().unwrap(), proxy)
}

#[tokio::test(start_paused = true)]
async fn a_404_of_something_else_says_nothing_of_a_token() {
    let server = Server::new();
    let (client, proxy) = behind_proxy(&server);
    let layer = TokenLayer::new(Tokens::new(client));
    for body in [
        "",
        "<html>Not Found</html>",
        r#"{"message": "no Route matched with those values"}"#,
        r#"{"reason": ["no such page"], "status_code": 404}"#,
    ] {
        let token = server.issue_token("admin");
        proxy.loses(&[Method::GET], body);
        let lost = caller(&layer, &token, "").await;
        assert_eq!(lost.unwrap_err(), RefusalKind::AuthUnavailable, "{body}");
        proxy.loses(&[], "");
        // Errors are remembered for a moment, and unknown tokens for long.
        tokio::time::advance(Duration::from_secs(2)).await;
        let found = caller(&layer, &token, "").await;
        assert_eq!(found.unwrap().token().expose(), token.expose(), "{body}");
    }
    let unknown = Secret::from("00000000-0000-4000-8000-000000000000");
    let unknown = caller(&layer, &unknown, "").await;
    assert_eq!(unknown.unwrap_err(), RefusalKind::UnknownToken);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_is_answered_404_is_asked_again_for_an_answer_with_words() {
    let server = Server::new();
    let (client, proxy) = behind_proxy(&server);
    let admin = server.client_as("admin");
    let below = NewTenant::new().name("below");
    let below = admin.tenants().create(&below).await.unwrap().uuid;
    let token = server.issue_token("admin");
    let after_a_while = || tokio::time::advance(Duration::from_secs(2));

    let tokens = Tokens::new(client);
    let layer = TokenLayer::new(tokens.clone()).ask_server();
    let known = caller(&layer, &token, "").await.unwrap();
    proxy.loses(&[Method::HEAD, Method::GET], "<html>");
    let lost = caller(&layer, &token, below.as_str()).await;
    assert_eq!(lost.unwrap_err(), RefusalKind::AuthUnavailable);
    let lost = known.require("auth.users.read").await;
    assert_eq!(lost.unwrap_err().kind(), RefusalKind::AuthUnavailable);
    // The token is as good as before.
    caller(&layer, &token, "").await.unwrap();

    // Only the check is answered by something else.
    proxy.loses(&[Method::HEAD], "");
    after_a_while().await;
    let found = caller(&layer, &token, below.as_str()).await.unwrap();
    found.require("auth.users.read").await.unwrap();
    let outside = "55eaf242-8f70-450c-bbc2-58acd132ca55";
    let hidden = caller(&layer, &token, outside).await;
    assert_eq!(hidden.unwrap_err(), RefusalKind::HiddenTenant);

    proxy.loses(&[], "");
    tokens.clear();
    let known = caller(&layer, &token, "").await.unwrap();
    server.client().token().revoke(&token).await.unwrap();
    let revoked = known.require("auth.users.read").await;
    assert_eq!(revoked.unwrap_err().kind(), RefusalKind::UnknownToken);
    let revoked = caller(&layer, &token, "").await;
    assert_eq!(revoked.unwrap_err(), RefusalKind::UnknownToken);
}

#[tokio::test]
async fn a_refusal_is_dated_by_the_clock_of_the_client() {
    let server = Server::new();
    let clock = Arc::new(ManualClock::at_unix(1_000));
    let client = Client::builder().host("wazo.example.com").prefix("");
    let client = client
        .transport(server.host().transport())
        .clock(clock as Arc<dyn Clock>)
        .build()
        .unwrap();
    let layer = TokenLayer::new(Tokens::new(Arc::new(client)));
    let refusal = layer.check(&mut Request::new(())).await.unwrap_err();
    let body: Vec<u8> = refusal.to_response::<Vec<u8>>().into_body();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["timestamp"], 1_000.0);
}

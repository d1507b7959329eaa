//! Every guard and extractor of every service on a route that no layer stands in front of: each
//! refuses, with the same code, with rules or without.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::FromRequestParts;
use axum::routing::get;
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;
use vouchsafe::core::BoxFuture;
use vouchsafe::ticket::TvmId;
use vouchsafe::ticket::server::{
    ContextChecker, Guard as TicketGuard, Presence, ServiceRoles, ServiceTicket, TicketLayer,
    UserRoles, UserTicket,
};
use vouchsafe::userinfo::server::{
    CallingService, CheckedUser, DelegatedToken, Email, Guard as UserGuard, Identity, User,
    UserLookup,
};
use vouchsafe::userinfo::{GroupName, Result, Token, UserInfo};

/// Knows every user, so that nothing but the missing layer is a reason to refuse.
#[derive(Debug)]
struct Everybody;

impl UserLookup for Everybody {
    fn user_info<'a>(&'a self, _: &'a Token) -> BoxFuture<'a, Result<Arc<UserInfo>>> {
        Box::pin(ready(Ok(Arc::new(UserInfo::new("ada")))))
    }
}

#[tokio::test]
async fn every_guard_refuses_on_axum_where_no_layer_has_looked() {
    let ticket = TicketGuard::new;
    let user = || UserGuard::new(Everybody);
    let route = || get(async || "in");
    for (what, route) in [
        ("ticket, no rules", route().layer(ticket())),
        (
            "ticket, sources",
            route().layer(ticket().allow_sources([TvmId::new(1)])),
        ),
        (
            "ticket, service role",
            route().layer(ticket().require_service_role("r")),
        ),
        (
            "ticket, user role",
            route().layer(ticket().require_user_role("r")),
        ),
        (
            "ticket, service scope",
            route().layer(ticket().require_service_scope("s")),
        ),
        (
            "ticket, user scope",
            route().layer(ticket().require_user_scope("s")),
        ),
        ("userinfo, no rules", route().layer(user())),
        (
            "userinfo, group",
            route().layer(user().require_group(GroupName::parse("g").unwrap())),
        ),
        ("userinfo, quota", route().layer(user().require_quota("s"))),
    ] {
        let answer = ask(Router::new().route("/", route)).await;
        assert_refused(what, answer.0, &answer.1);
    }
    let idle = Router::new().route("/", route().layer(ticket()));
    let answer = ask(idle.layer(idle_layer())).await;
    assert_refused("behind a layer that looks at nothing", answer.0, &answer.1);
}

#[tokio::test]
async fn every_extractor_refuses_where_no_layer_has_looked() {
    extractor::<ServiceTicket>().await;
    extractor::<UserTicket>().await;
    extractor::<ServiceRoles>().await;
    extractor::<UserRoles>().await;
    extractor::<Identity>().await;
    extractor::<User>().await;
    extractor::<Email>().await;
    extractor::<DelegatedToken>().await;
    extractor::<CallingService>().await;
    extractor::<CheckedUser>().await;
    // An optional ticket must have been looked for, too.
    extractor::<Option<ServiceTicket>>().await;
    extractor::<Option<UserTicket>>().await;
    extractor::<Option<Identity>>().await;
    extractor::<Option<User>>().await;
    extractor::<Option<Email>>().await;
    extractor::<Option<DelegatedToken>>().await;
    extractor::<Option<CallingService>>().await;
}

#[tokio::test]
async fn every_guard_refuses_on_plain_tower_where_no_layer_has_looked() {
    tower("ticket, no rules", TicketGuard::new()).await;
    let sources = TicketGuard::new().allow_sources([TvmId::new(1)]);
    tower("ticket, sources", sources).await;
    tower("userinfo, no rules", UserGuard::new(Everybody)).await;
    let quota = UserGuard::new(Everybody).require_quota("s");
    tower("userinfo, quota", quota).await;

    let mut request = Request::new(());
    let looks_at_nothing = idle_layer();
    looks_at_nothing.check(&mut request).unwrap();
    for request in [Request::new(()), request] {
        let refusal = TicketGuard::new().check(request.extensions()).unwrap_err();
        assert_eq!(refusal.code(), "layer_missing");
        let refusal = Identity::find(request.extensions()).unwrap_err();
        assert_eq!(refusal.code(), "layer_missing");
    }
}

fn idle_layer() -> TicketLayer {
    TicketLayer::new(ContextChecker::new())
        .service_ticket(Presence::Ignored)
        .user_ticket(Presence::Ignored)
}

async fn extractor<E: FromRequestParts<()> + Send + 'static>() {
    let what = std::any::type_name::<E>();
    let app = Router::new().route("/", get(async |_: E| "in"));
    let answer = ask(app).await;
    assert_refused(what, answer.0, &answer.1);
}

async fn tower<L>(what: &str, layer: L)
where
    L: Layer<In>,
    L::Service: Service<Request<()>, Response = Response<Bytes>, Error = Infallible>,
{
    let Ok(response) = layer.layer(In).call(Request::new(())).await;
    assert_refused(what, response.status().as_u16(), &text(response.body()));
}

async fn ask(mut app: Router) -> (u16, String) {
    let Ok(response) = app.call(Request::new(Body::empty())).await;
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, text(&body))
}

fn text(body: &Bytes) -> String {
    String::from_utf8(body.to_vec()).unwrap()
}

#[track_caller]
fn assert_refused(what: &str, status: u16, body: &str) {
    assert!(
        status == 500 && body.contains("\"layer_missing\""),
        "{what}: {status} {body}"
    );
}

/// A service of plain tower that is always in.
#[derive(Clone, Debug)]
struct In;

impl Service<Request<()>> for In {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Bytes>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::new(Bytes::from_static(b"in"))))
    }
}

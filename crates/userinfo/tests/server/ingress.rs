//! The whole way: the emulated ingress sets the headers, the layer believes them, the guard asks
//! the emulated Gafaelfawr with the token that was delegated. Time is paused.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method, Request};
use vouchsafe_core::transport::Request as Asked;
use vouchsafe_userinfo::mock::{Server, User};
use vouchsafe_userinfo::server::{
    CallingService, DelegatedToken, Email, Guard, IngressLayer, PeerAddr, TrustedPeers,
};
use vouchsafe_userinfo::{GroupName, Token};

use crate::support::{Answer, Log, ask};

const PORTAL: &str = "delegate_to=portal&delegate_scope=read:all";

/// What the ingress adds to a request that bears a token.
async fn through_ingress(server: &Server, query: &str, token: &Token) -> HeaderMap {
    let url = format!("https://example.com/ingress/auth?scope=read:all&{query}");
    let mut check = Asked::new(Method::GET, url.parse().unwrap());
    let bearer = format!("Bearer {}", token.secret().expose());
    for (name, value) in [
        (AUTHORIZATION.as_str(), bearer.as_str()),
        ("x-original-method", "GET"),
        ("x-original-url", "https://example.com/"),
    ] {
        let value = HeaderValue::from_str(value).unwrap();
        check
            .headers
            .insert(name.parse::<http::HeaderName>().unwrap(), value);
    }
    let answer = server.host().transport().send(check).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.headers
}

fn request(headers: HeaderMap) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.headers_mut() = headers;
    let peer = PeerAddr("127.0.0.1:1".parse().unwrap());
    request.extensions_mut().insert(peer);
    request
}

fn app(server: &Server, group: &str) -> Router {
    let guard = Guard::new(server.client()).require_group(GroupName::parse(group).unwrap());
    let tell = async |Email(mail): Email,
                      token: Option<DelegatedToken>,
                      service: Option<CallingService>| {
        format!(
            "{mail} {} {:?}",
            token.is_some(),
            service.map(|service| service.0)
        )
    };
    Router::new()
        .route("/", get(tell))
        .layer(guard)
        .layer(IngressLayer::new(TrustedPeers::loopback()))
}

fn server_with_dana() -> (Server, Token) {
    let server = Server::new();
    server.add_user(
        User::new("dana")
            .email("dana@example.com")
            .uid(1004)
            .group("g_science"),
    );
    let token = server.create_token("dana").scopes(["read:all"]).issue();
    (server, token)
}

#[tokio::test(start_paused = true)]
async fn a_member_comes_through_the_ingress_and_a_stranger_does_not() {
    let (server, token) = server_with_dana();
    let headers = through_ingress(&server, PORTAL, &token).await;

    let answer = ask(&app(&server, "g_science"), request(headers.clone())).await;
    assert_eq!(answer, Answer::ok("dana@example.com true None"));
    let answer = ask(&app(&server, "admins"), request(headers.clone())).await;
    assert_eq!((answer.status, &*answer.code()), (403, "not_in_group"));

    // The service calls another one with the token that it was given.
    let delegated = headers["x-auth-request-token"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    let headers = through_ingress(&server, "delegate_to=archive", &delegated).await;
    let answer = ask(&app(&server, "g_science"), request(headers)).await;
    assert_eq!(
        answer,
        Answer::ok(r#"dana@example.com true Some("portal")"#)
    );
}

#[tokio::test(start_paused = true)]
async fn without_delegation_the_guard_says_so() {
    let (server, token) = server_with_dana();
    let headers = through_ingress(&server, "", &token).await;
    let answer = ask(&app(&server, "g_science"), request(headers)).await;
    assert_eq!(
        (answer.status, &*answer.code()),
        (500, "delegation_missing")
    );
}

#[tokio::test(start_paused = true)]
async fn an_outage_after_the_ingress_is_503_and_a_revoked_token_401() {
    let (server, token) = server_with_dana();
    let headers = through_ingress(&server, PORTAL, &token).await;
    let log = Log::start();

    server.set_directory_down();
    let answer = ask(&app(&server, "g_science"), request(headers.clone())).await;
    assert_eq!((answer.status, &*answer.code()), (503, "auth_unavailable"));
    server.set_directory_up();
    server.revoke(&token);
    let answer = ask(&app(&server, "g_science"), request(headers.clone())).await;
    assert_eq!((answer.status, &*answer.code()), (401, "token_refused"));

    let secret = headers["x-auth-request-token"].to_str().unwrap();
    assert!(log.text().contains("WARN"));
    assert!(!log.text().contains(secret));
}

//! The layer and the extractors in front of a real axum router.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::routing::{any, get};
use http::{HeaderMap, Request, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use vouchsafe_core::task::Task;
use vouchsafe_userinfo::Username;
use vouchsafe_userinfo::server::{
    CallingService, DelegatedToken, Email, Identity, IngressLayer, PeerAddr, TrustedPeers, User,
};

use crate::support::{Answer, Log, ask};

const TOKEN: &str = "gt-AAAAAAAAAAAAAAAAAAAAAA.planted-secret-bbbbbbb";
const INGRESS: &str = "10.42.0.7:4711";
const STRANGER: &str = "192.0.2.1:4711";

fn trusting() -> IngressLayer {
    IngressLayer::new("10.42.0.0/16".parse().unwrap())
}

/// A service that shows what its handlers are given.
fn app(layer: IngressLayer) -> Router {
    routes().layer(layer)
}

fn routes() -> Router {
    Router::new()
        .route("/user", get(async |User(name): User| name.to_string()))
        .route("/email", get(async |Email(address): Email| address))
        .route(
            "/service",
            get(async |CallingService(name): CallingService| name),
        )
        .route(
            "/token",
            get(async |DelegatedToken(token): DelegatedToken| token.key().to_owned()),
        )
        .route("/identity", get(async |who: Identity| format!("{who:?}")))
        .route(
            "/maybe",
            get(async |who: Option<Identity>| format!("{:?}", who.map(|who| who.username))),
        )
        .route(
            "/maybes",
            get(
                async |user: Option<User>,
                       mail: Option<Email>,
                       token: Option<DelegatedToken>,
                       service: Option<CallingService>| {
                    format!(
                        "{} {} {} {}",
                        user.is_some(),
                        mail.is_some(),
                        token.is_some(),
                        service.is_some()
                    )
                },
            ),
        )
        .route(
            "/headers",
            any(async |headers: HeaderMap| format!("{headers:?}")),
        )
}

fn from(peer: &str, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder()
        .uri(path)
        .extension(PeerAddr(peer.parse().unwrap()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

const FULL: [(&str, &str); 4] = [
    ("X-Auth-Request-User", "ada"),
    ("X-Auth-Request-Email", "ada@example.org"),
    ("X-Auth-Request-Service", "portal"),
    ("X-Auth-Request-Token", TOKEN),
];

#[tokio::test]
async fn handlers_receive_what_the_ingress_sent() {
    for (path, expected) in [
        ("/user", "ada"),
        ("/email", "ada@example.org"),
        ("/service", "portal"),
        ("/token", "AAAAAAAAAAAAAAAAAAAAAA"),
        ("/maybe", r#"Some(Username("ada"))"#),
        ("/maybes", "true true true true"),
    ] {
        let answer = ask(&app(trusting()), from(INGRESS, path, &FULL)).await;
        assert_eq!(answer, Answer::ok(expected), "{path}");
    }
}

#[tokio::test]
async fn what_the_ingress_did_not_tell_is_refused_or_none() {
    let user_only = &FULL[..1];
    for (path, status, code) in [
        ("/email", 403, "no_email"),
        ("/service", 403, "not_a_service"),
        ("/token", 500, "delegation_missing"),
    ] {
        let answer = ask(&app(trusting()), from(INGRESS, path, user_only)).await;
        assert_eq!(
            (answer.status, answer.code()),
            (status, code.to_owned()),
            "{path}"
        );
    }
    let answer = ask(&app(trusting()), from(INGRESS, "/maybes", user_only)).await;
    assert_eq!(answer, Answer::ok("true false false false"));
    let answer = ask(&app(trusting()), from(INGRESS, "/token", user_only)).await;
    assert!(answer.body.contains("config.delegate"), "{answer:?}");
}

#[tokio::test]
async fn without_the_layer_every_extractor_refuses_loudly() {
    for path in [
        "/user",
        "/email",
        "/service",
        "/token",
        "/identity",
        "/maybe",
        "/maybes",
    ] {
        let log = Log::start();
        let answer = ask(&routes(), from(INGRESS, path, &FULL)).await;
        assert_eq!(
            (answer.status, answer.code()),
            (500, "layer_missing".to_owned()),
            "{path}"
        );
        log.assert_warned_once("layer_missing");
    }
}

#[tokio::test]
async fn a_trusted_peer_without_headers_is_not_gafaelfawr() {
    for headers in [&[][..], &[("X-Auth-Request-User", "")]] {
        let log = Log::start();
        let answer = ask(&app(trusting()), from(INGRESS, "/headers", headers)).await;
        assert_eq!(
            (answer.status, answer.code()),
            (500, "ingress_missing".to_owned())
        );
        log.assert_warned_once("ingress_missing");
    }
}

#[tokio::test]
async fn headers_of_strangers_are_never_believed() {
    let log = Log::start();
    let answer = ask(&app(trusting()), from(STRANGER, "/user", &FULL)).await;
    assert_eq!(
        (answer.status, answer.code()),
        (403, "untrusted_peer".to_owned())
    );
    log.assert_warned_once("untrusted_peer");
    assert!(log.text().contains("peer=192.0.2.1"), "{}", log.text());

    // Even a request without any of them may not bypass the ingress.
    let answer = ask(&app(trusting()), from(STRANGER, "/headers", &[])).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn strangers_may_pass_without_an_identity_if_configured() {
    let app = app(trusting().strip_untrusted());
    let answer = ask(&app, from(STRANGER, "/maybe", &FULL)).await;
    assert_eq!(answer, Answer::ok("None"));
    let answer = ask(&app, from(STRANGER, "/headers", &FULL)).await;
    assert_eq!(answer, Answer::ok("{}"));

    let answer = ask(&app, from(STRANGER, "/user", &FULL)).await;
    assert_eq!(
        (answer.status, answer.code()),
        (401, "no_authorization".to_owned())
    );
    assert!(answer.headers.contains_key("www-authenticate"));
    // Which says nothing about trusted peers.
    let answer = ask(&app, from(INGRESS, "/headers", &[])).await;
    assert_eq!(answer.code(), "ingress_missing");
}

#[tokio::test]
async fn anonymous_requests_pass_an_ingress_that_allows_them() {
    let app = app(trusting().allow_anonymous());
    assert_eq!(
        ask(&app, from(INGRESS, "/maybe", &[])).await,
        Answer::ok("None")
    );
    assert_eq!(
        ask(&app, from(INGRESS, "/user", &FULL)).await,
        Answer::ok("ada")
    );
    assert_eq!(ask(&app, from(INGRESS, "/user", &[])).await.status, 401);
    assert_eq!(ask(&app, from(STRANGER, "/maybe", &[])).await.status, 403);
    // Half an identity does not count.
    let answer = ask(&app, from(INGRESS, "/maybe", &FULL[1..])).await;
    assert_eq!(answer.code(), "ingress_invalid");
}

#[tokio::test]
async fn a_repeated_or_impossible_header_is_refused() {
    for headers in [
        &[FULL[0], FULL[0]][..],
        &[("X-Auth-Request-User", "planted_name")],
        &[FULL[0], ("X-Auth-Request-Token", "gt-planted")],
        &[FULL[0], FULL[3], FULL[3]],
    ] {
        let log = Log::start();
        let answer = ask(&app(trusting()), from(INGRESS, "/headers", headers)).await;
        assert_eq!(
            (answer.status, answer.code()),
            (500, "ingress_invalid".to_owned())
        );
        log.assert_warned_once("ingress_invalid");
        assert!(!answer.body.contains("planted"), "{answer:?}");
    }
}

#[tokio::test]
async fn an_unknown_peer_is_refused_with_what_to_set_up() {
    let mut request = from(INGRESS, "/user", &FULL);
    request.extensions_mut().clear();
    let log = Log::start();

    let answer = ask(&app(trusting().strip_untrusted()), request).await;

    assert_eq!(
        (answer.status, answer.code()),
        (500, "peer_unknown".to_owned())
    );
    assert!(
        answer.body.contains("IngressLayer::peer_address"),
        "{answer:?}"
    );
    log.assert_warned_once("peer_unknown");
}

#[tokio::test]
async fn an_identity_that_the_layer_did_not_read_is_dropped() {
    let app = app(trusting().strip_untrusted());
    let mut request = from(STRANGER, "/maybe", &[]);
    let forged = Identity::new(Username::parse("ada").unwrap());
    request.extensions_mut().insert(forged.clone());
    assert_eq!(ask(&app, request).await, Answer::ok("None"));

    // What is behind the layer can be tested without one.
    let mut request = from(STRANGER, "/user", &[]);
    request.extensions_mut().insert(forged);
    assert_eq!(ask(&routes(), request).await, Answer::ok("ada"));
}

#[tokio::test]
async fn a_refusal_has_the_shape_of_gafaelfawrs_errors() {
    let answer = ask(&app(trusting()), from(STRANGER, "/user", &[])).await;
    assert_eq!(
        answer.body,
        r#"{"detail":[{"msg":"This service is reached through its ingress only","type":"untrusted_peer"}]}"#
    );
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["cache-control"], "no-cache, no-store");
    assert!(!answer.headers.contains_key("www-authenticate"));
}

#[tokio::test]
async fn the_token_is_in_no_answer_and_no_log() {
    let log = Log::start();
    let layer = trusting();
    let mut seen = format!("{layer:?}");
    for app in [app(layer.clone()), app(layer.strip_untrusted()), routes()] {
        for peer in [INGRESS, STRANGER] {
            for path in ["/user", "/token", "/identity", "/maybe", "/email"] {
                for headers in [&FULL[..], &FULL[1..], &[FULL[0], FULL[3], FULL[3]]] {
                    seen += &format!("{:?}", ask(&app, from(peer, path, headers)).await);
                }
            }
        }
    }
    // Behind the layer, even a handler that logs all headers does not log the token.
    let answer = ask(&app(trusting()), from(INGRESS, "/headers", &FULL)).await;
    assert!(answer.body.contains("Sensitive"), "{answer:?}");
    seen += &answer.body;
    seen += &log.text();
    assert!(seen.contains("ingress_invalid") && seen.contains("AAAAAAAAAAAAAAAAAAAAAA"));
    assert!(!seen.contains("planted"), "{seen}");
}

#[tokio::test]
async fn over_a_socket_the_peer_is_the_connecting_address() {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    let by_connection = |peers: TrustedPeers| {
        IngressLayer::new(peers).peer_address(|extensions| {
            let peer = extensions.get::<ConnectInfo<SocketAddr>>()?;
            Some(peer.0.ip())
        })
    };
    let strict = by_connection("192.0.2.0/24".parse().unwrap());
    let app = Router::new()
        .nest("/trusted", app(by_connection(TrustedPeers::loopback())))
        .nest("/strict", app(strict))
        .nest(
            "/forgotten",
            app(IngressLayer::new(TrustedPeers::loopback())),
        )
        .into_make_service_with_connect_info::<SocketAddr>();
    let _server = Task::spawn(async move {
        axum::serve(listener, app).await.unwrap();
    });

    for (path, status, text) in [
        ("/trusted/user", 200, "ada"),
        ("/strict/user", 403, "untrusted_peer"),
        ("/forgotten/user", 500, "peer_unknown"),
    ] {
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\
             X-Auth-Request-User: ada\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n"
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        let start = format!("HTTP/1.1 {}", StatusCode::from_u16(status).unwrap());
        assert!(answer.starts_with(&start), "{path}: {answer}");
        assert!(answer.contains(text), "{path}: {answer}");
    }
}

//! Guards in front of a real axum router, asking through the real client. Time is paused.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::routing::get;
use axum::{Extension, Router};
use http::header::RETRY_AFTER;
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use vouchsafe_core::mock::{Fault, Handler, Host};
use vouchsafe_core::transport::{Request as Asked, Response};
use vouchsafe_userinfo::server::{
    CheckedUser, DelegatedToken, Guard, Identity, IngressLayer, PeerAddr, Refusal, RefusalKind,
    TrustedPeers,
};
use vouchsafe_userinfo::{Client, GroupName, Result, Token, UserInfo, Username};

use crate::support::{Answer, Log, ask};

const TOKEN: &str = "gt-AAAAAAAAAAAAAAAAAAAAAA.planted-secret-bbbbbbb";
const DISCOVERY: &str = r#"{"services":{"internal":{"gafaelfawr":{"url":"https://auth.example.org/auth","versions":{"v1":{"url":"https://auth.example.org/auth/api/v1"}}}}}}"#;

/// Repertoire, and a Gafaelfawr that says the same of every token.
#[derive(Clone)]
struct Upstream {
    says: Arc<Mutex<(StatusCode, String)>>,
    host: Arc<Mutex<Option<Host>>>,
}

impl Upstream {
    fn new(user_info: &str) -> Self {
        let upstream = Self {
            says: Arc::new(Mutex::new((StatusCode::OK, user_info.to_owned()))),
            host: Arc::default(),
        };
        let host = Host::new(Arc::new(upstream.clone()));
        *upstream.host.lock().unwrap() = Some(host);
        upstream
    }

    fn says(&self, status: u16, body: &str) {
        *self.says.lock().unwrap() = (StatusCode::from_u16(status).unwrap(), body.to_owned());
    }

    fn host(&self) -> Host {
        self.host.lock().unwrap().clone().unwrap()
    }

    fn client(&self) -> Client {
        Client::builder()
            .transport(self.host().transport())
            .repertoire_url("https://example.org/repertoire")
            .build()
            .unwrap()
    }

    fn guard(&self) -> Guard {
        Guard::new(self.client())
    }

    fn asked(&self) -> u64 {
        self.host().journal().count("gafaelfawr.getOwnUserInfo")
    }
}

/// What it says may be what a test searches for.
impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upstream")
    }
}

impl Handler for Upstream {
    fn handle(&self, request: &Asked) -> Response {
        let (status, body) = match request.uri.path() {
            "/repertoire/discovery" => (StatusCode::OK, DISCOVERY.to_owned()),
            _ => self.says.lock().unwrap().clone(),
        };
        let mut response = Response::new(status);
        response.body = body.into();
        if status == StatusCode::TOO_MANY_REQUESTS {
            let wait = HeaderValue::from_static("3600");
            response.headers.insert(RETRY_AFTER, wait);
        }
        response
    }

    fn operation(&self, _: &Method, uri: &Uri) -> Option<&'static str> {
        Some(match uri.path() {
            "/repertoire/discovery" => "repertoire.getDiscovery",
            _ => "gafaelfawr.getOwnUserInfo",
        })
    }
}

fn group(name: &str) -> GroupName {
    GroupName::parse(name).unwrap()
}

/// A route behind a guard behind the ingress, which answers with the name of the user.
fn app(guard: Guard) -> Router {
    routes(guard).layer(IngressLayer::new(TrustedPeers::loopback()))
}

fn routes(guard: Guard) -> Router {
    let handler = async |Extension(user): Extension<Arc<UserInfo>>| user.username.clone();
    Router::new().route("/", get(handler)).layer(guard)
}

fn request(headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().extension(PeerAddr("127.0.0.1:1".parse().unwrap()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

const ADA: [(&str, &str); 2] = [
    ("X-Auth-Request-User", "ada"),
    ("X-Auth-Request-Token", TOKEN),
];

#[tokio::test(start_paused = true)]
async fn members_of_a_group_may_in() {
    let upstream = Upstream::new(
        r#"{"username":"ada","groups":[{"name":"staff","id":1},{"name":"Team","id":2}]}"#,
    );
    for (guard, may) in [
        (upstream.guard(), true),
        (upstream.guard().require_group(group("staff")), true),
        (upstream.guard().require_group(group("team")), false),
        (upstream.guard().require_group(group("admins")), false),
        (
            upstream
                .guard()
                .require_any_group([group("admins"), group("Team")]),
            true,
        ),
        (
            upstream
                .guard()
                .require_group(group("staff"))
                .require_group(group("admins")),
            false,
        ),
        (upstream.guard().require_any_group([]), false),
    ] {
        let answer = ask(&app(guard.clone()), request(&ADA)).await;
        if may {
            assert_eq!(answer, Answer::ok("ada"), "{guard:?}");
        } else {
            assert_eq!((answer.status, &*answer.code()), (403, "not_in_group"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_checked_user_is_never_of_two_people() {
    let handler = async |user: CheckedUser| format!("{} {:?}", user.username, user.token());
    let app = |guard: Guard| {
        let routes = Router::new().route("/", get(handler)).layer(guard);
        routes.layer(IngressLayer::new(TrustedPeers::loopback()))
    };
    let upstream = Upstream::new(r#"{"username":"ada"}"#);
    let answer = ask(&app(upstream.guard()), request(&ADA)).await;
    assert!(
        answer.status == 200 && answer.body.starts_with("ada "),
        "{answer:?}"
    );
    assert!(!answer.body.contains("planted"), "{answer:?}");
    let upstream = Upstream::new(r#"{"username":"bob"}"#);
    let answer = ask(&app(upstream.guard()), request(&ADA)).await;
    assert_eq!((answer.status, &*answer.code()), (500, "ingress_invalid"));

    // What a guard found out is forgotten when another layer identifies the user.
    let inner = Router::new().route("/", get(handler));
    let inner = inner.layer(IngressLayer::new(TrustedPeers::loopback()));
    let upstream = Upstream::new(r#"{"username":"ada"}"#);
    let outer = inner.layer(upstream.guard());
    let outer = outer.layer(IngressLayer::new(TrustedPeers::loopback()));
    let answer = ask(&outer, request(&ADA)).await;
    assert_eq!((answer.status, &*answer.code()), (500, "layer_missing"));
}

#[tokio::test(start_paused = true)]
async fn a_calls_error_in_a_handler_becomes_the_answer() {
    for (status, body, expected, code) in [
        (
            401,
            r#"{"detail":[{"msg":"upstream says","type":"invalid_token"}]}"#,
            401,
            "credential_refused",
        ),
        (403, "upstream", 403, "forbidden"),
        (429, "upstream", 503, "upstream_unavailable"),
        (500, "upstream", 502, "upstream_failed"),
        (503, "upstream", 503, "upstream_unavailable"),
        (200, "upstream", 502, "upstream_failed"),
        (
            500,
            r#"{"detail":[{"msg":"upstream says","type":"user_info_failed"}]}"#,
            503,
            "upstream_unavailable",
        ),
    ] {
        let upstream = Upstream::new("");
        upstream.says(status, body);
        let client = upstream.client();
        let by_error = {
            let client = client.clone();
            async move |DelegatedToken(token): DelegatedToken| -> Result<String> {
                Ok(client.user_info(&token).await?.username.clone())
            }
        };
        let by_refusal =
            async move |DelegatedToken(token): DelegatedToken| -> Result<String, Refusal> {
                Ok(client.user_info(&token).await?.username.clone())
            };
        let app = Router::new()
            .route("/", get(by_error).post(by_refusal))
            .layer(IngressLayer::new(TrustedPeers::loopback()));
        for method in [Method::GET, Method::POST] {
            let log = Log::start();
            let mut request = request(&ADA);
            *request.method_mut() = method;
            let answer = ask(&app, request).await;
            assert_eq!(
                (answer.status, &*answer.code()),
                (expected, code),
                "{status} {body}"
            );
            assert!(!answer.body.contains("upstream says"), "{answer:?}");
            assert_eq!(answer.headers.contains_key(RETRY_AFTER), status == 429);
            if expected >= 500 {
                log.assert_warned_once(code);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_quota_of_zero_keeps_out_and_every_absence_lets_in() {
    for (quota, may) in [
        (r"null", true),
        (r"{}", true),
        (r#"{"api":{}}"#, true),
        (r#"{"api":{"other":0}}"#, true),
        (r#"{"api":{"datalinker":1}}"#, true),
        (r#"{"api":{"datalinker":0}}"#, false),
    ] {
        let upstream = Upstream::new(&format!(r#"{{"username":"ada","quota":{quota}}}"#));
        let guard = upstream.guard().require_quota("datalinker");
        let answer = ask(&app(guard), request(&ADA)).await;
        if may {
            assert_eq!(answer, Answer::ok("ada"), "{quota}");
        } else {
            assert_eq!((answer.status, &*answer.code()), (403, "quota_exceeded"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_gafaelfawr_is_503_and_never_a_pass() {
    for (status, body) in [
        (
            500,
            r#"{"detail":[{"msg":"upstream says","type":"user_info_failed"}]}"#,
        ),
        (500, "Internal Server Error"),
        (502, ""),
        (
            403,
            r#"{"detail":[{"msg":"upstream says","type":"invalid_request"}]}"#,
        ),
        (404, r#"{"detail":"Not Found"}"#),
        (200, "upstream"),
        (200, "{}"),
        (204, ""),
        (307, ""),
    ] {
        let upstream = Upstream::new("");
        upstream.says(status, body);
        let log = Log::start();

        let answer = ask(&app(upstream.guard()), request(&ADA)).await;

        assert_eq!(
            (answer.status, &*answer.code()),
            (503, "auth_unavailable"),
            "{status} {body}"
        );
        assert!(!answer.body.contains("upstream"), "{answer:?}");
        log.assert_warned_once("auth_unavailable");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_gafaelfawr_is_503_and_the_way_back_is_open() {
    let upstream = Upstream::new(r#"{"username":"ada"}"#);
    let app = app(upstream.guard());
    upstream
        .host()
        .faults()
        .add(Fault::on("repertoire.getDiscovery").reset_before_head());
    let answer = ask(&app, request(&ADA)).await;
    assert_eq!((answer.status, &*answer.code()), (503, "auth_unavailable"));

    upstream.host().faults().clear();
    upstream
        .host()
        .faults()
        .add(Fault::on("gafaelfawr.getOwnUserInfo").no_answer());
    let answer = ask(&app, request(&ADA)).await;
    assert_eq!((answer.status, &*answer.code()), (503, "auth_unavailable"));

    upstream.host().faults().clear();
    // Retries may have used up their budget; it fills again.
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(ask(&app, request(&ADA)).await, Answer::ok("ada"));
}

#[tokio::test(start_paused = true)]
async fn how_long_to_wait_is_passed_on() {
    let upstream = Upstream::new("");
    upstream.says(429, "");
    let answer = ask(&app(upstream.guard()), request(&ADA)).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.headers["retry-after"], "3600");
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_401_with_a_challenge() {
    let upstream = Upstream::new("");
    upstream.says(
        401,
        r#"{"detail":[{"msg":"upstream says","type":"invalid_token"}]}"#,
    );
    let log = Log::start();
    let answer = ask(&app(upstream.guard()), request(&ADA)).await;
    assert_eq!((answer.status, &*answer.code()), (401, "token_refused"));
    let challenge = &answer.headers["www-authenticate"];
    assert_eq!(challenge, "Bearer realm=\"Gafaelfawr\"");
    log.assert_warned_once("token_refused");
}

#[tokio::test(start_paused = true)]
async fn a_guard_without_what_it_needs_refuses_and_says_what_is_missing() {
    let upstream = Upstream::new(r#"{"username":"ada"}"#);

    let answer = ask(&app(upstream.guard()), request(&ADA[..1])).await;
    assert_eq!(
        (answer.status, &*answer.code()),
        (500, "delegation_missing")
    );
    assert!(answer.body.contains("config.delegate"), "{answer:?}");

    let answer = ask(&routes(upstream.guard()), request(&ADA)).await;
    assert_eq!((answer.status, &*answer.code()), (500, "layer_missing"));

    // Layers put on the wrong way round.
    let wrong = Router::new()
        .route("/", get(async || "let in"))
        .layer(IngressLayer::new(TrustedPeers::loopback()))
        .layer(upstream.guard());
    let answer = ask(&wrong, request(&ADA)).await;
    assert_eq!((answer.status, &*answer.code()), (500, "layer_missing"));

    let anonymous = IngressLayer::new(TrustedPeers::loopback()).allow_anonymous();
    let answer = ask(&routes(upstream.guard()).layer(anonymous), request(&[])).await;
    assert_eq!((answer.status, &*answer.code()), (401, "no_authorization"));

    assert_eq!(upstream.asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_token_of_another_user_proves_nothing() {
    let upstream = Upstream::new(r#"{"username":"grace","groups":[{"name":"staff","id":1}]}"#);
    let guard = upstream.guard().require_group(group("staff"));
    let answer = ask(&app(guard), request(&ADA)).await;
    assert_eq!((answer.status, &*answer.code()), (500, "ingress_invalid"));
}

#[tokio::test(start_paused = true)]
async fn a_guard_can_be_asked_inside_of_a_handler() {
    let upstream = Upstream::new(r#"{"username":"ada","groups":[{"name":"staff","id":1}]}"#);
    let client = upstream.client();
    let mut ada = Identity::new(Username::parse("ada").unwrap());
    ada.token = Some(Token::parse(TOKEN).unwrap());

    let staff = Guard::new(client.clone()).require_group(group("staff"));
    assert_eq!(staff.check(&ada).await.unwrap().username, "ada");
    let admins = Guard::new(client).require_group(group("admins"));
    let refusal = admins.check(&ada).await.unwrap_err();
    assert_eq!(refusal.kind(), RefusalKind::NotInGroup);
    assert_eq!(
        refusal.to_string(),
        "Only for members of: admins (HTTP 403)"
    );

    // Clones of a client share its cache.
    assert_eq!(upstream.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_token_is_in_no_answer_no_debug_and_no_log() {
    let log = Log::start();
    let mut seen = String::new();
    for (status, body) in [
        (200, r#"{"username":"ada"}"#),
        (200, TOKEN),
        (401, TOKEN),
        (500, TOKEN),
    ] {
        let upstream = Upstream::new("");
        upstream.says(status, body);
        let guard = upstream.guard().require_group(group("staff"));
        let mut ada = Identity::new(Username::parse("ada").unwrap());
        ada.token = Some(Token::parse(TOKEN).unwrap());
        let refusal = guard.check(&ada).await.unwrap_err();
        seen += &format!("{refusal} {refusal:?} {guard:?} {ada:?}");
        seen += &format!("{:?}", refusal.to_response::<Vec<u8>>());
        seen += &format!("{:?}", ask(&app(guard), request(&ADA)).await);
    }
    seen += &log.text();
    assert!(
        seen.contains("AAAAAAAAAAAAAAAAAAAAAA") && seen.contains("WARN"),
        "{seen}"
    );
    assert!(!seen.contains("planted"), "{seen}");
}

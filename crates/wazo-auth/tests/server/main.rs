//! The layer and its guards in front of a real axum router. Time is paused.

#![allow(clippy::unwrap_used, reason = "a test")]

mod order;
mod remembering;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::get;
use futures_util::future::join_all;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower_service::Service;
use vouchsafe_core::mock::ManualClock;
use vouchsafe_core::{BoxFuture, Secret};
use vouchsafe_wazo_auth::server::{
    Caller, Guard, Introspect, Refusal, RefusalKind, TokenLayer, Tokens, TokensBuilder,
};
use vouchsafe_wazo_auth::{Error, Result, Token, Validity};

const ALICE: &str = "5cdff4a3-24a3-494f-8d32-9c8695e868f9";
const OWN: &str = "22eaf242-8f70-450c-bbc2-58acd132ca55";
const BELOW: &str = "33eaf242-8f70-450c-bbc2-58acd132ca55";
const OTHER: &str = "44eaf242-8f70-450c-bbc2-58acd132ca55";
const TOKEN: &str = "d808fb98-0cec-45ac-828a-90bfb7b15f36";
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";
const MINUTE: Duration = Duration::from_secs(60);
/// The first second of 2026.
const START: u64 = 1_767_225_600;

/// A wazo-auth that knows some tokens, and notes what it is asked.
#[derive(Clone, Default)]
struct Auth(Arc<State>);

#[derive(Default)]
struct State {
    tokens: Mutex<HashMap<String, Value>>,
    asked: Mutex<Vec<String>>,
    is_away: AtomicBool,
}

/// What it knows is what tests search for.
impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Auth")
    }
}

impl Auth {
    /// Knows a token of Alice's with these accesses, for an hour from the year 2026 on.
    fn new(acl: &[&str]) -> Self {
        let auth = Self::default();
        auth.knows(acl);
        auth
    }

    fn knows(&self, acl: &[&str]) {
        let token = json!({
            "token": TOKEN, "auth_id": ALICE, "acl": acl, "metadata": {"tenant_uuid": OWN},
            "utc_issued_at": "2026-01-01T00:00:00.000000",
            "utc_expires_at": "2026-01-01T01:00:00.000000",
        });
        let mut tokens = self.0.tokens.lock().unwrap();
        tokens.insert(TOKEN.to_owned(), token);
    }

    fn builder(&self) -> TokensBuilder {
        Tokens::builder(self.clone()).clock(Arc::new(ManualClock::at_unix(START)))
    }

    fn layer(&self) -> TokenLayer {
        TokenLayer::new(self.builder().build())
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.0.asked.lock().unwrap())
    }

    fn goes_away(&self, is_away: bool) {
        self.0.is_away.store(is_away, Ordering::Relaxed);
    }

    async fn answer(&self, question: String) -> Result<()> {
        self.0.asked.lock().unwrap().push(question);
        tokio::time::sleep(Duration::from_millis(20)).await;
        match self.0.is_away.load(Ordering::Relaxed) {
            true => Err(error(vouchsafe_core::ErrorKind::Transport)),
            false => Ok(()),
        }
    }
}

fn error(kind: vouchsafe_core::ErrorKind) -> Error {
    vouchsafe_core::Error::new(kind, "planted").into()
}

impl Introspect for Auth {
    fn token<'a>(&'a self, token: &'a Secret) -> BoxFuture<'a, Result<Token>> {
        Box::pin(async move {
            self.answer("token".to_owned()).await?;
            let found = self.0.tokens.lock().unwrap().get(token.expose()).cloned();
            let unknown = || error(vouchsafe_core::ErrorKind::NotFound);
            Ok(serde_json::from_value(found.ok_or_else(unknown)?).unwrap())
        })
    }

    fn check<'a>(
        &'a self,
        token: &'a Secret,
        access: Option<&'a str>,
        tenant: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Validity>> {
        Box::pin(async move {
            let question = access.or(tenant).unwrap().to_owned();
            self.answer(question).await?;
            let is_known = self.0.tokens.lock().unwrap().contains_key(token.expose());
            let suffices = [Some("asked.yes"), Some(BELOW)].contains(&access.or(tenant));
            Ok(match (is_known, suffices) {
                (false, _) => Validity::NotValid,
                (true, false) => Validity::NotAllowed,
                (true, true) => Validity::Valid,
            })
        })
    }
}

/// A service with a route for each kind of need.
fn app(layer: &TokenLayer) -> Router {
    let of_user = Guard::for_path("/users/{user}", "confd.users.{user}.read").unwrap();
    let elsewhere = Guard::for_path("/nowhere", "confd.status.read").unwrap();
    let last = Guard::for_path("/last/{what}", "confd.{what}").unwrap();
    let status = || Guard::new("confd.status.read").unwrap();
    let asked = async |caller: Caller| match caller.require("asked.yes").await {
        Ok(()) => Ok("yes"),
        Err(refusal) => Err::<_, Refusal>(refusal),
    };
    let whoever = async |caller: Option<Caller>| match caller {
        Some(caller) => format!("{} in {}", caller.info().auth_id, caller.tenant().unwrap()),
        None => "anonymous".to_owned(),
    };
    Router::new()
        .route(
            "/users/{user}",
            get(async || "a user").layer(of_user.clone()),
        )
        .route(
            "/elsewhere/{user}",
            get(async || "a user").layer(of_user.clone()),
        )
        .route("/users/{user}/more", get(async || "more").layer(of_user))
        .route("/fixed", get(async || "no").layer(elsewhere))
        .route("/last/{what}", get(async || "last").layer(last))
        .route("/status", get(async || "well").layer(status()))
        .route(
            "/own",
            get(async || "mine").layer(status().only_tenant(OWN)),
        )
        .route(
            "/other",
            get(async || "mine").layer(status().only_tenant(OTHER)),
        )
        .route("/asked", get(asked))
        .route("/whoever", get(whoever))
        .layer(layer.clone())
        .route("/open", get(async || "open").layer(status()))
        .route("/caller", get(async |_: Caller| "no"))
        .route("/perhaps", get(async |_: Option<Caller>| "no"))
}

async fn send(app: &Router, request: Request<Body>) -> (StatusCode, String) {
    let answer = app.clone().call(request).await.unwrap();
    let status = answer.status();
    let body = to_bytes(answer.into_body(), 1 << 16).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn request(path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let request = Request::builder().uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    request.body(Body::empty()).unwrap()
}

async fn ask(app: &Router, path: &str) -> (StatusCode, String) {
    send(app, request(path, &[("X-Auth-Token", TOKEN)])).await
}

/// Returns the status and the error id of a refusal, and its details.
fn refusal((status, body): (StatusCode, String)) -> (u16, String, Value) {
    assert!(!body.contains(TOKEN), "{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert!(
        body["timestamp"].is_f64() && body["message"].is_string(),
        "{body}"
    );
    let id = body["error_id"].as_str().unwrap().to_owned();
    (status.as_u16(), id, body["details"].clone())
}

fn unknown() -> (u16, String, Value) {
    let details = json!({"invalid_token": "", "reason": "not_found_or_expired"});
    (401, "unauthorized".to_owned(), details)
}

#[tokio::test(start_paused = true)]
async fn what_can_be_no_token_is_refused_without_asking() {
    let auth = Auth::new(&["#"]);
    let app = app(&auth.layer().accept_query());
    let upper = TOKEN.to_uppercase();
    for headers in [
        vec![],
        vec![("X-Auth-Token", "")],
        vec![("X-Auth-Token", "../users")],
        vec![("X-Auth-Token", upper.as_str())],
        vec![("X-Auth-Token", TOKEN), ("X-Auth-Token", UNKNOWN)],
    ] {
        let answer = send(&app, request("/whoever", &headers)).await;
        assert_eq!(refusal(answer), unknown(), "{headers:?}");
    }
    let two = request(
        &format!("/whoever?token={UNKNOWN}"),
        &[("X-Auth-Token", TOKEN)],
    );
    assert_eq!(refusal(send(&app, two).await), unknown());
    assert_eq!(auth.asked(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_token_in_the_query_counts_where_that_is_accepted() {
    let auth = Auth::new(&[]);
    let path = format!("/whoever?a=b&token={TOKEN}");
    let strict = send(&app(&auth.layer()), request(&path, &[])).await;
    assert_eq!(refusal(strict), unknown());
    let (status, _) = send(&app(&auth.layer().accept_query()), request(&path, &[])).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn anonymous_requests_pass_where_allowed_and_no_guard() {
    let app = app(&Auth::new(&["#"]).layer().allow_anonymous());
    let (_, body) = send(&app, request("/whoever", &[])).await;
    assert_eq!(body, "anonymous");
    for (path, access) in [
        ("/status", Some("confd.status.read")),
        ("/users/a", Some("confd.users.a.read")),
        ("/asked", None),
    ] {
        let mut expected = unknown();
        if let Some(access) = access {
            expected.2["required_access"] = access.into();
        }
        let answer = refusal(send(&app, request(path, &[])).await);
        assert_eq!(answer, expected, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_guard_fills_the_path_into_its_access() {
    let auth = Auth::new(&["confd.users.me.read", "confd.users.a_b.read", "confd.me"]);
    let app = app(&auth.layer());
    for path in [
        "/users/me".to_owned(),
        format!("/users/{ALICE}"),
        "/users/a%2Eb".to_owned(),
    ] {
        assert_eq!(ask(&app, &path).await.0, StatusCode::OK, "{path}");
    }
    let details = |access: &str| {
        json!({
            "invalid_token": "", "reason": "missing_permission_or_invalid_tenant",
            "required_access": access, "tenant_uuid": null,
        })
    };
    for (path, access) in [
        ("/users/bob", "confd.users.bob.read"),
        // A line end at the end of an access would be ignored.
        ("/last/me%0A", "confd.me\n"),
        ("/status", "confd.status.read"),
    ] {
        let expected = (401, "unauthorized".to_owned(), details(access));
        assert_eq!(refusal(ask(&app, path).await), expected, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_guard_without_its_layer_or_for_another_path_refuses_everything() {
    let app = app(&Auth::new(&["#"]).layer());
    for path in ["/open", "/caller", "/perhaps"] {
        let (status, id, _) = refusal(ask(&app, path).await);
        assert_eq!((status, id.as_str()), (500, "layer-missing"), "{path}");
    }
    for path in ["/elsewhere/me", "/users/me/more", "/fixed"] {
        let (status, id, _) = refusal(ask(&app, path).await);
        assert_eq!((status, id.as_str()), (500, "path-mismatch"), "{path}");
    }
}

#[test]
fn a_guard_says_what_it_cannot_be_made_of() {
    for (path, access, why) in [
        (
            "users",
            "a",
            "\"users\" is not a path of a route: it does not begin with `/`",
        ),
        ("/users/{*rest}", "a", "a parameter is one segment"),
        ("/users/a{b}", "a", "a parameter is a whole segment"),
        (
            "/users/{user}",
            "a.{uuid}",
            "the path of the route has no {uuid}, which a.{uuid} needs",
        ),
        ("/", "", "\"\" is not a template of an access: it is empty"),
        ("/", "a.{", "a `{` has no `}`"),
        ("/", "a}", "a `}` has no `{`"),
        ("/", "a.{}", "a parameter has no name"),
        ("/", "a\n", "it has control characters"),
    ] {
        let error = Guard::for_path(path, access).unwrap_err().to_string();
        assert!(error.ends_with(why), "{error}");
    }
    assert!(Guard::new("a.{b}").is_err());
}

#[tokio::test(start_paused = true)]
async fn the_server_decides_where_it_is_to() {
    // The list covers everything, and the server knows better.
    let auth = Auth::new(&["#"]);
    let tokens = auth.builder().build();
    let layer = TokenLayer::new(tokens.clone()).ask_server();
    let app = app(&layer);
    for _ in 0..2 {
        assert_eq!(ask(&app, "/asked").await.1, "yes");
        assert_eq!(refusal(ask(&app, "/status").await).0, 401);
    }
    assert_eq!(auth.asked(), ["token", "asked.yes", "confd.status.read"]);
    let mut seen = request("/", &[("X-Auth-Token", TOKEN)]);
    layer.check(&mut seen).await.unwrap();
    let caller = Caller::of(seen.extensions()).unwrap();
    // What was answered about a token is forgotten with it.
    auth.0.tokens.lock().unwrap().clear();
    tokens.forget(&Secret::from(TOKEN));
    assert_eq!(refusal(ask(&app, "/asked").await), unknown());
    assert_eq!(
        caller.require("asked.yes").await.unwrap_err().kind(),
        RefusalKind::UnknownToken
    );
    assert_eq!(auth.asked(), ["token", "asked.yes"]);
    auth.goes_away(true);
    let away = caller.require("asked.no").await.unwrap_err();
    let (status, id) = (away.status(), away.code());
    assert_eq!(
        (status.as_u16(), id),
        (503, "authentication-server-unreachable")
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_is_shown_nowhere() {
    let layer = Auth::new(&[]).layer();
    let mut seen = request("/", &[("X-Auth-Token", TOKEN)]);
    layer.check(&mut seen).await.unwrap();
    let caller = Caller::of(seen.extensions()).unwrap();
    assert_eq!(caller.token().expose(), TOKEN);
    for text in [
        format!("{caller:?}"),
        format!("{:?}", seen.headers()),
        format!("{layer:?}"),
    ] {
        assert!(!text.contains(TOKEN), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_inner_layer_forgets_the_caller_of_an_outer_one() {
    let auth = Auth::new(&["#"]);
    let mut seen = request("/", &[("X-Auth-Token", TOKEN)]);
    auth.layer().check(&mut seen).await.unwrap();
    seen.headers_mut().clear();
    auth.layer()
        .allow_anonymous()
        .check(&mut seen)
        .await
        .unwrap();
    assert!(Caller::find(seen.extensions()).unwrap().is_none());
}

#[tokio::test]
async fn a_failed_call_of_a_handler_is_an_answer() {
    for (kind, status) in [
        (vouchsafe_core::ErrorKind::Transport, 503),
        (vouchsafe_core::ErrorKind::NotFound, 404),
        (vouchsafe_core::ErrorKind::Config, 500),
    ] {
        let app = Router::new().route("/", get(async move || Err::<(), Error>(error(kind))));
        let answer = send(&app, request("/", &[])).await;
        assert!(!answer.1.contains("planted"));
        assert_eq!(refusal(answer).0, status);
    }
}

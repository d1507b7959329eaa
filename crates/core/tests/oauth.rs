//! Tokens by client credentials, from a token endpoint that checks what it is sent.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{Method, StatusCode, Uri};
use serde_json::{Value, json};
use vouchsafe_core::auth::oauth::{
    ClientAuthentication, ClientCredentials, ClientCredentialsBuilder, ErrorCode,
};
use vouchsafe_core::auth::{Credentials, FileToken, TokenSource};
use vouchsafe_core::call::{Call, CallOptions, Operation, Repeat, Timeouts};
use vouchsafe_core::mock::form::Fields;
use vouchsafe_core::mock::{Fault, Handler, Host, ManualClock, respond};
use vouchsafe_core::transport::{Request, Response};
use vouchsafe_core::url::Target;
use vouchsafe_core::{Clock as _, CoreClient, ErrorKind, Secret, TimeoutScope};

use self::log::Log;

#[path = "../../../tests/support/log.rs"]
mod log;

const SECRET: &str = "plan:ted ü";

/// A token endpoint, and a service that accepts its newest token only.
#[derive(Debug, Default)]
struct Server {
    issued: AtomicU64,
    /// What the answers say besides the token.
    more: Mutex<Value>,
    seen: Mutex<Vec<(String, Fields)>>,
}

impl Handler for Server {
    fn handle(&self, request: &Request) -> Response {
        let header = request.headers.get(AUTHORIZATION);
        let header = header.map_or("", |value| value.to_str().unwrap());
        if request.uri.path() == "/users" {
            let newest = format!("Bearer token-{}", self.issued.load(Ordering::Relaxed));
            return match header == newest {
                true => respond::json(200, &json!({})),
                false => respond::empty(401),
            };
        }
        let fields = Fields::parse(&request.body);
        self.seen.lock().unwrap().push((header.to_owned(), fields));
        let count = self.issued.fetch_add(1, Ordering::Relaxed) + 1;
        let mut answer = json!({"access_token": format!("token-{count}"), "token_type": "bearer"});
        if let Value::Object(more) = self.more.lock().unwrap().clone() {
            answer.as_object_mut().unwrap().extend(more);
        }
        respond::json(200, &answer)
    }

    fn operation(&self, _: &Method, uri: &Uri) -> Option<&'static str> {
        match uri.path() {
            "/users" => Some("test.users"),
            _ => Some("oauth.token"),
        }
    }
}

struct World {
    server: Arc<Server>,
    host: Host,
}

impl World {
    fn new(more: Value) -> Self {
        let server = Arc::new(Server {
            more: Mutex::new(more),
            ..Server::default()
        });
        let host = Host::builder(Arc::clone(&server) as _)
            .clock(Arc::new(ManualClock::at_unix(1_700_000_000)))
            .build();
        Self { server, host }
    }

    fn builder(&self) -> ClientCredentialsBuilder {
        self.at("https://id.example/oauth2/token/?policy=a%2Fb")
    }

    fn at(&self, url: &str) -> ClientCredentialsBuilder {
        ClientCredentials::builder(url, "a:b", SECRET)
            .transport(self.host.transport())
            .clock(Arc::clone(self.host.clock()) as _)
    }

    fn source(&self) -> ClientCredentials {
        self.builder().build().unwrap()
    }

    fn requests(&self) -> u64 {
        self.host.journal().count("oauth.token")
    }

    /// Moves both clocks.
    async fn pass(&self, seconds: u64) {
        let time = Duration::from_secs(seconds);
        tokio::time::advance(time).await;
        self.host.clock().advance(time);
    }
}

async fn token(source: &ClientCredentials) -> String {
    source.token().await.unwrap().secret().expose().to_owned()
}

#[tokio::test(start_paused = true)]
async fn the_client_authenticates_with_basic_credentials_in_the_encoding_of_forms() {
    let world = World::new(json!({"expires_in": 3600}));
    let source = world.builder().scope("read").scope("write:x");
    let source = source.parameter("audience", "https://api.example").build();
    assert_eq!(token(&source.unwrap()).await, "token-1");
    let seen = world.server.seen.lock().unwrap();
    let (header, fields) = &seen[0];
    // "a%3Ab:plan%3Ated+%C3%BC"
    assert_eq!(header, "Basic YSUzQWI6cGxhbiUzQXRlZCslQzMlQkM=");
    let fields: Vec<_> = fields.iter().collect();
    assert_eq!(
        fields,
        [
            ("grant_type", "client_credentials"),
            ("audience", "https://api.example"),
            ("scope", "read write:x"),
        ]
    );
    let entry = world.host.journal().last("oauth.token").unwrap();
    assert_eq!(entry.path, "/oauth2/token/");
}

#[tokio::test(start_paused = true)]
async fn the_client_authenticates_in_the_form_where_the_server_wants_that() {
    let world = World::new(json!({}));
    let source = world.builder().authentication(ClientAuthentication::Body);
    token(&source.build().unwrap()).await;
    let seen = world.server.seen.lock().unwrap();
    let (header, fields) = &seen[0];
    assert_eq!(header, "");
    assert_eq!(fields.first("client_id"), Some("a:b"));
    assert_eq!(fields.first("client_secret"), Some(SECRET));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_kept_until_shortly_before_it_expires() {
    for lifetime in [json!(1000), json!("1000")] {
        let world = World::new(json!({"expires_in": lifetime}));
        let source = world.source();
        let first = source.token().await.unwrap();
        let left = first
            .expiry()
            .unwrap()
            .duration_since(world.host.clock().now());
        assert_eq!(left.unwrap(), Duration::from_secs(1000));
        world.pass(700).await;
        assert_eq!(token(&source).await, "token-1");
        assert_eq!(world.requests(), 1);
        world.pass(270).await;
        assert_eq!(token(&source).await, "token-2");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_lives_briefly_is_kept_for_nine_tenths_of_that() {
    let world = World::new(json!({"expires_in": 20}));
    let source = world.source();
    assert_eq!(token(&source).await, "token-1");
    world.pass(17).await;
    assert_eq!(token(&source).await, "token-1");
    world.pass(18).await;
    assert_ne!(token(&source).await, "token-1");
}

#[tokio::test(start_paused = true)]
async fn a_token_of_unknown_lifetime_is_kept_for_five_minutes() {
    for unknown in [json!({}), json!({"expires_in": "soon"})] {
        let world = World::new(unknown);
        let source = world.source();
        assert_eq!(source.token().await.unwrap().expiry(), None);
        world.pass(299).await;
        assert_eq!(token(&source).await, "token-1");
        world.pass(301).await;
        assert_ne!(token(&source).await, "token-1");
    }
}

#[tokio::test(start_paused = true)]
async fn concurrent_callers_share_one_request_even_if_its_starter_gives_up() {
    let world = World::new(json!({"expires_in": 3600}));
    world.host.set_latency(Duration::from_secs(1));
    let source = world.source();
    let given_up = tokio::time::timeout(Duration::from_millis(500), source.token()).await;
    assert!(given_up.is_err());
    let (one, two) = tokio::join!(token(&source), token(&source));
    assert_eq!((one.as_str(), two.as_str()), ("token-1", "token-1"));
    assert_eq!(world.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_a_service_refuses_is_replaced_and_the_call_repeated() {
    static USERS: Operation =
        Operation::new("test.users", Method::GET, "/users").repeat(Repeat::Safe);
    let world = World::new(json!({"expires_in": 3600}));
    let source = world.source();
    token(&source).await;
    // Another program is issued one, which ends ours.
    token(&world.source()).await;
    let client = CoreClient::builder().transport(world.host.transport());
    let client = client.build().unwrap();
    let call = Call::new(&USERS, Target::new("/users"));
    let credentials = Some(Credentials::bearer(&source));
    let base = "https://service.example".parse().unwrap();
    let options = CallOptions::new();
    let sent = client.send(&base, call, credentials, &options);
    sent.await.unwrap();
    assert_eq!(token(&source).await, "token-3");
    assert_eq!(world.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_same_token_again_has_the_same_generation() {
    let world = World::new(json!({"access_token": "always", "expires_in": 3600}));
    let source = world.source();
    let first = source.token().await.unwrap();
    source.forget(first.generation());
    let second = source.token().await.unwrap();
    assert_eq!(world.requests(), 2);
    assert_eq!(first.generation(), second.generation());
}

#[tokio::test(start_paused = true)]
async fn refusals_of_the_token_endpoint_are_never_taken_for_those_of_the_call() {
    let refusals = [
        (400, ErrorKind::Credential),
        (401, ErrorKind::Credential),
        (403, ErrorKind::Credential),
        (404, ErrorKind::Config),
        (405, ErrorKind::Config),
        (409, ErrorKind::Credential),
        (410, ErrorKind::Config),
        (422, ErrorKind::Credential),
        (500, ErrorKind::Status),
    ];
    for (status, kind) in refusals {
        let world = World::new(json!({}));
        let body = json!({"error": "invalid_client", "error_description": "no such client"});
        let fault = Fault::on("oauth.token").status(status).json(&body);
        world.host.faults().add(fault);
        let error = world.source().token().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{status}");
        assert_eq!(ErrorCode::of(&error), Some(ErrorCode::InvalidClient));
        assert_eq!(error.message(), "no such client");
        assert_eq!(error.operation(), Some("oauth.token"));
        assert_eq!(world.requests(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_by_a_server_that_is_unavailable_for_a_while_is_retryable() {
    for (code, may_pass) in [("temporarily_unavailable", true), ("invalid_grant", false)] {
        let world = World::new(json!({}));
        let fault = Fault::on_any().status(400).json(&json!({"error": code}));
        world.host.faults().add(fault);
        let error = world.source().token().await.unwrap_err();
        assert_eq!(error.is_retryable(), may_pass, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_with_a_successful_status_is_an_error_with_its_code() {
    for (code, known, may_pass) in [
        ("invalid_scope", Some(ErrorCode::InvalidScope), false),
        ("server_error", Some(ErrorCode::ServerError), true),
        ("own_code", None, false),
    ] {
        let world = World::new(json!({"error": code, "error_description": "because"}));
        let error = world.source().token().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credential);
        assert_eq!((error.code(), ErrorCode::of(&error)), (Some(code), known));
        assert_eq!(error.status(), Some(StatusCode::OK));
        assert_eq!(error.message(), "because");
        assert_eq!(error.is_retryable(), may_pass);
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_with_a_successful_status_may_have_a_code_or_a_description_only() {
    for (more, code, message) in [
        (
            json!({"error": "own_code"}),
            Some("own_code"),
            "token refused",
        ),
        (json!({"error_description": "because"}), None, "because"),
    ] {
        let error = World::new(more).source().token().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credential);
        assert_eq!((error.code(), error.message()), (code, message));
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_with_a_successful_status_shows_no_secret_that_it_quotes() {
    let quoted = format!("no client has the secret {SECRET}");
    let world = World::new(json!({"error": quoted, "error_description": quoted}));
    let error = world.source().token().await.unwrap_err();
    for text in [
        error.code().unwrap(),
        &error.to_string(),
        &format!("{error:?}"),
    ] {
        assert!(
            text.contains("no client has") && !text.contains("plan"),
            "{text}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_token_that_can_be_used_is_refused() {
    for (more, what) in [
        (json!({"access_token": null}), "has no access token"),
        (json!({"access_token": ""}), "has no access token"),
        (json!({"access_token": 7}), "at access_token"),
        (json!({"token_type": "mac"}), "not a bearer token"),
    ] {
        let world = World::new(more);
        let error = world.source().token().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(error.to_string().contains(what), "{error}");
    }
    for more in [json!({"token_type": "BEARER"}), json!({"token_type": null})] {
        let world = World::new(more);
        assert_eq!(token(&world.source()).await, "token-1");
    }
}

#[tokio::test(start_paused = true)]
async fn a_passing_failure_is_tried_again_within_the_call() {
    let world = World::new(json!({}));
    world
        .host
        .faults()
        .add(Fault::on_any().times(1).status(503));
    assert_eq!(token(&world.source()).await, "token-1");
    assert_eq!(world.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_patience_is_left_alone_for_up_to_a_minute() {
    for (asked, waited) in [(20, 20), (3600, 60)] {
        let world = World::new(json!({}));
        let wait = Duration::from_secs(asked);
        let fault = Fault::on_any().times(1).status(429).retry_after(wait);
        world.host.faults().add(fault);
        let source = world.source();
        let error = source.token().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Throttled);
        world.pass(waited - 1).await;
        assert!(source.token().await.is_err());
        assert_eq!(world.requests(), 1);
        world.pass(1).await;
        assert_eq!(token(&source).await, "token-1");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_endpoint_that_does_not_answer_ends_in_a_time_out() {
    let world = World::new(json!({}));
    world.host.faults().add(Fault::on_any().no_answer());
    let limit = Timeouts::default().call(Duration::from_secs(3));
    let source = world.builder().timeouts(limit).build().unwrap();
    let begun = tokio::time::Instant::now();
    let error = source.token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutScope::Call));
    assert_eq!(begun.elapsed(), Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn neither_the_clients_secret_nor_a_token_is_shown() {
    let echo = json!({"error": "invalid_client", "error_description": format!("not {SECRET}")});
    for authentication in [ClientAuthentication::Basic, ClientAuthentication::Body] {
        let world = World::new(json!({"refresh_token": "token-r"}));
        let builder = ClientCredentials::builder("https://id.example", "a", SECRET);
        let shown = format!("{:?}", builder.authentication(authentication));
        let builder = world.builder().authentication(authentication);
        let source = builder.build().unwrap();
        let first = source.token().await.unwrap();
        let shown = format!("{shown} {source:?} {first:?}");
        assert!(shown.contains("client_id: \"a:b\""), "{shown}");
        source.forget(first.generation());
        world
            .host
            .faults()
            .add(Fault::on_any().status(400).json(&echo));
        let error = source.token().await.unwrap_err();
        assert_eq!(error.message(), "not [secret]");
        let shown = format!("{shown} {error} {error:?} {:?}", error.body());
        assert!(!shown.contains("plan"), "{shown}");
        assert!(!shown.contains("token-"), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn failures_that_go_on_are_warned_of_once_and_so_is_their_end() {
    let world = World::new(json!({"expires_in": 100}));
    let source = world.source();
    let echo = json!({"error": "invalid_client", "error_description": format!("not {SECRET}")});
    let log = Log::start();
    for run in 1..=2 {
        let fault = Fault::on_any().times(5).status(400).json(&echo);
        world.host.faults().add(fault);
        for failures in 1..=5 {
            source.token().await.unwrap_err();
            let warnings = if failures < 3 { run - 1 } else { run };
            assert_eq!(log.text().matches(" WARN ").count(), warnings);
            world.pass(2).await;
        }
        assert_eq!(log.text().matches(" INFO ").count(), run - 1);
        token(&source).await;
        assert_eq!(log.text().matches(" INFO ").count(), run);
        world.pass(101).await;
    }
    let logged = log.text();
    for (level, failures) in [(" WARN ", "failures=3"), (" INFO ", "failures=5")] {
        let line = logged.lines().find(|line| line.contains(level)).unwrap();
        for part in ["source=\"oauth\"", failures] {
            assert!(line.contains(part), "{line}");
        }
        assert!(!line.contains("plan") && !line.contains("token-"), "{line}");
    }
    // Failures with a success between them are not a run.
    for _ in 0..4 {
        world
            .host
            .faults()
            .add(Fault::on_any().times(2).status(400));
        for _ in 0..2 {
            source.token().await.unwrap_err();
            world.pass(2).await;
        }
        token(&source).await;
        world.pass(101).await;
    }
    assert_eq!(log.text().matches(" WARN ").count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_cannot_be_read_any_more_is_warned_of_once() {
    let path = std::env::temp_dir().join(format!("vouchsafe-warned-{}", std::process::id()));
    std::fs::write(&path, "planted").unwrap();
    let source = FileToken::new(&path);
    source.token().await.unwrap();
    std::fs::remove_file(&path).unwrap();
    let log = Log::start();
    for seconds in 1..=5 {
        tokio::time::advance(Duration::from_secs(1)).await;
        source.token().await.unwrap();
        let warnings = usize::from(seconds >= 3);
        assert_eq!(log.text().matches(" WARN ").count(), warnings);
    }
    let logged = log.text();
    assert!(logged.contains("vouchsafe-warned-") && !logged.contains("planted"));
}

#[tokio::test(start_paused = true)]
async fn the_secret_does_not_go_over_plain_http_to_another_machine() {
    let world = World::new(json!({}));
    let source = world.at("http://id.example/token");
    let error = source.clone().build().unwrap().token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(world.requests(), 0);
    let allowed = source.allow_plain_http().build().unwrap();
    assert_eq!(token(&allowed).await, "token-1");
}

#[test]
fn a_wrong_setting_is_refused_before_anything_is_sent() {
    let at = |url: &str| ClientCredentials::builder(url, "id", "planted").build();
    for url in [
        "",
        "/token",
        "ftp://id.example/token",
        "https://planted@id.example/token",
        "https://id.example/token#planted",
        "https://id.example/../token",
        "https:///token",
    ] {
        let error = at(url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{url}");
        assert!(!error.to_string().contains("planted"), "{error}");
    }
    for url in ["https://id.example", "https://id.example?policy=a"] {
        at(url).unwrap();
    }
    let built = |id: &str, secret: &str| {
        let secret = Secret::from(secret);
        ClientCredentials::builder("https://id.example/token", id, secret).build()
    };
    assert_eq!(built("", "x").unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(built("x", "").unwrap_err().kind(), ErrorKind::Config);
}

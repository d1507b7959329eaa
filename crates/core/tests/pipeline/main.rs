//! The life of a call, over a transport that answers from a script. Time is paused.
#![allow(clippy::unwrap_used, reason = "a test")]

mod any_status;
mod credentials;
mod observed;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use tokio::time::Instant;
use vouchsafe_core::auth::{Credentials, StaticToken};
use vouchsafe_core::call::{Budget, Call, CallOptions, Fault, Operation, Repeat, Retry, Timeouts};
use vouchsafe_core::transport::{Request, Response, Transport};
use vouchsafe_core::url::{BaseUrl, Target};
use vouchsafe_core::{
    BoxFuture, CoreClient, CoreClientBuilder, Error, ErrorKind, Result, Secret, Sent, TimeoutScope,
};

static READ: Operation = Operation::new("test.read", Method::GET, "/read").repeat(Repeat::Safe);
static WRITE: Operation = Operation::new("test.write", Method::POST, "/write");
static HIDDEN: Operation =
    Operation::new("test.hidden", Method::GET, "/token/{token}").sensitive_path();

/// What the double does with one request.
enum Then {
    Answer(Response),
    Fail(Error),
    Hang,
    /// Is suspended for a minute, and finds the answer when it continues.
    Suspended(Response),
}

/// Answers as told, then 200; keeps what it was asked.
#[derive(Default)]
struct Told {
    script: Mutex<VecDeque<Then>>,
    seen: Mutex<Vec<Request>>,
}

impl Told {
    fn new(script: impl IntoIterator<Item = Then>) -> Arc<Self> {
        Arc::new(Self {
            script: Mutex::new(script.into_iter().collect()),
            ..Self::default()
        })
    }

    fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    fn body(&self, index: usize) -> Bytes {
        self.seen.lock().unwrap()[index].body.clone()
    }

    fn header(&self, index: usize, name: HeaderName) -> String {
        self.seen.lock().unwrap()[index].headers[name]
            .to_str()
            .unwrap()
            .to_owned()
    }
}

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Told")
    }
}

impl Transport for Told {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        self.seen.lock().unwrap().push(request);
        let then = self.script.lock().unwrap().pop_front();
        Box::pin(async move {
            match then {
                Some(Then::Answer(response)) => Ok(response),
                Some(Then::Fail(error)) => Err(error),
                Some(Then::Hang) => std::future::pending().await,
                Some(Then::Suspended(response)) => {
                    tokio::time::advance(Duration::from_secs(60)).await;
                    for _ in 0..3 {
                        tokio::task::yield_now().await;
                    }
                    Ok(response)
                }
                None => Ok(body("{}")),
            }
        })
    }
}

fn status(code: u16) -> Then {
    Then::Answer(Response::new(StatusCode::from_u16(code).unwrap()))
}

fn busy(retry_after: &'static str) -> Then {
    let mut response = Response::new(StatusCode::SERVICE_UNAVAILABLE);
    response
        .headers
        .insert(RETRY_AFTER, HeaderValue::from_static(retry_after));
    Then::Answer(response)
}

fn body(text: &'static str) -> Response {
    let mut response = Response::new(StatusCode::OK);
    response.body = Bytes::from_static(text.as_bytes());
    response
}

fn broke(sent: Sent) -> Then {
    Then::Fail(
        Error::new(ErrorKind::Transport, "broke")
            .with_sent(sent)
            .with_retryable(true),
    )
}

fn base() -> BaseUrl {
    "https://service.example/base".parse().unwrap()
}

fn builder(told: &Arc<Told>) -> CoreClientBuilder {
    CoreClient::builder()
        .transport(Arc::clone(told) as Arc<dyn Transport>)
        .jitter_seed(7)
}

async fn read(told: &Arc<Told>) -> Result<()> {
    send(&builder(told).build().unwrap(), &READ).await
}

async fn send(client: &CoreClient, operation: &'static Operation) -> Result<()> {
    let call = Call::new(operation, Target::new(operation.path()));
    client
        .send(&base(), call, None, &CallOptions::new())
        .await
        .map(|_| ())
}

#[tokio::test(start_paused = true)]
async fn a_transient_failure_of_a_safe_operation_is_survived() {
    let told = Told::new([status(503), broke(Sent::Maybe)]);
    read(&told).await.unwrap();
    assert_eq!(told.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_plain_header_is_sent_and_shown_and_refused_if_it_does_not_fit() {
    const NAME: HeaderName = HeaderName::from_static("x-tenant");
    let mut refusal = Response::new(StatusCode::NOT_FOUND);
    refusal.body = Bytes::from_static(b"no tenant a-tenant-of-ours");
    let told = Told::new([Then::Answer(refusal)]);
    let client = builder(&told).build().unwrap();
    let sent = |value: &str| {
        let options = CallOptions::new().plain_header(NAME, value);
        let call = Call::new(&READ, Target::new("/read"));
        let client = client.clone();
        async move { client.send(&base(), call, None, &options).await }
    };
    let error = sent("a-tenant-of-ours").await.unwrap_err();
    assert_eq!(told.header(0, NAME), "a-tenant-of-ours");
    // Not taken for a secret.
    assert_eq!(error.body().unwrap(), "no tenant a-tenant-of-ours");
    let error = sent("a\nb").await.unwrap_err();
    assert_eq!((error.kind(), told.count()), (ErrorKind::Invalid, 1));
    assert!(error.message().contains("x-tenant"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_outage_ends_in_an_error_that_says_how_often_it_was_tried() {
    let told = Told::new([status(502), status(502), status(502)]);
    let error = read(&told).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Status, 3));
    let (what, attempts) = (
        "test.read at service.example:443: Bad Gateway (HTTP 502)",
        3,
    );
    let took = error.elapsed().as_millis();
    assert_eq!(
        error.to_string(),
        format!("{what}, {attempts} attempts in {took} ms")
    );
    assert_eq!(error.url(), Some("https://service.example/base/read"));
    assert!(error.is_retryable());
}

#[tokio::test(start_paused = true)]
async fn what_must_not_be_doubled_is_sent_again_only_if_it_was_not_sent() {
    for (then, requests) in [
        (broke(Sent::Maybe), 1),
        (status(500), 1),
        (broke(Sent::No), 2),
    ] {
        let told = Told::new([then]);
        let ended = send(&builder(&told).build().unwrap(), &WRITE).await;
        assert_eq!((ended.is_ok(), told.count()), (requests == 2, requests));
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_attempt_sent_stays_sent() {
    let told = Told::new([broke(Sent::Maybe), broke(Sent::No), broke(Sent::No)]);
    let error = read(&told).await.unwrap_err();
    assert_eq!((error.attempts(), error.sent()), (3, Sent::Maybe));
    let told = Told::new([broke(Sent::No), broke(Sent::No), broke(Sent::No)]);
    assert_eq!(read(&told).await.unwrap_err().sent(), Sent::No);
}

#[tokio::test(start_paused = true)]
async fn an_earlier_attempt_is_lost_only_if_it_may_have_been_carried_out() {
    type Make = fn() -> Then;
    let cases: [(&str, Make, bool); 4] = [
        ("unsent", || broke(Sent::No), false),
        ("sent", || broke(Sent::Maybe), true),
        ("503", || status(503), true),
        ("429", || status(429), true),
    ];
    for (what, earlier, is_lost) in cases {
        let client = builder(&Told::new([earlier()])).build().unwrap();
        let call = Call::new(&READ, Target::new(READ.path()));
        let answer = client.send(&base(), call, None, &CallOptions::new()).await;
        assert_eq!(answer.unwrap().has_lost_attempt(), is_lost, "{what}");
        let error = read(&Told::new([earlier(), status(404)])).await;
        let error = error.unwrap_err();
        let known = (error.attempts(), error.has_lost_attempt());
        assert_eq!(known, (2, is_lost), "{what}");
    }
    // The last one is not an earlier one.
    for last in [broke(Sent::Maybe), status(503)] {
        let told = Told::new([broke(Sent::No), broke(Sent::No), last]);
        assert!(!read(&told).await.unwrap_err().has_lost_attempt());
    }
}

#[tokio::test(start_paused = true)]
async fn a_definite_refusal_is_final() {
    let told = Told::new([status(404)]);
    let error = read(&told).await.unwrap_err();
    assert_eq!((error.kind(), told.count()), (ErrorKind::NotFound, 1));
}

#[tokio::test(start_paused = true)]
async fn the_server_decides_how_long_to_wait() {
    let told = Told::new([busy("4")]);
    let started = Instant::now();
    read(&told).await.unwrap();
    let waited = started.elapsed();
    assert!(
        Duration::from_secs(4) <= waited && waited <= Duration::from_millis(4500),
        "{waited:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_the_deadline_is_not_begun() {
    let told = Told::new([busy("60")]);
    let started = Instant::now();
    let error = read(&told).await.unwrap_err();
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(60)));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_without_an_answer_ends_and_is_tried_again() {
    let told = Told::new([Then::Hang]);
    let started = Instant::now();
    read(&told).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(5));
    assert_eq!(told.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_bounds_everything() {
    let told = Told::new([Then::Hang, Then::Hang, Then::Hang]);
    let timeouts = Timeouts::default().call(Duration::from_secs(8));
    let client = builder(&told).timeouts(timeouts).build().unwrap();
    let started = Instant::now();
    let error = send(&client, &READ).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutScope::Call));
    assert!(error.is_timeout());
    assert_eq!(started.elapsed().as_secs(), 8);
}

#[tokio::test(start_paused = true)]
async fn one_call_may_differ_from_its_client() {
    let told = Told::new([Then::Hang, Then::Hang]);
    let client = builder(&told).build().unwrap();
    let options = CallOptions::new()
        .deadline(Duration::from_secs(1))
        .retry(Retry::none())
        .request_id("r-1");
    let started = Instant::now();
    let call = Call::new(&READ, Target::new("/read"));
    let error = client
        .send(&base(), call, None, &options)
        .await
        .unwrap_err();
    assert_eq!((started.elapsed().as_secs(), told.count()), (1, 1));
    assert_eq!(error.request_id(), Some("r-1"));
    assert_eq!(
        told.header(0, HeaderName::from_static("x-request-id")),
        "r-1"
    );
}

#[tokio::test(start_paused = true)]
async fn an_empty_budget_lets_calls_through_and_retries_not() {
    let told = Told::new((0..8).map(|_| status(503)));
    let budget = Budget::new(20);
    let client = builder(&told).budget(budget.clone()).build().unwrap();
    assert_eq!(send(&client, &READ).await.unwrap_err().attempts(), 3);
    assert_eq!(budget.left(), 0);
    assert_eq!(send(&client, &READ).await.unwrap_err().attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_success_gives_a_little_of_the_budget_back() {
    let told = Told::new([status(503)]);
    let budget = Budget::new(20);
    let client = builder(&told).budget(budget.clone()).build().unwrap();
    send(&client, &READ).await.unwrap();
    assert_eq!(budget.left(), 11);
    send(&client, &READ).await.unwrap();
    assert_eq!(budget.left(), 12);
}

#[tokio::test(start_paused = true)]
async fn a_status_that_is_an_answer_ends_the_call_without_an_error() {
    static CACHED: Operation = Operation::new("test.cached", Method::GET, "/c").answers(&[304]);
    let told = Told::new([status(304), status(304)]);
    let client = builder(&told).build().unwrap();
    let call = |operation| Call::new(operation, Target::new("/c"));
    let answer = client
        .send(&base(), call(&CACHED), None, &CallOptions::new())
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_MODIFIED);
    let error = client
        .send(&base(), call(&READ), None, &CallOptions::new())
        .await
        .unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::NOT_MODIFIED));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_text_is_refused_without_repeating_it() {
    let mut broken = Response::new(StatusCode::OK);
    broken.body = Bytes::from_static(b"planted \xff");
    let told = Told::new([Then::Answer(body("1:é")), Then::Answer(broken)]);
    let client = builder(&told).build().unwrap();
    let read = async || {
        let call = Call::new(&READ, Target::new("/read"));
        client
            .send(&base(), call, None, &CallOptions::new())
            .await
            .unwrap()
    };
    assert_eq!(read().await.text().unwrap(), "1:é");
    let answer = read().await;
    let error = answer.text().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(
        error.to_string(),
        "test.read at service.example:443: the answer is not UTF-8 (HTTP 200)"
    );
    assert!(!format!("{error:?}").contains("planted"));
}

#[tokio::test(start_paused = true)]
async fn a_path_with_a_secret_is_shown_as_its_template() {
    let told = Told::new([status(404)]);
    let client = builder(&told).build().unwrap();
    let target = Target::new("/token/").segment("token", "planted").unwrap();
    let call = Call::new(&HIDDEN, target);
    let error = client
        .send(&base(), call, None, &CallOptions::new())
        .await
        .unwrap_err();
    assert_eq!(error.url(), Some("https://service.example/token/{token}"));
    assert!(!format!("{error:?}").contains("planted"));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_carries_the_services_code_message_and_body() {
    let mut response = Response::new(StatusCode::FORBIDDEN);
    response.body = Bytes::from_static(b"scope missing");
    let told = Told::new([Then::Answer(response)]);
    let client = builder(&told)
        .read_fault(|response| {
            let message = String::from_utf8_lossy(&response.body).into_owned();
            Fault::new(Some("permission_denied".to_owned()), Some(message))
        })
        .build()
        .unwrap();
    let error = send(&client, &READ).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "test.read at service.example:443: scope missing (HTTP 403, permission_denied)"
    );
    assert_eq!(error.body().unwrap(), "scope missing");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_quotes_the_token_is_not_repeated() {
    let mut response = Response::new(StatusCode::UNAUTHORIZED);
    response.body = Bytes::from_static(b"no such token: planted-token");
    let id = HeaderValue::from_static("id of planted-token");
    response.headers.insert("x-request-id", id);
    let told = Told::new([Then::Answer(response)]);
    let client = builder(&told)
        .read_fault(|response| {
            let text = String::from_utf8_lossy(&response.body).into_owned();
            Fault::new(Some(text.clone()), Some(text))
        })
        .build()
        .unwrap();
    let source = StaticToken::new(Secret::from("planted-token"));
    let call = Call::new(&READ, Target::new("/read"));
    let credentials = Some(Credentials::bearer(&source));
    let error = client
        .send(&base(), call, credentials, &CallOptions::new())
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "test.read at service.example:443: no such token: [secret] (HTTP 401, no such token: \
         [secret])"
    );
    assert_eq!(error.request_id(), Some("id of [secret]"));
    assert_eq!(error.body().unwrap(), "no such token: [secret]");
    assert!(!format!("{error:?}").contains("planted"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_the_wrong_form_names_the_place_and_not_the_value() {
    #[derive(serde::Deserialize)]
    struct Outer {
        _a: Inner,
    }
    #[derive(serde::Deserialize)]
    struct Inner {
        _b: u8,
    }
    for (text, message) in [
        (
            r#"{"_a":{"_b":"planted"}}"#,
            "the answer does not have the expected form at _a._b",
        ),
        ("planted", "the answer is not JSON"),
        ("", "the answer ends too early"),
        (r#"{"_a":{"_b":1}} planted"#, "the answer is not JSON"),
    ] {
        let told = Told::new([Then::Answer(body(text))]);
        let client = builder(&told).build().unwrap();
        let call = Call::new(&READ, Target::new("/read"));
        let answer = client
            .send(&base(), call, None, &CallOptions::new())
            .await
            .unwrap();
        let error = answer.json::<Outer>().map(|_| ()).unwrap_err();
        assert_eq!(
            (error.kind(), error.message()),
            (ErrorKind::Decode, message)
        );
        assert!(!format!("{error} {error:?}").contains("planted"));
        assert_eq!(error.body(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn requests_beyond_the_bound_wait_for_their_turn() {
    let told = Told::new([Then::Hang]);
    let client = builder(&told)
        .max_in_flight(1)
        .retry(Retry::none())
        .build()
        .unwrap();
    let (first, second) = tokio::join!(send(&client, &READ), send(&client, &READ));
    assert!(first.unwrap_err().is_timeout());
    second.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_gives_its_permit_back() {
    let told = Told::new([Then::Hang]);
    let client = builder(&told).max_in_flight(1).build().unwrap();
    let dropped = tokio::time::timeout(Duration::from_secs(1), send(&client, &READ)).await;
    assert!(dropped.is_err());
    send(&client, &READ).await.unwrap();
}

#[test]
fn the_future_of_a_call_can_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    let client = builder(&Told::new([])).build().unwrap();
    is_send(&send(&client, &READ));
}

#[tokio::test(start_paused = true)]
async fn limits_of_for_ever_and_of_nothing_are_taken_at_their_word() {
    let told = Told::new([status(503)]);
    let limits = Timeouts::default()
        .attempt(Duration::MAX)
        .call(Duration::MAX);
    let client = builder(&told).timeouts(limits).build().unwrap();
    send(&client, &READ).await.unwrap();

    let told = Told::new([Then::Hang]);
    let limits = Timeouts::default().call(Duration::ZERO);
    let client = builder(&told).timeouts(limits).build().unwrap();
    let error = send(&client, &READ).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutScope::Call));
}

#[tokio::test(start_paused = true)]
async fn time_limits_in_messages_are_round_numbers() {
    let told = Told::new([Then::Hang, Then::Hang, Then::Hang]);
    let text = read(&told).await.unwrap_err().to_string();
    let start = "test.read at service.example:443: no answer within ";
    assert!(text.starts_with(start), "{text}");
    assert!(text.ends_with(" s, 3 attempts in 15 s"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_arrived_while_the_process_was_suspended_is_not_dropped() {
    let told = Told::new([Then::Suspended(body("{}"))]);
    let client = builder(&told).build().unwrap();
    send(&client, &WRITE).await.unwrap();
    assert_eq!(told.count(), 1);
    // What may be asked again has its limit.
    let told = Told::new([Then::Suspended(body("{}"))]);
    let error = read(&told).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Timeout(_)), "{error}");
}

//! The mock's own promises: each fault, asked in process with paused time and over TCP, ends in
//! the same error.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::header::{DATE, HOST};
use http::{Method, StatusCode, Uri};
use tokio::time::Instant;
use vouchsafe_core::auth::{Credentials, StaticToken};
use vouchsafe_core::call::{Answer, Call, CallOptions, Operation, Repeat, Timeouts};
use vouchsafe_core::mock::route::{Found, Route, find};
use vouchsafe_core::mock::{CertificateAuthority, Fault, Handler, Host, ManualClock, digest};
use vouchsafe_core::transport::{HttpTransport, Request, Response, Transport};
use vouchsafe_core::url::Target;
use vouchsafe_core::{ConnectPhase, CoreClient, ErrorKind, Result, Secret, Sent, TimeoutScope};

static READ: Operation = Operation::new("test.read", Method::GET, "/read").repeat(Repeat::Safe);
static WRITE: Operation = Operation::new("test.write", Method::POST, "/write");
static ROUTES: &[Route<()>] = &[
    Route {
        op: (),
        operation: &READ,
        path: "/read",
    },
    Route {
        op: (),
        operation: &WRITE,
        path: "/write",
    },
];

/// Reads 64 bytes; tells a write what it looked like.
#[derive(Debug)]
struct Echo;

impl Handler for Echo {
    fn handle(&self, request: &Request) -> Response {
        if self.operation(&request.method, &request.uri).is_none() {
            return Response::new(StatusCode::NOT_FOUND);
        }
        let mut response = Response::new(StatusCode::OK);
        if request.method == Method::GET {
            response.body = serde_json::json!("x".repeat(62)).to_string().into();
            return response;
        }
        let host = request.headers[HOST].to_str().unwrap();
        let uri = &request.uri;
        let length = request.headers.get("content-length");
        let length = length.map(|length| length.to_str().unwrap());
        response.body = serde_json::json!({
            "host": host,
            "same": uri.authority().unwrap().as_str() == host,
            "path": uri.path(),
            "length": length,
        })
        .to_string()
        .into();
        response
    }

    fn operation(&self, method: &Method, uri: &Uri) -> Option<&'static str> {
        match find(ROUTES, method, uri.path()) {
            Found::Route { operation, .. } => Some(operation.id()),
            _ => None,
        }
    }
}

fn host() -> Host {
    Host::builder(Arc::new(Echo))
        .clock(Arc::new(ManualClock::at_unix(1_700_000_000)))
        .build()
}

fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// A client of a host, whichever way it is reached.
struct Way {
    client: CoreClient,
    base: String,
}

impl Way {
    fn in_process(host: &Host) -> Self {
        Self::over(host.transport(), "http://127.0.0.1:1".to_owned())
    }

    fn over(transport: Arc<dyn Transport>, base: String) -> Self {
        let timeouts = Timeouts::default().attempt(Duration::from_millis(400));
        let client = CoreClient::builder()
            .transport(transport)
            .timeouts(timeouts)
            .jitter_seed(1)
            .build()
            .unwrap();
        Self { client, base }
    }

    fn tcp(base: String) -> Self {
        let transport = HttpTransport::builder().build().unwrap();
        Self::over(Arc::new(transport), base)
    }

    fn tls(base: &str, authority: &CertificateAuthority) -> Self {
        let transport = HttpTransport::builder()
            .add_root_pem(authority.pem().as_bytes())
            .unwrap()
            .only_roots()
            .build()
            .unwrap();
        Self::over(Arc::new(transport), base.to_owned())
    }

    async fn send(&self, operation: &'static Operation) -> Result<Answer> {
        let call = Call::new(operation, Target::new(operation.path()));
        let call = match operation.method() {
            &Method::POST => call.json("x")?,
            _ => call,
        };
        let source = StaticToken::new(Secret::from("planted"));
        let credentials = Some(Credentials::bearer(&source));
        let base = self.base.parse()?;
        self.client
            .send(&base, call, credentials, &CallOptions::new())
            .await
    }
}

#[tokio::test(start_paused = true)]
async fn in_process_a_call_reaches_the_handler_and_the_journal() {
    let host = host();
    reaches(&host, &Way::in_process(&host)).await;
}

#[tokio::test]
async fn over_tcp_a_call_reaches_the_handler_and_the_journal() {
    let host = host();
    let serving = host.serve(loopback()).await.unwrap();
    assert!(serving.url().starts_with("http://127.0.0.1:"));
    reaches(&host, &Way::tcp(serving.url())).await;
}

async fn reaches(host: &Host, way: &Way) {
    let answer = way.send(&WRITE).await.unwrap();
    let body: serde_json::Value = answer.json().unwrap();
    let authority = way.base.strip_prefix("http://").unwrap();
    let expected =
        serde_json::json!({"host": authority, "same": true, "path": "/write", "length": "3"});
    assert_eq!(body, expected);
    assert_eq!(answer.headers()[DATE], "Tue, 14 Nov 2023 22:13:20 GMT");
    let entry = host.journal().last("test.write").unwrap();
    assert_eq!(
        (entry.method.as_str(), entry.path.as_str()),
        ("POST", "/write")
    );
    assert_eq!(entry.status, Some(200));
    assert_eq!(entry.credential, Some(digest("planted")));
    host.journal().assert_no_surprises();
}

/// What a fault comes to: the bytes of the answer or an error, and how many requests it took.
#[derive(Debug, PartialEq)]
struct Outcome {
    result: std::result::Result<usize, (ErrorKind, String, Option<u16>)>,
    requests: u64,
}

/// A fault, what it comes to, and how long that takes at least.
fn faults() -> Vec<(Fault, Outcome, Duration)> {
    use ErrorKind::{Credential, Decode, Status, Timeout, TooLarge, Transport};

    let ms = Duration::from_millis;
    let on = || Fault::on("test.read");
    let bytes = |bytes, requests| Outcome {
        result: Ok(bytes),
        requests,
    };
    let ok = |requests| bytes(64, requests);
    let fails = |kind, message: &str, status, requests| Outcome {
        result: Err((kind, message.to_owned(), status)),
        requests,
    };
    let broke = "the connection broke before the answer";
    let broke_within = "the connection broke within the answer's body";
    let large = "the answer is larger than the 1048576 bytes allowed";
    vec![
        (
            on().status(502),
            fails(Status, "Bad Gateway", Some(502), 3),
            ms(0),
        ),
        (
            on().status(404),
            fails(ErrorKind::NotFound, "Not Found", Some(404), 1),
            ms(0),
        ),
        (
            on().times(1).status(401),
            fails(Credential, "Unauthorized", Some(401), 1),
            ms(0),
        ),
        (on().nth(1).status(503), ok(2), ms(0)),
        (on().times(1).retry_after(ms(1000)), ok(2), ms(1000)),
        (on().delay(ms(150)), ok(1), ms(150)),
        (on().times(1).delay(ms(500)), ok(2), ms(400)),
        (
            on().no_answer(),
            fails(
                Timeout(TimeoutScope::Attempt),
                "no answer within 400 ms",
                None,
                3,
            ),
            ms(1200),
        ),
        (on().times(1).no_answer(), ok(2), ms(400)),
        (
            on().reset_before_head(),
            fails(Transport, broke, None, 3),
            ms(0),
        ),
        (
            on().reset_in_head(),
            fails(Transport, broke, None, 3),
            ms(0),
        ),
        (
            on().reset_after_head(),
            fails(Transport, broke_within, Some(200), 3),
            ms(0),
        ),
        (
            on().cut_body(),
            fails(Transport, broke_within, Some(200), 3),
            ms(0),
        ),
        (on().times(1).cut_body(), ok(2), ms(0)),
        (on().drip(20, ms(30)), ok(1), ms(90)),
        (
            on().drip(1, ms(100)),
            fails(
                Timeout(TimeoutScope::Attempt),
                "no answer within 400 ms",
                None,
                3,
            ),
            ms(1200),
        ),
        (
            on().wrong_length(5),
            fails(Decode, "the answer ends too early", Some(200), 1),
            ms(0),
        ),
        (
            on().wrong_length(9999),
            fails(Transport, broke_within, Some(200), 3),
            ms(0),
        ),
        (
            on().wrong_length(2 << 20),
            fails(TooLarge, large, Some(200), 1),
            ms(0),
        ),
        (
            on().not_http(),
            fails(Transport, "the answer is not HTTP/1.1", None, 1),
            ms(0),
        ),
        (
            on().garbage(),
            fails(Decode, "the answer is not JSON", Some(200), 1),
            ms(0),
        ),
        (
            on().huge_body(2 << 20),
            fails(TooLarge, large, Some(200), 1),
            ms(0),
        ),
        (on().huge_body(1 << 20), bytes(1 << 20, 1), ms(0)),
        (on().close_when_idle(), ok(1), ms(0)),
        (on().skewed_date(-60), ok(1), ms(0)),
        (Fault::on("test.write").no_answer(), ok(1), ms(0)),
    ]
}

/// Reads once and says what came of it.
async fn outcome(host: &Host, way: &Way) -> (Outcome, Duration) {
    let started = Instant::now();
    let result = way.send(&READ).await.and_then(|answer| {
        if answer.body().len() < 1 << 20 {
            answer.json::<serde_json::Value>()?;
        }
        Ok(answer.body().len())
    });
    let requests = host.journal().count("test.read");
    let result = result.map_err(|error| {
        assert_eq!(error.attempts().max(1), requests as u32, "{error:?}");
        assert_eq!(error.sent(), Sent::Maybe, "{error:?}");
        (
            error.kind(),
            error.message().to_owned(),
            error.status().map(|s| s.as_u16()),
        )
    });
    (Outcome { result, requests }, started.elapsed())
}

/// Makes every fault and returns how much longer than it should the worst one took.
async fn make_each(host: &Host, way: impl Fn() -> Way) -> Duration {
    let mut worst = Duration::ZERO;
    for (fault, expected, at_least) in faults() {
        host.reset();
        host.faults().add(fault.clone());
        let (found, elapsed) = outcome(host, &way()).await;
        assert_eq!(found, expected, "{fault:?}");
        assert!(at_least <= elapsed, "{elapsed:?} for {fault:?}");
        worst = worst.max(elapsed - at_least);
    }
    worst
}

#[tokio::test(start_paused = true)]
async fn each_fault_has_its_effect_in_process() {
    let host = host();
    let worst = make_each(&host, || Way::in_process(&host)).await;
    // Waits between attempts are below 50 and 100 ms; `Retry-After` grows by a tenth at most.
    assert!(worst <= Duration::from_millis(155), "{worst:?}");
}

#[tokio::test]
async fn each_fault_has_its_effect_over_tcp() {
    let host = host();
    let serving = host.serve(loopback()).await.unwrap();
    make_each(&host, || Way::tcp(serving.url())).await;
}

#[tokio::test]
async fn each_fault_has_its_effect_over_tls() {
    let host = host();
    let authority = CertificateAuthority::new().unwrap();
    let serving = host.serve_tls(loopback(), &authority).await.unwrap();
    make_each(&host, || Way::tls(&serving.url(), &authority)).await;
}

#[tokio::test]
async fn a_connection_closed_when_idle_is_replaced() {
    let host = host();
    let serving = host.serve(loopback()).await.unwrap();
    let way = Way::tcp(serving.url());
    host.faults().add(Fault::on("test.read").close_when_idle());
    for _ in 0..20 {
        way.send(&READ).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_skewed_date_is_beside_the_hosts_clock() {
    let host = host();
    host.faults().add(Fault::on_any().skewed_date(-20));
    let answer = Way::in_process(&host).send(&READ).await.unwrap();
    assert_eq!(answer.headers()[DATE], "Tue, 14 Nov 2023 22:13:00 GMT");
}

#[tokio::test(start_paused = true)]
async fn a_fault_with_its_own_answer_keeps_the_request_from_the_service() {
    let host = host();
    host.faults()
        .add(Fault::on_any().nth(1).status(418).body("tea"));
    let way = Way::in_process(&host);
    let error = way.send(&READ).await.unwrap_err();
    assert_eq!(error.body().unwrap(), "tea");
    assert_eq!(host.journal().entries()[0].fault, Some("answer"));
}

#[tokio::test]
async fn a_server_that_is_dropped_ends_its_connections() {
    let host = host();
    let serving = host.serve(loopback()).await.unwrap();
    let way = Way::tcp(serving.url());
    way.send(&READ).await.unwrap();
    drop(serving);
    let error = way.send(&READ).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect(ConnectPhase::Tcp));
}

/// A client that starts a body and never ends it cannot hold a connection forever.
#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_answered_408() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let host = host();
    let serving = host.serve(loopback()).await.unwrap();
    let mut tcp = tokio::net::TcpStream::connect(serving.address())
        .await
        .unwrap();
    let head = "PUT /write HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nhalf";
    tcp.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    tcp.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
    assert!(host.journal().is_empty());
}

//! What servers do wrong, and what comes of it: kind, attempts and time, in process and over
//! sockets, by HTTP/1.1 and by HTTP/2, and never a secret in an error or in a log.
#![allow(clippy::future_not_send, clippy::unwrap_used, reason = "a test")]

#[path = "../../../tests/support/log.rs"]
mod log;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{Method, Uri};
use serde_json::{Value, json};
use tokio::time::Instant;
use vouchsafe_core::auth::{Credentials, FnToken, StaticToken, TokenSource};
use vouchsafe_core::call::{Call, CallOptions, Fault as ServiceFault, Operation, Repeat, Timeouts};
use vouchsafe_core::mock::{CertificateAuthority, Fault, Handler, Host, ManualClock, respond};
use vouchsafe_core::transport::{
    HttpTransport, HttpTransportBuilder, Request, Resolve, Response, Transport,
};
use vouchsafe_core::url::Target;
use vouchsafe_core::{
    BoxFuture, Clock, ConnectPhase, CoreClient, Error, ErrorKind, Result, Secret, Sent,
    SystemClock, TimeoutScope,
};

use log::Log;

/// In the credential, in the answer, in the query and in a path.
const PLANTED: &str = "planted-3c1f9a";

static READ: Operation = Operation::new("test.read", Method::GET, "/token/{token}")
    .repeat(Repeat::Safe)
    .sensitive_path();

/// Answers with 64 bytes, a secret among them, and turns its clock and the client's by a day.
#[derive(Debug)]
struct Telling(Option<Arc<ManualClock>>);

impl Handler for Telling {
    fn handle(&self, _: &Request) -> Response {
        if let Some(clock) = &self.0 {
            clock.advance(Duration::from_secs(24 * 60 * 60));
        }
        let fill = "x".repeat(64 - PLANTED.len() - r#"{"token":"","more":""}"#.len());
        respond::json(200, &json!({"token": PLANTED, "more": fill}))
    }

    fn operation(&self, _: &Method, _: &Uri) -> Option<&'static str> {
        Some("test.read")
    }
}

/// A fault and what comes of it.
struct Row {
    fault: Fault,
    /// The size of the answer, or the error with its status.
    ends: std::result::Result<usize, (ErrorKind, &'static str, Option<u16>)>,
    requests: u64,
    /// How long it takes, besides the waits between attempts.
    takes: Duration,
    /// One after another, of which the last one is judged.
    calls: usize,
}

const ATTEMPT: Duration = Duration::from_millis(400);

/// What is spoken, as far as it makes a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Http1,
    /// Over a socket file, which knows no resets.
    Http1OnFile,
    #[cfg(feature = "http2")]
    Http2,
}

impl By {
    fn is_http1(self) -> bool {
        matches!(self, Self::Http1 | Self::Http1OnFile)
    }
}

#[rustfmt::skip]
fn rows(by: By) -> Vec<Row> {
    use ErrorKind::{Credential, Decode, NotFound, Status, Timeout, TooLarge, Transport};

    /// What is left of a refusal in the server's words.
    const HIDDEN: &str = "[secret]";
    const BROKE: &str = "the connection broke before the answer";
    const CLOSED: &str = "the connection closed without an answer";
    const BROKE_WITHIN: &str = "the connection broke within the answer's body";
    const LARGE: &str = "the answer is larger than the 1048576 bytes allowed";
    const LATE: (ErrorKind, &str, Option<u16>) =
        (Timeout(TimeoutScope::Attempt), "no answer within 400 ms", None);

    let ms = Duration::from_millis;
    let on = || Fault::on("test.read");
    let reset = if by == By::Http1OnFile { CLOSED } else { BROKE };
    let gone = if by.is_http1() { CLOSED } else { BROKE };
    // By HTTP/2, the length that is declared and that of the frames must agree.
    let too_short = match by.is_http1() {
        true => (Decode, "the answer ends too early", Some(200)),
        false => (Transport, BROKE_WITHIN, Some(200)),
    };
    let not_http = if by.is_http1() { "the answer is not HTTP/1.1" } else { "the answer is not HTTP/2" };
    let row = |fault, ends, requests, takes| Row { fault, ends, requests, takes: ms(takes), calls: 1 };
    vec![
        row(on().status(502).body(PLANTED), Err((Status, HIDDEN, Some(502))), 3, 0),
        row(on().status(404).body(PLANTED), Err((NotFound, HIDDEN, Some(404))), 1, 0),
        row(on().status(401).body(PLANTED), Err((Credential, HIDDEN, Some(401))), 1, 0),
        row(on().nth(1).status(503), Ok(64), 2, 0),
        row(on().times(1).retry_after(ms(1000)), Ok(64), 2, 1000),
        row(on().retry_after(ms(60_000)), Err((Status, "Service Unavailable", Some(503))), 1, 0),
        row(on().delay(ms(150)), Ok(64), 1, 150),
        row(on().times(1).delay(ms(500)), Ok(64), 2, 400),
        row(on().no_answer(), Err(LATE), 3, 1200),
        row(on().times(1).no_answer(), Ok(64), 2, 400),
        row(on().reset_before_head(), Err((Transport, reset, None)), 3, 0),
        row(on().reset_in_head(), Err((Transport, reset, None)), 3, 0),
        row(on().reset_after_head(), Err((Transport, BROKE_WITHIN, Some(200))), 3, 0),
        row(on().cut_body(), Err((Transport, BROKE_WITHIN, Some(200))), 3, 0),
        row(on().times(1).cut_body(), Ok(64), 2, 0),
        row(on().drip(20, ms(30)), Ok(64), 1, 120),
        row(on().drip(1, ms(100)), Err(LATE), 3, 1200),
        row(on().wrong_length(5), Err(too_short), if by.is_http1() { 1 } else { 3 }, 0),
        row(on().wrong_length(9999), Err((Transport, BROKE_WITHIN, Some(200))), 3, 0),
        row(on().wrong_length(2 << 20), Err((TooLarge, LARGE, Some(200))), 1, 0),
        row(on().not_http(), Err((Transport, not_http, None)), 1, 0),
        row(on().garbage(), Err((Decode, "the answer is not JSON", Some(200))), 1, 0),
        row(
            on().body(&b"{\"token\": \"planted-3c1f9a\xff\"}"[..]),
            Err((Decode, "the answer is not JSON at token", Some(200))), 1, 0,
        ),
        row(on().huge_body(2 << 20), Err((TooLarge, LARGE, Some(200))), 1, 0),
        row(on().huge_body(1 << 20), Ok(1 << 20), 1, 0),
        // The second call does not meet what the first one left.
        Row { calls: 2, ..row(on().close_when_idle(), Ok(64), 2, 0) },
        row(on().refuse_stream(), Err((Transport, reset, None)), 3, 0),
        row(on().times(1).refuse_stream(), Ok(64), 2, 0),
        row(on().reset_stream(2), Err((Transport, reset, None)), 3, 0),
        row(on().go_away(0), Err((Transport, gone, None)), 3, 0),
        row(on().times(1).go_away(11), Ok(64), 2, 0),
        row(on().skewed_date(-60), Ok(64), 1, 0),
        row(on().skewed_date(100_000), Ok(64), 1, 0),
        row(Fault::on("test.write").no_answer(), Ok(64), 1, 0),
    ]
}

fn call() -> Call {
    let target = Target::new("/token/").segment("token", PLANTED).unwrap();
    Call::new(&READ, target.query("password", PLANTED))
}

async fn send(client: &CoreClient, base: &str, source: &dyn TokenSource) -> Result<usize> {
    let base = base.parse()?;
    let credentials = Some(Credentials::bearer(source));
    let answer = client
        .send(&base, call(), credentials, &CallOptions::new())
        .await?;
    assert_hides(&format!("{answer:?} {answer:#?}"));
    if answer.body().len() < 1 << 20 {
        answer.json::<Value>()?;
    }
    Ok(answer.body().len())
}

fn assert_hides(text: &str) {
    for line in text.lines() {
        assert!(!line.contains("planted"), "{line}");
    }
}

/// Nothing about an error holds a secret: neither what it shows nor its causes.
fn assert_error_hides(error: &Error) {
    assert_hides(&format!("{error} {error:?} {error:#?}"));
    let body = error.body().map(|body| String::from_utf8_lossy(body));
    assert_hides(&format!("{:?} {body:?}", error.code()));
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        assert_hides(&format!("{inner} {inner:?}"));
        cause = inner.source();
    }
}

fn client(transport: Arc<dyn Transport>, attempt: Duration, clock: Arc<dyn Clock>) -> CoreClient {
    let timeouts = Timeouts::default().attempt(attempt);
    let client = CoreClient::builder().transport(transport).clock(clock);
    // Refusals say in their own words what was presented.
    let client = client.read_fault(|response| {
        let text = String::from_utf8_lossy(&response.body).into_owned();
        ServiceFault::new(
            Some(text.clone()),
            Some(text).filter(|text| !text.is_empty()),
        )
    });
    client.timeouts(timeouts).jitter_seed(1).build().unwrap()
}

/// Whether waits take time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Time {
    Paused,
    Real,
}

/// Meets every fault, each with a client of its own.
async fn meet_each(
    host: &Host,
    base: &str,
    (by, time): (By, Time),
    transport: impl Fn() -> Arc<dyn Transport>,
) {
    let log = Log::start();
    let source = StaticToken::new(Secret::from(PLANTED));
    for row in rows(by) {
        host.reset();
        host.faults().add(row.fault.clone());
        // A busy machine needs time; only what waits for the end of the limit has a short one.
        let waits = row.takes >= ATTEMPT && row.requests > 1;
        let attempt = match time {
            Time::Real if !waits => Duration::from_secs(60),
            _ => ATTEMPT,
        };
        let client = client(transport(), attempt, Arc::clone(host.clock()) as _);
        let started = Instant::now();
        for _ in 1..row.calls {
            send(&client, base, &source).await.unwrap();
        }
        let ended = send(&client, base, &source).await;
        let took = started.elapsed();
        let fault = &row.fault;
        assert_eq!(host.journal().count("test.read"), row.requests, "{fault:?}");
        if let Err(error) = &ended {
            assert_error_hides(error);
            let attempts = u64::from(error.attempts());
            assert_eq!(
                (attempts, error.sent()),
                (row.requests, Sent::Maybe),
                "{fault:?}"
            );
        }
        let ends = ended.map_err(|error| {
            let status = error.status().map(|status| status.as_u16());
            (error.kind(), error.message().to_owned(), status)
        });
        let expected = row
            .ends
            .map_err(|(kind, message, status)| (kind, message.to_owned(), status));
        assert_eq!(ends, expected, "{fault:?}");
        assert!(took >= row.takes, "{took:?} for {fault:?}");
        if time == Time::Paused {
            // Waits between attempts are below 50 and 100 ms; `Retry-After` grows by a tenth at most.
            let longest = row.takes + row.takes / 10 + Duration::from_millis(150);
            assert!(took <= longest, "{took:?} for {fault:?}");
        }
        if time == Time::Real {
            assert_hides(&format!("{client:?} {client:#?} {source:?}"));
        }
    }
    // What was searched for secrets is there.
    let log = log.text();
    for word in ["auth.call", "test.read", "attempt=3"] {
        assert!(log.contains(word), "{word} was not logged");
    }
    assert_hides(&log);
}

fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// Nothing listens there.
const HERE: &str = "http://127.0.0.1:1";

#[tokio::test(start_paused = true)]
async fn each_fault_has_its_end_in_process() {
    let host = Host::new(Arc::new(Telling(None)));
    let how = (By::Http1, Time::Paused);
    meet_each(&host, HERE, how, || host.transport()).await;
}

#[cfg(feature = "http2")]
#[tokio::test(start_paused = true)]
async fn each_fault_has_its_end_in_process_as_by_http2() {
    let host = Host::new(Arc::new(Telling(None)));
    let how = (By::Http2, Time::Paused);
    meet_each(&host, HERE, how, || host.transport_http2()).await;
}

#[tokio::test(start_paused = true)]
async fn each_fault_has_its_end_while_clocks_jump() {
    let clock = Arc::new(ManualClock::running());
    let host = Host::builder(Arc::new(Telling(Some(Arc::clone(&clock)))));
    let host = host.clock(clock).build();
    let how = (By::Http1, Time::Paused);
    meet_each(&host, HERE, how, || host.transport()).await;
}

fn network(builder: HttpTransportBuilder) -> Arc<dyn Transport> {
    Arc::new(builder.build().unwrap())
}

fn trusting(authority: &CertificateAuthority) -> HttpTransportBuilder {
    let network = HttpTransport::builder().add_root_pem(authority.pem().as_bytes());
    network.unwrap().only_roots()
}

#[tokio::test]
async fn each_fault_has_its_end_over_tcp() {
    let host = Host::new(Arc::new(Telling(None)));
    let serving = host.serve(loopback()).await.unwrap();
    let how = (By::Http1, Time::Real);
    let own = || network(HttpTransport::builder());
    meet_each(&host, &serving.url(), how, own).await;
}

#[tokio::test]
async fn each_fault_has_its_end_over_tls() {
    let host = Host::new(Arc::new(Telling(None)));
    let authority = CertificateAuthority::new().unwrap();
    let serving = host.serve_tls(loopback(), &authority).await.unwrap();
    let how = (By::Http1, Time::Real);
    let own = || network(trusting(&authority));
    meet_each(&host, &serving.url(), how, own).await;
}

#[cfg(unix)]
#[tokio::test]
async fn each_fault_has_its_end_over_a_socket_file() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::new(Arc::new(Telling(None)));
    let serving = host.serve_unix(folder.path().join("s")).await.unwrap();
    let how = (By::Http1OnFile, Time::Real);
    let own = || network(HttpTransport::builder());
    meet_each(&host, &serving.url(), how, own).await;
}

#[cfg(feature = "http2")]
#[tokio::test]
async fn each_fault_has_its_end_over_http2() {
    let host = Host::new(Arc::new(Telling(None)));
    let serving = host.serve(loopback()).await.unwrap();
    let how = (By::Http2, Time::Real);
    let own = || network(HttpTransport::builder().http2_prior_knowledge());
    meet_each(&host, &serving.url(), how, own).await;
}

#[cfg(feature = "http2")]
#[tokio::test]
async fn each_fault_has_its_end_over_http2_with_tls() {
    let host = Host::new(Arc::new(Telling(None)));
    let authority = CertificateAuthority::new().unwrap();
    let serving = host.serve_tls(loopback(), &authority).await.unwrap();
    let how = (By::Http2, Time::Real);
    let own = || network(trusting(&authority).http2());
    meet_each(&host, &serving.url(), how, own).await;
}

#[cfg(all(feature = "http2", unix))]
#[tokio::test]
async fn each_fault_has_its_end_over_http2_on_a_socket_file() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::new(Arc::new(Telling(None)));
    let serving = host.serve_unix(folder.path().join("s")).await.unwrap();
    let how = (By::Http2, Time::Real);
    let own = || network(HttpTransport::builder().http2_prior_knowledge());
    meet_each(&host, &serving.url(), how, own).await;
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_refused_tokens_is_met_with_one_more_request_for_each_call() {
    const CALLS: u64 = 100;
    let log = Log::start();
    let host = Host::new(Arc::new(Telling(None)));
    host.set_latency(Duration::from_millis(50));
    host.faults().add(Fault::on_any().status(401).body(PLANTED));
    let fetched = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&fetched);
    let source = FnToken::new(move || {
        let number = count.fetch_add(1, Ordering::SeqCst);
        async move {
            tokio::time::sleep(Duration::from_millis(10)).await;
            Ok(Secret::from(format!("{PLANTED}-{number}")))
        }
    });
    let client = client(host.transport(), ATTEMPT, Arc::clone(host.clock()) as _);
    let started = Instant::now();
    let calls = (0..CALLS).map(|_| send(&client, "http://127.0.0.1:1", &source));
    for ended in futures_util::future::join_all(calls).await {
        let error = ended.unwrap_err();
        assert_error_hides(&error);
        assert_eq!(error.kind(), ErrorKind::Credential, "{error}");
        assert_eq!(error.attempts(), 2);
    }
    assert_eq!(host.journal().count("test.read"), 2 * CALLS);
    // The refusals of one token share one fetch.
    assert_eq!(fetched.load(Ordering::SeqCst), 2);
    assert!(started.elapsed() <= Duration::from_millis(130));
    assert_hides(&log.text());
}

/// How the look-up of a name ends.
#[derive(Clone, Copy, Debug)]
enum Names {
    Unknown,
    Silent,
}

impl Resolve for Names {
    fn resolve(&self, _: &str) -> BoxFuture<'_, std::io::Result<Vec<IpAddr>>> {
        match self {
            Self::Unknown => Box::pin(async { Err(std::io::ErrorKind::NotFound.into()) }),
            Self::Silent => Box::pin(std::future::pending()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_not_resolved_is_asked_for_again_in_bounded_time() {
    let ms = Duration::from_millis;
    for (names, takes) in [(Names::Unknown, ms(0)), (Names::Silent, ms(600))] {
        let log = Log::start();
        let network: HttpTransportBuilder = HttpTransport::builder();
        let network = network.resolver(Arc::new(names)).connect_timeout(ms(1000));
        let client = client(
            Arc::new(network.build().unwrap()),
            ms(5000),
            Arc::new(SystemClock::new()),
        );
        let source = StaticToken::new(Secret::from(PLANTED));
        let started = Instant::now();
        let ended = send(&client, "https://service.example", &source).await;
        let (error, took) = (ended.unwrap_err(), started.elapsed());
        assert_error_hides(&error);
        assert_eq!(
            error.kind(),
            ErrorKind::Connect(ConnectPhase::Dns),
            "{error}"
        );
        assert_eq!((error.attempts(), error.sent()), (3, Sent::No), "{error}");
        assert!(
            (takes..=takes + ms(160)).contains(&took),
            "{names:?}: {took:?}"
        );
        assert_hides(&log.text());
    }
}

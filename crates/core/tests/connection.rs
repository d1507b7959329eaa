//! What the transport promises about connections, against sockets that follow a script.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::LOCATION;
use http::{Method, StatusCode};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use vouchsafe_core::call::{Call, CallOptions, Operation, Repeat, Retry, Timeouts};
use vouchsafe_core::mock::script::{Script, ScriptedServer};
use vouchsafe_core::transport::{HttpTransport, Request, Resolve, Transport};
use vouchsafe_core::url::Target;
use vouchsafe_core::{BoxFuture, ConnectPhase, CoreClient, ErrorKind, Result, Sent, TimeoutScope};

static READ: Operation = Operation::new("test.read", Method::GET, "/read").repeat(Repeat::Safe);
static WRITE: Operation = Operation::new("test.write", Method::POST, "/write");

fn transport() -> HttpTransport {
    HttpTransport::builder().build().unwrap()
}

fn request(server: &ScriptedServer) -> Request {
    Request::new(Method::GET, format!("{}/x", server.url()).parse().unwrap())
}

fn answering() -> Script {
    Script::new().read_request().answer("{}").repeat()
}

/// Answers once, with these bytes, and then waits for the client to close.
fn once(bytes: &'static str) -> Script {
    Script::new().read_request().write(bytes).wait_for_close()
}

fn client() -> CoreClient {
    let timeouts = Timeouts::default().attempt(Duration::from_millis(300));
    let builder = CoreClient::builder().transport(Arc::new(transport()));
    builder.timeouts(timeouts).build().unwrap()
}

/// Waits until the first connection has ended, with a limit, so that a test fails rather than
/// hangs.
async fn ended(server: &ScriptedServer) {
    let limit = Duration::from_secs(5);
    let ended = tokio::time::timeout(limit, server.until_ended(1)).await;
    ended.expect("the connection is still open");
}

async fn send(
    client: &CoreClient,
    server: &ScriptedServer,
    operation: &'static Operation,
    retry: Retry,
) -> Result<()> {
    let base = server.url().parse()?;
    let call = Call::new(operation, Target::new(operation.path()));
    let options = CallOptions::new().retry(retry);
    client.send(&base, call, None, &options).await.map(|_| ())
}

#[tokio::test]
async fn a_fully_read_answer_is_reused() {
    let server = ScriptedServer::start([answering()]).await.unwrap();
    let transport = transport();
    for _ in 0..5 {
        assert_eq!(transport.send(request(&server)).await.unwrap().body, "{}");
    }
    assert_eq!((server.connections(), server.requests()), (1, 5));
}

#[tokio::test]
async fn an_answer_without_a_body_leaves_the_connection_in_step() {
    let script = Script::new()
        .read_request()
        .write("HTTP/1.1 204 No Content\r\n\r\n")
        .read_request()
        .write("HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n")
        .read_request()
        .write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n")
        .read_request()
        .answer("{}");
    let server = ScriptedServer::start([script]).await.unwrap();
    let transport = transport();
    for (method, status) in [
        (Method::GET, 204),
        (Method::GET, 304),
        (Method::HEAD, 200),
        (Method::GET, 200),
    ] {
        let mut request = request(&server);
        request.method = method;
        let answer = transport.send(request).await.unwrap();
        assert_eq!(answer.status.as_u16(), status);
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_connection_that_the_server_closes_is_not_used_again() {
    let closing = once("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}");
    let server = ScriptedServer::start([closing, answering()]).await.unwrap();
    let transport = transport();
    transport.send(request(&server)).await.unwrap();
    ended(&server).await;
    transport.send(request(&server)).await.unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn an_unread_rest_retires_the_connection() {
    for (name, large) in [
        (
            "declared",
            "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nhello",
        ),
        (
            "chunked",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n",
        ),
    ] {
        let server = ScriptedServer::start([once(large), answering()])
            .await
            .unwrap();
        let transport = transport();
        let mut limited = request(&server);
        limited.response_limit = 10;
        let sent = tokio::time::timeout(Duration::from_secs(5), transport.send(limited));
        let error = sent.await.expect("an end").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{name}");
        assert_eq!(
            error.message(),
            "the answer is larger than the 10 bytes allowed"
        );
        assert_eq!(
            (error.status(), error.sent()),
            (Some(StatusCode::OK), Sent::Maybe)
        );
        assert!(!error.is_retryable());
        ended(&server).await;
        transport.send(request(&server)).await.unwrap();
        assert_eq!(server.connections(), 2, "{name}");
    }
}

#[tokio::test]
async fn a_head_without_end_is_not_read() {
    let head = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(1000));
    let flood = Script::new().read_request().write(head).wait_for_close();
    let server = ScriptedServer::start([flood, answering()]).await.unwrap();
    let transport = transport();
    let error = transport.send(request(&server)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!((error.sent(), error.is_retryable()), (Sent::Maybe, false));
    server.until_ended(1).await;
    transport.send(request(&server)).await.unwrap();
}

#[tokio::test]
async fn a_url_that_is_not_http_is_refused_unsent() {
    for url in ["ftp://127.0.0.1:9/", "/x"] {
        let request = Request::new(Method::GET, url.parse().unwrap());
        let error = transport().send(request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{url}");
        assert_eq!((error.sent(), error.is_retryable()), (Sent::No, false));
    }
}

#[tokio::test]
async fn an_answer_of_just_the_size_allowed_is_read() {
    let server = ScriptedServer::start([answering()]).await.unwrap();
    let mut limited = request(&server);
    limited.response_limit = 2;
    assert_eq!(transport().send(limited).await.unwrap().body, "{}");
}

#[tokio::test]
async fn unrequested_bytes_retire_the_connection() {
    let talking = once("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n\r\n");
    let server = ScriptedServer::start([talking, answering()]).await.unwrap();
    let transport = transport();
    assert_eq!(transport.send(request(&server)).await.unwrap().body, "{}");
    ended(&server).await;
    assert_eq!(transport.send(request(&server)).await.unwrap().body, "{}");
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn an_idle_connection_that_the_server_closed_is_replaced_unseen() {
    let closing = Script::new()
        .read_request()
        .answer("{}")
        .finish()
        .wait_for_close();
    let server = ScriptedServer::start([closing, answering()]).await.unwrap();
    let client = client();
    for _ in 0..2 {
        send(&client, &server, &WRITE, Retry::none()).await.unwrap();
        ended(&server).await;
    }
    assert_eq!((server.connections(), server.requests()), (2, 2));
}

#[tokio::test]
async fn a_kept_connection_that_ends_unanswered_is_replaced_unseen() {
    for (name, script) in [
        (
            "closed",
            Script::new().read_request().answer("{}").read_request(),
        ),
        (
            "reset",
            Script::new()
                .read_request()
                .answer("{}")
                .read_request()
                .reset(),
        ),
    ] {
        let server = ScriptedServer::start([script, answering()]).await.unwrap();
        let client = client();
        send(&client, &server, &READ, Retry::none()).await.unwrap();
        send(&client, &server, &READ, Retry::none())
            .await
            .expect(name);
        assert_eq!((server.connections(), server.requests()), (2, 3), "{name}");
    }
}

#[tokio::test]
async fn a_kept_connection_that_ends_unanswered_is_not_replaced_for_what_must_not_be_doubled() {
    let script = Script::new()
        .read_request()
        .answer("{}")
        .read_request()
        .reset();
    let server = ScriptedServer::start([script, answering()]).await.unwrap();
    let client = client();
    send(&client, &server, &WRITE, Retry::default())
        .await
        .unwrap();
    let error = send(&client, &server, &WRITE, Retry::default())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.sent()),
        (ErrorKind::Transport, Sent::Maybe)
    );
    assert_eq!((error.attempts(), server.requests()), (1, 2));
}

#[tokio::test]
async fn a_reset_after_the_request_is_repeated_only_if_that_is_safe() {
    for (operation, attempts) in [(&READ, 3), (&WRITE, 1)] {
        let resetting = Script::new().read_request().reset();
        let server = ScriptedServer::start([resetting]).await.unwrap();
        let error = send(&client(), &server, operation, Retry::default())
            .await
            .unwrap_err();
        assert_eq!(error.message(), "the connection broke before the answer");
        assert_eq!(
            (error.kind(), error.sent()),
            (ErrorKind::Transport, Sent::Maybe)
        );
        assert_eq!(
            (error.attempts(), server.requests()),
            (attempts, attempts as usize)
        );
    }
}

#[tokio::test]
async fn each_way_to_break_off_has_its_own_error() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{";
    let without = "the connection closed without an answer";
    let before = "the connection broke before the answer";
    let within = "the connection broke within the answer's body";
    let asked = || Script::new().read_request();
    for (script, message, status) in [
        (asked(), without, None),
        (asked().reset(), before, None),
        (asked().write("HTTP/1.1 200"), without, None),
        (asked().write("HTTP/1.1 200").reset(), before, None),
        (asked().write(head), within, Some(StatusCode::OK)),
        (asked().write(head).reset(), within, Some(StatusCode::OK)),
    ] {
        let server = ScriptedServer::start([script.clone()]).await.unwrap();
        let error = transport().send(request(&server)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport);
        assert_eq!(
            (error.message(), error.status()),
            (message, status),
            "{script:?}"
        );
        assert_eq!(error.sent(), Sent::Maybe);
        assert!(error.is_retryable());
    }
}

#[tokio::test]
async fn a_reset_on_accept_is_an_error_of_transport() {
    let server = ScriptedServer::start([Script::new().reset()])
        .await
        .unwrap();
    let error = transport().send(request(&server)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.is_retryable());
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn a_refused_connection_is_unsent() {
    let server = ScriptedServer::start([answering()]).await.unwrap();
    let request = request(&server);
    drop(server);
    // The task that listens ends at its next turn.
    tokio::task::yield_now().await;
    let error = transport().send(request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect(ConnectPhase::Tcp));
    assert_eq!(error.sent(), Sent::No);
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_connection_that_timed_out_is_not_reused() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{";
    for (name, silent) in [
        (
            "before the answer",
            Script::new().read_request().wait_for_close(),
        ),
        ("within the body", once(head)),
    ] {
        let server = ScriptedServer::start([silent, answering()]).await.unwrap();
        let client = client();
        let error = send(&client, &server, &READ, Retry::none())
            .await
            .unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::Timeout(TimeoutScope::Attempt),
            "{name}"
        );
        // The client closes it, rather than leaving it to the server.
        ended(&server).await;
        send(&client, &server, &READ, Retry::none()).await.unwrap();
        assert_eq!(server.connections(), 2, "{name}");
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_does_not_leave_its_connection_to_the_next() {
    let asked = Script::new().read_request().wait_for_close();
    let server = ScriptedServer::start([asked, answering()]).await.unwrap();
    let transport = transport();
    tokio::select! {
        _ = transport.send(request(&server)) => unreachable!("nothing is answered"),
        () = server.until_requests(1) => {}
    }
    ended(&server).await;
    transport.send(request(&server)).await.unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_request_under_way_lets_a_second_connection_open() {
    let signal = Arc::new(Notify::new());
    let held = Script::new().read_request().wait_for(&signal).answer("{}");
    let server = ScriptedServer::start([held, answering()]).await.unwrap();
    let transport = transport();
    let first = transport.send(request(&server));
    let second = async {
        server.until_requests(1).await;
        transport.send(request(&server)).await.unwrap();
        signal.notify_one();
    };
    let (first, ()) = tokio::join!(first, second);
    assert_eq!(first.unwrap().body, "{}");
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn an_unused_connection_is_closed_in_time() {
    let server = ScriptedServer::start([answering()]).await.unwrap();
    let builder = HttpTransport::builder().idle_timeout(Duration::from_millis(50));
    let transport = builder.build().unwrap();
    transport.send(request(&server)).await.unwrap();
    ended(&server).await;
}

#[tokio::test]
async fn no_more_unused_connections_are_kept_than_allowed() {
    let signal = Arc::new(Notify::new());
    let held = Script::new()
        .read_request()
        .wait_for(&signal)
        .answer("{}")
        .wait_for_close();
    let server = ScriptedServer::start([held, answering()]).await.unwrap();
    let builder = HttpTransport::builder().max_idle_per_host(1);
    let transport = builder.build().unwrap();
    let first = transport.send(request(&server));
    let second = async {
        server.until_requests(1).await;
        transport.send(request(&server)).await.unwrap();
        signal.notify_one();
    };
    let (first, ()) = tokio::join!(first, second);
    first.unwrap();
    // The place is taken by the second one.
    server.until_ended(1).await;
}

#[tokio::test]
async fn an_old_connection_is_used_once_more_and_then_retired() {
    let server = ScriptedServer::start([answering()]).await.unwrap();
    let builder = HttpTransport::builder().max_age(Duration::ZERO);
    let transport = builder.build().unwrap();
    for _ in 0..6 {
        transport.send(request(&server)).await.unwrap();
    }
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn limits_of_for_ever_are_taken_at_their_word() {
    let server = ScriptedServer::start([answering()]).await.unwrap();
    let builder = HttpTransport::builder()
        .connect_timeout(Duration::MAX)
        .idle_timeout(Duration::MAX)
        .max_age(Duration::MAX);
    let transport = builder.build().unwrap();
    for _ in 0..3 {
        transport.send(request(&server)).await.unwrap();
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn different_origins_do_not_share() {
    let one = ScriptedServer::start([answering()]).await.unwrap();
    let other = ScriptedServer::start([answering()]).await.unwrap();
    let transport = transport();
    transport.send(request(&one)).await.unwrap();
    transport.send(request(&other)).await.unwrap();
    assert_eq!((one.requests(), other.requests()), (1, 1));
}

#[tokio::test]
async fn a_redirect_is_an_answer_like_any_other() {
    let away = "HTTP/1.1 307 \r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n";
    let server = ScriptedServer::start([once(away)]).await.unwrap();
    let answer = transport().send(request(&server)).await.unwrap();
    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(answer.headers[LOCATION], "http://127.0.0.1:9/");
    assert_eq!(server.requests(), 1);
}

#[test]
fn a_pool_outlives_the_runtime_that_built_it() {
    let runtime = || Builder::new_current_thread().enable_all().build().unwrap();
    let elsewhere = Runtime::new().unwrap();
    let server = elsewhere
        .block_on(ScriptedServer::start([answering()]))
        .unwrap();
    let first = runtime();
    let (transport, abandoned) = first.block_on(async {
        let transport = transport();
        transport.send(request(&server)).await.unwrap();
        // Handed to the kept connection, and not written yet.
        let mut abandoned = Box::pin({
            let transport = transport.clone();
            let request = request(&server);
            async move { transport.send(request).await }
        });
        let polled = poll_once(&mut abandoned).await;
        assert!(polled.is_none());
        (transport, abandoned)
    });
    drop(first);
    let second = runtime();
    for _ in 0..3 {
        let answer = second.block_on(transport.send(request(&server))).unwrap();
        assert_eq!(answer.body, "{}");
    }
    // What the lost runtime had not sent yet is sent after all.
    let ended = second.block_on(async {
        let limit = Duration::from_secs(5);
        tokio::time::timeout(limit, abandoned).await
    });
    assert_eq!(ended.expect("an end").unwrap().body, "{}");
}

/// Polls once.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    let mut future = std::pin::Pin::new(future);
    std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        std::task::Poll::Ready(output) => std::task::Poll::Ready(Some(output)),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    })
    .await
}

/// Knows no name.
#[derive(Debug)]
struct Nowhere;

impl Resolve for Nowhere {
    fn resolve(&self, _: &str) -> BoxFuture<'_, io::Result<Vec<IpAddr>>> {
        Box::pin(async { Err(io::ErrorKind::NotFound.into()) })
    }
}

#[tokio::test]
async fn an_unresolvable_name_fails_before_connecting() {
    let builder = HttpTransport::builder().resolver(Arc::new(Nowhere));
    let transport = builder.build().unwrap();
    let uri = "http://service.example:1/".parse().unwrap();
    let error = transport
        .send(Request::new(Method::GET, uri))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect(ConnectPhase::Dns));
    assert_eq!(error.sent(), Sent::No);
    assert_eq!(
        error.to_string(),
        "service.example:1: the host name could not be resolved"
    );
}

#[tokio::test]
async fn a_handshake_without_an_answer_ends_in_time() {
    let silent = Script::new().wait_for_close();
    let server = ScriptedServer::start([silent]).await.unwrap();
    let builder = HttpTransport::builder().connect_timeout(Duration::from_millis(100));
    let transport = builder.build().unwrap();
    let uri = format!("https://{}/", server.address()).parse().unwrap();
    let error = transport
        .send(Request::new(Method::GET, uri))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutScope::Connect));
    assert_eq!(error.sent(), Sent::No);
    ended(&server).await;
}

/// Two addresses for every name: one that drops all packets, and one that listens.
#[cfg(target_os = "linux")]
#[derive(Debug)]
struct Twofold;

#[cfg(target_os = "linux")]
impl Resolve for Twofold {
    fn resolve(&self, _: &str) -> BoxFuture<'_, io::Result<Vec<IpAddr>>> {
        let found = vec![[127, 0, 0, 2].into(), [127, 0, 0, 1].into()];
        Box::pin(std::future::ready(Ok(found)))
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_address_that_swallows_everything_leaves_time_for_the_next() {
    let server = ScriptedServer::start([answering()]).await.unwrap();
    let port = server.address().port();
    // Nothing accepts; when its queue is full, the kernel drops packets.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 2], port).into()).unwrap();
    let swallowing = socket.listen(0).unwrap();
    let address = swallowing.local_addr().unwrap();
    let mut queued = Vec::new();
    while let Ok(stream) = {
        let connect = tokio::net::TcpStream::connect(address);
        tokio::time::timeout(Duration::from_millis(100), connect).await
    } {
        queued.push(stream.unwrap());
    }
    // The order of the addresses is random.
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let builder = HttpTransport::builder().resolver(Arc::new(Twofold));
        let transport = builder.build().unwrap();
        let uri = format!("http://service.example:{port}/").parse().unwrap();
        asking.spawn(async move { transport.send(Request::new(Method::GET, uri)).await });
    }
    while let Some(answer) = asking.join_next().await {
        assert_eq!(answer.unwrap().unwrap().body, "{}");
    }
}

//! How connections are made, and answers that need a closer look, against sockets that follow a
//! script. What is promised of connections that are kept and shared is in `contract`.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::header::LOCATION;
use http::{Method, StatusCode};
use tokio::sync::Notify;
use vouchsafe_core::call::{Call, CallOptions, Operation, Retry};
use vouchsafe_core::mock::script::{Script, ScriptedServer};
use vouchsafe_core::observe::Observer;
use vouchsafe_core::transport::{Endpoints, HttpTransport, Request, Resolve, Transport};
use vouchsafe_core::url::{BaseUrl, Target};
use vouchsafe_core::{BoxFuture, ConnectPhase, CoreClient, ErrorKind, Sent, TimeoutScope};

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

/// Waits until the first connection has ended, with a limit, so that a test fails rather than
/// hangs.
async fn ended(server: &ScriptedServer) {
    let limit = Duration::from_secs(5);
    let ended = tokio::time::timeout(limit, server.until_ended(1)).await;
    ended.expect("the connection is still open");
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

#[derive(Debug, Default)]
struct Connections {
    opened: AtomicUsize,
    closed: AtomicUsize,
    changed: Notify,
}

impl Observer for Connections {
    fn connection_opened(&self) {
        self.opened.fetch_add(1, Ordering::SeqCst);
    }

    fn connection_closed(&self) {
        self.closed.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_one();
    }
}

#[tokio::test]
async fn an_observer_of_a_client_sees_connections_open_and_close() {
    static READ: Operation = Operation::new("test.read", Method::GET, "/read");
    let closing = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let script = Script::new()
        .read_request()
        .answer("{}")
        .read_request()
        .write(closing)
        .finish();
    let server = ScriptedServer::start([script]).await.unwrap();
    let seen = Arc::new(Connections::default());
    let client = CoreClient::builder()
        .observer(seen.clone())
        .build()
        .unwrap();
    let base = server.url().parse().unwrap();
    let options = CallOptions::new().retry(Retry::none());
    let read = || {
        client.send(
            &base,
            Call::new(&READ, Target::new("/read")),
            None,
            &options,
        )
    };
    let counts = || {
        (
            seen.opened.load(Ordering::SeqCst),
            seen.closed.load(Ordering::SeqCst),
        )
    };
    read().await.unwrap();
    assert_eq!(counts(), (1, 0), "it is kept");
    read().await.unwrap();
    let limit = Duration::from_secs(60);
    tokio::time::timeout(limit, seen.changed.notified())
        .await
        .unwrap();
    assert_eq!(counts(), (1, 1));
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
async fn a_redirect_is_an_answer_like_any_other() {
    let away = "HTTP/1.1 307 \r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n";
    let server = ScriptedServer::start([once(away)]).await.unwrap();
    let answer = transport().send(request(&server)).await.unwrap();
    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(answer.headers[LOCATION], "http://127.0.0.1:9/");
    assert_eq!(server.requests(), 1);
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

#[test]
fn a_client_of_a_server_of_https_is_not_built_without_tls() {
    let without_roots = || HttpTransport::builder().only_roots();
    let client = || CoreClient::builder().network(without_roots());
    let [plain, tls]: [BaseUrl; 2] =
        ["http://127.0.0.1:1", "https://127.0.0.1:1"].map(|url| url.parse().unwrap());
    client().build_for([&plain]).unwrap();
    let given: Arc<dyn Transport> = Arc::new(without_roots().build().unwrap());
    let several = Endpoints::new(Arc::clone(&given), &tls, &[]).unwrap();
    for client in [
        client(),
        client().transport(given),
        client().transport(Arc::new(several)),
    ] {
        let error = client.build_for([&plain, &tls]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(error.message(), "no root certificate is trusted");
    }
    let trusting = client().network(HttpTransport::builder().bundled_roots());
    trusting.build_for([&plain, &tls]).unwrap();
}

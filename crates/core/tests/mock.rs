//! The mock's own promises, in process with paused time and over sockets. What comes of each fault is
//! in `faults`.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::header::{DATE, HOST};
use http::{Method, StatusCode, Uri};
#[cfg(feature = "http2")]
use vouchsafe_core::Sent;
use vouchsafe_core::auth::{Credentials, StaticToken};
use vouchsafe_core::call::{Answer, Call, CallOptions, Operation, Repeat, Timeouts};
use vouchsafe_core::mock::route::{Found, Route, find};
use vouchsafe_core::mock::{Fault, Handler, Host, ManualClock, digest};
use vouchsafe_core::transport::{HttpTransport, Request, Response, Transport};
use vouchsafe_core::url::Target;
use vouchsafe_core::{ConnectPhase, CoreClient, ErrorKind, Result, Secret};

static READ: Operation = Operation::new("test.read", Method::GET, "/read").repeat(Repeat::Safe);
static WRITE: Operation = Operation::new("test.write", Method::POST, "/write");
static LOOK: Operation = Operation::new("test.look", Method::HEAD, "/read").repeat(Repeat::Safe);
static ROUTES: &[Route<()>] = &[
    Route {
        op: (),
        operation: &LOOK,
        path: "/read",
    },
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

    #[cfg(feature = "http2")]
    fn http2(base: String) -> Self {
        let network = HttpTransport::builder().http2_prior_knowledge();
        Self::over(Arc::new(network.build().unwrap()), base)
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

#[cfg(feature = "http2")]
#[tokio::test]
async fn over_http2_a_call_reaches_the_handler_and_the_journal() {
    let host = host();
    let serving = host.serve(loopback()).await.unwrap();
    reaches(&host, &Way::http2(serving.url())).await;
}

#[cfg(unix)]
#[tokio::test]
async fn over_a_socket_file_a_call_reaches_the_handler_and_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let host = host();
    let serving = host.serve_unix(folder.path().join("s")).await.unwrap();
    reaches(&host, &Way::tcp(serving.url())).await;
    #[cfg(feature = "http2")]
    reaches(&host, &Way::http2(serving.url())).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_socket_file_is_new_and_gone_with_its_server() {
    let folder = tempfile::tempdir().unwrap();
    let (host, path) = (host(), folder.path().join("s"));
    let serving = host.serve_unix(&path).await.unwrap();
    assert_eq!(serving.url(), format!("unix:{}", path.display()));
    for wrong in [path.as_path(), std::path::Path::new("relative")] {
        let error = host.serve_unix(wrong).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    }
    drop(serving);
    assert!(!path.exists());
    drop(host.serve_unix(&path).await.unwrap());
}

#[cfg(feature = "http2")]
#[tokio::test]
async fn streams_of_a_connection_do_not_wait_for_each_other() {
    let host = host();
    let serving = host.serve(loopback()).await.unwrap();
    let network = HttpTransport::builder().http2_prior_knowledge();
    let way = Way {
        client: CoreClient::builder().network(network).build().unwrap(),
        base: serving.url(),
    };
    host.faults().add(Fault::on("test.write").no_answer());
    let write = way.send(&WRITE);
    let others = async {
        while host.journal().count("test.write") == 0 {
            way.send(&READ).await.unwrap();
        }
        way.send(&READ).await.unwrap();
        // It ends the stream that waits, too.
        drop(serving);
    };
    let (written, ()) = tokio::join!(write, others);
    let error = written.unwrap_err();
    assert_eq!(
        (error.kind(), error.sent()),
        (ErrorKind::Transport, Sent::Maybe)
    );
}

#[cfg(feature = "http2")]
#[tokio::test]
async fn more_is_read_over_http2_than_fits_a_window() {
    let host = host();
    let serving = host.serve(loopback()).await.unwrap();
    let network = HttpTransport::builder().http2_prior_knowledge();
    let transport = network.build().unwrap();
    let url = format!("{}/write", serving.url());
    for (length, status) in [(1 << 20, 200), ((16 << 20) + 1, 413)] {
        let mut request = Request::new(Method::POST, url.parse().unwrap());
        request.body = vec![b'x'; length].into();
        let answer = transport.send(request).await.unwrap();
        assert_eq!(answer.status, status);
        if status == 200 {
            let told = serde_json::from_slice::<serde_json::Value>(&answer.body).unwrap();
            assert_eq!(told["length"], length.to_string());
        }
    }
}

async fn reaches(host: &Host, way: &Way) {
    let answer = way.send(&WRITE).await.unwrap();
    let body: serde_json::Value = answer.json().unwrap();
    let authority = way.base.strip_prefix("http://").unwrap_or("localhost");
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

#[tokio::test]
async fn a_fault_in_the_body_leaves_an_answer_without_one_whole() {
    let host = host();
    let serving = host.serve(loopback()).await.unwrap();
    let on = || Fault::on("test.look");
    for fault in [
        on().reset_after_head(),
        on().cut_body(),
        on().drip(1, Duration::from_secs(60)),
        on().wrong_length(5),
        on().wrong_length(9999),
        on().wrong_length(2 << 20),
        on().huge_body(2 << 20),
    ] {
        let over_tcp: Arc<dyn Transport> = Arc::new(HttpTransport::builder().build().unwrap());
        let here = || "http://127.0.0.1:1".to_owned();
        let mut ways = vec![(host.transport(), here()), (over_tcp, serving.url())];
        #[cfg(feature = "http2")]
        {
            let network = HttpTransport::builder().http2_prior_knowledge();
            ways.push((host.transport_http2(), here()));
            ways.push((Arc::new(network.build().unwrap()), serving.url()));
        }
        for (transport, base) in ways {
            // With the usual limits: it is asked once, however busy the machine is.
            let client = CoreClient::builder().transport(transport).build().unwrap();
            let way = Way { client, base };
            host.reset();
            host.faults().add(fault.clone());
            let answer = way.send(&LOOK).await;
            let answer = answer.unwrap_or_else(|error| panic!("{fault:?}: {error:?}"));
            assert!(answer.body().is_empty(), "{fault:?}");
            assert_eq!(host.journal().count("test.look"), 1, "{fault:?}");
        }
    }
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

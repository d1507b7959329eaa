//! Answers that real servers and proxies send, against sockets that follow a script.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, VIA};
use http::{HeaderName, Method, StatusCode};
use vouchsafe_core::call::{Answer, Call, CallOptions, Fault, Operation, Repeat};
use vouchsafe_core::mock::script::{Script, ScriptedServer};
use vouchsafe_core::transport::{HttpTransport, Request, Response, Transport};
use vouchsafe_core::url::Target;
use vouchsafe_core::{BoxFuture, CoreClient, Error, ErrorKind, Result, Sent};

static READ: Operation = Operation::new("test.read", Method::GET, "/read").repeat(Repeat::Safe);

fn call() -> Call {
    Call::new(&READ, Target::new("/read"))
}

fn client() -> CoreClient {
    let builder = CoreClient::builder().read_fault(|response| {
        let text = String::from_utf8_lossy(&response.body).into_owned();
        Fault::new(Some(text.clone()), Some(text))
    });
    builder.build().unwrap()
}

/// Answers every connection with these bytes, and waits for the client to close.
async fn answering(bytes: impl Into<bytes::Bytes>) -> ScriptedServer {
    let script = Script::new().read_request().write(bytes).wait_for_close();
    ScriptedServer::start([script]).await.unwrap()
}

async fn send(server: &ScriptedServer, call: Call) -> Result<Answer> {
    let base = server.url().parse()?;
    client().send(&base, call, None, &CallOptions::new()).await
}

async fn stream(server: &ScriptedServer, call: Call) -> Result<()> {
    let base = server.url().parse()?;
    let options = CallOptions::new();
    client().stream(&base, call, None, &options).await.map(drop)
}

/// The beginning of a gzip stream.
const GZIP: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];

fn coded(status: &str, coding: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-encoding: {coding}\r\ncontent-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn assert_names_gzip(error: &Error, kind: ErrorKind, status: StatusCode) {
    assert_eq!((error.kind(), error.status()), (kind, Some(status)));
    assert!(error.message().contains("content coding gzip"), "{error}");
    assert_eq!((error.attempts(), error.sent()), (1, Sent::Maybe));
    assert!(!error.is_retryable() && error.code().is_none());
}

#[tokio::test]
async fn a_coding_that_was_not_asked_for_is_named() {
    let server = answering(coded("200 OK", "GZip", GZIP)).await;
    let error = send(&server, call()).await.unwrap_err();
    assert_names_gzip(&error, ErrorKind::Decode, StatusCode::OK);
    let error = stream(&server, call()).await.unwrap_err();
    assert_names_gzip(&error, ErrorKind::Decode, StatusCode::OK);
}

#[tokio::test]
async fn a_refusal_in_a_coding_keeps_its_status_and_names_the_coding() {
    let server = answering(coded("403 Forbidden", "gzip", GZIP)).await;
    let error = send(&server, call()).await.unwrap_err();
    assert_names_gzip(&error, ErrorKind::Forbidden, StatusCode::FORBIDDEN);
    assert!(error.message().starts_with("Forbidden"), "{error}");
    let error = stream(&server, call()).await.unwrap_err();
    assert_names_gzip(&error, ErrorKind::Forbidden, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn no_coding_is_a_coding_like_any_other() {
    let server = answering(coded("200 OK", "identity", b"{}")).await;
    assert_eq!(send(&server, call()).await.unwrap().body(), "{}");
    // There is nothing to decode.
    let server = answering(coded("200 OK", "gzip", b"")).await;
    assert_eq!(send(&server, call()).await.unwrap().body(), "");
}

#[tokio::test]
async fn a_call_that_names_codings_gets_them() {
    let server = answering(coded("200 OK", "gzip", GZIP)).await;
    let call = call().header(ACCEPT_ENCODING, "gzip, br").unwrap();
    let answer = send(&server, call).await.unwrap();
    assert_eq!(answer.body(), GZIP);
    assert_eq!(answer.headers()[CONTENT_ENCODING], "gzip");
}

/// Answers with what the request says of codings.
#[derive(Debug)]
struct Echo;

impl Transport for Echo {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        let mut response = Response::new(StatusCode::OK);
        let asked = request.headers.get_all(ACCEPT_ENCODING).iter();
        let asked: Vec<_> = asked.map(|value| value.to_str().unwrap()).collect();
        response.body = asked.join("|").into();
        Box::pin(std::future::ready(Ok(response)))
    }
}

#[tokio::test]
async fn no_coding_is_asked_for_unless_the_call_does() {
    let client = CoreClient::builder()
        .transport(Arc::new(Echo))
        .build()
        .unwrap();
    let options = CallOptions::new().header("accept-encoding", "br").unwrap();
    let base = "http://127.0.0.1".parse().unwrap();
    for (call, expected) in [
        (call(), "identity"),
        (call().header(ACCEPT_ENCODING, "gzip").unwrap(), "gzip"),
    ] {
        let answer = client.send(&base, call, None, &options).await.unwrap();
        assert_eq!(answer.body(), expected);
    }
}

#[tokio::test]
async fn a_header_over_several_lines_is_one_value() {
    let server = answering(
        "HTTP/1.1 200 OK\r\nvia: 1.1 one,\r\n\t1.1 two\r\nx-next: here\r\n\
         content-length: 2\r\n\r\n{}",
    )
    .await;
    let answer = send(&server, call()).await.unwrap();
    let via = answer.headers()[VIA].to_str().unwrap();
    let parts: Vec<_> = via.split(',').map(str::trim).collect();
    assert_eq!(parts, ["1.1 one", "1.1 two"]);
    assert_eq!(answer.headers()[HeaderName::from_static("x-next")], "here");
    assert_eq!(answer.body(), "{}");
}

#[tokio::test]
async fn what_is_not_http_will_not_be_in_a_moment_and_is_not_asked_again() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    for (name, bytes, message) in [
        ("another protocol", "SSH-2.0-x\r\n\r\n".into(), NOT_HTTP),
        (
            "a bad header",
            "HTTP/1.1 200 OK\r\nbad name: x\r\n\r\n".into(),
            NOT_HTTP,
        ),
        ("a bad status", "HTTP/1.1 2x0 OK\r\n\r\n".into(), NOT_HTTP),
        (
            "a bad length",
            "HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\n{}".into(),
            NOT_HTTP,
        ),
        (
            "two lengths",
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}".into(),
            NOT_HTTP,
        ),
        // A SETTINGS frame, with which every server of HTTP/2 begins.
        ("HTTP/2", b"\0\0\0\x04\0\0\0\0\0".to_vec(), NOT_HTTP),
        (
            "a preface",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            NOT_HTTP,
        ),
        // What a port with TLS says to a plain request.
        (
            "an alert",
            vec![0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46],
            NOT_HTTP,
        ),
        (
            "a bad chunk",
            format!("{chunked}x\r\n{{}}\r\n").into(),
            "the connection broke within the answer's body",
        ),
    ] {
        let bytes: Vec<u8> = bytes;
        let server = answering(bytes).await;
        let error = send(&server, call()).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.message()),
            (ErrorKind::Transport, message),
            "{name}"
        );
        assert_eq!((error.attempts(), server.requests()), (1, 1), "{name}");
        assert_eq!(
            (error.sent(), error.is_retryable()),
            (Sent::Maybe, false),
            "{name}"
        );
    }
}

const NOT_HTTP: &str = "the answer is not HTTP/1.1";

#[tokio::test]
async fn a_byte_order_mark_is_not_part_of_an_answer() {
    let body = "\u{feff}{\"a\": \"\u{feff}b\"}";
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    let server = answering([head.as_bytes(), body.as_bytes()].concat()).await;
    let answer = send(&server, call()).await.unwrap();
    let read: serde_json::Value = answer.json().unwrap();
    assert_eq!(read["a"], "\u{feff}b");
    assert_eq!(answer.text().unwrap(), &body[3..]);
    // One is dropped, not all.
    let fault = answer.json::<Vec<u8>>().unwrap_err();
    assert_eq!(
        fault.message(),
        "the answer does not have the expected form"
    );
}

#[tokio::test]
async fn errors_of_connecting_name_host_and_port() {
    let server = answering("").await;
    let address = server.address();
    drop(server);
    tokio::task::yield_now().await;
    for scheme in ["http", "https"] {
        let url = format!("{scheme}://{address}/").parse().unwrap();
        let transport = HttpTransport::builder().build().unwrap();
        let error = transport
            .send(Request::new(Method::GET, url))
            .await
            .unwrap_err();
        assert!(error.message().contains(&address.to_string()), "{error}");
    }
}

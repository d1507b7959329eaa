//! What is known of a request whose attempt ran into its limit, over sockets.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use http::Method;
use vouchsafe_core::call::{Call, CallOptions, Operation, Repeat, Timeouts};
use vouchsafe_core::mock::script::{Script, ScriptedServer};
use vouchsafe_core::transport::HttpTransport;
use vouchsafe_core::url::{BaseUrl, Target};
use vouchsafe_core::{CoreClient, Error, ErrorKind, Sent, TimeoutScope};

static WRITE: Operation = Operation::new("test.write", Method::POST, "/write");
static ONCE: Operation =
    Operation::new("test.once", Method::GET, "/write").repeat(Repeat::OnlyIfUnsent);

/// Sends what must not be doubled, with a limit that ends long before the one on connecting.
async fn write(url: &str) -> Error {
    let base: BaseUrl = url.parse().unwrap();
    let timeouts = Timeouts::default().attempt(Duration::from_millis(200));
    let transport = HttpTransport::builder().build().unwrap();
    let client = CoreClient::builder().transport(Arc::new(transport));
    let client = client.timeouts(timeouts).build().unwrap();
    let call = Call::new(&WRITE, Target::new("/write"));
    let options = CallOptions::new();
    let sent = client.send(&base, call, None, &options).await;
    let error = sent.unwrap_err();
    let kind = ErrorKind::Timeout(TimeoutScope::Attempt);
    assert_eq!(error.kind(), kind, "{error}");
    error
}

#[tokio::test]
async fn a_limit_that_ends_while_connecting_leaves_the_request_unsent_and_it_is_sent_again() {
    // The TCP connection comes about, and the TLS handshake gets no answer.
    let silent = || Script::new().wait_for_close();
    let server = ScriptedServer::start([silent(), silent(), silent()])
        .await
        .unwrap();
    let error = write(&server.url().replace("http://", "https://")).await;
    assert_eq!((error.sent(), error.attempts()), (Sent::No, 3), "{error}");
    assert!(
        error.to_string().contains("no connection within 200 ms"),
        "{error}"
    );
}

#[tokio::test]
async fn a_limit_that_ends_after_the_request_went_out_leaves_it_open_and_it_is_not_sent_again() {
    let silent = Script::new().read_request().wait_for_close();
    let server = ScriptedServer::start([silent]).await.unwrap();
    let error = write(&server.url()).await;
    assert_eq!(
        (error.sent(), error.attempts()),
        (Sent::Maybe, 1),
        "{error}"
    );
    assert_eq!(server.requests(), 1);
    assert!(
        error.to_string().contains("no answer within 200 ms"),
        "{error}"
    );
}

/// A client that has a connection, and the server at its other end.
async fn connected() -> (CoreClient, BaseUrl, ScriptedServer) {
    let script = Script::new().read_request().answer("{}").repeat();
    let server = ScriptedServer::start([script]).await.unwrap();
    let client = CoreClient::builder().build().unwrap();
    let base: BaseUrl = server.url().parse().unwrap();
    let options = CallOptions::new();
    let first = client.send(
        &base,
        Call::new(&WRITE, Target::new("/write")),
        None,
        &options,
    );
    first.await.unwrap();
    (client, base, server)
}

/// Calls that must not be doubled: with and without a body, and with a method that seldom has one.
fn calls() -> [Call; 3] {
    let [full, empty, get] =
        [&WRITE, &WRITE, &ONCE].map(|operation| Call::new(operation, Target::new("/write")));
    [full.json(&"content").unwrap(), empty, get]
}

#[tokio::test]
async fn a_process_that_was_suspended_past_the_limit_sends_nothing_when_it_continues() {
    for call in calls() {
        let (client, base, server) = connected().await;
        let limit = Duration::from_millis(200);
        let options = CallOptions::new().deadline(limit);
        tokio::time::pause();
        let mut sent = Box::pin(client.send(&base, call, None, &options));
        // The connection is given the request, but does not run yet.
        let mut context = Context::from_waker(Waker::noop());
        assert!(sent.as_mut().poll(&mut context).is_pending());
        // As if the process were suspended here.
        tokio::time::advance(limit).await;
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        tokio::time::resume();
        let error = sent.await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Timeout(_)), "{error}");
        assert_eq!(error.sent(), Sent::No, "{error}");
        server.until_ended(1).await;
        assert_eq!(server.requests(), 1);
    }
}

#[tokio::test]
async fn nothing_is_sent_once_the_callers_condition_is_false() {
    for call in calls() {
        let (client, base, server) = connected().await;
        let holds = Arc::new(AtomicBool::new(true));
        let own = Arc::clone(&holds);
        let options = CallOptions::new().send_while(move || own.load(Ordering::SeqCst));
        let send = || client.send(&base, call.clone(), None, &options);
        send().await.unwrap();
        holds.store(false, Ordering::SeqCst);
        let error = send().await.unwrap_err();
        assert_eq!((error.sent(), error.attempts()), (Sent::No, 1), "{error}");
        assert!(error.to_string().contains("too late"), "{error}");
        server.until_ended(1).await;
        assert_eq!(server.requests(), 2);
    }
}

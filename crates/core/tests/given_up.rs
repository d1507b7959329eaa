//! What is known of a request whose attempt ran into its limit, over sockets.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use vouchsafe_core::call::{Call, CallOptions, Operation, Timeouts};
use vouchsafe_core::mock::script::{Script, ScriptedServer};
use vouchsafe_core::transport::HttpTransport;
use vouchsafe_core::url::{BaseUrl, Target};
use vouchsafe_core::{CoreClient, Error, ErrorKind, Sent, TimeoutScope};

static WRITE: Operation = Operation::new("test.write", Method::POST, "/write");

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

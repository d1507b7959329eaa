//! Answers that are read piece by piece, against sockets that follow a script.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use tokio::sync::Notify;
use vouchsafe_core::call::{AnswerStream, Call, CallOptions, Operation, Repeat, Retry, Timeouts};
use vouchsafe_core::mock::script::{Script, ScriptedServer};
use vouchsafe_core::transport::HttpTransport;
use vouchsafe_core::url::Target;
use vouchsafe_core::{CoreClient, ErrorKind, Result, Sent, TimeoutScope};

static LIST: Operation = Operation::new("test.list", Method::GET, "/list")
    .repeat(Repeat::Safe)
    .response_limit(8);

const PIECE: Duration = Duration::from_millis(300);

fn client() -> CoreClient {
    CoreClient::builder()
        .transport(Arc::new(HttpTransport::builder().build().unwrap()))
        .timeouts(Timeouts::default().attempt(PIECE).call(PIECE))
        .max_in_flight(1)
        .build()
        .unwrap()
}

async fn stream(
    client: &CoreClient,
    server: &ScriptedServer,
    options: &CallOptions,
) -> Result<AnswerStream> {
    let call = Call::new(&LIST, Target::new("/list"));
    client
        .stream(&server.url().parse()?, call, None, options)
        .await
}

async fn all(mut answer: AnswerStream) -> Result<Vec<Bytes>> {
    let mut pieces = Vec::new();
    while let Some(piece) = answer.next().await? {
        pieces.push(piece);
    }
    Ok(pieces)
}

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n";

#[tokio::test]
async fn pieces_come_as_they_arrive_and_may_exceed_the_limit_of_a_whole_answer() {
    let go_on = Arc::new(Notify::new());
    let script = Script::new()
        .read_request()
        .write(HEAD)
        .write("first ")
        .wait_for(&go_on)
        .write("second")
        .repeat();
    let server = ScriptedServer::start([script]).await.unwrap();
    let client = client();
    for _ in 0..2 {
        let mut answer = stream(&client, &server, &CallOptions::new()).await.unwrap();
        assert_eq!(answer.next().await.unwrap().unwrap(), "first ");
        go_on.notify_one();
        assert_eq!(answer.next().await.unwrap().unwrap(), "second");
        assert_eq!(answer.next().await.unwrap(), None);
    }
    // Read to the end, the connection serves again.
    assert_eq!((server.connections(), server.requests()), (1, 2));
}

#[tokio::test]
async fn a_piece_that_does_not_come_in_time_ends_it() {
    let script = Script::new().read_request().write(HEAD).wait_for_close();
    let server = ScriptedServer::start([script]).await.unwrap();
    let mut answer = stream(&client(), &server, &CallOptions::new())
        .await
        .unwrap();
    let error = answer.next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutScope::Attempt));
    // Nothing follows, and the connection is gone.
    assert_eq!(answer.next().await.unwrap(), None);
    server.until_ended(1).await;
    assert_eq!(
        (error.sent(), error.operation()),
        (Sent::Maybe, Some("test.list"))
    );
}

#[tokio::test]
async fn a_limit_set_for_the_call_holds_for_the_whole_of_it() {
    let script = Script::new().read_request().write(HEAD).wait_for_close();
    let server = ScriptedServer::start([script]).await.unwrap();
    let options = CallOptions::new().deadline(PIECE / 2);
    let answer = stream(&client(), &server, &options).await.unwrap();
    let error = all(answer).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutScope::Call));
}

#[tokio::test]
async fn a_truncated_answer_is_an_error() {
    let script = Script::new()
        .read_request()
        .write(HEAD)
        .write("first ")
        .finish();
    let server = ScriptedServer::start([script]).await.unwrap();
    let answer = stream(&client(), &server, &CallOptions::new())
        .await
        .unwrap();
    let error = all(answer).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.sent()),
        (ErrorKind::Transport, Sent::Maybe)
    );
}

#[tokio::test]
async fn a_refusal_is_read_whole_and_repeated_like_any_other() {
    let busy = Script::new()
        .read_request()
        .write("HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy")
        .read_request()
        .write(HEAD)
        .write("twelve bytes")
        .wait_for_close();
    let server = ScriptedServer::start([busy]).await.unwrap();
    let pieces = all(stream(&client(), &server, &CallOptions::new())
        .await
        .unwrap());
    assert_eq!(pieces.await.unwrap().concat(), b"twelve bytes");
    assert_eq!(server.requests(), 2);

    let refused = Script::new()
        .read_request()
        .write("HTTP/1.1 403 No\r\ncontent-length: 2\r\n\r\nno")
        .wait_for_close();
    let server = ScriptedServer::start([refused]).await.unwrap();
    let error = stream(&client(), &server, &CallOptions::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert_eq!(error.body().unwrap(), "no");
}

#[tokio::test]
async fn a_refusal_larger_than_an_answer_may_be_is_not_read() {
    let script = Script::new()
        .read_request()
        .write("HTTP/1.1 403 No\r\ncontent-length: 9\r\n\r\nmore than")
        .wait_for_close();
    let server = ScriptedServer::start([script]).await.unwrap();
    let options = CallOptions::new().retry(Retry::none());
    let error = stream(&client(), &server, &options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn an_answer_that_is_being_read_counts_as_under_way_until_it_is_dropped() {
    let slow = Script::new().read_request().write(HEAD).wait_for_close();
    let quick = Script::new()
        .read_request()
        .write(HEAD)
        .write("twelve bytes")
        .wait_for_close();
    let server = ScriptedServer::start([slow, quick]).await.unwrap();
    let client = client();
    let first = stream(&client, &server, &CallOptions::new()).await.unwrap();
    let error = stream(&client, &server, &CallOptions::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled);
    drop(first);
    let second = stream(&client, &server, &CallOptions::new()).await.unwrap();
    assert_eq!(all(second).await.unwrap().concat(), b"twelve bytes");
    assert_eq!(server.connections(), 2);
}

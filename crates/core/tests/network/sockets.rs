//! Socket files, and connections that are made ahead.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use vouchsafe_core::call::{Call, CallOptions, Operation};
use vouchsafe_core::mock::script::{Script, ScriptedServer};
use vouchsafe_core::task::Task;
use vouchsafe_core::transport::{Endpoints, HttpTransport, Transport};
use vouchsafe_core::url::{BaseUrl, Target};
use vouchsafe_core::{ConnectPhase, CoreClient, ErrorKind, Sent};

use super::faults::Authority;
use super::{READ, get, loopback};

#[cfg(unix)]
#[tokio::test]
async fn a_socket_file_is_asked_like_any_server() {
    use vouchsafe_core::Secret;
    use vouchsafe_core::auth::{Bearer, Credentials, StaticToken};

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("agent.sock");
    let base: BaseUrl = format!("unix:{}:/v1", file.display()).parse().unwrap();
    let client = CoreClient::builder().build().unwrap();
    let token = StaticToken::new(Secret::from("secret"));
    let ask = async || {
        let call = Call::new(&READ, Target::new("/read"));
        let credentials = Some(Credentials::new(&token, &Bearer));
        client
            .send(&base, call, credentials, &CallOptions::new())
            .await
    };

    let error = ask().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect(ConnectPhase::Tcp));
    assert_eq!((error.sent(), error.attempts()), (Sent::No, 3));
    let place = format!("no connection to unix:{}: ", file.display());
    assert!(error.message().starts_with(&place), "{error}");
    let url = format!("unix:{}:/v1/read", file.display());
    assert_eq!(error.url(), Some(&*url));

    let listener = tokio::net::UnixListener::bind(&file).unwrap();
    let (said, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let _server = Task::spawn(async move {
        // One connection serves all requests.
        let (mut stream, _) = listener.accept().await.unwrap();
        let (reading, mut writing) = stream.split();
        let mut lines = BufReader::new(reading).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if line.is_empty() {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                writing.write_all(answer).await.unwrap();
            }
            said.send(line.to_ascii_lowercase()).unwrap();
        }
    });
    for _ in 0..2 {
        assert_eq!(ask().await.unwrap().body(), "{}");
        let mut head = Vec::new();
        while head.last().is_none_or(|line: &String| !line.is_empty()) {
            head.push(heard.recv().await.unwrap());
        }
        assert_eq!(head[0], "get /v1/read http/1.1");
        for line in ["host: localhost", "authorization: bearer secret"] {
            assert!(head.iter().any(|known| known == line), "{line}: {head:?}");
        }
    }
}

fn answering() -> Script {
    Script::new().read_request().answer("{}").repeat()
}

#[tokio::test]
async fn a_connection_made_ahead_is_the_first_to_be_used() {
    let server = ScriptedServer::start([answering()]).await.unwrap();
    let client = CoreClient::builder().build().unwrap();
    let base: BaseUrl = server.url().parse().unwrap();
    client.warm_up(&base).await.unwrap();
    for count in 1..3 {
        let call = Call::new(&READ, Target::new("/read"));
        let options = CallOptions::new();
        let sent = client.send(&base, call, None, &options);
        sent.await.unwrap();
        assert_eq!((server.connections(), server.requests()), (1, count));
    }
}

#[tokio::test]
async fn a_handshake_made_ahead_is_not_made_again() {
    let authority = Authority::new();
    let acceptor = authority.acceptor("127.0.0.1");
    let listener = TcpListener::bind(loopback()).await.unwrap();
    let url = format!("https://{}/read", listener.local_addr().unwrap());
    let _server = Task::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        // A second connection would be refused.
        drop(listener);
        let mut lines = BufReader::new(acceptor.accept(tcp).await.unwrap());
        let mut line = String::new();
        while lines
            .read_line(&mut line)
            .await
            .is_ok_and(|length| length > 0)
        {
            if line == "\r\n" {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                lines.write_all(answer).await.unwrap();
                lines.flush().await.unwrap();
            }
            line.clear();
        }
    });
    let network = HttpTransport::builder().add_root_pem(authority.pem.as_bytes());
    let transport = network.unwrap().only_roots().build().unwrap();
    transport.warm_up(&url.parse().unwrap()).await.unwrap();
    for _ in 0..2 {
        let answer = transport.send(get(&url)).await.unwrap();
        assert_eq!(answer.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_connection_made_ahead_that_has_ended_is_not_used() {
    let speaks = Script::new().write("HTTP/1.1 408 Request Timeout\r\n\r\n");
    for spoiled in [Script::new(), speaks] {
        let server = ScriptedServer::start([spoiled, answering()]).await.unwrap();
        let transport = HttpTransport::builder().build().unwrap();
        let url = format!("{}/read", server.url());
        transport.warm_up(&url.parse().unwrap()).await.unwrap();
        server.until_ended(1).await;
        // Not repeated: the transport alone repeats nothing.
        assert_eq!(transport.send(get(&url)).await.unwrap().body, "{}");
        assert_eq!(server.connections(), 2);
    }
}

#[tokio::test]
async fn a_connection_made_ahead_is_closed_when_it_is_idle_for_too_long() {
    let waiting = Script::new().wait_for_close();
    let server = ScriptedServer::start([waiting]).await.unwrap();
    let transport = HttpTransport::builder().idle_timeout(Duration::from_millis(20));
    let transport = transport.build().unwrap();
    let url = server.url().parse().unwrap();
    transport.warm_up(&url).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(60), server.until_ended(1)).await;
    ended.expect("the connection is still open");
    drop(transport);
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_an_error_ahead_of_time() {
    let server = ScriptedServer::start([Script::new().reset()])
        .await
        .unwrap();
    let base: BaseUrl = format!("https://{}", server.address()).parse().unwrap();
    let client = CoreClient::builder().build().unwrap();
    let error = client.warm_up(&base).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect(ConnectPhase::Tls));
    assert!(
        error.to_string().contains(&server.address().to_string()),
        "{error}"
    );
}

#[tokio::test]
async fn what_must_not_be_doubled_goes_to_the_next_server_if_the_first_is_gone() {
    static WRITE: Operation = Operation::new("test.write", Method::POST, "/write");
    let gone = TcpListener::bind(loopback()).await.unwrap();
    let first: BaseUrl = format!("http://{}", gone.local_addr().unwrap())
        .parse()
        .unwrap();
    drop(gone);
    let server = ScriptedServer::start([answering()]).await.unwrap();
    let others = [server.url().parse().unwrap()];
    let sockets = Arc::new(HttpTransport::builder().build().unwrap());
    let endpoints = Endpoints::new(sockets, &first, &others).unwrap();
    let client = CoreClient::builder().transport(Arc::new(endpoints));
    let client = client.build().unwrap();
    for attempts in [2, 1] {
        let call = Call::new(&WRITE, Target::new("/write"));
        let options = CallOptions::new();
        let answer = client.send(&first, call, None, &options).await.unwrap();
        assert_eq!(answer.attempts(), attempts);
    }
    assert_eq!(server.requests(), 2);
}

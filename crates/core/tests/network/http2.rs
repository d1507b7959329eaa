//! HTTP/2: who speaks it, and how its connections and streams end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use h2::server::{Connection, SendResponse};
use h2::{Reason, RecvStream};
use http::header::HOST;
use http::{Request as HttpRequest, Response as HttpResponse, StatusCode, Version};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use vouchsafe_core::call::{Call, CallOptions, Operation, Retry, Timeouts};
use vouchsafe_core::task::Task;
use vouchsafe_core::transport::{HttpTransport, HttpTransportBuilder, Transport};
use vouchsafe_core::url::{BaseUrl, Target};
use vouchsafe_core::{CoreClient, Error, ErrorKind, Sent};

use super::faults::Authority;
use super::{READ, get, loopback};

static WRITE: Operation = Operation::new("test.write", http::Method::POST, "/write");

type Server = Connection<TcpStream, Bytes>;

/// A server of HTTP/2 over plain TCP, each of whose connections does what it is told.
struct Scripted {
    base: BaseUrl,
    connections: Arc<AtomicUsize>,
    _task: Task,
}

impl Scripted {
    /// `script` is given each connection, and its number from 1.
    async fn start<F>(script: impl Fn(Server, usize) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(loopback()).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let task = Task::spawn(async move {
            let mut open = Vec::new();
            while let Ok((tcp, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                let Ok(connection) = h2::server::handshake(tcp).await else {
                    continue;
                };
                open.push(Task::spawn(script(connection, number)));
            }
        });
        Self {
            base: base.parse().unwrap(),
            connections,
            _task: task,
        }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    async fn send(&self, client: &CoreClient, operation: &'static Operation) -> Result<(), Error> {
        let call = Call::new(operation, Target::new(operation.path()));
        let options = CallOptions::new();
        let sent = client.send(&self.base, call, None, &options);
        sent.await.map(|_| ())
    }
}

fn only() -> HttpTransportBuilder {
    HttpTransport::builder().http2_prior_knowledge()
}

fn client(network: HttpTransportBuilder) -> CoreClient {
    // Long enough for a busy machine: no test waits for it.
    let timeouts = Timeouts::default()
        .attempt(Duration::from_secs(60))
        .call(Duration::from_secs(60));
    let client = CoreClient::builder().network(network).timeouts(timeouts);
    client.build().unwrap()
}

fn answer(respond: &mut SendResponse<Bytes>) {
    let mut stream = respond.send_response(HttpResponse::new(()), false).unwrap();
    stream.send_data(Bytes::from_static(b"{}"), true).unwrap();
}

type Asked = (HttpRequest<RecvStream>, SendResponse<Bytes>);

async fn next<T: AsyncRead + AsyncWrite + Unpin>(
    server: &mut Connection<T, Bytes>,
) -> Option<Asked> {
    server.accept().await?.ok()
}

/// Answers all requests of a connection until it ends.
async fn answer_all<T: AsyncRead + AsyncWrite + Unpin>(mut server: Connection<T, Bytes>) {
    while let Some((_, mut respond)) = next(&mut server).await {
        answer(&mut respond);
    }
}

#[tokio::test]
async fn a_server_of_https_chooses_the_version() {
    let authority = Authority::new();
    for (offered, expected) in [
        (&[&b"h2"[..], b"http/1.1"][..], Version::HTTP_2),
        (&[b"http/1.1"], Version::HTTP_11),
        (&[], Version::HTTP_11),
    ] {
        let acceptor = authority.acceptor_of("127.0.0.1", offered);
        let listener = TcpListener::bind(loopback()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let _server = Task::spawn(async move {
            let (tcp, _) = listener.accept().await.unwrap();
            let mut tls = acceptor.accept(tcp).await.unwrap();
            if tls.get_ref().1.alpn_protocol() == Some(b"h2") {
                let mut server = h2::server::handshake(tls).await.unwrap();
                while let Some((request, mut respond)) = next(&mut server).await {
                    assert_eq!(request.version(), Version::HTTP_2);
                    // Some servers answer 400 to a request with both.
                    assert_eq!(request.uri().authority().unwrap(), &*address.to_string());
                    assert!(!request.headers().contains_key(HOST));
                    answer(&mut respond);
                }
            } else {
                use tokio::io::AsyncReadExt;
                let mut seen = Vec::new();
                while tls.read_buf(&mut seen).await.unwrap() > 0 {
                    if seen.ends_with(b"\r\n\r\n") {
                        assert!(seen.starts_with(b"GET /read HTTP/1.1\r\n"));
                        let host = format!("\r\nhost: {address}\r\n");
                        assert!(String::from_utf8_lossy(&seen).contains(&host));
                        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                        tls.write_all(answer).await.unwrap();
                        seen.clear();
                    }
                }
            }
        });
        let network = HttpTransport::builder().add_root_pem(authority.pem.as_bytes());
        let network = network.unwrap().only_roots().http2();
        let transport = network.build().unwrap();
        for names_host in [false, true] {
            let mut request = get(&format!("https://{address}/read"));
            if names_host {
                let host = address.to_string().parse().unwrap();
                request.headers.insert(HOST, host);
            }
            let answer = transport.send(request).await.unwrap();
            assert_eq!(
                (answer.status, &*answer.body),
                (StatusCode::OK, &b"{}"[..]),
                "{expected:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_read_is_sent_again_after_a_reset_stream() {
    let server = Scripted::start(|mut connection, _| async move {
        if let Some((_, mut respond)) = next(&mut connection).await {
            respond.send_reset(Reason::REFUSED_STREAM);
        }
        answer_all(connection).await;
    })
    .await;
    server.send(&client(only()), &READ).await.unwrap();
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_reset_stream_is_no_sign_of_a_stale_connection() {
    let server = Scripted::start(|mut connection, _| async move {
        if let Some((_, mut respond)) = next(&mut connection).await {
            answer(&mut respond);
        }
        while let Some((_, mut respond)) = next(&mut connection).await {
            respond.send_reset(Reason::REFUSED_STREAM);
        }
    })
    .await;
    let client = client(only());
    server.send(&client, &READ).await.unwrap();
    let call = Call::new(&READ, Target::new(READ.path()));
    let options = CallOptions::new().retry(Retry::none());
    let sent = client.send(&server.base, call, None, &options);
    assert_eq!(sent.await.unwrap_err().attempts(), 1);
}

#[tokio::test]
async fn a_connection_made_ahead_is_used_although_the_server_has_sent_its_settings() {
    let server = Scripted::start(|connection, _| answer_all(connection)).await;
    let client = client(only());
    client.warm_up(&server.base).await.unwrap();
    // The settings arrive.
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    server.send(&client, &READ).await.unwrap();
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_connection_made_ahead_that_has_ended_is_not_used() {
    let listener = TcpListener::bind(loopback()).await.unwrap();
    let base: BaseUrl = format!("http://{}", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    let client = client(only());
    client.warm_up(&base).await.unwrap();
    let (mut tcp, _) = listener.accept().await.unwrap();
    // Settings, and the end.
    tcp.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
    drop(tcp);
    let _server = Task::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        answer_all(h2::server::handshake(tcp).await.unwrap()).await;
    });
    let call = Call::new(&WRITE, Target::new(WRITE.path()));
    let options = CallOptions::new();
    client.send(&base, call, None, &options).await.unwrap();
}

#[tokio::test]
async fn a_server_without_http2_is_an_error() {
    use vouchsafe_core::mock::script::{Script, ScriptedServer};
    let script = Script::new()
        .write("HTTP/1.1 400 Bad Request\r\n\r\n")
        .wait_for_close();
    let server = ScriptedServer::start([script]).await.unwrap();
    let error = only()
        .build()
        .unwrap()
        .send(get(&server.url()))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
}

/// A client whose condition holds `times` times, and how its write ends over a connection that is
/// there.
async fn ended_after(times: usize, operation: &'static Operation) -> (Error, Vec<String>) {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let server = {
        let seen = Arc::clone(&seen);
        Scripted::start(move |mut connection, _| {
            let seen = Arc::clone(&seen);
            async move {
                while let Some((request, mut respond)) = next(&mut connection).await {
                    let path = request.uri().path();
                    seen.lock().unwrap().push(path.to_owned());
                    // The stream of a write may be reset at any moment.
                    if path == READ.path() {
                        answer(&mut respond);
                    }
                }
            }
        })
        .await
    };
    let client = client(only());
    server.send(&client, &READ).await.unwrap();
    let left = AtomicUsize::new(times);
    let options = CallOptions::new().send_while(move || {
        left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            left.checked_sub(1)
        })
        .is_ok()
    });
    let call = Call::new(operation, Target::new(operation.path()));
    let error = client
        .send(&server.base, call, None, &options)
        .await
        .unwrap_err();
    // What was written before this has arrived.
    server.send(&client, &READ).await.unwrap();
    let seen = seen.lock().unwrap().clone();
    (error, seen)
}

#[tokio::test]
async fn nothing_is_sent_once_the_callers_condition_is_false() {
    for operation in [&WRITE, &READ] {
        let (error, seen) = ended_after(0, operation).await;
        assert_eq!((error.attempts(), error.sent()), (1, Sent::No), "{error}");
        assert_eq!(seen, ["/read", "/read"]);
    }
}

#[tokio::test]
async fn a_condition_that_ends_just_before_the_head_leaves_does_not_have_the_request_sent_again() {
    let (error, _) = ended_after(1, &WRITE).await;
    assert_eq!(
        (error.attempts(), error.sent()),
        (1, Sent::Maybe),
        "{error}"
    );
}

#[tokio::test]
async fn an_upload_that_makes_progress_is_no_silence() {
    let (go_on, went_on) = mpsc::unbounded_channel();
    let (taken, mut was_taken) = mpsc::unbounded_channel();
    let went_on = Arc::new(tokio::sync::Mutex::new(went_on));
    let server = Scripted::start(move |mut server, number| {
        let (went_on, taken) = (Arc::clone(&went_on), taken.clone());
        async move {
            if number > 1 {
                return answer_all(server).await;
            }
            let Some((upload, _respond)) = next(&mut server).await else {
                return;
            };
            let mut body = upload.into_body();
            let taking = Task::spawn(async move {
                while let Some(()) = went_on.lock().await.recv().await {
                    let mut left = WINDOW;
                    while left > 0 {
                        let Some(Ok(piece)) = body.data().await else {
                            return;
                        };
                        left = left.saturating_sub(piece.len());
                        body.flow_control().release_capacity(piece.len()).unwrap();
                    }
                    taken.send(()).unwrap();
                }
            });
            answer_all(server).await;
            drop(taking);
        }
    })
    .await;
    let transport = only().build().unwrap();
    let mut upload = get(&format!("{}/write", server.base));
    upload.method = http::Method::POST;
    upload.body = vec![0; 10 * WINDOW].into();
    let mut sent = transport.send(upload);
    // What is taken after the first window was sent when the client had heard of the one before.
    for seconds in [0, 2, 2, 0] {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(seconds)).await;
        tokio::time::resume();
        go_on.send(()).unwrap();
        tokio::select! {
            _ = &mut sent => unreachable!("it is not answered"),
            taken = was_taken.recv() => taken.unwrap(),
        }
    }
    drop(sent);
    transport
        .send(get(&format!("{}/read", server.base)))
        .await
        .unwrap();
    assert_eq!(server.connections(), 1);
}

/// How much a server of HTTP/2 takes of a body before it says that it takes more (RFC 9113, 6.9.2).
const WINDOW: usize = 65_535;

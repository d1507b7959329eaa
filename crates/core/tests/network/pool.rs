//! How requests come by connections when none is free.

use std::sync::Arc;
#[cfg(feature = "http2")]
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
#[cfg(unix)]
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use vouchsafe_core::mock::script::{Script, ScriptedServer};
use vouchsafe_core::task::Task;
#[cfg(unix)]
use vouchsafe_core::transport::Request;
use vouchsafe_core::transport::{HttpTransport, HttpTransportBuilder, Transport};
#[cfg(unix)]
use vouchsafe_core::url::{BaseUrl, Target};
#[cfg(feature = "http2")]
use vouchsafe_core::{ConnectPhase, ErrorKind, Sent};

use super::faults::Authority;
use super::{get, loopback};

/// Long enough for a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A server of https whose handshakes and answers wait for permission.
struct Gated {
    authority: Authority,
    url: String,
    handshakes: Arc<Semaphore>,
    answers: Arc<Semaphore>,
    counts: watch::Receiver<Counts>,
    _task: Task,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd)]
struct Counts {
    accepted: usize,
    secured: usize,
    requests: usize,
    ended: usize,
}

impl Gated {
    async fn start() -> Self {
        let authority = Authority::new();
        let acceptor = authority.acceptor_of("127.0.0.1", &[b"http/1.1"]);
        let listener = TcpListener::bind(loopback()).await.unwrap();
        let url = format!("https://{}/read", listener.local_addr().unwrap());
        let (handshakes, answers) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (count, counts) = watch::channel(Counts::default());
        let gates = (Arc::clone(&handshakes), Arc::clone(&answers));
        let task = Task::spawn(async move {
            let mut open = Vec::new();
            let count = Arc::new(count);
            while let Ok((tcp, _)) = listener.accept().await {
                count.send_modify(|counts| counts.accepted += 1);
                let (acceptor, count) = (acceptor.clone(), Arc::clone(&count));
                let (handshakes, answers) = gates.clone();
                open.push(Task::spawn(async move {
                    let Ok(permit) = handshakes.acquire().await else {
                        return;
                    };
                    permit.forget();
                    let _ = serve(acceptor, tcp, &answers, &count).await;
                    count.send_modify(|counts| counts.ended += 1);
                }));
            }
        });
        Self {
            authority,
            url,
            handshakes,
            answers,
            counts,
            _task: task,
        }
    }

    fn network(&self) -> HttpTransportBuilder {
        let network = HttpTransport::builder().add_root_pem(self.authority.pem.as_bytes());
        network.unwrap().only_roots().connect_timeout(LIMIT)
    }

    /// Waits until there were at least these numbers of connections, handshakes and requests.
    async fn until(&self, accepted: usize, secured: usize, requests: usize) {
        let mut counts = self.counts.clone();
        let reached = |counts: &Counts| {
            counts.accepted >= accepted && counts.secured >= secured && counts.requests >= requests
        };
        counts.wait_for(reached).await.unwrap();
    }

    fn connections(&self) -> usize {
        self.counts.borrow().accepted
    }
}

async fn serve(
    acceptor: TlsAcceptor,
    tcp: tokio::net::TcpStream,
    answers: &Semaphore,
    count: &watch::Sender<Counts>,
) -> std::io::Result<()> {
    let mut tls = acceptor.accept(tcp).await?;
    count.send_modify(|counts| counts.secured += 1);
    let mut head = Vec::new();
    loop {
        head.push(tls.read_u8().await?);
        if head.ends_with(b"\r\n\r\n") {
            head.clear();
            count.send_modify(|counts| counts.requests += 1);
            let Ok(permit) = answers.acquire().await else {
                return Ok(());
            };
            permit.forget();
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
            tls.write_all(answer).await?;
        }
    }
}

#[tokio::test]
async fn a_request_that_waits_gets_the_connection_that_is_given_back() {
    let server = Gated::start().await;
    let transport = server.network().build().unwrap();
    server.handshakes.add_permits(1);
    let second = async {
        server.until(1, 1, 1).await;
        let mut second = transport.send(get(&server.url));
        tokio::select! {
            _ = &mut second => unreachable!("there is no connection for it"),
            () = server.until(2, 1, 1) => {}
        }
        // The handshake of the other connection gets no reply.
        server.answers.add_permits(2);
        second.await
    };
    let (first, second) = tokio::join!(transport.send(get(&server.url)), second);
    assert_eq!(
        (&*first.unwrap().body, &*second.unwrap().body),
        (&b"{}"[..], &b"{}"[..])
    );

    // The other connection is made all the same, and serves one of the next two.
    server.handshakes.add_permits(1);
    server.until(2, 2, 2).await;
    let both = [(); 2].map(|()| transport.send(get(&server.url)));
    let answers = async {
        server.until(2, 2, 4).await;
        server.answers.add_permits(2);
    };
    let (both, ()) = tokio::join!(join_all(both), answers);
    assert!(both.iter().all(Result::is_ok));
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_request_that_is_dropped_while_it_waits_takes_no_connection_along() {
    let server = Gated::start().await;
    let transport = server.network().build().unwrap();
    server.handshakes.add_permits(1);
    let waiting = async {
        server.until(1, 1, 1).await;
        let mut dropped = transport.send(get(&server.url));
        assert!((&mut dropped).now_or_never().is_none());
        let mut second = transport.send(get(&server.url));
        assert!((&mut second).now_or_never().is_none());
        drop(dropped);
        server.answers.add_permits(2);
        second.await
    };
    let (first, second) = tokio::join!(transport.send(get(&server.url)), waiting);
    first.unwrap();
    second.unwrap();
}

#[tokio::test]
async fn no_more_connections_are_made_for_later_than_are_kept() {
    let server = Gated::start().await;
    let transport = server.network().max_idle_per_host(0).build().unwrap();
    server.handshakes.add_permits(1);
    let second = async {
        server.until(1, 1, 1).await;
        let mut second = transport.send(get(&server.url));
        tokio::select! {
            _ = &mut second => unreachable!("there is no connection for it"),
            () = server.until(2, 1, 1) => {}
        }
        server.answers.add_permits(2);
        second.await
    };
    let (first, second) = tokio::join!(transport.send(get(&server.url)), second);
    first.unwrap();
    second.unwrap();
    server.handshakes.add_permits(1);
    let mut counts = server.counts.clone();
    let ended = counts.wait_for(|counts| counts.ended == 2).await;
    assert_eq!(ended.unwrap().secured, 1);
}

#[cfg(unix)]
fn to_socket(file: &std::path::Path) -> Request {
    let base: BaseUrl = format!("unix:{}", file.display()).parse().unwrap();
    Request::new(Method::POST, base.join(&Target::new("/write")).unwrap())
}

#[cfg(unix)]
#[tokio::test]
async fn a_request_that_was_answered_early_does_not_outlive_its_transport() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.sock");
    let listener = tokio::net::UnixListener::bind(&file).unwrap();
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let idle = tasks();
    let transport = HttpTransport::builder().build().unwrap();
    let mut request = to_socket(&file);
    request.body = vec![0; 8 << 20].into();
    let answering = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.read_u8().await.unwrap();
        let answer = b"HTTP/1.1 413 \r\ncontent-length: 0\r\n\r\n";
        socket.write_all(answer).await.unwrap();
        socket
    };
    let (answer, _held) = tokio::join!(transport.send(request), answering);
    assert_eq!(answer.unwrap().status, 413);
    drop(transport);
    let ended = async {
        while tasks() > idle {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(LIMIT, ended).await.is_ok());
}

/// Over a socket file, whose end the peer sees at once.
#[cfg(unix)]
#[test]
fn a_connection_that_ended_while_nothing_drove_the_runtime_is_replaced_unseen() {
    use std::io::{Read, Write};

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.sock");
    let listener = std::os::unix::net::UnixListener::bind(&file).unwrap();
    let (end, ending) = std::sync::mpsc::channel::<()>();
    let (ended, has_ended) = std::sync::mpsc::channel();
    let server = std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut socket, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                socket.read_exact(&mut byte).unwrap();
                head.extend(byte);
            }
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
            socket.write_all(answer).unwrap();
            ending.recv().unwrap();
            drop(socket);
            ended.send(()).unwrap();
        }
    });
    let transport = HttpTransport::builder().build().unwrap();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let request = to_socket(&file);
    runtime.block_on(async {
        transport.send(request.clone()).await.unwrap();
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(2)).await;
    });
    end.send(()).unwrap();
    has_ended.recv().unwrap();
    runtime.block_on(transport.send(request)).unwrap();
    end.send(()).unwrap();
    server.join().unwrap();
}

#[cfg(feature = "http2")]
#[tokio::test]
async fn requests_that_begin_together_learn_from_one_connection_that_the_server_speaks_http1() {
    let server = Gated::start().await;
    let transport = server.network().http2().build().unwrap();
    let all = (0..4).map(|_| transport.send(get(&server.url)));
    let script = async {
        server.until(1, 0, 0).await;
        assert_eq!(server.connections(), 1);
        server.handshakes.add_permits(4);
        server.until(4, 4, 4).await;
        server.answers.add_permits(4);
    };
    let (all, ()) = tokio::join!(join_all(all), script);
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(server.connections(), 4);
}

#[cfg(feature = "http2")]
#[tokio::test]
async fn requests_that_wait_for_a_shared_connection_fail_with_it() {
    let listener = TcpListener::bind(loopback()).await.unwrap();
    let url = format!("https://{}/read", listener.local_addr().unwrap());
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    let _server = Task::spawn(async move {
        while listener.accept().await.is_ok() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let authority = Authority::new();
    let network = HttpTransport::builder().add_root_pem(authority.pem.as_bytes());
    let transport = network.unwrap().only_roots().http2().build().unwrap();
    for round in 1..=2 {
        let all = (0..5).map(|_| transport.send(get(&url)));
        for error in join_all(all).await.into_iter().map(Result::unwrap_err) {
            assert_eq!(
                error.kind(),
                ErrorKind::Connect(ConnectPhase::Tls),
                "{error}"
            );
            assert_eq!((error.sent(), error.is_retryable()), (Sent::No, true));
        }
        assert_eq!(accepted.load(Ordering::SeqCst), round);
    }
}

#[cfg(feature = "http2")]
#[tokio::test]
async fn a_request_that_is_dropped_while_it_connects_for_others_leaves_that_to_the_next() {
    let server = Gated::start().await;
    let transport = server.network().http2().build().unwrap();
    let mut first = transport.send(get(&server.url));
    let mut second = transport.send(get(&server.url));
    assert!((&mut first).now_or_never().is_none());
    assert!((&mut second).now_or_never().is_none());
    server.until(1, 0, 0).await;
    drop(first);
    server.handshakes.add_permits(2);
    server.answers.add_permits(1);
    second.await.unwrap();
}

#[test]
fn a_connection_of_a_runtime_that_nothing_drives_is_not_used() {
    let elsewhere = tokio::runtime::Runtime::new().unwrap();
    let answering = Script::new().read_request().answer("{}").repeat();
    let server = elsewhere
        .block_on(ScriptedServer::start([answering]))
        .unwrap();
    let transport = HttpTransport::builder().build().unwrap();
    let url = server.url();
    let idle = Builder::new_current_thread().enable_all().build().unwrap();
    idle.block_on(transport.send(get(&url))).unwrap();
    let driven = Builder::new_current_thread().enable_all().build().unwrap();
    for _ in 0..2 {
        driven.block_on(transport.send(get(&url))).unwrap();
    }
    assert_eq!(server.connections(), 2);
    // Once it is driven again, so is its connection.
    idle.block_on(transport.send(get(&url))).unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn all_that_runs_for_a_transport_ends_with_it() {
    let answering = Script::new().read_request().answer("{}").repeat();
    let server = ScriptedServer::start([answering]).await.unwrap();
    let gated = Gated::start().await;
    let tasks = || Handle::current().metrics().num_alive_tasks();
    // What the servers run for connections ends with these.
    let idle = tasks();
    let transport = gated.network().build().unwrap();
    transport.send(get(&server.url())).await.unwrap();
    // One connection is idle, one has a request, and one is being made.
    gated.handshakes.add_permits(1);
    let held = transport.send(get(&gated.url));
    let waiting = transport.send(get(&gated.url));
    tokio::select! {
        _ = held => unreachable!("nothing is answered"),
        _ = waiting => unreachable!("nothing is answered"),
        () = gated.until(2, 1, 1) => {}
    }
    assert!(tasks() > idle);
    drop(transport);
    gated.handshakes.close();
    gated.answers.close();
    let ended = async {
        while tasks() > idle {
            tokio::task::yield_now().await;
        }
    };
    let ended = tokio::time::timeout(LIMIT, ended).await;
    assert!(ended.is_ok(), "{} tasks are left over", tasks() - idle);
}

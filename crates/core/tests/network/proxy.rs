//! Requests through proxies, and proxies that refuse.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::header::{AUTHORIZATION, HOST, PROXY_AUTHORIZATION};
use http::{Method, StatusCode, Uri};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use vouchsafe_core::mock::script::{Script, ScriptedServer};
use vouchsafe_core::mock::{Handler, Host};
use vouchsafe_core::task::Task;
use vouchsafe_core::transport::{
    HttpTransport, HttpTransportBuilder, Proxy, Request, Resolve, Response, Transport,
};
use vouchsafe_core::{BoxFuture, ConnectPhase, ErrorKind, Secret, Sent, TimeoutScope};

use super::faults::Authority;
use super::{Fine, get, loopback};

/// `user:planted`, in base64.
const CREDENTIALS: &str = "Basic dXNlcjpwbGFudGVk";

/// The name of a server is for the proxy to resolve.
#[derive(Debug)]
struct NoNames;

impl Resolve for NoNames {
    fn resolve(&self, host: &str) -> BoxFuture<'_, std::io::Result<Vec<std::net::IpAddr>>> {
        let asked = std::io::Error::other(format!("{host} was resolved"));
        Box::pin(std::future::ready(Err(asked)))
    }
}

fn through(proxy: &str) -> HttpTransportBuilder {
    let proxy = Proxy::new(proxy).unwrap();
    HttpTransport::builder()
        .resolver(Arc::new(NoNames))
        .proxy(proxy)
}

fn with_credentials(proxy: &str) -> HttpTransportBuilder {
    let proxy = Proxy::new(proxy).unwrap();
    let proxy = proxy.credentials("user", &Secret::from("planted")).unwrap();
    HttpTransport::builder().proxy(proxy)
}

/// What a server was sent, head by head.
type Heads = Arc<Mutex<Vec<String>>>;

async fn head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap().to_ascii_lowercase())
}

/// A server with TLS that answers every request with `{}`.
async fn origin(acceptor: TlsAcceptor) -> (SocketAddr, Heads, Task) {
    let listener = TcpListener::bind(loopback()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let heads = Heads::default();
    let seen = Arc::clone(&heads);
    let task = Task::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let mut tls = acceptor.accept(tcp).await.unwrap();
            while let Some(head) = head(&mut tls).await {
                seen.lock().unwrap().push(head);
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                tls.write_all(answer).await.unwrap();
            }
        }
    });
    (address, heads, task)
}

/// A proxy whose tunnels all lead to one address.
async fn tunnels(to: SocketAddr, tls: Option<TlsAcceptor>) -> (SocketAddr, Heads, Task) {
    async fn lead(mut from: impl AsyncRead + AsyncWrite + Unpin, to: SocketAddr, seen: &Heads) {
        let Some(head) = head(&mut from).await else {
            return;
        };
        seen.lock().unwrap().push(head);
        let mut to = TcpStream::connect(to).await.unwrap();
        let answer = b"HTTP/1.1 200 Connection established\r\nvia: test\r\n\r\n";
        from.write_all(answer).await.unwrap();
        let _ = copy_bidirectional(&mut from, &mut to).await;
    }

    let listener = TcpListener::bind(loopback()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let heads = Heads::default();
    let seen = Arc::clone(&heads);
    let task = Task::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            match &tls {
                Some(tls) => lead(tls.accept(tcp).await.unwrap(), to, &seen).await,
                None => lead(tcp, to, &seen).await,
            }
        }
    });
    (address, heads, task)
}

#[tokio::test]
async fn https_goes_through_a_tunnel_and_takes_no_credentials_of_the_proxy_along() {
    let authority = Authority::new();
    let (server, requests, _origin) = origin(authority.acceptor("auth.example")).await;
    for is_secure in [false, true] {
        let tls = is_secure.then(|| authority.acceptor("127.0.0.1"));
        let (address, tunnels, _proxy) = tunnels(server, tls).await;
        let scheme = if is_secure { "https" } else { "http" };
        let transport = with_credentials(&format!("{scheme}://{address}"))
            .resolver(Arc::new(NoNames))
            .add_root_pem(authority.pem.as_bytes())
            .unwrap()
            .only_roots()
            .build()
            .unwrap();
        requests.lock().unwrap().clear();
        for _ in 0..2 {
            let mut request = get("https://auth.example/read?q=1");
            let token = "Bearer of-the-server".parse().unwrap();
            request.headers.insert(AUTHORIZATION, token);
            let answer = transport.send(request).await.unwrap();
            assert_eq!((answer.status, &*answer.body), (StatusCode::OK, &b"{}"[..]));
        }
        drop(transport);
        let tunnels = tunnels.lock().unwrap().clone();
        assert_eq!(tunnels.len(), 1, "the tunnel is used again");
        assert!(tunnels[0].starts_with("connect auth.example:443 http/1.1\r\n"));
        assert!(tunnels[0].contains("\r\nhost: auth.example:443\r\n"));
        let credentials = CREDENTIALS.to_ascii_lowercase();
        assert!(tunnels[0].contains(&format!("\r\nproxy-authorization: {credentials}\r\n")));
        assert!(!tunnels[0].contains("of-the-server"));
        let requests = requests.lock().unwrap().clone();
        assert_eq!(requests.len(), 2);
        for head in requests {
            assert!(head.starts_with("get /read?q=1 http/1.1\r\n"), "{head}");
            assert!(head.contains("\r\nhost: auth.example\r\n"), "{head}");
            assert!(head.contains("of-the-server"), "{head}");
            assert!(!head.contains("proxy-"), "{head}");
        }
    }
}

/// A proxy that answers by itself.
#[derive(Debug)]
struct Answering;

impl Handler for Answering {
    fn handle(&self, request: &Request) -> Response {
        assert_eq!(request.uri, "http://auth.example:8080/read?q=1");
        assert_eq!(request.headers[HOST], "auth.example:8080");
        Response::new(match request.headers.get(PROXY_AUTHORIZATION) {
            Some(given) if given == CREDENTIALS => StatusCode::OK,
            _ => StatusCode::PROXY_AUTHENTICATION_REQUIRED,
        })
    }

    fn operation(&self, _: &Method, _: &Uri) -> Option<&'static str> {
        Some("test.read")
    }
}

#[tokio::test]
async fn plain_http_is_sent_to_the_proxy_with_the_whole_url() {
    let host = Host::new(Arc::new(Answering));
    let proxy = host.serve(loopback()).await.unwrap();
    let url = "http://auth.example:8080/read?q=1";
    let known = with_credentials(&proxy.url()).build().unwrap();
    assert_eq!(known.send(get(url)).await.unwrap().status, StatusCode::OK);

    let wrong = format!("http://user:wrong-planted@{}", proxy.address());
    for (proxy, what) in [(proxy.url(), "asks for"), (wrong, "refuses the")] {
        let unknown = through(&proxy).build().unwrap();
        let error = unknown.send(get(url)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect(ConnectPhase::Proxy));
        assert_eq!((error.sent(), error.is_retryable()), (Sent::Maybe, false));
        assert!(error.message().contains(what), "{error}");
        assert!(error.message().contains("credentials (407)"), "{error}");
        assert!(!format!("{error:?}").contains("planted"));
    }
}

#[tokio::test]
async fn this_machine_is_not_asked_through_a_proxy() {
    let host = Host::new(Arc::new(Fine));
    let authority = vouchsafe_core::mock::CertificateAuthority::new().unwrap();
    let serving = host.serve_tls(loopback(), &authority).await.unwrap();
    let proxy = ScriptedServer::start([Script::new()]).await.unwrap();
    let transport = with_credentials(&proxy.url())
        .add_root_pem(authority.pem().as_bytes())
        .unwrap()
        .only_roots()
        .build()
        .unwrap();
    for name in ["127.0.0.1", "localhost"] {
        let url = format!("https://{name}:{}/read", serving.address().port());
        assert_eq!(
            transport.send(get(&url)).await.unwrap().status,
            StatusCode::OK
        );
    }
    assert_eq!(proxy.connections(), 0);
}

#[tokio::test]
async fn a_tunnel_that_comes_too_late_is_given_up() {
    let script = Script::new().read_request().wait_for_close();
    let server = ScriptedServer::start([script]).await.unwrap();
    let network = through(&server.url()).connect_timeout(Duration::from_millis(100));
    let transport = network.build().unwrap();
    let error = transport
        .send(get("https://auth.example/"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(TimeoutScope::Connect));
    assert_eq!(error.sent(), Sent::No);
    server.until_ended(1).await;
}

#[tokio::test]
async fn a_proxy_that_cannot_be_reached_is_named() {
    let closed = TcpListener::bind(loopback()).await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let script = Script::new().write("HTTP/1.1 400 Bad Request\r\n\r\n");
    let server = ScriptedServer::start([script.wait_for_close()]);
    let server = server.await.unwrap();
    let plain = server.address();
    for (proxy, place, may_pass) in [
        (format!("http://{address}"), address, true),
        (format!("https://{plain}"), plain, false),
    ] {
        for url in ["http://auth.example/", "https://auth.example/"] {
            let transport = through(&proxy).build().unwrap();
            let error = transport.send(get(url)).await.unwrap_err();
            assert_eq!(
                error.kind(),
                ErrorKind::Connect(ConnectPhase::Proxy),
                "{error}"
            );
            assert_eq!((error.sent(), error.is_retryable()), (Sent::No, may_pass));
            let named = format!("proxy {place}: ");
            assert!(error.message().starts_with(&named), "{error}");
        }
    }
}

const CHILD: &str = "VOUCHSAFE_TEST_ASKS_BY_PROXY";

#[tokio::test]
async fn the_proxy_of_the_environment_is_used_only_if_that_is_asked_for() {
    let script = Script::new().read_request().answer("by the proxy").repeat();
    let proxy = ScriptedServer::start([script]).await.unwrap();
    let url = proxy.url();
    let child = move || {
        std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "proxy::in_a_process_with_a_proxy", "--nocapture"])
            .env(CHILD, "1")
            .env("http_proxy", url)
            .env_remove("no_proxy")
            .env_remove("NO_PROXY")
            .output()
    };
    let ended = vouchsafe_core::task::blocking("asking", child).await;
    let ended = ended.unwrap().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(proxy.requests(), 1, "{ended:?}");
}

/// Of use only in the process that the test above starts.
#[tokio::test]
async fn in_a_process_with_a_proxy() {
    if vouchsafe_core::env::var(CHILD).unwrap().is_none() {
        return;
    }
    let network = || HttpTransport::builder().resolver(Arc::new(NoNames));
    let asked = get("http://one.example/");
    let by_proxy = network().proxy_from_env().unwrap().build().unwrap();
    assert_eq!(by_proxy.send(asked).await.unwrap().body, "by the proxy");
    let direct = network().build().unwrap();
    let error = direct.send(get("http://one.example/")).await.unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Connect(ConnectPhase::Dns),
        "{error}"
    );
}

//! What the transport promises around HTTP: TLS, here and in `faults` and `identity`, and
//! proxies, compression, and how connections are made and shared out.
#![allow(clippy::unwrap_used, reason = "a test")]

#[cfg(all(feature = "gzip", feature = "zstd"))]
mod compression;
mod families;
mod faults;
#[cfg(feature = "http2")]
mod http2;
mod identity;
#[path = "../../../../tests/support/log.rs"]
mod log;
mod pool;
#[cfg(feature = "proxy")]
mod proxy;
mod sockets;
mod upgraded;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode, Uri};
use tokio::time::Instant;
use vouchsafe_core::auth::{Credentials, StaticToken};
use vouchsafe_core::call::{Call, CallOptions, Operation, Repeat};
use vouchsafe_core::mock::script::{Script, ScriptedServer};
use vouchsafe_core::mock::{CertificateAuthority, Handler, Host};
use vouchsafe_core::transport::{HttpTransport, Request, Response, Transport};
use vouchsafe_core::url::Target;
use vouchsafe_core::{ConnectPhase, CoreClient, Error, ErrorKind, Secret, Sent};

use log::Log;

static READ: Operation = Operation::new("test.read", Method::GET, "/read").repeat(Repeat::Safe);

#[derive(Debug)]
struct Fine;

impl Handler for Fine {
    fn handle(&self, request: &Request) -> Response {
        assert_eq!(request.uri.scheme_str(), Some("https"));
        Response::new(StatusCode::OK)
    }

    fn operation(&self, _: &Method, _: &Uri) -> Option<&'static str> {
        Some("test.read")
    }
}

/// What a refusal takes at most, on a busy machine: below the 15 seconds of a call.
const SOON: Duration = Duration::from_secs(10);

async fn refused(transport: HttpTransport, base: &str) -> Error {
    let client = CoreClient::builder().transport(Arc::new(transport));
    refused_to(&client.build().unwrap(), base).await
}

/// Calls a server with secrets that neither the error nor the log may hold.
async fn refused_to(client: &CoreClient, base: &str) -> Error {
    let base = base.parse().unwrap();
    let call = Call::new(&READ, Target::new("/read").query("password", "planted"));
    let source = StaticToken::new(Secret::from("planted"));
    let credentials = Some(Credentials::bearer(&source));
    let log = Log::start();
    let begun = Instant::now();
    let options = CallOptions::new();
    let sent = client.send(&base, call, credentials, &options).await;
    let error = sent.unwrap_err();
    // No handshake is waited for to its end.
    assert!(
        begun.elapsed() < SOON,
        "{error} after {:?}",
        begun.elapsed()
    );
    let shown = format!("{error} {error:?} {}", log.text());
    assert!(shown.contains("auth.call"));
    assert!(!shown.contains("planted"), "{shown}");
    error
}

fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

fn trusting(authority: &CertificateAuthority) -> HttpTransport {
    HttpTransport::builder()
        .add_root_pem(authority.pem().as_bytes())
        .unwrap()
        .only_roots()
        .require_https()
        .build()
        .unwrap()
}

fn get(url: &str) -> Request {
    Request::new(Method::GET, url.parse().unwrap())
}

#[tokio::test]
async fn a_private_authority_is_trusted_for_every_name_of_loopback() {
    let host = Host::new(Arc::new(Fine));
    let authority = CertificateAuthority::new().unwrap();
    let serving = host.serve_tls(loopback(), &authority).await.unwrap();
    let transport = trusting(&authority);
    let port = serving.address().port();
    assert_eq!(serving.url(), format!("https://127.0.0.1:{port}"));
    for name in ["127.0.0.1", "localhost"] {
        let answer = transport
            .send(get(&format!("https://{name}:{port}/read")))
            .await;
        assert_eq!(answer.unwrap().status, StatusCode::OK, "{name}");
    }
    // A machine without IPv6 has no ::1 to listen on.
    let six = SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
    if let Ok(serving) = host.serve_tls(six, &authority).await {
        let answer = transport.send(get(&serving.url())).await;
        assert_eq!(answer.unwrap().status, StatusCode::OK);
    }
}

#[tokio::test]
async fn an_unknown_authority_is_refused_and_not_tried_again() {
    let host = Host::new(Arc::new(Fine));
    let authority = CertificateAuthority::new().unwrap();
    let serving = host.serve_tls(loopback(), &authority).await.unwrap();
    let other = CertificateAuthority::new().unwrap();
    for transport in [
        trusting(&other),
        HttpTransport::builder().build().unwrap(),
        HttpTransport::builder().bundled_roots().build().unwrap(),
    ] {
        let error = refused(transport, &serving.url()).await;
        assert_eq!(error.kind(), ErrorKind::Connect(ConnectPhase::Tls));
        assert_eq!((error.attempts(), error.sent()), (1, Sent::No));
        assert!(!error.is_retryable());
        assert!(error.message().contains("certificate"), "{error}");
    }
    assert!(host.journal().is_empty());
}

#[tokio::test]
async fn a_private_authority_is_trusted_beside_those_of_the_system() {
    let host = Host::new(Arc::new(Fine));
    let authority = CertificateAuthority::new().unwrap();
    let serving = host.serve_tls(loopback(), &authority).await.unwrap();
    let adding = || {
        let network = HttpTransport::builder().add_root_pem(authority.pem().as_bytes());
        network.unwrap().require_https()
    };
    for network in [adding(), adding().bundled_roots()] {
        let answer = network.build().unwrap().send(get(&serving.url())).await;
        assert_eq!(answer.unwrap().status, StatusCode::OK);
    }
}

#[tokio::test]
async fn any_certificate_passes_where_that_is_asked_for() {
    let host = Host::new(Arc::new(Fine));
    let authority = CertificateAuthority::new().unwrap();
    let serving = host.serve_tls(loopback(), &authority).await.unwrap();
    let transport = HttpTransport::builder().dangerously_accept_any_certificate();
    let answer = transport.build().unwrap().send(get(&serving.url())).await;
    assert_eq!(answer.unwrap().status, StatusCode::OK);
}

#[tokio::test]
async fn a_name_that_the_certificate_does_not_hold_is_refused() {
    let host = Host::new(Arc::new(Fine));
    let authority = CertificateAuthority::new().unwrap();
    let serving = host.serve_tls(loopback(), &authority).await.unwrap();
    let url = format!("https://127.0.0.2:{}/", serving.address().port());
    let result = trusting(&authority).send(get(&url)).await;
    // Only some systems have the whole of 127.0.0.0/8 on loopback.
    let kind = result.unwrap_err().kind();
    assert!(matches!(kind, ErrorKind::Connect(_)), "{kind:?}");
    assert!(host.journal().is_empty());
}

#[tokio::test]
async fn a_server_without_tls_is_an_error_of_the_handshake() {
    let plain = Script::new()
        .write("HTTP/1.1 400 Bad Request\r\n\r\n")
        .wait_for_close();
    let server = ScriptedServer::start([plain]).await.unwrap();
    let authority = CertificateAuthority::new().unwrap();
    let base = format!("https://{}", server.address());
    let error = refused(trusting(&authority), &base).await;
    assert_eq!(error.kind(), ErrorKind::Connect(ConnectPhase::Tls));
    assert_eq!((error.sent(), error.is_retryable()), (Sent::No, false));
    let place = server.address().to_string();
    assert!(error.message().contains(&place), "{error}");
    assert!(error.message().contains("does not speak TLS"), "{error}");
}

#[tokio::test]
async fn an_alert_is_not_answered_with_another_handshake() {
    // Fatal: handshake_failure, and internal_error.
    for alert in [40, 80] {
        let bytes = vec![0x15, 0x03, 0x03, 0x00, 0x02, 0x02, alert];
        let script = Script::new().write(bytes).wait_for_close();
        let server = ScriptedServer::start([script]).await.unwrap();
        let authority = CertificateAuthority::new().unwrap();
        let base = format!("https://{}", server.address());
        let error = refused(trusting(&authority), &base).await;
        assert_eq!(error.kind(), ErrorKind::Connect(ConnectPhase::Tls));
        assert_eq!((error.sent(), error.attempts()), (Sent::No, 1));
        assert!(!error.is_retryable(), "{error}");
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn a_reset_within_the_handshake_may_be_tried_again() {
    let server = ScriptedServer::start([Script::new().reset()])
        .await
        .unwrap();
    let authority = CertificateAuthority::new().unwrap();
    let base = format!("https://{}", server.address());
    let error = refused(trusting(&authority), &base).await;
    assert_eq!(error.kind(), ErrorKind::Connect(ConnectPhase::Tls));
    assert_eq!((error.sent(), error.attempts()), (Sent::No, 3));
    assert_eq!(server.connections(), 3);
    assert!(error.is_retryable());
}

#[test]
fn trusting_only_ones_own_roots_needs_one() {
    let error = HttpTransport::builder()
        .only_roots()
        .require_https()
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[test]
fn a_bundle_with_a_fault_is_refused_with_the_position() {
    let good = CertificateAuthority::new().unwrap().pem().to_owned();
    let add = |bundle: &str| HttpTransport::builder().add_root_pem(bundle.as_bytes());
    assert!(add(&format!("\u{feff}{good}text between\n{good}")).is_ok());
    let empty = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    for (bundle, position) in [
        (
            format!("{good}{empty}{good}"),
            "certificate 2 of the bundle",
        ),
        (
            format!("{good}{good}{}", &good[..good.len() / 2]),
            "certificate 3",
        ),
        (
            format!("{}{good}", good.replacen('M', "!", 1)),
            "certificate 1",
        ),
        ("none".to_owned(), "holds no certificate"),
        (String::new(), "holds no certificate"),
    ] {
        let error = add(&bundle).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().contains(position), "{position}: {error}");
        assert!(error.message().contains("bundle"), "{error}");
    }
}

#[tokio::test]
async fn unusable_tls_settings_fail_at_the_first_use_of_https() {
    let transport = HttpTransport::builder().only_roots().build().unwrap();
    let error = transport
        .send(get("https://127.0.0.1:9/"))
        .await
        .unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Config, Sent::No));
    assert!(!error.is_retryable());
}

#[tokio::test(start_paused = true)]
async fn the_mock_server_gives_up_a_handshake_that_does_not_go_on() {
    let host = Host::new(Arc::new(Fine));
    let authority = CertificateAuthority::new().unwrap();
    let serving = host.serve_tls(loopback(), &authority).await.unwrap();
    let mut silent = tokio::net::TcpStream::connect(serving.address())
        .await
        .unwrap();
    // A server that waits on would leave this waiting too.
    let mut answer = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut silent, &mut answer);
    let read = tokio::time::timeout(Duration::from_secs(60), read).await;
    assert!(read.is_ok(), "the connection stays");
}

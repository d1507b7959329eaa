//! Proxies that do not let requests through.

use tokio::time::Instant;
use vouchsafe_core::call::{Call, CallOptions, Operation};
use vouchsafe_core::mock::script::{Script, ScriptedServer};
use vouchsafe_core::transport::{HttpTransport, Proxy};
use vouchsafe_core::url::Target;
use vouchsafe_core::{ConnectPhase, Error, ErrorKind, Secret, Sent};

use crate::kind::{Kind, LIMIT, READ, WRITE, client};
use crate::log::Log;
use crate::peer::{Peer, Then};

/// `user:planted`, in base64.
const CREDENTIALS: &str = "dXNlcjpwbGFudGVk";

/// How a call through a proxy with this script ends, and how many connections it took.
async fn refused(kind: Kind, operation: &'static Operation, script: &Script) -> (Error, usize) {
    let server = ScriptedServer::start([script.clone()]).await.unwrap();
    let proxy = Proxy::new(&server.url()).unwrap();
    let proxy = proxy.credentials("user", &Secret::from("planted")).unwrap();
    let network = HttpTransport::builder().proxy(proxy);
    let client = client(match kind.is_http2() {
        true => network.http2(),
        false => network,
    });
    let scheme = if kind.is_tunnelled() { "https" } else { "http" };
    let base = format!("{scheme}://one.example").parse().unwrap();
    let call = Call::new(operation, Target::new(operation.path()));
    let log = Log::start();
    let begun = Instant::now();
    let sent = client.send(&base, call, None, &CallOptions::new()).await;
    let error = sent.unwrap_err();
    // A refusal is not waited for until a limit.
    assert!(
        begun.elapsed() < LIMIT / 2,
        "{error} after {:?}",
        begun.elapsed()
    );
    let shown = format!("{error} {error:?} {}", log.text());
    assert!(shown.contains("auth.call"));
    for secret in ["planted", CREDENTIALS] {
        assert!(!shown.contains(secret), "{shown}");
    }
    if error.kind() == ErrorKind::Connect(ConnectPhase::Proxy) {
        let place = format!("the proxy {} ", server.address());
        assert!(error.message().contains(&place), "{error}");
    }
    (error, server.connections())
}

fn answering(text: &'static str) -> Script {
    Script::new().read_request().write(text).wait_for_close()
}

pub(crate) async fn a_proxy_refuses(kind: Kind) {
    for (script, may_pass, what) in [
        (
            answering("HTTP/1.1 403 Forbidden\r\ncontent-length: 7\r\n\r\nplanted"),
            false,
            "refused a connection: 403 Forbidden",
        ),
        (
            answering("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n"),
            true,
            "refused a connection: 502 Bad Gateway",
        ),
        (
            answering("SSH-2.0-planted\r\n\r\n"),
            false,
            "does not answer as one",
        ),
        (
            answering("HTTP/1.1 200 OK\r\n\r\nplanted"),
            false,
            "sent something that was not asked for",
        ),
    ] {
        for operation in [&READ, &WRITE] {
            let (error, connections) = refused(kind, operation, &script).await;
            let refused = ErrorKind::Connect(ConnectPhase::Proxy);
            assert_eq!(error.kind(), refused, "{what}: {error}");
            assert_eq!((error.sent(), error.is_retryable()), (Sent::No, may_pass));
            // Nothing of the request left, so what must not be doubled may be repeated as well.
            let attempts = if may_pass { 3 } else { 1 };
            assert_eq!(
                (error.attempts(), connections),
                (attempts, attempts as usize)
            );
            assert!(error.message().contains(what), "{error}");
        }
    }
}

pub(crate) async fn a_proxy_is_asked_by_http1_whatever_its_servers_speak(kind: Kind) {
    let peer = Peer::start(kind, [vec![Then::Answer]]).await;
    let client = client(peer.network().http2_prior_knowledge());
    for _ in 0..2 {
        let answer = peer.once(&client, &READ).await.unwrap();
        assert_eq!(answer.body(), "{}");
    }
    assert_eq!((peer.connections(), peer.requests()), (1, 2));
}

pub(crate) async fn a_proxy_closes(kind: Kind) {
    for script in [Script::new().read_request(), Script::new().reset()] {
        for operation in [&READ, &WRITE] {
            let (error, _) = refused(kind, operation, &script).await;
            assert!(error.is_retryable(), "{error}");
            if kind.is_tunnelled() {
                let refused = ErrorKind::Connect(ConnectPhase::Proxy);
                assert_eq!((error.kind(), error.sent()), (refused, Sent::No), "{error}");
                assert!(error.message().contains("closed the connection"), "{error}");
                assert_eq!(error.attempts(), 3);
            } else {
                // As if the server had closed it: the request was on its way.
                assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
            }
        }
    }
}

pub(crate) async fn a_proxy_asks_for_credentials(kind: Kind) {
    let asking =
        answering("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 7\r\n\r\nplanted");
    for operation in [&READ, &WRITE] {
        let (error, connections) = refused(kind, operation, &asking).await;
        let refused = ErrorKind::Connect(ConnectPhase::Proxy);
        assert_eq!(error.kind(), refused, "{error}");
        assert!(
            error.message().contains("refuses the credentials (407)"),
            "{error}"
        );
        // Through a tunnel the request would have followed.
        let sent = if kind.is_tunnelled() {
            Sent::No
        } else {
            Sent::Maybe
        };
        assert_eq!((error.sent(), error.is_retryable()), (sent, false));
        assert_eq!((error.attempts(), connections), (1, 1));
    }
}

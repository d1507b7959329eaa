//! The transport with the TLS of others: OpenSSL's own server, and nginx. What was negotiated is
//! read from what the servers report.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::path::Path;

use http::Method;
use vouchsafe_core::store::contract::Server;
use vouchsafe_core::transport::{HttpTransport, HttpTransportBuilder, Request, Transport};
use vouchsafe_core::{ConnectPhase, Error, ErrorKind, Sent};
use vouchsafe_test_servers::{Chain, chain, nginx, openssl, port};

/// For OpenSSL, for nginx, and as both report it.
const VERSIONS: [(&str, &str, &str); 2] = [
    ("-tls1_2", "ssl_protocols TLSv1.2;", "TLSv1.2"),
    ("-tls1_3", "ssl_protocols TLSv1.3;", "TLSv1.3"),
];

fn trusting(chain: &Chain) -> HttpTransportBuilder {
    let network = HttpTransport::builder().add_root_pem(chain.root.as_bytes());
    // Each request has a handshake of its own.
    network.unwrap().only_roots().max_idle_per_host(0)
}

fn known(chain: &Chain) -> HttpTransportBuilder {
    let (certificate, key) = (chain.client.as_bytes(), chain.client_key.as_bytes());
    trusting(chain)
        .client_certificate_pem(certificate, key)
        .unwrap()
}

async fn ask(transport: &HttpTransport, place: &Path) -> Result<String, Error> {
    let url = format!("https://127.0.0.1:{}/", port(place));
    let mut request = Request::new(Method::GET, url.parse().unwrap());
    request.response_limit = 1 << 20;
    let answer = transport.send(request).await?;
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    match answer.status.as_u16() {
        200 => Ok(text),
        status => Err(Error::new(ErrorKind::Status, status.to_string())),
    }
}

/// Runs a check against a server that is started for it, if there is one.
async fn with(place: &Path, server: Option<Box<dyn Server>>, check: impl AsyncFnOnce(&Path)) {
    if let Some(_server) = server {
        check(place).await;
    }
}

#[tokio::test]
async fn a_session_is_resumed_with_openssl() {
    for (option, _, version) in VERSIONS {
        let folder = tempfile::tempdir().unwrap();
        let chain = chain(folder.path(), 1, 0);
        let server = openssl(folder.path(), &[option]);
        with(folder.path(), server, async |place| {
            let transport = trusting(&chain).build().unwrap();
            for how in ["New", "Reused", "Reused"] {
                let page = ask(&transport, place).await.unwrap();
                assert!(page.contains(&format!("{how}, {version}")), "{page}");
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_session_is_resumed_with_nginx() {
    for (_, directive, version) in VERSIONS {
        let folder = tempfile::tempdir().unwrap();
        let chain = chain(folder.path(), 1, 0);
        // By a ticket, and with the older version also by the server's memory.
        for tickets in ["on", "off"] {
            let options = format!(
                "{directive} ssl_session_tickets {tickets}; ssl_session_cache shared:own:1m;"
            );
            let server = nginx(folder.path(), &options);
            with(folder.path(), server, async |place| {
                let transport = trusting(&chain).build().unwrap();
                for how in [".", "r", "r"] {
                    let report = ask(&transport, place).await.unwrap();
                    assert_eq!(report.trim(), format!("HTTP/1.1 {version} {how} NONE"));
                }
                // Another client has another session.
                let other = trusting(&chain).add_root_pem(chain.root.as_bytes());
                let other = other.unwrap().dangerously_accept_any_certificate();
                let report = ask(&other.build().unwrap(), place).await.unwrap();
                assert_eq!(report.trim(), format!("HTTP/1.1 {version} . NONE"));
            })
            .await;
        }
    }
}

#[tokio::test]
async fn nginx_chooses_http2_where_it_is_offered() {
    for (_, directive, version) in VERSIONS {
        let folder = tempfile::tempdir().unwrap();
        let chain = chain(folder.path(), 1, 0);
        with(
            folder.path(),
            nginx(folder.path(), directive),
            async |place| {
                let transport = trusting(&chain).http2().build().unwrap();
                let report = ask(&transport, place).await.unwrap();
                assert_eq!(report.trim(), format!("HTTP/2.0 {version} . NONE"));
            },
        )
        .await;
    }
}

#[tokio::test]
async fn a_client_certificate_is_accepted_and_a_missing_one_refused() {
    for (option, directive, version) in VERSIONS {
        let folder = tempfile::tempdir().unwrap();
        let chain = chain(folder.path(), 2, 0);
        let server = openssl(
            folder.path(),
            &[option, "-Verify", "9", "-verify_return_error"],
        );
        with(folder.path(), server, async |place| {
            let page = ask(&known(&chain).build().unwrap(), place).await.unwrap();
            assert!(page.contains(version) && page.contains("worker"), "{page}");
            let unknown = trusting(&chain).build().unwrap();
            let error = ask(&unknown, place).await.unwrap_err();
            // With TLS 1.3 the refusal comes after the client has begun to write.
            let expected = match version {
                "TLSv1.2" => (ErrorKind::Connect(ConnectPhase::Tls), Sent::No),
                _ => (ErrorKind::Transport, Sent::Maybe),
            };
            assert_eq!((error.kind(), error.sent()), expected, "{error}");
            assert!(!error.is_retryable(), "{error}");
        })
        .await;

        let options = format!("{directive} ssl_verify_client on; ssl_verify_depth 9;");
        with(
            folder.path(),
            nginx(folder.path(), &options),
            async |place| {
                let report = ask(&known(&chain).build().unwrap(), place).await.unwrap();
                assert!(report.contains(version), "{report}");
                assert!(report.contains("SUCCESS CN=worker"), "{report}");
                let unknown = trusting(&chain).build().unwrap();
                // nginx completes the handshake, and refuses the request.
                let error = ask(&unknown, place).await.unwrap_err();
                assert_eq!(error.message(), "400");
            },
        )
        .await;
    }
}

#[tokio::test]
async fn a_chain_may_have_several_records_of_certificates() {
    for (option, directive, version) in VERSIONS {
        let folder = tempfile::tempdir().unwrap();
        // About 30 KiB, in records of 16.
        let chain = chain(folder.path(), 4, 900);
        with(
            folder.path(),
            openssl(folder.path(), &[option]),
            async |place| {
                let page = ask(&trusting(&chain).build().unwrap(), place).await;
                assert!(page.unwrap().contains(version));
            },
        )
        .await;
        with(
            folder.path(),
            nginx(folder.path(), directive),
            async |place| {
                let report = ask(&trusting(&chain).build().unwrap(), place).await;
                assert!(report.unwrap().contains(version));
            },
        )
        .await;
    }
}

#[tokio::test]
async fn a_server_without_a_common_version_is_refused_once() {
    let folder = tempfile::tempdir().unwrap();
    let chain = chain(folder.path(), 1, 0);
    let options = ["-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"];
    with(
        folder.path(),
        openssl(folder.path(), &options),
        async |place| {
            let error = ask(&trusting(&chain).build().unwrap(), place)
                .await
                .unwrap_err();
            let tls = ErrorKind::Connect(ConnectPhase::Tls);
            assert_eq!((error.kind(), error.sent()), (tls, Sent::No), "{error}");
            assert!(!error.is_retryable(), "{error}");
        },
    )
    .await;
}

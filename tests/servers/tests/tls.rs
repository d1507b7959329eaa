//! The transport with the TLS of others: OpenSSL's own server, and nginx. What was negotiated is
//! read from what the servers report.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::path::Path;

use http::Method;
use vouchsafe_core::call::{Call, CallOptions, Operation, Repeat};
use vouchsafe_core::store::contract::Server;
use vouchsafe_core::transport::{HttpTransport, HttpTransportBuilder};
use vouchsafe_core::url::Target;
use vouchsafe_core::{ConnectPhase, CoreClient, Error, ErrorKind, Sent};
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

static READ: Operation = Operation::new("test.read", Method::GET, "/").repeat(Repeat::Safe);

fn client_of(network: HttpTransportBuilder) -> CoreClient {
    CoreClient::builder().network(network).build().unwrap()
}

async fn ask(client: &CoreClient, place: &Path) -> Result<String, Error> {
    let base = format!("https://127.0.0.1:{}", port(place)).parse()?;
    let call = Call::new(&READ, Target::new("/"));
    let answer = client.send(&base, call, None, &CallOptions::new()).await?;
    Ok(answer.text()?.to_owned())
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
            let client = client_of(trusting(&chain));
            for how in ["New", "Reused", "Reused"] {
                let page = ask(&client, place).await.unwrap();
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
                let client = client_of(trusting(&chain));
                for how in [".", "r", "r"] {
                    let report = ask(&client, place).await.unwrap();
                    assert_eq!(report.trim(), format!("HTTP/1.1 {version} {how} NONE"));
                }
                // Another client has another session.
                let other = trusting(&chain).dangerously_accept_any_certificate();
                let report = ask(&client_of(other), place).await.unwrap();
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
                let client = client_of(trusting(&chain).http2());
                let report = ask(&client, place).await.unwrap();
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
            let page = ask(&client_of(known(&chain)), place).await.unwrap();
            assert!(page.contains(version) && page.contains("worker"), "{page}");
            let unknown = client_of(trusting(&chain));
            let error = ask(&unknown, place).await.unwrap_err();
            // With TLS 1.3 the refusal comes after the client has begun to write.
            let expected = match version {
                "TLSv1.2" => (ErrorKind::Connect(ConnectPhase::Tls), Sent::No),
                _ => (ErrorKind::Transport, Sent::Maybe),
            };
            assert_eq!((error.kind(), error.sent()), expected, "{error}");
            assert_eq!(error.attempts(), 1);
            assert!(!error.is_retryable(), "{error}");
        })
        .await;

        let options = format!("{directive} ssl_verify_client on; ssl_verify_depth 9;");
        with(
            folder.path(),
            nginx(folder.path(), &options),
            async |place| {
                let report = ask(&client_of(known(&chain)), place).await.unwrap();
                assert!(report.contains(version), "{report}");
                assert!(report.contains("SUCCESS CN=worker"), "{report}");
                let unknown = client_of(trusting(&chain));
                // nginx completes the handshake, and refuses the request.
                let error = ask(&unknown, place).await.unwrap_err();
                let status = error.status().map(|status| status.as_u16());
                assert_eq!((status, error.attempts()), (Some(400), 1), "{error}");
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
                let page = ask(&client_of(trusting(&chain)), place).await;
                assert!(page.unwrap().contains(version));
            },
        )
        .await;
        with(
            folder.path(),
            nginx(folder.path(), directive),
            async |place| {
                let report = ask(&client_of(trusting(&chain)), place).await;
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
            let error = ask(&client_of(trusting(&chain)), place).await.unwrap_err();
            let tls = ErrorKind::Connect(ConnectPhase::Tls);
            assert_eq!((error.kind(), error.sent()), (tls, Sent::No), "{error}");
            assert_eq!(error.attempts(), 1);
            assert!(!error.is_retryable(), "{error}");
        },
    )
    .await;
}

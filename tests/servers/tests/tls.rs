//! The transport, with both of its providers of TLS, and the TLS of others: OpenSSL's own server, nginx,
//! and OpenBao, whose TLS and HTTP/2 are those of Go. What was negotiated is read from what the servers
//! report, or is all that they offer.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::path::Path;
use std::sync::Arc;

use http::Method;
use rustls::crypto::{CryptoProvider, aws_lc_rs, ring};
use vouchsafe_core::call::{Call, CallOptions, Operation, Repeat};
use vouchsafe_core::store::contract::Server;
use vouchsafe_core::transport::{HttpTransport, HttpTransportBuilder};
use vouchsafe_core::url::Target;
use vouchsafe_core::{ConnectPhase, CoreClient, Error, ErrorKind, Sent};
use vouchsafe_test_servers::{Chain, chain, go, nginx, openbao_tls, openssl, port};

/// For OpenSSL, for nginx, and as both report it.
const VERSIONS: [(&str, &str, &str); 2] = [
    ("-tls1_2", "ssl_protocols TLSv1.2;", "TLSv1.2"),
    ("-tls1_3", "ssl_protocols TLSv1.3;", "TLSv1.3"),
];

/// Returns the one version of TLS that OpenBao is to offer.
fn of_openbao(version: &str) -> String {
    let name = version.replace("TLSv1.", "tls1");
    format!("tls_min_version = \"{name}\"\n  tls_max_version = \"{name}\"")
}

fn providers() -> [Arc<CryptoProvider>; 2] {
    [ring::default_provider(), aws_lc_rs::default_provider()].map(Arc::new)
}

fn trusting(chain: &Chain, provider: &Arc<CryptoProvider>) -> HttpTransportBuilder {
    let network = HttpTransport::builder().add_root_pem(chain.root.as_bytes());
    let network = network.unwrap().crypto_provider(Arc::clone(provider));
    // Each request has a handshake of its own.
    network.only_roots().max_idle_per_host(0)
}

fn known(chain: &Chain, provider: &Arc<CryptoProvider>) -> HttpTransportBuilder {
    let (certificate, key) = (chain.client.as_bytes(), chain.client_key.as_bytes());
    trusting(chain, provider)
        .client_certificate_pem(certificate, key)
        .unwrap()
}

static READ: Operation = Operation::new("test.read", Method::GET, "/").repeat(Repeat::Safe);
/// What OpenBao answers whatever its state is.
static STATUS: Operation =
    Operation::new("test.status", Method::GET, "/v1/sys/seal-status").repeat(Repeat::Safe);

fn client_of(network: HttpTransportBuilder) -> CoreClient {
    CoreClient::builder().network(network).build().unwrap()
}

async fn ask(client: &CoreClient, place: &Path) -> Result<String, Error> {
    ask_for(&READ, client, place).await
}

async fn ask_for(
    operation: &'static Operation,
    client: &CoreClient,
    place: &Path,
) -> Result<String, Error> {
    let base = format!("https://127.0.0.1:{}", port(place)).parse()?;
    let call = Call::new(operation, Target::new(operation.path()));
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
            for provider in providers() {
                let client = client_of(trusting(&chain, &provider));
                for how in ["New", "Reused", "Reused"] {
                    let page = ask(&client, place).await.unwrap();
                    assert!(page.contains(&format!("{how}, {version}")), "{page}");
                }
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
                for provider in providers() {
                    let client = client_of(trusting(&chain, &provider));
                    for how in [".", "r", "r"] {
                        let report = ask(&client, place).await.unwrap();
                        assert_eq!(report.trim(), format!("HTTP/1.1 {version} {how} NONE"));
                    }
                    // Another client has another session.
                    let other = trusting(&chain, &provider).dangerously_accept_any_certificate();
                    let report = ask(&client_of(other), place).await.unwrap();
                    assert_eq!(report.trim(), format!("HTTP/1.1 {version} . NONE"));
                }
            })
            .await;
        }
    }
}

#[tokio::test]
async fn http2_is_chosen_where_it_is_offered() {
    for (_, directive, version) in VERSIONS {
        let folder = tempfile::tempdir().unwrap();
        let chain = chain(folder.path(), 1, 0);
        let server = nginx(folder.path(), directive);
        with(folder.path(), server, async |place| {
            for provider in providers() {
                let client = client_of(trusting(&chain, &provider).http2());
                let report = ask(&client, place).await.unwrap();
                assert_eq!(report.trim(), format!("HTTP/2.0 {version} . NONE"));
            }
        })
        .await;
        let server = openbao_tls(folder.path(), &of_openbao(version));
        with(folder.path(), server, async |place| {
            for provider in providers() {
                // It speaks HTTP/2 only to those that offered it.
                let client = client_of(trusting(&chain, &provider).http2_prior_knowledge());
                let status = ask_for(&STATUS, &client, place).await.unwrap();
                assert!(status.contains("\"sealed\":true"), "{status}");
            }
        })
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
            for provider in providers() {
                let known = client_of(known(&chain, &provider));
                let page = ask(&known, place).await.unwrap();
                assert!(page.contains(version) && page.contains("worker"), "{page}");
                let unknown = client_of(trusting(&chain, &provider));
                let error = ask(&unknown, place).await.unwrap_err();
                // With TLS 1.3 the refusal comes after the client has begun to write.
                let expected = match version {
                    "TLSv1.2" => (ErrorKind::Connect(ConnectPhase::Tls), Sent::No),
                    _ => (ErrorKind::Transport, Sent::Maybe),
                };
                assert_eq!((error.kind(), error.sent()), expected, "{error}");
                assert_eq!(error.attempts(), 1);
                assert!(!error.is_retryable(), "{error}");
            }
        })
        .await;

        let options = format!("{directive} ssl_verify_client on; ssl_verify_depth 9;");
        let server = nginx(folder.path(), &options);
        with(folder.path(), server, async |place| {
            for provider in providers() {
                let known = client_of(known(&chain, &provider));
                let report = ask(&known, place).await.unwrap();
                assert!(report.contains(version), "{report}");
                assert!(report.contains("SUCCESS CN=worker"), "{report}");
                let unknown = client_of(trusting(&chain, &provider));
                // nginx completes the handshake, and refuses the request.
                let error = ask(&unknown, place).await.unwrap_err();
                let status = error.status().map(|status| status.as_u16());
                assert_eq!((status, error.attempts()), (Some(400), 1), "{error}");
            }
        })
        .await;

        let root = folder.path().join("root.crt");
        let options = format!(
            "{}\n  tls_require_and_verify_client_cert = true\n  tls_client_ca_file = \"{}\"",
            of_openbao(version),
            root.display()
        );
        let server = openbao_tls(folder.path(), &options);
        with(folder.path(), server, async |place| {
            for provider in providers() {
                for is_http2 in [false, true] {
                    let spoken = |network: HttpTransportBuilder| match is_http2 {
                        true => client_of(network.http2_prior_knowledge()),
                        false => client_of(network),
                    };
                    let known = spoken(known(&chain, &provider));
                    let status = ask_for(&STATUS, &known, place).await.unwrap();
                    assert!(status.contains("\"sealed\":true"), "{status}");
                    let unknown = spoken(trusting(&chain, &provider));
                    let error = ask_for(&STATUS, &unknown, place).await.unwrap_err();
                    // With TLS 1.3, Go may refuse before anything is sent by HTTP/2, or reset a
                    // connection whose request it has not read, and the alert is lost with it.
                    let expected = match version {
                        "TLSv1.2" => ErrorKind::Connect(ConnectPhase::Tls),
                        _ => ErrorKind::Transport,
                    };
                    assert_eq!(error.kind(), expected, "{error}");
                }
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_chain_may_have_several_records_of_certificates() {
    for (option, directive, version) in VERSIONS {
        let folder = tempfile::tempdir().unwrap();
        // About 30 KiB, in records of 16.
        let chain = chain(folder.path(), 4, 900);
        let server = openssl(folder.path(), &[option]);
        with(folder.path(), server, async |place| {
            for provider in providers() {
                let page = ask(&client_of(trusting(&chain, &provider)), place).await;
                assert!(page.unwrap().contains(version));
            }
        })
        .await;
        let server = nginx(folder.path(), directive);
        with(folder.path(), server, async |place| {
            for provider in providers() {
                let report = ask(&client_of(trusting(&chain, &provider)), place).await;
                assert!(report.unwrap().contains(version));
            }
        })
        .await;
        let server = openbao_tls(folder.path(), &of_openbao(version));
        with(folder.path(), server, async |place| {
            for provider in providers() {
                let client = client_of(trusting(&chain, &provider));
                let status = ask_for(&STATUS, &client, place).await.unwrap();
                assert!(status.contains("\"sealed\":true"), "{status}");
            }
        })
        .await;
    }
}

#[tokio::test]
#[ignore = "by hand: installing Go and building its library takes longer than all other tests of TLS"]
async fn gos_server_reports_what_was_negotiated() {
    for (option, version) in [("-tls13=false", "TLS 1.2"), ("-tls13", "TLS 1.3")] {
        let folder = tempfile::tempdir().unwrap();
        let chain = chain(folder.path(), 4, 900);
        for verify in [false, true] {
            let options = [option, if verify { "-verify" } else { "-verify=false" }];
            let server = go(folder.path(), &options);
            let name = if verify { "worker" } else { "NONE" };
            with(folder.path(), server, async |place| {
                for provider in providers() {
                    let network = match verify {
                        true => known(&chain, &provider),
                        false => trusting(&chain, &provider),
                    };
                    let shared = client_of(network.clone().http2());
                    let report = ask(&shared, place).await.unwrap();
                    assert_eq!(report.trim(), format!("HTTP/2.0 {version} . {name}"));
                    // Clients with the same settings share their sessions.
                    let client = client_of(network);
                    for _ in 0..2 {
                        let report = ask(&client, place).await.unwrap();
                        assert_eq!(report.trim(), format!("HTTP/1.1 {version} r {name}"));
                    }
                }
            })
            .await;
        }
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
            for provider in providers() {
                let client = client_of(trusting(&chain, &provider));
                let error = ask(&client, place).await.unwrap_err();
                let tls = ErrorKind::Connect(ConnectPhase::Tls);
                assert_eq!((error.kind(), error.sent()), (tls, Sent::No), "{error}");
                assert_eq!(error.attempts(), 1);
                assert!(!error.is_retryable(), "{error}");
            }
        },
    )
    .await;
}

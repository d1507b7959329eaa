//! Certificates of clients, and the settings that clients share.

use std::sync::Arc;

use http::StatusCode;
use vouchsafe_core::call::{Call, CallOptions};
use vouchsafe_core::mock::{CertificateAuthority, Host};
use vouchsafe_core::transport::{HttpTransport, HttpTransportBuilder, Proxy, Transport};
use vouchsafe_core::url::Target;
use vouchsafe_core::{CoreClient, ErrorKind, Sent};

use super::{Fine, READ, get, log::Log, loopback};

fn network(authority: &CertificateAuthority) -> HttpTransportBuilder {
    let network = HttpTransport::builder().add_root_pem(authority.pem().as_bytes());
    network.unwrap().only_roots()
}

/// As `network`, with a certificate of an authority.
fn known_to(
    authority: &CertificateAuthority,
    clients: &CertificateAuthority,
) -> HttpTransportBuilder {
    let (chain, key) = clients.client_certificate("worker").unwrap();
    network(authority)
        .client_certificate_pem(chain.as_bytes(), key.expose().as_bytes())
        .unwrap()
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_a_server_that_asks_for_one() {
    let host = Host::new(Arc::new(Fine));
    let authority = CertificateAuthority::new().unwrap();
    let clients = CertificateAuthority::new().unwrap();
    let serving = host.serve_tls_to(loopback(), &authority, &clients).await;
    let serving = serving.unwrap();
    let transport = known_to(&authority, &clients).build().unwrap();
    let answer = transport.send(get(&serving.url())).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK);
    // One that does not ask is given the same answer.
    let serving = host.serve_tls(loopback(), &authority).await.unwrap();
    let answer = transport.send(get(&serving.url())).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_missing_or_foreign_client_certificate_is_refused_once() {
    let host = Host::new(Arc::new(Fine));
    let authority = CertificateAuthority::new().unwrap();
    let clients = CertificateAuthority::new().unwrap();
    let serving = host.serve_tls_to(loopback(), &authority, &clients).await;
    let serving = serving.unwrap();
    for network in [network(&authority), known_to(&authority, &authority)] {
        let client = CoreClient::builder().network(network).build().unwrap();
        let base = serving.url().parse().unwrap();
        let call = Call::new(&READ, Target::new("/read"));
        let error = client
            .send(&base, call, None, &CallOptions::new())
            .await
            .unwrap_err();
        // With TLS 1.3 the refusal comes after the client has begun to write.
        assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
        assert_eq!((error.attempts(), error.sent()), (1, Sent::Maybe));
        assert!(!error.is_retryable());
        assert!(error.message().contains("alert"), "{error}");
    }
    assert!(host.journal().is_empty());
}

#[tokio::test]
async fn a_proxy_is_not_shown_the_client_certificate_and_its_own_is_always_checked() {
    let host = Host::new(Arc::new(Fine));
    let authority = CertificateAuthority::new().unwrap();
    let clients = CertificateAuthority::new().unwrap();
    let asking = host.serve_tls_to(loopback(), &authority, &clients).await;
    let asking = asking.unwrap();
    let open = host.serve_tls(loopback(), &authority).await.unwrap();
    let unchecked = HttpTransport::builder().dangerously_accept_any_certificate();
    for (network, proxy, is_served) in [
        (known_to(&authority, &clients), asking.url(), false),
        (known_to(&authority, &clients), open.url(), true),
        (unchecked, open.url(), false),
    ] {
        let network = network.proxy(Proxy::new(&proxy).unwrap());
        let transport = network.build().unwrap();
        let answer = transport.send(get("http://auth.example/read")).await;
        assert_eq!(answer.is_ok(), is_served, "{proxy}: {answer:?}");
    }
}

#[test]
fn a_certificate_or_key_that_cannot_be_used_is_refused_without_being_quoted() {
    let authority = CertificateAuthority::new().unwrap();
    let (chain, key) = authority.client_certificate("one").unwrap();
    let (_, other) = authority.client_certificate("other").unwrap();
    let body = |pem: &str| pem.lines().nth(1).unwrap()[..30].to_owned();
    let set = |chain: &str, key: &str| {
        HttpTransport::builder().client_certificate_pem(chain.as_bytes(), key.as_bytes())
    };
    let damaged = key.expose().replacen("MIGH", "M!GH", 1);
    for (chain, key, what) in [
        ("", key.expose(), "holds no certificate"),
        (key.expose(), key.expose(), "holds no certificate"),
        (
            &chain[..chain.len() / 2],
            key.expose(),
            "not PEM at entry 1",
        ),
        (&*chain, &*chain, "holds no private key"),
        (&*chain, &*damaged, "holds no private key"),
    ] {
        let error = set(chain, key).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().contains(what), "{what}: {error}");
        assert!(!format!("{error:?}").contains(&body(other.expose())));
    }
    let error = set(&chain, other.expose()).unwrap().build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(
        error.message().contains("cannot be used together"),
        "{error}"
    );

    // One file for both, with a mark at the start.
    let both = format!("\u{feff}{}{chain}", key.expose());
    let network = set(&both, &both).unwrap();
    let shown = format!("{network:?}");
    assert!(shown.contains("Identity(..)"), "{shown}");
    network.build().unwrap();
}

#[test]
fn clients_with_the_same_settings_share_one_configuration() {
    let authority = CertificateAuthority::new().unwrap();
    let other = CertificateAuthority::new().unwrap();
    let (chain, key) = authority.client_certificate("worker").unwrap();
    let known = || {
        network(&authority)
            .client_certificate_pem(chain.as_bytes(), key.expose().as_bytes())
            .unwrap()
    };
    let different = [
        HttpTransport::builder(),
        HttpTransport::builder().bundled_roots(),
        network(&authority),
        network(&other),
        known(),
        known_to(&authority, &authority),
    ];
    let configs: Vec<_> = different.iter().map(|b| b.tls_config().unwrap()).collect();
    for (at, network) in different.iter().enumerate() {
        let again = network.clone().tls_config().unwrap();
        for (place, config) in configs.iter().enumerate() {
            assert_eq!(Arc::ptr_eq(&again, config), at == place, "{at}, {place}");
        }
    }
    assert!(Arc::ptr_eq(&configs[4], &known().tls_config().unwrap()));
}

#[test]
fn a_client_certificate_is_forgotten_with_its_last_client() {
    let authority = CertificateAuthority::new().unwrap();
    let network = known_to(&authority, &authority);
    let config = Arc::downgrade(&network.tls_config().unwrap());
    assert!(config.upgrade().is_none());
}

#[test]
fn a_configuration_with_a_provider_of_the_callers_own_is_forgotten_with_its_last_client() {
    let own = || {
        let provider = rustls::crypto::ring::default_provider();
        HttpTransport::builder().crypto_provider(Arc::new(provider))
    };
    let network = own();
    let first = network.tls_config().unwrap();
    assert!(Arc::ptr_eq(&first, &network.tls_config().unwrap()));
    let weak = Arc::downgrade(&first);
    drop(first);
    assert!(weak.upgrade().is_none());
    // The usual one stays.
    let usual = Arc::downgrade(&HttpTransport::builder().tls_config().unwrap());
    drop(own().tls_config().unwrap());
    assert!(usual.upgrade().is_some());
}

#[test]
fn unchecked_certificates_are_warned_of_at_each_build() {
    let log = Log::start();
    HttpTransport::builder().build().unwrap();
    assert!(!log.text().contains("WARN"), "{}", log.text());
    for count in 1..3 {
        let network = HttpTransport::builder().dangerously_accept_any_certificate();
        network.build().unwrap();
        let said = log.text();
        assert_eq!(said.matches("WARN").count(), count, "{said}");
        assert!(said.contains("are not checked"), "{said}");
    }
}

//! Handshakes that fail in the usual ways, against a server with a bad certificate of a good
//! authority.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, SupportedProtocolVersion, version};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use vouchsafe_core::task::Task;
use vouchsafe_core::transport::HttpTransport;
use vouchsafe_core::{ConnectPhase, CoreClient, Error, ErrorKind, Sent};

use super::{loopback, refused_to};

pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(super) pem: String,
}

impl Authority {
    pub(super) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Self { issuer, pem }
    }

    /// Certifies a new key, and returns both.
    fn certify(&self, params: &CertificateParams) -> (CertificateDer<'static>, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.der().clone(), key)
    }

    /// Returns what a server with this name needs.
    pub(super) fn acceptor(&self, name: &str) -> TlsAcceptor {
        self.acceptor_of(name, &[])
    }

    /// As `acceptor`, for a server that offers a choice of protocols.
    pub(super) fn acceptor_of(&self, name: &str, protocols: &[&[u8]]) -> TlsAcceptor {
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let (certificate, key) = self.certify(&params);
        acceptor(vec![certificate], &key, &[&version::TLS13], protocols)
    }
}

fn acceptor(
    chain: Vec<CertificateDer<'static>>,
    key: &KeyPair,
    versions: &[&'static SupportedProtocolVersion],
    protocols: &[&[u8]],
) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

fn good() -> CertificateParams {
    let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "server");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

/// Calls a server that completes handshakes with this chain and answers nothing.
async fn call(
    authority: &Authority,
    chain: Vec<CertificateDer<'static>>,
    key: &KeyPair,
    versions: &[&'static SupportedProtocolVersion],
) -> Error {
    let acceptor = acceptor(chain, key, versions, &[]);
    let listener = TcpListener::bind(loopback()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let _server = Task::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            // A handshake that succeeds ends here, too: without an answer.
            let _ = acceptor.accept(tcp).await;
        }
    });
    let network = HttpTransport::builder().add_root_pem(authority.pem.as_bytes());
    let network = network.unwrap().only_roots();
    let client = CoreClient::builder().network(network).build().unwrap();
    refused_to(&client, &format!("https://{address}")).await
}

#[tokio::test]
async fn a_bad_certificate_is_refused_once_with_the_reason() {
    let authority = Authority::new();
    let mut expired = good();
    expired.not_after = date_time_ymd(2020, 1, 1);
    let mut early = good();
    early.not_before = date_time_ymd(4000, 1, 1);
    let other = CertificateParams::new(["other.example".to_owned()]).unwrap();
    let mut for_clients = good();
    for_clients.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    for versions in [&[&version::TLS13], &[&version::TLS12]] {
        for (params, reason) in [
            (&expired, "expired"),
            (&early, "not valid yet"),
            (&other, "not valid for name"),
            (&for_clients, "extended key usage"),
        ] {
            let (certificate, key) = authority.certify(params);
            let error = call(&authority, vec![certificate], &key, versions).await;
            let tls = ErrorKind::Connect(ConnectPhase::Tls);
            assert_eq!(error.kind(), tls, "{reason}: {error}");
            assert_eq!((error.attempts(), error.sent()), (1, Sent::No), "{reason}");
            assert!(!error.is_retryable(), "{reason}");
            assert!(error.message().contains(reason), "{reason}: {error}");
        }
        // Without the fault, the handshake ends well.
        let (certificate, key) = authority.certify(&good());
        let error = call(&authority, vec![certificate], &key, versions).await;
        assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    }
}

#[tokio::test]
async fn a_self_signed_certificate_is_refused_even_if_it_names_the_authority() {
    let authority = Authority::new();
    let key = KeyPair::generate().unwrap();
    let own = good().self_signed(&key).unwrap().der().clone();
    let error = call(&authority, vec![own], &key, &[&version::TLS13]).await;
    assert_eq!(error.kind(), ErrorKind::Connect(ConnectPhase::Tls));
    assert_eq!((error.attempts(), error.sent()), (1, Sent::No));
}

#[tokio::test]
async fn a_chain_needs_its_intermediates_and_may_be_long() {
    let authority = Authority::new();
    let mut chain = Vec::new();
    let mut issuer = &authority;
    let mut held;
    for at in 0..3 {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let name = format!("intermediate {at}");
        params.distinguished_name.push(DnType::CommonName, name);
        let (certificate, key) = issuer.certify(&params);
        chain.insert(0, certificate);
        let pem = String::new();
        let next = Issuer::new(params, key);
        held = Authority { issuer: next, pem };
        issuer = Box::leak(Box::new(held));
    }
    let (certificate, key) = issuer.certify(&good());
    let whole = [vec![certificate.clone()], chain].concat();
    let error = call(&authority, whole, &key, &[&version::TLS13]).await;
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    let error = call(&authority, vec![certificate], &key, &[&version::TLS13]).await;
    assert_eq!(error.kind(), ErrorKind::Connect(ConnectPhase::Tls));
    assert!(error.message().contains("UnknownIssuer"), "{error}");
}

//! A certificate authority for tests.

use std::fmt;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::{Error, ErrorKind, Result, Secret};

/// A throw-away authority that certifies servers on loopback, and clients.
///
/// Its key exists only in memory. Give [`pem`](Self::pem) to a client to make it trust the
/// authority.
pub struct CertificateAuthority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
    /// The names that certificates of servers are for.
    names: Vec<String>,
}

impl CertificateAuthority {
    /// Creates an authority with a new key.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the system's random number generator fails.
    pub fn new() -> Result<Self> {
        let key = KeyPair::generate().map_err(fail)?;
        let mut params = params(&[], "Vouchsafe test authority")?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(fail)?;
        Ok(Self {
            pem: certificate.pem(),
            certificate: certificate.der().clone(),
            issuer: Issuer::new(params, key),
            names: ["127.0.0.1", "::1", "localhost"].map(str::to_owned).into(),
        })
    }

    /// Certifies servers for this host, too, which clients reach through a proxy or with a
    /// [resolver](crate::transport::Resolve) of their own.
    #[must_use]
    pub fn also_for(mut self, host: impl Into<String>) -> Self {
        self.names.push(host.into());
        self
    }

    /// Returns the authority's certificate.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Creates a certificate for a client with this name. Returns it and its key, both in PEM form,
    /// as [`client_certificate_pem`] takes them.
    ///
    /// [`client_certificate_pem`]: crate::transport::HttpTransportBuilder::client_certificate_pem
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the system's random number generator fails.
    pub fn client_certificate(&self, name: &str) -> Result<(String, Secret)> {
        let key = KeyPair::generate().map_err(fail)?;
        let mut params = params(&[], name)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer).map_err(fail)?;
        Ok((certificate.pem(), Secret::from(key.serialize_pem())))
    }

    /// Creates a server configuration with a new certificate. If clients have an authority, each of
    /// them must have a certificate of it.
    pub(super) fn server_config(&self, clients: Option<&Self>) -> Result<Arc<ServerConfig>> {
        let key = KeyPair::generate().map_err(fail)?;
        let mut params = params(&self.names, "Vouchsafe test server")?;
        // Strict verifiers (Python's since 3.13) require it.
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&key, &self.issuer).map_err(fail)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(fail)?;
        let config = match clients {
            None => config.with_no_client_auth(),
            Some(clients) => config.with_client_cert_verifier(clients.verifier(provider)?),
        };
        #[cfg_attr(not(feature = "http2"), expect(unused_mut, reason = "HTTP/1.1 alone"))]
        let mut config = config
            .with_single_cert(vec![certificate.der().clone()], key)
            .map_err(fail)?;
        #[cfg(feature = "http2")]
        {
            config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        }
        Ok(Arc::new(config))
    }

    fn verifier(&self, provider: Arc<CryptoProvider>) -> Result<Arc<dyn ClientCertVerifier>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).map_err(fail)?;
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(fail)
    }
}

impl fmt::Debug for CertificateAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateAuthority")
            .finish_non_exhaustive()
    }
}

fn params(names: &[String], common_name: &str) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(names).map_err(fail)?;
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    Ok(params)
}

fn fail(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::Config, "a certificate for tests cannot be made").with_source(cause)
}

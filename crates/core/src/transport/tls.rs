//! TLS by rustls: providers and trusted roots. All rustls names in this crate are in this file and
//! in `connect.rs`.
//!
//! The provider is always chosen explicitly: if a build contains two providers or none, using
//! rustls' process default would panic at the first connection.

use std::sync::{Arc, Mutex};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};

use crate::sync::lock;
use crate::text::without_mark;
use crate::{Error, ErrorKind, Result};

/// The TLS settings of a client.
#[derive(Clone, Debug, Default)]
pub(super) struct TlsSettings {
    pub(super) provider: Option<Arc<CryptoProvider>>,
    pub(super) roots: Roots,
    pub(super) extra_roots: Vec<CertificateDer<'static>>,
}

/// Which root certificates are trusted besides those added explicitly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Roots {
    /// The system's; or the bundled list if only that is compiled in.
    #[default]
    Default,
    #[cfg(feature = "roots-bundled")]
    Bundled,
    OnlyExtra,
    /// Any certificate passes.
    Unchecked,
}

impl TlsSettings {
    /// Adds the certificates of a bundle, all or none of them.
    pub(super) fn add_root_pem(&mut self, pem: &[u8]) -> Result<()> {
        let mut found = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(without_mark(pem)) {
            let at = found.len() + 1;
            let certificate = certificate.map_err(|cause| {
                let what =
                    format!("the bundle of root certificates is not PEM at certificate {at}");
                Error::new(ErrorKind::Config, what).with_source(cause)
            })?;
            // Checked here: the verifiers skip or refuse it later, without its position.
            let checked = rustls::RootCertStore::empty().add(certificate.clone());
            checked.map_err(|cause| {
                let what =
                    format!("certificate {at} of the bundle of root certificates is unusable");
                Error::new(ErrorKind::Config, what).with_source(cause)
            })?;
            found.push(certificate);
        }
        if found.is_empty() {
            return Err(Error::new(
                ErrorKind::Config,
                "the bundle of root certificates holds no certificate in PEM form",
            ));
        }
        self.extra_roots.append(&mut found);
        Ok(())
    }

    /// Builds the configuration, or returns the one that an equal client built before.
    pub(super) fn client_config(&self) -> Result<Arc<ClientConfig>> {
        let (provider, key) = self.provider()?;
        let shared = match key {
            Some(key) if self.extra_roots.is_empty() => Some((key, self.roots)),
            _ => None,
        };
        let Some(wanted) = shared else {
            return self.build(provider);
        };
        let mut table = lock(&SHARED);
        if let Some((_, config)) = table.iter().find(|(key, _)| *key == wanted) {
            return Ok(Arc::clone(config));
        }
        let config = self.build(provider)?;
        table.push((wanted, Arc::clone(&config)));
        Ok(config)
    }

    /// Returns the builder's provider, otherwise the process default, otherwise a compiled-in one.
    fn provider(&self) -> Result<(Arc<CryptoProvider>, Option<&'static str>)> {
        if let Some(provider) = &self.provider {
            return Ok((Arc::clone(provider), None));
        }
        if let Some(provider) = CryptoProvider::get_default() {
            return Ok((Arc::clone(provider), Some("installed")));
        }
        #[cfg(feature = "tls-ring")]
        return Ok((
            Arc::new(rustls::crypto::ring::default_provider()),
            Some("ring"),
        ));
        #[cfg(all(feature = "tls-aws-lc", not(feature = "tls-ring")))]
        return Ok((
            Arc::new(rustls::crypto::aws_lc_rs::default_provider()),
            Some("aws-lc"),
        ));
        #[cfg(not(any(feature = "tls-ring", feature = "tls-aws-lc")))]
        Err(Error::new(
            ErrorKind::Config,
            "https needs a TLS provider: enable the feature tls-ring or tls-aws-lc, give one to \
             the transport's builder, or install a rustls process default",
        ))
    }

    fn build(&self, provider: Arc<CryptoProvider>) -> Result<Arc<ClientConfig>> {
        let fail = |cause: rustls::Error| {
            Error::new(ErrorKind::Config, "TLS cannot be set up").with_source(cause)
        };
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(fail)?;
        let config = match self.roots {
            Roots::Unchecked => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Unchecked(provider)))
                .with_no_client_auth(),
            #[cfg(feature = "roots-platform")]
            Roots::Default => {
                let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(
                    self.extra_roots.iter().cloned(),
                    provider,
                )
                .map_err(fail)?;
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(verifier))
                    .with_no_client_auth()
            }
            #[cfg(all(feature = "roots-bundled", not(feature = "roots-platform")))]
            Roots::Default => builder
                .with_root_certificates(self.store(true)?)
                .with_no_client_auth(),
            #[cfg(not(any(feature = "roots-bundled", feature = "roots-platform")))]
            Roots::Default if self.extra_roots.is_empty() => {
                return Err(Error::new(
                    ErrorKind::Config,
                    "https needs trusted roots: enable the feature roots-platform or \
                     roots-bundled, or add your own",
                ));
            }
            #[cfg(feature = "roots-bundled")]
            Roots::Bundled => builder
                .with_root_certificates(self.store(true)?)
                .with_no_client_auth(),
            _ => builder
                .with_root_certificates(self.store(false)?)
                .with_no_client_auth(),
        };
        Ok(Arc::new(config))
    }

    fn store(&self, bundled: bool) -> Result<rustls::RootCertStore> {
        let mut store = rustls::RootCertStore::empty();
        #[cfg(feature = "roots-bundled")]
        if bundled {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        #[cfg(not(feature = "roots-bundled"))]
        let _ = bundled;
        for root in &self.extra_roots {
            store.add(root.clone()).map_err(|cause| {
                Error::new(ErrorKind::Config, "a root certificate is unusable").with_source(cause)
            })?;
        }
        if store.is_empty() {
            return Err(Error::new(
                ErrorKind::Config,
                "no root certificate is trusted",
            ));
        }
        Ok(store)
    }
}

/// Accepts every certificate. Signatures are still checked: the peer has the key of the certificate
/// that it presents.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Loading the system's roots takes milliseconds of CPU; clients with the same settings share them.
static SHARED: Mutex<Vec<SharedConfig>> = Mutex::new(Vec::new());

type SharedConfig = ((&'static str, Roots), Arc<ClientConfig>);

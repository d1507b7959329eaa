//! TLS by rustls: providers, trusted roots and client certificates. All rustls names in this crate
//! are in this folder and in `connect.rs`.
//!
//! The provider is always chosen explicitly: if a build contains two providers or none, using
//! rustls' process default would panic at the first connection.

mod identity;
mod unchecked;

#[cfg(any(feature = "tls-ring", feature = "tls-aws-lc"))]
use std::sync::LazyLock;
use std::sync::{Arc, Mutex, Weak};

use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use self::identity::Identity;
use self::unchecked::Unchecked;
use crate::sync::lock;
use crate::text::without_mark;
use crate::{Error, ErrorKind, Result};

/// The TLS settings of a client.
#[derive(Clone, Debug, Default)]
pub(super) struct TlsSettings {
    pub(super) provider: Option<Arc<CryptoProvider>>,
    pub(super) roots: Roots,
    extra_roots: Vec<CertificateDer<'static>>,
    identity: Option<Identity>,
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

    /// Sets the certificate with which the client proves who it is.
    pub(super) fn set_identity_pem(&mut self, chain: &[u8], key: &[u8]) -> Result<()> {
        self.identity = Some(Identity::from_pem(chain, key)?);
        Ok(())
    }

    /// Returns the settings for a proxy, which is no server that the client proves itself to, and
    /// whose certificate is always checked.
    #[cfg(feature = "proxy")]
    pub(super) fn for_proxy(&self) -> Self {
        let roots = match self.roots {
            Roots::Unchecked => Roots::Default,
            checked => checked,
        };
        Self {
            roots,
            identity: None,
            ..self.clone()
        }
    }

    /// Returns whether anything was set that is of no use without TLS.
    pub(super) fn has_identity(&self) -> bool {
        self.identity.is_some()
    }

    /// Builds the configuration, or returns the one of another client with the same settings.
    pub(super) fn client_config(&self) -> Result<Arc<ClientConfig>> {
        if self.roots == Roots::Unchecked {
            tracing::warn!(
                "certificates of servers are not checked: anyone on the way can read and change \
                 what is sent"
            );
        }
        let provider = self.provider()?;
        let mut table = lock(&SHARED);
        table.retain(|shared| shared.config.strong_count() > 0);
        let same = table.iter().find(|shared| shared.is_for(self, &provider));
        if let Some(config) = same.and_then(|shared| shared.config.upgrade()) {
            return Ok(config);
        }
        let config = self.build(Arc::clone(&provider))?;
        // A provider that callers make for each client would otherwise stay with its configuration.
        let usual = Self::default().provider();
        let is_common = self.extra_roots.is_empty()
            && self.identity.is_none()
            && usual.is_ok_and(|usual| Arc::ptr_eq(&usual, &provider));
        table.push(Shared {
            roots: self.roots,
            extra_roots: self.extra_roots.clone(),
            identity: self.identity.as_ref().map(Identity::digest),
            provider,
            config: Arc::downgrade(&config),
            _kept: is_common.then(|| Arc::clone(&config)),
        });
        Ok(config)
    }

    /// Returns the builder's provider, otherwise the process default, otherwise a compiled-in one.
    fn provider(&self) -> Result<Arc<CryptoProvider>> {
        if let Some(provider) = self.provider.as_ref().or(CryptoProvider::get_default()) {
            return Ok(Arc::clone(provider));
        }
        #[cfg(any(feature = "tls-ring", feature = "tls-aws-lc"))]
        {
            static COMPILED_IN: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
                #[cfg(feature = "tls-ring")]
                let provider = rustls::crypto::ring::default_provider();
                #[cfg(not(feature = "tls-ring"))]
                let provider = rustls::crypto::aws_lc_rs::default_provider();
                Arc::new(provider)
            });
            Ok(Arc::clone(&COMPILED_IN))
        }
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
        let builder = match self.roots {
            Roots::Unchecked => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Unchecked(provider))),
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
            }
            #[cfg(all(feature = "roots-bundled", not(feature = "roots-platform")))]
            Roots::Default => builder.with_root_certificates(self.store(true)?),
            #[cfg(not(any(feature = "roots-bundled", feature = "roots-platform")))]
            Roots::Default if self.extra_roots.is_empty() => {
                return Err(Error::new(
                    ErrorKind::Config,
                    "https needs trusted roots: enable the feature roots-platform or \
                     roots-bundled, or add your own",
                ));
            }
            #[cfg(feature = "roots-bundled")]
            Roots::Bundled => builder.with_root_certificates(self.store(true)?),
            _ => builder.with_root_certificates(self.store(false)?),
        };
        let config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => builder
                .with_client_auth_cert(identity.chain(), identity.key())
                .map_err(|cause| {
                    let why = "the client certificate and its key cannot be used together";
                    Error::new(ErrorKind::Config, why).with_source(cause)
                })?,
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

/// Returns what the peer said when it ended the connection by a TLS alert: with TLS 1.3 it refuses a
/// client certificate, or its lack, only after the handshake.
pub(super) fn alert(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    std::iter::successors(Some(cause), |cause| cause.source())
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .filter_map(|cause| cause.get_ref()?.downcast_ref::<rustls::Error>())
        .find(|cause| matches!(cause, rustls::Error::AlertReceived(_)))
        .map(ToString::to_string)
}

/// The configurations in use. Loading the system's roots takes milliseconds of CPU, and clients with
/// the same configuration can resume each other's TLS sessions.
static SHARED: Mutex<Vec<Shared>> = Mutex::new(Vec::new());

struct Shared {
    roots: Roots,
    extra_roots: Vec<CertificateDer<'static>>,
    /// By its digest, since the entry may outlive the clients that have the key.
    identity: Option<[u8; 32]>,
    /// The provider that the settings led to.
    provider: Arc<CryptoProvider>,
    config: Weak<ClientConfig>,
    /// Those with common roots and the usual provider alone stay, for clients that are built later.
    _kept: Option<Arc<ClientConfig>>,
}

impl Shared {
    fn is_for(&self, settings: &TlsSettings, provider: &Arc<CryptoProvider>) -> bool {
        Arc::ptr_eq(&self.provider, provider)
            && self.roots == settings.roots
            && self.extra_roots == settings.extra_roots
            && self.identity == settings.identity.as_ref().map(Identity::digest)
    }
}

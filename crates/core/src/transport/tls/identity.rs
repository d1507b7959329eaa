//! The certificate with which a client proves who it is.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

use crate::text::without_mark;
use crate::{Error, ErrorKind, Result};

/// A chain of certificates, the client's own first, and its key. The key is wiped when the last
/// clone is dropped.
#[derive(Clone)]
pub(super) struct Identity(Arc<Parts>);

struct Parts {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    /// Of key and chain: identities are compared by it, rather than by their keys.
    digest: [u8; 32],
}

impl Identity {
    /// Reads both from PEM. No error has a cause, since that could quote a part of the key.
    pub(super) fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self> {
        let refuse = |why: String| Err(Error::new(ErrorKind::Config, why));
        let mut certificates = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(without_mark(chain)) {
            match certificate {
                Ok(certificate) => certificates.push(certificate),
                Err(_) => {
                    let at = certificates.len() + 1;
                    return refuse(format!("the client certificate is not PEM at entry {at}"));
                }
            }
        }
        if certificates.is_empty() {
            return refuse("the client certificate holds no certificate in PEM form".to_owned());
        }
        let Ok(key) = PrivateKeyDer::from_pem_slice(without_mark(key)) else {
            let why = "the key of the client certificate holds no private key in PEM form; an \
                       encrypted one must be decrypted first";
            return refuse(why.to_owned());
        };
        let mut digest = Sha256::new_with_prefix(key.secret_der());
        for certificate in &certificates {
            digest.update(certificate.len().to_be_bytes());
            digest.update(certificate);
        }
        Ok(Self(Arc::new(Parts {
            chain: certificates,
            key,
            digest: digest.finalize().into(),
        })))
    }

    pub(super) fn digest(&self) -> [u8; 32] {
        self.0.digest
    }

    pub(super) fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.0.chain.clone()
    }

    /// Returns a copy of the key, which the provider must keep in its own form.
    pub(super) fn key(&self) -> PrivateKeyDer<'static> {
        self.0.key.clone_key()
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(..)")
    }
}

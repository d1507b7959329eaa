//! Files with keys: the private key, as this program writes it, and the container of public ones.

use std::fs::{self, File};
use std::path::Path;

use vouchsafe::core::Secret;
use vouchsafe::core::text::str_without_mark;
use vouchsafe::ticket::rw::{KeyError, PrivateKey};
use vouchsafe::ticket::{KeyContainer, KeyId, base64url};

use crate::failure::Failure;
use crate::files::{SecretFile, put_public};
use crate::secret::read_secret;

/// A private key with the id that its public half has in the container.
pub(super) struct SigningKey {
    pub(super) id: KeyId,
    pub(super) key: PrivateKey,
}

impl SigningKey {
    /// Reads the file that [`write`](Self::write) wrote.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let place = path.display();
        let text = File::open(path).and_then(read_secret).map_err(|cause| {
            Failure::usage(format!("the key file {place} cannot be read: {cause}"))
        })?;
        Self::parse(&text).ok_or_else(|| {
            Failure::usage(format!("{place} is not a key file"))
                .hint("vouchsafe ticket keygen --out FILE creates one")
        })
    }

    fn parse(text: &Secret) -> Option<Self> {
        let rest = text.expose().trim().strip_prefix(MARK)?;
        let (id, der) = rest.split_once(':')?;
        let der = base64url::decode(der.as_bytes())?;
        Some(Self {
            id: id.parse().ok()?,
            key: PrivateKey::from_der(&der).ok()?,
        })
    }

    /// Writes the key into a file that was opened for it.
    pub(super) fn write(&self, file: SecretFile) -> Result<(), Failure> {
        file.keep(&self.text())
    }

    fn text(&self) -> Secret {
        let der = base64url::encode(&self.key.to_der());
        Secret::from(format!("{MARK}{}:{der}", self.id))
    }
}

/// Reads a container.
pub(super) fn read_container(path: &Path) -> Result<KeyContainer, Failure> {
    let place = path.display();
    let text = fs::read_to_string(path)
        .map_err(|cause| Failure::usage(format!("the keys {place} cannot be read: {cause}")))?;
    KeyContainer::parse(str_without_mark(&text).trim())
        .map_err(|fault| Failure::usage(format!("the keys {place}: {}", fault.message())))
}

/// Writes a container, which is not secret.
pub(super) fn write_container(path: &Path, text: &str) -> Result<(), Failure> {
    put_public(path, format!("{text}\n").as_bytes())
        .map_err(|cause| Failure::failed(format!("{} cannot be written: {cause}", path.display())))
}

pub(super) fn key_failure(fault: KeyError) -> Failure {
    match fault {
        KeyError::NoRandomness => Failure::failed(fault.to_string()),
        _ => Failure::usage(format!("the key: {fault}")),
    }
}

const MARK: &str = "rw-private-key:";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_leads_back_to_its_key() {
        let key = PrivateKey::generate(1024).unwrap();
        let written = SigningKey {
            id: KeyId::new(7),
            key,
        }
        .text();
        let read = SigningKey::parse(&Secret::from(format!("{}\n", written.expose()))).unwrap();
        assert_eq!(read.id, KeyId::new(7));
        assert_eq!(read.text(), written);
        for text in [
            "",
            "rw-private-key:",
            "rw-private-key:7",
            "rw-private-key:x:AAAA",
        ] {
            assert!(SigningKey::parse(&Secret::from(text)).is_none(), "{text}");
        }
    }
}

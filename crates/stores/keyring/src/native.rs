//! The keyrings of Apple's systems and of Windows, by the crate `keyring-core`.

use std::fmt;
use std::sync::Arc;

use keyring_core::api::CredentialStore;
use keyring_core::{Entry, Error as Cause};
use sha2::{Digest as _, Sha256};
use vouchsafe_core::store::Key;
use vouchsafe_core::task::blocking;
use vouchsafe_core::text::hex;
use vouchsafe_core::{BoxFuture, Error, ErrorKind, Result, SecretBytes};
use zeroize::Zeroizing;

use crate::keyring::{Keyring, LARGEST, Lock, VERSION};

/// A keyring whose entries may have a maximum size. Longer contents are kept in parts.
///
/// The entry of a record has its content, or says where its parts are. A writer puts the parts where
/// those of the last content are not, then replaces the entry: so a reader sees one content or the
/// other, and a killed writer has changed nothing.
#[derive(Clone)]
pub(crate) struct Native {
    store: Arc<CredentialStore>,
    /// The maximum size of an entry in bytes.
    most: Option<usize>,
}

impl fmt::Debug for Native {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Native")
    }
}

/// The first byte of an entry: the content follows, or its parts are elsewhere.
const WHOLE: u8 = 0;
const PARTS: [u8; 2] = [1, 2];
/// How often a reader begins again whose parts were replaced meanwhile.
const ROUNDS: usize = 100;

type Done<T> = std::result::Result<T, Cause>;

impl Native {
    pub(crate) fn new(store: Arc<CredentialStore>, most: Option<usize>) -> Self {
        Self { store, most }
    }

    fn entry(&self, name: &str) -> Done<Entry> {
        // Not one that follows its user to other machines.
        #[cfg(windows)]
        let modifiers = Some(std::collections::HashMap::from([("persistence", "Local")]));
        #[cfg(not(windows))]
        let modifiers = None;
        self.store.build("vouchsafe", name, modifiers.as_ref())
    }

    fn get(&self, name: &str) -> Done<Option<Zeroizing<Vec<u8>>>> {
        match self.entry(name)?.get_secret() {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(Cause::NoEntry) => Ok(None),
            Err(cause) => Err(cause),
        }
    }

    fn delete(&self, name: &str) -> Done<()> {
        match self.entry(name)?.delete_credential() {
            Ok(()) | Err(Cause::NoEntry) => Ok(()),
            Err(cause) => Err(cause),
        }
    }

    /// Returns the content under a name. The inner error is that of parts that do not fit.
    fn read(&self, name: &str) -> Done<std::result::Result<Option<SecretBytes>, ()>> {
        let mut last = None;
        for _ in 0..ROUNDS {
            let Some(head) = self.get(name)? else {
                return Ok(Ok(None));
            };
            match head.split_first() {
                Some((&WHOLE, content)) => {
                    return Ok(Ok(Some(SecretBytes::from(content.to_vec()))));
                }
                Some((slot, about)) if PARTS.contains(slot) => {
                    if let Some(content) = self.gather(name, *slot, about)? {
                        return Ok(Ok(Some(content)));
                    }
                }
                _ => return Ok(Err(())),
            }
            // Parts that do not fit although the entry is the same are damaged.
            if last.as_deref() == Some(&*head) {
                return Ok(Err(()));
            }
            last = Some(head);
        }
        Ok(Err(()))
    }

    fn gather(&self, name: &str, slot: u8, about: &[u8]) -> Done<Option<SecretBytes>> {
        let Some((&count, version)) = about.split_first() else {
            return Ok(None);
        };
        // Reserve all of it at once: a buffer that grows leaves copies behind.
        let mut content = Zeroizing::new(Vec::with_capacity(VERSION + LARGEST));
        content.extend_from_slice(version);
        for number in 0..count {
            let part = self.get(&part(name, slot, number))?;
            match part.as_deref().and_then(|part| part.strip_prefix(version)) {
                Some(piece) if content.len() + piece.len() <= VERSION + LARGEST => {
                    content.extend_from_slice(piece);
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(SecretBytes::from(std::mem::take(&mut *content))))
    }

    fn write(&self, name: &str, content: &[u8]) -> Done<()> {
        let most = self.most.unwrap_or(usize::MAX);
        if content.len() < most {
            let whole = Zeroizing::new([&[WHOLE], content].concat());
            self.entry(name)?.set_secret(&whole)?;
            return self.clear(name, None, 0);
        }
        let last = self.get(name)?.and_then(|head| head.first().copied());
        let slot = if last == Some(PARTS[0]) {
            PARTS[1]
        } else {
            PARTS[0]
        };
        let (version, value) = content.split_at(VERSION);
        let mut count = 0;
        for piece in value.chunks(most - VERSION) {
            let piece = Zeroizing::new([version, piece].concat());
            self.entry(&part(name, slot, count))?.set_secret(&piece)?;
            count += 1;
        }
        let head = [&[slot, count], version].concat();
        self.entry(name)?.set_secret(&head)?;
        self.clear(name, Some(slot), count)
    }

    /// Removes all parts but the first ones of a slot: those of earlier contents, and what killed
    /// writers left.
    fn clear(&self, name: &str, slot: Option<u8>, count: u8) -> Done<()> {
        let Some(most) = self.most else {
            return Ok(());
        };
        let all = LARGEST.div_ceil(most - VERSION);
        for number in 0..u8::try_from(all).unwrap_or(u8::MAX) {
            for of in PARTS {
                if slot != Some(of) || number >= count {
                    self.delete(&part(name, of, number))?;
                }
            }
        }
        Ok(())
    }

    async fn run<T: Send + 'static>(
        &self,
        what: &'static str,
        work: impl FnOnce(Self) -> Done<T> + Send + 'static,
    ) -> Result<T> {
        let keyring = self.clone();
        let done = blocking("using the keyring", move || work(keyring)).await?;
        done.map_err(|cause| failed(what, &cause))
    }
}

/// Names are digests: keyrings limit their length, and some do not tell `a` from `A`.
fn name(key: &Key) -> String {
    let mut digest = Sha256::new();
    digest.update([u8::from(key.is_lease())]);
    digest.update((key.namespace().len() as u64).to_be_bytes());
    digest.update(key.namespace());
    digest.update(key.profile());
    hex(&digest.finalize())
}

fn part(name: &str, slot: u8, number: u8) -> String {
    format!("{name}.{slot}.{number}")
}

/// Without the cause: some hold the secret.
fn failed(what: &str, cause: &Cause) -> Error {
    let (why, may_recover) = match cause {
        Cause::PlatformFailure(cause) => (cause.to_string(), true),
        Cause::NoStorageAccess(cause) => {
            let why = format!("access was denied, or the keyring is locked: {cause}");
            (why, true)
        }
        Cause::TooLong(what, limit) => (format!("{what} may have {limit} bytes"), false),
        Cause::Ambiguous(_) => ("there is more than one".to_owned(), false),
        _ => (
            "it is not of this store, or damaged; remove it".to_owned(),
            false,
        ),
    };
    let what = format!("cannot {what} in the keyring: {why}");
    Error::new(ErrorKind::Store, what).with_retryable(may_recover)
}

impl Keyring for Native {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<SecretBytes>>> {
        let (what, name) = ("read a record", name(key));
        Box::pin(async move {
            let read = self.run(what, move |keyring| keyring.read(&name)).await?;
            read.map_err(|()| failed(what, &Cause::BadStoreFormat(String::new())))
        })
    }

    fn save<'a>(
        &'a self,
        key: &'a Key,
        content: SecretBytes,
        lock: &'a Arc<Lock>,
    ) -> BoxFuture<'a, Result<()>> {
        let (name, lock) = (name(key), Arc::clone(lock));
        Box::pin(self.run("write a record", move |keyring| {
            let _lock = lock;
            keyring.write(&name, content.expose())
        }))
    }

    fn remove<'a>(&'a self, key: &'a Key, lock: &'a Arc<Lock>) -> BoxFuture<'a, Result<()>> {
        let (name, lock) = (name(key), Arc::clone(lock));
        Box::pin(self.run("remove a record", move |keyring| {
            let _lock = lock;
            keyring.delete(&name)?;
            keyring.clear(&name, None, 0)
        }))
    }

    /// Not supported: names are digests.
    fn list<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<Vec<String>>>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}

#[cfg(test)]
mod tests;

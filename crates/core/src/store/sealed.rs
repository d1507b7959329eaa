//! Records that only the holders of a key can read.

use std::fmt;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::pbkdf2;
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use super::place::{Owner, open_to_read};
use super::record::{Capabilities, Expect, Key, Loaded, Store, Swapped, Watch};
use crate::{BoxFuture, Error, ErrorKind, Result, Secret, SecretBytes};

/// A [`Store`] that encrypts the records of another with AES-256-GCM.
///
/// A record can be read only with its key and under its own name; reading one that was altered, or
/// copied from another name, is an error. Names, sizes and times of changes stay visible. An
/// untrusted server can still withhold records, or return earlier ones.
///
/// To change the key, open the store with the new one and [`also_open`](Self::also_open) with the
/// old one everywhere, then [`reseal`](Self::reseal) each record, then drop the old one. A key is
/// good for four thousand million writes.
#[derive(Clone, Debug)]
pub struct Sealed {
    store: Arc<dyn Store>,
    keys: Vec<SealingKey>,
}

/// A key of a [`Sealed`] store.
#[derive(Clone)]
pub struct SealingKey {
    id: [u8; ID],
    key: Arc<LessSafeKey>,
}

impl SealingKey {
    /// Creates a key from 32 random bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if there are more or fewer.
    pub fn from_bytes(bytes: &SecretBytes) -> Result<Self> {
        let key = UnboundKey::new(&AES_256_GCM, bytes.expose()).map_err(|_| {
            let what = format!(
                "a key has {KEY} bytes, and this one has {}",
                bytes.expose().len()
            );
            Error::new(ErrorKind::Config, what)
        })?;
        // Only distinguishes keys, so part of a digest is enough.
        let digest = ring::digest::digest(&ring::digest::SHA256, &marked(b"key", bytes.expose()));
        let mut id = [0; ID];
        id.copy_from_slice(&digest.as_ref()[..ID]);
        Ok(Self {
            id,
            key: Arc::new(LessSafeKey::new(key)),
        })
    }

    /// Reads a key from a file that holds 32 random bytes in base64, as
    /// `openssl rand -base64 32` writes them. Blocks.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the file cannot be read, holds no key, or other users can write it.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let read = || {
            let file = open_to_read(path)?.ok_or(std::io::ErrorKind::NotFound)?;
            Owner::of_process().require_for(&file.metadata()?)?;
            Secret::read(file, 1024)
        };
        let at = |error: Error| error.with_origin(path.display());
        let text = read().map_err(|cause| {
            at(Error::new(
                ErrorKind::Config,
                format!("the key cannot be read: {cause}"),
            ))
        })?;
        let bytes = STANDARD.decode(text.trimmed().expose()).map_err(|_| {
            let what = "it holds no key; `openssl rand -base64 32` makes one";
            at(Error::new(ErrorKind::Config, what))
        })?;
        Self::from_bytes(&SecretBytes::from(bytes)).map_err(at)
    }

    /// Derives a key from a passphrase by PBKDF2 with SHA-256. This is deliberately slow (a good
    /// part of a second); call it once, at start-up.
    ///
    /// `salt` is not secret, but should differ between applications, so that keys of common
    /// passphrases cannot be computed in advance. The key is as hard to guess as the passphrase.
    #[must_use]
    pub fn from_passphrase(passphrase: &Secret, salt: &str) -> Self {
        let mut bytes = Zeroizing::new(vec![0; KEY]);
        let salt = marked(b"salt", salt.as_bytes());
        let text = passphrase.expose().as_bytes();
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, &salt, text, &mut bytes);
        match Self::from_bytes(&SecretBytes::from(bytes.to_vec())) {
            Ok(key) => key,
            Err(_) => unreachable!("it was made with the right length"),
        }
    }
}

/// Shows the id of the key, not the key.
impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey({})", crate::text::hex(&self.id))
    }
}

const KEY: usize = 32;
const ID: usize = 8;
/// As OWASP recommends for PBKDF2 with SHA-256.
const ROUNDS: NonZeroU32 = NonZeroU32::new(600_000).expect("it is not zero");
/// The format and its version, which are authenticated too.
const MARK: &[u8] = b"vouchsafe-sealed 1\n";
const HEAD: usize = MARK.len() + ID + NONCE_LEN;
const TAG: usize = 16;

fn marked(what: &[u8], bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([MARK, what, bytes].concat())
}

/// What a record is bound to.
fn bound_to(key: &Key) -> Aad<Vec<u8>> {
    let kind: &[u8] = if key.is_lease() { b"lease" } else { b"record" };
    let mut bound = [MARK, kind].concat();
    for name in [key.namespace(), key.profile()] {
        bound.extend_from_slice(&(name.len() as u64).to_be_bytes());
        bound.extend_from_slice(name.as_bytes());
    }
    Aad::from(bound)
}

impl Sealed {
    /// Encrypts the records of a store with a key.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, key: SealingKey) -> Self {
        Self {
            store,
            keys: vec![key],
        }
    }

    /// Also opens records of an earlier key.
    #[must_use]
    pub fn also_open(mut self, key: SealingKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Writes a record again with the current key, and returns whether it had another key before.
    ///
    /// # Errors
    ///
    /// Those of the store, and if the record cannot be opened.
    pub async fn reseal(&self, key: &Key) -> Result<bool> {
        loop {
            let Some(sealed) = self.store.load(key).await? else {
                return Ok(false);
            };
            if self.key_of(&sealed.value).is_some_and(|at| at == 0) {
                return Ok(false);
            }
            let opened = self.open(key, sealed)?;
            let expect = Expect::Version(opened.version);
            let value = self.seal(key, &opened.value)?;
            if let Swapped::Done(_) = self.store.compare_and_swap(key, &expect, &value).await? {
                return Ok(true);
            }
        }
    }

    /// Returns the key that a record was sealed with.
    fn key_of(&self, sealed: &SecretBytes) -> Option<usize> {
        let id = sealed.expose().strip_prefix(MARK)?.get(..ID)?;
        self.keys.iter().position(|key| key.id == *id)
    }

    fn seal(&self, key: &Key, value: &SecretBytes) -> Result<SecretBytes> {
        let with = &self.keys[0];
        let mut nonce = [0; NONCE_LEN];
        let failed = |_| Error::new(ErrorKind::Store, "a record cannot be sealed");
        SystemRandom::new().fill(&mut nonce).map_err(failed)?;
        // Reserve all of it at once: a buffer that grows leaves copies behind.
        let length = HEAD + value.expose().len() + TAG;
        let mut sealed = Zeroizing::new(Vec::with_capacity(length));
        sealed.extend_from_slice(MARK);
        sealed.extend_from_slice(&with.id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(value.expose());
        let nonce = Nonce::assume_unique_for_key(nonce);
        let secret = &mut sealed[HEAD..];
        let tag = with
            .key
            .seal_in_place_separate_tag(nonce, bound_to(key), secret)
            .map_err(failed)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(SecretBytes::from(std::mem::take(&mut *sealed)))
    }

    fn open(&self, key: &Key, loaded: Loaded) -> Result<Loaded> {
        let refused = |why: &str| {
            let (namespace, profile) = (key.namespace(), key.profile());
            Error::new(
                ErrorKind::Store,
                format!("{namespace}/{profile} cannot be opened: {why}"),
            )
        };
        let sealed = loaded.value.expose();
        if !sealed.starts_with(MARK) || sealed.len() < HEAD + TAG {
            return Err(refused(
                "it is not sealed; write it again through a sealed store",
            ));
        }
        let Some(at) = self.key_of(&loaded.value) else {
            return Err(refused(
                "it was sealed with a key that is not here; add it by also_open()",
            ));
        };
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&sealed[MARK.len() + ID..HEAD]);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let mut opened = Zeroizing::new(sealed[HEAD..].to_vec());
        let length = self.keys[at]
            .key
            .open_in_place(nonce, bound_to(key), &mut opened);
        let length = length
            .map_err(|_| refused("it was altered, or is of another name"))?
            .len();
        opened.truncate(length);
        Ok(Loaded {
            value: SecretBytes::from(std::mem::take(&mut *opened)),
            version: loaded.version,
        })
    }
}

impl Store for Sealed {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        Box::pin(async move {
            let loaded = self.store.load(key).await?;
            loaded.map(|loaded| self.open(key, loaded)).transpose()
        })
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>> {
        Box::pin(async move {
            self.capabilities().require_room(key, value)?;
            let sealed = self.seal(key, value)?;
            Ok(
                match self.store.compare_and_swap(key, expect, &sealed).await? {
                    Swapped::Conflict(Some(there)) => {
                        Swapped::Conflict(Some(self.open(key, there)?))
                    }
                    other => other,
                },
            )
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        self.store.remove(key, expect)
    }

    fn list<'a>(&'a self, namespace: &'a str) -> BoxFuture<'a, Result<Option<Vec<String>>>> {
        self.store.list(namespace)
    }

    fn watch(&self, key: &Key) -> Option<Watch> {
        self.store.watch(key)
    }

    fn capabilities(&self) -> Capabilities {
        let of_store = self.store.capabilities();
        Capabilities {
            max_bytes: of_store
                .max_bytes
                .map(|most| most.saturating_sub(HEAD + TAG)),
            ..of_store
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    fn key_of(byte: u8) -> SealingKey {
        SealingKey::from_bytes(&SecretBytes::from(vec![byte; KEY])).unwrap()
    }

    #[cfg(feature = "mock")]
    fn open(place: &Path) -> Arc<dyn Store> {
        let store = crate::store::FolderStore::open(place).unwrap();
        Arc::new(Sealed::new(Arc::new(store), key_of(1)))
    }

    #[cfg(feature = "mock")]
    crate::store_contract!(contract, super::open);

    fn key() -> Key {
        Key::new("application", "profile")
    }

    fn planted() -> SecretBytes {
        SecretBytes::from(b"planted".to_vec())
    }

    async fn write(store: &dyn Store, key: &Key, value: &SecretBytes) {
        let swapped = store.compare_and_swap(key, &Expect::Any, value).await;
        assert!(matches!(swapped, Ok(Swapped::Done(_))));
    }

    async fn refusal(store: &dyn Store, key: &Key) -> String {
        let error = store.load(key).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store);
        assert!(!error.is_retryable());
        assert!(!format!("{error:?}").contains("planted"));
        error.to_string()
    }

    #[tokio::test]
    async fn the_store_below_sees_neither_the_record_nor_twice_the_same() {
        let below = Arc::new(MemoryStore::new());
        let store = Sealed::new(below.clone(), key_of(1));
        let mut seen = Vec::new();
        for _ in 0..2 {
            write(&store, &key(), &planted()).await;
            let sealed = below.load(&key()).await.unwrap().unwrap().value;
            assert!(!sealed.expose().windows(7).any(|bytes| bytes == b"planted"));
            assert_eq!(sealed.expose().len(), HEAD + 7 + TAG);
            seen.push(sealed.expose().to_vec());
        }
        assert_ne!(seen[0], seen[1]);
        assert_eq!(store.load(&key()).await.unwrap().unwrap().value, planted());
    }

    #[tokio::test]
    async fn a_record_that_was_altered_moved_or_never_sealed_is_refused() {
        let below = Arc::new(MemoryStore::new());
        let store = Sealed::new(below.clone(), key_of(1));
        write(&store, &key(), &planted()).await;
        let sealed = below.load(&key()).await.unwrap().unwrap().value;
        for at in [MARK.len() + ID, HEAD, sealed.expose().len() - 1] {
            let mut altered = sealed.expose().to_vec();
            altered[at] ^= 1;
            write(&*below, &key(), &SecretBytes::from(altered)).await;
            assert!(
                refusal(&store, &key()).await.contains("altered"),
                "byte {at}"
            );
        }
        for other in [
            Key::new("application", "other"),
            Key::new("applicationp", "rofile"),
        ] {
            write(&*below, &other, &sealed).await;
            assert!(refusal(&store, &other).await.contains("another name"));
        }
        for plain in [planted(), SecretBytes::from(MARK.to_vec())] {
            write(&*below, &key(), &plain).await;
            assert!(refusal(&store, &key()).await.contains("not sealed"));
        }
    }

    #[tokio::test]
    async fn a_key_is_changed_without_a_gap() {
        let below = Arc::new(MemoryStore::new());
        let old = Sealed::new(below.clone(), key_of(1));
        write(&old, &key(), &planted()).await;
        let new = Sealed::new(below.clone(), key_of(2));
        assert!(refusal(&new, &key()).await.contains("also_open"));
        let both = new.clone().also_open(key_of(1));
        assert_eq!(both.load(&key()).await.unwrap().unwrap().value, planted());
        assert!(both.reseal(&key()).await.unwrap());
        assert!(!both.reseal(&key()).await.unwrap());
        assert!(!both.reseal(&Key::new("application", "none")).await.unwrap());
        assert_eq!(new.load(&key()).await.unwrap().unwrap().value, planted());
        assert!(old.load(&key()).await.is_err());
    }

    #[test]
    fn keys_come_from_files_and_passphrases() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, format!("{}\n", STANDARD.encode([1; KEY]))).unwrap();
        assert_eq!(SealingKey::from_file(&path).unwrap().id, key_of(1).id);
        for bad in ["planted", &STANDARD.encode([1; KEY - 1])] {
            std::fs::write(&path, bad).unwrap();
            let error = SealingKey::from_file(&path).unwrap_err();
            assert!(
                error.is_config() && error.to_string().contains("key"),
                "{error}"
            );
            assert!(!format!("{error:?}").contains(bad));
        }
        let from = |text, salt| SealingKey::from_passphrase(&Secret::from(text), salt).id;
        assert_eq!(from("one", "a"), from("one", "a"));
        assert_ne!(from("one", "a"), from("two", "a"));
        assert_ne!(from("one", "a"), from("one", "b"));
    }
}

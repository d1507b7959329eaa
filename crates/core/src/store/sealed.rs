//! Records that only the holders of a key can read.

use std::fmt;
use std::fs::Metadata;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::pbkdf2;
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use super::place::{Owner, open_to_read};
use super::record::{Capabilities, Expect, Key, LIMIT, Leases, Loaded, Store, Swapped, Watch};
use crate::{BoxFuture, Error, ErrorKind, Result, Secret, SecretBytes};

/// A [`Store`] that encrypts the records of another with AES-256-GCM.
///
/// A record can be read only with its key and under its own name; reading one that was altered, or
/// copied from another name, is an error: the version of this format, the kind (record or lease),
/// the namespace and the profile are authenticated with it, as additional data. Names, sizes and
/// times of changes stay visible.
///
/// An untrusted server can still withhold records, or return earlier ones: a record's
/// [`Version`](super::Version) is not authenticated, since each conditional write changes it, often
/// to one that the server chooses.
///
/// To change the key, open the store with the new one and [`also_open`](Self::also_open) with the
/// old one everywhere, then [`reseal`](Self::reseal) each record, then drop the old one. A key is
/// good for four thousand million writes. A [`KeySource`] is one key here, however many it makes.
#[derive(Clone, Debug)]
pub struct Sealed {
    store: Arc<dyn Store>,
    holders: Vec<Holder>,
}

/// A service that makes keys for records, and keeps none of them: each is kept next to what it
/// seals, wrapped with a key that never leaves the service.
pub trait KeySource: fmt::Debug + Send + Sync + 'static {
    /// Returns what distinguishes this source from others, such as the name of its own key.
    fn name(&self) -> &str;

    /// Returns a key for writing a record.
    fn to_seal<'a>(&'a self, record: &'a Key) -> BoxFuture<'a, Result<WrappedKey>>;

    /// Returns the key of a record from its wrapped form. A form that the source did not make for
    /// this record is an error.
    fn to_open<'a>(
        &'a self,
        record: &'a Key,
        wrapped: &'a [u8],
    ) -> BoxFuture<'a, Result<SealingKey>>;
}

/// A key of a [`KeySource`].
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "sources make it")]
pub struct WrappedKey {
    /// The key.
    pub key: SealingKey,
    /// The form that is kept next to the record; at most 2,048 bytes.
    pub wrapped: Arc<[u8]>,
}

/// Where keys come from.
#[derive(Clone, Debug)]
enum Holder {
    Key(SealingKey),
    Source([u8; ID], Arc<dyn KeySource>),
}

impl Holder {
    fn id(&self) -> [u8; ID] {
        match self {
            Self::Key(key) => key.id,
            Self::Source(id, _) => *id,
        }
    }
}

impl From<SealingKey> for Holder {
    fn from(key: SealingKey) -> Self {
        Self::Key(key)
    }
}

impl From<Arc<dyn KeySource>> for Holder {
    fn from(source: Arc<dyn KeySource>) -> Self {
        Self::Source(id(b"source", source.name().as_bytes()), source)
    }
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
        Ok(Self {
            id: id(b"key", bytes.expose()),
            key: Arc::new(LessSafeKey::new(key)),
        })
    }

    /// Reads a key from a file that holds 32 random bytes in base64, as
    /// `openssl rand -base64 32` writes them. Blocks.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the file cannot be read, holds no key, belongs to another user, or
    /// other users can read or write it.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let read = || {
            let file = open_to_read(path)?.ok_or(std::io::ErrorKind::NotFound)?;
            let about = file.metadata()?;
            Owner::of_process().require_for(&about)?;
            require_unread(&about)?;
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

/// Checks that no other user may read the file of a key.
#[cfg(unix)]
fn require_unread(about: &Metadata) -> std::io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    if about.mode() & 0o044 != 0 {
        return Err(std::io::Error::other(format!(
            "other users may read it (mode {:04o}); chmod 600 it",
            about.mode() & 0o7777
        )));
    }
    Ok(())
}

/// Does nothing: only files on Unix have such modes.
#[cfg(not(unix))]
fn require_unread(_: &Metadata) -> std::io::Result<()> {
    Ok(())
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
/// The format and its version, which are authenticated too, as part of what a record is bound to.
const MARK: &[u8] = b"vouchsafe-sealed 1\n";
const HEAD: usize = MARK.len() + ID;
const TAG: usize = 16;

/// The size of a wrapped key in front of it, and the most that it may be.
const LENGTH: usize = 2;
const LONGEST_WRAPPED: usize = 2048;

/// Only distinguishes keys, so part of a digest is enough.
fn id(what: &[u8], bytes: &[u8]) -> [u8; ID] {
    let digest = ring::digest::digest(&ring::digest::SHA256, &marked(what, bytes));
    let mut id = [0; ID];
    id.copy_from_slice(&digest.as_ref()[..ID]);
    id
}

fn marked(what: &[u8], bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([MARK, what, bytes].concat())
}

/// What a record is bound to. Not its version: a conditional write changes that.
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
            holders: vec![key.into()],
        }
    }

    /// Encrypts the records of a store with keys of a service.
    #[must_use]
    pub fn with_source(store: Arc<dyn Store>, source: Arc<dyn KeySource>) -> Self {
        Self {
            store,
            holders: vec![source.into()],
        }
    }

    /// Also opens records of an earlier key.
    #[must_use]
    pub fn also_open(mut self, key: SealingKey) -> Self {
        self.holders.push(key.into());
        self
    }

    /// Also opens records with keys of an earlier service.
    #[must_use]
    pub fn also_open_with(mut self, source: Arc<dyn KeySource>) -> Self {
        self.holders.push(source.into());
        self
    }

    /// Writes a record, and its lease if that is in this store, again with the current key. Returns
    /// whether one of them had another key before. A lease that is held stays with its holder.
    ///
    /// # Errors
    ///
    /// Those of the store, and if the record or its lease cannot be opened.
    pub async fn reseal(&self, key: &Key) -> Result<bool> {
        // It stays there when it has ended, and no list has it.
        let of_lease = match key.is_lease() {
            true => false,
            false => self.reseal_one(&key.lease()).await?,
        };
        Ok(self.reseal_one(key).await? || of_lease)
    }

    async fn reseal_one(&self, key: &Key) -> Result<bool> {
        loop {
            let Some(sealed) = self.store.load(key).await? else {
                return Ok(false);
            };
            if self.key_of(&sealed.value).is_some_and(|at| at == 0) {
                return Ok(false);
            }
            let opened = self.open(key, sealed).await?;
            let expect = Expect::Version(opened.version);
            let value = self.seal(key, &opened.value).await?;
            if let Swapped::Done(_) = self.store.compare_and_swap(key, &expect, &value).await? {
                return Ok(true);
            }
        }
    }

    /// Returns the key or source that a record was sealed with.
    fn key_of(&self, sealed: &SecretBytes) -> Option<usize> {
        let id = sealed.expose().strip_prefix(MARK)?.get(..ID)?;
        self.holders.iter().position(|holder| holder.id() == *id)
    }

    async fn seal(&self, key: &Key, value: &SecretBytes) -> Result<SecretBytes> {
        let holder = &self.holders[0];
        let (with, wrapped) = match holder {
            Holder::Key(key) => (key.clone(), None),
            Holder::Source(_, source) => {
                let WrappedKey { key, wrapped } = source.to_seal(key).await?;
                (key, Some(wrapped))
            }
        };
        let mut nonce = [0; NONCE_LEN];
        let failed = |_| Error::new(ErrorKind::Store, "a record cannot be sealed");
        SystemRandom::new().fill(&mut nonce).map_err(failed)?;
        let of_key = wrapped.as_ref().map_or(0, |wrapped| LENGTH + wrapped.len());
        let head = HEAD + of_key + NONCE_LEN;
        // Reserve all of it at once: a buffer that grows leaves copies behind.
        let length = head + value.expose().len() + TAG;
        let mut sealed = Zeroizing::new(Vec::with_capacity(length));
        sealed.extend_from_slice(MARK);
        sealed.extend_from_slice(&holder.id());
        if let Some(wrapped) = wrapped {
            if wrapped.len() > LONGEST_WRAPPED {
                let what = format!("a wrapped key may have {LONGEST_WRAPPED} bytes");
                return Err(Error::new(ErrorKind::Store, what));
            }
            sealed.extend_from_slice(&(wrapped.len() as u16).to_be_bytes());
            sealed.extend_from_slice(&wrapped);
        }
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(value.expose());
        let nonce = Nonce::assume_unique_for_key(nonce);
        let secret = &mut sealed[head..];
        let tag = with
            .key
            .seal_in_place_separate_tag(nonce, bound_to(key), secret)
            .map_err(failed)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(SecretBytes::from(std::mem::take(&mut *sealed)))
    }

    async fn open(&self, key: &Key, loaded: Loaded) -> Result<Loaded> {
        let refused = |why: &str| {
            let (namespace, profile) = (key.namespace(), key.profile());
            Error::new(
                ErrorKind::Store,
                format!("{namespace}/{profile} cannot be opened: {why}"),
            )
        };
        let not_sealed = || refused("it is not sealed; write it again through a sealed store");
        let sealed = loaded.value.expose();
        if !sealed.starts_with(MARK) {
            return Err(not_sealed());
        }
        let (_, rest) = sealed.split_at_checked(HEAD).ok_or_else(not_sealed)?;
        let Some(at) = self.key_of(&loaded.value) else {
            return Err(refused(
                "it was sealed with a key that is not here; add it by also_open()",
            ));
        };
        let (with, rest) = match &self.holders[at] {
            Holder::Key(key) => (key.clone(), rest),
            Holder::Source(_, source) => {
                let (wrapped, rest) = split_wrapped(rest).ok_or_else(not_sealed)?;
                (source.to_open(key, wrapped).await?, rest)
            }
        };
        let Some((nonce, rest)) = rest.split_first_chunk::<NONCE_LEN>() else {
            return Err(not_sealed());
        };
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let mut opened = Zeroizing::new(rest.to_vec());
        let length = with.key.open_in_place(nonce, bound_to(key), &mut opened);
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

/// Splits the wrapped key from what follows it.
fn split_wrapped(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u16::from_be_bytes(*length).into())
}

impl Store for Sealed {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        Box::pin(async move {
            match self.store.load(key).await? {
                Some(loaded) => self.open(key, loaded).await.map(Some),
                None => Ok(None),
            }
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
            let sealed = self.seal(key, value).await?;
            Ok(
                match self.store.compare_and_swap(key, expect, &sealed).await? {
                    Swapped::Conflict(Some(there)) => {
                        Swapped::Conflict(Some(self.open(key, there).await?))
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

    fn own_leases(self: Arc<Self>) -> Option<Arc<dyn Leases>> {
        Arc::clone(&self.store).own_leases()
    }

    fn capabilities(&self) -> Capabilities {
        let of_store = self.store.capabilities();
        let of_key = match self.holders[0] {
            Holder::Key(_) => 0,
            Holder::Source(..) => LENGTH + LONGEST_WRAPPED,
        };
        let added = HEAD + of_key + NONCE_LEN + TAG;
        // A call asks for a key to seal with, and for one to open what is there instead.
        let for_keys = match self.holders[0] {
            Holder::Key(_) => Duration::ZERO,
            Holder::Source(..) => 2 * LIMIT,
        };
        Capabilities {
            limit: of_store.limit.saturating_add(for_keys),
            max_bytes: of_store.max_bytes.map(|most| most.saturating_sub(added)),
            ..of_store
        }
    }
}

#[cfg(test)]
mod tests;

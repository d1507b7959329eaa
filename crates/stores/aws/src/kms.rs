//! Keys for encrypted records, which KMS makes and unwraps.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;
use vouchsafe_core::cache::{Cache, Fetched};
use vouchsafe_core::store::{Key, KeySource, SealingKey, WrappedKey};
use vouchsafe_core::{BoxFuture, Error, ErrorKind, Result, SecretBytes};

use crate::Aws;
use crate::aws::Failed;

/// Keys of AWS KMS for the records of a [`Sealed`](vouchsafe_core::store::Sealed) store: a data key
/// for each record, which is kept next to it as KMS has encrypted it.
///
/// The encryption context has the `kind` (`record` or `lease`), `namespace` and `profile` of a record
/// as far as they are not empty, so that policies can name them (`kms:EncryptionContext:namespace`).
/// It takes the rights `kms:GenerateDataKey` to write and `kms:Decrypt` to read.
///
/// Cheap to clone; clones share keys.
#[derive(Clone, Debug)]
pub struct KmsKeys {
    service: Arc<Service>,
    /// Keys that records are written with.
    made: Cache<Key, WrappedKey>,
    /// Keys that records are read with, by their wrapped form.
    opened: Cache<(Key, Arc<[u8]>), SealingKey>,
}

struct Service {
    aws: Aws,
    client: Client,
    key: String,
}

impl KmsKeys {
    /// Uses a symmetric key of KMS: its id, ARN, or alias such as `alias/vouchsafe`. A data key is
    /// used for five minutes, by at most 1,000 records for reading and as many for writing. Does no
    /// I/O.
    ///
    /// If an alias is pointed at another key, KMS refuses to open what was written before
    /// (`IncorrectKeyException`) until it is pointed back: use an ARN if that may happen. To change
    /// keys, open the store with the ARN of the new one and
    /// [`also_open_with`](vouchsafe_core::store::Sealed::also_open_with) the old one, and
    /// [`reseal`](vouchsafe_core::store::Sealed::reseal) each record.
    ///
    /// # Errors
    ///
    /// Of kind [`Config`](ErrorKind::Config) if the id is empty or longer than KMS takes.
    pub fn new(aws: &Aws, key: impl Into<String>) -> Result<Self> {
        let key = key.into();
        if key.is_empty() || key.len() > LONGEST_ID {
            let what = "the key of KMS is an id, an ARN, or an alias such as alias/vouchsafe";
            return Err(Error::new(ErrorKind::Config, what));
        }
        let service = Service {
            aws: aws.clone(),
            client: Client::new(aws.sdk()),
            key,
        };
        Ok(Self::with_lifetime(Arc::new(service), LIFETIME))
    }

    fn with_lifetime(service: Arc<Service>, lifetime: Duration) -> Self {
        Self {
            service,
            made: cache(lifetime),
            opened: cache(lifetime),
        }
    }

    /// Sets how long a data key is used before KMS is asked again; with zero it is asked each time.
    /// Default: five minutes.
    #[must_use]
    pub fn lifetime(self, lifetime: Duration) -> Self {
        Self::with_lifetime(self.service, lifetime)
    }
}

/// The maximum length of the name of a key.
const LONGEST_ID: usize = 2048;
const LIFETIME: Duration = Duration::from_secs(5 * 60);

fn cache<K, V>(lifetime: Duration) -> Cache<K, V>
where
    K: Clone + Eq + std::hash::Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    Cache::builder()
        .ttl(lifetime)
        .error_ttl(Duration::ZERO)
        .refresh_ahead(0.0)
        .fetch_again(true)
        .build()
}

/// What KMS binds a data key to. It does not take empty values.
fn context(record: &Key) -> HashMap<String, String> {
    let kind = if record.is_lease() { "lease" } else { "record" };
    [
        ("kind", kind),
        ("namespace", record.namespace()),
        ("profile", record.profile()),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}

impl Service {
    async fn make(&self, record: &Key) -> Result<WrappedKey> {
        let call = self
            .client
            .generate_data_key()
            .key_id(&self.key)
            .key_spec(DataKeySpec::Aes256)
            .set_encryption_context(Some(context(record)))
            .send();
        let made = self
            .aws
            .call(self.aws.late(), &self.at("make a data key with"), call)
            .await;
        let made = made.map_err(with_hint)?;
        let wrapped = made.ciphertext_blob.ok_or_else(|| self.incomplete())?;
        Ok(WrappedKey {
            key: self.key_of(made.plaintext)?,
            wrapped: wrapped.into_inner().into(),
        })
    }

    async fn open(&self, record: &Key, wrapped: &[u8]) -> Result<SealingKey> {
        let call = self
            .client
            .decrypt()
            .key_id(&self.key)
            .ciphertext_blob(Blob::new(wrapped))
            .set_encryption_context(Some(context(record)))
            .send();
        let opened = self
            .aws
            .call(self.aws.late(), &self.at("open a data key with"), call)
            .await;
        self.key_of(opened.map_err(with_hint)?.plaintext)
    }

    /// Takes the bytes, which are wiped afterwards.
    fn key_of(&self, plain: Option<Blob>) -> Result<SealingKey> {
        let bytes = plain.ok_or_else(|| self.incomplete())?.into_inner();
        SealingKey::from_bytes(&SecretBytes::from(bytes)).map_err(|_| self.incomplete())
    }

    fn incomplete(&self) -> Error {
        let what = format!("the key {} of KMS gave no data key of 32 bytes", self.key);
        Error::new(ErrorKind::Store, what)
    }

    /// Says what a call is about: `what` completes "cannot".
    fn at(&self, what: &str) -> String {
        format!("{what} the key {} of KMS", self.key)
    }
}

fn with_hint<E>(failed: Failed<E>) -> Error {
    failed.hint(&[
        (
            "InvalidCiphertextException",
            "it was altered, or made for another record",
        ),
        (
            "IncorrectKeyException",
            "another key made it: if this is an alias that was pointed at another key, point it back, \
             and reseal the records with the ARN of the new key before it is moved",
        ),
    ])
}

impl KeySource for KmsKeys {
    fn name(&self) -> &str {
        &self.service.key
    }

    fn to_seal<'a>(&'a self, record: &'a Key) -> BoxFuture<'a, Result<WrappedKey>> {
        Box::pin(async move {
            let (service, of) = (Arc::clone(&self.service), record.clone());
            let make = || async move { service.make(&of).await.map(Fetched::new) };
            let made = self.made.get_or_fetch(record, make).await?;
            // What this process has written it can read without KMS.
            let known = (record.clone(), Arc::clone(&made.wrapped));
            if self.opened.get(&known).is_none() {
                self.opened.insert(known, Fetched::new(made.key.clone()));
            }
            Ok(made)
        })
    }

    fn to_open<'a>(
        &'a self,
        record: &'a Key,
        wrapped: &'a [u8],
    ) -> BoxFuture<'a, Result<SealingKey>> {
        Box::pin(async move {
            let key = (record.clone(), Arc::from(wrapped));
            let (service, of) = (Arc::clone(&self.service), key.clone());
            let open = || async move { service.open(&of.0, &of.1).await.map(Fetched::new) };
            self.opened.get_or_fetch(&key, open).await
        })
    }
}

/// Without the SDK's client, which shows its settings, among them the id of the access key.
impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("aws", &self.aws)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

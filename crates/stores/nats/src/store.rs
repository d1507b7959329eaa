//! Records as keys of a bucket, whose revision is their version.

use std::sync::Arc;

use async_nats::jetstream::kv::{self, UpdateErrorKind};
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use vouchsafe_core::store::{
    Address, Broken, Capabilities, Expect, Hints, Key, Loaded, Reach, Scope, Store, Swapped,
    Version, Watch,
};
use vouchsafe_core::url::Given;
use vouchsafe_core::{BoxFuture, Error, ErrorKind, Result, Secret, SecretBytes};

use crate::server::{Login, Server};

/// A [`Store`] in a bucket of NATS JetStream, shared by all machines that reach the server.
///
/// Cheap to clone; clones share one connection.
#[derive(Clone, Debug)]
pub struct NatsStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    server: Arc<Server>,
    hints: Hints,
}

/// Builds a [`NatsStore`]. Of its [`network`](Self::network), the roots and the TLS provider apply. A
/// server on another machine must offer TLS, whatever the URL says, unless
/// [`allow_plain`](Self::allow_plain) is set.
#[derive(Clone, Debug)]
#[must_use]
pub struct NatsStoreBuilder {
    url: Given,
    login: Login,
    bucket: String,
    replicas: usize,
    reach: Reach,
}

/// The maximum size of a record in bytes; by default, NATS takes messages of 1 MiB with headers.
const LARGEST: usize = (1 << 20) - (1 << 12);
/// The maximum size of the encoded name in bytes; a line of the protocol has at most 4 KiB.
const LONGEST_NAME: usize = 3 << 10;
const PORT: u16 = 4222;

impl NatsStore {
    /// Creates a builder for a URL: `nats://host:4222`, or `tls://`.
    pub fn builder(url: impl Into<String>) -> NatsStoreBuilder {
        NatsStoreBuilder {
            url: Given::from(url),
            login: Login::None,
            bucket: "vouchsafe".to_owned(),
            replicas: 1,
            reach: Reach::default(),
        }
    }
}

impl NatsStoreBuilder {
    /// Logs in with a name and a password. Default: no login. The last of the three ways counts.
    pub fn login(mut self, name: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.login = Login::Password(name.into(), password.into());
        self
    }

    /// Logs in with a token.
    pub fn token(mut self, token: impl Into<Secret>) -> Self {
        self.login = Login::Token(token.into());
        self
    }

    /// Logs in with the text of a `.creds` file: a JWT and the seed of a key.
    pub fn credentials(mut self, text: impl Into<Secret>) -> Self {
        self.login = Login::Credentials(text.into());
        self
    }

    /// Sets the bucket. Default: `vouchsafe`. It is made if it is missing; one that exists keeps its
    /// settings.
    pub fn bucket(mut self, bucket: impl Into<String>) -> Self {
        self.bucket = bucket.into();
        self
    }

    /// Sets how many servers of a cluster keep the bucket, if it is made. Default: 1.
    pub fn replicas(mut self, replicas: usize) -> Self {
        self.replicas = replicas;
        self
    }

    vouchsafe_core::reach_options!(reach);

    /// Builds the store. Does no I/O except for loading trusted roots, once per process.
    ///
    /// # Errors
    ///
    /// Of kind [`Config`](ErrorKind::Config) if the URL or the name of the bucket is not valid, or TLS
    /// is impossible in this build: any server may ask for it.
    pub fn build(self) -> Result<NatsStore> {
        let config = |what: &str| Error::new(ErrorKind::Config, what);
        let address = Address::parse(&self.url, ["nats", "tls"], PORT)?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if self.bucket.is_empty() || !self.bucket.bytes().all(fits) {
            return Err(config(
                "the name of a bucket has letters, digits, `-` and `_`",
            ));
        }
        let server = Arc::new(Server {
            link: Server::link(address.place(), self.reach.limit()),
            url: format!("nats://{}", address.place()),
            limit: self.reach.limit(),
            require_tls: address.is_tls() || !self.reach.allows_plain(address.is_loopback()),
            tls: self.reach.tls_config()?,
            login: self.login,
            bucket: self.bucket,
            replicas: self.replicas,
        });
        let listening = Arc::clone(&server);
        let hints = Hints::new(move |board| {
            let server = Arc::clone(&listening);
            async move { server.listen(&board).await }
        });
        Ok(NatsStore(Arc::new(Inner { server, hints })))
    }
}

/// Dots separate; each part begins with a letter, since none may be empty.
fn encoded(text: &str) -> String {
    format!("n{}", URL_SAFE_NO_PAD.encode(text))
}

fn decoded(text: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix('n')?).ok()?;
    String::from_utf8(bytes).ok()
}

/// The names of the records of a namespace begin with this.
fn records_of(namespace: &str) -> String {
    format!("record.{}.", encoded(namespace))
}

fn name(key: &Key) -> String {
    let profile = encoded(key.profile());
    if key.is_lease() {
        format!("lease.{}.{profile}", encoded(key.namespace()))
    } else {
        format!("{}{profile}", records_of(key.namespace()))
    }
}

fn version(revision: u64) -> Version {
    Version::new(&revision.to_be_bytes())
}

/// Returns the revision of a version; one that no record has for a version of another store. 0
/// would be that of what does not exist.
fn revision(version: &Version) -> u64 {
    match version.as_bytes().try_into().map(u64::from_be_bytes) {
        Ok(revision) if revision > 0 => revision,
        _ => u64::MAX,
    }
}

/// What the bucket holds under a name.
struct State {
    /// Of the last change, which may be a removal; 0 if there was none.
    revision: u64,
    loaded: Option<Loaded>,
}

impl State {
    fn is(&self, expect: &Expect) -> bool {
        expect.is_met_by(self.loaded.as_ref().map(|loaded| &loaded.version))
    }
}

/// Reads from the server that leads: replicas may lag behind.
async fn read(bucket: &kv::Store, name: &str) -> Result<State, Broken> {
    let subject = format!("{}{name}", bucket.prefix);
    let message = match bucket
        .stream
        .get_last_raw_message_by_subject(&subject)
        .await
    {
        Ok(message) => message,
        Err(cause) if cause.kind() == LastRawMessageErrorKind::NoMessageFound => {
            return Ok(State {
                revision: 0,
                loaded: None,
            });
        }
        Err(cause) => return Err(Broken::for_now("the bucket cannot be read").with_source(cause)),
    };
    // A removal is a message with this header.
    let is_removal = message.headers.get("KV-Operation").is_some();
    let loaded = Loaded {
        value: SecretBytes::from(message.payload.to_vec()),
        version: version(message.sequence),
    };
    Ok(State {
        revision: message.sequence,
        loaded: (!is_removal).then_some(loaded),
    })
}

fn is_conflict(cause: &kv::UpdateError) -> bool {
    cause.kind() == UpdateErrorKind::WrongLastRevision
}

fn unwritten(cause: kv::UpdateError) -> Broken {
    let broken = match cause.kind() {
        UpdateErrorKind::TimedOut => Broken::connection("the bucket did not answer"),
        _ => Broken::for_now("the bucket cannot be written"),
    };
    broken.with_source(cause)
}

impl NatsStore {
    fn name(&self, key: &Key) -> Result<String> {
        let name = name(key);
        if name.len() > LONGEST_NAME {
            let what = "the name of a record may have about 2,300 bytes, and this one has more";
            return Err(Error::new(ErrorKind::Store, what));
        }
        Ok(name)
    }
}

impl Store for NatsStore {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        Box::pin(async move {
            let name = self.name(key)?;
            let work = |bucket: kv::Store| async move { read(&bucket, &name).await };
            Ok(self.0.server.call("read a record", work).await?.loaded)
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
            let name = self.name(key)?;
            let work = |bucket: kv::Store| async move {
                loop {
                    let value = Bytes::copy_from_slice(value.expose());
                    let over = match expect {
                        Expect::Any => {
                            let written = bucket.put(&name, value).await;
                            let written = written.map_err(|cause| {
                                Broken::for_now("the bucket cannot be written").with_source(cause)
                            })?;
                            return Ok(Swapped::Done(version(written)));
                        }
                        Expect::Version(expected) => revision(expected),
                        // Over the removal, if there was one.
                        Expect::Absent => {
                            let there = read(&bucket, &name).await?;
                            if !there.is(expect) {
                                return Ok(Swapped::Conflict(there.loaded));
                            }
                            there.revision
                        }
                    };
                    match bucket.update(&name, value, over).await {
                        Ok(written) => return Ok(Swapped::Done(version(written))),
                        Err(cause) if is_conflict(&cause) => {
                            let there = read(&bucket, &name).await?;
                            // It may have been made and removed again meanwhile.
                            if !there.is(expect) {
                                return Ok(Swapped::Conflict(there.loaded));
                            }
                        }
                        Err(cause) => return Err(unwritten(cause)),
                    }
                }
            };
            self.0.server.call("write a record", work).await
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let name = self.name(key)?;
            let work = |bucket: kv::Store| async move {
                loop {
                    let there = read(&bucket, &name).await?;
                    if there.loaded.is_none() || !there.is(expect) {
                        return Ok(false);
                    }
                    let removed = bucket.delete_expect_revision(&name, Some(there.revision));
                    match removed.await {
                        Ok(()) => return Ok(true),
                        Err(cause) if is_conflict(&cause) => {}
                        Err(cause) => return Err(unwritten(cause)),
                    }
                }
            };
            self.0.server.call("remove a record", work).await
        })
    }

    fn list<'a>(&'a self, namespace: &'a str) -> BoxFuture<'a, Result<Option<Vec<String>>>> {
        Box::pin(async move {
            let failed = |cause: Box<dyn std::error::Error + Send + Sync>| {
                Broken::for_now("the bucket cannot be listed").with_source(cause)
            };
            let work = |bucket: kv::Store| async move {
                let names = bucket.keys().await.map_err(|cause| failed(cause.into()))?;
                let names: Vec<String> = names
                    .try_collect()
                    .await
                    .map_err(|cause| failed(cause.into()))?;
                Ok(names)
            };
            let names = self.0.server.call("list records", work).await?;
            let prefix = records_of(namespace);
            // Names of other forms are not ours.
            let profiles = names
                .iter()
                .filter_map(|name| decoded(name.strip_prefix(&prefix)?));
            let mut profiles: Vec<_> = profiles.collect();
            profiles.sort();
            Ok(Some(profiles))
        })
    }

    fn watch(&self, key: &Key) -> Option<Watch> {
        Some(self.0.hints.watch(name(key).as_bytes()))
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new(Scope::Network);
        capabilities.max_bytes = Some(LARGEST);
        capabilities.limit = self.0.server.limit;
        capabilities
    }
}

#[cfg(test)]
mod tests;

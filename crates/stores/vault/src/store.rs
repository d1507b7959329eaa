//! Records as secrets with one field.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use vouchsafe_core::auth::{HeaderToken, StaticToken, TokenSource};
use vouchsafe_core::store::{
    Base64, Capabilities, Expect, Key, Loaded, Reach, Scope, Store, Swapped, Version,
};
use vouchsafe_core::url::{BaseUrl, Given};
use vouchsafe_core::{BoxFuture, Error, ErrorKind, Result, Secret, SecretBytes};

use crate::api::{Api, Fields, State, TOKEN, read_fault};

/// A [`Store`] in the key-value engine, version 2, of OpenBao or Vault, shared by all machines that
/// reach the server.
///
/// Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct VaultStore(Arc<Api>);

/// Builds a [`VaultStore`].
#[derive(Clone, Debug)]
#[must_use]
pub struct VaultStoreBuilder {
    url: Given,
    tokens: Option<Arc<dyn TokenSource>>,
    mount: String,
    reach: Reach,
}

/// The maximum size of a record in bytes; the servers take entries of 1 MiB, and keep base64.
const LARGEST: usize = 700 << 10;
/// How many requests a store has under way. OpenBao 2.7 has 64 permits for reads and writes: one that waits
/// for the lock of a key keeps its permit, and the one that has the lock then finds none. It never answers
/// again, so the processes that share a key should stay below that number together.
const MAX_IN_FLIGHT: usize = 2;
/// All names begin with this folder.
const FOLDER: &str = "vouchsafe";

impl VaultStore {
    /// Creates a builder for the URL of a server, such as `https://vault.example:8200`.
    pub fn builder(url: impl Into<String>) -> VaultStoreBuilder {
        VaultStoreBuilder {
            url: Given::from(url),
            tokens: None,
            mount: "secret".to_owned(),
            reach: Reach::default(),
        }
    }
}

impl VaultStoreBuilder {
    /// Sets the token, for as long as it is valid.
    pub fn token(self, token: impl Into<Secret>) -> Self {
        self.token_source(Arc::new(StaticToken::new(token.into())))
    }

    /// Sets a source of tokens, for those that are renewed. Required, unless there is a
    /// [`token`](Self::token).
    pub fn token_source(mut self, tokens: Arc<dyn TokenSource>) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// Sets the path of the engine, with its namespace in front if it has one. Default: `secret`.
    pub fn mount(mut self, mount: impl Into<String>) -> Self {
        self.mount = mount.into();
        self
    }

    vouchsafe_core::reach_options!(reach, http);

    /// Builds the store. Does no I/O.
    ///
    /// # Errors
    ///
    /// Of kind [`Config`](ErrorKind::Config) if the URL or the mount is not valid, the URL needs
    /// [`allow_plain`](Self::allow_plain), there is no token, or https is impossible in
    /// this build.
    pub fn build(self) -> Result<VaultStore> {
        let config = |what: &str| Error::new(ErrorKind::Config, what);
        let url = BaseUrl::parse(&self.url)?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let is_path = |part: &str| !part.is_empty() && part.bytes().all(fits);
        if !self.mount.split('/').all(is_path) {
            return Err(config(
                "the mount of an engine is a path of letters, digits, `-` and `_`, such as `secret`",
            ));
        }
        let tokens = self.tokens.ok_or_else(|| {
            config("OpenBao and Vault want a token: set token() or token_source()")
        })?;
        let limit = self.reach.limit();
        let core = self.reach.client(std::slice::from_ref(&url), limit)?;
        let core = core
            .read_fault(read_fault)
            .max_in_flight(MAX_IN_FLIGHT)
            .build_for([&url])?;
        Ok(VaultStore(Arc::new(Api {
            core,
            url,
            mount: self.mount,
            tokens,
            header: HeaderToken::new(TOKEN),
            limit,
        })))
    }
}

/// Begins with a letter, since no part of a path may be empty.
fn encoded(text: &str) -> String {
    format!("n{}", URL_SAFE_NO_PAD.encode(text))
}

fn decoded(text: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix('n')?).ok()?;
    String::from_utf8(bytes).ok()
}

fn folder(namespace: &str, kind: &str) -> String {
    format!("{FOLDER}/{}/{kind}/", encoded(namespace))
}

fn name(key: &Key) -> String {
    let kind = if key.is_lease() { "lease" } else { "record" };
    format!(
        "{}{}",
        folder(key.namespace(), kind),
        encoded(key.profile())
    )
}

fn version(number: u64) -> Version {
    Version::new(&number.to_be_bytes())
}

fn loaded(state: State) -> Option<Loaded> {
    let version = version(state.number);
    let value = state.value?.into_bytes();
    Some(Loaded { value, version })
}

fn is_met(expect: &Expect, state: &State) -> bool {
    let present = state.value.as_ref().map(|_| version(state.number));
    expect.is_met_by(present.as_ref())
}

impl VaultStore {
    /// Replaces a record, or removes it. `Err` has the present state.
    async fn replace(
        &self,
        key: &Key,
        expect: &Expect,
        value: Option<&SecretBytes>,
    ) -> Result<Result<Version, State>> {
        let (name, late) = (name(key), self.0.late());
        let fields = Fields {
            value: value.map(|value| Base64::new(value.clone())),
        };
        if *expect == Expect::Any && value.is_some() {
            let written = self.0.write(&name, None, &fields, late).await?;
            return written.map(|number| Ok(version(number)));
        }
        // A writer that names a version need not look first.
        let named = match expect {
            Expect::Version(version) => version.as_bytes().try_into().ok(),
            Expect::Absent | Expect::Any => None,
        };
        let mut state = match named.map(u64::from_be_bytes) {
            // 0 would be the number of what does not exist.
            Some(number) if number > 0 && value.is_some() => State {
                number,
                value: Some(Base64::default()),
            },
            _ => self.0.read(&name, late).await?,
        };
        loop {
            let is_nothing_to_remove = value.is_none() && state.value.is_none();
            if is_nothing_to_remove || !is_met(expect, &state) {
                return Ok(Err(state));
            }
            match self
                .0
                .write(&name, Some(state.number), &fields, late)
                .await?
            {
                Ok(number) => return Ok(Ok(version(number))),
                Err(refusal) => {
                    let now = self.0.read(&name, late).await?;
                    // The number was right, so that is not what the server minds.
                    if now.number == state.number {
                        return Err(refusal);
                    }
                    state = now;
                }
            }
        }
    }
}

impl Store for VaultStore {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        Box::pin(async move {
            let state = self.0.read(&name(key), self.0.late()).await?;
            Ok(loaded(state))
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
            Ok(match self.replace(key, expect, Some(value)).await? {
                Ok(version) => Swapped::Done(version),
                Err(state) => Swapped::Conflict(loaded(state)),
            })
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move { Ok(self.replace(key, expect, None).await?.is_ok()) })
    }

    fn list<'a>(&'a self, namespace: &'a str) -> BoxFuture<'a, Result<Option<Vec<String>>>> {
        Box::pin(async move {
            let (folder, late) = (folder(namespace, "record"), self.0.late());
            let mut profiles = Vec::new();
            for found in self.0.list(&folder, late).await? {
                // Names of other forms are not ours. Only reading tells what was removed.
                let Some(profile) = decoded(&found) else {
                    continue;
                };
                let state = self.0.read(&format!("{folder}{found}"), late).await?;
                if state.value.is_some() {
                    profiles.push(profile);
                }
            }
            profiles.sort();
            Ok(Some(profiles))
        })
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new(Scope::Network);
        capabilities.max_bytes = Some(LARGEST);
        capabilities.limit = self.0.limit;
        capabilities
    }
}

#[cfg(test)]
mod tests;

//! Records as items: a version, then the value.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use vouchsafe_core::store::{
    Address, Broken, Capabilities, Expect, Key, Loaded, Reach, Scope, Store, Swapped, Version,
    unique,
};
use vouchsafe_core::text::hex;
use vouchsafe_core::url::Given;
use vouchsafe_core::{BoxFuture, Error, ErrorKind, Result, Secret, SecretBytes};

use crate::server::{Connection, Server};
use crate::wire::{self, Answer, LARGEST_ITEM, Over};

/// A [`Store`] in Memcached, shared by all machines that reach the server. It forgets: see the page
/// of this crate for what it is good for.
///
/// Cheap to clone; clones share one connection.
#[derive(Clone, Debug)]
pub struct MemcachedStore(Arc<Server>);

/// Builds a [`MemcachedStore`].
#[derive(Clone, Debug)]
#[must_use]
pub struct MemcachedStoreBuilder {
    url: Given,
    login: Option<(String, Secret)>,
    reach: Reach,
}

/// Chosen by chance, so that a version never comes back: the server's own numbers begin again when
/// it is restarted.
const VERSION: usize = 16;
const PORT: u16 = 11211;

impl MemcachedStore {
    /// Creates a builder for a URL: `memcached://host:11211`, or `memcacheds://` with TLS.
    pub fn builder(url: impl Into<String>) -> MemcachedStoreBuilder {
        MemcachedStoreBuilder {
            url: Given::from(url),
            login: None,
            reach: Reach::default(),
        }
    }
}

impl MemcachedStoreBuilder {
    /// Logs in with a name and a password, which the server has in the file of its option `-Y`.
    /// Default: no login.
    pub fn login(mut self, name: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.login = Some((name.into(), password.into()));
        self
    }

    vouchsafe_core::reach_options!(reach);

    /// Builds the store. Does no I/O except for loading trusted roots, once per process.
    ///
    /// # Errors
    ///
    /// Of kind [`Config`](ErrorKind::Config) if the URL is not valid or needs
    /// [`allow_plain`](Self::allow_plain), name or password of a login has a blank, or TLS is
    /// impossible in this build.
    pub fn build(self) -> Result<MemcachedStore> {
        let config = |what: &str| Error::new(ErrorKind::Config, what);
        let address = Address::parse(&self.url, ["memcached", "memcacheds"], PORT)?;
        let place = address.place();
        if !address.is_tls() {
            self.reach
                .require_allowed(place, address.is_loopback(), "use memcacheds://")?;
        }
        let login = match &self.login {
            Some((name, password)) => {
                if name.contains(' ') || password.expose().contains(' ') {
                    return Err(config("a Memcached user and its password have no blanks"));
                }
                let both = SecretBytes::from(format!("{name} {}", password.expose()).into_bytes());
                Some(wire::login(both.expose()))
            }
            None => None,
        };
        Ok(MemcachedStore(Arc::new(Server {
            link: Server::link(place, self.reach.limit()),
            dialer: self.reach.dialer(address.is_tls())?,
            url: Reach::target(place, address.is_tls())?,
            login,
        })))
    }
}

/// The name of an item: at most 250 letters, so a digest.
fn name(key: &Key) -> String {
    let mut digest = Sha256::new();
    let namespace = key.namespace();
    digest.update([u8::from(key.is_lease())]);
    digest.update((namespace.len() as u64).to_be_bytes());
    digest.update(namespace);
    digest.update(key.profile());
    format!("vouchsafe:{}", hex(&digest.finalize()))
}

/// A record, and the server's number of its state.
async fn read(server: &Connection, name: &str) -> Result<Option<(Loaded, u64)>, Broken> {
    let (value, cas) = match server.ask(wire::get(name)).await? {
        Answer::Item { value, cas } => (value, cas),
        Answer::Missing => return Ok(None),
        Answer::Done | Answer::Other => return Err(unexpected()),
    };
    let foreign = || Broken::refused("the item is not what this store writes");
    let (version, value) = value
        .expose()
        .split_at_checked(VERSION)
        .ok_or_else(foreign)?;
    let loaded = Loaded {
        value: SecretBytes::from(value.to_vec()),
        version: Version::new(version),
    };
    Ok(Some((loaded, cas)))
}

fn unexpected() -> Broken {
    Broken::connection("the server answered something else than was asked")
}

/// Finds the number of the state that a writer expects, or returns the present record.
async fn over(
    server: &Connection,
    name: &str,
    expect: &Expect,
) -> Result<Result<Over, Option<Loaded>>, Broken> {
    let version = match expect {
        Expect::Any => return Ok(Ok(Over::Any)),
        Expect::Absent => return Ok(Ok(Over::Missing)),
        Expect::Version(version) => version,
    };
    Ok(match read(server, name).await? {
        Some((there, cas)) if there.version == *version => Ok(Over::Number(cas)),
        there => Err(there.map(|(loaded, _)| loaded)),
    })
}

impl Store for MemcachedStore {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        Box::pin(async move {
            let work = |server: Connection| async move { read(&server, &name(key)).await };
            let there = self.0.call("read a record", work).await?;
            Ok(there.map(|(loaded, _)| loaded))
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
            let work = |server: Connection| async move {
                let name = name(key);
                let over = match over(&server, &name, expect).await? {
                    Ok(over) => over,
                    Err(there) => return Ok(Swapped::Conflict(there)),
                };
                let version = unique();
                let set = wire::set(&name, over, [&version, value.expose()]);
                match server.ask(set).await? {
                    Answer::Done => Ok(Swapped::Done(Version::new(&version))),
                    Answer::Missing | Answer::Other => {
                        let there = read(&server, &name).await?;
                        Ok(Swapped::Conflict(there.map(|(loaded, _)| loaded)))
                    }
                    Answer::Item { .. } => Err(unexpected()),
                }
            };
            self.0.call("write a record", work).await
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let work = |server: Connection| async move {
                let name = name(key);
                let cas = match over(&server, &name, expect).await? {
                    Ok(Over::Any) => None,
                    Ok(Over::Number(cas)) => Some(cas),
                    Ok(Over::Missing) | Err(_) => return Ok(false),
                };
                match server.ask(wire::delete(&name, cas)).await? {
                    Answer::Done => Ok(true),
                    Answer::Missing | Answer::Other => Ok(false),
                    Answer::Item { .. } => Err(unexpected()),
                }
            };
            self.0.call("remove a record", work).await
        })
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new(Scope::Network);
        capabilities.durable = false;
        capabilities.max_bytes = Some(LARGEST_ITEM - VERSION);
        capabilities.limit = self.0.link.limit();
        capabilities
    }
}

#[cfg(test)]
mod tests;

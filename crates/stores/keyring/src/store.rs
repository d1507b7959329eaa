//! Records as entries: a version, then the value.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};
use vouchsafe_core::store::{
    Capabilities, Expect, Key, Loaded, Scope, Store, Swapped, Version, unique,
};
use vouchsafe_core::{BoxFuture, Error, ErrorKind, Result, SecretBytes, Sent, deadline};
use zeroize::Zeroizing;

use crate::keyring::{Keyring, LARGEST, Lock, VERSION};

/// A [`Store`] in the keyring of the operating system, shared by the processes of one user on one
/// machine.
///
/// Cheap to clone; clones share one connection.
#[derive(Clone, Debug)]
pub struct KeyringStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    keyring: Box<dyn Keyring>,
    lock: PathBuf,
    /// Orders the tasks of this process, which wait for the file one after the other.
    turn: Arc<Mutex<()>>,
    limit: Duration,
}

/// Builds a [`KeyringStore`].
#[derive(Clone, Debug)]
#[must_use]
pub struct KeyringStoreBuilder {
    lock: PathBuf,
    limit: Duration,
    #[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
    bus: Option<String>,
}

impl KeyringStore {
    /// Creates a builder with the path of a file that writers lock, since keyrings compare nothing.
    ///
    /// **All processes that share the records must name the same file.** It is created with mode 0600
    /// if it is missing, in a folder that exists and where other users can replace nothing. It must be
    /// on a local disk.
    pub fn builder(lock: impl Into<PathBuf>) -> KeyringStoreBuilder {
        KeyringStoreBuilder {
            lock: lock.into(),
            limit: Duration::from_secs(10),
            #[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
            bus: None,
        }
    }
}

impl KeyringStoreBuilder {
    /// Sets how long a call may take, over all its requests and with waits for other writers. Default:
    /// 10 seconds.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Sets the address of the D-Bus on which the Secret Service is, such as
    /// `unix:path=/run/user/1000/bus`. Default: the bus of the session, which D-Bus finds by its
    /// environment.
    #[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
    #[cfg_attr(
        docsrs,
        doc(cfg(all(unix, not(any(target_vendor = "apple", target_os = "android")))))
    )]
    pub fn bus(mut self, address: impl Into<String>) -> Self {
        self.bus = Some(address.into());
        self
    }

    /// Builds the store. Asks the keyring for nothing yet.
    ///
    /// # Errors
    ///
    /// Of kind [`Config`](ErrorKind::Config) if the path of the lock is empty, the address of the bus
    /// is not valid, or this system has no keyring.
    pub fn build(self) -> Result<KeyringStore> {
        if self.lock.file_name().is_none() {
            let what = "the path of the lock of a keyring must name a file";
            return Err(Error::new(ErrorKind::Config, what));
        }
        let keyring = self.keyring()?;
        Ok(KeyringStore::new(keyring, self.lock, self.limit))
    }

    #[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
    fn keyring(&self) -> Result<Box<dyn Keyring>> {
        if let Some(bus) = &self.bus {
            bus.parse::<zbus::Address>().map_err(|cause| {
                let what = "the address of the bus is not valid; it begins with unix:path=";
                Error::new(ErrorKind::Config, what).with_source(cause)
            })?;
        }
        let service = crate::secret_service::Service::new(self.bus.clone(), self.limit);
        Ok(Box::new(service))
    }

    #[cfg(target_os = "macos")]
    fn keyring(&self) -> Result<Box<dyn Keyring>> {
        let store = apple_native_keyring_store::keychain::Store::new();
        let store = store.map_err(|cause| no_keyring(&cause))?;
        Ok(Box::new(crate::native::Native::new(store, None)))
    }

    #[cfg(windows)]
    fn keyring(&self) -> Result<Box<dyn Keyring>> {
        // CRED_MAX_CREDENTIAL_BLOB_SIZE
        const MOST: usize = 5 * 512;
        let store = windows_native_keyring_store::Store::new();
        let store = store.map_err(|cause| no_keyring(&cause))?;
        Ok(Box::new(crate::native::Native::new(store, Some(MOST))))
    }

    #[cfg(not(any(
        all(unix, not(any(target_vendor = "apple", target_os = "android"))),
        target_os = "macos",
        windows
    )))]
    fn keyring(&self) -> Result<Box<dyn Keyring>> {
        let what = "this system has no keyring; use a folder or another store";
        Err(Error::new(ErrorKind::Config, what))
    }
}

#[cfg(any(target_os = "macos", windows))]
fn no_keyring(cause: &keyring_core::Error) -> Error {
    let what = format!("the keyring cannot be used: {cause}");
    Error::new(ErrorKind::Config, what)
}

/// Puts a version before a value.
fn with_version(version: &[u8; VERSION], value: &SecretBytes) -> SecretBytes {
    // Reserve all of it at once: a buffer that grows leaves copies behind.
    let mut content = Zeroizing::new(Vec::with_capacity(VERSION + value.expose().len()));
    content.extend_from_slice(version);
    content.extend_from_slice(value.expose());
    SecretBytes::from(std::mem::take(&mut *content))
}

impl KeyringStore {
    pub(crate) fn new(keyring: Box<dyn Keyring>, lock: PathBuf, limit: Duration) -> Self {
        Self(Arc::new(Inner {
            keyring,
            lock,
            turn: Arc::default(),
            limit,
        }))
    }

    async fn read(&self, key: &Key) -> Result<Option<Loaded>> {
        let Some(content) = self.0.keyring.load(key).await? else {
            return Ok(None);
        };
        let Some((version, value)) = content.expose().split_first_chunk::<VERSION>() else {
            let what = "cannot read a record in the keyring: it is not of this store; remove it";
            return Err(Error::new(ErrorKind::Store, what));
        };
        Ok(Some(Loaded {
            value: SecretBytes::from(value.to_vec()),
            version: Version::new(version),
        }))
    }

    /// Limits a call. `write` is set once it may have changed something.
    async fn limited<T>(
        &self,
        what: &str,
        write: &AtomicBool,
        call: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let late = deadline::after(Instant::now(), self.0.limit);
        timeout_at(late, call).await.unwrap_or_else(|_| {
            let (limit, lock) = (self.0.limit, self.0.lock.display());
            let message = format!(
                "cannot {what} in the keyring within {limit:?}: it does not answer or asks its user, or \
                 another process has {lock}"
            );
            let sent = if write.load(Ordering::Relaxed) {
                Sent::Maybe
            } else {
                Sent::No
            };
            let error = Error::new(ErrorKind::Store, message);
            Err(error.with_retryable(true).with_sent(sent))
        })
    }

    /// Reads a record, and returns an error if it cannot be changed: its state, which is not the
    /// expected one, or nothing to remove.
    async fn expect(
        &self,
        key: &Key,
        expect: &Expect,
        is_removal: bool,
    ) -> Result<std::result::Result<(), Option<Loaded>>> {
        let there = self.read(key).await;
        // A record that is overwritten or removed unconditionally may be damaged.
        let is_damaged = there.as_ref().is_err_and(|error| !error.is_retryable());
        let there = match there {
            Err(_) if is_damaged && *expect == Expect::Any => None,
            there => there?,
        };
        let is_met = expect.is_met_by(there.as_ref().map(|there| &there.version));
        let is_nothing_to_remove = is_removal && there.is_none() && !is_damaged;
        Ok(if is_met && !is_nothing_to_remove {
            Ok(())
        } else {
            Err(there)
        })
    }

    /// Changes a record under the lock if its state is the expected one, or returns the state.
    async fn change(
        &self,
        key: &Key,
        expect: &Expect,
        content: Option<SecretBytes>,
        write: &AtomicBool,
    ) -> Result<std::result::Result<(), Option<Loaded>>> {
        let turn = Arc::clone(&self.0.turn).lock_owned().await;
        // Without the lock first: of many writers that expect the same state, most wait in vain.
        if let Err(there) = self.expect(key, expect, content.is_none()).await? {
            return Ok(Err(there));
        }
        let lock = Lock::take(&self.0.lock, turn).await?;
        if let Err(there) = self.expect(key, expect, content.is_none()).await? {
            return Ok(Err(there));
        }
        write.store(true, Ordering::Relaxed);
        match content {
            Some(content) => self.0.keyring.save(key, content, &lock).await?,
            None => self.0.keyring.remove(key, &lock).await?,
        }
        Ok(Ok(()))
    }
}

impl Store for KeyringStore {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        let write = AtomicBool::new(false);
        Box::pin(async move { self.limited("read a record", &write, self.read(key)).await })
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>> {
        Box::pin(async move {
            self.capabilities().require_room(key, value)?;
            let version = unique();
            let write = AtomicBool::new(false);
            let change = self.change(key, expect, Some(with_version(&version, value)), &write);
            Ok(
                match self.limited("write a record", &write, change).await? {
                    Ok(()) => Swapped::Done(Version::new(&version)),
                    Err(there) => Swapped::Conflict(there),
                },
            )
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let write = AtomicBool::new(false);
            let change = self.change(key, expect, None, &write);
            Ok(self
                .limited("remove a record", &write, change)
                .await?
                .is_ok())
        })
    }

    fn list<'a>(&'a self, namespace: &'a str) -> BoxFuture<'a, Result<Option<Vec<String>>>> {
        let write = AtomicBool::new(false);
        let list = self.0.keyring.list(namespace);
        Box::pin(async move { self.limited("list records", &write, list).await })
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new(Scope::Machine);
        capabilities.max_bytes = Some(LARGEST);
        capabilities.limit = self.0.limit;
        capabilities
    }
}

#[cfg(test)]
#[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
mod tests;

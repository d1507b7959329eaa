//! What the store asks of a keyring.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::sleep;
use vouchsafe_core::call::{Backoff, Jitter};
use vouchsafe_core::store::{Key, PrivateFile, SystemDisk};
use vouchsafe_core::task::blocking;
use vouchsafe_core::{BoxFuture, Error, ErrorKind, Result, SecretBytes};

/// The maximum size of a record in bytes.
pub(crate) const LARGEST: usize = 64 << 10;
/// The size of a version, which is chosen by chance, so that it never comes back.
pub(crate) const VERSION: usize = 16;

/// A keyring: entries that are replaced whole, without comparing.
pub(crate) trait Keyring: fmt::Debug + Send + Sync + 'static {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<SecretBytes>>>;

    /// Writes an entry. Work that goes on when the future is dropped keeps the lock.
    fn save<'a>(
        &'a self,
        key: &'a Key,
        content: SecretBytes,
        lock: &'a Arc<Lock>,
    ) -> BoxFuture<'a, Result<()>>;

    /// Removes an entry that exists. Keeps the lock as [`save`](Self::save) does.
    fn remove<'a>(&'a self, key: &'a Key, lock: &'a Arc<Lock>) -> BoxFuture<'a, Result<()>>;

    fn list<'a>(&'a self, namespace: &'a str) -> BoxFuture<'a, Result<Option<Vec<String>>>>;
}

/// The right to write, of one task at a time in all processes. Ends with its value, and with the
/// process.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: PrivateFile,
    _turn: OwnedMutexGuard<()>,
}

const FIRST_WAIT: Duration = Duration::from_millis(1);
const LONGEST_WAIT: Duration = Duration::from_millis(50);

impl Lock {
    /// Waits for other processes; `turn` is that of the tasks of this one.
    pub(crate) async fn take(path: &Path, turn: OwnedMutexGuard<()>) -> Result<Arc<Self>> {
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT, Jitter::random()).at_least_half();
        loop {
            let wanted = path.to_owned();
            let open = move || PrivateFile::open(&wanted, b"", Arc::new(SystemDisk));
            match blocking("locking the keyring", open).await? {
                Ok(file) => {
                    return Ok(Arc::new(Self {
                        _file: file,
                        _turn: turn,
                    }));
                }
                Err(cause) if cause.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(cause) => {
                    let what = format!("cannot lock the keyring by {}: {cause}", path.display());
                    return Err(Error::new(ErrorKind::Store, what).with_source(cause));
                }
            }
            sleep(backoff.next_wait()).await;
        }
    }
}
